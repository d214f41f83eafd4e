"""The moments of distinct spins from matrices on 2^N and from set partitions: no power series.

A moment is named by the sorted tuple of its variables u = 3 kind + axis, one distinct spin for
each; a state by a dict from these names to numbers.
"""

from functools import cache
from itertools import combinations_with_replacement, product

import numpy as np
from tests.problems.dense_model import generators, spins


def names(counts, order):
    """The names up to a degree, of no more spins of a kind than there are."""
    return [
        name
        for degree in range(order + 1)
        for name in combinations_with_replacement(range(3 * len(counts)), degree)
        if all(sum(u // 3 == kind for u in name) <= n for kind, n in enumerate(counts))
    ]


def operator(name, counts):
    """The product of spin operators on the first spins of each kind."""
    n = int(np.sum(counts))
    s, out = spins(n), np.eye(2**n, dtype=complex)
    following = list(np.cumsum([0, *counts[:-1]]))
    for u in name:
        out = out @ s[following[u // 3], u % 3]
        following[u // 3] += 1
    return out


def moments_of(rho, counts, order):
    return {name: np.trace(operator(name, counts) @ rho).real for name in names(counts, order)}


def rates(model, counts, order):
    """dm_n/dt = sum_n' D_nn' m_n' as {n: {n': D_nn'}}, for a model with jumps."""
    n = model.n_spins
    s, one = spins(n), np.eye(2**n)
    owner = np.repeat(np.arange(len(counts)), counts)
    adjoint = sum(strength * matrix for strength, matrix in generators(model)).conj().T
    targets = {name: adjoint @ operator(name, counts).ravel() for name in names(counts, order)}
    out = {name: {} for name in targets}
    for axes in product((None, 0, 1, 2), repeat=n):
        string = one
        for i, a in enumerate(axes):
            string = string if a is None else string @ s[i, a]
        source = tuple(sorted(3 * owner[i] + a for i, a in enumerate(axes) if a is not None))
        norm = np.trace(string @ string).real
        for name, target in targets.items():
            share = np.vdot(string.ravel(), target).real / norm
            if abs(share) > 1e-13:
                out[name][source] = out[name].get(source, 0.0) + share
    return out


@cache
def partitions(size):
    """All ways to put the places 0 ... size - 1 into blocks."""
    if size == 0:
        return [[]]
    out = []
    for rest in partitions(size - 1):
        out.append([*rest, (size - 1,)])
        for k, block in enumerate(rest):
            out.append([*rest[:k], (*block, size - 1), *rest[k + 1 :]])
    return out


def moment(name, cumulants):
    """The sum over partitions of products of joint cumulants; those that are not there vanish."""
    return sum(
        np.prod([cumulants.get(tuple(name[i] for i in block), 0.0) for block in blocks])
        for blocks in partitions(len(name))
    )


def cumulants_of(moments):
    """Joint cumulants, degree by degree."""
    out = {(): 0.0}
    for name in sorted(moments, key=len):
        if name:
            out[name] = moments[name] - moment(name, {**out, name: 0.0})
    return out


def flow_of(cumulants, rate_of, order):
    """The rates of the cumulants up to an order, those beyond it set to zero."""
    step = 1e-30  # the imaginary part is the derivative, to rounding
    known = {n: moment(n, cumulants) for row in rate_of.values() for n in row}
    moved = {
        name: moment(name, cumulants)
        + 1j * step * sum(share * known[n] for n, share in rate_of[name].items())
        for name in rate_of
    }
    moved[()] = 1.0
    changed = cumulants_of(moved)
    return {name: np.imag(value) / step for name, value in changed.items() if len(name) <= order}
