"""Times by themselves: the window, the grid, what is said of it, and that it repeats."""

import json
from dataclasses import replace

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.observables.optimum import Optimum, OptimumStatus
from spinsqueeze.results.dataset import warnings_of
from spinsqueeze.run import automatic_times
from spinsqueeze.run.answers import run_of
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.time_scales import EARLIEST, LATEST, time_scales
from spinsqueeze.run.time_windows import N_TIMES, Curve, Window, judged

X = sq.CoherentState("+x")


def twisting(n_spins, chi=1.0, **parts):
    return sq.SpinModel(n_spins, hamiltonian=[sq.OneAxisTwisting(chi)], **parts)


def dense_minimum(model, state, stop, *, method=None, n_times=4001):
    data = sq.simulate(model, state, np.linspace(0.0, stop, n_times), method=method)
    return float(data.xi2.min())


def test_the_laboratory_number_without_times():
    model = twisting(100_000, chi=2 * np.pi, unit="1/s")
    data = sq.simulate(model, X)
    best = sq.optimum(data)
    assert best.time == pytest.approx(88.0e-6, abs=0.05e-6)
    assert best.decibels == pytest.approx(-33.03, abs=0.005)
    choice = json.loads(data.attrs["automatic_times"])
    assert choice["pilot"] == "closed_form"
    assert choice["rounds"] == 1
    assert data.time[-1] == choice["window"]
    assert 1.8 < choice["window"] / best.time < 2.3
    assert np.sum(abs(data.time - best.time) < 0.4 * best.time) >= 50


@pytest.mark.parametrize("n_spins", [2, 3])
def test_a_least_xi2_where_the_mean_spin_vanishes_is_warned_of(n_spins):
    """xi2 of two spins falls to its limit of 1/2 at chi t = pi/2, where |<S>| = 0."""
    data = sq.simulate(twisting(n_spins), X)
    said = any(w.startswith("mean spin: where xi2 is least") for w in warnings_of(data))
    assert said == (n_spins == 2)
    if n_spins == 2:
        best = sq.optimum(data)
        assert best.xi2 == pytest.approx(0.5, abs=1e-4)
        assert best.time == pytest.approx(np.pi / 2, abs=1e-3)


class Sayings(list):
    """A progress function that hears what runs."""

    def __call__(self, fraction):
        pass

    def say(self, doing, *, timed=True):
        self.append((doing, timed))


def test_weak_decay_of_many_spins_takes_no_trajectories_on_the_way():
    """The first short runs, which end long before the optimum, are quick by any method."""
    heard = Sayings()
    model = twisting(100_000, jumps=[sq.CollectiveDecay(1e-9)])
    data = sq.simulate(model, X, progress=heard)
    choice = json.loads(data.attrs["automatic_times"])
    assert choice["pilot"] == "cumulants (next_order = False, tolerance = 1e-06)"
    assert list(dict.fromkeys(heard)) == [
        ("short run of cumulants for the times", False),
        ("cumulants", True),
    ]
    best = sq.optimum(data)
    assert best.decibels == pytest.approx(-33.03, abs=0.03)
    assert data.time[-1] < 2.3 * best.time  # order 2 has its minimum several times later


def curve(logs, *, noise=0.0, contrast=1.0):
    times = np.linspace(0.0, 1.0, len(logs))
    return Curve(times, np.array(logs), np.full(len(logs), noise), np.full(len(logs), contrast))


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (curve([0.0, -1.0, -2.0, -1.0, 0.0]), "minimum"),
        (curve([0.0, -1.0, -2.0, -1.9, -1.85]), None),  # no rise of 1 dB
        (curve([0.0, -1.0, -1.5, -2.0, -1.0]), None),  # too near the end of the window
        (curve([0.0, -1.0, -2.0, -1.0, 0.0], noise=1.0), None),  # all of it is noise
        (curve([0.0, -1.0, -2.0, -1.9, -1.85], contrast=0.01), "minimum"),  # the spin is gone
        (curve([0.0, -1.0, -2.0, np.nan, np.nan]), "minimum"),
        (curve([0.0, -2.0, -2.0, -2.0, -2.0]), "settled"),
        (curve([0.0, 0.1, 0.2, 0.3, 0.4]), None),  # squeezing may come yet
        (curve([0.0, 0.1, 1.0, 2.0, 3.0]), "no squeezing"),
        (curve([0.0] * 5), "no squeezing"),
        (curve([np.nan] * 5), None),
    ],
)
def test_what_ends_the_search(seen, outcome):
    window = judged(seen, window=1.0, first=0.01)
    assert (window and window.outcome) == outcome


