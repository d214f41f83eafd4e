"""A model of emitters among few flipped spins, from its canonical form.

H0 is what conserves S_z: z fields, s^z s^z and s^+ s^-; H1 is the rest. Of H1 only what acts on
all-down counts in first order: fields across z and s^x s^z flip one spin, s^+ s^+ two. Parts of
what conserves S_z may be counted to H1 by name.
"""

from collections.abc import Collection
from functools import lru_cache

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics.flip_amplitudes import FlipOperators, FlipsByKind, bytes_by_kind
from spinsqueeze.numerics.flip_tables import FlipsByDistance, bytes_by_distance

ROUNDING = 1e-12
"""Relative to a jump's vector: parts below are rounding."""

CONSERVING = ("couplings", "detunings")
"""Parts of H that conserve S_z: exchange and z z interactions of spins, and fields along z."""


def flip_operators(model: Canonical, *, perturbed: Collection[str] = ()) -> FlipOperators:
    """The operators of one and two flips; strengths are numbers, jumps emit (`not_emission`).

    Args:
        model: what is alike everywhere on a torus is by displacement, else by kinds of spins.
        perturbed: conserving parts that count to H1, of `CONSERVING`; in first order they are left
            out, as all-down is an eigenstate of them.
    """
    shape = torus(model)
    return _by_kind(model, perturbed) if shape is None else _by_distance(model, shape, perturbed)


def flip_bytes(model: Canonical) -> float:
    """Memory that the amplitudes of two flips need."""
    kinds = len(model.counts)
    return bytes_by_kind(kinds) if torus(model) is None else bytes_by_distance(kinds)


def torus(model: Canonical) -> tuple[int, ...] | None:
    """The shape of the periodic lattice that is alike everywhere; None of other models."""
    lattice = model.lattice
    if lattice is None or lattice.shape is None or len(model.counts) != model.n_spins:
        return None
    return lattice.grid_shape if model.translation_invariant and not model.other_pieces else None


def _by_kind(model: Canonical, perturbed: Collection[str]) -> FlipsByKind:
    kinds = len(model.counts)
    counts = model.counts.astype(float)
    partners = counts[None, :] - np.eye(kinds)
    site, drive = np.zeros(kinds, dtype=complex), np.zeros(kinds, dtype=complex)
    hop, pair_drive = np.zeros((2, kinds, kinds), dtype=complex)
    pair = np.zeros((kinds, kinds))
    bound, detuned = (float(part not in perturbed) for part in CONSERVING)
    for field in model.fields:
        vectors = float(field.strength) * np.atleast_2d(field.vectors)  # type: ignore[arg-type]
        site += detuned * vectors[:, 2]
        drive += (vectors[:, 0] - 1j * vectors[:, 1]) / 2
    for coupling, tensor in couplings(model):
        to_others = np.sum(coupling * partners, axis=1)
        site -= bound * tensor[2, 2] / 2 * to_others
        drive -= (tensor[0, 2] - 1j * tensor[1, 2]) / 4 * to_others
        hop += bound * (tensor[0, 0] + tensor[1, 1]) / 4 * coupling
        pair += bound * tensor[2, 2] * coupling
        pair_drive += _pair_drive(tensor) * coupling
    for jump in model.collective_jumps:
        amplitudes = np.broadcast_to(lowering(np.atleast_2d(jump.vectors)), kinds)
        rate = float(jump.rate)  # type: ignore[arg-type]
        hop -= 0.5j * rate * np.outer(amplitudes.conj(), amplitudes)
        site -= 0.5j * rate * np.abs(amplitudes) ** 2
    rates = local_decay_rates(model)
    site -= 0.5j * rates
    return FlipsByKind(counts, site, hop, pair, drive, pair_drive, rates)


def _by_distance(
    model: Canonical, shape: tuple[int, ...], perturbed: Collection[str]
) -> FlipsByDistance:
    others = np.ones(shape)
    others.flat[0] = 0.0
    site, drive = 0j, 0j
    hop, pair_drive = np.zeros((2, *shape), dtype=complex)
    pair = np.zeros(shape)
    bound, detuned = (float(part not in perturbed) for part in CONSERVING)
    for field in model.fields:
        x, y, z = float(field.strength) * field.vectors  # type: ignore[arg-type]
        site += detuned * z
        drive += (x - 1j * y) / 2
    between = [
        (others, 2.0 * float(q.strength) * q.matrix)  # type: ignore[arg-type]
        for q in model.quadratics
    ]
    for p in model.pairs:
        table = p.kernel.table
        tensor = float(p.strength) * p.tensor  # type: ignore[arg-type]
        between.append((others if table is None else table, tensor))
    for coupling, tensor in between:
        to_others = float(coupling.sum())
        site -= bound * tensor[2, 2] / 2 * to_others
        drive -= (tensor[0, 2] - 1j * tensor[1, 2]) / 4 * to_others
        hop += bound * (tensor[0, 0] + tensor[1, 1]) / 4 * coupling
        pair += bound * tensor[2, 2] * coupling
        pair_drive += _pair_drive(tensor) * coupling
    for jump in model.collective_jumps:
        decay = float(jump.rate) * abs(complex(lowering(jump.vectors))) ** 2  # type: ignore[arg-type]
        hop -= 0.5j * decay * others
        site -= 0.5j * decay
    rate = float(local_decay_rates(model)[0])
    return FlipsByDistance(complex(site - 0.5j * rate), hop, pair, complex(drive), pair_drive, rate)


def _pair_drive(tensor: Floats) -> complex:
    """<ij|H1|0> of s_i . T s_j."""
    return complex(anisotropy(tensor) / 4 - 0.5j * tensor[0, 1])


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
    rows = np.asarray(np.atleast_2d(vectors), dtype=complex)
    return _besides_lowering(tuple(rows[0].tolist())) if len(rows) == 1 else _besides(rows)


@lru_cache(maxsize=64)
def _besides_lowering(vector: tuple[complex, ...]) -> str:
    return _besides(np.array([vector]))


def _besides(rows: Complexes) -> str:
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
