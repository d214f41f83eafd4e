"""All isolated solutions of quadratic equations, by following those of simpler ones to them.

Of V equations in V unknowns Bezout counts 2^V complex solutions, infinity included. The paths from
the 2^V solutions of z_i^2 = 1 through (1 - t) gamma (z_i^2 - 1) + t f_i, gamma a random phase, end
in all isolated ones (with probability 1; Sommese and Wampler 2005).
"""

import itertools

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats

FAR = 300.0
"""Paths beyond lead to infinity: spins have length 1/2."""
MAX_STEPS = 3000
SHORTEST = 1e-12


def all_roots(constant: Floats, linear: Floats, quadratic: Floats) -> Floats:
    """The real solutions (R, V) of constant_i + linear_i . z + z . quadratic_i z / 2 = 0.

    Args:
        constant: (E,) of E >= V equations; more than V are mixed at random, and what solves
            the mixtures alone is left out.
        linear: (E, V).
        quadratic: (E, V, V), symmetric.
    """
    generator = np.random.default_rng(2)
    n_equations, n = linear.shape
    sizes = np.maximum(np.abs(linear).max(axis=1), np.abs(quadratic).max(axis=(1, 2)))
    sizes[sizes == 0] = 1.0
    parts = constant / sizes, linear / sizes[:, None], quadratic / sizes[:, None, None]
    mixing = generator.normal(size=(n, n_equations)) if n_equations > n else np.eye(n)
    mixed = tuple(np.tensordot(mixing, part, 1) for part in parts)
    z = _followed(mixed, np.exp(2j * np.pi * generator.uniform()))
    real = z[np.abs(z.imag).max(axis=1) < 1e-5].real if len(z) else np.zeros((0, n))
    residuals = _values(parts, real.astype(complex))[0]
    return np.asarray(real[np.abs(residuals).max(axis=1, initial=0.0) < 1e-5])


Parts = tuple[Floats, ...]


def _values(parts: Parts, z: Complexes) -> tuple[Complexes, Complexes]:
    """F (P, E) and dF/dz (P, E, V) at points z (P, V)."""
    constant, linear, quadratic = parts
    bent = np.einsum("evw,pw->pev", quadratic, z)
    return constant + z @ linear.T + np.einsum("pev,pv->pe", bent, z) / 2, linear + bent


def _followed(parts: Parts, gamma: complex) -> Complexes:
    n = len(parts[0])
    z = np.array(list(itertools.product([1.0, -1.0], repeat=n)), dtype=complex)
    t, step = np.zeros(len(z)), np.full(len(z), 0.05)
    alive: Booleans = np.ones(len(z), dtype=bool)
    for _ in range(MAX_STEPS):
        moving = np.flatnonzero(alive & (t < 1))
        if not len(moving):
            break
        at, ahead = t[moving], np.minimum(t[moving] + step[moving], 1.0)
        with np.errstate(all="ignore"):
            new = z[moving] + (ahead - at)[:, None] * _tangents(parts, gamma, z[moving], at)
            change = np.full(len(moving), np.inf)
            for _ in range(2):
                F, J = _homotopy(parts, gamma, new, ahead)
                last, delta = change, _solved(J, F)
                new = new - delta
                change = np.abs(delta).max(axis=1)
            size = 1 + np.abs(new).max(axis=1)
            good = (change < 1e-6 * size) & (change <= last) & np.isfinite(change)
        z[moving[good]], t[moving[good]] = new[good], ahead[good]
        step[moving[good]] *= 2.0
        step[moving[~good]] *= 0.4
        alive &= (np.abs(z).max(axis=1) < FAR) & (step > SHORTEST)
    # A path to a multiple solution comes close and no farther.
    return np.asarray(z[(np.abs(z).max(axis=1) < FAR) & (t > 1 - 1e-6)])


def _homotopy(parts: Parts, gamma: complex, z: Complexes, t: Floats) -> tuple[Complexes, Complexes]:
    F, J = _values(parts, z)
    start = gamma * (1 - t)
    diagonal = np.einsum("p,pv,vw->pvw", start, 2 * z, np.eye(z.shape[1]))
    return t[:, None] * F + start[:, None] * (z**2 - 1), t[:, None, None] * J + diagonal


def _tangents(parts: Parts, gamma: complex, z: Complexes, t: Floats) -> Complexes:
    _, J = _homotopy(parts, gamma, z, t)
    return -_solved(J, _values(parts, z)[0] - gamma * (z**2 - 1))


def _solved(J: Complexes, F: Complexes) -> Complexes:
    try:
        return np.asarray(np.linalg.solve(J, F[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return np.asarray((np.linalg.pinv(J) @ F[..., None])[..., 0])
