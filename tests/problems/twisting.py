"""The best squeezing of one-axis twisting, from the exact moments."""

import math

import numpy as np
from scipy.optimize import minimize_scalar

from spinsqueeze.methods.closed_form.one_axis_twisting import one_axis_twisting_moments


def twisted_xi2(n_spins, twisting):
    """xi2 at chi t = twisting from +x; the least variance as det/largest does not cancel."""
    spin, C = one_axis_twisting_moments(n_spins, direction=(1, 0, 0), twisting=[twisting])
    largest, _ = np.linalg.eigvalsh(C[0, 1:, 1:])[::-1]
    least = (C[0, 1, 1] * C[0, 2, 2] - C[0, 1, 2] ** 2) / largest
    return n_spins * least / spin[0, 0] ** 2


def twisting_optimum(n_spins):
    """(chi t, xi2) of the first minimum, which is the lowest; N of at least 3.

    For large N: chi t -> 3^(1/6) N^(-2/3), xi2 -> (3^(2/3)/2) N^(-2/3).
    """
    guess = math.log(3 ** (1 / 6) * n_spins ** (-2 / 3))
    best = minimize_scalar(
        lambda log_mu: twisted_xi2(n_spins, math.exp(log_mu)),
        bounds=(guess - 1.5, min(guess + 1.0, math.log(0.4999 * math.pi))),
        method="bounded",
        options={"xatol": 1e-9},
    )
    return math.exp(best.x), float(best.fun)
