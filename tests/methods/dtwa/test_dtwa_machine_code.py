"""The machine code: used where it works, done without elsewhere, with the reason in the result."""

import json
import sys
import time
from pathlib import Path

import jax
import jax.ffi
import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import circulant, equal_steps

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.machine_code import foreign_layout, lanes, switch, verdict
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory
from spinsqueeze.models.canonical import Canonical, Field, Pair
from spinsqueeze.models.kinds import one_each

DTYPES = ("float32", "float64")
PROBE = "from spinsqueeze.methods.dtwa.machine_code import lanes, probe\n"
CHANGES = {
    "the next major version": ("XLA_FFI_API_MAJOR 0", "XLA_FFI_API_MAJOR 1"),
    "another stage of execution": ("Stage_EXECUTE = 3", "Stage_EXECUTE = 4"),
    "another extension": ("Extension_Metadata = 1", "Extension_Metadata = 2"),
    "one field more before the arguments": (
        "XLA_FFI_ExecutionStage stage;",
        "XLA_FFI_ExecutionStage stage;\n  int64_t node;",
    ),
    "one field more behind the arguments": ("void** args;", "void** args;\n  void* owner;"),
    "a narrower rank": ("int64_t rank;", "int32_t rank;"),
    "no metadata": ("struct XLA_FFI_Metadata {", "struct XLA_FFI_Facts {"),
}


@pytest.fixture(autouse=True)
def forgotten(monkeypatch, tmp_path):
    """No verdict is known when a test begins, and none of it stays."""
    monkeypatch.setattr(verdict, "cache_folder", lambda: tmp_path / "cache")
    verdict.objection.cache_clear()
    yield
    verdict.objection.cache_clear()


@pytest.fixture
def children(monkeypatch):
    """The dtypes for which a child was asked, and no child: each answers with what stands last."""
    asked = []

    def answer(dtype):
        asked.append(dtype)
        return ""

    monkeypatch.setattr(verdict, "ask", answer)
    return asked


@pytest.fixture
def header(monkeypatch, tmp_path):
    """A copy of jaxlib's header, read in its place."""
    place = Path("xla", "ffi", "api", "c_api.h")
    text = (Path(jax.ffi.include_dir()) / place).read_text()
    copy = tmp_path / place
    copy.parent.mkdir(parents=True)
    copy.write_text(text)
    monkeypatch.setattr(jax.ffi, "include_dir", lambda: str(tmp_path))
    return copy


def next_process():
    """What is known in memory is gone; what lies on disk stays."""
    verdict.objection.cache_clear()


def evolved():
    """Spins at three times, the same steps and samples in every run, and the transform."""
    kernel = circulant((4, 6), 3.0)
    model = Canonical(
        one_each(24),
        pairs=(Pair(0.5, np.diag([2.0, 2.0, -2.0]), kernel),),
        fields=(Field(1.0, np.array([0.0, 0.2, 1.0])),),
    )
    run = Trajectory(
        lower(model), directions=np.array([1.0, 0.0, 0.0]), times=np.array([0.0, 0.2, 0.4]),
        seed=5, options=Options(dtype="float64", batch=16),
    )  # fmt: skip
    result = run.run(equal_steps(run, 4), n_samples=16)
    return result.spins, result.report.transform


def test_without_the_foreign_interface_the_numbers_are_the_same(monkeypatch):
    expected, transform = evolved()
    assert transform == "machine_code"
    next_process()
    monkeypatch.setitem(sys.modules, "jax.ffi", None)  # now importing it is an ImportError
    spins, transform = evolved()
    assert transform == "jax"
    assert np.ptp(spins[..., 1]) > 1
    # a hundred roundings of each spin, which has the length sqrt 3
    rounding = 100 * np.finfo(float).eps * 24 * np.sqrt(3)
    assert np.abs(spins - expected).max() < rounding


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_program_holds_no_address_of_its_process(dtype):
    """Else jax's cache on disk would find it in no other process."""

    def convolved(field, spectrum, line):
        return lanes.convolve([field], spectrum, line=line, shape=(4, 6), embedding=(4, 6))

    address = lanes.line_address(dtype)
    with double_precision():
        arrays = np.zeros((24, 16), dtype), np.zeros((4, 6), dtype), np.int64(address)
        program = jax.jit(convolved).lower(*arrays).as_text()
    assert "spinsqueeze_grid_convolution" in program
    assert str(address) not in program
    assert np.int64(address).tobytes().hex() not in program.lower()


