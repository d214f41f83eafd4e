"""Trajectories by their first jump: the branch without one has a known weight.

Of all trajectories a share p(t) = |psi(t)|^2 has not jumped until t, psi the wave function that
never jumps, and all of these are in one state (molmer1993). Where p at the last time T is not
small it is not left to chance: trajectories are drawn among those that jump before T, and the
averages are p(T) (the state without jumps) + (1 - p(T)) (their average), at every time, as before
its first jump each of them is in that state. Without this rare jumps would come in few
trajectories or none, and what has no scatter has no error bar.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats

LEAST = 1e-4
"""Weight of the branch without jumps at the last time from which it is taken apart."""
ENOUGH = 10
"""Jumps from which their scatter is an error bar."""
HARDLY = 1e-9
"""Share that jumps below which nothing is taken apart: it is rounding."""
NONE_SEEN = 3.0
"""Most jumps expected where none was made, at 95 %: e^-3 = 0.05."""


@final
@dataclass(frozen=True, eq=False)
class Branch:
    """The state without jumps at the output times.

    Attributes:
        n_spins: N.
        spin, covariance: (T, 3), (T, 3, 3).
        weight: (T,) share of the trajectories without a jump so far, 1 at first; 0 from where it is
            below LEAST, and nothing else is known.
        never: the weight at the last time where it is taken apart, else 0.
    """

    n_spins: int
    spin: Floats
    covariance: Floats
    weight: Floats
    never: float

    @classmethod
    def reached(
        cls, n_spins: int, spin: Floats, covariance: Floats, weight: Floats, *, apart: bool
    ) -> "Branch":
        """Of a walk that ends where its weight falls to LEAST; `apart`: to be taken apart."""
        there, last = weight > 0.0, float(weight[-1])
        return cls(
            n_spins,
            np.where(there[:, None], spin, 0.0),
            np.where(there[:, None, None], covariance, 0.0),
            weight,
            last if apart and last < 1 - HARDLY else 0.0,
        )

    def beside(self, spins: Floats, covariances: Floats) -> tuple[Floats, Floats]:
        """Moments (n, T, ...) of the mixtures of this branch and of each trajectory that jumps."""
        never = self.never
        if never == 0.0:
            return spins, covariances
        away = spins - self.spin
        mixed = (1 - never) * covariances
        mixed += never * self.covariance
        for a, b in itertools.product(range(3), repeat=2):  # one array of their size is enough
            mixed[..., a, b] += never * (1 - never) * away[..., a] * away[..., b]
        away *= 1 - never
        away += self.spin
        return away, mixed

    def error(self, spins: Floats, covariances: Floats, first: Floats, times: Floats) -> Floats:
        """Error (T,) where fewer than ENOUGH have jumped, or have still to jump: without a scatter.

        Of xi2, and of <S> in units of sqrt(N)/2. first (n,): the time of the first jump of each. By
        a time t a share 1 - p(t) has jumped in truth, another one of the trajectories; the
        difference, times the most that a jump changed at the first output after it. Where all but
        a few have jumped, times what their jumps changed on average.
        """
        known = self.weight > 0.0
        jumped = first[:, None] <= times
        number = jumped.sum(axis=0)
        share = (1 - self.never) * jumped.mean(axis=0)
        missing = np.where(known, np.abs(1 - self.weight - share), 0.0)
        few, all_but_few = number < ENOUGH, len(first) - number < ENOUGH
        changes = np.where(few, self._largest_change(spins, covariances, jumped), 0.0)
        for k in np.flatnonzero(all_but_few & ~few & (missing > 0.0)):
            away, second = self._beyond(spins[jumped[:, k], k], covariances[jumped[:, k], k], k)
            changes[k] = self._changes(away.mean(axis=0), second.mean(axis=0), k)
        return missing * changes

    def error_of_second(
        self, spins: Floats, covariances: Floats, first: Floats, second: Floats, norms: Floats,
        times: Floats,
    ) -> Floats:  # fmt: skip
        """Error (T,) where fewer than ENOUGH have jumped twice, as `error`, with a branch apart.

        second (n,): the time of the second jump of each; norms (n, T): |psi|^2 since the last one,
        so that of those with one jump 1 - |psi|^2 should have had another one. The share that is
        missing, times the most that a first jump changed.
        """
        if self.never == 0.0:
            return np.zeros(len(times))
        jumped, again = first[:, None] <= times, second[:, None] <= times
        once = jumped & ~again
        left = once.sum(axis=0)
        due = np.where(once, 1 - norms, 0.0).sum(axis=0) / np.maximum(left, 1)
        missing = (1 - self.never) * np.abs(due * jumped.mean(axis=0) - again.mean(axis=0))
        few = (left > 0) & (again.sum(axis=0) < ENOUGH)
        return np.where(few, missing * self._largest_change(spins, covariances, jumped), 0.0)

    def _largest_change(self, spins: Floats, covariances: Floats, jumped: Booleans) -> float:
        """The most that a first jump changes; all there is to change where none is known."""
        after = np.argmax(jumped, axis=1)
        rows = np.flatnonzero(jumped.any(axis=1) & (self.weight[after] > 0.0))
        if rows.size == 0:
            return 2 * float(np.sqrt(self.n_spins))
        after = after[rows]
        beyond = self._beyond(spins[rows, after], covariances[rows, after], after)
        return float(self._changes(*beyond, after).max())

    def _beyond(self, spins: Floats, covariances: Floats, at: Any) -> tuple[Floats, Floats]:
        """<S> and the second moments about the branch's <S>, less those of the branch."""
        away = spins - self.spin[at]
        second = covariances - self.covariance[at]
        return away, second + away[..., :, None] * away[..., None, :]

    def _changes(self, away: Floats, second: Floats, at: Any) -> Floats:
        """Of xi2 or of <S> in units of sqrt(N)/2, whichever is more."""
        least, scale = self._squeezed()
        of_second = np.abs(np.einsum("...a,...ab,...b->...", least[at], second, least[at]))
        of_spin = np.linalg.norm(away, axis=-1) / (np.sqrt(self.n_spins) / 2)
        changes: Floats = np.maximum(of_spin, scale[at] * of_second)
        return changes

    def _squeezed(self) -> tuple[Floats, Floats]:
        """The direction (T, 3) of the least variance across <S>; (T,) xi2 over that variance."""
        length = np.linalg.norm(self.spin, axis=1, keepdims=True)
        along = np.divide(self.spin, length, out=np.zeros_like(self.spin), where=length > 0)
        away = np.eye(3) - along[:, :, None] * along[:, None, :]
        across = away @ self.covariance @ away
        room = 1 + np.trace(across, axis1=1, axis2=2)[:, None, None]
        modes = np.linalg.eigh(across + room * along[:, :, None] * along[:, None, :])[1]
        return modes[:, :, 0], self.n_spins / np.maximum(length[:, 0] ** 2, self.n_spins / 4)


