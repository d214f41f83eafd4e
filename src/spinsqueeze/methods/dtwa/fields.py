"""The field B_i on every spin, in jax: one function per kind of kernel.

A batch of spins is a tuple (x, y, z) of arrays (S, n_cells), or (n_cells, S) when the plan says
`side_by_side`; S samples.
"""

from itertools import pairwise
from typing import Any

import jax.numpy as jnp
from jax import lax

from spinsqueeze.methods.dtwa.couplings import FieldPlan, KernelPlan

Triple = tuple[Any, Any, Any]


def fields(plan: FieldPlan, data: dict[str, Any], spins: Triple, strengths: dict[str, Any]) -> Any:
    """B as a triple of arrays that broadcast to the shape of the spins.

    `data` holds "kernels" (one array each), "site" (G, 3, n_cells) and, where the machine code is
    used, "line" (see `machine_code.lanes.convolve`); `strengths` holds, at one time, "kernels" (one
    3 x 3 each), "uniform" (3,) and "site" (G,).
    """
    dtype = spins[0].dtype
    B: list[Any] = [None, None, None]

    def add(a: int, value: Any) -> None:
        B[a] = value if B[a] is None else B[a] + value

    for k, kernel in enumerate(plan.kernels):
        matrix, array = strengths["kernels"][k], data["kernels"][k]
        if kernel.kind in _WITHOUT_PRODUCT:
            _WITHOUT_PRODUCT[kernel.kind](plan, kernel, array, spins, matrix, add)
            continue
        product = kernel_products(plan, kernel, array, spins, line=data.get("line"))
        for a, b in kernel.entries:
            add(a, matrix[a, b].astype(dtype) * product[b])
    for a in range(3):
        if plan.uniform_field:
            add(a, strengths["uniform"][a].astype(dtype))
        for g in range(plan.n_site_fields):
            add(
                a,
                strengths["site"][g].astype(dtype)
                * across_samples(plan, data["site"][g, a].astype(dtype)),
            )
        if B[a] is None:
            B[a] = jnp.zeros((), dtype)
    return tuple(B)


def kernel_products(
    plan: FieldPlan, kernel: KernelPlan, array: Any, spins: Any, *, line: Any
) -> dict[int, Any]:
    """What a kernel makes of the components that it acts on; line: of the machine code."""
    if plan.side_by_side and kernel.kind == "circulant":
        return _convolved_lanes(kernel, array, line, spins)
    product: dict[int, Any] = _PRODUCTS[kernel.kind](plan, kernel, array, spins)
    return product


def across_samples(plan: FieldPlan, values: Any) -> Any:
    """Values (n_cells,) in a shape that broadcasts with the spins."""
    return jnp.expand_dims(values, plan.sample_axis)


def _collective(
    plan: FieldPlan, kernel: KernelPlan, weights: Any, spins: Triple, matrix: Any, add: Any
) -> None:
    """w_i Q (sum_j w_j sigma_j - w_i sigma_i); the sum in float64."""
    dtype = spins[0].dtype
    wide = across_samples(plan, weights)
    w = wide.astype(dtype)
    cells = 1 - plan.sample_axis
    total = {
        b: jnp.sum(spins[b].astype(jnp.float64) * wide, axis=cells, keepdims=True)
        for b in kernel.components
    }
    for a, b in kernel.entries:
        strength = matrix[a, b]
        pull = (strength * total[b]).astype(dtype)
        add(a, w * (pull - strength.astype(dtype) * (w * spins[b])))


def _reaction(
    plan: FieldPlan, _kernel: KernelPlan, vectors: Any, spins: Triple, matrix: Any, add: Any
) -> None:
    """(rate/2) (u_i V - v_i U), U = sum_j u_j.sigma_j and V = sum_j v_j.sigma_j without j = i."""
    dtype, cells, rate = spins[0].dtype, 1 - plan.sample_axis, matrix[0, 0]
    wide = [across_samples(plan, vectors[a]) for a in range(6)]
    rows = [w.astype(dtype) for w in wide]
    others = []
    for first in (0, 3):
        total = sum(
            jnp.sum(spins[a].astype(jnp.float64) * wide[first + a], axis=cells, keepdims=True)
            for a in range(3)
        )
        own = sum(rows[first + a] * spins[a] for a in range(3))
        others.append((rate / 2 * total).astype(dtype) - (rate / 2).astype(dtype) * own)
    for a in range(3):
        add(a, rows[a] * others[1] - rows[3 + a] * others[0])


