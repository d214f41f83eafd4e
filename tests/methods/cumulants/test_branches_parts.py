"""What branches are made of: all roots of quadratics, equations along a parameter, invariants."""

import numpy as np
import pytest
from scipy.linalg import expm

import spinsqueeze as sq
from spinsqueeze.methods.cumulants import branches
from spinsqueeze.methods.cumulants.all_roots import all_roots
from spinsqueeze.methods.cumulants.curve import FOLD, FixedPoints, Special, follow
from spinsqueeze.methods.cumulants.family import Axis, family_of
from spinsqueeze.methods.cumulants.invariants import Conserved, conserved, symmetries
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


@pytest.mark.parametrize("order", [1, 2])
def test_conserved_quantities_stay_and_symmetries_commute_with_the_flow(order):
    along = family(order, sq.CollectiveDecay(0.4))
    if order == 1:  # Pauli's relations keep no length, closed models do
        along = family(order)
    y, x, h = np.random.default_rng(2).uniform(-0.5, 0.5, along.size), 0.6, 1e-5
    held = conserved(along)
    gradients = held.gradients(y)
    assert len(gradients)
    assert gradients @ along.flow(y, x) == pytest.approx(np.zeros(len(gradients)), abs=1e-10)
    for k, e in enumerate(np.eye(along.size)):
        change = (held.values(y + h * e) - held.values(y - h * e)) / (2 * h)
        assert change == pytest.approx(gradients[:, k], abs=1e-8)
    along = family(order, sq.CollectiveDecay(0.4), sq.LocalDecay(0.1), fields=False)
    (G,) = symmetries(along)
    turn = expm(0.7 * G)
    assert np.abs(turn @ y - y).max() > 0.1
    assert along.flow(turn @ y, x) == pytest.approx(turn @ along.flow(y, x), abs=1e-9)


class Ring:
    """Fixed points y = (y_0, 0, 0) on (x - 1/2)^2 + y_0^2 = 1/16."""

    n_variables, scale = 3, np.ones(3)

    def flow(self, y, x):
        return np.array([(x - 0.5) ** 2 + y[0] ** 2 - 1 / 16, y[1], y[2]])

    def jacobian(self, y, _x):
        return np.diag([2 * y[0], 1.0, 1.0])

    def slope(self, _y, x):
        return np.array([2 * (x - 0.5), 0.0, 0.0])


RING = FixedPoints(Ring(), Conserved((), np.zeros((0, 0))), np.zeros((0, 3, 3)), np.zeros(0))
AROUND = 2 * np.pi / 4


def length(points):
    return np.linalg.norm(np.diff([point.u for point in points], axis=0), axis=1).sum()


def test_a_closed_curve_is_followed_once_around():
    start = RING.point(RING.at(np.array([0.25, 0.0, 0.0]), 0.5))
    items = list(follow(RING, start, longest=0.05, most_points=300))
    specials = [item for item in items if isinstance(item, Special)]
    assert [special.kind for special in specials] == [FOLD, FOLD]
    assert sorted(special.point.u[-1] for special in specials) == pytest.approx([0.25, 0.75])
    points = [item for item in items if not isinstance(item, Special)]
    assert 0.9 * AROUND < length([start, *points]) < 1.1 * AROUND


def test_a_closed_curve_is_one_branch(monkeypatch):
    search = branches.Search(np.array([0.5]), n_random=0, longest=0.05, most=5, seed=0)
    diagram = branches._Diagram(RING, search, [])
    for y in (0.25, -0.25):
        diagram.grow(RING.at(np.array([y, 0.0, 0.0]), 0.5))
    (curve,) = diagram.curves
    assert curve.complete
    assert 0.9 * AROUND < length(curve.points) < 1.1 * AROUND
    assert len(curve.specials) == 2
    for place, special in curve.specials:
        assert curve.points[place] is special.point
    monkeypatch.setattr(branches, "MOST_POINTS", 5)
    cut = branches._Diagram(RING, search, [])
    cut.grow(RING.at(np.array([0.25, 0.0, 0.0]), 0.5))
    assert not cut.curves[0].complete


def test_which_fixed_points_could_be_states():
    assert RING.physical(np.array([0.3, 0.0, 0.4, 0.2]))
    assert not RING.physical(np.array([0.3, 0.0, 0.41, 0.2]))
    along = family(2, sq.LocalDecay(0.1))
    series = along.equations.series
    means, pairs = np.array([0.0, 0.3, 0.4]), series.above[np.arange(3), 1 + np.arange(3)]

    def judged(mean, xx, yy, zz):
        """Of 20 spins; covariance (1/4 - m^2) N + c N (N - 1) for each axis, c = 2 p."""
        p = np.zeros(len(series.exponents))
        p[1:4], p[pairs] = mean, np.array([xx, yy, zz]) / 2
        return bool(branches.sound(along, p[1:] / along.scale)[0])

    assert judged(means, 0, 0, 0)  # of the largest total spin
    assert not judged(means, 0.01, 0, 0)
    assert judged(0 * means, -0.24 / 19, 0, 0)
    assert not judged(0 * means, -0.26 / 19, 0, 0)
    assert not judged(0 * means, -0.2 / 19, -0.2 / 19, -0.4 / 19)
    assert not judged(0 * means, 0.2, 0.2, 0.2)


def test_random_states_and_ends_of_evolutions_are_seeds(monkeypatch):
    along = family(1, sq.LocalDecay(0.1))
    generator = np.random.default_rng(0)
    states = [branches._random_state(along, generator) * along.scale for _ in range(100)]
    lengths = np.linalg.norm(states, axis=1)
    assert 0.45 < lengths.max() <= 0.5
    asked = []
    monkeypatch.setattr(branches, "_end_of", lambda _family, _p, x: asked.append(x) or [])
    equations = FixedPoints(along, conserved(along), symmetries(along), np.zeros(0))
    places = np.linspace(0.0, 1.0, 9)
    search = branches.Search(places, n_random=0, longest=0.05, most=5, seed=0)
    for followed in (False, True):
        branches._seeds(equations, [along.cumulants(states[0])], search, followed=followed)
        assert asked == [0.0, 0.5, 1.0] * followed


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
