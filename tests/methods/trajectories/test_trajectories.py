"""QuantumTrajectories against the density matrix, and what a single trajectory keeps."""

import json
import time

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, NumericalFailure, Unsupported
from spinsqueeze.methods.base import worker_threads
from spinsqueeze.methods.base.answer import COMPLETE
from spinsqueeze.methods.trajectories import run as running
from spinsqueeze.methods.trajectories.initial import mixture
from spinsqueeze.methods.trajectories.lowering import lower
from spinsqueeze.methods.trajectories.run import Options, walks
from spinsqueeze.run.questions import evolve_question

MATRIX = [[0.03, 0.01, 0.02], [0.01, -0.05, 0.0], [0.02, 0.0, 0.04]]
TILTED = sq.CoherentState([0.48, -0.6, 0.64])
TIMES = np.array([0.0, 0.2, 0.5])
RAMP = sq.Envelope([0.0, 0.2, 0.4], values=[0.3, 1.5, 0.2])
STEP = sq.Envelope([0.0, 0.15], values=[0.2, 1.0], interpolation="step")
PULSES = (sq.Pulse(0.2, axis="x", angle=0.7), sq.Pulse(0.3, axis=[0.0, 0.6, 0.8], angle=-1.1))
ANY = [0.3, 1j, 0.5 - 0.2j]
MIXTURES = {
    "collective": ([sq.Drive(4.0)], [sq.CollectiveDecay(0.4)], ()),
    "squeezed": ([sq.UniformField([0, 0, 1.0])], [sq.SqueezedCollectiveDecay(0.3, r=0.6)], ()),
    "decay and pumping": ([sq.Drive(3.0)], [sq.LocalDecay(1.0), sq.LocalPumping(0.4)], ()),
    "dephasing": ([sq.OneAxisTwisting(0.1)], [sq.LocalDephasing(1.0)], ()),
    "any jumps, envelopes and pulses": (
        [sq.CollectiveQuadratic(MATRIX), sq.Drive(RAMP), sq.CollectiveExchange(0.05)],
        [
            sq.CollectiveJump(0.05, vector=ANY),
            sq.LocalJump(STEP, vector=[1.0, 0.5j, 0.3 + 0.2j]),
            sq.CollectiveDecay(RAMP),
            sq.LocalDephasing(0.3),
        ],
        PULSES,
    ),
}


def model_of(name, n):
    hamiltonian, jumps, pulses = MIXTURES[name]
    return sq.SpinModel(n, hamiltonian=hamiltonian, jumps=jumps), pulses


def agree(model, state, times, method, *, pulses=(), seed=1, sigmas=5.0):
    data = sq.simulate(model, state, times, method=method, pulses=pulses, seed=seed)
    exact = sq.simulate(model, state, times, method="permutation_invariant", pulses=pulses)
    n = model.canonical.n_spins
    steps = float(data.attrs["numerical_error"]) * np.sqrt(n) / 2
    for name, slack in (("spin", steps), ("covariance", 3 * np.sqrt(n) * steps)):
        error = np.abs(data[name] - exact[name]).values
        assert np.all(error <= sigmas * data[f"{name}_stderr"].values + slack + 1e-9), name
        resolution = np.sqrt(n) * (1 if name == "spin" else 3 * np.sqrt(n))
        assert data[f"{name}_stderr"].values.max() < resolution / np.sqrt(method.n_trajectories)
    return data


@pytest.mark.parametrize("unraveling", ["shifted", "direct"])
@pytest.mark.parametrize("name", MIXTURES)
def test_averages_are_those_of_the_density_matrix(name, unraveling):
    model, pulses = model_of(name, 12)
    method = sq.QuantumTrajectories(400, unraveling=unraveling)
    agree(model, TILTED, TIMES, method, pulses=pulses)


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 60])
@pytest.mark.parametrize("name", MIXTURES)
def test_averages_of_many_spins_are_those_of_the_density_matrix(name, n):
    if MIXTURES[name][2]:
        n = min(n, 40)  # the density matrix in time-dependent terms takes minutes at 60
    model, pulses = model_of(name, n)
    data = agree(model, TILTED, TIMES, sq.QuantumTrajectories(2000), pulses=pulses)
    assert json.loads(data.attrs["diagnostics"])["jumps"] > 1.0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_spins(n):
    model, pulses = model_of("any jumps, envelopes and pulses", n)
    agree(model, TILTED, TIMES, sq.QuantumTrajectories(400), pulses=pulses)


