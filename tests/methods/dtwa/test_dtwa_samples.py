"""The samples of a run, extended part by part, on a trajectory that costs nothing."""

from types import SimpleNamespace

import numpy as np
import pytest

from spinsqueeze.methods.dtwa.samples import MAX_BLOCKS, Samples
from spinsqueeze.methods.dtwa.stratified import N_SETS
from spinsqueeze.methods.dtwa.trajectories import IntegrationReport
from spinsqueeze.observables.readings import moments_of

N = 10


class Plain:
    """Sample k has the spin (k, 0, N/2), and drifts that differ from part to part."""

    times, couplings, seed = np.array([0.3]), SimpleNamespace(n_spins=N), 4

    def __init__(self, drifts):
        self.drifts = list(drifts)

    def run(self, _plan, *, first_sample, n_samples, progress, interruptible):
        assert interruptible
        spins = np.zeros((n_samples, 1, 3))
        spins[:, 0, 0] = first_sample + np.arange(n_samples)
        spins[:, 0, 2] = N / 2
        length, energy = self.drifts.pop(0)
        progress(n_samples)
        report = IntegrationReport(0.1, 1e-3, length, energy, 5, 6, 7, "float64", "", "")
        return SimpleNamespace(spins=spins, report=report)


@pytest.mark.parametrize("drifts", [[(0.1, 0.9), (0.5, 0.2)], [(0.5, 0.2), (0.1, 0.9)]])
def test_parts_make_one_run_with_the_largest_drifts(drifts):
    samples, shown = Samples(Plain(drifts), None, stratified=True), []
    for number in (64, 256):
        samples.extend(number, progress=shown.append)
    assert shown == [1.0, 1.0]
    assert (samples.report.spin_length_drift, samples.report.energy_drift) == (0.5, 0.9)
    assert samples.count == 256
    assert np.array_equal(samples._spins[:, 0, 0], np.arange(256))


def test_blocks_are_the_sets_or_neighbours():
    for number, stratified, sizes in (
        (20, True, [1] * 20),
        (100, True, [4] * 4 + [3] * (N_SETS - 4)),
        (20, False, [1] * 20),
        (4 * MAX_BLOCKS, False, [4] * MAX_BLOCKS),
    ):
        samples = Samples(Plain([(0.0, 0.0)]), None, stratified=stratified)
        samples.extend(number)
        moments = moments_of(samples.readings(), n_spins=N)
        assert moments.weights.tolist() == sizes
