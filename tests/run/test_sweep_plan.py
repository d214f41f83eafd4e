import numpy as np
from tests.run.sweeping import CHI

from spinsqueeze.run.jobs import Job, Queue
from spinsqueeze.run.sweep_plan import shape_of, short_names


def test_short_names_are_the_last_keys_made_unique():
    names = short_names(
        ["hamiltonian.0.j_z", "jumps.0.rate", "jumps.1.rate", "ensemble.shape.0", "pulses.0.time"]
    )
    assert list(names.values()) == [
        "j_z",
        "jumps_0_rate",
        "jumps_1_rate",
        "shape_0",
        "pulses_0_time",
    ]


def test_points_of_one_shape():
    assert shape_of({CHI: 1.0}) == shape_of({CHI: 2.5})
    assert shape_of({"run.seed": 1}) == shape_of({"run.seed": 2})
    for a, b in [
        ({CHI: 0.0}, {CHI: 1.0}),
        ({"hamiltonian.0.exponent": np.inf}, {"hamiltonian.0.exponent": 3.0}),
        ({"ensemble.spins": 4}, {"ensemble.spins": 5}),
        ({"method.n_trajectories": 4}, {"method.n_trajectories": 5}),
        ({"initial_state.coherent": "+x"}, {"initial_state.coherent": "+y"}),
    ]:
        assert shape_of(a) != shape_of(b)


def test_a_worker_stays_with_its_shape():
    queue = Queue([Job(k, {}, "abc"[k % 3]) for k in range(9)])
    order = [(w, queue.next(w)[0].shape) for w in "121212121"]
    assert [s for w, s in order if w == "1"] == ["a", "a", "a", "c", "c"]
    assert [s for w, s in order if w == "2"] == ["b", "b", "b", "c"]
    assert queue.next("1") == []
