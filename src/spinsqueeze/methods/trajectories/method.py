"""QuantumTrajectories: open models of alike spins by Monte-Carlo wave functions."""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.methods.base.answer import COMPLETE, Answer
from spinsqueeze.methods.base.method import Cost, Method, Trust
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import PermutationInvariantState
from spinsqueeze.methods.trajectories.run import MOST_JUMPS, Options, Walks
from spinsqueeze.observables.readings import readings_of

MIN_TRAJECTORIES = 4
UNRAVELINGS = ("shifted", "direct")


@final
@dataclass(frozen=True, eq=False)
class QuantumTrajectories(Method):
    """Open dynamics of N alike spins, exact but for sampling, with a pure state of few numbers.

    A state has one total spin j at a time and is kept as a packet of M levels about its own mean
    spin; jumps take it to j and j ± 1. The models are those of `PermutationInvariant`:
    H = S.Q.S + b.S, any collective jumps c.S and any local jumps c.s_i alike for every spin.
    Sources: molmer1993, chase2008 and NOTES.md.

    Args:
        n_trajectories: number of trajectories, at least 4. Trajectory k follows from the seed and k
            alone: more of them extend a run.
        unraveling: "shifted" (jumps L - <L>, far fewer of them) or "direct" (jumps L, which are
            records of photon counting). The averages are the same.
        keep_trajectories: how many single trajectories to hand back, with their jumps.
        tolerance: largest error of the state of a trajectory from its steps, summed over the run,
            1e-8 to 1e-2.

    The window M follows the packet: where the state spreads over the sphere it grows to 2j + 1
    levels, and a step then costs N. `largest_window` in the diagnostics says how far it went.
    """

    n_trajectories: int = 500
    unraveling: str = field(default="shifted", kw_only=True)
    keep_trajectories: int = field(default=0, kw_only=True)
    tolerance: float = field(default=3e-4, kw_only=True)

    references: ClassVar[tuple[str, ...]] = ("molmer1993", "chase2008", "tucker2020")
    summary: ClassVar[str] = "open models of many alike spins by Monte-Carlo wave functions"
    handles: ClassVar[frozenset[str]] = frozenset(
        ("fields", "quadratics", "pairs", "collective_jumps", "local_jumps", "pulses")
    )
    answers: ClassVar[frozenset[type]] = frozenset((Evolve,))

    def __post_init__(self) -> None:
        put = object.__setattr__
        n = checks.integer(
            "n_trajectories", self.n_trajectories, minimum=MIN_TRAJECTORIES, maximum=10**8
        )
        put(self, "n_trajectories", n)
        checks.choice("unraveling", self.unraveling, UNRAVELINGS)
        put(self, "tolerance", checks.real("tolerance", self.tolerance, minimum=1e-8, maximum=1e-2))
        kept = checks.integer("keep_trajectories", self.keep_trajectories, minimum=0, maximum=n)
        put(self, "keep_trajectories", kept)

    @classmethod
    def name(cls) -> str:
        """The name in study files."""
        return "trajectories"

    def obstacles(self, question: Question) -> list[str]:
        """Models unchanged by exchanging spins, from a permutation-invariant state."""
        state = question.state
        if isinstance(state, PermutationInvariantState):
            return []
        return [f"{type(state).__name__} is not permutation invariant, or not known to be"]

    def trust(self, question: Question) -> Trust:
        """Exact but for sampling."""
        return Trust("none", sampled=True)

    def cost(self, question: Question) -> Cost:
        """Memory of the moments of every trajectory; time for a packet that stays narrow."""
        from spinsqueeze.methods.trajectories.cost import expected_cost

        assert isinstance(question, Evolve)
        return expected_cost(question, self.n_trajectories, shifted=self.unraveling == "shifted")

    def options(self) -> Options:
        """How to walk."""
        return Options(
            shifted=self.unraveling == "shifted",
            tolerance=self.tolerance,
            tail_tolerance=1e-3 * self.tolerance**2,
        )

    def answer(self, question: Question) -> Answer:
        """Walk and average in blocks."""
        from spinsqueeze.methods.trajectories.initial import mixture
        from spinsqueeze.methods.trajectories.lowering import lower
        from spinsqueeze.methods.trajectories.readings import (
            block_moments,
            numerical_error,
            of_single,
        )
        from spinsqueeze.methods.trajectories.run import walks

        assert isinstance(question, Evolve)
        n_spins = question.model.n_spins
        lowered = lower(question.model, times=question.times, rotations=question.pulses)
        done = walks(
            lowered,
            mixture(question.state, n_spins),
            times=np.asarray(question.times, dtype=float),
            seed=question.seed,
            count=self.n_trajectories,
            options=self.options(),
            n_records=self.keep_trajectories,
            progress=question.progress,
        )
        question.progress(1.0)
        readings = readings_of(block_moments(done, n_spins=n_spins))
        diagnostics = _figures(done)
        if self.keep_trajectories:
            readings |= of_single(done, self.keep_trajectories, n_spins=n_spins)
            diagnostics["channels"] = json.dumps(lowered.channel_names)
        tails = np.sqrt(diagnostics["largest_tail"] + diagnostics["discarded_weight"])
        n_done = len(done.spins)
        status = COMPLETE
        if done.interrupted:
            status = (
                f"interrupted after {n_done} of {self.n_trajectories} trajectories; the result is "
                "that of a run with so many"
            )
        return Answer(
            readings,
            error={
                "spin": numerical_error(done, n_spins=n_spins, tails=np.full(n_done, tails)),
            },
            diagnostics=diagnostics,
            status=status,
            warnings=_warnings(done, self.keep_trajectories),
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
