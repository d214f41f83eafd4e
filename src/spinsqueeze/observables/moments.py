"""First and second collective moments: what every method hands back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.checks import integer
from spinsqueeze.core.errors import InvalidInput

ASYMMETRY_TOLERANCE = 1e-5
"""Largest |C_ab - C_ba| accepted, relative to the largest |C_ab| (or N/4): room for float32."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean spin and symmetrised covariance of the collective spin S = sum_i s_i.

    Leading dimensions (usually one, time) are free and equal in both arrays. The arrays are
    copied to float64, made read-only, and the covariance is symmetrised. Positivity of the
    covariance is not required: approximate methods may violate it, and
    :func:`~spinsqueeze.observables.squeezing.squeezing` then says so in its status.

    Attributes:
        n_spins: number of spins N; where spins leave, the mean number left at each leading
            index (...).
        spin: (..., 3) [1]: <S_a>, a = x, y, z.
        covariance: (..., 3, 3) [1]: <{S_a, S_b}>/2 - <S_a><S_b>.

    Raises:
        InvalidInput: n_spins is not a positive integer nor an array of numbers >= 0, shapes
            disagree, a value is not finite, or the covariance is not symmetric.
    """

    n_spins: int | Integers | Floats
    spin: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        """Checks shapes and values; stores read-only float64 copies."""
        spin = _finite(self.spin, "spin")
        covariance = _finite(self.covariance, "covariance")
        if spin.ndim < 1 or spin.shape[-1] != 3:
            raise InvalidInput(
                f"spin must have shape (..., 3) with the axes x, y, z last; got {spin.shape}."
            )
        if covariance.shape != (*spin.shape, 3):
            raise InvalidInput(
                f"covariance must have shape {(*spin.shape, 3)} to match spin; "
                f"got {covariance.shape}."
            )
        n_spins = _counts(self.n_spins, spin.shape[:-1])
        _store(self, n_spins=n_spins, spin=spin)
        _store(self, covariance=_symmetrised(covariance, "covariance", n_spins / 4))

    def each(self) -> list[Moments]:
        """Parts with one leading index each, which keep their dimension; n_spins a number."""
        parts = []
        for k in range(len(self.spin)):
            part = object.__new__(Moments)  # checked as a whole
            own = slice(k, k + 1)
            _store(part, n_spins=self.n_spins, spin=self.spin[own], covariance=self.covariance[own])
            parts.append(part)
        return parts


@dataclass(frozen=True, eq=False)
class BlockMoments:
    """First and second moments of the collective spin by blocks of samples.

    A block mean is an average over the samples of that block, of S - reference and of its
    (symmetrised) square. The samples may be classical vectors (phase-space methods) or
    expectation values <psi|.|psi> (quantum trajectories). The reference keeps the numbers small:
    near the mean spin nothing cancels at N = 1e6.

    Attributes:
        n_spins: number of spins N; where spins leave, the block mean of those left (..., B).
        reference: (..., 3) [1]: the point from which the moments are taken.
        weights: (B,) number of samples in each block.
        first: (..., B, 3) [1]: block mean of S - reference.
        second: (..., B, 3, 3) [1]: block mean of (S - reference)(S - reference)^T.

    Raises:
        InvalidInput: shapes disagree, a value is not finite, a weight is not positive, or a
            second moment is not symmetric.
    """

    n_spins: int | Integers | Floats
    reference: Floats
    weights: Floats
    first: Floats
    second: Floats

    def __post_init__(self) -> None:
        """Checks shapes and values; stores read-only float64 copies."""
        reference = _finite(self.reference, "reference")
        weights = _finite(self.weights, "weights")
        first = _finite(self.first, "first")
        second = _finite(self.second, "second")
        if reference.ndim < 1 or reference.shape[-1] != 3:
            raise InvalidInput(f"reference must have shape (..., 3); got {reference.shape}.")
        if weights.ndim != 1 or weights.size == 0 or not np.all(weights > 0):
            raise InvalidInput(
                "weights must be a non-empty vector of positive sample numbers, one a block; "
                f"got shape {weights.shape}, smallest value {np.min(weights, initial=np.inf)}."
            )
        expected = (*reference.shape[:-1], weights.size, 3)
        if first.shape != expected:
            raise InvalidInput(f"first must have shape {expected}; got {first.shape}.")
        if second.shape != (*expected, 3):
            raise InvalidInput(f"second must have shape {(*expected, 3)}; got {second.shape}.")
        n_spins = _counts(self.n_spins, expected[:-1])
        second = _symmetrised(second, "second", n_spins / 4)
        _store(self, n_spins=n_spins, reference=reference, weights=weights)
        _store(self, first=first, second=second)

    @property
    def n_blocks(self) -> int:
        """Number of blocks B."""
        return int(self.weights.size)

    @property
    def n_samples(self) -> float:
        """Total weight: the number of samples."""
        return float(self.weights.sum())

    @classmethod
    def from_samples(cls, samples: ArrayLike, *, n_spins: int, n_blocks: int) -> Self:
        """Cuts samples into contiguous blocks, equal in size within one.

        Args:
            samples: (n_samples, ..., 3) [1]: collective spin of each sample, e.g.
                (n_samples, T, 3).
            n_spins: number of spins N.
            n_blocks: number of blocks B, at most n_samples; 20 to 200 suits most uses.

        Returns:
            The block moments about the mean over all samples.

        Raises:
            InvalidInput: wrong shape, a value that is not finite, or n_blocks outside
                1 <= n_blocks <= n_samples.
        """
        array = _finite(samples, "samples")
        if array.ndim < 2 or array.shape[-1] != 3 or array.shape[0] == 0:
            raise InvalidInput(
                f"samples must have shape (n_samples, ..., 3), n_samples >= 1; got {array.shape}."
            )
        n_samples = array.shape[0]
        n_blocks = integer("n_blocks", n_blocks, minimum=1, maximum=n_samples)
        reference = array.mean(axis=0)
        edges = np.linspace(0, n_samples, n_blocks + 1).astype(np.int64)
        first = np.empty((*reference.shape[:-1], n_blocks, 3))
        second = np.empty((*first.shape, 3))
        for block, (start, stop) in enumerate(pairwise(edges)):
            centred = array[start:stop] - reference
            first[..., block, :] = centred.mean(axis=0)
            second[..., block, :, :] = np.einsum("n...a,n...b->...ab", centred, centred) / len(
                centred
            )
        return cls(
            n_spins=n_spins,
            reference=reference,
            weights=np.diff(edges).astype(np.float64),
            first=first,
            second=second,
        )

    @classmethod
    def from_averages(
        cls, samples: Floats, *, n_spins: int, averages: Floats, sizes: ArrayLike
    ) -> Self:
        """Blocks whose means are weighted sums of the samples.

        Args:
            samples: (n_samples, T, 3) [1]: collective spin of each sample.
            n_spins: number of spins N.
            averages: (B, n_samples): weights in the mean of each block, with sum 1.
            sizes: (B,) number of samples of each block.
        """
        reference = samples.mean(axis=0)
        first = np.empty((samples.shape[1], len(averages), 3))
        second = np.empty((*first.shape, 3))
        for k, point in enumerate(reference):
            centred = samples[:, k] - point
            # Not a matrix product: its last bits would depend on the number of threads.
            first[k] = np.einsum("bn,na->ba", averages, centred)
            second[k] = np.einsum("bn,na,nc->bac", averages, centred, centred)
        return cls(
            n_spins=n_spins,
            reference=reference,
            weights=np.asarray(sizes, dtype=np.float64),
            first=first,
            second=second,
        )

    def combined(self) -> Moments:
        """Mean spin and unbiased covariance over all blocks.

        With W = sum_b w_b, m the weighted mean of the block means f_b and M that of the second
        moments: spin = reference + m and covariance = M - m m^T + V, where
        V = sum_b w_b (f_b - m)(f_b - m)^T / [(B - 1) W] estimates the covariance of m itself.
        The term V makes the covariance unbiased: for n classical samples, one a block, it is the
        familiar factor n/(n-1); unlike that factor it is also right for samples that are
        expectation values. With a single block V is unknown and left out, which biases the
        covariance by a relative -1/n.
        """
        return moments_from_sums(
            n_spins=self.mean_n_spins(),
            reference=self.reference,
            n_blocks=self.n_blocks,
            sums=block_sums(self),
        )

    def mean_n_spins(self) -> int | Floats:
        """Mean number of spins left, over all blocks: N, or (...) where spins leave."""
        if isinstance(self.n_spins, int):
            return self.n_spins
        return np.asarray(self.n_spins @ self.weights / self.n_samples)

    def referred_to(self, reference: ArrayLike) -> Self:
        """The same moments about another reference (..., 3)."""
        target = _finite(reference, "reference")
        if target.shape != self.reference.shape:
            raise InvalidInput(
                f"reference must have shape {self.reference.shape}; got {target.shape}."
            )
        shift = (self.reference - target)[..., None, :]
        first = self.first + shift
        cross = shift[..., :, None] * self.first[..., None, :]
        second = self.second + cross + np.swapaxes(cross, -1, -2)
        second = second + shift[..., :, None] * shift[..., None, :]
        return type(self)(self.n_spins, target, self.weights, first, second)

    def centred(self) -> Self:
        """The same moments about the mean over all samples: the reference that loses least."""
        mean = np.einsum("b,...ba->...a", self.weights, self.first) / self.n_samples
        return self.referred_to(self.reference + mean)

    @classmethod
    def merge(cls, parts: Sequence[Self]) -> Self:
        """Joins independent runs (other seeds) of one model: the blocks stand side by side.

        Args:
            parts: block moments of equal n_spins and leading shape; references may differ.

        Returns:
            Block moments with all blocks, about the mean over all samples.

        Raises:
            InvalidInput: nothing to merge, the parts differ in leading shape or in the number of
                spins, or spins leave in some of them only.
        """
        if len(parts) == 0:
            raise InvalidInput("merge needs at least one BlockMoments; got none.")
        head = parts[0]
        for part in parts[1:]:
            varying = isinstance(part.n_spins, np.ndarray) and isinstance(head.n_spins, np.ndarray)
            if not varying and not np.array_equal(part.n_spins, head.n_spins):
                raise InvalidInput(
                    f"merge needs equal n_spins; got {head.n_spins} and {part.n_spins}."
                )
            if part.reference.shape != head.reference.shape:
                raise InvalidInput(
                    "merge needs equal times (leading shapes); got "
                    f"{head.reference.shape[:-1]} and {part.reference.shape[:-1]}."
                )
        aligned = [part.referred_to(head.reference) for part in parts]
        joined = cls(
            n_spins=_joined([part.n_spins for part in aligned]),
            reference=head.reference,
            weights=np.concatenate([part.weights for part in aligned]),
            first=np.concatenate([part.first for part in aligned], axis=-2),
            second=np.concatenate([part.second for part in aligned], axis=-3),
        )
        return joined.centred()


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Weighted sums over blocks, from which moments follow; sums can be subtracted.

    Attributes:
        weight: (...) sum_b w_b.
        first: (..., 3) sum_b w_b f_b.
        second: (..., 3, 3) sum_b w_b M_b.
        spread: (..., 3, 3) sum_b w_b f_b f_b^T.
    """

    weight: Floats
    first: Floats
    second: Floats
    spread: Floats


