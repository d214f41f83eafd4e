"""Rings and random positions: where they are, how near, and what is refused before any is drawn."""

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.arrangements import RandomPositions, Rings
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PowerLawXXZ
from spinsqueeze.models.tables import model_as_tables, model_from_tables


def test_rings_lie_at_their_radii_with_even_angles():
    points = Lattice(positions=Rings((1, 6, 12), spacing=0.5)).coordinates
    radii = np.hypot(*points.T)
    assert radii == pytest.approx(np.repeat([0.0, 0.5, 1.0], [1, 6, 12]))
    steps = np.diff(np.unwrap(np.arctan2(*points[7:].T[::-1])))
    assert steps == pytest.approx(np.full(11, 2 * np.pi / 12))
    assert points[1] == pytest.approx([0.5, 0.0])
    assert np.hypot(*Rings((4, 8)).coordinates.T) == pytest.approx(np.repeat([1.0, 2.0], [4, 8]))
    assert np.hypot(*Rings((3, 3), radii=(0.4, 2)).coordinates.T) == pytest.approx(
        [0.4] * 3 + [2] * 3
    )


PLACES = {
    "line": RandomPositions(60, box=100.0, blockade_radius=1.0),
    "box": RandomPositions(200, box=(20, 10), blockade_radius=0.6, seed=3),
    "cube": RandomPositions(100, box=(5, 6, 7), blockade_radius=1.0),
    "disc": RandomPositions(150, disc=8.0, blockade_radius=0.8),
    "without a blockade": RandomPositions(500, disc=2.0),
}


@pytest.mark.parametrize("name", PLACES)
def test_random_positions_keep_inside_and_apart(name):
    places = PLACES[name]
    lattice = Lattice(positions=places)
    points = lattice.coordinates
    assert points.shape == (places.random, places.dimension) == (lattice.n_spins, lattice.dimension)
    distances = lattice.distances()[np.triu_indices(lattice.n_spins, 1)]
    assert distances.min() >= places.blockade_radius
    if places.disc is None:
        assert np.all((points >= 0) & (points <= places.box))
        middle = np.array(places.box) / 2
        spread = np.array(places.box) / 12**0.5
    else:
        assert np.hypot(*points.T).max() <= places.disc
        middle, spread = np.zeros(2), places.disc / 2
    # The mean of independent points; a blockade only makes it sharper.
    assert np.all(np.abs(points.mean(axis=0) - middle) < 5 * spread / places.random**0.5)
    again = type(places)(**{**places.as_dict(), "seed": 11})
    assert not np.array_equal(again.coordinates, points)
    assert np.array_equal(type(places)(**places.as_dict()).coordinates, points)


def test_points_are_those_of_drawing_one_after_another():
    places = RandomPositions(30, box=(4, 4), blockade_radius=0.5, seed=5)
    drawn = np.random.default_rng([5, 2]).random((4096, 2)) * 4
    kept = []
    for point in drawn:
        if all(np.hypot(*(point - other)) >= 0.5 for other in kept):
            kept.append(point)
    assert np.array_equal(places.coordinates, kept[:30])


def test_a_recipe_stays_one_in_tables():
    for positions in (
        {"rings": [1, 6]},
        {"random": 7, "disc": 3.0, "blockade_radius": 0.5, "seed": 2},
    ):
        model = model_from_tables({"ensemble": {"positions": positions}})
        assert model_as_tables(model)["ensemble"]["positions"] == positions
        assert model_from_tables(model_as_tables(model)) == model
        assert model.n_spins == 7
    oblique = Lattice((3, 4), geometry="kagome", boundary=("open", "periodic"))
    model = SpinModel(oblique, hamiltonian=[PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)])
    tables = model_as_tables(model)["ensemble"]
    assert tables == {"shape": [3, 4], "geometry": "kagome", "boundary": ["open", "periodic"]}
    assert model_from_tables(model_as_tables(model)) == model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Rings(()),
            r"^rings must list the sites of each ring, e.g. \(1, 6, 12\)",
        ),
        (lambda: Rings((1, 0)), r"^rings\[1\] must be at least 1, got 0$"),
        (lambda: Rings((6, 6), radii=(2, 1)), r"^radii must increase strictly, got 2 then 1"),
        (lambda: Rings((6,), radii=(1, 2)), r"^radii must be as many as the 1 rings, got 2$"),
        (lambda: Rings((6,), radii=(0.0,)), r"^radii must be above 0 for a ring of 6 sites, which"),
        (lambda: Rings((6,), radii=(1.0,), spacing=2.0), r"^spacing must not stand next to radii"),
        (lambda: Rings((100_000, 1)), r"^rings must hold at most 100000 sites, got 100001$"),
        (lambda: RandomPositions(5), r"^give either box=\(20, 20\) or disc=10 to draw random"),
        (lambda: RandomPositions(5, box=1.0, disc=1.0), r"^give either box="),
        (lambda: RandomPositions(5, box=(1, 1, 1, 1)), r"^box must hold 1, 2 or 3 lengths, got"),
        (lambda: RandomPositions(5, box=(1, 0)), r"^box\[1\] must be above 0, got 0$"),
        (
            lambda: RandomPositions(900, box=(20, 20), blockade_radius=1.0),
            r"^blockade_radius must leave room: about 307 random positions 1 apart fit in, got 900"
            r"; lower it or their number, or enlarge the box$",
        ),
        (
            lambda: RandomPositions(320, box=(20, 20), blockade_radius=1.0),
            r"^blockade_radius must leave room: \d+ of 320 random positions 1 apart found a place",
        ),
        (
            lambda: Lattice(positions={"ring": [1]}),
            r"^positions must be points, or a table with rings = \[1, 6, 12\] or random = 100, got",
        ),
        (
            lambda: Lattice(positions={"random": 9, "disc": 1.0, "blockade": 2.0}),
            r"^positions.blockade unknown key of RandomPositions; did you mean 'blockade_rad",
        ),
        (
            lambda: model_from_tables({"ensemble": {"positions": {"rings": [0]}}}),
            r"^ensemble\.positions\.rings\.0: must be at least 1, got 0$",
        ),
        (
            lambda: Lattice(positions=Rings((6,)), geometry="kagome"),
            r"^positions are explicit: leave out geometry$",
        ),
        (
            lambda: Lattice(positions=[[0.0, 1.5], [2.0, 1.0], [-1.0, 3.0], [0.0, 1.5]]),
            r"^positions must differ: spins 0 and 3 both sit at \[0, 1.5\]$",
        ),
    ],
)
def test_arrangements_refuse(make, message):
    with pytest.raises(InvalidInput, match=message):
        make()
