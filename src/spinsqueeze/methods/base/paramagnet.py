"""How strong a perturbation the paramagnet stands in mean field: all spins down, of a model.

H0 is what conserves S_z, H1 the rest; lambda = 1 is the model as it is. On the branch spins of one
kind are alike. Small changes are looked at of all of them together, of some against others, and on
a full periodic lattice of alike spins of every wave vector. Spins that decay only together keep
their length, as large spins do.
"""

from collections.abc import Collection

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.lattice.kernels import Kernel
from spinsqueeze.methods.base.flip_operators import (
    CONSERVING,
    anisotropy,
    couplings,
    flip_operators,
    local_decay_rates,
    lowering,
    torus,
)
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics import mean_field
from spinsqueeze.numerics.flip_amplitudes import FlipsByKind
from spinsqueeze.numerics.mean_field import Instability, ProductFlow

MOST_KINDS, MOST_DRIVEN = 600, 30
"""Kinds of spins that differ: beyond, nothing is said; with a drive, whose branch moves, fewer."""
COUPLINGS, DETUNINGS = CONSERVING
DRIVEN = 1e-12
"""Torques on all-down, relative to the largest rate, from which on it is driven."""


def mean_field_instability(
    model: Canonical, *, perturbed: Collection[str] = ()
) -> Instability | None:
    """The smallest lambda > 0 at which the branch of all-down is lost; None: too many kinds.

    Args:
        model: constant strengths, jumps that only lower, every flip of H0 decays.
        perturbed: parts that conserve S_z and yet grow with lambda, of `CONSERVING`.
    """
    if torus(model) is not None:
        flow = _on_lattice(model, perturbed)
        moves = bool(perturbed) or _driven(flow)
        return mean_field.of_drive(flow) if moves else _of_lattice(flow)
    kinds = len(model.counts)
    if kinds > MOST_KINDS:
        return None
    if not perturbed and model.permutation_invariant:
        (M, P), apart, drive = _alike(model)
        if abs(drive) <= DRIVEN * abs(M):
            together = mean_field.of_alike(M, P)
            return together if apart is None else _first(together, _against(*apart))
    if perturbed:
        few = kinds <= MOST_DRIVEN
        return mean_field.of_drive(_of_kinds(model, perturbed)) if few else None
    operators = flip_operators(model)
    assert isinstance(operators, FlipsByKind)
    size = float(np.abs(operators.one_flip()).max())
    if np.abs(operators.drive).max() > DRIVEN * size:
        return mean_field.of_drive(_of_kinds(model, ())) if kinds <= MOST_DRIVEN else None
    root = np.sqrt(operators.counts)
    balance = root[:, None] / root[None, :]
    pairs = operators.pair_drive * operators.partners
    together = mean_field.of_pairs(operators.one_flip() * balance, pairs * balance)
    return _first(together, _relative(model))


def _first(*found: Instability) -> Instability:
    return min(found, key=lambda one: one.strength)


def _relative(model: Canonical) -> Instability:
    """Undriven: spins of a kind against each other."""
    if int(np.max(model.counts)) < 2:
        return Instability(np.inf, mean_field.NONE)
    return _of_kinds(model, ()).relative()


Flips = tuple[complex, complex]


def _alike(model: Canonical) -> tuple[Flips, Flips | None, complex]:
    """M of one flip and P of two, of all spins together and of some against others; and the drive.

    Spins that decay only together keep their length: they do not move against each other.
    """
    arrays = interchangeable.at_peak(model)
    others = model.n_spins - 1
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = arrays.quadratic.tolist()
    x, y, z = arrays.field.tolist()
    alone, together = (
        sum(rate * abs(complex(lowering(c))) ** 2 for rate, c in jumps)
        for jumps in (arrays.local_jumps, arrays.collective_jumps)
    )
    one_flip = z + ((xx + yy) / 2 - zz) * others - 0.5j * (alone + (others + 1) * together)
    pairs = (anisotropy(2 * arrays.quadratic) / 4 - 1j * xy) * others
    apart = None
    if others and alone:
        hop, pair = (xx + yy) / 2, anisotropy(2 * arrays.quadratic) / 4 - 1j * xy
        apart = complex(z - hop - zz * others - 0.5j * alone), complex(-pair)
    return (one_flip, pairs), apart, (x - 1j * y - (xz - 1j * yz) * others) / 2


def _against(one_flip: complex, pairs: complex) -> Instability:
    found = mean_field.of_alike(one_flip, pairs)
    return Instability(found.strength, found.outcome, mean_field.RELATIVE)


def _driven(flow: ProductFlow) -> bool:
    torque = flow.fields[1] + np.einsum("ijab,jb->ia", flow.couplings[1], flow.down)
    size = float(np.abs(flow.jacobian(flow.down, 0.0)).max())
    return bool(np.abs(torque[:, :2]).max() > DRIVEN * size)


