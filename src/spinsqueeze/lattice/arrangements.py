"""Positions by a recipe: concentric rings, random points that keep their distance."""

import abc
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput

JAMMED = {1: 0.7476, 2: 0.5471, 3: 0.3841}
"""Share of space covered when random sequential addition finds no room any more, by dimension
(feder1980, torquato2006)."""
MOST_SITES = 100_000
TRIES_PER_SITE = 2000
LARGEST_BATCH = 65536


class Arrangement(abc.ABC):
    """A frozen recipe of positions, which study files write as a table."""

    @property
    @abc.abstractmethod
    def coordinates(self) -> Floats:
        """Positions (N, D)."""

    def as_dict(self) -> dict[str, Any]:
        """The fields that differ from their defaults, as plain data."""
        table = {}
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if item.default is dataclasses.MISSING or value != item.default:
                table[item.name] = list(value) if isinstance(value, tuple) else value
        return table


@final
@clear_init
@dataclass(frozen=True)
class Rings(Arrangement):
    """Concentric rings in the plane, sites evenly spaced on each, the first one on the x axis.

    Site m of a ring with n sites: radius (cos 2 pi m/n, sin 2 pi m/n); rings follow from inside.

    Args:
        rings: sites on each ring, e.g. (1, 6, 12).
        radii: of each ring, increasing; 0 for a single site in the centre. Default: 1, 2, 3, ...
            times `spacing`, from 0 where the first ring is one site.
        spacing: between rings, where `radii` are left out.

    Raises:
        InvalidInput: no ring, a ring without sites, radii that do not increase, several sites at
            radius 0.
    """

    rings: tuple[int, ...]
    radii: tuple[float, ...] | None = field(default=None, kw_only=True)
    spacing: float = field(default=1.0, kw_only=True)

    def __post_init__(self) -> None:
        given: Any = self.rings
        if isinstance(given, str) or not hasattr(given, "__len__") or len(given) == 0:
            raise InvalidInput.of(
                "rings", f"must list the sites of each ring, e.g. (1, 6, 12), got {given!r}"
            )
        rings = tuple(
            checks.integer(f"rings[{k}]", n, minimum=1, maximum=MOST_SITES)
            for k, n in enumerate(given)
        )
        _few("rings", sum(rings))
        object.__setattr__(self, "rings", rings)
        object.__setattr__(self, "spacing", checks.real("spacing", self.spacing, above=0.0))
        if self.radii is None:
            return
        if self.spacing != 1.0:
            raise InvalidInput.of("spacing", "must not stand next to radii; leave one of them out")
        radii = checks.increasing("radii", self.radii, minimum=0.0)
        if len(radii) != len(rings):
            raise InvalidInput.of(
                "radii", f"must be as many as the {len(rings)} rings, got {len(radii)}"
            )
        if radii[0] == 0 and rings[0] > 1:
            raise InvalidInput.of(
                "radii", f"must be above 0 for a ring of {rings[0]} sites, which would coincide"
            )
        object.__setattr__(self, "radii", tuple(radii.tolist()))

    @cached_property
    def coordinates(self) -> Floats:
        """Positions (N, 2)."""
        first = 0 if self.rings[0] == 1 else 1
        radii = self.radii or tuple(self.spacing * (first + k) for k in range(len(self.rings)))
        points = []
        for radius, n in zip(radii, self.rings, strict=True):
            angles = 2 * np.pi * np.arange(n) / n
            points.append(radius * np.stack([np.cos(angles), np.sin(angles)], axis=1))
        return np.concatenate(points)


