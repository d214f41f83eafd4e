import json
import math
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr

import spinsqueeze as sq
from spinsqueeze.core.errors import FileProblem, InvalidInput, SpinSqueezeError
from spinsqueeze.numerics import processors
from spinsqueeze.numerics.processors import available_processors, core_shares
from spinsqueeze.results.grid import point_of, points_of, sweep_dims
from spinsqueeze.run import cluster as dask_cluster
from spinsqueeze.run import jobs, local, patience, store
from spinsqueeze.run import point as point_module
from spinsqueeze.run.jobs import Job, Queue
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.sweep import plan_of, study_from
from spinsqueeze.run.sweep_plan import shape_of, short_names

MODEL = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
STATE = sq.CoherentState("+x")
TIMES = np.linspace(0.0, 0.6, 5)
CHI = "hamiltonian.0.chi"
RATE = "jumps.0.rate"
OVER = {CHI: [0.5, 1.0, 1.5], RATE: {"start": 0.01, "stop": 1.0, "num": 4, "spacing": "log"}}


def identical(a, b):
    xr.testing.assert_identical(a, b)
    for name in a.variables:
        assert a[name].values.tobytes() == b[name].values.tobytes()
    return True


def here(**options):
    return sq.sweep(MODEL, STATE, TIMES, **{"over": OVER, "workers": 0, **options})


@pytest.fixture(scope="module")
def whole():
    return here()


@pytest.fixture(scope="module")
def cluster():
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    ) as one:
        yield one.scheduler_address


# what comes out


def test_dimensions_and_labels(whole):
    assert sweep_dims(whole) == ("chi", "rate")
    assert whole["xi2"].dims == ("chi", "rate", "time")
    assert whole["chi"].values.tolist() == [0.5, 1.0, 1.5]
    assert whole["rate"].values == pytest.approx(np.geomspace(0.01, 1.0, 4))
    assert whole["rate"].attrs["path"] == RATE
    assert (whole["status"] == "done").all()
    assert (whole["reason"] == "").all()
    assert whole["xi2"].attrs["units"] == "1"


def test_every_point_is_the_single_run(whole):
    for where, one in points_of(whole):
        model = sq.SpinModel(
            6,
            hamiltonian=[sq.OneAxisTwisting(float(whole["chi"][where["chi"]]))],
            jumps=[sq.LocalDephasing(float(whole["rate"][where["rate"]]))],
        )
        alone = sq.simulate(model, STATE, TIMES)
        for name in alone.data_vars:
            assert one[name].values.tobytes() == alone[name].values.tobytes()
        best = sq.optimum(alone)
        assert float(one["optimal_xi2"]) == best.xi2
        assert float(one["optimal_time"]) == best.time
        assert int(one["optimal_at_edge"]) == best.at_edge


def test_steady_states_are_swept_too():
    model = sq.SpinModel(6, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.5)])
    state = sq.CoherentState("-z")
    over = {"jumps.0.r": [0.2, 0.4], "ensemble.spins": [5, 6]}
    data = sq.sweep(model, state, over=over, workers=0)
    assert data["xi2"].dims == ("r", "spins")
    assert "optimal_xi2" not in data
    for r in (0.2, 0.4):
        for n in (5, 6):
            one = sq.SpinModel(n, jumps=[sq.SqueezedCollectiveDecay(1.0, r=r)])
            alone = sq.steady_state(one, initial_state=state)
            assert float(data["xi2"].sel(r=r, spins=n)) == float(alone["xi2"])
    closed = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    with pytest.raises(InvalidInput, match="a steady state needs at least one jump"):
        sq.sweep(closed, over={CHI: [1.0]}, workers=0)


def test_a_point_can_be_run_again_from_itself(whole):
    one = point_of(whole, {"chi": 2, "rate": 1})
    study = study_from_tables(json.loads(one.attrs["study"]))
    assert study.sweep is None
    assert sq.run_study(study)["xi2"].values.tobytes() == one["xi2"].values.tobytes()


def test_a_sweep_can_be_run_again_from_itself(whole):
    study = study_from_tables(json.loads(whole.attrs["study"]))
    assert identical(sq.sweep(study, workers=0), whole)


def test_it_survives_a_result_file(whole, tmp_path):
    sq.save(whole, tmp_path / "r.nc")
    assert identical(sq.load(tmp_path / "r.nc"), whole)


def test_point_of_asks_for_every_dimension(whole):
    with pytest.raises(InvalidInput, match="index must name chi, rate"):
        point_of(whole, {"chi": 0})


def test_sampling_methods_bring_errors_and_blocks_on_demand():
    over = {CHI: [0.5, 1.0]}
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5)
    assert (data["optimal_xi2_stderr"] > 0).all()
    assert not [name for name in data if str(name).startswith("block_")]
    assert data.attrs["seed"] == 5
    kept = sq.sweep(
        model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5, blocks=True
    )
    assert kept["block_first"].dims == ("chi", "time", "block", "axis")
    assert sq.optimum(point_of(kept, {"chi": 1})).xi2_stderr == pytest.approx(
        float(data["optimal_xi2_stderr"][1])
    )
    assert "of 2 points: sampling: 40 trajectories" in data.attrs["warnings"]


