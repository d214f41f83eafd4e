"""Exact laws, symmetries, steady-state bookkeeping, and the two evolution algorithms."""

import numpy as np
import pytest
from tests.methods.permutation_invariant.product_mixture import product_mixture

from spinsqueeze.core.errors import InvalidInput, NumericalFailure, Unsupported
from spinsqueeze.methods.permutation_invariant.assembly import assemble
from spinsqueeze.methods.permutation_invariant.estimate import estimate
from spinsqueeze.methods.permutation_invariant.evolution import evolve, evolve_driven
from spinsqueeze.methods.permutation_invariant.generator import generator
from spinsqueeze.methods.permutation_invariant.loss import evolve_with_losses
from spinsqueeze.methods.permutation_invariant.multifrontal import MultifrontalLU, dissect
from spinsqueeze.methods.permutation_invariant.sectors import sectors, symmetry
from spinsqueeze.methods.permutation_invariant.solvers import SectorSolver
from spinsqueeze.methods.permutation_invariant.spectrum import slow_modes
from spinsqueeze.methods.permutation_invariant.steady import steady_state
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.losses import sample_loss_times
from spinsqueeze.numerics.block_layout import blocks, flatten, state_size
from spinsqueeze.numerics.block_states import (
    coherent_state,
    dicke_state,
    moments,
    shell_populations,
    shell_state,
    without_one_spin,
)
from spinsqueeze.numerics.factorisation import ROUNDING
from spinsqueeze.numerics.krylov.rational import rational_evolution
from spinsqueeze.observables.block_states import block_spectra, purity

LOWER = np.array([1, -1j, 0])
RAISE = LOWER.conj()
Z = np.array([0, 0, 1.0])


def squeezed(n_spins, *, r=1.0, dephasing=0.02, **more):
    """Collective decay into a squeezed reservoir; coherences dephase at `dephasing`."""
    local = [(2 * dephasing, Z)] if dephasing else []
    jump = np.cosh(r) * LOWER - np.sinh(r) * RAISE
    return generator(n_spins, collective_jumps=[(1.0, jump)], local_jumps=local, **more)


def test_size_and_flat_order():
    assert state_size(50) == 23426
    assert state_size(100) == 176851
    state = product_mixture(4, bloch=[0.3, 0.1, 0.2])
    assert np.array_equal(flatten(blocks(state, 4)), state)
    assert [block.shape[0] for block in blocks(state, 4)] == [5, 3, 1]


@pytest.mark.parametrize("n_spins", [10, 11, 30])
def test_steady_sz_is_independent_of_local_dephasing(n_spins):
    values = [
        moments(steady_state(squeezed(n_spins, dephasing=d)).state, n_spins=n_spins)[0][2]
        for d in (0.01, 0.3, 5.0)
    ]
    assert np.ptp(values) < 1e-9 * n_spins


@pytest.mark.parametrize("solver", ["superlu", "multifrontal"])
def test_solvers_agree_and_residual_is_small(solver):
    found = steady_state(squeezed(24), solver=solver)
    reference = steady_state(squeezed(24), solver="auto")
    assert np.abs(found.state - reference.state).max() < 1e-11
    assert found.residual < 1e-15
    assert found.zero_modes == 1
    assert found.unique
    assert min(map(np.min, block_spectra(found.state, n_spins=24))) > -1e-12


def test_even_and_odd_dark_states_of_the_ideal_model():
    even = steady_state(squeezed(6, r=3.5, dephasing=0), initial=dicke_state(6, m=-3))
    spin, covariance = moments(even.state, n_spins=6)
    assert 6 * covariance[1, 1] / spin[2] ** 2 == pytest.approx(2 / 8, rel=1e-3)
    assert purity(even.state, n_spins=6) == pytest.approx(1.0)
    odd = steady_state(squeezed(7, r=1.0, dephasing=0), initial=dicke_state(7, m=-3.5))
    # odd N: the steady state is the normalised inverse of Sigma^dagger Sigma
    from spinsqueeze.numerics.angular_momentum import spin_matrices

    S = spin_matrices(3.5)
    L = np.exp(-1.0) * S[0] - 1j * np.exp(1.0) * S[1]
    expected = np.linalg.inv(L.conj().T @ L)
    expected /= np.trace(expected)
    assert np.abs(blocks(odd.state, 7)[0] - expected).max() < 1e-10


