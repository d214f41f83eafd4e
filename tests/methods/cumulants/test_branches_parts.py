"""What branches are made of: all roots of quadratics, equations along a parameter, invariants."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.cumulants.all_roots import all_roots
from spinsqueeze.methods.cumulants.family import Axis, family_of
from spinsqueeze.methods.cumulants.invariants import conserved, symmetries
from spinsqueeze.methods.cumulants.tables import tables_of


def family(order, *jumps, fields=True, axis=Axis(0.5, 2.0)):  # noqa: B008
    """Of 20 spins along the drive, or along the exchange where there are no fields."""

    def tables(value):
        terms = [sq.CollectiveExchange(0.3 if fields else value)]
        terms += [sq.Drive(value)] if fields else []
        return tables_of(sq.SpinModel(20, hamiltonian=terms, jumps=jumps).canonical)

    return family_of(tables, axis=axis, counts=np.array([20]), order=order)


def test_all_eight_roots_of_three_quadratics():
    generator = np.random.default_rng(0)
    mixing, sides = generator.normal(size=(3, 3)), np.array([1.0, 0.25, 0.04])
    quadratic = np.einsum("ev,vw->evw", 2 * mixing, np.eye(3))
    roots = all_roots(-mixing @ sides, np.zeros((3, 3)), quadratic)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T * np.sqrt(sides)
    for root in signs:
        assert np.abs(roots - root).max(axis=1).min() < 1e-6
    more = all_roots(
        np.append(-mixing @ sides, -1.7), np.vstack([np.zeros((3, 3)), [1.0, 1.0, 1.0]]),
        np.concatenate([quadratic, np.zeros((1, 3, 3))]),
    )  # fmt: skip
    assert np.unique(np.round(more, 5), axis=0) == pytest.approx(np.array([[1.0, 0.5, 0.2]]))


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_along_a_parameter(order):
    along = family(order, sq.CollectiveDecay(0.4), sq.LocalDecay(0.1))
    y, x, h = np.random.default_rng(1).uniform(-0.5, 0.5, along.size), 0.3, 1e-4
    J = along.jacobian(y, x)
    assert pytest.approx(along._jacobian(y, along._coefficients(x)), abs=1e-12) == J
    for k, e in enumerate(np.eye(along.size)):
        ends = [along.flow(y + s * h * e, x) for s in (-1, 1)]
        assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(J[:, k], abs=1e-7)
    ends = [along.flow(y, x + s * h) for s in (-1, 1)]
    assert (ends[1] - ends[0]) / (2 * h) == pytest.approx(along.slope(y, x), abs=1e-7)


def test_what_is_conserved_and_what_is_symmetric():
    open_, closed_to_spin = sq.LocalDecay(0.1), sq.CollectiveDecay(0.4)
    assert len(conserved(family(2, closed_to_spin)).weights) == 1  # S^2
    assert len(conserved(family(2, closed_to_spin, open_)).weights) == 0
    assert len(symmetries(family(2, closed_to_spin, open_))) == 0
    assert len(symmetries(family(2, closed_to_spin, open_, fields=False))) == 1  # about z


def test_logarithmic_places():
    axis = Axis(0.5, 8.0, logarithmic=True)
    assert axis.value(0.25) == pytest.approx(1.0)
    assert axis.slope(0.25) == pytest.approx(np.log(16.0))


def test_equations_with_a_corner():
    def tables(value):
        model = sq.SpinModel(5, hamiltonian=[sq.Drive(abs(value))], jumps=[sq.LocalDecay(1.0)])
        return tables_of(model.canonical)

    with pytest.raises(sq.InvalidInput, match="no smooth function of the parameter"):
        family_of(tables, axis=Axis(-1.0, 1.3), counts=np.array([5]), order=1)
