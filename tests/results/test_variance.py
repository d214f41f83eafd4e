"""The variance against the angle: by brute force, its error bars, every refusal."""

import numpy as np
import pytest
import xarray as xr
from tests.observables.helpers import twisted_samples

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.plot import ellipse

N = 6
TIMES = np.linspace(0.0, 0.6, 4)
MODEL = sq.SpinModel(
    N,
    hamiltonian=[sq.OneAxisTwisting(1.0), sq.UniformField([0.3, -0.2, 0.5])],
    jumps=[sq.LocalDecay(0.2)],
)


@pytest.fixture(scope="module")
def run():
    return sq.simulate(MODEL, sq.CoherentState("+x"), TIMES, method="permutation_invariant")


def brute_force(mean, covariance, angles):
    """Rotate the direction itself and sum over the covariance."""
    n = mean / np.linalg.norm(mean)
    first = np.cross([0.0, 0.0, 1.0], n)
    first /= np.linalg.norm(first)
    second = np.cross(n, first)
    directions = [np.cos(a) * first + np.sin(a) * second for a in angles]
    return np.array([d @ covariance @ d for d in directions])


def test_the_variance_is_that_of_the_rotated_direction(run):
    angles = np.linspace(-2.0, 2.0, 9)
    data = sq.variance_against_angle(run, time=0.41, angles=angles)
    at = run.isel(time=2)
    expected = brute_force(at["spin"].values, at["covariance"].values, angles)
    assert data["variance"].values == pytest.approx(expected, rel=1e-12)
    assert data["relative_variance"].values == pytest.approx(4 * expected / N, rel=1e-12)
    assert data.attrs["time"] == pytest.approx(0.4)
    assert "variance_stderr" not in data


def test_least_and_greatest_are_where_the_result_says(run):
    at = run.isel(time=int(run["xi2"].values.argmin()))
    angle = float(at["squeezing_angle"])
    data = sq.variance_against_angle(run, angles=[angle, angle + np.pi / 2])
    least, most = data["relative_variance"].values
    assert least == pytest.approx(float(at["xi2_kitagawa_ueda"]), rel=1e-10)
    assert most == pytest.approx(float(at["antisqueezing"]), rel=1e-10)
    assert float(at["ellipse_area"]) == pytest.approx(np.sqrt(least * most), rel=1e-9)
    dense = np.linspace(-np.pi / 2, np.pi / 2, 2001)
    curve = sq.variance_against_angle(run, angles=dense)["relative_variance"].values
    assert curve.min() == pytest.approx(least, rel=1e-5)
    assert curve.max() == pytest.approx(most, rel=1e-5)


def sampled(seed, twist=0.05, n_samples=400):
    """A result of samples of a twisted state of 100 spins, at one time."""
    samples = twisted_samples(
        np.random.default_rng(seed), n_spins=100, twists=[twist], n_samples=n_samples
    )
    from spinsqueeze.observables.readings import readings_of
    from spinsqueeze.results.dataset import build

    blocks = BlockMoments.from_samples(samples, n_spins=100, n_blocks=20)
    return build(
        readings_of(blocks), n_spins=100, times=np.array([twist]),
        attributes={"n_spins": 100, "unit": "J"},
    )  # fmt: skip


def test_error_bars_cover_the_truth():
    angles = np.linspace(-1.4, 1.4, 8)
    truth = sq.variance_against_angle(sampled(0, n_samples=100_000), angles=angles)["variance"]
    hits = 0
    for seed in range(40):
        data = sq.variance_against_angle(sampled(100 + seed), angles=angles)
        hits += np.abs(data["variance"] - truth) <= data["variance_stderr"]
    assert 0.55 <= hits.values.mean() / 40 <= 0.80


def test_sampled_extremes_are_those_of_the_result():
    data = sampled(3)
    angle = float(data["squeezing_angle"][0])
    curve = sq.variance_against_angle(data, angles=[angle, angle + np.pi / 2])
    # The curve is that of the moments; the extremes are corrected for what noise does to them.
    least, most = curve["relative_variance"].values
    for value, name in ((least, "xi2_kitagawa_ueda"), (most, "antisqueezing")):
        error = float(data[f"{name}_stderr"][0])
        assert value == pytest.approx(float(data[name][0]), abs=0.5 * error)
    assert curve.attrs["antisqueezing_stderr"] > 0


def test_refusals(run):
    with pytest.raises(InvalidInput, match=r"time must lie within the times 0 to 0.6, got 2"):
        sq.variance_against_angle(run, time=2.0)
    with pytest.raises(InvalidInput, match="time must be None: the result has one time"):
        sq.variance_against_angle(run.isel(time=1), time=0.2)
    with pytest.raises(InvalidInput, match="data must be a Dataset"):
        sq.variance_against_angle("result.nc")
    with pytest.raises(InvalidInput, match="angles must"):
        sq.variance_against_angle(run, angles="all")
    lost = run.copy(deep=True)
    lost["squeezing_status"][:] = 3
    with pytest.raises(UndefinedDirection, match="choose another time"):
        sq.variance_against_angle(lost)
    lost["xi2"] = xr.full_like(lost["xi2"], np.nan)
    with pytest.raises(UndefinedDirection, match="xi2 is undefined at every time"):
        sq.variance_against_angle(lost)


def test_the_picture_holds_the_curve_and_the_ellipse(run):
    data = sq.variance_against_angle(run)
    figure = ellipse(run)
    curve, plane = figure.axes
    line = curve.get_lines()[0]
    even = np.isin(line.get_xdata(), data["angle"].values / np.pi)
    levels = 10 * np.log10(data["relative_variance"].values)
    assert line.get_ydata()[even] == pytest.approx(levels)
    words = [text.get_text() for text in curve.get_legend().get_texts()]
    assert [word.split(":")[0] for word in words] == ["least", "greatest", r"Wineland $\xi^2$"]
    level = next(each for each in curve.get_lines() if each.get_label().startswith("Wineland"))
    expected = data.attrs["xi2_kitagawa_ueda"] / data.attrs["contrast"] ** 2
    assert level.get_ydata()[0] == pytest.approx(10 * np.log10(expected))
    drawn = plane.get_lines()[1]
    far = np.hypot(drawn.get_xdata(), drawn.get_ydata())
    assert far.min() ** 2 == pytest.approx(data.attrs["xi2_kitagawa_ueda"], rel=1e-3)
    assert far.max() ** 2 == pytest.approx(data.attrs["antisqueezing"], rel=1e-3)
    with pytest.raises(InvalidInput, match="time must be None"):
        ellipse(data, time=0.1)
    with pytest.raises(InvalidInput, match="one matplotlib Axes or two, got str"):
        ellipse(data, ax="here")


def test_the_picture_reaches_the_least_variance_of_many_spins():
    """A dip 1e-3 wide lies between even angles: the curve would end 8 dB above its least."""
    model = sq.SpinModel(100_000, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.simulate(model, sq.CoherentState("+x"), [5.5e-4], method="closed_form")
    curve = ellipse(data).axes[0].get_lines()[0]
    assert curve.get_ydata().min() == pytest.approx(-33.16, abs=0.01)
    assert np.all(np.diff(curve.get_xdata()) > 0)
    assert np.abs(curve.get_xdata()).max() <= 0.5
    near = np.sort(curve.get_ydata())[:20]
    assert np.ptp(near) < 3.0
