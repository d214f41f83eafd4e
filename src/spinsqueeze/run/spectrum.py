"""liouvillian_gap: the slowest rates at which states of alike spins forget how they began."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.core.text import html_lines, value_to_digits
from spinsqueeze.methods.base.method import in_bytes
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant, liouvillian
from spinsqueeze.models.model import SpinModel, checked_model
from spinsqueeze.run.questions import steady_question


@final
@clear_init
@dataclass(frozen=True, eq=False)
class LiouvillianGap:
    """The slowest decay of an open model among permutation-invariant operators.

    gap: smallest -Re(lambda) over the nonzero eigenvalues [rate]. eigenvalues: the slowest ones
    (K,), complex [rate], slowest first. errors: their rounding errors (K,) [rate]. residuals:
    |L v - lambda v| over the fastest rate, (K,). zero_modes: number of independent
    permutation-invariant steady states. complete: no slower eigenvalue is left out; False where a
    symmetry sector is too large and its rates are too far apart: then the gap is that of the modes
    nearest zero, and one that decays slower but oscillates fast may be missing.
    """

    gap: float
    eigenvalues: Complexes
    errors: Floats
    residuals: Floats
    zero_modes: int
    complete: bool

    def __str__(self) -> str:
        found = f"{len(self.eigenvalues)} slowest modes of those that are permutation invariant"
        lines = [
            f"gap = {value_to_digits(self.gap, error=float(self.errors[0]), digits=6)}: {found}"
        ]
        lines += [f"  {value:.6g}" for value in self.eigenvalues]
        lines.append(f"{self.zero_modes} steady state{'s' if self.zero_modes > 1 else ''}")
        if not self.complete:
            lines.append("a slower mode that oscillates fast may be missing")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_lines(str(self))


@clear_call
def liouvillian_gap(
    model: SpinModel,
    *,
    maximal_spin_only: bool = False,
    n_modes: int = 4,
    memory_budget: float = DEFAULT_MEMORY_BUDGET,
) -> LiouvillianGap:
    """The slowest decaying modes of an open model, among permutation-invariant operators.

    These are the operators unchanged by exchanging spins: (N+1)(N+2)(N+3)/6 of the 4^N. They hold
    everything that collective moments and states of alike spins can show. Other operators, such as
    the difference of two spins, may decay slower; they are not searched. Every symmetry sector is:
    whole where it has up to 300 unknowns, else by Arnoldi iteration, and every eigenvalue comes
    with its error.

    Args:
        model: alike spins with constant strengths and rates.
        maximal_spin_only: only the modes within total spin N/2 (models without local jumps).
        n_modes: how many modes of each sector to find.
        memory_budget: bytes; more is refused before any work.

    Raises:
        InvalidInput: a closed or time-dependent model, or n_modes below 1.
        Unsupported: the spins are not interchangeable.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: the iteration does not converge, nothing decays, or the gap is below the
            rounding error of the fastest rates.
    """
    from spinsqueeze.methods.permutation_invariant.estimate import estimate
    from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes

    checks.integer("n_modes", n_modes, minimum=1)
    if not checked_model(model).dissipative or model.canonical.time_dependent:
        closed = "is closed: nothing decays" if not model.dissipative else "changes in time"
        raise InvalidInput.of(
            "model", f"must have jumps and constant strengths to have a gap; this one {closed}"
        )
    question = steady_question(model, memory_budget=memory_budget)
    reasons = PermutationInvariant().support(question)
    if reasons:
        raise Unsupported("liouvillian_gap cannot do this: " + "; ".join(reasons))
    if maximal_spin_only and question.model.local_jumps:
        raise InvalidInput(
            "maximal_spin_only: local jumps lead out of the maximal total spin; leave it out"
        )
    generator = liouvillian(question.model)
    needed = estimate(generator, task="slow_modes").bytes
    if needed > question.memory_budget:
        raise TooLarge(
            f"the gap of N = {model.n_spins} spins needs {in_bytes(needed)}; the budget is "
            f"{in_bytes(question.memory_budget)}: raise memory_budget or lower the number of spins"
        )
    spectrum = slow_modes(generator, n_modes=n_modes, shells=(0, 1) if maximal_spin_only else None)
    return LiouvillianGap(
        gap=spectrum.gap,
        eigenvalues=np.array([mode.eigenvalue for mode in spectrum.modes]),
        errors=np.array([mode.error for mode in spectrum.modes]),
        residuals=np.array([mode.residual for mode in spectrum.modes]),
        zero_modes=spectrum.zero_modes,
        complete=spectrum.complete,
    )