def block_sums(blocks: BlockMoments) -> BlockSums:
    """Sums over all blocks."""
    weights = blocks.weights
    weighted = weights[:, None] * blocks.first
    return BlockSums(
        weight=np.asarray(weights.sum()),
        first=weighted.sum(axis=-2),
        second=np.einsum("b,...bij->...ij", weights, blocks.second),
        spread=np.einsum("...bi,...bj->...ij", weighted, blocks.first),
    )


def moments_from_sums(
    *, n_spins: int | Floats, reference: Floats, n_blocks: int, sums: BlockSums
) -> Moments:
    """Mean spin and unbiased covariance from sums over n_blocks blocks."""
    weight = sums.weight[..., None]
    mean = sums.first / weight
    square = mean[..., :, None] * mean[..., None, :]
    covariance = sums.second / weight[..., None] - square
    if n_blocks > 1:
        covariance = covariance + (sums.spread / weight[..., None] - square) / (n_blocks - 1)
    return Moments(n_spins=n_spins, spin=reference + mean, covariance=covariance)


def _finite(values: ArrayLike, name: str) -> Floats:
    array = np.array(values, order="C")  # sums, and so bits, do not depend on the layout given
    if array.dtype.kind not in "fiu":
        raise InvalidInput(f"{name} must hold real numbers; got dtype {array.dtype}.")
    array = array.astype(np.float64, copy=False)
    if not np.all(np.isfinite(array)):
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InvalidInput(
            f"{name} must be finite; it holds {array[where]} at index {where}. "
            "Cut the evolution at its last valid time and report the failure in its status."
        )
    return array


