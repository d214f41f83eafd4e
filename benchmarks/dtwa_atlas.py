"""The atlas of DTWA's error: `python benchmarks/dtwa_atlas.py POINTS` computes it and writes it.

DTWA's optimum less the exact one in decibels, each the least xi2 within twice the time of one-axis
twisting, for H = sum_{i<j} r_ij^-exponent [j_perp (s^x s^x + s^y s^y) + j_z s^z s^z] on periodic
lattices from +x. Every point is appended to the file POINTS, and points found there are not
computed again; at the end `src/spinsqueeze/methods/dtwa/atlas.json` is written. Half an hour on
a core.
"""

import json
import math
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import spinsqueeze as sq
from spinsqueeze.methods.base.method import Method
from spinsqueeze.papers.perlin2020.setting import window

ATLAS = Path(__file__).parents[1] / "src/spinsqueeze/methods/dtwa/atlas.json"
ISING = math.inf
GRIDS = {
    (4, 4): (
        (math.inf, 6.0, 3.0, 0.0, 1.0, 2.0, 4.0, 5.0),
        (-6.0, -3.0, -1.8, -1.2, -0.6, -0.3, 0.0, 0.3, 0.6, 1.2, 1.5, 1.8, 3.0, 6.0, ISING),
    ),
    (5, 5): (
        (3.0, math.inf, 6.0, 0.0, 1.0, 2.0, 4.0),
        (-1.5, -1.0, -0.5, 0.0, 0.5, 0.8, 1.2, 1.5, 2.0),
    ),
}
"""Exponents and ratios by lattice, the most telling first."""
N_TRAJECTORIES = 20_000
LARGEST_ERROR = 0.03
"""dB: a point whose sampling error is larger is computed again with as many as that takes."""
TOLERANCE = 1e-2
"""Of single trajectories; the optimum moves by less than 1e-3 dB from there to 1e-3."""
N_TIMES = 41
SEED = 14


def exact_method(ratio: float, exponent: float) -> Method:
    """The fastest method without approximation."""
    if ratio == ISING:
        return sq.ClosedForm()
    return sq.SymmetricSubspace() if exponent == 0 else sq.Exact()


def point(shape: tuple[int, ...], *, ratio: float, exponent: float) -> dict[str, Any]:
    """Both optima at one j_z/j_perp and exponent."""
    j_perp, j_z = (0.0, 1.0) if ratio == ISING else (1.0, ratio)
    # `window` counts pairs twice, as perlin2020 does, so its times are halved.
    times = 2.0 * window(shape, exponent=exponent, j_z=1.0 + j_z - j_perp, n_times=N_TIMES)
    model = sq.SpinModel(
        sq.Lattice(shape), hamiltonian=[sq.PowerLawXXZ(j_perp=j_perp, j_z=j_z, exponent=exponent)]
    )
    state = sq.CoherentState("+x")
    exact = sq.optimum(sq.simulate(model, state, times, method=exact_method(ratio, exponent)))

    def sample(n_trajectories: int) -> sq.Optimum:
        method = sq.DTWA(n_trajectories, tolerance=TOLERANCE)
        return sq.optimum(sq.simulate(model, state, times, method=method, seed=SEED))

    n_trajectories = N_TRAJECTORIES
    sampled = sample(n_trajectories)
    excess = sampled.error("decibels") / LARGEST_ERROR
    if excess > 1.0:
        n_trajectories *= math.ceil(1.1 * excess**2)
        sampled = sample(n_trajectories)
    return {
        "n_trajectories": n_trajectories,
        "shape": shape,
        "ratio": ratio,
        "exponent": exponent,
        "exact": exact.decibels,
        "exact_error": exact.error("decibels"),
        "exact_time": exact.time,
        "exact_status": exact.status.name,
        "dtwa": sampled.decibels,
        "dtwa_error": sampled.error("decibels"),
        "dtwa_time": sampled.time,
        "dtwa_status": sampled.status.name,
    }


def main(store: Path, *, shapes: Sequence[tuple[int, ...]] = ()) -> None:
    """Compute what the store lacks, then write the atlas."""
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    done = {(tuple(r["shape"]), r["ratio"], r["exponent"]) for r in rows}
    for shape in shapes or GRIDS:
        for exponent in GRIDS[shape][0]:
            for ratio in GRIDS[shape][1]:
                if (shape, ratio, exponent) in done:
                    continue
                start = time.process_time()
                row = point(shape, ratio=ratio, exponent=exponent)
                row["seconds"] = round(time.process_time() - start, 1)
                with store.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                rows.append(row)
    write(rows)


def write(rows: Sequence[Mapping[str, Any]]) -> None:
    """The atlas of all exponents whose points are there.

    A row may say under "exact_origin" that its exact optimum was computed elsewhere; so does the
    atlas then.
    """
    points = {(tuple(row["shape"]), row["exponent"], row["ratio"]): row for row in rows}
    sheets = []
    used: list[Mapping[str, Any]] = []
    for shape, (exponents, ratios) in GRIDS.items():
        ratios = sorted(ratios)
        done = [a for a in sorted(exponents) if all((shape, a, r) in points for r in ratios)]
        if done:
            grid = [[points[shape, a, r] for r in ratios] for a in done]
            used += [p for line in grid for p in line]
            sheets.append(
                {
                    "side": shape[0],
                    "exponents": ["inf" if math.isinf(a) else a for a in done],
                    "ratios": ["inf" if math.isinf(r) else r for r in ratios],
                    "error": _table(grid, lambda p: p["dtwa"] - p["exact"]),
                    "stderr": _table(grid, lambda p: math.hypot(p["dtwa_error"], p["exact_error"])),
                    "exact": _table(grid, lambda p: p["exact"]),
                }
            )
    counts = [p["n_trajectories"] for p in used]
    origin = {
        "command": "python benchmarks/dtwa_atlas.py POINTS",
        "version": sq.__version__,
        "n_trajectories": f"{min(counts)} to {max(counts)}",
        "seed": SEED,
        "unit": "dB, DTWA's optimum less the exact one",
    }
    elsewhere = {
        (p["shape"][0], p["exponent"], p["exact_origin"]) for p in used if "exact_origin" in p
    }
    if elsewhere:
        origin["exact_from_elsewhere"] = [
            f"{side} x {side}, exponent {exponent:g}: {command}"
            for side, exponent, command in sorted(elsewhere)
        ]
    text = json.dumps({"origin": origin, "sheets": sheets}, indent=1)
    ATLAS.write_text(re.sub(r"\[\s+([^\[\]]*?)\s+\]", lambda m: f"[{_line(m[1])}]", text) + "\n")


def _table(
    grid: Sequence[Sequence[Mapping[str, Any]]], of: Callable[[Mapping[str, Any]], float]
) -> list[list[float]]:
    return [[round(of(p), 3) for p in line] for line in grid]


def _line(numbers: str) -> str:
    return re.sub(r"\s+", " ", numbers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), shapes=[(int(side),) * 2 for side in sys.argv[2:]])
