"""Weak identical local jumps on a collective model: a walk between total spins.

Without local jumps a collective model keeps the total spin j and has one permutation-invariant
steady state rho_j in each shell. Weak jumps gamma sum_i D[c.s_i] move population between
neighbouring shells at first order (groszkowski2022, App. E, Eqs. E3-E5),

    d p/dt = M p,   M_{j',j} = Tr[1_{j'} sum gamma D[c.s_i] rho_j],   j' = j, j +- 1,

a tridiagonal generator: its null vector is the steady population of the shells, its smallest
non-zero rate the gap of the whole Liouvillian in the limit of vanishing gamma.

In shell j the operators that count the jumps are tensors of rank 0, 1 and 2 in S (Wigner-Eckart),
so the rates need nothing but first and second moments of rho_j, for any complex c:

    W(j -> j-1) = gamma b_j [ c^dag D c            + (j - 1/2) k.<S> ],
    W(j -> j+1) = gamma c_j [ c^dag (D + (2j+1)) c - (j + 3/2) k.<S> ],
    b_j = (N/2 + j + 1)/(2j (2j+1)),   c_j = (N/2 - j)/(2 (j+1)(2j+1)),

with D_ab = j^2 delta_ab - <{S_a, S_b}>/2 the deficit (D_zz >= 0) and k = i c* x c, a real vector:
k = 2 z for s_minus, -2 z for s_plus, 0 for a Hermitian jump.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.checks import complex_vector, integer, real, real_array
from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.numerics.angular_momentum import recycling, total_spins


@clear_init
@dataclass(frozen=True)
class LiouvillianPerturbation:
    """First-order dynamics of the shell populations.

    Attributes:
        total_spins: (J,) j = N/2 mod 1, ..., N/2, rising.
        downward: (J,) W(j -> j-1), zero in the first place.
        upward: (J,) W(j -> j+1), zero in the last place.
        populations: (J,) steady populations of the shells, sum 1.
        decay_rates: (J,) minus the eigenvalues of M, rising from 0.
    """

    total_spins: Floats
    downward: Floats
    upward: Floats
    populations: Floats
    decay_rates: Floats

    @property
    def gap(self) -> float:
        """The smallest non-zero decay rate, in the unit of the rates.

        Raises:
            InvalidInput: one spin has one shell and no gap.
        """
        if self.decay_rates.size < 2:
            raise InvalidInput("n_spins must be at least 2 to have a gap between shells, got 1")
        return float(self.decay_rates[1])

    @property
    def matrix(self) -> Floats:
        """M (J, J), d p/dt = M p; M[k, l] is the rate from shell l to shell k."""
        generator = np.diag(-(self.downward + self.upward))
        return generator + np.diag(self.downward[1:], 1) + np.diag(self.upward[:-1], -1)


def shells(n_spins: int) -> Floats:
    """Total spins of n_spins spins-1/2, rising from 0 or 1/2 to n_spins/2."""
    return total_spins(integer("n_spins", n_spins, minimum=1))[::-1].copy()


def transition_rates(
    n_spins: int, *, spin: Any, deficit: Any, jumps: Sequence[tuple[float, Any]]
) -> tuple[Floats, Floats]:
    """Rates (downward, upward), each (J,), between shells under weak identical local jumps.

    Args:
        n_spins: N.
        spin: (J, 3) <S_a> of the unperturbed steady state of each shell, j rising.
        deficit: (J, 3, 3) j^2 delta_ab - <{S_a, S_b}>/2 in each shell. Take it from positive sums
            where a shell is nearly a coherent state: the difference would cancel.
        jumps: pairs (gamma, c): gamma sum_i D[c.s_i], c three complex numbers. Dephasing of
            coherences at rate g: (2 g, (0, 0, 1)); decay: (g, (1, -1j, 0)).

    Raises:
        InvalidInput: shapes, a negative rate, a zero vector, or moments which no state has (a
            rate comes out negative beyond rounding).
    """
    j = shells(n_spins)
    size = j.size
    mean = real_array("spin", spin, shape=(size, 3))
    matrix = real_array("deficit", deficit, shape=(size, 3, 3))
    _, lower, raise_ = (weights[::-1] for weights in recycling(n_spins))
    downward, upward = np.zeros(size), np.zeros(size)
    for rate, vector in jumps:
        gamma = real("jump rate", rate, minimum=0.0)
        c = complex_vector("jump vector", vector)
        norm = float(np.vdot(c, c).real)
        quadratic = np.einsum("a,jab,b->j", c.conj(), matrix, c).real
        chiral = mean @ (1j * np.cross(c.conj(), c)).real
        down = quadratic + (j - 0.5) * chiral
        up = quadratic + (2.0 * j + 1.0) * norm - (j + 1.5) * chiral
        down[j < 1.0] = 0.0
        tolerance = 1e-9 * norm * (j + 1.0) ** 2
        for name, value in (("downward", down), ("upward", up)):
            if np.any(value < -tolerance):
                k = int(np.argmin(value + tolerance))
                raise InvalidInput(
                    f"spin and deficit must be moments of a state within each shell, but the "
                    f"{name} rate at j={j[k]:g} is negative ({value[k]:.3g}); check both"
                )
        downward += gamma * lower * np.maximum(down, 0.0)
        upward += gamma * raise_ * np.maximum(up, 0.0)
    return downward, upward


def liouvillian_perturbation(
    n_spins: int, *, spin: Any, deficit: Any, jumps: Sequence[tuple[float, Any]]
) -> LiouvillianPerturbation:
    """First-order shell dynamics of a collective model under weak identical local jumps.

    Valid while every jump rate is far below the gap of the collective model within each shell,
    and where that model has one permutation-invariant steady state per shell. Arguments and
    errors as `transition_rates`.

    Returns:
        Rates, steady populations (recursion p_{j+1}/p_j = W(j -> j+1)/W(j+1 -> j) in log space)
        and decay rates (M is similar to a symmetric tridiagonal matrix).

    Raises:
        InvalidInput: as `transition_rates`.
        NumericalFailure: two neighbouring shells exchange nothing, so that the steady
            distribution is not unique.
    """
    from scipy.linalg import eigh_tridiagonal

    j = shells(n_spins)
    downward, upward = transition_rates(n_spins, spin=spin, deficit=deficit, jumps=jumps)
    rise, fall = upward[:-1], downward[1:]
    closed = (rise == 0) & (fall == 0)
    if np.any(closed):
        k = int(np.argmax(closed))
        raise NumericalFailure(
            f"shells j={j[k]:g} and j={j[k + 1]:g} exchange no population under these jumps, so "
            "the steady distribution over shells depends on the initial one; add a jump"
        )
    populations = _stationary(rise, fall)
    if j.size == 1:
        return LiouvillianPerturbation(j, downward, upward, populations, np.zeros(1))
    values = eigh_tridiagonal(downward + upward, -np.sqrt(rise * fall), eigvals_only=True)
    decay_rates = np.sort(values)
    decay_rates[0] = 0.0
    return LiouvillianPerturbation(j, downward, upward, populations, decay_rates)


def _stationary(rise: Floats, fall: Floats) -> Floats:
    """Null vector of a birth-death chain; the part of the chain that drains away holds nothing."""
    size = rise.size + 1
    start = int(np.max(np.flatnonzero(fall == 0), initial=-1)) + 1
    stop = int(np.min(np.flatnonzero(rise == 0), initial=size - 1))
    if start > stop:
        raise NumericalFailure(
            "the shells drain towards both ends, so the steady distribution depends on the "
            "initial one; add a jump"
        )
    steps = np.log(rise[start:stop]) - np.log(fall[start:stop])
    logs = np.concatenate([[0.0], np.cumsum(steps)])
    weights = np.exp(logs - logs.max())
    populations = np.zeros(size)
    populations[start : stop + 1] = weights / weights.sum()
    return populations
