"""Estimated against measured time, by example and method: what the automatic choice builds on.

Run it on an idle machine: python benchmarks/choice_estimates.py

Measured is the processor time of the second run of a method in this process (the first one imports
and compiles), shared by the processors for the methods that use all of them. Times below --floor
count as that: nobody waits for them.
"""

import argparse
import time
import tomllib
from pathlib import Path

from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.numerics.processors import available_processors
from spinsqueeze.run.study_file import study_from_tables

EXAMPLES = Path(__file__).parents[1] / "examples"
ON_ALL_PROCESSORS = ("dtwa", "trajectories")
COMPILES = {"dtwa": 4.0}
"""Seconds of an estimate that the second run does not take."""


def question_of(path, *, tiny):
    """The question of an example; tiny: at three times."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    tables.pop("sweep", None)
    named = tables.pop("method", None)
    times = tables.get("run", {}).get("times")
    if tiny and isinstance(times, dict):
        times["num"] = 3
    study = study_from_tables(tables)
    if study.automatic_times:
        study = study_from_tables(
            {
                **tables,
                "run": {**tables.get("run", {}), "times": {"start": 0.0, "stop": 2e-4, "num": 101}},
            }
        )
    chosen = None if named is None else study_from_tables({**tables, "method": named}).method
    return study.question(), chosen


def measured(method, question, *, twice):
    """Seconds of a run by itself on idle processors."""
    if twice:
        method.answer(question)
    started = time.process_time()
    method.answer(question)
    seconds = time.process_time() - started
    return seconds / (available_processors() if method.name() in ON_ALL_PROCESSORS else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=60.0, help="skip longer estimates [s]")
    parser.add_argument("--floor", type=float, default=0.1, help="shorter times count as this [s]")
    parser.add_argument("--examples", nargs="*", help="names; default: all")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="default: all")
    parser.add_argument("--tiny", action="store_true", help="three times, nothing twice")
    given = parser.parse_args()
    print(f"{'example':24} {'method':22} {'estimated':>10} {'measured':>10} {'ratio':>7}")
    outside = 0
    for path in sorted(EXAMPLES.glob("*.toml")):
        if given.examples and path.stem not in given.examples:
            continue
        question, named = question_of(path, tiny=given.tiny)
        for name in given.methods:
            method = named if named is not None and named.name() == name else METHODS[name]()
            verdict = method.judge(question)
            if not verdict or verdict.cost.seconds > given.limit:
                continue
            estimate = max(0.0, verdict.cost.seconds - COMPILES.get(name, 0.0))
            try:
                seconds = measured(method, question, twice=not given.tiny)
            except SpinSqueezeError as error:
                print(
                    f"{path.stem:24} {name:22} {estimate:10.3g} {'failed':>10}  {str(error)[:60]}"
                )
                continue
            ratio = max(estimate, given.floor) / max(seconds, given.floor)
            outside += not 1 / 3 <= ratio <= 3
            mark = "" if 1 / 3 <= ratio <= 3 else "  outside"
            print(
                f"{path.stem:24} {name:22} {estimate:10.3g} {seconds:10.3g} {ratio:7.2f}{mark}",
                flush=True,
            )
    print(f"{outside} estimates are off by more than a factor of 3")


if __name__ == "__main__":
    main()
