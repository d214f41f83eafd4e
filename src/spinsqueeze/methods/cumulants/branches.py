"""All curves of fixed points along a parameter: seeds, curves from them, and where curves cross."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.errors import NumericalFailure
from spinsqueeze.methods.cumulants.all_roots import all_roots
from spinsqueeze.methods.cumulants.curve import (
    BRANCH_POINT,
    FixedPoints,
    Point,
    Special,
    follow,
)
from spinsqueeze.methods.cumulants.family import Family
from spinsqueeze.methods.cumulants.invariants import conserved, symmetries
from spinsqueeze.methods.cumulants.steady import fixed_point

MOST_VARIABLES = 6
"""Mean fields of at most so many variables are solved for all their fixed points."""
SAME = 1e-6
SLACK = 1e-6
ASIDE = (1e-2, 3e-3, 3e-2, 1e-3)
"""How far from a crossing the other curve is looked for."""
MOST_POINTS = 3000
FOLLOWED = 4
"""At every fourth place of the parameter initial states are followed in time."""


@final
@dataclass(eq=False)
class Curve:
    """A branch: its points in order, and (place among them, special point)."""

    equations: FixedPoints
    points: list[Point] = field(default_factory=list)
    specials: list[tuple[int, Special]] = field(default_factory=list)
    complete: bool = True

    def add(self, item: Point | Special) -> None:
        """The next point; a special one is a point too."""
        if isinstance(item, Special):
            self.specials.append((len(self.points), item))
            item = item.point
        self.points.append(item)

    @cached_property
    def turned(self) -> Floats:
        """The points u of the finished curve, each turned by the symmetry in the same way."""
        return np.array([_turned(self.equations, point.u) for point in self.points])

    def reverse(self) -> None:
        """Run it the other way."""
        self.points.reverse()
        last = len(self.points) - 1
        self.specials = [(last - k, special) for k, special in reversed(self.specials)]


@final
@dataclass(frozen=True, eq=False)
class Search:
    """What to look for, and how.

    places: of the parameter where fixed points are sought. n_random: random states to start from
    at each. longest: largest step of the parameter. most: curves.
    """

    places: Floats
    n_random: int
    longest: float
    most: int
    seed: int


def curves_of(
    family: Family,
    starts: Sequence[Floats],
    search: Search,
    *,
    followed: bool,
    progress: Callable[[float], None],
) -> tuple[list[Curve], bool]:
    """All curves that are found, and whether there may be more than `most`.

    Args:
        family: the equations along the parameter.
        starts: cumulants P (K,) of initial states, whose conserved quantities the curves keep.
        search: what to look for.
        followed: also follow the initial states in time to where they end.
        progress: is told the share of the work that is done.
    """
    held, turns = conserved(family), symmetries(family)
    levels: list[Floats] = []
    for p in starts:
        level = held.values(p[1:] / family.scale)
        if not any(np.allclose(level, other, atol=1e-9) for other in levels):
            levels.append(level)
    curves: list[Curve] = []
    for k, level in enumerate(levels):
        equations = FixedPoints(family, held, turns, level)
        own = [p for p in starts if np.allclose(held.values(p[1:] / family.scale), level)]
        diagram = _Diagram(equations, search, curves)
        seeds = _seeds(equations, own, search, followed=followed)
        for m, u in enumerate(seeds):
            diagram.grow(u)
            progress((k + (m + 1) / len(seeds)) / len(levels))
    return curves, len(curves) >= search.most


def _seeds(
    equations: FixedPoints, starts: Sequence[Floats], search: Search, *, followed: bool
) -> list[Floats]:
    """Fixed points u at the places of the search."""
    family, generator = equations.family, np.random.default_rng(search.seed)
    out: list[Floats] = []
    for k, x in enumerate(search.places):
        guesses = [p[1:] / family.scale for p in starts]
        guesses += _mean_field_roots(equations, float(x))
        guesses += [_random_state(family, generator) for _ in range(search.n_random)]
        if followed and k % FOLLOWED == 0:
            guesses += [end for p in starts for end in _end_of(family, p, float(x))]
        here: list[Floats] = []
        for y in guesses:
            u = equations.at(y, float(x), most_steps=40)
            if u is None or not _sound(equations, u):
                continue
            if not any(np.abs(u - other).max() < SAME for other in here):
                here.append(u)
        out += here
    return out


def _sound(equations: FixedPoints, u: Floats) -> bool:
    """Whether the moments at u could be those of a state."""
    return equations.physical(u) and bool(sound(equations.family, u[:-1])[0])


def sound(family: Family, y: Floats) -> Booleans:
    """Whether variances are not negative and <S^2> stays in its bounds, for y (..., n)."""
    from spinsqueeze.methods.cumulants.states import collective_moments

    p = np.atleast_2d(y) * family.scale
    p = np.concatenate([np.zeros((len(p), 1)), p], axis=1)
    counts = family.equations.structure[2]
    moments = collective_moments(p, counts=counts, series=family.equations.series)
    n = float(moments.n_spins)
    total = np.trace(moments.covariance, axis1=1, axis2=2) + np.sum(moments.spin**2, axis=1)
    variances = np.linalg.eigvalsh(moments.covariance)[:, 0]
    bounds = (total < n / 2 * (n / 2 + 1) + SLACK * n**2) & (total > -SLACK * n**2)
    return np.asarray((variances > -SLACK * n) & bounds)


def _end_of(family: Family, p: Floats, x: float) -> list[Floats]:
    try:
        return [fixed_point(family.at(x), p).p[1:] / family.scale]
    except NumericalFailure:
        return []


def _random_state(family: Family, generator: np.random.Generator) -> Floats:
    """Spins of random directions and lengths, without correlations."""
    y = np.zeros(family.size)
    directions = generator.normal(size=(family.n_variables // 3, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    lengths = 0.5 * generator.uniform(size=len(directions)) ** (1 / 3)
    y[: family.n_variables] = (lengths[:, None] * directions).ravel()
    return y


def _mean_field_roots(equations: FixedPoints, x: float) -> list[Floats]:
    """All fixed points of the mean field of few variables: solutions of quadratic equations."""
    family = equations.family
    n = family.n_variables
    if family.size > n or n > MOST_VARIABLES:
        return []
    origin, unit = np.zeros(n), np.eye(n)
    linear = family.jacobian(origin, x)
    quadratic = np.stack([family.jacobian(e, x) - linear for e in unit], axis=2)
    parts = [family.flow(origin, x)], [linear], [quadratic]
    held = equations.conserved
    if len(equations.level):
        first = held.gradients(origin)
        parts[0].append(held.values(origin) - equations.level)
        parts[1].append(first)
        parts[2].append(np.stack([held.gradients(e) - first for e in unit], axis=2))
    fixed = np.random.default_rng(3).normal(size=n)
    for G in equations.symmetries:  # of the states that it turns into each other, some have this
        parts[0].append(np.zeros(1))
        parts[1].append((fixed @ G)[None])
        parts[2].append(np.zeros((1, n, n)))
    return list(all_roots(*(np.concatenate(part) for part in parts)))


@final
@dataclass(eq=False)
class _Diagram:
    """The curves so far, and those that cross them, one after another."""

    equations: FixedPoints
    search: Search
    curves: list[Curve]
    crossed: list[Floats] = field(default_factory=list)

    def grow(self, u: Floats) -> None:
        """Add the curve through a fixed point, if it is new, and all that branch off it."""
        waiting = [u]
        while waiting and len(self.curves) < self.search.most:
            u = waiting.pop()
            if self._known(u):
                continue
            curve = self._curve(u)
            self.curves.append(curve)
            for _, special in curve.specials:
                if special.kind == BRANCH_POINT and not self._crossed(special.point.u):
                    self.crossed.append(special.point.u)
                    waiting += self._others(special.point)

    def _curve(self, u: Floats) -> Curve:
        """Through u, followed in both directions."""
        curve = Curve(self.equations)
        first = self.equations.point(u)
        for item in self._follow(self.equations.point(u, -first.tangent), curve):
            curve.add(item)
        curve.reverse()
        if len(curve.points) > 4 and _closes(curve.points, first):
            curve.add(first)
            return curve
        curve.add(first)
        for item in self._follow(first, curve):
            curve.add(item)
        return curve

    def _follow(self, start: Point, curve: Curve) -> list[Point | Special]:
        items = list(
            follow(self.equations, start, longest=self.search.longest, most_points=MOST_POINTS)
        )
        curve.complete &= len(items) < MOST_POINTS
        return items

    def _others(self, crossing: Point) -> list[Floats]:
        """Points of the other curves through a crossing, a little aside."""
        matrix = self.equations.matrix(crossing.u, fixed=False)
        _, sizes, right = np.linalg.svd(matrix)
        rank = int(np.sum(sizes[: len(crossing.u)] > 1e-4 * sizes[0]))
        null = right[min(rank, len(crossing.u) - 2) :]
        null = null - np.outer(null @ crossing.tangent, crossing.tangent)
        _, lengths, directions = np.linalg.svd(null)
        out: list[Floats] = []
        for v in directions[: int(np.sum(lengths > 0.1))]:
            for sign in (1.0, -1.0):
                for aside in ASIDE:
                    guess = crossing.u + sign * aside * v
                    u = self.equations.corrected(guess, v)
                    if u is None or np.linalg.norm(u - guess) > aside:
                        continue
                    if 0 <= u[-1] <= 1 and _sound(self.equations, u):
                        out.append(u)
                        break
        return out

    def _crossed(self, u: Floats) -> bool:
        return any(np.abs(u - other).max() < 1e-4 for other in self.crossed)

    def _known(self, u: Floats) -> bool:
        """Whether a curve passes through u, or through a state that a symmetry makes of it."""
        u = _turned(self.equations, u)
        for curve in self.curves:
            if curve.equations is self.equations and self._on(curve, u):
                return True
        return False

    def _on(self, curve: Curve, u: Floats) -> bool:
        points = curve.turned
        if len(points) < 2:
            return bool(np.abs(points[0] - u).max() < SAME)
        chords = np.diff(points, axis=0)
        lengths = np.maximum(np.linalg.norm(chords, axis=1), 1e-300)
        shares = np.clip(np.sum(chords * (u - points[:-1]), axis=1) / lengths**2, 0, 1)
        feet = points[:-1] + shares[:, None] * chords
        distances = np.linalg.norm(feet - u, axis=1)
        for k in np.flatnonzero(distances < 0.25 * lengths + SAME):
            if distances[k] < SAME:
                return True
            near = self.equations.corrected(feet[k], chords[k] / lengths[k])
            if near is not None and np.abs(_turned(self.equations, near) - u).max() < SAME:
                return True
        return False


def _closes(points: list[Point], first: Point) -> bool:
    """Whether a curve that was followed backwards has come back to its start."""
    last, before = points[0].u, points[1].u
    return bool(np.linalg.norm(last - first.u) < 1.5 * np.linalg.norm(last - before))


def _turned(equations: FixedPoints, u: Floats) -> Floats:
    """The one of all states that a symmetry makes of u: farthest along a fixed direction."""
    if not len(equations.symmetries):
        return u
    y, G = u[:-1], equations.symmetries[0]
    if np.linalg.norm(G @ y) < SAME:
        return u
    rates, modes = np.linalg.eig(G)
    parts: Complexes = np.linalg.solve(modes, y.astype(complex))
    along = (np.random.default_rng(4).normal(size=len(y)) @ modes) * parts
    period = 2 * np.pi / np.abs(rates.imag[np.abs(rates) > 1e-9]).min()
    angles = np.linspace(0, period, 180, endpoint=False)
    angle = angles[np.argmax(np.real(np.exp(np.outer(angles, rates)) @ along))]
    for _ in range(8):
        slope, curvature = (
            float(np.real(np.sum(rates**k * np.exp(rates * angle) * along))) for k in (1, 2)
        )
        if not curvature:
            break
        angle -= slope / curvature
    turned = np.real(modes @ (np.exp(rates * angle) * parts))
    return np.append(turned, u[-1])
