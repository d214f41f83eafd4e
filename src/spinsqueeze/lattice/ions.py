"""Chains of trapped ions: where they rest, their transverse modes, the couplings these carry."""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput, NumericalFailure

MOST_IONS = 1000
NEWTON_STEPS = 200
RESONANCE = 1e-9
"""Relative distance of the beat note from a mode below which the coupling is refused."""


@final
@clear_init
@dataclass(frozen=True)
class IonChain:
    """N ions of one kind in a harmonic trap, strung along its weak axis (james1998).

    At rest u_i = sum_{j<i} (u_i - u_j)^-2 - sum_{j>i} (u_j - u_i)^-2, in units of
    (e^2/(4 pi epsilon0 m omega_z^2))^(1/3). Transverse motion is A_ij x_j = omega^2 x_i with
    A_ij = omega_z^2/|u_i - u_j|^3 off the diagonal and rows that sum to omega_x^2. All frequencies
    are in one unit.

    Args:
        n_ions: 1 to 1000.
        axial_frequency: omega_z of the trap along the chain.
        transverse_frequency: omega_x across it, so large that the chain stays straight.

    Raises:
        InvalidInput: an argument breaks its rule, or the ions would leave the axis (zigzag).
    """

    n_ions: int
    axial_frequency: float
    transverse_frequency: float

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "n_ions", checks.integer("n_ions", self.n_ions, minimum=1, maximum=MOST_IONS))
        for name in ("axial_frequency", "transverse_frequency"):
            put(self, name, checks.real(name, getattr(self, name), above=0.0))
        softest = float(np.linalg.eigvalsh(self._stiffness)[0])
        if softest <= 0:
            least = self.axial_frequency * math.sqrt(
                (self.transverse_frequency / self.axial_frequency) ** 2
                - softest / self.axial_frequency**2
            )
            raise InvalidInput.of(
                "transverse_frequency",
                f"must be above {least:.6g} for {self.n_ions} ions, got "
                f"{self.transverse_frequency:g}: the chain would buckle into a zigzag; raise it, "
                "or lower axial_frequency",
            )

    @cached_property
    def positions(self) -> Floats:
        """(N,) ascending, in units of (e^2/(4 pi epsilon0 m omega_z^2))^(1/3); their sum is 0."""
        return _at_rest(self.n_ions)

    @cached_property
    def _stiffness(self) -> Floats:
        """A (N, N)."""
        gaps = np.abs(self.positions[:, None] - self.positions[None, :])
        np.fill_diagonal(gaps, np.inf)
        pull = self.axial_frequency**2 / gaps**3
        return pull + np.diag(self.transverse_frequency**2 - pull.sum(axis=1))

    @cached_property
    def modes(self) -> tuple[Floats, Floats]:
        """Frequencies omega_m (N,), ascending, and b_im (N, N): columns of length 1."""
        squares, vectors = np.linalg.eigh(self._stiffness)
        return np.sqrt(squares), vectors

    def couplings(self, *, rabi: float, recoil: float, beatnote: float) -> Floats:
        """K_ij (N, N) of H = sum_{i<j} K_ij s^a_i s^a_j, zero diagonal, as for `PairCoupling`.

        K_ij = 4 rabi^2 recoil sum_m b_im b_jm/(beatnote^2 - omega_m^2) (kim2009, monroe2021, who
        write sigma = 2 s, without the 4): of the force H = sum_i rabi cos(beatnote t) dk x_i
        sigma^a_i. It holds where no mode is driven itself: (rabi dk x0_m b_im) well below
        |beatnote - omega_m| for every mode, x0_m = sqrt(hbar/(2 m omega_m)).

        Args:
            rabi: Omega, in the unit of the frequencies.
            recoil: hbar dk^2/(2 m), in that unit.
            beatnote: mu, in that unit; above all modes: K_ij > 0 falls with the distance.

        Raises:
            InvalidInput: not a finite number, recoil or beatnote not above 0, on a mode.
        """
        rabi = checks.real("rabi", rabi)
        recoil = checks.real("recoil", recoil, above=0.0)
        beatnote = checks.real("beatnote", beatnote, above=0.0)
        frequencies, vectors = self.modes
        nearest = float(frequencies[np.argmin(np.abs(frequencies - beatnote))])
        if abs(beatnote - nearest) <= RESONANCE * nearest:
            raise InvalidInput.of(
                "beatnote",
                f"must not be the frequency of a mode, got {beatnote:g} at the mode {nearest:.9g}; "
                "move it off by more than the coupling to it",
            )
        weights = 4 * rabi**2 * recoil / (beatnote**2 - frequencies**2)
        matrix = (vectors * weights) @ vectors.T
        matrix = (matrix + matrix.T) / 2
        np.fill_diagonal(matrix, 0.0)
        return np.asarray(matrix)


