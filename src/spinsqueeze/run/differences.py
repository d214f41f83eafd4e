"""How far two runs of one problem differ, in units of what they say of their own errors."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.squeezing import decibels, decibels_stderr
from spinsqueeze.results.dataset import warnings_of
from spinsqueeze.run.optimum import optimum

AGREES, NO_BOUND, DOUBTFUL, DIFFERS = "agrees", "no bound", "doubtful", "differs"
GRADES = (AGREES, NO_BOUND, DOUBTFUL, DIFFERS)
"""From best to worst; without a bound to an error nothing can be said."""

DOUBT = 3.0
SIGMAS = 5.0
"""Errors from which on a difference is doubtful, and from which on it is one. One error is that
of the sampling and a third of what is stated: up to 3 of them is within what both claim."""
TRUNCATIONS = 2.0
"""What a truncation may err by, in units of what its next order changes."""
_SCALES: dict[str, Callable[[int], float]] = {
    "spin": lambda n: np.sqrt(n) / 2,
    "covariance": lambda n: n / 4,
    "xi2": lambda _n: 1.0,
    "contrast": lambda n: 1 / np.sqrt(n),
    "total_spin_squared": lambda n: float(n),
}
VARIABLES = tuple(_SCALES)


@final
@clear_init
@dataclass(frozen=True)
class Difference:
    """How one method differs from the reference in one variable.

    error: the combined standard errors and a third of `stated`, the numerical errors and twice the
    truncations that both state. grade: "agrees" where the largest difference is up to 3 errors,
    "doubtful" up to 5, "differs" beyond; "no bound" where one of the two sets none to its error, or
    alone is undefined, at all times. time: of the values below: the first one beyond the grade
    before, or that of the largest difference if they agree; None for steady states. component: of
    the variable there, "x" or "xy"; empty of a number. value, reference, error, stated: both
    values there and their errors. sigmas: largest difference, in errors. until:
    the first time at which one of them has ended, sets no bound to its error, or alone is
    undefined; times without a bound are not compared; None where all times are (infinite: none of
    a steady state). outside: whether the method says itself that this is outside of its domain.
    """

    variable: str
    method: str
    grade: str
    time: float | None
    component: str
    value: float
    reference: float
    error: float
    stated: float
    sigmas: float
    until: float | None = None
    outside: bool = False

    @property
    def agrees(self) -> bool:
        """Whether the grade is "agrees"."""
        return self.grade == AGREES

    def __str__(self) -> str:
        if self.grade == NO_BOUND:
            undefined = np.isnan(self.value) or np.isnan(self.reference)
            why = "undefined in one of the two" if undefined else "it sets no bound to its error"
            if self.outside:
                why = f"outside the domain of {self.method}"
            return f"{self.method}: {self.variable}: nothing to compare, {why}"
        text = f"{self.method}: {self.variable} {_in_words(self.grade)}"
        if self.time is not None and not self.agrees:
            text += f" from t = {self.time:.4g} on"
        if self.until is not None and self.agrees:
            text += f" up to t = {self.until:.4g}, where a method ends or bounds its error no more"
        where = [f"component {self.component}"] if self.component else []
        if self.time is not None and self.agrees:
            where.append(f"t = {self.time:.4g}")
        at = f" at {', '.join(where)}" if where else ""
        standard = self.error - self.stated / DOUBT
        return (
            f"{text} ({self.value:.6g} against {self.reference:.6g}{at}, error {self.error:.2g} = "
            f"standard {standard:.2g} + stated {self.stated:.2g}/{DOUBT:g}; largest difference "
            f"{self.sigmas:.1f} errors)"
        )


@final
@clear_init
@dataclass(frozen=True)
class OptimumDifference:
    """How the best squeezing of one method differs from that of the reference.

    decibels, reference: [dB] of both optima (of both steady states); time, reference_time: where
    they lie, None of steady states. error: [dB] combined standard errors. stated: [dB]
    interpolation, numerical errors and twice the truncations. grade: see `Difference`, one error
    being `error` and a third of `stated`.
    """

    method: str
    grade: str
    decibels: float
    reference: float
    error: float
    stated: float
    time: float | None
    reference_time: float | None

    @property
    def difference(self) -> float:
        """[dB] decibels less reference: negative where this method squeezes more."""
        return self.decibels - self.reference

    @property
    def sigmas(self) -> float:
        """The size of the difference, in errors."""
        return abs(self.difference) / self._unit

    @property
    def _unit(self) -> float:
        return self.error + self.stated / DOUBT

    @property
    def agrees(self) -> bool:
        """Whether the grade is "agrees"."""
        return self.grade == AGREES

    def __str__(self) -> str:
        if self.grade == NO_BOUND:
            return f"{self.method}: optimum: nothing to compare, it sets no bound to its error"
        at = "" if self.time is None else f" at t = {self.time:.4g}"
        there = "" if self.reference_time is None else f" at t = {self.reference_time:.4g}"
        return (
            f"{self.method}: optimum {_in_words(self.grade)}: {_rounded(self.decibels)} dB{at} "
            f"against {_rounded(self.reference)} dB{there}, difference {self.difference:+.2g} ± "
            f"{self.error:.2g} dB, stated errors {self.stated:.2g} dB: {self.sigmas:.1f} errors of "
            f"{self._unit:.2g} dB"
        )


def _rounded(value: float) -> str:
    """Three decimals, and no -0.000."""
    return f"{round(value, 3) + 0.0:.3f}"


def _in_words(grade: str) -> str:
    """The grade, and of a doubtful one what that means."""
    return f"is doubtful ({DOUBT:g} to {SIGMAS:g} errors)" if grade == DOUBTFUL else grade


def difference(
    reference: xr.Dataset, data: xr.Dataset, *, variable: str, method: str
) -> Difference:
    """The difference in one variable at the times that both have, a steady state as one time."""
    steady = "time" not in reference.dims
    runs = [run.expand_dims("time") if steady else run for run in (data, reference)]
    n_times = min(run.sizes["time"] for run in runs)  # one may have ended early
    longest = max(runs, key=lambda run: run.sizes["time"])
    times = np.array([np.inf]) if steady else longest["time"].values
    data, reference = (run.isel(time=slice(n_times)) for run in runs)
    ours, theirs = data[variable].values, reference[variable].values
    axes = tuple(range(1, ours.ndim))
    random, stated = _errors(data, reference, variable)
    error = random + stated / DOUBT
    gap = np.abs(ours - theirs)
    with np.errstate(invalid="ignore"):
        ratio = np.where(np.isnan(gap), 0.0, gap / error)
    known = np.isfinite(error) & (np.isnan(ours) == np.isnan(theirs))
    bounded = known.all(axis=axes)
    worst = np.where(bounded, ratio.max(axis=axes), -1.0)
    grade, k = AGREES if np.any(bounded) else NO_BOUND, int(np.argmax(worst))
    for found, where in ((DOUBTFUL, worst > DOUBT), (DIFFERS, worst > SIGMAS)):
        if np.any(where):
            grade, k = found, int(np.argmax(where))
    inside = np.unravel_index(int(np.argmax(ratio[k])), ratio[k].shape) if axes else ()
    entry: tuple[Any, ...] = (k, *inside)
    unbounded = times[np.flatnonzero(~bounded)]
    ends = [*unbounded[:1], *times[n_times : n_times + 1]]
    return Difference(
        variable=variable,
        method=method,
        grade=grade,
        time=None if steady or grade == NO_BOUND else float(times[k]),
        component="".join("xyz"[i] for i in inside),
        value=float(ours[entry]),
        reference=float(theirs[entry]),
        error=float(error[entry]) if np.any(bounded) else np.nan,
        stated=float(stated[entry]) if np.any(bounded) else np.nan,
        sigmas=float(worst.max()) if np.any(bounded) else np.nan,
        until=float(ends[0]) if ends else None,
        outside=any(text.startswith("domain:") for text in warnings_of(data)),
    )


def _errors(data: xr.Dataset, reference: xr.Dataset, variable: str) -> tuple[Floats, Floats]:
    """Combined standard errors, and the sum of what both state as bounds, shaped as the values."""
    theirs = reference[variable].values
    inner = (slice(None), *(None,) * (theirs.ndim - 1))
    variance, claimed = np.zeros_like(theirs), np.zeros_like(theirs)
    numerical = np.zeros(len(theirs))
    for run in (data, reference):
        if f"{variable}_stderr" in run:
            variance = variance + run[f"{variable}_stderr"].values ** 2
        if f"{variable}_truncation" in run:
            claimed = claimed + TRUNCATIONS * run[f"{variable}_truncation"].values
        numerical += _numerical(run)
    scale = _SCALES[variable](int(reference.attrs["n_spins"]))
    stated = 2 * numerical[inner] * np.maximum(scale, np.abs(theirs)) + claimed
    return np.sqrt(variance), stated


def _numerical(run: xr.Dataset) -> Floats:
    own = run.get("spin_numerical_error", run.attrs["numerical_error"])
    return np.asarray(np.maximum(np.asarray(own, dtype=float), 1e-10))


def optimum_difference(
    reference: xr.Dataset, data: xr.Dataset, *, method: str
) -> OptimumDifference | None:
    """The difference of the optima; None where xi2 is undefined or negative in one of the runs."""
    try:
        ours, theirs = _best(data), _best(reference)
    except (UndefinedDirection, InvalidInput):
        return None
    error, stated = float(np.hypot(ours.error, theirs.error)), ours.stated + theirs.stated
    best = OptimumDifference(
        method, NO_BOUND, ours.decibels, theirs.decibels, error, stated, ours.time, theirs.time
    )
    if not np.isfinite(error + stated):
        return best
    doubtful = DOUBTFUL if best.sigmas > DOUBT else AGREES
    return replace(best, grade=DIFFERS if best.sigmas > SIGMAS else doubtful)


@final
@dataclass(frozen=True)
class _Best:
    decibels: float
    error: float
    stated: float
    time: float | None


def _best(run: xr.Dataset) -> _Best:
    between = 0.0
    if "time" in run.dims:
        best = optimum(run)
        xi2, stderr, time = best.xi2, best.xi2_stderr or 0.0, best.time
        between = best.decibels_interpolation or 0.0
    else:
        xi2, time = float(run["xi2"]), None
        stderr = float(run["xi2_stderr"]) if "xi2_stderr" in run else 0.0
        if np.isnan(xi2):
            raise UndefinedDirection("xi2 is undefined in this steady state")
    bound = 2 * _numerical(run) * np.maximum(1.0, np.abs(run["xi2"].values))
    if "xi2_truncation" in run:
        bound = bound + TRUNCATIONS * run["xi2_truncation"].values
    if time is not None:
        bound = np.interp(time, run["time"].values, np.broadcast_to(bound, run["time"].shape))
    error, stated = (float(decibels_stderr(xi2, stderr=e)) for e in (stderr, bound))
    return _Best(float(decibels(xi2)), error, stated + between, time)