@final
@dataclass(frozen=True)
class Kind:
    """Jumps that are alike: `made` in all trajectories, the `first` of them; their largest `rate`.

    channels: how many differ by site or rate.
    """

    made: float
    first: float
    rate: float
    channels: int = 1


def rare_jumps(
    kinds: Sequence[Kind], *, times: Floats, count: int, never: float, n_spins: int
) -> tuple[Floats, tuple[str, ...]]:
    """What jumps do that too few trajectories had for a scatter: (T,) as `Branch.error`, and words.

    From ENOUGH jumps of a kind on their scatter is in the error bars. Fewer that are few at any
    state: up to the first of them each trajectory has one before t with p <= rate t, and
    p < NONE_SEEN / count at 95 %; it changes <S> by at most N, 2 sqrt(N) p. Else it is said.
    """
    probability, n_unseen, fewest = np.zeros(len(times)), 0, float(ENOUGH)
    drawn = count / (1 - never)  # trajectories that these stand for
    for kind in kinds:
        slow = drawn * kind.rate * float(times[-1]) < ENOUGH
        if slow and kind.made < ENOUGH:
            before = times <= kind.first
            probability += before * np.minimum(kind.rate * times, NONE_SEEN / drawn)
            n_unseen += kind.channels
        if kind.made or not slow:
            fewest = min(fewest, kind.made)
    words = []
    unseen = 2.0 * np.sqrt(n_spins) * np.minimum(1.0, probability)
    if n_unseen:
        words.append(
            f"sampling: {n_unseen} jumps are so slow that {count} trajectories hardly "
            f"have them; what they do is in the numerical error, up to {unseen.max():.2g}"
        )
    if fewest < ENOUGH:
        words.append(
            f"sampling: {fewest:.0f} jumps of a kind in all trajectories are too few for error "
            "bars; take more trajectories, or a method without them"
        )
    return unseen, tuple(words)
