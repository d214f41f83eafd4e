"""squeezing_theorem: whether a weak drive squeezes emitters that rest in all-down, at any N."""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.core.text import html_lines
from spinsqueeze.methods.base.flip_operators import (
    flip_bytes,
    flip_operators,
    local_decay_rates,
    not_emission,
    torus,
)
from spinsqueeze.methods.base.method import in_bytes
from spinsqueeze.methods.base.paramagnet import mean_field_instability
from spinsqueeze.methods.base.question import DEFAULT_MEMORY_BUDGET
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.model import SpinModel
from spinsqueeze.numerics import pair_phases
from spinsqueeze.numerics.flip_amplitudes import FlipOperators
from spinsqueeze.numerics.mean_field import ENDS, NONE, UNSTABLE, Instability
from spinsqueeze.numerics.pair_arrays import PairArray, stripes
from spinsqueeze.numerics.pair_phases import PhaseMaximum
from spinsqueeze.run.questions import steady_question

DARK = 1e-12
"""Flips that decay slower than this times the largest entry of their operator do not decay."""

BYTES_PER_SITE = 5e4
"""Memory of the search for the best angles of a lattice that is alike everywhere."""

_FATES = {UNSTABLE: "becomes unstable", ENDS: "ends"}

WEAK_SLOPE = 0.3
WEAK_DRIVE = 0.3
"""Strongest drive over the slowest decay from which on a first order is not trusted."""
WEAK_EXCITATION = 0.05


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SqueezedComponent:
    """J = sum_i (cos t_i s^x_i + sin t_i s^y_i) at the angles t_i where its variance is least.

    maximum: Re F(t) of huybrechts2024, Eq. (28), times lambda = 1: Var(J) = N/4 - 2 Re F [1].
    slope: d xi2/d lambda = -8 Re F/N [1]. angles: (C,) one a kind of spins, from +x towards +y
    [rad], NaN where no angle squeezes; t and t + pi are the same. upper_bound: no angles of this
    sort give a larger Re F. is_global: the maximum reaches that bound, up to rounding; else it is a
    local one.
    """

    maximum: float
    slope: float
    angles: Floats
    upper_bound: float
    is_global: bool

    @property
    def anti_squeezed_angles(self) -> Floats:
        """(C,) the angles t_i + pi/2 of the component whose variance grows as much [rad]."""
        return self.angles + np.pi / 2


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SqueezingTheorem:
    """To first order in H1: xi2 = 1 + slope * lambda, H = H0 + lambda H1, lambda = 1 the model.

    verdict: in words. squeezed: some component, of a common angle or of angles by site, is.
    uniform, by_site: the best component of one angle, and of an angle for each kind of spins.
    slope_error: no slope errs by more from the solution of the linear equations, infinite where an
    emitter has no decay of its own. counts: (C,) spins of each kind. single_coherences: (C,)
    <s^-_i>. pairs: <s^-_i s^-_j> of two spins, by kinds or by displacement on a lattice that is
    alike everywhere. excited_fraction: share of excited spins, to second order, in the pure state.
    mean_field: where the branch of all-down breaks in mean field; None where spins differ too much
    to say. assumptions: what was checked.
    """

    verdict: str
    squeezed: bool
    uniform: SqueezedComponent
    by_site: SqueezedComponent
    slope_error: float
    counts: Integers
    single_coherences: Complexes
    pairs: PairArray
    excited_fraction: float
    mean_field: Instability | None
    assumptions: tuple[str, ...]

    @property
    def mean_field_instability(self) -> float:
        """The lambda at which the paramagnet breaks in mean field; inf: never; NaN: not known."""
        return np.nan if self.mean_field is None else self.mean_field.strength

    @property
    def pair_coherences(self) -> Complexes:
        """(C, C) <s^-_i s^-_j> of two spins, 0 where a kind has one; 268 MB for 64 x 64 sites."""
        return self.pairs.matrix()

    def __str__(self) -> str:
        lines = [self.verdict]
        for name, found in (("one angle", self.uniform), ("angles by site", self.by_site)):
            sort = "" if found.is_global else f", a local maximum; at most {found.upper_bound:.6g}"
            lines.append(f"{name}: max Re F = {found.maximum:.6g}, slope {found.slope:.6g}{sort}")
        if np.isfinite(self.slope_error):
            lines.append(
                f"slopes err by {self.slope_error:.1g} at most (residual of the equations)"
            )
        lines.append(f"mean field: {_in_mean_field(self.mean_field)}")
        lines += [f"assumed: {assumption}" for assumption in self.assumptions]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return html_lines(str(self))


