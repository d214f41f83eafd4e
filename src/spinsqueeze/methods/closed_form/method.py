"""ClosedForm: exact formulas where every coupling and field lies along one axis."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core.calls import clear_init
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import InSymmetricSubspace, ProductOfSpins
from spinsqueeze.methods.closed_form.echoes import pulse_obstacles, started
from spinsqueeze.methods.closed_form.ising_axis import frame, ising_axis, jump_obstacles
from spinsqueeze.methods.closed_form.plans import plan
from spinsqueeze.numerics.blas_threads import numpy_on_one_thread
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.qfi import pure_information
from spinsqueeze.observables.readings import Reading, readings_of

RELATIVE_ERROR = 1e-12
STEADY_ERROR = 1e-11


@final
@clear_init
@dataclass(frozen=True, eq=False)
class ClosedForm(Method):
    """Exact moments of one-axis twisting and of Ising models with any couplings.

    H = sum_{i<j} J_ij s^a_i s^a_j + sum_i h_i s^a_i along one axis a, from a coherent or a product
    state; one-axis twisting (isotropic exchange may be added) for N up to 1e12; spin classes;
    local dephasing along a with any envelopes, local decay and pumping along a with constant
    strengths. Pulses of pi about any axis perpendicular to a, of all spins or of some, at any
    times (echo, dynamical decoupling), and rotations about a; any pulse at time 0, and of all
    spins at the last time. Any couplings cost N^3 a time, translation-invariant lattices N^2.
    Steady states within total spin N/2: squeezed collective decay alone; collective decay with a
    drive and collective exchange. Sources: kitagawa1993, fossfeig2013, groszkowski2022,
    tucker2020.
    """

    references: ClassVar[tuple[str, ...]] = (
        "kitagawa1993",
        "fossfeig2013",
        "groszkowski2022",
        "tucker2020",
    )
    summary: ClassVar[str] = "one-axis twisting and Ising models, exact"
    handles: ClassVar[frozenset[str]] = frozenset(
        (
            "fields",
            "quadratics",
            "pairs",
            "unlike_spins",
            "collective_jumps",
            "local_jumps",
            "pulses",
        )
    )
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))
    each_time_alone: ClassVar[bool] = True

    def obstacles(self, question: Question) -> list[str]:
        """All couplings and fields along one axis, coherent or product state, pulses of pi."""
        if isinstance(question, Steady):
            return _steady_obstacles(question)
        model = question.model
        reasons = []
        if isinstance(question.state, ProductOfSpins):
            question = started(question)
        else:
            reasons.append(f"{type(question.state).__name__} is not a product of spins")
        if model.collective_jumps:
            reasons.append("collective jumps have no closed form in time")
        axis = ising_axis(question)
        if axis is None:
            reasons.append("couplings and fields do not all lie along one axis")
        else:
            reasons += jump_obstacles(model, axis) + pulse_obstacles(question, axis)
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact."""
        return EXACT

    def cost(self, question: Question) -> Cost:
        """N^2 a time on a periodic lattice, N^3 for any matrix, nothing for alike spins."""
        if isinstance(question, Evolve):
            return plan(started(question)).cost
        n = question.model.n_spins
        return Cost(1e6 + 100.0 * n, 1e-7 * n, f"a few arrays of N + 1 = {n + 1} numbers")

    @override
    def keeps_state(self, question: Question) -> bool:
        """Of steady states."""
        return isinstance(question, Steady)

    @numpy_on_one_thread
    def answer(self, question: Question) -> Answer:
        """Evaluate the formulas at the question's times, or that of the steady state."""
        if isinstance(question, Steady):
            return self._steady_state(question)
        chosen = plan(started(question))
        n, times = question.model.n_spins, question.times
        spin, covariance = np.empty((len(times), 3)), np.empty((len(times), 3, 3))
        # One batch of times a step keeps the progress honest; the kernels are the same.
        for batch in np.array_split(np.arange(len(times)), min(len(times), chosen.n_batches)):
            spin[batch], covariance[batch] = chosen.moments(times[batch])
            question.progress((batch[-1] + 1) / len(times))
        back = np.argsort(frame(chosen.axis))
        spin, covariance = spin[:, back], covariance[:, back][:, :, back]
        if chosen.last is not None:
            spin[-1] = chosen.last @ spin[-1]
            covariance[-1] = chosen.last @ covariance[-1] @ chosen.last.T
        moments = Moments(n_spins=n, spin=spin, covariance=covariance)
        readings = readings_of(moments)
        if not question.model.dissipative:
            readings["qfi"] = Reading(pure_information(moments.covariance))
        return Answer(
            readings,
            error={"spin": _relative_error(n) * np.sqrt(n)},
            diagnostics={"formula": chosen.formula, "dtype": "float64", "device": "cpu"},
        )

    def _steady_state(self, question: Steady) -> Answer:
        from spinsqueeze.methods.closed_form.steady import steady_formula

        n = question.model.n_spins
        formula = steady_formula(question.model)
        assert formula is not None
        solution = formula()
        question.progress(1.0)
        moments = Moments(n_spins=n, spin=solution.spin[None], covariance=solution.covariance[None])
        readings = {"purity": Reading(np.array([solution.purity]))}
        information = solution.information()
        if information is not None:
            readings["qfi"] = Reading(np.array([information]))
        return Answer(
            {**readings_of(moments), **readings},
            error={"spin": STEADY_ERROR * np.sqrt(n)},
            diagnostics={"formula": solution.formula, "dtype": "float64", "device": "cpu"},
            state_at=lambda _index: solution.state(),
        )


def _steady_obstacles(question: Steady) -> list[str]:
    """Squeezed collective decay alone, or driven collective decay with exchange."""
    from spinsqueeze.methods.closed_form.steady import steady_formula

    reasons = []
    if steady_formula(question.model) is None:
        reasons.append(
            "only squeezed collective decay alone, or collective decay with a drive and "
            "collective exchange, have a steady state in closed form"
        )
    if not isinstance(question.state, InSymmetricSubspace):
        reasons.append(
            "total spin is conserved: give an initial state in the symmetric subspace, such "
            "as CoherentState('-z')"
        )
    return reasons


def _relative_error(n_spins: int) -> float:
    """The error of a mean spin over N/2.

    Where any mean spin is left, one spin turns by 1/sqrt(N) at most while the others see the N-th
    power of its phase factor: up to sqrt(N) radians, known to eps of themselves.
    """
    return float(RELATIVE_ERROR + float(np.finfo(np.float64).eps) * np.sqrt(n_spins) / 4)
