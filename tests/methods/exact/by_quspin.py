"""Collective moments of random closed models by quspin, and the numbers kept in by_quspin.json.

    python by_quspin.py

writes the file anew; it needs `pip install quspin` (1.0.1 made it) and nothing of this package.
"""

import json
from pathlib import Path

import numpy as np

NUMBERS = Path(__file__).with_suffix(".json")
TIMES = [0.4, 1.0]
CASES = [(8, False), (8, True), (10, True), (12, False), (12, True)]


def random_case(n, *, fields):
    """A matrix, a symmetric tensor, fields and directions, rounded so that they are short."""
    rng = np.random.default_rng([n, fields])
    directions = rng.normal(size=(n, 3))
    directions = np.round(directions / np.linalg.norm(directions, axis=1, keepdims=True), 3)
    tensor = np.round(rng.normal(size=(3, 3)), 2)
    return {
        "n_spins": n,
        "matrix": np.round(np.triu(rng.normal(size=(n, n)), 1), 2).tolist(),
        "tensor": (tensor + tensor.T).tolist(),
        "fields": (np.round(rng.normal(size=(n, 3)), 2) * fields).tolist(),
        "directions": directions.tolist(),
        "times": TIMES,
    }


def moments(case):
    """<S_a> (T, 3) and <{S_a, S_b}>/2 - <S_a><S_b> (T, 3, 3) under
    sum_{i<j} matrix_ij s_i . tensor s_j + sum_i fields_i . s_i, from spins along directions.
    """
    from quspin.basis import spin_basis_general
    from quspin.operators import hamiltonian
    from quspin.tools.evolution import expm_multiply_parallel

    n, axes = case["n_spins"], "xyz"
    basis = spin_basis_general(n, pauli=0)
    J, tensor = np.array(case["matrix"]), np.array(case["tensor"])
    fields = np.array(case["fields"])

    def operator(static):
        quiet = {"check_symm": False, "check_herm": False, "check_pcon": False}
        return hamiltonian(static, [], basis=basis, dtype=np.complex128, **quiet).tocsr()

    sites, pairs = range(n), [(i, j) for i in range(n) for j in range(i + 1, n)]
    couplings = [
        [axes[a] + axes[b], [[J[i, j] * tensor[a, b], i, j] for i, j in pairs]]
        for a in range(3) for b in range(3)
    ]  # fmt: skip
    H = operator(couplings + [[axes[a], [[fields[i, a], i] for i in sites]] for a in range(3)])
    S = [operator([[axis, [[1.0, i] for i in sites]]]) for axis in axes]
    psi = np.ones(1, dtype=complex)
    for x, y, z in np.array(case["directions"]):
        length = np.sqrt(x * x + y * y + z * z)
        up = np.sqrt((1 + z / length) / 2)
        # Site 0 is the leftmost, and the states begin with all spins up.
        psi = np.kron(psi, [up, (x + 1j * y) / length / (2 * up)])
    spin, covariance, now = [], [], 0.0
    for time in case["times"]:
        psi, now = expm_multiply_parallel(H, a=-1j * (time - now)).dot(psi), time
        turned = np.array([matrix @ psi for matrix in S])
        mean = (turned @ psi.conj()).real
        spin.append(mean)
        covariance.append((turned.conj() @ turned.T).real - np.outer(mean, mean))
    return np.array(spin), np.array(covariance)


def main():
    """Write the file."""
    cases = []
    for n, fields in CASES:
        case = random_case(n, fields=fields)
        spin, covariance = moments(case)
        cases.append({**case, "spin": spin.tolist(), "covariance": covariance.tolist()})
    NUMBERS.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
