"""The picture of a sweep: what is drawn, where, and every refusal."""

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.plot import ellipse, sweep
from spinsqueeze.plot import squeezing as plot_squeezing
from spinsqueeze.plot.style import new_figure

MODEL = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
TIMES = np.linspace(0.0, 0.6, 7)
CHI, RATE = "hamiltonian.0.chi", "jumps.0.rate"


def swept(over, **options):
    return sq.sweep(MODEL, sq.CoherentState("+x"), TIMES, over=over, workers=0, **options)


@pytest.fixture(scope="module")
def line():
    return swept({CHI: [1.5, 0.5, 1.0]})


@pytest.fixture(scope="module")
def grid():
    return swept({CHI: [0.5, 1.0, 1.5], RATE: [0.01, 0.1, 1.0, 10.0]})


def curves(panel):
    return [c for c in panel.get_lines() if c.get_linestyle() == "-" and len(c.get_xdata()) > 1]


def mesh(panel):
    (found,) = [c for c in panel.collections if isinstance(c, QuadMesh)]
    return found


def test_one_parameter_is_a_curve_in_order_of_the_parameter(line):
    panel = sweep(line).axes[0]
    (curve,) = curves(panel)
    assert curve.get_xdata().tolist() == [0.5, 1.0, 1.5]
    best = line["optimal_xi2"].sel(chi=[0.5, 1.0, 1.5]).values
    assert curve.get_ydata() == pytest.approx(10 * np.log10(best))
    assert panel.get_xlabel() == "chi of one_axis_twisting (J)"
    assert "dB" in panel.get_ylabel()
    assert panel.get_xscale() == "linear"


def test_sampled_points_have_bars_of_one_standard_error():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(
        model, sq.CoherentState("+x"), TIMES, over={CHI: [0.5, 1.0]}, method=sq.DTWA(40), workers=0
    )
    (bars,) = [c for c in sweep(data).axes[0].collections if len(c.get_segments()) == 2]
    heights = [np.ptp(segment[:, 1]) / 2 for segment in bars.get_segments()]
    expected = 10 / np.log(10) * data["optimal_xi2_stderr"] / data["optimal_xi2"]
    assert heights == pytest.approx(expected.values)


def test_two_parameters_are_a_map_with_cells_around_their_values(grid):
    panel = sweep(grid).axes[0]
    cells = mesh(panel)
    shown = np.asarray(cells.get_array()).reshape(3, 4)
    assert shown == pytest.approx(10 * np.log10(grid["optimal_xi2"].values))
    corners = np.asarray(cells.get_coordinates())
    assert corners[:, 0, 1] == pytest.approx([0.25, 0.75, 1.25, 1.75])
    assert corners[0, :, 0] == pytest.approx(10.0 ** np.arange(-2.5, 2.0))
    assert (panel.get_xlabel(), panel.get_ylabel()) == (
        "rate of local_dephasing (J)",
        "chi of one_axis_twisting (J)",
    )
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "linear")
    assert "dB" in sweep(grid).axes[1].get_ylabel()


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([10, 32, 100, 316, 1000], "log"),
        ([1, 2, 5, 10], "log"),
        ([1, 2, 3, 4, 7, 9, 14, 20], "log"),
        ([20, 1, 5, 2, 10], "log"),
        ([1, 2, 4], "log"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "linear"),
        ([4, 9, 16, 25, 36, 49, 64], "linear"),
        ([0.5, 0.9, 0.95, 1.0, 1.05, 1.1, 2.0], "linear"),
        ([0.1, 0.5, 0.9, 0.95, 1.0], "linear"),
        ([2, 20], "linear"),
        ([0, 1, 10, 100], "linear"),
    ],
)
def test_steps_more_even_in_the_logarithm_get_a_logarithmic_axis(line, values, scale):
    data = line.isel(chi=[0] * len(values)).assign_coords(chi=np.array(values))
    assert sweep(data).axes[0].get_xscale() == scale


def test_a_map_is_in_order_of_its_parameters(grid):
    turned = sweep(grid.isel(chi=[2, 0, 1], rate=[3, 1, 0, 2])).axes[0]
    straight = sweep(grid).axes[0]
    assert np.array_equal(mesh(turned).get_array(), mesh(straight).get_array())
    assert np.array_equal(mesh(turned).get_coordinates(), mesh(straight).get_coordinates())


