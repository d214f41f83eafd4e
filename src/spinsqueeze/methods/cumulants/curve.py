"""One curve of fixed points: corrected, followed by its length, with what happens on it located.

A point is u = (y, x). Fixed points on one level of what is conserved, one of each family that a
symmetry makes, solve F = 0, Q = level; the tangent of their curve is the null vector of

    [dF/dy dF/dx; dQ/dy 0; (G y)^T 0].
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.cumulants.family import Family
from spinsqueeze.methods.cumulants.invariants import Conserved

FOLD, BRANCH_POINT, HOPF = "fold", "branch point", "hopf"
ACCURATE = 1e-10
"""The last step of Newton's method; rounding may stop it at ROUGH."""
ROUGH = 1e-8
RANK = 1e-11
LOCATED = 1e-8
"""Length of the piece of the curve on which a special point is known to lie."""
SINGULAR = 1e-3
"""Where curves cross, the smallest singular value falls by more than this."""
SHORTEST, LONGEST, FIRST = 1e-5, 0.05, 0.005
STRAIGHT = 0.97
"""Least cosine of the angle between the tangents of neighbouring points."""
FLAT = 1e-3
"""Where a real eigenvalue crosses zero, a smaller component of the tangent means a fold."""
STILL = 1e-8
"""Growth rates below this times the largest rate are zero."""


@final
@dataclass(frozen=True, eq=False)
class Point:
    """A fixed point u (n + 1,) = (y, x), the tangent of its curve, and small deviations from it.

    eigenvalues: of the flow, in its unit, without the zeros of conserved quantities and symmetries.
    singular: the smallest singular value but for the tangent, 0 where curves cross.
    """

    u: Floats
    tangent: Floats
    eigenvalues: Complexes
    singular: float
    n_growing: int

    @property
    def growth(self) -> float:
        """The largest real part of the eigenvalues."""
        return float(self.eigenvalues.real.max()) if len(self.eigenvalues) else 0.0


@final
@dataclass(frozen=True, eq=False)
class Special:
    """A fold, a crossing with another curve, or an oscillation that begins.

    turns: whether the parameter turns back. frequency: of the oscillation, over the family's rate;
    0 where a rotation about an axis of symmetry begins.
    """

    kind: str
    point: Point
    turns: bool
    frequency: float


@final
@dataclass(frozen=True, eq=False)
class FixedPoints:
    """The equations of fixed points of a family on one level of what it conserves."""

    family: Family
    conserved: Conserved
    symmetries: Floats
    level: Floats

    def residual(self, u: Floats) -> Floats:
        """F and Q - level."""
        y, x = u[:-1], float(u[-1])
        flow = self.family.flow(y, x)
        if not len(self.level):
            return flow
        return np.concatenate([flow, self.conserved.values(y) - self.level])

    def matrix(self, u: Floats, *, fixed: bool = True) -> Floats:
        """The derivative of `residual`; fixed: with the rows that forbid symmetric motions."""
        y, x = u[:-1], float(u[-1])
        n, held, turns = len(y), len(self.level), len(self.symmetries) if fixed else 0
        out = np.zeros((n + held + turns, n + 1))
        out[:n, :n], out[:n, n] = self.family.jacobian(y, x), self.family.slope(y, x)
        if held:
            out[n : n + held, :n] = self.conserved.gradients(y)
        if turns:
            out[n + held :, :n] = self.symmetries @ y
        return out

    def corrected(self, u: Floats, row: Floats, *, most_steps: int = 12) -> Floats | None:
        """The fixed point near u in the plane through u normal to row; None if there is none."""
        start, u, step = u, u.copy(), np.inf
        for _ in range(most_steps):
            matrix = np.vstack([self.matrix(u), row])
            wanted = np.zeros(len(matrix))
            residual = self.residual(u)
            wanted[: len(residual)] = -residual
            wanted[-1] = row @ (start - u)
            change, *_ = np.linalg.lstsq(matrix, wanted, rcond=RANK)
            last, step = step, float(np.abs(change).max())
            if not np.isfinite(step) or step > 2.0:
                return None
            u += change
            if step < ACCURATE or (step < ROUGH and step > last / 4):
                return u if np.abs(self.residual(u)).max() < 1e-9 else None
        return None

    def at(self, y: Floats, x: float, *, most_steps: int = 12) -> Floats | None:
        """The fixed point u near y at one place of the parameter."""
        row = np.zeros(len(y) + 1)
        row[-1] = 1.0
        return self.corrected(np.append(y, x), row, most_steps=most_steps)

    def point(self, u: Floats, along: Floats | None = None) -> Point:
        """What is known of a fixed point; its tangent turned along a direction."""
        _, sizes, right = np.linalg.svd(self.matrix(u))
        n = len(u) - 1
        tangent = right[n]
        if along is not None and tangent @ along < 0:
            tangent = -tangent
        eigenvalues = self._eigenvalues(u)
        largest = np.abs(eigenvalues).max(initial=0.0)
        growing = int(np.sum(eigenvalues.real > STILL * max(largest, 1e-3)))
        return Point(u, tangent, eigenvalues, float(sizes[n - 1]), growing)

    def _eigenvalues(self, u: Floats) -> Complexes:
        y = u[:-1]
        still = self.conserved.gradients(y)
        if len(self.symmetries):
            still = np.vstack([still, self.symmetries @ y])
        J = self.family.jacobian(y, float(u[-1]))
        if len(still):
            _, sizes, right = np.linalg.svd(still)
            basis = right[int(np.sum(sizes > 1e-6)) :]
            J = basis @ J @ basis.T
        return np.linalg.eigvals(J).astype(complex)

    def physical(self, u: Floats) -> bool:
        """Whether no mean spin is longer than 1/2."""
        means = u[: self.family.n_variables].reshape(-1, 3) * self.family.scale[:1]
        return bool(np.all(np.linalg.norm(means, axis=1) < 0.5 * (1 + 1e-6)))


