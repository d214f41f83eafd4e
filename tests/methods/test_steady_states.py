"""Steady states: every method that has one against dense null vectors and against the others."""

import numpy as np
import pytest
from scipy.linalg import null_space
from tests.problems.brute_force import liouvillian, site_operators

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported

DOWN = sq.CoherentState("-z")
SQUEEZED = [sq.SqueezedCollectiveDecay(0.7, r=0.6)]


def brute(model):
    """<S> and covariance of the unique null vector of the dense Liouvillian."""
    s = site_operators(model.n_spins)
    space = null_space(liouvillian(model.canonical, s, 0.0), rcond=1e-10)
    assert space.shape[1] == 1
    rho = space[:, 0].reshape(s.shape[-1], -1)
    rho = rho / np.trace(rho)
    total = s.sum(axis=0)
    mean = np.array([np.trace(a @ rho).real for a in total])
    second = np.array([[np.trace(a @ b @ rho).real for b in total] for a in total])
    return mean, (second + second.T) / 2 - np.outer(mean, mean)


@pytest.mark.parametrize(
    ("hamiltonian", "jumps"),
    [
        ([], [*SQUEEZED, sq.LocalDephasing(0.2)]),
        ([sq.Drive(0.8, phase=0.3)], [sq.CollectiveDecay(0.3), sq.LocalDecay(0.4)]),
        (
            [sq.CollectiveQuadratic([[0.2, 0.1, 0], [0.1, -0.3, 0.2], [0, 0.2, 0.4]])],
            [sq.LocalJump(0.5, vector=[0.3, 0.2j, -0.4]), sq.LocalPumping(0.2)],
        ),
    ],
)
def test_local_jumps_against_brute_force(hamiltonian, jumps):
    model = sq.SpinModel(4, hamiltonian=hamiltonian, jumps=jumps)
    data = sq.steady_state(model)
    spin, covariance = brute(model)
    assert data.attrs["method"] == "permutation_invariant"
    assert data["spin"].values == pytest.approx(spin, abs=1e-9)
    assert data["covariance"].values == pytest.approx(covariance, abs=1e-9)
    assert "time" not in data.dims


@pytest.mark.parametrize(
    ("hamiltonian", "jumps"),
    [
        ([], SQUEEZED),
        ([], [sq.SqueezedCollectiveDecay(0.7, r=-0.4)]),
        (
            [sq.Drive(1.1, phase=0.4), sq.CollectiveExchange(0.2)],
            [sq.CollectiveDecay(0.5)],
        ),
        ([sq.UniformField([0.3, -0.7, 0.0])], [sq.CollectiveJump(0.5, vector=[0.6j, 0.6, 0])]),
    ],
)
@pytest.mark.parametrize("n_spins", [4, 5])
def test_collective_jumps_by_three_methods(n_spins, hamiltonian, jumps):
    model = sq.SpinModel(n_spins, hamiltonian=hamiltonian, jumps=jumps)
    found = [
        sq.steady_state(model, initial_state=DOWN, method=name)
        for name in ("closed_form", "symmetric", "permutation_invariant")
    ]
    late = sq.simulate(model, DOWN, [200.0], method="permutation_invariant").isel(time=0)
    for data in found:
        assert data["spin"].values == pytest.approx(late["spin"].values, abs=1e-8)
        assert data["covariance"].values == pytest.approx(late["covariance"].values, abs=1e-8)
        assert float(data["purity"]) == pytest.approx(float(late["purity"]), abs=1e-8)


def test_even_ensembles_reach_a_million_spins():
    model = sq.SpinModel(10**6, jumps=[sq.SqueezedCollectiveDecay(1.0, r=9.0)])
    data = sq.steady_state(model, initial_state=DOWN)
    assert data.attrs["method"] == "closed_form"
    assert float(data["xi2"]) == pytest.approx(2 / (10**6 + 2), rel=1e-3)


def test_mean_spin_ignores_local_dephasing():
    values = [
        float(
            sq.steady_state(
                sq.SpinModel(
                    30, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.8), sq.LocalDephasing(rate)]
                )
            )["spin"][2]
        )
        for rate in (0.01, 1.0, 20.0)
    ]
    assert values == pytest.approx([-30 / (2 * np.cosh(1.6))] * 3, rel=1e-9)


def test_gap_is_an_eigenvalue_of_the_dense_liouvillian():
    model = sq.SpinModel(
        3, hamiltonian=[sq.OneAxisTwisting(0.4)], jumps=[*SQUEEZED, sq.LocalDephasing(0.1)]
    )
    dense = np.linalg.eigvals(liouvillian(model.canonical, site_operators(3), 0.0))
    found = sq.liouvillian_gap(model)
    assert found.zero_modes == 1
    for value in found.eigenvalues:
        assert np.abs(dense - value).min() < 1e-8
    assert found.gap > 0


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("chi", [0.0, 0.4])
@pytest.mark.parametrize("n_spins", [1, 2, 3, 20])
def test_spins_along_the_axis_of_their_noise_stay(n_spins, chi, axis):
    """Local dephasing and twisting about an axis conserve the spin along it, z or not."""
    along = np.eye(3)["xyz".index(axis)]
    model = sq.SpinModel(
        n_spins,
        hamiltonian=[sq.OneAxisTwisting(chi, axis=axis)],
        jumps=[sq.LocalJump(0.3, vector=along)],
    )
    data = sq.steady_state(model, initial_state=sq.CoherentState(along))
    assert data["spin"].values == pytest.approx(n_spins / 2 * along, abs=1e-9)
    assert float(data["purity"]) == pytest.approx(1.0, abs=1e-9)
    with pytest.raises(InvalidInput, match="initial"):
        sq.steady_state(model)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sq.steady_state(sq.SpinModel(4)), InvalidInput, "at least one jump"),
        (
            lambda: sq.steady_state(
                sq.SpinModel(4, jumps=[sq.LocalDecay(sq.Envelope([0, 1], values=[1, 2]))])
            ),
            InvalidInput,
            "needs constant strengths",
        ),
        (
            lambda: sq.steady_state(sq.SpinModel(4, jumps=SQUEEZED), method="exact"),
            Unsupported,
            "total spin is conserved, so that there are many steady states",
        ),
        (
            lambda: sq.steady_state(sq.SpinModel(4, jumps=SQUEEZED), method="closed_form"),
            Unsupported,
            "total spin is conserved: give an initial state",
        ),
        (
            lambda: sq.steady_state(
                sq.SpinModel(400, jumps=[*SQUEEZED, sq.LocalDephasing(0.1)]),
                method="permutation_invariant",
            ),
            TooLarge,
            "PermutationInvariant needs",
        ),
        (
            lambda: sq.steady_state(
                sq.SpinModel(
                    sq.Lattice((4, 4)),
                    hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.5, exponent=3)],
                    jumps=[sq.LocalDephasing(0.1)],
                )
            ),
            InvalidInput,
            "no method fits this model.*PermutationInvariant: the model has spins that differ",
        ),
        (
            lambda: sq.steady_state(
                sq.SpinModel(400, jumps=[*SQUEEZED, sq.LocalDephasing(0.1)]),
                method="permutation_invariant",
            ),
            TooLarge,
            r"PermutationInvariant needs .*B .*budget is 4 GB",
        ),
        (
            lambda: sq.liouvillian_gap(
                sq.SpinModel(4, jumps=[sq.LocalDecay(1.0)]), maximal_spin_only=True
            ),
            InvalidInput,
            "maximal_spin_only",
        ),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