# The layout of the foreign call.


@pytest.mark.usefixtures("header")
def test_the_installed_layout_is_known():
    assert foreign_layout.is_known()


def test_fields_added_at_the_end_do_no_harm(header):
    text = header.read_text()
    assert "XLA_FFI_Handler_Traits traits;\n" in text
    header.write_text(text.replace("traits;\n", "traits;\n  int64_t more;\n"))
    assert foreign_layout.is_known()


@pytest.mark.parametrize("change", CHANGES)
def test_another_layout_is_never_called(header, children, change):
    before, after = CHANGES[change]
    text = header.read_text()
    assert before in text
    header.write_text(text.replace(before, after))
    for dtype in DTYPES:
        assert "interface of this jaxlib is not the one" in verdict.objection(dtype)
    assert not children


def test_an_installation_without_the_header_does_without_it(header, children):
    header.unlink()
    assert all(verdict.objection(dtype) for dtype in DTYPES)
    assert not children


# The child process that tries it.


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_machine_code_works_here(dtype):
    assert verdict.ask(dtype) == ""


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import os; os.abort()", "was ended by SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "was ended by SIGSEGV"),
        ("raise RuntimeError('no locator')", "ended with status 1: RuntimeError: no locator"),
        ("import sys; sys.exit(3)", "ended with status 3: no message"),
        ("print('hello')", "answered 'hello\\n' instead of a number"),
        ("pass", "answered '' instead of a number"),
        ("print('nan')", "erred by nan roundings, more than 100"),
        (
            PROBE + "right = lanes.convolve\n"
            "lanes.convolve = lambda *a, **k: [1.001 * v for v in right(*a, **k)]\nprobe.main()",
            "roundings, more than 100",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals by name")
def test_a_child_that_fails_is_an_objection(monkeypatch, program, reason):
    monkeypatch.setattr(verdict, "CHILD", ("-c", program))
    assert reason in verdict.ask("float64")


def test_a_child_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(verdict, "CHILD", ("-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(verdict, "TIME_LIMIT", 0.5)
    start = time.monotonic()
    assert verdict.ask("float64").endswith("did not end within 0.5 s")
    assert time.monotonic() - start < 30


def test_the_child_sees_the_modules_of_its_parent_not_those_of_the_folder(monkeypatch, tmp_path):
    (tmp_path / "beside.py").write_text("print(7)")
    monkeypatch.setattr(verdict, "CHILD", ("-c", "import beside"))
    monkeypatch.chdir(tmp_path)
    assert "No module named 'beside'" in verdict.ask("float64")
    monkeypatch.syspath_prepend(tmp_path)
    assert verdict.ask("float64") == ""


def test_an_application_without_an_interpreter_starts_none(monkeypatch):
    monkeypatch.setattr(sys, "executable", "")
    assert "no Python interpreter" in verdict.ask("float64")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(OSError, match="nowhere"):
        verdict.ask("float64")
    assert "could not be started" in verdict.objection("float64")
    assert not list(verdict.cache_folder().glob("*"))


def test_after_a_crash_the_run_goes_on_and_says_so(monkeypatch):
    monkeypatch.setattr(verdict, "CHILD", ("-c", "import os; os.abort()"))
    model = sq.SpinModel(
        sq.Lattice((4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)]
    )
    data = sq.simulate(
        model, sq.CoherentState("+x"), [0.0, 0.1], method=sq.DTWA(100, dtype="float64"), seed=1
    )
    diagnostics = json.loads(data.attrs["diagnostics"])
    assert diagnostics["transform"] == "jax"
    assert diagnostics["transform_reason"].endswith("was ended by SIGABRT")


@pytest.mark.usefixtures("children")
def test_the_result_says_that_the_machine_code_ran():
    model = sq.SpinModel(
        sq.Lattice((4, 4)), hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=0.0, exponent=3)]
    )
    data = sq.simulate(
        model, sq.CoherentState("+x"), [0.0, 0.1], method=sq.DTWA(100, dtype="float64"), seed=1
    )
    diagnostics = json.loads(data.attrs["diagnostics"])
    assert diagnostics["transform"] == "machine_code"
    assert "transform_reason" not in diagnostics


# The verdict on disk.


def test_a_verdict_is_asked_for_once(children):
    for _ in range(3):
        assert verdict.objection("float32") == ""
        next_process()
    assert children == ["float32"]
    assert verdict.objection("float64") == ""
    assert children == ["float32", "float64"]


@pytest.mark.parametrize("changed", ["numba", "jax", "jaxlib", "code", "processor", "environment"])
def test_a_verdict_holds_for_what_it_was_asked_of(monkeypatch, tmp_path, children, changed):
    from llvmlite import binding

    verdict.objection("float32")
    next_process()
    if changed == "code":
        copy = tmp_path / "code" / "verdict.py"
        copy.parent.mkdir()
        for file in Path(verdict.__file__).parent.glob("*.py"):
            (copy.parent / file.name).write_bytes(file.read_bytes())
        monkeypatch.setattr(verdict, "__file__", str(copy))
        verdict.objection("float32")
        assert len(children) == 1
        next_process()
        (copy.parent / "butterflies.py").write_text("# other code")
    elif changed == "processor":
        monkeypatch.setattr(binding, "get_host_cpu_features", lambda: "+another")
    elif changed == "environment":
        monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    else:
        real = verdict.version
        monkeypatch.setattr(verdict, "version", lambda p: "9.9" if p == changed else real(p))
    verdict.objection("float32")
    assert len(children) == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"objection": "x"}', '{"written": 1}', "\xff", "{}"]
)
def test_a_corrupt_verdict_is_asked_for_again(children, text):
    verdict.objection("float32")
    (place,) = verdict.cache_folder().glob("*.json")
    good = place.read_text()
    place.write_text(text, encoding="latin-1")
    next_process()
    assert verdict.objection("float32") == ""
    assert len(children) == 2
    assert json.loads(place.read_text())["objection"] == json.loads(good)["objection"]


