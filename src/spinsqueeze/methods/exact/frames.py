"""The one loop that costs time: a diagonal operator seen from a rotated frame.

A bilinear or linear spin operator along one direction n is diagonal in the product basis whose
quantisation axis is n. With R = exp(-i phi S_z) exp(-i theta S_y), the same rotation on every
spin, it acts as R D R^dagger with a real diagonal D of 2^N numbers. Applying R^dagger costs N
two-by-two rotations for each pair of amplitudes instead of the N(N-1)/2 terms of a sum over pairs.

Basis: amplitude index n = sum_i b_i 2^i, bit b_i = 1 for spin i up, s_z = b - 1/2.

The N bits are split into a low half, contiguous in memory, and a high half, strided: one pass over
memory rotates the low bits, a second rotates the high bits, multiplies by D and rotates back, a
third rotates the low bits back and accumulates. The loops release the interpreter lock and are
shared among threads by ranges of rows or columns, so results do not depend on the number of
threads. One `ProductFrames` serves one caller at a time: its scratch vector is shared.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, TypeVar, cast

import numba
import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.exact.couplings import DIRECTIONS
from spinsqueeze.numerics.processors import available_processors

F = TypeVar("F", bound=Callable[..., Any])

SMALLEST_THREADED_SIZE = 1 << 14
"""Fewer amplitudes than this are not worth handing to a second thread."""

COLUMN_WIDTH = 8
"""Amplitudes side by side in one gathered column block: two cache lines."""


def _compiled(function: F) -> F:
    options = {"nogil": True, "cache": True, "fastmath": {"contract", "nsz", "arcp"}}
    return cast(F, numba.njit(**options)(function))


@_compiled
def _rotate_bits(x: Floats, offset: int, n_bits: int, stride: int, c: float, s: float) -> None:
    """Apply [[c, -s], [s, c]] on (bit 0, bit 1) of each of n_bits bits, two bits at a time."""
    end = offset + (stride << n_bits)
    h = stride
    for _ in range(n_bits // 2):
        for p in range(offset, end, 4 * h):
            for q in range(p, p + h):
                a0 = x[q]
                a1 = x[q + h]
                a2 = x[q + 2 * h]
                a3 = x[q + 3 * h]
                b0 = c * a0 - s * a1
                b1 = s * a0 + c * a1
                b2 = c * a2 - s * a3
                b3 = s * a2 + c * a3
                x[q] = c * b0 - s * b2
                x[q + h] = c * b1 - s * b3
                x[q + 2 * h] = s * b0 + c * b2
                x[q + 3 * h] = s * b1 + c * b3
        h *= 4
    if n_bits % 2 == 1:
        for q in range(offset, offset + h):
            a0 = x[q]
            a1 = x[q + h]
            x[q] = c * a0 - s * a1
            x[q + h] = s * a0 + c * a1


@_compiled
def _rows_in(
    source: Complexes,
    target: Complexes,
    low_bits: int,
    c: float,
    s: float,
    phases: Complexes,
    popcount: Integers,
    start: int,
    stop: int,
) -> None:
    """Target = (low bits of R^dagger) source, row by row; phases[k] = exp(i phi k), or empty."""
    length = 1 << low_bits
    real = target.view(np.float64)
    for row in range(start, stop):
        first = row * length
        if phases.size == 0:
            for k in range(length):
                target[first + k] = source[first + k]
        else:
            high = popcount[row]
            for k in range(length):
                target[first + k] = source[first + k] * phases[high + popcount[k]]
        _rotate_bits(real, 2 * first, low_bits, 2, c, s)


@_compiled
def _columns(
    x: Complexes,
    diagonal: Floats,
    low_bits: int,
    high_bits: int,
    width: int,
    c: float,
    s: float,
    start: int,
    stop: int,
) -> None:
    """In place: rotate the high bits, multiply by the diagonal, rotate the high bits back."""
    length = 1 << low_bits
    rows = 1 << high_bits
    buffer = np.empty(2 * width * rows)
    real = x.view(np.float64)
    for block in range(start, stop):
        column = block * width
        for row in range(rows):
            first = 2 * (row * length + column)
            for k in range(2 * width):
                buffer[row * 2 * width + k] = real[first + k]
        _rotate_bits(buffer, 0, high_bits, 2 * width, c, s)
        for row in range(rows):
            first = row * length + column
            at = row * 2 * width
            for k in range(width):
                buffer[at + 2 * k] *= diagonal[first + k]
                buffer[at + 2 * k + 1] *= diagonal[first + k]
        _rotate_bits(buffer, 0, high_bits, 2 * width, c, -s)
        for row in range(rows):
            first = 2 * (row * length + column)
            for k in range(2 * width):
                real[first + k] = buffer[row * 2 * width + k]


@_compiled
def _rows_out(
    x: Complexes,
    out: Complexes,
    low_bits: int,
    c: float,
    s: float,
    phases: Complexes,
    popcount: Integers,
    start: int,
    stop: int,
) -> None:
    """Out += (low bits of R) x, row by row; x is spent."""
    length = 1 << low_bits
    real = x.view(np.float64)
    for row in range(start, stop):
        first = row * length
        _rotate_bits(real, 2 * first, low_bits, 2, c, -s)
        if phases.size == 0:
            for k in range(length):
                out[first + k] += x[first + k]
        else:
            high = popcount[row]
            for k in range(length):
                out[first + k] += x[first + k] * np.conj(phases[high + popcount[k]])


@_compiled
def _multiply(
    diagonal: Floats,
    x: Complexes,
    out: Complexes,
    start: int,
    stop: int,
) -> None:
    """Out = diagonal x."""
    for k in range(start, stop):
        out[k] = diagonal[k] * x[k]


@_compiled
def _recurrence(
    w: Complexes,
    v: Complexes,
    u: Complexes,
    alpha: float,
    beta: float,
    start: int,
    stop: int,
) -> None:
    """Lanczos three-term recurrence in place: w -= alpha v + beta u."""
    for k in range(start, stop):
        w[k] -= alpha * v[k] + beta * u[k]


class ProductFrames:
    """Work space for operators on the full space of n_spins spins.

    Args:
        n_spins: number of spins N, 1 to 30.
        threads: threads that share the loops; None takes the processors this process may use.

    Attributes:
        dimension: 2^N.
        magnetisation: (2^N,) the eigenvalue of S_z at each index.
    """

    def __init__(self, n_spins: int, *, threads: int | None = None) -> None:
        if not 1 <= n_spins <= 30:
            raise InvalidInput(
                f"n_spins must be between 1 and 30 for a state of 2^N amplitudes, got {n_spins}; "
                "use DTWA or a collective method for more spins"
            )
        if threads is not None and threads < 1:
            raise InvalidInput(f"threads must be at least 1 or None, got {threads}")
        self.n_spins = n_spins
        self.dimension = 1 << n_spins
        self.threads = threads or available_processors()
        self._low = (n_spins + 1) // 2
        self._high = n_spins - self._low
        self._width = min(COLUMN_WIDTH, 1 << self._low)
        count = np.zeros(1, dtype=np.int64)
        for _ in range(self._low):
            count = np.concatenate([count, count + 1])
        self._popcount = count
        high = count[: 1 << self._high]
        self.magnetisation = (high[:, None] + (count[None, :] - n_spins / 2)).ravel()
        self._scratch = np.empty(self.dimension, dtype=np.complex128)
        self._pool: ThreadPoolExecutor | None = None
        if self.threads > 1 and self.dimension >= SMALLEST_THREADED_SIZE:
            self._pool = ThreadPoolExecutor(self.threads)

    def _shared(self, kernel: Callable[..., None], items: int, *arguments: Any) -> None:
        if self._pool is None:
            kernel(*arguments, 0, items)
            return
        edges = [items * k // self.threads for k in range(self.threads + 1)]
        jobs = [self._pool.submit(kernel, *arguments, a, b) for a, b in pairwise(edges) if b > a]
        for job in jobs:
            job.result()

    def multiply(
        self,
        diagonal: Floats,
        psi: Complexes,
        out: Complexes,
    ) -> None:
        """Out = D psi for a real diagonal D (2^N,)."""
        self._shared(_multiply, self.dimension, diagonal, psi, out)

    def add_rotated(
        self,
        diagonal: Floats,
        polar: float,
        azimuth: float,
        psi: Complexes,
        out: Complexes,
    ) -> None:
        """Out += R D R^dagger psi, R = exp(-i azimuth S_z) exp(-i polar S_y).

        With D the eigenvalues of an operator f(s_1z, ..., s_Nz), R D R^dagger is the same f of the
        components s_i.n, n = (sin polar cos azimuth, sin polar sin azimuth, cos polar).
        """
        c, s = float(np.cos(polar / 2)), float(np.sin(polar / 2))
        phases = np.empty(0, dtype=np.complex128)
        if azimuth != 0.0:
            phases = np.exp(1j * azimuth * np.arange(self.n_spins + 1))
        rows, blocks = 1 << self._high, (1 << self._low) // self._width
        t = self._scratch
        # exp(+i polar s_y) takes (down, up) to (c down - s up, s down + c up).
        self._shared(_rows_in, rows, psi, t, self._low, c, s, phases, self._popcount)
        self._shared(_columns, blocks, t, diagonal, self._low, self._high, self._width, c, s)
        self._shared(_rows_out, rows, t, out, self._low, c, s, phases, self._popcount)

    def subtract(
        self,
        w: Complexes,
        v: Complexes,
        u: Complexes,
        alpha: float,
        beta: float,
    ) -> None:
        """In place: w -= alpha v + beta u."""
        self._shared(_recurrence, self.dimension, w, v, u, alpha, beta)


def spin_action(frames: ProductFrames, psi: Complexes) -> Complexes:
    """(3, 2^N): S_x psi, S_y psi, S_z psi."""
    out = np.zeros((3, frames.dimension), dtype=np.complex128)
    for row, direction in zip(out[:2], ("x", "y"), strict=True):
        frames.add_rotated(frames.magnetisation, *DIRECTIONS[direction], psi, row)
    frames.multiply(frames.magnetisation, psi, out[2])
    return out
