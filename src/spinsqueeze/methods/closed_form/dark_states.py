"""Steady states of squeezed collective decay, in closed form, for every total spin and any r.

    d rho/dt = D[L] rho,   L = cosh(r) S_minus - sinh(r) S_plus = exp(-r) S_x - i exp(r) S_y,

which conserves the total spin j (groszkowski2022, Eqs. 2-7 and 15-17; Agarwal and Puri 1990).
With t = tanh r, q = j + m excitations, u_k = binom(2k, k)/4^k and f_k = 1/((2k+1) u_k):

- integer j: a pure dark state, L|psi> = 0, with populations p_{2k} ~ u_k u_{j-k} t^{2k} on even q
  (their Eq. 7, rewritten: binom(j,k)^2/binom(2j,2k) = u_k u_{j-k}/u_j);
- half-integer j: L is invertible and rho ~ (L^dag L)^{-1} = L^{-1} L^{-dag} (their Eq. 16). L is
  bidiagonal between even and odd q, its inverse has entries of one sign, and with n = j + 1/2
      <2a|rho|2a'>     ~ cosech^2 r sqrt(A_a A_a') sum_{c >= max(a,a')} t^{-2c} f_c u_{n-1-c},
      <2b+1|rho|2b'+1> ~ sech^2 r   sqrt(G_b G_b') sum_{c <= min(b,b')} t^{-2c} u_c f_{n-1-c},
  A_a = u_a f_{n-1-a} t^{2a}, G_b = f_b u_{n-1-b} t^{2b}: sums of positive numbers only.

Every moment follows without cancellation from Q = <S_x^2 + S_y^2> = sum_m p_m [j + (j-m)(j+m)],
with e = exp(-2|r|) and kappa = (2j+1)/Tr (L^dag L)^{-1} (zero for integer j):
    <S_z> = -Q/cosh 2r,  <S_y^2> = e |<S_z>|/2 + kappa/(2 sinh 2r),  <S_x^2> = Q - <S_y^2>.
For negative r, x and y change places.
"""

import math
from dataclasses import dataclass

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.checks import integer, real
from spinsqueeze.core.errors import InvalidInput, UndefinedDirection


@dataclass(frozen=True)
class SubspaceMoments:
    """Moments of the steady state of squeezed collective decay within total spin j.

    The first moments are (0, 0, spin_z); the covariance is diagonal in x, y, z.

    Attributes:
        total_spin: j.
        r: squeezing strength of the reservoir.
        spin_z: <S_z>, never positive.
        variance_x: <S_x^2>.
        variance_y: <S_y^2>.
        variance_z: <S_z^2> - <S_z>^2, from a centred sum.
        deficit_z: j^2 - <S_z^2>, from a sum of positive numbers.
        purity: Tr rho^2 within one irreducible representation (1 for integer j).
        transverse: <S_x^2> + <S_y^2>.
    """

    total_spin: float
    r: float
    spin_z: float
    variance_x: float
    variance_y: float
    variance_z: float
    deficit_z: float
    purity: float
    transverse: float

    @property
    def spin(self) -> Floats:
        """(3,) <S_a>."""
        return np.array([0.0, 0.0, self.spin_z])

    @property
    def covariance(self) -> Floats:
        """(3, 3) <{S_a, S_b}>/2 - <S_a><S_b>."""
        return np.diag([self.variance_x, self.variance_y, self.variance_z])

    @property
    def deficit(self) -> Floats:
        """(3, 3) j^2 delta_ab - <{S_a, S_b}>/2."""
        square = self.total_spin**2
        return np.diag([square - self.variance_x, square - self.variance_y, self.deficit_z])

    def xi2(self, n_spins: int) -> float:
        """Wineland parameter n_spins min Var(S_perp)/<S>^2 of this state among `n_spins` spins.

        Integer j: n_spins (1 + exp(-4r))/(4 <S_x^2 + S_y^2>), finite for any r; at j = n_spins/2
        it falls to 2/(n_spins + 2) for r to infinity. Half-integer j: +inf at infinite r, where
        the mean spin vanishes and the variance does not.

        Raises:
            UndefinedDirection: j = 0.
            InvalidInput: n_spins below 2j, or of the other parity.
        """
        n_spins = integer("n_spins", n_spins, minimum=1)
        if n_spins < 2 * self.total_spin or (n_spins - round(2 * self.total_spin)) % 2:
            raise InvalidInput(
                f"n_spins must be at least 2j = {2 * self.total_spin:g} and of its parity, "
                f"got {n_spins}"
            )
        if self.total_spin == 0:
            raise UndefinedDirection("total spin j = 0 has no mean spin, so xi2 is undefined")
        if round(2 * self.total_spin) % 2 == 0:
            return n_spins * (1.0 + math.exp(-4.0 * abs(self.r))) / (4.0 * self.transverse)
        smallest = min(self.variance_x, self.variance_y)
        squared = self.spin_z * self.spin_z
        return math.inf if squared == 0.0 else n_spins * smallest / squared


