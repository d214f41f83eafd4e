"""How fast the DTWA trajectories are, against the published way and against bare transforms.

    python benchmarks/dtwa_speed.py            # 64 x 64, exponent 3; about two minutes
    python benchmarks/dtwa_speed.py --side 16  # a quick look

Prints, for H = sum_{i<j} r_ij^-3 [2 (s^x s^x + s^y s^y) - 2 s^z s^z] on a periodic square grid:

1. seconds per trajectory and unit time for scipy's RK45 with dense coupling matrices, at the
   loosest tolerance (of a list) whose collective spins are within 1e-3 sqrt(N)/2 of the truth;
2. the same for this package, alone and in a batch of samples, with its true error, and the ratio;
3. one right-hand side, integrator included, against the Fourier transforms that it needs (1.5
   complex pairs per sample) with every transform library found, processor time on one core;
4. peak memory of 500 samples at 81 times.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from spinsqueeze.lattice.kernels import CirculantKernel
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.sampling import sample_spins
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory, plan_run
from spinsqueeze.methods.dtwa.windows import strengths_at
from spinsqueeze.models.canonical import Canonical, Pair
from spinsqueeze.models.kinds import one_each

TENSOR = np.diag([2.0, 2.0, -2.0])
X = np.array([1.0, 0.0, 0.0])
TARGET = 1e-3


def model(side: int) -> Canonical:
    d = np.minimum(np.arange(side), side - np.arange(side)).astype(float)
    r = np.hypot(d[:, None], d[None, :])
    table = np.divide(1.0, r**3, out=np.zeros_like(r), where=r > 0)
    kernel = CirculantKernel((side, side), None, table)
    return Canonical(one_each(side * side), pairs=(Pair(1.0, TENSOR, kernel),))


def best(
    call: Callable[[], Any], repeats: int = 5, clock: Callable[[], float] = time.perf_counter
) -> float:
    call()
    seconds = []
    for _ in range(repeats):
        start = clock()
        call()
        seconds.append(clock() - start)
    return min(seconds)


def published_way(canonical: Canonical, sigma: Any, times: Any) -> tuple[float, Any, int]:
    """RK45 with dense matrices: one matrix per direction, as published codes hold them."""
    from scipy.integrate import solve_ivp

    n = canonical.n_spins
    K = canonical.pairs[0].kernel.matrix()
    matrices = [0.5 * TENSOR[a, a] * K for a in range(3)]

    def rhs(_: float, y: Any) -> Any:
        s = y.reshape(3, n)
        B = np.array([matrices[a] @ s[a] for a in range(3)])
        return np.cross(B, s, axis=0).ravel()

    truth = reference(canonical, sigma, times)
    for tolerance in (1e-3, 1e-4, 1e-5, 1e-6):
        start = time.perf_counter()
        found = solve_ivp(
            rhs, (0, times[-1]), sigma.ravel(), t_eval=times, rtol=tolerance, atol=tolerance
        )
        seconds = (time.perf_counter() - start) / float(times[-1])
        spins = found.y.reshape(3, n, -1).sum(axis=1).T / 2
        error = np.abs(spins - truth).max() / (np.sqrt(n) / 2)
        print(f"  RK45 dense, tolerance {tolerance:g}: {seconds:.2f} s, {found.nfev} slopes, "
              f"error {error:.1e}")  # fmt: skip
        if error < TARGET:
            break
    return seconds, error, found.nfev


def reference(canonical: Canonical, sigma: Any, times: Any) -> Any:
    run = Trajectory(
        lower(canonical), directions=X, times=times, seed=0, initial_spins=sigma[None],
        options=Options(dtype="float64", tolerance=1e-9, batch=1),
    )  # fmt: skip
    return run.run(run.plan(), n_samples=1).spins[0]


def transforms(side: int, dtype: str) -> dict[str, float]:
    """Microseconds of one complex transform of side x side, batched, on one core."""
    kind = np.complex64 if dtype == "float32" else np.complex128
    fields = max(1, 32768 // side**2)
    rng = np.random.default_rng(0)
    z = (rng.normal(size=(fields, side, side)) + 0j).astype(kind)
    out = np.empty_like(z)
    calls: dict[str, Callable[[], Any]] = {}
    try:
        import pyfftw

        source, target = pyfftw.empty_aligned(z.shape, kind), pyfftw.empty_aligned(z.shape, kind)
        plan = pyfftw.FFTW(source, target, axes=(1, 2), flags=("FFTW_MEASURE",), threads=1)
        source[:] = z
        calls["fftw"] = plan.execute
    except ImportError:
        pass
    try:
        import ducc0

        calls["ducc0"] = partial(ducc0.fft.c2c, z, axes=(1, 2), nthreads=1, out=out)
    except ImportError:
        pass
    try:
        import mkl_fft

        calls["mkl_fft"] = partial(mkl_fft.fftn, z, axes=(1, 2), out=out)
    except ImportError:
        pass
    import scipy.fft

    calls["scipy"] = partial(scipy.fft.fft2, z, workers=1)

    import jax

    from spinsqueeze.methods.dtwa.precision import double_precision

    with double_precision():
        turn = jax.jit(lambda v: jax.numpy.fft.fftn(v, axes=(1, 2)))
        on_device = jax.numpy.asarray(z)

    def with_jax() -> None:
        with double_precision():
            jax.block_until_ready(turn(on_device))

    calls["jax"] = with_jax
    repeat = max(1, 200 // fields)

    def several(call: Callable[[], Any]) -> None:
        for _ in range(repeat):
            call()

    scale = 1e6 / (repeat * fields)
    return {k: scale * best(partial(several, c), 30, time.process_time) for k, c in calls.items()}


def right_hand_side(canonical: Canonical, times: Any, dtype: str) -> float:
    """Microseconds of processor time for one sample's slope, its share of the step included."""
    options = Options(dtype=dtype, tolerance=TARGET, n_threads=1)
    run = Trajectory(lower(canonical), directions=X, times=times, seed=0, options=options)
    window = run.windows[0]
    steps = run.stepper.lay([np.linspace(window.start, window.stop, 9), None])[0]
    segment = steps.segments(estimate=False)[0]
    sigma = sample_spins(X, n_spins=canonical.n_spins, seed=0, first_sample=0, n_samples=run.batch)
    spins = run.engine.load(sigma)
    first = strengths_at(run.couplings, window, np.array(window.start))
    slope = run.engine.edge(spins, first).slope
    slopes = 12 * 8 + 3 * int(steps.interior.sum())
    seconds = best(partial(run.stepper.advance, spins, slope, segment), 30, time.process_time)
    return seconds / slopes / run.batch * 1e6


