"""States and distributions with known moments, for the tests of this folder."""

import numpy as np
from scipy.special import gammaln

from spinsqueeze.observables.moments import Moments


def rotation(vector):
    """Rotation matrix about a vector by its length (Rodrigues)."""
    vector = np.asarray(vector, dtype=float)
    angle = np.linalg.norm(vector)
    if angle == 0.0:
        return np.eye(3)
    x, y, z = vector / angle
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * k @ k


def rotated(moments, matrix):
    """Moments after a rotation of all spins."""
    return Moments(
        n_spins=moments.n_spins,
        spin=moments.spin @ matrix.T,
        covariance=matrix @ moments.covariance @ matrix.T,
    )


def spin_matrices(n_spins):
    """S_x, S_y, S_z in the Dicke basis, m = N/2 first."""
    j = n_spins / 2
    m = j - np.arange(n_spins + 1)
    plus = np.diag(np.sqrt((j - m[1:]) * (j + m[1:] + 1)), 1)
    return np.array([(plus + plus.T) / 2, (plus - plus.T) / 2j, np.diag(m)])


def moments_of_state(psi):
    """Moments of amplitudes (2j+1,) in the Dicke basis."""
    operators = spin_matrices(psi.size - 1)
    spin = np.array([np.vdot(psi, s @ psi).real for s in operators])
    images = [s @ psi for s in operators]
    second = np.array([[np.vdot(a, b).real for b in images] for a in images])
    return Moments(
        n_spins=psi.size - 1, spin=spin[None], covariance=(second - np.outer(spin, spin))[None]
    )


def twisted_state(n_spins, twist):
    """exp(-i twist S_z^2 / 2) on the coherent state along +x."""
    k = np.arange(n_spins + 1)
    log_binomial = gammaln(n_spins + 1) - gammaln(k + 1) - gammaln(n_spins - k + 1)
    psi = np.exp(0.5 * (log_binomial - n_spins * np.log(2)))
    return psi * np.exp(-0.5j * twist * (n_spins / 2 - k) ** 2)


def twisted_squeezing(n_spins, twist):
    """Kitagawa and Ueda's closed form: their parameter, the contrast, and the angle."""
    a = 1 - np.cos(twist) ** (n_spins - 2)
    b = 4 * np.sin(twist / 2) * np.cos(twist / 2) ** (n_spins - 2)
    variance = 1 - (n_spins - 1) / 4 * (np.hypot(a, b) - a)
    # along y the variance is larger, y and z correlate positively: least between +y and -z
    angle = -0.5 * np.pi + 0.5 * np.arctan2(b, a)
    return variance, np.cos(twist / 2) ** (n_spins - 1), angle


def twisted_samples(rng, *, n_spins, twists, n_samples):
    """Gaussian transverse spins turned about z by twist * S_z: samples (n, T, 3)."""
    z, y = rng.normal(0.0, np.sqrt(n_spins / 4), (2, n_samples, 1))
    phase = np.asarray(twists) * z
    half = n_spins / 2
    x_turned = half * np.cos(phase) - y * np.sin(phase)
    y_turned = y * np.cos(phase) + half * np.sin(phase)
    return np.stack([x_turned, y_turned, np.broadcast_to(z, phase.shape)], axis=-1)


def twisted_truth(*, n_spins, twists):
    """Exact moments of :func:`twisted_samples` (T times), by Gaussian characteristic functions."""
    mu, v, half = np.asarray(twists), n_spins / 4, n_spins / 2
    e1, e2 = np.exp(-(mu**2) * v / 2), np.exp(-2 * mu**2 * v)
    spin = np.stack([half * e1, 0 * mu, 0 * mu], axis=-1)
    covariance = np.zeros((mu.size, 3, 3))
    covariance[:, 0, 0] = v * (1 - e2) / 2 + half**2 * ((1 + e2) / 2 - e1**2)
    covariance[:, 1, 1] = v * (1 + e2) / 2 + half**2 * (1 - e2) / 2
    covariance[:, 2, 2] = v
    covariance[:, 1, 2] = covariance[:, 2, 1] = half * mu * v * e1
    return Moments(n_spins=n_spins, spin=spin, covariance=covariance)


def sphere_grid(degree):
    """Nodes theta, phi and weights (n_theta, n_phi) exact for harmonics up to a degree."""
    nodes, gauss = np.polynomial.legendre.leggauss(degree // 2 + 1)
    n_phi = degree + 1
    weights = np.repeat(gauss[:, None], n_phi, axis=1) * (2 * np.pi / n_phi)
    return np.arccos(nodes), 2 * np.pi * np.arange(n_phi) / n_phi, weights
