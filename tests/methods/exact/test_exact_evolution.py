"""Evolution against dense exponentials, qutip, quspin, closed forms and conservation laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from tests.methods.exact.dense_spins import (
    collective,
    dense,
    power_law_xxz,
    random_directions,
    random_part,
)
from tests.rounding import EPS

from spinsqueeze.core.errors import InvalidInput, NumericalFailure, TooLarge
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.methods.exact.driven import DrivenHamiltonian
from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian
from spinsqueeze.methods.exact.propagate import (
    choose_krylov_dimension,
    evolve,
    required_bytes,
)
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.numerics.krylov.matrix_free import Work
from spinsqueeze.numerics.magnus import magnus_step
from spinsqueeze.numerics.state_vectors import dicke_state, product_state

ROUNDING = 1e-12


def along_x(n_spins):
    return product_state(np.tile([1.0, 0.0, 0.0], (n_spins, 1)))


def collected(*arguments, **options):
    states = []
    run = evolve(*arguments, observe=lambda _k, psi: states.append(psi.copy()), **options)
    return run, np.array(states)


@settings(max_examples=15, deadline=None)
@given(
    n_spins=st.integers(1, 6),
    seed=st.integers(0, 2**32 - 1),
    tolerance=st.sampled_from([1e-3, 1e-6, 1e-10, 1e-13]),
    krylov_dimension=st.integers(6, 30),
)
def test_error_bound_is_honest(n_spins, seed, tolerance, krylov_dimension):
    rng = np.random.default_rng(seed)
    part = random_part(rng, n_spins)
    psi = product_state(random_directions(rng, n_spins))
    times = np.array([0.0, 0.013, 0.3, 0.7])
    run, states = collected(
        SpinHamiltonian([part]), psi, times, tolerance=tolerance, krylov_dimension=krylov_dimension
    )
    energies, U = np.linalg.eigh(dense(part))
    for k, t in enumerate(times):
        exact = U @ (np.exp(-1j * energies * t) * (U.conj().T @ psi))
        assert np.linalg.norm(states[k] - exact) <= 1.01 * run.error[k] + ROUNDING
    # with 4 eps for every step, and for the phases 4 eps of the bound and 8 that steps may add
    phases = np.abs(energies).max() * times[-1]
    assert run.error[-1] <= 1.01 * tolerance + 4 * EPS * (run.krylov_steps + 3.01 * phases)
    assert np.all(np.diff(run.error) >= 0)
    np.testing.assert_array_equal(run.state, states[-1])


def test_error_bound_is_tight():
    rng = np.random.default_rng(5)
    part = random_part(rng, 7)
    psi = product_state(random_directions(rng, 7))
    exact = expm(-1.5j * dense(part)) @ psi
    for tolerance in (1e-4, 1e-7, 1e-10):
        run = evolve(SpinHamiltonian([part]), psi, np.array([1.5]), tolerance=tolerance)
        true = np.linalg.norm(run.state - exact)
        assert 0.2 * run.error[-1] < true < run.error[-1]
        assert 0.3 * tolerance < run.error[-1]


def test_outputs_cost_no_further_products():
    part = power_law_xxz(8, 3.0, 1.0, -0.5)
    few = evolve(SpinHamiltonian([part]), along_x(8), np.array([2.0]))
    many = evolve(SpinHamiltonian([part]), along_x(8), np.linspace(0, 2, 201))
    assert many.applications == few.applications
    np.testing.assert_array_equal(many.state, few.state)


def test_one_axis_twisting_closed_form():
    # chi S_z^2 = constant + 2 chi sum_{i<j} s_z s_z:
    # <S_x> = (N/2) cos^(N-1)(chi t), Var S_z = N/4, Cov and Var by Kitagawa and Ueda 1993.
    n, chi = 9, 0.3
    part = HamiltonianPart(
        field=np.zeros((n, 3)),
        tensors=np.diag([0, 0, 2 * chi])[None],
        kernels=(1.0 - np.eye(n))[None],
    )
    times = np.linspace(0, 3, 13)
    run = evolve(SpinHamiltonian([part]), along_x(n), times)
    mu = 2 * chi * times
    a = 1 - np.cos(mu) ** (n - 2)
    np.testing.assert_allclose(run.spin[:, 0], n / 2 * np.cos(mu / 2) ** (n - 1), atol=1e-10)
    np.testing.assert_allclose(run.covariance[:, 2, 2], n / 4, atol=1e-10)
    np.testing.assert_allclose(run.covariance[:, 1, 1], n / 4 * (1 + (n - 1) / 2 * a), atol=1e-10)
    np.testing.assert_allclose(
        run.covariance[:, 1, 2],
        n / 4 * (n - 1) * np.sin(mu / 2) * np.cos(mu / 2) ** (n - 2),
        atol=1e-10,
    )


def test_conserved_quantities():
    n = 10
    times = np.linspace(0, 4, 9)
    psi = product_state(np.tile([np.sin(1.0), 0.0, np.cos(1.0)], (n, 1)))
    xxz = evolve(SpinHamiltonian([power_law_xxz(n, 3.0, 1.0, -2.0)]), psi, times)
    # U(1): every moment of S_z is constant; <S^2> is not, j_z differs from j_perp.
    np.testing.assert_allclose(xxz.spin[:, 2], xxz.spin[0, 2], atol=1e-11)
    np.testing.assert_allclose(xxz.covariance[:, 2, 2], n / 4 * np.sin(1.0) ** 2, atol=1e-10)
    squared = np.einsum("taa->t", xxz.covariance) + (xxz.spin**2).sum(axis=1)
    assert np.ptp(squared) > 0.1
    assert xxz.energy_drift < 1e-9
    assert xxz.norm_drift < 1e-10
    # SU(2): a coherent state is an eigenstate, the Krylov space has one vector.
    heisenberg = evolve(SpinHamiltonian([power_law_xxz(n, 3.0, 1.0, 1.0)]), psi, times)
    np.testing.assert_allclose(heisenberg.spin, np.tile(heisenberg.spin[0], (9, 1)), atol=1e-12)
    assert heisenberg.applications <= 10


@pytest.mark.parametrize("n_spins", [1, 2])
def test_zero_hamiltonian_leaves_the_state(n_spins):
    part = HamiltonianPart(
        field=np.zeros((n_spins, 3)),
        tensors=np.zeros((0, 3, 3)),
        kernels=np.zeros((0, n_spins, n_spins)),
    )
    run = evolve(SpinHamiltonian([part]), along_x(n_spins), np.array([0.0, 1.0, 1e6]))
    np.testing.assert_allclose(run.state, along_x(n_spins), atol=1e-15)
    assert run.energy_drift == 0.0


def test_one_spin_precesses():
    # H = b s_z turns +x right-handed about z: <s_x> = cos(bt)/2, <s_y> = sin(bt)/2.
    part = HamiltonianPart(
        field=np.array([[0, 0, 2.0]]), tensors=np.zeros((0, 3, 3)), kernels=np.zeros((0, 1, 1))
    )
    t = np.linspace(0, 5, 11)
    run = evolve(SpinHamiltonian([part]), along_x(1), t)
    np.testing.assert_allclose(run.spin[:, :2], np.column_stack([np.cos(2 * t), np.sin(2 * t)]) / 2,
                               atol=1e-13)  # fmt: skip


def test_invariant_subspace_ends_the_space_early():
    # Collective H: the state stays among N + 1 symmetric states, of one parity of S_z.
    n = 8
    part = HamiltonianPart(
        field=np.zeros((n, 3)),
        tensors=np.diag([2.0, -2.0, 0.0])[None],
        kernels=(1.0 - np.eye(n))[None],
    )
    run = evolve(SpinHamiltonian([part]), dicke_state(n, spins_up=n), np.array([0.0, 50.0]))
    S = collective(n)
    H = S[0] @ S[0] - S[1] @ S[1]
    want = expm(-50j * H) @ dicke_state(n, spins_up=n)
    assert run.applications <= 10
    assert np.linalg.norm(run.state - want) < 1e-9


def test_qutip_agrees():
    qutip = pytest.importorskip("qutip")
    n, rng = 4, np.random.default_rng(11)
    part = random_part(rng, n)
    directions = random_directions(rng, n)
    one = [qutip.sigmax() / 2, qutip.sigmay() / 2, qutip.sigmaz() / 2]

    def at(i, a):
        return qutip.tensor([one[a] if k == i else qutip.qeye(2) for k in range(n)])

    H = sum(part.field[i, a] * at(i, a) for i in range(n) for a in range(3))
    for i in range(n):
        for j in range(i + 1, n):
            C = np.einsum("k,kab->ab", part.kernels[:, i, j], part.tensors)
            H += sum(C[a, b] * at(i, a) * at(j, b) for a in range(3) for b in range(3))
    kets = []
    for x, y, z in directions:
        theta, phi = np.arccos(z), np.arctan2(y, x)
        up, down = qutip.basis(2, 0), qutip.basis(2, 1)
        kets.append(np.cos(theta / 2) * up + np.exp(1j * phi) * np.sin(theta / 2) * down)
    S = [sum(at(i, a) for i in range(n)) for a in range(3)]
    products = [(S[a] * S[b] + S[b] * S[a]) / 2 for a in range(3) for b in range(3)]
    times = np.linspace(0, 2, 5)
    options = {"atol": 1e-13, "rtol": 1e-12, "nsteps": 100_000}
    want = qutip.sesolve(H, qutip.tensor(kets), times, e_ops=S + products, options=options).expect
    run = evolve(SpinHamiltonian([part]), product_state(directions), times)
    np.testing.assert_allclose(run.spin.T, want[:3], atol=1e-9)
    second = run.covariance + np.einsum("ta,tb->tab", run.spin, run.spin)
    np.testing.assert_allclose(second.reshape(-1, 9).T, want[3:], atol=1e-9)


def cosine(t):
    return np.cos(3 * t)


COSINE = Envelope.from_function(cosine, start=0.0, stop=2.0, tolerance=1e-12)


def test_fourth_order_of_magnus_steps():
    rng = np.random.default_rng(2)
    parts = [random_part(rng, 3), random_part(rng, 3)]
    H0, H1 = dense(parts[0]), dense(parts[1])
    psi, T = along_x(3), 2.0
    solution = solve_ivp(
        lambda t, y: -1j * ((H0 + cosine(t) * H1) @ y),
        (0, T), psi, method="DOP853", rtol=1e-13, atol=1e-14,
    )  # fmt: skip
    drive, counts, errors = DriveWeights((1.0, COSINE)), np.array([16, 32, 64, 128]), []
    space = DrivenHamiltonian(SpinHamiltonian(parts), Work.allocate(8, krylov_dimension=8))
    for count in counts:
        state, h = psi.copy(), T / count
        for k in range(count):
            state, _ = magnus_step(
                space, drive, state, start=k * h, stop=(k + 1) * h, allowed=1e-13
            )  # fmt: skip
        errors.append(np.linalg.norm(state - solution.y[:, -1]))
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    assert errors[-1] > 1e-9, "below the window where order shows"
    assert abs(np.log2(errors[-2] / errors[-1]) - 4) < 0.15, errors
    assert abs(slope - 4) < 0.25, errors


@pytest.mark.parametrize("tolerance", [1e-4, 1e-6, 1e-8])
def test_driven_evolution_reports_its_error(tolerance):
    rng = np.random.default_rng(8)
    parts = [random_part(rng, 3), random_part(rng, 3)]
    H0, H1 = dense(parts[0]), dense(parts[1])
    times = np.array([0.0, 0.3, 0.31, 1.0, 1.5])
    solution = solve_ivp(
        lambda t, y: -1j * ((H0 + cosine(t) * H1) @ y),
        (0, 1.5), along_x(3), method="DOP853", rtol=1e-13, atol=1e-14, t_eval=times,
    )  # fmt: skip
    run, states = collected(
        SpinHamiltonian(parts), along_x(3), times,
        drive=DriveWeights((1.0, COSINE)), tolerance=tolerance,
    )  # fmt: skip
    true = np.linalg.norm(states - solution.y.T, axis=1)
    assert np.all(true <= run.error + 2e-12)
    assert true[-1] > 0.02 * run.error[-1]
    assert run.error[-1] <= 1.02 * tolerance
    assert run.norm_drift < max(tolerance, 1e-12)


def test_constant_stretches_of_a_table_are_propagated_as_such():
    # A ramp, a plateau and silence, in a linear table.
    knots, values = [0.0, 0.5, 1.5, 1.8], [0.0, 2.0, 2.0, 0.0]
    rng = np.random.default_rng(4)
    parts = [random_part(rng, 3), random_part(rng, 3)]
    H0, H1 = dense(parts[0]), dense(parts[1])
    state = along_x(3)
    for a, b in ((0.0, 0.5), (0.5, 1.5), (1.5, 1.8), (1.8, 3.0)):
        state = solve_ivp(
            lambda t, y: -1j * ((H0 + np.interp(t, knots, values) * H1) @ y),
            (a, b), state, method="DOP853", rtol=1e-13, atol=1e-14,
        ).y[:, -1]  # fmt: skip
    run, _ = collected(
        SpinHamiltonian(parts), along_x(3), np.array([0.2, 3.0]),
        drive=DriveWeights((1.0, Envelope(knots, values=values))), tolerance=1e-8,
    )  # fmt: skip
    assert np.linalg.norm(run.state - state) < 1e-8
    wavy = Envelope([*knots[:2], 1.0, *knots[2:]], values=[0.0, 2.0, 2.001, 2.0, 0.0])
    changing = evolve(
        SpinHamiltonian(parts), along_x(3), np.array([0.2, 3.0]),
        drive=DriveWeights((1.0, wavy)), tolerance=1e-8,
    )  # fmt: skip
    assert run.applications < 0.8 * changing.applications


def test_echo_undoes_a_field_and_keeps_the_coupling():
    n, rng = 6, np.random.default_rng(1)
    ising = HamiltonianPart(
        field=np.zeros((n, 3)), tensors=np.diag([0, 0, 1.0])[None], kernels=(1 - np.eye(n))[None]
    )
    field = np.zeros((n, 3))
    field[:, 2] = rng.normal(size=n)
    noisy = HamiltonianPart(field=field, tensors=ising.tensors, kernels=ising.kernels)
    pulses = [Rotation(0.5, (1.0, 0.0, 0.0), np.pi), Rotation(1.0, (1.0, 0.0, 0.0), np.pi)]
    echo = evolve(SpinHamiltonian([noisy]), along_x(n), np.array([0.5, 1.0]), rotations=pulses)
    plain = evolve(SpinHamiltonian([ising]), along_x(n), np.array([0.5, 1.0]))
    np.testing.assert_allclose(echo.spin[1], plain.spin[1], atol=1e-10)
    np.testing.assert_allclose(echo.covariance[1], plain.covariance[1], atol=1e-10)
    assert np.abs(echo.spin[0] - plain.spin[0]).max() > 0.01


def test_rotation_acts_before_an_output_at_its_time_and_on_its_mask():
    part = HamiltonianPart(
        field=np.zeros((2, 3)), tensors=np.zeros((0, 3, 3)), kernels=np.zeros((0, 2, 2))
    )
    half_turn = Rotation(0.0, (0.0, 0.0, 1.0), np.pi, mask=np.array([True, False]))
    quarter = Rotation(1.0, (0.0, 0.0, 1.0), np.pi / 2)
    late = Rotation(3.0, (0.0, 0.0, 1.0), 1.0)
    run = evolve(
        SpinHamiltonian([part]), along_x(2), np.array([0.0, 0.5, 1.0, 2.0]),
        rotations=[quarter, late, half_turn, quarter],
    )  # fmt: skip
    np.testing.assert_allclose(run.spin, np.zeros((4, 3)), atol=1e-14)
    np.testing.assert_allclose(np.diagonal(run.covariance[1]), [0.0, 0.5, 0.5], atol=1e-14)
    both = evolve(SpinHamiltonian([part]), along_x(2), np.array([0.9, 1.0]), rotations=[quarter])
    np.testing.assert_allclose(both.spin, [[1, 0, 0], [0, 1, 0]], atol=1e-14)


def test_progress_rises_to_one():
    seen = []
    pulses = [Rotation(0.4, (1.0, 0.0, 0.0), 0.3)]
    part = power_law_xxz(6, 3.0, 5.0, 0.0)
    evolve(
        SpinHamiltonian([part]), along_x(6), np.array([1.0, 3.0]), start=-1.0,
        rotations=pulses, krylov_dimension=6, progress=seen.append,
    )  # fmt: skip
    assert len(seen) > 3
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_krylov_dimension_from_memory():
    all_of_it = choose_krylov_dimension(16, memory_budget=1e9, frames=3)
    assert all_of_it == 30
    bound = required_bytes(20, frames=3, krylov_dimension=10)
    assert choose_krylov_dimension(20, memory_budget=bound, frames=3) == 10
    with pytest.raises(TooLarge, match=r"n_spins=40 needs .* Raise memory_budget"):
        choose_krylov_dimension(40, memory_budget=1e9, frames=3)


SMALL = power_law_xxz(2, 3.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initial": np.ones(3, complex)}, "initial_state must have 4 amplitudes"),
        ({"initial": np.ones(4, complex)}, "initial_state must be normalised"),
        ({"initial": np.full(4, np.nan, complex)}, "initial_state must be normalised"),
        ({"times": np.array([1.0, 1.0])}, "times must be finite and increase"),
        ({"times": np.array([])}, "times must be finite and increase"),
        ({"times": np.array([np.inf])}, "times must be finite and increase"),
        ({"times": np.array([-1.0])}, "times must not precede"),
        ({"tolerance": 1e-15}, "tolerance must be between"),
        ({"tolerance": np.nan}, "tolerance must be between"),
        ({"krylov_dimension": 1}, "krylov_dimension must be at least 2"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    arguments = {"initial": along_x(2), "times": np.array([1.0])} | change
    with pytest.raises(InvalidInput, match=message):
        evolve(SpinHamiltonian([SMALL]), **arguments)


def test_operators_that_are_not_finite_are_named():
    class Broken:
        dimension = 4

        def apply(self, _psi, out):
            out[:] = np.nan

        def subtract(self, w, v, u, alpha, beta):
            w -= alpha * v + beta * u

    from spinsqueeze.numerics.krylov.matrix_free import propagate

    work = Work.allocate(4, krylov_dimension=4)
    with pytest.raises(NumericalFailure, match="H psi is not finite"):
        propagate(Broken(), along_x(2), 1.0, rate=1e-10, work=work)
    with pytest.raises(NumericalFailure, match="state has norm 0"):
        propagate(Broken(), np.zeros(4, complex), 1.0, rate=1e-10, work=work)


def test_quspin_agrees():
    pytest.importorskip("quspin")
    from quspin.basis import spin_basis_1d
    from quspin.operators import hamiltonian

    n = 10
    part = power_law_xxz(n, 3.0, 1.0, -1.3)
    K = part.kernels[0]
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    static = [
        ["xx", [[K[i, j], i, j] for i, j in pairs]],
        ["yy", [[K[i, j], i, j] for i, j in pairs]],
        ["zz", [[-1.3 * K[i, j], i, j] for i, j in pairs]],
    ]
    basis = spin_basis_1d(n, S="1/2", pauli=0)
    quiet = {"check_symm": False, "check_herm": False, "check_pcon": False}
    H = hamiltonian(static, [], basis=basis, dtype=np.complex128, **quiet)
    flat = np.full(1 << n, 2 ** (-n / 2), dtype=complex)
    times = np.linspace(0, 3, 4)
    want = H.evolve(flat, 0.0, times, rtol=1e-12, atol=1e-13)
    square = hamiltonian(
        [["yy", [[2.0, i, j] for i, j in pairs]]], [], basis=basis, dtype=np.complex128, **quiet
    )
    run = evolve(SpinHamiltonian([part]), along_x(n), times)
    for k in range(times.size):
        overlap = np.vdot(want[:, k], square.dot(want[:, k])).real + n / 4
        assert run.covariance[k, 1, 1] == pytest.approx(overlap, abs=1e-9)