def all_to_all(j_perp, j_z):
    return sq.PowerLawXXZ(j_perp=j_perp, j_z=j_z, exponent=0)


@pytest.mark.parametrize(
    ("terms", "rate"),
    [
        ({"hamiltonian": [sq.OneAxisTwisting(-2.0)]}, 2.0 * 10),
        ({"hamiltonian": [all_to_all(0.0, 4.0)]}, 4.0 * 9 / 2),  # twice chi, of the other nine
        ({"hamiltonian": [all_to_all(4.0, 1.0)]}, 3.0 * 9 / 2),  # less what is isotropic
        ({"jumps": [sq.CollectiveDecay(0.3)]}, 0.3 * 2 * 10),  # |(1, -i, 0)|^2 = 2
        (
            {"jumps": [sq.CorrelatedJumps(0.3, vector=(0, 0, 1), exponent=np.inf)]},
            0.3 * 3**2,  # itself and both neighbours
        ),
        ({"jumps": [sq.CorrelatedJumps(0.3, vector=(0, 0, 1), exponent=0)]}, 0.3 * 10**2),
    ],
)
def test_the_first_window_follows_from_what_all_spins_do_to_one(terms, rate):
    scales = time_scales(sq.SpinModel(sq.Lattice(10), **terms).canonical)
    assert scales.first == pytest.approx(EARLIEST / rate, rel=1e-12)


def test_classes_count_with_the_squares_of_their_weights():
    classes = [sq.SpinClass(2, weight=0.5), sq.SpinClass(8, weight=1.3)]
    form = sq.SpinModel(classes, hamiltonian=[sq.OneAxisTwisting(1.0)]).canonical
    assert time_scales(form).first == pytest.approx(EARLIEST / (2 * 0.5**2 + 8 * 1.3**2), rel=1e-12)


def test_the_last_window_holds_the_table_of_an_envelope():
    late = sq.Envelope([0.0, 1.0, 7.0], values=[0.0, 0.0, 2.0])
    scales = time_scales(twisting(10, late).canonical)
    assert scales.onset == 1.0
    assert scales.first == pytest.approx(EARLIEST / 20, rel=1e-12)
    assert scales.last == pytest.approx(6.0 + LATEST * 10 ** (1 / 3) / 20, rel=1e-12)


def test_an_onset_shifts_where_more_times_are_added():
    seen = curve(-2.0 * np.sin(np.pi * np.linspace(0.0, 1.0, 21)))
    window = Window(1.0, 0.5, 0.2, 0.8, "minimum")
    coarse = Optimum(0.1, -10.0, 0.4, status=OptimumStatus.TOO_COARSE, add_times_near=0.55)
    again = automatic_times.refined(coarse, seen, window, onset=0.0)
    assert again.best == 0.55
    later = replace(coarse, time=2.4, add_times_near=2.55)
    moved = automatic_times.refined(later, seen, window, onset=2.0)
    assert moved.outcome == again.outcome
    np.testing.assert_allclose(
        [moved.end, moved.best, moved.low, moved.high],
        [again.end, again.best, again.low, again.high],
        rtol=1e-12,
    )


@pytest.mark.parametrize(("stderr", "resolved"), [(None, False), (5e-4, False), (2e-3, True)])
def test_an_interpolation_need_not_be_finer_than_the_samples(stderr, resolved):
    seen = curve(-2.0 * np.sin(np.pi * np.linspace(0.0, 1.0, 21)))
    best = Optimum(0.1, -10.0, 0.5, xi2_stderr=stderr, xi2_interpolation=1e-3)
    window = automatic_times.refined(best, seen, Window(1.0, 0.5, 0.2, 0.8, "minimum"), onset=0.0)
    assert (window is None) == resolved


