import contextlib
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
from tests.run.sweeping import CHI, MODEL, RATE, STATE, TIMES, identical

import spinsqueeze as sq

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


LIVES = (
    (("run", 0, 0.3),),
    (("run", 0, 1.5),),
    (("worker", 0, 2.0), ("worker", 1, 0.0), ("run", 1, 0.0)),
    (("run", 2, 0.05),),
    (("worker", 1, 0.02), ("worker", 1, 0.1), ("worker", 2, 0.0), ("run", 1, 0.01)),
    (("worker", 1, 0.05), ("worker", 0, 0.5), ("run", 2, 0.2)),
    (("run", 1, 0.002),),
    (("worker", 2, 0.005),),
)
"""Who is killed in each run: so many points after the last kill, so many seconds after those."""


def killed(path, arguments, lives, *, generator):
    """Run a script again and again until it ends by itself; its workers are killed on the way."""
    for kills in lives:
        with subprocess.Popen(
            [sys.executable, str(path), *arguments], stdout=subprocess.PIPE, text=True
        ) as process:
            lines = []
            reader = threading.Thread(target=lambda p=process, c=lines: c.extend(iter(p.stdout)))
            reader.start()
            seen = 1  # the first line counts points of earlier runs
            for who, points, seconds in kills:
                while points and sum(line.startswith("done") for line in lines) < seen + points:
                    assert process.poll() is None
                    time.sleep(0.001)
                seen = sum(line.startswith("done") for line in lines)
                time.sleep(seconds)
                if who == "run":
                    process.kill()
                    break
                while not (alive := workers_of(process)):
                    assert process.poll() is None
                    time.sleep(0.001)
                generator.choice(alive).kill()
            process.wait()
            reader.join()
        assert lines.count("script\n") <= 1
        assert process.returncode == (-signal.SIGKILL if who == "run" else 0)


def workers_of(process):
    alive = []
    for child in psutil.Process(process.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE:
                alive.append(child)
    return alive


@pytest.mark.slow
def test_kills_change_nothing(tmp_path, monkeypatch):
    """At the start of runs and of workers, amid points, and as points are written."""
    method = "sq.DTWA(2000, sampling='independent')"
    sampled = SCRIPT.replace(", jumps=[sq.LocalDephasing(0.1)]", "").replace(
        '"jumps.0.rate": [0.1, 0.2]', '"run.seed": [1, 2]'
    )
    path = tmp_path / "script.py"
    text = sampled.replace("METHOD", method).replace("WORKERS", "2").replace("POINTS", "30")
    path.write_text(text)
    # what the calm run compiles serves the others, which only read: a half is never written
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "jax"))
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    calm = [str(tmp_path / "calm.points"), str(tmp_path / "calm.nc")]
    subprocess.run([sys.executable, str(path), *calm], check=True, stdout=subprocess.DEVNULL)
    monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "1e9")
    rough = [str(tmp_path / "rough.points"), str(tmp_path / "rough.nc")]
    killed(path, rough, LIVES, generator=random.Random(1))
    assert identical(sq.load(rough[1]), sq.load(calm[1]))


@pytest.mark.usefixtures("capfd")
@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs process groups")
def test_a_killed_run_goes_on_and_a_flat_script_runs_once(tmp_path):
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
