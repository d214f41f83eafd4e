"""Branches of steady states against known folds, thresholds and crossings; and what is refused."""

import json

import numpy as np
import pytest
from scipy.optimize import brentq

import spinsqueeze as sq
from spinsqueeze.cli.branches import _report as print_report

N = 200
DOWN = sq.CoherentState("-z")


def driven(exchange, *jumps, n=N):
    return sq.SpinModel(
        n,
        hamiltonian=[sq.Drive(1.0), sq.CollectiveExchange(exchange)],
        jumps=[sq.CollectiveDecay(1.0), *jumps],
    )


def along(start, stop, num=21):
    return {"hamiltonian.0.rabi": {"start": start, "stop": stop, "num": num}}


def at(data, value, name="rabi"):
    """The branches at a value of the parameter: rows of <S> by linear interpolation, and stable."""
    rows = []
    for b, n in enumerate(data["n_points"].values):
        x, spin = data[name].values[b, :n], data["spin"].values[b, :n]
        for k in np.flatnonzero((x[:-1] - value) * (x[1:] - value) < 0):
            share = (value - x[k]) / (x[k + 1] - x[k])
            row = spin[k] + share * (spin[k + 1] - spin[k])
            rows.append((*row, bool(data["stable"].values[b, k : k + 2].all())))
    return np.array(rows)


@pytest.fixture(scope="module")
def bistable():
    return sq.branches(driven(1.0, sq.LocalDecay(4.0)), over=along(10.0, 350.0, 41), n_places=3)


def tucker_drive(z, *, chi, gamma):
    """Omega of (S5), (S6), (S8) with the factors of NOTES.md put right, as a function of z."""
    r2 = -(z**2 + z) / 2
    first = 2 * (N - 1) * r2 + (1.0 + gamma) * (1 + z)
    second = -4 * chi * (N - 1) * r2 + 4 * chi * r2 / z
    return np.sqrt((first**2 + second**2) / (4 * r2))


def test_the_folds_of_tucker2020(bistable):
    grid = np.linspace(-0.9999, -1e-4, 4001)

    def slope(z, h=1e-5):
        values = [tucker_drive(z + s * h * abs(z), chi=1.0, gamma=4.0) for s in (-2, -1, 1, 2)]
        return np.dot([1, -8, 8, -1], values)

    slopes = [slope(z) for z in grid]
    turns = [
        brentq(slope, a, b, xtol=1e-13)
        for a, b, fa, fb in zip(grid[:-1], grid[1:], slopes[:-1], slopes[1:], strict=True)
        if fa * fb < 0
    ]
    folds = sorted(tucker_drive(z, chi=1.0, gamma=4.0) for z in turns)
    assert list(bistable["special_kind"].values) == ["fold", "fold"]
    assert sorted(bistable["special_parameter"].values) == pytest.approx(folds, rel=1e-9)
    critical = N / 2 * np.sqrt(5) / np.sqrt(2)  # Upsilon_c/sqrt(2) of many spins
    assert folds[1] == pytest.approx(critical, rel=0.02)
    assert bistable.sizes["branch"] == 1


def test_every_point_solves_the_printed_equations(bistable):
    s = bistable["spin"].values[0] / (N / 2)
    drive = tucker_drive(s[:, 2], chi=1.0, gamma=4.0)
    assert drive == pytest.approx(bistable["rabi"].values[0], rel=1e-7)


def test_long_evolution_ends_on_stable_branches(bistable):
    rows = at(bistable, 120.0)
    assert len(rows) == 3
    assert list(rows[:, 3][np.argsort(rows[:, 2])]) == [1, 0, 1]
    model = sq.SpinModel(
        N, hamiltonian=[sq.Drive(120.0), sq.CollectiveExchange(1.0)],
        jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(4.0)],
    )  # fmt: skip
    reached = set()
    for state in ("-z", "+x", "+y"):
        data = sq.simulate(
            model, sq.CoherentState(state), [20.0], method=sq.MeanField(next_order=False)
        )
        distances = np.abs(rows[:, :3] - data["spin"].values[-1]).max(axis=1) / (N / 2)
        assert distances.min() < 5e-3
        assert rows[distances.argmin(), 3]
        reached.add(int(distances.argmin()))
    assert len(reached) == 2


