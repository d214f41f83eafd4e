"""Tables of single-spin factors, compiled only where spins jump, and what work takes.

Nothing here loads the compiler, so that expected costs and small runs are quick.
"""

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats


def product_seconds(*, transverse: bool, n_stretches: int) -> float:
    """Seconds that one third spin of one pair takes on one thread, roughly.

    Args:
        transverse: no polarisation along the axis and no jumps.
        n_stretches: stretches in which spins jump; 0: none does.
    """
    return 1.2e-9 if transverse else 8e-9 + 1.2e-7 * n_stretches


def transverse_factors(phi: Floats) -> tuple[Floats, Floats]:
    """F - 1 and the connected z factor over i, real, shaped as phi, where z = 0 and no jumps.

    The same numbers as `single_spin_factors`.
    """
    return -2 * np.sin(0.25 * phi) ** 2, np.sin(0.5 * phi)


def single_spin_factors(
    phi: Floats, *, z: Floats, down: Floats, up: Floats
) -> tuple[Complexes, Complexes]:
    """Tables F - 1 and connected z factor of every spin k seen by every spin i.

    Args:
        phi: (n, m, S) coupling between i and k, integrated over each of S stretches of time [1].
        z: (m,) initial <2 s^z_k>, in [-1, 1].
        down: (m, S) integrated decay rate of spin k [1], >= 0.
        up: (m, S) integrated pumping rate of spin k [1], >= 0.

    Returns:
        Two complex (n, m) arrays.
    """
    f = np.zeros(phi.shape[:2], dtype=np.complex128)
    h = np.zeros(phi.shape[:2], dtype=np.complex128)
    if np.any(down) or np.any(up):
        from spinsqueeze.methods.closed_form.single_spin import fill_factors

        fill_factors(np.ascontiguousarray(phi), z, down, up, f, h)
        return f, h
    f.real, sine = transverse_factors(phi.sum(axis=-1))
    f.imag = z * sine
    h.imag = (1 - z) * (1 + z) * sine
    return f, h


def polarisation(z: Floats, *, down: Floats, up: Floats) -> Floats:
    """<2 s^z> (m,) after the integrated decay and pumping (m, S) of each stretch.

    One stretch: z e^-2k - (d/k)(1 - e^-2k).
    """
    for s in range(down.shape[-1]):
        k = 0.5 * (down[..., s] + up[..., s])
        d = 0.5 * (down[..., s] - up[..., s])
        share = np.divide(d, k, out=np.zeros_like(k), where=k > 0)
        z = z * np.exp(-2 * k) + share * np.expm1(-2 * k)
    return z
