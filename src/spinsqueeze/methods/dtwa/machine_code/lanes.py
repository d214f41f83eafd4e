"""Grid convolutions on a CPU, one sample per vector lane: every sample takes the same step.

The spins of a batch lie side by side in memory, (n_cells, S), so a transform along any axis works
on whole 64-byte vectors: no shuffles, no transposes, twiddle factors shared by all lanes. The
transform is a mixed-radix Stockham loop (radices 2, 3, 4, 5, 8) on one line of the grid at a time,
small enough for the first cache; the last axis to be transformed is multiplied by the spectrum
and transformed back while it is there. An inverse transform is a forward one with real and
imaginary parts exchanged.

The loops are compiled by numba from vector instructions written out in `butterflies`, and entered
from a jax program as a foreign function (`convolve`). Where `switch` says that they cannot be
used, `fields` uses the transforms of jax instead.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numba import cfunc, njit, types

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.dtwa.machine_code.butterflies import (
    call,
    clear_row,
    load_integer,
    move_row,
    radix_2,
    radix_3,
    radix_4,
    radix_5,
    radix_8,
    scale_row,
    store_integer,
)
from spinsqueeze.methods.dtwa.machine_code.sizes import ROW, lanes, radices

_ENTRIES: list[Any] = []
"""Compiled entries, kept alive for as long as jax may call them."""


def twiddles(factors: tuple[int, ...]) -> Floats:
    """Factors exp(-2 pi i p k / n) in the order in which `_line` reads them."""
    out: list[float] = []
    m = int(np.prod(factors))
    for r in factors:
        n, m = m, m // r
        for p in range(m):
            for k in range(1, r):
                angle = -2 * np.pi * ((p * k) % n) / n
                out += [np.cos(angle), np.sin(angle)]
    return np.array(out)


@njit(cache=True, nogil=True)
def _butterfly(r, sr, si, ss, dr, di, ds, tw, one):  # type: ignore[no-untyped-def]
    """Transform r rows."""
    if r == 8:
        radix_8(sr, si, ss, dr, di, ds, tw, one)
    elif r == 4:
        radix_4(sr, si, ss, dr, di, ds, tw, one)
    elif r == 2:
        radix_2(sr, si, ss, dr, di, ds, tw, one)
    elif r == 3:
        radix_3(sr, si, ss, dr, di, ds, tw, one)
    else:
        radix_5(sr, si, ss, dr, di, ds, tw, one)


def _line(sr, si, ss, n, dr, di, ds, kept, a, b, size, factors, n_factors, tw, width, one):  # type: ignore[no-untyped-def]
    """Transform n rows at sr + i si (stride ss), zero beyond, to the first `kept` at dr + i di."""
    if n < size:
        for k in range(n):
            move_row(a + k * ROW, sr + k * ss, one)
            move_row(a + (size + k) * ROW, si + k * ss, one)
        for k in range(n, size):
            clear_row(a + k * ROW, one)
            clear_row(a + (size + k) * ROW, one)
        sr, si, ss = a, a + size * ROW, ROW
    m, s = size, 1
    for j in range(n_factors):
        r = load_integer(factors + 8 * j)
        m //= r
        if j == n_factors - 1 and kept == size:
            er, ei, es = dr, di, ds
        else:
            er, ei, es = b, b + size * ROW, ROW
        for p in range(m):
            for q in range(s):
                x, y = (q + s * p) * ss, (q + s * r * p) * es
                i, o = s * m * ss, s * es
                _butterfly(r, sr + x, si + x, i, er + y, ei + y, o, tw, one)
            tw += (r - 1) * 2 * width
        s *= r
        sr, si, ss = er, ei, es
        a, b = b, a
    if n_factors == 0 or kept < size:
        for k in range(kept):
            move_row(dr + k * ds, sr + k * ss, one)
            move_row(di + k * ds, si + k * ss, one)


# The transform of a line is compiled once, by itself, and called by its address: linked into its
# callers it would be compiled again with each of them.
@lru_cache(maxsize=2)
def _compiled_line(dtype: str) -> Any:
    kind = types.float32 if dtype == "float32" else types.float64
    return cfunc(types.void(*[types.int64] * 15, kind), cache=True)(_line)


@njit(cache=True, nogil=True)
def _middle(line, xr, xi, row, n, kept, m1, m2, a, b, c, f1, c1, w1, width, one):  # type: ignore[no-untyped-def]
    """Transform the n rows of one plane along its first axis, m2 times, in place; keep some of m1.

    Without factors, c1 = 0, there is no such axis.
    """
    if c1 == 0:
        return
    for k in range(m2):
        x = k * ROW
        call(line, xr + x, xi + x, row, n, c, c + m1 * ROW, ROW, m1, a, b, m1, f1, c1, w1,
              width, one)  # fmt: skip
        for j in range(kept):
            move_row(xr + x + j * row, c + j * ROW, one)
            move_row(xi + x + j * row, c + (m1 + j) * ROW, one)


@njit(cache=True, nogil=True)
def _grid(ur, ui, vr, vi, stride, plan, tw, spectrum, work, width, one):  # type: ignore[no-untyped-def]
    """Convolve u, one row of lanes per cell, into v; see `_plan_of` for the plan."""
    n0, n1, n2 = load_integer(plan), load_integer(plan + 8), load_integer(plan + 16)
    m0, m1, m2 = load_integer(plan + 24), load_integer(plan + 32), load_integer(plan + 40)
    c0, c1, c2 = load_integer(plan + 48), load_integer(plan + 56), load_integer(plan + 64)
    w0, w1, w2 = (
        tw + load_integer(plan + 72),
        tw + load_integer(plan + 80),
        tw + load_integer(plan + 88),
    )
    f0, f1, f2 = plan + 96, plan + 160, plan + 224
    line = load_integer(plan + 288)
    # One row more than the grid's last axis keeps strides off powers of two.
    row = (m2 + 1) * ROW
    plane = m1 * row
    wr, wi = work, work + n0 * plane
    longest = max(m0, m1, m2)
    a = wi + n0 * plane
    b = a + 2 * longest * ROW
    c = b + 2 * longest * ROW
    for i in range(n0):
        for j in range(n1):
            x, y = (i * n1 + j) * n2 * stride, i * plane + j * row
            call(line, ur + x, ui + x, stride, n2, wr + y, wi + y, ROW, m2, a, b, m2, f2, c2, w2,
                  width, one)  # fmt: skip
        _middle(line, wr + i * plane, wi + i * plane, row, n1, m1, m1, m2, a, b, c, f1, c1, w1,
                width, one)  # fmt: skip
    for j in range(m1):
        for k in range(m2):
            y = j * row + k * ROW
            call(line, wr + y, wi + y, plane, n0, c, c + m0 * ROW, ROW, m0, a, b, m0, f0, c0, w0,
                  width, one)  # fmt: skip
            for i in range(m0):
                factor = spectrum + ((i * m1 + j) * m2 + k) * width
                scale_row(c + i * ROW, factor, one)
                scale_row(c + (m0 + i) * ROW, factor, one)
            call(line, c + m0 * ROW, c, ROW, m0, wi + y, wr + y, plane, n0, a, b, m0, f0, c0, w0,
                  width, one)  # fmt: skip
    for i in range(n0):
        _middle(line, wi + i * plane, wr + i * plane, row, m1, n1, m1, m2, a, b, c, f1, c1, w1,
                width, one)  # fmt: skip
        for j in range(n1):
            x, y = (i * n1 + j) * n2 * stride, i * plane + j * row
            call(line, wi + y, wr + y, ROW, m2, vi + x, vr + x, stride, n2, a, b, m2, f2, c2, w2,
                  width, one)  # fmt: skip


@njit(cache=True, nogil=True)
def _components(frame, width, one):  # type: ignore[no-untyped-def]
    """Read the arguments of the foreign call, pair the fields, convolve every vector of samples.

    Layout of the call frame: see `foreign_layout`, which compares it with the header of jaxlib.
    """
    extension = load_integer(frame + 8)
    if extension != 0:
        if load_integer(extension + 8) & 0xFFFFFFFF == 1:
            metadata = load_integer(extension + 24)
            store_integer(metadata + 24, 0)
            store_integer(metadata + 28, 1)
        return
    if load_integer(frame + 32) & 0xFFFFFFFF != 3:
        return
    inputs, outputs = load_integer(frame + 72), load_integer(frame + 112)
    n_fields = load_integer(frame + 56) - 3
    plan = load_integer(load_integer(inputs) + 24)
    tw = load_integer(load_integer(inputs + 8) + 24)
    spectrum = load_integer(load_integer(inputs + 16) + 24)
    work = load_integer(load_integer(outputs + 8 * n_fields) + 24)
    n_samples = load_integer(load_integer(load_integer(inputs + 24) + 40) + 8)
    stride = n_samples * width
    n_rows = stride // ROW
    for pair in range(n_fields // 2):
        ur = load_integer(load_integer(inputs + 8 * (3 + 2 * pair)) + 24)
        ui = load_integer(load_integer(inputs + 8 * (4 + 2 * pair)) + 24)
        vr = load_integer(load_integer(outputs + 8 * (2 * pair)) + 24)
        vi = load_integer(load_integer(outputs + 8 * (2 * pair + 1)) + 24)
        for r in range(n_rows):
            x = r * ROW
            _grid(ur + x, ui + x, vr + x, vi + x, stride, plan, tw, spectrum, work, width, one)
    if n_fields % 2 == 1:
        u = load_integer(load_integer(inputs + 8 * (2 + n_fields)) + 24)
        v = load_integer(load_integer(outputs + 8 * (n_fields - 1)) + 24)
        for r in range((n_rows + 1) // 2):
            # An odd number of vectors leaves one without a partner: it is its own, K*(u + iu).
            x, y = r * ROW, (n_rows - 1 - r) * ROW
            _grid(u + x, u + y, v + x, v + y, stride, plan, tw, spectrum, work, width, one)


def _enter_single(frame):  # type: ignore[no-untyped-def]
    _components(frame, 4, np.float32(1.0))
    return 0


def _enter_double(frame):  # type: ignore[no-untyped-def]
    _components(frame, 8, 1.0)
    return 0


@lru_cache(maxsize=64)
def _plan_of(shape: tuple[int, ...], embedding: tuple[int, ...]) -> tuple[Any, Any]:
    """The plan (integers) and twiddle factors of a grid of up to three axes.

    Axes are padded in the middle or behind to three, the first being the one that is transformed
    last. Words: shape, embedding, numbers of factors, offsets of the twiddle factors (counted in
    numbers), then eight places for the factors of each axis.
    """
    filler = (1,) * (3 - len(shape))
    grid = (shape[0], *filler, *shape[1:])
    padded = (embedding[0], *filler, *embedding[1:])
    factors = [radices(m) or () for m in padded]
    tables = [twiddles(f) for f in factors]
    offsets = np.cumsum([0] + [len(t) for t in tables])[:3]
    places = [list(f) + [0] * (8 - len(f)) for f in factors]
    words = [
        *grid,
        *padded,
        *(len(f) for f in factors),
        *offsets,
        *places[0],
        *places[1],
        *places[2],
        0,
    ]
    return np.array(words, dtype=np.int64), np.concatenate([*tables, np.ones(1)])


@lru_cache(maxsize=2)
def _target(dtype: str) -> str:
    """Register the compiled entry with jax, and give its name."""
    import jax.ffi

    body = _enter_single if dtype == "float32" else _enter_double
    entry = cfunc(types.int64(types.int64), cache=True)(body)
    name = f"spinsqueeze_grid_convolution_{dtype}"
    jax.ffi.register_ffi_target(name, jax.ffi.pycapsule(entry.ctypes), platform="cpu")
    _ENTRIES.append(entry)
    return name


def line_address(dtype: str) -> int:
    """Where the compiled transform of a line lies in this process: the `line` of `convolve`."""
    return int(_compiled_line(dtype).address)


def convolve(
    fields: list[Any],
    spectrum: Any,
    *,
    line: Any,
    shape: tuple[int, ...],
    embedding: tuple[int, ...],
) -> list[Any]:
    """K * u for each of the fields (n_cells, S), S a multiple of `lanes`; inside a jax program.

    spectrum: the Fourier transform of the kernel on the embedding grid, real. line: `line_address`
    as an array of int64, an argument of the program: as a constant it would make the program
    another one in every process, which a cache of jax's compiled programs could not find again.
    """
    import jax
    import jax.ffi
    import jax.numpy as jnp

    dtype = np.dtype(fields[0].dtype)
    words, table = _plan_of(shape, embedding)
    words = words.copy()
    words[9:12] *= dtype.itemsize
    n0, (m0, m1, m2) = words[0], words[3:6]
    rows = 2 * n0 * m1 * (m2 + 1) + 6 * max(m0, m1, m2)
    spins = jax.ShapeDtypeStruct(fields[0].shape, dtype)
    work = jax.ShapeDtypeStruct((int(rows) * lanes(dtype),), dtype)
    call = jax.ffi.ffi_call(_target(str(dtype)), (*([spins] * len(fields)), work))
    scaled = (spectrum / int(np.prod(embedding))).astype(dtype)
    whole = jnp.asarray(words).at[36].set(line)
    return list(call(whole, jnp.asarray(table.astype(dtype)), scaled, *fields)[:-1])