def test_other_quantities_in_their_own_units(line):
    panel = sweep(line, quantity="optimal_time").axes[0]
    assert curves(panel)[0].get_ydata() == pytest.approx(np.sort(line["optimal_time"].values)[::-1])
    assert panel.get_ylabel() == "optimal time (1/J)"


def test_axes_say_which_term_and_only_strengths_have_its_unit():
    jumps = [sq.SqueezedCollectiveDecay(1.0, r=0.5), *(sq.LocalDecay(rate) for rate in (0.1, 0.2))]
    model = sq.SpinModel(4, jumps=jumps, unit="1/us")
    start = sq.CoherentState("-z")
    over = {"jumps.0.r": [0.2, 0.4], "jumps.2.rate": [0.1, 0.2]}
    panel = sweep(sq.sweep(model, start, [0.0, 0.1], over=over, workers=0)).axes[0]
    assert panel.get_ylabel() == "r of squeezed_collective_decay"
    assert panel.get_xlabel() == "rate of local_decay (jumps.2) (1/µs)"


def test_times_over_decades_have_a_logarithmic_axis(line):
    model = sq.SpinModel(10, hamiltonian=[sq.OneAxisTwisting(1.0)])
    over = {"ensemble.spins": [10, 100, 10000]}
    data = sq.sweep(model, sq.CoherentState("+x"), over=over, workers=0)
    panel = sweep(data, quantity="optimal_time").axes[0]
    assert (panel.get_xscale(), panel.get_yscale()) == ("log", "log")
    assert sweep(data).axes[0].get_yscale() == "linear"
    assert sweep(line, quantity="optimal_time").axes[0].get_yscale() == "linear"


def test_steady_states_are_drawn_as_they_are():
    model = sq.SpinModel(8, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.5)])
    over = {"jumps.0.r": [0.2, 0.4, 0.6]}
    data = sq.sweep(model, sq.CoherentState("+x"), over=over, workers=0)
    panel = sweep(data).axes[0]
    assert curves(panel)[0].get_ydata() == pytest.approx(10 * np.log10(data["xi2"].values))


def test_words_and_infinities_stand_side_by_side():
    model = sq.SpinModel(
        sq.Lattice((4,)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)]
    )
    over = {"hamiltonian.0.exponent": [1.0, 3.0, float("inf")]}
    data = sq.sweep(model, sq.CoherentState("+x"), TIMES, over=over, workers=0, method="exact")
    panel = sweep(data).axes[0]
    assert [t.get_text() for t in panel.get_xticklabels()] == ["1", "3", "inf"]
    assert not curves(panel)


def test_missing_points_and_optima_at_the_edge_are_marked(grid, line):
    broken = grid.copy(deep=True)
    broken["optimal_xi2"][0, 1] = np.nan
    panel = sweep(broken).axes[0]
    assert np.ma.getmaskarray(mesh(panel).get_array()).sum() == 1
    assert any("1 of 12 points without a number" in t.get_text() for t in panel.texts)
    edged = line.copy(deep=True)
    edged["optimal_at_edge"][:] = [0, 1, 0]
    panel = sweep(edged).axes[0]
    open_ = [c for c in panel.get_lines() if c.get_markerfacecolor() == "white"]
    assert [c.get_xdata().tolist() for c in open_] == [[0.5]]
    assert any("open circles" in t.get_text() for t in panel.texts)
    assert not any("circles" in t.get_text() for t in sweep(line).axes[0].texts)


def test_optima_of_times_too_coarse_are_marked():
    coarse = sq.sweep(
        sq.SpinModel(100, hamiltonian=[sq.OneAxisTwisting(1.0)]),
        sq.CoherentState("+x"),
        np.linspace(0.0, 0.4, 21),
        over={CHI: [0.2, 1.0]},
        workers=0,
    )
    assert coarse["optimal_status"].values.tolist() == [0, 4]
    panel = sweep(coarse).axes[0]
    open_ = [c for c in panel.get_lines() if c.get_markerfacecolor() == "white"]
    assert [c.get_xdata().tolist() for c in open_] == [[1.0]]
    assert any("times too coarse" in t.get_text() for t in panel.texts)


def test_zipped_parameters_are_named():
    data = swept({CHI: [0.5, 1.0], RATE: [0.1, 0.2]}, zipped=True)
    assert sweep(data).axes[0].get_xlabel() == "chi of one_axis_twisting (with rate) (J)"


