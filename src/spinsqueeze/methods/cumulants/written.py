"""The equations of motion of moments of distinct spins, written out with the model's own names."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants.series import series
from spinsqueeze.methods.cumulants.tables import Table

AXES = "xyz"
Moment = tuple[int, ...]


@final
@dataclass(frozen=True, eq=False)
class NamedTable:
    """What a parameter of the model does: a table, per unit of the parameter."""

    name: str
    table: Table


@final
@dataclass(frozen=True)
class Product:
    """factor * parameter * (N_kind - below) * moment; kind None: no spin from outside."""

    factor: float
    parameter: str
    kind: int | None
    below: int
    moment: Moment


@final
@dataclass(frozen=True)
class Equation:
    """d<moment>/dt as a sum of products."""

    moment: Moment
    products: tuple[Product, ...]


def derive(tables: Sequence[NamedTable], *, n_kinds: int, order: int) -> list[Equation]:
    """The equations of all moments up to an order; those of order + 1 appear on the right."""
    out = []
    for n in series(np.full(n_kinds, order), order).exponents[1:].tolist():
        sums: dict[tuple[str, int | None, int, Moment], float] = {}
        for named in tables:
            for product in _products(named, tuple(n), n_kinds):
                key = (product.parameter, product.kind, product.below, product.moment)
                sums[key] = sums.get(key, 0.0) + product.factor
        largest = max((abs(v) for v in sums.values()), default=0.0)
        kept = [Product(v, *key) for key, v in sums.items() if abs(v) > 1e-13 * largest]
        out.append(Equation(tuple(n), tuple(sorted(kept, key=_place))))
    return out


def _place(product: Product) -> tuple[int, str, int, Moment]:
    return (sum(product.moment), product.parameter, product.kind is not None, product.moment)


def _products(named: NamedTable, n: Moment, n_kinds: int) -> list[Product]:
    """What one table does to the moment n: to each spin in it, to each pair, and from outside."""
    one, two = named.table.one, named.table.two
    out = []
    inside = [u for u in range(3 * n_kinds) if n[u]]
    for u in inside:
        A, a = divmod(u, 3)
        for b in np.flatnonzero(one[A, a + 1]):
            moment = _changed(n, [u], [_variable(A, int(b))])
            out.append(Product(n[u] * float(one[A, a + 1, b]), named.name, None, 0, moment))
        for B in range(n_kinds):
            below = sum(n[3 * B : 3 * B + 3])
            for b, d in np.argwhere(two[A, B, a + 1, 0]):
                added = [_variable(A, int(b)), _variable(B, int(d))]
                factor = n[u] * float(two[A, B, a + 1, 0, b, d])
                out.append(Product(factor, named.name, B, below, _changed(n, [u], added)))
    for i, u in enumerate(inside):
        for v in inside[i:]:
            pairs = n[u] * (n[u] - 1) / 2 if u == v else float(n[u] * n[v])
            if not pairs:
                continue
            (A, a), (B, c) = divmod(u, 3), divmod(v, 3)
            entries: Floats = two[A, B, a + 1, c + 1]
            for b, d in np.argwhere(entries):
                added = [_variable(A, int(b)), _variable(B, int(d))]
                factor = pairs * float(entries[b, d])
                out.append(Product(factor, named.name, None, 0, _changed(n, [u, v], added)))
    return out


def _variable(kind: int, operator: int) -> int | None:
    return None if operator == 0 else 3 * kind + operator - 1


def _changed(n: Moment, removed: Sequence[int], added: Sequence[int | None]) -> Moment:
    out = list(n)
    for u in removed:
        out[u] -= 1
    for v in added:
        if v is not None:
            out[v] += 1
    return tuple(out)


def as_text(equations: Sequence[Equation], *, n_kinds: int) -> str:
    """One line an equation: d<xz>/dt = -(3/2) rate <xz> + ..."""
    return "\n".join(_written(e, n_kinds, latex=False) for e in equations)


def as_latex(equations: Sequence[Equation], *, n_kinds: int) -> str:
    """An align environment."""
    rows = " \\\\\n".join(_written(e, n_kinds, latex=True) for e in equations)
    return f"\\begin{{align}}\n{rows}\n\\end{{align}}"


def _written(equation: Equation, n_kinds: int, *, latex: bool) -> str:
    left = _moment(equation.moment, n_kinds, latex)
    head = rf"\frac{{d}}{{dt}} {left} &=" if latex else f"d{left}/dt ="
    parts = []
    for product in equation.products:
        sign = "-" if product.factor < 0 else "+"
        words = [_number(abs(product.factor), latex), _parameter(product.parameter, latex)]
        if product.kind is not None:
            words.append(_others(product, n_kinds, latex))
        if any(product.moment):
            words.append(_moment(product.moment, n_kinds, latex))
        parts.append(f"{sign} " + " ".join(word for word in words if word))
    body = " ".join(parts) or "0"
    return f"{head} {body.removeprefix('+ ')}"


def _number(value: float, latex: bool) -> str:
    exact = Fraction(value).limit_denominator(64)
    if abs(float(exact) - value) > 1e-12 * value:
        return f"{value:.6g}"
    if exact.denominator == 1:
        return "" if exact == 1 else str(exact.numerator)
    if latex:
        return rf"\tfrac{{{exact.numerator}}}{{{exact.denominator}}}"
    return f"({exact.numerator}/{exact.denominator})"


def _parameter(name: str, latex: bool) -> str:
    if not latex or not name:
        return name
    return r"\chi" if name == "chi" else rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def _others(product: Product, n_kinds: int, latex: bool) -> str:
    number = "N"
    if n_kinds > 1:
        number = f"N_{{{product.kind}}}" if latex else f"N_{product.kind}"
    return f"({number} - {product.below})" if product.below else number


def _moment(n: Moment, n_kinds: int, latex: bool) -> str:
    letters = []
    for u, count in enumerate(n):
        kind, axis = divmod(u, 3)
        label = AXES[axis]
        if latex:
            label = f"s^{label}" + (f"_{{{kind}}}" if n_kinds > 1 else "")
        elif n_kinds > 1:
            label = f"{label}{kind}"
        letters += [label] * count
    body = (" " if latex or n_kinds > 1 else "").join(letters)
    return rf"\langle {body} \rangle" if latex else f"<{body}>"