def test_the_driven_dicke_transition():
    data = sq.branches(driven(0.0), over=along(0.05 * N / 2, 1.5 * N / 2), n_places=3)
    assert json.loads(data.attrs["diagnostics"])["products"] == "factorised"
    assert data.sizes["branch"] == 4
    assert set(data["special_kind"].values) == {"branch point"}
    assert data["special_parameter"].values == pytest.approx(N / 2, rel=1e-9)
    for b, n in enumerate(data["n_points"].values):
        f = data["rabi"].values[b, :n] / (N / 2)
        s = data["spin"].values[b, :n] / (N / 2)
        assert np.linalg.norm(s, axis=1) == pytest.approx(np.ones(n), abs=1e-9)
        if f.min() < 0.9:
            assert s[:, 1] == pytest.approx(f, abs=1e-8)
            assert np.abs(s[:, 2]) == pytest.approx(np.sqrt(np.maximum(1 - f**2, 0)), abs=1e-4)
            decay = np.sign(s[:, 2]) * N / 2 * np.sqrt(np.maximum(1 - f**2, 0))
            assert data["growth"].values[b, :n] == pytest.approx(decay, abs=1e-2)
        else:
            assert s[:, 1] == pytest.approx(1 / f, abs=1e-8)
            assert np.abs(data["growth"].values[b, 1:n]).max() < 1e-6


def laser(pumping, *fields):
    jumps = [sq.CollectiveDecay(1.0), sq.LocalPumping(pumping), sq.LocalDecay(5.0)]
    return sq.SpinModel(N, hamiltonian=fields, jumps=jumps)


PUMPED = {"jumps.1.rate": {"start": 0.5, "stop": 300.0, "num": 41, "spacing": "log"}}
# The transverse rate (N - 1) Gamma z0 - (w + gamma + Gamma) of the unpolarised state vanishes.
THRESHOLDS = np.sort(np.roots([1.0, 2 * 6.0 - (N - 1), 36.0 + (N - 1) * 6.0]))


def test_the_thresholds_of_the_superradiant_laser():
    data = sq.branches(laser(1.0), over=PUMPED, n_places=3)
    assert data.sizes["branch"] == 2
    own = data["special_parameter"].values[data["special_branch"].values == 0]
    assert np.sort(own) == pytest.approx(THRESHOLDS, rel=1e-7)
    assert set(data["special_kind"].values) == {"branch point"}
    lasing = 1 if abs(data["spin"].values[0, :, :2]).max() < 1e-6 else 0
    n = int(data["n_points"].values[lasing])
    assert data["stable"].values[lasing, 1 : n - 1].all()
    rows = at(data, 50.0, "rate")
    end = sq.steady_state(
        laser(50.0), initial_state=sq.CoherentState("+x"), method=sq.MeanField(next_order=False)
    )
    (stable,) = rows[rows[:, 3] > 0]
    assert np.hypot(*stable[:2]) == pytest.approx(np.hypot(*end["spin"].values[:2]), rel=2e-3)
    assert stable[2] == pytest.approx(float(end["spin"][2]), rel=2e-3)


def test_a_detuned_laser_begins_to_oscillate_at_its_thresholds():
    data = sq.branches(laser(1.0, sq.UniformField([0, 0, 3.0])), over=PUMPED, n_places=2)
    assert list(data["special_kind"].values) == ["hopf", "hopf"]
    assert np.sort(data["special_parameter"].values) == pytest.approx(THRESHOLDS, rel=1e-7)
    assert data["special_frequency"].values == pytest.approx([3.0, 3.0], rel=1e-9)


def test_a_pitchfork_has_two_arms():
    model = sq.SpinModel(
        50, hamiltonian=[sq.CollectiveXYZ(j_x=1.0, j_y=-1.0, j_z=0.0)], jumps=[sq.LocalDecay(1.0)]
    )
    span = {"start": 0.05, "stop": 2.0, "num": 21}
    data = sq.branches(model, over={"hamiltonian.0.j_x": span}, n_places=2)
    # ds_x/dt = -s_x/2 + c s_y, ds_y/dt = -s_y/2 + c j_x s_x, c = (N - 1)/N, of spins down
    assert data.sizes["branch"] == 3
    assert data["special_parameter"].values == pytest.approx(0.25 * (50 / 49) ** 2, rel=1e-7)
    rows = at(data, 1.5, "j_x")
    down, *arms = rows[np.argsort(rows[:, 2])]
    assert not down[3]
    assert arms[0][:2] == pytest.approx(-arms[1][:2], rel=1e-3)
    assert arms[0][3]
    assert arms[1][3]