def _of_lattice(flow: ProductFlow) -> Instability:
    """Undriven: db_k/dt = -i M_k b_k - i lambda P_k b_-k^*, b = x - i y, from real blocks."""
    assert flow.waves is not None
    own = flow.jacobian(flow.down, 0.0) - flow.turned_by(flow.couplings[0][:, 0])[0]
    return mean_field.of_blocks(own + flow.turned_by(flow.waves[0]), flow.turned_by(flow.waves[1]))


def _of_kinds(model: Canonical, perturbed: Collection[str]) -> ProductFlow:
    kinds = len(model.counts)
    counts = model.counts.astype(float)
    partners = counts[None, :] - np.eye(kinds)
    local = local_decay_rates(model)
    rigid = (local == 0) & (counts > 1)
    decay = local.copy()
    fixed, changing = np.zeros((2, kinds, kinds, 3, 3))
    twins = np.zeros((2, kinds, 3, 3))
    for kernel, tensor in couplings(model):
        kept, rest = _split(tensor, perturbed)
        fixed += (kernel * partners)[:, :, None, None] * kept
        changing += (kernel * partners)[:, :, None, None] * rest
        pair = np.broadcast_to(kernel, (kinds, kinds)).diagonal()[:, None, None]
        twins -= np.array([pair * kept, pair * rest])
    for jump in model.collective_jumps:
        amplitudes = np.broadcast_to(lowering(np.atleast_2d(jump.vectors)), kinds)
        rate = float(jump.rate)  # type: ignore[arg-type]
        decay += np.where(rigid, 0.0, rate * np.abs(amplitudes) ** 2)
        others = partners + np.diag(rigid)  # a large spin emits as one, its own share included
        fixed += _emission(rate * np.outer(amplitudes.conj(), amplitudes) * others)
        twins[0] -= _emission(rate * np.abs(amplitudes) ** 2)
    several = np.flatnonzero((counts > 1) & ~rigid)
    return ProductFlow(
        _fields(model, kinds, perturbed),
        np.array([fixed, changing]),
        decay,
        rigid,
        twins=(several, twins[:, several]) if len(several) else None,
    )


def _on_lattice(model: Canonical, perturbed: Collection[str]) -> ProductFlow:
    """Alike spins on a full periodic lattice: one of them, and couplings by wave vector."""
    n = model.n_spins
    decay = local_decay_rates(model)[:1].copy()
    waves = np.zeros((2, n, 3, 3))
    for quadratic in model.quadratics:
        strength = 2.0 * float(quadratic.strength)  # type: ignore[arg-type]
        waves += _by_wave(_everywhere(n), _split(strength * quadratic.matrix, perturbed))
    for pair in model.pairs:
        strength = float(pair.strength)  # type: ignore[arg-type]
        waves += _by_wave(_spectrum(pair.kernel), _split(strength * pair.tensor, perturbed))
    for jump in model.collective_jumps:
        rate = float(jump.rate) * float(np.abs(lowering(jump.vectors)) ** 2)  # type: ignore[arg-type]
        decay += rate
        waves[0] += _emission(rate * _everywhere(n))
    along = waves[:, 0][:, None, None]
    return ProductFlow(_fields(model, 1, perturbed), along, decay, np.zeros(1, dtype=bool), waves)


def _fields(model: Canonical, kinds: int, perturbed: Collection[str]) -> Floats:
    """(2, C, 3): along z, and across."""
    along = int(DETUNINGS in perturbed)
    out = np.zeros((2, kinds, 3))
    for field in model.fields:
        vectors = float(field.strength) * np.broadcast_to(  # type: ignore[arg-type]
            field.vectors, (kinds, 3)
        )
        out[along, :, 2] += vectors[:, 2]
        out[1, :, :2] += vectors[:, :2]
    return out


def _split(tensor: Floats, perturbed: Collection[str]) -> tuple[Floats, Floats]:
    """What commutes with turns about z, and the rest."""
    if COUPLINGS in perturbed:
        return np.zeros((3, 3)), tensor
    across = (tensor[0, 0] + tensor[1, 1]) / 2
    kept = np.diag([across, across, tensor[2, 2]])
    return kept, tensor - kept


def _by_wave(spectrum: Floats, parts: tuple[Floats, Floats]) -> Floats:
    return np.array([spectrum[:, None, None] * part for part in parts])


def _emission(rate: Complexes | Floats) -> Floats:
    """Collective emission as a field on spin i: u_y + i u_x = rate_ij (x_j - i y_j)."""
    out = np.zeros((*rate.shape, 3, 3))
    out[..., 0, 0] = out[..., 1, 1] = rate.imag
    out[..., 0, 1], out[..., 1, 0] = -rate.real, rate.real
    return out


def _everywhere(n_spins: int) -> Floats:
    """sum_j exp(i k r_j) over all other spins: N - 1 at k = 0, -1 elsewhere."""
    out = np.full(n_spins, -1.0)
    out[0] += n_spins
    return out


def _spectrum(kernel: Kernel) -> Floats:
    """(N,) sum_j K_0j exp(i k r_j) of a translation-invariant kernel."""
    table = kernel.table
    return _everywhere(kernel.n_spins) if table is None else np.fft.fftn(table).real.ravel()