@pytest.mark.parametrize(
    "state",
    [
        sq.DickeState(1, axis="y"),
        sq.DickeState(-1),
        sq.SymmetricState(np.full(7, 7**-0.5)),
        "mixed",
    ],
)
def test_every_initial_state(state):
    model = sq.SpinModel(6, hamiltonian=[sq.Drive(1.0)], jumps=[sq.LocalDecay(0.5)])
    if state == "mixed":
        exact = sq.simulate(model, TILTED, [0.4], method="permutation_invariant", keep_state=True)
        state = sq.final_state(exact)
    agree(model, state, TIMES, sq.QuantumTrajectories(600))


def test_a_mixed_state_is_drawn_by_its_eigenvectors():
    block = sq.simulate(
        sq.SpinModel(4, jumps=[sq.LocalDecay(1.0)]), TILTED, [0.7],
        method="permutation_invariant", keep_state=True,
    )  # fmt: skip
    start = mixture(sq.final_state(block), 4)
    assert {pure.two_j for pure in start.starts} == {4, 2, 0}
    assert start.passed[-1] == pytest.approx(1.0)
    weights = np.diff(np.concatenate([[0.0], start.passed]))
    heavy = int(np.argmax(weights))
    assert start.draw(start.passed[heavy] * (1 - 1e-9)) is start.starts[heavy]
    assert start.draw(1.0) is start.starts[-1]


@pytest.mark.parametrize("rate", [0.0, sq.Envelope([0.0, 0.2, 0.3], values=[0.0, 0.0, 0.7])])
def test_without_jumps_it_is_the_pure_evolution(rate):
    """Zero rates; and where a rate has not begun yet, rounding of the norm makes no jump."""
    model = sq.SpinModel(
        20, hamiltonian=[sq.CollectiveQuadratic(MATRIX), sq.Drive(1.0)], jumps=[sq.LocalDecay(rate)]
    )
    closed = sq.SpinModel(20, hamiltonian=[sq.CollectiveQuadratic(MATRIX), sq.Drive(1.0)])
    method = sq.QuantumTrajectories(20, tolerance=1e-7)
    data = sq.simulate(model, TILTED, [0.0, 0.1, 0.2], method=method)
    exact = sq.simulate(closed, TILTED, [0.0, 0.1, 0.2], method="symmetric")
    assert json.loads(data.attrs["diagnostics"])["jumps"] == 0.0
    assert data.spin.values == pytest.approx(exact.spin.values, abs=1e-5)
    assert data.covariance.values == pytest.approx(exact.covariance.values, abs=1e-4)
    assert data.xi2_stderr.values == pytest.approx(np.zeros(3), abs=1e-6)


def test_twisting_to_late_times_takes_the_whole_ladder():
    model = sq.SpinModel(40, hamiltonian=[sq.OneAxisTwisting(1.0)])
    method = sq.QuantumTrajectories(4, tolerance=1e-6)
    data = sq.simulate(model, sq.CoherentState("+x"), [0.01, np.pi / 2], method=method)
    exact = sq.simulate(model, sq.CoherentState("+x"), [0.01, np.pi / 2], method="closed_form")
    assert json.loads(data.attrs["diagnostics"])["largest_window"] == 41
    assert data.covariance.values == pytest.approx(exact.covariance.values, abs=1e-3)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5])
