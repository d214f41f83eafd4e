"""What an optimisation minimises: one number of a run with its error, and where it is least."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.core.registry import REGISTRY

if TYPE_CHECKING:
    import xarray as xr

Run = Callable[[Any], "xr.Dataset"]
_POSITIVE = ("xi2", "xi2_kitagawa_ueda")


class MissingObjective(InvalidInput):
    """The objective is no variable of this method's result."""


@final
@dataclass(frozen=True)
class Objective:
    """A variable of the result at its best or last time, or a function of the result."""

    what: str | Callable[["xr.Dataset"], float]
    at: str = "best"

    def __post_init__(self) -> None:
        """Check the variable.

        Raises:
            InvalidInput: it is not a variable with one number for each time.
        """
        if callable(self.what):
            return
        scalars = [name for name, entry in REGISTRY.items() if entry.dims == ("time",)]
        if self.what not in scalars:
            raise InvalidInput(
                "objective must be a function of the Dataset or a variable over time, got "
                f"{checks.shown(self.what)}; {checks.did_you_mean(str(self.what), scalars)}"
            )

    @property
    def name(self) -> str:
        """For people."""
        return self.what if isinstance(self.what, str) else getattr(self.what, "__name__", "value")

    @property
    def positive(self) -> bool:
        """Whether its logarithm is searched."""
        return self.name in _POSITIVE

    def of(self, data: "xr.Dataset") -> tuple[float, float | None]:
        """Value and standard error.

        Raises:
            MissingObjective: it is not in the result.
            NumericalFailure: it is not a finite number.
            UndefinedDirection: xi2 is undefined at all times.
        """
        value, stderr = self._of(data)
        if not math.isfinite(value):
            raise NumericalFailure(f"the objective {self.name} is {value}, not a number")
        return value, stderr

    def _of(self, data: "xr.Dataset") -> tuple[float, float | None]:
        if callable(self.what):
            return float(self.what(data)), None
        if self.what not in data:
            raise MissingObjective(f"objective {self.what!r} is not in the result of this method")
        curve = data[self.what]
        error = data.get(f"{self.what}_stderr")
        if "time" not in curve.dims:
            return float(curve), None if error is None else float(error)
        if self.at == "best" and self.what == "xi2":
            from spinsqueeze.run.optimum import optimum

            best = optimum(data)
            return best.xi2, best.xi2_stderr
        values = curve.values
        if self.at == "best" and not np.isfinite(values).any():
            return math.nan, None
        k = int(np.nanargmin(values)) if self.at == "best" else len(values) - 1
        return float(values[k]), None if error is None else float(error.values[k])

    def concern(self, data: "xr.Dataset") -> str:
        """What the times of a run lack for its least xi2, in words; empty if nothing."""
        if self.what != "xi2" or self.at != "best" or "time" not in data["xi2"].dims:
            return ""
        from spinsqueeze.run.optimum import optimum

        return optimum(data).advice()

    def replicas(self, data: "xr.Dataset") -> tuple[Floats, Floats] | None:
        """Values (B,) with one sample block left out, and block weights; None without blocks."""
        from spinsqueeze.observables.jackknife import squeezing_replicas
        from spinsqueeze.observables.moments import BlockMoments
        from spinsqueeze.observables.optimum_search import replica_minima
        from spinsqueeze.results.dataset import read_moments

        if "block_first" not in data or callable(self.what):
            return None
        moments = read_moments(data)
        assert isinstance(moments, BlockMoments)
        resampled = squeezing_replicas(moments)
        if self.what not in resampled.replicas:
            return None
        curves = resampled.replicas[self.what]
        if "time" not in data[self.what].dims:
            return np.ravel(curves), resampled.weights
        if self.at == "last":
            return curves[-1], resampled.weights
        if self.what != "xi2":
            return np.nanmin(curves, axis=0), resampled.weights
        least = replica_minima(
            data["time"].values,
            xi2=resampled.values["xi2"],
            stderr=data["xi2_stderr"].values,
            xi2_replicas=curves,
        )
        return least, resampled.weights


def jackknifed_minimum(
    run: Run, objective: Objective, point: Floats, inner: Sequence[int]
) -> dict[int, float]:
    """Standard errors of the place of a minimum, from a Newton step in each replica.

    With g_b the gradient without block b and H the curvature of all blocks, the minimum moves by
    -g_b/H; the jackknife of that step is its error. Gradient and curvature are differences over a
    width at which the objective rises by about one part in a hundred.

    Args:
        run: from a point of the unit box to its result.
        objective: what was minimised.
        point: (d,) the minimum, in the unit box.
        inner: the coordinates not at a bound.

    Returns:
        coordinate -> standard error; empty for methods that do not sample, or where the
        objective does not curve upwards.
    """
    from spinsqueeze.observables.jackknife import jackknife

    centre = objective.replicas(run(point)) if inner else None
    if centre is None:
        return {}
    base, weights = _value(run, objective, point)[0], centre[1]
    widths = {k: _width(run, objective, point, k, base) for k in inner}
    n = len(inner)
    gradient = np.empty((n, weights.size))
    curvature = np.empty((n, n))
    for i, k in enumerate(inner):
        (up, up_replicas), (down, down_replicas) = (
            _value(run, objective, _moved(point, {k: s * widths[k]})) for s in (1, -1)
        )
        gradient[i] = (up_replicas - down_replicas) / (2 * widths[k])
        curvature[i, i] = (up - 2 * base + down) / widths[k] ** 2
        for j, m in enumerate(inner[:i]):
            mixed = sum(
                s
                * t
                * _value(run, objective, _moved(point, {k: s * widths[k], m: t * widths[m]}))[0]
                for s in (1, -1)
                for t in (1, -1)
            )
            curvature[i, j] = curvature[j, i] = mixed / (4 * widths[k] * widths[m])
    if not np.all(np.isfinite(curvature)) or np.linalg.eigvalsh(curvature)[0] <= 0:
        return {}
    steps = -np.linalg.solve(curvature, gradient)
    centre_step = steps @ weights / weights.sum()
    errors = jackknife(centre_step, replicas=steps, weights=weights).stderr
    return {k: float(errors[i]) for i, k in enumerate(inner)}


def _value(run: Run, objective: Objective, point: Floats) -> tuple[float, Floats]:
    data = run(point)
    replicas = objective.replicas(data)
    assert replicas is not None
    return objective.of(data)[0], replicas[0]


def _moved(point: Floats, by: dict[int, float]) -> Floats:
    moved = np.array(point)
    for k, step in by.items():
        moved[k] += step
    return moved


def _width(run: Run, objective: Objective, point: Floats, k: int, base: float) -> float:
    """A step that raises the objective by about 1 %, inside the box."""
    room = float(min(point[k], 1.0 - point[k]))
    width = min(0.05, room)
    for _ in range(4):
        rise = sum(objective.of(run(_moved(point, {k: s * width})))[0] - base for s in (1, -1)) / (
            2 * abs(base)
        )
        if 0.003 < rise < 0.03 or (rise <= 0.003 and width == room):
            break
        factor = math.sqrt(0.01 / rise) if rise > 1e-6 else 5.0
        width = min(room, width * float(np.clip(factor, 0.1, 5.0)))
    return width
