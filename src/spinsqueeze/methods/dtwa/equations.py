"""The equation of motion in jax, unchanged on CPU and GPU, and what is known of spins at one time.

Inputs are arrays only: the spins, the kernels, and the strengths of every term.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import jax
import jax.numpy as jnp

from spinsqueeze.methods.dtwa.couplings import FieldPlan
from spinsqueeze.methods.dtwa.fields import Triple, across_samples, fields


@final
@dataclass(frozen=True)
class Equations:
    """d sigma_i/dt = B_i x sigma_i for one plan; every method may be used inside a jax program.

    Whole batches are handled as flat arrays: one long loop each, whatever the shape.
    """

    plan: FieldPlan

    def shaped(self, flat: Any) -> Any:
        """One component of all spins with its axes of samples and cells."""
        cells = self.plan.n_cells
        return flat.reshape((cells, -1) if self.plan.side_by_side else (-1, cells))

    def sums(self, spins: Triple) -> Any:
        """Sums over the cells (3, S): at most 64 cells in the spins' precision, then float64."""
        return jnp.stack([_cell_sums(self.shaped(c), 1 - self.plan.sample_axis) for c in spins])

    def slope(self, flat: Triple, data: Any, strengths: Any) -> Triple:
        """B x sigma of flat arrays."""
        batch = (self.shaped(flat[0]), self.shaped(flat[1]), self.shaped(flat[2]))
        B = fields(self.plan, data, batch, strengths)
        whole = [jnp.broadcast_to(b, batch[0].shape) for b in B]
        return _cross(flattened((whole[0], whole[1], whole[2])), flat)

    def edge(self, spins: Triple, data: Any, strengths: Any) -> Any:
        """See `Programs.edge`."""
        cells, wide = 1 - self.plan.sample_axis, jnp.float64
        B = fields(self.plan, data, spins, strengths)
        linear = fields(replace(self.plan, kernels=()), data, spins, strengths)
        energy = sum(
            jnp.sum((s * (b + v)).astype(wide), axis=cells)
            for s, b, v in zip(spins, B, linear, strict=True)
        )
        scale = jnp.sum(
            jnp.sqrt(sum((s * s for s in spins), start=0.0) * sum((b * b for b in B), start=0.0)),
            axis=cells, dtype=wide,
        )  # fmt: skip
        length: Any = sum(s * s for s in spins)
        stretch = jnp.max(jnp.abs(length - across_samples(self.plan, data["length"])), axis=cells)
        whole = [jnp.broadcast_to(b, spins[0].shape) for b in B]
        slope = _cross((whole[0], whole[1], whole[2]), spins)
        return slope, energy / 4, scale / 4, stretch, self.sums(spins)

    def rotated(self, spins: Triple, matrix: Any, mask: Any) -> Triple:
        """The spins of the mask (n_cells,) turned by a matrix (3, 3), the others as they are."""
        stacked = jnp.stack(spins)
        turned = jnp.einsum("ab,bij->aij", matrix, stacked.astype(jnp.float64))
        out = jnp.where(across_samples(self.plan, mask), turned.astype(stacked.dtype), stacked)
        return (out[0], out[1], out[2])


@final
@dataclass(frozen=True)
class Programs:
    """Compiled functions of one plan.

    edge(spins, data, strengths) -> (slope, energy (S,), energy scale (S,), largest change of a
    squared spin length (S,), sums (3, S)): what is known at one time. The energy scale is the
    energy with every spin along its field.
    rotate(spins, matrix, mask) -> spins.
    """

    edge: Callable[..., Any]
    rotate: Callable[..., Any]


@lru_cache(maxsize=32)
def programs(plan: FieldPlan) -> Programs:
    """The compiled functions of a plan; the types of the arrays decide the precision."""
    equations = Equations(plan)
    return Programs(jax.jit(equations.edge), jax.jit(equations.rotated))


def flattened(batch: Triple) -> Triple:
    """Three components of all spins, each in one row."""
    return (batch[0].reshape(-1), batch[1].reshape(-1), batch[2].reshape(-1))


def _cross(u: Triple, v: Triple) -> Triple:
    return (
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    )


def _cell_sums(batch: Any, axis: int) -> Any:
    """Sums along one axis in float64, the first of them over few enough numbers for float32."""
    n = batch.shape[axis]
    few = max(k for k in range(1, 65) if n % k == 0)
    if batch.dtype == jnp.float64 or few == 1:
        return jnp.sum(batch, axis=axis, dtype=jnp.float64)
    split = (*batch.shape[:axis], few, n // few, *batch.shape[axis + 1 :])
    partial = jnp.sum(batch.reshape(split), axis=axis)
    return jnp.sum(partial, axis=axis, dtype=jnp.float64)
