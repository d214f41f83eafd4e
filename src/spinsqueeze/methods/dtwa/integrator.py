"""The compiled loop: Runge-Kutta steps of a batch of samples, in jax, unchanged on CPU and GPU.

Inputs are arrays only: the spins, the kernels, the step lengths, and the strengths of every term
at every stage. Nothing calls back to the host inside the loop. Out come, for every step, the
collective sums (in float64) of the spins and of all stage slopes: from them the host evaluates
the collective spins at any time inside the step.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import jax
import jax.numpy as jnp
from jax import lax

from spinsqueeze.methods.dtwa import tableau
from spinsqueeze.methods.dtwa.couplings import FieldPlan
from spinsqueeze.methods.dtwa.fields import Triple, across_samples, fields
from spinsqueeze.methods.dtwa.schedule import STEPS_PER_CALL


@final
@dataclass(frozen=True)
class Program:
    """Compiled functions of one plan.

    start(spins, data, strengths) -> (slope, energy (S,), energy scale (S,), largest change of a
    squared spin length (S,), sums (3, S)): what is known at one time. The energy scale is the
    energy with every spin along its field.
    advance(spins, slope, data, steps) -> (spins, slope, sums (M, 17, 3, S), errors (M, 4, S)).
    rotate(spins, matrix, mask) -> spins.
    """

    start: Callable[..., Any]
    advance: Callable[..., Any]
    rotate: Callable[..., Any]


def _cross(u: Triple, v: Triple) -> Triple:
    return (
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    )


def _combine(weights: dict[int, float], slopes: Triple) -> Triple:
    """sum_j weights_j slopes_j, each component of slopes (16, S, n_cells)."""
    out = []
    for component in slopes:
        total: Any = 0.0
        for j, w in weights.items():
            total = total + component[j] * w
        out.append(total)
    return (out[0], out[1], out[2])


def _cell_sums(batch: Any, axis: int) -> Any:
    """Sums along one axis in float64, the first of them over few enough numbers for float32."""
    n = batch.shape[axis]
    few = max(k for k in range(1, 65) if n % k == 0)
    if batch.dtype == jnp.float64 or few == 1:
        return jnp.sum(batch, axis=axis, dtype=jnp.float64)
    split = (*batch.shape[:axis], few, n // few, *batch.shape[axis + 1 :])
    partial = jnp.sum(batch.reshape(split), axis=axis)
    return jnp.sum(partial, axis=axis, dtype=jnp.float64)


@lru_cache(maxsize=32)
def program(plan: FieldPlan) -> Program:
    """The compiled functions of a plan; the types of the arrays decide the precision."""
    cells, across = 1 - plan.sample_axis, plan.sample_axis
    linear_plan = replace(plan, kernels=())

    # Whole batches are handled as flat arrays: one long loop each, whatever the shape.

    def shaped(flat: Any) -> Any:
        return flat.reshape((plan.n_cells, -1) if plan.side_by_side else (-1, plan.n_cells))

    def flattened(batch: Triple) -> Triple:
        return (batch[0].reshape(-1), batch[1].reshape(-1), batch[2].reshape(-1))

    def totals_of(flat: Triple) -> Any:
        """Sums over the cells (3, S): at most 64 cells in the spins' precision, then float64."""
        return jnp.stack([_cell_sums(shaped(c), cells) for c in flat])

    def slope_of(flat: Triple, data: Any, strengths: Any) -> Triple:
        batch = (shaped(flat[0]), shaped(flat[1]), shaped(flat[2]))
        B = fields(plan, data, batch, strengths)
        whole = [jnp.broadcast_to(b, batch[0].shape) for b in B]
        return _cross(flattened((whole[0], whole[1], whole[2])), flat)

    def start(spins: Triple, data: Any, strengths: Any) -> Any:
        B = fields(plan, data, spins, strengths)
        linear = fields(linear_plan, data, spins, strengths)
        wide = jnp.float64
        energy = sum(
            jnp.sum((s * (b + v)).astype(wide), axis=cells)
            for s, b, v in zip(spins, B, linear, strict=True)
        )
        scale = jnp.sum(
            jnp.sqrt(sum((s * s for s in spins), start=0.0) * sum((b * b for b in B), start=0.0)),
            axis=cells, dtype=wide,
        )  # fmt: skip
        length: Any = sum(s * s for s in spins)
        stretch = jnp.max(jnp.abs(length - across_samples(plan, data["length"])), axis=cells)
        whole = [jnp.broadcast_to(b, spins[0].shape) for b in B]
        slope = _cross((whole[0], whole[1], whole[2]), spins)
        return slope, energy / 4, scale / 4, stretch, totals_of(spins)

    def step(
        spins: Triple, first: Triple, slopes: Triple, data: Any, h: Any, strengths: Any, flags: Any
    ) -> Any:
        dtype = spins[0].dtype
        width = h.astype(dtype)

        def mover(r: int) -> Any:
            def moved(slopes: Triple) -> Triple:
                change = _combine(tableau.STAGES[r], slopes)
                return tuple(s + width * c for s, c in zip(spins, change, strict=True))

            return moved

        def stage(r: Any, carry: Any) -> Any:
            slopes, totals = carry
            here = jax.tree.map(lambda v: v[r], strengths)
            end = lax.switch(r - 1, [mover(k) for k in range(1, 16)], slopes)
            slope = slope_of(end, data, here)
            slopes = tuple(k.at[r].set(s) for k, s in zip(slopes, slope, strict=True))
            return slopes, totals.at[r].set(totals_of(slope))

        n_samples = spins[0].size // plan.n_cells
        slopes = tuple(k.at[0].set(s) for k, s in zip(slopes, first, strict=True))
        totals = jnp.zeros((16, 3, n_samples), jnp.float64).at[0].set(totals_of(first))
        last = jnp.where(flags[0], 16, 13)
        slopes, totals = lax.fori_loop(1, last, stage, (slopes, totals))
        end = mover(12)(slopes)

        def estimate(_: None) -> Any:
            parts = []
            for row in tableau.ERROR:
                error = _combine(row, slopes)
                total = totals_of(error)
                square = jnp.sum(totals_of((error[0] ** 2, error[1] ** 2, error[2] ** 2)), axis=0)
                parts += [h * jnp.sqrt(jnp.sum(total * total, axis=0)), h * jnp.sqrt(square)]
            return jnp.stack(parts)

        none = jnp.zeros((4, n_samples), jnp.float64)
        errors = lax.cond(flags[1], estimate, lambda _: none, None)
        sums = jnp.concatenate([totals_of(spins)[None], totals])
        return end, tuple(k[12] for k in slopes), slopes, sums, errors

    def advance(spins: Triple, slope: Triple, data: Any, steps: Any) -> Any:
        n = spins[0].shape[across]
        spins, slope = flattened(spins), flattened(slope)
        sums = jnp.zeros((STEPS_PER_CALL, 17, 3, n), jnp.float64)
        errors = jnp.zeros((STEPS_PER_CALL, 4, n), jnp.float64)

        def body(i: Any, carry: Any) -> Any:
            spins, slope, slopes, sums, errors = carry
            here = jax.tree.map(lambda v: v[i], steps["strengths"])
            spins, slope, slopes, step_sums, step_errors = step(
                spins, slope, slopes, data, steps["widths"][i], here, steps["flags"][i]
            )
            return spins, slope, slopes, sums.at[i].set(step_sums), errors.at[i].set(step_errors)

        slopes = tuple(jnp.zeros((16, *s.shape), s.dtype) for s in spins)
        spins, slope, _, sums, errors = lax.fori_loop(
            0, steps["count"], body, (spins, slope, slopes, sums, errors)
        )
        return tuple(map(shaped, spins)), tuple(map(shaped, slope)), sums, errors

    def rotate(spins: Triple, matrix: Any, mask: Any) -> Triple:
        stacked = jnp.stack(spins)
        turned = jnp.einsum("ab,bij->aij", matrix, stacked.astype(jnp.float64))
        out = jnp.where(across_samples(plan, mask), turned.astype(stacked.dtype), stacked)
        return (out[0], out[1], out[2])

    return Program(jax.jit(start), jax.jit(advance), jax.jit(rotate))
