"""Steps of an open system: how many, on which mean spins the noise rests, and the way through."""

from collections.abc import Sequence
from functools import partial
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.dtwa.jumps import loop
from spinsqueeze.methods.dtwa.jumps.nodes import Nodes, lay_nodes
from spinsqueeze.methods.dtwa.jumps.reservoirs import Reservoirs
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.sampling import SQUARED_LENGTH
from spinsqueeze.methods.dtwa.stepper import Batch, Crossing, Pilot, Setup, Stepper, StepPlan
from spinsqueeze.methods.dtwa.windows import Window, strengths_at

LARGEST_ANGLE = 0.5
"""Of a typical spin in one step, in radians."""
LARGEST_DAMPING = 0.1
"""Of a single spin in one step."""
MAX_STEPS = 200_000
NOISE_STREAM, BRIDGE_STREAM = 1, 2


@final
class JumpSteps(Stepper[Nodes]):
    """Runge-Kutta steps of order 4 for the drift, noise of weak order 2 between them."""

    conservative = False

    def __init__(self, setup: Setup, *, reservoirs: Reservoirs) -> None:
        import jax.numpy as jnp

        self._setup, self._reservoirs = setup, reservoirs
        self._engine, self._couplings = setup.engine, setup.engine.couplings
        plan = reservoirs.plan
        self._advance = loop.compiled(self._engine.plan, plan)
        averaged = reservoirs.averaged
        self._advance_means = loop.compiled(self._engine.plan, averaged.plan)
        with double_precision():
            self._data = {
                **self._engine.data,
                "damping": jnp.asarray(reservoirs.damping),
                "pumping": jnp.asarray(reservoirs.pumping),
                "kicks": jnp.asarray(reservoirs.kicks),
                "filters": tuple(
                    jnp.asarray(f.array.astype(self._engine.dtype)) for f in reservoirs.filters
                ),
            }
            self._data_of_means = {**self._data, "damping": jnp.asarray(averaged.damping)}

    def cross(self, batch: Batch, window: Window, laid: Nodes) -> Crossing:
        """All nodes of a window, the outputs from the sums at the nodes."""
        spins, sums, pulls = self._walk(batch, laid)
        drawn = self._bridges(batch.first_sample, sums.shape[-1], laid)
        del window
        return Crossing(spins, laid.collective_spins(sums, pulls, drawn))

    def work(self, laid: Nodes) -> tuple[int, int]:
        """Four slopes a step."""
        n_steps = len(laid.edges) - 1
        return n_steps, 4 * n_steps

    def choose(self, pilot: Pilot[Nodes]) -> StepPlan[Nodes]:
        """Steps from the angles that spins turn, refined until the drift is accurate enough.

        The drift is compared with steps half as long, without noise; what noise does off its time
        is estimated (`_noise_error`).
        """
        target, evaluations = self._setup.tolerance, 0
        noise_unit = np.sqrt(self._couplings.n_spins) / 2
        speeds, rates = self._speeds(pilot), self._rates()
        counts = self._first_counts(speeds, rates)
        drift = partial(self._drift_alone, pilot)
        coarse = drift(counts)
        best: tuple[float, list[int]] | None = None
        stalled = 0
        while best is None or stalled < 2:
            halved = [2 * n for n in counts]
            fine = drift(halved)
            evaluations += 4 * (sum(counts) + sum(halved))
            error = float(np.abs(coarse - fine).max(initial=0.0) / noise_unit)
            stalled = 0 if best is None or error < best[0] / 1.5 else stalled + 1
            if best is None or error < best[0]:
                best = (error, counts)
            if best[0] <= target or sum(halved) > MAX_STEPS:
                break
            growth = min(max(1.3 * error / target, 1.5) ** 0.25, 2.0)
            if growth == 2.0:
                counts, coarse = halved, fine
            else:
                counts = [int(np.ceil(growth * n)) for n in counts]
                coarse = drift(counts)
        error, counts = best
        laid = self._lay(counts, self._mean_spins(pilot, counts))
        noise_error = self._noise_error(counts, speeds, rates)
        return StepPlan(laid, error, evaluations, noise_error)

    def _walk(self, batch: Batch, laid: Nodes) -> tuple[Any, Floats, Floats]:
        """Spins at the end, sums (n + 1, 6, 3, S) and pulls."""
        n_samples = len(batch.edge.sums)
        keys = self._keys(batch.first_sample, n_samples)
        spins, n_nodes = batch.spins, len(laid.edges)
        sums = np.empty((n_nodes, loop.N_SUMS, 3, n_samples))
        pulls = np.empty((n_nodes, len(self._reservoirs.kicks), 3, n_samples))
        done = 0
        with double_precision():
            for segment in laid.segments():
                spins, some, pulled = self._advance(spins, self._data, keys, segment)
                count = int(segment["count"])
                sums[done : done + count] = np.asarray(some)[:count]
                pulls[done : done + count] = np.asarray(pulled)[:count]
                done += count
        return spins, sums, pulls

    def _walk_of_means(self, batch: Batch, laid: Nodes) -> tuple[Any, list[Any]]:
        """Spins at the end and at every node, moved as the mean of a spin is: without noise."""
        keys = self._keys(batch.first_sample, len(batch.edge.sums))
        spins, seen = batch.spins, []
        with double_precision():
            for segment in laid.segments(length=1):
                seen.append(spins)
                spins, _, _ = self._advance_means(spins, self._data_of_means, keys, segment)
        return spins, seen

    def _keys(self, first: int, number: int) -> Any:
        seeds = [
            np.random.SeedSequence(self._setup.seed, spawn_key=(first + k, 0, NOISE_STREAM))
            for k in range(number)
        ]
        return np.array([s.generate_state(2, np.uint32) for s in seeds], dtype=np.uint32).T.copy()

    def _bridges(self, first: int, number: int, laid: Nodes) -> Floats:
        """Standard normal numbers (S, m, 3 + K) of the outputs, by the number of each output."""
        width = 3 + len(self._reservoirs.kicks)
        out = np.empty((number, len(laid.outputs), width))
        numbers = laid.output_numbers
        until = int(numbers[-1]) + 1 if len(numbers) else 0
        for k in range(number):
            key = np.random.SeedSequence(self._setup.seed, spawn_key=(first + k, 0, BRIDGE_STREAM))
            stream = np.random.Generator(np.random.Philox(key))
            out[k] = stream.standard_normal((until, width))[numbers]
        return out

    def _lay(
        self, counts: Sequence[int], bloch: Sequence[Floats | None]
    ) -> tuple[Nodes | None, ...]:
        """Equal steps in every window, None where it has no length."""
        out: list[Nodes | None] = []
        first = 0
        for w, n, vectors in zip(self._setup.windows, counts, bloch, strict=True):
            if n == 0:
                out.append(None)
                continue
            out.append(
                lay_nodes(
                    self._couplings,
                    self._reservoirs,
                    w,
                    np.linspace(w.start, w.stop, n + 1),
                    self._setup.times,
                    first=first,
                    bloch=vectors,
                    dtype=self._engine.dtype,
                )
            )
            first += n + 1
        return tuple(out)

    def _drift_alone(self, pilot: Pilot[Nodes], counts: Sequence[int]) -> Floats:
        """Collective spins of the pilot without noise."""
        return pilot.collective_spins(self._lay(counts, [None] * len(counts)))

    def _mean_spins(self, pilot: Pilot[Nodes], counts: Sequence[int]) -> list[Floats | None]:
        """Mean Bloch vectors (n + 1, 3, c) at the nodes, which shape the noise alone.

        They are those of mean field, shortened as the pilot's sum is; c = 1 where all are alike.
        """
        field, lengths = self._mean_field(pilot, counts)
        if self._reservoirs.n_local == 0 or not self._engine.plan.kernels:
            return field
        out: list[Floats | None] = []
        spins = pilot.begin()
        laid = self._lay(counts, field)
        for window, nodes, vectors, sum_of_field in zip(
            self._setup.windows, laid, field, lengths, strict=True
        ):
            batch = pilot.enter(spins, window)
            spins = batch.spins
            if nodes is None or vectors is None or sum_of_field is None:
                out.append(None)
                continue
            spins, sums, _ = self._walk(batch, nodes)
            mean = sums[:, 1].mean(axis=-1)
            square = (sum_of_field**2).sum(axis=1)
            known = square > (0.05 * self._couplings.n_spins) ** 2
            ratio = np.divide(
                (mean * sum_of_field).sum(axis=1), square, out=np.ones(len(mean)), where=known
            )
            out.append(np.clip(ratio, 0.0, 1.0)[:, None, None] * vectors)
        return out

    def _mean_field(
        self, pilot: Pilot[Nodes], counts: Sequence[int]
    ) -> tuple[list[Floats | None], list[Floats | None]]:
        """Mean-field Bloch vectors (n + 1, 3, c) at the nodes, and their sums (n + 1, 3)."""
        n_spins = self._couplings.n_spins
        start = np.broadcast_to(np.atleast_2d(self._setup.directions).T, (3, n_spins))
        batch_size = self._engine.unload(pilot.begin()).shape[0]
        spins = self._engine.load(np.broadcast_to(start, (batch_size, 3, n_spins)))
        laid = self._lay(counts, [None] * len(counts))
        vectors: list[Floats | None] = []
        totals: list[Floats | None] = []
        for window, nodes in zip(self._setup.windows, laid, strict=True):
            batch = pilot.enter(spins, window)
            spins = batch.spins
            if nodes is None:
                vectors.append(None)
                totals.append(None)
                continue
            spins, seen = self._walk_of_means(batch, nodes)
            rows = np.stack([self._engine.unload(s)[0] for s in seen])
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1.0)
            totals.append(rows.sum(axis=2))
            alike = np.ptp(rows, axis=2).max() <= 1e-5
            vectors.append(rows[:, :, :1] if alike else self._couplings.to_cells(rows))
        return vectors, totals

    def _rates(self) -> list[float]:
        """The largest rate at which a single spin is damped in every window."""
        windows = self._setup.windows
        return [self._reservoirs.fastest(np.linspace(w.start, w.stop, 9)) for w in windows]

    def _first_counts(self, speeds: Sequence[float], rates: Sequence[float]) -> list[int]:
        """Steps of every window by the angle and the damping that one of them may have."""
        counts = []
        for window, speed, rate in zip(self._setup.windows, speeds, rates, strict=True):
            length = window.stop - window.start
            n = length * max(speed / LARGEST_ANGLE, rate / LARGEST_DAMPING)
            counts.append(max(1, int(np.ceil(n))) if length > 0 else 0)
        if sum(counts) > MAX_STEPS:
            turns, damps = max(speeds) / LARGEST_ANGLE, max(rates) / LARGEST_DAMPING
            raise NumericalFailure(
                f"the run needs {sum(counts)} integration steps, more than {MAX_STEPS}: "
                + (
                    f"a spin is damped at up to {max(rates):.3g}; shorten it, or leave out the "
                    "fastest jumps and start from what they leave behind"
                    if damps > turns
                    else f"a spin turns at {max(speeds):.3g}; shorten it, or work in a frame that "
                    "turns with the strongest field"
                )
            )
        return counts

    def _noise_error(
        self, counts: Sequence[int], speeds: Sequence[float], rates: Sequence[float]
    ) -> float:
        """What noise does off its time, as an error of the collective spin in its unit.

        Half the relative error of a variance: a turn by omega h after or before the noise gives
        (omega h)^2/12 of the noise, damping inside a step (rate h)^2/2.
        """
        lengths = [w.stop - w.start for w in self._setup.windows]
        steps = [
            (length / n * speed, length / n * rate)
            for length, n, speed, rate in zip(lengths, counts, speeds, rates, strict=True)
            if n
        ]
        share = -np.expm1(-2 * np.dot(lengths, rates))
        return float(
            max((share * turn**2 / 24 + damping**2 / 4 for turn, damping in steps), default=0.0)
        )

    def _speeds(self, pilot: Pilot[Nodes]) -> list[float]:
        """Angular velocity of a typical spin in every window, from the first spins of the run."""
        speeds, spins = [], pilot.begin()
        for window in self._setup.windows:
            spins = pilot.enter(spins, window).spins
            largest = 0.0
            for time in np.linspace(window.start, window.stop, 1 if window.constant else 5):
                strengths = strengths_at(self._couplings, window, np.array(time))
                slope = self._engine.edge(spins, strengths).slope
                square = sum(float(np.mean(np.asarray(c, dtype=float) ** 2)) for c in slope)
                largest = max(largest, float(np.sqrt(square / SQUARED_LENGTH)))
            speeds.append(largest)
        return speeds
