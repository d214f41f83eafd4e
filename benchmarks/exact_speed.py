"""Time of exact evolution: dipolar XXZ from +x on periodic lattices, 81 output times.

Run: python benchmarks/exact_speed.py [--shape 4 4] [--time 5] [--tolerance 1e-10]

Prints the first call (compilation or its cache included), one product H psi, one set of moments,
and the whole run, next to a sparse-matrix product where that matrix fits.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.methods.exact.hamiltonian import SpinHamiltonian
from spinsqueeze.methods.exact.propagate import LARGEST_KRYLOV_DIMENSION, evolve
from spinsqueeze.numerics.state_vectors import collective_moments, product_state


def dipolar_xxz(shape: tuple[int, int], j_z: float) -> HamiltonianPart:
    sites = np.array([(x, y) for x in range(shape[0]) for y in range(shape[1])])
    gap = np.abs(sites[:, None] - sites[None])
    gap = np.minimum(gap, np.array(shape) - gap)
    distance = np.sqrt((gap**2).sum(axis=-1))
    kernel = np.zeros_like(distance)
    kernel[distance > 0] = distance[distance > 0] ** -3.0
    n_spins = len(sites)
    return HamiltonianPart(
        field=np.zeros((n_spins, 3)),
        tensors=np.diag([1.0, 1.0, j_z])[None],
        kernels=kernel[None],
    )


def sparse_matrix(part: HamiltonianPart):  # type: ignore[no-untyped-def]
    """The same Hamiltonian as a CSR matrix: N(N-1)/4 elements a row on average."""
    from scipy.sparse import coo_matrix

    n, size = part.n_spins, 1 << part.n_spins
    index = np.arange(size)
    rows, columns, values = [index], [index], [np.zeros(size)]
    K, (j_perp, _, j_z) = part.kernels[0], np.diag(part.tensors[0])
    for i in range(n):
        for j in range(i):
            differ = ((index >> i) ^ (index >> j)) & 1
            values[0] += K[i, j] * j_z / 4 * (1 - 2 * differ)
            flipped = index[differ == 1]
            rows.append(flipped)
            columns.append(flipped ^ (1 << i) ^ (1 << j))
            values.append(np.full(flipped.size, K[i, j] * j_perp / 2))
    parts = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    return coo_matrix(parts, shape=(size, size)).tocsr()


def best_of(repeats: int, call) -> float:  # type: ignore[no-untyped-def]
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs=2, default=(4, 4))
    parser.add_argument("--time", type=float, default=5.0)
    parser.add_argument("--tolerance", type=float, default=1e-10)
    parser.add_argument("--krylov-dimension", type=int, default=LARGEST_KRYLOV_DIMENSION)
    parser.add_argument("--threads", type=int, default=None)
    options = parser.parse_args()

    part = dipolar_xxz(tuple(options.shape), j_z=-1.0)
    n = part.n_spins
    start = time.perf_counter()
    space = SpinHamiltonian([part], threads=options.threads)
    psi = product_state(np.tile([1.0, 0.0, 0.0], (n, 1)))
    out = np.empty_like(psi)
    operator = space.frozen()
    operator.apply(psi, out)
    print(f"N = {n}: set-up and first product    {time.perf_counter() - start:9.3f} s")
    ours = best_of(5, lambda: operator.apply(psi, out))
    print(f"one product H psi                 {ours * 1e3:9.3f} ms")
    if n <= 16:
        start = time.perf_counter()
        matrix = sparse_matrix(part)
        built = time.perf_counter() - start
        assert np.abs(matrix @ psi - out).max() < 1e-12
        sparse = best_of(3, lambda: matrix @ psi)
        print(f"sparse matrix (built in {built:.1f} s)    {sparse * 1e3:9.3f} ms")
    seconds = best_of(2, lambda: collective_moments(psi, space.spin_action(psi)))
    print(f"one set of moments                {seconds * 1e3:9.3f} ms")
    start = time.perf_counter()
    run = evolve(
        space,
        psi,
        np.linspace(0.0, options.time, 81),
        tolerance=options.tolerance,
        krylov_dimension=options.krylov_dimension,
    )
    print(f"81 times up to J t = {options.time:g}          {time.perf_counter() - start:9.3f} s")
    print(
        f"{run.applications} products in {run.krylov_steps} Krylov spaces; error bound "
        f"{run.error[-1]:.1e}, norm drift {run.norm_drift:.1e}, energy drift {run.energy_drift:.1e}"
    )


if __name__ == "__main__":
    main()
