"""One model on its device: arrays in, arrays out, one batch of samples at a time.

The engine owns the device copies of the kernels and calls the compiled programs; it knows
nothing of time windows, outputs or error targets.
"""

from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.methods.dtwa import equations
from spinsqueeze.methods.dtwa.cost import BATCH_CELLS
from spinsqueeze.methods.dtwa.couplings import Couplings, FieldPlan
from spinsqueeze.methods.dtwa.machine_code.switch import (
    LARGEST_GRID,
    MACHINE_CODE,
    Transform,
    transform_of,
)
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.sampling import SQUARED_LENGTH


@final
@dataclass(frozen=True, eq=False)
class Edge:
    """What is known of a batch at one time.

    slope: on the device, B x sigma. energy, energy_scale (S,): the energy of each
    sample, and what it would be with every spin along its field. length_drift: largest relative
    change of any |sigma_i|^2. sums (S, 3): sum_i sigma_i.
    """

    slope: Any
    energy: Floats
    energy_scale: Floats
    length_drift: float
    sums: Floats


@final
@dataclass(frozen=True, eq=False)
class Engine:
    """Device arrays of one model and the compiled programs of its plan."""

    couplings: Couplings
    dtype: np.dtype[Any]
    data: dict[str, Any]
    plan: FieldPlan
    programs: equations.Programs
    transform: Transform

    def load(self, sigma: Floats) -> Any:
        """Spins (S, 3, n_spins) to the device."""
        import jax.numpy as jnp

        with double_precision():
            cells = self.couplings.to_cells(np.asarray(sigma, dtype=self.dtype))
            order = "ji" if self.plan.side_by_side else "ij"
            parts = (np.einsum(f"ij->{order}", cells[:, a]) for a in range(3))
            return tuple(jnp.asarray(np.ascontiguousarray(part)) for part in parts)

    def unload(self, spins: Any) -> Floats:
        """Spins (S, 3, n_spins) from the device, in float64."""
        parts = [np.asarray(c, dtype=float) for c in spins]
        if self.plan.side_by_side:
            parts = [part.T for part in parts]
        cells = np.stack(parts, axis=1)
        return self.couplings.to_spins(cells)

    def edge(self, spins: Any, strengths: dict[str, Any]) -> Edge:
        """Slope, energy, lengths and sums with the strengths of one time."""
        with double_precision():
            slope, energy, scale, stretch, sums = self.programs.edge(spins, self.data, strengths)
            drift = float(np.max(np.asarray(stretch))) / SQUARED_LENGTH
            return Edge(slope, np.asarray(energy), np.asarray(scale), drift, np.asarray(sums).T)

    def rotate(self, spins: Any, matrix: Floats, mask: Booleans | None) -> Any:
        """Turn all spins by a matrix (3, 3), or those with mask (n_spins,)."""
        everyone = np.ones(self.couplings.n_spins, dtype=bool)
        cells = self.couplings.to_cells(everyone if mask is None else np.asarray(mask, dtype=bool))
        with double_precision():
            return self.programs.rotate(spins, np.asarray(matrix, dtype=float), cells)

    def slope(self, sigma: Floats, *, time: float) -> Floats:
        """Time derivatives (S, 3, n_spins) of spins of the same shape."""
        values = self.couplings.coefficients(np.array([time]))
        strengths = {
            "kernels": tuple(k[0] for k in values.kernels),
            "uniform": values.uniform[0],
            "site": values.site[0],
        }
        return self.unload(self.edge(self.load(sigma), strengths).slope)


ACCELERATOR_CELLS = 2**22
"""Cells of one batch on an accelerator: enough to fill it, few enough for its memory."""


def default_batch(couplings: Couplings, *, dtype: str) -> int:
    """Samples in one compiled call, by size: their stage slopes should stay in the caches."""
    import jax

    cells, kernels = couplings.plan.n_cells, couplings.plan.kernels
    if jax.default_backend() != "cpu":
        return int(np.clip(ACCELERATOR_CELLS // cells, 2, 512))
    if any(k.kind == "dense" for k in kernels):
        return 32
    if cells > LARGEST_GRID:
        return 2
    vector = 64 // np.dtype(dtype).itemsize
    return int(np.clip(vector * (BATCH_CELLS // (16 * cells)), vector, 64))


def engine_of(couplings: Couplings, *, dtype: str, batch: int) -> Engine:
    """The engine of a lowered model for batches of samples, spins and fields in `dtype`."""
    import jax.numpy as jnp

    real = np.dtype(dtype)
    transform = transform_of(couplings.plan, dtype=dtype, batch=batch)
    plan = replace(couplings.plan, side_by_side=transform.name == MACHINE_CODE)
    with double_precision():
        kernels = tuple(
            jnp.asarray(a if k.kind in ("collective", "reaction") else a.astype(real))
            for k, a in zip(couplings.plan.kernels, couplings.arrays, strict=True)
        )
        length = couplings.to_cells(np.full(couplings.n_spins, SQUARED_LENGTH))
        data: dict[str, Any] = {
            "kernels": kernels,
            "site": jnp.asarray(couplings.site_vectors.astype(real)),
            "length": jnp.asarray(length.astype(real)),
        }
        if plan.side_by_side:
            from spinsqueeze.methods.dtwa.machine_code.lanes import line_address

            data["line"] = jnp.asarray(np.int64(line_address(dtype)))
        return Engine(couplings, real, data, plan, equations.programs(plan), transform)