def test_a_sweep_over_n_is_right_at_every_n():
    study = sq.Study(twisting(10), initial_state=X)
    counts = [10, 100, 1000, 100_000]
    data = sq.sweep(study, over={"ensemble.spins": counts}, workers=0)
    assert data.sizes["time"] == N_TIMES
    assert np.all(data.optimal_status == 0)
    for k, n_spins in enumerate(counts):
        time = float(data.optimal_time[k])
        near = sq.simulate(twisting(n_spins), X, np.linspace(0.9 * time, 1.1 * time, 8001))
        exact, found = float(near.xi2.min()), float(data.optimal_xi2[k])
        error = float(data.optimal_xi2_interpolation[k])
        assert abs(found - exact) < error + 1e-8 * exact
        assert 10 * abs(np.log10(found / exact)) < 1e-3
    alone = sq.simulate(twisting(1000), X)
    np.testing.assert_array_equal(data.xi2[2].values, alone.xi2.values)
    study = sq.study_of(data.isel(spins=2))  # a point holds its times
    np.testing.assert_array_equal(study.times, alone.time.values)


def test_a_result_repeats_itself_and_a_sweep_goes_on(tmp_path):
    data = sq.simulate(twisting(20), X, "auto", seed=3)
    again = sq.run_study(sq.study_of(data))
    np.testing.assert_array_equal(again.xi2.values, data.xi2.values)
    np.testing.assert_array_equal(again.time.values, data.time.values)
    study = sq.Study(twisting(20), initial_state=X, times="auto")
    asked = {"over": {"hamiltonian.0.chi": [1.0, 2.0]}, "workers": 0, "store": tmp_path / "store"}
    first = sq.sweep(study, **asked)
    counts = []
    second = sq.sweep(study, progress=lambda now: counts.append(now.reused), **asked)
    assert counts[-1] == 2
    np.testing.assert_array_equal(first.xi2.values, second.xi2.values)


def test_a_study_without_times_is_one_with_auto():
    tables = {
        "ensemble": {"spins": 10},
        "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
        "initial_state": {"coherent": "+x"},
    }
    study = study_from_tables(tables)
    assert study.automatic_times
    assert study.as_tables()["run"]["times"] == "auto"
    auto = study_from_tables({**tables, "run": {"times": "auto"}})
    assert auto.as_tables() == study.as_tables()
    with pytest.raises(sq.InvalidInput, match=r"^times are chosen by the run; give times to ask"):
        study.question()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
def test_the_unit_of_rates_changes_nothing(scale):
    data = sq.simulate(twisting(50, chi=scale, jumps=[sq.LocalDecay(0.5 * scale)]), X)
    unit = sq.simulate(twisting(50, jumps=[sq.LocalDecay(0.5)]), X)
    np.testing.assert_allclose(data.time.values * scale, unit.time.values, rtol=1e-6)
    assert sq.optimum(data).xi2 == pytest.approx(sq.optimum(unit).xi2, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "state"),
    [
        (sq.SpinModel(10), X),
        (sq.SpinModel(10, jumps=[sq.LocalDephasing(1.0)]), X),
        (sq.SpinModel(10, hamiltonian=[sq.CollectiveXYZ(j_x=1.0, j_y=1.0, j_z=1.0)]), X),
        (twisting(10), sq.CoherentState("+z")),
    ],
    ids=["nothing", "dephasing", "isotropic", "pole"],
)
def test_models_that_never_squeeze_say_so(model, state):
    data = sq.simulate(model, state)
    assert str(sq.optimum(data)).startswith("no squeezing at these times")
    assert "add times" not in str(sq.optimum(data))
    given = sq.simulate(model, state, data["time"].values)
    assert ("add times between 0 and" in str(sq.optimum(given))) == (
        "chose" in str(sq.optimum(data))
    )
    assert json.loads(data.attrs["automatic_times"])["outcome"] == "no squeezing"
    assert 0.1 < float(data.time[-1]) < 100.0


