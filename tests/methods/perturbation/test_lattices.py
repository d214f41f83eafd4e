"""Lattices that are alike everywhere, by displacement: against the dense equations, and large."""

import json
import tracemalloc

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.core.errors import NumericalFailure, TooLarge
from spinsqueeze.methods.base import flip_operators
from spinsqueeze.numerics import flip_amplitudes, flip_tables
from spinsqueeze.run.questions import steady_question

SHAPES = [(2,), (3,), (8,), (9,), (1, 4), (2, 2), (2, 3), (4, 4), (2, 2, 2), (3, 2, 2), (3, 3, 4)]
ALONE = sq.Perturbation(1, next_order=False)


def lattice(shape, exponent, *, decay=0.4, sign=1.0, collective=True):
    """Every piece that a lattice which is alike everywhere may have."""
    terms = [
        sq.PowerLawXYZ(j_x=0.9 * sign, j_y=0.2 * sign, j_z=-0.5, exponent=exponent),
        sq.PowerLawXXZ(j_perp=-0.3, j_z=0.7, exponent=1.5),
    ]
    jumps = [sq.LocalDecay(decay)]
    if collective:
        terms += [
            sq.CollectiveQuadratic([[0.1, 0.2, 0.1], [0.2, 0.3, 0.05], [0.1, 0.05, 0.2]]),
            sq.UniformField([0.1, 0.2, 0.4]),
        ]
        jumps += [sq.CollectiveDecay(0.2)]
    return sq.SpinModel(sq.Lattice(shape), hamiltonian=terms, jumps=jumps)


def by_kind_and_by_distance(model, perturbed=()):
    form = model.canonical
    shape = flip_operators.torus(form)
    assert shape is not None
    return (
        flip_operators._by_kind(form, perturbed),
        flip_operators._by_distance(form, shape, perturbed),
    )


@pytest.mark.parametrize("exponent", [0, 3, np.inf])
@pytest.mark.parametrize("sites", [1000, 0], ids=["direct", "iterated"])
def test_amplitudes_are_those_of_the_dense_equations(exponent, sites, monkeypatch):
    monkeypatch.setattr(flip_tables, "DIRECT_SITES", sites)
    for shape in SHAPES:
        dense, table = by_kind_and_by_distance(lattice(shape, exponent))
        np.testing.assert_allclose(
            table.single_amplitudes(), dense.single_amplitudes(), atol=1e-12, rtol=1e-11
        )
        pairs, expected = table.pair_amplitudes(), dense.pair_amplitudes()
        np.testing.assert_allclose(pairs.values.matrix(), expected.values.matrix(), atol=1e-11)
        for name in ("total", "size", "squares"):
            value = getattr(pairs.values, name)
            assert value == pytest.approx(getattr(expected.values, name), rel=1e-10)
        slowest = -2 * np.linalg.eigvals(dense.one_flip()).imag.max() / dense.largest_entry
        assert table.slowest_decay() == pytest.approx(slowest, rel=1e-9)
        assert table.largest_entry == pytest.approx(dense.largest_entry, rel=1e-12)
        assert table.largest_drive == pytest.approx(dense.largest_drive, rel=1e-12)


def test_both_ways_of_the_method_agree():
    """The whole perturbation theory among density matrices, on 2 x 2 and 5 sites."""
    for shape in ((2, 2), (5,)):
        model = lattice(shape, 3.0)
        alone, whole = (
            sq.steady_state(model, method=method) for method in (ALONE, sq.Perturbation(1))
        )
        for name in ("spin", "covariance"):
            np.testing.assert_allclose(alone[name], whole[name], atol=1e-12)


def test_the_error_of_an_early_end_is_within_the_claim(monkeypatch):
    model = lattice((4, 4), 2.0, decay=0.1)
    dense, table = by_kind_and_by_distance(model)
    exact = dense.pair_amplitudes().values.matrix()
    monkeypatch.setattr(flip_tables, "DIRECT_SITES", 0)
    monkeypatch.setattr(flip_amplitudes, "RESIDUAL", 1.0)
    errors = []
    for tolerance in (1e-2, 1e-4, 1e-6):
        monkeypatch.setattr(flip_tables, "SMALLEST", tolerance)
        found = table.pair_amplitudes()
        errors.append(np.sqrt(np.sum(np.abs(found.values.matrix() - exact) ** 2) / 2))
        assert 0 < errors[-1] <= found.error < 1e3 * errors[-1]
        result = sq.squeezing_theorem(model)
        gap = abs(abs(found.values.total) - abs(np.sum(exact) / 2)) * 4 / 16
        assert gap <= result.slope_error
        notes = json.loads(sq.steady_state(model, method=ALONE).attrs["diagnostics"])
        assert notes["xi2_series_error"] == pytest.approx(result.slope_error, rel=1e-6)
    assert errors[0] > 10 * errors[2]


