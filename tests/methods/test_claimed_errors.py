"""`numerical_error` against the true error, in cases where that stands well above rounding.

The claim is an error of the mean spin in units of the projection noise sqrt(N)/2.
"""

import itertools
import json

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from tests.problems.brute_force import coherent, hamiltonian, site_operators

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.trajectories import Options, plan_run

DIRECTION = np.array([0.48, -0.6, 0.64])
STATE = sq.CoherentState(DIRECTION)
MATRIX = np.array([[0.3, 0.1, 0.2], [0.1, -0.5, 0.0], [0.2, 0.0, 0.4]])
FIELD = np.array([0.2, -0.7, 0.4])
AXIAL = np.array([0.0, 0.0, 2.0])
LOWERING = np.array([1, -1j, 0])
DECAY, DEPHASING = 0.3, 0.1


def spin_operators(n):
    m = n / 2 - np.arange(n + 1)
    raising = np.diag(np.sqrt((n / 2 - m[1:]) * (n / 2 + m[1:] + 1)), 1).astype(complex)
    return np.array([(raising + raising.T) / 2, (raising - raising.T) / 2j, np.diag(m)])


def dense(n, scale):
    S = spin_operators(n)
    H = scale * np.einsum("ab,axy,byz->xz", MATRIX, S, S) + np.einsum("a,axy->xy", FIELD, S)
    psi = np.linalg.eigh(np.einsum("a,axy->xy", DIRECTION, S))[1][:, -1]
    return S, H, psi


def closed(n, times, scale):
    """<S> (T, 3) under scale S.Q.S + b.S within J = N/2, by diagonalisation."""
    S, H, psi = dense(n, scale)
    energies, U = np.linalg.eigh(H)
    states = np.exp(-1j * np.outer(times, energies)) * (U.conj().T @ psi) @ U.T
    return np.einsum("tx,axy,ty->ta", states.conj(), S, states).real


def decaying(n, times, rate):
    """<S> (T, 3) under S.Q.S + b.S and rate D[S_minus] within J = N/2, by dense exponentials."""
    S, H, psi = dense(n, 1.0)
    L = np.einsum("a,axy->xy", LOWERING, S)
    X, one = -1j * H - rate / 2 * L.conj().T @ L, np.eye(n + 1)
    G = np.kron(X, one) + np.kron(one, X.conj()) + rate * np.kron(L, L.conj())
    rho = [(expm(G * t) @ np.outer(psi, psi.conj()).ravel()).reshape(n + 1, n + 1) for t in times]
    return np.einsum("axy,tyx->ta", S, rho).real


def independent(n, times, strength=None):
    """<S> (T, 3) of N spins with local decay and dephasing in a field: Bloch equations.

    The field is b, and (0, 0, 2) + strength(t) b where a strength is given.
    """

    def flow(t, m):
        field = FIELD if strength is None else AXIAL + float(strength(t)) * FIELD
        relaxed = [DECAY / 2 + DEPHASING, DECAY / 2 + DEPHASING, DECAY] * m
        return np.cross(field, m) - relaxed - [0, 0, DECAY / 2]

    knots = [] if strength is None else [t for t in strength.times if 0 < t < times[-1]]
    edges, m, spin = np.unique([0.0, *times, *knots]), DIRECTION / 2, {}
    for start, stop in itertools.pairwise(edges):
        m = solve_ivp(flow, (start, stop), m, method="DOP853", rtol=1e-12, atol=1e-14).y[:, -1]
        spin[stop] = n * m
    return np.array([spin[t] for t in times])


def collective(n, *, scale=1.0, rate=0.0):
    jumps = [sq.CollectiveDecay(rate)] if rate else []
    terms = [sq.CollectiveQuadratic(scale * MATRIX), sq.UniformField(FIELD)]
    return sq.SpinModel(n, hamiltonian=terms, jumps=jumps)


def errors(model, method, times, truth):
    """(true, claimed) error of the mean spin in projection noises."""
    data = sq.simulate(model, STATE, times, method=method)
    noise = np.sqrt(model.n_spins) / 2
    return np.abs(data["spin"].values - truth).max() / noise, data.attrs["numerical_error"]


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7])
@pytest.mark.parametrize("duration", [2.0, 100.0])
def test_symmetric_closed(tolerance, duration):
    times = np.array([duration / 4, duration])
    model, truth = collective(60, scale=0.1), closed(60, times, 0.1)
    data = sq.simulate(model, STATE, times, method=sq.SymmetricSubspace(tolerance))
    true = np.abs(data["spin"].values - truth).max() / (np.sqrt(60) / 2)
    claimed = data.attrs["numerical_error"]
    assert 1e-3 * tolerance < true < claimed
    assert 0 < json.loads(data.attrs["diagnostics"])["norm_drift"] < tolerance
    # |S_a| <= N/2 and a state right to `tolerance`: N tolerance, in units of sqrt(N)/2.
    assert claimed == pytest.approx(2 * tolerance * np.sqrt(60), rel=1e-3)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