def test_order_two_keeps_the_total_spin():
    n = 50
    data = sq.branches(
        driven(0.0, n=n), over=along(2.0, 15.0), method=sq.Cumulants(2), n_places=2, n_random=3,
        initial_states=[DOWN],
    )  # fmt: skip
    total = data["total_spin_squared"].values
    kept = total[~np.isnan(total)]
    assert kept == pytest.approx(n / 2 * (n / 2 + 1), rel=1e-9)
    exact = sq.steady_state(
        sq.SpinModel(n, hamiltonian=[sq.Drive(12.5)], jumps=[sq.CollectiveDecay(1.0)]),
        initial_state=DOWN,
        method="closed_form",
    )
    rows = at(data, 12.5)
    (stable,) = rows[rows[:, 3] > 0]
    assert stable[:3] == pytest.approx(exact["spin"].values, abs=0.02 * n / 2)


def test_a_branch_for_each_value_of_what_is_conserved():
    model = sq.SpinModel(
        20, hamiltonian=[sq.UniformField([0, 0, 1.0]), sq.OneAxisTwisting(1.0)],
        jumps=[sq.CollectiveJump(1.0, vector=[0, 0, 1])],
    )  # fmt: skip
    data = sq.branches(
        model,
        over={"hamiltonian.1.chi": [0.5, 1.0, 1.5]},
        initial_states=[sq.CoherentState("+z"), sq.CoherentState([0.6, 0, 0.8])],
        n_places=1,
    )
    assert sorted(data["spin"].sel(axis="z").values[:, 0]) == pytest.approx([8.0, 10.0])
    assert len(data["special_kind"]) == 0


@pytest.mark.slow
def test_of_two_classes():
    spins = [sq.SpinClass(50, detuning=-1.0), sq.SpinClass(50, detuning=1.0)]
    model = sq.SpinModel(
        spins, hamiltonian=[sq.Drive(1.0)], jumps=[sq.CollectiveDecay(0.2), sq.LocalDecay(1.0)]
    )
    data = sq.branches(model, over=along(0.5, 12.0), n_places=1)
    end = sq.steady_state(
        sq.SpinModel(
            spins, hamiltonian=[sq.Drive(8.0)], jumps=[sq.CollectiveDecay(0.2), sq.LocalDecay(1.0)]
        ),
        initial_state=DOWN,
        method=sq.MeanField(next_order=False),
    )
    rows = at(data, 8.0)
    stable = rows[rows[:, 3] > 0]
    assert np.abs(stable[:, :3] - end["spin"].values).max(axis=1).min() < 0.01 * 50


def test_a_result_is_saved_drawn_and_tied_to_its_study(bistable, tmp_path):
    path = sq.save(bistable, tmp_path / "branches.nc")
    assert sq.load(path).identical(bistable)
    assert sq.study_of(bistable).model.spins == N
    assert "xi2" not in bistable
    figure = sq.plot.branches(bistable)
    styles = {line.get_linestyle() for line in figure.axes[0].lines}
    assert {"-", "--"} <= styles
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert words == ["stable", "unstable", "fold"]
    with pytest.raises(sq.InvalidInput, match="must be one of x, y, z"):
        sq.plot.branches(bistable, quantity="xi2")
    with pytest.raises(sq.InvalidInput, match=r"what spinsqueeze.branches returns"):
        sq.plot.branches(bistable.drop_vars("special_kind"))
    with pytest.raises(sq.InvalidInput, match="ax must be one matplotlib Axes"):
        sq.plot.branches(bistable, ax=3)


def test_a_limit_of_branches_is_said():
    data = sq.branches(driven(0.0), over=along(5.0, 150.0, 5), n_places=2, max_branches=1)
    assert "more than 1 branches" in json.loads(data.attrs["warnings"])[0]
    assert data.sizes["branch"] == 1


