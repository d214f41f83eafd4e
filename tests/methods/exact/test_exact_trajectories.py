"""Trajectories of open lattices on 2^N amplitudes, against density matrices and dense matrices."""

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from tests.methods.exact.dense_spins import SPIN, site_operator
from tests.methods.test_costs import peak
from tests.problems import dense_evolution as truth

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.methods.exact import sampled, wave_function, wave_functions
from spinsqueeze.methods.exact.effective import (
    EffectiveModel,
    Operators,
    dissipation,
    gathered_operators,
    jumps_of,
)  # fmt: skip
from spinsqueeze.methods.exact.wave_function import WaveFunction
from spinsqueeze.methods.exact.wave_functions import Samples, make_series
from spinsqueeze.models.envelope import at
from spinsqueeze.results.dataset import diagnostics_of, warnings_of
from spinsqueeze.run.automatic_times import cheap
from spinsqueeze.run.questions import evolve_question, steady_question

TIMES = np.array([0.0, 0.3, 0.7, 1.1])
PULSES = [sq.Pulse(0.3, axis=[0.6, 0.0, 0.8], angle=0.9), sq.Pulse(1.1, axis="y", angle=0.4)]
SIGMAS = 5.0


def model_of(n, seed, *, timed=False):
    """Random couplings, fields, rates and jump vectors, all of them different at every site."""
    rng = np.random.default_rng([n, seed])
    J = np.triu(rng.normal(size=(n, n)), 1)
    tensor = rng.normal(size=(3, 3))
    table = sq.Envelope(
        [0.0, 0.25, 0.5, 0.8, 1.2], values=rng.uniform(0.6, 1.0, size=5), interpolation="cubic"
    )
    ramp = sq.Envelope([0.2, 0.9], values=[0.0, 1.5])
    rows = rng.normal(size=(n, 3)) + 1j * rng.normal(size=(n, 3))
    vector = rng.normal(size=3) + 1j * rng.normal(size=3)
    return sq.SpinModel(
        sq.Lattice((n,), boundary="open"),
        hamiltonian=[
            sq.PairCoupling(J + J.T, tensor=tensor + tensor.T),
            sq.SiteField(rng.normal(size=(n, 3))),
            *([sq.UniformField([0.9, 0.2, 0.4], envelope=ramp)] if timed else []),
        ],
        jumps=[
            sq.LocalDecay(rng.uniform(0.1, 0.8, size=n)),
            sq.LocalJump(table if timed else 0.3, vector=vector),
            sq.CollectiveJump(ramp if timed else 0.2, vector=rows),
        ],
    )


STATE = sq.CoherentState([0.48, 0.6, 0.64])


def question_of(model, *, state=STATE, seed=0, times=TIMES):
    return evolve_question(model, state, times, pulses=PULSES, seed=seed).per_spin()


def within_error_bars(data, truths, n):
    """Spin and covariance of sampled data against exact ones; and error bars that are not wide."""
    resolution = np.sqrt(n) / 2 / np.sqrt(diagnostics_of(data)["n_trajectories"])
    for name, width in (("spin", resolution), ("covariance", resolution * np.sqrt(n))):
        right = np.array([reading[name] for reading in truths])
        error = data[f"{name}_stderr"].values
        assert np.max(error) < 3 * width
        assert np.all(np.abs(data[name].values - right) <= SIGMAS * error + 1e-9), name


@pytest.mark.parametrize("n", [1, 3])
def test_the_matrix_of_pauli_products(n):
    rng = np.random.default_rng(n)

    def random(*shape):
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    operators = Operators(0.3 - 0.2j, random(n, 3), random(n, n, 3, 3))
    s = [[site_operator(SPIN[a], i, n) for a in range(3)] for i in range(n)]
    dense = operators.constant * np.eye(2**n, dtype=complex)
    for i in range(n):
        for a in range(3):
            dense += operators.fields[i, a] * s[i][a]
            for j in range(i + 1, n):
                for b in range(3):
                    dense += operators.pairs[i, j, a, b] * s[i][a] @ s[j][b]
    assert operators.matrix().toarray() == pytest.approx(dense, abs=1e-13)
    assert operators.matrix().nnz <= operators.entries_a_row() * 2**n
    rows = random(n, 3)
    L = sum(rows[i, a] * s[i][a] for i in range(n) for a in range(3))
    assert dissipation(rows).matrix().toarray() == pytest.approx(L.conj().T @ L, abs=1e-13)
    psi = random(2**n)
    assert wave_function.applied(rows, psi) == pytest.approx(L @ psi, abs=1e-13)


