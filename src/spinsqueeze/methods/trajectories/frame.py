"""The generator between jumps in a frame that turns with the spin: compiled.

The state is U(R)|x>, U^dagger J_a U = sum_b R_ab J_b, so that a vector v of the model reads R^T v
in the frame; R' = R [w]_x with any w adds -w.J to the Hamiltonian in the frame (NOTES.md).
"""

import math
from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def squared(z: complex) -> float:
    """|z|^2."""
    return z.real * z.real + z.imag * z.imag


@njit(cache=True, nogil=True)
def turned(out: Any, R: Any, w: Any, time: float) -> None:
    """Out = R exp([w]_x time)."""
    x, y, z = w[0] * time, w[1] * time, w[2] * time
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 1e-4:
        s, c = 1.0 - angle * angle / 6.0, 0.5 - angle * angle / 24.0
    else:
        s, c = math.sin(angle) / angle, (1.0 - math.cos(angle)) / (angle * angle)
    for a in range(3):
        p, q, r = R[a, 0], R[a, 1], R[a, 2]
        # row times (1 + s [w] + c [w]^2), [w]^2 = w w^T - |w|^2
        along = c * (p * x + q * y + r * z)
        keep = 1.0 - c * angle * angle
        out[a, 0] = keep * p + along * x + s * (q * z - r * y)
        out[a, 1] = keep * q + along * y + s * (r * x - p * z)
        out[a, 2] = keep * r + along * z + s * (p * y - q * x)


@njit(cache=True, nogil=True)
def copied(out: Any, R: Any) -> None:
    """Out = R."""
    for a in range(3):
        for b in range(3):
            out[a, b] = R[a, b]


@njit(cache=True, nogil=True)
def orthonormal(R: Any) -> None:
    """Remove the rounding that R has gathered, by Gram-Schmidt on its columns."""
    for b in range(3):
        for a in range(b):
            dot = R[0, a] * R[0, b] + R[1, a] * R[1, b] + R[2, a] * R[2, b]
            for i in range(3):
                R[i, b] -= dot * R[i, a]
        norm = math.sqrt(R[0, b] ** 2 + R[1, b] ** 2 + R[2, b] ** 2)
        for i in range(3):
            R[i, b] /= norm


@njit(cache=True, nogil=True)
def weights_at(weights: Any, polynomials: Any, place: float) -> None:
    """weights_p = sum_d polynomials[p, d] place^d, place = -1 ... 1 in the window."""
    for p in range(weights.size):
        value = 0.0
        for d in range(polynomials.shape[1] - 1, -1, -1):
            value = value * place + polynomials[p, d]
        weights[p] = value


@njit(cache=True, nogil=True)
def in_frame(c: Any, R: Any) -> Any:
    """(c_+, c_-, c_z) of the vector R^T c."""
    x = c[0] * R[0, 0] + c[1] * R[1, 0] + c[2] * R[2, 0]
    y = c[0] * R[0, 1] + c[1] * R[1, 1] + c[2] * R[2, 1]
    z = c[0] * R[0, 2] + c[1] * R[1, 2] + c[2] * R[2, 2]
    return 0.5 * (x - 1j * y), 0.5 * (x + 1j * y), z


@njit(cache=True, nogil=True)
def spread_offset(plus: complex, minus: complex, z: complex, mean: Any, shifted: bool,
                  two_j: int) -> complex:  # fmt: skip
    """c.J - shift = plus J_+ + minus J_- - z n + offset: the shift is c.<J>, or 0."""
    if shifted:
        return z * mean[3] - plus * complex(mean[0], mean[1]) - minus * complex(mean[0], -mean[1])
    return z * (two_j / 2.0)


@njit(cache=True, nogil=True)
def same_spin_weight(two_j: int, n_spins: int) -> float:
    """a_j, see `numerics.angular_momentum.recycling`."""
    if two_j == 0:
        return 0.0
    j = two_j / 2.0
    return (n_spins / 2.0 + 1.0) / (2.0 * j * (j + 1.0))


@njit(cache=True, nogil=True)
def hamiltonian_bands(bands: Any, R: Any, terms: Any, weights: Any, two_j: int, mean: Any,
                      field: Any) -> None:  # fmt: skip
    """Bands of the non-Hermitian H in the frame R, without -w.J; field (3,) = R^T b.

    The real constant is left out. mean: of `mean_spin`, behind the shifts of the jumps.
    """
    for i in range(bands.size):
        bands[i] = 0.0
    add_hermitian(bands, R, terms, weights, two_j, field)
    for k in range(terms.owners.size):
        rate = weights[terms.owners[k]]
        if rate > 0.0:
            a, b, c = in_frame(terms.vectors[k], R)
            offset = spread_offset(a, b, c, mean, terms.shifted, two_j)
            if terms.local[k]:
                add_local(bands, rate, a, b, c, offset, two_j, terms.n_spins)
            else:
                add_collective(bands, rate, a, b, c, offset, two_j)
    bands[0] = complex(0.0, bands[0].imag)