def slopes_and_transforms(side: int) -> None:
    """Part 3."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    times = np.linspace(0.0, 1.0, 81)
    print("3. one right-hand side on one core, integrator included, against its transforms:")
    for dtype in ("float32", "float64"):
        mine = right_hand_side(model(side), times, dtype)
        for name, micros in transforms(side, dtype).items():
            print(f"  {dtype}: {mine:.1f} us; {name}: 3 x {micros:.2f} us; ratio "
                  f"{mine / (3 * micros):.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--skip-dense", action="store_true")
    parser.add_argument("--slopes", action="store_true", help="part 3 alone")
    arguments = parser.parse_args()
    if arguments.slopes:
        slopes_and_transforms(arguments.side)
        return
    canonical = model(arguments.side)
    n = canonical.n_spins
    times = np.linspace(0.0, 1.0, 81)
    sigma = sample_spins(X, n_spins=n, seed=0, first_sample=0, n_samples=1)[0]

    print(f"1. {arguments.side} x {arguments.side}, the published way, per unit time:")
    dense = None if arguments.skip_dense else published_way(canonical, sigma, times)[0]

    print("2. this package, per trajectory and unit time:")
    truth = reference(canonical, sigma, times)
    for dtype in ("float32", "float64"):
        options = Options(dtype=dtype, tolerance=TARGET)
        run, plan = plan_run(lower(canonical), directions=X, times=times, seed=0, options=options)
        call = partial(run.run, plan, n_samples=arguments.samples)
        first = call()
        many = best(call, 3) / arguments.samples
        alone_run = Trajectory(
            lower(canonical), directions=X, times=times, seed=0,
            options=Options(dtype=dtype, tolerance=TARGET, batch=2),
        )  # fmt: skip
        alone = best(partial(alone_run.run, plan, n_samples=1))
        error = np.abs(first.spins[0] - truth).max() / (np.sqrt(n) / 2)
        ratios = ""
        if dense is not None:
            ratios = f", {dense / many:.0f} and {dense / alone:.0f} times faster"
        print(f"  {dtype}: {many * 1e3:.2f} ms in a batch, {alone * 1e3:.2f} ms alone, error "
              f"{error:.1e} (reported {first.report.integration_error:.1e}), "
              f"{first.report.rhs_evaluations} slopes{ratios}")  # fmt: skip
    print(f"4. peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB "
          "(dense matrices of part 1 included, unless --skip-dense)", flush=True)  # fmt: skip
    # A fresh process, so that the thread pools inside see one core.
    subprocess.run(
        [sys.executable, __file__, "--side", str(arguments.side), "--slopes"], check=True
    )


if __name__ == "__main__":
    main()