@clear_call
def squeezing_theorem(
    model: SpinModel, *, memory_budget: float = DEFAULT_MEMORY_BUDGET
) -> SqueezingTheorem:
    """Whether what breaks the conservation of S_z squeezes the steady state, in first order.

    H0 is everything in the Hamiltonian that conserves S_z, H1 the rest (huybrechts2024, theorem 1);
    the theorem is about this split, `Perturbation(perturbed=...)` knows others.
    Without H1 the emitters rest in all-down; with it, the state is pure in first order and follows
    from linear equations among one and two flipped spins. Couplings may depend on the pair, rates
    on the emitter, and emission may be collective.

    Args:
        model: emitters with constant strengths; jumps that only lower. Spins that are alike, or in
            classes, of any number; periodic lattices that are alike everywhere, to 64 x 64 sites
            in seconds; sites that differ up to several hundred of them.
        memory_budget: bytes; more is refused before any work.

    Returns:
        The verdict, slopes and angles of one angle and of angles by site, coherences.

    Raises:
        InvalidInput: not a model, a strength that changes in time, or no emission.
        Unsupported: an assumption fails; the message says which.
        TooLarge: the memory budget would be exceeded.
        NumericalFailure: flipped spins hardly decay beside the couplings.
    """
    if isinstance(model, SpinModel) and not model.dissipative:
        raise InvalidInput(
            "squeezing_theorem needs emission, so that all-down is the one steady state without "
            "the perturbation; this model has no jumps: add LocalDecay or CollectiveDecay"
        )
    memory_budget = checks.memory("memory_budget", memory_budget)
    form = steady_question(model, memory_budget=memory_budget).model
    reasons = _obstacles(form)
    if reasons:
        raise Unsupported("squeezing_theorem cannot do this: " + "; ".join(reasons))
    kinds = len(form.counts)
    needed = flip_bytes(form) + (0.0 if torus(form) is None else kinds * BYTES_PER_SITE)
    if needed > memory_budget:
        raise TooLarge(
            f"the pairs of {kinds} kinds of spins need {in_bytes(needed)}; the budget is "
            f"{in_bytes(memory_budget)}: raise memory_budget, or take fewer sites"
        )
    operators = flip_operators(form)
    unique = _uniqueness(form, operators)
    mean_field = mean_field_instability(form)
    singles, amplitudes = operators.single_amplitudes(), operators.pair_amplitudes()
    pairs, n = amplitudes.values, form.n_spins
    uniform = _component(pair_phases.common_phase(pairs.times(-0.5)), n)
    phases = pair_phases.single_phases(pairs.times(-0.5), patterns=_stripes(form))
    by_site = _component(phases, n)
    excited = float(np.sum(operators.counts * np.abs(singles) ** 2)) + 2 * pairs.squares
    excited /= n
    rounding = float(np.finfo(np.float64).eps) * abs(by_site.slope)
    return SqueezingTheorem(
        verdict=_verdict(operators, uniform, by_site, excited) + _lost(mean_field),
        squeezed=by_site.maximum > 0,
        uniform=uniform,
        by_site=by_site,
        slope_error=float(np.sqrt(8.0 * (1.0 - 1.0 / n))) * amplitudes.error + rounding,
        counts=form.counts,
        single_coherences=singles,
        pairs=pairs,
        excited_fraction=excited,
        mean_field=mean_field,
        assumptions=(
            "H0, all of H that conserves S_z, has the symmetry of turns about z",
            "every jump only lowers, so that all-down is a steady state of H0 and the jumps",
            unique,
        ),
    )


_WRONG_JUMPS = {
    "raises": "raises emitters (pumping), so that all-down is no steady state; leave it out",
    "dephases": "dephases emitters, which is no emission: the theorem assumes emission alone; "
    "leave it out, or take steady_state",
    "mixes": "does more than lower emitters (its vector is not along (1, -i, 0)), so that all-down "
    "is no steady state; leave it out, or turn the axes so that it lowers along z",
}


def _obstacles(form: Canonical) -> list[str]:
    """Every assumption that the pieces of the model break, in words."""
    reasons = []
    if form.modes:
        reasons.append("the model keeps a cavity: give eliminate_cavity(model).model")
    reasons += [f"{type(piece).__name__} is not known to it" for piece in form.other_pieces]
    if form.correlated_jumps:
        reasons.append("CorrelatedJumps is not known to it; give local or collective decay")
    jumps = [("a collective jump", jump.vectors) for jump in form.collective_jumps]
    jumps += [("a local jump", jump.vector) for jump in form.local_jumps]
    for name, vectors in jumps:
        wrong = not_emission(vectors)
        if wrong:
            reasons.append(f"{name} {_WRONG_JUMPS[wrong]}")
    return list(dict.fromkeys(reasons))