def test_what_is_lost_between_jumps_is_what_jumps_bring():
    """-(A + A^dagger) is the sum of rate L^dagger L, and |L psi|^2 are its terms."""
    question = question_of(model_of(3, 1))
    jumps = jumps_of(question.model)
    A = sum(at(s, 0.4) * op.matrix() for s, op in gathered_operators(question.model, jumps))
    rng = np.random.default_rng(2)
    psi = rng.normal(size=8) + 1j * rng.normal(size=8)
    lost = -2 * np.vdot(psi, A @ psi).real
    brought = sum(at(j.rate, 0.4) * wave_function._weights(j, psi).sum() for j in jumps)
    assert brought == pytest.approx(lost, rel=1e-12)


@pytest.mark.parametrize("timed", [False, True])
def test_between_jumps_it_is_the_taylor_series_of_the_equation(timed, monkeypatch):
    """Without jumps the state is that of the non-Hermitian equation, to the error claimed."""
    model = model_of(3, 2, timed=timed)
    question = evolve_question(model, STATE, TIMES).per_spin()
    monkeypatch.setattr(wave_function.WaveFunction, "_uniform", lambda _: 1e-12)
    for tolerance in (1e-10, 1e-4):
        samples = Samples(question, tolerance=tolerance)
        samples.branch = replace(samples.branch, never=0.0)
        samples.extend(4)
        assert samples.followed.n_jumps.max() == 0
        effective = EffectiveModel.of(question)
        psi = samples._initial.copy()
        for k in range(1, len(TIMES)):
            psi = by_small_steps(effective, question, psi, TIMES[k - 1], TIMES[k])
            unit = psi / np.linalg.norm(psi)
            spin = [
                np.vdot(unit, sum(site_operator(SPIN[a], i, 3) for i in range(3)) @ unit).real
                for a in range(3)
            ]
            claimed = samples.followed.errors[0, k]
            # Allowed of the norm where a series starts, claimed of the norm where it ends.
            assert 0 < claimed < 5 * tolerance
            assert samples.followed.spins[0, k] == pytest.approx(spin, abs=3 * claimed + 1e-11)


@pytest.mark.parametrize("power", [1, 2, 3])
def test_strengths_that_rise_slowly_from_zero(power):
    """Of the series of exp(-i H t^(p+1)/(p+1)) all terms but every (p + 1)-th vanish."""
    knots = np.linspace(0.0, 2.0, 5)
    rise = sq.Envelope(knots, values=knots**power, interpolation="cubic")
    H = sum(v * (site_operator(SPIN[0], i, 2)) for i, v in enumerate((1.0, 0.4)))
    H = H + 1.5 * site_operator(SPIN[1], 0, 2) @ site_operator(SPIN[1], 1, 2)
    model = sq.SpinModel(
        sq.Lattice((2,)),
        hamiltonian=[
            sq.SiteField(np.outer([1.0, 0.4], [1, 0, 0]), envelope=rise),
            sq.PairCoupling([[0, 1], [1, 0]], tensor=np.diag([0, 1.5, 0]), envelope=rise),
        ],
        jumps=[sq.LocalDephasing(1e-12)],
    )
    S = [sum(site_operator(s, i, 2) for i in range(2)) for s in SPIN]
    energies, modes = np.linalg.eigh(H)
    start = np.linalg.eigh(S[2])[1][:, -1]
    times = [0.0, 1.0, 2.0]
    data = sq.simulate(
        model, sq.CoherentState("+z"), times, method=sq.Exact(1e-11, n_trajectories=4)
    )
    for k, t in enumerate(times):
        phase = energies * t ** (power + 1) / (power + 1)
        psi = modes @ (np.exp(-1j * phase) * (modes.conj().T @ start))
        spin = [np.vdot(psi, s @ psi).real for s in S]
        claimed = data["spin_numerical_error"].values[k] * np.sqrt(2) / 2
        assert np.abs(data["spin"].values[k] - spin).max() <= claimed + 1e-13
        assert claimed < 1e-10