def test_zipped_paths_share_a_dimension():
    over = {CHI: [0.5, 1.0, 1.5], RATE: [0.1, 0.1, 0.3], "ensemble.spins": [4, 6]}
    data = sq.sweep(MODEL, STATE, TIMES, over=over, zipped=[[CHI, RATE]], workers=0)
    assert data["xi2"].dims == ("chi", "spins", "time")
    assert data["rate"].dims == ("chi",)
    assert data["n_spins"].values.tolist() == [[4, 6]] * 3
    assert point_of(data, {"chi": 2, "spins": 1}).attrs["n_spins"] == 6
    alone = here(over={CHI: [1.5], RATE: [0.3]})
    assert data["xi2"][2, 1].values.tobytes() == alone["xi2"][0, 0].values.tobytes()
    together = sq.sweep(
        MODEL, STATE, TIMES, over={CHI: [0.5, 1.5], RATE: [0.1, 0.3]}, zipped=True, workers=0
    )
    assert together["xi2"].dims == ("chi", "time")


def test_state_method_seed_and_times_can_be_swept():
    over = {
        "initial_state.coherent": ["+x", [0.6, 0.8, 0.0]],
        "run.seed": [1, 2],
        "run.times.stop": [0.5, 1.0],
        "method.n_trajectories": [20, 30],
    }
    model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(20), workers=0, blocks=True)
    assert sweep_dims(data) == ("coherent", "seed", "stop", "n_trajectories")
    assert data["coherent"].values.tolist() == ["+x", "[0.6, 0.8, 0.0]"]
    assert data["time_of_point"].dims == (*sweep_dims(data), "time")
    assert "time" not in data.coords
    assert data["block_weight"].sizes["block"] == 30
    assert data["block_weight"].notnull().sum("block")[0, 0, 0].values.tolist() == [20, 30]
    one = point_of(data, {"coherent": 1, "seed": 1, "stop": 0, "n_trajectories": 1})
    assert one["time"].values[-1] == 0.5
    assert one.attrs["seed"] == 2
    state = sq.CoherentState([0.6, 0.8, 0.0])
    alone = sq.simulate(model, state, np.linspace(0, 0.5, 5), method=sq.DTWA(30), seed=2)
    assert one["xi2"].values.tobytes() == alone["xi2"].values.tobytes()


def test_a_failed_point_does_not_stop_the_rest(tmp_path):
    model = sq.SpinModel(4, hamiltonian=[sq.TwoAxisTwisting(1.0)])
    options = {"over": {"ensemble.spins": [4, 30, 5]}, "method": sq.Exact(), "workers": 0}
    data = sq.sweep(model, STATE, TIMES, store=tmp_path, **options)
    assert data["status"].values.tolist() == ["done", "failed", "done"]
    assert "TooLarge" in str(data["reason"].values[1])
    assert np.isnan(data["xi2"].values[1]).all()
    assert (data["squeezing_status"].values[1] == -1).all()
    assert np.isfinite(data["xi2"].values[[0, 2]]).all()
    assert data["n_spins"].values.tolist() == [4, -1, 5]
    assert "1 of 3 points failed: TooLarge" in data.attrs["warnings"]
    with pytest.raises(InvalidInput, match="failed: TooLarge"):
        point_of(data, {"spins": 1})
    assert len(list(tmp_path.glob("*.point"))) == 2
    assert identical(sq.sweep(model, STATE, TIMES, store=tmp_path, **options), data)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (sq.NumericalFailure("no"), True),
        (sq.UndefinedDirection("no"), True),
        (sq.Unsupported("no"), False),
        (MemoryError(), False),
        (ZeroDivisionError("a bug"), False),
    ],
)
def test_failures_that_took_work_are_kept(monkeypatch, error, kept):
    def broken(tables, *, blocks):
        raise error

    monkeypatch.setattr(point_module, "_computed", broken)
    outcome = point_module.compute({}, blocks=False)
    assert outcome.kept is kept
    assert type(error).__name__ in outcome.reason


def test_all_points_failed():
    model = sq.SpinModel(4, jumps=[sq.CollectiveDecay(1.0)])
    data = sq.sweep(model, STATE, TIMES, over={RATE: [1.0, 2.0]}, method=sq.DTWA(10), workers=0)
    assert (data["status"] == "failed").all()
    assert "Unsupported" in str(data["reason"].values[0])


def test_progress_counts(tmp_path):
    seen = []
    here(progress=seen.append, store=tmp_path)
    assert [s.done for s in seen] == list(range(13))
    assert seen[-1].fraction == 1.0
    assert seen[-1].remaining == 0.0
    assert seen[0].remaining is None
    assert seen[5].remaining > 0
    again = []
    here(progress=again.append, store=tmp_path)
    assert [(s.done, s.reused) for s in again] == [(12, 12)]