def follow(
    equations: FixedPoints, start: Point, *, longest: float, most_points: int
) -> Iterator[Point | Special]:
    """Points of the curve from start on, along its tangent, with the special ones between them.

    It ends where the parameter leaves [0, 1], a mean spin gets too long, the curve turns where it
    meets another one, closes, or cannot be followed.
    """
    point, step, n_points = start, FIRST, 0
    while n_points < most_points and step > SHORTEST:
        pace = abs(point.tangent[-1])
        most = LONGEST * max(1.0, float(np.abs(point.u).max()))
        step = min(step, most, longest / pace if pace else most)
        ahead = point.u + step * point.tangent
        outside = not 0.0 <= ahead[-1] <= 1.0
        new = _landed(equations, point, step) if outside else _next(equations, point, step)
        if new is None:
            step /= 2
            continue
        if not equations.physical(new.u):
            return
        for special in located(equations, point, new):
            yield special
            if special.turns and special.kind == BRANCH_POINT:
                return
        yield new
        if outside or (n_points > 3 and _passes(point, new, start)):
            return
        point, n_points, step = new, n_points + 1, 1.4 * step


def _next(equations: FixedPoints, point: Point, step: float) -> Point | None:
    ahead = point.u + step * point.tangent
    u = equations.corrected(ahead, point.tangent, most_steps=6)
    if u is None or np.linalg.norm(u - ahead) > 0.3 * step:
        return None
    new = equations.point(u, point.tangent)
    return new if new.tangent @ point.tangent > STRAIGHT else None


def _landed(equations: FixedPoints, point: Point, step: float) -> Point | None:
    """The point of the curve at the end of the range of the parameter."""
    end = 1.0 if point.tangent[-1] > 0 else 0.0
    share = (end - point.u[-1]) / point.tangent[-1]
    guess = point.u[:-1] + share * point.tangent[:-1]
    u = equations.at(guess, end, most_steps=6)
    if u is None or np.linalg.norm(u[:-1] - guess) > 0.3 * step:
        return None
    new = equations.point(u, point.tangent)
    return new if new.tangent @ point.tangent > STRAIGHT else None


def _passes(point: Point, new: Point, start: Point) -> bool:
    chord = new.u - point.u
    share = chord @ (start.u - point.u) / (chord @ chord)
    distance = np.linalg.norm(point.u + share * chord - start.u)
    return bool(0 <= share <= 1 and distance < 0.1 * np.linalg.norm(chord))


def located(equations: FixedPoints, a: Point, b: Point) -> list[Special]:
    """The special points between two neighbouring points of a curve, in order."""
    return list(_between(equations, a, b, max(a.singular, b.singular)))


def _between(equations: FixedPoints, a: Point, b: Point, regular: float) -> Iterator[Special]:
    turns = a.tangent[-1] * b.tangent[-1] < 0
    if not turns and a.n_growing == b.n_growing:
        return
    chord = b.u - a.u
    length = np.linalg.norm(chord)
    middle = None
    if length > LOCATED:
        u = equations.corrected((a.u + b.u) / 2, chord / length)
        if u is not None and np.linalg.norm(u - (a.u + b.u) / 2) < 0.5 * length:
            middle = equations.point(u, a.tangent)
    if middle is not None:
        yield from _between(equations, a, middle, regular)
        yield from _between(equations, middle, b, regular)
        return
    crossing = min(b.eigenvalues, key=lambda value: abs(value.real))
    frequency = abs(float(crossing.imag))
    if min(a.singular, b.singular) < SINGULAR * regular:
        yield Special(BRANCH_POINT, b, bool(turns), 0.0)
    elif turns:
        yield Special(FOLD, b, True, 0.0)
    elif (
        frequency > 0 or abs(b.tangent[-1]) > FLAT
    ):  # else it is the eigenvalue of a fold beside it
        yield Special(HOPF, b, False, frequency)