def by_small_steps(effective, question, psi, start, stop):
    """Runge-Kutta of order 8 by scipy, from breakpoint to breakpoint."""
    from scipy.integrate import solve_ivp

    parts = gathered_operators(question.model, effective.jumps)
    matrices = [operators.matrix().toarray() for _, operators in parts]

    def slope(t, y):
        return sum(at(s, t) * matrix for (s, _), matrix in zip(parts, matrices, strict=True)) @ y

    edges = [t for span in effective.spans for t in (span.start, span.stop) if start < t < stop]
    marks = sorted({start, stop, *edges})
    for left, right in pairwise(marks):
        run = solve_ivp(slope, (left, right), psi, method="DOP853", rtol=1e-12, atol=1e-13)
        psi = run.y[:, -1]
    return psi


@pytest.mark.parametrize("timed", [False, True])
def test_averages_are_those_of_the_density_matrix(timed):
    model = model_of(3, 3, timed=timed)
    case = SimpleNamespace(model=model, state=STATE, times=TIMES, pulses=PULSES)
    method = sq.Exact(1e-8, n_trajectories=200)
    data = sq.simulate(model, STATE, TIMES, pulses=PULSES, method=method, seed=5)
    within_error_bars(data, truth.answers(case), 3)
    assert float(data["xi2_stderr"].max()) > 0
    assert data.attrs["numerical_error"] < 1e-7
    assert diagnostics_of(data)["jumps"] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("n", [2, 5])
def test_random_models_lie_within_their_error_bars(n, seed):
    model = model_of(n, 10 + seed, timed=bool(seed % 2))
    exact = sq.simulate(model, STATE, TIMES, pulses=PULSES, method="exact")
    truths = [
        {name: exact[name].values[k] for name in ("spin", "covariance")} for k in range(len(TIMES))
    ]
    method = sq.Exact(1e-7, n_trajectories=400)
    data = sq.simulate(model, STATE, TIMES, pulses=PULSES, method=method, seed=seed)
    within_error_bars(data, truths, n)


@pytest.mark.slow
def test_error_bars_are_as_wide_as_the_scatter():
    """One run of many trajectories, cut into runs of 100: deviations over their error bars."""
    model, count = model_of(3, 4), 60
    times = np.array([0.0, 0.7])
    exact = sq.simulate(model, STATE, times, method="exact")
    samples = Samples(evolve_question(model, STATE, times, seed=8).per_spin(), tolerance=1e-6)
    samples.extend(100 * count)
    scores = []
    for part in range(count):
        cut = Samples(evolve_question(model, STATE, times).per_spin(), tolerance=1e-6)
        cut.followed = samples.followed.rows(slice(100 * part, 100 * (part + 1)))
        estimate = cut.readings()["spin"].estimate()
        scores.append((estimate.value[1] - exact["spin"].values[1]) / estimate.stderr[1])
    scores = np.array(scores).ravel()
    # 180 numbers, three components of each run that hardly depend on each other.
    assert 0.8 < np.std(scores) < 1.2
    assert 0.58 < np.mean(np.abs(scores) <= 1) < 0.78


def test_bits_follow_from_the_seed_and_the_number(monkeypatch):
    """Neither threads, nor which are followed together, nor how many are asked for count."""
    question = question_of(model_of(3, 5, timed=True), seed=3)
    whole = Samples(question, tolerance=1e-8)
    whole.extend(12)
    monkeypatch.setenv("NPROC", "1")
    monkeypatch.setattr(wave_functions, "together", lambda _: 1)
    parts = Samples(question, tolerance=1e-8)
    parts.extend(5)
    parts.extend(12)
    for name, values in vars(whole.followed).items():
        assert getattr(parts.followed, name).tobytes() == values.tobytes(), name
    other = Samples(question_of(model_of(3, 5, timed=True), seed=4), tolerance=1e-8)
    other.extend(12)
    assert not np.any(other.followed.spins[:, -1] == whole.followed.spins[:, -1])


def test_series_end_alone():
    """A wave function whose series needs more vectors does not lengthen that of another."""
    question = question_of(model_of(2, 6))
    samples = Samples(question, tolerance=1e-8)
    course = samples._course
    waves = [
        wave_function.WaveFunction(
            course, samples._initial, seed=0, number=k, vectors=np.empty((32, 4), dtype=complex)
        )
        for k in range(2)
    ]
    frames = wave_functions.ProductFrames(2, threads=1)
    for wave in waves:
        assert wave.begin(frames)
    waves[1]._reach = 1e-3
    make_series(course.model, waves)
    assert len(waves[1].sizes) < len(waves[0].sizes)