def test_a_study_runs_its_sweep_itself():
    study = study_from_tables(
        {
            "ensemble": {"spins": 4},
            "hamiltonian": [{"term": "one_axis_twisting", "chi": 1.0}],
            "initial_state": {"coherent": "+x"},
            "run": {"times": {"start": 0.01, "stop": 1.0, "num": 5, "spacing": "log"}},
            "sweep": {"zipped": True, CHI: [1.0, 2.0], "run.times.stop": [1.0, 0.5]},
        }
    )
    seen = []
    data = sq.sweep(study, workers=0)
    assert data["xi2"].dims == ("chi", "time")
    assert data["stop"].values.tolist() == [1.0, 0.5]
    assert study.as_tables()["sweep"]["zipped"] == [[CHI, "run.times.stop"]]
    assert seen == []


# names and shapes


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
    order = [(w, queue.next(w).shape) for w in "121212121"]
    assert [s for w, s in order if w == "1"] == ["a", "a", "a", "c", "c"]
    assert [s for w, s in order if w == "2"] == ["b", "b", "b", "c"]
    assert queue.next("1") is None


# mistakes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"over": None}, "over must name what to sweep"),
        ({"over": [1, 2]}, "over must map dotted paths to values"),
        ({"over": {}}, "over: is empty"),
        ({"over": {"chi": [1.0]}}, r"over\.chi: must be a dotted path"),
        ({"over": {"hamiltonian.3.chi": [1.0]}}, "has entries 0 to 0"),
        ({"over": {CHI: ["big"]}}, r"over\.hamiltonian\.0\.chi: value 'big'"),
        ({"over": {CHI: [1.0, 1.0]}}, "must not repeat a value"),
        ({"over": {CHI: []}}, "at least one value"),
        ({"over": {CHI: [1.0, 2.0], RATE: [1.0]}, "zipped": True}, "equally many values"),
        ({"zipped": [["a.b", CHI]]}, r"'a\.b' is not swept"),
        ({"zipped": [[CHI], [CHI]]}, "one group only"),
        ({"zipped": "ab"}, "groups of paths"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"progress": 3}, "progress must be a function"),
        ({"workers": 1, "memory_limit": "lots"}, "memory_limit must be a size"),
        ({"patience": 0}, "patience must be above 0, got 0"),
        ({"patience": "long"}, "patience must be a real number, got 'long'"),
        ({"scheduler": "tcp://127.0.0.1:9"}, r"scheduler tcp://127\.0\.0\.1:9 does not answer"),
    ],
)
def test_mistakes_are_named(options, message, monkeypatch):
    monkeypatch.setattr(dask_cluster, "ANSWER", 0.5)
    with pytest.raises(InvalidInput, match=message):
        here(**options)


def test_no_client_is_made_for_what_is_no_address(monkeypatch):
    # A client that fails while it is made waits 20 s when it is collected, and prints a traceback.
    monkeypatch.setattr("distributed.Client", lambda *_, **__: pytest.fail("made a client"))
    with pytest.raises(InvalidInput, match=r"nonsense does not answer \(missing port number"):
        here(scheduler="nonsense")


def test_wrong_subjects():
    with pytest.raises(InvalidInput, match="subject must be a SpinModel, a Study"):
        sq.sweep(3, over=OVER)
    tables = {"ensemble": {"spins": 3}, "initial_state": {"coherent": "+x"}, "run": {"times": [1]}}
    with pytest.raises(InvalidInput, match="the study's own"):
        sq.sweep(tables, STATE, TIMES, over=OVER)


# the store


def test_a_changed_axis_reuses_what_is_there(tmp_path, whole):
    here(store=tmp_path, over={**OVER, CHI: [0.5, 1.5]})
    seen = []
    data = here(store=tmp_path, progress=seen.append)
    assert seen[-1].reused == 8
    assert identical(data, whole)


def test_damaged_files_are_computed_again(tmp_path, whole):
    here(store=tmp_path)
    files = sorted(tmp_path.glob("*.point"))
    raw = bytearray(files[3].read_bytes())
    raw[200] ^= 1
    files[3].write_bytes(raw)
    files[7].write_bytes(files[7].read_bytes()[:100])
    seen = []
    with pytest.warns(UserWarning, match="damaged.*computed again"):
        data = here(store=tmp_path, progress=seen.append)
    assert seen[-1].reused == 10
    assert identical(data, whole)


def test_a_full_disk_stops_the_sweep_and_keeps_what_is_finished(tmp_path, whole, monkeypatch):
    written = []
    write = store.replace_file

    def until_full(content, target):
        if len(written) == 5:
            raise OSError(28, "No space left on device")
        if target.suffix == ".point":
            written.append(target)
        write(content, target)

    with monkeypatch.context() as patch:
        patch.setattr(store, "replace_file", until_full)
        with pytest.raises(FileProblem, match=r"disk is full.*5 of 12 points are kept.*go on"):
            here(store=tmp_path)
    assert len(list(tmp_path.glob("*.point"))) == 5
    seen = []
    assert identical(here(store=tmp_path, progress=seen.append), whole)
    assert seen[-1].reused == 5


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 32 kB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(place)]
    try:
        made = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        made = False
    if not made:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_small_disk_that_fills_up(small_disk, whole):
    with pytest.raises(FileProblem, match=r"disk is full.* of 12 points are kept.*go on"):
        here(store=small_disk)
    kept = sorted(small_disk.glob("*.point"))
    assert 0 < len(kept) < 12
    subprocess.run(["mount", "-o", "remount,size=10m", str(small_disk)], check=True)
    seen = []
    assert identical(here(store=small_disk, progress=seen.append), whole)
    assert seen[-1].reused == len(kept)
    assert not [f for f in small_disk.iterdir() if f.suffix not in (".point", "")]


