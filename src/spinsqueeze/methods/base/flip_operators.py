"""A model of emitters among few flipped spins, from its canonical form.

H0 is what conserves S_z: z fields, s^z s^z and s^+ s^-; H1 is the rest. Of H1 only what acts on
all-down counts in first order: fields across z and s^x s^z flip one spin, s^+ s^+ two.
"""

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics.flip_amplitudes import FlipOperators

ROUNDING = 1e-12
"""Relative to a jump's vector: parts below are rounding."""


def flip_operators(model: Canonical) -> FlipOperators:
    """The operators of one and two flips; strengths are numbers, jumps emit (`not_emission`)."""
    kinds = len(model.counts)
    counts = model.counts.astype(float)
    partners = counts[None, :] - np.eye(kinds)
    site, drive = np.zeros(kinds, dtype=complex), np.zeros(kinds, dtype=complex)
    hop, pair_drive = np.zeros((2, kinds, kinds), dtype=complex)
    pair = np.zeros((kinds, kinds))
    for field in model.fields:
        vectors = float(field.strength) * np.atleast_2d(field.vectors)  # type: ignore[arg-type]
        site += vectors[:, 2]
        drive += (vectors[:, 0] - 1j * vectors[:, 1]) / 2
    for coupling, tensor in couplings(model):
        to_others = np.sum(coupling * partners, axis=1)
        site -= tensor[2, 2] / 2 * to_others
        drive -= (tensor[0, 2] - 1j * tensor[1, 2]) / 4 * to_others
        hop += (tensor[0, 0] + tensor[1, 1]) / 4 * coupling
        pair += tensor[2, 2] * coupling
        pair_drive += (anisotropy(tensor) / 4 - 0.5j * tensor[0, 1]) * coupling
    for jump in model.collective_jumps:
        amplitudes = np.broadcast_to(lowering(np.atleast_2d(jump.vectors)), kinds)
        rate = float(jump.rate)  # type: ignore[arg-type]
        hop -= 0.5j * rate * np.outer(amplitudes.conj(), amplitudes)
        site -= 0.5j * rate * np.abs(amplitudes) ** 2
    site -= 0.5j * local_decay_rates(model)
    return FlipOperators(counts, site, hop, pair, drive, pair_drive)


def local_decay_rates(model: Canonical) -> Floats:
    """(C,) the rate at which a flipped spin of each kind decays by itself."""
    rates = np.zeros(len(model.counts))
    for jump in model.local_jumps:
        factors = 1.0 if jump.factors is None else jump.factors
        rate = float(jump.rate)  # type: ignore[arg-type]
        rates += rate * factors * float(np.abs(lowering(jump.vector)) ** 2)
    return rates


def not_emission(vectors: Complexes) -> str:
    """What a jump vector . s does besides lowering: "", "raises", "dephases", or "mixes"."""
    rows = np.atleast_2d(vectors)
    size = ROUNDING * float(np.linalg.norm(rows))
    raises = bool(np.any(np.abs(rows[:, 0] - 1j * rows[:, 1]) / 2 > size))
    dephases = bool(np.any(np.abs(rows[:, 2]) > size))
    lowers = bool(np.any(np.abs(lowering(rows)) > size))
    if not raises and not dephases:
        return ""
    if lowers or (raises and dephases):
        return "mixes"
    return "raises" if raises else "dephases"


def lowering(vectors: Complexes) -> Complexes:
    """The part of s^- in vector . s."""
    return np.asarray((vectors[..., 0] + 1j * vectors[..., 1]) / 2)


def anisotropy(tensor: Floats) -> float:
    """T_xx - T_yy; what rounding leaves of equal ones is zero, lest it count as a drive."""
    difference = float(tensor[0, 0] - tensor[1, 1])
    size = float(np.abs(tensor[0, 0]) + np.abs(tensor[1, 1]))
    return 0.0 if abs(difference) <= 4 * np.finfo(np.float64).eps * size else difference


def couplings(model: Canonical) -> list[tuple[Floats, Floats]]:
    """Every coupling K_ij s_i . T s_j between two spins, as K (C, C) and T (3, 3)."""
    kinds = len(model.counts)
    found: list[tuple[Floats, Floats]] = []
    for quadratic in model.quadratics:
        weights = np.ones(kinds) if quadratic.weights is None else quadratic.weights
        strength = float(quadratic.strength)  # type: ignore[arg-type]
        found.append((np.outer(weights, weights), 2.0 * strength * quadratic.matrix))
    for pair in model.pairs:
        everywhere = pair.kernel.uniform
        kernel = np.ones((kinds, kinds)) if everywhere else pair.kernel.matrix()
        found.append((kernel, float(pair.strength) * pair.tensor))  # type: ignore[arg-type]
    return found