def _counts(value: object, shape: tuple[int, ...]) -> int | Integers | Floats:
    if not isinstance(value, np.ndarray) or (value.ndim == 0 and shape):
        return integer("n_spins", value, minimum=1)
    numbers = value.dtype.kind in "iuf" and bool(np.all(np.isfinite(value) & (value >= 0)))
    if value.shape != shape or not numbers:
        raise InvalidInput(
            "n_spins must be a positive integer, or an array of numbers >= 0, one for each leading "
            f"index {shape} of spin; got {value.dtype} of shape {value.shape}."
        )
    if value.dtype.kind == "f":
        return np.array(value, dtype=np.float64)
    return np.array(value, dtype=np.int64)


def _joined(counts: Sequence[int | Integers | Floats]) -> int | Floats:
    """Numbers of spins of several parts, side by side where they are those of blocks."""
    head = counts[0]
    if isinstance(head, int):
        return head
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in counts], axis=-1)


def _symmetrised(matrices: Floats, name: str, floor: ArrayLike) -> Floats:
    transposed = np.swapaxes(matrices, -1, -2)
    asymmetry = np.abs(matrices - transposed).max(axis=(-1, -2), initial=0.0)
    scale = np.maximum(np.abs(matrices).max(axis=(-1, -2), initial=0.0), floor)
    if np.any(asymmetry > ASYMMETRY_TOLERANCE * scale):
        raise InvalidInput(
            f"{name} must be symmetric in its last two axes; it differs from its transpose by "
            f"{asymmetry.max():.3g}. Symmetrise the operator products: <S_a S_b + S_b S_a>/2."
        )
    return 0.5 * (matrices + transposed)


def _store(target: object, **values: int | NDArray[Any]) -> None:
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            value = value.view()
            value.flags.writeable = False
        object.__setattr__(target, name, value)