def test_an_interrupt_says_what_is_kept(tmp_path, whole):
    def stop(now):
        if now.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        here(store=tmp_path, progress=stop)
    assert "finished points are kept in" in caught.value.__notes__[0]
    assert identical(here(store=tmp_path), whole)


# processes


def test_processes_give_the_same_bits(whole):
    assert identical(here(workers=2), whole)


def test_a_cluster_gives_the_same_bits(cluster, whole):
    assert identical(here(scheduler=cluster), whole)


def workers_of_this_process():
    """The local workers of a sweep that runs in this process."""
    return [p for p in psutil.Process().children() if "local_worker" in " ".join(p.cmdline())]


def swept_and_seen(look, **options):
    """What `look` says of each worker when the second point is there, and the sweep's result."""
    seen = []

    def progress(now):
        if now.done == 2:
            end = time.monotonic() + 60.0
            while len(workers_of_this_process()) < options["workers"]:
                assert time.monotonic() < end, "not all workers came"
                time.sleep(0.05)
            seen.extend(look(process) for process in workers_of_this_process())

    return seen, here(progress=progress, **options)


def test_workers_have_cores_threads_and_signals_of_their_own(monkeypatch, whole):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("NPROC", raising=False)
    before = dict(os.environ), available_processors()

    def look(process):
        environment = process.environ()
        threads = {environment[name] for name in local.THREAD_VARIABLES}
        status = Path(f"/proc/{process.pid}/status")
        ignored = 0
        if status.exists():
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            ignored = int(lines["SigIgn"], 16)
        cores = process.cpu_affinity() if hasattr(process, "cpu_affinity") else None
        return threads, ignored, cores

    # A worker that is new may not have set its cores yet: the one that computed has.
    seen, data = swept_and_seen(look, workers=1)
    assert identical(data, whole)
    ((threads, ignored, cores),) = seen
    assert threads == {str(jobs.default_workers())}
    if Path("/proc/self/status").exists():
        assert ignored & 1 << (signal.SIGINT - 1)
    if cores is not None:
        assert cores == list(core_shares(1)[0])
    assert (dict(os.environ), available_processors()) == before
    assert not workers_of_this_process()


