"""The models of groszkowski2022 in this package's terms, and small helpers of its figures."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, final

from spinsqueeze.methods.cumulants.method import Cumulants
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant, liouvillian
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.collective_terms import OneAxisTwisting
from spinsqueeze.models.jumps import (
    CollectiveDecay,
    LocalDecay,
    LocalDephasing,
    SqueezedCollectiveDecay,
)
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.states import CoherentState
from spinsqueeze.papers.base import Claim
from spinsqueeze.papers.points import Points
from spinsqueeze.plot.style import PALETTE
from spinsqueeze.run.steady_state import steady_state

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


@final
@dataclass(frozen=True)
class Platform:
    """What an experiment does not tune, in units of g: internal cavity loss, and local rates."""

    kappa_int: float
    relaxation: float
    dephasing: float = 0.0

    @property
    def cooperativity(self) -> float:
        """Of a single spin: eta_rel of Eq. (10)."""
        return 4.0 / (self.kappa_int * self.relaxation)


def platform(kappa_int: float, *, cooperativity: float) -> Platform:
    """The one of this kappa_int (in units of g) and eta_rel."""
    return Platform(kappa_int, 4.0 / (cooperativity * kappa_int))


OF_FIG_5 = Platform(KAPPA_INT, GAMMA_REL)
OF_FIG_S1 = Platform(500.0, 0.04)


def cavity_model(n_spins: int, *, r: float, kappa_sqz: float, of: Platform = OF_FIG_5) -> SpinModel:
    """Eqs. (11) to (13), in units of g; kappa_sqz is the tunable one."""
    total = (kappa_sqz + of.kappa_int) ** 2
    return SpinModel(
        n_spins,
        jumps=[
            SqueezedCollectiveDecay(4.0 * kappa_sqz / total, r=r),
            CollectiveDecay(4.0 * of.kappa_int / total),
            *_local(of),
        ],
        unit="g",
    )


def kept_cavity_model(n_spins: int, *, r: float, kappa_sqz: float, of: Platform) -> SpinModel:
    """Eqs. (8) and (9), in units of g, the mode at rest with its reservoirs at time 0."""
    return SpinModel(
        n_spins,
        jumps=_local(of),
        cavity=Cavity(
            1.0,
            decay_rate=kappa_sqz,
            squeezing=r,
            internal_decay_rate=of.kappa_int,
            initial="steady",
        ),
        unit="g",
    )


def _local(of: Platform) -> list[Any]:
    dephasing = [LocalDephasing(of.dephasing)] if of.dephasing else []
    return [LocalDecay(of.relaxation), *dephasing]


def twisting_strength(detuning: float, *, of: Platform = OF_FIG_5) -> float:
    """Strength chi of Eq. (G2) in units of g."""
    return detuning / (detuning**2 + of.kappa_int**2 / 4.0)


def twisting_model(n_spins: int, *, detuning: float, of: Platform = OF_FIG_5) -> SpinModel:
    """Eq. (G1) in units of g: chi (S^2 - S_z^2), where S^2 is a constant in every shell."""
    return SpinModel(
        n_spins,
        hamiltonian=[OneAxisTwisting(-twisting_strength(detuning, of=of))],
        jumps=[
            CollectiveDecay(of.kappa_int / (detuning**2 + of.kappa_int**2 / 4.0)),
            LocalDecay(of.relaxation),
        ],
        unit="g",
    )


def steady_xi2(model: SpinModel, *, order: int | None = None) -> float:
    """Steady xi2 by cumulants of an order from all spins down; None: exact, of alike spins.

    Raises:
        NumericalFailure: the cumulants find no rest.
    """
    if order is None:
        return float(steady_state(model, method=PermutationInvariant())["xi2"])
    method = Cumulants(order, next_order=False)
    return float(steady_state(model, initial_state=CoherentState("-z"), method=method)["xi2"])


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
