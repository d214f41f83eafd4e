"""Discrete Wigner sampling of product states: every spin gets components ±1.

A spin along the unit vector n starts as sigma = n + a e1 + b e2 with a, b = ±1, independent and
equally likely. The frame is e1 = (-n_y, n_x, 0)/hypot(n_x, n_y) and e2 = n x e1, or e1 = y for
n = ±z: for n along a coordinate axis, e1 and e2 are the other two axes up to sign, and for n in
the x-y plane the z component is ±1, which is what makes Ising couplings exact. Then
<sigma> = n, <sigma_a sigma_b> = delta_ab, and |sigma|^2 = 3 for every sample. This holds in both
samplings; "stratified" signs know of those of other samples (`stratified`).
"""

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.dtwa.stratified import stratified_signs

SAMPLINGS = ("stratified", "independent")

SQUARED_LENGTH = 3.0
"""|sigma|^2 of every sampled spin."""

_POLE = 1e-12


def perpendicular_frame(directions: Floats) -> tuple[Floats, Floats]:
    """Unit vectors e1, e2 (..., 3), right-handed with the unit vectors `directions` (..., 3)."""
    n = np.asarray(directions, dtype=float)
    length = np.hypot(n[..., 0], n[..., 1])
    polar = length < _POLE
    safe = np.where(polar, 1.0, length)
    e1 = np.stack([-n[..., 1] / safe, n[..., 0] / safe, np.zeros_like(length)], axis=-1)
    e1 = np.where(polar[..., None], np.array([0.0, 1.0, 0.0]), e1)
    return e1, np.cross(n, e1)


def random_signs(n_spins: int, *, seed: int, sample: int) -> NDArray[np.int8]:
    """The signs a, b (2, n_spins) of sample number `sample`.

    They depend on (seed, sample) alone: each sample has its own counter-based Philox stream, keyed
    by numpy's SeedSequence(seed, spawn_key=(sample,)).
    """
    stream = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(sample,)))
    words = stream.random_raw((2 * n_spins + 63) // 64).astype("<u8")
    bits = np.unpackbits(words.view(np.uint8), count=2 * n_spins, bitorder="little")
    return (2 * bits.astype(np.int8) - 1).reshape(2, n_spins)


def alike_frames(first: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Frames e1, e2 (n, 3), each vector reversed where it points against that of the first spin.

    The signs are fair either way; so their sums are those of the collective spin, as far as one
    frame can be turned into another.
    """
    return (
        np.where((first @ first[0] < 0.0)[:, None], -first, first),
        np.where((second @ second[0] < 0.0)[:, None], -second, second),
    )


def sample_spins(
    directions: Floats,
    *,
    n_spins: int,
    seed: int,
    first_sample: int,
    n_samples: int,
    sampling: str = "independent",
) -> Floats:
    """Spins sigma (n_samples, 3, n_spins) of the samples first_sample, first_sample + 1, ...

    Args:
        directions: unit vector (3,) of a coherent state, or one per spin (n_spins, 3).
        n_spins: number of spins.
        seed: non-negative integer.
        first_sample: number of the first sample.
        n_samples: how many samples.
        sampling: one of `SAMPLINGS`.

    Raises:
        InvalidInput: directions of another shape, or not of unit length.
    """
    n = np.asarray(directions, dtype=float)
    if n.shape not in ((3,), (n_spins, 3)):
        raise InvalidInput(
            f"directions must have shape (3,) or ({n_spins}, 3), got {n.shape}; "
            "give one unit vector, or one per spin"
        )
    if not np.allclose(np.linalg.norm(n, axis=-1), 1.0, rtol=0.0, atol=1e-9):
        raise InvalidInput("directions must be unit vectors; divide each by its length")
    e1, e2 = perpendicular_frame(n)
    signs_of = random_signs
    if sampling == "stratified":
        signs_of = stratified_signs
        e1, e2 = alike_frames(np.atleast_2d(e1), np.atleast_2d(e2))
    along, first, second = (np.atleast_2d(v).T for v in (n, e1, e2))
    spins = np.empty((n_samples, 3, n_spins))
    for k in range(n_samples):
        a, b = signs_of(n_spins, seed=seed, sample=first_sample + k)
        spins[k] = along + a * first + b * second
    return spins
