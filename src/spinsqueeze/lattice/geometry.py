"""Lattice: the sites of the spins, their boundaries, vacancies and positional disorder."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.core.calls import clear_init_with
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import key, same
from spinsqueeze.lattice import arguments
from spinsqueeze.lattice.arguments import (
    FIXED,
    INDEPENDENT,
    LOADINGS,
    RECTANGULAR,
    sites_per_cell,
)
from spinsqueeze.lattice.arrangements import Arrangement, arrangement
from spinsqueeze.lattice.patterns import PATTERNS, ObliqueGrid, nearby, signed_steps


@final
@clear_init_with(arguments.shape_in_brackets)
@dataclass(frozen=True, eq=False)
class Lattice:
    """A lattice in 1, 2 or 3 dimensions, or positions of any kind.

    Sites of a rectangular lattice sit at spacing * (integers), in row-major order. The others are
    made of shape[0] x shape[1] cells: a triangular one has 1 site a cell, honeycomb 2, kagome 3;
    the first axis lies along x, the second at 60 degrees to it. Distances follow the minimum
    image along periodic axes, also around an oblique torus. Lengths are in the unit of `spacing`.
    A ladder is a rectangular lattice: `Lattice((10, 2), boundary=("periodic", "open"))`; zigzag, a
    triangular one.

    Args:
        shape: sites along each axis, e.g. (64, 64); an integer is a chain. None with `positions`.
            Other geometries than rectangular: cells along the two axes.
        spacing: distance of neighbours (lattice constant), one number, or one per axis of a
            rectangular lattice.
        boundary: "periodic" (minimum image) or "open", or one of them for each axis. Default:
            periodic; open with `positions`, which have no period.
        geometry: "rectangular", "triangular", "honeycomb" or "kagome".
        filling: fraction of sites that hold a spin; which ones is drawn by `seed`.
        loading: "fixed": round(filling * sites) sites hold a spin, the same number for every seed.
            "independent": each site does with probability `filling` on its own, as tweezers are
            loaded, so that the number is binomial, sites * filling on average.
        vacancies: indices of empty sites in the order of `coordinates` without vacancies
            (row-major), instead of `filling`.
        position_disorder: standard deviation of a Gaussian displacement of every spin along each
            axis, in the unit of `spacing`, by `seed`.
        seed: seeds filling and positional disorder.
        positions: instead of a shape, explicit positions (N, D), or `Rings` or `RandomPositions`
            (or the table of their fields); the boundary is open.

    Raises:
        InvalidInput: an argument breaks its rule, or fewer than one spin is left.
    """

    shape: tuple[int, ...] | None = None
    spacing: float | tuple[float, ...] = field(default=1.0, kw_only=True)
    boundary: str | tuple[str, ...] | None = field(default=None, kw_only=True)
    filling: float = field(default=1.0, kw_only=True)
    loading: str = field(default=FIXED, kw_only=True)
    vacancies: tuple[int, ...] = field(default=(), kw_only=True)
    position_disorder: float = field(default=0.0, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    positions: Any = field(default=None, kw_only=True)
    geometry: str = field(default=RECTANGULAR, kw_only=True)

    def __post_init__(self) -> None:
        put: Any = partial(object.__setattr__, self)
        put("seed", checks.integer("seed", self.seed, minimum=0))
        arguments.check_geometry(self.geometry)
        if self.boundary is None:
            put("boundary", "periodic" if self.positions is None else "open")
        if isinstance(self.boundary, str):
            arguments.boundary_word("boundary", self.boundary)
        if self.positions is not None:
            self._check_positions(put)
            return
        if self.shape is None:
            raise InvalidInput("shape or positions must be given, e.g. shape=(64, 64)")
        shape = arguments.checked_shape(self.shape, self.geometry)
        put("shape", shape)
        put("boundary", arguments.checked_boundary(self.boundary, len(shape)))
        put("spacing", arguments.checked_spacing(self.spacing, self.geometry, len(shape)))
        n_sites = self._n_sites
        put("filling", arguments.checked_filling(self.filling))
        checks.choice("loading", self.loading, LOADINGS)
        put("vacancies", arguments.checked_vacancies(self.vacancies, n_sites))
        if self.vacancies and self.filling != 1.0:
            raise InvalidInput("give either filling or vacancies, not both")
        if self.vacancies and self.loading != FIXED:
            raise InvalidInput.of("loading", "is for a filling; leave it out beside vacancies")
        put(
            "position_disorder",
            checks.real("position_disorder", self.position_disorder, minimum=0.0),
        )
        if self.n_spins < 1:
            cause = "vacancies" if self.vacancies else "filling"
            drawn = f" (none drawn by seed {self.seed})" if self._independent else ""
            raise InvalidInput.of(
                cause,
                f"must leave a spin on {n_sites} sites, got {getattr(self, cause)}{drawn}",
            )

    def _check_positions(self, put: Any) -> None:
        if self.shape is not None:
            raise InvalidInput("give either shape or positions, not both")
        if self.filling != 1.0 or self.vacancies or self.position_disorder != 0.0:
            raise InvalidInput.of(
                "positions", "are explicit: leave out filling, vacancies and position_disorder"
            )
        if self.loading != FIXED:
            raise InvalidInput.of("positions", "are explicit: leave out loading")
        if not isinstance(self.spacing, int | float) or self.spacing != 1.0:
            raise InvalidInput.of("positions", "are explicit: leave out spacing")
        if self.geometry != RECTANGULAR:
            raise InvalidInput.of("positions", "are explicit: leave out geometry")
        if self.boundary != "open":
            raise InvalidInput.of(
                "boundary",
                f"must be 'open' with positions, got {self.boundary!r}; a "
                "periodic lattice needs shape",
            )
        arranged = arrangement("positions", self.positions)
        if arranged is not None:
            put("positions", arranged)
            return
        put("positions", arguments.checked_points(self.positions))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lattice) and same(self._fields, other._fields)

    def __hash__(self) -> int:
        return hash(key(self._fields))

    @property
    def _fields(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def dimension(self) -> int:
        """Number of axes, 1 to 3."""
        return self._points.shape[1] if self.shape is None else len(self.shape)

    @property
    def _points(self) -> Floats:
        """The positions that were given (N, D)."""
        given = self.positions
        return given.coordinates if isinstance(given, Arrangement) else np.asarray(given)

    @property
    def periodic(self) -> tuple[bool, ...]:
        """Whether each axis closes."""
        if isinstance(self.boundary, tuple):
            return tuple(word == "periodic" for word in self.boundary)
        return (self.boundary == "periodic",) * self.dimension

    @property
    def oblique(self) -> ObliqueGrid | None:
        """The grid of a triangular, honeycomb or kagome lattice; None of others."""
        if self.shape is None or self.geometry == RECTANGULAR:
            return None
        return ObliqueGrid(PATTERNS[self.geometry], self.shape, self.periodic)

    @property
    def grid_shape(self) -> tuple[int, ...]:
        """Shape of the grid of sites, on which `occupied` and kernels are; () with positions."""
        oblique = self.oblique
        return oblique.grid_shape if oblique is not None else self.shape or ()

    @property
    def grid_periodic(self) -> tuple[bool, ...]:
        """Whether each axis of the grid closes."""
        oblique = self.oblique
        return oblique.grid_periodic if oblique is not None else self.periodic

    @property
    def _n_sites(self) -> int:
        assert self.shape is not None
        return sites_per_cell(self.geometry) * int(np.prod(self.shape))

    @property
    def on_grid(self) -> bool:
        """Whether every spin sits exactly on a lattice site."""
        return self.shape is not None and self.position_disorder == 0.0

    @property
    def spacings(self) -> tuple[float, ...]:
        """Lattice constant along each axis."""
        if isinstance(self.spacing, tuple):
            return self.spacing
        return (self.spacing,) * self.dimension

    @cached_property
    def n_spins(self) -> int:
        """Number of spins (occupied sites)."""
        if self.shape is None:
            return int(self._points.shape[0])
        if self._independent:
            return int(self._loaded.sum())
        return round(self.filling * self._n_sites) - len(self.vacancies)

    @property
    def _independent(self) -> bool:
        """Whether each site is filled on its own."""
        return self.loading == INDEPENDENT and self.filling < 1.0

    @cached_property
    def _loaded(self) -> Booleans:
        """(sites,) which of the sites were loaded, each on its own."""
        drawn = np.random.default_rng([self.seed, 0]).random(self._n_sites)
        return np.asarray(drawn < self.filling)

    @cached_property
    def occupied(self) -> Booleans | None:
        """Mask (grid_shape) of occupied sites; None where all are, or with positions."""
        if self.shape is None or self.n_spins == np.prod(self.grid_shape):
            return None
        oblique = self.oblique
        mask = np.ones(self.grid_shape, bool) if oblique is None else oblique.sites
        sites = np.flatnonzero(mask)
        if self.vacancies:
            mask.flat[sites[list(self.vacancies)]] = False
        elif self._independent:
            mask.flat[sites] = self._loaded
        elif self.n_spins < len(sites):
            mask[:] = False
            drawn = np.random.default_rng([self.seed, 0]).permutation(len(sites))
            mask.flat[sites[drawn[: self.n_spins]]] = True
        return mask

    @cached_property
    def coordinates(self) -> Floats:
        """Positions (n_spins, D) of the spins, disorder included."""
        if self.shape is None:
            return np.array(self._points)
        mask = np.ones(self.grid_shape, bool) if self.occupied is None else self.occupied
        oblique, indices = self.oblique, np.argwhere(mask)
        if oblique is None:
            sites = indices * np.array(self.spacings)
        else:
            sites = self.spacings[0] * oblique.places(indices)
        if self.position_disorder:
            noise = np.random.default_rng([self.seed, 1]).standard_normal(sites.shape)
            sites = sites + self.position_disorder * noise
        return np.asarray(sites)

    def distances(self) -> Floats:
        """Distances (n_spins, n_spins), minimum image along periodic axes; zero diagonal."""
        if self.oblique is not None:
            return np.asarray(np.linalg.norm(self.displacements(), axis=-1))
        points = self.coordinates
        squares = np.zeros((len(points), len(points)))
        for axis, around in enumerate(self.periodic):
            gap = np.abs(points[:, None, axis] - points[None, :, axis])
            if around and self.shape is not None:
                length = self.shape[axis] * self.spacings[axis]
                gap = gap % length
                gap = np.minimum(gap, length - gap)
            squares += gap**2
        return np.sqrt(squares)

    def displacements(self) -> Floats:
        """Vectors (n_spins, n_spins, D) from the second spin to the first, minimum image."""
        gaps = self.coordinates[:, None] - self.coordinates[None]
        oblique = self.oblique
        if oblique is not None:
            periods = self.spacings[0] * (oblique.periods @ oblique.basis)
            images = np.array(nearby(gaps, periods=periods, gram=np.eye(2)))
            nearest = np.argmin(np.sum(images**2, axis=-1), axis=0)
            return np.asarray(np.take_along_axis(images, nearest[None, ..., None], axis=0)[0])
        if self.shape is not None:
            lengths = np.array(self.shape) * np.array(self.spacings)
            turns = np.where(self.periodic, np.round(gaps / lengths), 0.0)
            gaps = gaps - lengths * turns
        return gaps

    @property
    def embedding(self) -> tuple[int, ...]:
        """Shape of the embedding grid (see `CirculantKernel`)."""
        return tuple(
            size if around else _smooth_size(2 * size - 1)
            for size, around in zip(self.grid_shape, self.grid_periodic, strict=True)
        )

    def grid_displacements(self) -> Iterator[tuple[float | Floats, Floats]]:
        """Weights, and vectors (..., D) for every displacement of the embedding grid.

        Where several images are equally near, as half way around a periodic axis, each array takes
        one choice of them: the sum over all is a mean over the nearest images.
        """
        oblique = self.oblique
        if oblique is not None:
            for weights, vectors in oblique.nearest_images(self.embedding):
                yield weights, self.spacings[0] * vectors
            return
        axes = []
        for embedding, spacing in zip(self.embedding, self.spacings, strict=True):
            steps = signed_steps(embedding)
            half = 2 * steps == embedding
            choices = [steps, np.where(half, -steps, steps)] if half.any() else [steps]
            axes.append([spacing * choice for choice in choices])
        chosen = list(itertools.product(*axes))
        for choice in chosen:
            yield 1.0 / len(chosen), np.stack(np.meshgrid(*choice, indexing="ij"), axis=-1)

    def grid_distances(self) -> Floats:
        """Distances |d| for every displacement d of the embedding grid (see `CirculantKernel`)."""
        oblique = self.oblique
        if oblique is not None:
            return np.asarray(self.spacings[0] * np.sqrt(oblique.squares(self.embedding)))
        squares = np.zeros(())
        for embedding, spacing in zip(self.embedding, self.spacings, strict=True):
            steps = np.arange(embedding)
            steps = np.minimum(steps, embedding - steps)
            squares = squares[..., None] + (spacing * steps) ** 2
        return np.sqrt(squares)


def _smooth_size(minimum: int) -> int:
    """The least size >= minimum whose only prime factors are 2, 3 and 5 (fast FFT)."""
    size = minimum
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
