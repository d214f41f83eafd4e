"""How many steady states a model has, and the limit of long times where all jumps share an axis.

`numerics.dephasing` derives the rules. Without local jumps they hold in every shell, with them in
the whole state.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats, Integers
from spinsqueeze.methods.permutation_invariant.generator import Generator
from spinsqueeze.methods.permutation_invariant.sectors import Sector
from spinsqueeze.numerics.angular_momentum import axis_basis, log_multiplicity, total_spins
from spinsqueeze.numerics.block_layout import block_sizes, blocks, flatten
from spinsqueeze.numerics.dephasing import dephased, dephasing_axis, level_groups, turned_axes


def common_axis(model: Generator) -> Floats | None:
    """The axis along which every jump lies, or None."""
    return dephasing_axis(model.collective, model.local)


def groups_of_levels(model: Generator, axis: Floats, *, shell: int = 0) -> Integers:
    """Group of every level m = j ... -j along the axis that the Hamiltonian connects."""
    return level_groups(
        model.n_spins / 2 - shell, quadratic=model.quadratic, field=model.field, axis=axis
    )


def steady_state_counts(model: Generator) -> list[int]:
    """Independent permutation-invariant steady states; one number a shell without local jumps."""
    axis = common_axis(model)
    n_shells = 1 if model.has_local else model.n_spins // 2 + 1
    if axis is None:
        return [1] * n_shells
    return [int(groups_of_levels(model, axis, shell=s).max()) + 1 for s in range(n_shells)]


def dephased_state(model: Generator, axis: Floats, *, initial: Complexes | None) -> Complexes:
    """Where a state ends if every jump lies along `axis`.

    `initial` may be None where the steady state does not depend on it.
    """
    N = model.n_spins
    if initial is None:
        initial = flatten(np.eye(n) / n * (n == N + 1) for n in block_sizes(N))
    bases = [axis_basis(j, axis) for j in total_spins(N)]
    if not model.has_local:
        return flatten(
            dephased(block, basis=basis, groups=groups_of_levels(model, axis, shell=shell))
            for shell, (block, basis) in enumerate(zip(blocks(initial, N), bases, strict=True))
        )
    groups = groups_of_levels(model, axis)
    weights = np.zeros(groups.max() + 1)
    for shell, (block, basis) in enumerate(zip(blocks(initial, N), bases, strict=True)):
        populations = np.einsum("im,ij,jm->m", basis.conj(), block, basis).real
        weights += np.bincount(_inner(groups, shell), weights=populations, minlength=weights.size)
    shares = _even_shares(N, groups)
    return flatten(
        (basis * (share * weights[_inner(groups, shell)])) @ basis.conj().T
        for shell, (basis, share) in enumerate(zip(bases, shares, strict=True))
    )


def _inner(levels: NDArray[Any], shell: int) -> NDArray[Any]:
    """Those of the N + 1 values at m = N/2 ... -N/2 that belong to |m| <= j."""
    return levels[shell : levels.size - shell]


def _even_shares(n_spins: int, groups: Integers) -> list[Floats]:
    """Probability of each |j, m> if all strings of spins in its group are equally probable."""
    from scipy.special import logsumexp

    log_d = log_multiplicity(n_spins)
    largest = log_d.max()
    strings = np.zeros(groups.size)
    for shell, value in enumerate(log_d):
        _inner(strings, shell)[...] += np.exp(value - largest)
    log_strings = np.log(strings)
    logs = np.array(
        [logsumexp(log_strings[groups == group]) for group in range(int(groups.max()) + 1)]
    )
    return [
        np.exp(value - largest - logs[_inner(groups, shell)]) for shell, value in enumerate(log_d)
    ]


def zero_modes(model: Generator, sector: Sector) -> tuple[Floats, Floats]:
    """Right and left null vectors (size, d) of the sector of the populations, all jumps along z."""
    axis = np.array([0.0, 0.0, 1.0])
    shell = 0 if model.has_local else sector.shells[0]
    groups = groups_of_levels(model, axis, shell=shell)
    level = sector.shell - shell + sector.row
    diagonal = (sector.row == sector.column) & (sector.part == 0)
    left = ((groups[level][:, None] == np.arange(groups.max() + 1)) & diagonal[:, None]).astype(
        float
    )
    if not model.has_local:
        return left, left
    log_d = log_multiplicity(model.n_spins)
    return left * np.exp(log_d - log_d.max())[sector.shell][:, None], left


def turned(model: Generator, axis: Floats) -> Generator:
    """The same model in axes whose z is `axis`."""
    F = turned_axes(axis)
    return Generator(
        model.n_spins,
        F @ model.quadratic @ F.T,
        F @ model.field,
        F @ model.collective @ F.T,
        F @ model.local @ F.T,
    )
