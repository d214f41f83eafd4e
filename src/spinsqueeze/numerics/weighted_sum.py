"""sum_k w_k A_k of sparse matrices for many weights, on one pattern: a sum costs its numbers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class WeightedSum:
    """Sparse matrices A_k (n, n) of one shape.

    Attributes:
        size: n.
        norms: (K,) largest column sum of |A_k|, a bound of its spectral radius.
    """

    def __init__(self, matrices: Sequence["csr_array"]) -> None:
        from scipy.sparse import csr_array

        self.norms = np.array([abs(m).sum(axis=0).max(initial=0.0) for m in matrices])
        self._only = matrices[0].tocsr() if len(matrices) == 1 else None
        self.size = int(matrices[0].shape[0])
        if self._only is not None:
            return
        pattern = csr_array(sum(abs(matrix) for matrix in matrices))
        pattern.sum_duplicates()  # and in order
        n = self.size
        rows = np.repeat(np.arange(n, dtype=np.int64), np.diff(pattern.indptr))
        keys = rows * n + pattern.indices
        self._columns, self._starts = pattern.indices, pattern.indptr
        kind = np.result_type(*(matrix.dtype for matrix in matrices))
        self._entries = np.zeros((len(matrices), keys.size), dtype=kind)
        for entries, matrix in zip(self._entries, matrices, strict=True):
            listed = matrix.tocoo()
            places = np.searchsorted(keys, listed.row.astype(np.int64) * n + listed.col)
            held = listed.data != 0  # explicit zeros are in no pattern
            np.add.at(entries, places[held], listed.data[held])

    def at(self, weights: Floats) -> "csr_array":
        """sum_k weights_k A_k."""
        from scipy.sparse import csr_array

        if self._only is not None:
            return (float(weights[0]) * self._only).tocsr()
        numbers = weights @ self._entries
        return csr_array((numbers, self._columns, self._starts), (self.size, self.size))

    def dense(self) -> NDArray[Any]:
        """The matrices (K, n, n)."""
        unit = np.eye(len(self.norms))
        return np.array([self.at(weights).toarray() for weights in unit])