@final
@clear_init
@dataclass(frozen=True)
class RandomPositions(Arrangement):
    """Points drawn evenly in a box or a disc, none nearer to another than a blockade radius.

    One after another is drawn, and dropped where it is too near to an earlier one (random
    sequential addition). In units of what it covers when no room is left, a density must stay
    below 1: such points cover 75 % of a line, 55 % of a plane, 38 % of space by segments, discs
    or balls of the blockade radius as their diameter, those at the edge counted to the outside.

    Args:
        random: how many.
        box: lengths of a box, 1 to 3 of them, from 0 along each axis; or
        disc: radius of a disc about the origin.
        blockade_radius: least distance between two points.
        seed: of the draw; each seed is another sample.

    Raises:
        InvalidInput: an argument breaks its rule, or there is no room for so many.
    """

    random: int
    box: tuple[float, ...] | None = field(default=None, kw_only=True)
    disc: float | None = field(default=None, kw_only=True)
    blockade_radius: float = field(default=0.0, kw_only=True)
    seed: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "random", checks.integer("random", self.random, minimum=1))
        _few("random", self.random)
        put(self, "seed", checks.integer("seed", self.seed, minimum=0))
        blockade = checks.real("blockade_radius", self.blockade_radius, minimum=0.0)
        put(self, "blockade_radius", blockade)
        if (self.box is None) == (self.disc is None):
            raise InvalidInput("give either box=(20, 20) or disc=10 to draw random positions in")
        if self.disc is not None:
            put(self, "disc", checks.real("disc", self.disc, above=0.0))
        else:
            given: Any = self.box
            sizes = given if isinstance(given, tuple | list | np.ndarray) else (given,)
            if not 1 <= len(sizes) <= 3:
                raise InvalidInput.of(
                    "box", f"must hold 1, 2 or 3 lengths, got {checks.shown(given)}"
                )
            lengths = [checks.real(f"box[{k}]", a, above=0.0) for k, a in enumerate(sizes)]
            put(self, "box", tuple(lengths))
        self._check_room()
        if blockade:
            _ = self.coordinates  # whether all find room shows only when they are drawn

    def _check_room(self) -> None:
        """Refuse what random positions cannot cover, before any is drawn."""
        dimension, blockade = self.dimension, self.blockade_radius
        if self.random < 2 or not blockade:
            return
        if self.disc is not None:
            room = math.pi * (self.disc + blockade / 2) ** 2
        else:
            room = math.prod(length + blockade for length in self.box or ())
        one = {1: 1.0, 2: math.pi / 4, 3: math.pi / 6}[dimension] * blockade**dimension
        most = JAMMED[dimension] * room / one
        if self.random > max(1.1 * most, most + 2):
            raise InvalidInput.of(
                "blockade_radius",
                f"must leave room: about {int(most)} random positions {blockade:g} apart fit in, "
                f"got {self.random}; lower it or their number, or enlarge the {self._where}",
            )

    @property
    def _where(self) -> str:
        return "box" if self.disc is None else "disc"

    @property
    def dimension(self) -> int:
        """Number of axes, 1 to 3."""
        return 2 if self.box is None else len(self.box)

    @cached_property
    def coordinates(self) -> Floats:
        """Positions (N, D).

        Raises:
            InvalidInput: after many tries there is no room left.
        """
        source = np.random.default_rng([self.seed, 2])
        if not self.blockade_radius:
            return self._drawn(source, self.random)
        points = np.zeros((0, self.dimension))
        tries, batch = 0, max(64, self.random)
        while tries < TRIES_PER_SITE * self.random:
            before = len(points)
            points = self._added(points, self._drawn(source, batch))
            if len(points) >= self.random:
                return points[: self.random]
            tries += batch
            if 2 * (len(points) - before) < self.random:
                batch = min(2 * batch, LARGEST_BATCH)
        raise InvalidInput.of(
            "blockade_radius",
            f"must leave room: {len(points)} of {self.random} random positions "
            f"{self.blockade_radius:g} apart found a place in {TRIES_PER_SITE * self.random} "
            f"tries; lower it or their number, or enlarge the {self._where}",
        )

    def _drawn(self, source: np.random.Generator, count: int) -> Floats:
        if self.disc is None:
            return np.asarray(source.random((count, self.dimension)) * np.array(self.box))
        radius, angle = source.random((count, 2)).T
        radius = self.disc * np.sqrt(radius)
        angle = 2 * np.pi * angle
        return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)

    def _added(self, points: Floats, drawn: Floats) -> Floats:
        """The points with those of the drawn, in turn, that keep their distance."""
        from scipy.spatial import cKDTree

        near = self.blockade_radius * (1 - 1e-15)
        if len(points):
            drawn = drawn[cKDTree(points).query(drawn, distance_upper_bound=near)[1] == len(points)]
        rivals: dict[int, list[int]] = {}
        for i, j in cKDTree(drawn).query_pairs(near) if len(drawn) else ():
            rivals.setdefault(j, []).append(i)
        kept = np.ones(len(drawn), bool)
        for j in sorted(rivals):
            kept[j] = not kept[rivals[j]].any()
        return np.concatenate([points, drawn[kept]])


_KINDS: dict[str, type[Arrangement]] = {"rings": Rings, "random": RandomPositions}


def arrangement(name: str, value: Any) -> Arrangement | None:
    """The recipe that positions are, also from a table of its fields; None of plain positions.

    Raises:
        InvalidInput: an unknown key or a wrong value of a table.
    """
    if isinstance(value, Arrangement):
        return value
    if not isinstance(value, Mapping):
        return None
    kind = next((kind for key, kind in _KINDS.items() if key in value), None)
    if kind is None:
        raise InvalidInput.of(
            name,
            "must be points, or a table with rings = [1, 6, 12] or random = 100, got "
            f"{checks.shown(dict(value))}",
        )
    known = [item.name for item in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key in value:
        if key not in known:
            raise InvalidInput(
                f"unknown key of {kind.__name__}; {checks.did_you_mean(str(key), known)}",
                argument=f"{name}.{key}",
            )
    try:
        return kind(**value)
    except InvalidInput as error:
        raise InvalidInput(
            error.rule, argument=f"{name}.{error.argument}" if error.argument else name
        ) from None


def _few(name: str, count: int) -> None:
    if count > MOST_SITES:
        raise InvalidInput.of(name, f"must hold at most {MOST_SITES} sites, got {count}")
