"""The compiled loop: Runge-Kutta steps of a batch of samples, in jax, unchanged on CPU and GPU.

Inputs are arrays only: the spins, the kernels, the step lengths, and the strengths of every term
at every stage. Nothing calls back to the host inside the loop. Out come, for every step, the
collective sums (in float64) of the spins and of all stage slopes: from them the host evaluates
the collective spins at any time inside the step.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from spinsqueeze.methods.dtwa.couplings import FieldPlan
from spinsqueeze.methods.dtwa.equations import Equations, flattened
from spinsqueeze.methods.dtwa.fields import Triple
from spinsqueeze.methods.dtwa.runge_kutta.steps import STEPS_PER_CALL
from spinsqueeze.numerics.dormand_prince import (
    ERROR,
    N_ALL_STAGES,
    N_STAGES,
    STAGES,
)


@lru_cache(maxsize=32)
def compiled(plan: FieldPlan) -> Callable[..., Any]:
    """advance(spins, slope, data, steps) -> (spins, slope, sums (M, 17, 3, S), errors (M, 4, S)).

    M = STEPS_PER_CALL; the types of the arrays decide the precision.
    """
    equations = Equations(plan)

    def advance(spins: Triple, slope: Triple, data: Any, steps: Any) -> Any:
        n = spins[0].shape[plan.sample_axis]
        spins, slope = flattened(spins), flattened(slope)
        sums = jnp.zeros((STEPS_PER_CALL, 1 + N_ALL_STAGES, 3, n), jnp.float64)
        errors = jnp.zeros((STEPS_PER_CALL, 4, n), jnp.float64)

        def body(i: Any, carry: Any) -> Any:
            spins, slope, slopes, sums, errors = carry
            here = jax.tree.map(lambda v: v[i], steps["strengths"])
            spins, slope, slopes, step_sums, step_errors = _step(
                equations, spins, slope, slopes, data, steps["widths"][i], here, steps["flags"][i]
            )
            return spins, slope, slopes, sums.at[i].set(step_sums), errors.at[i].set(step_errors)

        slopes = tuple(jnp.zeros((N_ALL_STAGES, *s.shape), s.dtype) for s in spins)
        spins, slope, _, sums, errors = lax.fori_loop(
            0, steps["count"], body, (spins, slope, slopes, sums, errors)
        )
        shaped = equations.shaped
        return tuple(map(shaped, spins)), tuple(map(shaped, slope)), sums, errors

    program: Callable[..., Any] = jax.jit(advance)
    return program


def _step(
    equations: Equations,
    spins: Triple,
    first: Triple,
    slopes: Triple,
    data: Any,
    h: Any,
    strengths: Any,
    flags: Any,
) -> Any:
    """One step of length h from flat spins; flags: (an output lies inside, estimate the error)."""
    width = h.astype(spins[0].dtype)

    def mover(r: int) -> Any:
        def moved(slopes: Triple) -> Triple:
            change = _combine(STAGES[r], slopes)
            return tuple(s + width * c for s, c in zip(spins, change, strict=True))

        return moved

    def stage(r: Any, carry: Any) -> Any:
        slopes, totals = carry
        here = jax.tree.map(lambda v: v[r], strengths)
        end = lax.switch(r - 1, [mover(k) for k in range(1, N_ALL_STAGES)], slopes)
        slope = equations.slope(end, data, here)
        slopes = tuple(k.at[r].set(s) for k, s in zip(slopes, slope, strict=True))
        return slopes, totals.at[r].set(equations.sums(slope))

    n_samples = spins[0].size // equations.plan.n_cells
    slopes = tuple(k.at[0].set(s) for k, s in zip(slopes, first, strict=True))
    totals = jnp.zeros((N_ALL_STAGES, 3, n_samples), jnp.float64).at[0].set(equations.sums(first))
    last = jnp.where(flags[0], N_ALL_STAGES, N_STAGES + 1)
    slopes, totals = lax.fori_loop(1, last, stage, (slopes, totals))
    end = mover(N_STAGES)(slopes)

    def estimate(_: None) -> Any:
        parts = []
        for row in ERROR:
            error = _combine(row, slopes)
            total = equations.sums(error)
            square = jnp.sum(equations.sums((error[0] ** 2, error[1] ** 2, error[2] ** 2)), axis=0)
            parts += [h * jnp.sqrt(jnp.sum(total * total, axis=0)), h * jnp.sqrt(square)]
        return jnp.stack(parts)

    none = jnp.zeros((4, n_samples), jnp.float64)
    errors = lax.cond(flags[1], estimate, lambda _: none, None)
    sums = jnp.concatenate([equations.sums(spins)[None], totals])
    return end, tuple(k[N_STAGES] for k in slopes), slopes, sums, errors


def _combine(weights: dict[int, float], slopes: Triple) -> Triple:
    """sum_j weights_j slopes_j, each component of slopes (16, S, n_cells)."""
    out = []
    for component in slopes:
        total: Any = 0.0
        for j, w in weights.items():
            total = total + component[j] * w
        out.append(total)
    return (out[0], out[1], out[2])
