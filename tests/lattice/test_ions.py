"""Ion chains: where they rest, their modes, couplings; against tables and a driven mode."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.ions import IonChain, power_law_fit

# james1998, table 1: half of the positions at rest.
AT_REST = {
    2: [0.62996],
    3: [0, 1.0772],
    4: [0.45438, 1.4368],
    5: [0, 0.8221, 1.7429],
    10: [0.2821, 0.8538, 1.4504, 2.1000, 2.8708],
}


@pytest.mark.parametrize("n_ions", AT_REST)
def test_ions_rest_where_the_table_says(n_ions):
    half = IonChain(n_ions, 1.0, 20.0).positions[n_ions // 2 :]
    assert half == pytest.approx(AT_REST[n_ions], abs=6e-5)


@pytest.mark.parametrize("n_ions", [1, 2, 7, 60])
def test_no_force_is_left_and_the_centre_of_mass_moves_with_the_trap(n_ions):
    chain = IonChain(n_ions, 0.5, 40.0)
    u = chain.positions
    for i in range(n_ions):
        push = sum(np.sign(u[i] - x) / (u[i] - x) ** 2 for x in np.delete(u, i))
        assert abs(u[i] - push) < 1e-11 * n_ions**2
    frequencies, vectors = chain.modes
    assert frequencies[-1] == pytest.approx(40.0, rel=1e-12)
    assert np.abs(vectors[:, -1]) == pytest.approx(np.full(n_ions, n_ions**-0.5), abs=1e-10)


def test_couplings_are_the_energy_of_driven_modes():
    """Of H = sum_i rabi cos(mu t) dk x_i sigma_i for every sigma, by integration."""
    chain, rabi, recoil, mu = IonChain(2, 1.0, 4.0), 0.3, 0.05, 5.0
    frequencies, vectors = chain.modes
    energies = {}
    for signs in ((1, 1), (1, -1)):
        energies[signs] = 0.0
        for w, b in zip(frequencies, vectors.T, strict=True):
            # q'' = -w^2 q - F cos(mu t) at mass 1 and hbar = 1, with dk^2 = 2 recoil; slowly turned
            # on it follows at the drive, and <F cos q>/2 is the energy by which the state is moved.
            force = rabi * np.sqrt(2 * recoil) * (b @ signs)
            t, step = 0.0, 2 * np.pi / mu / 40  # 40 a turn, 20 turns after the ramp
            q = v = mean = 0.0
            ramp, stop = 60 * 2 * np.pi / mu, 80 * 2 * np.pi / mu

            def acceleration(t, q, force=force, w=w, ramp=ramp):
                on = np.sin(0.5 * np.pi * min(t / ramp, 1.0)) ** 2
                return -(w**2) * q - on * force * np.cos(mu * t)

            while t < stop - step / 2:
                k1, l1 = v, acceleration(t, q)
                k2, l2 = v + step / 2 * l1, acceleration(t + step / 2, q + step / 2 * k1)
                k3, l3 = v + step / 2 * l2, acceleration(t + step / 2, q + step / 2 * k2)
                k4, l4 = v + step * l3, acceleration(t + step, q + step * k3)
                if t >= ramp - step / 2:
                    mean += force * np.cos(mu * t) * q / 2
                q += step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
                v += step / 6 * (l1 + 2 * l2 + 2 * l3 + l4)
                t += step
            energies[signs] += mean / (20 * 40)
    J = (energies[1, 1] - energies[1, -1]) / 2
    K = chain.couplings(rabi=rabi, recoil=recoil, beatnote=mu)
    assert K[0, 1] == pytest.approx(4 * J, rel=1e-3)
    assert K[0, 1] > 0


def test_far_above_the_modes_couplings_fall_with_the_cube_near_them_hardly():
    """monroe2021: exponents between 0, next to the centre-of-mass mode, and 3."""
    chain = IonChain(12, 0.5, 5.0)
    width = 5.0 - chain.modes[0][0]
    near, far = (
        power_law_fit(chain.couplings(rabi=0.01, recoil=0.01, beatnote=5.0 + over))
        for over in (1e-4 * width, 200 * width)
    )
    assert near.exponent < 0.01
    # The distances grow towards the ends, where the pairs are far apart: not quite 3.
    assert 2.5 < far.exponent < 3.0
    below = chain.couplings(rabi=0.01, recoil=0.01, beatnote=chain.modes[0][0] * 0.999)
    assert below.min() < 0 < below.max()


def test_a_power_law_is_found_again():
    i = np.arange(9)
    gaps = np.abs(i[:, None] - i[None, :]) + np.eye(9)
    for strength in (0.7, -0.7):
        fit = power_law_fit(strength * gaps**-1.3 * (1 - np.eye(9)))
        assert (fit.strength, fit.exponent) == pytest.approx((strength, 1.3), rel=1e-12)
        assert fit.deviation < 1e-13


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: IonChain(0, 1.0, 5.0), r"^n_ions must be at least 1, got 0$"),
        (lambda: IonChain(5, 0.0, 5.0), r"^axial_frequency must be above 0, got 0$"),
        (
            lambda: IonChain(20, 1.0, 3.0),
            r"^transverse_frequency must be above 8.40465 for 20",
        ),
        (
            lambda: IonChain(5, 1.0, 5.0).couplings(rabi=1.0, recoil=1.0, beatnote=5.0),
            r"^beatnote must not be the frequency of a mode, got 5 at the mode 5; move it off",
        ),
        (
            lambda: IonChain(5, 1.0, 5.0).couplings(rabi=1.0, recoil=-1.0, beatnote=6.0),
            r"^recoil must be above 0, got -1$",
        ),
        (
            lambda: power_law_fit(np.eye(2)),
            r"^matrix must be N x N with N at least 3, got \(2",
        ),
        (
            lambda: power_law_fit([[0, 1, -1], [1, 0, 1], [-1, 1, 0]]),
            r"^matrix must couple all pairs with one sign, got -1 to 1; no power law is near",
        ),
    ],
)
def test_chains_refuse(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()


def test_the_least_transverse_frequency_is_where_a_mode_goes_soft():
    assert IonChain(20, 1.0, 8.40466).modes[0][0] < 0.02
