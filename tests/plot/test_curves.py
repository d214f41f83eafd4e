"""The picture of a run: what is drawn, and every refusal."""

import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.plot import squeezing
from spinsqueeze.plot.style import new_figure, wrapped

TIMES = np.linspace(0.0, 0.4, 41)
XI2 = 1.0 / (1.0 + 400.0 * TIMES**2) + 2.0 * TIMES**4
BEST = Optimum(
    xi2=0.08,
    decibels=10 * np.log10(0.08),
    time=0.25,
    xi2_stderr=0.004,
    decibels_stderr=0.2,
    time_stderr=0.01,
)


def result(*, sampled=True, xi2=XI2, **attributes):
    attributes = {"n_spins": 64, "unit": "J", "method": "dtwa", **attributes}
    data = xr.Dataset(coords={"time": ("time", TIMES, {"units": "1/J"})}, attrs=attributes)
    spin = 32.0
    for name, values in {
        "xi2": xi2,
        "contrast": np.exp(-TIMES),
        "total_spin_squared": spin * (spin + 1) * (1 - 0.5 * TIMES),
    }.items():
        data[name] = ("time", np.array(values))
        if sampled:
            data[f"{name}_stderr"] = ("time", 0.05 * np.abs(values))
    return data


def curves(panel):
    return [line for line in panel.get_lines() if line.get_gid() == "curve"]


def test_three_panels_hold_the_data():
    figure = squeezing(result())
    assert isinstance(figure, Figure)
    top, middle, bottom = figure.axes
    np.testing.assert_allclose(curves(top)[0].get_xdata(), TIMES)
    np.testing.assert_allclose(curves(top)[0].get_ydata(), 10 * np.log10(XI2))
    np.testing.assert_allclose(curves(middle)[0].get_ydata(), np.exp(-TIMES))
    np.testing.assert_allclose(curves(bottom)[0].get_ydata(), 1 - 0.5 * TIMES)


def test_labels_carry_units():
    top, middle, bottom = squeezing(result()).axes
    assert "dB" in top.get_ylabel()
    assert "contrast" in middle.get_ylabel()
    assert "S^2" in bottom.get_ylabel()
    assert bottom.get_xlabel() == "time (1/J)"
    assert squeezing(result(unit="Gamma")).axes[2].get_xlabel() == "time (1/Gamma)"


def test_title_is_the_study_title_or_says_what_ran():
    assert squeezing(result(title="Echo")).axes[0].get_title() == "Echo"
    assert squeezing(result()).axes[0].get_title() == "N = 64, dtwa"


def test_bands_are_one_standard_error():
    top, middle, _ = squeezing(result()).axes
    (band,) = middle.collections
    edges = band.get_paths()[0].vertices[:, 1]
    assert edges.max() == pytest.approx(1.05)
    (band,) = top.collections
    edges = band.get_paths()[0].vertices
    at_start = edges[edges[:, 0] == 0.0][:, 1]
    assert np.ptp(at_start) / 2 == pytest.approx(10 / np.log(10) * 0.05)


def test_exact_results_have_no_band():
    assert all(not panel.collections for panel in squeezing(result(sampled=False)).axes)


def test_optimum_is_marked_with_its_error():
    top = squeezing(result(), optimum=BEST).axes[0]
    (mark,) = top.containers
    assert mark.lines[0].get_xdata() == pytest.approx([0.25])
    assert mark.lines[0].get_ydata() == pytest.approx([BEST.decibels])
    texts = [text.get_text() for text in top.texts]
    assert any("\N{MINUS SIGN}10.97 ± 0.22 dB\nat t = 0.250 ± 0.010" in text for text in texts)


def test_the_line_at_the_optimum_ends_above_its_text():
    panel = squeezing(result(), optimum=BEST).axes[0]
    (text,) = [text for text in panel.texts if "dB" in text.get_text()]
    box = text.get_bbox_patch()
    assert box.get_facecolor() == (1.0, 1.0, 1.0, 1.0)
    (line,) = [line for line in panel.get_lines() if len(set(line.get_xdata())) == 1][:1]
    assert text.get_zorder() > line.get_zorder()


def test_optimum_without_errors_is_marked():
    best = Optimum(xi2=0.08, decibels=10 * np.log10(0.08), time=0.25)
    texts = [text.get_text() for text in squeezing(result(), optimum=best).axes[0].texts]
    assert any("\N{MINUS SIGN}10.97 dB" in text for text in texts)


def test_an_optimum_that_is_only_the_lowest_time_is_hollow_and_says_so():
    for status in OptimumStatus:
        best = Optimum(xi2=0.08, decibels=10 * np.log10(0.08), time=0.25, status=status)
        top = squeezing(result(), optimum=best).axes[0]
        (mark,) = top.containers
        hollow = mark.lines[0].get_markerfacecolor() == "white"
        worded = any("lowest computed: " in text.get_text() for text in top.texts)
        assert hollow == worded == (status is not OptimumStatus.INSIDE)


