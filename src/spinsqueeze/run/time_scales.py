"""How fast a model may squeeze, and how long that may take, from its strengths alone."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Envelope, Strength

EARLIEST = 0.5
"""The first window, in units of the inverse rate at which N spins act on one of them."""

LATEST = 100.0
"""The last one, in the same units times N^(1/3), by which twisting needs longer than they."""

ALONE = 10.0
"""The last one where spins do not interact, in units of the inverse slowest rate."""

FAR_BELOW, TOO_LATE = 10.0, 1000.0
"""Decay over couplings, and window over decay time, from which on a run is asked about."""


@final
@dataclass(frozen=True)
class TimeScales:
    """Between which windows a search for squeezing makes sense.

    onset: until then no interaction acts. first, last: the shortest and the longest window after
    it.
    """

    onset: float
    first: float
    last: float


def time_scales(form: Canonical) -> TimeScales:
    """The windows that the interactions of a model suggest, or its other rates where it has none.

    A window of the length `first` is too short for any squeezing beyond its beginning; after
    `last` mean fields have acted for so long that whatever squeezes does so elsewhere. Envelopes
    count with their largest value, and their table is part of the longest window.
    """
    acting = list(_interactions(form))
    rates = [rate for rate, _ in acting if rate > 0.0]
    start = min((_onset(strength) for rate, strength in acting if rate > 0.0), default=0.0)
    ends = [float(envelope.times[-1]) for envelope in form.envelopes]
    table = max(0.0, max(ends, default=0.0) - start)
    if rates:
        longest = LATEST * form.n_spins ** (1 / 3) / min(rates)
        return TimeScales(start, EARLIEST / max(rates), table + longest)
    others = [rate for rate in _single(form) if rate > 0.0]
    if others:
        return TimeScales(0.0, EARLIEST / max(others), table + ALONE / min(others))
    return TimeScales(0.0, EARLIEST, max(table, 1.0))


def likely_times(form: Canonical) -> Floats:
    """About the times (101,) that a run of this model chooses, without any run.

    Twisting N spins is best at about 1.2 N^(1/3) times the shortest of its times.
    """
    scales = time_scales(form)
    window = 6.0 * form.n_spins ** (1 / 3) * scales.first
    return np.linspace(0.0, scales.onset + min(window, scales.last), 101)


def concern_about_decay(form: Canonical, *, window: float, numbers: str, units: str) -> str:
    """What to check where spins decay long before they act on each other; "" where they do not.

    Args:
        form: the model.
        window: the last of the times that were chosen, after the onset.
        numbers: what the couplings come from, "spacing and c6"; "" where that is not known.
        units: of times, for the message.
    """
    acting = max((rate for rate, _ in _interactions(form)), default=0.0)
    decay = max(_local_decay(form), default=0.0) / 2  # 1/T1 of s_minus, 1/T2 of s_z
    if not 0.0 < FAR_BELOW * acting < decay or window * decay < TOO_LATE:
        return ""
    return (
        f"decay: the chosen times end at {window:.3g} {units}, {window * decay:.1g} times the "
        f"decay time of about {1 / decay:.4g} {units}: the couplings, {acting:.2g} on each spin, "
        f"are far below the decay rate {decay:.2g}; check {numbers or 'their unit'}"
    )


def _interactions(form: Canonical) -> Iterator[tuple[float, Strength]]:
    """At which rate all other spins act on one, for each piece that couples spins."""
    counts = form.counts
    for q in form.quadratics:
        whole = float(np.sum(counts if q.weights is None else counts * q.weights**2))
        yield _size(q.strength) * _spread(q.matrix, alike=q.weights is None) * whole, q.strength
    for p in form.pairs:
        spread = _spread(p.tensor, alike=p.kernel.uniform)
        yield _size(p.strength) * spread * p.kernel.row_sum / 2, p.strength
    for j in form.collective_jumps:
        yield _size(j.rate) * _all_spins(j.vectors, counts), j.rate
    for k in form.correlated_jumps:
        reach = 1.0 + k.kernel.row_sum
        yield _size(k.rate) * float(np.sum(np.abs(k.vector) ** 2)) * reach**2, k.rate
    for c in form.mode_couplings:
        g = _size(c.strength) * math.sqrt(_all_spins(c.vectors, counts))
        mode = form.modes[c.mode]
        lost = sum(_size(r.rate) * (abs(r.u) ** 2 + abs(r.v) ** 2) for r in mode.reservoirs)
        detuned = _size(mode.detuning) + lost
        yield (g * g / max(g, detuned) if g else 0.0), c.strength


def _single(form: Canonical) -> Iterator[float]:
    """The rates of what acts on every spin by itself, and of the modes."""
    for f in form.fields:
        yield _size(f.strength) * float(np.max(np.linalg.norm(np.atleast_2d(f.vectors), axis=1)))
    yield from _local_decay(form)
    for mode in form.modes:
        yield from map(_size, mode.strengths)


def _local_decay(form: Canonical) -> Iterator[float]:
    """The rates of the jumps of single spins."""
    for j in form.local_jumps:
        factor = 1.0 if j.factors is None else float(np.max(j.factors))
        yield _size(j.rate) * factor * float(np.sum(np.abs(j.vector) ** 2))


def _size(strength: Strength) -> float:
    return strength.largest if isinstance(strength, Envelope) else abs(float(strength))


def _onset(strength: Strength) -> float:
    return strength.onset if isinstance(strength, Envelope) else 0.0


def _spread(tensor: Any, *, alike: bool) -> float:
    """How much a symmetric 3 x 3 tensor does: what is isotropic does nothing to spins alike."""
    values = np.linalg.eigvalsh(np.asarray(tensor, dtype=float))
    return float(np.ptp(values) if alike else np.max(np.abs(values)))


def _all_spins(vectors: Any, counts: Any) -> float:
    """sum_i |c_i|^2."""
    rows = np.sum(np.abs(np.atleast_2d(vectors)) ** 2, axis=1)
    return float(np.sum(rows * counts)) if len(rows) > 1 else float(rows[0] * np.sum(counts))
