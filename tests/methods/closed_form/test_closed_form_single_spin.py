import mpmath as mp
import numpy as np
import pytest
from tests.rounding import rounding

from spinsqueeze.methods.closed_form.single_spin import connected_z_factor, factor_minus_one
from spinsqueeze.methods.closed_form.spin_factors import polarisation


def exact(phi, z, down, up):
    """F - 1 and the connected z factor by a 2 x 2 exponential with 50 digits."""
    with mp.workdps(50):
        phi, z, down, up = (mp.mpf(float(v)) for v in (phi, z, down, up))
        start = mp.matrix([(1 + z) / 2, (1 - z) / 2])
        still = mp.expm(mp.matrix([[-down, up], [down, -up]])) * start
        A = mp.matrix([[mp.mpc(-down, phi / 2), up], [down, mp.mpc(-up, -phi / 2)]])
        r = mp.expm(A) * start
        F = r[0] + r[1]
        return F - 1, r[0] - r[1] - (still[0] - still[1]) * F, still[0] - still[1]


@pytest.mark.parametrize("phi", [1e-9, 1e-5, 1e-2, 0.5, -3.0, 30.0])
@pytest.mark.parametrize("z", [0.0, 1.0, -0.3])
def test_relative_accuracy_everywhere(phi, z):
    for down in (0, 1e-9, 0.1, 0.9, 1.1, 2.1, 5.0, 800.0):
        for up in (0, 1e-6, 0.3, down, 3.0):
            F1, h, now = exact(phi, z, down, up)
            assert abs(factor_minus_one(phi, z, down, up) - F1) <= rounding(10) * abs(F1)
            error = abs(connected_z_factor(phi, z, down, up) - h)
            assert error <= rounding(20) * abs(h) + rounding(1) * abs(phi)
            found = polarisation(np.array([z]), down=np.array([[down]]), up=np.array([[up]]))[0]
            assert abs(found - now) <= rounding(1)


@pytest.mark.parametrize("k", [0.5, 1.0, 1.2, 3.0])
def test_where_the_two_eigenvalues_meet(k):
    # W = 0 at decay = pumping = k, phi = 2k: the 2 x 2 matrix cannot be diagonalised
    F1 = exact(2 * k, 0.3, k, k)[0]
    assert abs(factor_minus_one(2 * k, 0.3, k, k) - F1) <= rounding(1)
