"""progress=True: a bar in a terminal and in a notebook, lines in a log file."""

import io
import sys
import types

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.run import progress_bar, sweep_progress
from spinsqueeze.run.progress_bar import listener, point_listeners
from spinsqueeze.run.sweep_progress import PointCount

MODEL = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
START, TIMES = sq.CoherentState("+x"), np.linspace(0.0, 0.6, 4)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress_bar, "monotonic", lambda: now[0])
    return now


def test_a_terminal_shows_a_bar_that_ends_its_line(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with listener(True, title="work") as heard:
        heard(0.0)
        clock[0] = 3.0
        heard(0.5)
        clock[0] = 3.01
        heard(0.51)  # too soon after the last
    text = sys.stderr.getvalue()
    assert "\rwork [" + "#" * 15 + "-" * 15 + "] 50 %, 3 s, 3 s left" in text
    assert text.count("\r") == 3
    assert text.endswith("\n")


def test_a_log_file_gets_a_line_now_and_then(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with listener(True, title="work") as heard:
        for second in range(150):
            clock[0] = float(second)
            heard(second / 150)
    lines = sys.stderr.getvalue().splitlines()
    seconds = [int(line.split(", ")[1].removesuffix(" s")) for line in lines]
    assert seconds == [10, 20, 30, 40, 50, 60, 120, 149]
    assert lines[5] == "work: 40 %, 60 s, 90 s left"
    assert not any("\r" in line for line in lines)


def test_the_time_left_of_a_sweep_is_that_of_its_points(monkeypatch, clock):
    """40 s until the first of 21 points, of which 38 compile, then 2 s each."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.setattr(sweep_progress.time, "monotonic", lambda: clock[0])
    with point_listeners(True, title="work") as heard:
        count = PointCount([], total=21, listeners=heard)
        for point in range(21):
            clock[0] = 40.0 + 2.0 * point
            count.add(failed=False)
    lines = sys.stderr.getvalue().splitlines()
    assert lines[:2] == ["work: 5 %, 40 s", "work: 29 %, 50 s, 30 s left"]


@pytest.mark.usefixtures("clock")
def test_short_work_leaves_no_line_in_a_log_file(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with listener(True, title="work") as heard:
        heard(1.0)
    assert sys.stderr.getvalue() == ""


def test_a_notebook_draws_one_bar_again_and_again(monkeypatch, clock):
    shown = []

    def display(thing, *, display_id):
        assert display_id is True
        shown.append(thing._repr_html_())
        return types.SimpleNamespace(update=lambda again: shown.append(again._repr_html_()))

    shell = types.SimpleNamespace(kernel=object())
    ipython = types.ModuleType("IPython")
    ipython.get_ipython = lambda: shell
    ipython.display = types.ModuleType("IPython.display")
    ipython.display.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", ipython.display)
    with listener(True, title="<b>") as heard:
        heard(0.25)
        clock[0] = 1.0
        heard(0.75)
    assert ["value='0.2500'" in shown[0], "value='0.7500'" in shown[1]] == [True, True]
    assert "&lt;b&gt;" in shown[0]


@pytest.mark.parametrize(
    "work",
    [
        lambda on: sq.simulate(MODEL, START, TIMES, progress=on),
        lambda on: sq.sweep(
            MODEL, START, TIMES, over={"jumps.0.rate": [0.1, 0.2]}, workers=0, progress=on
        ),
        lambda on: sq.compare(
            MODEL, START, TIMES, methods=["exact", "permutation_invariant"], progress=on
        ),
        lambda on: sq.run_study(sq.Study(MODEL, initial_state=START, times=TIMES), progress=on),
    ],
    ids=["simulate", "sweep", "compare", "run_study"],
)
def test_every_run_takes_true_and_false(work, monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    work(False)
    assert sys.stderr.getvalue() == ""
    work(True)
    assert "100 %" in sys.stderr.getvalue()


def test_what_is_no_listener_is_refused():
    with pytest.raises(sq.InvalidInput, match="progress must be a function of the fraction done, "):
        sq.simulate(MODEL, START, TIMES, progress=3)
