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
    method = "sq.DTWA(6000, sampling='independent')"
    sampled = SCRIPT.replace(", jumps=[sq.LocalDephasing(0.1)]", "").replace(
        '"jumps.0.rate": [0.1, 0.2]', '"run.seed": [1, 2]'
    )
    path = tmp_path / "script.py"
    text = sampled.replace("METHOD", method).replace("WORKERS", "2").replace("POINTS", "100")
    path.write_text(text)
    calm = [str(tmp_path / "calm.points"), str(tmp_path / "calm.nc")]
    subprocess.run([sys.executable, str(path), *calm], check=True, stdout=subprocess.DEVNULL)
    rough = [str(tmp_path / "rough.points"), str(tmp_path / "rough.nc")]
    done = killed_at_random(path, rough, kills=30, longest=4.0, generator=random.Random(1))
    assert done == 30
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
