"""What a paper is made of: figures that return a Dataset, a picture, and claims."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import value_with_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture

    from spinsqueeze.papers.points import Points

PASS, OPEN = "pass", "open"
SIZES = ("small", "paper")


@final
@dataclass(frozen=True)
class Claim:
    """One number or statement of a paper beside ours.

    Args:
        key: a short name, unique within the paper.
        statement: what the paper says, in our words or with its number.
        place: where it stands in the paper.
        ours: our value ± error, or our finding, in words.
        holds: True: ours agrees. False: ours disagrees. None: this size cannot decide.
        note: what we found instead, or why it is not decided; needed unless the claim holds.
        value: our number, where the claim is one number.
        stderr: its standard error.
        expected: the paper's number.

    Raises:
        InvalidInput: a claim that does not hold has no note.
    """

    key: str
    statement: str
    place: str
    ours: str
    holds: bool | None
    note: str = ""
    value: float | None = None
    stderr: float | None = None
    expected: float | None = None

    def __post_init__(self) -> None:
        if self.holds is not None:
            object.__setattr__(self, "holds", bool(self.holds))  # a bool of numpy too
        if not self.holds and not self.note:
            raise InvalidInput(f"note of claim {self.key!r} must say why the claim is open")

    def undecided(self, why: str) -> "Claim":
        """This claim, open because something that it compares is missing."""
        note = "; ".join(part for part in (why, self.note) if part)
        return replace(self, holds=None, note=note)

    @property
    def state(self) -> str:
        """`pass` or `open`."""
        return PASS if self.holds else OPEN

    def as_dict(self) -> dict[str, Any]:
        """Plain data for claims.json; absent numbers are left out."""
        table: dict[str, Any] = {
            "key": self.key,
            "state": self.state,
            "statement": self.statement,
            "place": self.place,
            "ours": self.ours,
        }
        if not self.holds:
            table["reason"] = "disagrees" if self.holds is False else "not decided at this size"
        for name in ("note", "value", "stderr", "expected"):
            value = getattr(self, name)
            if value not in ("", None) and not (isinstance(value, float) and math.isnan(value)):
                table[name] = value
        return table


def number_claim(
    key: str,
    *,
    statement: str,
    place: str,
    expected: float,
    reading_error: float,
    value: float,
    stderr: float,
    note: str = "",
    decided: bool = True,
) -> Claim:
    """A claim of one number: it holds within the paper's digit and two of our standard errors.

    Args:
        key: see `Claim`.
        statement: see `Claim`.
        place: see `Claim`.
        expected: the paper's number.
        reading_error: half of its last digit, or its printed error.
        value: ours.
        stderr: our standard error.
        note: added where it does not hold.
        decided: False where this size cannot decide, whatever the number.
    """
    known = math.isfinite(value) and math.isfinite(stderr)
    agrees = known and abs(value - expected) <= reading_error + 2.0 * stderr
    text = value_with_error(value, stderr=stderr) if known else "no value"
    away = f"ours is {text}, the paper has {expected:g}" if known else "no fit: too few points"
    return Claim(
        key=key,
        statement=statement,
        place=place,
        ours=text,
        holds=bool(agrees) if decided and known else None,
        note="" if agrees and decided else "; ".join(part for part in (away, note) if part),
        value=float(value),
        stderr=float(stderr),
        expected=float(expected) + 0.0,
    )


@final
@dataclass(frozen=True)
class Figure:
    """One figure or table of a paper.

    Args:
        name: as the command line takes it: "2", "table-1".
        title: what it shows, in one line.
        methods: names of the methods that it uses.
        compute: (setting, points) -> Dataset. Simulations that go through `points` are kept and go
            on after an interruption; closed forms and single kernels are called as they are, and
            use `points` for their progress only.
        draw: Dataset -> picture, with the paper's axes.
        claims: Dataset -> claims.
        settings: size -> anything that `compute` reads; its keys are the sizes on offer.
    """

    name: str
    title: str
    methods: tuple[str, ...]
    compute: Callable[[Any, "Points"], xr.Dataset]
    draw: Callable[[xr.Dataset], "Picture"]
    claims: Callable[[xr.Dataset], Sequence[Claim]]
    settings: Mapping[str, Any]


@final
@dataclass(frozen=True)
class Paper:
    """A paper: its figures, its conventions and what is printed wrong in it.

    Args:
        key: of references.bib.
        title: of the paper.
        figures: in the paper's order.
        conventions: how its symbols map to ours.
        misprints: where we found other than what is printed.
    """

    key: str
    title: str
    figures: tuple[Figure, ...]
    conventions: str
    misprints: tuple[str, ...] = field(default=())

    def figure(self, name: str) -> Figure:
        """The figure of this name.

        Raises:
            InvalidInput: there is none.
        """
        known = {f.name: f for f in self.figures}
        if name not in known:
            parts = [repr(own) for own in known if name and own.startswith(str(name))]
            hint = f"did you mean {' or '.join(parts)}?" if parts else None
            hint = hint or checks.did_you_mean(name, known)
            raise InvalidInput(f"figure {name!r} is not one of {self.key}; {hint}")
        return known[name]


def power_law_fit(
    x: Floats, y: Floats, *, stderr: Floats | None = None
) -> tuple[float, float, float]:
    """Weighted straight line through log y against log x.

    Args:
        x: (n,) positive; points where x, y or stderr is undefined are left out.
        y: (n,) positive.
        stderr: (n,) of y; None weighs all alike. Where the points scatter more than their
            errors, the error of the exponent is enlarged by sqrt(chi2/(n - 2)).

    Returns:
        exponent, its standard error, log of the prefactor; NaN with fewer than three points.
    """
    sigma = np.ones_like(y) if stderr is None else np.asarray(stderr, float) / y
    good = np.isfinite(x) & np.isfinite(y) & np.isfinite(sigma) & (y > 0) & (sigma > 0)
    if good.sum() < 3:
        return math.nan, math.nan, math.nan
    u, v, w = np.log(x[good]), np.log(y[good]), 1.0 / sigma[good] ** 2
    mean_u, mean_v = np.average(u, weights=w), np.average(v, weights=w)
    spread = float(np.sum(w * (u - mean_u) ** 2))
    slope = float(np.sum(w * (u - mean_u) * (v - mean_v)) / spread)
    rest = v - mean_v - slope * (u - mean_u)
    chi2 = float(np.sum(w * rest**2)) / (len(u) - 2)
    scale = chi2 if stderr is None else max(1.0, chi2)
    return slope, math.sqrt(scale / spread), float(mean_v - slope * mean_u)


def curve(
    dims: str | Sequence[str], values: Any, long_name: str, *, units: str = "1"
) -> tuple[Any, Any, dict[str, str]]:
    """A variable or coordinate of a figure's Dataset."""
    return (dims, np.asarray(values), {"units": units, "long_name": long_name})


def finding(
    key: str,
    *,
    statement: str,
    place: str,
    ours: str,
    holds: bool | None,
    otherwise: str,
    value: float | None = None,
    error: float | None = None,
    expected: float | None = None,
) -> Claim:
    """A claim in words; `otherwise` is its note unless it holds."""
    return Claim(
        key=key,
        statement=statement,
        place=place,
        ours=ours,
        holds=None if holds is None else bool(holds),
        note="" if holds else otherwise,
        value=None if value is None else float(value),
        stderr=None if error is None else float(error),
        expected=expected,
    )


def decibels(values: Any) -> Any:
    """10 log10."""
    return 10.0 * np.log10(values)
