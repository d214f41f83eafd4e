"""The symmetric subspace beside a cavity mode: its operators for `methods.base.kept_mode`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes
from spinsqueeze.methods.base.kept_mode.space import Part, SpinSpace, of_one_block
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics import collective_operators as operators
from spinsqueeze.numerics.angular_momentum import rotation_matrix

if TYPE_CHECKING:
    pass


def spin_space(model: Canonical, state: Complexes) -> SpinSpace:
    """N + 1 Dicke states in one block."""
    n = model.n_spins
    spin = operators.spin_operators(n)
    arrays, drive = interchangeable.in_time(model)
    hamiltonian, jumps = [], []
    for strength, part in zip(drive.strengths, arrays, strict=True):
        H = operators.hamiltonian(n, quadratic=part.quadratic, field=part.field)
        if H.nnz:
            hamiltonian.append(Part(strength, H))
        for rate, vector in part.collective_jumps:
            jumps.append(Part(strength, np.sqrt(rate) * operators.along(vector, spin)))
    couplings = tuple(
        Part(c.strength, operators.along(c.vectors, spin)) for c in model.mode_couplings
    )
    return SpinSpace(
        n, (n + 1,), tuple(hamiltonian), tuple(jumps), couplings, spin, state,
        _turn, of_one_block(spin),
    )  # fmt: skip


def _turn(rotation: Rotation, rows: Sequence[Complexes]) -> list[Complexes]:
    j = (len(rows[0]) - 1) / 2
    return [rotation_matrix(j, axis=rotation.axis, angle=rotation.angle) @ rows[0]]
