import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.run.sweeping import CHI, STATE, TIMES, here, identical, with_worker

import spinsqueeze as sq
from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.numerics.processors import available_processors, core_shares
from spinsqueeze.run import jobs, local


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


def test_two_workers_share_the_threads_and_give_the_same_bits(whole):
    seen, data = swept_and_seen(lambda process: process.environ()["NPROC"], workers=2)
    assert seen == [str(max(1, jobs.default_workers() // 2))] * 2
    assert identical(data, whole)


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


def test_a_point_that_kills_its_workers_costs_itself_only(monkeypatch):
    """One of three points kills every process that it is given to; the others are computed."""
    with_worker(
        monkeypatch,
        """
        import os, pickle
        from spinsqueeze.run import local_worker, point
        original = point.compute_many
        def deadly(points, *, blocks):
            if points[0]["hamiltonian"][0]["chi"] == 1.0:
                os.kill(os.getpid(), 9)
            return original(points, blocks=blocks)
        point.compute_many = deadly
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
        original = point.compute_many
        def hungry(points, *, blocks):
            if points[0]["hamiltonian"][0]["chi"] == 1.0:
                much = numpy.ones(200_000_000)
                time.sleep(60.0)
            return original(points, blocks=blocks)
        point.compute_many = hungry
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
        original = point.compute_many
        def loud(points, *, blocks):
            print("word")
            os.write(1, b"sound")
            return original(points, blocks=blocks)
        point.compute_many = loud
        local_worker.serve(())
        """,
    )
    assert (here(workers=1, over={CHI: [0.5, 1.0]})["status"] == "done").all()
    assert "sound" in capfd.readouterr().err


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