@pytest.mark.parametrize("by", [0, 1], ids=["kind", "distance"])
def test_the_claim_is_the_error_where_couplings_are_weak(by, monkeypatch):
    """A residual is then undone by the decay alone."""
    term = sq.PowerLawXYZ(j_x=0.09, j_y=0.02, j_z=-0.05, exponent=3)
    model = sq.SpinModel(sq.Lattice((3, 4)), hamiltonian=[term], jumps=[sq.LocalDecay(0.7)])
    operators = by_kind_and_by_distance(model)[by]
    exact = operators.pair_amplitudes().values.matrix()
    monkeypatch.setattr(flip_tables, "DIRECT_SITES", 0)
    monkeypatch.setattr(flip_tables, "SMALLEST", 0.5)
    monkeypatch.setattr(flip_amplitudes, "DIRECT_UNKNOWNS", 0)
    monkeypatch.setattr(flip_amplitudes, "KRYLOV_VECTORS", 1)
    monkeypatch.setattr(flip_amplitudes, "MAX_RESTARTS", 1)
    monkeypatch.setattr(flip_amplitudes, "RESIDUAL", 1.0)
    rough = operators.pair_amplitudes()
    error = np.sqrt(np.sum(np.abs(rough.values.matrix() - exact) ** 2) / 2)
    assert 1e-9 < error <= rough.error < 1.2 * error


def test_pairs_of_one_energy_are_solved_in_one_step(monkeypatch):
    """All to all the interaction is a constant: the preconditioner, hard core and all, is exact."""
    monkeypatch.setattr(flip_tables, "DIRECT_SITES", 0)
    monkeypatch.setattr(flip_tables, "KRYLOV_VECTORS", 1)
    monkeypatch.setattr(flip_tables, "MAX_RESTARTS", 1)
    terms = [
        sq.PowerLawXYZ(j_x=0.5, j_y=0.5, j_z=0.4, exponent=0),
        sq.PowerLawXYZ(j_x=0.9, j_y=0.2, j_z=0.0, exponent=2),
    ]
    model = sq.SpinModel(sq.Lattice((5, 6)), hamiltonian=terms, jumps=[sq.LocalDecay(0.2)])
    dense, table = by_kind_and_by_distance(model)
    expected = dense.pair_amplitudes().values.matrix()
    np.testing.assert_allclose(table.pair_amplitudes().values.matrix(), expected, atol=1e-12)


def test_sites_that_differ_claim_an_error_too(monkeypatch):
    """Slow emitters beside fast ones, by iteration."""
    rates = np.linspace(0.1, 1.0, 12)
    model = sq.SpinModel(
        sq.Lattice((3, 4)),
        hamiltonian=[sq.PowerLawXYZ(j_x=0.9, j_y=0.2, j_z=-0.5, exponent=3)],
        jumps=[sq.LocalDecay(list(rates))],
    )
    operators = flip_operators.flip_operators(model.canonical)
    exact = operators.pair_amplitudes()
    assert exact.error < 1e-13
    monkeypatch.setattr(flip_amplitudes, "DIRECT_UNKNOWNS", 0)
    monkeypatch.setattr(flip_amplitudes, "KRYLOV_VECTORS", 4)
    monkeypatch.setattr(flip_amplitudes, "MAX_RESTARTS", 1)
    monkeypatch.setattr(flip_amplitudes, "RESIDUAL", 1.0)
    rough = operators.pair_amplitudes()
    gap = rough.values.matrix() - exact.values.matrix()
    error = np.sqrt(np.sum(np.abs(gap) ** 2) / 2)
    assert 1e-9 < error <= rough.error < 1e3 * error


def test_flips_that_hardly_decay_are_noticed(monkeypatch):
    monkeypatch.setattr(flip_tables, "KRYLOV_VECTORS", 2)
    monkeypatch.setattr(flip_tables, "MAX_RESTARTS", 1)
    model = lattice((20, 20), np.inf, decay=1e-6, collective=False)
    with pytest.raises(NumericalFailure, match="hardly decay beside the couplings; raise"):
        sq.steady_state(model, method=ALONE)
    dark = sq.SpinModel(
        sq.Lattice((20, 20)), hamiltonian=model.hamiltonian, jumps=[sq.CollectiveDecay(1.0)]
    )
    with pytest.raises(NumericalFailure, match="another state of few flipped spins"):
        sq.steady_state(dark, method=ALONE, initial_state=sq.CoherentState("-z"))
    with pytest.raises(sq.Unsupported, match="a dark state"):
        sq.squeezing_theorem(dark)


@pytest.mark.parametrize("shape", [(64, 64), (16, 16, 16)])
def test_thousands_of_sites(shape):
    """Slopes of the theorem and of the series, without a matrix of N x N."""
    model = sq.SpinModel(
        sq.Lattice(shape),
        hamiltonian=[sq.PowerLawXYZ(j_x=0.9, j_y=0.2, j_z=-0.5, exponent=3)],
        jumps=[sq.LocalDecay(1.0)],
    )
    question = steady_question(model)
    ALONE.answer(question)
    tracemalloc.start()
    try:
        ALONE.answer(question)
        used = tracemalloc.get_traced_memory()[1]
        result = sq.squeezing_theorem(model)
        in_all = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert used / 1.5 < ALONE.cost(question).memory < 4 * used
    assert in_all < 30e6  # a matrix of complex numbers would have 268 MB
    found = sq.steady_state(model, method=ALONE)
    series = json.loads(found.attrs["diagnostics"])["xi2_series"].split(", ")
    assert float(series[1]) == pytest.approx(result.uniform.slope, rel=1e-8)
    assert result.slope_error < 1e-9
    assert result.by_site.is_global
    assert len(result.by_site.angles) == 4096
    with pytest.raises(TooLarge, match="the pairs of 4096 kinds of spins need"):
        sq.squeezing_theorem(model, memory_budget=1e6)
