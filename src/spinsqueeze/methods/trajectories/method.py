"""QuantumTrajectories: open models of alike spins by Monte-Carlo wave functions."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import Cost, Trust
from spinsqueeze.methods.base.question import Evolve, Question, Steady
from spinsqueeze.methods.base.states import PermutationInvariantState
from spinsqueeze.methods.base.target import DEFAULT_LIMIT, Collected, SampledMethod, collect
from spinsqueeze.methods.trajectories.run import MOST_JUMPS, Options, Walks
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS
from spinsqueeze.observables.readings import Reading, readings_of

if TYPE_CHECKING:
    from spinsqueeze.methods.trajectories.samples import Samples

CHUNK = 16
"""Trajectories added for a target_error are a multiple of this."""
UNRAVELINGS = ("shifted", "direct")


@final
@clear_init
@dataclass(frozen=True, eq=False)
class QuantumTrajectories(SampledMethod):
    """Open dynamics of N alike spins, exact but for sampling, with a pure state of few numbers.

    A state has one total spin j at a time and is kept as a packet of M levels about its own mean
    spin; jumps take it to j and j ± 1. The models are those of `PermutationInvariant`:
    H = S.Q.S + b.S, any collective jumps c.S and any local jumps c.s_i alike for every spin.
    Sources: molmer1993, chase2008 and NOTES.md.

    Args:
        n_trajectories: number of trajectories, at least 4; None: 500, or what target_error needs.
            Trajectory k follows from the seed, k and the last time: more of them extend a run.
        unraveling: "shifted" (jumps L - <L>, far fewer of them) or "direct" (jumps L, which are
            records of photon counting). The averages are the same.
        keep_trajectories: how many single trajectories to hand back, with their jumps.
        tolerance: largest error of the state of a trajectory from its steps, summed over the run,
            1e-8 to 1e-2.
        target_error: instead of n_trajectories: trajectories are added until the error bar of
            `target` is at most this, or there are max_trajectories.
        target: "optimum": the standard error of the least xi2 over time, in decibels; "xi2": the
            relative standard error of xi2 at every time.
        max_trajectories: the limit with target_error, reached with a warning.

    Ctrl-C keeps what is finished. The window M follows the packet: where the state spreads over the
    sphere it grows to 2j + 1 levels, and a step then costs N. `largest_window` in the diagnostics
    says how far it went.
    """

    n_trajectories: int | None = None
    unraveling: str = field(default="shifted", kw_only=True)
    keep_trajectories: int = field(default=0, kw_only=True)
    tolerance: float = field(default=3e-4, kw_only=True)
    target_error: float | None = field(default=None, kw_only=True)
    target: str = field(default="optimum", kw_only=True)
    max_trajectories: int = field(default=DEFAULT_LIMIT, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("molmer1993", "chase2008", "tucker2020")
    summary: ClassVar[str] = "open models of many alike spins by Monte-Carlo wave functions"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "pulses")
    )
    answers: ClassVar[frozenset[type]] = frozenset((Evolve, Steady))

    def __post_init__(self) -> None:
        put = object.__setattr__
        self._check_number()
        checks.choice("unraveling", self.unraveling, UNRAVELINGS)
        put(self, "tolerance", checks.real("tolerance", self.tolerance, minimum=1e-8, maximum=1e-2))
        kept = checks.integer(
            "keep_trajectories", self.keep_trajectories, minimum=0, maximum=self._most
        )
        put(self, "keep_trajectories", kept)

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return "trajectories"

    def obstacles(self, question: Question) -> list[str]:
        """Models unchanged by exchanging spins, from a permutation-invariant state."""
        reasons = []
        if isinstance(question, Steady) and self.keep_trajectories:
            reasons.append("keep_trajectories is for evolution in time; leave it out")
        if isinstance(question, Steady) and self.target_error is not None:
            reasons.append("target_error is for evolution in time; give n_trajectories")
        state = question.state
        if state is not None and not isinstance(state, PermutationInvariantState):
            reasons.append(
                f"{type(state).__name__} is not permutation invariant, or not known to be"
            )
        return reasons

    @override
    def trust(self, question: Question) -> Trust:
        """Exact but for sampling."""
        return Trust("none", sampled=True)

    def cost(self, question: Question) -> Cost:
        """Memory of the moments of every trajectory; time for a packet that stays narrow."""
        from spinsqueeze.methods.trajectories.cost import expected_cost

        return expected_cost(question, self._most, shifted=self.unraveling == "shifted")

    def options(self) -> Options:
        """How to walk."""
        return Options(
            shifted=self.unraveling == "shifted",
            tolerance=self.tolerance,
            tail_tolerance=1e-3 * self.tolerance**2,
        )

    def answer(self, question: Question) -> Answer:
        """Walk and average in blocks; of a steady state, over late times."""
        if isinstance(question, Steady):
            return self._steady_state(question)
        return self._evolve(question)

    def _evolve(self, question: Evolve) -> Answer:
        from spinsqueeze.methods.trajectories.initial import mixture
        from spinsqueeze.methods.trajectories.lowering import lower
        from spinsqueeze.methods.trajectories.readings import of_single
        from spinsqueeze.methods.trajectories.samples import Samples

        n_spins = question.model.n_spins
        lowered = lower(question.model, times=question.times, rotations=question.pulses)
        samples = Samples(
            lowered,
            mixture(question.state, n_spins),
            times=np.asarray(question.times, dtype=float),
            seed=question.seed,
            options=self.options(),
            n_records=self.keep_trajectories,
        )
        target = self._target
        extra: dict[str, Any] = {}
        if target is None:
            end = self._counted(samples, question)
        else:
            end = collect(
                target,
                samples,
                times=question.times,
                n_spins=n_spins,
                multiple=CHUNK,
                progress=question.progress,
            )
            extra |= end.diagnostics(target)
        question.progress(1.0)
        readings, done = dict(end.readings), samples.walks
        if self.keep_trajectories:
            readings |= of_single(done, self.keep_trajectories, n_spins=n_spins)
            extra["channels"] = json.dumps(lowered.channel_names)
        if samples.branch is not None and samples.branch.never:
            extra["no_jump_probability"] = samples.branch.never
        return self._answer(
            done, readings, extra, n_spins, end.status, end.interrupted, samples.rare()
        )

    def _counted(self, samples: "Samples", question: Evolve) -> Collected:
        """As many as asked for, or as many as there are at Ctrl-C."""
        number = self._most
        try:
            samples.extend(number, progress=question.progress)
        except KeyboardInterrupt:
            if samples.count < MINIMUM_BLOCKS:
                raise
            status = _interrupted(samples.count, number)
            return Collected(samples.readings(), samples.count, np.inf, status, interrupted=True)
        return Collected(samples.readings(), samples.count, np.inf)

    def _steady_state(self, question: Steady) -> Answer:
        from spinsqueeze.methods.trajectories.steady import at_the_end, in_blocks, late_times

        n_spins = question.model.n_spins
        late = late_times(
            question,
            count=self._most,
            options=self.options(),
            progress=question.progress,
        )
        question.progress(1.0)
        readings = readings_of(in_blocks(late.walks, n_spins=n_spins))
        extra = {"averaged_from": late.duration / 2, "averaged_to": late.duration}
        extra["drift_in_errors"] = late.drift
        cut = late.walks.interrupted
        status = _interrupted(len(late.walks.spins), self._most) if cut else COMPLETE
        return self._answer(at_the_end(late.walks), readings, extra, n_spins, status, cut)

    def _answer(
        self,
        done: Walks,
        readings: dict[str, Reading],
        extra: dict[str, Any],
        n_spins: int,
        status: str,
        interrupted: bool,
        rare: tuple[float | Floats, tuple[str, ...]] = (0.0, ()),
    ) -> Answer:
        from spinsqueeze.methods.trajectories.readings import numerical_error

        diagnostics = {**_figures(done), **extra}
        diagnostics["jumps"] *= 1 - diagnostics.get("no_jump_probability", 0.0)
        left_out = np.sqrt(diagnostics["largest_tail"] + diagnostics["discarded_weight"])
        return Answer(
            readings,
            error={"spin": numerical_error(done, n_spins=n_spins, left_out=left_out) + rare[0]},
            diagnostics=diagnostics,
            status=status,
            interrupted=interrupted,
            warnings=(*_warnings(done, self.keep_trajectories), *rare[1]),
        )


def _interrupted(count: int, number: int) -> str:
    return (
        f"interrupted after {count} of {number} trajectories; the result is that of a run with "
        "so many"
    )


def _figures(done: Walks) -> dict[str, Any]:
    from spinsqueeze.methods.trajectories import walk

    mean, largest = done.figures.mean(axis=0), done.figures.max(axis=0)
    return {
        "n_trajectories": len(done.spins),
        "jumps": float(mean[walk.JUMPS]),
        "n_steps": float(mean[walk.STEPS]),
        "refused_steps": float(mean[walk.REJECTED]),
        "largest_window": int(largest[walk.LARGEST]),
        "largest_tail": float(largest[walk.TAIL]),
        "discarded_weight": float(largest[walk.DISCARDED]),
        "state_error": float(done.errors.max()),
        "dtype": "complex128",
        "device": "cpu",
    }


def _warnings(done: Walks, kept: int) -> tuple[str, ...]:
    warnings = []
    if len(done.spins) < 100:
        warnings.append(
            f"sampling: {len(done.spins)} trajectories give rough error bars; 100 or more are "
            "advised"
        )
    if kept and max(len(times) for times, _ in done.records) == MOST_JUMPS:
        warnings.append(f"record: only the first {MOST_JUMPS} jumps of a trajectory are kept")
    return tuple(warnings)