def steady_moments(total_spin: float, *, r: float) -> SubspaceMoments:
    """Moments of the steady state within total spin j (groszkowski2022); O(j) time and memory.

    Args:
        total_spin: j, a multiple of 1/2; tried to j = 500 000.5.
        r: squeezing strength, any sign, +inf allowed (the limit |j, 0>_y, or the mixture
            sum_m m^-2 |j, m>_y<j, m|).

    Returns:
        The moments; relative errors near 1e-13, whatever r.

    Raises:
        InvalidInput: total_spin is not a non-negative multiple of 1/2, or r is not a number.
    """
    twice, r = _checked(total_spin, r)
    j = twice / 2
    m = np.arange(twice + 1) - j
    populations, excess, purity = _populations(twice, r)
    e = math.exp(-2.0 * abs(r))
    deficit = float(populations @ ((j - m) * (j + m)))
    transverse = j + deficit
    spin_z = -transverse * 2.0 * e / (1.0 + e * e)
    squeezed = transverse * e * e / (1.0 + e * e) + excess
    stretched = transverse / (1.0 + e * e) - excess
    centre = float(populations @ m)
    variance_z = float(populations @ (m - centre) ** 2)
    x, y = (stretched, squeezed) if r >= 0 else (squeezed, stretched)
    return SubspaceMoments(j, r, spin_z, x, y, variance_z, deficit, purity, transverse)


def shell_moments(n_spins: int, *, r: float) -> list[SubspaceMoments]:
    """`steady_moments` for every total spin of n_spins spins, j rising to n_spins/2; O(N^2).

    Raises:
        InvalidInput: n_spins below 1, or as `steady_moments`.
    """
    n_spins = integer("n_spins", n_spins, minimum=1)
    return [steady_moments(twice / 2, r=r) for twice in range(n_spins % 2, n_spins + 1, 2)]


def steady_populations(total_spin: float, *, r: float) -> Floats:
    """Populations p_m = <j,m|rho|j,m> of the steady state, m = -j ... j; shape (2j+1,), sum 1.

    Raises:
        InvalidInput: as `steady_moments`.
    """
    twice, r = _checked(total_spin, r)
    return _populations(twice, r)[0]


def dark_state(total_spin: int, *, r: float) -> Floats:
    """Amplitudes <j,m|psi> of the dark state, L|psi> = 0, m = -j ... j; shape (2j+1,), norm 1.

    groszkowski2022 Eq. (7): amplitudes at m = -j + 2k proportional to
    binom(j,k) binom(2j,2k)^{-1/2} tanh^k r, zero at odd excitation numbers. Real; all positive
    for r > 0.

    Raises:
        InvalidInput: half-integer total_spin (there is no dark state), or as `steady_moments`.
    """
    twice, r = _checked(total_spin, r)
    if twice % 2:
        raise InvalidInput(
            f"total_spin must be an integer for a dark state, got {twice / 2:g}; "
            "use steady_density_matrix"
        )
    amplitudes = np.sqrt(_populations(twice, r)[0])
    if r < 0:
        amplitudes[2::4] *= -1.0
    return amplitudes


