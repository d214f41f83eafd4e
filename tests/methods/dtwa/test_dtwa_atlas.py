"""What DTWA says of its own error: the atlas, where it applies, and where it is silent."""

import math

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.dtwa import atlas
from spinsqueeze.run.questions import evolve_question

SQUARE = sq.Lattice((4, 4))


def errors_of(model, state="+x", **more):
    question = evolve_question(model, sq.CoherentState(state), [0.0, 0.1], **more)
    return atlas.known_error(question)


def xxz(exponent, *, j_perp=1.0, j_z=0.0, lattice=SQUARE, more=()):
    term = sq.PowerLawXXZ(j_perp=j_perp, j_z=j_z, exponent=exponent)
    return sq.SpinModel(lattice, hamiltonian=[term, *more])


def test_points_of_the_atlas_come_out_as_they_are():
    for sheet in atlas.atlas():
        for i, exponent in enumerate(sheet.exponents):
            for j, ratio in enumerate(sheet.ratios):
                at = sheet.at(exponent=float(exponent), ratio=float(ratio))
                assert at == pytest.approx(sheet.error[i, j], abs=1e-12)


def test_the_ising_model_lies_between_both_signs_of_the_ratio():
    sheet = atlas.atlas()[0]
    ising = sheet.error[0, -1]
    for sign in (-1, 1):
        assert sheet.at(exponent=0.0, ratio=sign * 1e9) == pytest.approx(ising, abs=1e-6)


def test_sampling_errors_are_far_below_what_the_atlas_shows():
    for sheet in atlas.atlas():
        assert np.median(sheet.stderr) < 0.1 * np.max(np.abs(sheet.error))
        assert np.all((sheet.stderr > 0) & (sheet.stderr < 0.1))


@pytest.mark.parametrize("exponent", [0.0, 1.0, 1.5, 3.0, math.inf])
@pytest.mark.parametrize("scale", [1.0, -2.5])
def test_couplings_are_recognised_whatever_their_strength(exponent, scale):
    lattice = sq.Lattice((4, 4), spacing=5.0)
    found = errors_of(xxz(exponent, j_perp=scale, j_z=-1.2 * scale, lattice=lattice), "-y")
    right = [(s.side, s.at(exponent=exponent, ratio=-1.2)) for s in atlas.atlas()]
    right = [(side, error) for side, error in right if error is not None]
    assert right
    assert [side for side, _ in found] == [side for side, _ in right]
    assert [e for _, e in found] == pytest.approx([e for _, e in right], abs=1e-6)


def test_interpolation_errs_by_hundredths_of_a_decibel_and_by_tenths_at_worst():
    """Each inner point of the finer sheet from its neighbours in the ratio: at twice the step.

    Of one exponent beyond 3 alone, so that short ranges, which bend most, count once.
    """
    sheet = atlas.atlas()[0]
    errors = sheet.error[(sheet.exponents <= 3) | np.isinf(sheet.exponents)]
    angles = np.arctan(sheet.ratios)
    left, here, right = angles[:-2], angles[1:-1], angles[2:]
    share = (here - left) / (right - left)
    between = (1 - share) * errors[:, :-2] + share * errors[:, 2:]
    off = np.abs(between - errors[:, 1:-1])
    assert np.median(off) < 0.05
    assert np.max(off) < 0.35


CLAIMED = {4: (0.05, 0.2), 5: (0.1, 0.5)}
"""dB, by side: what interpolation along one axis is said to err by, as a rule and at worst."""


def without(sheet, k, *, axis):
    """The sheet without its k-th exponent (axis 0) or ratio (axis 1)."""
    places = [sheet.exponents, sheet.ratios]
    places[axis] = np.delete(places[axis], k)
    tables = (np.delete(t, k, axis=axis) for t in (sheet.error, sheet.stderr, sheet.exact))
    return atlas.Sheet(sheet.side, *places, *tables)


def bounds_of_interpolation(sheet, *, axis):
    """What linear interpolation errs by around each inner point, from leaving that point out.

    A bend by J in slope errs by J h h'/(h + h') where it lies on the point left out, h and h' from
    its neighbours, and by J h/4 at most inside an interval h of the whole sheet; a smooth curve
    gains more by the point than this ratio. Every interval touches an inner point.
    """
    places = (1.0 / (1.0 + sheet.exponents), np.arctan(sheet.ratios))[axis]
    bounds = []
    for k in range(1, len(places) - 1):
        exponents = sheet.exponents[[k]] if axis == 0 else sheet.exponents
        ratios = sheet.ratios[[k]] if axis == 1 else sheet.ratios
        coarse = without(sheet, k, axis=axis)
        found = [coarse.at(exponent=float(a), ratio=float(r)) for a in exponents for r in ratios]
        steps = np.abs(np.diff(places[k - 1 : k + 2]))
        share = steps.max() / 4 / (steps.prod() / steps.sum())
        bounds.append(share * np.abs(np.array(found) - np.take(sheet.error, k, axis=axis)))
    return np.array(bounds)


@pytest.mark.parametrize("axis", [0, 1], ids=["exponent", "ratio"])
@pytest.mark.parametrize("sheet", atlas.atlas(), ids=lambda sheet: f"{sheet.side} x {sheet.side}")
def test_interpolation_errs_by_no_more_than_the_documentation_says(sheet, axis):
    usual, worst = CLAIMED[sheet.side]
    bounds = bounds_of_interpolation(sheet, axis=axis)
    assert np.median(bounds) < usual
    assert np.max(bounds) < worst


