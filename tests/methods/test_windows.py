"""Cutting a run: every output in one window, every pulse at the start of one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.base.windows import windows

TIMES = np.array([0.0, 0.5, 1.0, 2.0])


def pulse(time, angle=1.0):
    return Rotation(time, np.array([1.0, 0, 0]), angle)


def test_pulses_and_breakpoints_cut_and_outputs_come_after_pulses():
    first, second, late = pulse(0.5, 0.1), pulse(0.5, 0.2), pulse(2.0)
    cut = windows(TIMES, rotations=[late, first, second], breakpoints=[1.5])
    assert [(w.start, w.stop) for w in cut] == [(0, 0.5), (0.5, 1.5), (1.5, 2), (2, 2)]
    assert [w.outputs.tolist() for w in cut] == [[0], [1, 2], [], [3]]
    assert [w.rotations for w in cut] == [(), (first, second), (), (late,)]


def test_pulses_outside_the_run_do_not_act():
    cut = windows(TIMES[1:], rotations=[pulse(0.0), pulse(3.0)], start=0.2)
    assert [(w.start, w.stop, w.rotations) for w in cut] == [(0.2, 2.0, ()), (2.0, 2.0, ())]


def test_a_run_without_duration_is_its_closing_window():
    turn = pulse(0.0)
    (only,) = windows(np.zeros(1), rotations=[turn])
    assert (only.start, only.stop, only.rotations, only.outputs.tolist()) == (0, 0, (turn,), [0])


grid = st.lists(st.integers(0, 12), min_size=1, max_size=8, unique=True).map(sorted)


@given(times=grid, pulses=st.lists(st.integers(0, 12)), edges=st.lists(st.integers(0, 12)))
def test_nothing_is_lost_or_doubled(times, pulses, edges):
    times = np.array(times, float)
    inside = [float(e) for e in edges if e < times[-1]]
    cut = windows(times, rotations=[pulse(float(t)) for t in pulses], breakpoints=inside)
    assert np.concatenate([w.outputs for w in cut]).tolist() == list(range(times.size))
    acting = [r.time for w in cut for r in w.rotations]
    assert acting == sorted(t for t in pulses if t <= times[-1])
    assert all(r.time == w.start for w in cut for r in w.rotations)
    for w in cut:
        assert np.all((times[w.outputs] >= w.start) & (times[w.outputs] <= w.stop))
        assert not any(w.start < t < w.stop for t in [*pulses, *inside])
    assert [w.stop for w in cut[:-1]] == [w.start for w in cut[1:]]