def test_a_narrow_packet_errs_less_than_it_claims(tolerance):
    model = sq.SpinModel(400, hamiltonian=[sq.OneAxisTwisting(1.0), sq.Drive(500.0)])
    times = [0.002, 0.008]
    data = sq.simulate(
        model, sq.CoherentState("+x"), times,
        method=sq.QuantumTrajectories(4, tolerance=tolerance),
    )  # fmt: skip
    exact = sq.simulate(model, sq.CoherentState("+x"), times, method="symmetric")
    assert json.loads(data.attrs["diagnostics"])["largest_window"] < 150
    assert exact.xi2.values[-1] < 0.25
    errors = np.abs(data.spin - exact.spin).max("axis").values / (np.sqrt(400) / 2)
    assert np.all(errors < data.spin_numerical_error.values + 1e-9)
    assert np.all(data.spin_numerical_error.values < 30 * tolerance)
    assert data.xi2.values == pytest.approx(exact.xi2.values, rel=100 * tolerance)


def test_shifted_jumps_are_far_fewer():
    model = sq.SpinModel(100, hamiltonian=[sq.Drive(30.0)], jumps=[sq.CollectiveDecay(1.0)])
    jumps = [
        json.loads(
            sq.simulate(
                model, sq.CoherentState("-x"), [0.05],
                method=sq.QuantumTrajectories(20, unraveling=kind),
            ).attrs["diagnostics"]
        )["jumps"]
        for kind in ("shifted", "direct")
    ]  # fmt: skip
    assert jumps[1] > 20 * jumps[0]


def test_photon_counts_are_those_of_the_density_matrix():
    """Direct jumps of S_minus come at the rate Gamma <S_+ S_->; here it is integrated over time."""
    model = sq.SpinModel(8, jumps=[sq.CollectiveDecay(1.0)])
    times = np.linspace(0.0, 0.5, 3)
    exact = sq.simulate(model, sq.CoherentState("+z"), times, method="permutation_invariant")
    lost = float(exact.spin.sel(axis="z")[0] - exact.spin.sel(axis="z")[-1])
    method = sq.QuantumTrajectories(500, unraveling="direct", keep_trajectories=500)
    data = sq.simulate(model, sq.CoherentState("+z"), [0.5], method=method)
    assert data.jump_time.units == data.time.units
    counts = np.isfinite(data.jump_time.values).sum(axis=1)
    assert counts.mean() == pytest.approx(lost, abs=5 * counts.std() / np.sqrt(500) + 1e-9)
    assert set(np.unique(data.jump_channel.values)) <= {-1, 0}
    first = data.jump_time.values[:, 0]  # the first decay of |j, j>: rate 2j = 8
    for quantile in (0.2, 0.5, 0.8):
        before = np.mean(first < -np.log(1 - quantile) / 8)
        assert before == pytest.approx(quantile, abs=5 * 0.5 / np.sqrt(500))


def test_kept_trajectories():
    model, pulses = model_of("any jumps, envelopes and pulses", 10)
    method = sq.QuantumTrajectories(8, keep_trajectories=3, tolerance=1e-5)
    data = sq.simulate(model, TILTED, TIMES, method=method, pulses=pulses, seed=4)
    assert data.trajectory_xi2.dims == ("time", "trajectory")
    assert data.trajectory_spin.shape == (3, 3, 3)
    assert np.all(data.trajectory_effective_spins.values[0] == 10.0)
    when, what = data.jump_time.values, data.jump_channel.values
    assert np.array_equal(np.isnan(when), what < 0)
    assert np.all((np.diff(when, axis=1) > 0) | np.isnan(np.diff(when, axis=1)))
    names = json.loads(json.loads(data.attrs["diagnostics"])["channels"])
    assert len(names) == 12
    assert names[3 * 3 + 1] == "local jump to j - 1" or "local jump to j - 1" in names
    change = np.array([0, -2, 2])[what[what >= 0] % 3]
    assert np.sum(change) == data.trajectory_effective_spins.values[-1].sum() - 30
    fewer = sq.simulate(
        model, TILTED, TIMES, method=sq.QuantumTrajectories(4, keep_trajectories=2, tolerance=1e-5),
        pulses=pulses, seed=4,
    )  # fmt: skip
    assert np.array_equal(
        fewer.trajectory_spin.values, data.trajectory_spin.values[:, :2]
    )  # more trajectories extend a run


