"""The samples that a run has so far, and their moments."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, final

import numpy as np

from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.dtwa.known_sums import set_averages
from spinsqueeze.methods.dtwa.stepper import StepPlan
from spinsqueeze.methods.dtwa.stratified import N_SETS, numbers_of_plus
from spinsqueeze.methods.dtwa.trajectories import IntegrationReport, Trajectory
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import Reading, readings_of

MAX_BLOCKS = 100


@final
class Samples:
    """Collective spins of samples 0, 1, ..., and how well they were integrated."""

    def __init__(self, run: Trajectory, plan: StepPlan[Any], *, stratified: bool) -> None:
        self._run, self._plan, self._stratified = run, plan, stratified
        self._spins = np.empty((0, len(run.times), 3))
        self._reports: list[IntegrationReport] = []

    @property
    def count(self) -> int:
        """How many."""
        return len(self._spins)

    def extend(self, number: int, *, progress: Progress | None = None) -> None:
        """Integrate samples up to `number` in all.

        Raises:
            KeyboardInterrupt: Ctrl-C; finished batches are kept.
        """
        done = self.count

        def report(n_samples: int) -> None:
            nonlocal done
            done += n_samples
            if progress is not None:
                progress(done / number)

        part = self._run.run(
            self._plan,
            first_sample=self.count,
            n_samples=number - self.count,
            progress=report,
            interruptible=True,
        )
        self._spins = np.concatenate([self._spins, part.spins])
        self._reports.append(part.report)
        if self.count < number:
            raise KeyboardInterrupt

    def readings(self) -> Mapping[str, Reading]:
        """Moments of all samples in blocks: the sets, or neighbours."""
        spins, n_spins, number = self._spins, self._run.couplings.n_spins, self.count
        if not self._stratified:
            n_blocks = min(number, MAX_BLOCKS)
            return readings_of(BlockMoments.from_samples(spins, n_spins=n_spins, n_blocks=n_blocks))
        n_sets, samples = min(number, N_SETS), np.arange(number)
        n_plus = numbers_of_plus(n_spins, seed=self._run.seed, samples=samples)
        return readings_of(
            BlockMoments.from_averages(
                spins,
                n_spins=n_spins,
                averages=set_averages(n_plus, n_spins=n_spins, n_sets=n_sets),
                sizes=np.bincount(samples % n_sets),
            )
        )

    @property
    def report(self) -> IntegrationReport:
        """How well all samples were integrated."""
        return replace(
            self._reports[0],
            spin_length_drift=max(r.spin_length_drift for r in self._reports),
            energy_drift=max(r.energy_drift for r in self._reports),
        )