def test_axes_of_the_caller(line):
    figure = new_figure(4, 3)
    panel = figure.subplots()
    assert sweep(line, ax=panel) is figure
    with pytest.raises(InvalidInput, match=r"^ax must be one matplotlib Axes, got int$"):
        sweep(line, ax=3)


def test_refusals(line, grid):
    with pytest.raises(
        InvalidInput, match=r"'optimal_contrast' is not in data: .*'contrast' is th"
    ):
        sweep(line, quantity="optimal_contrast")
    single = sq.simulate(MODEL, sq.CoherentState("+x"), TIMES)
    for given, kind in ((single, "a single run"), (3, "int")):
        with pytest.raises(InvalidInput, match=rf"^data must be what .* returns, got {kind}; "):
            sweep(given)
    with pytest.raises(InvalidInput, match=r"got none: it is a single point$"):
        sweep(line.isel(chi=0))
    with pytest.raises(InvalidInput, match=r"chi \(3\), rate \(4\), third \(2\): select with"):
        sweep(grid.expand_dims(third=2, axis=-1).transpose("chi", "rate", "third", ...))
    with pytest.raises(
        InvalidInput, match=r"'optimal_tim' is not in data; did you mean 'optimal_t"
    ):
        sweep(line, quantity="optimal_tim")
    with pytest.raises(InvalidInput, match=r"^quantity contrast must be a number at each point"):
        sweep(line, quantity="contrast")
    nothing = line.copy(deep=True)
    nothing["optimal_xi2"][:] = np.nan
    with pytest.raises(InvalidInput, match=r"^optimal_xi2 must hold a number at some point"):
        sweep(nothing)
    with pytest.raises(InvalidInput, match=r"^data must hold xi2 or optimal_xi2 to draw"):
        sweep(line.drop_vars(["xi2", "optimal_xi2"]))


def test_a_title_that_matplotlib_cannot_read_is_drawn_as_written(line, grid):
    for data in (line, grid):
        figure = sweep(data.assign_attrs(title=r"from $\ket{+x}$"))
        assert figure.axes[0].get_title() == r"from $\ket{+x}$"
        assert figure._repr_png_().startswith(b"\x89PNG")


def perturbed(over, model, **options):
    study = sq.Study(model, steady_state=True, **options)
    return sq.sweep(study, over=over, workers=0)


def dicke(n):
    return sq.SpinModel(n, hamiltonian=[sq.Drive(0.1)], jumps=[sq.CollectiveDecay(1.0 / n)])


def test_perturbation_shows_its_next_orders_and_the_mean_field_instability():
    data = perturbed(
        {"hamiltonian.0.rabi": [0.1, 0.6, 0.2, 0.4]},
        dicke(20),
        method=sq.Perturbation(2),
        initial_state=sq.CoherentState("-z"),
    )
    panel = sweep(data).axes[0]
    (line,) = [c for c in panel.get_lines() if c.get_linestyle() == "--"]
    assert line.get_xdata() == pytest.approx([0.5, 0.5], abs=2e-2)
    (band,) = [c for c in panel.collections if c.get_label() == "next orders"]
    corners = band.get_paths()[0].vertices
    at = corners[np.isclose(corners[:, 0], 0.1)][:, 1]
    point = data.sel(rabi=0.1)
    ends = float(point.xi2) + float(point.xi2_truncation) * np.array([-1, 1])
    assert [at.min(), at.max()] == pytest.approx(10 * np.log10(ends))
    shown = [text.get_text() for text in panel.get_legend().get_texts()]
    assert shown == ["next orders", "paramagnet breaks in mean field"]


def test_a_map_shows_where_the_paramagnet_breaks():
    coupling = sq.CollectiveXYZ(j_x=0.0, j_y=0.0, j_z=1.0)
    model = sq.SpinModel(20, hamiltonian=[coupling], jumps=[sq.LocalDecay(1.0)])
    over = {"hamiltonian.0.j_x": [-1.0, 0.1, 1.3], "hamiltonian.0.j_y": [-1.1, 0.0, 1.4]}
    method = sq.Perturbation(1, next_order=False)
    panel = sweep(perturbed(over, model, method=method)).axes[0]
    (contour,) = [c for c in panel.collections if hasattr(c, "levels")]
    assert contour.levels == [1.0]
    assert any("dashed" in text.get_text() for text in panel.texts)
    inside = {"hamiltonian.0.j_x": [-1.0, 0.1], "hamiltonian.0.j_y": [-1.1, 0.0]}
    panel = sweep(perturbed(inside, model, method=method)).axes[0]
    assert not any(hasattr(c, "levels") for c in panel.collections)


