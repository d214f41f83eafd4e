"""Printed equations of second order against the exact derivative of a random state.

tucker2020_preprint (S2)-(S9), (S12)-(S17) and groszkowski2022 (B2)-(B5), with the misprints that
NOTES.md lists. Third moments are taken from the state itself, so that every equation must hold
exactly.
"""

from functools import reduce

import numpy as np
import pytest
from scipy.optimize import root
from tests.methods.cumulants.hierarchy import operator
from tests.methods.cumulants.printed import tucker_second_order
from tests.problems.dense_model import generators, total_spin

import spinsqueeze as sq

N = 5
GAMMA, GAMMA_S, CHI, OMEGA = 0.7, 0.4, 0.9, 1.3
LETTERS = {"+": {0: 1.0, 1: 1j}, "-": {0: 1.0, 1: -1j}, "z": {2: 2.0}}


def random_state(seed):
    """A mixture of products of alike mixed spins: any permutation-invariant state is such a sum."""
    rng = np.random.default_rng(seed)
    rho = np.zeros((2**N, 2**N), dtype=complex)
    for share in rng.dirichlet(np.ones(6)):
        a = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
        single = a @ a.conj().T / np.linalg.norm(a) ** 2
        rho += share * reduce(np.kron, [single] * N)
    return rho


def pauli(rho, letters):
    """<sigma_a^.. sigma_b^.. ...> of distinct spins."""
    total = 0.0
    choices = [[]]
    for letter in letters:
        choices = [[*c, item] for c in choices for item in LETTERS[letter].items()]
    for choice in choices:
        name = tuple(axis for axis, _ in choice)
        total += np.prod([w for _, w in choice]) * np.trace(operator(name, (N,)) @ rho)
    return total


def change(model, rho):
    """d rho/dt."""
    L = sum(strength * matrix for strength, matrix in generators(model))
    return (L @ rho.ravel()).reshape(rho.shape)


DRIVEN = sq.SpinModel(
    N,
    hamiltonian=[sq.CollectiveExchange(CHI), sq.Drive(OMEGA)],
    jumps=[sq.CollectiveDecay(GAMMA), sq.LocalDecay(GAMMA_S)],
)


@pytest.mark.parametrize("seed", range(3))
def test_tucker_second_order(seed):
    rho = random_state(seed)
    drho = change(DRIVEN, rho)
    strengths = {"n": N, "decay": GAMMA, "local": GAMMA_S, "chi": CHI, "drive": OMEGA}
    printed = tucker_second_order(lambda word: pauli(rho, word), **strengths)
    for letters, value in printed.items():
        assert value == pytest.approx(pauli(drho, letters), abs=1e-13), letters


def printed_mean_field(r, phi, z, *, n, drive=OMEGA):
    """(S2)-(S4)."""
    both = GAMMA + GAMMA_S
    return [
        -both / 2 * r + GAMMA / 2 * (n - 1) * z * r - drive / 2 * z * np.sin(phi),
        -CHI * (n - 1) * z - drive / (2 * r) * z * np.cos(phi) + CHI,
        -2 * GAMMA * (n - 1) * r**2 - both * (1 + z) + 2 * drive * r * np.sin(phi),
    ]


def test_tucker_mean_field():
    """Of a product of mixed spins, all moments are products: exact."""
    rng = np.random.default_rng(2)
    a = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
    rho = reduce(np.kron, [a @ a.conj().T / np.linalg.norm(a) ** 2] * N)
    drho = change(DRIVEN, rho)
    raised, z = pauli(rho, "+"), pauli(rho, "z").real  # <sigma^+> = r exp(i phi)
    r, phi = abs(raised), np.angle(raised)
    turning = pauli(drho, "+") * np.exp(-1j * phi)
    right = [turning.real, turning.imag / r, pauli(drho, "z").real]
    assert printed_mean_field(r, phi, z, n=N) == pytest.approx(right, abs=1e-13)


