"""The equations of a model along one parameter: polynomials in it, and what they leave alone.

Unknowns are y = p / scale without the constant, and the place x in [0, 1] along the parameter. All
rates are in units of `rate`, so that numbers here are of order 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.polynomial import chebyshev

from spinsqueeze.core.arrays import Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.cumulants.evolve import scales
from spinsqueeze.methods.cumulants.flow import arguments, flow, terms_of
from spinsqueeze.methods.cumulants.integrate import FlowArrays
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.methods.cumulants.series import series
from spinsqueeze.methods.cumulants.tables import Table

SMALL = 12
"""Up to so many unknowns the Jacobian is kept as a polynomial in them."""
DEGREES = (1, 2, 4, 8, 16, 32, 64)
RESOLVED = 1e-12
"""Largest error of the polynomials in the parameter, relative to each largest coefficient."""
_BETWEEN = np.array([-0.83, -0.31, 0.17, 0.59, 0.97])


@final
@dataclass(frozen=True, eq=False)
class Axis:
    """The parameter as a function of the place x in [0, 1], linear or logarithmic."""

    start: float
    stop: float
    logarithmic: bool = False

    def value(self, x: float) -> float:
        """The parameter at a place."""
        if self.logarithmic:
            return float(self.start * (self.stop / self.start) ** x)
        return float(self.start + x * (self.stop - self.start))

    def slope(self, x: float) -> float:
        """Its derivative in x."""
        if self.logarithmic:
            return float(self.value(x) * np.log(self.stop / self.start))
        return self.stop - self.start


@final
@dataclass(frozen=True, eq=False)
class Family:
    """dy/dt = F(y, x) with its derivatives, all over `rate`.

    equations: the series and structure, with one row of strengths for each Chebyshev polynomial in
    the parameter, from -1 at the start to 1 at the stop.
    """

    equations: FlowArrays
    axis: Axis
    scale: Floats
    rate: float

    @property
    def size(self) -> int:
        """Number of unknowns y."""
        return len(self.scale)

    @property
    def n_variables(self) -> int:
        """Of first degree: y[:n_variables] are the mean spins, three of each kind."""
        return len(self.equations.series.above)

    def cumulants(self, y: Floats) -> Floats:
        """P (K,), the constant first."""
        return np.concatenate([[0.0], self.scale * y])

    def _coefficients(self, x: float, derivative: bool = False) -> Floats:
        axis, values = self.axis, self.equations.strengths[0]
        half = (axis.stop - axis.start) / 2
        at = (axis.value(x) - axis.start) / half - 1
        if not derivative:
            return np.asarray(chebyshev.chebval(at, values))
        return np.asarray(chebyshev.chebval(at, chebyshev.chebder(values)) / half * axis.slope(x))

    def _rate(self, y: Floats, coefficients: Floats) -> Floats:
        p = self.cumulants(y)
        out = np.empty_like(p)
        flow(p, coefficients, self.equations.structure, out)
        return out[1:] / self.scale / self.rate

    def flow(self, y: Floats, x: float) -> Floats:
        """F (n,)."""
        return self._rate(y, self._coefficients(x))

    def slope(self, y: Floats, x: float) -> Floats:
        """dF/dx (n,): the flow is linear in the coefficients."""
        return self._rate(y, self._coefficients(x, derivative=True))

    def jacobian(self, y: Floats, x: float) -> Floats:
        """dF/dy (n, n)."""
        if self.size > SMALL:
            return self._jacobian(y, self._coefficients(x))
        axis = self.axis
        at = 2 * (axis.value(x) - axis.start) / (axis.stop - axis.start) - 1
        constant, linear, quadratic = self._parts
        parts = constant + linear @ y
        if quadratic is not None:
            parts = parts + (quadratic @ y) @ y
        return np.asarray(chebyshev.chebval(at, parts))

    def _jacobian(self, y: Floats, coefficients: Floats) -> Floats:
        full = jacobian(self.cumulants(y), coefficients, self.equations)
        return full[1:, 1:] * self.scale / self.scale[:, None] / self.rate

    @cached_property
    def _parts(self) -> tuple[Floats, Floats, Floats | None]:
        """Of each row (M): dF/dy = constant + linear y + (quadratic y) y, the flow being cubic."""
        n, rows = self.size, self.equations.strengths[0]
        units = np.eye(n)

        def at(y: Floats) -> Floats:
            return np.array([self._jacobian(y, row) for row in rows])

        constant = at(np.zeros(n))
        up, down = [at(e) for e in units], [at(-e) for e in units]
        linear = np.stack(up, axis=-1) / 2 - np.stack(down, axis=-1) / 2
        if self.equations.series.order == 1:
            return constant, linear, None
        quadratic = np.zeros((*linear.shape, n))
        for i in range(n):
            quadratic[..., i, i] = (up[i] + down[i]) / 2 - constant
        for i in range(n):
            for j in range(i):
                own = quadratic[..., i, i] + quadratic[..., j, j]
                mixed = at(units[i] + units[j]) - constant - linear[..., i] - linear[..., j] - own
                quadratic[..., i, j] = quadratic[..., j, i] = mixed / 2
        return constant, linear, quadratic

    def at(self, x: float) -> FlowArrays:
        """The equations at one place, as `fixed_point` takes them."""
        edges, cubics = np.array([[-np.inf, np.inf]]), np.zeros((1, 4, 1))
        cubics[0, 3, 0] = 1.0
        values = np.ascontiguousarray(self._coefficients(x)[None])
        return FlowArrays(self.equations.series, (values, edges, cubics), self.equations.structure)


def family_of(
    tables_at: Callable[[float], list[Table]], *, axis: Axis, counts: Integers, order: int
) -> Family:
    """The equations of one order along a parameter.

    Args:
        tables_at: the tables of the model at a value of the parameter; constant strengths.
        axis: the parameter.
        counts: (C,) spins of each kind, the same everywhere.
        order: of the cumulants.

    Raises:
        InvalidInput: the equations are not smooth in the parameter.
    """
    middle, half = (axis.stop + axis.start) / 2, (axis.stop - axis.start) / 2

    def at(place: float) -> Floats:
        return _summed(tables_at(middle + half * place), len(counts))

    between = np.array([at(place) for place in _BETWEEN])
    for degree in DEGREES:
        nodes = chebyshev.chebpts1(degree + 1)
        values = np.array([at(place) for place in nodes])
        largest = np.maximum(np.abs(values).max(axis=0), np.abs(between).max(axis=0))
        fitted = chebyshev.chebfit(nodes, values, degree)
        missed = np.abs(chebyshev.chebval(_BETWEEN, fitted).T - between)
        if np.all(missed <= RESOLVED * largest):
            break
    else:
        raise InvalidInput(
            "the equations are no smooth function of the parameter between "
            f"{axis.start:g} and {axis.stop:g}: take a narrower range"
        )
    fitted[np.abs(fitted) < 1e-15 * largest] = 0.0
    return _family(fitted, axis, counts, order)


def _summed(tables: list[Table], n_kinds: int) -> Floats:
    one, two = np.zeros((n_kinds, 4, 4)), np.zeros((n_kinds, n_kinds, 4, 4, 4, 4))
    for table in tables:
        assert isinstance(table.strength, int | float)
        one += table.strength * table.one
        two += table.strength * table.two
    return np.concatenate([one.ravel(), two.ravel()])


def _family(fitted: Floats, axis: Axis, counts: Integers, order: int) -> Family:
    n = len(counts)
    parts = [
        Table(1.0, row[: 16 * n].reshape(n, 4, 4), row[16 * n :].reshape(n, n, 4, 4, 4, 4))
        for row in fitted
    ]
    terms, variables = terms_of(parts, n_kinds=n), series(counts, order)
    edges, cubics = np.full((1, 2), np.inf), np.zeros((1, 4, 1))
    equations = FlowArrays(
        variables, (terms.values, edges, cubics), arguments(terms, variables, counts)
    )
    family = Family(equations, axis, scales(equations)[1:], 1.0)
    spread = np.random.default_rng(0).uniform(-0.5, 0.5, family.size)
    largest = max(np.linalg.norm(family.jacobian(spread, x), 2) for x in (0.0, 0.37, 1.0))
    return Family(equations, axis, family.scale, float(largest) or 1.0)