def test_channels_are_named_by_what_jumps():
    model = sq.SpinModel(
        4,
        jumps=[
            sq.CollectiveDecay(1.0), sq.CollectiveJump(0.3, vector=[0, 0, 2.0]),
            sq.LocalDecay(0.1), sq.LocalDecay(RAMP), sq.LocalJump(0.1, vector=[1, 2j, 0]),
        ],
    )  # fmt: skip
    names = lower(model.canonical, times=TIMES).channel_names
    assert names[::3] == (
        "collective decay", "collective dephasing", "local decay 1 to j", "local jump to j",
        "local decay 2 to j",
    )  # fmt: skip


def test_a_result_does_not_depend_on_the_threads():
    model, pulses = model_of("any jumps, envelopes and pulses", 10)
    question = evolve_question(model, TILTED, TIMES, pulses=pulses, seed=9)
    lowered = lower(question.model, times=question.times, rotations=question.pulses)
    one, three = (
        walks(
            lowered, mixture(TILTED, 10), times=question.times, seed=9, count=12,
            options=Options(n_threads=n),
        )
        for n in (1, 3)
    )  # fmt: skip
    assert np.array_equal(one.spins, three.spins)
    assert np.array_equal(one.figures, three.figures)


class Interrupting:
    """Progress that is interrupted once some are done."""

    def __init__(self, when):
        self.when, self.said = when, []

    def __call__(self, fraction):
        self.said.append(fraction)
        if fraction >= self.when:
            self.when = np.inf
            raise KeyboardInterrupt


def slow_run(monkeypatch, when):
    model, _ = model_of("collective", 10)
    monkeypatch.setattr(worker_threads, "_PATIENCE", 1e-3)
    walk_one = running._one

    def held_up(k, *rest):
        if k < 40:
            return walk_one(k, *rest)
        stop = rest[7]
        while not stop[0]:
            time.sleep(1e-3)
        return False

    monkeypatch.setattr(running, "_one", held_up)
    return sq.simulate(
        model, TILTED, TIMES, method=sq.QuantumTrajectories(100), seed=3,
        progress=Interrupting(when),
    )  # fmt: skip


def test_an_interrupt_keeps_what_is_finished(monkeypatch):
    data = slow_run(monkeypatch, 0.2)
    done = json.loads(data.attrs["diagnostics"])["n_trajectories"]
    assert 4 <= done < 100
    (message,) = [m for m in json.loads(data.attrs["warnings"]) if "interrupted" in m]
    assert message.startswith(f"ended early: interrupted after {done} of 100 trajectories")
    monkeypatch.undo()
    model, _ = model_of("collective", 10)
    same = sq.simulate(model, TILTED, TIMES, method=sq.QuantumTrajectories(done), seed=3)
    assert np.array_equal(same.xi2.values, data.xi2.values)


def test_an_interrupt_before_the_first_few_is_one(monkeypatch):
    monkeypatch.setattr(running, "_one", lambda *_: False)
    model, _ = model_of("collective", 10)
    method = sq.QuantumTrajectories(100)
    question = evolve_question(model, TILTED, TIMES)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_threads, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        method.answer(question)


def test_a_failure_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr("spinsqueeze.methods.trajectories.walk.walk", lambda *_: 2)
    model, _ = model_of("collective", 10)
    with pytest.raises(NumericalFailure, match="no step of trajectory 0 holds its tolerance"):
        sq.simulate(model, TILTED, TIMES, method=sq.QuantumTrajectories(4))


def test_a_complete_answer_says_so():
    model, _pulses = model_of("collective", 4)
    answer = sq.QuantumTrajectories(100).answer(evolve_question(model, TILTED, TIMES))
    assert answer.status == COMPLETE
    assert answer.warnings == ()
    few = sq.QuantumTrajectories(10).answer(evolve_question(model, TILTED, TIMES))
    assert few.warnings[0].startswith("sampling: 10 trajectories give rough error bars")


