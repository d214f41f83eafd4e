"""The scripts behind `make test-lowest` and `make test-blas`."""

import runpy
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOWEST = runpy.run_path(str(ROOT / ".ci" / "lowest_versions.py"))
BLAS = runpy.run_path(str(ROOT / ".ci" / "test_blas.py"))


def test_every_dependency_is_pinned_to_its_declared_floor(capsys):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    LOWEST["main"](["test"])
    pinned = capsys.readouterr().out.split()
    declared = project["dependencies"] + project["optional-dependencies"]["test"]
    assert len(pinned) == len(declared)
    for pin, requirement in zip(pinned, declared, strict=True):
        assert pin == requirement.split(",")[0].replace(">=", "==")


@pytest.mark.parametrize("requirement", ["scipy", "scipy<2", "scipy==1.13", "scipy~=1.13"])
def test_a_dependency_without_a_floor_is_named(requirement):
    with pytest.raises(SystemExit, match=f"'{requirement}' must state its lowest version"):
        LOWEST["lowest"](requirement)


def test_an_upper_bound_leaves_the_floor():
    assert LOWEST["lowest"]("scipy >= 1.13, < 2") == "scipy==1.13"


def test_a_kernel_that_does_not_run_is_named():
    assert "instead" in BLAS["obstacle"]("NoSuchKernel")


def test_the_tests_for_blas_exist():
    assert all((ROOT / path).exists() for path in BLAS["TESTS"])
