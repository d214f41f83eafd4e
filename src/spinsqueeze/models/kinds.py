"""Kinds of spins: spins that nothing in a model tells apart, and arrays of one row a kind.

Spins are numbered kind after kind: of `counts` (C,), the first counts[0] spins are of kind 0.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Integers

Rows = NDArray[Any]


def one_each(n_spins: int) -> Integers:
    """Every spin a kind of its own."""
    return np.ones(n_spins, dtype=np.int64)


def owners(fine: Integers, coarse: Integers) -> Integers:
    """(C_fine,) the coarse kind of which each fine kind is a part."""
    ends = np.cumsum(fine)
    return np.searchsorted(np.cumsum(coarse), ends)


def alike(rows: Rows) -> bool:
    """Whether all rows are the same."""
    return bool(np.all(rows == rows[0]))
