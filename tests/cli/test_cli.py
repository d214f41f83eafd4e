import io
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import typer

import spinsqueeze
from spinsqueeze.cli import progress
from spinsqueeze.cli.main import main
from spinsqueeze.cli.progress import bar
from spinsqueeze.cli.text import any_text
from spinsqueeze.core import output
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.files import load
from spinsqueeze.run import progress_bar
from spinsqueeze.run.optimum import optimum
from spinsqueeze.run.sweep import run_study

STUDY = """
title = "Small [array]"
[ensemble]
shape = [2, 3]
[[hamiltonian]]
term = "power_law_xxz"
j_perp = 2.0
j_z = -2.0
exponent = 3.0
[initial_state]
coherent = "+x"
[method]
name = "exact"
[run]
times = { start = 0.0, stop = 0.5, num = 11 }
seed = 7
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to work in, with one study."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_run_writes_the_result_and_the_picture(here, capsys):
    assert main(["run", "study.toml", "-o", "out.nc", "--plot", "out.png"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("xi2 = ")
    assert " dB" in said.out
    assert said.out.endswith("result: out.nc\npicture: out.png\n")
    assert said.err == ""
    assert names(here) == ["out.nc", "out.png", "study.toml"]
    assert (here / "out.png").read_bytes().startswith(b"\x89PNG")
    data = load("out.nc")
    assert data.sizes["time"] == 11
    assert data.attrs["method"] == "exact"
    assert json.loads(data.attrs["study"])["title"] == "Small [array]"


@pytest.mark.parametrize(
    ("ensemble", "line"),
    [
        ("shape = [2, 2]", "4 on 2 x 2, periodic"),
        ('shape = 5\nfilling = 0.8\nboundary = "open"', "4 on a chain of 5, open"),
        ('shape = [2, 1]\ngeometry = "honeycomb"', "4 on 2 x 1 cells (honeycomb), periodic"),
        ("positions = [[0], [1]]", "2 at positions"),
    ],
)
def test_run_says_how_many_spins_are_where_and_what_the_unit_means(here, capsys, ensemble, line):
    study = f"[ensemble]\n{ensemble}\n[initial_state]\ncoherent = '+x'\n" + (
        "[[hamiltonian]]\nterm = 'van_der_waals'\nc6 = 1.0\n"
        "[run]\ntimes = [0.0, 1.0]\nunit = 'MHz'\n[method]\nname = 'closed_form'\n"
    )
    (here / "study.toml").write_text(study)
    assert main(["run", "study.toml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    at = lines.index(f"spins        {line}")
    assert lines[at + 1].startswith("unit         MHz, 1 is 1e6 rad/s, without 2 pi; for freq")


@pytest.mark.usefixtures("capsys")
def test_run_names_the_result_after_the_study(here):
    (here / "studies").mkdir()
    (here / "study.toml").rename(here / "studies" / "mine.toml")
    assert main(["run", "studies/mine.toml"]) == 0
    assert names(here) == ["mine.nc", "studies"]


def test_run_takes_another_seed_and_method(here):
    assert main(["run", "study.toml", "-o", "a.nc", "--method", "closed_form", "--seed", "9"]) == 2
    text = STUDY.replace("j_perp = 2.0", "j_perp = 0.0")
    (here / "study.toml").write_text(text)
    assert main(["run", "study.toml", "-o", "a.nc", "--method", "closed_form", "--seed", "9"]) == 0
    data = load("a.nc")
    assert (data.attrs["method"], data.attrs["seed"]) == ("closed_form", 9)


def test_naming_the_method_of_the_study_keeps_its_options(here, monkeypatch):
    text = STUDY.replace('"exact"', '"dtwa"\nn_trajectories = 40')
    (here / "study.toml").write_text(text)
    seen = []
    monkeypatch.setattr(
        "spinsqueeze.run.sweep.run_study",
        lambda study, **_: seen.append(study.method) or stop(),
    )
    assert main(["run", "study.toml", "--method", "dtwa"]) == 130
    assert main(["run", "study.toml", "--method", "exact"]) == 130
    assert [method.name() for method in seen] == ["dtwa", "exact"]
    assert seen[0].n_trajectories == 40


def stop():
    raise KeyboardInterrupt


@pytest.mark.usefixtures("here")
def test_quiet_prints_nothing(capsys):
    assert main(["run", "study.toml", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_files_are_replaced_only_on_request(here, capsys):
    assert main(["run", "study.toml", "-q", "--plot", "study.png"]) == 0
    before = (here / "study.nc").read_bytes()
    capsys.readouterr()
    assert main(["run", "study.toml"]) == 2
    assert "study.nc exists already; add --overwrite, or name another" in capsys.readouterr().err
    assert (here / "study.nc").read_bytes() == before
    assert main(["run", "study.toml", "-o", "new.nc", "--plot", "study.png"]) == 2
    assert "study.png exists already; add --overwrite" in capsys.readouterr().err
    assert not (here / "new.nc").exists()
    assert main(["run", "study.toml", "-q", "--plot", "study.png", "--overwrite"]) == 0


@pytest.mark.usefixtures("here")
def test_the_warnings_of_a_run_are_told(capsys, monkeypatch):
    run = run_study

    def warned(study, progress):
        data = run(study, progress=progress)
        return data.assign_attrs(warnings=json.dumps(["top shell is full [1]"]))

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", warned)
    assert main(["run", "study.toml"]) == 0
    assert capsys.readouterr().err == "warning: top shell is full [1]\n"
    assert main(["info", "study.nc"]) == 0
    assert capsys.readouterr().out.endswith("warning: top shell is full [1]\n")


def test_plot_draws_a_result(here, capsys):
    main(["run", "study.toml", "-q"])
    assert main(["plot", "study.nc"]) == 0
    assert capsys.readouterr().out == "picture: study.png\n"
    assert main(["plot", "study.nc", "-o", "other.svg"]) == 0
    assert "<svg" in (here / "other.svg").read_text()
    assert names(here) == ["other.svg", "study.nc", "study.png", "study.toml"]


@pytest.mark.usefixtures("here")
def test_info_says_what_is_in_a_result(capsys):
    main(["run", "study.toml"])
    best = capsys.readouterr().out.splitlines()[0]
    assert main(["info", "study.nc"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Small [array]"
    assert lines[-1] == best
    assert lines[-2].startswith("at the least xi2: uncertainty product 1.0")
    assert "(at least 1/xi2 = " in lines[-2]
    text = "\n".join(lines)
    assert "6, shape = [2, 3]" in text
    assert "power_law_xxz(j_perp = 2.0, j_z = -2.0, exponent = 3.0)" in text
    assert "coherent = [1.0, 0.0, 0.0]" in text
    assert "exact(tolerance = 1e-10)" in text
    assert "11 from 0 to 0.5 1/J" in text
    assert "squeezing_angle" in text


@pytest.mark.usefixtures("here")
def test_info_tells_of_pulses_jumps_and_cavities(capsys):
    main(["run", "study.toml", "-q"])
    study = {
        "ensemble": {"spins": 6},
        "jumps": [{"term": "local_decay", "rate": 0.5}],
        "cavity": {"coupling": 1.0, "decay_rate": 2.0},
        "pulses": [{"time": 0.1, "axis": [1.0, 0.0, 0.0], "angle": 3.0}],
    }
    load("study.nc").assign_attrs(study=json.dumps(study)).to_netcdf("b.nc", engine="h5netcdf")
    assert main(["info", "b.nc"]) == 0
    text = capsys.readouterr().out
    assert "jumps        local_decay(rate = 0.5)" in text
    assert "cavity       cavity(coupling = 1.0, decay_rate = 2.0)" in text
    assert "pulse        time = 0.1, axis = [1.0, 0.0, 0.0], angle = 3.0" in text
    assert "method       exact()" in text


@pytest.mark.usefixtures("here")
def test_methods_lists_every_method_with_its_reasons(capsys):
    from spinsqueeze.methods.registry import METHODS

    assert main(["methods", "study.toml"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in METHODS)
    assert "couplings and fields do not all lie along one axis" in text


def test_methods_judges_the_method_of_the_study_with_its_options(here, capsys):
    rows = []
    for number in (500, 50_000):
        text = STUDY.replace('"exact"', f'"dtwa"\nn_trajectories = {number}')
        (here / "study.toml").write_text(text)
        assert main(["methods", "study.toml"]) == 0
        rows.append(next(r for r in capsys.readouterr().out.splitlines() if "dtwa" in r))
    assert rows[0] != rows[1]


STEADY = """
[ensemble]
spins = 6
[[hamiltonian]]
term = "drive"
rabi = 1.0
[[jumps]]
term = "local_decay"
rate = 4.0
[run]
steady_state = true
"""


def test_steady_states_from_a_study(here, capsys):
    (here / "steady.toml").write_text(STEADY)
    assert main(["methods", "steady.toml"]) == 0
    text = capsys.readouterr().out
    assert "permutation_invariant" in text
    assert "dtwa does not fit:\n  - " in text
    assert main(["run", "steady.toml", "--plot", "a.png"]) == 2
    refused = capsys.readouterr().err
    assert "--plot draws curves, this study asks for a steady" in refused
    assert "spinsqueeze plot RESULT --kind ellipse" in refused
    assert main(["run", "steady.toml"]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("xi2 = ")
    assert line.endswith(" dB) in the steady state")
    assert main(["info", "steady.nc"]) == 0
    assert capsys.readouterr().out.endswith(line + "\n")
    with pytest.raises(InvalidInput, match=r"^data has no times: a steady state has no best time"):
        optimum(load("steady.nc"))
    assert main(["plot", "steady.nc"]) == 2
    refused = capsys.readouterr().err
    assert refused.count("\n") == 1
    assert "spinsqueeze plot FILE --kind ellipse" in refused
    assert main(["plot", "steady.nc", "--kind", "ellipse"]) == 0


CUMULANTS = """
[initial_state]
coherent = "+x"
[method]
name = "cumulants"
order = 2
"""


def test_what_is_printed_says_what_a_truncation_leaves_out(here, capsys):
    (here / "steady.toml").write_text(STEADY + CUMULANTS)
    (here / "curve.toml").write_text(
        '[ensemble]\nspins = 50\n[[hamiltonian]]\nterm = "collective_exchange"\nchi = 1.0\n'
        + CUMULANTS
        + "[run]\ntimes = { start = 0.0, stop = 0.1, num = 41 }\n"
    )
    for name in ("steady", "curve"):
        assert main(["run", f"{name}.toml"]) == 0
        lines = capsys.readouterr().out.splitlines()
        data = load(f"{name}.nc")
        if name == "curve":
            data = data.sel(time=optimum(data).time, method="nearest")
        change = float(data["xi2_truncation"])
        assert change > 0 or name == "steady"
        expected = f"truncation: the next order changes xi2 there by {change:.2g}, which is an "
        assert lines[1] == f"{expected}indication and no bound"


@pytest.mark.parametrize("words", [["--help"], ["-h"], []])
def test_help(words, capsys):
    assert main(words) == 0
    text = capsys.readouterr().out
    assert all(command in text for command in ("run", "plot", "info", "methods"))


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("spinsqueeze ")


def test_ctrl_c_is_one_line_and_130(here, capsys, monkeypatch):
    def interrupted(_study, **_):
        raise KeyboardInterrupt

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", interrupted)
    assert main(["run", "study.toml"]) == 130
    assert capsys.readouterr() == (
        "",
        "spinsqueeze: interrupted; no part of a file is left behind\n",
    )
    assert names(here) == ["study.toml"]


@pytest.mark.usefixtures("here")
def test_a_command_that_has_told_of_its_interruption_is_not_told_again(capsys, monkeypatch):
    def told(_study, **_):
        raise typer.Exit(130)

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", told)
    assert main(["run", "study.toml"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("here")
def test_out_of_memory_is_one_line(capsys, monkeypatch):
    def exhausted(_study, **_):
        raise MemoryError

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", exhausted)
    assert main(["run", "study.toml"]) == 2
    assert capsys.readouterr().err.startswith("spinsqueeze: out of memory; lower memory_budget")


@pytest.mark.usefixtures("here")
def test_a_fault_of_ours_is_not_hidden(monkeypatch):
    def broken(_study, **_):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", broken)
    with pytest.raises(ZeroDivisionError, match="ours"):
        main(["run", "study.toml"])


def full(_descriptor):
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_nothing(here, capsys, monkeypatch):
    monkeypatch.setattr(output.os, "fsync", full)
    assert main(["run", "study.toml"]) == 2
    assert "study.nc could not be written: the disk is full" in capsys.readouterr().err
    assert names(here) == ["study.toml"]


def test_a_picture_that_fails_leaves_no_half_picture(here, capsys, monkeypatch):
    main(["run", "study.toml", "-q"])
    monkeypatch.setattr(output.os, "fsync", full)
    assert main(["plot", "study.nc"]) == 2
    assert capsys.readouterr().err.startswith("spinsqueeze: picture study.png could not be written")
    assert names(here) == ["study.nc", "study.toml"]


def test_long_work_says_lines_away_from_a_terminal(capsys, monkeypatch):
    """Also while the work says nothing, as in a short run that looks for times."""
    monkeypatch.setattr(progress_bar.LogLines, "every", 0.05)
    monkeypatch.setattr(progress, "_LOOK_EVERY", 0.01)
    with bar("title", quiet=False) as note:
        time.sleep(0.2)
        note(0.5)
        time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "title: 0 %, 0 s"
    assert lines[-1] == "title: 50 %, 0 s, 0 s left"


def test_the_bar_is_silent_at_first_away_from_a_terminal(capsys):
    with bar("title", quiet=False) as note:
        note(0.5)
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_the_share_and_the_time_left(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with bar("[odd] title", quiet=False) as note:
        note(0.5)
    text = capsys.readouterr().err
    assert "[odd] title" in text
    assert "50%" in text
    assert "left" in text
    with bar("[odd] title", quiet=True) as note:
        note(0.5)
    assert capsys.readouterr().err == ""


def started(*words):
    """A process of its own, of the package that these tests run against."""
    home = str(Path(spinsqueeze.__file__).resolve().parents[1])
    return subprocess.Popen(
        [sys.executable, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": home},
    )


COMMAND = ("-m", "spinsqueeze")


@pytest.mark.usefixtures("here")
def test_the_process_answers_with_its_exit_code():
    process = started(*COMMAND, "info", "nope.nc")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == "spinsqueeze: result file nope.nc does not exist\n"


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from spinsqueeze.cli.main import main; main(['--help']); "
        "heavy = {'jax', 'xarray', 'matplotlib', 'scipy', 'numba', 'pydantic', 'numpy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    out, err = started("-c", code).communicate(timeout=60)
    assert (out.splitlines()[-1], err) == ("[]", "")


HEAVY = {"dask", "distributed", "jax", "numba", "matplotlib", "scipy", "psutil", "rich"}
EXAMPLES = Path(__file__).parents[2] / "examples"
TWISTING, LATTICE, ECHO = (
    str(EXAMPLES / f"{name}.toml")
    for name in ("one_axis_twisting", "ising_closed_form", "rydberg_echo")
)


@pytest.mark.usefixtures("here")
def test_quick_answers_load_only_what_they_need():
    no_result = (HEAVY | {"xarray", "pandas", "h5py"}) - {"rich"}
    commands = {
        ("run", TWISTING, "-o", "formula.nc"): HEAVY,
        ("run", LATTICE, "-o", "lattice.nc"): HEAVY,
        ("info", "lattice.nc"): HEAVY,
        ("methods", ECHO): no_result,
        ("platforms", "ions"): no_result | {"rich"},
    }
    for words, unwanted in commands.items():
        code = (
            f"import sys; sys.argv[1:] = {words!r}; from spinsqueeze.cli.main import main; main(); "
            f"print(sorted(m for m in {unwanted!r} if sys.modules.get(m) is not None))"
        )
        out, err = started("-c", code).communicate(timeout=60)
        assert (out.splitlines()[-1], err) == ("[]", ""), words


@pytest.mark.usefixtures("here")
def test_a_reader_that_leaves_early_is_no_mistake():
    main(["run", "study.toml", "-q"])
    with started(*COMMAND, "info", "study.nc") as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (0, "")


@pytest.mark.slow
def test_a_real_interrupt(here):
    text = STUDY.replace("[2, 3]", "[4, 5]").replace("stop = 0.5", "stop = 50.0")
    (here / "study.toml").write_text(text)
    program = (
        "import signal, sys; from spinsqueeze.cli.main import main; "
        # a shell's background jobs, and so perhaps this one, ignore interrupts
        "signal.signal(signal.SIGINT, signal.default_int_handler); "
        "sys.exit(main(['run', 'study.toml']))"
    )
    process = started("-c", program)
    time.sleep(6)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err == "spinsqueeze: interrupted; no part of a file is left behind\n"
    assert names(here) == ["study.toml"]


# text and files that are no plain files

TITLE = r"from $\\ket{+x}$: ξ² ≥ 1/N, 自旋"


def ours(*words, stdout=subprocess.PIPE, **environment):
    """The command line as a process of its own, of the package that these tests run against."""
    home = str(Path(spinsqueeze.__file__).resolve().parents[1])
    command = [sys.executable, *COMMAND, *words]
    env = {**os.environ, "PYTHONPATH": home, **environment}
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, timeout=100, check=False, env=env
    )


@pytest.fixture
def titled(here):
    text = STUDY.replace("Small [array]", TITLE).replace("[2, 3]", "[2, 2]")
    (here / "study.toml").write_text(text, encoding="utf-8")
    return here


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_a_title_with_latex_that_matplotlib_lacks(titled, capsys):
    assert main(["run", "study.toml", "--plot", "out.svg"]) == 0
    assert capsys.readouterr().err == ""
    assert names(titled) == ["out.svg", "study.nc", "study.toml"]


@pytest.mark.usefixtures("titled")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_title_on_any_console(encoding, monkeypatch):
    assert main(["run", "study.toml", "-q"]) == 0
    console = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", console)
        assert main(["info", "study.nc"]) == 0
    console.flush()
    title = TITLE.replace(r"\\", "\\")
    assert title.encode(encoding, "backslashreplace") in console.buffer.getvalue().splitlines()


@pytest.mark.usefixtures("titled")
def test_a_title_on_the_console_of_a_process():
    assert main(["run", "study.toml", "-q"]) == 0
    done = ours("info", "study.nc", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    title = TITLE.replace(r"\\", "\\")
    assert title.encode("ascii", "backslashreplace") in done.stdout.splitlines()


def test_any_text_leaves_the_streams_as_they_were(capsys):
    before = sys.stdout.errors
    with any_text():
        assert sys.stdout.errors == "backslashreplace"
        print("\udcff")
    assert sys.stdout.errors == before
    assert capsys.readouterr().out == "\\udcff\n"


@pytest.mark.usefixtures("here")
def test_a_name_that_is_no_text_can_be_printed(capsys):
    assert main(["run", "study.toml", "-o", os.fsdecode(b"a\xff.nc")]) == 0
    assert r"result: a\udcff.nc" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["out.png", "study.pdf", "a.json"])
def test_a_result_named_like_something_else_is_refused_before_any_work(
    here, capsys, monkeypatch, name
):
    monkeypatch.setattr("spinsqueeze.run.sweep.run_study", lambda _study, **_: stop())
    assert main(["run", "study.toml", "-o", name]) == 2
    assert f"output {name} is named like a" in capsys.readouterr().err
    assert names(here) == ["study.toml"]


@pytest.mark.usefixtures("here")
def test_a_picture_is_not_drawn_over_its_result(capsys):
    assert main(["run", "study.toml", "-q"]) == 0
    os.replace("study.nc", "old.png")
    assert main(["plot", "old.png"]) == 2
    assert "the picture must not be the result file, got old.png" in capsys.readouterr().err
    os.symlink("old.png", "link.png")
    assert main(["plot", "old.png", "-o", "link.png"]) == 2
    assert load("old.png").sizes["time"] == 11


def test_links_to_the_study_and_to_one_another(here, capsys):
    text = (here / "study.toml").read_text()
    os.symlink("study.toml", "link.nc")
    assert main(["run", "study.toml", "-o", "link.nc", "--overwrite"]) == 2
    assert "--output must not be the study file itself" in capsys.readouterr().err
    assert (here / "study.toml").read_text() == text
    os.symlink("out.nc", "out.png")
    assert main(["run", "study.toml", "-o", "out.nc", "--plot", "out.png"]) == 2
    assert "--plot must not be the result file" in capsys.readouterr().err
    os.symlink("real.nc", "here.nc")
    assert main(["run", "study.toml", "-q", "-o", "here.nc"]) == 0
    assert main(["merge", "real.nc", "here.nc", "-o", "both.nc"]) == 2
    assert "a file is named twice" in capsys.readouterr().err


@pytest.mark.usefixtures("here")
def test_pictures_follow_links_and_go_into_pipes():
    assert main(["run", "study.toml", "-q"]) == 0
    os.symlink("real.png", "link.png")
    assert main(["plot", "study.nc", "-o", "link.png"]) == 0
    assert os.path.islink("link.png")
    assert Path("real.png").read_bytes().startswith(b"\x89PNG")
    os.mkfifo("pipe.png")
    carried = []
    reader = threading.Thread(target=lambda: carried.append(Path("pipe.png").read_bytes()))
    reader.daemon = True
    reader.start()
    assert main(["plot", "study.nc", "-o", "pipe.png"]) == 0
    reader.join(timeout=20)
    assert carried[0].startswith(b"\x89PNG")
    assert stat.S_ISFIFO(os.stat("pipe.png").st_mode)


def test_a_result_on_standard_output_is_alone_there(here):
    done = ours("run", "study.toml", "-o", "/dev/stdout")
    assert done.returncode == 0
    assert b"result: /dev/stdout" in done.stderr
    (here / "copy.nc").write_bytes(done.stdout)
    assert load("copy.nc").sizes["time"] == 11


@pytest.mark.usefixtures("here")
def test_standard_output_that_is_a_file_needs_no_overwriting():
    with open("copy.nc", "wb") as copy:
        done = ours("run", "study.toml", "-o", "/dev/stdout", stdout=copy)
    assert done.returncode == 0
    assert load("copy.nc").sizes["time"] == 11


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "words",
    [
        ["info", "{}"],
        ["run", "{}"],
        ["methods", "{}"],
        ["merge", "{}", "study.nc", "-o", "both.nc"],
        ["run", "study.toml", "-o", "{}"],
        ["run", "study.toml", "--plot", "{}.png"],
    ],
    ids=" ".join,
)
def test_a_name_that_is_too_long_is_one_line(capsys, words):
    assert main([word.format("a" * 300) for word in words]) == 2
    error = capsys.readouterr().err
    assert error.endswith(("File name too long\n", "File name too long; name a file\n"))
    assert error.count("\n") == 1


@pytest.mark.usefixtures("here")
def test_a_full_standard_output_is_one_line(capsys, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spinsqueeze.cli.main._print_no_more", lambda: None)
    monkeypatch.setattr("spinsqueeze.cli.summary.contents", full)
    main(["run", "study.toml", "-q"])
    assert main(["info", "study.nc"]) == 2
    assert capsys.readouterr().err == (
        "spinsqueeze: the standard output could not be written: the disk is full "
        "(No space left on device)\n"
    )
    monkeypatch.setattr("spinsqueeze.cli.summary.contents", lambda _data: [][3])
    with pytest.raises(IndexError):
        main(["info", "study.nc"])
