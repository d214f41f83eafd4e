import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.cli.main import main
from spinsqueeze.cli.sweep import _duration

STUDY = """
title = "a sweep"
[ensemble]
spins = 6
[[hamiltonian]]
term = "one_axis_twisting"
chi = 1.0
[initial_state]
coherent = "+x"
[method]
name = "METHOD"
[run]
times = { start = 0.0, stop = 0.5, num = 6 }
[sweep]
"hamiltonian.0.chi" = { start = 0.5, stop = 2.0, num = 4 }
"""


@pytest.fixture
def in_one_process(monkeypatch):
    """`run` takes no number of workers: here it starts none."""
    monkeypatch.setattr("spinsqueeze.run.sweep.default_workers", lambda: 0)


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace("METHOD", "closed_form"))
    return path


def test_sweep_and_run_give_the_same(study, capsys):
    assert main(["sweep", "study.toml", "-o", "a.nc", "--workers", "0"]) == 0
    told = capsys.readouterr().out
    assert "4 of 4 points done, 0 failed" in told
    assert "least xi2 = " in told
    assert "result: a.nc" in told
    assert len(list((study.parent / "a.points").glob("*.point"))) == 4
    data = sq.load("a.nc")
    assert data["xi2"].dims == ("chi", "time")
    assert data.attrs["title"] == "a sweep"
    assert main(["run", "study.toml", "-o", "b.nc"]) == 0
    assert sq.load("b.nc").identical(data)