@final
@clear_init
@dataclass(frozen=True)
class PowerLawFit:
    """strength |i - j|^-exponent; deviation: rms of the relative deviation (logarithm)."""

    strength: float
    exponent: float
    deviation: float


@clear_call
def power_law_fit(matrix: Floats) -> PowerLawFit:
    """The power law nearest to couplings K_ij of a chain, by least squares of their logarithms.

    Minimises sum_{i<j} (log |K_ij| - log |strength| + exponent log |i - j|)^2.

    Args:
        matrix: (N, N), N >= 3, symmetric, all K_ij off the diagonal of one sign.

    Raises:
        InvalidInput: another shape, too few ions, or couplings of both signs or zero.
    """
    K = checks.real_array("matrix", matrix, shape=(None, None))
    if K.shape[0] != K.shape[1] or len(K) < 3:
        raise InvalidInput.of("matrix", f"must be N x N with N at least 3, got {K.shape}")
    i, j = np.triu_indices(len(K), 1)
    pairs = K[i, j]
    if not (np.all(pairs > 0) or np.all(pairs < 0)):
        raise InvalidInput.of(
            "matrix",
            f"must couple all pairs with one sign, got {pairs.min():g} to {pairs.max():g}; no "
            "power law is near, use the matrix itself (PairCoupling)",
        )
    rows = np.stack([np.ones(len(pairs)), -np.log(j - i)], axis=1)
    logs = np.log(np.abs(pairs))
    (height, exponent), *_ = np.linalg.lstsq(rows, logs, rcond=None)
    deviation = np.sqrt(np.mean((rows @ [height, exponent] - logs) ** 2))
    sign = math.copysign(1.0, pairs[0])
    return PowerLawFit(sign * math.exp(height), float(exponent), float(deviation))


@lru_cache(maxsize=16)
def _at_rest(n_ions: int) -> Floats:
    """Newton's method on the potential, convex while the ions keep their order.

    It starts from the density 1 - x^2 of a long chain, stretched to where its energy is least.
    """
    u = 2 * np.sin(np.arcsin((2 * np.arange(n_ions) + 1) / n_ions - 1) / 3)
    repulsion = sum(float(np.sum(1 / (u[k:] - u[:-k]))) for k in range(1, n_ions))
    u = u * np.cbrt(repulsion / np.sum(u**2)) if n_ions > 1 else np.zeros(1)
    for _ in range(NEWTON_STEPS):
        gaps = u[:, None] - u[None, :]
        np.fill_diagonal(gaps, np.inf)
        force = u - np.sum(np.sign(gaps) / gaps**2, axis=1)
        curvature = -2 / np.abs(gaps) ** 3
        curvature -= np.diag(curvature.sum(axis=1) - 1.0)
        step = np.linalg.solve(curvature, force)
        closing = np.diff(step) / np.diff(u)
        length = 1.0 / max(1.0, 2.0 * float(closing.max(initial=0.0)))
        u = u - length * step
        u = (u - u[::-1]) / 2
        if length == 1.0 and np.abs(step).max() <= 1e-14 * n_ions:
            u.flags.writeable = False  # the cache hands the same array to everyone
            return np.asarray(u)
    raise NumericalFailure(f"the places at rest of {n_ions} ions were not found; take fewer")
