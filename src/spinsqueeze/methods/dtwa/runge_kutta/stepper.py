"""Steps chosen by a pilot: embedded error estimates first, then steps half as long to compare.

The pilot takes the first samples of the seed, finds steps from the embedded error estimates,
halves them all, and compares the collective spins at every output time. It takes more steps
until that difference is below the target, and reports it.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.runge_kutta import loop
from spinsqueeze.methods.dtwa.runge_kutta.steps import Steps, lay_steps, subdivided, trial_step
from spinsqueeze.methods.dtwa.stepper import Batch, Crossing, Pilot, Setup, Stepper, StepPlan
from spinsqueeze.methods.dtwa.windows import Window
from spinsqueeze.numerics.dormand_prince import N_ALL_STAGES, N_STAGES, ORDER

MAX_STEPS = 200_000
SATURATED = 0.3
"""Projection noises by which two runs of one sample differ once they have nothing in common."""
_STUCK = (
    "no integration step is short enough for the error asked for: raise the tolerance, or use "
    "dtype='float64'"
)


@final
class RungeKutta(Stepper[Steps]):
    """The same steps for all samples, so that a sample does not depend on those beside it."""

    conservative = True

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._couplings = setup.engine.couplings
        self._advance = loop.compiled(setup.engine.plan)

    def advance(self, spins: Any, slope: Any, segment: dict[str, Any]) -> Any:
        """Up to STEPS_PER_CALL steps: (spins, slope, sums, errors), see `loop.compiled`."""
        with double_precision():
            spins, slope, sums, errors = self._advance(
                spins, slope, self._setup.engine.data, segment
            )
            return spins, slope, np.asarray(sums), np.asarray(errors)

    def lay(self, edges: Sequence[Floats | None]) -> tuple[Steps | None, ...]:
        """Steps between the given edges (n + 1,) of each window, None where it has no length."""
        return tuple(
            None if e is None else lay_steps(self._couplings, w, e, self._setup.times)
            for w, e in zip(self._setup.windows, edges, strict=True)
        )

    def cross(self, batch: Batch, window: Window, laid: Steps) -> Crossing:
        """All steps of a window, the outputs from the sums of their slopes."""
        spins, slope, row = batch.spins, batch.edge.slope, 0
        out = np.empty((len(batch.edge.sums), len(window.outputs), 3))
        first = int(window.outputs[0]) if len(window.outputs) else 0
        for segment in laid.segments(estimate=False):
            spins, slope, sums, _ = self.advance(spins, slope, segment)
            for i in range(int(segment["count"])):
                numbers, weights = laid.outputs[row]
                row += 1
                if len(numbers):
                    change = np.tensordot(weights, sums[i, 1:], axes=(1, 0))
                    out[:, numbers - first] = np.moveaxis(sums[i, 0] + change, 2, 0)
        return Crossing(spins, out)

    def work(self, laid: Steps) -> tuple[int, int]:
        """Twelve slopes a step, three more where an output lies inside."""
        n_steps, n_dense = len(laid.edges) - 1, int(laid.interior.sum())
        return n_steps, N_STAGES * n_steps + (N_ALL_STAGES - N_STAGES - 1) * n_dense

    def choose(self, pilot: Pilot[Steps]) -> StepPlan[Steps]:
        """Choose the steps with the first samples of the seed.

        An error that more steps no longer reduce is rounding: the best steps found are returned,
        and the error says so. Errors beyond `SATURATED` are those of chaotic motion on steps that
        are too long: they stay as they are until the steps are short enough, so more are tried.
        """
        noise = np.sqrt(self._couplings.n_spins) / 2
        target = self._setup.tolerance
        single = self._setup.engine.dtype == np.float32
        edges, spent = self._embedded(pilot, 10.0 * target)
        best: tuple[float, list[Floats | None]] | None = None
        stalled = patience = 0
        known: Floats | None = None
        while best is None or (best[0] > target and stalled < patience):
            fine = [None if e is None else subdivided(e, 2 * (len(e) - 1)) for e in edges]
            wanted = [fine, edges] if known is None else [fine]
            with ThreadPoolExecutor(2) as pool:
                halved, *others = pool.map(
                    lambda trial: pilot.collective_spins(self.lay(trial)), wanted
                )
            coarse = others[0] if known is None else known
            spent += sum(
                (N_ALL_STAGES - 1) * (len(e) - 1)
                for trial in wanted
                for e in trial
                if e is not None
            )
            error = float(np.abs(coarse - halved).max() / noise)
            stalled = 0 if best is None or error < best[0] / 1.5 else stalled + 1
            if best is None or error < best[0]:
                best = (error, edges)
            patience = 1 if single else 6 if error > SATURATED else 2
            growth = min(max(1.3 * error / target, 1.5) ** (1 / ORDER), 2.0)
            if growth == 2.0:
                edges, known = fine, halved
                continue
            known = None
            edges = [
                None if e is None else subdivided(e, int(np.ceil(growth * (len(e) - 1))))
                for e in edges
            ]
        return StepPlan(self.lay(best[1]), best[0], spent)

    def _embedded(self, pilot: Pilot[Steps], tolerance: float) -> tuple[list[Floats | None], int]:
        """Step edges per window from the embedded error estimates, and the slopes spent."""
        all_edges: list[Floats | None] = []
        evaluations = n_steps = 0
        width = np.inf
        spins = pilot.begin()
        for window in self._setup.windows:
            batch = pilot.enter(spins, window)
            spins = batch.spins
            if window.stop == window.start:
                all_edges.append(None)
                continue
            slope, edges = batch.edge.slope, [window.start]
            while edges[-1] < window.stop:
                now, left = edges[-1], window.stop - edges[-1]
                end = window.stop if width >= left else now + left / np.ceil(left / width)
                trial = trial_step(self._couplings, window, now, end)
                moved, ahead, _, errors = self.advance(spins, slope, trial)
                evaluations += N_STAGES
                size = _step_error(errors[0], np.sqrt(self._couplings.n_spins))
                growth = 0.9 * (tolerance / size) ** (1 / ORDER) if size > 0 else 10.0
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
