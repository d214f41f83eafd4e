"""Steady state of a driven, collectively decaying ensemble with exchange, in closed form.

    H = rabi (cos(phase) S_x + sin(phase) S_y) + chi S_plus S_minus,   decay_rate D[S_minus],

the collective model of tucker2020 (Puri and Lawande 1979 for chi = 0). Within total spin j, with

    b = i rabi exp(-i phase)/(decay_rate + 2i chi),   L = S_minus + b,

the steady state is rho = (L^dag L)^{-1}/Z, exchange included: inserting f(S_minus) f(S_minus)^dag
with f(S) = sum_k a_k S^k in the master equation leaves a_{k+1}/a_k = -1/b for every k, that is
f ~ (S_minus + b)^{-1}. Exchange only rescales and turns the drive. With beta = |b|,
kappa = (2j+1)/Z, F = <S_plus S_minus> and the axis 1 along -<S_x>, -<S_y> turned so that b > 0:

    <S_minus> = -b F/beta^2,           F = beta^2 - kappa,
    Var S_1 = -<S_z>/2 + (kappa/beta^2)(F - j(j+1)/3),
    Var S_2 = -<S_z>/2 + (kappa/beta^2) j(j+1)/3,
    Cov(S_1, S_z) = -(F/2 + kappa <S_z>)/beta,   Cov(S_2, S_z) = Cov(S_1, S_2) = 0,

so that Z, <S_z> and Var S_z are the only sums. All weights are positive, taken in log space:
p_m ~ h_m sum_{k >= m} 1/h_k with h_m = beta^{2m} (j-m)!/(j+m)!; as h_{-m} = 1/h_m, the pair (m, k)
mirrors to (-k, -m) and <S_z> = -(1/2) <k - m>, again a sum of one sign.

Transition at beta = j (rabi = j sqrt(decay_rate^2 + 4 chi^2)): below it kappa is exponentially
small and the state almost the coherent state with Var S_1 = Var S_2 = |<S_z>|/2.
"""

import cmath
import math
from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.checks import real
from spinsqueeze.core.errors import InvalidInput


@dataclass(frozen=True)
class DrivenDickeState:
    """Moments of the driven-Dicke steady state within total spin j.

    Attributes:
        total_spin: j.
        amplitude: b = i rabi exp(-i phase)/(decay_rate + 2i chi).
        spin: (3,) <S_a>.
        covariance: (3, 3) <{S_a, S_b}>/2 - <S_a><S_b>.
        emission: <S_plus S_minus>, the superradiant rate over decay_rate.
        jump_norm: kappa = <L^dag L>, L = S_minus + b; how far the state is from an eigenstate of
            S_minus (0: exactly pure). It may underflow to 0.
        purity: Tr rho^2.
    """

    total_spin: float
    amplitude: complex
    spin: Floats
    covariance: Floats
    emission: float
    jump_norm: float
    purity: float


def driven_dicke_steady_state(
    total_spin: float, *, rabi: float, decay_rate: float, chi: float = 0.0, phase: float = 0.0
) -> DrivenDickeState:
    """Moments of the driven-Dicke steady state (tucker2020, collective case); O(j).

    Args:
        total_spin: j = N/2 for the symmetric subspace; a multiple of 1/2.
        rabi: drive strength, H_drive = rabi (cos(phase) S_x + sin(phase) S_y); tucker2020's
            Omega, theirs Upsilon = 2 rabi/N.
        decay_rate: rate of D[S_minus], above 0.
        chi: exchange, H = chi S_plus S_minus.
        phase: of the drive, radians.

    Returns:
        The moments. Relative errors are below 1e-12 at N = 1000 and near 1e-9 at N = 1e6, set by
        rounding in log-factorials of size j ln j.

    Raises:
        InvalidInput: total_spin not a non-negative multiple of 1/2, decay_rate not positive, or
            |b| above 1e100.
    """
    twice, b = _amplitude(total_spin, rabi, decay_rate, chi, phase)
    j = twice / 2
    casimir = j * (j + 1.0)
    beta = abs(b)
    m = np.arange(twice + 1) - j
    populations, log_norm, purity = _populations(twice, beta)
    centre = float(populations @ m)
    variance_z = float(populations @ (m - centre) ** 2)
    if beta > 0.9 * j:
        centre = _mean_z(twice, beta)
    emission = float(populations @ ((j + m) * (j - m + 1.0)))
    kappa = (twice + 1) * math.exp(-log_norm) if beta > 0 else 0.0
    # Var S_z = j(j+1) - beta^2 + kappa - <S_z>(<S_z> - 1), solved for <S_z> where the root is clear
    radicand = (j - beta) * (j + beta) + j + 0.25 + kappa - variance_z
    if beta < 0.9 * j and radicand > 0:
        centre = 0.5 - math.sqrt(radicand)
    ratio = kappa / beta / beta if beta > 0 else 0.0
    turn = b / beta if beta > 0 else 1.0 + 0.0j
    if beta < 0.9 * j:
        emission = beta * beta - kappa
    along = -centre / 2.0 + ratio * (emission - casimir / 3.0)
    across = -centre / 2.0 + ratio * casimir / 3.0
    mixed = -(0.5 * emission + kappa * centre) / beta if beta > 0 else 0.0
    length = emission / beta if beta > 0 else 0.0
    # S_minus = S_x - i S_y turns with b: in the frame of real b the mean is (-length, 0).
    cos, sin = turn.real, -turn.imag
    rotation = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    frame = np.array([[along, 0.0, mixed], [0.0, across, 0.0], [mixed, 0.0, variance_z]])
    spin = rotation @ np.array([-length, 0.0, centre])
    covariance = rotation @ frame @ rotation.T
    return DrivenDickeState(j, b, spin, covariance, emission, kappa, purity)