def test_couplings_far_below_the_decay_are_asked_about():
    def concerns(spacing, **numbers):
        lab = sq.spins_from_lab(sq.Lattice((3, 3)), spacing=spacing, c6="863 GHz um^6", **numbers)
        return warnings_of(sq.simulate(lab.model, sq.CoherentState("+x")))

    (concern,) = concerns("5 mm", t2="5 us")
    assert concern.startswith("decay: the chosen times end at ")
    assert "times the decay time of about 5 µs: the couplings, " in concern
    assert concern.endswith("are far below the decay rate 0.2; check spacing and c6")
    assert concerns("5 um", t2="5 us") == []
    assert concerns("5 mm") == []
    (concern,) = warnings_of(
        sq.simulate(
            sq.SpinModel(
                5, hamiltonian=[sq.OneAxisTwisting(1e-9)], jumps=[sq.LocalDecay(0.5)], unit="J"
            ),
            sq.CoherentState("+x"),
        )
    )
    assert "of about 2 1/J: the couplings, " in concern
    assert concern.endswith("check their unit")


def test_an_envelope_that_starts_late_shifts_the_window():
    table = {"times": [100.0, 100.0001], "values": [0.0, 1.0]}
    late = sq.simulate(twisting(100, chi=table), X)
    at_once = sq.optimum(sq.simulate(twisting(100), X))
    best = sq.optimum(late)
    assert best.xi2 == pytest.approx(at_once.xi2, rel=1e-3)
    assert best.time - 100.0 == pytest.approx(at_once.time, rel=1e-2)


