"""Averages over sets of samples that hold what is known of the sums of the initial signs exactly.

Much of a collective spin follows from the two sums of a sample's signs, whose distribution is known
and met by a set of samples only roughly. Each set's average of any f is therefore taken as

    mean_b f - beta_b . mean_b c,

with the orthogonal polynomials c of the two sums, whose mean over the distribution is 0, and beta_b
the coefficients of f in them by least squares over the other sets: control variates, without bias
because set b knows nothing of beta_b. It is a weighted sum of the samples, with the same weights
for every f; so moments about any point agree.
"""

from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Floats, Integers

DEGREES = ((400, (1, 2, 4)), (128, (1, 2)), (0, ()))
"""From so many samples on, polynomials of these degrees: each coefficient needs samples, or error
bars come out too small. Degree 3 moves means across the mean spin only, and does not pay."""


def set_averages(n_plus: Integers, *, n_spins: int, n_sets: int) -> Floats:
    """Weights (n_sets, n) of the samples in the average of each set, sample k in set k mod n_sets.

    Args:
        n_plus: numbers of + signs (n, 2) of the samples.
        n_spins: number of spins N.
        n_sets: at most n.
    """
    n = len(n_plus)
    own = np.arange(n) % n_sets == np.arange(n_sets)[:, None]
    weights: Floats = own / own.sum(axis=1, keepdims=True)
    degrees = next(degrees for least, degrees in DEGREES if n >= least)
    controls = sum_polynomials(n_plus, n_spins=n_spins, degrees=degrees)
    if controls.shape[1] == 0:
        return weights
    design = np.concatenate([np.ones((n, 1)), controls], axis=1)
    products = np.einsum("ni,nj->ij", design, design)
    for row, members in zip(weights, own, strict=True):
        mine = design[members]
        others = products - np.einsum("ni,nj->ij", mine, mine)
        wanted = mine.mean(axis=0)
        wanted[0] = 0.0
        row[~members] -= design[~members] @ np.linalg.lstsq(others, wanted, rcond=None)[0]
    return weights


def sum_polynomials(n_plus: Integers, *, n_spins: int, degrees: Sequence[int]) -> Floats:
    """Products p_i p_j, i + j in `degrees`, of the two sums (n, 2): mean 0, variance 1 (n, m).

    p_i is the Krawtchouk polynomial of degree i <= N in x = (2 k - N)/sqrt(N), k heads of N coins:
    p_(i+1) = x p_i - i (1 - (i - 1)/N) p_(i-1), of squared norm i! prod_(j<i) (1 - j/N).
    """
    x: Floats = (2.0 * n_plus - n_spins) / np.sqrt(n_spins)
    below, here, norm = np.zeros_like(x), np.ones_like(x), 1.0
    single = [here]
    for i in range(min(max(degrees, default=0), n_spins)):
        below, here = here, x * here - i * (1.0 - (i - 1) / n_spins) * below
        norm *= (i + 1) * (1.0 - i / n_spins)
        single.append(here / np.sqrt(norm))
    columns = [
        single[i][:, 0] * single[j][:, 1]
        for i in range(len(single))
        for j in range(len(single))
        if i + j in degrees
    ]
    return np.array(columns, dtype=np.float64).reshape(len(columns), len(x)).T
