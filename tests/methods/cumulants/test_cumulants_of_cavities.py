"""Cumulants with a cavity: their flow against matrices on spins x Fock, and runs against these."""

from itertools import combinations_with_replacement
from math import comb

import numpy as np
import pytest
from tests.methods.cumulants import hierarchy
from tests.methods.cumulants.test_cumulants_flow import coefficients_of
from tests.problems import fock
from tests.problems.dense_model import generators

import spinsqueeze as sq
from spinsqueeze.methods.cumulants.flow import flow
from spinsqueeze.methods.cumulants.integrate import equations_of
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.methods.cumulants.mode_tables import mode_tables
from spinsqueeze.methods.cumulants.tables import tables_of

LEVELS, HELD = 9, 3
CAVITY = sq.Cavity(
    [0.6, 0.2 - 0.5j, 0.3j],
    decay_rate=0.9,
    detuning=0.7,
    drive=0.4,
    squeezing=0.3,
    squeezing_phase=0.8,
    thermal_occupation=0.2,
    reservoirs=[{"rate": 0.3, "loss": [0.2, 0.5], "gain": 0.4}],
)


def cavity_model(counts, cavity=CAVITY):
    spins = [
        sq.SpinClass(n, weight=w, detuning=0.3 * w)
        for n, w in zip(counts, (0.8, -1.2), strict=False)
    ]
    return sq.SpinModel(
        spins if len(counts) > 1 else counts[0],
        hamiltonian=[sq.OneAxisTwisting(0.5, axis="x"), sq.UniformField([0.2, 0.3, -0.4])],
        jumps=[sq.CollectiveDecay(0.3), sq.LocalDecay(0.2)],
        cavity=cavity,
    )


def equations(model, order):
    form = model.canonical
    tables = [*tables_of(form), *mode_tables(form)]
    return equations_of(tables, counts=form.counts, order=order, n_modes=1)


def normal_ordered(r, s):
    """:r^p s^q: with a = r + i s, on the Fock levels."""
    a = fock.annihilation(LEVELS)
    out = np.zeros((LEVELS, LEVELS), dtype=complex)
    for k in range(r + 1):
        for m in range(s + 1):
            # r = (a + a†)/2, s = (a - a†)/(2i); a† to the left
            factor = comb(r, k) * comb(s, m) * (-1) ** (s - m) / 2**r / (2j) ** s
            lowered = np.linalg.matrix_power(a, k + m)
            raised = np.linalg.matrix_power(a.conj().T, r - k + s - m)
            out += factor * raised @ lowered
    return out


def names(counts, order):
    """Sorted tuples of variables: three a kind, then r and s, which are of no spin."""
    n = 3 * len(counts)
    return [
        name
        for degree in range(order + 1)
        for name in combinations_with_replacement(range(n + 2), degree)
        if all(sum(u // 3 == kind for u in name if u < n) <= c for kind, c in enumerate(counts))
    ]


def means(rho, counts, order):
    n = 3 * len(counts)
    out = {}
    for name in names(counts, order):
        spins = hierarchy.operator(tuple(u for u in name if u < n), counts)
        field = normal_ordered(name.count(n), name.count(n + 1))
        out[name] = np.trace(np.kron(spins, field) @ rho).real
    return out


def random_state(counts, rng):
    """A mixture of products, the spins of a kind alike; the mode holds few photons."""
    n = int(np.sum(counts))
    rho = 0.0
    for share in rng.dirichlet(np.ones(4)):
        factors = []
        for count in counts:
            a = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
            factors += [a @ a.conj().T / np.linalg.norm(a) ** 2] * count
        psi = np.zeros((LEVELS, HELD), dtype=complex)
        psi[:HELD] = rng.normal(size=(HELD, HELD)) + 1j * rng.normal(size=(HELD, HELD))
        mode = psi @ psi.conj().T / np.linalg.norm(psi) ** 2
        whole = np.ones((1, 1))
        for factor in (*factors, mode):
            whole = np.kron(whole, factor)
        rho = rho + share * whole
    assert rho.shape[0] == 2**n * LEVELS
    return rho


@pytest.mark.parametrize(
    ("counts", "order"), [((1,), 1), ((3,), 1), ((3,), 2), ((2, 1), 2), ((2,), 3)]
)
def test_the_flow_is_that_of_a_random_state(counts, order):
    """Degrees up to order - 1 of a state whose cumulants up to the order are all there."""
    model = cavity_model(counts)
    rng = np.random.default_rng([5, order, *counts])
    rho = random_state(counts, rng)
    change = sum(f * matrix for f, matrix in generators(model, LEVELS)) @ rho.ravel()
    top = order + 1
    now, rate = means(rho, counts, top), means(change.reshape(rho.shape), counts, top)
    code = equations(model, top)
    p = coefficients_of(hierarchy.cumulants_of(now), code.series)
    out = np.empty_like(p)
    flow(p, code.strengths[0][0], code.structure, out)
    step = 1e-30
    moved = hierarchy.cumulants_of({n: now[n] + 1j * step * rate[n] for n in now})
    right = coefficients_of({n: np.imag(v) / step for n, v in moved.items()}, code.series)
    below = code.series.sizes[top]
    assert np.abs(right[:below]).max() > 0.1
    np.testing.assert_allclose(out[:below], right[:below], atol=1e-11)


@pytest.mark.parametrize(("counts", "order"), [((3,), 1), ((3,), 3), ((2, 1), 2)])
def test_the_jacobian_is_the_derivative_of_the_flow(counts, order):
    code = equations(cavity_model(counts), order)
    p = 0.3 * np.random.default_rng(order).normal(size=len(code.series.exponents))

    def rate(values):
        out = np.empty_like(values)
        flow(values, code.strengths[0][0], code.structure, out)
        return out

    exact = jacobian(p, code.strengths[0][0], code)
    h = 1e-5
    for k in range(1, len(p)):
        moved = h * np.eye(len(p))[k]
        numeric = (rate(p + moved) - rate(p - moved)) / (2 * h)
        np.testing.assert_allclose(exact[:, k], numeric, atol=1e-8)
