"""Open models as Pauli strings, in sectors of their symmetry, against dense matrices and qutip."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.calibration.claims import EPS, misses, state_error
from tests.calibration.random_problems import FAMILIES, problem
from tests.problems import dense_evolution as truth
from tests.problems.dense_model import generators, spins
from tests.problems.dense_states import density_matrix, readings

import spinsqueeze as sq
from spinsqueeze.core.errors import NumericalFailure, TooLarge
from spinsqueeze.methods.exact import method as exact
from spinsqueeze.methods.exact.open_sector import OpenSector
from spinsqueeze.methods.exact.symmetries import symmetries_of_model
from spinsqueeze.numerics.orbits import group_elements
from spinsqueeze.results.dataset import diagnostics_of
from spinsqueeze.run.questions import evolve_question, steady_question

TIMES = np.array([0.0, 0.3, 0.7, 1.1])
TILTED = sq.CoherentState([0.48, 0.6, 0.64])
FAMILIES_OF_SPINS = [name for name in FAMILIES if "cavity" not in name]


@pytest.fixture(autouse=True)
def from_one_spin_on(monkeypatch):
    """Strings for few spins too, of which dense matrices are small."""
    monkeypatch.setattr(exact, "STRINGS_FROM", (1, 15))


def on_lattice(shape, boundary, seed, *, extra=(), jumps=()):
    """Random tensors of two power laws, a field, local and collective jumps in any direction."""
    rng = np.random.default_rng(seed)
    spins = sq.Lattice(shape, boundary=boundary)
    couplings = sq.SpinModel(spins, hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=2.0)])
    matrix = couplings.canonical.pairs[0].kernel.matrix()
    tensor = rng.normal(size=(3, 3))
    vector = rng.normal(size=3) + 1j * rng.normal(size=3)
    return sq.SpinModel(
        spins,
        hamiltonian=[
            sq.PairCoupling(matrix, tensor=tensor + tensor.T),
            sq.PowerLawXYZ(j_x=0.7, j_y=-0.4, j_z=0.9, exponent=3),
            sq.UniformField(rng.normal(size=3)),
            *extra,
        ],
        jumps=[
            sq.LocalJump(0.3, vector=vector),
            sq.LocalDecay(0.4),
            sq.CollectiveJump(0.2, vector=rng.normal(size=3) + 1j * rng.normal(size=3)),
            *jumps,
        ],
    )


def without_symmetry(seed):
    rng = np.random.default_rng(seed)
    J = rng.normal(size=(3, 3))
    J = np.triu(J, 1) + np.triu(J, 1).T
    return on_lattice((3,), "open", seed, extra=[sq.PairCoupling(J)])


PHASES = np.exp(2j * np.pi * np.arange(4) / 4)[:, None] * np.array([0.5, -0.5j, 0.3])
MODELS = {
    "one spin": (on_lattice((1,), "open", 0), 0, 4),
    "two spins": (on_lattice((2,), "open", 1), 1, 10),
    "ring of 3": (on_lattice((3,), "periodic", 2), 2, 20),
    "ring of 4": (on_lattice((4,), "periodic", 3), 3, 55),
    "chain of 4": (on_lattice((4,), "open", 4), 1, 136),
    "none": (without_symmetry(5), 0, 64),
    "rates by site": (
        on_lattice((4,), "open", 6, jumps=[sq.LocalPumping([0.1, 0.5, 0.5, 0.1])]), 1, 136
    ),
    "rates without symmetry": (
        on_lattice((3,), "open", 7, jumps=[sq.LocalPumping([0.1, 0.5, 0.2])]), 0, 64
    ),
    # Phases of one turn around the ring: a step of the ring multiplies the jump by a phase.
    "phases": (
        on_lattice((4,), "periodic", 8, jumps=[sq.CollectiveJump(0.3, vector=PHASES)]), 1, 70
    ),
    "alike spins": (
        sq.SpinModel(
            4, hamiltonian=[sq.OneAxisTwisting(0.8), sq.Drive(0.5)],
            jumps=[sq.LocalDecay(0.4), sq.CollectiveDecay(0.2)],
        ), 3, 35,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_evolution_against_dense_matrices(name):
    model, fewest_generators, dimension = MODELS[name]
    pulses = [sq.Pulse(0.3, axis=[0.6, 0.0, 0.8], angle=0.9)]
    case = SimpleNamespace(model=model, state=TILTED, times=TIMES, pulses=pulses)
    truths = truth.answers(case)
    data = sq.simulate(model, TILTED, TIMES, pulses=pulses, method="exact")
    assert "purity" in data
    assert not misses(data, truths, state_error(data, 1e-13))
    assert diagnostics_of(data)["dimension"] == dimension
    found = symmetries_of_model(evolve_question(model, TILTED, TIMES).per_spin())
    assert len(found) >= fewest_generators


@pytest.mark.parametrize("name", MODELS)
def test_steady_states_against_dense_matrices(name):
    model = MODELS[name][0]
    L = sum(strength * matrix for strength, matrix in generators(model))
    _, _, rows = np.linalg.svd(L)
    rho = rows[-1].conj().reshape(2**model.n_spins, -1)
    truths = [readings(rho / np.trace(rho), model.n_spins)]
    for state in (None, TILTED):
        data = sq.steady_state(model, initial_state=state, method="exact").expand_dims("time")
        assert "purity" in data
        assert data.attrs["numerical_error"] < 1e-8
        assert not misses(data, truths, state_error(data, 1e-12))


def test_strengths_and_rates_in_time():
    table = sq.Envelope([0, 0.3, 0.7, 1.2], values=[1.0, -1.0, 2.0, 0.3], interpolation="cubic")
    rate = sq.Envelope([0, 0.5, 1.2], values=[0.2, 1.0, 0.1])
    model = on_lattice(
        (3,), "periodic", 9, extra=[sq.OneAxisTwisting(table)],
        jumps=[sq.LocalDecay(rate), sq.LocalDephasing(rate)],
    )  # fmt: skip
    case = SimpleNamespace(model=model, state=TILTED, times=TIMES, pulses=[])
    data = sq.simulate(model, TILTED, TIMES, method=sq.Exact(1e-9))
    assert diagnostics_of(data)["dimension"] == 20
    assert not misses(data, truth.answers(case), state_error(data, 1e-13))


def test_a_collective_jump_with_a_phase_around_the_ring_knows_left_from_right():
    phases = np.exp(2j * np.pi * np.arange(5) / 5)[:, None] * np.array([0.5, 0.2, 0.3])
    chiral = sq.SpinModel(sq.Lattice((5,)), jumps=[sq.CollectiveJump(0.3, vector=phases)])
    question = evolve_question(chiral, TILTED, TIMES).per_spin()
    assert len(group_elements(symmetries_of_model(question))) == 5


STATES = {
    "product": sq.ProductState([[1, 0, 0], [0, 0, 1], [0, 0.6, 0.8], [0, 0, 1]]),
    "dicke": sq.DickeState(1.0, axis="x"),
    "vector": sq.StateVector(
        np.exp(1j * np.arange(16) ** 2) / 4,
    ),
}


@pytest.mark.parametrize("averaged", [False, True])
@pytest.mark.parametrize("name", STATES)
def test_initial_states_that_break_the_symmetry(name, averaged, monkeypatch):
    """They keep their purity where few spins allow it; else they are averaged, and have none."""
    monkeypatch.setattr(exact, "WITH_PURITY", 0 if averaged else 7)
    model, state = MODELS["ring of 4"][0], STATES[name]
    case = SimpleNamespace(model=model, state=state, times=TIMES, pulses=[])
    data = sq.simulate(model, state, TIMES, method="exact")
    assert not misses(data, truth.answers(case), state_error(data, 1e-13))
    assert ("purity" in data) == (name == "dicke" or not averaged)
    dimensions = {"product": 160, "dicke": 55, "vector": 256}
    assert diagnostics_of(data)["dimension"] == (55 if averaged else dimensions[name])


def test_pulses_on_some_sites_keep_the_symmetry_of_these():
    model = MODELS["ring of 4"][0]
    pulses = [sq.Pulse(0.3, axis="y", angle=0.9, sites=[0, 2])]
    case = SimpleNamespace(model=model, state=TILTED, times=TIMES, pulses=pulses)
    data = sq.simulate(model, TILTED, TIMES, pulses=pulses, method="exact")
    assert not misses(data, truth.answers(case), state_error(data, 1e-13))
    assert 55 < diagnostics_of(data)["dimension"] < 256


@pytest.mark.parametrize("tolerance", [1e-10, 1e-4])
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 16))]
)
@pytest.mark.parametrize("family", FAMILIES_OF_SPINS)
def test_no_reading_errs_by_more_than_claimed(family, seed, tolerance):
    case = problem(family, seed)
    if not case.model.canonical.dissipative or case.model.cavity is not None:
        pytest.skip("closed, or with a cavity")
    question = evolve_question(case.model, case.state, case.times, pulses=case.pulses)
    if sq.Exact().support(question):
        pytest.skip("not for Exact")
    states = truth.evolve(case)
    truths = [truth.readings(rho, case.model.n_spins) for rho in states]
    rounding = 100 * EPS * (states[0].shape[0] ** 2 + truth.action(case))
    data = sq.simulate(
        case.model, case.state, case.times, pulses=case.pulses, method=sq.Exact(tolerance)
    )
    assert not misses(data, truths, state_error(data, rounding))


def test_errors_of_steps_are_claimed_of_the_state(monkeypatch):
    """An error of 1e-6 in the 2-norm, of the kind that S_z shows most; asked for is as much less.

    S_z has 2^(N/2) sqrt(N)/2 for its own 2-norm.
    """
    model, tolerance, asked = MODELS["chain of 4"][0], 1e-9, []
    right = sq.simulate(model, TILTED, TIMES, method="exact")
    original = OpenSector.states

    def off(self, y, times, *, start, tolerance):
        asked.append(tolerance)
        states, added = original(self, y, times, start=start, tolerance=tolerance)
        shown = self.strings._one[2] / self.strings._scale
        return states + 1e-6 * shown / np.linalg.norm(shown), added + 1e-6

    monkeypatch.setattr(OpenSector, "states", off)
    data = sq.simulate(model, TILTED, TIMES, method=sq.Exact(tolerance))
    error = np.abs(data["spin"] - right["spin"]).values[-1, 2]
    assert error == pytest.approx(1e-6 * 2**2 * np.sqrt(4) / 2, rel=1e-2)
    assert error <= data["spin_numerical_error"].values[-1] * np.sqrt(4) / 2 < 4 * error
    assert sum(asked) <= 1.001 * tolerance / 2**2


def test_errors_of_stretches_add_up_and_steady_states_claim_rounding(monkeypatch):
    model = MODELS["chain of 4"][0]
    pulses = [sq.Pulse(share * TIMES[-1], axis="+x", angle=0.3) for share in (0.3, 0.6)]
    rest = sq.steady_state(model, method="exact")
    assert 0 < rest.attrs["numerical_error"] < 1e-9
    plain = sq.simulate(model, TILTED, TIMES, method="exact", pulses=pulses)
    original, calls = OpenSector.states, []

    def worse(self, *arguments, **options):
        calls.append(1)
        states, added = original(self, *arguments, **options)
        return states, added + 1e-6

    monkeypatch.setattr(OpenSector, "states", worse)
    data = sq.simulate(model, TILTED, TIMES, method="exact", pulses=pulses)
    last = float((data["spin_numerical_error"] - plain["spin_numerical_error"])[-1])
    one = float((data["spin_numerical_error"] - plain["spin_numerical_error"])[0])
    assert len(calls) >= 3
    assert last == pytest.approx(len(calls) * one, rel=1e-6)


def test_what_is_conserved_is_refused(monkeypatch):
    """A phased collective jump keeps the total spin of turned spins: many steady states."""
    monkeypatch.setattr(exact, "BLOCKS_UP_TO", 0)
    ring = sq.SpinModel(sq.Lattice((4,)), jumps=[sq.CollectiveJump(0.3, vector=PHASES)])
    with pytest.raises(NumericalFailure, match=r"near-singular|not unique"):
        sq.steady_state(ring, method="exact")


def test_too_large_says_what_it_takes():
    model = sq.SpinModel(
        sq.Lattice((12,), boundary="open"),
        hamiltonian=[
            sq.SiteField(np.eye(12, 3)),
            sq.PowerLawXYZ(j_x=1.0, j_y=0.5, j_z=0.2, exponent=3),
        ],
        jumps=[sq.LocalDecay(1.0)],
    )
    with pytest.raises(TooLarge, match=r"Exact needs .* GB .*Pauli strings.*raise memory_budget"):
        sq.simulate(model, TILTED, TIMES, method="exact")
    ring = sq.SpinModel(
        sq.Lattice((3, 4)), hamiltonian=model.hamiltonian[1:], jumps=[sq.LocalDecay(1.0)]
    )
    for question in (evolve_question(ring, TILTED, TIMES), steady_question(ring)):
        verdict = sq.Exact().judge(question)
        assert verdict
        assert 3e5 < float(verdict.cost.detail.split()[0]) < 4e5


def by_qutip(model):
    """H and jumps as quantum objects."""
    import qutip

    n = model.n_spins
    s = [[qutip.Qobj(a, dims=[[2] * n] * 2) for a in row] for row in spins(n)]
    J = model.canonical.pairs[0].kernel.matrix()
    tensor = np.diag([0.9, 1.6, 1.0])
    H = sum(
        J[i, j] * tensor[a, a] * s[i][a] * s[j][a]
        for i in range(n) for j in range(i) for a in range(3)
    )  # fmt: skip
    H += sum(0.3 * row[0] for row in s)
    lowering = [row[0] - 1j * row[1] for row in s]
    return H, [*(np.sqrt(0.6) * a for a in lowering), np.sqrt(0.1) * sum(lowering)], s


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(5,), (2, 2)])
def test_against_qutip(shape):
    import qutip

    model = sq.SpinModel(
        sq.Lattice(shape),
        hamiltonian=[
            sq.PowerLawXYZ(j_x=0.9, j_y=1.6, j_z=1.0, exponent=3),
            sq.UniformField([0.3, 0, 0]),
        ],
        jumps=[sq.LocalDecay(0.6), sq.CollectiveDecay(0.1)],
    )
    H, jumps, s = by_qutip(model)
    n = model.n_spins
    up = qutip.Qobj(density_matrix(TILTED, n), dims=[[2] * n] * 2)
    options = {"atol": 1e-13, "rtol": 1e-12, "nsteps": 10**6, "progress_bar": ""}
    run = qutip.mesolve(H, up, TIMES, jumps, options={**options, "store_states": True})
    data = sq.simulate(model, TILTED, TIMES, method="exact")
    steady = sq.steady_state(model, method="exact")
    S = [sum(row[a] for row in s) for a in range(3)]
    rested = qutip.steadystate(H, jumps)
    pairs = [(data.isel(time=k), rho) for k, rho in enumerate(run.states)] + [(steady, rested)]
    for found, rho in pairs:
        mean = [qutip.expect(a, rho) for a in S]
        square = np.array([[qutip.expect(a * b + b * a, rho) / 2 for b in S] for a in S])
        np.testing.assert_allclose(found.spin, mean, atol=1e-9)
        np.testing.assert_allclose(found.covariance, square - np.outer(mean, mean), atol=1e-9)
        assert float(found.purity) == pytest.approx((rho * rho).tr().real, abs=1e-9)


@pytest.mark.slow
def test_three_by_three_against_a_matrix_that_is_never_made():
    """2^9 x 2^9 density matrices by scipy's expm_multiply, from an action of H and jumps alone."""
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator, expm_multiply

    model = sq.SpinModel(
        sq.Lattice((3, 3)),
        hamiltonian=[
            sq.PowerLawXYZ(j_x=0.9, j_y=1.6, j_z=1.0, exponent=3),
            sq.UniformField([0.3, 0, 0]),
        ],
        jumps=[sq.LocalDecay(0.6)],
    )
    n, size = 9, 512
    half = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2

    def site(i, a):
        return csr_array(np.kron(np.kron(np.eye(2**i), half[a]), np.eye(2 ** (n - 1 - i))))

    s = [[site(i, a) for a in range(3)] for i in range(n)]
    J = truth_couplings = 1 / np.maximum(distances_on_torus(3), 1e-9) ** 3
    assert truth_couplings.shape == (n, n)
    H = sum(0.3 * row[0] for row in s)
    for i in range(n):
        for j in range(i):
            for a, strength in enumerate((0.9, 1.6, 1.0)):
                H = H + J[i, j] * strength * (s[i][a] @ s[j][a])
    lowering = [row[0] - 1j * row[1] for row in s]
    X = (-1j * H - 0.3 * sum(L.conj().T @ L for L in lowering)).tocsr()

    def act(y):
        rho = y.reshape(size, size)
        out = X @ rho
        out = out + (X @ rho.conj().T).conj().T
        for L in lowering:
            out = out + 0.6 * (L @ (L @ rho.conj().T).conj().T)
        return out.ravel()

    def act_back(y):
        rho = y.reshape(size, size)
        back = X.conj().T.tocsr()
        out = back @ rho + (back @ rho.conj().T).conj().T
        for L in lowering:
            up = L.conj().T.tocsr()
            out = out + 0.6 * (up @ (up @ rho.conj().T).conj().T)
        return out.ravel()

    L = LinearOperator((size**2, size**2), matvec=act, rmatvec=act_back, dtype=complex)
    start = density_matrix(TILTED, n).ravel()
    damping = -0.6 * n / 2 * size**2  # the trace of L
    rho = expm_multiply(0.4 * L, start, traceA=0.4 * damping * 2).reshape(size, size)
    data = sq.simulate(model, TILTED, [0.4], method="exact").isel(time=0)
    S = [sum(row[a] for row in s) for a in range(3)]
    mean = np.array([(a @ rho).trace().real for a in S])
    square = np.array([[(a @ (b @ rho)).trace().real for b in S] for a in S])
    np.testing.assert_allclose(data.spin, mean, atol=1e-8)
    covariance = (square + square.T) / 2 - np.outer(mean, mean)
    np.testing.assert_allclose(data.covariance, covariance, atol=1e-8)
    assert float(data.purity) == pytest.approx(np.vdot(rho, rho).real, abs=1e-9)


def distances_on_torus(side):
    sites = np.array([(x, y) for x in range(side) for y in range(side)])
    gap = np.abs(sites[:, None] - sites[None])
    gap = np.minimum(gap, side - gap)
    return np.sqrt((gap**2).sum(axis=-1))