def test_tucker_fixed_point_lacks_factors():
    """(S5), (S6) hold where (S2)-(S4) vanish; (S7) lacks Omega^2 and a factor 16, (S9) the 16."""
    n, drive = 200, 100.0
    critical = n / 2 * np.sqrt(GAMMA**2 + 4 * CHI**2)
    guess = [drive / critical / 2, np.arctan2(GAMMA, -2 * CHI), -0.8]
    r, phi, z = root(lambda x: printed_mean_field(*x, n=n, drive=drive), guess, tol=1e-14).x
    assert printed_mean_field(r, phi, z, n=n, drive=drive) == pytest.approx([0] * 3, abs=1e-9)
    assert z**2 + z + 2 * r**2 == pytest.approx(0, abs=1e-12)
    inside = 2 * (n - 1) * GAMMA * r**2 + (GAMMA + GAMMA_S) * (1 + z)
    assert 4 * r**2 * drive**2 * np.sin(phi) ** 2 == pytest.approx(inside**2, rel=1e-10)
    printed = (-CHI * (n - 1) * r**2 + CHI * r**2 / z) ** 2
    assert 4 * r**2 * drive**2 * np.cos(phi) ** 2 == pytest.approx(16 * printed, rel=1e-10)
    leading = 4 * r**2 * drive**2 - 4 * n**2 * GAMMA**2 * r**4
    assert leading == pytest.approx(16 * n**2 * CHI**2 * r**4, rel=0.05)


R, SQUEEZED, COLL, DEPHASING, RELAXING = 0.4, 0.7, 0.3, 0.25, 0.45
UP, DOWN = np.exp(2 * R), np.exp(-2 * R)
DISSIPATIVE = sq.SpinModel(
    N,
    jumps=[
        sq.SqueezedCollectiveDecay(SQUEEZED, r=R),
        sq.CollectiveDecay(COLL),
        sq.LocalDephasing(DEPHASING),
        sq.LocalDecay(RELAXING),
    ],
)


def printed_squeezed(z, xx, yy, czz, xxz, yyz):
    """(B2)-(B5) as printed, where xxz stands for the product <S_x^2><S_z>."""
    both, zz = SQUEEZED + COLL, czz + z**2
    local = 2 * DEPHASING + RELAXING
    return [
        -(DOWN * SQUEEZED / 2 + UP * SQUEEZED / 2 + COLL + RELAXING) * z
        - both * (xx + yy)
        - RELAXING * N / 2,
        (UP * SQUEEZED + COLL) * (z**2 + czz - xx)
        + 2 * both * xxz
        - both / 2 * z
        - local * xx
        + N * local / 4,
        (DOWN * SQUEEZED + COLL) * (z**2 + czz - yy)
        + 2 * both * yyz
        - both / 2 * z
        - local * yy
        + N * local / 4,
        (both + RELAXING) * z
        + (UP * SQUEEZED + COLL) * zz
        - (DOWN * SQUEEZED + UP * SQUEEZED + 2 * COLL + 2 * RELAXING) * czz
        + (DOWN * SQUEEZED + COLL) * yy
        + RELAXING * N / 2,
    ]


@pytest.mark.parametrize("seed", range(3))
def test_groszkowski_second_order(seed):
    """(B2)-(B4) hold; (B5) has <S_z^2> for <S_x^2>. Closed are <S_x^2 S_z> and <S_z S_x^2>."""
    rho = random_state(seed)
    drho = change(DISSIPATIVE, rho)
    S = total_spin(N)
    half_turn = np.diag(np.exp(-1j * np.pi * np.diag(S[2])))  # keeps the mean spin along z
    rho, drho = ((m + half_turn @ m @ half_turn.conj().T) / 2 for m in (rho, drho))

    def mean(operator, state=rho):
        return np.trace(operator @ state).real

    z, xx, yy, zz = mean(S[2]), mean(S[0] @ S[0]), mean(S[1] @ S[1]), mean(S[2] @ S[2])
    xxz, yyz = mean(S[0] @ S[0] @ S[2]), mean(S[1] @ S[1] @ S[2])
    printed = printed_squeezed(z, xx, yy, zz - z**2, xxz, yyz)
    rates = [mean(S[2], drho), *(mean(S[a] @ S[a], drho) for a in range(3))]
    rates[3] -= 2 * z * rates[0]
    assert printed[:3] == pytest.approx(rates[:3], abs=1e-12)
    closed = -2 * (SQUEEZED + COLL) * (xxz + yyz - z * (xx + yy))  # cancels where they factorise
    misprint = (UP * SQUEEZED + COLL) * (zz - xx)
    assert printed[3] - misprint + closed == pytest.approx(rates[3], abs=1e-12)
    assert abs(misprint) > 0.1