def test_without_local_jumps_each_shell_keeps_its_weight():
    model = squeezed(5, dephasing=0)
    initial = product_mixture(5, bloch=[0.2, 0.1, -0.5])
    found = steady_state(model, initial=initial)
    weights = shell_populations(initial, n_spins=5)
    assert shell_populations(found.state, n_spins=5) == pytest.approx(weights)
    assert not found.unique
    assert found.zero_modes >= 3
    late = evolve(model, state=initial, times=np.array([500.0])).state(0)
    assert np.abs(late - found.state).max() < 1e-8
    with pytest.raises(InvalidInput, match=r"each of the 3 total spins .*give initial_state"):
        steady_state(model)


def test_collective_dephasing_keeps_populations():
    # every S_z population is conserved: several zero modes in one sector, chosen by the start
    model = generator(5, collective_jumps=[(1.0, Z)])
    initial = coherent_state(5, direction=[1, 0, 0.4])
    found = steady_state(model, initial=initial)
    block = blocks(found.state, 5)[0]
    assert np.abs(block - np.diag(np.diag(blocks(initial, 5)[0]))).max() < 1e-12
    assert not found.unique


def test_closed_model_has_no_steady_state():
    with pytest.raises(InvalidInput, match="needs at least one jump"):
        steady_state(generator(4, field=[0, 0, 1.0]))


def test_local_dephasing_alone_needs_an_initial_state():
    model = generator(3, local_jumps=[(1.0, Z)])
    with pytest.raises(InvalidInput, match=r"4 independent steady states .*one axis"):
        steady_state(model)
    initial = coherent_state(3, direction=[1, 0, 0])
    found = steady_state(model, initial=initial)
    spin, covariance = moments(found.state, n_spins=3)
    assert np.abs(spin).max() < 1e-10
    assert covariance == pytest.approx(np.eye(3) * 0.75, abs=1e-9)


def test_near_singular_is_reported():
    with pytest.raises(NumericalFailure, match="near-singular"):
        steady_state(squeezed(8, dephasing=1e-8))


def test_independent_spins_decay_exponentially():
    down, up, dephase = 0.3, 0.1, 0.2
    model = generator(
        20, local_jumps=[(down, LOWER), (up, RAISE), (2 * dephase, Z)], field=[0, 0, 0.7]
    )
    times = np.array([0.0, 0.5, 2.0])
    run = evolve(model, state=coherent_state(20, direction=[1, 0, 0]), times=times)
    _, spin, _ = run.moments()
    transverse = 10 * np.exp(-((down + up) / 2 + dephase) * times)
    assert np.abs(spin[:, 0] - transverse * np.cos(0.7 * times)).max() < 1e-8
    assert np.abs(spin[:, 1] - transverse * np.sin(0.7 * times)).max() < 1e-8
    polarisation = (up - down) / (up + down)
    assert np.abs(spin[:, 2] - 10 * polarisation * (1 - np.exp(-(up + down) * times))).max() < 1e-8
    assert len(run.sectors) == 21


def test_gap_of_independent_spins():
    model = generator(6, local_jumps=[(0.3, LOWER)], field=[0, 0, 2.0])
    found = slow_modes(model)
    assert found.gap == pytest.approx(0.15, rel=1e-9)
    assert found.zero_modes == 1


