"""liouvillian_perturbation: how weak local jumps move a collective model between total spins."""

from typing import Any

import numpy as np

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput, Unsupported
from spinsqueeze.methods.closed_form.steady import reservoir_squeezing
from spinsqueeze.methods.permutation_invariant.transition_rates import LiouvillianPerturbation
from spinsqueeze.models import interchangeable
from spinsqueeze.models.model import SpinModel
from spinsqueeze.run.questions import steady_question


@clear_call
def liouvillian_perturbation(model: SpinModel) -> LiouvillianPerturbation:
    """First-order rates between total spins, their gap and steady distribution.

    The model without its local jumps has one steady state in each total spin j; the local jumps
    move population between j and j ± 1 (groszkowski2022, Appendix E). Valid while every local rate
    is far below the gap of the collective model within each j.

    Args:
        model: alike spins with collective jumps (strong) and local jumps (weak).

    Returns:
        total_spins j, downward and upward rates, steady populations, decay_rates and the gap.

    Raises:
        InvalidInput: no collective or no local jumps, an envelope, or several steady states within
            some total spin.
        Unsupported: the spins are not interchangeable, with every reason.
        NumericalFailure: the steady state of some total spin cannot be trusted.
    """
    from spinsqueeze.methods.permutation_invariant import transition_rates
    from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant

    question = steady_question(model)
    canonical = question.model
    reasons = PermutationInvariant().support(question)
    if reasons:
        raise Unsupported("liouvillian_perturbation cannot do this: " + "; ".join(reasons))
    if not canonical.collective_jumps or not canonical.local_jumps:
        raise InvalidInput(
            "liouvillian_perturbation needs collective jumps and weak local jumps in the model"
        )
    arrays = interchangeable.at_peak(canonical)
    shells = transition_rates.shells(model.n_spins)
    r = reservoir_squeezing(canonical)
    if r is not None:
        spin, deficit = _squeezed_shells(model.n_spins, r)
    else:
        spin, deficit = _solved_shells(shells, arrays)
    return transition_rates.liouvillian_perturbation(
        model.n_spins, spin=spin, deficit=deficit, jumps=arrays.local_jumps
    )


def _squeezed_shells(n_spins: int, r: float) -> tuple[Any, Any]:
    from spinsqueeze.methods.closed_form.dark_states import shell_moments

    shells = shell_moments(n_spins, r=r)
    return np.array([m.spin for m in shells]), np.array([m.deficit for m in shells])


def _solved_shells(shells: Any, arrays: interchangeable.CollectiveArrays) -> tuple[Any, Any]:
    """Moments of the steady state of every total spin j, solved as 2j spins in J = j."""
    from spinsqueeze.methods.symmetric import mixed
    from spinsqueeze.methods.symmetric.steady import steady_mixed
    from spinsqueeze.numerics import collective_operators

    spin, deficit = np.zeros((len(shells), 3)), np.zeros((len(shells), 3, 3))
    for k, j in enumerate(shells):
        if j == 0:
            continue
        n = round(2 * j)
        generator = mixed.liouvillian(
            n, quadratic=arrays.quadratic, field=arrays.field, jumps=arrays.collective_jumps
        )
        try:
            rho = steady_mixed(generator).rho
        except InvalidInput as error:
            raise InvalidInput(
                f"liouvillian_perturbation needs one steady state in each total spin, but within "
                f"j = {j:g} the collective model has several: all its jumps lie along one axis; "
                "add a collective jump or a field off that axis"
            ) from error
        mean, covariance = collective_operators.mixed_moments(rho, n_spins=n)
        spin[k] = mean
        deficit[k] = j**2 * np.eye(3) - covariance - np.outer(mean, mean)
    return spin, deficit