@pytest.mark.parametrize("algorithm", ["polynomial", "rational"])
def test_symmetric_open(tolerance, algorithm):
    times = np.array([0.5, 8.0])
    method = sq.SymmetricSubspace(tolerance, algorithm=algorithm)
    data = sq.simulate(collective(10, rate=0.1), STATE, times, method=method)
    true = np.abs(data["spin"].values - decaying(10, times, 0.1)).max() / (np.sqrt(10) / 2)
    claimed = data.attrs["numerical_error"]
    assert 1e-5 * tolerance < true < claimed < 30 * tolerance
    # A lost part of the trace counts on top.
    drift = json.loads(data.attrs["diagnostics"])["trace_drift"]
    assert drift > 0
    steps = (claimed / (2 * np.sqrt(10)) - drift) / (tolerance / 3)
    if algorithm == "polynomial":
        assert steps == pytest.approx(3, rel=1e-6), "the whole run keeps to the tolerance"
    else:
        assert steps == pytest.approx(round(steps), rel=1e-6), "a third of it a step"
        assert 2 <= steps < 20


@pytest.mark.parametrize("tolerance", [1e-3, 1e-6])
@pytest.mark.parametrize("algorithm", ["polynomial", "rational"])
def test_permutation_invariant(tolerance, algorithm):
    times = np.array([0.5, 20.0])
    model = sq.SpinModel(
        12,
        hamiltonian=[sq.UniformField(FIELD)],
        jumps=[sq.LocalDecay(DECAY), sq.LocalDephasing(DEPHASING)],
    )
    method = sq.PermutationInvariant(tolerance, algorithm=algorithm)
    data = sq.simulate(model, STATE, times, method=method)
    true = np.abs(data["spin"].values - independent(12, times)).max() / (np.sqrt(12) / 2)
    claimed = data.attrs["numerical_error"]
    assert 1e-5 * tolerance < true < claimed < 10 * tolerance
    report = json.loads(data.attrs["diagnostics"])
    assert report["algorithm"] == algorithm
    assert report["trace_drift"] > 0
    assert claimed == pytest.approx(2 * (report["trace_drift"] + tolerance) * np.sqrt(12))


def test_a_loose_tolerance_leaves_a_state_to_go_on_from():
    model = sq.SpinModel(
        12,
        hamiltonian=[sq.UniformField(FIELD)],
        jumps=[sq.LocalDecay(DECAY), sq.LocalDephasing(DEPHASING)],
    )
    method = sq.PermutationInvariant(1e-3, algorithm="polynomial")
    data = sq.simulate(model, STATE, [20.0], method=method, keep_state=True)
    assert json.loads(data.attrs["diagnostics"])["trace_drift"] > 1e-6
    assert data.attrs["numerical_error"] > 1e-3 * np.sqrt(12)
    sq.simulate(model, sq.final_state(data), [1.0], method=method)


RAMP = sq.Envelope([0.0, 0.7, 1.6, 3.0], values=[0.2, 2.0, -1.0, 1.5])


@pytest.fixture(scope="module")
def driven_truth():
    times = np.array([0.4, 3.0])
    return times, independent(6, times, RAMP)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7])
def test_permutation_invariant_driven(tolerance, driven_truth):
    times, truth = driven_truth
    model = sq.SpinModel(
        6,
        hamiltonian=[sq.UniformField(AXIAL), sq.UniformField(FIELD, envelope=RAMP)],
        jumps=[sq.LocalDecay(DECAY), sq.LocalDephasing(DEPHASING)],
    )
    true, claimed = errors(model, sq.PermutationInvariant(tolerance), times, truth)
    assert 1e-4 * tolerance < true < claimed < 10 * tolerance


@pytest.fixture(scope="module")
def disordered():
    """Seven spins with any couplings, and their <S> at the times, by diagonalisation."""
    rng = np.random.default_rng(3)
    matrix = np.triu(rng.normal(size=(7, 7)), 1)
    tensor = rng.normal(size=(3, 3))
    terms = [sq.PairCoupling(matrix + matrix.T, tensor=tensor + tensor.T), sq.UniformField(FIELD)]
    model = sq.SpinModel(7, hamiltonian=terms)
    s = site_operators(7)
    energies, U = np.linalg.eigh(hamiltonian(model.canonical, s, 0.0))
    psi = coherent(np.broadcast_to(DIRECTION, (7, 3)))
    times = np.array([0.5, 6.0])
    states = np.exp(-1j * np.outer(times, energies)) * (U.conj().T @ psi) @ U.T
    return model, times, np.einsum("tx,axy,ty->ta", states.conj(), s.sum(axis=0), states).real


