"""Which batches and grids the machine code takes."""

from typing import Any

import numpy as np

ROW = 64
"""Bytes of one vector: 16 samples in float32, 8 in float64."""


def lanes(dtype: Any) -> int:
    """Samples in one vector."""
    return int(ROW // np.dtype(dtype).itemsize)


def radices(size: int) -> tuple[int, ...] | None:
    """Factors 8, 4, 2, 3, 5 of a transform's size, or None when others are needed."""
    out = []
    for r in (8, 4, 2, 3, 5):
        while size % r == 0 and not (r == 8 and size == 16):
            out.append(r)
            size //= r
    return tuple(out) if size == 1 else None


def supports(embedding: tuple[int, ...]) -> bool:
    """Whether this grid can be transformed."""
    return len(embedding) <= 3 and all(radices(m) is not None for m in embedding)