def test_the_error_of_the_interpolation_is_drawn():
    best = Optimum(
        xi2=0.08,
        decibels=10 * np.log10(0.08),
        time=0.25,
        xi2_interpolation=0.004,
        time_interpolation=0.01,
    )
    top = squeezing(result(sampled=False), optimum=best).axes[0]
    assert any("± 0.22 dB\nat t = 0.250 ± 0.010" in text.get_text() for text in top.texts)
    assert len(top.containers[0].lines[2]) == 2  # bars in both directions


def test_several_datasets_differ_in_colour_and_dash_and_have_a_legend():
    data = {"dtwa": result(), "exact": result(sampled=False)}
    figure = squeezing(data, optimum={"dtwa": BEST})
    top = figure.axes[0]
    first, second = curves(top)
    assert first.get_color() != second.get_color()
    assert first.get_linestyle() != second.get_linestyle()
    assert [text.get_text() for text in top.get_legend().get_texts()] == ["dtwa", "exact"]


def test_more_curves_than_colours_stay_distinct():
    top = squeezing({f"seed {k}": result() for k in range(9)}).axes[0]
    looks = {(line.get_color(), line.get_linestyle()) for line in curves(top)}
    assert len(looks) == 9


def test_gaps_are_left_open_and_counted():
    xi2 = XI2.copy()
    xi2[10:12] = np.nan
    xi2[30] = -0.1
    top = squeezing(result(xi2=xi2)).axes[0]
    level = curves(top)[0].get_ydata()
    assert np.flatnonzero(np.isnan(level)).tolist() == [10, 11, 30]
    assert "3 of 41 times undefined" in [text.get_text() for text in top.texts]


def test_all_times_undefined_still_draws():
    figure = squeezing(result(xi2=np.full(41, np.nan)))
    assert "41 of 41 times undefined" in [text.get_text() for text in figure.axes[0].texts]
    figure.canvas.draw()


def test_the_squeezed_part_stays_legible_when_xi2_explodes():
    xi2 = XI2 + 1e4 * (TIMES > 0.3)
    low, high = squeezing(result(xi2=xi2)).axes[0].get_ylim()
    assert high < 10.0
    assert low < 10 * np.log10(XI2.min())


def test_a_single_time_is_a_marker():
    figure = squeezing(result().isel(time=[5]))
    assert curves(figure.axes[0])[0].get_marker() == "o"


def test_own_axes_are_used():
    figure = new_figure(4.0, 6.0)
    panels = figure.subplots(3, 1)
    assert squeezing(result(), ax=panels) is figure
    single = new_figure(4.0, 3.0)
    axes = single.subplots()
    assert squeezing(result(), ax=axes) is single
    assert len(curves(axes)) == 1
    assert axes.get_xlabel() == "time (1/J)"


def test_axes_in_a_subfigure_give_the_whole_figure():
    figure = new_figure(6.0, 4.0)
    left, _ = figure.subfigures(1, 2)
    assert squeezing(result(), ax=left.subplots()) is figure


def test_it_saves_a_picture_without_pyplot(tmp_path):
    path = tmp_path / "picture.png"
    squeezing(result(), optimum=BEST).savefig(path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_matplotlib_is_loaded_only_when_drawing_and_pyplot_never():
    program = (
        "import sys, spinsqueeze.plot as p; assert 'matplotlib' not in sys.modules\n"
        "from spinsqueeze.plot.style import new_figure, wrapped\n"
        "new_figure(1.0, 1.0); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_callers_settings_are_left_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    squeezing(result())
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3.0, "data must be a Dataset or a mapping of labels to Datasets, got float"),
        ({}, "at least one Dataset, got an empty mapping"),
        ({"a": 1}, r"data\['a'\] must be a Dataset, got int"),
        (result().drop_vars("contrast"), "it lacks contrast"),
        (result().isel(time=0), "no dimension time"),
        (
            xr.concat([result(), result()], "chi"),
            r"no dimension besides time, got chi \(2\): select one with data.isel\(chi=0\)",
        ),
        ({"a": result(), "b": result(unit="Hz")}, "share one unit of time, got 1/Hz, 1/J"),
    ],
)
def test_refusals_of_data(data, message):
    with pytest.raises(InvalidInput, match=message):
        squeezing(data)


def test_refuses_a_dataset_without_number_of_spins():
    data = result()
    del data.attrs["n_spins"]
    with pytest.raises(InvalidInput, match="number of spins"):
        squeezing(data)


@pytest.mark.parametrize(
    ("optimum", "message"),
    [
        (object(), r"must be what spinsqueeze.optimum\(data\) returns, got object"),
        (Optimum(xi2=-0.1, decibels=0.0, time=0.1), "xi2 > 0"),
        ({"other": BEST}, "optimum names other"),
    ],
)
def test_refusals_of_the_optimum(optimum, message):
    with pytest.raises(InvalidInput, match=message):
        squeezing(result(), optimum=optimum)


