"""Moments as an imperfect detector finds them.

A spin read as m_i = s_i e_i, e_i = -1 with probability p and else 1, has <m_i> = q <s_i>,
q = 1 - 2 p, and <m_i m_j> = q^2 <s_i s_j> for i != j, while m_i^2 = 1/4 whatever it is: of
<M^2> = N/4 + q^2 (<S^2> - N/4) the first part is not squeezed. Hence the covariance
q^2 C + N (1 - q^2)/4 = q^2 C + N p (1 - p), and noise of the count adds its variance.
"""

import numpy as np

from spinsqueeze.models.readout import Readout
from spinsqueeze.observables.moments import BlockMoments, Moments


def as_measured(moments: Moments | BlockMoments, *, readout: Readout) -> Moments | BlockMoments:
    """The moments (...) that a readout makes of those of the spins; blocks stay blocks."""
    p, q = readout.detection_error, 1.0 - 2.0 * readout.detection_error
    added = np.asarray(moments.n_spins) * (p * (1.0 - p)) + readout.resolution**2
    noise = added[..., None, None] * np.eye(3)
    if isinstance(moments, Moments):
        return Moments(moments.n_spins, q * moments.spin, q * q * moments.covariance + noise)
    return BlockMoments(
        n_spins=moments.n_spins,
        reference=q * moments.reference,
        weights=moments.weights,
        first=q * moments.first,
        second=q * q * moments.second + noise,
    )
