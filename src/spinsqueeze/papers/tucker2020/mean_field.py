"""Mean field of tucker2020: the fixed points of Eqs. (S2) to (S4) for any gamma_s.

With z = -zeta, |<sigma_+>| = r and the ratio g = (Gamma + gamma_s)/((N - 1) Gamma), Eqs. (S2)-(S4)
at rest give (S5), zeta^2 - zeta + 2 r^2 = 0, and

    r^2 = (Upsilon/2)^2 zeta^2/[(zeta + g)^2 + 4 chi^2 zeta^2]      (Gamma = 1, N >> 1),

so that the drive is a function of the inversion:

    Upsilon^2 = 2 (1 - zeta) [(zeta + g)^2 + 4 chi^2 zeta^2]/zeta.

For g -> 0 it is 2 zeta (1 - zeta) Upsilon_c^2: zero at both ends, largest at zeta = 1/2, where
Upsilon = Upsilon_c/sqrt(2). For g > 0 it falls from infinity at zeta = 0 and has a minimum (the
normal phase ends below) and a maximum (the superradiant phase ends above): both phases are stable
in between. At chi = 0 they meet at g = 1/8; there is no transition beyond.
"""

import math
from typing import Any

import numpy as np


def direction(*, chi: float, drive: float) -> tuple[float, float, float]:
    """Unit vector of the collective steady state (gamma_s = 0): the start of Fig. 3(b).

    <sigma_+> = i Upsilon/[2 (Gamma - 2 i chi)] and z = -sqrt(1 - drive^2); from drive =
    Upsilon/Upsilon_c of 1 on there is none, and the start is that of 0.999.
    """
    drive = min(drive, 0.999)
    raising = 0.5j * drive * math.sqrt(1.0 + 4.0 * chi**2) / (1.0 - 2.0j * chi)
    return 2.0 * raising.real, 2.0 * raising.imag, -math.sqrt(1.0 - drive**2)


def drive_of(inversion: Any, *, ratio: float, chi: float) -> Any:
    """Upsilon/Upsilon_c of a fixed point with z = -inversion, for N >> 1.

    Args:
        inversion: zeta = -z in (0, 1).
        ratio: g = gamma_s/(N Gamma).
        chi: chi/Gamma.
    """
    z = np.asarray(inversion, dtype=float)
    square = 2.0 * (1.0 - z) * ((z + ratio) ** 2 + 4.0 * chi**2 * z**2) / z
    return np.sqrt(square / (1.0 + 4.0 * chi**2))


def folds(*, ratio: float, chi: float) -> tuple[float, float]:
    """Where the normal phase begins and the superradiant one ends, as Upsilon/Upsilon_c.

    The two turns of `drive_of`, where the derivative of (1 - z)[c z^2 + 2 g z + g^2]/z vanishes,
    c = 1 + 4 chi^2. NaN, NaN where there is none.
    """
    c, g = 1.0 + 4.0 * chi**2, ratio
    # numerator of the derivative: -2c z^3 + (c - 2g) z^2 - g^2
    roots = np.roots([-2.0 * c, c - 2.0 * g, 0.0, -(g**2)])
    real = np.sort(roots[(np.abs(roots.imag) < 1e-12) & (roots.real > 0) & (roots.real < 1)].real)
    if len(real) < 2:
        return math.nan, math.nan
    low, high = (float(drive_of(z, ratio=ratio, chi=chi)) for z in (real[0], real[-1]))
    return low, high
