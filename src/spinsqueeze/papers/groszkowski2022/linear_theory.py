"""Apps. C and H: everything about the spins kept at <S_z> = -N/2; and ours, with the cavity kept.

The cavity kept: spins and mode as two bosons that exchange at G = sqrt(N) g. The spins decay into
the vacuum at gamma_rel, the mode at kappa = kappa_sqz + kappa_int into a reservoir whose squeezed
quadrature holds V = (kappa_sqz exp(-2r) + kappa_int)/kappa of the vacuum's noise. The share w of
the spins' quadrature that the mode determines follows from two coupled damped oscillators:

    xi_R^2 = 1 - w (1 - V),    w = kappa/(kappa + gamma_rel) * 4 G^2/(4 G^2 + kappa gamma_rel).

Elimination has w without its first factor: in the steady state it errs by gamma_rel/kappa however
large G/kappa is. With the vacuum of gamma_rel's reservoir and N >> 1 it is Eq. (C2).
"""

import math


def cavity_rates(kappa_sqz: float, *, kappa_int: float) -> tuple[float, float]:
    """Gamma and gamma_coll of Eqs. (12) and (13), g = 1."""
    share = 4.0 / (kappa_sqz + kappa_int) ** 2
    return share * kappa_sqz, share * kappa_int


def linearised(
    n_spins: int, *, r: float, squeezed: float, collective: float, local: float
) -> float:
    """xi_R^2 of Eq. (C2), for r = inf of (C3); local is gamma_rel + 2 gamma_phi."""
    n, narrow = n_spins, math.exp(-2.0 * r)
    noise = (n + 1.0) * collective + local
    return (noise + (n * narrow + 1.0) * squeezed) / (noise + (n + narrow) * squeezed)


def equation_18(n_spins: int, *, squeezed: float, collective: float, local: float) -> float:
    """xi_R^2 of Eq. (18): N gamma_coll where (C3) has (N + 1) gamma_coll."""
    noise = n_spins * collective + local
    return (noise + squeezed) / (noise + n_spins * squeezed)


def least_linearised(cooperativity: float) -> float:
    """Eq. (C5): 2/(sqrt(1 + C) + 1), at best kappa_sqz and r = inf."""
    return 2.0 / (math.sqrt(1.0 + cooperativity) + 1.0)


def best_kappa(cooperativity: float) -> float:
    """Eq. (C6): kappa_sqz/kappa_int = sqrt(1 + C)."""
    return math.sqrt(1.0 + cooperativity)


def squeezed_light(n_spins: int, *, ratio: float) -> float:
    """xi_R^2 of Eq. (H3); ratio = Gamma/gamma_rel."""
    return (ratio + 1.0) / (n_spins * ratio + 1.0)


def with_cavity(
    n_spins: int,
    *,
    r: float,
    kappa_sqz: float,
    kappa_int: float,
    relaxation: float,
    eliminated: bool = False,
) -> float:
    """xi_R^2 of two coupled bosons, g = 1: this module's first lines."""
    kappa, coupling = kappa_sqz + kappa_int, 4.0 * n_spins
    noise = (kappa_sqz * math.exp(-2.0 * r) + kappa_int) / kappa
    share = coupling / (coupling + kappa * relaxation)
    if not eliminated:
        share *= kappa / (kappa + relaxation)
    return 1.0 - share * (1.0 - noise)