def _uniqueness(form: Canonical, operators: FlipOperators) -> str:
    """Why all-down is the one steady state of H0 and the jumps.

    Raises:
        Unsupported: it is not: some flips do not decay.
    """
    rates = local_decay_rates(form)
    if np.all(rates > 0):
        return (
            f"all-down is the only steady state of H0: every emitter decays, at {rates.min():.6g}"
        )
    slowest = operators.slowest_decay()
    if slowest <= DARK:
        raise Unsupported(
            "squeezing_theorem cannot do this: the steady state without the perturbation is not "
            "unique, for a state with flipped spins neither decays nor is coupled to one that does "
            "(a dark state); let every emitter decay, with LocalDecay"
        )
    within = (
        "with the largest total spin of each kind, where all-down lies and which nothing changes"
        if np.any((rates == 0) & (form.counts > 1))
        else "checked among few flipped spins"
    )
    return f"all-down is the only steady state of H0 {within}"


def _stripes(form: Canonical) -> Floats | None:
    """(N, M) signs of waves of every wave vector of a grid whose sites differ; None of others."""
    lattice = form.lattice
    if lattice is None or lattice.shape is None or len(form.counts) != form.n_spins:
        return None
    if torus(form) is not None:
        return None
    full = np.ones(lattice.grid_shape, dtype=bool)
    sites = np.argwhere(full if lattice.occupied is None else lattice.occupied)
    return stripes(2 * np.pi * (sites @ (np.argwhere(full) / np.array(full.shape)).T))


def _component(found: PhaseMaximum, n_spins: int) -> SqueezedComponent:
    angles = np.mod(np.angle(found.phases), 2 * np.pi)
    slope = -8.0 * found.value / n_spins
    return SqueezedComponent(found.value, slope, angles, found.upper_bound, found.certain)


def _drive_over_decay(operators: FlipOperators) -> float:
    """The strongest drive of a spin or a pair over the slowest decay of few flips."""
    slowest = operators.slowest_decay() * operators.largest_entry
    return operators.largest_drive / slowest if slowest else np.inf


def _verdict(
    operators: FlipOperators, uniform: SqueezedComponent, by_site: SqueezedComponent, excited: float
) -> str:
    if by_site.maximum == 0:
        return f"cannot be squeezed to first order, because {_nothing(operators)}"
    if uniform.maximum == 0:
        text = (
            "squeezed to first order in angles that differ from site to site only: "
            f"xi2 = 1 - {-by_site.slope:.6g} lambda with every spin turned by its own angle; along "
            "one angle the pairs that are driven cancel"
        )
    else:
        angle = uniform.angles[0]
        text = (
            f"squeezed to first order: xi2 = 1 - {-uniform.slope:.6g} lambda along the angle "
            f"{angle:.6g} rad from x to y, anti-squeezed by as much along "
            f"{np.mod(uniform.anti_squeezed_angles[0], np.pi):.6g} rad"
        )
        if by_site.maximum > uniform.maximum * (1 + pair_phases.CERTAIN):
            text += f"; xi2 = 1 - {-by_site.slope:.6g} lambda with an angle for each site"
    text += " (lambda = 1: the model as it is)"
    strong = _drive_over_decay(operators) > WEAK_DRIVE
    if -by_site.slope > WEAK_SLOPE or excited > WEAK_EXCITATION or strong:
        text += (
            "; at lambda = 1 the perturbation is not weak: the slope holds for small lambda, the "
            "value of xi2 there needs steady_state"
        )
    return text


def _in_mean_field(instability: Instability | None) -> str:
    if instability is None:
        return "not known for so many spins that differ; see Perturbation on fewer"
    if instability.outcome == NONE:
        return "the paramagnet is stable at every lambda"
    text = f"the paramagnet {_FATES[instability.outcome]} at lambda = {instability.strength:.6g}"
    return text + (" (lambda = 1: the model as it is)" if instability.strength > 1 else "")


def _lost(instability: Instability | None) -> str:
    """What the verdict adds where lambda = 1 lies beyond the mean-field paramagnet."""
    if instability is None or instability.strength > 1.0:
        return ""
    return (
        f"; in mean field the paramagnet {_FATES[instability.outcome]} at lambda = "
        f"{instability.strength:.6g} already: the slope holds short of that, not for the model as "
        "it is"
    )


def _nothing(operators: FlipOperators) -> str:
    if operators.counts.sum() < 2:
        return "one emitter has no partner to be correlated with"
    if operators.drives_singles:
        return (
            "single emitters are driven and no pairs: in first order that only turns the mean spin "
            "(squeezing may come in second order, with an interaction or collective emission)"
        )
    return "the Hamiltonian conserves S_z: nothing takes the emitters out of all-down"
