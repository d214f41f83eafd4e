"""The equations of motion, their derivative, and states: against matrices and set partitions."""

from math import factorial, prod

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from tests.calibration.random_problems import Draw
from tests.methods.cumulants import hierarchy
from tests.problems.dense_states import density_matrix

import spinsqueeze as sq
from spinsqueeze.methods.base.states import symmetric_amplitudes
from spinsqueeze.methods.cumulants import collective_states, states
from spinsqueeze.methods.cumulants.flow import flow
from spinsqueeze.methods.cumulants.integrate import equations_of
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.methods.cumulants.series import n_coefficients, n_products, series
from spinsqueeze.methods.cumulants.tables import tables_of

CASES = [
    *(((4,), order) for order in (1, 2, 3, 4)),
    *(((2, 2), order) for order in (1, 2, 3, 4)),
    ((1, 3), 2),
    ((1, 1, 2), 3),
    ((1, 1, 1), 3),
]


def model_of(counts, seed):
    """Every part that a model of constant strengths may have."""
    draw = Draw(np.random.default_rng(seed), last=1.0, timed=False)
    n = len(counts)
    spins = [
        sq.SpinClass(count, weight=weight, detuning=draw.rng.normal())
        for count, weight in zip(counts, (0.8, -1.3, 0.4)[:n], strict=True)
    ]
    return sq.SpinModel(
        spins if n > 1 else counts[0],
        hamiltonian=[
            sq.CollectiveQuadratic(draw.tensor()),
            sq.PowerLawXYZ(j_x=0.4, j_y=-0.7, j_z=0.2, exponent=0),
            sq.UniformField(draw.rng.normal(size=3)),
        ],
        jumps=[
            sq.CollectiveJump(0.4, vector=draw.rng.normal(size=3) + 1j * draw.rng.normal(size=3)),
            sq.LocalJump(0.6, vector=draw.rng.normal(size=3) + 1j * draw.rng.normal(size=3)),
        ],
    )


def equations(model, order):
    form = model.canonical
    return equations_of(tables_of(form), counts=form.counts, order=order)


def names_of(variables):
    return [tuple(np.repeat(np.arange(len(row)), row).tolist()) for row in variables.exponents]


def coefficients_of(cumulants, variables):
    """P_n = c_n / n!."""
    sizes = [prod(factorial(k) for k in row) for row in variables.exponents.tolist()]
    names = names_of(variables)
    return np.array([cumulants[n] / size for n, size in zip(names, sizes, strict=True)])


@pytest.mark.parametrize(("counts", "order"), CASES)
def test_the_flow_is_that_of_the_closed_hierarchy(counts, order):
    model = model_of(counts, seed=[3, order, *counts])
    code = equations(model, order)
    rng = np.random.default_rng(order)
    names = hierarchy.names(counts, order)
    cumulants = {name: 0.4 * rng.normal() for name in names} | {(): 0.0}
    p = coefficients_of(cumulants, code.series)
    out = np.empty_like(p)
    flow(p, code.strengths[0][0], code.structure, out)
    right = hierarchy.flow_of(cumulants, hierarchy.rates(model, counts, order), order)
    assert len(p) == len(names) == n_coefficients(np.array(counts), order)
    assert out == pytest.approx(coefficients_of(right, code.series), abs=1e-11)


@pytest.mark.parametrize(("counts", "order"), CASES)
def test_the_jacobian_is_the_derivative_of_the_flow(counts, order):
    code = equations(model_of(counts, seed=[4, order, *counts]), order)
    p = 0.3 * np.random.default_rng(order).normal(size=len(code.series.exponents))
    strengths = code.strengths[0][0]

    def rate(values):
        out = np.empty_like(values)
        flow(values, strengths, code.structure, out)
        return out

    columns = [(rate(p + 1e-4 * e) - rate(p - 1e-4 * e)) / 2e-4 for e in np.eye(len(p))]
    # At most cubic in p: what differences leave out is their cube.
    assert jacobian(p, strengths, code) == pytest.approx(np.array(columns).T, abs=1e-6)


@pytest.mark.parametrize(("counts", "order"), CASES)
def test_rotations_turn_the_moments(counts, order):
    rng = np.random.default_rng([order, *counts])
    variables = series(np.array(counts), order)
    names = hierarchy.names(counts, order)
    cumulants = {name: rng.normal() for name in names} | {(): 0.0}
    turns = Rotation.random(len(counts), random_state=5).as_matrix()
    p = states.rotated(coefficients_of(cumulants, variables), turns=turns, series=variables)
    right = {}
    for name in names:  # <s'_a s'_b ...> = sum R_aa' R_bb' <s_a' s_b' ...>
        inner = np.indices((3,) * len(name)).reshape(len(name), -1).T if name else [()]
        right[name] = sum(
            prod(turns[u // 3, u % 3, a] for u, a in zip(name, axes, strict=True))
            * cumulants[tuple(sorted(3 * (u // 3) + a for u, a in zip(name, axes, strict=True)))]
            for axes in inner
        )
    assert p == pytest.approx(coefficients_of(right, variables), abs=1e-12)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(6))
def test_states_have_the_moments_of_distinct_spins(order, seed):
    draw = Draw(np.random.default_rng(seed), last=1.0)
    state = draw.block_state(4) if seed % 2 else draw.alike_state(4)
    variables = series(np.array([4]), order)
    if isinstance(state, sq.BlockState):
        p = collective_states.of_blocks(state.values, n_spins=4, series=variables)
    else:
        amplitudes = symmetric_amplitudes(state, 4)
        p = collective_states.of_amplitudes(amplitudes, n_spins=4, series=variables)
    exact = hierarchy.moments_of(density_matrix(state, 4), (4,), order)
    cumulants = hierarchy.cumulants_of(exact)
    assert p == pytest.approx(coefficients_of(cumulants, variables), abs=1e-12)


@pytest.mark.parametrize("counts", [(1,), (3,), (50,), (1, 1, 1), (2, 50), (10**8, 3)])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_sizes_of_series_are_known_before_they_are_made(counts, order):
    tables = series(np.array(counts), order)
    assert n_coefficients(np.array(counts), order) == len(tables.exponents)
    assert n_products(np.array(counts), order - 1) == tables.products.shape[1]