@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-8])
def test_exact(tolerance, disordered):
    model, times, truth = disordered
    data = sq.simulate(model, STATE, times, method=sq.Exact(tolerance))
    true = np.abs(data["spin"].values - truth).max() / (np.sqrt(7) / 2)
    state_error = json.loads(data.attrs["diagnostics"])["state_error"]
    assert 1e-3 * tolerance < true < data.attrs["numerical_error"]
    assert state_error <= 1.01 * tolerance
    # |S_a| <= N/2 and a state right to state_error: N state_error, in units of sqrt(N)/2.
    assert data.attrs["numerical_error"] == pytest.approx(2 * state_error * np.sqrt(7))


@pytest.mark.parametrize("duration", [1e3, 1e5])
def test_exact_claims_the_rounding_of_its_phases(duration):
    """Spins in a field turn for thousands of periods: nothing but rounding is left."""
    model = sq.SpinModel(2, hamiltonian=[sq.UniformField(FIELD)])
    data = sq.simulate(model, STATE, [duration], method=sq.Exact())
    with mpmath.workdps(40):
        field = mpmath.matrix(FIELD.tolist())
        strength = mpmath.norm(field)
        angle = strength * mpmath.mpf(duration)
        axis, start = np.array(list(field / strength)), DIRECTION.tolist()
        start = np.array([mpmath.mpf(x) for x in start])
        across = np.cross(axis, start)
        along = axis * (axis @ start)
        turned = along + mpmath.cos(angle) * (start - along) + mpmath.sin(angle) * across
        gap = max(
            abs(x - mpmath.mpf(v)) for x, v in zip(turned, data["spin"][0].values, strict=True)
        )
    assert 0 < float(gap) / (np.sqrt(2) / 2) < data.attrs["numerical_error"]
    assert data.attrs["numerical_error"] < 1e-13 * duration


def test_exact_reports_what_it_fails_to_conserve(disordered):
    model, times, _ = disordered
    data = sq.simulate(model, STATE, times, method=sq.Exact(1e-2))
    report = json.loads(data.attrs["diagnostics"])
    # The Lanczos basis keeps energy and norm but for the loss of its orthogonality.
    assert 0 < report["norm_drift"] < report["state_error"]
    assert 0 < report["energy_drift"] < report["state_error"]


LATTICE = sq.SpinModel(
    sq.Lattice((4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
)


def pilot(tolerance):
    """The first samples of a seed, from which the steps of all are chosen, and their report."""
    run, plan = plan_run(
        lower(LATTICE.canonical),
        directions=np.array([1.0, 0.0, 0.0]),
        times=np.array([0.5, 1.0]),
        seed=4,
        options=Options(dtype="float64", tolerance=tolerance),
    )
    return run.run(plan, n_samples=run.batch)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4])
def test_dtwa_steps(tolerance):
    rough, fine = pilot(tolerance), pilot(1e-9)
    true = np.abs(rough.spins - fine.spins).max() / (np.sqrt(16) / 2)
    assert true > 0.01 * tolerance
    # The estimate is the difference from steps half as long, which err 2^8 times less.
    assert true == pytest.approx(rough.report.integration_error, rel=0.02)


def test_dtwa_reports_the_error_of_its_steps():
    data = sq.simulate(LATTICE, sq.CoherentState("+x"), [1.0], method=sq.DTWA(100, tolerance=1e-2))
    diagnostics = json.loads(data.attrs["diagnostics"])
    assert 0 < data.attrs["numerical_error"] <= 1e-2
    assert data.attrs["numerical_error"] == diagnostics["integration_error"]
    assert json.loads(data.attrs["warnings"]) == []


def test_dtwa_warns_of_steps_that_miss_the_tolerance():
    method = sq.DTWA(100, dtype="float32", tolerance=1e-7)
    data = sq.simulate(LATTICE, sq.CoherentState("+x"), [0.5], method=method)
    (warning,) = json.loads(data.attrs["warnings"])
    assert warning.startswith("steps: the collective spin errs by")
    assert "more than the tolerance 1e-07; use dtype = 'auto'" in warning
    assert data.attrs["numerical_error"] > 1e-7