RANGE = {"start": 0.1, "stop": 2.0, "num": 5}
CLOSED = sq.SpinModel(10, hamiltonian=[sq.Drive(1.0)])
RAMP = sq.Envelope([0.0, 1.0], values=[0.0, 1.0])
IN_TIME = sq.SpinModel(
    10, hamiltonian=[sq.Drive(1.0), sq.OneAxisTwisting(RAMP)], jumps=[sq.LocalDecay(1.0)]
)
LATTICE = sq.SpinModel(
    sq.Lattice(4), hamiltonian=[sq.Drive(1.0), sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)],
    jumps=[sq.LocalDecay(1.0)],
)  # fmt: skip
OPEN = driven(0.0, sq.LocalDecay(1.0), n=20)
RABI = "hamiltonian.0.rabi"


@pytest.mark.parametrize(
    ("model", "over", "message"),
    [
        (OPEN, {}, "over must be one path"),
        (OPEN, {RABI: RANGE, "jumps.0.rate": RANGE}, "over must be one path"),
        (OPEN, {"run.seed": RANGE}, "must be a dotted path to a strength"),
        (OPEN, {"hamiltonian.0.rabbi": RANGE}, "rabbi"),
        (OPEN, {"hamiltonian.7.rabi": RANGE}, "hamiltonian.7"),
        (OPEN, {RABI: [1.0]}, "must hold 2 to 10000 values"),
        (OPEN, {RABI: [1.0, 3.0, 2.0]}, "increase or decrease"),
        (OPEN, {RABI: ["a", "b"]}, "increase or decrease"),
        (OPEN, {RABI: {"start": 1.0, "stop": 2.0}}, "num"),
        (
            OPEN,
            {"ensemble.spins": {"start": 10, "stop": 20, "num": 3}},
            "must not change the number of spins",
        ),
        (CLOSED, {RABI: RANGE}, "this model is closed"),
        (IN_TIME, {RABI: RANGE}, "this model has an envelope"),
        ("a model", {RABI: RANGE}, "subject must be a SpinModel"),
    ],
)
def test_what_is_refused(model, over, message):
    with pytest.raises(sq.InvalidInput, match=message):
        sq.branches(model, over=over)


def test_models_and_methods_that_do_not_fit():
    with pytest.raises(sq.Unsupported, match="couplings depend on the pair of spins"):
        sq.branches(LATTICE, over={RABI: RANGE})
    cavity = sq.Cavity(decay_rate=1.0, coupling=0.1)
    kept = sq.SpinModel(10, hamiltonian=[sq.Drive(1.0)], jumps=[sq.LocalDecay(1.0)], cavity=cavity)
    with pytest.raises(sq.Unsupported, match="it keeps a cavity"):
        sq.branches(kept, over={RABI: RANGE})
    with pytest.raises(sq.InvalidInput, match="method must be MeanField or Cumulants"):
        sq.branches(OPEN, over={RABI: RANGE}, method=sq.DTWA())
    with pytest.raises(sq.Unsupported, match=r"rabi = 0.1.*local jumps change the total spin"):
        sq.branches(OPEN, over={RABI: RANGE}, method=sq.MeanField(products="factorised"))
    with pytest.raises(sq.TooLarge, match="at most 400 are followed"):
        sq.branches(OPEN, over={RABI: RANGE}, method=sq.Cumulants(12))
    with pytest.raises(sq.InvalidInput, match="n_places"):
        sq.branches(OPEN, over={RABI: RANGE}, n_places=0)
    with pytest.raises(sq.InvalidInput, match="progress must be a function"):
        sq.branches(OPEN, over={RABI: RANGE}, progress=3)


def test_a_crossing_is_neither_stable_nor_unstable(capsys):
    """The branches of the driven Dicke model meet at rabi = N/2, where the growth is zero."""
    model = driven(0.0, n=30)
    data = sq.branches(model, over=along(1.0, 30.0, 41))
    print_report(data)
    lines = [line for line in capsys.readouterr().out.splitlines() if "points" in line]
    assert sorted(line.rpartition(", ")[2] for line in lines) == [
        "0% stable",
        "100% stable",
        "neither stable nor unstable",  # beyond the threshold spins turn for ever
        "neither stable nor unstable",
    ]
    at_crossing = np.abs(data["rabi"].values - 15.0) < 1e-6
    assert np.any(at_crossing)
    assert not np.any(data["stable"].values[at_crossing])