def test_without_perturbation_theory_nothing_is_added(line):
    panel = sweep(line).axes[0]
    assert panel.get_legend() is None
    assert not any(c.get_linestyle() == "--" for c in panel.get_lines())


def study_with_readout(error):
    return sq.Study(
        MODEL,
        initial_state=sq.CoherentState("+x"),
        times=TIMES,
        readout=sq.Readout(detection_error=error),
    )


def test_a_readout_adds_a_curve_as_measured():
    data = sq.sweep(study_with_readout(0.02), over={CHI: [0.5, 1.0, 1.5]}, workers=0)
    panel = sweep(data).axes[0]
    assert [t.get_text() for t in panel.get_legend().get_texts()] == ["at the atoms", "as measured"]
    lines = [c for c in panel.get_lines() if c.get_linestyle() in "-:" and len(c.get_xdata()) == 3]
    shown = [c.get_ydata() for c in lines if c.get_marker() == "None"]
    for y, name in zip(shown, ("optimal_xi2", "optimal_measured_xi2"), strict=True):
        assert y == pytest.approx(10 * np.log10(data[name].values))
    own = sweep(data, quantity="optimal_xi2").axes[0]
    assert own.get_ylabel() == r"optimal squeezing $\xi^2$ at the atoms (dB)"
    measured = sweep(data, quantity="optimal_measured_xi2").axes[0]
    assert measured.get_ylabel() == r"optimal squeezing $\xi^2$ as measured (dB)"
    assert curves(measured)[0].get_ydata() == pytest.approx(shown[1])
    perfect = sq.sweep(study_with_readout(0.0), over={CHI: [0.5, 1.0]}, workers=0)
    assert sweep(perfect).axes[0].get_legend() is None


def test_a_map_over_the_readout_is_as_measured():
    over = {"readout.detection_error": [0.0, 0.02], CHI: [0.5, 1.0]}
    data = sq.sweep(study_with_readout(0.01), over=over, workers=0)
    figure = sweep(data)
    assert "as measured (dB)" in figure.axes[1].get_ylabel()
    shown = np.asarray(mesh(figure.axes[0]).get_array())
    assert shown.reshape(2, 2) == pytest.approx(10 * np.log10(data["optimal_measured_xi2"].values))
    at_atoms = sweep(data, quantity="optimal_xi2")
    assert "at the atoms (dB)" in at_atoms.axes[1].get_ylabel()


def test_an_average_says_how_many_realisations_it_has():
    data = swept({CHI: [0.5, 1.0], RATE: [0.1, 0.2, 0.3, 0.4]}, average_over=RATE)
    texts = [text.get_text().replace("\n", " ") for text in sweep(data).axes[0].texts]
    bars = "bars: standard error of the average, not the spread"
    assert texts == [f"average of 4 realisations at each point; {bars}"]
    one = swept({RATE: [0.1, 0.2, 0.3, 0.4]}, average_over=RATE)
    texts = [text.get_text().replace("\n", " ") for text in plot_squeezing(one).axes[0].texts]
    assert texts == [
        "average of 4 realisations; band: standard error of the average, not the spread"
    ]
    assert "4 realisations" in ellipse(one).axes[0].get_title()


@pytest.mark.parametrize(
    ("path", "texts", "label", "at", "scale"),
    [
        ("lab.chi", ["8 Hz", "0.004 kHz", "5 Hz"], "chi (Hz)", [4.0, 5.0, 8.0], "linear"),
        ("lab.t2", ["500 us", "0.05 ms", "5 ms"], "T2 (µs)", [50.0, 500.0, 5000.0], "log"),
    ],
)
def test_texts_with_units_stand_in_one_unit_on_a_numeric_axis(path, texts, label, at, scale):
    study = {
        "ensemble": {"spins": 20},
        "lab": {"chi": "1 Hz", "t2": "1 ms"},
        "initial_state": {"coherent": "+x"},
        "run": {"times": [0.0, 1000.0]},
    }
    panel = sweep(sq.sweep(study, over={path: texts}, workers=0)).axes[0]
    (curve,) = curves(panel)
    assert curve.get_xdata() == pytest.approx(at)
    assert (panel.get_xlabel(), panel.get_xscale()) == (label, scale)
