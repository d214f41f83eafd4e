"""The greatest metrological gain over time, interpolated between the times like the least xi2."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import value_to_digits, value_with_error
from spinsqueeze.observables.optimum import DIGITS, Optimum, OptimumStatus
from spinsqueeze.observables.optimum_search import find_optimum
from spinsqueeze.observables.sensitivity import Sensitivity
from spinsqueeze.observables.squeezing import decibels


@final
@dataclass(frozen=True)
class BestGain:
    """The greatest gain along a curve, and what its value lacks.

    Attributes:
        gain: [1] 1/(N Delta phi^2).
        time: where it lies.
        gain_stderr: standard error; NaN where nothing is sampled.
        time_stderr: of the time; NaN without it, or where nothing is interpolated.
        gain_interpolation: error from the distance between the times; 0 where the greatest of the
            times given is meant.
        time_interpolation: of the time from it.
        gain_numerical_error: error from the step of the phase and of the method.
        status: as of an `Optimum`, of 1/gain.
        add_times_near: where more times are needed first (TOO_COARSE); else NaN.
    """

    gain: float
    time: float
    gain_stderr: float
    time_stderr: float
    gain_interpolation: float
    time_interpolation: float
    gain_numerical_error: float
    status: OptimumStatus
    add_times_near: float

    @classmethod
    def read(cls, numbers: Mapping[str, float]) -> "BestGain":
        """From `numbers`, of each name of `as_numbers`."""
        return cls(**{**numbers, "status": OptimumStatus(int(numbers["status"]))})  # type: ignore[arg-type]  # by name

    def as_numbers(self) -> dict[str, float]:
        """Every attribute as a number."""
        return {name: float(getattr(self, name)) for name in self.__dataclass_fields__}

    @property
    def error(self) -> float | None:
        """All errors of the gain in quadrature; None: tiny, and nothing sampled."""
        parts = (self.gain_stderr, self.gain_interpolation, self.gain_numerical_error)
        whole = math.hypot(*(part for part in parts if math.isfinite(part)))
        tiny = not math.isfinite(self.gain_stderr) and whole < 5e-7 * self.gain
        return None if tiny else whole

    @property
    def time_error(self) -> float | None:
        """All errors of the time in quadrature; None: not interpolated, or tiny."""
        parts = (self.time_stderr, self.time_interpolation)
        whole = math.hypot(*(part for part in parts if math.isfinite(part)))
        return None if whole <= 5e-7 * self.time else whole

    @property
    def shown(self) -> str:
        """'9.6 ± 0.1 (9.82 dB)'; six digits at most without samples."""
        if math.isfinite(self.gain_stderr):
            value = value_with_error(self.gain, stderr=self.error)
        else:
            value = value_to_digits(self.gain, error=self.error, digits=DIGITS)
        level = round(float(decibels(self.gain)), 9) + 0.0  # no rounding error of a gain of 1
        return f"{value} ({level:.4g} dB)"

    @property
    def advice(self) -> str:
        """What the times lack, in words; empty if nothing."""
        if self.status is OptimumStatus.TOO_COARSE:
            return (
                "times too coarse to interpolate, this is the greatest of them: add times near "
                f"{self.add_times_near:.6g}"
            )
        if self.status is OptimumStatus.INITIAL_STATE:
            return "greatest at time 0: no later one of these gains more"
        if self.status is OptimumStatus.FIRST_TIME:
            return "at the first time that has a gain: add times before and after it"
        if self.status is OptimumStatus.LAST_TIME:
            return "at the last time: add later ones"
        return ""


def best_gain(times: Floats, sensitivity: Sensitivity) -> BestGain | None:
    """The least 1/gain over time by `find_optimum`, with the jackknife of the gain.

    Args:
        times: (T,).
        sensitivity: at these times.

    Returns:
        None where no time has a gain above 0; a single time is its own optimum.
    """
    gain = sensitivity.gain
    usable = np.isfinite(gain) & (gain > 0.0)
    if not usable.any():
        return None
    numerical = sensitivity.numerical_error
    if len(times) == 1:
        stderr = math.nan if sensitivity.stderr is None else float(sensitivity.stderr[0])
        return BestGain(
            float(gain[0]), float(times[0]), stderr, math.nan, 0.0, 0.0,
            float(numerical[0]), OptimumStatus.INSIDE, math.nan,
        )  # fmt: skip
    inverse = 1 / np.where(usable, gain, np.nan)
    best = _searched(times, inverse, sensitivity)
    value = 1 / best.xi2

    def of(error: float | None, factor: float) -> float:
        return math.nan if error is None else factor * error

    stderr = of(best.xi2_stderr, value**2)
    if sensitivity.stderr is not None:  # that of the curve holds the pull on the best direction
        there = np.interp(best.time, times[usable], sensitivity.stderr[usable])
        stderr = max(stderr, float(there))
    known = usable & np.isfinite(numerical)
    step = np.interp(best.time, times[known], numerical[known]) if known.any() else math.inf
    return BestGain(
        value,
        best.time,
        stderr,
        of(best.time_stderr, 1.0),
        0.0 if best.xi2_interpolation is None else best.xi2_interpolation * value**2,
        0.0 if best.time_interpolation is None else best.time_interpolation,
        float(step),
        best.status,
        of(best.add_times_near, 1.0),
    )


def _searched(times: Floats, inverse: Floats, sensitivity: Sensitivity) -> Optimum:
    """The least 1/gain; the search is repeated in the replicas where they have gains."""
    if sensitivity.stderr is None:
        return find_optimum(times, xi2=inverse)
    options: dict[str, Any] = {"stderr": sensitivity.stderr * inverse**2}
    if sensitivity.replicas is not None:
        sampled: dict[str, Any]
        with np.errstate(divide="ignore"):
            replicas = 1 / sensitivity.replicas
        sampled = {"xi2_replicas": replicas, "weights": sensitivity.weights, **options}
        try:
            return find_optimum(times, xi2=inverse, **sampled)
        except InvalidInput:  # a block left out takes the direction of the mean spin away
            pass
    return find_optimum(times, xi2=inverse, **options)
