"""TruncatedShells: closed lattices near the isotropic point, total spin S >= N/2 - n."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.progress import no_progress, part_of
from spinsqueeze.methods.base.answer import Answer
from spinsqueeze.methods.base.method import EXACT, Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import InSymmetricSubspace
from spinsqueeze.methods.base.truncation import differences
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics.blas_threads import on_one_thread
from spinsqueeze.numerics.block_layout import shell_labels
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.readings import Reading, readings_of
from spinsqueeze.observables.squeezing import squeezing

if TYPE_CHECKING:
    from spinsqueeze.methods.truncated_shells.evolution import Run

MOST_ALIKE = 20_000
MOST_SPINS = 1024
"""That differ: their couplings are held as a matrix."""
MOST_SHELLS = 12
TRUSTED = 0.1
"""Population of the last shell beyond which perlin2020 does not trust the result."""
LEAKING = 0.125
"""Where P_2^(n/2) of two shells reaches it, shell n comes to hold 0.1 (n = 4, 4 x 4 to 7 x 7)."""
GLANCES = 33
"""Times at which shell 2 is looked at."""
BELOW = 2
"""Smaller numbers of shells that measure the error: odd shells hold little, so one says nothing."""
ROUNDING = 1e-13


@final
@clear_init
@dataclass(frozen=True, eq=False)
class TruncatedShells(Method):
    """Closed pair models in the space of total spin S >= N/2 - n_shells, from a symmetric state.

    For couplings near the isotropic point, which energetically keep the total spin: XXZ with any
    couplings, collective quadratics, fields, all about one axis x, y or z, constant in time; pulses
    of all spins. Site symmetries, found from the couplings, and the Wigner-Eckart theorem leave few
    states: 7 x 7 with n_shells = 4 takes seconds. Exact from n_shells = N/2 on. What one and two
    shells less change is the error (`xi2_truncation` and so on), and the population of the last
    shell tells where it ends. Sources: perlin2020 and NOTES.md.

    Args:
        n_shells: the lowest total spin kept is N/2 - n_shells, 2 to 12.
        tolerance: error of the final state in norm within the space, 1e-12 to 1e-3.
    """

    n_shells: int = 4
    tolerance: float = 1e-9

    references: ClassVar[tuple[str, ...]] = ("perlin2020",)
    summary: ClassVar[str] = "closed lattices near the isotropic point, total spin N/2 - n and more"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "unlike_spins", "pulses")
    )

    def __post_init__(self) -> None:
        shells = checks.integer("n_shells", self.n_shells, minimum=2, maximum=MOST_SHELLS)
        object.__setattr__(self, "n_shells", shells)
        value = checks.real("tolerance", self.tolerance, minimum=1e-12, maximum=1e-3)
        object.__setattr__(self, "tolerance", value)

    def obstacles(self, question: Question) -> list[str]:
        """One axis, no envelopes, pulses of all spins, a symmetric state."""
        assert isinstance(question, Evolve)
        model, reasons = question.model, []
        if model.u1_axis is None:
            reasons.append(
                "the magnetisation along x, y or z must be conserved: couplings alike across one "
                "of these axes, and fields along it"
            )
        if model.time_dependent:
            reasons.append("a strength with an envelope; it takes constant ones")
        if any(r.mask is not None for r in question.pulses):
            reasons.append("a pulse that turns some of the spins leads out of the total spin")
        if not isinstance(question.state, InSymmetricSubspace):
            reasons.append(f"{type(question.state).__name__} is not in the symmetric subspace")
        if model.permutation_invariant and model.n_spins > MOST_ALIKE:
            reasons.append(
                f"N = {model.n_spins} alike spins; N = {MOST_ALIKE} is the limit: use "
                "SymmetricSubspace or ClosedForm"
            )
        if not model.permutation_invariant and model.n_spins > MOST_SPINS:
            reasons.append(f"N = {model.n_spins} spins that differ; N = {MOST_SPINS} is the limit")
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact with every shell that the model reaches; else fewer shells measure the error.

        Where shell 2 fills so far that shell n will too, the error is not believed.
        """
        assert isinstance(question, Evolve)
        if self._all_reached(question.model):
            return EXACT
        if self._in_second_shell(question) ** (self.n_shells // 2) > LEAKING:
            return Trust("uncontrolled", outside=True)
        return Trust("truncation")

    def _in_second_shell(self, question: Evolve) -> float:
        """The most that shell 2 holds, of two shells: their few multiplets take no time."""
        from spinsqueeze.methods.truncated_shells import blocks, evolution
        from spinsqueeze.methods.truncated_shells.cost import KRYLOV_BYTES
        from spinsqueeze.methods.truncated_shells.parts import parts_of

        parts = parts_of(question.model)
        run = evolution.run(
            replace(question, times=np.linspace(0.0, question.duration, GLANCES)),
            parts,
            blocks.shell_blocks(parts.couplings, 2),
            tolerance=1e-3,
            krylov_bytes=KRYLOV_BYTES,
            progress=no_progress,
        )
        return float(run.populations[:, 2].max())

    def _shells(self, model: Canonical) -> int:
        return 0 if model.permutation_invariant else min(self.n_shells, model.n_spins // 2)

    def _all_reached(self, model: Canonical) -> bool:
        return self._shells(model) in (0, model.n_spins // 2)

    def cost(self, question: Question) -> Cost:
        """From an estimate of the symmetric states of n_shells flipped spins."""
        from spinsqueeze.methods.truncated_shells.cost import expected_cost
        from spinsqueeze.methods.truncated_shells.parts import parts_of

        assert isinstance(question, Evolve)
        return expected_cost(question, parts_of(question.model), self._shells(question.model))

    @on_one_thread
    def answer(self, question: Question) -> Answer:
        """Evolve with all shells, and with fewer for the error."""
        from spinsqueeze.methods.truncated_shells import blocks, evolution
        from spinsqueeze.methods.truncated_shells.cost import KRYLOV_BYTES
        from spinsqueeze.methods.truncated_shells.parts import parts_of

        assert isinstance(question, Evolve)
        model, n = question.model, question.model.n_spins
        parts, shells = parts_of(model), self._shells(model)
        whole = blocks.shell_blocks(parts.couplings, shells) if shells else blocks.of_alike_spins(n)
        fewer = [] if self._all_reached(model) else list(range(shells - BELOW, shells))
        runs: list[Run] = []
        for count in [*fewer, shells]:
            share, done = 1 / (len(fewer) + 1), len(runs)
            runs.append(
                evolution.run(
                    question,
                    parts,
                    whole.first(count),
                    tolerance=self.tolerance,
                    krylov_bytes=KRYLOV_BYTES,
                    progress=part_of(question.progress, done * share, (done + 1) * share),
                )
            )
        run, moments = runs[-1], _moments(runs[-1], n)
        error = run.error + run.norm_drift + ROUNDING
        populations = np.zeros((len(question.times), n // 2 + 1))
        populations[:, : run.populations.shape[1]] = run.populations
        labels = shell_labels(n)["shell_population"]
        at_last = run.populations[:, -2:] if fewer else np.zeros((len(question.times), 2))
        return Answer(
            {**readings_of(moments), "shell_population": Reading(populations, coords=labels)},
            error={"spin": 2 * error * np.sqrt(n)},
            truncation=_truncation(moments, [_moments(other, n) for other in runs[:-1]]),
            diagnostics={
                "n_shells": shells,
                "multiplets": int(sum(whole.sizes)),
                "last_shell_population": float(at_last[:, -1].max(initial=0.0)),
                "state_error": run.error,
                "norm_drift": run.norm_drift,
                "hamiltonian_products": run.products,
                "dtype": "float64",
                "device": "cpu",
            },
            warnings=_concerns(question.times, at_last.max(axis=1), shells),
        )


def _moments(run: "Run", n_spins: int) -> Moments:
    return Moments(n_spins=n_spins, spin=run.spin, covariance=run.covariance)


def _truncation(moments: Moments, fewer: list[Moments]) -> Mapping[str, Floats]:
    """The most that fewer shells have changed until each time.

    Of xi2 also what the change of the contrast C alone would make, 2 xi2 dC/C: where the mean spin
    is short, changes of numerator and denominator may cancel by chance.
    """
    gaps = [differences(moments, other) for other in fewer or [moments]]
    most = {name: _most_so_far(np.max([gap[name] for gap in gaps], axis=0)) for name in gaps[0]}
    values = squeezing(moments).values
    with np.errstate(divide="ignore", invalid="ignore"):
        by_contrast = 2 * values["xi2"] * most["contrast"] / values["contrast"]
    return {**most, "xi2": np.fmax(most["xi2"], by_contrast)}


def _most_so_far(gap: Floats) -> Floats:
    """A difference crosses zero on its way; what is not defined at one time may be at the next."""
    finite = np.where(np.isfinite(gap), gap, 0.0)
    return np.asarray(np.where(np.isfinite(gap), np.maximum.accumulate(finite, axis=0), gap))


def _concerns(times: Floats, at_last: Floats, shells: int) -> tuple[str, ...]:
    """Where the last two shells are not empty enough."""
    beyond = np.flatnonzero(at_last > TRUSTED)
    if not len(beyond):
        return ()
    return (
        f"domain: the last shells, S = N/2 - {shells - 1} and N/2 - {shells}, hold up to "
        f"{at_last.max():.2g} of the state (above {TRUSTED:g} from t = {times[beyond[0]]:.4g} on): "
        "what leaves them is not followed; raise n_shells, or trust earlier times only",
    )
