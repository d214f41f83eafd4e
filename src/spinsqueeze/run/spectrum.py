"""liouvillian_gap: the slowest rates at which an open model of alike spins forgets its state."""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.methods.base import DEFAULT_MEMORY_BUDGET, in_bytes
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant, liouvillian
from spinsqueeze.models.model import SpinModel
from spinsqueeze.run.task import make_steady_task


@final
@dataclass(frozen=True, eq=False)
class LiouvillianGap:
    """The slowest decay of an open model.

    gap: smallest -Re(lambda) over the nonzero eigenvalues [rate]. eigenvalues: the slowest ones
    (K,), complex [rate]. residuals: |L v - lambda v| over the fastest rate, (K,). zero_modes:
    number of independent steady states (and coherences between them) found.
    """

    gap: float
    eigenvalues: NDArray[np.complex128]
    residuals: NDArray[np.float64]
    zero_modes: int


def liouvillian_gap(
    model: SpinModel,
    *,
    maximal_spin_only: bool = False,
    n_modes: int = 4,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
) -> LiouvillianGap:
    """The slowest decaying modes of a permutation-invariant open model, by shift-invert Arnoldi.

    Every symmetry sector of the irreducible blocks is searched, so no eigenvalue is an artefact of
    the representation. Modes that decay slowly but oscillate fast, far from zero, can be missed.

    Args:
        model: alike spins with constant strengths and rates.
        maximal_spin_only: only the modes within total spin N/2 (models without local jumps).
        n_modes: how many modes of each sector to find.
        memory_budget: bytes; more is refused before any work.

    Raises:
        InvalidInput: a closed or time-dependent model, or n_modes below 1.
        Unsupported: the spins are not interchangeable.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the iteration does not converge.
    """
    from spinsqueeze.methods.permutation_invariant.estimate import estimate
    from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes

    checks.integer("n_modes", n_modes, minimum=1)
    task = make_steady_task(model, memory_budget=memory_budget)
    reasons = PermutationInvariant().steady_support(task).reasons
    if reasons:
        raise Unsupported("liouvillian_gap cannot do this: " + "; ".join(reasons))
    if maximal_spin_only and task.model.local_jumps:
        raise InvalidInput(
            "maximal_spin_only: local jumps lead out of the maximal total spin; leave it out"
        )
    generator = liouvillian(task.model)
    needed = estimate(generator, task="slow_modes").bytes
    if needed > task.memory_budget:
        raise TooLarge(
            f"the gap of N = {model.n_spins} spins needs {in_bytes(needed)}; the budget is "
            f"{in_bytes(task.memory_budget)}: raise memory_budget or lower the number of spins"
        )
    found = slow_modes(generator, n_modes=n_modes, shells=(0, 1) if maximal_spin_only else None)
    return LiouvillianGap(
        gap=found.gap,
        eigenvalues=np.array([mode.eigenvalue for mode in found.modes]),
        residuals=np.array([mode.residual for mode in found.modes]),
        zero_modes=found.zero_modes,
    )