def test_what_a_series_adds_and_a_jump_that_no_rate_makes():
    """The last two terms and a rounding; where all rates have ended the norm goes on falling."""
    ended = sq.Envelope([0.0, 0.5], values=[1.0, 0.0], interpolation="step")
    model = sq.SpinModel(sq.Lattice((2,)), jumps=[sq.LocalDecay(ended)])
    samples = Samples(evolve_question(model, STATE, TIMES).per_spin(), tolerance=1e-8)
    wave = wave_function.WaveFunction(
        samples._course, samples._initial, seed=0, number=0, vectors=np.empty((32, 4), complex)
    )
    half = np.sqrt(0.5) * samples._initial
    epsilon = np.finfo(float).eps
    wave.sizes = [1.0, 0.5, 1e-9, 3e-10]
    left_out = 4e-9 + 2.4e-9 + 2 * epsilon
    assert wave._added(2.0, half) == pytest.approx(left_out * np.sqrt(2), rel=1e-9)
    wave.sizes = [1.0, 0.0, 0.0, 0.0]
    assert wave._added(2.0, half) == pytest.approx(epsilon * np.sqrt(2), rel=1e-9, abs=0)
    wave._psi, wave._time = half, 0.7
    wave._jump()
    assert 0.5 - 1e-14 < wave._threshold < 0.5
    assert wave.jumps.sum() == 0


def test_nothing_random_is_one_trajectory():
    rates = [sq.LocalDecay(0.0)]
    model = sq.SpinModel(sq.Lattice((3,)), hamiltonian=[sq.UniformField([1.0, 0, 0])], jumps=rates)
    data = sq.simulate(model, STATE, TIMES, method=sq.Exact(n_trajectories=10))
    exact = sq.simulate(model, STATE, TIMES, method="exact")
    assert data["spin"].values == pytest.approx(exact["spin"].values, abs=1e-9)
    assert float(data["spin_stderr"].max()) < 1e-12


def test_a_target_is_reached_with_the_bits_of_a_run_of_so_many():
    model = model_of(2, 7)
    data = sq.simulate(model, STATE, TIMES, method=sq.Exact(1e-6, target_error=0.5), seed=1)
    found = diagnostics_of(data)
    assert found["ended_by"] == "target reached"
    count = int(found["n_trajectories"])
    assert count % 16 == 0
    again = sq.simulate(model, STATE, TIMES, method=sq.Exact(1e-6, n_trajectories=count), seed=1)
    assert again["xi2"].values.tobytes() == data["xi2"].values.tobytes()


def test_ctrl_c_keeps_the_finished_ones(monkeypatch):
    original = wave_functions.in_threads

    def interrupted(work, *, finished, **options):
        original(work, finished=finished, **options)
        finished[7:] = False
        return True

    monkeypatch.setattr(wave_functions, "in_threads", interrupted)
    model = model_of(2, 8)
    data = sq.simulate(model, STATE, TIMES, method=sq.Exact(1e-6, n_trajectories=20))
    assert diagnostics_of(data)["n_trajectories"] == 7
    monkeypatch.setattr(wave_functions, "in_threads", original)
    counted = sq.simulate(model, STATE, TIMES, method=sq.Exact(1e-6, n_trajectories=7))
    assert counted["spin"].values.tobytes() == data["spin"].values.tobytes()


@pytest.mark.slow
def test_twelve_and_fourteen_spins_run():
    for n, tolerances in ((12, (1e-6, 1e-8)), (14, (1e-6,))):
        runs = [
            sq.simulate(
                model_of(n, 9), STATE, np.linspace(0, 0.3, 4), method=sq.Exact(t, n_trajectories=4)
            )
            for t in tolerances
        ]
        for data in runs:
            assert float(data["contrast"][0]) == pytest.approx(1.0, abs=1e-9)
            # four trajectories hardly have a jump, which is claimed, and said
            assert any("hardly have them" in warning for warning in warnings_of(data))
            np.testing.assert_allclose(data["spin"], runs[0]["spin"], atol=1e-5)


