"""The compiled pieces against dense matrices: bands, steps, jumps and where they happen."""

import numpy as np
import pytest
from scipy.linalg import expm

from spinsqueeze.methods.trajectories.frame import (
    hamiltonian_bands,
    mean_turning,
    to_generator,
    turned,
)
from spinsqueeze.methods.trajectories.jumps import factor_of, jump_weights, one_jump
from spinsqueeze.methods.trajectories.ladder import (
    N_BANDS,
    PAD,
    apply,
    covariance,
    fill_roots,
    mean_spin,
    squared_norm,
)
from spinsqueeze.methods.trajectories.randoms import stream, uniform
from spinsqueeze.methods.trajectories.space import Terms, Window, new_space
from spinsqueeze.methods.trajectories.step import attempt, bands_at, root_of_cubic
from spinsqueeze.methods.trajectories.walk import SHARPER
from spinsqueeze.numerics.angular_momentum import (
    SHIFT,
    SPHERICAL,
    from_shell_above,
    from_shell_below,
    recycling,
    same_shell,
    spin_matrices,
)
from spinsqueeze.numerics.rotations import rotation_matrix

N = 7
TOWARDS = {0: same_shell, 1: from_shell_above, 2: from_shell_below}


def padded(amplitudes, capacity):
    """(2, capacity + 2 PAD) rows of complex amplitudes (M,)."""
    rows = np.zeros((2, capacity + 2 * PAD))
    rows[0, PAD : PAD + len(amplitudes)] = np.real(amplitudes)
    rows[1, PAD : PAD + len(amplitudes)] = np.imag(amplitudes)
    return rows


def random_state(size, seed=0):
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=size) + 1j * rng.normal(size=size)
    return psi / np.linalg.norm(psi)


def amplitudes_of(rows, size):
    return rows[0, PAD : PAD + size] + 1j * rows[1, PAD : PAD + size]


def change_of_shell(c, j, change):
    """The matrix of the vector c from total spin j to j, j - 1 or j + 1, entry by entry."""
    target = j + (0, -1, 1)[change]
    sizes = round(2 * target) + 1, round(2 * j) + 1
    matrix = np.zeros(sizes, dtype=complex)
    for component, (factor, shift) in enumerate(zip(SPHERICAL @ c, SHIFT, strict=True)):
        for row in range(sizes[0]):
            m = target - row
            column = round(j - (m + shift))
            if 0 <= column < sizes[1]:
                amplitude = TOWARDS[change](np.array(target), np.array(m))[component]
                matrix[row, column] += factor * amplitude
    return matrix


class Model:
    """Random terms of every sort, and the same as matrices in the turned frame."""

    def __init__(self, seed, *, two_j=5, shifted=True):
        rng = np.random.default_rng(seed)
        Q = rng.normal(size=(2, 3, 3))
        self.quadratics = Q + np.swapaxes(Q, 1, 2)
        self.fields = rng.normal(size=(2, 3))
        self.vectors = rng.normal(size=(4, 3)) + 1j * rng.normal(size=(4, 3))
        self.owners = np.array([0, 1, 0, 1])
        self.local = np.array([False, False, True, True])
        self.weights = np.array([1.0, 0.7])
        self.two_j, self.shifted = two_j, shifted
        self.R = rotation_matrix(rng.normal(size=3), angle=1.1)
        self.mean = np.array([0.3, -0.2, 1.7, two_j / 2 - 1.7])
        self.w = rng.normal(size=3)

    @property
    def terms(self):
        return Terms(
            N, self.quadratics, self.fields, self.vectors, self.owners, self.local, self.shifted
        )

    def space(self, psi):
        space = new_space(self.terms, capacity=len(psi) + 2, frame=self.R)
        space.x[:] = padded(psi, len(psi) + 2 + 2)[:, : space.x.shape[1]]
        fill_roots(space.root, self.two_j, len(psi))
        space.w[:], space.mean[:], space.weights[:] = self.w, self.mean, self.weights
        space.turned[:] = self.R
        return space

    def bands(self, R=None):
        out, field = np.zeros(N_BANDS, complex), np.zeros(3)
        hamiltonian_bands(
            out, self.R if R is None else R, self.terms, self.weights, self.two_j, self.mean, field
        )
        return out, field

    def matrix(self):
        """-i H + (jumps), with the turning -w.J."""
        j = self.two_j / 2
        J = np.einsum("ab,bij->aij", self.R, spin_matrices(j))  # of the lab, in the frame
        Q = np.einsum("p,pab->ab", self.weights, self.quadratics)
        b = self.weights @ self.fields
        H = np.einsum("ab,aij,bjk->ik", Q, J, J) + np.einsum("a,aij->ij", b, J)
        H = H - np.einsum("a,aij->ij", self.w, spin_matrices(j))
        lab_mean = self.R @ self.mean[:3]
        unit = np.eye(len(H))
        for c, owner, local in zip(self.vectors, self.owners, self.local, strict=True):
            rate = self.weights[owner]
            L = np.einsum("a,aij->ij", c, J)
            shift = c @ lab_mean if self.shifted else 0.0
            factor = 1.0
            if local:
                shell = round(N / 2 - j)
                factors = [weight[shell] for weight in recycling(N)]
                factor = factors[0]
                turned_c = self.R.T @ c
                for change in (1, 2):
                    B = change_of_shell(turned_c, j, change)
                    H = H - 0.5j * rate * factors[change] * B.conj().T @ B
            F = L - shift * unit
            H = H - 0.5j * rate * factor * F.conj().T @ F
            H = H + 0.5j * rate * factor * (np.conj(shift) * L - shift * L.conj().T)
        return -1j * H


