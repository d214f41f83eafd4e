"""The best squeezing along a curve: value, time and angle, each with its error, and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.text import html_lines, value_to_digits, value_with_error


class OptimumStatus(IntEnum):
    """Where the lowest point of a curve lies, and so what its value is.

    INSIDE: inside the times, interpolated between them; the interpolation's error is stated.
    FIRST_TIME, LAST_TIME: the first or last time is lowest: the optimum may lie outside.
    INITIAL_STATE: time 0 is lowest within the errors: these times hold no squeezing beyond its own.
    TOO_COARSE: the times do not resolve a dip: the value is that of the lowest time itself.
    JUMPS: the curve jumps between the times (spins leave), so nothing lies between them.
    """

    INSIDE = 0
    FIRST_TIME = 1
    LAST_TIME = 2
    INITIAL_STATE = 3
    TOO_COARSE = 4
    JUMPS = 5


FROM_TIMES = " (± from the times)"
"""Said once where the errors shown are those of the interpolation alone."""
DIGITS = 6
"""Significant digits of a number without sampling error."""
_NUMBERS = ("xi2", "decibels", "time", "angle")
_AT_EDGE = (OptimumStatus.FIRST_TIME, OptimumStatus.LAST_TIME, OptimumStatus.INITIAL_STATE)


@clear_init
@dataclass(frozen=True)
class Optimum:
    """The lowest Wineland parameter along a curve.

    A standard error (`_stderr`) is statistical; the error of the interpolation
    (`_interpolation`) bounds how far the value lies from that of the same curve between its
    points. It is None where nothing is interpolated: then xi2 is the lowest of the values given.

    Attributes:
        xi2: [1] minimum of xi2 over time, interpolated between the points.
        decibels: [dB] 10 log10(xi2).
        time: [inverse rate unit] where it lies.
        angle: [rad] squeezing angle there, in (-pi/2, pi/2]; None if not given or undefined, and
            where these times hold no squeezing.
        xi2_stderr: standard error of xi2; None without statistics.
        decibels_stderr: [dB] the same in decibels.
        time_stderr: standard error of the time; None without replicas, or unless interpolated.
        angle_stderr: [rad] standard error of the angle; None without replicas.
        xi2_interpolation: error of xi2 from the distance between the times.
        decibels_interpolation: [dB] the same in decibels.
        time_interpolation: error of the time from it.
        angle_interpolation: [rad] error of the angle from it.
        status: of :class:`OptimumStatus`.
        time_bounds: between which times the minimum lies, so far as these times tell.
        constant: whether xi2 is the same at all of several times, up to rounding.
        time_unit: of the times in a laboratory as people write it, "µs"; empty for others.
        searched: whether the run chose its times and found no squeezing within them.
        add_times_near: where more times are needed first (TOO_COARSE); else None.
    """

    xi2: float
    decibels: float
    time: float
    angle: float | None = None
    xi2_stderr: float | None = None
    decibels_stderr: float | None = None
    time_stderr: float | None = None
    angle_stderr: float | None = None
    xi2_interpolation: float | None = None
    decibels_interpolation: float | None = None
    time_interpolation: float | None = None
    angle_interpolation: float | None = None
    status: OptimumStatus = OptimumStatus.INSIDE
    time_bounds: tuple[float, float] = (0.0, math.inf)
    add_times_near: float | None = None
    constant: bool = False
    searched: bool = False
    time_unit: str = ""

    @property
    def at_edge(self) -> bool:
        """Whether the first or the last time is lowest: the true optimum may lie outside."""
        return self.status in _AT_EDGE

    def error(self, name: str) -> float | None:
        """Statistical and interpolation error of xi2, decibels, time or angle, in quadrature."""
        parts = [getattr(self, f"{name}_{kind}") for kind in ("stderr", "interpolation")]
        known = [part for part in parts if part is not None]
        return math.hypot(*known) if known else None

    def __str__(self) -> str:
        """One line for people: value ± error, and what the times lack.

        Two digits of a sampling error; without one six digits at most, and an error that shows.
        """
        text = (
            f"xi2 = {self._shown('xi2')} ({self._shown('decibels')} dB) "
            f"at time {self._shown('time')} {self.time_unit}"
        ).rstrip()
        if self.status is OptimumStatus.INITIAL_STATE:  # its angle is that of no squeezing
            if self.constant:
                return f"{self._none()}: {text}, and the same at all others [{self.advice()}]"
            return f"{self._none()}: least in the initial state, {text} [{self._remedy()}]"
        if self.angle is not None:
            text += f", angle {self._shown('angle')} rad"
        if "±" in text and all(getattr(self, f"{name}_stderr") is None for name in _NUMBERS):
            text += FROM_TIMES
        advice = self.advice()
        return f"{text} [{advice}]" if advice else text

    def __repr__(self) -> str:
        return f"<Optimum {self}>"

    def _repr_html_(self) -> str:
        return html_lines(str(self))

    def advice(self) -> str:
        """What the times lack, in words; empty if nothing."""
        before, after = self.time_bounds
        if self.status is OptimumStatus.TOO_COARSE:
            return (
                "times too coarse to interpolate, this is the lowest of them: add times near "
                f"{self.add_times_near:.6g}"
            )
        if self.status is OptimumStatus.JUMPS:
            return "spins leave between the times: this is the lowest of them, not interpolated"
        if self.status is OptimumStatus.INITIAL_STATE and self.constant:
            return (
                "xi2 does not change in time: is the initial state an eigenstate of the couplings?"
            )
        if self.status is OptimumStatus.INITIAL_STATE:
            return f"least in the initial state, {self._none()}: {self._remedy()}"
        if self.status is OptimumStatus.FIRST_TIME:
            if before > 0.0:  # times before it are there, but xi2 is undefined at them
                return f"first defined time: add times between {before:.6g} and {self.time:.6g}"
            more = f", and some up to {after:.6g}" if math.isfinite(after) else ""
            return f"at the first time: add earlier ones{more}"
        if self.status is OptimumStatus.LAST_TIME:
            if math.isfinite(after):
                return f"last defined time: add times between {self.time:.6g} and {after:.6g}"
            return f"at the last time: add later ones, and some from {before:.6g}"
        return ""

    def _none(self) -> str:
        """What the times do not hold: squeezing, or any beyond that of the initial state."""
        further = "further " if self.xi2 < 1.0 - max(1e-9, 3.0 * (self.xi2_stderr or 0.0)) else ""
        return f"no {further}squeezing at these times"

    def _remedy(self) -> str:
        if self.searched:
            return "the run chose these times and found none"
        after = self.time_bounds[1]
        return "add later ones" if math.isinf(after) else f"add times between 0 and {after:.6g}"

    def shown_error(self, name: str) -> float | None:
        """The error of xi2, decibels, time or angle for people; None: tiny, without samples."""
        error = self.error(name)
        if error is None or getattr(self, f"{name}_stderr") is not None:
            return error
        return None if error < 5e-7 * abs(getattr(self, name)) else error

    def _shown(self, name: str) -> str:
        value, error = getattr(self, name), self.shown_error(name)
        if getattr(self, f"{name}_stderr") is None:
            return value_to_digits(value, error=error, digits=DIGITS)
        return value_with_error(value, stderr=error)