def test_refusals():
    method = sq.Exact(n_trajectories=10)
    model = model_of(3, 1)
    with pytest.raises(Unsupported, match=r"N = 15 spins are more.*14.*QuantumTrajectories"):
        method.require(evolve_question(model_of(15, 0), STATE, TIMES))
    with pytest.raises(Unsupported, match="trajectories evolve in time: leave n_trajectories"):
        method.require(steady_question(model))
    cavity = sq.SpinModel(2, cavity=sq.Cavity(coupling=1.0, decay_rate=0.5))
    with pytest.raises(Unsupported, match="trajectories hold no cavity: leave n_trajectories"):
        method.require(evolve_question(cavity, STATE, TIMES))
    with pytest.raises(InvalidInput, match="n_trajectories"):
        sq.Exact(n_trajectories=2)
    with pytest.raises(InvalidInput, match="target_error is instead of n_trajectories"):
        sq.Exact(n_trajectories=10, target_error=0.1)
    with pytest.raises(InvalidInput, match="belongs to target_error"):
        sq.Exact(target="xi2")
    with pytest.raises(TooLarge, match=r"with n_trajectories 2\^N amplitudes"):
        sq.Exact().require(evolve_question(model_of(12, 0), STATE, TIMES))


@pytest.mark.parametrize(("n", "count"), [(3, 800), (10, 8)])
def test_memory_is_what_was_expected(n, count):
    method = sq.Exact(1e-4, n_trajectories=count)
    question = evolve_question(model_of(n, 0), STATE, [0.0, 0.02])
    method.answer(question)  # imports and compiles
    used = peak(lambda: method.answer(question))
    assert used / 1.5 < method.cost(question).memory < 4 * used


def test_few_trajectories_warn():
    answer = sq.Exact(n_trajectories=10).answer(evolve_question(model_of(2, 0), STATE, TIMES))
    assert "10 trajectories give rough error bars" in answer.warnings[0]


def test_a_series_that_reaches_nothing_is_refused():
    question = question_of(model_of(2, 0))
    samples = Samples(question, tolerance=1e-8)
    samples._course.model.matrices[0].data *= 1e40
    with pytest.raises(sq.NumericalFailure, match=r"step of trajectory 0 shrank.*raise tolerance"):
        samples.extend(1)


def test_short_runs_of_automatic_times_take_few_trajectories():
    assert cheap(sq.Exact()).n_trajectories is None
    assert cheap(sq.Exact(n_trajectories=500)).n_trajectories == 64
    assert cheap(sq.Exact(target_error=0.1)).n_trajectories == 64
    assert cheap(sq.Exact(target_error=0.1)).target_error is None


def test_jumps_that_hardly_come_are_in_the_claim():
    """A decay of 1e-4 beside a frequent one, which none of the trajectories has."""
    jumps = [sq.LocalDecay([1e-4, 0.0]), sq.LocalDecay([0.0, 5.0])]
    model, state = sq.SpinModel(sq.Lattice((2,)), jumps=jumps), sq.CoherentState("+z")
    data = sq.simulate(model, state, [0.0, 1.0], method=sq.Exact(n_trajectories=150))
    exact = sq.simulate(model, state, [0.0, 1.0], method="exact")
    spin_error = np.abs(data["spin"] - exact["spin"]).values[1].max() / (np.sqrt(2) / 2)
    allowed = data["spin_stderr"].values[1].max() * 5 / (np.sqrt(2) / 2)
    assert spin_error <= allowed + float(data["spin_numerical_error"][1])
    assert 1e-5 < float(data["spin_numerical_error"][1]) < 1e-3
    assert any("hardly have them" in text for text in warnings_of(data))
    dark = sq.simulate(
        sq.SpinModel(2, jumps=[sq.LocalDecay(1.0)]), sq.CoherentState("-z"), [0.0, 1.0],
        method=sq.Exact(n_trajectories=150),
    )  # fmt: skip
    assert any("too few for error bars" in text for text in warnings_of(dark))


