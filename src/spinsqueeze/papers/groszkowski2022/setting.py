"""The models of groszkowski2022 in this package's terms, and small helpers of its figures."""

import math
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.method import liouvillian
from spinsqueeze.models.collective_terms import OneAxisTwisting
from spinsqueeze.models.jumps import (
    CollectiveDecay,
    LocalDecay,
    LocalDephasing,
    SqueezedCollectiveDecay,
)
from spinsqueeze.models.model import SpinModel
from spinsqueeze.papers.base import Claim
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import PALETTE

BLUE, ORANGE, GREEN, PINK, BLACK = PALETTE[0], PALETTE[1], PALETTE[2], PALETTE[3], PALETTE[6]
Item = TypeVar("Item")

SQUEEZING_OF_FIG_4 = 2.5
"""r of Fig. 4, as its caption says."""

KAPPA_INT, GAMMA_REL = 100.0, 0.02
"""Fig. 5, in units of g: single-spin cooperativity 4 g^2/(kappa_int gamma_rel) = 2."""


def reservoir_model(
    n_spins: int, *, r: float, dephasing: float = 0.0, relaxation: float = 0.0
) -> SpinModel:
    """Eq. (11) without cavity loss, rates in units of Gamma; Eq. (2) where both others vanish."""
    jumps: list[Any] = [SqueezedCollectiveDecay(1.0, r=r)]
    if dephasing:
        jumps.append(LocalDephasing(dephasing))
    if relaxation:
        jumps.append(LocalDecay(relaxation))
    return SpinModel(n_spins, jumps=jumps, unit="Gamma")


def reservoir_generator(n_spins: int, *, r: float) -> Generator:
    """The Liouvillian of Eq. (2), Gamma = 1, for kernels below the models."""
    return liouvillian(reservoir_model(n_spins, r=r).canonical)


def cavity_model(n_spins: int, *, r: float, kappa_sqz: float) -> SpinModel:
    """Eqs. (11) to (13) at the rates of Fig. 5, in units of g; kappa_sqz is the tunable one."""
    total = (kappa_sqz + KAPPA_INT) ** 2
    return SpinModel(
        n_spins,
        jumps=[
            SqueezedCollectiveDecay(4.0 * kappa_sqz / total, r=r),
            CollectiveDecay(4.0 * KAPPA_INT / total),
            LocalDecay(GAMMA_REL),
        ],
        unit="g",
    )


def twisting_strength(detuning: float) -> float:
    """Strength chi of Eq. (G2) in units of g."""
    return detuning / (detuning**2 + KAPPA_INT**2 / 4.0)


def twisting_model(n_spins: int, *, detuning: float) -> SpinModel:
    """Eq. (G1) in units of g: chi (S^2 - S_z^2), where S^2 is a constant in every shell."""
    return SpinModel(
        n_spins,
        hamiltonian=[OneAxisTwisting(-twisting_strength(detuning))],
        jumps=[
            CollectiveDecay(KAPPA_INT / (detuning**2 + KAPPA_INT**2 / 4.0)),
            LocalDecay(GAMMA_REL),
        ],
        unit="g",
    )


def with_progress(points: Points, items: Iterable[Item]) -> Iterator[Item]:
    """The items one by one, with the fraction done reported on the way."""
    listed = list(items)
    for index, item in enumerate(listed):
        yield item
        if points.progress is not None:
            points.progress((index + 1) / len(listed))


def exact_claim(
    key: str,
    *,
    statement: str,
    place: str,
    expected: float,
    value: float,
    allowed: float,
    error: float,
    extra: str = "",
    note: str = "",
) -> Claim:
    """A claim of one number where ours is no sample.

    Args:
        key: see `Claim`.
        statement: see `Claim`.
        place: see `Claim`.
        expected: the paper's number.
        value: ours.
        allowed: |value - expected| up to which it holds: the digit printed, or the size of the
            terms that the statement leaves out.
        error: our numerical error, absolute.
        extra: more about our value.
        note: what we found, where it does not hold.
    """
    holds = bool(math.isfinite(value) and abs(value - expected) <= allowed + error)
    shown = f"{value:.6g} ± {error:.1g}" + (f"; {extra}" if extra else "")
    away = f"ours is {value:.4g}, the paper has {expected:.4g} (allowed {allowed:.2g})"
    return Claim(
        key=key,
        statement=statement,
        place=place,
        ours=shown,
        holds=holds,
        note="" if holds else "; ".join(part for part in (away, note) if part),
        value=float(value),
        stderr=float(error),
        expected=float(expected),
    )
