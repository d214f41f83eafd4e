"""Symmetric numbers a_ij of pairs of spins: by kinds of spins, or by displacement on a torus.

What sums over pairs, products and bounds need of them, so that a lattice alike everywhere never
makes an N x N matrix: products are convolutions there, and its spectrum is a Fourier transform.
"""

import abc
from dataclasses import dataclass
from functools import cached_property
from typing import Self, final

import numpy as np
from typing_extensions import override

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers

MOST_WAVES = 32
"""Wave vectors that are tried as stripes, those of the largest eigenvalues."""

DEGENERATE = 1e-9


class PairArray(abc.ABC):
    """a_ij = a_ji of pairs i != j of spins; spins of one kind are alike."""

    @property
    @abc.abstractmethod
    def counts(self) -> Floats:
        """(C,) spins of each kind."""

    @property
    @abc.abstractmethod
    def total(self) -> complex:
        """sum_{i<j} a_ij."""

    @property
    @abc.abstractmethod
    def size(self) -> float:
        """sum_{i<j} |a_ij|."""

    @property
    @abc.abstractmethod
    def squares(self) -> float:
        """sum_{i<j} |a_ij|^2."""

    @abc.abstractmethod
    def times(self, factor: float) -> Self:
        """The array times a number."""

    @abc.abstractmethod
    def matrix(self) -> Complexes:
        """The array (C, C), of two spins of two kinds; 0 where no pair is."""

    @abc.abstractmethod
    def apply(self, vectors: Complexes) -> Complexes:
        """W v for v (C, M): v.W.v/2 is the sum over pairs of spins."""

    @property
    @abc.abstractmethod
    def coupled(self) -> Booleans:
        """(C,): kinds that any pair belongs to."""

    @abc.abstractmethod
    def among(self, kinds: Booleans) -> "PairArray":
        """Of these kinds (C,) alone."""

    @abc.abstractmethod
    def relaxed(self) -> tuple[Complexes, float] | None:
        """The unit vectors (C, p) that maximise Re sum_{i<j} a_ij v_i.v_j, and its value.

        None where they are not known beforehand.
        """

    @abc.abstractmethod
    def stripes(self) -> Floats | None:
        """Signs (C, M) of waves that are worth a try as phases; None where there are no waves."""


@final
@dataclass(frozen=True, eq=False)
class PairMatrix(PairArray):
    """values a (C, C); counts (C,) spins of each kind. The diagonal of a kind of one is ignored."""

    values: Complexes
    spins: Floats

    @property
    @override
    def counts(self) -> Floats:
        return self.spins

    @cached_property
    def weights(self) -> Complexes:
        """W (C, C), a_ij times the spins of i, and of those of j its partners."""
        pairs = self.spins[:, None] * (self.spins[None, :] - np.eye(len(self.spins)))
        return np.asarray(self.values * pairs)

    @property
    @override
    def total(self) -> complex:
        return complex(self.weights.sum()) / 2.0

    @property
    @override
    def size(self) -> float:
        return float(np.abs(self.weights).sum()) / 2.0

    @property
    @override
    def squares(self) -> float:
        return float(np.sum(np.abs(self.values) * np.abs(self.weights))) / 2.0

    @override
    def times(self, factor: float) -> "PairMatrix":
        return PairMatrix(self.values * factor, self.spins)

    @override
    def matrix(self) -> Complexes:
        return self.values

    @override
    def apply(self, vectors: Complexes) -> Complexes:
        return np.asarray(self.weights @ vectors)

    @property
    @override
    def coupled(self) -> Booleans:
        return np.asarray(np.any(self.weights != 0, axis=1))

    @override
    def among(self, kinds: Booleans) -> "PairMatrix":
        return PairMatrix(self.values[np.ix_(kinds, kinds)], self.spins[kinds])

    @override
    def relaxed(self) -> None:
        return None

    @override
    def stripes(self) -> None:
        return None


