"""How matrix elements between total spins depend on the magnetisation (Wigner-Eckart).

<S', M| T_0 |S, M> of a tensor operator of rank 1 or 2 is a reduced element times a Clebsch-Gordan
coefficient; here these up to factors without M, for the larger spin S and S' = S - step.
"""

import numpy as np

from spinsqueeze.core.arrays import Floats

HIGHEST_STEP = {1: 1, 2: 2}


def magnetic_factor(rank: int, spin: float, step: int, m: Floats) -> Floats:
    """The dependence on M of the elements from S = `spin` to S - step; 0 where |M| > S - step."""
    if step == 0:
        factor = m if rank == 1 else 3 * m**2 - spin * (spin + 1)
    elif step == 1:
        factor = np.sqrt(np.maximum(spin**2 - m**2, 0.0)) * (1.0 if rank == 1 else m)
    else:
        factor = np.sqrt(np.maximum((spin**2 - m**2) * ((spin - 1) ** 2 - m**2), 0.0))
    return np.asarray(np.where(np.abs(m) <= spin - step, factor, 0.0))