@pytest.mark.usefixtures("study")
def test_info_on_a_sweep_tells_its_axes_and_its_best_point(capsys):
    assert main(["sweep", "study.toml", "-o", "a.nc", "--workers", "0"]) == 0
    best = next(line for line in capsys.readouterr().out.splitlines() if "least xi2" in line)
    assert main(["info", "a.nc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "sweep        hamiltonian.0.chi = [0.5, 1.0, 1.5, 2.0]" in lines
    at = lines.index("4 of 4 points done, 0 failed")
    assert lines[at + 1 :] == [
        best,
        "at the last time: 1 of 4 optima; add later times",
        "times too coarse to interpolate: 1 of 4 optima; add times near the least xi2",
    ]


def test_info_on_a_sweep_of_times_and_of_failed_points(study, capsys):
    swept = '"run.times" = [[0.0, 0.1], [0.0, 0.2]]\n'
    text = study.read_text().split("[sweep]")[0] + "[sweep]\n" + swept
    study.write_text(text + '"jumps.0.rate" = [0.1, 0.2, 0.3, 0.4, 0.5]\n')
    study.write_text(
        study.read_text().replace(
            "[initial_state]", '[[jumps]]\nterm = "local_dephasing"\nrate = 0.1\n[initial_state]'
        )
    )
    assert main(["sweep", "study.toml", "-o", "a.nc", "--workers", "0", "-q"]) == 0
    assert main(["info", "a.nc"]) == 0
    told = capsys.readouterr().out
    assert "jumps.0.rate = 5 values from 0.1 to 0.5" in told
    assert "times        2 of each point" in told


@pytest.mark.usefixtures("study")
def test_a_second_run_reuses_the_points(capsys):
    assert main(["sweep", "study.toml", "--store", "p", "--workers", "0", "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["sweep", "study.toml", "--store", "p", "--workers", "0", "--overwrite"]) == 0
    assert "4 points were there already" in capsys.readouterr().out


def test_seed_and_blocks_and_merge(study, capsys):
    study.write_text(STUDY.replace("METHOD", "dtwa") + "\n")
    common = ["--workers", "0", "--blocks", "-q"]
    assert main(["sweep", "study.toml", "-o", "a.nc", "--seed", "1", *common]) == 0
    assert main(["sweep", "study.toml", "-o", "b.nc", "--seed", "2", *common]) == 0
    assert main(["merge", "a.nc", "b.nc", "-o", "c.nc"]) == 0
    assert "result: c.nc" in capsys.readouterr().out
    one, both = sq.load("a.nc"), sq.load("c.nc")
    ratio = both["spin_stderr"].sel(axis="x") / one["spin_stderr"].sel(axis="x")
    assert np.nanmedian(ratio.values[:, 1:]) == pytest.approx(2**-0.5, rel=0.2)


def test_merging_single_runs_tells_the_best(study, capsys):
    text = STUDY.replace("METHOD", "dtwa").split("[sweep]")[0]
    study.write_text(text)
    for seed in "12":
        assert main(["run", "study.toml", "-o", f"{seed}.nc", "--seed", seed, "-q"]) == 0
    assert main(["merge", "1.nc", "2.nc", "-o", "c.nc"]) == 0
    assert "xi2 = " in capsys.readouterr().out


def test_failed_points_are_told(study, capsys):
    study.write_text(
        STUDY.replace("METHOD", "exact").split("[sweep]")[0] + '[sweep]\n"ensemble.spins" = [4, 40]'
    )
    assert main(["sweep", "study.toml", "--workers", "0"]) == 0
    told = capsys.readouterr().out
    assert "1 of 2 points done, 1 failed" in told
    assert "failed (1 points): Unsupported" in told


def test_all_points_failed_is_a_failure(study, capsys):
    study.write_text(
        STUDY.replace("METHOD", "exact").split("[sweep]")[0]
        + '[sweep]\n"ensemble.spins" = [40, 50]'
    )
    assert main(["sweep", "study.toml", "--workers", "0"]) == 2
    assert "every point failed: Unsupported" in capsys.readouterr().err


def test_a_damaged_point_is_told(study, capsys):
    assert main(["sweep", "study.toml", "--workers", "0", "-q"]) == 0
    next(study.parent.glob("study.points/*.point")).write_bytes(b"")
    assert main(["sweep", "study.toml", "--workers", "0", "--overwrite", "-q"]) == 0
    told = capsys.readouterr().err
    assert "warning: store" in told
    assert "computed again" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sweep", "nothing.toml"], "nothing.toml does not exist"),
        (["sweep", "plain.toml"], "has no [sweep]; use spinsqueeze run"),
        (["sweep", "study.toml", "-o", "study.toml"], "must not be the study file itself"),
        (["sweep", "study.toml", "-o", "old.nc"], "old.nc exists already; add --overwrite"),
        (["sweep", "study.toml", "-o", "no/where.nc"], "does not exist; create it first"),
        (["sweep", "study.toml", "--store", "full"], "folder with other files"),
        (["sweep", "study.toml", "--workers", "-1"], "--workers"),
        (["sweep", "study.toml", "--patience", "0"], "patience must be above 0, got 0"),
        (["merge", "old.nc", "old.nc", "-o", "c.nc"], "a file is named twice"),
        (["merge", "old.nc", "plain.toml", "-o", "old.nc"], "must not be one of the results"),
        (["merge", "old.nc", "none.nc", "-o", "c.nc"], "result file"),
    ],
)
def test_mistakes_take_one_line(study, capsys, arguments, message):
    folder = study.parent
    (folder / "plain.toml").write_text(STUDY.replace("METHOD", "exact").split("[sweep]")[0])
    (folder / "old.nc").write_bytes(b"x")
    (folder / "full").mkdir()
    (folder / "full" / "thesis.tex").write_text("x")
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_ctrl_c_leaves_a_state_to_go_on_from(study):
    study.write_text(
        STUDY.replace('name = "METHOD"', 'name = "dtwa"\nn_trajectories = 4000')
        .replace("num = 4", "num = 400")
        .replace("num = 6", "num = 41")
    )
    program = (
        "import signal, sys; from spinsqueeze.cli.main import main; "
        # a shell's background jobs, and so perhaps this one, ignore interrupts
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.exit(main(['sweep', 'study.toml', '--workers', '1']))"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        folder = study.parent / "study.points"
        deadline = time.monotonic() + 60
        while len(list(folder.glob("*.point"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process
        told = process.stderr.read()
    assert process.returncode == 130
    assert "of 400 points are done and kept in study.points; run the same command again" in told
    assert "Traceback" not in told
    assert 2 <= len(list(folder.glob("*.point"))) < 400
    assert not (study.parent / "study.nc").exists()


def test_ctrl_c_before_the_first_point_promises_no_folder(study, capsys, monkeypatch):
    def interrupted(_job):
        raise KeyboardInterrupt

    monkeypatch.setattr("spinsqueeze.run.sweep.run_here", lambda jobs, **_: map(interrupted, jobs))
    assert main(["sweep", "study.toml", "--workers", "0"]) == 130
    assert "nothing is done yet; run the same" in capsys.readouterr().err
    assert not (study.parent / "study.points").exists()


def test_time_left_for_people():
    assert [_duration(s) for s in (0.4, 75, 3725)] == ["0:00", "1:15", "1:02:05"]


@pytest.mark.usefixtures("in_one_process")
def test_pictures_of_sweeps(study, capsys):
    assert main(["sweep", "study.toml", "-o", "a.nc", "--plot", "a.png", "--workers", "0"]) == 0
    assert "picture: a.png" in capsys.readouterr().out
    assert (study.parent / "a.png").read_bytes().startswith(b"\x89PNG")
    assert main(["plot", "a.nc", "-o", "b.svg", "--quantity", "optimal_time"]) == 0
    assert "<svg" in (study.parent / "b.svg").read_text()
    assert main(["run", "study.toml", "-o", "c.nc", "--plot", "c.png", "-q"]) == 0
    assert (study.parent / "c.png").is_file()


def test_what_cannot_be_drawn_is_refused_before_work(study, capsys):
    more = '"run.seed" = [1, 2]\n"ensemble.spins" = [4, 6]\n'
    (study.parent / "three.toml").write_text(study.read_text() + more)
    assert main(["sweep", "three.toml", "--plot", "a.png"]) == 2
    assert "draws sweeps over one or two dimensions, this one has 3" in capsys.readouterr().err
    assert main(["sweep", "study.toml", "--plot", "a.gif"]) == 2
    assert "picture a.gif must end in .png" in capsys.readouterr().err
    assert main(["sweep", "study.toml", "--plot", "study.toml"]) == 2
    assert "must not be the study file itself" in capsys.readouterr().err
    (study.parent / "single.toml").write_text(study.read_text().split("[sweep]")[0])
    assert main(["run", "single.toml", "-q"]) == 0
    assert main(["plot", "single.nc", "--quantity", "xi2"]) == 2
    assert "--quantity chooses what to draw of a sweep" in capsys.readouterr().err
    assert not list(study.parent.glob("*.png"))


@pytest.mark.usefixtures("in_one_process")
def test_a_sweep_of_steady_states(study, capsys):
    study.write_text(
        """
[ensemble]
spins = 6
[[jumps]]
term = "squeezed_collective_decay"
rate = 1.0
r = 0.5
[run]
steady_state = true
[initial_state]
coherent = "-z"
[sweep]
"jumps.0.r" = [0.2, 0.4, 0.6]
"""
    )
    assert main(["run", "study.toml", "-o", "a.nc", "--plot", "a.png"]) == 0
    assert "3 of 3 points done, 0 failed" in capsys.readouterr().out
    assert main(["info", "a.nc"]) == 0
    told = capsys.readouterr().out
    assert "times        steady state" in told
    assert "least xi2 = " in told


@pytest.mark.usefixtures("in_one_process")
def test_sweeps_warn_as_single_runs_do(study, capsys):
    study.write_text(
        STUDY.replace('name = "METHOD"', 'name = "dtwa"\nn_trajectories = 12').replace(
            "0.5, num", "0.2, num"
        )
    )
    assert main(["run", "study.toml", "-o", "a.nc"]) == 0
    told = capsys.readouterr()
    assert "warning: 4 of 4 points: " in told.err
    assert "at the last time: 3 of 4 optima; add later times" in told.out


def test_a_sweep_without_any_point_leaves_no_file(study, capsys):
    study.write_text(study.read_text().replace("[sweep]", "memory_budget = 100\n[sweep]"))
    assert main(["sweep", "study.toml", "-o", "a.nc", "--workers", "0"]) == 2
    assert "every point failed: TooLarge: " in capsys.readouterr().err
    assert not (study.parent / "a.nc").exists()


def test_info_tells_seeds_and_sizes(study, capsys):
    text = study.read_text().split("[sweep]")[0].replace("closed_form", "dtwa")
    (study.parent / "one.toml").write_text(text)
    for seed in "12":
        assert main(["run", "one.toml", "-o", f"{seed}.nc", "--seed", seed, "-q"]) == 0
    assert main(["merge", "1.nc", "2.nc", "-o", "m.nc"]) == 0
    assert main(["info", "m.nc"]) == 0
    assert "seed         1, 2\n" in capsys.readouterr().out
    study.write_text(study.read_text().split("[sweep]")[0] + '[sweep]\n"ensemble.spins" = [4, 6]\n')
    assert main(["sweep", "study.toml", "-o", "s.nc", "-q", "--workers", "0"]) == 0
    assert main(["info", "s.nc"]) == 0
    assert "spins        4 to 6\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("study.toml", "is a study, which spinsqueeze run turns into a result, not a result file"),
        ("picture.png", "is a picture, not a result file (.nc)"),
        ("folder", "is a folder; name a file in it"),
    ],
)
def test_info_knows_what_is_no_result(study, capsys, name, kind):
    (study.parent / "folder").mkdir()
    (study.parent / "picture.png").touch()
    assert main(["info", name]) == 2
    assert kind in capsys.readouterr().err


@pytest.mark.usefixtures("study")
def test_a_store_or_memory_limit_that_is_none_is_refused(capsys):
    assert main(["sweep", "study.toml", "--memory-limit", "abc", "--workers", "0"]) == 2
    assert "memory_limit must be a size" in capsys.readouterr().err
    with pytest.raises(sq.InvalidInput, match=r"^store must be the name of a folder, got 3"):
        sq.sweep(sq.read_study("study.toml"), store=3)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("command", ["run", "sweep"])
def test_points_need_a_place_of_their_own_where_the_output_is_no_file(capsys, command):
    os.mkfifo("pipe")
    assert main([command, "study.toml", "-o", "pipe"]) == 2
    assert "--store must name the folder of finished points" in capsys.readouterr().err
    assert sorted(os.listdir()) == ["pipe", "study.toml"]


@pytest.mark.usefixtures("study")
def test_a_cluster_without_workers_is_told_every_minute_and_left(capsys, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr("spinsqueeze.run.patience.WORD", 0.5)
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", processes=False) as empty:
        words = ["--scheduler", empty.scheduler_address, "--patience", "1"]
        assert main(["sweep", "study.toml", *words]) == 2
    *told, last = capsys.readouterr().err.splitlines()
    assert told[0] == (
        "warning: the cluster has no workers: waiting (0 s of at most 1 s), 4 points to do"
    )
    assert last == (
        "spinsqueeze: the cluster has no workers, after 1 s of waiting: start workers and run the "
        "same again, or raise patience (now 1 s); 0 of 4 points are done and kept in study.points"
    )


def test_a_refused_sweep_leaves_nothing_behind(study, capsys):
    before = sorted(study.parent.iterdir())
    study.write_text(study.read_text().replace('"closed_form"', '"perturbation"'))
    assert main(["sweep", "study.toml", "--store", "deep/points", "--workers", "0"]) == 2
    assert "every point failed: Unsupported: Perturbation cannot do this" in capsys.readouterr().err
    assert sorted(study.parent.iterdir()) == before


@pytest.mark.usefixtures("in_one_process")
def test_what_is_there_is_replaced_only_on_request_and_tables_are_named(study, capsys):
    assert main(["run", "study.toml", "-o", "a.csv"]) == 2
    said = capsys.readouterr().err
    assert "output a.csv must be netCDF, such as a.nc; a table of it: load('a.nc').xi2" in said
    assert main(["sweep", "study.toml", "-o", "a.nc", "--workers", "0"]) == 0
    said = capsys.readouterr().out
    assert "least xi2 = " in said
    assert " dB) at " in said
    assert main(["info", "a.nc"]) == 0
    assert " dB) at " in capsys.readouterr().out
    assert main(["plot", "a.nc", "-q"]) == 2
    capsys.readouterr()
    assert main(["plot", "a.nc"]) == 0
    capsys.readouterr()
    assert main(["plot", "a.nc"]) == 2
    assert "a.png exists already; add --overwrite, or name another with -o" in (
        capsys.readouterr().err
    )
    assert main(["plot", "a.nc", "--overwrite"]) == 0
    assert (study.parent / "a.png").is_file()
