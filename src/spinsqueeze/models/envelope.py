"""Time dependence of a rate or strength: a table, read as one piecewise polynomial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import key, numbers, same
from spinsqueeze.models.pieces import ROUNDING, smooth_pieces

LEAST_POINTS = {"linear": 2, "cubic": 4, "step": 2}
GAUSS_NODES, GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(4)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Envelope:
    """A function of time given by a table; constant outside its first and last point.

    Args:
        times: strictly increasing times (n,), n >= 2 (cubic: 4).
        values: values (n,) at these times.
        interpolation: "linear" (kinks at the points), "cubic" (not-a-knot spline, smooth) or
            "step" (values[k] from times[k] on, until the next time).

    Every method knows the points at which the polynomial changes and never steps over them, so
    that nothing in the table is missed; the cost grows with their number.

    Raises:
        InvalidInput: lengths differ, too few points, times not increasing, not finite.
    """

    times: Any
    values: Any = field(kw_only=True)
    interpolation: str = field(default="linear", kw_only=True)

    def __post_init__(self) -> None:
        times = checks.increasing(
            "envelope times", self.times, remedy="; a jump is written with interpolation='step'"
        )
        values = checks.real_array("envelope values", self.values, shape=(None,))
        if len(times) != len(values):
            raise InvalidInput(
                f"envelope times and values must have one length, got {len(times)} and "
                f"{len(values)}"
            )
        checks.choice("interpolation", self.interpolation, tuple(LEAST_POINTS))
        least = LEAST_POINTS[self.interpolation]
        if len(times) < least:
            raise InvalidInput(
                f"a {self.interpolation} envelope needs at least {least} points, got {len(times)}"
            )
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    @cached_property
    def polynomial(self) -> Any:
        """A scipy PPoly of all times: its first and last piece are the constants outside."""
        from scipy.interpolate import CubicSpline, PPoly

        span = self.times[-1] - self.times[0]
        edges = np.concatenate([self.times[:1] - span, self.times, self.times[-1:] + span])
        coefficients = np.zeros((4, len(edges) - 1))
        coefficients[3, 0], coefficients[3, -1] = self.values[0], self.values[-1]
        coefficients[3, 1:-1] = self.values[:-1]
        if self.interpolation == "linear":
            coefficients[2, 1:-1] = np.diff(self.values) / np.diff(self.times)
        elif self.interpolation == "cubic":
            coefficients[:, 1:-1] = CubicSpline(self.times, self.values).c
        return PPoly(coefficients, edges)

    @cached_property
    def _primitive(self) -> Any:
        return self.polynomial.antiderivative()

    @cached_property
    def largest(self) -> float:
        """The largest size of the values in the table."""
        return float(np.abs(self.values).max())

    @property
    def onset(self) -> float:
        """The time >= 0 until which it is zero; 0 where it is zero at all times."""
        acting = np.flatnonzero(self.values)
        if acting.size == 0 or acting[0] == 0:
            return 0.0
        before = 0 if self.interpolation == "step" else 1
        return max(0.0, float(self.times[acting[0] - before]))

    def __call__(self, time: Any) -> Floats:
        """Values at `time` (any shape); at a jump the value after it."""
        return np.asarray(self.polynomial(np.asarray(time, dtype=float)))

    @cached_property
    def breakpoints(self) -> Floats:
        """Times that integrators step onto: between two of them the function is smooth.

        A linear or step table changes at its points, unless it goes on unchanged there (a ramp of
        many points, equal values). Many points of a spline follow one smooth curve: between two
        breakpoints it is a polynomial of degree 6 within 1e-9 of the largest value, so that a step
        that resolves the polynomial cannot miss what the spline does.
        """
        return smooth_pieces(self.polynomial, scale=self.largest, smooth=self._is_spline)

    @property
    def _is_spline(self) -> bool:
        return self.interpolation == "cubic"

    def constant_between(self, start: float, stop: float) -> bool:
        """Whether the value is one number between two times."""
        nodes, _ = self._nodes(start, stop)
        return bool(np.ptp(self.polynomial(nodes)) <= ROUNDING * self.largest)

    def moments(self, start: float, stop: float) -> tuple[float, float]:
        """The area int f dt and the tilt int (t - middle) f dt / (stop - start), exactly."""
        if not stop > start:  # two breakpoints one rounding apart
            return 0.0, 0.0
        nodes, weights = self._nodes(start, stop)
        values = weights * self.polynomial(nodes)
        place = (nodes - (start + (stop - start) / 2)) / (stop - start)
        return float(values.sum()), float((place * values).sum())

    def _nodes(self, start: float, stop: float) -> tuple[Floats, Floats]:
        """Gauss-Legendre nodes and weights of every piece in between, exact to degree 7.

        A cubic that is one number at four nodes is that number everywhere.
        """
        inner = self.times[
            np.searchsorted(self.times, start, "right") : np.searchsorted(self.times, stop, "left")
        ]
        edges = np.concatenate([[start], inner, [stop]])
        half = np.diff(edges)[:, None] / 2
        return (edges[:-1, None] + half * (1 + GAUSS_NODES)).ravel(), (half * GAUSS_WEIGHTS).ravel()

    def integral(self, time: Any) -> Floats:
        """The integral from 0 to `time` (any shape)."""
        return np.asarray(self._primitive(np.asarray(time, dtype=float)) - self._primitive(0.0))

    def lowest(self) -> float:
        """The least value at any time; a spline may pass below its table between two points."""
        least = float(self.values.min())
        if not self._is_spline:
            return least
        turns = self.polynomial.derivative().roots(extrapolate=False)
        return float(min([least, *self(turns[np.isfinite(turns)]).tolist()]))

    def scaled(self, factor: float) -> "Envelope":
        """The envelope times a number."""
        return Envelope(self.times, values=factor * self.values, interpolation=self.interpolation)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Envelope) and same(self.as_dict(), other.as_dict())

    def __hash__(self) -> int:
        return hash(key(self.as_dict()))

    def as_dict(self) -> dict[str, Any]:
        """The table as plain data, as a study file writes it."""
        table = {"times": numbers(self.times), "values": numbers(self.values)}
        if self.interpolation == "linear":
            return table
        return {**table, "interpolation": self.interpolation}

    @classmethod
    def from_function(
        cls,
        function: Callable[[float], float],
        *,
        start: float,
        stop: float,
        tolerance: float = 1e-9,
        features: Sequence[float] = (),
    ) -> "Envelope":
        """Tabulate a continuous function of time on [start, stop] as a cubic envelope.

        The table is refined where the spline and the function differ by more than
        tolerance * max |function|, at thousands of irregularly spaced times and near the middle of
        every interval. What runs is the table, and the table is stored with the result, so that
        a run can be repeated from its own file.

        Args:
            function: real function of one number.
            start: first time.
            stop: last time.
            tolerance: largest error relative to the largest value, at least 1e-13.
            features: times at which something narrower than (stop - start)/2000 happens (the
                centre of a short pulse, a kink): the function is looked at closely around them.

        Raises:
            InvalidInput: the function is not finite, jumps (give a table with
                interpolation="step"), or varies too fast for 65 536 points.
        """
        from spinsqueeze.models.tabulate import tabulate

        times, values = tabulate(
            function, start=start, stop=stop, tolerance=tolerance, features=features
        )
        return cls(times, values=values, interpolation="cubic")


Strength = float | Envelope


def strength(name: str, value: Any, *, minimum: float | None = None) -> Strength:
    """A strength or rate: one real number, an `Envelope`, or a table {times, values}.

    Raises:
        InvalidInput: none of these, or below `minimum`.
    """
    if isinstance(value, dict):
        unknown = sorted(set(value) - {"times", "values", "interpolation"})
        if unknown or not {"times", "values"} <= set(value):
            raise InvalidInput.of(
                name,
                "must be a number or a table with times and values"
                + (f"; unknown key {unknown[0]!r}" if unknown else ""),
            )
        try:
            value = Envelope(
                value["times"],
                values=value["values"],
                interpolation=value.get("interpolation", "linear"),
            )
        except InvalidInput as error:
            raise InvalidInput(str(error), path=name) from None
    if isinstance(value, Envelope):
        # A spline through values that touch the bound may pass below it by its own tolerance.
        slack = 1e-9 * value.largest if value.interpolation == "cubic" else 0.0
        if minimum is not None and (lowest := value.lowest()) < minimum - slack:
            raise InvalidInput.of(
                name, f"must be at least {minimum:g} at all times, got {lowest:g}"
            )
        return value
    if callable(value):
        raise InvalidInput.of(
            name,
            "is a function: tabulate it first with "
            "Envelope.from_function(function, start=..., stop=...)",
        )
    return checks.real(name, value, minimum=minimum)


def times_number(value: Strength, factor: float) -> Strength:
    """The strength times a number."""
    if factor == 1.0:
        return value
    return value.scaled(factor) if isinstance(value, Envelope) else value * factor


def product(first: Strength, second: Strength) -> Strength:
    """The product of two strengths, of two envelopes as a table of its own."""
    if not isinstance(first, Envelope):
        return times_number(second, first)
    if not isinstance(second, Envelope):
        return times_number(first, second)
    times = np.unique(np.concatenate([first.times, second.times]))
    if first.interpolation == second.interpolation == "step":
        return Envelope(times, values=first(times) * second(times), interpolation="step")
    if "step" in (first.interpolation, second.interpolation):
        raise InvalidInput(
            "the product of a step envelope and a smooth one has jumps between smooth pieces: "
            "write it as one envelope"
        )
    return Envelope.from_function(
        lambda t: float(first(t) * second(t)),
        start=float(times[0]),
        stop=float(times[-1]),
        features=times.tolist(),
    )


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


def largest_size(value: Strength) -> float:
    """The size of a strength, of a table the largest one."""
    return value.largest if isinstance(value, Envelope) else abs(value)


def is_zero(value: Strength) -> bool:
    """Whether the strength vanishes at all times."""
    return not np.any(value.values) if isinstance(value, Envelope) else value == 0.0