def test_two_axis_twisting_and_small_lattices():
    twice = sq.SpinModel(100, hamiltonian=[sq.TwoAxisTwisting(1.0)])
    array = sq.SpinModel(
        sq.Lattice((2, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
    )
    for model, state in ((twice, sq.CoherentState("+z")), (array, X)):
        data = sq.simulate(model, state)
        best = sq.optimum(data)
        lowest = dense_minimum(model, state, float(data.time[-1]), method=data.attrs["method"])
        assert best.xi2 == pytest.approx(lowest, rel=2e-4)


def test_progress_rises_to_the_end():
    fractions = []
    sq.simulate(twisting(20), X, progress=fractions.append)
    assert np.all(np.diff(fractions) >= 0)
    assert fractions[-1] == 1.0


def test_an_interrupt_of_a_short_run_ends_all(monkeypatch):
    def interrupted(_method, _question):
        raise KeyboardInterrupt

    monkeypatch.setattr(sq.ClosedForm, "answer", interrupted)
    with pytest.raises(KeyboardInterrupt):
        sq.simulate(twisting(20), X)


def test_compare_and_advise_take_auto():
    model = twisting(6)
    comparison = sq.compare(model, X, "auto", methods=["closed_form", "symmetric"])
    assert comparison.agree
    assert comparison.datasets["symmetric"].sizes["time"] == N_TIMES
    assert any(row.fits for row in sq.advise(model, times="auto"))


def random_model(rng):
    """Twisting, quadratics, open collective models, lattices: rates over nine decades."""
    scale, kind = 10.0 ** rng.uniform(-3, 6), rng.integers(5)
    field = sq.UniformField(scale * rng.normal(size=3) * 10 ** rng.uniform(-1, 1))
    also = [field] if rng.random() < 0.5 else []
    if kind == 0:
        return sq.SpinModel(
            int(rng.integers(2, 60)), hamiltonian=[sq.OneAxisTwisting(scale), *also]
        )
    if kind == 1:
        matrix = rng.normal(size=(3, 3)) * scale
        twist = sq.CollectiveQuadratic(matrix + matrix.T)
        return sq.SpinModel(int(rng.integers(4, 40)), hamiltonian=[twist, *also])
    if kind == 2:
        n_spins = int(rng.integers(2, 16))
        rates = scale * n_spins * 10 ** rng.uniform(-3, 0, size=2)
        jumps = [sq.LocalDecay(rates[0]), sq.LocalDephasing(rates[1])]
        return sq.SpinModel(n_spins, hamiltonian=[sq.OneAxisTwisting(scale), *also], jumps=jumps)
    if kind == 3:
        j_x, j_y, j_z = scale * rng.normal(size=3)
        term = sq.PowerLawXYZ(j_x=j_x, j_y=j_y, j_z=j_z, exponent=float(rng.choice([0, 1, 3, 6])))
        lattice = sq.Lattice((int(rng.integers(3, 9)),), boundary="open")
        return sq.SpinModel(lattice, hamiltonian=[term, *also])
    drive = sq.UniformField(scale * 10 * rng.normal(size=3))
    n_spins = int(rng.integers(2, 20))
    return sq.SpinModel(n_spins, hamiltonian=[drive], jumps=[sq.CollectiveDecay(scale)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", [*range(38), 50, 82])
def test_random_models_against_dense_grids(seed):
    """The optimum is the lowest of the window within its error; unresolved only if it must be."""
    rng = np.random.default_rng(seed)
    model = random_model(rng)
    state = sq.CoherentState(str(rng.choice(["+x", "+y", "-z"])))
    data = sq.simulate(model, state)
    best = sq.optimum(data)
    stop = float(data.time[-1])
    dense = sq.simulate(model, state, np.linspace(0, stop, 3001), method=data.attrs["method"])
    lowest = float(dense.xi2.min())
    if best.status is OptimumStatus.TOO_COARSE:  # it says so: fewer than eight times a dip
        slope = np.sign(np.diff(dense.xi2.values))
        assert np.sum((slope[:-1] < 0) & (slope[1:] >= 0)) > N_TIMES / 8
        return
    error = best.error("xi2") or 0.0
    assert best.xi2 <= lowest * (1 + 2.3e-4) + error  # 1e-3 dB
    assert best.xi2 >= lowest * (1 - 1e-3) - error  # the grid itself misses a little


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(24,), (12, 12)])
def test_sampled_lattices(shape):
    model = sq.SpinModel(
        sq.Lattice(shape), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
    )
    data = sq.simulate(model, X, method=sq.DTWA(500), seed=1)
    best = sq.optimum(data)
    assert best.status == 0
    fixed = sq.simulate(model, X, np.linspace(0, 2 * best.time, 201), method=sq.DTWA(500), seed=1)
    assert sq.optimum(fixed).xi2 == pytest.approx(best.xi2, abs=2 * best.error("xi2"))
    short = json.loads(data.attrs["automatic_times"])["pilot"]
    assert short.startswith("dtwa (n_trajectories = 128")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["trajectories", "cumulants", "permutation_invariant"])
def test_open_twisting_by_each_method(method):
    jumps = [sq.LocalDecay(0.5), sq.CollectiveDecay(0.05)]
    data = sq.simulate(twisting(40, jumps=jumps), X, method=method, seed=2)
    exact = dense_minimum(
        twisting(40, jumps=jumps),
        X,
        float(data.time[-1]),
        method="permutation_invariant",
        n_times=401,
    )
    best = sq.optimum(data)
    truncation = float(data["xi2_truncation"].max()) if "xi2_truncation" in data else 0.0
    assert abs(best.xi2 - exact) < 4 * (best.error("xi2") or 0.0) + 1e-3 * exact + truncation


def fail_to_the_end(search, asked):
    while True:
        asked.append(search.throw(sq.NumericalFailure("no")))


def test_a_search_keeps_what_it_saw_when_every_further_run_fails(monkeypatch):
    """Short runs of another method, then neither that one nor the study's own goes on."""
    monkeypatch.setattr(automatic_times, "QUICK", 0.0)
    model = sq.SpinModel(12, hamiltonian=[sq.TwoAxisTwisting(0.5)], jumps=[sq.LocalDecay(0.1)])
    study = sq.Study(model, initial_state=X, method=sq.PermutationInvariant())
    search = automatic_times.chosen_times(study)
    task = next(search)
    assert task.method.name() in ("cumulants", "dtwa")
    asked = [search.send(run_of(task))]
    with pytest.raises(StopIteration) as end:
        fail_to_the_end(search, asked)
    assert asked[-1].method.name() == "permutation_invariant"
    assert len(end.value.value) == N_TIMES


def test_a_search_that_saw_nothing_fails_as_its_last_run_did(monkeypatch):
    monkeypatch.setattr(automatic_times, "QUICK", 0.0)
    study = sq.Study(twisting(12, jumps=[sq.LocalDecay(0.1)]), initial_state=X)
    search = automatic_times.chosen_times(study)
    next(search)
    with pytest.raises(sq.NumericalFailure, match="no"):
        fail_to_the_end(search, [])