def test_two_workers_share_the_threads():
    seen, _ = swept_and_seen(lambda process: process.environ()["NPROC"], workers=2)
    assert seen == [str(max(1, jobs.default_workers() // 2))] * 2


def test_quotas_of_containers_bound_the_workers(monkeypatch):
    monkeypatch.setenv("NPROC", "6")
    for quota, expected in ((2.5, 3), (8, 6), (0.2, 1), (math.inf, 6)):
        monkeypatch.setattr(jobs, "quota_of_container", lambda quota=quota: quota)
        assert jobs.default_workers() == expected


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000"}, 1.5),
        ({"cpu.max": "max 100000"}, math.inf),
        ({"cpu.max": "max 100000", "a/b/cpu.max": "300000 100000"}, 3.0),
        ({"cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ({}, math.inf),
    ],
)
def test_quotas_are_read_from_control_groups(tmp_path, monkeypatch, files, quota):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "own").write_text("0::/a/b\n")
    monkeypatch.setattr(processors, "CGROUPS", tmp_path)
    monkeypatch.setattr(processors, "OWN_CGROUP", tmp_path / "own")
    assert processors.quota_of_container() == quota


def test_core_shares_are_disjoint_and_equal():
    available = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    shares = core_shares(1)
    assert shares == ([tuple(sorted(available))] if available else [])
    assert core_shares(len(available) + 1) == []
    each = core_shares(max(1, len(available)))
    assert len({core for share in each for core in share}) == len(available)


def test_sampling_gives_the_same_bits_on_processes():
    model = sq.SpinModel(
        sq.Lattice((3, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)]
    )
    options = {
        "over": {"hamiltonian.0.j_z": [-2.0, 0.5, 1.0], "run.seed": [1, 2]},
        "method": sq.DTWA(20),
        "blocks": True,
    }
    alone = sq.sweep(model, STATE, TIMES, workers=0, **options)
    assert identical(sq.sweep(model, STATE, TIMES, workers=2, **options), alone)


def test_killed_workers_change_nothing(whole, tmp_path):
    killed = []

    def kill(now):
        if now.done in (2, 6):
            victim = workers_of_this_process()[0]
            victim.kill()
            killed.append(victim.pid)

    data = here(workers=2, store=tmp_path, progress=kill)
    assert len(set(killed)) == 2
    assert identical(data, whole)
    assert len(list(tmp_path.glob("*.point"))) == 12


def with_worker(monkeypatch, program):
    """Let the workers run a program of the test's own."""

    def launch(pool, command, environment):
        return original(pool, [*command[:-1], textwrap.dedent(program)], environment)

    original = local._Pool.launch
    monkeypatch.setattr(local._Pool, "launch", launch)


def test_a_point_that_kills_its_workers_costs_itself_only(monkeypatch):
    """One of three points kills every process that it is given to; the others are computed."""
    with_worker(
        monkeypatch,
        """
        import os, pickle
        from spinsqueeze.run import local_worker, point
        original = point.compute
        def deadly(tables, *, blocks):
            if tables["hamiltonian"][0]["chi"] == 1.0:
                os.kill(os.getpid(), 9)
            return original(tables, blocks=blocks)
        point.compute = deadly
        local_worker.serve(())
        """,
    )
    monkeypatch.setattr(local, "DEATHS", 1)
    data = here(workers=1, over={CHI: [0.5, 1.0, 1.5]})
    assert data["status"].values.tolist() == ["done", "failed", "done"]
    assert "its worker died again and again, most likely for want of memory" in str(
        data["reason"].values[1]
    )


def test_a_worker_that_needs_too_much_memory_is_stopped(monkeypatch):
    with_worker(
        monkeypatch,
        """
        import numpy, time
        from spinsqueeze.run import local_worker, point
        original = point.compute
        def hungry(tables, *, blocks):
            if tables["hamiltonian"][0]["chi"] == 1.0:
                much = numpy.ones(200_000_000)
                time.sleep(60.0)
            return original(tables, blocks=blocks)
        point.compute = hungry
        local_worker.serve(())
        """,
    )
    monkeypatch.setattr(local, "DEATHS", 0)
    data = here(workers=1, over={CHI: [0.5, 1.0]}, memory_limit="1 GB")
    assert data["status"].values.tolist() == ["done", "failed"]
    assert "raise memory_limit or take fewer workers" in str(data["reason"].values[1])


def test_processes_that_do_not_start_are_given_up(monkeypatch):
    with_worker(monkeypatch, "raise SystemExit(3)")
    monkeypatch.setattr(local, "STARTS", 2)
    with pytest.raises(SpinSqueezeError, match=r"do not start: 2 in a row ended .*; 0 of 12"):
        here(workers=2)


def test_processes_that_hang_at_the_start_are_given_up(monkeypatch):
    with_worker(monkeypatch, "import time; time.sleep(100.0)")
    monkeypatch.setattr(local, "STARTS", 1)
    monkeypatch.setattr(local, "START", 0.3)
    with pytest.raises(SpinSqueezeError, match="do not start"):
        here(workers=1)


def test_what_a_point_prints_does_not_get_in_the_way(monkeypatch, capfd):
    with_worker(
        monkeypatch,
        """
        import os
        from spinsqueeze.run import local_worker, point
        original = point.compute
        def loud(tables, *, blocks):
            print("word")
            os.write(1, b"sound")
            return original(tables, blocks=blocks)
        point.compute = loud
        local_worker.serve(())
        """,
    )
    assert (here(workers=1, over={CHI: [0.5, 1.0]})["status"] == "done").all()
    assert "sound" in capfd.readouterr().err


@pytest.mark.parametrize("size", ["4 GB", "4e9", 4e9, "4GB", "3906250 KiB"])
def test_sizes_of_memory(size):
    assert local.worker_memory(size, workers=3) == 4_000_000_000


def test_a_cluster_needs_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"pip install 'spinsqueeze\[cluster\]'"):
        here(scheduler="tcp://127.0.0.1:9")


def test_local_processes_need_no_dask():
    program = (
        "import sys; sys.modules['dask'] = sys.modules['distributed'] = None\n"
        "import spinsqueeze as sq\n"
        "model = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)])\n"
        "over = {'hamiltonian.0.chi': [0.5, 1.0]}\n"
        "data = sq.sweep(model, sq.CoherentState('+x'), [0.1, 0.2], over=over, workers=1)\n"
        "assert (data['status'] == 'done').all()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


class Nobody:
    """A client of a cluster without workers; `answers` says what its scheduler does instead."""

    loop = None

    def __init__(self, answers=None):
        self.scheduler = self
        self.answers = answers or (lambda: {})
        self.cancelled = []

    def sync(self, question, *, callback_timeout):
        assert 0 < callback_timeout < 60
        return question()

    def ncores(self):
        return self.answers()

    def cancel(self, futures, *, asynchronous):
        self.cancelled += futures

    def submit(self, *arguments, **options):
        return object()


class Unfinished:
    """Stands for as_completed: nothing ever is."""

    def __init__(self, **options):
        pass

    def add(self, future):
        pass

    def has_ready(self):
        return False


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("distributed.as_completed", Unfinished)
    monkeypatch.setattr(dask_cluster, "REFILL", 0.0)
    monkeypatch.setattr(patience, "WORD", 0.02)


def waited(client, *, patience):
    said = []
    points = [Job(0, {}, ""), Job(1, {}, "")]
    run = dask_cluster.run_on(client, points, blocks=False, patience=patience, say=said.append)
    with pytest.raises(SpinSqueezeError) as caught:
        next(run)
    return str(caught.value), said


def test_a_cluster_without_workers_is_waited_for_with_words_and_an_end(impatient):
    client = Nobody()
    message, said = waited(client, patience=0.1)
    assert message == (
        "the cluster has no workers, after 0.1 s of waiting: start workers and run the same again, "
        "or raise patience (now 0.1 s)"
    )
    assert said[0] == "the cluster has no workers: waiting (0 s of at most 0.1 s), 2 points to do"
    assert 2 <= len(said) <= 6
    assert len(client.cancelled) == 2


def test_a_scheduler_that_hangs_is_given_up_too(impatient):
    def hang():
        raise TimeoutError

    message, said = waited(Nobody(hang), patience=0.05)
    assert message.startswith("the cluster does not answer, after 0.05 s of waiting")
    assert said[0].startswith("the cluster does not answer: waiting (0 s")


def test_a_scheduler_that_is_gone_is_not_waited_for(impatient):
    def gone():
        raise OSError("connection closed")

    assert waited(Nobody(gone), patience=100.0) == ("the scheduler was lost (OSError)", [])


def test_workers_that_come_in_time_renew_the_patience(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: clock[0])
    said = []
    watch = patience.Watch(patience=3600.0, say=said.append)

    def wait(until):
        while clock[0] < until:
            watch.waiting("has no workers", points=7)
            clock[0] += 1.0

    wait(3600.0)
    assert len(said) == 60
    assert (
        said[-1] == "the cluster has no workers: waiting (59 min of at most 60 min), 7 points to do"
    )
    watch.satisfied()
    wait(7200.0)
    with pytest.raises(patience.ClusterLost, match=r"after 60 min of waiting.*\(now 3600 s\)"):
        watch.waiting("has no workers", points=7)
    forever = patience.Watch(patience=math.inf, say=said.append)
    forever.waiting("has no workers", points=7)
    clock[0] += 1e7
    forever.waiting("has no workers", points=7)
    assert said[-1] == "the cluster has no workers: waiting (2.78e+03 h), 7 points to do"


def test_a_real_cluster_without_workers_is_given_up_and_gone_on_with(tmp_path, whole, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(patience, "WORD", 0.5)
    here(store=tmp_path, over={**OVER, CHI: [0.5]})
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", processes=False) as empty,
        pytest.warns(UserWarning, match=r"the cluster has no workers: waiting .* 8 points to do"),
        pytest.raises(
            SpinSqueezeError, match=r"no workers, after 1 s .*; 4 of 12 points are done and kept in"
        ),
    ):
        here(scheduler=empty.scheduler_address, store=tmp_path, patience=1.0)
    seen = []
    assert identical(here(store=tmp_path, progress=seen.append), whole)
    assert seen[-1].reused == 4


def test_a_lost_cluster_without_a_store_says_what_is_lost(monkeypatch):
    def lost(*arguments, **options):
        raise patience.ClusterLost("the cluster is gone")
        yield

    monkeypatch.setattr("spinsqueeze.run.sweep._outcomes", lost)
    with pytest.raises(
        SpinSqueezeError, match="gone; 0 of 12 points are done and lost: name a store"
    ):
        here()


def test_another_version_of_the_numbers_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(jobs, "NUMBERS", 99)
    told = rf"version {store.NUMBERS} of the numbers, here is version 99"
    with pytest.raises(SpinSqueezeError, match=told):
        here(scheduler=cluster)


def test_a_lost_worker_is_a_reason():
    from distributed import KilledWorker

    class Future:
        status = "error"

        def exception(self):
            return KilledWorker("point", None, 5)

    outcome = dask_cluster._outcome(Future(), None)
    assert "for want of memory" in outcome.reason
    assert not outcome.kept
    Future.exception = lambda self: ValueError("odd")
    assert dask_cluster._outcome(Future(), None).reason == "ValueError: odd"
    Future.status = "cancelled"
    with pytest.raises(SpinSqueezeError, match="cluster was lost"):
        dask_cluster._outcome(Future(), None)


SCRIPT = """
import sys
import numpy as np
import spinsqueeze as sq
# no "if __name__ == '__main__'": new processes must not run this script again
print("script", flush=True)
model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDephasing(0.1)])
over = {"hamiltonian.0.chi": np.linspace(0.5, 1.5, POINTS), "jumps.0.rate": [0.1, 0.2]}
data = sq.sweep(model, sq.CoherentState("+x"), np.linspace(0, 0.6, 5), over=over, method=METHOD,
                store=sys.argv[1], workers=WORKERS,
                progress=lambda now: print("done", now.done, flush=True))
sq.save(data, sys.argv[2], overwrite=True)
"""


def script(folder, *, points, workers, method):
    text = textwrap.dedent(SCRIPT).replace("POINTS", str(points)).replace("WORKERS", str(workers))
    path = Path(folder) / "script.py"
    path.write_text(text.replace("METHOD", method))
    return path


def children(pid):
    try:
        rows = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
        ).stdout.split()
    except FileNotFoundError:
        pytest.skip("needs ps")
    return [int(row) for row in rows]


def killed_at_random(path, arguments, *, kills, longest, generator):
    """Run a script until it ends by itself, killing it or its workers at random moments."""
    done = 0
    while True:
        process = subprocess.Popen(
            [sys.executable, str(path), *arguments], stdout=subprocess.PIPE, text=True
        )
        counts = []
        reader = threading.Thread(
            target=lambda p=process, c=counts: c.extend(p.stdout.read().split("\n"))
        )
        reader.start()
        while process.poll() is None and done < kills:
            time.sleep(generator.uniform(0.0, longest))
            victims = children(process.pid)
            if generator.random() < 0.5 or not victims:
                process.kill()
                done += 1
                break
            os.kill(generator.choice(victims), signal.SIGKILL)
            done += 1
        process.wait()
        reader.join()
        process.stdout.close()
        if process.returncode == 0:
            assert counts.count("script") == 1
            return done
        assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_thirty_kills_change_nothing(tmp_path):
    method = "sq.DTWA(6000)"
    sampled = SCRIPT.replace(", jumps=[sq.LocalDephasing(0.1)]", "").replace(
        '"jumps.0.rate": [0.1, 0.2]', '"run.seed": [1, 2]'
    )
    path = tmp_path / "script.py"
    text = sampled.replace("METHOD", method).replace("WORKERS", "2").replace("POINTS", "150")
    path.write_text(text)
    calm = [str(tmp_path / "calm.points"), str(tmp_path / "calm.nc")]
    subprocess.run([sys.executable, str(path), *calm], check=True, stdout=subprocess.DEVNULL)
    rough = [str(tmp_path / "rough.points"), str(tmp_path / "rough.nc")]
    done = killed_at_random(path, rough, kills=30, longest=5.0, generator=random.Random(1))
    assert done == 30
    assert identical(sq.load(rough[1]), sq.load(calm[1]))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_killed_run_goes_on_and_a_flat_script_runs_once(tmp_path, capfd):
    path = script(tmp_path, points=10, workers=1, method="None")
    arguments = [str(tmp_path / "points"), str(tmp_path / "r.nc")]
    command = [sys.executable, str(path), *arguments]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            lines.append(line.strip())
            if line.strip() == "done 3":
                process.kill()
                break
        rest = process.stdout.read().split()
    assert lines.count("script") == 1
    assert "script" not in rest
    kept = len(list((tmp_path / "points").glob("*.point")))
    assert 3 <= kept <= 20
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first = next(line for line in done.stdout.split("\n") if line.startswith("done"))
    assert int(first.split()[1]) >= 3
    data = sq.load(tmp_path / "r.nc")
    alone = sq.sweep(
        MODEL,
        STATE,
        TIMES,
        over={CHI: np.linspace(0.5, 1.5, 10), RATE: [0.1, 0.2]},
        workers=0,
    )
    assert np.array_equal(data["xi2"].values, alone["xi2"].values)


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_workers_end_when_their_parent_is_killed(tmp_path):
    path = script(tmp_path, points=200, workers=2, method="None")
    command = [sys.executable, str(path), str(tmp_path / "points"), str(tmp_path / "r.nc")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.strip() == "done 3":
                break
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        process.kill()
        _, alive = psutil.wait_procs(workers, timeout=20.0)
        assert not alive
        process.stdout.read()


# one point out of a sweep


@pytest.mark.parametrize(
    "over",
    [
        {"run.times.stop": [0.3, 0.6]},
        {"run.times": [[0.0, 0.1, 0.2], [0.0, 0.15, 0.3, 0.45]]},
        {"ensemble.spins": [4, 6]},
        {CHI: [0.5, 1.5]},
    ],
    ids=["stop", "times", "spins", "chi"],
)
def test_a_selected_point_is_a_single_run(over):
    data = here(over=over)
    (dim,) = sweep_dims(data)
    for k in (0, 1):
        one = data.isel({dim: k})
        alone = sq.run_study(study_from_tables(json.loads(point_of(data, {dim: k}).attrs["study"])))
        assert sq.optimum(one) == sq.optimum(alone)
        (curve,) = [
            line for line in sq.plot.squeezing(one).axes[0].get_lines() if line.get_gid() == "curve"
        ]
        assert np.array_equal(curve.get_xdata(), alone["time"].values)


def test_a_selected_point_of_a_sampled_sweep_keeps_its_errors():
    over = {CHI: [0.5, 1.0]}
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(model, STATE, TIMES, over=over, method=sq.DTWA(40), workers=0, seed=5)
    alone = sq.optimum(sq.simulate(model, STATE, TIMES, method=sq.DTWA(40), seed=5))
    for name, value in vars(sq.optimum(data.isel(chi=1))).items():
        expected = getattr(alone, name)
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-12)), name
    part = sq.optimum(data.isel(chi=1, time=slice(0, 3)))  # another optimum than the stored one
    assert part.time <= TIMES[2]
    assert part.xi2_stderr > 0
    assert part.time_stderr is None