@final
@dataclass(frozen=True, eq=False)
class PairTable(PairArray):
    """a_ij = table[(x_i - x_j) mod shape], one spin a site of a torus; even, table[0] = 0."""

    table: Complexes

    @property
    def _sites(self) -> int:
        return int(self.table.size)

    @property
    @override
    def counts(self) -> Floats:
        return np.ones(self._sites)

    @property
    @override
    def total(self) -> complex:
        return complex(self.table.sum()) * self._sites / 2.0

    @property
    @override
    def size(self) -> float:
        return float(np.abs(self.table).sum()) * self._sites / 2.0

    @property
    @override
    def squares(self) -> float:
        return float(np.sum(np.abs(self.table) ** 2)) * self._sites / 2.0

    @override
    def times(self, factor: float) -> "PairTable":
        return PairTable(self.table * factor)

    @override
    def matrix(self) -> Complexes:
        shape = self.table.shape
        sites = np.indices(shape).reshape(len(shape), -1)
        steps = [(x[:, None] - x[None, :]) % n for x, n in zip(sites, shape, strict=True)]
        return np.asarray(self.table[tuple(steps)])

    @cached_property
    def spectrum(self) -> Complexes:
        """The eigenvalues of a by wave vector, in the order of `numpy.fft`."""
        return np.asarray(np.fft.fftn(self.table))

    @override
    def apply(self, vectors: Complexes) -> Complexes:
        from scipy import fft

        axes = tuple(range(self.table.ndim))
        fields = vectors.reshape(*self.table.shape, -1)
        product = fft.fftn(fields, axes=axes) * self.spectrum[..., None]
        out = fft.ifftn(product, axes=axes, overwrite_x=True)
        return np.asarray(out.reshape(vectors.shape))

    @property
    @override
    def coupled(self) -> Booleans:
        return np.full(self._sites, bool(np.any(self.table)))

    @override
    def among(self, kinds: Booleans) -> "PairTable":
        assert np.all(kinds)
        return self

    def waves(self, most: int) -> Integers:
        """(M, D) up to `most` wave vectors of the largest |eigenvalue|, one of k and -k each.

        In units of 2 pi/shape.
        """
        shape = np.array(self.table.shape)
        order = np.argsort(-np.abs(self.spectrum).ravel(), kind="stable")[: 2 * most]
        chosen: dict[tuple[int, ...], None] = {}
        for k in np.stack(np.unravel_index(order, self.table.shape), axis=1):
            partner = (-k) % shape
            chosen.setdefault(min(tuple(map(int, k)), tuple(map(int, partner))))
        return np.array(list(chosen)[:most])

    def turns(self, waves: Integers) -> Floats:
        """(N, M) k.x of every site [rad]."""
        shape = self.table.shape
        sites = np.indices(shape).reshape(len(shape), -1).T / np.array(shape)
        return np.asarray(2 * np.pi * (sites @ waves.T))

    @override
    def stripes(self) -> Floats:
        return stripes(self.turns(self.waves(MOST_WAVES)))

    @override
    def relaxed(self) -> tuple[Complexes, float]:
        """The waves cos k.x, sin k.x of the largest |eigenvalue|, and N/2 times that.

        The bound by one common multiplier is the best one, as the best multipliers are convex and
        may be averaged over all translations.
        """
        waves = self.waves(MOST_WAVES)
        values = self.spectrum[tuple(waves.T)]
        top = np.abs(values) >= abs(values[0]) * (1.0 - DEGENERATE)
        turns, phases = self.turns(waves[top]), np.exp(-0.5j * np.angle(values[top]))
        vectors = np.hstack([np.cos(turns) * phases, np.sin(turns) * phases])
        return vectors / np.sqrt(top.sum()), float(abs(values[0])) * self._sites / 2.0


def stripes(turns: Floats) -> Floats:
    """Signs (N, 2 M) of cosines of the turns k.x (N, M), of each wave with two shifts."""
    cosines = [np.cos(turns + shift) for shift in (0.01, np.pi / 4)]
    return np.where(np.hstack(cosines) >= 0, 1.0, -1.0)
