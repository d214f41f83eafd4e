"""Run the tests that end in dense linear algebra on each kernel of OpenBLAS, on 1 and 2 threads.

    python .ci/test_blas.py WORKERS [options of pytest]

OPENBLAS_CORETYPE forces a kernel, in the copy of numpy and in that of scipy. OpenBLAS does not ask
whether the processor has the instructions, so each kernel is first tried in a process of its own;
one that ends, or another kernel than the one asked for, is skipped with a word.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
KERNELS = ("SkylakeX", "Haswell", "Zen", "Nehalem")
THREADS = (1, 2)
TESTS = (
    "tests/methods/closed_form/test_dark_states.py",
    "tests/methods/closed_form/test_driven_dicke.py",
    "tests/methods/exact",
    "tests/methods/permutation_invariant",
    "tests/methods/symmetric",
    "tests/methods/test_steady_states.py",
    "tests/observables",
)

TRIAL = """
import numpy, scipy.linalg, threadpoolctl
a = numpy.random.default_rng(0).normal(size=(200, 200))
numpy.linalg.solve(a @ a.T, a)
scipy.linalg.eigh(a @ a.T)
scipy.linalg.get_blas_funcs("gemm", (a,))(1.0, a, a)
for library in threadpoolctl.threadpool_info():
    if library["user_api"] == "blas":
        print(library.get("architecture", library["internal_api"]))
"""


def environment(kernel: str, threads: int) -> dict[str, str]:
    """The environment in which OpenBLAS takes this kernel and number of threads."""
    number = str(threads)
    more = {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_NUM_THREADS": number, "OMP_NUM_THREADS": number}
    return {**os.environ, **more}


def obstacle(kernel: str) -> str | None:
    """Why this kernel cannot run here, or None when every BLAS loaded runs it."""
    trial = subprocess.run(
        [sys.executable, "-c", TRIAL],
        env=environment(kernel, 1),
        capture_output=True,
        text=True,
        check=False,
    )
    if trial.returncode < 0:
        return (
            f"this processor lacks its instructions (the trial died of signal {-trial.returncode})"
        )
    if trial.returncode > 0:
        return "the trial failed: " + (trial.stderr.strip() or "no message").splitlines()[-1]
    running = trial.stdout.split()
    if not running or any(name.lower() != kernel.lower() for name in running):
        return f"BLAS runs {', '.join(running) or 'nothing known'} instead"
    return None


def main(workers: int, options: list[str]) -> int:
    """Run every combination on `workers` cores; 1 when one of them failed or none could run."""
    failed, run = [], 0
    for kernel in KERNELS:
        reason = obstacle(kernel)
        if reason is not None:
            print(f"== {kernel} skipped: {reason}", flush=True)
            continue
        for threads in THREADS:
            name = f"{kernel}, {threads} thread{'s' if threads > 1 else ''}"
            print(f"== {name}: the kernel of numpy and of scipy", flush=True)
            # Workers times threads no more than the cores: threads that wait cost ten times more.
            each = ["-n", str(max(1, workers // threads))]
            command = [sys.executable, "-m", "pytest", "-q", *each, *options, *TESTS]
            result = subprocess.run(
                command, cwd=ROOT, env=environment(kernel, threads), check=False
            )
            run += 1
            if result.returncode:
                failed.append(name)
    if failed:
        print(f"failed on {'; '.join(failed)}", file=sys.stderr)
    if not run:
        print("no kernel could be forced: this BLAS is not an OpenBLAS for x86", file=sys.stderr)
    return int(bool(failed) or not run)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
