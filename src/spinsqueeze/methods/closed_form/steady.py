"""Which steady states have a closed form, and their moments within total spin N/2."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.states import BlockState, InitialState, SymmetricState
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.numerics.block_states import shell_state
from spinsqueeze.observables.qfi import AFFORDABLE, mixed_information, pure_information

MIXED_SPINS = 200
"""Largest number of spins whose mixed state is handed back: a block state holds N^3/6 numbers."""


@final
@dataclass(frozen=True)
class SteadyMoments:
    """A steady state within total spin N/2.

    Attributes:
        formula: its name.
        spin, covariance: <S_a> (3,) and covariance (3, 3).
        purity: Tr rho^2.
        state: makes the state itself; None where it is mixed and of more than MIXED_SPINS spins.
        information: its quantum Fisher information; None where it is mixed and large.
    """

    formula: str
    spin: Floats
    covariance: Floats
    purity: float
    state: Callable[[], InitialState | None]
    information: Callable[[], float | None]


def steady_formula(model: Canonical) -> Callable[[], SteadyMoments] | None:
    """The closed form of a model's steady state within total spin N/2, or None.

    Two are known: squeezed collective decay alone (groszkowski2022), and collective decay with a
    drive and collective exchange (tucker2020).
    """
    if (
        model.modes
        or model.differences
        or model.local_jumps
        or model.pairs
        or len(model.collective_jumps) != 1
        or model.time_dependent
    ):
        return None
    (jump,) = model.collective_jumps
    assert not isinstance(jump.rate, Envelope)
    squeezing = _reservoir(jump.vectors)
    if squeezing is None:
        return None
    r, scale = squeezing
    coherent = _coherent_part(model)
    if coherent is None:
        return None
    chi, drive = coherent
    if chi == 0.0 and not np.any(drive):
        return lambda: _squeezed_decay(model.n_spins, r)
    if abs(r) > 1e-14:
        return None
    rate = jump.rate * scale
    return lambda: _driven_dicke(model.n_spins, rate, chi, drive)


def reservoir_squeezing(model: Canonical) -> float | None:
    """R of a model whose collective part is squeezed collective decay alone, else None."""
    if len(model.collective_jumps) != 1 or model.fields or model.quadratics or model.pairs:
        return None
    if model.differences:
        return None
    reservoir = _reservoir(model.collective_jumps[0].vectors)
    return None if reservoir is None else reservoir[0]


def _reservoir(vector: Complexes) -> tuple[float, float] | None:
    """(r, scale) of c.S = sqrt(scale) (cosh r S_minus - sinh r S_plus) up to a phase, or None."""
    x, y, z = vector
    if z != 0 or x == 0 or y == 0:
        return None
    # c = sqrt(scale) (exp(-r), -i exp(r), 0)
    ratio = 1j * y / x
    if abs(ratio.imag) > 1e-14 * abs(ratio) or ratio.real <= 0:
        return None
    return 0.5 * math.log(ratio.real), abs(x) * abs(y)


def _coherent_part(model: Canonical) -> tuple[float, Floats] | None:
    """(chi, drive (2,)) of H = chi S_plus S_minus + drive . (S_x, S_y), S^2 aside, or None."""
    Q, b = np.zeros((3, 3)), np.zeros(3)
    for quadratic in model.quadratics:
        assert not isinstance(quadratic.strength, Envelope)
        Q = Q + quadratic.strength * quadratic.matrix
    for field in model.fields:
        assert not isinstance(field.strength, Envelope)
        b = b + field.strength * field.vectors
    chi = Q[0, 0] - Q[2, 2]
    exchange = np.diag([chi, chi, 0.0]) + Q[2, 2] * np.eye(3)
    tolerance = 1e-14 * (np.abs(Q).max() + np.abs(b).max())
    if np.abs(Q - exchange).max() > tolerance or abs(b[2] - chi) > tolerance:
        return None
    return float(chi), b[:2]


def _squeezed_decay(n_spins: int, r: float) -> SteadyMoments:
    from spinsqueeze.methods.closed_form.dark_states import (
        dark_state,
        steady_density_matrix,
        steady_moments,
    )

    moments = steady_moments(n_spins / 2, r=r)
    name = "dark state" if n_spins % 2 == 0 else "spectral sum of the odd ensemble"

    def density() -> Complexes:
        return steady_density_matrix(n_spins / 2, r=r).astype(complex)

    def state() -> InitialState | None:
        if n_spins % 2 == 0:
            return SymmetricState(dark_state(n_spins // 2, r=r)[::-1])
        return _mixed(n_spins, density)

    def information() -> float | None:
        if n_spins % 2 == 0:
            return float(pure_information(moments.covariance))
        return _information(n_spins, density)

    return SteadyMoments(name, moments.spin, moments.covariance, moments.purity, state, information)


def _driven_dicke(n_spins: int, rate: float, chi: float, drive: Floats) -> SteadyMoments:
    from spinsqueeze.methods.closed_form import driven_dicke

    parameters = {
        "rabi": float(np.hypot(*drive)),
        "decay_rate": rate,
        "chi": chi,
        "phase": float(np.arctan2(drive[1], drive[0])),
    }
    moments = driven_dicke.driven_dicke_steady_state(n_spins / 2, **parameters)

    def density() -> Complexes:
        return driven_dicke.driven_dicke_density_matrix(n_spins / 2, **parameters)

    return SteadyMoments(
        "driven Dicke", moments.spin, moments.covariance, moments.purity,
        lambda: _mixed(n_spins, density), lambda: _information(n_spins, density),
    )  # fmt: skip


def _mixed(n_spins: int, density_matrix: Callable[[], Complexes]) -> BlockState | None:
    """A density matrix in the basis m = -N/2 ... N/2 as a block state."""
    if n_spins > MIXED_SPINS:
        return None
    return BlockState(shell_state(n_spins, block=density_matrix()[::-1, ::-1]))


def _information(n_spins: int, density_matrix: Callable[[], Complexes]) -> float | None:
    if n_spins >= AFFORDABLE:
        return None
    rho = density_matrix()[::-1, ::-1]
    return mixed_information(rho, generators=spin_matrices(n_spins / 2))
