"""The bits of a result do not depend on how many threads BLAS has where it is made."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import spinsqueeze as sq

rng = np.random.default_rng(2)
X = sq.CoherentState("+x")


def random_couplings(n_spins):
    matrix = rng.normal(size=(n_spins, n_spins)) / n_spins
    return sq.PairCoupling((matrix + matrix.T) * (1 - np.eye(n_spins)))


ISING = sq.SpinModel(
    70,
    hamiltonian=[random_couplings(70)],
    jumps=[sq.LocalDephasing(rng.uniform(size=70)), sq.LocalDecay(rng.uniform(size=70))],
)
OPEN = sq.SpinModel(
    8,
    hamiltonian=[sq.OneAxisTwisting(0.1), sq.Drive(0.3)],
    jumps=[sq.LocalDecay(0.1), sq.CollectiveDecay(0.1)],
)
AMPLITUDES = rng.normal(size=(2**14, 2)) @ [1, 1j]
AMPLITUDES *= (1 + 1e-8) / np.linalg.norm(AMPLITUDES)


@pytest.mark.parametrize(
    ("method", "run"),
    [
        ("closed_form", lambda: (ISING, X)),
        ("closed_form", lambda: (sq.SpinModel(70, hamiltonian=ISING.hamiltonian), X)),
        (
            "exact",
            lambda: (
                sq.SpinModel(14, hamiltonian=[sq.OneAxisTwisting(1.0), sq.Drive(0.3)]),
                sq.StateVector(AMPLITUDES),
            ),
        ),
        ("symmetric", lambda: (sq.SpinModel(20000, hamiltonian=[sq.OneAxisTwisting(1e-4)]), X)),
        ("permutation_invariant", lambda: (OPEN, X)),
        (sq.DTWA(40), lambda: (sq.SpinModel(70, hamiltonian=ISING.hamiltonian), X)),
    ],
)
def test_bits_do_not_depend_on_the_threads_of_blas(method, run):
    bits = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            data = sq.simulate(*run(), [0.0, 0.1, 0.3], method=method)
        bits.append(data["spin"].values.tobytes() + data["covariance"].values.tobytes())
    assert bits[0] == bits[1]
