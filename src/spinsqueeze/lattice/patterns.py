"""Lattices with oblique axes: triangular, honeycomb and kagome, in whole numbers.

Their sites are points n1 e1 + n2 e2 of one triangular net, e1.e1 = e2.e2 = 1, e1.e2 = 1/2, so that
n1^2 + n1 n2 + n2^2 is the square of a length without rounding: pairs that are equally far are so to
the last bit, also around a torus.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats, Integers


@final
@dataclass(frozen=True)
class Pattern:
    """How cells are filled.

    steps: net vectors of one step along each axis of the grid; the first two are those of the
    shape, each `repeats` times as long as the cell; a third one counts `inner` sites of a cell.
    hole: the place, modulo `repeats`, without a site. turn: angle of e1 from the x axis, which puts
    the first axis of the shape on x.
    """

    steps: tuple[tuple[int, int], ...]
    repeats: int = 1
    inner: int = 1
    hole: tuple[int, int] | None = None
    turn: float = 0.0

    @property
    def sites_per_cell(self) -> int:
        """Sites in a cell."""
        return self.repeats**2 * self.inner - (self.hole is not None)


PATTERNS = {
    "triangular": Pattern(((1, 0), (0, 1))),
    "honeycomb": Pattern(((1, 1), (-1, 2), (0, 1)), inner=2, turn=-np.pi / 6),
    "kagome": Pattern(((1, 0), (0, 1)), repeats=2, hole=(1, 1)),
}
"""Neighbours are one net length apart in all of them."""


@final
@dataclass(frozen=True)
class ObliqueGrid:
    """The grid of a pattern: shape of cells, periodic or not along each of its two axes."""

    pattern: Pattern
    shape: tuple[int, ...]
    periodic: tuple[bool, ...]

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """Places along each axis of the grid, those without a site included."""
        cells = tuple(self.pattern.repeats * size for size in self.shape)
        return cells if self.pattern.inner == 1 else (*cells, self.pattern.inner)

    @property
    def grid_periodic(self) -> tuple[bool, ...]:
        """Whether each axis of the grid closes; the axis inside a cell does not."""
        return (*self.periodic, False)[: len(self.grid_shape)]

    @property
    def sites(self) -> Booleans:
        """Mask (grid_shape) of the places that have a site."""
        mask = np.ones(self.grid_shape, bool)
        if self.pattern.hole is not None:
            repeats, (i, j) = self.pattern.repeats, self.pattern.hole
            mask[i::repeats, j::repeats] = False
        return mask

    @cached_property
    def basis(self) -> Floats:
        """(2, 2) e1 and e2 along x and y."""
        angles = self.pattern.turn + np.array([0.0, np.pi / 3])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1)

    def places(self, indices: Integers) -> Floats:
        """Points (..., 2) of grid indices (..., axes)."""
        return np.asarray((indices @ np.array(self.pattern.steps)) @ self.basis)

    @cached_property
    def periods(self) -> Integers:
        """(0 to 2, 2) net vectors after which the lattice repeats, as short as they can be."""
        vectors = [
            self.pattern.repeats * size * np.array(step)
            for size, step, around in zip(
                self.shape, self.pattern.steps, self.periodic, strict=False
            )
            if around
        ]
        if len(vectors) == 2:
            vectors = list(_reduced(*vectors))
        return np.array(vectors, dtype=np.int64).reshape(-1, 2)

    def squares(self, embedding: tuple[int, ...]) -> Integers:
        """Square of the least net length for every displacement of the embedding grid."""
        images = [_square(image) for image in self._images(embedding)]
        return np.asarray(np.min(images, axis=0), dtype=np.int64)

    def nearest_images(self, embedding: tuple[int, ...]) -> Iterator[tuple[Floats, Floats]]:
        """Weights (...) and vectors (..., 2): the sum over all is a mean over the nearest images.

        An image farther away has weight 0, and one of the nearest vectors.
        """
        images = self._images(embedding)
        squares = np.array([_square(image) for image in images])
        tied = squares == squares.min(axis=0)
        first = np.take_along_axis(
            np.array(images), squares.argmin(axis=0)[None, ..., None], axis=0
        )[0]
        for near, image in zip(tied, images, strict=True):
            vectors = np.where(near[..., None], image, first) @ self.basis
            yield near / tied.sum(axis=0), vectors

    def neighbours(self) -> Integers:
        """(K, axes) offsets on the grid between sites one net length apart, each neighbour once."""
        offsets: dict[tuple[int, ...], tuple[int, ...]] = {}
        sizes, around = np.array(self.grid_shape), np.array(self.grid_periodic)
        for offset in itertools.product((1, 0, -1), repeat=len(sizes)):
            if _square(np.array(offset) @ np.array(self.pattern.steps)) != 1:
                continue
            wrapped = tuple(np.where(around, np.array(offset) % sizes, offset).tolist())
            if any(wrapped):
                offsets.setdefault(wrapped, offset)
        return np.array(list(offsets.values()), dtype=np.int64).reshape(-1, len(sizes))

    def _images(self, embedding: tuple[int, ...]) -> list[Integers]:
        """Net vectors (*embedding, 2) of every displacement: the nearest image is among them."""
        axes = [signed_steps(size) for size in embedding]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        vectors = grid @ np.array(self.pattern.steps)
        gram = np.array([[2, 1], [1, 2]])
        images = nearby(vectors, periods=self.periods, gram=gram)
        return [np.asarray(image, dtype=np.int64) for image in images]


def nearby(
    vectors: Floats | Integers, *, periods: Floats | Integers, gram: Floats | Integers
) -> list[Floats | Integers]:
    """Images (..., 2) of vectors (..., 2) among which are all the nearest to the origin.

    Args:
        vectors: displacements.
        periods: (0 to 2, 2); two of them as short as they can be, where one step on either side of
            the rounded place suffices.
        gram: scalar products of the basis, up to a factor.
    """
    if not len(periods):
        return [vectors]
    inverse = np.linalg.inv(periods @ gram @ periods.T)
    whole = np.rint(vectors @ (gram @ periods.T) @ inverse).astype(periods.dtype)
    centre = vectors - whole @ periods
    steps = itertools.product((0, 1, -1), repeat=len(periods))
    return [centre + np.array(step, dtype=periods.dtype) @ periods for step in steps]


def signed_steps(size: int) -> Integers:
    """0, 1, ... and back to -1 around an axis of the embedding grid; half way round: up."""
    steps = np.arange(size)
    return np.where(2 * steps > size, steps - size, steps)


def _square(vectors: Integers) -> Integers:
    one, two = vectors[..., 0], vectors[..., 1]
    return np.asarray(one * one + one * two + two * two)


def _reduced(one: Integers, two: Integers) -> tuple[Integers, Integers]:
    """The two shortest periods of a torus (Gauss)."""
    gram = np.array([[2, 1], [1, 2]])
    while True:
        if _square(one) > _square(two):
            one, two = two, one
        steps = round(int(one @ gram @ two) / int(one @ gram @ one))
        if not steps or _square(two - steps * one) >= _square(two):
            return one, two
        two = two - steps * one