def test_one_optimum_for_several_datasets_is_refused():
    with pytest.raises(InvalidInput, match="optimum must be a mapping"):
        squeezing({"a": result(), "b": result()}, optimum=BEST)


def test_refuses_wrong_axes():
    with pytest.raises(InvalidInput, match=r"one matplotlib Axes .* or three .*, got str"):
        squeezing(result(), ax="top")
    panels = new_figure(3.0, 3.0).subplots(2, 1)
    with pytest.raises(InvalidInput, match="ndarray of 2"):
        squeezing(result(), ax=panels)


UNREADABLE = ["from $\\ket{+x}$", "$", "$$", "$\\frac{$ and $x$", "a $x_$ b\nc $\\ket$"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_latex_that_matplotlib_lacks_is_drawn_as_written(text):
    figure = squeezing({text: result(title=text, unit=text), "b": result(title=text, unit=text)})
    assert figure.axes[0].get_title().split() == text.split()
    figure.canvas.draw()
    figure = squeezing(result(title=text, unit=text), optimum=BEST)
    assert text in figure.axes[-1].get_xlabel()
    figure.canvas.draw()


def test_latex_that_matplotlib_knows_stays_a_formula():
    figure = squeezing(result(title=r"twisting about $x$, $\chi = 1$"))
    assert figure.axes[0].title.get_parse_math()
    figure.canvas.draw()


def test_formulas_are_not_broken_over_lines():
    formula = r"$a + b + c + d + e + f + g$"
    for start in range(20, 60, 7):
        title = wrapped(f"{'x' * 10} {'y' * (start - 11)} {formula} and more words after it")
        assert formula in title
        assert max(map(len, title.split("\n"))) <= 48


def test_notebooks_show_the_figure_without_pyplot():
    figure = squeezing(result())
    picture = figure._repr_png_()
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(picture[k : k + 4], "big") for k in (16, 20))
    assert [width, height] == (figure.get_size_inches() * figure.dpi).tolist()
    assert new_figure(1.0, 1.0)._repr_png_() != picture


def test_ipython_finds_a_picture():
    formatters = pytest.importorskip("IPython.core.formatters")
    data, _ = formatters.DisplayFormatter().format(squeezing(result()))
    assert "image/png" in data


@pytest.mark.parametrize(("stop", "side"), [(0.6, "left"), (0.12, "center"), (0.06, "right")])
def test_the_text_of_the_optimum_grows_into_the_panel(stop, side):
    model = sq.SpinModel(100, hamiltonian=[sq.OneAxisTwisting(1.0)])
    times = np.linspace(0, stop, 601)
    data = sq.simulate(model, sq.CoherentState("+x"), times, method="closed_form")
    figure = squeezing(data, optimum=sq.optimum(data))
    texts = [t for t in figure.axes[0].texts if "dB" in t.get_text()]
    assert [t.get_ha() for t in texts] == [side]


def test_a_readout_adds_a_curve_as_measured_with_its_own_optimum():
    model = sq.SpinModel(40, hamiltonian=[sq.OneAxisTwisting(1.0)])
    readout = sq.Readout(detection_error=0.01, resolution=1.0)
    times = np.linspace(0.0, 0.2, 21)
    data = sq.simulate(model, sq.CoherentState("+x"), times, method="closed_form", readout=readout)
    figure = squeezing(data, optimum=sq.optimum(data))
    top, middle, _ = figure.axes
    own, measured = (line.get_ydata() for line in curves(top))
    np.testing.assert_allclose(own, 10 * np.log10(data["xi2"]))
    np.testing.assert_allclose(measured, 10 * np.log10(data["measured_xi2"]))
    assert len(curves(middle)) == 1
    best = sq.optimum(sq.as_measured(data))
    marks = [c.lines[0].get_xydata()[0] for c in top.containers]
    np.testing.assert_allclose(marks[1], [best.time, best.decibels], rtol=1e-9)
    words = [text.get_text() for text in top.get_legend().get_texts()]
    assert [word.split(":")[0] for word in words] == ["at the atoms", "as measured"]
    labels = [line.get_label() for line in curves(squeezing({"a": data, "b": data}).axes[0])]
    assert labels == [f"{k}: {word}" for k in "ab" for word in ("at the atoms", "as measured")]
    both = squeezing({"spins": data, "detector": sq.as_measured(data)})
    assert [line.get_label() for line in curves(both.axes[0])] == ["spins", "detector"]
    perfect = sq.simulate(
        model, sq.CoherentState("+x"), times, method="closed_form", readout=sq.Readout()
    )
    assert len(curves(squeezing(perfect).axes[0])) == 1