def test_gap_at_a_size_that_needs_arnoldi():
    # one spin flipped back into the maximal spin is the bottleneck at r = 0: rate 2 gphi / N
    N, dephasing = 24, 0.01
    found = slow_modes(squeezed(N, r=0.0, dephasing=dephasing), n_modes=3)
    assert found.zero_modes == 1
    assert found.gap == pytest.approx(2 * dephasing / N, rel=0.05)
    assert max(mode.residual for mode in found.modes) < 1e-13
    large = slow_modes(squeezed(N, r=0.3, dephasing=dephasing), n_modes=3)
    dense = min(
        np.sort(
            -np.linalg.eigvals(
                assemble(squeezed(N, r=0.3, dephasing=dephasing), sector).toarray()
            ).real
        )[int(sector.has_trace)]
        for sector in sectors(N, symmetry(squeezed(N, r=0.3, dephasing=dephasing)))
    )
    assert large.gap == pytest.approx(dense, rel=1e-7)


def test_gap_of_the_maximal_spin_bounds_the_overall_gap():
    model = squeezed(9, r=1.5, dephasing=0)
    inside, overall = slow_modes(model, shells=(0, 1)), slow_modes(model)
    assert overall.gap <= inside.gap * (1 + 1e-12)
    assert overall.zero_modes >= 5
    with pytest.raises(InvalidInput, match="shells are coupled"):
        slow_modes(squeezed(9), shells=(0, 1))
    with pytest.raises(InvalidInput, match="n_modes must be at least 1"):
        slow_modes(model, n_modes=0)


def test_rational_and_polynomial_evolution_agree_over_decades():
    model = squeezed(16, r=1.0, dephasing=0.02)
    state = coherent_state(16, direction=[0, 0, -1])
    times = np.concatenate([[0.0], np.geomspace(1e-3, 3.0, 13)])
    runs = [
        evolve(model, state=state, times=times, algorithm=name, tolerance=1e-10)
        for name in ("polynomial", "rational")
    ]
    for first, second in zip(runs[0].moments(), runs[1].moments(), strict=True):
        assert np.abs(first - second).max() < 1e-7
    late = evolve(model, state=state, times=np.array([1.0, 1e6]), algorithm="auto")
    assert late.algorithms == ("rational",)
    target = steady_state(model).state
    assert np.abs(late.state(1) - target).max() < 1e-8


def test_sectors_are_closed_and_complete():
    rng = np.random.default_rng(1)
    for model, n_expected in (
        (squeezed(5), 4),
        (generator(5, local_jumps=[(0.3, LOWER)], field=[0, 0, 1.0]), 6),
        (generator(5, local_jumps=[(0.3, LOWER)]), 11),
        (generator(5, field=rng.normal(size=3), local_jumps=[(1.0, rng.normal(size=3))]), 1),
        (generator(5, field=[1.0, 0, 0], collective_jumps=[(1.0, LOWER)]), 2),
    ):
        found = sectors(5, symmetry(model))
        assert sum(sector.size for sector in found) == state_size(5)
        assert found[0].has_trace
        if (not model.has_local and n_expected) or n_expected not in (6, 11):
            assert len(found) == n_expected
        for sector in found:
            y = rng.normal(size=sector.size)
            assert sector.restrict(sector.expand(y)) == pytest.approx(y)


def test_trace_is_conserved_by_construction():
    rng = np.random.default_rng(2)
    c = rng.normal(size=3) + 1j * rng.normal(size=3)
    model = generator(
        12,
        quadratic=np.diag([1.0, 2, 4]),
        local_jumps=[(1.0, c)],
        collective_jumps=[(0.5, c.conj())],
    )
    for sector in sectors(12, symmetry(model)):
        if sector.has_trace:
            flow = sector.trace_vector() @ assemble(model, sector)
            assert np.abs(flow).max() < 1e-11


