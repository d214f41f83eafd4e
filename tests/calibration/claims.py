"""What a result claims about each of its readings, from the one error it states.

`numerical_error` E is the error of the mean spin in units of sqrt(N)/2. The largest mean spin is
N/2, so the state errs by delta = E / sqrt(N) in trace norm, and a reading <A> by delta |A|. What
follows from several readings errs as first order says.
"""

import numpy as np

from spinsqueeze.methods.registry import METHODS

EPS = float(np.finfo(float).eps)


def exact_methods(question):
    """The names of the methods that take a question and say that they are exact on it."""
    methods = {name: kind() for name, kind in METHODS.items()}
    return [
        name
        for name, method in methods.items()
        if not method.support(question) and method.trust(question).rank == 0
    ]


def state_error(data, rounding):
    """The claimed error of the state, relative to 1, and rounding beside it."""
    claimed = float(data.attrs["numerical_error"]) / np.sqrt(data.attrs["n_spins"])
    return claimed + rounding


def allowed_errors(truth, n, delta):
    """The error allowed to each reading of one time, by name."""
    spin = delta * n / 2
    covariance = delta * 0.75 * n**2
    squared = delta * (n / 2) * (n / 2 + 1)
    allowed = {
        "spin": spin,
        "covariance": covariance,
        "contrast": delta,
        "total_spin_squared": squared,
        "effective_spins": squared / np.sqrt(0.25 + truth["total_spin_squared"]),
        "purity": 2 * delta,
        "shell_population": delta,
        "qfi": 4 * delta * n**2,
    }
    if "xi2" in truth:
        length = truth["contrast"] * n / 2
        # The least variance turns with the direction of the mean spin as well.
        variance = covariance + 2 * np.linalg.norm(truth["covariance"], 2) * spin / length
        allowed["xi2"] = n * variance / length**2 + 2 * truth["xi2"] * spin / length
        allowed["xi2_kitagawa_ueda"] = 4 * variance / n
        product = truth["uncertainty_product"]
        both = 4 * variance * (2 * np.linalg.norm(truth["covariance"], 2) + variance)
        allowed["antisqueezing"] = 4 * variance / n
        area = truth["ellipse_area"]  # |a - b| = |a^2 - b^2|/(a + b), also at most its root
        squares = 4 * both / n**2
        allowed["ellipse_area"] = min(squares / area, squares**0.5) if area else squares**0.5
        allowed["uncertainty_product"] = both / length**2 + 2 * product * spin / length
    return allowed


def misses(data, truths, delta):
    """[(reading, time index, error, allowed)] of every reading beyond what was claimed.

    Where a result has both, 1/xi2 may exceed qfi/N by no more than their errors.
    """
    n = data.attrs["n_spins"]
    found = []
    for k, truth in enumerate(truths):
        allowed = allowed_errors(truth, n, delta)
        for name in allowed:
            if name in data:
                error = float(np.abs(data[name].values[k] - truth[name]).max())
                found.append((name, k, error, allowed[name]))
        if "xi2" in truth and np.isfinite(angle := float(data["squeezing_angle"][k])):
            excess = variance_along(truth, angle) - truth["xi2_kitagawa_ueda"] * n / 4
            found.append(("squeezing_angle", k, excess, allowed["xi2_kitagawa_ueda"] * n / 2))
        if "xi2" in truth and "qfi" in data and allowed["xi2"] < truth["xi2"] / 2:
            excess = 1 / data["xi2"].values[k] - data["qfi"].values[k] / n
            margin = allowed["qfi"] / n + 2 * allowed["xi2"] / truth["xi2"] ** 2
            found.append(("1/xi2 <= qfi/N", k, excess, margin))
    return [miss for miss in found if not miss[2] <= miss[3]]


def variance_along(truth, angle):
    """The variance in the direction that an angle names: from e_phi, right-handed about <S>."""
    mean = truth["spin"] / np.linalg.norm(truth["spin"])
    horizontal = np.array([-mean[1], mean[0], 0.0])
    if np.linalg.norm(horizontal) < 1e-9:
        horizontal = np.array([0.0, 1.0, 0.0])
    horizontal /= np.linalg.norm(horizontal)
    direction = np.cos(angle) * horizontal + np.sin(angle) * np.cross(mean, horizontal)
    return direction @ truth["covariance"] @ direction


def wrong_status(data, truths):
    """Times whose status does not say what holds: 3 exactly where the mean spin vanishes."""
    lengths = np.array([truth["contrast"] for truth in truths])
    status = data["squeezing_status"].values
    vanishing, clear = lengths < 1e-12, lengths > 1e-7
    return np.flatnonzero((vanishing & (status != 3)) | (clear & ~np.isin(status, (0, 1))))