def test_a_failed_point_has_no_optimum():
    data = here(over={"ensemble.spins": [4, 6]}).copy()
    data["status"] = ("spins", ["done", "failed"])
    data["reason"] = ("spins", ["", "too hot"])
    with pytest.raises(InvalidInput, match=r"^this point of a sweep failed: too hot$"):
        sq.optimum(data.isel(spins=1))


def test_the_seed_of_the_lattice_is_not_that_of_the_run():
    model = sq.SpinModel(
        sq.Lattice((3, 3), filling=0.5, seed=1),
        hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=3)],
    )

    def swept(seed):
        return sq.sweep(
            model, STATE, TIMES, over={"ensemble.seed": [11, 12]}, method=sq.DTWA(20),
            workers=0, seed=seed, blocks=True,
        )  # fmt: skip

    one, two = swept(1), swept(2)
    assert sweep_dims(one) == ("ensemble_seed",)
    assert one.attrs["seed"] == 1
    assert point_of(one, {"ensemble_seed": 0}).attrs["seed"] == 1
    assert json.loads(sq.merge([one, two]).attrs["seeds"]) == [1, 2]
    assert json.loads(
        sq.merge([one.isel(ensemble_seed=0), two.isel(ensemble_seed=0)]).attrs["seeds"]
    )