def test_multifrontal_factors_solve_both_ways():
    model = squeezed(20)
    sector = sectors(20, symmetry(model))[0]
    matrix = assemble(model, sector)
    order = dissect(sector.coordinates()[:, :3], leaf=40)
    assert np.array_equal(np.sort(order.order), np.arange(sector.size))
    from scipy.sparse import eye_array

    for shift in (0.7, 0.7 + 2.0j):
        shifted = (shift * eye_array(sector.size) - matrix).tocsr()
        factors = MultifrontalLU(shifted, dissection=order)
        right = np.random.default_rng(0).normal(size=(sector.size, 2))
        assert np.abs(shifted @ factors.solve(right) - right).max() < 1e-10
        assert np.abs(shifted.T @ factors.solve(right, transposed=True) - right).max() < 1e-10
        assert factors.nbytes > 0


def test_spin_losses_between_parts_of_a_run():
    events = np.array([0.2, 0.5])
    times = np.array([0.0, 0.1, 0.2, 0.4, 0.6])

    def model_of(n):
        return squeezed(n, r=0.5, dephasing=0)

    run = evolve_with_losses(
        model_of, n_spins=6, state=dicke_state(6, m=-3), times=times, loss_times=events
    )
    assert run.n_spins.tolist() == [6, 6, 5, 5, 4]
    state = evolve(model_of(6), state=dicke_state(6, m=-3), times=np.array([0.2])).state(0)
    state = without_one_spin(state, n_spins=6)
    spin, _ = moments(state, n_spins=5)
    assert np.abs(run.spin[2] - spin).max() < 1e-9
    arrivals = sample_loss_times(1000, rate=0.1, duration=1.0, rng=np.random.default_rng(3))
    assert abs(arrivals.size - 1000 * (1 - np.exp(-0.1))) < 5 * np.sqrt(1000 * 0.095)
    assert sample_loss_times(4, rate=0.0, duration=1.0, rng=np.random.default_rng(3)).size == 0
    with pytest.raises(InvalidInput, match="rate and duration"):
        sample_loss_times(4, rate=-1.0, duration=1.0, rng=np.random.default_rng(3))
    with pytest.raises(InvalidInput, match="loss_times must ascend"):
        evolve_with_losses(
            model_of, n_spins=6, state=dicke_state(6, m=-3), times=times, loss_times=[0.5, 0.2]
        )
    with pytest.raises(InvalidInput, match="at least 2 to lose"):
        without_one_spin(dicke_state(1, m=0.5), n_spins=1)


@pytest.mark.parametrize(
    ("n", "chi", "collective", "local", "duration", "measured"),
    [
        (150, 0.0, 1.0, 0.0, 5 / 150, 1.2),
        (300, 0.0, 1.0, 0.0, 5 / 300, 4.5),
        (300, 1.0, 1e-3, 0.0, 0.0446, 10.8),
        (100, 1.0, 0.0, 0.5, 0.0928, 1.9),
        (100, 0.0, 0.0, 0.5, 10.0, 1.0),
    ],
)
def test_evolution_takes_what_is_expected(n, chi, collective, local, duration, measured):
    """Seconds of processor time of one core, measured."""
    model = generator(
        n,
        quadratic=np.diag([0.0, 0.0, chi]),
        collective_jumps=[(collective, LOWER)] if collective else [],
        local_jumps=[(local, LOWER)] if local else [],
    )
    seconds = estimate(model, task="evolve", n_times=51, duration=duration).seconds
    assert measured / 3 < seconds < 3 * measured


def test_estimates_and_refusal():
    small, large = (estimate(squeezed(n), task="steady_state") for n in (100, 400))
    assert small.unknowns == 45526
    assert 2e8 < small.bytes < 2e9
    assert large.complex_numbers == 10827401
    assert estimate(squeezed(50), task="evolve", n_times=50).unknowns == 6201
    assert estimate(generator(200, collective_jumps=[(1.0, LOWER)]), task="slow_modes").bytes < 1e8
    with pytest.raises(InvalidInput, match="task must be one of"):
        estimate(squeezed(4), task="fly")


