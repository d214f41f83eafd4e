"""What is around the compiled walk, on its own: initial states, lowered models, averages."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base.averages import block_moments
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.trajectories import readings, steady
from spinsqueeze.methods.trajectories.initial import Mixture, PureStart, mixture
from spinsqueeze.methods.trajectories.lowering import lower
from spinsqueeze.methods.trajectories.run import Walks
from spinsqueeze.models.envelope import at
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.numerics.rotations import rotation_matrix

N = 20


def walks_of(spins, covariances, errors=0.0):
    shape = spins.shape[:2]
    figures, channels = np.zeros((len(spins), 6)), np.zeros((len(spins), 2, 0))
    errors = np.broadcast_to(errors, shape)
    two_js = np.full(shape, N)
    return Walks(spins, covariances, two_js, errors, np.ones(shape), figures, channels, ())


def random_walks(n, n_times):
    rng = np.random.default_rng(n)
    parts = rng.normal(size=(n, n_times, 3, 3))
    spins = rng.normal(size=(n, n_times, 3)) + np.array([1.0, -2.0, 5.0])
    return walks_of(spins, parts @ np.swapaxes(parts, -1, -2), rng.uniform(size=(n, n_times)))


def pooled(blocks):
    """Mean spin (T, 3) and covariance (T, 3, 3) of all blocks together."""
    first = np.average(blocks.first, axis=1, weights=blocks.weights)
    second = np.average(blocks.second, axis=1, weights=blocks.weights)
    return blocks.reference + first, second - np.einsum("ta,tb->tab", first, first)


@pytest.mark.parametrize("n", [3, 130])
def test_blocks_add_up_to_the_ensemble(n):
    walks = random_walks(n, 2)
    spin, covariance = pooled(block_moments(walks.spins, walks.covariances, n_spins=N))
    away = walks.spins - walks.spins.mean(axis=0)
    scatter = np.einsum("nta,ntb->tab", away, away) / n
    assert spin == pytest.approx(walks.spins.mean(axis=0), abs=1e-12)
    assert covariance == pytest.approx(walks.covariances.mean(axis=0) + scatter, abs=1e-12)


def test_blocks_of_late_times_add_up_to_the_ensemble():
    walks = random_walks(130, 3 * steady.SAMPLES)
    blocks = steady.in_blocks(walks, n_spins=N)
    spin, covariance = pooled(blocks)
    late = walks.spins[:, steady.SAMPLES :].reshape(-1, 3)
    inside = walks.covariances[:, steady.SAMPLES :].mean(axis=(0, 1))
    assert blocks.weights.sum() == 130
    assert spin[0] == pytest.approx(late.mean(axis=0), abs=1e-12)
    assert covariance[0] == pytest.approx(inside + np.cov(late.T, bias=True), abs=1e-12)
    assert np.array_equal(steady.at_the_end(walks).spins, walks.spins[:, -1:])


def test_the_error_of_the_steps_moves_the_mean_spin_by_its_spread():
    errors = np.array([[0.01], [0.03]])
    covariances = np.zeros((2, 1, 3, 3))
    covariances[0, 0], covariances[1, 0] = np.diag([1.0, 49.0, 4.0]), np.diag([1.0, 2.0, 3.0])
    walks = walks_of(np.zeros((2, 1, 3)), covariances, errors)
    found = readings.numerical_error(walks, n_spins=100, left_out=0.002)
    spreads = [7.0, 5.0]  # of the second the projection noise, which is more
    expected = np.mean(
        [2 * (2 * e + 0.002) * s for e, s in zip((0.01, 0.03), spreads, strict=True)]
    )
    assert found == pytest.approx([expected / 5.0])


def test_drifts_are_in_standard_errors_over_trajectories():
    late, changes = slice(steady.SAMPLES, None), np.array([0.3, 0.5, 0.9, 0.7])
    spins, covariances = np.zeros((4, 96, 3)), np.zeros((4, 96, 3, 3))
    covariances[:, late, 1, 1] = changes[:, None]
    covariances[:, 2 * steady.SAMPLES :, 1, 1] += 0.1
    covariances[:, late, 1, 1] -= 0.05
    error = changes.std(ddof=1) / 2 + 1e-3 * N / 4
    drift = steady._drift(walks_of(spins, covariances), n_spins=N)
    assert drift == pytest.approx(changes.mean() / error)
    spins[:, :, 0] = np.array([1.0, -1.0, 1.0, -1.0])[:, None]
    spins[:, late] *= 2.0  # the mean stays, its square does not
    drift = steady._drift(walks_of(spins, 0 * covariances), n_spins=N)
    assert drift == pytest.approx(3.0 / (1e-3 * N / 4))


RAMP = sq.Envelope([0.0, 0.2, 0.4, 0.6], values=[0.3, 1.5, 0.2, 0.7])


def test_windows_hold_the_envelopes_and_the_pulses_at_their_edges():
    model = sq.SpinModel(N, hamiltonian=[sq.Drive(RAMP), sq.OneAxisTwisting(0.1)])
    turns = [
        Rotation(0.5, np.array([1.0, 0.0, 0.0]), 0.7),
        Rotation(0.5, np.array([0.0, 0.6, 0.8]), 0.9),
    ]
    lowered = lower(model.canonical, times=np.array([0.1, 0.6]), rotations=tuple(turns))
    matrices = [rotation_matrix(turn.axis, angle=turn.angle) for turn in turns]
    place = int(np.flatnonzero(lowered.edges == 0.5)[0])
    assert lowered.pulses[place] == pytest.approx(matrices[1] @ matrices[0])
    places = np.linspace(-0.9, 0.9, 5)
    for k, (start, stop) in enumerate(zip(lowered.edges[:-1], lowered.edges[1:], strict=True)):
        times = start + (stop - start) * (1 + places) / 2
        weights = lowered.polynomials[k] @ places ** np.arange(8)[:, None]
        fields = np.einsum("pt,pa->ta", weights, lowered.fields)
        if stop > start:
            right = at(RAMP, times)[:, None] * model.canonical.fields[0].vectors
            assert fields == pytest.approx(right, abs=1e-9)


def test_channels_are_named_by_kind_number_and_change():
    jumps = [sq.LocalPumping(0.1), sq.LocalPumping(RAMP), sq.CollectiveDecay(1.0)]
    names = lower(sq.SpinModel(N, jumps=jumps).canonical, times=np.array([0.6])).channel_names
    assert set(names[:6]) | set(names[6:]) == {
        *(f"local pumping {k} to {j}" for k in (1, 2) for j in ("j", "j - 1", "j + 1")),
        "collective decay",
    }
    first = names.index("local pumping 1 to j")
    assert names[first : first + 3] == tuple(
        f"local pumping 1 to j{c}" for c in ("", " - 1", " + 1")
    )


def moments_of(psi, two_j):
    J = spin_matrices(two_j / 2)
    mean = np.einsum("i,aij,j->a", psi.conj(), J, psi).real
    second = np.einsum("i,aij,bjk,k->ab", psi.conj(), J, J, psi).real
    return mean, second - np.outer(mean, mean)


def test_a_pure_start_has_the_moments_of_its_state():
    n = 7
    for seed in range(4):
        rng = np.random.default_rng(seed)
        psi = rng.normal(size=n + 1) + 1j * rng.normal(size=n + 1)
        psi *= np.exp(-rng.uniform(0, 3, n + 1))  # of a mean spin along any axis
        psi /= np.linalg.norm(psi)
        (start,) = mixture(sq.SymmetricState(psi), n).starts
        inside = np.pad(start.amplitudes, (0, n + 1 - len(start.amplitudes)))
        mean, covariance = moments_of(inside, start.two_j)
        right = moments_of(psi, n)
        assert mean == pytest.approx([0.0, 0.0, np.linalg.norm(right[0])], abs=1e-10)
        R = start.frame
        assert np.linalg.det(R) == pytest.approx(1.0)
        assert R @ mean == pytest.approx(right[0], abs=1e-10)
        assert R @ covariance @ R.T == pytest.approx(right[1], abs=1e-10)


@pytest.mark.parametrize(
    ("state", "along"),
    [
        (sq.CoherentState("-z"), [0, 0, -1]),
        (sq.CoherentState("+z"), [0, 0, 1]),
        (sq.CoherentState([0.48, -0.6, 0.64]), [0.48, -0.6, 0.64]),
        (sq.DickeState(2, axis="y"), [0, 1, 0]),
        (sq.DickeState(-2, axis="y"), [0, -1, 0]),
    ],
)
def test_frames_are_right_handed_about_the_mean_spin(state, along):
    (start,) = mixture(state, 6).starts
    assert start.frame.T @ start.frame == pytest.approx(np.eye(3), abs=1e-12)
    assert np.linalg.det(start.frame) == pytest.approx(1.0)
    assert start.frame[:, 2] == pytest.approx(along, abs=1e-12)


def test_starts_are_drawn_by_their_shares():
    starts = tuple(PureStart(k, np.ones(1, dtype=complex), np.eye(3)) for k in range(2))
    mixed = Mixture(starts, np.array([0.3, 0.6]))
    assert [mixed.draw(number).two_j for number in (0.2, 0.49, 0.51, 1.0)] == [0, 0, 1, 1]
