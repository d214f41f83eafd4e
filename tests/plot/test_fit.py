"""No text of a picture meets another one, leaves the page or crosses a frame."""

import numpy as np
import pytest
from tests.plot.hard_cases import (
    CASES,
    LONG,
    RYDBERG,
    averaged,
    best,
    branched,
    collisions,
    gains,
    on,
    run,
    swept,
    variance,
)

from spinsqueeze import plot
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.plot.style import COLUMN, refilled, wrapped

QUICK = ("four optima in a column", "map in a column", "two averages in a column")


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


def test_the_note_of_an_average_stands_above_and_the_panel_stays_as_it_is():
    figures = [plot.squeezing(data, optimum=best(0.25)) for data in (averaged(), run())]
    for figure in figures:
        figure.draw_without_rendering()
    top, alone = (figure.axes[0] for figure in figures)
    low, high = top.get_ylim()
    assert high < 1.0  # the curve ends at 0 dB
    assert (low, high) == pytest.approx(alone.get_ylim(), abs=0.2)
    note = next(text for text in top.texts if "20 realisations" in text.get_text())
    assert note.get_window_extent().y0 >= top.bbox.y1
    assert note.get_window_extent().y1 <= top.title.get_window_extent().y0
    both = plot.squeezing({"a": averaged(gaps=2), "b": averaged()}).axes[0].texts[0].get_text()
    assert both == (
        "average of 20 realisations; band: standard error of the average, not the spread;\n"
        "a: 2 of 201 times undefined"
    )


def test_lines_do_not_run_through_legends():
    data = {"a": run(), "b": run(at=0.4)}
    top = plot.squeezing(data, optimum={"a": best(0.25), "b": best(0.16)}).axes[0]
    for _ in range(2):  # as made, and as placed when drawn
        frame = top.get_legend().get_frame()
        assert (top.get_legend().get_frame_on(), frame.get_alpha()) == (True, 1.0)
        assert frame.get_facecolor()[:3] == (1.0, 1.0, 1.0)
        assert frame.get_edgecolor()[3] == 0.0
        top.figure.draw_without_rendering()


def test_titles_break_into_even_lines_and_powers_are_raised():
    assert wrapped(RYDBERG) == "Rydberg array, 5 µm, C6 = 863 GHz µm⁶: spin echo"
    assert refilled(wrapped(RYDBERG), 40) == "Rydberg array, 5 µm,\nC6 = 863 GHz µm⁶: spin echo"
    assert refilled("one two three four five six", 24) == "one two three\nfour five six"
    assert refilled("C6 = 863 GHz", 8) == "C6 =\n863 GHz"
    assert wrapped("umbrella, $x^2$, 3 us^-1") == "umbrella, $x^2$, 3 µs⁻¹"
    assert wrapped("4 um^{12}") == "4 µm¹²"
    assert (
        plot.sensitivity(gains("short")).axes[0].get_title()
        == "short\nabout the best axis, by exact"
    )


def test_width_title_and_words_can_be_left_to_the_caller():
    calls = {
        plot.squeezing: (averaged(title="T"), {"optimum": best(0.25)}),
        plot.sweep: (swept(np.arange(1, 5), missing=1, title="T"), {}),
        plot.ellipse: (variance("T"), {}),
        plot.sensitivity: (gains("T"), {}),
    }
    for call, (data, options) in calls.items():
        bare = call(data, **options, width="column", title=False, labels=False)
        assert bare.get_figwidth() == COLUMN
        assert not any(panel.get_title() or panel.texts for panel in bare.axes)
        full = call(data, **options, width=5)
        assert full.get_figwidth() == 5.0
        assert full.axes[0].get_title().startswith("T")
        legend = bare.axes[0].get_legend()
        assert legend is None or not any("dB" in text.get_text() for text in legend.get_texts())
    assert not plot.branches(branched("T"), title=False).axes[0].get_title()
    for width in ("page", 1.0, True, float("nan")):
        with pytest.raises(InvalidInput, match=r"^width must be inches from 2 to 30, or 'column'"):
            plot.squeezing(run(), width=width)
    with pytest.raises(InvalidInput, match=r"^width must be None where ax is given"):
        plot.squeezing(run(), width=4, ax=on(3.0, 3.0)[1])


def test_the_uncertainty_product_says_what_it_is():
    title = plot.ellipse(variance("T")).axes[1].get_title()
    assert title.replace("\n", " ") == "uncertainty product (at least 1): 1.953"
