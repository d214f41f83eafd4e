"""Lattice: the sites of the spins, their boundary, vacancies and positional disorder."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property, partial
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.plain import key, same

MAX_SITES = 2**31 - 1


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Lattice:
    """A rectangular lattice in 1, 2 or 3 dimensions, or explicit positions.

    Sites sit at spacing * (integers), in row-major order; distances follow the minimum image on a
    periodic lattice. Lengths are in the unit of `spacing`.

    Args:
        shape: sites along each axis, e.g. (64, 64); an integer is a chain. None with `positions`.
        spacing: lattice constant, one number or one per axis.
        boundary: "periodic" (minimum image) or "open". Default: periodic; open with `positions`,
            which have no period.
        filling: fraction of sites that hold a spin; round(filling * sites) sites are drawn without
            replacement, by `seed`.
        vacancies: row-major indices of empty sites, instead of `filling`.
        position_disorder: standard deviation of a Gaussian displacement of every spin along each
            axis, in the unit of `spacing`, by `seed`.
        seed: seeds filling and positional disorder.
        positions: explicit positions (N, D) with open boundary, instead of a shape.

    Raises:
        InvalidInput: an argument breaks its rule, or fewer than one spin is left.
    """

    shape: tuple[int, ...] | None = None
    spacing: float | tuple[float, ...] = field(default=1.0, kw_only=True)
    boundary: str | None = field(default=None, kw_only=True)
    filling: float = field(default=1.0, kw_only=True)
    vacancies: tuple[int, ...] = field(default=(), kw_only=True)
    position_disorder: float = field(default=0.0, kw_only=True)
    seed: int = field(default=0, kw_only=True)
    positions: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        put: Any = partial(object.__setattr__, self)
        put("seed", checks.integer("seed", self.seed, minimum=0))
        if self.boundary is None:
            put("boundary", "periodic" if self.positions is None else "open")
        checks.choice("boundary", self.boundary, ("periodic", "open"))
        if self.positions is not None:
            self._check_positions(put)
            return
        if self.shape is None:
            raise InvalidInput("shape or positions must be given, e.g. shape=(64, 64)")
        raw = self.shape
        scalar = isinstance(raw, int | float) or getattr(raw, "ndim", None) == 0
        sizes = (raw,) if scalar else raw
        if isinstance(sizes, str) or not hasattr(sizes, "__len__") or not 1 <= len(sizes) <= 3:
            raise InvalidInput.of("shape", f"must hold 1, 2 or 3 sizes, got {checks.shown(raw)}")
        shape = tuple(
            checks.integer(f"shape[{k}]", n, minimum=1, maximum=MAX_SITES)
            for k, n in enumerate(sizes)
        )
        if int(np.prod([float(n) for n in shape])) > MAX_SITES:
            raise InvalidInput.of("shape", f"must hold at most {MAX_SITES} sites, got {shape}")
        put("shape", shape)
        put("spacing", self._checked_spacing(len(shape)))
        n_sites = int(np.prod(shape))
        put("filling", checks.real("filling", self.filling, above=0.0, maximum=1.0))
        put("vacancies", self._checked_vacancies(n_sites))
        put(
            "position_disorder",
            checks.real("position_disorder", self.position_disorder, minimum=0.0),
        )
        if self.n_spins < 1:
            cause = "vacancies" if self.vacancies else "filling"
            raise InvalidInput.of(
                cause,
                f"must leave a spin on {n_sites} sites, got {getattr(self, cause)}",
            )

    def _checked_spacing(self, dimension: int) -> float | tuple[float, ...]:
        if isinstance(self.spacing, tuple | list | np.ndarray) and np.ndim(self.spacing) > 0:
            values = checks.real_array("spacing", self.spacing, shape=(dimension,))
            return tuple(checks.real("spacing", float(v), above=0.0) for v in values)
        return checks.real("spacing", self.spacing, above=0.0)

    def _checked_vacancies(self, n_sites: int) -> tuple[int, ...]:
        if isinstance(self.vacancies, str) or not hasattr(self.vacancies, "__len__"):
            raise InvalidInput.of(
                "vacancies", f"must be a list of site indices, got {checks.shown(self.vacancies)}"
            )
        empty = tuple(
            checks.integer("vacancies", v, minimum=0, maximum=n_sites - 1) for v in self.vacancies
        )
        if len(set(empty)) != len(empty):
            raise InvalidInput.of("vacancies", "must not repeat a site")
        if empty and self.filling != 1.0:
            raise InvalidInput("give either filling or vacancies, not both")
        return tuple(sorted(empty))

    def _check_positions(self, put: Any) -> None:
        if self.shape is not None:
            raise InvalidInput("give either shape or positions, not both")
        if self.filling != 1.0 or self.vacancies or self.position_disorder != 0.0:
            raise InvalidInput.of(
                "positions", "are explicit: leave out filling, vacancies and position_disorder"
            )
        if self.spacing != 1.0:
            raise InvalidInput.of("positions", "are explicit: leave out spacing")
        if self.boundary != "open":
            raise InvalidInput.of(
                "boundary",
                f"must be 'open' with positions, got {self.boundary!r}; a "
                "periodic lattice needs shape",
            )
        array = checks.real_array("positions", self.positions, shape=(None, None))
        if array.shape[0] < 1 or not 1 <= array.shape[1] <= 3:
            raise InvalidInput.of(
                "positions", f"must have shape N x D, D = 1..3, got {array.shape}"
            )
        if len(np.unique(array, axis=0)) != len(array):
            raise InvalidInput.of("positions", "must differ: two spins sit at one point")
        put("positions", array)

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
        return self.positions.shape[1] if self.shape is None else len(self.shape)

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
            return int(self.positions.shape[0])
        sites = int(np.prod(self.shape))
        return round(self.filling * sites) - len(self.vacancies)

    @cached_property
    def occupied(self) -> Booleans | None:
        """Mask of occupied sites, or None when the lattice is full (or given by positions)."""
        if self.shape is None or self.n_spins == np.prod(self.shape):
            return None
        mask = np.ones(int(np.prod(self.shape)), bool)
        if self.vacancies:
            mask[list(self.vacancies)] = False
        else:
            mask[:] = False
            drawn = np.random.default_rng([self.seed, 0]).permutation(mask.size)
            mask[drawn[: self.n_spins]] = True
        return mask.reshape(self.shape)

    @cached_property
    def coordinates(self) -> Floats:
        """Positions (n_spins, D) of the spins, disorder included."""
        if self.shape is None:
            return np.array(self.positions)
        mask = np.ones(self.shape, bool) if self.occupied is None else self.occupied
        sites = np.argwhere(mask) * np.array(self.spacings)
        if self.position_disorder:
            noise = np.random.default_rng([self.seed, 1]).standard_normal(sites.shape)
            sites = sites + self.position_disorder * noise
        return np.asarray(sites)

    def distances(self) -> Floats:
        """Distances (n_spins, n_spins), minimum image on a periodic lattice; zero diagonal."""
        points = self.coordinates
        squares = np.zeros((len(points), len(points)))
        for axis in range(self.dimension):
            gap = np.abs(points[:, None, axis] - points[None, :, axis])
            if self.boundary == "periodic" and self.shape is not None:
                length = self.shape[axis] * self.spacings[axis]
                gap = gap % length
                gap = np.minimum(gap, length - gap)
            squares += gap**2
        return np.sqrt(squares)

    def displacements(self) -> Floats:
        """Vectors (n_spins, n_spins, D) from the second spin to the first, minimum image."""
        gaps = self.coordinates[:, None] - self.coordinates[None]
        if self.boundary == "periodic" and self.shape is not None:
            lengths = np.array(self.shape) * np.array(self.spacings)
            gaps = gaps - lengths * np.round(gaps / lengths)
        return gaps

    def grid_displacements(self) -> Iterator[Floats]:
        """Vectors (..., D) for every displacement of the embedding grid (see `CirculantKernel`).

        Half way around a periodic axis two images are equally near; each array takes one choice of
        them, so that a mean over the arrays counts all alike.
        """
        assert self.shape is not None
        axes = []
        for size, spacing in zip(self.shape, self.spacings, strict=True):
            embedding = size if self.boundary == "periodic" else _smooth_size(2 * size - 1)
            steps = np.arange(embedding)
            steps = np.where(2 * steps > embedding, steps - embedding, steps)
            half = 2 * steps == embedding
            choices = [steps, np.where(half, -steps, steps)] if half.any() else [steps]
            axes.append([spacing * choice for choice in choices])
        for chosen in itertools.product(*axes):
            yield np.stack(np.meshgrid(*chosen, indexing="ij"), axis=-1)

    def grid_distances(self) -> Floats:
        """Distances |d| for every displacement d of the embedding grid (see `CirculantKernel`)."""
        assert self.shape is not None
        squares = np.zeros(())
        for size, spacing in zip(self.shape, self.spacings, strict=True):
            if self.boundary == "periodic":
                steps = np.arange(size)
                steps = np.minimum(steps, size - steps)
            else:
                embedding = _smooth_size(2 * size - 1)
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
