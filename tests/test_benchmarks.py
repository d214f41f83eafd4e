"""The benchmarks run at tiny size, so that they cannot rot; nothing is timed here."""

import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
TINY = {
    "choice_estimates": [
        *("--tiny", "--examples", "one_axis_twisting", "twist_untwist"),
        *("--methods", "closed_form", "symmetric", "mean_field"),
    ],
    "cumulants_speed": ["--spins", "100", "--orders", "2", "--grid", "2", "2", "--workers", "0"],
    "driven_speed": ["--spins", "3"],
    "dtwa_open_error": ["--side", "2", "--trajectories", "100", "--seeds", "4"],
    "dtwa_open_speed": ["--side", "4", "--samples", "16"],
    "dtwa_sampling": [*("--side", "4", "--samples", "64", "--seeds", "2", "--points", "1,-1")],
    "dtwa_speed": ["--side", "8", "--samples", "16"],
    "exact_speed": ["--shape", "2", "2", "--time", "0.2"],
    "exact_symmetry_speed": [*("--closed", "2,5", "--open", "5", "--steady", "2,3")],
    "few_trajectories": [
        *("--trajectories", "16", "--reference", "64", "--seeds", "2", "--j-z", "0")
    ],
    "kept_cavity_speed": ["--spins", "1", "--only-ours", "2"],
    "perturbation_speed": [*("--shape", "4", "4", "--spins", "20", "--order", "2", "--map", "3")],
    "permutation_invariant_speed": [
        *("--qutip", "3", "--evolve", "4", "--steady", "4", "--gap", "4", "--decades", "4")
    ],
    "trajectories_speed": ["--spins", "20", "--time", "0.1", "--count", "4"],
    "truncated_shells_speed": [
        "--shape",
        "3",
        "3",
        "--shells",
        "2",
        "--values",
        "2",
        "--workers",
        "0",
    ],
    "sweep_overhead": ["--points", "20", "--workers", "0", "--pair", "2", "4", "1"],
}


def test_every_benchmark_is_here():
    # The atlas is data of the package, checked by tests/methods/dtwa/test_dtwa_atlas.py.
    assert {path.stem for path in FOLDER.glob("*.py")} - {"dtwa_atlas"} == set(TINY)


# They start processes that compile.
SLOW = ("dtwa_speed", "dtwa_open_error", "dtwa_open_speed", "sweep_overhead")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in TINY]
)
def test_benchmark_runs(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, *TINY[name]])
    runpy.run_path(str(FOLDER / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out.strip()
