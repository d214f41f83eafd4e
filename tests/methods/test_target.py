"""Runs that go on until an error bar is reached."""

import json

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.core.errors import InvalidInput, NotAnInteger, TooLarge
from spinsqueeze.methods.base.answer import COMPLETE
from spinsqueeze.methods.base.target import Target, collect
from spinsqueeze.methods.dtwa.trajectories import Trajectory
from spinsqueeze.observables.jackknife import MINIMUM_BLOCKS
from spinsqueeze.observables.moments import BlockMoments
from spinsqueeze.observables.readings import readings_of

TERMS = [sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
MODEL = sq.SpinModel(sq.Lattice((4, 4)), hamiltonian=TERMS)
TIMES = np.linspace(0.0, 0.5, 11)
STATE = sq.CoherentState("+x")


def run(method, **options):
    return sq.simulate(MODEL, STATE, TIMES, method=method, seed=3, **options)


def diagnostics(data):
    return json.loads(data.attrs["diagnostics"])


def warnings(data):
    return json.loads(data.attrs["warnings"])


# The growth of the number of samples, on samples that cost nothing.


class Plain:
    """Twisted Gaussian samples, whose error bars fall as the root of their number."""

    def __init__(self, interrupt_at=None):
        self.asked, self.interrupt_at, self._count = [], interrupt_at, 0

    @property
    def count(self):
        return self._count

    def extend(self, number):
        self.asked.append(number)
        if self.interrupt_at is not None and number > self.interrupt_at:
            self._count = self.interrupt_at
            raise KeyboardInterrupt
        self._count = number

    def readings(self):
        rng = np.random.default_rng(5)
        y, z = rng.normal(size=(2, 10**5))[:, : self.count] * 5.0
        spins = np.stack([np.full_like(y, 45.0), y, z + 0.8 * y], axis=-1)[:, None]
        blocks = BlockMoments.from_samples(spins, n_spins=100, n_blocks=min(self.count, 50))
        return readings_of(blocks)


def gathered(target, samples=None, *, progress=lambda _fraction: None, **options):
    return collect(
        target,
        samples or Plain(),
        times=np.array([0.5]),
        n_spins=100,
        progress=progress,
        **options,
    )


@pytest.mark.parametrize("quantity", ["xi2", "optimum"])
def test_samples_are_added_until_the_error_is_reached(quantity):
    error = 0.02 * (1 if quantity == "xi2" else 10 / np.log(10))
    samples, shown = Plain(), []
    end = gathered(Target(quantity, error, 10**5), samples, multiple=64, progress=shown.append)
    assert end.status == COMPLETE
    assert 0.75 * error < end.error <= error
    # relative error of a variance: sqrt(2/n)
    assert end.count == pytest.approx(2 / 0.02**2, rel=0.4)
    assert samples.asked == sorted(samples.asked)
    assert all(n % 64 == 0 for n in samples.asked)
    growth = np.divide(samples.asked[1:], samples.asked[:-1])
    assert np.all((growth >= 1.1) & (growth <= 2.1))
    assert shown == sorted(shown)
    assert shown[0] == pytest.approx(128 / (2 / 0.02**2), rel=0.6)
    assert shown[-1] <= 1


def test_a_loose_target_takes_the_first_samples_and_a_limit_ends_a_run():
    assert gathered(Target("xi2", 1.0, 10**5)).count == 128
    end = gathered(Target("xi2", 1e-3, 300))
    assert end.count == 300
    assert end.status.startswith("limit reached at 300 samples with an error of 0.0")
    assert not end.interrupted
    assert end.diagnostics(Target("xi2", 1e-3, 300))["ended_by"] == "limit reached"


def test_an_undefined_direction_is_no_error_bar():
    class Directionless(Plain):
        def readings(self):
            spins = np.random.default_rng(1).normal(size=(self.count, 1, 3))
            return readings_of(BlockMoments.from_samples(spins, n_spins=100, n_blocks=20))

    for quantity in ("xi2", "optimum"):
        end = gathered(Target(quantity, 0.5, 300), Directionless())
        assert end.error == np.inf
        assert end.count == 300


def test_an_interrupt_keeps_what_is_finished():
    end = gathered(Target("xi2", 0.02, 10**5), Plain(interrupt_at=700))
    assert end.interrupted
    assert end.count == 700
    assert end.status.startswith("interrupted at 700 samples")
    with pytest.raises(KeyboardInterrupt):
        gathered(Target("xi2", 0.02, 10**5), Plain(interrupt_at=3))


def test_the_error_of_xi2_is_the_largest_relative_one_at_any_time():
    rng = np.random.default_rng(3)
    y, z = rng.normal(size=(2, 400)) * 5.0
    still = np.stack([np.full_like(y, 45.0), y, z], axis=-1)
    twisted = still + np.array([0.0, 0.0, 3.0]) * still[:, 1:2]

    def error(*spins, n_blocks=20):
        blocks = BlockMoments.from_samples(np.stack(spins, axis=1), n_spins=100, n_blocks=n_blocks)
        target = Target("xi2", 0.1, 1000)
        times = np.arange(1.0, 1.0 + len(spins))
        return target.error_of(readings_of(blocks), times=times, n_spins=100)

    alone = [error(spins) for spins in (still, twisted)]
    assert alone == pytest.approx([np.sqrt(2 / 400)] * 2, rel=0.5)  # of a variance
    assert abs(alone[0] - alone[1]) > 0.01 * alone[0]
    assert error(still, twisted) == pytest.approx(max(alone))
    assert error(twisted, still) == pytest.approx(max(alone))
    assert np.isfinite(error(still, n_blocks=MINIMUM_BLOCKS))
    assert error(still, n_blocks=MINIMUM_BLOCKS - 1) == np.inf


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_trajectories": 50, "target_error": 0.1}, "target_error is instead of n_trajectories"),
        ({"n_trajectories": 500, "target_error": 0.1}, "got 0.1 and 500; leave one out"),
        ({"target_error": 0.0}, "^target_error must be above 0, got 0"),
        ({"target_error": -1}, "^target_error must be above 0, got -1"),
        ({"target_error": np.nan}, "^target_error must be"),
        ({"target_error": "0.1"}, "^target_error must be a real number, got '0.1'"),
        ({"target_error": 0.1, "target": "xi"}, "^target must be one of optimum, xi2, got 'xi'"),
        ({"target_error": 0.1, "max_trajectories": 3}, "^max_trajectories must be at least 4"),
        ({"target": "xi2"}, "^target belongs to target_error, which is missing"),
        ({"max_trajectories": 1000}, "^max_trajectories belongs to target_error"),
        ({"sampling": "sobol"}, "^sampling must be one of stratified, independent, got 'sobol'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        sq.DTWA(**options)


def test_options_are_written_and_read():
    assert sq.DTWA() == sq.DTWA(500)
    method = sq.DTWA(target_error=0.2, target="xi2", max_trajectories=700)
    assert method.n_trajectories is None
    table = {"name": "dtwa", "target_error": 0.2, "target": "xi2", "max_trajectories": 700}
    assert method.option_table() == table
    with pytest.raises(NotAnInteger, match="max_trajectories must be an integer"):
        sq.DTWA(target_error=0.1, max_trajectories=1.5)


# DTWA.


@pytest.mark.parametrize("sampling", ["stratified", "independent"])
def test_the_outcome_is_that_of_a_run_with_so_many_trajectories(sampling):
    aimed = run(sq.DTWA(target_error=0.1, target="xi2", sampling=sampling))
    used = diagnostics(aimed)["n_trajectories"]
    assert used > 128
    assert aimed.equals(run(sq.DTWA(used, sampling=sampling)))
    assert float((aimed["xi2_stderr"] / aimed["xi2"]).max()) <= 0.1
    assert diagnostics(aimed)["ended_by"] == "target reached"
    assert warnings(aimed) == []
    assert sq.run_study(sq.study_of(aimed)).equals(aimed)


def test_the_limit_is_said():
    data = run(sq.DTWA(target_error=1e-3, max_trajectories=200))
    assert diagnostics(data)["n_trajectories"] == 200
    assert any(text.startswith("ended early: limit reached at 200") for text in warnings(data))


def test_memory_is_that_of_the_limit():
    with pytest.raises(TooLarge, match="max_trajectories = 10000000"):
        run(sq.DTWA(target_error=0.1, max_trajectories=10**7), memory_budget=1e9)


def interrupt_from(monkeypatch, batch):
    """Ctrl-C while this batch of samples is made."""
    plain = Trajectory._run_batch

    def pressed(self, first, steps):
        if first >= batch:
            raise KeyboardInterrupt
        return plain(self, first, steps)

    monkeypatch.setattr(Trajectory, "_run_batch", pressed)


def test_ctrl_c_keeps_finished_trajectories_of_a_target_alone(monkeypatch):
    target = sq.DTWA(target_error=1e-3)
    interrupt_from(monkeypatch, 256)
    data = run(target)
    assert diagnostics(data)["n_trajectories"] == 256
    assert diagnostics(data)["ended_by"] == "interrupted"
    assert any("interrupted at 256 samples" in text for text in warnings(data))
    assert data.equals(run(sq.DTWA(256)))
    with pytest.raises(KeyboardInterrupt):
        run(sq.DTWA(400))
    options = {"over": {"hamiltonian.0.j_z": [-2.0, -1.0]}, "method": target, "workers": 0}
    with pytest.raises(KeyboardInterrupt):
        sq.sweep(MODEL, STATE, TIMES, **options)
    with pytest.raises(KeyboardInterrupt):
        sq.compare(MODEL, STATE, TIMES, methods=[target, "exact"])
    interrupt_from(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        run(target)


STUDY = """
[ensemble]
shape = [4, 4]
[[hamiltonian]]
term = "power_law_xxz"
j_perp = 2.0
j_z = -2.0
exponent = 3.0
[initial_state]
coherent = "+x"
[method]
name = "dtwa"
target_error = 0.5
[run]
times = { start = 0.0, stop = 0.5, num = 11 }
seed = 3
"""


def test_the_command_line_runs_to_a_target_and_keeps_what_ctrl_c_leaves(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    assert main(["run", "study.toml"]) == 0
    assert sq.load("study.nc").equals(run(sq.DTWA(target_error=0.5)))
    (tmp_path / "study.toml").write_text(STUDY.replace("0.5\n[run]", "0.001\n[run]"))
    interrupt_from(monkeypatch, 128)
    capsys.readouterr()
    assert main(["run", "study.toml", "-o", "part.nc"]) == 130
    assert "ended early: interrupted at 128 samples" in capsys.readouterr().err
    assert diagnostics(sq.load("part.nc"))["n_trajectories"] == 128


def test_sweeps_optimise_and_merge_take_a_target():
    method = sq.DTWA(target_error=0.6)
    over = {"method.target_error": [0.3, 0.6]}
    data = sq.sweep(MODEL, STATE, TIMES, over=over, method=method, workers=0, blocks=True, seed=1)
    errors = 10 / np.log(10) * data["optimal_xi2_stderr"] / data["optimal_xi2"]
    assert np.all(errors.values <= [0.3, 0.6])
    other = sq.sweep(MODEL, STATE, TIMES, over=over, method=method, workers=0, blocks=True, seed=2)
    merged = sq.merge([data, other])
    assert np.all(merged["optimal_xi2_stderr"].values < 0.85 * data["optimal_xi2_stderr"].values)
    best = sq.optimise(
        MODEL, STATE, TIMES, over={"hamiltonian.0.j_z": (-2.0, -1.0)}, method=method, seed=1
    )
    assert np.isfinite(best.value)


@pytest.fixture(scope="module")
def best():
    return sq.optimum(sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(60_000), seed=10**6))


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["optimum", "xi2"])
def test_error_bars_hold_where_a_target_ended_the_run(quantity, best):
    """Stopping where an error bar is small favours error bars that are too small: not by much."""
    method = sq.DTWA(target_error=0.25 if quantity == "optimum" else 0.06, target=quantity)
    hits = []
    for seed in range(150):
        data = sq.simulate(MODEL, STATE, TIMES, method=method, seed=seed)
        found = sq.optimum(data)
        hits.append(abs(found.xi2 - best.xi2) <= found.xi2_stderr)
    assert 0.60 < np.mean(hits) < 0.76