def test_a_folder_that_cannot_be_written_is_no_error(monkeypatch, tmp_path, children):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(verdict, "cache_folder", lambda: tmp_path / "file" / "folder")
    for _ in range(2):
        assert verdict.objection("float32") == ""
        next_process()
    assert len(children) == 2


def test_a_failure_is_remembered_for_a_week(monkeypatch):
    asked = []
    monkeypatch.setattr(verdict, "ask", lambda dtype: asked.append(dtype) or "it crashed")
    for _ in range(2):
        assert verdict.objection("float32") == "it crashed"
        next_process()
    assert len(asked) == 1
    now = time.time()
    monkeypatch.setattr(verdict.time, "time", lambda: now + 8 * 86400)
    verdict.objection("float32")
    assert len(asked) == 2


def test_success_is_remembered_for_good(monkeypatch, children):
    verdict.objection("float32")
    next_process()
    now = time.time()
    monkeypatch.setattr(verdict.time, "time", lambda: now + 1000 * 86400)
    verdict.objection("float32")
    assert len(children) == 1


# The switch.


def objected(shape=(8, 8), dtype="float32", batch=16):
    plan = lower(
        Canonical(
            one_each(int(np.prod(shape))), pairs=(Pair(1.0, np.eye(3), circulant(shape, 3.0)),)
        )
    ).plan
    return switch.transform_of(plan, dtype=dtype, batch=batch)


def test_other_devices_and_large_grids_use_jax(monkeypatch, children):
    assert objected() == switch.Transform("machine_code")
    assert "the grid has 65792 cells, more than 65536" in objected((257, 256)).reason
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert objected() == switch.Transform(
        "jax", "the device is a gpu, and the machine code serves CPUs alone"
    )
    assert children == ["float32"]


def test_the_machine_code_is_not_loaded_where_it_is_not_used():
    assert "convolve" not in vars(switch)
    assert lanes.ROW == 64