@njit(cache=True, nogil=True)
def add_hermitian(bands: Any, R: Any, terms: Any, weights: Any, two_j: int, field: Any) -> None:
    """Add S.Q.S + b.S."""
    field[0] = field[1] = field[2] = 0.0
    q_xx, q_yy, q_zz, q_xy, q_xz, q_yz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for p in range(weights.size):
        weight = weights[p]
        for a in range(3):
            x, y, z = 0.0, 0.0, 0.0
            for b in range(3):
                field[a] += weight * terms.fields[p, b] * R[b, a]
                x += terms.quadratics[p, a, b] * R[b, 0]
                y += terms.quadratics[p, a, b] * R[b, 1]
                z += terms.quadratics[p, a, b] * R[b, 2]
            q_xx += weight * R[a, 0] * x
            q_yy += weight * R[a, 1] * y
            q_zz += weight * R[a, 2] * z
            q_xy += weight * R[a, 0] * y
            q_xz += weight * R[a, 0] * z
            q_yz += weight * R[a, 1] * z
    flat = 0.5 * (q_xx + q_yy) - q_zz
    pull = complex(q_xz, -q_yz) / 2.0
    beta = complex(field[0], -field[1]) / 2.0
    double = complex(0.25 * (q_xx - q_yy), -0.5 * q_xy)
    bands[1] += two_j * flat - field[2]
    bands[2] -= flat
    bands[3] += pull * (two_j + 1.0) + beta
    bands[4] -= 2.0 * pull
    bands[5] += np.conj(pull) * (two_j - 1.0) + np.conj(beta)
    bands[6] -= 2.0 * np.conj(pull)
    bands[7] += double
    bands[8] += np.conj(double)


@njit(cache=True, nogil=True)
def add_local(bands: Any, rate: float, a: complex, b: complex, c: complex, offset: complex,
              two_j: int, n_spins: int) -> None:  # fmt: skip
    """Add -(i/2) rate (N |c|^2/4 + d.J - 2 a_j shift* c.J + a_j |shift|^2), d = i c* x c / 2."""
    j = two_j / 2.0
    shift = c * j - offset
    same = same_spin_weight(two_j, n_spins)
    c_x, c_y = a + b, 1j * (a - b)
    size = squared(c_x) + squared(c_y) + squared(c)
    d_x = -(np.conj(c_y) * c).imag
    d_y = -(np.conj(c) * c_x).imag
    d_z = -(np.conj(c_x) * c_y).imag
    pulled = 2.0 * same * np.conj(shift)
    factor = -0.5j * rate
    bands[0] += factor * (n_spins * size / 4.0 + d_z * j - pulled * c * j + same * squared(shift))
    bands[1] += factor * (pulled * c - d_z)
    bands[3] += factor * (complex(d_x, -d_y) / 2.0 - pulled * a)
    bands[5] += factor * (complex(d_x, d_y) / 2.0 - pulled * b)


@njit(cache=True, nogil=True)
def add_collective(bands: Any, rate: float, a: complex, b: complex, c: complex, offset: complex,
                   two_j: int) -> None:  # fmt: skip
    """Add -(i/2) rate F^dagger F + (i/2) rate (shift* F - shift F^dagger).

    F = a J_+ + b J_- - c n + offset.
    """
    shift = c * (two_j / 2.0) - offset
    ac, bc, cc = np.conj(a), np.conj(b), np.conj(c)
    oc, lc = np.conj(offset), np.conj(shift)
    aa, bb = squared(a), squared(b)
    f, g = -0.5j * rate, 0.5j * rate
    bands[0] += f * (bb * two_j + squared(offset))
    bands[1] += f * (aa * (two_j + 1.0) + bb * (two_j - 1.0) - 2.0 * (oc * c).real)
    bands[1] -= g * (lc * c - shift * cc)
    bands[2] += f * (squared(c) - aa - bb)
    bands[3] += f * (bc * offset + a * oc + a * cc) + g * (lc * a - shift * bc)
    bands[4] -= f * (bc * c + a * cc)
    bands[5] += f * (ac * offset + b * oc - b * cc) + g * (lc * b - shift * ac)
    bands[6] -= f * (ac * c + b * cc)
    bands[7] += f * bc * a
    bands[8] += f * ac * b


@njit(cache=True, nogil=True)
def to_generator(bands: Any, w: Any) -> None:
    """-i (H - w.J) from the bands of H, the real constant w_z j left out."""
    bands[1] += w[2]
    bands[3] -= complex(w[0], -w[1]) / 2.0
    bands[5] -= complex(w[0], w[1]) / 2.0
    for i in range(bands.size):
        bands[i] *= -1j


@njit(cache=True, nogil=True)
def mean_turning(w: Any, bands: Any, field: Any, n_mean: float) -> None:
    """W that follows the mean spin: the Hermitian part of H that is linear about it."""
    up = bands[3] + bands[4] * n_mean
    down = bands[5] + bands[6] * n_mean
    beta = 0.5 * (up + np.conj(down))
    w[0], w[1], w[2] = 2.0 * beta.real, -2.0 * beta.imag, field[2]


@njit(cache=True, nogil=True)
def size_of_bands(bands: Any, two_j: int, size: int) -> float:
    """A bound of |G| on the first `size` levels, from its largest entries in a row."""
    n = size - 1.0
    top = min(n, two_j / 2.0)
    root = math.sqrt(max(top * (two_j - top + 1.0), two_j + 0.0))
    diagonal = abs(bands[0]) + n * (abs(bands[1]) + n * abs(bands[2]))
    once = abs(bands[3]) + abs(bands[5]) + n * (abs(bands[4]) + abs(bands[6]))
    return diagonal + root * once + root * root * (abs(bands[7]) + abs(bands[8]))
