"""Initial states as density matrices on 2^N, and the readings of a density matrix."""

from functools import cache, reduce

import numpy as np
from scipy.linalg import eigh, expm, null_space

import spinsqueeze as sq
from tests.problems.dense_model import HALF_PAULI, X, Y, Z, total_spin


@cache
def total_spin_basis(n):
    """[(j, V)]: V (2^N, 2j + 1, d_j) holds |j, m, k>, m = +j first, k the copies of that spin."""
    S = total_spin(n)
    m = np.diag(S[Z]).real
    raising = S[X] + 1j * S[Y]
    basis = []
    for j in np.arange(n / 2, -0.1, -1.0):
        inside = np.flatnonzero(np.isclose(m, j))
        highest = np.ones((1, 1)) if j == n / 2 else null_space(raising[:, inside])
        top = np.zeros((2**n, highest.shape[1]), dtype=complex)
        top[inside] = highest
        levels = [top]
        for level in np.arange(j, -j, -1.0):
            norm = np.sqrt(j * (j + 1) - level * (level - 1))
            levels.append(raising.conj().T @ levels[-1] / norm)
        basis.append((j, np.stack(levels, axis=1)))
    return basis


def density_matrix(state, n):
    """rho (2^N, 2^N) of an initial state."""
    if isinstance(state, sq.BlockState):
        rho, start = np.zeros((2**n, 2**n), dtype=complex), 0
        for j, V in total_spin_basis(n):
            size = round(2 * j) + 1
            block = state.values[start : start + size**2].reshape(size, size)
            start += size**2
            if V.shape[2]:
                rho += np.einsum("amk,ml,blk->ab", V, block, V.conj()) / V.shape[2]
        return rho
    psi = pure_state(state, n)
    return np.outer(psi, psi.conj())


def pure_state(state, n):
    match state:
        case sq.CoherentState():
            return product([state.direction] * n)
        case sq.ProductState():
            return product(state.directions)
        case sq.DickeState():
            S = total_spin(n)
            (_, V), *_ = total_spin_basis(n)
            values, vectors = eigh(V[:, :, 0].conj().T @ S["xyz".index(state.axis)] @ V[:, :, 0])
            return V[:, :, 0] @ vectors[:, np.argmin(np.abs(values - state.m))]
        case sq.SymmetricState():
            (_, V), *_ = total_spin_basis(n)
            return V[:, :, 0] @ state.amplitudes
        case sq.StateVector():
            # Bit i of the index of an amplitude is 1 where spin i is up.
            psi = np.empty(2**n, dtype=complex)
            for index, downs in enumerate(np.ndindex(*(2,) * n)):
                psi[index] = state.amplitudes[sum((1 - d) << i for i, d in enumerate(downs))]
            return psi
    raise NotImplementedError(type(state).__name__)


def product(directions):
    single = [np.linalg.eigh(np.einsum("a,axy->xy", d, HALF_PAULI))[1][:, 1] for d in directions]
    return reduce(np.kron, single)


def rotation(pulse, spins_of_pulse):
    """exp(-i angle axis . sum_i s_i)."""
    return expm(-1j * pulse.angle * np.einsum("a,iaxy->xy", pulse.axis, spins_of_pulse))


def readings(rho, n):
    """Every reading of a state that a result can hold, from its definition."""
    S = total_spin(n)
    spin = np.array([np.trace(a @ rho).real for a in S])
    second = np.array([[np.trace(a @ b @ rho).real for b in S] for a in S])
    covariance = (second + second.T) / 2 - np.outer(spin, spin)
    length = np.linalg.norm(spin)
    squared = np.trace(second)
    values = {
        "spin": spin,
        "covariance": covariance,
        "contrast": length / (n / 2),
        "total_spin_squared": squared,
        "effective_spins": 2 * np.sqrt(0.25 + squared) - 1,
        "purity": np.trace(rho @ rho).real,
        "shell_population": np.array(
            [np.einsum("amk,ab,bmk->", V.conj(), rho, V).real for _, V in total_spin_basis(n)]
        ),
        "qfi": fisher_information(rho, S),
    }
    if length > 1e-3 * n:
        plane = null_space(spin[None])
        least, most = np.linalg.eigvalsh(plane.T @ covariance @ plane)
        values["uncertainty_product"] = 4 * least * most / length**2
        values["xi2"] = n * least / length**2
        values["xi2_kitagawa_ueda"] = 4 * least / n
        values["antisqueezing"] = 4 * most / n
        values["ellipse_area"] = 4 * np.sqrt(max(least, 0.0) * most) / n
    return values


def fisher_information(rho, S):
    """The largest quantum Fisher information of a rotation, 2 sum (p-q)^2/(p+q) |<p|n.S|q>|^2."""
    p, vectors = np.linalg.eigh(rho)
    p = np.maximum(p, 0.0)
    total = p[:, None] + p
    weight = np.where(total > 1e-13, (p[:, None] - p) ** 2 / np.maximum(total, 1e-13), 0.0)
    elements = vectors.conj().T @ S @ vectors
    matrix = 2 * np.einsum("kl,akl,blk->ab", weight, elements, elements).real
    return np.linalg.eigvalsh((matrix + matrix.T) / 2)[-1]
