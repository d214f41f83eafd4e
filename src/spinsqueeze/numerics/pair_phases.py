"""The phases z_i that maximise Re sum_{i<j} a_ij z_i z_j, |z_i| = 1, and how far that is certain.

Over one phase for all spins the maximum is |sum_{i<j} a_ij|. Over a phase for each spin it is an
XY model with couplings of any phase, in general hard. Relaxed to vectors z_i of C^p, |z_i| = 1, it
is not: quasi-Newton ascent from one start gives vectors whose projections are starts for p = 1, and
Newton's method within a trust region ends the best of them at a local maximum. The dual problem
bounds the value at any phases: for every m_i by
sum_i m_i/2 + (N/2) top eigenvalue of [[Re a, -Im a], [-Im a, -Re a]] - diag(m).
A maximum that reaches its bound is the global one. On a torus that is alike everywhere
(`PairTable`) the best m is the same everywhere, the bound N/2 times the largest |Fourier component|
of a, and the relaxed maximum a wave.
"""

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.numerics.pair_arrays import PairArray, PairMatrix

MOST_COMPONENTS = 8
PROJECTIONS = 32
CERTAIN = 1e-9
"""Relative distance from a bound within which a maximum counts as reaching it."""

VANISHING = 1e-12
"""A sum of so little beside the sum of sizes is zero, up to rounding."""

ASCENT_STEPS = 300

MANY = 1000
"""Kinds from which on a short ascent chooses the starts of the long one."""
FIRST_STEPS = 30
FINALISTS = 8


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


def common_phase(couplings: PairArray) -> PhaseMaximum:
    """The maximum over one phase for all spins, exact; couplings a (C, C) complex."""
    total, kinds = couplings.total, len(couplings.counts)
    if abs(total) <= VANISHING * couplings.size:
        return PhaseMaximum(0.0, np.full(kinds, np.nan + 0j), 0.0, True)
    phase = _first_half(np.full(kinds, np.exp(-0.5j * np.angle(total))))
    return PhaseMaximum(abs(total), phase, abs(total), True)


def single_phases(
    couplings: PairArray, *, patterns: Floats | None = None, seed: int = 0
) -> PhaseMaximum:
    """The maximum over a phase for each spin, with a bound of it.

    Spins of one kind share a phase at no loss: two of them, z_i = e^(i(s+d)) and z_j = e^(i(s-d)),
    give a_ij e^(2is) to each other and (z_i + z_j) h = 2 cos(d) e^(is) h to the rest, most at d = 0
    or pi. Kinds that couple to nothing take the common phase.

    Args:
        couplings: a (C, C) complex, between spins of two kinds.
        patterns: (C, M) signs worth a try besides: starts that random ones hardly find. Default:
            the stripes of the couplings, where they have waves.
        seed: of the random starts.
    """
    most, kinds = couplings.size, len(couplings.counts)
    if most == 0.0:
        return PhaseMaximum(0.0, np.full(kinds, np.nan + 0j), 0.0, True)
    coupled = couplings.coupled
    inner = couplings.among(coupled).times(1.0 / most)
    known = couplings.stripes() if patterns is None else patterns
    tries = np.ones((kinds, 1)) if known is None else known
    phases, limit = _best(inner, tries[coupled], seed)
    value = _value(inner, phases)
    certain = value >= limit * (1.0 - CERTAIN)
    everywhere = _everywhere(phases, coupled, common_phase(couplings).phases)
    return PhaseMaximum(most * value, everywhere, most * max(limit, value), certain)


def _best(inner: PairArray, patterns: Floats, seed: int) -> tuple[Complexes, float]:
    """The best phases, and a bound of any; the sum of sizes of all pairs is 1."""
    kinds = len(inner.counts)
    alike = np.full(kinds, np.exp(-0.5j * np.angle(inner.total)))
    relaxed = inner.relaxed()
    starts = [alike]
    if relaxed is not None:  # a wave that any phases may follow reaches the bound by itself
        starts.append(_promising(inner, patterns)[:, 0])
    phases = max((_climbed(inner, start) for start in starts), key=lambda end: _value(inner, end))
    limit = min(1.0, _dual_bound(inner, phases[:, None]) if relaxed is None else relaxed[1])
    if kinds == 1 or _value(inner, phases) >= limit * (1.0 - CERTAIN):
        return phases, limit
    random = np.random.default_rng(seed)
    if relaxed is None:
        rank = min(MOST_COMPONENTS, 2 + int(np.sqrt(2 * kinds)))
        start = random.normal(size=(2, kinds, 1, rank))
        vectors = _ascended(inner, start[0] + 1j * start[1])[:, 0]
        limit = min(limit, _dual_bound(inner, vectors))
    else:
        vectors, rank = relaxed[0], relaxed[0].shape[1]
    leading = np.linalg.svd(np.vstack([vectors.real, vectors.imag]), full_matrices=False)[2][:1]
    onto = np.vstack([leading, random.normal(size=(PROJECTIONS, rank))])
    ends = np.hstack([vectors @ onto.T, _promising(inner, patterns)])
    ends[np.abs(ends) < VANISHING] = 1.0
    if kinds > MANY:
        ends = _ascended(inner, ends[..., None], steps=FIRST_STEPS)[..., 0]
        ends = ends[:, np.argsort(-_values(inner, ends))[:FINALISTS]]
    ends = _ascended(inner, ends[..., None])[..., 0]
    best = _climbed(inner, ends[:, np.argmax(_values(inner, ends))])
    return max(phases, best, key=lambda end: _value(inner, end)), limit