def test_dtwa_warns_of_few_trajectories():
    data = sq.simulate(LATTICE, sq.CoherentState("+x"), [0.1], method=sq.DTWA(99))
    (warning,) = json.loads(data.attrs["warnings"])
    assert warning.startswith("sampling: 99 trajectories give rough error bars; 100 or more")
    assert "1.5 to 2.2 of its error bars" in warning


@pytest.mark.slow
def test_error_bars_of_few_trajectories_are_too_small_by_no_more_than_is_said():
    """At time 0 of an isotropic lattice xi2 is 1: deviations in error bars over 40 seeds."""
    model = sq.SpinModel(
        sq.Lattice((8, 8)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=2.0, exponent=3)]
    )
    deviations = []
    for seed in range(40):
        data = sq.simulate(
            model, sq.CoherentState("+x"), [0.0, 0.01], method=sq.DTWA(40), seed=seed
        )
        deviations.append(float((data.xi2[0] - 1) / data.xi2_stderr[0]))
    z = np.array(deviations)
    assert 1.2 < np.sqrt(np.mean(z**2)) < 2.2
    assert np.abs(z).max() < 8
    assert np.mean(z) < 0  # too much squeezing


@pytest.mark.parametrize("method", ["symmetric", "permutation_invariant"])
@pytest.mark.parametrize("n_spins", [10, 11])
def test_steady_states_next_to_a_conserved_quantity(method, n_spins):
    """The slowest rate falls as exp(-2r), and rounding counts by its inverse."""
    model = sq.SpinModel(n_spins, jumps=[sq.SqueezedCollectiveDecay(1.0, r=4.0)])
    state = sq.CoherentState("-z")
    truth = sq.steady_state(model, initial_state=state, method="closed_form")
    data = sq.steady_state(model, initial_state=state, method=method)
    true = np.abs(data["spin"] - truth["spin"]).max() / (np.sqrt(n_spins) / 2)
    assert 0 < true < data.attrs["numerical_error"]
    assert 1e-11 * np.sqrt(n_spins) < data.attrs["numerical_error"] < 1e-6


def test_the_tolerance_of_a_steady_state_is_kept():
    model = sq.SpinModel(10, jumps=[sq.SqueezedCollectiveDecay(1.0, r=4.0)])
    start = sq.CoherentState("-z")
    sq.steady_state(model, initial_state=start, method=sq.PermutationInvariant())
    strict = sq.PermutationInvariant(steady_tolerance=1e-11)
    with pytest.raises(sq.NumericalFailure, match=r"near-singular.*\(tolerance 1e-11\)"):
        sq.steady_state(model, initial_state=start, method=strict)
    slow = sq.SpinModel(4, jumps=[sq.CollectiveDecay(1.0), sq.LocalDephasing(1e-10)])
    with pytest.raises(sq.NumericalFailure, match=r"near-singular.*\(tolerance 1e-06\)"):
        sq.steady_state(slow, method=sq.PermutationInvariant())
    sq.steady_state(slow, method=sq.PermutationInvariant(steady_tolerance=1e-2))


def test_closed_form_claims_its_rounding():
    """One-axis twisting of a million spins: (N/2) cos^(N-1)(chi t) against 40 digits."""
    n, times = 10**6, np.array([3e-4, 1.7e-3])
    model = sq.SpinModel(n, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.simulate(model, sq.CoherentState("+x"), times, method="closed_form")
    with mpmath.workdps(40):
        truth = [mpmath.mpf(n) / 2 * mpmath.cos(mpmath.mpf(t)) ** (n - 1) for t in times]
        gaps = [
            abs(mpmath.mpf(v) - x)
            for v, x in zip(data["spin"].sel(axis="x").values, truth, strict=True)
        ]
    true = float(max(gaps)) / (np.sqrt(n) / 2)
    assert 0 < true < data.attrs["numerical_error"] < 1e-8


def test_closed_form_claims_the_rounding_of_a_steady_state():
    model = sq.SpinModel(11, jumps=[sq.SqueezedCollectiveDecay(1.0, r=1.0)])
    state = sq.CoherentState("-z")
    data = sq.steady_state(model, initial_state=state, method="closed_form")
    S = spin_operators(11)
    L = np.cosh(1.0) * (S[0] - 1j * S[1]) - np.sinh(1.0) * (S[0] + 1j * S[1])
    X, one = -L.conj().T @ L / 2, np.eye(12)
    G = np.kron(X, one) + np.kron(one, X.conj()) + np.kron(L, L.conj())
    rho = np.linalg.svd(G)[2][-1].conj().reshape(12, 12)
    rho /= np.trace(rho)
    true = np.abs(data["spin"].values - np.einsum("axy,yx->a", S, rho).real).max()
    assert 0 < true / (np.sqrt(11) / 2) < data.attrs["numerical_error"] < 1e-9
