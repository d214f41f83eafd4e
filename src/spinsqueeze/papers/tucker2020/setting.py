"""The model of tucker2020 in this package's terms, its windows of time, and reading of curves."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants.method import Cumulants
from spinsqueeze.methods.trajectories.method import QuantumTrajectories
from spinsqueeze.models.collective_terms import CollectiveExchange, Drive
from spinsqueeze.models.jumps import CollectiveDecay, LocalDecay
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.tucker2020.crossing import crossing
from spinsqueeze.papers.tucker2020.mean_field import direction
from spinsqueeze.run.study import Study

CONVENTIONS = (
    "Omega = N Upsilon/2, Upsilon_c = sqrt(Gamma^2 + 4 chi^2), Upsilon'_c = Upsilon_c/sqrt(2); "
    "Gamma = 1; terms and rates as here"
)
POLARISED = "-x"
TOLERANCE = 1e-8
"""Of the integrator: far below what the next order changes."""
EARLY = 6.0
"""N Gamma t after which a minimum counts as late: t_min = 0.003/Gamma at N = 2000 in Fig. S1."""
BEYOND_CROSSING = 1.0
"""Curves end at this many crossing times: squeezing is lost before, cumulants run wild after."""
LIFETIMES = 8.0
"""Curves that do not cross end after this many 1/gamma_s."""
COLLECTIVE = 60.0
"""Curves without local decay end at this N Gamma t: cumulants hold <J^2> that long only."""


def critical_drive(chi: float) -> float:
    """Upsilon_c/Gamma of Eq. (3)."""
    return math.sqrt(1.0 + 4.0 * chi**2)


def rabi(n_spins: int, *, chi: float, drive: float) -> float:
    """Omega/Gamma = N Upsilon/2 at drive = Upsilon/Upsilon_c."""
    return n_spins / 2.0 * drive * critical_drive(chi)


def model(n_spins: int, *, chi: float, drive: float, local_decay: float) -> SpinModel:
    """Eqs. (1) and (2), Gamma = 1.

    Args:
        n_spins: N.
        chi: chi/Gamma.
        drive: Upsilon/Upsilon_c.
        local_decay: gamma_s/Gamma.
    """
    return SpinModel(
        n_spins,
        hamiltonian=[
            CollectiveExchange(float(chi)),
            Drive(rabi(n_spins, chi=chi, drive=drive)),
        ],
        jumps=[CollectiveDecay(1.0), LocalDecay(float(local_decay))],
        unit="Gamma",
    )


def base_study(n_spins: int, *, title: str) -> Study:
    """What all points share; `point` says the rest."""
    return Study(
        model(n_spins, chi=1.0, drive=0.9, local_decay=1.0),
        initial_state=CoherentState(POLARISED),
        times=[0.0, 1.0],
        method=Cumulants(2, next_order=False, tolerance=TOLERANCE),
        title=title,
    )


def trajectory_study(n_spins: int, *, title: str, n_trajectories: int, kept: int = 0) -> Study:
    """What all points by trajectories share, `kept` single ones handed back."""
    return Study(
        model(n_spins, chi=1.0, drive=0.9, local_decay=1.0),
        initial_state=CoherentState(POLARISED),
        times=[0.0, 1.0],
        method=QuantumTrajectories(n_trajectories, keep_trajectories=kept),
        title=title,
    )


def point(
    n_spins: int,
    *,
    chi: float,
    drive: float,
    local_decay: float,
    times: Sequence[float] | Floats,
    order: int | None = None,
    along_steady: bool = False,
) -> Mapping[str, Any]:
    """One point as paths into `base_study`, or into `trajectory_study`.

    Args:
        n_spins: N.
        chi: chi/Gamma.
        drive: Upsilon/Upsilon_c.
        local_decay: gamma_s/Gamma.
        times: of the curve.
        order: of the cumulants; None: none, for trajectories.
        along_steady: start along the collective mean-field steady state instead of -x.
    """
    start = direction(chi=chi, drive=drive) if along_steady else (-1.0, 0.0, 0.0)
    paths = {
        "ensemble.spins": int(n_spins),
        "hamiltonian.0.chi": float(chi),
        "hamiltonian.1.rabi": rabi(n_spins, chi=chi, drive=drive),
        "jumps.1.rate": float(local_decay),
        "initial_state.coherent": [float(value) for value in start],
        "run.times": [float(t) for t in times],
    }
    return paths if order is None else {**paths, "method.order": int(order)}


def window(
    n_spins: int,
    *,
    chi: float,
    drive: float,
    local_decay: float,
    n_times: int,
    start: float | None = None,
    along_steady: bool = False,
) -> Floats:
    """Times (n_times,) from `start` to beyond the loss of squeezing or into the steady state.

    Args:
        n_spins: N.
        chi: chi/Gamma.
        drive: Upsilon/Upsilon_c.
        local_decay: gamma_s/Gamma.
        n_times: how many.
        start: the first time; default EARLY/(N Gamma).
        along_steady: see `point`.
    """
    first = EARLY / n_spins if start is None else start
    vector = direction(chi=chi, drive=drive) if along_steady else (-1.0, 0.0, 0.0)
    longest = LIFETIMES / local_decay if local_decay else COLLECTIVE / n_spins
    run = model(n_spins, chi=chi, drive=drive, local_decay=local_decay)
    lost = crossing(run, vector=vector, longest=longest)
    last = max(min(BEYOND_CROSSING * lost, longest), 2.0 * first)
    return first + (last - first) * np.linspace(0.0, 1.0, n_times) ** 2


@final
@dataclass(frozen=True)
class Minimum:
    """A minimum of a curve.

    Args:
        xi2: its value; NaN where there is none.
        time: where it lies.
        index: the time next to it; -1 where there is none.
    """

    xi2: float
    time: float
    index: int


NONE = Minimum(math.nan, math.nan, -1)


def _valid(xi2: Floats) -> int:
    """How many values come before the first one that is none: past it nothing is squeezing."""
    bad = np.flatnonzero(~(np.isfinite(xi2) & (xi2 > 0)))
    return int(bad[0]) if len(bad) else len(xi2)


def least(times: Floats, xi2: Floats) -> Minimum:
    """The lowest point of a curve (T,), by the parabola of ln xi2 through three times."""
    count = _valid(xi2)
    if count == 0:
        return NONE
    k = int(np.argmin(xi2[:count]))
    if k in (0, count - 1):
        return Minimum(float(xi2[k]), float(times[k]), k)
    t, y = times[k - 1 : k + 2], np.log(xi2[k - 1 : k + 2])
    left, right = (y[1] - y[0]) / (t[1] - t[0]), (y[2] - y[1]) / (t[2] - t[1])
    curvature = (right - left) / (t[2] - t[0])
    if not curvature > 0:
        return Minimum(float(xi2[k]), float(t[1]), k)
    best = (t[0] + t[1]) / 2.0 - left / (2.0 * curvature)
    low = y[1] + left * (best - t[1]) + curvature * (best - t[1]) * (best - t[0])
    # Uneven times put the bottom of the parabola far below flat curves
    depth = min(max(y[1] - low, 0.0), y[0] - y[1], y[2] - y[1])
    return Minimum(math.exp(y[1] - depth), float(best), k)


def late_minimum(times: Floats, xi2: Floats) -> Minimum:
    """The lowest point after the rise that the curve begins with: past the first collective dip.

    A curve that only rises ends in its steady state; that is its value then. A curve that is not
    squeezed any more has none: above the critical drive the only minimum may lie before it begins.
    """
    count = _valid(xi2)
    if count == 0:
        return NONE
    falls = np.flatnonzero(np.diff(xi2[:count]) < 0)
    if len(falls) == 0:
        return Minimum(float(xi2[count - 1]), float(times[count - 1]), count - 1)
    start = int(falls[0])
    low = least(times[start:], xi2[start:])
    if low.xi2 >= 1.0:
        return NONE
    return Minimum(low.xi2, low.time, low.index + start)


def early_minimum(times: Floats, xi2: Floats) -> Minimum:
    """The first local minimum that a rise follows; none where the curve has none."""
    count = _valid(xi2)
    steps = np.sign(np.diff(xi2[:count]))
    turns = np.flatnonzero((steps[:-1] < 0) & (steps[1:] > 0))
    if len(turns) == 0:
        return NONE
    return least(times[: turns[0] + 3], xi2[: turns[0] + 3])


def passing(times: Floats, values: Floats, *, level: float, start: int = 0) -> float:
    """First time from index `start` on at which values (T,) pass the level; NaN where they do not.

    Linear between two times. Values that are undefined (no mean spin is left) have passed it.
    """
    side = np.sign(values[start] - level)
    for k in range(start + 1, len(values)):
        if not np.isfinite(values[k]):
            return float(times[k])
        if np.sign(values[k] - level) != side:
            part = (level - values[k - 1]) / (values[k] - values[k - 1])
            return float(times[k - 1] + part * (times[k] - times[k - 1]))
    return math.nan


def effective_spins(n_spins: int, total_spin_squared: Any) -> Any:
    """N^eff = 2 sqrt(1/4 + <J^2>) - 1 from <J^2>/[(N/2)(N/2 + 1)]."""
    whole = n_spins / 2.0 * (n_spins / 2.0 + 1.0)
    return 2.0 * np.sqrt(0.25 + np.asarray(total_spin_squared) * whole) - 1.0
