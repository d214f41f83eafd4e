"""Speed of the permutation-invariant kernels, beside qutip's permutation-invariant module.

Squeezed collective decay (Gamma = 1, r = 1) with weak local dephasing (gamma_phi = 0.01).
Run: python benchmarks/permutation_invariant_speed.py [--qutip 20 30] [--steady 50 100 200]
[--evolve 30 100] [--gap 50 100] [--decades 50]. BLAS threads follow the environment; the kernels
keep to one where threadpoolctl is installed.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from spinsqueeze.methods.permutation_invariant.evolution import evolve
from spinsqueeze.methods.permutation_invariant.generator import Generator, generator
from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes
from spinsqueeze.methods.permutation_invariant.steady import steady_state
from spinsqueeze.numerics.block_states import dicke_state, moments

R, DEPHASING = 1.0, 0.01


def squeezed_decay(n_spins: int) -> Generator:
    lower = np.array([1, -1j, 0])
    jump = np.cosh(R) * lower - np.sinh(R) * lower.conj()
    return generator(
        n_spins,
        collective_jumps=[(1.0, jump)],
        local_jumps=[(2 * DEPHASING, np.array([0, 0, 1.0]))],
    )


def timed(function: Callable[[], Any], repeat: int = 1) -> tuple[float, Any]:
    best, result = np.inf, None
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        best = min(best, time.perf_counter() - start)
    return best, result


def our_evolution(n_spins: int, end: float, tolerance: float = 1e-10) -> Any:
    run = evolve(
        squeezed_decay(n_spins),
        state=dicke_state(n_spins, m=-n_spins / 2),
        times=np.linspace(0, end, 11),
        tolerance=tolerance,
    )
    return run.moments()


def qutip_evolution(n_spins: int, end: float) -> tuple[np.ndarray, np.ndarray]:
    """<S_z> and <S_y^2> from qutip.piqs with its tolerances tightened to ours."""
    import qutip
    from qutip.piqs import piqs

    system = piqs.Dicke(N=n_spins, dephasing=2 * DEPHASING)
    _, jy, jz = piqs.jspin(n_spins)
    down, up = piqs.jspin(n_spins, "-"), piqs.jspin(n_spins, "+")
    L = system.liouvillian() + qutip.lindblad_dissipator(np.cosh(R) * down - np.sinh(R) * up)
    result = qutip.mesolve(
        L,
        piqs.dicke(n_spins, n_spins / 2, -n_spins / 2),
        np.linspace(0, end, 11),
        [],
        e_ops=[jz, jy * jy],
        options={"rtol": 1e-9, "atol": 1e-11, "nsteps": 10**6, "progress_bar": ""},
    )
    return result.expect[0], result.expect[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, sizes in (
        ("qutip", [10, 20]),
        ("evolve", [30, 100]),
        ("steady", [50, 100]),
        ("gap", [50]),
        ("decades", [50]),
    ):
        parser.add_argument(f"--{name}", type=int, nargs="*", default=sizes)
    chosen = parser.parse_args()
    our_evolution(6, 0.5)
    for n in chosen.qutip:
        seconds, (_, spin, covariance) = timed(lambda n=n: our_evolution(n, 0.5), repeat=3)
        reference, (sz, syy) = timed(lambda n=n: qutip_evolution(n, 0.5))
        error = max(np.abs(spin[:, 2] - sz).max(), np.abs(covariance[:, 1, 1] - syy).max())
        print(
            f"evolution to 0.5, N={n}: {seconds:.4f} s; qutip {reference:.2f} s "
            f"({reference / seconds:.0f} times); largest difference of moments {error:.1e}"
        )
    for n in chosen.evolve:
        seconds, (trace, _, _) = timed(lambda n=n: our_evolution(n, 1.0))
        print(f"evolution to 1, N={n}: {seconds:.3f} s, trace off by {abs(trace[-1] - 1):.0e}")
    for n in chosen.decades:
        grid = np.concatenate([[0.0], np.geomspace(1e-3, 1e5, 81)])
        seconds, run = timed(
            lambda n=n, grid=grid: evolve(
                squeezed_decay(n), state=dicke_state(n, m=-n / 2), times=grid
            )
        )
        print(f"81 times from 1e-3 to 1e5, N={n}: {seconds:.2f} s by {run.algorithms[0]} Krylov")
    for n in chosen.steady:
        seconds, found = timed(lambda n=n: steady_state(squeezed_decay(n)))
        spin, _ = moments(found.state, n_spins=n)
        print(
            f"steady state, N={n}: {seconds:.3f} s, residual {found.residual:.0e}, "
            f"<S_z> = {spin[2]:.8f}"
        )
    for n in chosen.gap:
        seconds, modes = timed(lambda n=n: slow_modes(squeezed_decay(n)))
        print(f"gap, N={n}: {seconds:.2f} s, {modes.gap:.8f}, zero modes {modes.zero_modes}")


if __name__ == "__main__":
    main()