def test_a_sheet_is_silent_outside_its_range():
    sheet = atlas.Sheet(
        4, *(np.array(a) for a in ([1.0, 3.0], [-1.0, 2.0], *3 * ([[1, 2], [3, 4]],)))
    )
    assert sheet.at(exponent=1.0, ratio=2.0) == 2
    for exponent, ratio in ((0.9, 0.0), (3.1, 0.0), (2.0, -1.1), (2.0, 2.1), (2.0, math.inf)):
        assert sheet.at(exponent=exponent, ratio=ratio) is None


FIELD = sq.UniformField([0.0, 0.0, 0.3])
RAMP = sq.Envelope(times=[0.0, 1.0], values=[1.0, 2.0])
OTHERS = {
    "field": xxz(3, more=[FIELD]),
    "open": xxz(3, lattice=sq.Lattice((4, 4), boundary="open")),
    "vacancy": xxz(3, lattice=sq.Lattice((4, 4), vacancies=[3])),
    "chain": xxz(3, lattice=sq.Lattice((16,))),
    "oblong": xxz(3, lattice=sq.Lattice((4, 6))),
    "uneven": xxz(3, lattice=sq.Lattice((4, 4), spacing=(1.0, 2.0))),
    "ladder": xxz(3, lattice=sq.Lattice((3, 3))),
    "isotropic": xxz(3, j_z=1.0),
    "in time": xxz(3, j_perp=RAMP),
    "two laws": xxz(3, more=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=6)]),
    "xyz": sq.SpinModel(
        SQUARE, hamiltonian=[sq.PowerLawXYZ(j_x=1.0, j_y=0.5, j_z=0.0, exponent=3)]
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_are_not_spoken_of(name):
    assert errors_of(OTHERS[name]) == ()


def test_other_states_and_pulses_are_not_spoken_of():
    assert errors_of(xxz(3))
    assert errors_of(xxz(3), [0.6, 0.0, 0.8]) == ()
    assert errors_of(xxz(3), pulses=[sq.Pulse(0.05, axis="x", angle=np.pi)]) == ()


def test_words():
    assert atlas.in_words(()) == ""
    words = atlas.in_words(((4, -0.31), (5, 0.27), (6, 0.01)))
    assert "0.3 dB too low (optimistic) on 4 x 4" in words
    assert "0.3 dB too high (pessimistic) on 5 x 5" in words
    assert "right to 0.05 dB on 6 x 6" in words


def test_a_run_says_it_and_warns_only_where_it_is_large_and_the_lattice_small():
    assert atlas.warnings(((4, -0.51),), n_spins=36)[0].startswith("approximation: ")
    assert atlas.warnings(((4, -0.51),), n_spins=100) == ()
    assert atlas.warnings(((4, -0.49),), n_spins=16) == ()
    model = xxz(0, j_z=3.0)
    data = sq.simulate(model, sq.CoherentState("+x"), [0.05], method=sq.DTWA(4))
    assert "1.0 dB too low (optimistic) on 4 x 4" in data.attrs["diagnostics"]
    assert "1.0 dB too low (optimistic) on 4 x 4" in data.attrs["warnings"]


def test_advice_says_it():
    rows = {row.name: row for row in sq.advise(xxz(1, j_z=3.0))}
    assert "0.9 dB too low (optimistic) on 4 x 4" in rows["dtwa"].known
    assert rows["dtwa"].known in str(rows["dtwa"])
    assert rows["exact"].known == ""


@pytest.mark.slow
def test_the_atlas_is_what_dtwa_and_exact_give():
    sheet = atlas.atlas()[0]
    i, j = 1, list(sheet.ratios).index(3.0)
    times = np.linspace(0.0, 0.25, 31)
    model = xxz(float(sheet.exponents[i]), j_z=3.0)
    exact, sampled = (
        sq.optimum(sq.simulate(model, sq.CoherentState("+x"), times, method=method, seed=3))
        for method in (sq.Exact(), sq.DTWA(4000, tolerance=1e-2))
    )
    assert exact.decibels == pytest.approx(sheet.exact[i, j], abs=2e-3)
    error = math.hypot(sampled.decibels_stderr, sheet.stderr[i, j])
    assert abs(sampled.decibels - exact.decibels - sheet.error[i, j]) < 4 * error


@pytest.mark.parametrize(("factor", "tensor_factor"), [(-1.0, 3.0), (-6.0, 0.5), (2.0, -1.5)])
def test_couplings_count_with_the_size_and_sign_of_their_table(factor, tensor_factor):
    r = np.sqrt([1.0, 2.0, 4.0, 5.0, 8.0])
    along = np.diag([0.0, 0.0, tensor_factor])
    exchange = sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)
    tabled = sq.TabulatedCoupling(distances=r, values=factor * r**-3, tensor=along)
    plain = sq.PowerLawXXZ(j_perp=1.0, j_z=-3.0, exponent=3)

    def known(*terms):
        model = sq.SpinModel(sq.Lattice((4, 4)), hamiltonian=terms)
        return atlas.known_error(evolve_question(model, sq.CoherentState("+x"), [0.0, 0.1]))

    assert known(plain)
    assert known(exchange, tabled) == known(plain)
