"""The interface that `lanes` reads by offset: used where it is as known, done without elsewhere."""

import sys
from pathlib import Path

import jax.ffi
import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import circulant

from spinsqueeze.methods.dtwa import foreign_layout, lanes
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory
from spinsqueeze.models.canonical import Canonical, Field, Pair
from spinsqueeze.models.kinds import one_each

DTYPES = ("float32", "float64")
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


@pytest.fixture
def forgotten():
    """`works_here` decides anew in the test, and once more after it."""
    lanes.works_here.cache_clear()
    yield
    lanes.works_here.cache_clear()


@pytest.fixture
def uncallable(monkeypatch, forgotten):
    """No foreign function may be registered: a call with a wrong layout ends the process."""

    def refuse(dtype):
        raise AssertionError("a foreign function was registered before its layout was known")

    monkeypatch.setattr(lanes, "_target", refuse)


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


def evolved():
    """Spins at three times, the same steps and samples in every run."""
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
    return run.run(run.uniform_plan(steps_per_window=4), n_samples=16).spins


def test_without_the_foreign_interface_the_numbers_are_the_same(monkeypatch, forgotten):
    assert all(lanes.works_here(dtype) for dtype in DTYPES)
    expected = evolved()
    lanes.works_here.cache_clear()
    monkeypatch.setitem(sys.modules, "jax.ffi", None)  # now importing it is an ImportError
    assert not any(lanes.works_here(dtype) for dtype in DTYPES)
    spins = evolved()
    assert np.ptp(spins[..., 1]) > 1
    # a hundred roundings of each spin, which has the length sqrt 3
    rounding = 100 * np.finfo(float).eps * 24 * np.sqrt(3)
    assert np.abs(spins - expected).max() < rounding


def test_the_installed_layout_is_known(header):
    assert foreign_layout.is_known()


def test_fields_added_at_the_end_do_no_harm(header):
    text = header.read_text()
    assert "XLA_FFI_Handler_Traits traits;\n" in text
    header.write_text(text.replace("traits;\n", "traits;\n  int64_t more;\n"))
    assert foreign_layout.is_known()


@pytest.mark.parametrize("change", CHANGES)
def test_another_layout_is_never_called(header, uncallable, change):
    before, after = CHANGES[change]
    text = header.read_text()
    assert before in text
    header.write_text(text.replace(before, after))
    assert not any(lanes.works_here(dtype) for dtype in DTYPES)


def test_an_installation_without_the_header_does_without_it(header, uncallable):
    header.unlink()
    assert not any(lanes.works_here(dtype) for dtype in DTYPES)
