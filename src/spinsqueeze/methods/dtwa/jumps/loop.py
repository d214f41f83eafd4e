"""The compiled loop of an open system, in jax, unchanged on CPU and GPU.

At every node the noise of the interval around it falls on the spins; between nodes they move by
the drift alone, in one Runge-Kutta step of order 4. Out come the collective sums (in float64)
before and after the noise and of all stage slopes.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from spinsqueeze.methods.dtwa.couplings import FieldPlan
from spinsqueeze.methods.dtwa.equations import Equations, flattened
from spinsqueeze.methods.dtwa.fields import Triple, across_samples, kernel_products
from spinsqueeze.methods.dtwa.jumps.reservoirs import NoisePlan
from spinsqueeze.methods.dtwa.jumps.threefry import binomials, normals, threefry

NODES_PER_CALL = 16
"""Nodes of one compiled call; a longer run is several calls of the same program."""
FILTERED = 2**26
"""Cells of the largest lattice with filtered noise: counters beyond are those of its filters."""
N_SUMS = 6
"""Sums at a node: before and after the noise, and the four slopes of the step that follows."""


@lru_cache(maxsize=32)
def compiled(plan: FieldPlan, noise: NoisePlan) -> Callable[..., Any]:
    """advance(spins, data, keys (2, S), nodes) -> (spins, sums (M, 6, 3, S), pulls (M, K, 3, S)).

    M = NODES_PER_CALL; pulls are sum_i a_i x sigma_i for the vectors a of the kicks, before them,
    of filtered kicks weighted with angles of their own.
    """
    equations = Equations(plan)

    def advance(spins: Triple, data: Any, keys: Any, nodes: Any) -> Any:
        n = spins[0].shape[plan.sample_axis]
        sums = jnp.zeros((NODES_PER_CALL, N_SUMS, 3, n), jnp.float64)
        pulls = jnp.zeros((NODES_PER_CALL, noise.n_kicks, 3, n), jnp.float64)

        def body(i: Any, carry: Any) -> Any:
            spins, sums, pulls = carry
            here = jax.tree.map(lambda v: v[i], nodes["each"])
            before = equations.sums(flattened(spins))
            spins, pull = _noisy(equations, noise, spins, data, keys, here)
            after = equations.sums(flattened(spins))

            def move(spins: Triple) -> Any:
                end, slopes = _step(equations, noise, flattened(spins), data, here)
                return _shaped(equations, end), slopes

            none = jnp.zeros((4, 3, n), jnp.float64)
            spins, slopes = lax.cond(here["width"] > 0, move, lambda s: (s, none), spins)
            total = jnp.concatenate([before[None], after[None], slopes])
            return spins, sums.at[i].set(total), pulls.at[i].set(pull)

        return lax.fori_loop(0, nodes["count"], body, (spins, sums, pulls))

    program: Callable[..., Any] = jax.jit(advance)
    return program


def _shaped(equations: Equations, flat: Triple) -> Triple:
    return (equations.shaped(flat[0]), equations.shaped(flat[1]), equations.shaped(flat[2]))


def _noisy(
    equations: Equations, noise: NoisePlan, spins: Triple, data: Any, keys: Any, here: Any
) -> tuple[Triple, Any]:
    """Noise of every spin, then the kicks; in the reverse order at every other node."""
    plan = equations.plan
    n = spins[0].shape[plan.sample_axis]
    node = here["number"]
    single = partial(_single, equations, noise, keys=keys, here=here)
    if not noise.n_kicks:
        return single(spins), jnp.zeros((0, 3, n), jnp.float64)
    dtype = spins[0].dtype
    turns = [
        _across_cells(plan, angle * here["kicks"][k])
        for k, angle in enumerate(_shared(noise, keys, node))
    ]
    filtered, again = (
        _filtered(equations, noise, spins, data, keys=keys, node=node, draw=draw) for draw in (0, 1)
    )
    turns += [
        angle * here["kicks"][noise.n_shared + k].astype(dtype) for k, angle in enumerate(filtered)
    ]
    vectors = [data["kicks"][k].astype(t.dtype) for k, t in enumerate(turns)]
    weights = [jnp.ones((), dtype)] * noise.n_shared + again
    pull = jnp.stack([_pull(equations, v, w, spins) for v, w in zip(vectors, weights, strict=True)])

    def kick(k: int, spins: Triple) -> Triple:
        return _turned(plan, spins, vectors[k], turns[k])

    def forwards(spins: Triple) -> Triple:
        spins = single(spins)
        for k in range(noise.n_kicks):
            spins = kick(k, spins)
        return spins

    def backwards(spins: Triple) -> Triple:
        for k in reversed(range(noise.n_kicks)):
            spins = kick(k, spins)
        return single(spins)

    return lax.cond(node % 2 == 0, forwards, backwards, spins), pull


def _single(
    equations: Equations, noise: NoisePlan, spins: Triple, *, keys: Any, here: Any
) -> Triple:
    """Noise of every spin by itself: the factor of its site times signs summed."""
    if not noise.noise:
        return spins
    plan = equations.plan
    key = (_across_cells(plan, keys[0]), _across_cells(plan, keys[1]))
    cell = across_samples(plan, jnp.arange(plan.n_cells, dtype=jnp.uint32))
    drawn = binomials(threefry(key, (cell, here["number"])), spins[0].dtype)
    out = list(spins)
    for a, b in noise.noise:
        out[a] = out[a] + across_samples(plan, here["factors"][a, b]) * drawn[b]
    return (out[0], out[1], out[2])


def _shared(noise: NoisePlan, keys: Any, node: Any) -> list[Any]:
    """Normal numbers (S,) of the kicks whose angle all spins share."""
    angles: list[Any] = []
    for pair in range((noise.n_shared + 1) // 2):
        counter = jnp.broadcast_to(jnp.uint32(0xFFFFFFFF - pair), keys[0].shape)
        angles += normals(threefry((keys[0], keys[1]), (counter, node)))
    return angles[: noise.n_shared]


def _pull(equations: Equations, vectors: Any, weights: Any, spins: Triple) -> Any:
    """sum_i weight_i vector_i x sigma_i."""
    x, y, z = _cross_sites(equations.plan, vectors, spins)
    return equations.sums(flattened((weights * x, weights * y, weights * z)))


def _filtered(
    equations: Equations,
    noise: NoisePlan,
    spins: Triple,
    data: Any,
    *,
    keys: Any,
    node: Any,
    draw: int,
) -> list[Any]:
    """Numbers of every spin for each filtered kick: white noise through the filter."""
    plan, dtype = equations.plan, spins[0].dtype
    key = (_across_cells(plan, keys[0]), _across_cells(plan, keys[1]))
    cell = across_samples(plan, jnp.arange(plan.n_cells, dtype=jnp.uint32))
    out: list[Any] = []
    for number, kernel in enumerate(noise.filters):
        offset = jnp.uint32((1 + 2 * number + draw) * FILTERED)
        white = binomials(threefry(key, (cell + offset, node)), dtype)
        white = [jnp.broadcast_to(w, spins[0].shape) for w in white]
        products = kernel_products(
            plan, kernel, data["filters"][number], white, line=data.get("line")
        )
        out += [products[a] for a in range(noise.filter_of.count(number))]
    return out


def _across_cells(plan: FieldPlan, values: Any) -> Any:
    """Values (S,) in a shape that broadcasts with the spins."""
    return jnp.expand_dims(values, 1 - plan.sample_axis)


def _cross_sites(plan: FieldPlan, vectors: Any, spins: Triple) -> Triple:
    a = [across_samples(plan, vectors[b].astype(spins[0].dtype)) for b in range(3)]
    return (
        a[1] * spins[2] - a[2] * spins[1],
        a[2] * spins[0] - a[0] * spins[2],
        a[0] * spins[1] - a[1] * spins[0],
    )


def _turned(plan: FieldPlan, spins: Triple, vectors: Any, turn: Any) -> Triple:
    """Spins turned about vectors (3, n) by the angle turn |vector| (Rodrigues)."""
    dtype = spins[0].dtype
    length = jnp.sqrt(jnp.sum(vectors * vectors, axis=0))
    unit = jnp.where(length > 0, vectors / jnp.where(length > 0, length, 1), 0)
    angle = turn * across_samples(plan, length)
    sine, versine = jnp.sin(angle).astype(dtype), (1 - jnp.cos(angle)).astype(dtype)
    first = _cross_sites(plan, unit, spins)
    second = _cross_sites(plan, unit, first)
    moved = [s + sine * u + versine * v for s, u, v in zip(spins, first, second, strict=True)]
    return (moved[0], moved[1], moved[2])


def _step(
    equations: Equations, noise: NoisePlan, spins: Triple, data: Any, here: Any
) -> tuple[Triple, Any]:
    """One step of the drift from flat spins, and the sums of its four slopes."""
    dtype = spins[0].dtype
    width = here["width"].astype(dtype)

    def slope(spins: Triple, r: Any) -> Triple:
        strengths = jax.tree.map(lambda v: v[r], here["strengths"])
        return _drift(equations, noise, spins, data, strengths, here["rates"][r])

    def stage(j: Any, carry: Any) -> Any:
        point, total, sums = carry
        k = slope(point, (j + 1) // 2)
        weight = jnp.where((j == 0) | (j == 3), 1 / 6, 1 / 3).astype(dtype)
        ahead = jnp.where(j == 2, 1.0, 0.5).astype(dtype) * width
        point = tuple(s + ahead * c for s, c in zip(spins, k, strict=True))
        total = tuple(t + weight * c for t, c in zip(total, k, strict=True))
        return point, total, sums.at[j].set(equations.sums(k))

    n_samples = spins[0].size // equations.plan.n_cells
    zero = tuple(jnp.zeros_like(s) for s in spins)
    sums = jnp.zeros((4, 3, n_samples), jnp.float64)
    _, total, sums = lax.fori_loop(0, 4, stage, (tuple(spins), zero, sums))
    end = [s + width * t for s, t in zip(spins, total, strict=True)]
    return (end[0], end[1], end[2]), sums


def _drift(
    equations: Equations, noise: NoisePlan, flat: Triple, data: Any, strengths: Any, rates: Any
) -> Triple:
    """B x sigma + A sigma + b of flat spins."""
    plan, dtype = equations.plan, flat[0].dtype
    slope = list(equations.slope(flat, data, strengths))
    damping = jnp.tensordot(rates, data["damping"], axes=1).astype(dtype)
    pumping = jnp.tensordot(rates, data["pumping"], axes=1).astype(dtype)
    shaped = _shaped(equations, flat)
    for a in range(3):
        added = [
            across_samples(plan, damping[a, b]) * shaped[b] for d, b in noise.damping if d == a
        ]
        if a in noise.pumping:
            added.append(across_samples(plan, pumping[a]))
        if added:
            whole = jnp.broadcast_to(sum(added), shaped[0].shape)
            slope[a] = slope[a] + whole.reshape(-1)
    return (slope[0], slope[1], slope[2])