def _convolved_lanes(kernel: KernelPlan, spectrum: Any, line: Any, spins: Triple) -> dict[int, Any]:
    """K * sigma by the machine code."""
    from spinsqueeze.methods.dtwa.machine_code.lanes import convolve

    chosen = [spins[b] for b in kernel.components]
    found = convolve(chosen, spectrum, line=line, shape=kernel.shape, embedding=kernel.embedding)
    return dict(zip(kernel.components, found, strict=True))


def _circulant(
    _plan: FieldPlan, kernel: KernelPlan, spectrum: Any, spins: Triple
) -> dict[int, Any]:
    """K * sigma by Fourier transforms, two real fields in one complex one.

    K is real and even, hence its spectrum real, and K*(u + iv) = K*u + i K*v: nothing to unpack.
    An odd component pairs the first half of the samples with the second.
    """
    n_samples = spins[0].shape[0]
    spectrum = spectrum.astype(spins[0].dtype)
    axes = tuple(range(1, 1 + len(kernel.shape)))
    pairs = zip(kernel.shape, kernel.embedding, strict=True)
    padding = [(0, 0, 0)] + [(0, m - n, 0) for n, m in pairs]
    padded = kernel.shape != kernel.embedding
    window = tuple(slice(0, n) for n in kernel.shape)

    def convolve(u: Any, v: Any) -> tuple[Any, Any]:
        rows = u.shape[0]
        z = lax.complex(u, v).reshape(rows, *kernel.shape)
        if padded:
            z = lax.pad(z, jnp.zeros((), z.dtype), padding)
        z = jnp.fft.fftn(z, axes=axes)
        z = jnp.fft.ifftn(lax.complex(z.real * spectrum, z.imag * spectrum), axes=axes)
        if padded:
            z = z[(slice(None), *window)]
        z = z.reshape(rows, -1)
        return z.real, z.imag

    out: dict[int, Any] = {}
    components = list(kernel.components)
    if len(components) % 2:
        last = components.pop()
        if n_samples % 2:
            out[last] = convolve(spins[last], jnp.zeros_like(spins[last]))[0]
        else:
            half = n_samples // 2
            out[last] = jnp.concatenate(convolve(spins[last][:half], spins[last][half:]))
    for a, b in list(pairwise(components))[::2]:
        out[a], out[b] = convolve(spins[a], spins[b])
    return out


def _stencil(plan: FieldPlan, kernel: KernelPlan, values: Any, spins: Triple) -> dict[int, Any]:
    """sum_d K_d sigma(x + d) by shifted copies."""
    dtype = spins[0].dtype
    n = spins[0].shape[plan.sample_axis]
    shape = (*kernel.shape, n) if plan.side_by_side else (n, *kernel.shape)
    out = {}
    for b in kernel.components:
        grid = spins[b].reshape(shape)
        total = jnp.zeros_like(grid)
        for k, offset in enumerate(kernel.offsets):
            moved = grid
            for axis, d in enumerate(offset):
                moved = _shift(moved, axis + 1 - plan.sample_axis, d, kernel.periodic[axis])
            total = total + values[k].astype(dtype) * moved
        out[b] = total.reshape(spins[b].shape)
    return out


def _shift(grid: Any, axis: int, d: int, periodic: bool) -> Any:
    """grid[x + d] along one axis; 0 beyond an open edge."""
    n = grid.shape[axis]
    if d == 0:
        return grid
    if periodic:
        return jnp.roll(grid, -d, axis=axis)
    if abs(d) >= n:
        return jnp.zeros_like(grid)
    padding = [(0, 0, 0)] * grid.ndim
    padding[axis] = (-d, d, 0)
    return lax.pad(grid, jnp.zeros((), grid.dtype), padding)


def _dense(plan: FieldPlan, kernel: KernelPlan, matrix: Any, spins: Triple) -> dict[int, Any]:
    """All components and samples in one product with the matrix."""
    axis = plan.sample_axis
    stacked = jnp.concatenate([spins[b] for b in kernel.components], axis=axis)
    matrix = matrix.astype(stacked.dtype)
    factors = (matrix, stacked) if plan.side_by_side else (stacked, matrix)
    product = jnp.dot(*factors, precision=lax.Precision.HIGHEST)
    parts = jnp.split(product, len(kernel.components), axis=axis)
    return dict(zip(kernel.components, parts, strict=True))


_PRODUCTS = {"circulant": _circulant, "stencil": _stencil, "dense": _dense}
_WITHOUT_PRODUCT = {"collective": _collective, "reaction": _reaction}