def steady_density_matrix(total_spin: float, *, r: float) -> Floats:
    """The steady state in the basis |j,m>, m = -j ... j; real symmetric (2j+1, 2j+1), trace 1.

    Integer j: the projector on the dark state. Half-integer j: (L^dag L)^{-1}, element by element
    from the closed form, so that populations far below 1e-16 keep their relative accuracy.

    Raises:
        InvalidInput: as `steady_moments`.
    """
    twice, r = _checked(total_spin, r)
    if twice % 2 == 0:
        amplitudes = dark_state(twice // 2, r=r)
        return np.outer(amplitudes, amplitudes)
    rho = np.zeros((twice + 1, twice + 1))
    if r == 0:
        rho[0, 0] = 1.0
        return rho
    sectors = _Sectors(twice, abs(r))
    size = (twice + 1) // 2
    k = np.arange(size)
    outer_even = 0.5 * np.add.outer(sectors.even_outer, sectors.even_outer)
    outer_odd = 0.5 * np.add.outer(sectors.odd_outer, sectors.odd_outer)
    even = np.exp(outer_even + sectors.even_sum[np.maximum.outer(k, k)])
    odd = np.exp(outer_odd + sectors.odd_sum[np.minimum.outer(k, k)])
    total = np.trace(even) + np.trace(odd)
    if r < 0:
        signs = (-1.0) ** np.add.outer(k, k)
        even, odd = even * signs, odd * signs
    rho[::2, ::2] = even / total
    rho[1::2, 1::2] = odd / total
    return rho


def lmg_spectrum(total_spin: float, *, r: float) -> tuple[Floats, Floats]:
    """Spectrum of H = L^dag L = exp(-2r) S_x^2 + exp(2r) S_y^2 + S_z within total spin j.

    The anisotropic Lipkin-Meshkov-Glick Hamiltonian of groszkowski2022 Eq. (15), as squared
    singular values of L between even and odd q = j + m (so exponentially small eigenvalues keep
    their digits). O(j^3).

    Args:
        total_spin: j, a multiple of 1/2.
        r: squeezing strength, |r| <= 300.

    Returns:
        Energies (2j+1,) rising, and orthonormal eigenvectors in columns (2j+1, 2j+1) over m.

    Raises:
        InvalidInput: bad total_spin, or |r| above 300.
    """
    from scipy.linalg import svd

    twice, r = _checked(total_spin, r)
    real("abs(r)", abs(r), maximum=300.0)
    q = np.arange(twice)
    ladder = np.sqrt((q + 1.0) * (twice - q))
    jump = math.cosh(r) * np.diag(ladder, 1) - math.sinh(r) * np.diag(ladder, -1)
    energies = np.zeros(twice + 1)
    vectors = np.zeros((twice + 1, twice + 1))
    for start in (0, 1):
        block = jump[1 - start :: 2, start::2]
        size = block.shape[1]
        if size == 0:
            continue
        rows = np.arange(start, twice + 1, 2)
        if block.shape[0] == 0:
            values, right = np.zeros(0), np.eye(size)
        else:
            _, values, right = svd(block, full_matrices=True, lapack_driver="gesvd")
        energies[rows[: values.size]] = values**2
        vectors[np.ix_(rows, rows)] = right.T
    order = np.argsort(energies, kind="stable")
    return energies[order], vectors[:, order]


def spectral_steady_state(total_spin: float, *, r: float) -> Floats:
    """The half-integer-j steady state as the spectral sum of groszkowski2022 Eq. (16).

    rho = sum_k |psi_k><psi_k|/lambda_k / sum_k 1/lambda_k over `lmg_spectrum`; (2j+1, 2j+1).
    `steady_density_matrix` gives the same state faster and to more digits; this one shows where
    it comes from.

    Raises:
        InvalidInput: integer total_spin (an eigenvalue is zero), r = 0, or as `lmg_spectrum`.
    """
    twice, r = _checked(total_spin, r)
    if twice % 2 == 0 or r == 0:
        raise InvalidInput(
            f"the spectral sum needs half-integer total_spin and r != 0 (else an LMG eigenvalue is "
            f"zero), got total_spin={twice / 2:g}, r={r:g}; use dark_state"
        )
    energies, vectors = lmg_spectrum(total_spin, r=r)
    weights = energies[0] / energies
    return np.asarray((vectors * (weights / weights.sum())) @ vectors.T)


def spin_y_distribution(total_spin: float, *, r: float) -> tuple[Floats, Floats]:
    """Probabilities of the eigenvalues of S_y in the steady state: (m, P), each (2j+1,).

    Integer j: in the S_y basis L psi = 0 is a three-term recursion, solved downwards as a
    continued fraction of positive terms, O(j), every P to full relative accuracy. Half-integer
    j: the closed-form density matrix rotated by the eigenvectors of S_y, O(j^3), P to about 1e-15
    absolute.

    Raises:
        InvalidInput: as `steady_moments`.
    """
    twice, r = _checked(total_spin, r)
    j = twice / 2
    m: Floats = np.arange(twice + 1, dtype=np.float64) - j
    if twice % 2 == 0 and r > 0:
        logs = np.zeros(twice // 2 + 1)
        ratio = 0.0
        e = math.exp(-2.0 * r)
        for k in range(twice // 2, 0, -1):
            down = math.sqrt((j + k) * (j - k + 1.0))
            up = math.sqrt((j - k) * (j + k + 1.0))
            ratio = e * down / (2.0 * k + e * up * ratio)
            logs[k] = math.log(ratio) if ratio > 0 else -math.inf
        half = np.exp(2.0 * np.cumsum(logs))
        weights: Floats = np.concatenate([half[:0:-1], half])
        weights /= weights.sum()
        return m, weights
    q = np.arange(twice)
    ladder = np.sqrt((q + 1.0) * (twice - q)) / 2.0
    s_y = 1j * (np.diag(ladder, 1) - np.diag(ladder, -1))
    _, basis = np.linalg.eigh(s_y)
    rotated = basis.conj().T @ steady_density_matrix(total_spin, r=r) @ basis
    chances: Floats = np.clip(np.diagonal(rotated).real, 0.0, None)
    return m, chances


def _checked(total_spin: float, r: float) -> tuple[int, float]:
    """2j and r as plain numbers."""
    j = real("total_spin", total_spin, minimum=0.0)
    if 2 * j != round(2 * j):
        raise InvalidInput(f"total_spin must be a multiple of 1/2, got {j:g}")
    return round(2 * j), real("r", r, infinite=True)


def _central_binomial(size: int) -> Floats:
    """Logarithms of u_k, u_k = binom(2k, k)/4^k, for k = 0 ... size - 1, to full precision."""
    k = np.arange(size, dtype=np.float64)
    small = min(size, 32)
    logs = np.empty(size)
    logs[:small] = np.concatenate([[0.0], np.cumsum(np.log1p(-0.5 / k[1:small]))])
    big = k[small:]
    inverse = 1.0 / big
    square = inverse * inverse
    series = -1 / 8 + square * (1 / 192 + square * (-1 / 640 + square * (17 / 14336)))
    logs[small:] = -0.5 * np.log(np.pi * big) + inverse * series
    return logs


def _log_coth(r: float) -> float:
    """-ln tanh r for r > 0, with full relative accuracy; 0 at infinity."""
    e = math.exp(-2.0 * r)
    return 2.0 * math.atanh(e) if e < 0.5 else math.log1p(e) - math.log(-math.expm1(-2.0 * r))


def _log_sum(logs: Floats) -> Floats:
    """Running log-sum-exp."""
    return np.logaddexp.accumulate(logs)


class _Sectors:
    """Logarithms of the semiseparable pieces of (L^dag L)^{-1} exp(2r) for half-integer j, r > 0.

    Even q: rho_aa' = exp(even_outer[a]/2 + even_outer[a']/2 + even_sum[max(a, a')]); odd q: min.
    """

    def __init__(self, twice: int, r: float) -> None:
        size = (twice + 1) // 2
        power = 2.0 * _log_coth(r) * np.arange(size)
        e = math.exp(-2.0 * r)
        u = _central_binomial(size)
        f = -u - np.log(2.0 * np.arange(size) + 1.0)
        rising = u + f[::-1]
        falling = f + u[::-1]
        self.even_outer = rising - power + 2.0 * math.log(-2.0 / math.expm1(-2.0 * r))
        self.odd_outer = falling - power + 2.0 * math.log(2.0 / (1.0 + e))
        self.shift = float(power[-1])
        self.even_sum = _log_sum((falling + (power - self.shift))[::-1])[::-1]
        self.odd_sum = _log_sum(rising + (power - self.shift))


def _populations(twice: int, r: float) -> tuple[Floats, float, float]:
    """Populations over m = -j ... j, kappa/(2 sinh 2|r|), and the purity."""
    populations = np.zeros(twice + 1)
    if r == 0:
        populations[0] = 1.0
        return populations, 0.0, 1.0
    r = abs(r)
    if twice % 2 == 0:
        j = twice // 2
        u = _central_binomial(j + 1)
        weights = np.exp(u + u[::-1] - 2.0 * _log_coth(r) * np.arange(j + 1))
        populations[::2] = weights / weights.sum()
        return populations, 0.0, 1.0
    sectors = _Sectors(twice, r)
    even = sectors.even_outer + sectors.even_sum
    odd = sectors.odd_outer + sectors.odd_sum
    top = max(float(even.max()), float(odd.max()))
    total = float(np.exp(even - top).sum() + np.exp(odd - top).sum())
    norm = top + math.log(total)
    p_even, p_odd = np.exp(even - norm), np.exp(odd - norm)
    populations[::2], populations[1::2] = p_even, p_odd
    before = np.exp(_log_sum(sectors.even_outer)[:-1] + sectors.even_sum[1:] - norm)
    after = np.exp(_log_sum(sectors.odd_outer[::-1])[::-1][1:] + sectors.odd_sum[:-1] - norm)
    purity = float(p_even @ p_even + p_odd @ p_odd)
    purity += 2.0 * float(p_even[1:] @ before + p_odd[:-1] @ after)
    # kappa/(2 sinh 2r) = (2j+1)/[exp(2r) Tr (L^dag L)^-1 (1 - exp(-4r))]
    excess = (twice + 1) * math.exp(-norm - sectors.shift) / -math.expm1(-4.0 * r)
    return populations, excess, purity