@pytest.mark.parametrize("tolerance", [1e-3, 1e-4])
def test_claimed_errors_are_larger_than_those_of_the_steps(tolerance):
    """The same random numbers with finer steps: the same jumps, a little later or earlier."""
    model, _ = model_of("collective", 20)
    lowered = lower(model.canonical, times=TIMES)
    rough, fine = (
        walks(
            lowered, mixture(TILTED, 20), times=TIMES, seed=5, count=40,
            options=Options(False, tolerance=t, tail_tolerance=1e-16),
        )
        for t in (tolerance, 1e-9)
    )  # fmt: skip
    same = np.all(rough.two_js == fine.two_js, axis=1) & (rough.figures[:, 2] == fine.figures[:, 2])
    assert same.sum() > 30
    moved = np.abs(rough.spins - fine.spins)[same].max(axis=2)
    claimed = 2 * rough.errors[same] * np.sqrt(20) / 2
    assert np.mean(moved, axis=0)[-1] < np.mean(claimed, axis=0)[-1]
    assert np.all(rough.errors[:, -1] <= tolerance)


BUMP = sq.Envelope([0.0, 1.0, 2.0, 3.0], values=[5.0, 5.4, 5.4, 5.0], interpolation="cubic")
FEW_SPINS = [
    (3, [sq.OneAxisTwisting(0.027, axis="y"), sq.UniformField([1.3, 7.4, -1.2])], 0.5),
    (2, [sq.Drive(BUMP, phase=5.0)], 1.0),
]


@pytest.mark.parametrize(("n", "hamiltonian", "m"), FEW_SPINS)
def test_long_steps_of_few_spins_err_less_than_they_claim(n, hamiltonian, m):
    model = sq.SpinModel(n, hamiltonian=hamiltonian)
    rough, fine = (
        sq.simulate(
            model, sq.DickeState(m), [0.5, 0.9, 1.4, 1.9],
            method=sq.QuantumTrajectories(4, tolerance=tolerance),
        )
        for tolerance in (1e-2, 1e-8)
    )  # fmt: skip
    moved = np.abs(rough.spin - fine.spin).max("axis").values / (np.sqrt(n) / 2)
    assert np.all(moved <= rough.spin_numerical_error.values)


REFUSED = [
    (
        {"jumps": [sq.LocalDecay([0.1, 0.2, 0.3, 0.4])]},
        r"QuantumTrajectories cannot do this: the model has .*local rates",
    ),
    ({"hamiltonian": [sq.SiteField(np.eye(4)[:, :3])]}, r"spins that differ in their fields"),
    ({"cavity": sq.Cavity(1.0, decay_rate=1.0)}, r"the model has a cavity"),
]


@pytest.mark.parametrize(("parts", "message"), REFUSED)
def test_what_does_not_fit_is_refused(parts, message):
    with pytest.raises(Unsupported, match=message):
        sq.simulate(sq.SpinModel(4, **parts), TILTED, TIMES, method="trajectories")


def test_a_lattice_and_a_product_state_are_refused_with_both_reasons():
    model = sq.SpinModel(
        sq.Lattice((2, 2)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)]
    )
    state = sq.ProductState(np.tile([0.0, 0.0, 1.0], (4, 1)))
    with pytest.raises(Unsupported, match=r"\(1\) .*couplings.*\(2\) ProductState is not perm"):
        sq.simulate(model, state, TIMES, method="trajectories")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_trajectories": 3}, "n_trajectories must be at least 4"),
        ({"unraveling": "hetero"}, "unraveling must be one of"),
        ({"tolerance": 0.1}, "tolerance must be"),
        ({"n_trajectories": 10, "keep_trajectories": 11}, "keep_trajectories must be"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InvalidInput, match=message):
        sq.QuantumTrajectories(**options)


def test_many_spins_fit_where_a_density_matrix_does_not():
    model = sq.SpinModel(2000, hamiltonian=[sq.Drive(900.0)], jumps=[sq.LocalDecay(4.0)])
    data = sq.simulate(model, sq.CoherentState("-x"), [0.01], method=sq.QuantumTrajectories(8))
    decayed = 2000 * (1 - np.exp(-0.04))  # independent spins along the drive
    assert data.effective_spins.values[0] < 2000
    assert (
        abs(data.spin.values[0, 0] + 1000 * np.exp(-0.02))
        < 5 * data.spin_stderr.values[0, 0] + decayed / 50
    )
