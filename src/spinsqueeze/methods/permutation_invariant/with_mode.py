"""Total-spin shells beside a cavity mode: their operators for `methods.base.kept_mode`."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.kept_mode.space import Part, SpinSpace
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.models import interchangeable
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.numerics import collective_operators as operators
from spinsqueeze.numerics.angular_momentum import (
    from_shell_above,
    from_shell_below,
    recycling,
    rotation_matrix,
    same_shell,
    total_spins,
)
from spinsqueeze.numerics.block_layout import block_sizes, blocks, flatten, shell_labels

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Extras = Callable[[Complexes], dict[str, float | Floats]]


def spin_space(model: Canonical, state: Complexes, *, extras: Extras) -> SpinSpace:
    """The shells that a flat block state holds, or all where jumps of single spins connect them.

    extras: name -> value, of the flat block state of the spins.
    """
    from scipy.sparse import block_diag

    n = model.n_spins
    held = blocks(state, n)
    kept = [k for k, block in enumerate(held) if model.local_jumps or np.any(block)]
    inside = [n - 2 * k for k in kept]  # 2j of every shell
    spin = tuple(block_diag([_spin(twice)[a] for twice in inside], format="csr") for a in range(3))
    arrays, drive = interchangeable.in_time(model)
    hamiltonian, jumps = [], []
    for strength, part in zip(drive.strengths, arrays, strict=True):
        H = block_diag(
            [_hamiltonian(twice, part.quadratic, part.field) for twice in inside], format="csr"
        )
        if H.nnz:
            hamiltonian.append(Part(strength, H))
        for rate, vector in part.collective_jumps:
            jumps.append(Part(strength, np.sqrt(rate) * operators.along(vector, spin)))
        for rate, vector in part.local_jumps:
            jumps += [Part(strength, np.sqrt(rate) * L) for L in _local(n, vector)]
    couplings = tuple(
        Part(c.strength, operators.along(c.vectors, spin)) for c in model.mode_couplings
    )

    def of_all_shells(parts: Sequence[Complexes]) -> dict[str, float | Floats]:
        whole = [np.zeros((size, size), dtype=complex) for size in block_sizes(n)]
        for k, part in zip(kept, parts, strict=True):
            whole[k] = part
        return extras(flatten(whole))

    return SpinSpace(
        n, tuple(twice + 1 for twice in inside), tuple(hamiltonian), tuple(jumps), couplings,
        spin, [held[k] for k in kept], _turn, of_all_shells, shell_labels(n),
    )  # fmt: skip


def _spin(twice: int) -> "tuple[csr_array, csr_array, csr_array]":
    return operators.spin_operators(twice)  # of J = twice/2, also for the one state of J = 0


def _hamiltonian(twice: int, quadratic: Floats, field: Floats) -> "csr_array":
    if twice == 0:
        return operators.spin_operators(0)[2]
    return operators.hamiltonian(twice, quadratic=quadratic, field=field)


def _local(n: int, vector: Complexes) -> "Iterator[csr_array]":
    """sum_i D[c.s_i] as jumps within a shell, to the one below and to the one above."""
    from scipy.sparse import coo_array

    x, y, z = np.asarray(vector, dtype=complex)
    weights = np.array([(x - 1j * y) / 2, (x + 1j * y) / 2, z])  # of s_+, s_-, s_z
    spins, sizes = total_spins(n), block_sizes(n)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    same, lower, upper = recycling(n)
    for step, share, amplitudes in (
        (0, same, same_shell),
        (1, lower, from_shell_above),
        (-1, upper, from_shell_below),
    ):
        entries, rows, columns = [], [], []
        for source, j in enumerate(spins):
            to = source + step  # shells count downwards
            if not 0 <= to < len(spins) or share[source] == 0:
                continue
            m = spins[to] - np.arange(sizes[to])
            values = np.sqrt(share[source]) * weights[:, None] * amplitudes(spins[to], m)
            for alpha, shift in enumerate((-1, 1, 0)):
                column = np.rint(j - (m + shift)).astype(int)
                there = (column >= 0) & (column < sizes[source]) & (values[alpha] != 0)
                entries.append(values[alpha][there])
                rows.append(starts[to] + np.flatnonzero(there))
                columns.append(starts[source] + column[there])
        if entries:
            places = (np.concatenate(rows), np.concatenate(columns))
            total = int(starts[-1])
            operator = coo_array((np.concatenate(entries), places), shape=(total, total)).tocsr()
            if operator.nnz:
                yield operator


def _turn(rotation: Rotation, rows: Sequence[Complexes]) -> list[Complexes]:
    return [
        rotation_matrix((len(r) - 1) / 2, axis=rotation.axis, angle=rotation.angle) @ r
        for r in rows
    ]
