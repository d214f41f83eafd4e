"""Time dependence of a rate or strength: a table, linear or cubic between its points."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput

Floats = NDArray[np.float64]
MAX_POINTS = 2**16


@final
@dataclass(frozen=True, eq=False)
class Envelope:
    """A function of time given by a table; constant outside its first and last point.

    Args:
        times: strictly increasing times (n,), n >= 2.
        values: values (n,) at these times.
        interpolation: "linear" (kinks at the points) or "cubic" (not-a-knot spline, smooth).

    Raises:
        InvalidInput: lengths differ, fewer than 2 points, times not increasing, not finite.
    """

    times: Any
    values: Any = field(kw_only=True)
    interpolation: str = field(default="linear", kw_only=True)

    def __post_init__(self) -> None:
        times = checks.increasing("envelope times", self.times)
        values = checks.real_array("envelope values", self.values, shape=(None,))
        if len(times) != len(values):
            raise InvalidInput(
                f"envelope times and values must have one length, got {len(times)} and "
                f"{len(values)}"
            )
        checks.choice("interpolation", self.interpolation, ("linear", "cubic"))
        least = 2 if self.interpolation == "linear" else 4
        if len(times) < least:
            raise InvalidInput(
                f"a {self.interpolation} envelope needs at least {least} points, got {len(times)}"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    def __call__(self, time: Any) -> Floats:
        """Values at `time` (any shape)."""
        at = np.clip(np.asarray(time, dtype=float), self.times[0], self.times[-1])
        if self.interpolation == "linear":
            return np.interp(at, self.times, self.values)
        from scipy.interpolate import CubicSpline

        return np.asarray(CubicSpline(self.times, self.values)(at))

    def knots(self) -> Floats:
        """Times at which the function is not smooth; integrators step onto them."""
        if self.interpolation == "linear":
            return np.asarray(self.times)
        return np.asarray(self.times)[[0, -1]]

    def integral(self, time: Any) -> Floats:
        """The integral from 0 to `time` (any shape)."""
        at = np.asarray(time, dtype=float)
        return self._primitive(at) - self._primitive(np.zeros(()))

    def _primitive(self, at: Floats) -> Floats:
        first, last = self.times[0], self.times[-1]
        inside = np.clip(at, first, last)
        if self.interpolation == "linear":
            areas = np.diff(self.times) * (self.values[1:] + self.values[:-1]) / 2
            total = np.concatenate([[0.0], np.cumsum(areas)])
            k = np.clip(np.searchsorted(self.times, inside, side="right") - 1, 0, len(areas) - 1)
            height = (self.values[k] + self(inside)) / 2
            core = total[k] + (inside - self.times[k]) * height
        else:
            from scipy.interpolate import CubicSpline

            primitive = CubicSpline(self.times, self.values).antiderivative()
            core = np.asarray(primitive(inside)) - float(primitive(first))
        before = np.minimum(at - first, 0.0) * self.values[0]
        after = np.maximum(at - last, 0.0) * self.values[-1]
        return np.asarray(core + before + after)

    def lowest(self) -> float:
        """The least value at any time; a spline may pass below its table between two points."""
        least = float(self.values.min())
        if self.interpolation == "linear":
            return least
        from scipy.interpolate import CubicSpline

        turns = CubicSpline(self.times, self.values).derivative().roots(extrapolate=False)
        turns = turns[np.isfinite(turns)]
        return min([least, *self(turns).tolist()])

    def scaled(self, factor: float) -> "Envelope":
        """The envelope times a number."""
        return Envelope(self.times, values=factor * self.values, interpolation=self.interpolation)

    def as_dict(self) -> dict[str, Any]:
        """The table as plain lists, as a study file writes it."""
        table = {"times": self.times.tolist(), "values": self.values.tolist()}
        return table if self.interpolation == "linear" else {**table, "interpolation": "cubic"}

    @classmethod
    def from_function(
        cls,
        function: Callable[[float], float],
        *,
        start: float,
        stop: float,
        tolerance: float = 1e-9,
    ) -> "Envelope":
        """Tabulate a smooth function of time on [start, stop] as a cubic envelope.

        The number of points doubles until the spline agrees with the function half-way between
        its points to tolerance * max |function|. What runs is the table, and the table is stored
        with the result, so that a run can be repeated from its own file.

        Raises:
            InvalidInput: the function is not finite, or too rough for 65 536 points (give a
                table with linear interpolation instead).
        """
        low = checks.real("start", start)
        high = checks.real("stop", stop, above=low)
        n = 17
        while n <= MAX_POINTS:
            times = np.linspace(low, high, n)
            values = np.array([checks.real("envelope value", function(t)) for t in times.tolist()])
            middle = (times[1:] + times[:-1]) / 2
            truth = np.array([checks.real("envelope value", function(t)) for t in middle.tolist()])
            envelope = cls(times, values=values, interpolation="cubic")
            scale = max(float(np.abs(values).max()), 1e-300)
            if float(np.abs(envelope(middle) - truth).max()) <= tolerance * scale:
                return envelope
            n = 2 * n - 1
        raise InvalidInput(
            f"the envelope function is too rough for a spline of {MAX_POINTS} points to follow it "
            f"within {tolerance:g}; give a table: Envelope(times, values=...)"
        )


Strength = float | Envelope


def strength(name: str, value: Any, *, minimum: float | None = None) -> Strength:
    """A strength or rate: one real number, an `Envelope`, or a table {times, values}.

    Raises:
        InvalidInput: none of these, or below `minimum`.
    """
    if isinstance(value, dict):
        unknown = sorted(set(value) - {"times", "values", "interpolation"})
        if unknown or not {"times", "values"} <= set(value):
            raise InvalidInput(
                f"{name} must be a number or a table with times and values"
                + (f"; unknown key {unknown[0]!r}" if unknown else "")
            )
        try:
            value = Envelope(
                value["times"],
                values=value["values"],
                interpolation=value.get("interpolation", "linear"),
            )
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error}") from None
    if isinstance(value, Envelope):
        # A spline through values that touch the bound may pass below it by its own tolerance.
        slack = 0.0 if value.interpolation == "linear" else 1e-9 * float(np.abs(value.values).max())
        if minimum is not None and (lowest := value.lowest()) < minimum - slack:
            raise InvalidInput(f"{name} must be at least {minimum:g} at all times, got {lowest:g}")
        return value
    if callable(value):
        raise InvalidInput(
            f"{name} is a function: tabulate it first with "
            "Envelope.from_function(function, start=..., stop=...)"
        )
    return checks.real(name, value, minimum=minimum)


def times_number(value: Strength, factor: float) -> Strength:
    """The strength times a number."""
    return value.scaled(factor) if isinstance(value, Envelope) else value * factor


def at(value: Strength, time: Any) -> Floats:
    """The strength at `time` (any shape)."""
    if isinstance(value, Envelope):
        return value(time)
    return np.full(np.shape(time), value)


def integrated(value: Strength, time: Any) -> Floats:
    """The integral of the strength from 0 to `time` (any shape)."""
    if isinstance(value, Envelope):
        return value.integral(time)
    return value * np.asarray(time, dtype=float)


def is_zero(value: Strength) -> bool:
    """Whether the strength vanishes at all times."""
    return not np.any(value.values) if isinstance(value, Envelope) else value == 0.0
