"""The one place that decides which transforms a program uses: the machine code's, or jax's."""

from dataclasses import dataclass
from typing import final

from spinsqueeze.methods.dtwa.couplings import FieldPlan
from spinsqueeze.methods.dtwa.machine_code import verdict
from spinsqueeze.methods.dtwa.machine_code.sizes import lanes, supports

MACHINE_CODE = "machine_code"
JAX = "jax"
NONE = "none"
LARGEST_GRID = 2**16
"""Cells of the largest grid whose samples lie side by side: beyond it a batch fills the memory."""


@final
@dataclass(frozen=True)
class Transform:
    """What computes the convolutions: name is MACHINE_CODE, JAX, or NONE where there are none.

    reason: why it is not the machine code; empty where it is.
    """

    name: str
    reason: str = ""


def transform_of(plan: FieldPlan, *, dtype: str, batch: int) -> Transform:
    """The transform for batches of `batch` samples of a plan, on the device that jax has chosen."""
    grids = [k.embedding for k in plan.kernels if k.kind == "circulant"]
    if not grids:
        return Transform(NONE, "no coupling of this model is a convolution on a grid")
    reason = _objection(plan.n_cells, grids, dtype, batch)
    return Transform(JAX, reason) if reason else Transform(MACHINE_CODE)


def _objection(n_cells: int, grids: list[tuple[int, ...]], dtype: str, batch: int) -> str:
    """Why the machine code is not used, empty where it is; the dearest question comes last."""
    import jax

    device = jax.default_backend()
    if device != "cpu":
        return f"the device is a {device}, and the machine code serves CPUs alone"
    if n_cells > LARGEST_GRID:
        return f"the grid has {n_cells} cells, more than {LARGEST_GRID}"
    for grid in grids:
        if not supports(grid):
            sides = " x ".join(map(str, grid))
            return f"the sides of the transform, {sides}, have prime factors beyond 2, 3 and 5"
    if batch % lanes(dtype):
        return f"batches of {batch} samples do not fill vectors of {lanes(dtype)}"
    return verdict.objection(dtype)