def test_a_point_of_a_sweep_merges_with_a_single_run():
    model = sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(1.0)])
    data = sq.sweep(
        model, STATE, TIMES, over={CHI: [0.5, 1.0]}, method=sq.DTWA(40), workers=0, blocks=True
    )
    more = sq.simulate(model, STATE, TIMES, method=sq.DTWA(40), seed=9)
    assert json.loads(sq.merge([data.isel(chi=1), more]).attrs["seeds"]) == [0, 9]


def test_a_path_into_what_the_study_leaves_out_is_refused_in_one_line():
    tables = {
        "ensemble": {"spins": 4},
        "hamiltonian": [{"term": "two_axis_twisting", "chi": 1.0, "axes": ["x", "y"]}],
        "initial_state": {"coherent": "+z"},
        "run": {"times": [0.0, 0.1]},
        "sweep": {"hamiltonian.0.axes.0": ["x", "z"]},
    }
    with pytest.raises(InvalidInput, match=r"^sweep\.hamiltonian\.0\.axes\.0: there is no axes in"):
        sq.sweep(study_from_tables(tables), workers=0)


def test_two_times_can_be_swept_by_their_end():
    data = here(over={"run.times.stop": [0.2, 0.3]}).isel(stop=1)
    assert sq.sweep(MODEL, STATE, [0.0, 0.1], over={"run.times.stop": [0.2, 0.3]}, workers=0)[
        "time_of_point"
    ].values.tolist() == [[0.0, 0.2], [0.0, 0.3]]
    assert float(data["time_of_point"][-1]) == 0.3


