"""The trajectories that a run has so far, and their moments."""

from collections.abc import Mapping
from dataclasses import fields
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.base.averages import block_moments
from spinsqueeze.methods.base.first_jumps import Kind, rare_jumps
from spinsqueeze.methods.trajectories.initial import Mixture
from spinsqueeze.methods.trajectories.lowering import Lowered
from spinsqueeze.methods.trajectories.run import Options, Walks, walks, without_jumps
from spinsqueeze.observables.readings import Reading, readings_of


@final
class Samples:
    """Trajectories 0, 1, ... of one question."""

    def __init__(
        self,
        lowered: Lowered,
        start: Mixture,
        *,
        times: Floats,
        seed: int,
        options: Options,
        n_records: int,
    ) -> None:
        self._lowered, self._start = lowered, start
        self._times, self._seed = times, seed
        self._options, self._n_records = options, n_records
        self._parts: list[Walks] = []
        self.branch = without_jumps(
            lowered, start, times=times, options=options,
            apart=not n_records,  # single trajectories are handed back as they come
        )  # fmt: skip

    @property
    def count(self) -> int:
        """How many."""
        return sum(len(part.spins) for part in self._parts)

    def extend(self, number: int, *, progress: Progress | None = None) -> None:
        """Walk trajectories up to `number` in all.

        Raises:
            KeyboardInterrupt: Ctrl-C; those finished are kept.
            NumericalFailure: no step of a trajectory holds.
        """
        part = walks(
            self._lowered,
            self._start,
            times=self._times,
            seed=self._seed,
            first=self.count,
            count=number - self.count,
            options=self._options,
            n_records=self._n_records,
            never=self.branch.never if self.branch else 0.0,
            progress=progress,
        )
        self._parts.append(part)
        if part.interrupted:
            raise KeyboardInterrupt

    def readings(self) -> Mapping[str, Reading]:
        """Moments of all trajectories in blocks."""
        walks, n_spins = self.walks, self._lowered.n_spins
        moments = walks.spins, walks.covariances
        if self.branch is not None:
            moments = self.branch.beside(*moments)
        return readings_of(block_moments(*moments, n_spins=n_spins))

    def rare(self) -> tuple[Floats, tuple[str, ...]]:
        """Error (T,) from jumps that too few trajectories had, and what is said of them."""
        from spinsqueeze.methods.trajectories.walk import SECOND

        walks, lowered = self.walks, self._lowered
        made, first = walks.channels[:, 0].sum(axis=0), walks.channels[:, 1]
        kinds = [
            Kind(float(made[k]), float(first[:, k].min()), float(rate))
            for k, rate in enumerate(lowered.largest_rates())
        ]
        unseen, words = rare_jumps(
            kinds,
            times=self._times,
            count=self.count,
            never=self.branch.never if self.branch else 0.0,
            n_spins=lowered.n_spins,
        )
        if self.branch is not None:
            earliest = first.min(axis=1, initial=np.inf)
            moments = walks.spins, walks.covariances
            unseen = unseen + self.branch.error(*moments, earliest, self._times)
            second = walks.figures[:, SECOND]
            unseen += self.branch.error_of_second(
                *moments, earliest, second, walks.norms, self._times
            )
        return unseen, words

    @property
    def walks(self) -> Walks:
        """All of them."""
        if len(self._parts) == 1:
            return self._parts[0]
        arrays = {
            item.name: np.concatenate([getattr(part, item.name) for part in self._parts])
            for item in fields(Walks)
            if item.name not in ("records", "interrupted")
        }
        records = tuple(record for part in self._parts for record in part.records)
        return Walks(**arrays, records=records, interrupted=self._parts[-1].interrupted)
