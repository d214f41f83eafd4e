"""The phases z_i that maximise Re sum_{i<j} a_ij z_i z_j, |z_i| = 1, and how far that is certain.

Over one phase for all spins the maximum is |sum_{i<j} a_ij|. Over a phase for each spin it is an
XY model with couplings of any phase, in general hard. Relaxed to vectors z_i of C^p, |z_i| = 1, it
is not: quasi-Newton ascent from one start gives vectors whose projections are starts for p = 1, and
Newton's method within a trust region ends the best of them at a local maximum. The dual problem
bounds the value at any phases: for every m_i by
sum_i m_i/2 + (N/2) top eigenvalue of [[Re a, -Im a], [-Im a, -Re a]] - diag(m).
A maximum that reaches its bound is the global one.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats

MOST_COMPONENTS = 8
PROJECTIONS = 32
CERTAIN = 1e-9
"""Relative distance from a bound within which a maximum counts as reaching it."""

VANISHING = 1e-12
"""A sum of so little beside the sum of sizes is zero, up to rounding."""

ASCENT_STEPS = 300


@final
@dataclass(frozen=True, eq=False)
class PhaseMaximum:
    """value: the maximum. phases (C,), |z| = 1. upper_bound: of any phases of this sort.

    certain: whether the maximum reaches the bound, up to rounding.
    """

    value: float
    phases: Complexes
    upper_bound: float
    certain: bool


def common_phase(couplings: Complexes, *, counts: Floats) -> PhaseMaximum:
    """The maximum over one phase for all spins, exact.

    Args:
        couplings: a (C, C) complex symmetric, between spins of two kinds.
        counts: (C,) spins of each kind.
    """
    weights = _weights(couplings, counts)
    total = complex(weights.sum()) / 2.0
    if abs(total) <= VANISHING * float(np.abs(weights).sum()) / 2.0:
        return PhaseMaximum(0.0, np.full(len(counts), np.nan + 0j), 0.0, True)
    phase = _first_half(np.full(len(counts), np.exp(-0.5j * np.angle(total))))
    return PhaseMaximum(abs(total), phase, abs(total), True)


def single_phases(
    couplings: Complexes, *, counts: Floats, patterns: Floats | None = None, seed: int = 0
) -> PhaseMaximum:
    """The maximum over a phase for each spin, with a bound of it.

    Spins of one kind share a phase at no loss: two of them, z_i = e^(i(s+d)) and z_j = e^(i(s-d)),
    give a_ij e^(2is) to each other and (z_i + z_j) h = 2 cos(d) e^(is) h to the rest, most at d = 0
    or pi. Kinds that couple to nothing take the common phase.

    Args:
        couplings: a (C, C) complex symmetric, between spins of two kinds.
        counts: (C,) spins of each kind.
        patterns: (C, M) signs worth a try besides: starts that random ones hardly find.
        seed: of the random starts.
    """
    weights = _weights(couplings, counts)
    most = float(np.abs(weights).sum()) / 2.0
    if most == 0.0:
        return PhaseMaximum(0.0, np.full(len(counts), np.nan + 0j), 0.0, True)
    coupled = np.asarray(np.any(weights != 0, axis=1))
    inner = weights[np.ix_(coupled, coupled)] / most
    tries = np.ones((len(counts), 1)) if patterns is None else patterns
    phases, limit = _best(inner, counts[coupled], tries[coupled], seed)
    value = _value(inner, phases)
    certain = value >= limit * (1.0 - CERTAIN)
    everywhere = _everywhere(phases, coupled, common_phase(couplings, counts=counts).phases)
    return PhaseMaximum(most * value, everywhere, most * max(limit, value), certain)


def _best(
    weights: Complexes, counts: Floats, patterns: Floats, seed: int
) -> tuple[Complexes, float]:
    """The best phases, and a bound of any; the sum of sizes of all pairs is 1."""
    alike = np.full(len(counts), np.exp(-0.5j * np.angle(weights.sum())))
    phases = _climbed(weights, alike)
    limit = min(1.0, _dual_bound(weights, counts, phases[:, None]))
    if len(counts) == 1 or _value(weights, phases) >= limit * (1.0 - CERTAIN):
        return phases, limit
    random = np.random.default_rng(seed)
    rank = min(MOST_COMPONENTS, 2 + int(np.sqrt(2 * len(counts))))
    start = random.normal(size=(2, len(counts), 1, rank))
    vectors = _ascended(weights, start[0] + 1j * start[1])[:, 0]
    limit = min(limit, _dual_bound(weights, counts, vectors))
    leading = np.linalg.svd(np.vstack([vectors.real, vectors.imag]))[2][:1]
    onto = np.vstack([leading, random.normal(size=(PROJECTIONS, rank))])
    starts = np.hstack([vectors @ onto.T, _promising(weights, patterns)])
    ends = _ascended(weights, starts[..., None])[..., 0]
    values = np.real(np.sum(ends * (weights @ ends), axis=0))
    best = _climbed(weights, ends[:, np.argmax(values)])
    return max(phases, best, key=lambda end: _value(weights, end)), limit


def _promising(weights: Complexes, patterns: Floats) -> Complexes:
    """Those of the sign patterns that give most, each with its best common phase."""
    sums = np.sum(patterns * (weights @ patterns), axis=0)
    chosen = np.argsort(-np.abs(sums))[:PROJECTIONS]
    return np.asarray(patterns[:, chosen] * np.exp(-0.5j * np.angle(sums[chosen])))


def _weights(couplings: Complexes, counts: Floats) -> Complexes:
    """W (C, C): z.W.z/2 is the sum over pairs of spins."""
    pairs = counts[:, None] * (counts[None, :] - np.eye(len(counts)))
    return np.asarray(couplings * pairs)


def _value(weights: Complexes, phases: Complexes) -> float:
    return float(np.real(phases @ weights @ phases)) / 2.0


def _as_real(matrix: Complexes) -> Floats:
    return np.block([[matrix.real, -matrix.imag], [-matrix.imag, -matrix.real]])


def _ascended(weights: Complexes, start: Complexes) -> Complexes:
    """Vectors (C, starts, p) of length 1 with a larger Re sum_ij W_ij v_i.v_j for each start."""
    from scipy.optimize import minimize

    kinds, shape = len(start), start.shape

    def unit(flat: Floats) -> tuple[Complexes, Floats]:
        u = flat.view(np.complex128).reshape(shape)
        size = np.linalg.norm(u, axis=-1, keepdims=True)
        return u / size, size

    def descent(flat: Floats) -> tuple[float, Floats]:
        v, size = unit(flat)
        pull = np.conj(weights @ v.reshape(kinds, -1)).reshape(shape)
        along = np.sum(np.real(np.conj(v) * pull), axis=-1, keepdims=True)
        slope = (along * v - pull) * (2.0 * kinds) / size
        return -kinds * float(np.sum(along)), slope.ravel().view(np.float64)

    flat = (start / np.linalg.norm(start, axis=-1, keepdims=True)).ravel().view(np.float64)
    options = {"maxiter": ASCENT_STEPS, "ftol": 1e-13, "gtol": 1e-9}
    found = minimize(descent, flat, jac=True, method="L-BFGS-B", options=options)
    return unit(np.ascontiguousarray(found.x))[0]


def _climbed(weights: Complexes, start: Complexes) -> Complexes:
    """A local maximum, where the Hessian has no positive eigenvalue."""
    from scipy.optimize import minimize

    def forces(angles: Floats) -> tuple[Complexes, Complexes]:
        z = np.exp(1j * angles)
        return z, z * (weights @ z)

    def hessian(angles: Floats) -> Floats:
        z, pull = forces(angles)
        return np.asarray(np.real(np.outer(z, z) * weights) + np.diag(pull.real))

    scale = len(start)  # entries of a normalised sum fall as 1/C^2
    found = minimize(
        lambda angles: -scale * _value(weights, np.exp(1j * angles)),
        np.angle(start),
        jac=lambda angles: scale * forces(angles)[1].imag,
        hess=lambda angles: scale * hessian(angles),
        method="trust-exact",
        options={"gtol": 1e-10, "maxiter": 100},
    )
    return np.asarray(np.exp(1j * found.x))


def _dual_bound(weights: Complexes, counts: Floats, vectors: Complexes) -> float:
    """What no phases exceed, from vectors (C, p) near the maximum."""
    root = np.sqrt(counts)
    pull = np.linalg.norm(weights @ vectors, axis=1) / counts
    matrix = _as_real(weights / np.outer(root, root)) - np.diag(np.tile(pull, 2))
    top = float(np.linalg.eigvalsh(matrix)[-1])
    return float(counts @ pull + counts.sum() * top) / 2.0


def _everywhere(phases: Complexes, coupled: Booleans, common: Complexes) -> Complexes:
    out = np.where(np.isnan(common), 1.0 + 0j, common)
    out[coupled] = _first_half(phases)
    return out


def _first_half(phases: Complexes) -> Complexes:
    """The sign of all phases, which is free, that puts the first into angles [0, pi)."""
    angle = float(np.angle(phases[0]))
    return phases if 0.0 <= angle < np.pi else -phases
