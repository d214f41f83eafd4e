"""No text of a picture meets another one, leaves the page or crosses a frame."""

import numpy as np
import pytest
from tests.plot.hard_cases import CASES, COLUMN, LONG, best, collisions, on, run, swept

from spinsqueeze import plot

QUICK = ("four optima in a column", "map in a column")


@pytest.mark.parametrize("name", QUICK)
def test_texts_stay_apart(name):
    assert collisions(CASES[name]()) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(CASES) - set(QUICK)))
def test_texts_stay_apart_in_every_hard_case(name):
    assert collisions(CASES[name]()) == []


def test_the_measure_sees_what_collides():
    figure, panel = on(COLUMN, 2.0)
    panel.set_title(LONG)
    panel.annotate("one", (0.5, 0.5))
    panel.annotate("two", (0.5, 0.5))
    kinds = {kind for _, kind in collisions(figure)}
    assert {"one", "page"} <= kinds


def test_times_are_drawn_in_seconds_with_a_prefix():
    figure = plot.squeezing(run(2.0, unit="2 pi MHz"), optimum=best(1.24))
    top = figure.axes[0]
    assert figure.axes[-1].get_xlabel() == "time (µs)"
    line = next(line for line in top.get_lines() if line.get_gid() == "curve")
    assert line.get_xdata()[-1] == pytest.approx(2.0 / (2 * np.pi))
    assert any("at t = 0.1974 ± 0.0026 µs" in text.get_text() for text in top.texts)


def test_limits_of_the_caller_stay():
    figure = plot.squeezing(run(), optimum=best(0.25))
    figure.axes[0].set_ylim(-20.0, 5.0)
    figure.draw_without_rendering()
    assert figure.axes[0].get_ylim() == (-20.0, 5.0)


def test_optima_are_marked_by_their_status():
    values = np.arange(1, 7)
    panel = plot.sweep(swept(values, status=[0, 1, 2, 3, 4, 5])).axes[0]
    marks = {
        line.get_marker(): line.get_xdata().tolist()
        for line in panel.get_lines()
        if line.get_markerfacecolor() == "white"
    }
    assert marks == {"o": [2.0, 3.0], "v": [4.0], "D": [5.0]}
    grid = plot.sweep(swept(values[:2], values[:3], status=[0, 1, 2, 3, 4, 5])).axes[0]
    drawn = {line.get_marker(): len(line.get_xdata()) for line in grid.get_lines()}
    assert drawn == {"o": 2, "v": 1, "D": 1}
    words = grid.texts[0].get_text()
    for part in ("open circles: first or last", "diamonds: times too", "triangles: no squeezing"):
        assert part in words.replace("\n", " ")


def test_several_optima_are_told_in_the_legend():
    data = {"a": run(), "b": run(at=0.4)}
    top = plot.squeezing(data, optimum={"a": best(0.25), "b": best(0.16)}).axes[0]
    words = [text.get_text() for text in top.get_legend().get_texts()]
    assert words[0] == "a: \N{MINUS SIGN}12.00 ± 0.08 dB at t = 0.2500 ± 0.0032"
    assert not top.texts