@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize("two_j", [7, 3, 1])
def test_bands_are_the_matrix_of_the_generator(two_j, shifted):
    model = Model(two_j, two_j=two_j, shifted=shifted)
    size = two_j + 1
    bands, _ = model.bands()
    to_generator(bands, model.w)
    root = np.zeros(size + 8)
    fill_roots(root, two_j, size)
    columns = []
    for k in range(size):
        x, y = padded(np.eye(size)[k], size), np.zeros((2, size + 4))
        apply(bands, root, x[0], x[1], y[0], y[1], size)
        columns.append(amplitudes_of(y, size))
    difference = np.array(columns).T - model.matrix()
    constant = difference[0, 0]  # only a phase may be missing
    assert abs(constant.real) < 1e-11
    assert difference == pytest.approx(constant * np.eye(size), abs=1e-11)


def test_moments_of_a_packet():
    two_j, size = 9, 10
    psi = random_state(size)
    root, x = np.zeros(size + 8), padded(2.0 * psi, size)
    fill_roots(root, two_j, size)
    mean, out = np.zeros(4), np.zeros((3, 3))
    norm = squared_norm(x, size)
    mean_spin(mean, x, root, two_j, size, norm)
    covariance(out, mean, x, root, two_j, size, norm)
    J = spin_matrices(two_j / 2)
    first = np.einsum("i,aij,j->a", psi.conj(), J, psi).real
    second = np.einsum("i,aij,bjk,k->ab", psi.conj(), J, J, psi).real
    assert norm == pytest.approx(4.0)
    assert mean[:3] == pytest.approx(first, abs=1e-12)
    assert out == pytest.approx(second - np.outer(first, first), abs=1e-11)


@pytest.mark.parametrize("two_j", [7, 3, 1])
@pytest.mark.parametrize("change", [0, 1, 2])
def test_a_jump_is_the_matrix_between_total_spins(two_j, change):
    c = random_state(3, seed=two_j) * 1.7
    size = two_j + 1
    psi = random_state(size, seed=5)
    root, y = np.zeros(size + 8), np.zeros((2, size + 10))
    fill_roots(root, two_j, size)
    plus, minus, z = SPHERICAL @ c
    norm = one_jump(
        y, padded(psi, size + 2), root, plus, minus, z, z * two_j / 2, two_j, size, change
    )
    right = change_of_shell(c, two_j / 2, change) @ psi
    assert amplitudes_of(y, len(right)) == pytest.approx(right, abs=1e-12)
    assert norm == pytest.approx(np.linalg.norm(right) ** 2, abs=1e-12)


@pytest.mark.parametrize("two_j", [0, 1, 2, 5])
def test_factors_of_local_jumps(two_j):
    n = 8 if two_j % 2 == 0 else 7
    shell = (n - two_j) // 2
    expected = [weight[shell] for weight in recycling(n)]
    if two_j < 2:  # B vanishes there
        expected[1] = 0.0
    assert [factor_of(two_j, n, True, k) for k in range(3)] == pytest.approx(expected)
    assert [factor_of(two_j, n, False, k) for k in range(3)] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("shifted", [True, False])
def test_the_norm_falls_at_the_rate_of_all_jumps(shifted):
    model = Model(3, two_j=5, shifted=shifted)
    size = 6
    psi = random_state(size, seed=2)
    bands, _ = model.bands()
    to_generator(bands, model.w)
    space = model.space(psi)
    x, y = space.x, space.y
    apply(bands, space.root, x[0], x[1], y[0], y[1], size)
    falling = -2.0 * np.vdot(psi, amplitudes_of(y, size)).real
    total = jump_weights(space, model.terms, model.two_j, size)
    assert total == pytest.approx(space.rates.sum())
    assert falling == pytest.approx(total, rel=1e-12)


