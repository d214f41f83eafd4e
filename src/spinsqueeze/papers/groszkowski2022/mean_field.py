"""The mean-field equations of App. B: collective operators, third cumulants left out.

With <S_z> = z N/2, <S_x^2> = x N/4, <S_y^2> = y N/4 and C_ZZ = c N/4, so that all are of order 1;
Eq. (B5) with <S_x^2> where the paper has <S_z^2>. From all spins down: z = -1, x = y = 1, c = 0.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import NumericalFailure

ALL_DOWN = np.array([-1.0, 1.0, 1.0, 0.0])
SETTLING = 50.0
"""Slowest local lifetimes after which the flow is handed to a root search."""


@final
@dataclass(frozen=True)
class MeanFieldEquations:
    """Eqs. (B2) to (B5) at these rates.

    Args:
        n_spins: N.
        r: squeezing of the reservoir.
        squeezed: Gamma.
        collective: gamma_coll.
        relaxation: gamma_rel.
        dephasing: gamma_phi.
    """

    n_spins: int
    r: float
    squeezed: float
    collective: float = 0.0
    relaxation: float = 0.0
    dephasing: float = 0.0

    def rates(self, state: Floats) -> Floats:
        """d/dt of (z, x, y, c)."""
        n, (z, x, y, c) = self.n_spins, state
        gamma, collective, local = self.squeezed, self.collective, self.relaxation
        wide = np.exp(2.0 * self.r) * gamma + collective
        narrow = np.exp(-2.0 * self.r) * gamma + collective
        both = gamma + collective
        length, heat = n * z**2 + c, 2.0 * self.dephasing + local
        return np.array([
            -(wide / 2 + narrow / 2 + local) * z - both * (x + y) / 2 - local,
            wide * (length - x) + both * (n * x - 1.0) * z - heat * (x - 1.0),
            narrow * (length - y) + both * (n * y - 1.0) * z - heat * (y - 1.0),
            2.0 * (both + local) * z + wide * (x - c) + narrow * (y - c) - 2 * local * (c - 1.0),
        ])  # fmt: skip

    def evolve(self, times: Floats) -> Floats:
        """States (T, 4) at rising times >= 0, from all spins down.

        Raises:
            NumericalFailure: the integrator gave up.
        """
        from scipy.integrate import solve_ivp

        run = solve_ivp(
            lambda _t, state: self.rates(state),
            (0.0, float(times[-1])),
            ALL_DOWN,
            method="LSODA",
            t_eval=times,
            rtol=1e-9,
            atol=1e-12,
        )
        if not run.success:
            raise NumericalFailure(f"mean field of App. B: {run.message}")
        return np.asarray(run.y.T)

    def steady(self) -> Floats:
        """Where all spins down end (4,).

        Raises:
            NumericalFailure: no local rate, or no root where the flow ends.
        """
        from scipy.optimize import root

        slowest = max(self.relaxation, self.dephasing / self.n_spins)
        if slowest == 0.0:
            raise NumericalFailure("mean field of App. B: rest takes for ever without local rates")
        end = self.evolve(np.array([SETTLING / slowest]))[-1]
        found = root(self.rates, end, method="hybr", tol=1e-13)
        if np.abs(found.x - end).max() > 1e-3 * np.abs(end).max():
            raise NumericalFailure("mean field of App. B: no root where the flow ends")
        return np.asarray(found.x)


def wineland(states: Floats) -> Floats:
    """xi_R^2 of states (..., 4): the squeezed axis is y."""
    return np.asarray(states[..., 2] / states[..., 0] ** 2)
