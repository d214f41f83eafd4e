"""Trajectories of a model: batches of samples through windows, with pulses, outputs and checks.

How the spins move inside a window, and on which steps, is the `Stepper`'s. It chooses them once,
on the first samples of the seed, and all samples take the same: so a sample's result does not
depend on how many others run, nor on the threads or the memory they run in.
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
from spinsqueeze.methods.dtwa.runge_kutta.stepper import RungeKutta
from spinsqueeze.methods.dtwa.sampling import sample_spins
from spinsqueeze.methods.dtwa.stepper import Batch, Pilot, Setup, Stepper, StepPlan
from spinsqueeze.methods.dtwa.windows import Window, strengths_at, windows
from spinsqueeze.numerics.processors import available_processors


@final
@dataclass(frozen=True)
class Options:
    """How to integrate.

    dtype: "float32" or "float64" for spins and fields (collective sums are float64 in both), or
    "auto": float32 unless its rounding alone exceeds the tolerance, then float64.
    tolerance: target error of the collective spins, in units of projection noise sqrt(N)/2.
    batch: samples in one compiled call; None chooses by size. Threads: None takes all cores.
    sampling: "independent" or "stratified", see `sampling`.
    """

    dtype: str = "auto"
    tolerance: float = 1e-3
    batch: int | None = None
    n_threads: int | None = None
    sampling: str = "independent"


@final
@dataclass(frozen=True)
class IntegrationReport:
    """How well the equations of motion were solved.

    integration_error: largest difference of a pilot sample's collective spin between these steps
    and steps half as long, in units of sqrt(N)/2; infinite where not estimated. noise_error: what
    noise that acts off its time adds, estimated, in the same units; 0 without noise.
    spin_length_drift: largest relative change of any |sigma_i|^2.
    energy_drift: largest change of a sample's energy in a window of constant strengths, relative
    to the energy with every spin along its field; nan where no window is constant.
    Both drifts are nan where the stepper is not `conservative`.
    rhs_evaluations: right-hand sides for one sample. n_steps: steps of one sample.
    transform, transform_reason: see `machine_code.switch.Transform`.
    """

    integration_error: float
    tolerance: float
    spin_length_drift: float
    energy_drift: float
    n_steps: int
    rhs_evaluations: int
    pilot_evaluations: int
    dtype: str
    transform: str
    transform_reason: str
    noise_error: float = 0.0


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
class _Outcome:
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
        stepper: Callable[[Setup], Stepper[Any]] = RungeKutta,
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
            stepper: makes what moves the spins between pulses.

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
        self.windows = tuple(windows(couplings, self.times, rotations, start))
        dtype = self.options.dtype
        self.batch = self.options.batch or default_batch(couplings, dtype=dtype)
        self.engine = engine_of(couplings, dtype=dtype, batch=self.batch)
        self.stepper = stepper(
            Setup(
                self.engine,
                self.windows,
                self.times,
                seed,
                self.options.tolerance,
                self.directions,
            )
        )

    def _begin(self, first: int) -> Any:
        """Spins on the device of the batch that begins with sample `first`."""
        if self.initial_spins is not None:
            rows = np.arange(first, first + self.batch) % len(self.initial_spins)
            return self.engine.load(self.initial_spins[rows])
        sigma = sample_spins(
            self.directions,
            n_spins=self.couplings.n_spins,
            seed=self.seed,
            first_sample=first,
            n_samples=self.batch,
            sampling=self.options.sampling,
        )
        return self.engine.load(sigma)

    def _edge(self, spins: Any, window: Window, time: float) -> Edge:
        return self.engine.edge(spins, strengths_at(self.couplings, window, np.array(time)))

    def _enter(self, spins: Any, window: Window, first: int) -> Batch:
        """The batch inside a window: turned by its rotations, and looked at."""
        for matrix, mask in window.turns():
            spins = self.engine.rotate(spins, matrix, mask)
        return Batch(first, spins, self._edge(spins, window, window.start))

    def _run_batch(self, first: int, steps: Sequence[Any]) -> _Outcome:
        """One batch through all windows."""
        spins = self._begin(first)
        out = np.empty((self.batch, len(self.times), 3))
        length_drift = energy_drift = 0.0
        for window, laid in zip(self.windows, steps, strict=True):
            batch = self._enter(spins, window, first)
            spins = batch.spins
            length_drift = max(length_drift, batch.edge.length_drift)
            if laid is None:
                out[:, window.outputs] = batch.edge.sums[:, None, :]
                continue
            crossing = self.stepper.cross(batch, window, laid)
            spins = crossing.spins
            out[:, window.outputs] = crossing.sums
            if window.constant and self.stepper.conservative:
                last = self._edge(spins, window, window.stop)
                change = np.abs(last.energy - batch.edge.energy)
                scale = last.energy_scale
                ratio = np.divide(change, scale, out=np.zeros_like(change), where=scale > 0)
                energy_drift = max(energy_drift, float(ratio.max()))
        if not np.all(np.isfinite(out)):
            raise NumericalFailure(
                "DTWA trajectories became infinite or undefined: the steps are too long for some "
                "samples; lower the tolerance"
            )
        return _Outcome(out / 2, spins, length_drift, energy_drift)

    def plan(self) -> StepPlan[Any]:
        """The steps that the stepper chooses on the first batch of the seed."""
        return self.stepper.choose(
            Pilot(
                begin=lambda: self._begin(0),
                enter=lambda spins, window: self._enter(spins, window, 0),
                collective_spins=lambda steps: self._run_batch(0, steps).spins,
            )
        )

    def run(
        self,
        plan: StepPlan[Any],
        *,
        first_sample: int = 0,
        n_samples: int,
        keep_final: bool = False,
        progress: Callable[[int], None] | None = None,
        interruptible: bool = False,
    ) -> Trajectories:
        """Samples first_sample ... first_sample + n_samples - 1 on the steps of `plan`.

        interruptible: after Ctrl-C, the batches that are finished, if there are any.
        """
        if n_samples < 1:
            raise InvalidInput(f"n_samples must be at least 1, got {n_samples}")
        stop = first_sample + n_samples
        firsts = list(range(first_sample - first_sample % self.batch, stop, self.batch))
        spins = np.empty((n_samples, len(self.times), 3))
        final = np.empty((n_samples, 3, self.couplings.n_spins)) if keep_final else None

        def outcome(first: int) -> tuple[float, float]:
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
        drifts: list[tuple[float, float]] = []
        with ThreadPoolExecutor(max(1, min(n_threads, len(firsts)))) as pool:
            try:
                drifts.extend(pool.map(outcome, firsts))
            except KeyboardInterrupt:
                n_samples = min(firsts[0] + len(drifts) * self.batch, stop) - first_sample
                if not interruptible or n_samples < 1:
                    raise
                spins = spins[:n_samples]
                final = None if final is None else final[:n_samples]
        work = [self.stepper.work(laid) for laid in plan.steps if laid is not None]
        conservative = self.stepper.conservative
        constant = conservative and any(w.constant for w in self.windows)
        report = IntegrationReport(
            integration_error=plan.error,
            tolerance=self.options.tolerance,
            spin_length_drift=max(d[0] for d in drifts) if conservative else float("nan"),
            energy_drift=max(d[1] for d in drifts) if constant else float("nan"),
            n_steps=sum(n for n, _ in work),
            rhs_evaluations=sum(n + 2 for _, n in work) + 1,
            pilot_evaluations=plan.pilot_evaluations,
            dtype=self.options.dtype,
            transform=self.engine.transform.name,
            transform_reason=self.engine.transform.reason,
            noise_error=plan.noise_error,
        )
        return Trajectories(spins, final, report)


def plan_run(
    couplings: Couplings, *, options: Options | None = None, **run: Any
) -> tuple[Trajectory, StepPlan[Any]]:
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