def test_a_frame_turns_with_its_angular_velocity():
    R, w = rotation_matrix(np.array([1.0, 2.0, 0.5]), angle=0.8), np.array([0.3, -1.0, 2.0])
    out = np.zeros((3, 3))
    for time in (1e-6, 0.7):
        turned(out, R, w, time)
        angle = float(np.linalg.norm(w)) * time
        assert out == pytest.approx(R @ rotation_matrix(w, angle=angle), abs=1e-14)


def steps(model, psi, time, count):
    """A closed or decaying evolution in `count` steps, and the error that they claim."""
    size = len(psi)
    space = model.space(psi)
    polynomials = np.zeros((2, 8))
    polynomials[:, 0] = model.weights
    polynomials[1, 1:3] = 0.4, -0.3
    window, k = Window(0.0, time / 2, polynomials), space.k
    claimed, h = 0.0, time / count
    for i in range(count):
        bands_at(space, model.terms, window, i * h, 0.0, model.two_j)
        to_generator(space.bands, space.w)
        apply(space.bands, space.root, space.x[0], space.x[1], k[0, 0], k[0, 1], size)
        _, wrong = attempt(space, model.terms, window, h, i * h, 0.0, model.two_j, size)
        claimed += wrong**SHARPER
        space.x[:] = space.y
    x = space.x
    return amplitudes_of(x, size), claimed


def test_steps_are_of_fifth_order_and_claim_more_than_they_err():
    psi = random_state(6, seed=1)
    counts = np.array([40, 80, 160])
    fine, _ = steps(Model(4), psi, 0.2, 640)
    errors, claims = [], []
    for count in counts:
        state, claimed = steps(Model(4), psi, 0.2, count)
        errors.append(np.linalg.norm(state - fine))
        claims.append(claimed)
    slopes = np.diff(np.log(errors)) / np.diff(np.log(counts))
    assert slopes == pytest.approx(-5.0, abs=0.25)
    assert np.all(np.array(claims) > np.array(errors))
    assert np.all(np.array(claims) < 100 * np.array(errors))


def test_steps_in_a_turning_frame_end_where_the_matrix_exponential_does():
    """Constant model: the state in the lab is exp(-i H t) psi, whatever the frame does."""
    psi = random_state(6, seed=1)
    model = Model(6)
    model.local[:] = True  # a collective shift would turn with the frame
    model.shifted = False
    still = Model(6)
    still.local[:], still.shifted, still.w = True, False, np.zeros(3)

    def unitary(R):
        from scipy.spatial.transform import Rotation

        vector = Rotation.from_matrix(R).as_rotvec()
        return expm(-1j * np.einsum("a,aij->ij", vector, spin_matrices(2.5)))

    for chosen in (model, still):
        chosen.weights = np.array([1.0, 0.0])
        chosen.fields[1], chosen.quadratics[1] = 0.0, 0.0
        chosen.owners[:] = 0
    moved = steps(model, psi, 0.2, 400)[0]
    end = np.zeros((3, 3))
    turned(end, model.R, model.w, 0.2)
    lab = unitary(end) @ moved
    still.weights = np.array([1.0, 0.0])
    right = unitary(still.R) @ (expm(0.2 * still.matrix()) @ psi)
    phase = np.vdot(right, lab) / abs(np.vdot(right, lab))
    assert lab == pytest.approx(phase * right, abs=1e-8)


def test_the_turning_follows_a_linear_hamiltonian():
    model = Model(8, shifted=False)
    model.quadratics[:], model.vectors[:] = 0.0, 0.0
    bands, field = model.bands()
    w = np.zeros(3)
    mean_turning(w, bands, field, 0.4)
    assert w == pytest.approx(model.R.T @ (model.weights @ model.fields))
    to_generator(bands, w)
    assert bands == pytest.approx(np.zeros(N_BANDS), abs=1e-14)


def test_a_cubic_is_cut_where_it_passes_the_level():
    def value(s):
        return 1.0 - 0.3 * s - 0.4 * s**2 + 0.1 * s**3

    step = 0.5
    slopes = -0.3 / step, (-0.3 - 0.8 + 0.3) / step
    for place in (1e-6, 0.2, 0.9):
        found = root_of_cubic(1.0, slopes[0], value(1.0), slopes[1], value(place), step)
        assert found == pytest.approx(place, abs=1e-12)


def test_random_numbers_are_uniform_and_differ_between_trajectories():
    state = stream(3, 0)
    numbers = np.array([uniform(state) for _ in range(20_000)])
    assert numbers.min() > 0.0
    assert numbers.max() <= 1.0
    assert np.histogram(numbers, bins=10, range=(0, 1))[0] == pytest.approx(2000, abs=200)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.03
    heads = [uniform(stream(seed, k)) for seed in range(3) for k in range(50)]
    assert len(set(heads)) == 150
    assert uniform(stream(3, 0)) == numbers[0]
