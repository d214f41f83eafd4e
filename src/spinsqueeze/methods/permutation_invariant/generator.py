"""The Liouvillian of a permutation-invariant model as constants in front of ladder operators."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.numerics.angular_momentum import SPHERICAL, damping_vector, jump_matrix
from spinsqueeze.numerics.collective_operators import quadratic_and_field

Jumps = Sequence[tuple[float, Complexes]]

NEGLIGIBLE = 1e-14
"""Constants below this fraction of the largest of their kind are rounding, and count as zero."""


@dataclass(frozen=True)
class Generator:
    """H = S.Q.S + b.S, collective jumps rate D[c.S], local jumps rate sum_i D[c.s_i].

    Attributes:
        n_spins: N.
        quadratic: Q, (3, 3) real symmetric [rate].
        field: b, (3,) real [rate].
        collective: sum of rate c c^dagger over collective jumps, (3, 3) Hermitian [rate].
        local: the same over local jumps [rate].
    """

    n_spins: int
    quadratic: Floats
    field: Floats
    collective: Complexes
    local: Complexes

    @property
    def has_local(self) -> bool:
        """Whether single-spin jumps connect the shells."""
        return bool(np.any(self.local))

    @property
    def rate_scale(self) -> float:
        """Bound of the fastest rate, up to a factor of order 1 [rate]."""
        j = self.n_spins / 2
        quadratic = np.linalg.norm(self.quadratic, 2) + np.linalg.norm(self.collective, 2)
        linear = np.linalg.norm(self.field) + np.linalg.norm(self.local, 2)
        return float(2 * j * (j + 1) * quadratic + 2 * j * linear)


def generator(
    n_spins: int,
    *,
    quadratic: Floats | None = None,
    field: Floats | None = None,
    collective_jumps: Jumps = (),
    local_jumps: Jumps = (),
) -> Generator:
    """Collect the arrays of a model.

    Raises:
        InvalidInput: n_spins below 1, Q not symmetric, a negative rate, or a value not finite.
    """
    Q, b = quadratic_and_field(n_spins, quadratic=quadratic, field=field)
    for name, jumps in (("collective_jumps", collective_jumps), ("local_jumps", local_jumps)):
        for rate, _ in jumps:
            if not rate >= 0:
                raise InvalidInput(f"{name}: rates must be at least 0, got {rate}")
    result = Generator(n_spins, Q, b, jump_matrix(collective_jumps), jump_matrix(local_jumps))
    parts = (result.quadratic, result.field, result.collective, result.local)
    if not all(np.all(np.isfinite(part)) for part in parts):
        raise InvalidInput("quadratic, field and jumps must be finite, got NaN or infinity")
    return result


@dataclass(frozen=True)
class LadderConstants:
    """Constants of the Liouvillian in front of spherical operators, rounding removed.

    X = -i H - (1/2) sum rate L^dagger L
      = (e_p S_+^2 + e_m S_-^2) + f_p {S_+, S_z} + f_m {S_-, S_z} + g_p S_+ + g_m S_-
        + d_j j(j+1) + d_2 S_z^2 + d_1 S_z + d_0.
    Recycling: collective[alpha, beta] S_alpha R S_beta^dagger, and local[alpha, beta] likewise.
    """

    double: Complexes  # (2,) e_p, e_m
    ladder_z: Complexes  # (2,) f_p, f_m
    ladder: Complexes  # (2,) g_p, g_m
    casimir: complex  # d_j
    z_squared: complex  # d_2
    z: complex  # d_1
    constant: float  # d_0
    collective: Complexes  # (3, 3)
    local: Complexes  # (3, 3)

    def entries(self) -> list[tuple[int, complex]]:
        """(change of m - m', constant) of every term that moves R, for the symmetry labels."""
        out: list[tuple[int, complex]] = []
        for sign, index in ((-1, 0), (1, 1)):
            out.append((2 * sign, self.double[index]))
            out.append((sign, self.ladder_z[index]))
            out.append((sign, self.ladder[index]))
        # j(j+1) and constants enter as X + X^dagger: their imaginary parts cancel.
        out += [(0, self.z_squared), (0, self.z)]
        shift = (-1, 1, 0)
        for matrix in (self.collective, self.local):
            for a in range(3):
                for b in range(3):
                    out.append((shift[a] - shift[b], complex(matrix[a, b])))
        return out


def _clean(values: NDArray[Any], scale: float) -> Complexes:
    real = np.where(np.abs(values.real) > NEGLIGIBLE * scale, values.real, 0.0)
    imag = np.where(np.abs(values.imag) > NEGLIGIBLE * scale, values.imag, 0.0)
    return real + 1j * imag


def ladder_constants(model: Generator) -> LadderConstants:
    """Write the generator in spherical operators (see LadderConstants)."""
    Q, G = model.quadratic, model.local
    P = -1j * Q - model.collective.real / 2
    w = damping_vector(model.collective) + damping_vector(G)
    u = -1j * model.field - w / 2
    two = max(float(np.abs(P).max()), 1e-300)
    one = max(float(np.abs(u).max()), 1e-300)
    flat = (P[0, 0] + P[1, 1]) / 2
    diagonal = _clean(np.array([P[2, 2] - flat]), two)[0]
    minus = (P[0, 0] - P[1, 1]) / 4
    return LadderConstants(
        double=_clean(np.array([minus - 0.5j * P[0, 1], minus + 0.5j * P[0, 1]]), two),
        ladder_z=_clean(0.5 * np.array([P[0, 2] - 1j * P[1, 2], P[0, 2] + 1j * P[1, 2]]), two),
        ladder=_clean(0.5 * np.array([u[0] - 1j * u[1], u[0] + 1j * u[1]]), one),
        casimir=complex(flat),
        z_squared=complex(diagonal),
        z=complex(_clean(np.array([u[2]]), one)[0]),
        constant=-model.n_spins * float(np.trace(G).real) / 8,
        collective=_spherical(model.collective),
        local=_spherical(G),
    )


def _spherical(matrix: Complexes) -> Complexes:
    turned = SPHERICAL @ matrix @ SPHERICAL.conj().T
    return _clean(turned, max(float(np.abs(matrix).max()), 1e-300))