def _promising(inner: PairArray, patterns: Floats) -> Complexes:
    """Those of the sign patterns that give most, each with its best common phase."""
    sums = np.sum(patterns * inner.apply(patterns.astype(complex)), axis=0)
    chosen = np.argsort(-np.abs(sums))[:PROJECTIONS]
    return np.asarray(patterns[:, chosen] * np.exp(-0.5j * np.angle(sums[chosen])))


def _value(inner: PairArray, phases: Complexes) -> float:
    return float(np.real(phases @ inner.apply(phases[:, None])[:, 0])) / 2.0


def _as_real(matrix: Complexes) -> Floats:
    return np.block([[matrix.real, -matrix.imag], [-matrix.imag, -matrix.real]])


def _values(inner: PairArray, vectors: Complexes) -> Floats:
    """Twice the value of each column of phases (C, M)."""
    return np.asarray(np.real(np.sum(vectors * inner.apply(vectors), axis=0)))


def _ascended(inner: PairArray, start: Complexes, *, steps: int = ASCENT_STEPS) -> Complexes:
    """Vectors (C, starts, p) of length 1 with a larger Re sum_ij W_ij v_i.v_j for each start."""
    from scipy.optimize import minimize

    kinds, shape = len(start), start.shape

    def unit(flat: Floats) -> tuple[Complexes, Floats]:
        u = flat.view(np.complex128).reshape(shape)
        size = np.linalg.norm(u, axis=-1, keepdims=True)
        return u / size, size

    def descent(flat: Floats) -> tuple[float, Floats]:
        v, size = unit(flat)
        pull = np.conj(inner.apply(v.reshape(kinds, -1))).reshape(shape)
        along = np.sum(np.real(np.conj(v) * pull), axis=-1, keepdims=True)
        slope = (along * v - pull) * (2.0 * kinds) / size
        return -kinds * float(np.sum(along)), slope.ravel().view(np.float64)

    flat = (start / np.linalg.norm(start, axis=-1, keepdims=True)).ravel().view(np.float64)
    options = {"maxiter": steps, "ftol": 1e-13, "gtol": 1e-9}
    found = minimize(descent, flat, jac=True, method="L-BFGS-B", options=options)
    return unit(np.ascontiguousarray(found.x))[0]


def _climbed(inner: PairArray, start: Complexes) -> Complexes:
    """A local maximum, where the Hessian has no positive eigenvalue."""
    from scipy.optimize import minimize

    def forces(angles: Floats) -> tuple[Complexes, Complexes]:
        z = np.exp(1j * angles)
        return z, z * inner.apply(z[:, None])[:, 0]

    scale = len(start)  # entries of a normalised sum fall as 1/C^2
    second: dict[str, Any] = {}
    if isinstance(inner, PairMatrix):

        def hessian(angles: Floats) -> Floats:
            z, pull = forces(angles)
            return scale * np.asarray(np.real(np.outer(z, z) * inner.weights) + np.diag(pull.real))

        second = {"method": "trust-exact", "hess": hessian}
    else:

        def product(angles: Floats, step: Floats) -> Floats:
            z, pull = forces(angles)
            moved = np.real(z * inner.apply((z * step)[:, None])[:, 0])
            return np.asarray(scale * (moved + pull.real * step))

        second = {"method": "trust-ncg", "hessp": product}
    found = minimize(
        lambda angles: -scale * _value(inner, np.exp(1j * angles)),
        np.angle(start),
        jac=lambda angles: scale * forces(angles)[1].imag,
        options={"gtol": 1e-10, "maxiter": 100},
        **second,
    )
    return np.asarray(np.exp(1j * found.x))


def _dual_bound(inner: PairArray, vectors: Complexes) -> float:
    """What no phases exceed, from vectors (C, p) near the maximum."""
    assert isinstance(inner, PairMatrix)
    counts = inner.counts
    root = np.sqrt(counts)
    pull = np.linalg.norm(inner.apply(vectors), axis=1) / counts
    matrix = _as_real(inner.weights / np.outer(root, root)) - np.diag(np.tile(pull, 2))
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
