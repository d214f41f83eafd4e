"""Times by themselves: short runs find the window of the optimum, full ones resolve it.

The short runs are of the closed form where it fits, else of the study's method with cheap settings,
or, where that is still long, of an approximate method. Their windows double until xi2 has a
minimum well inside one, or nothing more is to come (`time_windows`). Then follows the full run; it
is repeated at most twice where its minimum is not resolved or lies elsewhere. Everything depends on
the study alone: limits count the expected cost of methods, never the clock.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import fields, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, UndefinedDirection
from spinsqueeze.core.progress import Progress, part_of, say
from spinsqueeze.core.written_units import time_units
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.base.question import Question
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.lab_spin_numbers import LabSpinNumbers
from spinsqueeze.observables.moments import BlockMoments, Moments
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.observables.optimum_search import optimum_of_moments
from spinsqueeze.observables.readings import moments_of
from spinsqueeze.run.answers import Run, Task, TimeChoice, task_of
from spinsqueeze.run.choice import default_method
from spinsqueeze.run.study import Study
from spinsqueeze.run.time_scales import (
    TimeScales,
    concern_about_decay,
    likely_times,
    time_scales,
)
from spinsqueeze.run.time_windows import (
    EDGE,
    Curve,
    Window,
    around,
    curve_of,
    dips,
    flat,
    grid,
    joined,
    judged,
    pilot_times,
)

Steps = Generator[Task, Run, Run]
"""Yields what must be computed next, takes its run, returns the last one."""

REFINEMENTS = 2
PRECISION = 1e-4
"""The relative error of interpolation that exact methods accept."""

QUICK = 5.0
"""Expected seconds from which on a short run is of an approximate method."""

AT_ONCE = 0.2
"""Expected seconds up to which a short run keeps the order of its method."""

LIMIT = 60.0
"""Expected seconds of all short runs, unless one full run takes longer."""

FEWEST = 10
"""Spins from which on an approximate method may find the window."""

_CHEAP: dict[str, dict[str, Any]] = {
    "n_trajectories": {"dtwa": 128, "trajectories": 64, "exact": 64},
    "tolerance": {"dtwa": 1e-2, "trajectories": 1e-3, "": 1e-6},
    "target_error": {"": None},
    "keep_trajectories": {"": 0},
    "next_order": {"": False},
    "order": {"cumulants": 2},
    "qfi": {"": False},
}
_COUPLINGS = ("spacing", "c6", "c3", "plateau", "core_radius", "chi")
"""Numbers of a laboratory that couplings come from."""
_APPROXIMATE = ("cumulants", "dtwa")


def steps(study: Study, *, progress: Progress | None = None) -> Steps:
    """What a study without a sweep computes: its run, or before it those that choose its times.

    Args:
        study: the study.
        progress: called with the fraction done.

    Raises:
        SpinSqueezeError: see `task_of`.
    """
    if not study.automatic_times:
        task = task_of(study, progress=progress)
        say(progress, task.method.name())
        return (yield task)
    return (yield from _Search(study, progress).steps())


def chosen_times(study: Study) -> Generator[Task, Run, Floats]:
    """The times of the first full run of a study, without that run."""
    search = _Search(study, None)
    window = yield from search.window()
    return grid(search.scales.onset, window)


@final
class _Search:
    """The search for the times of one study."""

    def __init__(self, study: Study, progress: Progress | None) -> None:
        self.study = study
        self.progress = progress
        form = study.canonical_model
        self.scales: TimeScales = time_scales(form)
        self.big = form.n_spins >= FEWEST
        self.main: Method = study.method or default_method(_likely(study))
        self.own = False  # whether only the study's own method is left for short runs
        self.pilot_name = ""
        self.pilots: list[str] = []
        self.pilot_runs = 0
        self.expected = 0.0
        self.seconds = 0.0

    def steps(self) -> Steps:
        """Short runs, the full run, and its refinements."""
        window = yield from self.window()
        for rounds in range(1, REFINEMENTS + 2):
            share = (0.15, 0.85, 0.95, 1.0)[rounds - 1 : rounds + 1]
            times = grid(self.scales.onset, window)
            full = replace(self.study, times=times)
            task = task_of(full, progress=self.progress and part_of(self.progress, *share))
            say(self.progress, task.method.name())
            run = yield task
            choice = TimeChoice(
                float(times[-1]),
                window.outcome,
                ", then ".join(self.pilots),
                self.pilot_runs,
                rounds,
                self.seconds,
                self._concern(window.end),
            )
            run = replace(run, choice=choice)
            if run.answer.interrupted or rounds > REFINEMENTS:
                break
            better = self._better(run, window)
            if better is None:
                break
            window = better
            self.seconds += run.wall_time
        if self.progress is not None:
            self.progress(1.0)
        return run

    def window(self) -> Generator[Task, Run, Window]:
        """Short runs over windows that double, until the minimum is seen or none is to come."""
        scales = self.scales
        length, known = scales.first, 0.0
        curve: Curve | None = None
        while (method := self._method(length)) is not None:
            another = method.name() != self.pilot_name  # what it says does not join on
            try:
                run = yield self._short(method, length, after=0.0 if another else known)
            except NumericalFailure:
                if not self.own and method.name() != self.main.name():
                    self.own = True
                    continue
                if curve is None:
                    raise
                break
            self._count(run)
            curve = None if another else curve
            curve, known = joined(curve, _curve(run, onset=scales.onset)), length
            window = judged(curve, window=length, first=scales.first)
            if window is not None:
                return window
            if length >= scales.last:
                break
            length = min(2.0 * length, scales.last)
        assert curve is not None
        return _unfinished(curve, scales)

    def _count(self, run: Run) -> None:
        self.pilot_runs += 1
        self.seconds += run.wall_time
        self.pilot_name, words = run.task.method.name(), run.task.method.in_words
        if words not in self.pilots[-1:]:
            self.pilots.append(words)
        if self.progress is not None:
            self.progress(0.15 * (1.0 - 0.8**self.pilot_runs))

    def _short(self, method: Method, length: float, *, after: float) -> Task:
        """The short run over one window, from where its curve is not known yet."""
        times = pilot_times(self.scales.onset, length, after=after)
        trial = replace(self.study, times=times)
        say(self.progress, f"short run of {method.name()} for the times", timed=False)
        return Task(trial, trial.question(), method, pilot=True)

    def _method(self, length: float) -> Method | None:
        """The method of the short run over one window; None where it would take too long."""
        times = pilot_times(self.scales.onset, length, after=0.5 * length)
        question = replace(self.study, times=times).question()
        if self.pilot_runs == 0:
            self.main.require(question)
        full = self.main.cost(question).seconds
        method = _short_of(self.main, question)
        if (quickest := _seconds(METHODS["closed_form"](), question)) < math.inf:
            method, seconds = METHODS["closed_form"](), quickest
        else:
            seconds = _seconds(method, question)
        if seconds > QUICK and self.big and not self.own:
            others = [_short_of(METHODS[name](), question) for name in _APPROXIMATE]
            rows = [(_seconds(other, question), k) for k, other in enumerate(others)]
            least, k = min(rows)
            if least < seconds:
                method, seconds = others[k], least
        if self.pilot_runs and self.expected + seconds > max(LIMIT, full):
            return None
        self.expected += seconds
        return method

    def _concern(self, end: float) -> str:
        """Whether the times end long after all spins have decayed."""
        model = self.study.model
        lab = getattr(model.lab, "numbers", None)
        coupling = [n for n in _COUPLINGS if getattr(lab, n, None) is not None]
        return concern_about_decay(
            self.study.canonical_model,
            window=end,
            numbers=" and ".join(coupling) if isinstance(lab, LabSpinNumbers) else "",
            units=time_units(model.unit),
        )

    def _better(self, run: Run, window: Window) -> Window | None:
        """Where to look more closely or further; None where the optimum is resolved."""
        moments = _moments(run)
        try:
            best = optimum_of_moments(
                run.times, moments=moments, numerical_error=run.answer.error["spin"]
            )
        except (UndefinedDirection, InvalidInput):
            return None
        curve = curve_of(moments, times=run.times, onset=self.scales.onset)
        return refined(best, curve, window, onset=self.scales.onset)


def _likely(study: Study) -> Question:
    """The question at about the times that will be chosen; the first short runs end far before."""
    return replace(study, times=likely_times(study.canonical_model)).question()


def refined(best: Optimum, curve: Curve, window: Window, *, onset: float) -> Window | None:
    """The window of the next full run; None where this one resolves its optimum.

    Args:
        best: the optimum of the full run.
        curve: its squeezing.
        window: its window.
        onset: of the interactions.
    """
    place, k = best.time - onset, curve.lowest
    assert k is not None
    end = float(curve.times[-1])
    whole = end > 0.99 * window.end and bool(np.isfinite(curve.logs[-1]))
    low = place > 0.85 * end or curve.logs[-1] - curve.logs[k] < EDGE
    if whole and low and window.outcome == "minimum":
        return Window(2.0 * end, place, 0.6 * place, min(1.6 * place, 1.9 * end), window.outcome)
    if best.status is OptimumStatus.INSIDE:
        assert best.xi2_interpolation is not None
        others = max(PRECISION * best.xi2, best.xi2_stderr or 0.0)
        if best.xi2_interpolation <= others:
            return None
    elif best.status is OptimumStatus.TOO_COARSE:
        assert best.add_times_near is not None
        place = best.add_times_near - onset
    elif best.status is not OptimumStatus.LAST_TIME and best.status is not OptimumStatus.FIRST_TIME:
        return None
    near = int(np.argmin(np.abs(curve.times - place)))
    step = float(np.max(np.diff(curve.times[max(near - 2, 0) : near + 3])))
    low_end, high = max(place - 6.0 * step, 0.1 * place), min(place + 6.0 * step, window.end)
    if not 0.0 < low_end < high:
        return None
    return Window(max(window.end, 1.05 * high), place, low_end, high, window.outcome)


def cheap(method: Method) -> Method:
    """The method with settings for a short run: few samples, low order, a loose tolerance."""
    changes: dict[str, Any] = {}
    for option in fields(method):  # type: ignore[arg-type]  # every method is a dataclass
        values = _CHEAP.get(option.name, {})
        value = values.get(method.name(), values.get("", ...))
        if value is ...:
            continue
        now = getattr(method, option.name)
        target_error = getattr(method, "target_error", None)
        if option.name == "n_trajectories" and now is None and target_error is None:
            continue  # nothing is sampled
        if option.name == "tolerance":
            value = max(value, now)
        elif option.name == "order" or (option.name == "n_trajectories" and now is not None):
            value = min(value, now)
        changes[option.name] = value
    return replace(method, **changes)  # type: ignore[type-var]


def _short_of(method: Method, question: Question) -> Method:
    """Its `cheap` form; with its own order where that takes no time.

    Cumulants of order 2 see the minimum of twisting many spins several times too late.
    """
    fast = cheap(method)
    if not hasattr(method, "order"):
        return fast
    own: Method = replace(fast, order=method.order)  # type: ignore[type-var]
    return own if _seconds(own, question) < AT_ONCE else fast


def _seconds(method: Method, question: Question) -> float:
    """What a method is expected to take; infinite where it does not fit."""
    verdict = method.judge(question)
    return verdict.cost.seconds if verdict and verdict.cost is not None else math.inf


def _unfinished(curve: Curve, scales: TimeScales) -> Window:
    """The window after a search that saw no minimum with a rise after it."""
    length = float(curve.times[-1])
    ended = length >= 0.99 * scales.last
    outcome = "longest window" if ended else "limit of the cost"
    k = curve.lowest
    if k is None or not dips(curve, k):
        return flat(curve, window=length, outcome="no squeezing" if ended else outcome)
    window = around(curve, k, outcome=outcome)
    return replace(window, end=max(window.end, min(2.0 * length, scales.last)))


def _moments(run: Run) -> Moments | BlockMoments:
    return moments_of(run.answer.readings, n_spins=run.task.question.model.n_spins)


def _curve(run: Run, *, onset: float) -> Curve:
    """What a short run says; times that it did not reach are undefined."""
    curve = curve_of(_moments(run), times=run.times, onset=onset)
    asked = run.task.study.times - onset
    missing = asked[len(curve.times) :]
    if missing.size == 0:
        return curve
    unknown = np.full(missing.size, np.nan)
    return Curve(
        asked,
        np.concatenate([curve.logs, unknown]),
        np.concatenate([curve.noise, np.zeros(missing.size)]),
        np.concatenate([curve.contrast, unknown]),
    )