@pytest.mark.parametrize(
    ("rate", "seen", "claimed", "said"),
    [
        (1e-4, 0, [5e-5, 1e-4], ["2 jumps are so slow"]),
        (0.02, 0, [0.01, 0.015], ["2 jumps are so slow"]),  # 4 expected, 3 at 95 % if none is made
        (0.02, 4, [0.01, 0.0], ["2 jumps are so slow", ": 4 jumps of a kind"]),
        (0.02, 10, [0.0, 0.0], []),
        (0.2, 0, [0.0, 0.0], [": 0 jumps of a kind"]),  # 40 expected: the state is dark
        (0.2, 4, [0.0, 0.0], [": 4 jumps of a kind"]),
    ],
)
def test_jumps_that_hardly_come_beside_frequent_ones(rate, seen, claimed, said):
    """Of 200 trajectories; those of other sites and rates within a factor of ten are alike."""
    jumps = [sq.LocalDephasing(5.0), sq.LocalDecay([0.0, 0.25 * rate, 0.75 * rate])]
    times = np.array([0.0, 0.5, 1.0])
    model = sq.SpinModel(sq.Lattice((3,)), jumps=jumps)
    question = evolve_question(model, STATE, times).per_spin()
    channels = np.zeros((200, 6))
    kinds = [jump.local and jump.rows[0, 0] != 0 for jump in jumps_of(question.model)]
    first = 3 * kinds.index(True)
    channels[:, 3 - first : 6 - first] = 1.0
    channels[np.arange(seen), first + 1 + np.arange(seen) % 2] = 1.0
    followed = SimpleNamespace(jumps=channels, first=np.where(channels > 0, 0.7, np.inf))
    branch = SimpleNamespace(never=0.0)
    samples = SimpleNamespace(count=200, followed=followed, branch=branch)
    found, words = sampled._rare_jumps(question, samples)
    assert found == pytest.approx(2 * np.sqrt(3) * np.array([0.0, *claimed]), rel=1e-12)
    assert len(words) == len(said)
    assert all(part in text for part, text in zip(said, words, strict=True))


def test_jumps_of_one_kind_are_counted_together():
    """Channels differ by sites and rates; other axes, strengths or a tenth of the rate do not."""
    jumps = [
        sq.LocalDecay([1.0, 0.2, 0.02, 0.0]),
        sq.LocalDephasing(0.02),
        sq.CorrelatedJumps(0.4, vector=[0.7, -1.2j, 0.1], range=1.5),
        sq.CollectiveDecay(0.4),
    ]
    model = question_of(sq.SpinModel(sq.Lattice(4, boundary="open"), jumps=jumps)).model
    made = jumps_of(model.with_collective_jumps())
    found = sorted(len(channels) for channels, _ in sampled._alike(made))
    assert found == [1, 1, 2, 4, 4]
    largest = np.concatenate([jump.largest_rates() for jump in made])
    for channels, rate in sampled._alike(made):
        assert rate == largest[channels].sum() > 0


def test_each_jump_is_counted_where_it_falls():
    """Spins that decay from the top jump once each, the others never."""
    model = sq.SpinModel(sq.Lattice((3,)), jumps=[sq.LocalDecay([9.0, 0.0, 9.0])])
    question = evolve_question(model, sq.CoherentState("+z"), [0.0, 9.0]).per_spin()
    samples = Samples(question, tolerance=1e-6)
    samples.extend(3)
    assert samples.followed.jumps.tolist() == 3 * [[1.0, 0.0, 1.0]]
    assert samples.followed.n_jumps.tolist() == 3 * [2.0]
    assert np.all((samples.followed.first < 9.0) == [True, False, True])


def test_trajectories_of_a_reservoir_of_finite_range():
    model = sq.SpinModel(
        sq.Lattice(4, boundary="open"),
        hamiltonian=[sq.UniformField([0.3, 0.1, 0.5])],
        jumps=[sq.CorrelatedJumps(0.4, vector=[0.7, -1.2j, 0.1], range=1.5)],
    )
    data = sq.simulate(model, STATE, times=TIMES, method=sq.Exact(n_trajectories=300), seed=3)
    dense = sq.simulate(model, STATE, times=TIMES, method=sq.Exact())
    truths = [
        {name: dense[name].values[k] for name in ("spin", "covariance")} for k in range(len(TIMES))
    ]
    within_error_bars(data, truths, 4)


def test_errors_of_all_steps_are_claimed(monkeypatch):
    pulses = [sq.Pulse(share * TIMES[-1], axis="+x", angle=0.3) for share in (0.25, 0.5, 0.75)]
    model, method = (
        sq.SpinModel(2, hamiltonian=[sq.OneAxisTwisting(1.0)]),
        sq.Exact(n_trajectories=4),
    )
    monkeypatch.setattr(WaveFunction, "_added", lambda *_: 1e-3)
    data = sq.simulate(model, STATE, TIMES, method=method, pulses=pulses)
    claimed = data["spin_numerical_error"].values
    assert claimed[-1] >= 4 * 0.99 * claimed[claimed > 1e-4][0]
