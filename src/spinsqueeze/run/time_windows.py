"""What a short run says about the window to look at, and the times to compute in it.

Times count from the onset of the interactions, so that a model whose envelopes start late has the
grid of the same model that starts at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers
from spinsqueeze.observables.jackknife import squeezing_estimates
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.squeezing import squeezing

N_TIMES = 101
"""Times of a run whose times are chosen."""

PILOT_TIMES = 13
"""Times of a short run in its first window, and in every later half of one."""

RISE = 0.23
"""By how much (1 dB) log xi2 must rise after its minimum for the search to end."""

INSIDE = 0.625
"""The part of a window in which its minimum lies when it is accepted."""

DEPTH = 1e-5
"""A dip of the logarithm that counts as squeezing."""

STILL = 1e-3
"""A change of log xi2 and contrast that counts as none."""

LOST = 0.05
"""The contrast below which nothing useful follows."""

FAR = 2.3
"""By how much (10 dB) log xi2 must rise without any dip for the search to end."""

_POWER = 1.5
EDGE = 0.115
"""Half a dB of log xi2: what lies as low belongs to the minimum."""


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """A run as the search sees it.

    times (T,) after the onset; logs (T,) log xi2, NaN where it is undefined; noise (T,) its
    standard error, 0 where nothing is sampled; contrast (T,).
    """

    times: Floats
    logs: Floats
    noise: Floats
    contrast: Floats

    @property
    def lowest(self) -> int | None:
        """Which point is the least; None where xi2 is undefined everywhere."""
        return int(np.nanargmin(self.logs)) if np.isfinite(self.logs).any() else None


def curve_of(moments: Moments | BlockMoments, *, times: Floats, onset: float) -> Curve:
    """The squeezing of a run over its times; unphysical values count as undefined."""
    noise = np.zeros(len(times))
    if isinstance(moments, BlockMoments):
        estimates = squeezing_estimates(moments)
        xi2, contrast = estimates.xi2.value, estimates.contrast.value
        noise = np.nan_to_num(estimates.xi2.stderr / np.abs(xi2))
    else:
        exact = squeezing(moments)
        xi2, contrast = exact.xi2, exact.contrast
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.where(xi2 > 0.0, np.log(xi2), np.nan)
    return Curve(times - onset, logs, noise, np.asarray(contrast))


def joined(known: Curve | None, more: Curve) -> Curve:
    """A curve and its continuation."""
    if known is None:
        return more
    return Curve(
        *(
            np.concatenate([getattr(known, part.name), getattr(more, part.name)])
            for part in fields(Curve)
        )
    )


@final
@dataclass(frozen=True)
class Window:
    """Where to look, in times after the onset.

    end: of the window. best: of the least xi2; None: none was found. low, high: the part with
    the dense times. outcome: why the search ended, in words.
    """

    end: float
    best: float | None
    low: float
    high: float
    outcome: str


def pilot_times(onset: float, window: float, *, after: float) -> Floats:
    """Times of a short run up to the end of a window.

    Args:
        onset: of the interactions.
        window: from the onset on.
        after: until where the times are known already; 0: nothing is, and they are denser early.
    """
    if after > 0.0:
        return onset + np.linspace(after, window, PILOT_TIMES)[1:]
    fractions = (np.arange(PILOT_TIMES) / (PILOT_TIMES - 1)) ** _POWER
    return np.unique(onset + window * fractions)


def judged(curve: Curve, *, window: float, first: float) -> Window | None:
    """The window to look at, or None where a longer one must be tried.

    Args:
        curve: a short run over one window.
        window: its length.
        first: that of the first window, half of the shortest time of the interactions.
    """
    k = curve.lowest
    if k is None:
        return None
    late: Booleans = np.asarray(curve.times >= 0.5 * window, dtype=np.bool_)
    still = window >= 16.0 * first and _still(curve, late)
    if dips(curve, k):
        inside = curve.times[k] <= INSIDE * window
        if inside and (_rises(curve, k) or _ends(curve, k)):
            return around(curve, k, outcome="minimum")
        return around(curve, k, outcome="settled") if still else None
    last = np.flatnonzero(np.isfinite(curve.logs))[-1]
    lost = _ends(curve, k) or curve.logs[last] - curve.logs[k] > max(FAR, 3.0 * curve.noise[last])
    whole: Booleans = np.ones(curve.times.size, dtype=np.bool_)
    nothing = window >= 64.0 * first and _still(curve, whole)
    return flat(curve, window=window, outcome="no squeezing") if lost or nothing else None


def dips(curve: Curve, k: int) -> bool:
    """Whether the lowest point is below the initial state, beyond the noise."""
    if not np.isfinite(curve.logs[0]):
        return True
    noise = math.hypot(curve.noise[0], curve.noise[k])
    return bool(curve.logs[0] - curve.logs[k] > max(DEPTH, 2.0 * noise))


def _rises(curve: Curve, k: int) -> bool:
    later: Integers = k + np.flatnonzero(np.isfinite(curve.logs[k:]))
    peak = later[np.argmax(curve.logs[later])]
    noise = math.hypot(curve.noise[peak], curve.noise[k])
    return bool(curve.logs[peak] - curve.logs[k] > max(RISE, 3.0 * noise))


def _ends(curve: Curve, k: int) -> bool:
    """Whether the mean spin is gone after the lowest point."""
    undefined = not np.isfinite(curve.logs[-1])
    return bool(k < curve.times.size - 1 and (undefined or curve.contrast[-1] < LOST))


def _still(curve: Curve, part: Booleans) -> bool:
    """Whether nothing changes in a part of the window."""
    logs, contrast = curve.logs[part], curve.contrast[part]
    if logs.size < 2 or not np.all(np.isfinite(logs)):
        return False
    return bool(np.ptp(logs) < STILL and np.ptp(contrast) < STILL)


def around(curve: Curve, k: int, *, outcome: str) -> Window:
    """Twice as long as until the lowest point, dense where xi2 is within half a dB of it."""
    best, end = float(curve.times[k]), float(curve.times[-1])
    high_enough: Booleans = np.asarray(
        ~(curve.logs < curve.logs[k] + max(EDGE, curve.noise[k])), dtype=np.bool_
    )
    before, after = np.flatnonzero(high_enough[:k]), k + np.flatnonzero(high_enough[k:])
    left = float(curve.times[before[-1]]) if before.size else 0.0
    right = float(curve.times[after[0]]) if after.size else end
    low = max(0.2 * best, best - 1.5 * (best - left))
    high = best + min(1.5 * (right - best), 0.5 * best)
    return Window(max(min(2.0 * best, end), 1.05 * high), best, low, high, outcome)


def flat(curve: Curve, *, window: float, outcome: str) -> Window:
    """Without a minimum: until xi2 has risen by 10 dB or the mean spin is gone."""
    k = curve.lowest or 0
    over = (curve.logs > curve.logs[k] + FAR) | ~(curve.contrast >= LOST)
    gone = np.flatnonzero(over & (curve.times > curve.times[k]))
    end = float(curve.times[gone[0]]) if gone.size else window
    return Window(end, None, 0.0, end, outcome)


def grid(onset: float, window: Window) -> Floats:
    """The times (N_TIMES,) of a run: from 0 to the end of the window, dense where it says so."""
    idle = np.zeros(1 if onset > 0.0 else 0)  # one point: between more there is nothing to resolve
    if window.best is None:
        acting = N_TIMES - idle.size
        fractions = (np.arange(acting) / (acting - 1)) ** _POWER
        return _increasing(np.concatenate([idle, onset + window.end * fractions]))
    dense, late = 50, 24
    early = N_TIMES - idle.size - dense - late
    rise = window.low * (np.arange(early) / early) ** _POWER
    middle = np.linspace(window.low, window.high, dense)
    tail = np.linspace(window.high, window.end, late + 1)[1:]
    return _increasing(np.concatenate([idle, onset + np.concatenate([rise, middle, tail])]))


def _increasing(times: Floats) -> Floats:
    """The same, moved by roundings where a window is too short after a late onset."""
    while np.any(close := np.diff(times) <= 0):
        k = int(np.argmax(close)) + 1
        times[k] = np.nextafter(times[k - 1], np.inf)
    return times
