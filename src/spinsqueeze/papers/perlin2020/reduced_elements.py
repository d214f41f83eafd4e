"""How strongly shells of total spin are coupled: why shell 3 stays nearly empty in Fig. 6."""

import math

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.truncated_shells.blocks import shell_blocks
from spinsqueeze.methods.truncated_shells.coefficients import magnetic_factor
from spinsqueeze.methods.truncated_shells.parts import parts_of
from spinsqueeze.numerics.angular_momentum import coherent_amplitudes
from spinsqueeze.papers.perlin2020.setting import xxz_model


def odd_over_even(shape: tuple[int, ...], *, exponent: float) -> Floats:
    """||H_32 v||/||H_20|| and ||H_32 v||/||H_42 v||, v the state of shell 2 next to shell 0.

    H_kl of Eq. (3) between shells k and l, v = H_20|0> normalised in every sector, rms over the
    magnetisations M of spins polarised along x. All three scale with J_z - J_perp.

    Args:
        shape: of the periodic lattice, 8 spins or more.
        exponent: alpha.

    Returns:
        (2,) both ratios.
    """
    n = math.prod(shape)
    blocks = shell_blocks(
        parts_of(xxz_model(shape, exponent=exponent, j_z=0.0).canonical).couplings, 4
    )
    (reduced,) = blocks.rank_two
    first = reduced[0, 2][0]
    size = float(np.linalg.norm(first))
    to_odd = float(np.linalg.norm(first @ reduced[2, 3])) / size
    to_even = float(np.linalg.norm(first @ reduced[2, 4])) / size
    m = n / 2 - np.arange(n + 1, dtype=np.float64)
    weight = np.abs(coherent_amplitudes(n / 2, [1.0, 0.0, 0.0])) ** 2

    def rms(spin: float, step: int) -> float:
        return float(np.sqrt(weight @ magnetic_factor(2, spin, step, m) ** 2))

    odd = rms(n / 2 - 2, 1) * to_odd
    return np.array([odd / (rms(n / 2, 2) * size), odd / (rms(n / 2 - 2, 2) * to_even)])
