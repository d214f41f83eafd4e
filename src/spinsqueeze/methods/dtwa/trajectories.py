"""Trajectories of a closed model: steps chosen by a pilot, then batches of samples on these steps.

The pilot takes the first samples of the seed, finds steps from the embedded error estimates,
halves them all, and compares the collective spins at every output time. It takes more steps
until that difference is below the target, and reports it. All samples then take the same steps,
so a sample's result depends on the seed and its number, not on how many others run, nor on the
memory they run in.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.dtwa.couplings import Couplings
from spinsqueeze.methods.dtwa.engine import Edge, default_batch, engine_of
from spinsqueeze.methods.dtwa.sampling import sample_spins
from spinsqueeze.methods.dtwa.schedule import (
    Steps,
    Window,
    lay_steps,
    strengths_at,
    subdivided,
    trial_step,
    windows,
)
from spinsqueeze.numerics.processors import available_processors

MAX_STEPS = 200_000
SATURATED = 0.3
"""Projection noises by which two runs of one sample differ once they have nothing in common."""
_STUCK = (
    "no integration step is short enough for the error asked for: raise the tolerance, or use "
    "dtype='float64'"
)


@final
@dataclass(frozen=True)
class Options:
    """How to integrate.

    dtype: "float32" or "float64" for spins and fields (collective sums are float64 in both), or
    "auto": float32 unless its rounding alone exceeds the tolerance, then float64.
    tolerance: target error of the collective spins, in units of projection noise sqrt(N)/2.
    batch: samples in one compiled call; None chooses by size. Threads: None takes all cores.
    """

    dtype: str = "auto"
    tolerance: float = 1e-3
    batch: int | None = None
    n_threads: int | None = None


@final
@dataclass(frozen=True)
class IntegrationReport:
    """How well the equations of motion were solved.

    integration_error: largest difference of a pilot sample's collective spin between these steps
    and steps half as long, in units of sqrt(N)/2; infinite where not estimated.
    spin_length_drift: largest relative change of any |sigma_i|^2.
    energy_drift: largest change of a sample's energy in a window of constant strengths, relative
    to the energy with every spin along its field; nan where no window is constant.
    rhs_evaluations: right-hand sides for one sample. n_steps: steps of one sample.
    """

    integration_error: float
    tolerance: float
    spin_length_drift: float
    energy_drift: float
    n_steps: int
    rhs_evaluations: int
    pilot_evaluations: int
    dtype: str


@final
@dataclass(frozen=True, eq=False)
class Trajectories:
    """Collective spins (n_samples, T, 3), S = sum_i sigma_i / 2, and how they were found.

    final_spins (n_samples, 3, n_spins) when they were asked for.
    """

    spins: Floats
    final_spins: Floats | None
    report: IntegrationReport


@final
@dataclass(frozen=True, eq=False)
class StepPlan:
    """Windows with their step edges, and the error found for them."""

    windows: tuple[Window, ...]
    steps: tuple[Steps | None, ...]
    error: float
    pilot_evaluations: int


@final
@dataclass(frozen=True, eq=False)
class _Batch:
    spins: Floats
    final: Any
    length_drift: float
    energy_drift: float


class Trajectory:
    """One run of one model: `plan` its steps once, then `run` any samples on them."""

    def __init__(
        self,
        couplings: Couplings,
        *,
        directions: Floats,
        times: Floats,
        seed: int,
        rotations: Sequence[Rotation] = (),
        start: float = 0.0,
        initial_spins: Floats | None = None,
        options: Options | None = None,
    ) -> None:
        """Check the arguments, cut the run into windows, put the kernels on the device.

        Args:
            couplings: the lowered model.
            directions: unit vector (3,) of a coherent state, or one per spin (n_spins, 3).
            times: output times (T,), not decreasing.
            seed: non-negative integer.
            rotations: instantaneous rotations during the run; an output at the time of one
                shows the spins after it.
            start: when the run begins.
            initial_spins: spins (n, 3, n_spins) to start from instead of sampling; sample k
                starts from row k mod n.
            options: how to integrate.

        Raises:
            InvalidInput: dtype, tolerance, batch, times or pulse times break their rule.
        """
        self.couplings = couplings
        self.directions = np.asarray(directions, dtype=float)
        self.times = np.asarray(times, dtype=float)
        self.seed = seed
        self.initial_spins = initial_spins
        self.options = Options() if options is None else options
        if self.options.dtype not in ("float32", "float64"):
            raise InvalidInput(
                f"dtype must be 'float32' or 'float64' ('auto' where steps are planned), "
                f"got {self.options.dtype!r}"
            )
        if not self.options.tolerance > 0:
            raise InvalidInput(f"tolerance must be above 0, got {self.options.tolerance!r}")
        if self.options.batch is not None and self.options.batch < 1:
            raise InvalidInput(f"batch must be at least 1, got {self.options.batch!r}")
        if self.times.ndim != 1 or len(self.times) == 0 or np.any(np.diff(self.times) < 0):
            raise InvalidInput("times must be a non-empty list that does not decrease")
        if self.times[0] < start:
            raise InvalidInput(
                f"times must not begin before the run's start {start:g}, got {self.times[0]:g}"
            )
        self.windows = windows(couplings, self.times, rotations, start)
        dtype = self.options.dtype
        self.batch = self.options.batch or default_batch(couplings, dtype=dtype)
        self.engine = engine_of(couplings, dtype=dtype, batch=self.batch)

    def _initial(self, first: int) -> Any:
        if self.initial_spins is not None:
            rows = np.arange(first, first + self.batch) % len(self.initial_spins)
            return self.engine.load(self.initial_spins[rows])
        sigma = sample_spins(
            self.directions,
            n_spins=self.couplings.n_spins,
            seed=self.seed,
            first_sample=first,
            n_samples=self.batch,
        )
        return self.engine.load(sigma)

    def _edge(self, spins: Any, window: Window, time: float) -> Edge:
        return self.engine.edge(spins, strengths_at(self.couplings, window, np.array(time)))

    def _run_batch(self, first: int, steps: Sequence[Steps | None]) -> _Batch:
        """One batch through all windows."""
        spins = self._initial(first)
        out = np.empty((self.batch, len(self.times), 3))
        length_drift = energy_drift = 0.0
        for window, laid in zip(self.windows, steps, strict=True):
            for matrix, mask in window.turns():
                spins = self.engine.rotate(spins, matrix, mask)
            edge = self._edge(spins, window, window.start)
            length_drift = max(length_drift, edge.length_drift)
            if laid is None:
                out[:, window.outputs] = edge.sums[:, None, :]
                continue
            slope, row = edge.slope, 0
            for segment in laid.segments(estimate=False):
                spins, slope, sums, _ = self.engine.advance(spins, slope, segment)
                for i in range(int(segment["count"])):
                    numbers, weights = laid.outputs[row]
                    row += 1
                    if len(numbers):
                        change = np.tensordot(weights, sums[i, 1:], axes=(1, 0))
                        out[:, numbers] = np.moveaxis(sums[i, 0] + change, 2, 0)
            if window.constant:
                last = self._edge(spins, window, window.stop)
                change = np.abs(last.energy - edge.energy)
                scale = last.energy_scale
                ratio = np.divide(change, scale, out=np.zeros_like(change), where=scale > 0)
                energy_drift = max(energy_drift, float(ratio.max()))
        if not np.all(np.isfinite(out)):
            raise NumericalFailure(
                "DTWA trajectories became infinite or undefined: the steps are too long for some "
                "samples; lower the tolerance"
            )
        return _Batch(out / 2, spins, length_drift, energy_drift)

    def plan(self) -> StepPlan:
        """Choose the steps with the first samples of the seed.

        An error that more steps no longer reduce is rounding: the best steps found are returned,
        and the error says so. Errors beyond `SATURATED` are those of chaotic motion on steps that
        are too long: they stay as they are until the steps are short enough, so more are tried.
        """
        noise = np.sqrt(self.couplings.n_spins) / 2
        target = self.options.tolerance
        edges, spent = self._pilot(10.0 * target)
        best: tuple[float, list[Floats | None]] | None = None
        stalled = patience = 0
        known: Floats | None = None
        while best is None or (best[0] > target and stalled < patience):
            fine = [None if e is None else subdivided(e, 2 * (len(e) - 1)) for e in edges]
            wanted = [fine, edges] if known is None else [fine]
            with ThreadPoolExecutor(2) as pool:
                two, *others = pool.map(
                    lambda steps: self._run_batch(0, self._lay(steps)).spins, wanted
                )
            one = others[0] if known is None else known
            spent += sum(15 * (len(e) - 1) for steps in wanted for e in steps if e is not None)
            error = float(np.abs(one - two).max() / noise)
            stalled = 0 if best is None or error < best[0] / 1.5 else stalled + 1
            if best is None or error < best[0]:
                best = (error, edges)
            patience = 1 if self.options.dtype == "float32" else 6 if error > SATURATED else 2
            growth = min(max(1.3 * error / target, 1.5) ** (1 / 8), 2.0)
            if growth == 2.0:
                edges, known = fine, two
                continue
            known = None
            edges = [
                None if e is None else subdivided(e, int(np.ceil(growth * (len(e) - 1))))
                for e in edges
            ]
        return StepPlan(tuple(self.windows), tuple(self._lay(best[1])), best[0], spent)

    def uniform_plan(self, *, steps_per_window: int) -> StepPlan:
        """Equal steps in every window, their error not estimated."""
        edges = [
            np.linspace(w.start, w.stop, steps_per_window + 1) if w.stop > w.start else None
            for w in self.windows
        ]
        return StepPlan(tuple(self.windows), tuple(self._lay(edges)), float("inf"), 0)

    def _lay(self, edges: Sequence[Floats | None]) -> list[Steps | None]:
        return [
            None if e is None else lay_steps(self.couplings, w, e, self.times)
            for w, e in zip(self.windows, edges, strict=True)
        ]

    def _pilot(self, tolerance: float) -> tuple[list[Floats | None], int]:
        """Step edges per window from the embedded error estimates."""
        noise = np.sqrt(self.couplings.n_spins)
        all_edges: list[Floats | None] = []
        evaluations = n_steps = 0
        width = np.inf
        spins = self._initial(0)
        for window in self.windows:
            for matrix, mask in window.turns():
                spins = self.engine.rotate(spins, matrix, mask)
            if window.stop == window.start:
                all_edges.append(None)
                continue
            slope = self._edge(spins, window, window.start).slope
            edges = [window.start]
            while edges[-1] < window.stop:
                now, left = edges[-1], window.stop - edges[-1]
                end = window.stop if width >= left else now + left / np.ceil(left / width)
                trial = trial_step(self.couplings, window, now, end)
                moved, ahead, _, errors = self.engine.advance(spins, slope, trial)
                evaluations += 12
                size = _step_error(errors[0], noise)
                growth = 0.9 * (tolerance / size) ** (1 / 8) if size > 0 else 10.0
                width = (end - now) * float(np.clip(growth, 0.25, 10.0))
                if size > tolerance:
                    if width < 1e-12 * (window.stop - window.start):
                        raise NumericalFailure(_STUCK)
                    continue
                spins, slope = moved, ahead
                edges.append(end)
                n_steps += 1
                if n_steps > MAX_STEPS:
                    raise NumericalFailure(
                        f"the run needs more than {MAX_STEPS} integration steps; shorten it, or "
                        "work in a frame that turns with the strongest field"
                    )
            if window.constant:
                edges = list(np.linspace(window.start, window.stop, len(edges)))
            all_edges.append(np.array(edges))
        return all_edges, evaluations

    def run(
        self,
        plan: StepPlan,
        *,
        first_sample: int = 0,
        n_samples: int,
        keep_final: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> Trajectories:
        """Samples first_sample ... first_sample + n_samples - 1 on the steps of `plan`."""
        if n_samples < 1:
            raise InvalidInput(f"n_samples must be at least 1, got {n_samples}")
        stop = first_sample + n_samples
        firsts = list(range(first_sample - first_sample % self.batch, stop, self.batch))
        spins = np.empty((n_samples, len(self.times), 3))
        final = np.empty((n_samples, 3, self.couplings.n_spins)) if keep_final else None

        def work(first: int) -> tuple[float, float]:
            result = self._run_batch(first, plan.steps)
            low, high = max(first, first_sample), min(first + self.batch, stop)
            rows = slice(low - first_sample, high - first_sample)
            mine = slice(low - first, high - first)
            spins[rows] = result.spins[mine]
            if final is not None:
                final[rows] = self.engine.unload(result.final)[mine]
            if progress is not None:
                progress(high - low)
            return result.length_drift, result.energy_drift

        n_threads = self.options.n_threads or available_processors()
        with ThreadPoolExecutor(max(1, min(n_threads, len(firsts)))) as pool:
            drifts = list(pool.map(work, firsts))
        counts = [(len(s.edges) - 1, int(s.interior.sum())) for s in plan.steps if s is not None]
        constant = any(w.constant for w in plan.windows)
        report = IntegrationReport(
            integration_error=plan.error,
            tolerance=self.options.tolerance,
            spin_length_drift=max(d[0] for d in drifts),
            energy_drift=max(d[1] for d in drifts) if constant else float("nan"),
            n_steps=sum(n for n, _ in counts),
            rhs_evaluations=sum(12 * n + 3 * m + 2 for n, m in counts) + 1,
            pilot_evaluations=plan.pilot_evaluations,
            dtype=self.options.dtype,
        )
        return Trajectories(spins, final, report)


def plan_run(
    couplings: Couplings, *, options: Options | None = None, **run: Any
) -> tuple[Trajectory, StepPlan]:
    """A run with its steps planned, in the precision that its options ask for.

    `run` holds the other arguments of `Trajectory`.
    """
    chosen = Options() if options is None else options
    if chosen.dtype != "auto":
        trajectory = Trajectory(couplings, options=chosen, **run)
        return trajectory, trajectory.plan()
    single = Trajectory(couplings, options=replace(chosen, dtype="float32"), **run)
    try:
        plan = single.plan()
    except NumericalFailure:
        plan = None
    if plan is not None and plan.error <= chosen.tolerance:
        return single, plan
    double = Trajectory(couplings, options=replace(chosen, dtype="float64"), **run)
    return double, double.plan()


def _step_error(errors: Floats, noise: float) -> float:
    """Largest step error in units of projection noise, from (4, S) sums of the two estimates.

    Collective errors count as they are; errors of single spins as if their signs were random.
    """
    if not np.all(np.isfinite(errors)):
        return float("inf")
    fifth = np.maximum(errors[0] / noise, errors[1] / noise)
    third = np.maximum(errors[2] / noise, errors[3] / noise)
    below = np.sqrt(fifth**2 + 0.01 * third**2)
    size = np.divide(fifth**2, below, out=np.zeros_like(fifth), where=below > 0)
    return float(size.max())