@pytest.mark.parametrize("values", [[1, 1.0], [0.0, -0.0], [2.0, 2.0]])
def test_alike_values_are_refused(values):
    with pytest.raises(InvalidInput, match=r"^over\.hamiltonian\.0\.chi: must not repeat a value"):
        here(over={CHI: values})


def test_ranges_of_whole_numbers_count_spins():
    data = here(over={"ensemble.spins": {"start": 4, "stop": 8, "num": 3}})
    assert data["spins"].values.tolist() == [4, 6, 8]
    assert data["spins"].dtype.kind == "i"


def test_values_come_from_results():
    result = xr.DataArray([0.5, 1.5], dims="time")
    plain = here(over={CHI: [0.5, 1.5]})
    assert identical(here(over={CHI: result}), plain)
    assert identical(here(over={CHI: [result[0], result[1]]}), plain)
    ranged = {"start": result[0], "stop": result[1], "num": 2}
    assert identical(here(over={CHI: ranged}), plain)


def test_a_sweep_says_where_its_times_are_too_coarse():
    """Each point's status and errors are those of the run alone."""
    times = np.linspace(0, 0.2, 41)
    data = sq.sweep(MODEL, STATE, times, over={"hamiltonian.0.chi": [1.0, 4.0, 400.0]}, workers=0)
    bests = [sq.optimum(data.isel(chi=k)) for k in range(3)]
    assert data["optimal_status"].values.tolist() == [int(b.status) for b in bests]
    assert bests[2].status.name in ("TOO_COARSE", "INITIAL_STATE")
    assert [b.status.name for b in bests[:2]] == ["LAST_TIME", "INSIDE"]
    for name in ("xi2", "time", "angle"):
        stated = [getattr(b, f"{name}_interpolation") for b in bests]
        stored = data[f"optimal_{name}_interpolation"].values
        assert stored == pytest.approx([np.nan if e is None else e for e in stated], nan_ok=True)


def test_a_point_is_lowered_where_it_runs_and_once(monkeypatch):
    lowered = []
    plain = sq.OneAxisTwisting.lower
    monkeypatch.setattr(
        sq.OneAxisTwisting,
        "lower",
        lambda self, spins: lowered.append(self.chi) or plain(self, spins),
    )
    chis = np.linspace(0.1, 1.0, 4)
    study = study_from(MODEL, STATE, TIMES, pulses=())
    plan_of(study, over={CHI: chis})
    assert lowered == []
    with pytest.raises(InvalidInput, match=r"^over\.hamiltonian\.0\.chi: value nan: hamiltonian"):
        plan_of(study, over={CHI: [0.1, math.nan]})
    sq.sweep(MODEL, STATE, TIMES, over={CHI: chis}, workers=0, method="permutation_invariant")
    assert lowered == pytest.approx(chis)