def driven_dicke_density_matrix(
    total_spin: float, *, rabi: float, decay_rate: float, chi: float = 0.0, phase: float = 0.0
) -> Complexes:
    """The driven-Dicke steady state in the basis |j,m>, m = -j ... j; (2j+1, 2j+1), trace 1.

    <m|rho|m'> = exp(i (m'-m) arg(-b)) sqrt(h_m h_m') sum_{k >= max(m, m')} g_k / Z, with
    h_m = (j-m)!/(j+m)! beta^{2m}, g_k = beta^{-2}/h_k.

    Raises:
        InvalidInput: as `driven_dicke_steady_state`.
    """
    twice, b = _amplitude(total_spin, rabi, decay_rate, chi, phase)
    rho = np.zeros((twice + 1, twice + 1), dtype=np.complex128)
    if b == 0:
        rho[0, 0] = 1.0
        return rho
    outer, tail, norm = _semiseparable(twice, abs(b))
    q = np.arange(twice + 1)
    size = 0.5 * np.add.outer(outer, outer) + tail[np.maximum.outer(q, q)] - norm
    angle = cmath.phase(-b)
    rho[:] = np.exp(size + 1j * angle * np.subtract.outer(q, q))
    return rho


def _amplitude(
    total_spin: float, rabi: float, decay_rate: float, chi: float, phase: float
) -> tuple[int, complex]:
    """2j and b."""
    j = real("total_spin", total_spin, minimum=0.0)
    if 2 * j != round(2 * j):
        raise InvalidInput(f"total_spin must be a multiple of 1/2, got {j:g}")
    rabi, chi, phase = real("rabi", rabi), real("chi", chi), real("phase", phase)
    rate = real("decay_rate", decay_rate, above=0.0)
    b = 1j * rabi * cmath.exp(-1j * phase) / complex(rate, 2.0 * chi)
    real("rabi / abs(decay_rate + 2i chi)", abs(b), maximum=1e100)
    # A drive whose square underflows does nothing, and has lost its phase.
    return round(2 * j), b if abs(b) > 1e-150 else 0j


def _semiseparable(twice: int, beta: float) -> tuple[Floats, Floats, float]:
    """Logarithms of h_m, beta^-2 sum_{k>=m} 1/h_k and Z, for beta > 0."""
    from scipy.special import gammaln

    q = np.arange(twice + 1, dtype=np.float64)
    factorial = gammaln(q + 1.0)
    power = (2.0 * q - twice) * math.log(beta)
    outer = factorial[::-1] - factorial + power
    tail = np.logaddexp.accumulate(-outer[::-1])[::-1] - 2.0 * math.log(beta)
    logs = outer + tail
    top = float(logs.max())
    return outer, tail, top + math.log(float(np.exp(logs - top).sum()))


def _mean_z(twice: int, beta: float) -> float:
    """<S_z> = -(1/2) sum_m h_m sum_{k>m} (k-m)/h_k / Z, a sum of one sign."""
    outer, tail, norm = _semiseparable(twice, beta)
    beyond = np.logaddexp.accumulate(tail[::-1])[::-1]
    return -0.5 * float(np.exp(outer[:-1] + beyond[1:] - norm).sum())


def _populations(twice: int, beta: float) -> tuple[Floats, float, float]:
    """Populations over m, ln Z, and the purity."""
    populations = np.zeros(twice + 1)
    if beta == 0:
        populations[0] = 1.0
        return populations, math.inf, 1.0
    outer, tail, norm = _semiseparable(twice, beta)
    populations = np.exp(outer + tail - norm)
    before = np.exp(np.logaddexp.accumulate(outer)[:-1] + tail[1:] - norm)
    purity = float(populations @ populations + 2.0 * (populations[1:] @ before))
    return populations, norm, purity
