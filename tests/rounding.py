"""Tolerances at rounding level, from the size of a problem instead of one machine's BLAS.

Which kernel BLAS picks, how many threads it has and how wide the vector units are decides the order
of every sum. A sum of n terms in any order errs by at most n eps times the sum of their magnitudes
(Higham, Accuracy and Stability of Numerical Algorithms, chapter 4), and so do products of matrices
and orthogonal factorisations.
"""

import numpy as np

EPS = float(np.finfo(float).eps)

OPERATIONS = 20
"""Sums that follow each other in a result: a few products, a factorisation, a reading."""


def rounding(n_terms: float, *, scale: float = 1.0, condition: float = 1.0) -> float:
    """Largest error of a few sums of n terms: 20 n eps scale condition.

    scale: magnitude of what is summed, of the same unit as the result. condition: how much the
    result amplifies errors of its input.
    """
    return OPERATIONS * n_terms * EPS * scale * condition