def test_bad_arguments_are_refused():
    state = dicke_state(4, m=-2)
    with pytest.raises(InvalidInput, match="n_spins must be at least 1"):
        generator(0)
    with pytest.raises(InvalidInput, match="symmetric 3 x 3"):
        generator(2, quadratic=np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0.0]]))
    with pytest.raises(InvalidInput, match="collective_jumps: rates must be at least 0"):
        generator(2, collective_jumps=[(-1.0, Z)])
    with pytest.raises(InvalidInput, match="must be finite"):
        generator(2, field=[np.nan, 0, 0])
    with pytest.raises(InvalidInput, match="times must be ascending"):
        evolve(squeezed(4), state=state, times=np.array([1.0, 0.5]))
    with pytest.raises(InvalidInput, match="times must be a list"):
        evolve(squeezed(4), state=state, times=np.array([]))
    with pytest.raises(InvalidInput, match="flat block state of 35 numbers"):
        evolve(squeezed(4), state=state[:-1], times=np.array([1.0]))
    with pytest.raises(InvalidInput, match="algorithm must be one of"):
        evolve(squeezed(4), state=state, times=np.array([1.0]), algorithm="euler")
    with pytest.raises(InvalidInput, match="models must be at least one, all of one n_spins"):
        evolve_driven([], drive=DriveWeights(()), state=state, times=np.array([1.0]))
    with pytest.raises(InvalidInput, match="solver must be one of"):
        steady_state(squeezed(8), solver="magic")
    with pytest.raises(InvalidInput, match="m must be one of"):
        dicke_state(4, m=0.5)
    with pytest.raises(InvalidInput, match=r"shell must be 0 \.\.\. 2"):
        shell_state(4, block=np.ones(5), shell=3)
    with pytest.raises(InvalidInput, match=r"2j \+ 1 = 3 levels"):
        shell_state(4, block=np.ones(5), shell=1)
    with pytest.raises(InvalidInput, match="positive trace"):
        shell_state(4, block=np.zeros(5))


def test_weakly_damped_twisting_is_solved_to_rounding():
    # a front is nearly singular here: without refinement the residual is 1e-9
    model = generator(
        26,
        quadratic=np.diag([1.0, 0, 0]),
        field=[0.3, 0.2, 0.5],
        local_jumps=[(0.1, LOWER), (0.05, Z)],
    )
    found = [steady_state(model, solver=solver) for solver in ("multifrontal", "superlu")]
    # solves are refined for a random right-hand side; the worst of n may err sqrt(n) times more
    worst = np.sqrt(state_size(26)) * ROUNDING
    assert max(one.residual for one in found) < 10 * worst
    values = [np.concatenate([x.ravel() for x in moments(one.state, n_spins=26)]) for one in found]
    assert np.abs(values[0] - values[1]).max() < 1e-8


def test_missing_pardiso_says_what_to_do(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pypardiso", None)
    sector = sectors(4, symmetry(squeezed(4)))[0]
    tools = SectorSolver(assemble(squeezed(4), sector), sector=sector, solver="pardiso")
    with pytest.raises(Unsupported, match="needs the package pypardiso"):
        tools.factorise(1.0, 0.1)


def test_numerical_failures_are_named():
    class Useless:
        rng = np.random.default_rng(0)

        def solve(self, right):
            return self.rng.normal(size=right.size)

    with pytest.raises(NumericalFailure, match="rational Krylov made no progress"):
        rational_evolution(
            start=np.ones(200),
            times=np.array([1.0]),
            factorise=lambda _gamma: Useless(),
        )
    with pytest.raises(NumericalFailure, match="no decaying mode found"):
        slow_modes(generator(2))
    with pytest.raises(NumericalFailure, match="nothing but steady states"):
        slow_modes(generator(2, collective_jumps=[(1.0, LOWER)]), shells=(1, 2))
