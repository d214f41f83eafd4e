"""When a run leaves the superradiant phase: the paper's own second-order equations (S12) to (S17).

Past that time fluctuations are as large as the mean spin, and cumulants of any order run wild.
Curves end there; what is shown comes from `Cumulants`, whose second order is these equations
(tests/methods/cumulants/test_printed_equations.py).
"""

import math
from collections.abc import Sequence
from typing import Any

from spinsqueeze.core.arrays import Floats

SPREAD = 0.02
"""<sigma_z sigma_z> - <sigma_z>^2 of two spins at which the ensemble counts as torn apart."""
EVALUATIONS = 60_000
"""Give up after so many: the time that is reached by then is the answer."""


def crossing(
    n_spins: int,
    *,
    chi: float,
    drive: float,
    local_decay: float,
    vector: Sequence[float],
    longest: float,
) -> float:
    """Time at which <sigma_z> rises through zero or spreads, 1/Gamma; `longest` if it does neither.

    Args:
        n_spins: N.
        chi: chi/Gamma.
        drive: Upsilon/Upsilon_c.
        local_decay: gamma_s/Gamma.
        vector: unit vector of the initial coherent state, z <= 0.
        longest: where to give up, 1/Gamma.
    """
    from scipy.integrate import solve_ivp

    omega = n_spins / 2.0 * drive * math.sqrt(1.0 + 4.0 * chi**2)
    calls = 0

    def slope(_time: float, y: Floats) -> list[float]:
        nonlocal calls
        calls += 1
        return _second_order(y.tolist(), n=n_spins, chi=chi, local=local_decay, drive=omega)

    def inversion(_time: float, y: Floats) -> float:
        if calls > EVALUATIONS:
            return 1.0
        return max(float(y[2]), float(y[6] - y[2] ** 2) - SPREAD)

    inversion.terminal = True  # type: ignore[attr-defined]
    inversion.direction = 1.0  # type: ignore[attr-defined]
    raising, z = complex(vector[0], vector[1]) / 2.0, vector[2] - 1e-12
    square = raising * raising
    start = (raising.real, raising.imag, z, z * raising.real, z * raising.imag,
             abs(raising) ** 2, z * z, square.real, square.imag)  # fmt: skip
    path = solve_ivp(
        slope, (0.0, longest), start, method="LSODA", events=inversion, rtol=1e-9, atol=1e-12
    )
    return float(path.t[-1])


def _second_order(
    y: Sequence[float], *, n: int, chi: float, local: float, drive: float
) -> list[float]:
    """d/dt of <+>, <z>, <z+>, <+->, <zz>, <++>, complex ones as two numbers; Gamma = 1."""
    a, z, b, c, d, e = (
        complex(y[0], y[1]),
        y[2],
        complex(y[3], y[4]),
        y[5],
        y[6],
        complex(y[7], y[8]),
    )
    minus, plus, both = 1.0 - 2.0j * chi, 1.0 + 2.0j * chi, 1.0 + local
    s = abs(a) ** 2
    # (S11): <xyz> = <xy><z> + <yz><x> + <xz><y> - 2<x><y><z>
    zz_up = d * a + 2.0 * b * z - 2.0 * z * z * a
    up_up_down = e * a.conjugate() + 2.0 * c * a - 2.0 * s * a
    z_up_down = (b * a.conjugate()).real * 2.0 + c * z - 2.0 * z * s
    z_up_up = 2.0 * b * a + e * z - 2.0 * z * a * a
    da = -both / 2 * a + (n - 1) / 2 * minus * b - 0.5j * drive * z + 1j * chi * a
    db = (
        -1.5 * both * b - both * a - plus / 2 * a - b
        + (n - 2) / 2 * minus * zz_up - (n - 2) * plus * up_up_down - (n - 2) * minus * up_up_down
        - 0.5j * drive * (2 * (e - c) + d) + 1j * chi * b
    )  # fmt: skip
    dz = -2.0 * (n - 1) * c - both * (z + 1.0) + 2.0 * drive * a.imag
    dc = (n - 2) * z_up_down + (d + z) / 2.0 - both * c - drive * b.imag
    dd = -4.0 * (n - 2) * z_up_down - 2.0 * both * (z + d) + 4.0 * c + 4.0 * drive * b.imag
    de = (n - 2) * minus * z_up_up - both * e - 1j * drive * b + 2j * chi * e
    rates: list[Any] = [da.real, da.imag, dz, db.real, db.imag, dc, dd, de.real, de.imag]
    return rates
