"""Brute force on 2^N and 4^N, and 60-digit one-axis twisting, for the closed forms."""

from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath as mp
import numpy as np
import pytest

S = (
    np.array([[0, 0.5], [0.5, 0]], dtype=complex),
    np.array([[0, -0.5j], [0.5j, 0]]),
    np.diag([0.5, -0.5]).astype(complex),
)


def _site(a: np.ndarray, i: int, n: int) -> np.ndarray:
    return np.kron(np.kron(np.eye(2**i), a), np.eye(2 ** (n - 1 - i)))


def _brute_force(J, fields, bloch, time, *, dephasing=None, decay=None, pumping=None):
    """(<s_i> (N, 3), <s^a_i s^b_j> (N, N, 3, 3)) by matrices; rates give a Lindblad evolution."""
    n = len(J)
    spins = [[_site(a, i, n) for a in S] for i in range(n)]
    H = sum(fields[i] * spins[i][2] for i in range(n))
    for i in range(n):
        for j in range(i):
            H = H + J[i, j] * spins[i][2] @ spins[j][2]
    rho = np.eye(1)
    for r in bloch:
        rho = np.kron(rho, np.eye(2) / 2 + sum(r[a] * S[a] for a in range(3)))
    if dephasing is None:
        u = np.exp(-1j * np.diag(H).real * time)
        rho = u[:, None] * rho * u.conj()
    else:
        rho = _open_evolution(H, spins, rho, time, dephasing, decay, pumping)
    means = np.array([[np.trace(rho @ s).real for s in site] for site in spins])
    pairs = np.zeros((n, n, 3, 3))
    for i, a in product(range(n), range(3)):
        right = rho @ spins[i][a]
        for j, b in product(range(n), range(3)):
            if i != j:
                pairs[i, j, a, b] = np.sum(right * spins[j][b].T).real
    return means, pairs


def _open_evolution(H, spins, rho, time, dephasing, decay, pumping):
    import qutip

    dims = [[2] * len(spins), [2] * len(spins)]
    jumps = []
    for i, (x, y, z) in enumerate(spins):
        lower = x - 1j * y
        for rate, L in (
            (2 * dephasing[i], z),
            (decay[i], lower),
            (pumping[i], lower.conj().T),
        ):
            jumps.append(qutip.Qobj(np.sqrt(rate) * L, dims=dims))
    L = qutip.liouvillian(qutip.Qobj(H, dims=dims), jumps)
    state = qutip.operator_to_vector(qutip.Qobj(rho, dims=dims))
    return qutip.vector_to_operator((L * time).expm() * state).full()


def _twisting(n_spins: int, direction: Any, mu: float, rotation: float, dephasing: float):
    """Spin and covariance of one-axis twisting in mpmath, from the plain formulas."""
    x, y, z = (mp.mpf(float(v)) for v in direction)
    size = mp.sqrt(x * x + y * y + z * z)
    x, y, z = x / size, y / size, z / size
    mu, N = mp.mpf(float(mu)), mp.mpf(n_spins)
    p = mp.mpc(x, y) * mp.expj(mp.mpf(rotation)) * mp.exp(-mp.mpf(dephasing))
    g = mp.mpc(mp.cos(mu), z * mp.sin(mu))
    g2 = mp.mpc(mp.cos(2 * mu), z * mp.sin(2 * mu))
    m = p / 2 * g ** (n_spins - 1)
    pp = pm = zp = mp.mpc(0)
    if n_spins > 1:
        pairs = N * (N - 1) / 4
        pp = pairs * p * p * (g2 ** (n_spins - 2) - g ** (2 * n_spins - 2))
        pm = pairs * abs(p) ** 2 * (1 - abs(g) ** (2 * n_spins - 2))
        zp = pairs * p * mp.mpc(0, 1 - z * z) * mp.sin(mu) * g ** (n_spins - 2)
    means = (m.real, m.imag, z / 2)
    C = [[N * ((a == b) * mp.mpf(0.25) - means[a] * means[b]) for b in range(3)] for a in range(3)]
    C[0][0] += (mp.re(pm) + mp.re(pp)) / 2
    C[1][1] += (mp.re(pm) - mp.re(pp)) / 2
    for a, b, value in ((0, 1, mp.im(pp) / 2), (0, 2, mp.re(zp)), (1, 2, mp.im(zp))):
        C[a][b] += value
        C[b][a] += value
    return [N * v for v in means], C


@pytest.fixture
def ising_brute_force() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    return _brute_force


@pytest.fixture
def twisting_60_digits() -> Any:
    def call(n_spins, direction, mu, rotation=0.0, dephasing=0.0):
        with mp.workdps(60):
            return _twisting(n_spins, direction, mu, rotation, dephasing)

    return call


@pytest.fixture
def random_problem() -> Any:
    """call(seed, n, kind): couplings, fields, Bloch vectors, three rates a site."""

    def call(seed: int, n: int, kind: str = "pure"):
        rng = np.random.default_rng(seed)
        J = rng.normal(size=(n, n))
        J = np.triu(J, 1) + np.triu(J, 1).T
        bloch = rng.normal(size=(n, 3))
        if kind == "transverse":
            bloch[:, 2] = 0
        bloch /= np.linalg.norm(bloch, axis=1)[:, None]
        if kind == "mixed":
            bloch *= rng.uniform(0.1, 1, size=(n, 1))
        return J, rng.normal(size=n), bloch, rng.uniform(0.05, 1, size=(3, n))

    return call
