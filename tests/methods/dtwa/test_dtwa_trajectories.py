import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import (
    all_samples,
    circulant,
    dense,
    equal_steps,
    exact_correlators,
    nearest,
    pair_tensors,
    random_dense,
)
from tests.rounding import rounding

from spinsqueeze.core.errors import InvalidInput, NumericalFailure
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import AllToAllKernel
from spinsqueeze.methods.base.question import Rotation
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.runge_kutta import stepper as runge_kutta
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory, plan_run
from spinsqueeze.models.canonical import Canonical, Field, Pair, Quadratic
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.kinds import one_each
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PowerLawXXZ
from spinsqueeze.numerics.rotations import rotation_matrix

X = np.array([1.0, 0.0, 0.0])
ISING = np.diag([0.0, 0.0, 1.0])
XXZ = np.diag([2.0, 2.0, -2.0])
TIGHT = Options(dtype="float64", tolerance=1e-9)
N = 4


def trajectory(model, times, *, options=TIGHT, directions=X, **more):
    return Trajectory(
        lower(model), directions=directions, times=np.asarray(times, float), seed=5,
        options=options, **more,
    )  # fmt: skip


def solve(model, times, *, n_samples=32, first_sample=0, keep_final=False, **more):
    run = trajectory(model, times, **more)
    return run.run(
        run.plan(), n_samples=n_samples, first_sample=first_sample, keep_final=keep_final
    )


def every_sample(model, time, **more):
    """Final spins of all 4^N samples from +x."""
    samples = all_samples(model.n_spins)
    options = Options(dtype="float64", tolerance=1e-10, batch=len(samples))
    return solve(
        model, [time], n_samples=len(samples), keep_final=True, options=options,
        initial_spins=samples, **more,
    )  # fmt: skip


def ising(seed=1, strength=1.0, fields=()):
    return Canonical(
        one_each(N), pairs=(Pair(strength, ISING, random_dense(N, seed)),), fields=fields
    )


# Exactness for Ising couplings, by enumeration of every sample.


def test_ising_moments_and_correlators_pair_by_pair():
    rng = np.random.default_rng(4)
    model = ising(fields=(Field(1.0, np.outer(rng.normal(size=N), [0, 0, 1.0])),))
    time = 0.9
    sigma = every_sample(model, time).final_spins
    mean, pairs = exact_correlators(model, time, np.array([1, 1]) / np.sqrt(2))
    assert np.allclose(sigma.mean(axis=0).T / 2, mean, atol=1e-10)

    sampled = np.einsum("sai,sbj->ijab", sigma, sigma) / (4 * len(sigma))
    J = pair_tensors(model)[0][:, :, 2, 2]
    squeeze = np.cos(J * time / 2) ** 2
    assert squeeze[~np.eye(N, dtype=bool)].min() < 0.8
    for i in range(N):
        for j in range(N):
            if i == j:
                continue
            for a in range(3):
                for b in range(3):
                    factor = squeeze[i, j] if a < 2 and b < 2 else 1.0
                    assert sampled[i, j, a, b] == pytest.approx(
                        factor * pairs[i, j, a, b], abs=1e-10
                    )


def test_one_axis_twisting_has_no_self_interaction():
    chi, time = 0.7, 0.5
    model = Canonical(one_each(N), quadratics=(Quadratic(chi, ISING),))
    spins = every_sample(model, time).spins[:, 0]
    assert spins[:, 0].mean() == pytest.approx(N / 2 * np.cos(chi * time) ** (N - 1), abs=1e-10)


# Kernels agree with one another along whole trajectories.

GRID = (4, 4)
HOLES = np.random.default_rng(3).random(GRID) < 0.75
PAIRS = {
    "exponent 0 and all to all": (circulant(GRID, 0.0), AllToAllKernel(16)),
    "periodic and dense": (circulant(GRID, 3.0), dense(circulant(GRID, 3.0))),
    "open with holes and dense": (
        circulant(GRID, 1.0, (False, False), HOLES),
        dense(circulant(GRID, 1.0, (False, False), HOLES)),
    ),
    "nearest and dense": (nearest(GRID, (True, False)), dense(nearest(GRID, (True, False)))),
}


@pytest.mark.parametrize("name", PAIRS)
def test_kernels_give_the_same_trajectories(name):
    one, two = (
        trajectory(Canonical(one_each(k.n_spins), pairs=(Pair(0.5, XXZ, k),)), [0.0, 0.3, 1.0])
        for k in PAIRS[name]
    )
    first, second = (t.run(equal_steps(t, 10), n_samples=5).spins for t in (one, two))
    # collective spins: sums over the spins; each has turned by some ten radians
    n_spins = PAIRS[name][0].n_spins
    assert np.abs(first - second).max() < rounding(n_spins, scale=np.sqrt(3), condition=10)
    assert np.ptp(first[:, :, 0]) > 0.1


def test_exponent_infinity_is_nearest_neighbours():
    far = np.abs(np.fft.fftfreq(6, 1 / 6)) > 1
    kernel = circulant((6,), 1.0)
    kernel.table[far] = 0.0
    pair = kernel, nearest((6,), (True,))
    runs = [trajectory(Canonical(one_each(6), pairs=(Pair(1.0, XXZ, k),)), [1.0]) for k in pair]
    one, two = (t.run(equal_steps(t, 9), n_samples=4).spins for t in runs)
    assert np.abs(one - two).max() < 1e-12


# Conserved quantities, order, and the reported error.

LATTICE = Canonical(one_each(16), pairs=(Pair(1.0, XXZ, circulant(GRID, 3.0)),))


def test_conserved_quantities_of_xxz():
    result = solve(LATTICE, np.linspace(0, 1, 7), n_samples=8)
    assert np.abs(result.spins[:, :, 2] - result.spins[:, :1, 2]).max() < 1e-12
    assert np.ptp(result.spins[:, :, 0]) > 0.5
    assert result.report.energy_drift < 1e-9
    assert result.report.spin_length_drift < 1e-7
    assert 0 < result.report.integration_error < 1e-9


def test_isotropic_couplings_conserve_the_total_spin():
    model = Canonical(one_each(16), pairs=(Pair(1.0, 2 * np.eye(3), circulant(GRID, 3.0)),))
    result = solve(model, [0.0, 0.5, 1.0], n_samples=8, keep_final=True)
    assert np.abs(result.spins - result.spins[:, :1]).max() < 1e-12
    moved = result.final_spins - solve(model, [0.0], n_samples=8, keep_final=True).final_spins
    assert np.abs(moved).max() > 0.5


def test_order_of_steps_and_of_dense_output():
    run = trajectory(LATTICE, np.linspace(0, 1, 15))
    truth = run.run(equal_steps(run, 80), n_samples=2).spins
    steps = np.array([10, 14, 20, 28])
    error_end, error_inside = [], []
    for n in steps:
        spins = run.run(equal_steps(run, int(n)), n_samples=2).spins
        error_end.append(np.abs(spins[:, -1] - truth[:, -1]).max())
        error_inside.append(np.abs(spins - truth).max())
    assert min(error_end) > 1e-12
    assert -np.polyfit(np.log(steps), np.log(error_end), 1)[0] == pytest.approx(8, abs=0.6)
    assert -np.polyfit(np.log(steps), np.log(error_inside), 1)[0] == pytest.approx(8, abs=0.8)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-3, 1e-5])
def test_reported_error_is_the_true_error(tolerance):
    times = np.linspace(0, 1, 11)
    options = Options(dtype="float64", tolerance=tolerance)
    result = solve(LATTICE, times, options=options, n_samples=32)
    truth = solve(LATTICE, times, n_samples=32)
    error = np.abs(result.spins - truth.spins).max() / (np.sqrt(16) / 2)
    assert result.report.integration_error <= tolerance
    assert error < 1.5 * result.report.integration_error + 1e-9


def test_float32_agrees_with_float64():
    times = np.linspace(0, 1, 11)
    single = solve(LATTICE, times, options=Options(dtype="float32", tolerance=1e-4))
    double = solve(LATTICE, times, options=Options(dtype="float64", tolerance=1e-4))
    difference = np.abs(single.spins - double.spins).max() / (np.sqrt(16) / 2)
    assert 0 < difference < 2e-4
    assert single.report.dtype == "float32"
    assert double.spins.dtype == np.float64


def test_double_precision_does_not_leak():
    import jax
    import jax.numpy as jnp

    solve(LATTICE, [0.1], n_samples=1)
    assert not jax.config.jax_enable_x64
    assert jnp.ones(1).dtype == jnp.float32


def test_precision_follows_the_tolerance():
    def planned(tolerance):
        return plan_run(
            lower(LATTICE), directions=X, times=np.linspace(0, 1, 11), seed=5,
            options=Options(tolerance=tolerance),
        )  # fmt: skip

    coarse, plan = planned(1e-3)
    assert coarse.options.dtype == "float32"
    assert plan.error <= 1e-3
    fine, plan = planned(1e-9)
    assert fine.options.dtype == "float64"
    assert plan.error <= 1e-9


@pytest.mark.slow
def test_rounding_is_reported_as_error():
    run = trajectory(LATTICE, [1.0], options=Options(dtype="float32", tolerance=1e-9))
    assert 1e-9 < run.plan().error < 1e-4


@pytest.mark.slow
def test_steps_of_chaotic_trajectories_are_refined_until_two_runs_agree():
    model = SpinModel(
        Lattice((3, 3, 3)), hamiltonian=[PowerLawXXZ(j_perp=2.0, j_z=-6.0, exponent=np.inf)]
    )
    options = Options(dtype="float64", tolerance=0.05)
    run = trajectory(model.canonical, [8.0], options=options)
    assert run.plan().error <= 0.05


# A sample does not depend on how many others run, nor on threads.


def test_samples_do_not_depend_on_chunks():
    options = Options(dtype="float32", n_threads=2, batch=16)
    run = trajectory(LATTICE, [0.0, 0.2, 1.0], options=options)
    plan = run.plan()
    whole = run.run(plan, n_samples=150, keep_final=True)
    part = run.run(plan, n_samples=70, first_sample=63, keep_final=True)
    assert np.array_equal(whole.spins[63:133], part.spins)
    assert np.array_equal(whole.final_spins[63:133], part.final_spins)
    seen = []
    options = Options(dtype="float32", n_threads=1, batch=16)
    again = trajectory(LATTICE, [0.0, 0.2, 1.0], options=options)
    single = again.run(again.plan(), n_samples=70, progress=seen.append)
    assert np.array_equal(whole.spins[:70], single.spins)
    assert sum(seen) == 70


def test_final_spins_continue_a_run():
    whole = solve(LATTICE, [0.5, 1.0], n_samples=4)
    half = solve(LATTICE, [0.5], n_samples=4, keep_final=True)
    rest = solve(LATTICE, [1.0], n_samples=4, start=0.5, initial_spins=half.final_spins)
    assert np.abs(half.spins[:, -1] - whole.spins[:, 0]).max() < 1e-7
    assert np.abs(rest.spins[:, -1] - whole.spins[:, -1]).max() < 1e-7


# Pulses and envelopes. One plan (N spins, dense Ising, site fields) serves all.


def field_of(strength, seed=8):
    vectors = np.outer(np.random.default_rng(seed).normal(size=N), [0, 0, 3.0])
    return (Field(strength, vectors),)


def pulse(time, axis, angle, mask=None):
    return Rotation(time, np.array(axis, float), angle, mask)


def test_echo_removes_fields_and_keeps_ising_couplings():
    noisy = ising(fields=field_of(1.0))
    clean = ising(fields=field_of(0.0))
    pulses = (pulse(0.4, [1, 0, 0], np.pi), pulse(0.8, [1, 0, 0], np.pi))
    echo = solve(noisy, [0.4, 0.8], rotations=pulses).spins[:, -1]
    free = solve(clean, [0.4, 0.8]).spins[:, -1]
    bare = solve(noisy, [0.4, 0.8]).spins[:, -1]
    assert np.abs(echo - free).max() < 1e-8
    assert np.abs(bare - free).max() > 0.1


def test_output_at_a_pulse_shows_the_spins_after_it():
    model = ising(fields=field_of(0.0), strength=0.0)
    pulses = (pulse(0.5, [0, 0, 1], np.pi / 2), pulse(1.0, [0, 1, 0], np.pi / 2))
    spins = solve(model, [0.25, 0.5, 0.75, 1.0], rotations=pulses, n_samples=3).spins
    start = spins[:, 0]
    assert np.all(start[:, 0] == N / 2)
    turned = np.stack([-start[:, 1], start[:, 0], start[:, 2]], axis=1)
    assert np.allclose(spins[:, 1], turned, atol=1e-12)
    assert np.allclose(spins[:, 2], turned, atol=1e-12)
    last = np.stack([turned[:, 2], turned[:, 1], -turned[:, 0]], axis=1)
    assert np.allclose(spins[:, 3], last, atol=1e-12)


def test_pulse_on_some_spins():
    model = ising(fields=field_of(0.0), strength=0.0)
    mask = np.array([True, False, False, True])
    pulses = (pulse(0.0, [0, 0, 1], np.pi, mask),)
    result = solve(model, [0.0, 1.0], rotations=pulses, n_samples=3, keep_final=True)
    assert np.allclose(result.final_spins[:, 0], np.where(mask, -1.0, 1.0), atol=1e-12)
    assert np.allclose(result.spins[:, :, 0], 0.0, atol=1e-12)


def test_pulse_with_empty_sites():
    kernel = circulant(GRID, 1.0, (False, False), HOLES)
    mask = np.arange(kernel.n_spins) % 2 == 0
    model = Canonical(one_each(kernel.n_spins), pairs=(Pair(0.0, XXZ, kernel),))
    pulses = (pulse(0.0, [0, 0, 1], np.pi, mask),)
    spins = solve(model, [0.0], rotations=pulses, n_samples=1, keep_final=True).final_spins
    assert np.allclose(spins[0, 0], np.where(mask, -1.0, 1.0), atol=1e-12)


def test_twisting_untwists():
    sign = Envelope([0.0, 0.499999, 0.500001, 1.0], values=[1.0, 1.0, -1.0, -1.0])
    result = solve(ising(strength=sign, fields=field_of(0.0)), [0.0, 0.5, 1.0])
    assert np.abs(result.spins[:, 2] - result.spins[:, 0]).max() < 1e-7
    assert np.abs(result.spins[:, 1] - result.spins[:, 0]).max() > 0.1


@pytest.mark.parametrize("interpolation", ["linear", "cubic"])
def test_envelopes_turn_spins_by_their_integral(interpolation):
    shape = Envelope(
        [0.1, 0.3, 0.45, 0.8], values=[0.0, 2.0, -1.0, 1.5], interpolation=interpolation
    )
    times = np.array([0.05, 0.2, 0.4, 0.7, 1.0])
    model = ising(strength=0.0, fields=field_of(shape))
    result = solve(model, times, n_samples=2, keep_final=True)
    rates = model.fields[0].vectors[:, 2]
    angle = rates * float(shape.integral(1.0))
    start = solve(model, [0.0], n_samples=2, keep_final=True).final_spins
    expected = start[:, 0] * np.cos(angle) - start[:, 1] * np.sin(angle)
    assert np.abs(result.final_spins[:, 0] - expected).max() < 1e-8


def test_envelope_equals_runs_of_constant_strength():
    step = Envelope([0.5 - 1e-9, 0.5 + 1e-9], values=[0.7, -0.2])
    joined = solve(ising(strength=step, fields=field_of(1.0)), [0.5, 1.0], n_samples=4)
    first = solve(ising(strength=0.7, fields=field_of(1.0)), [0.5], n_samples=4, keep_final=True)
    second = solve(
        ising(strength=-0.2, fields=field_of(1.0)), [1.0], n_samples=4, start=0.5,
        initial_spins=first.final_spins,
    )  # fmt: skip
    assert np.abs(joined.spins[:, 0] - first.spins[:, 0]).max() < 1e-7
    assert np.abs(joined.spins[:, 1] - second.spins[:, 0]).max() < 1e-7


def test_windows_end_on_knots_pulses_and_the_last_time():
    shape = Envelope([0.1, 0.3, 2.0], values=[0.0, 2.0, -1.0])
    run = trajectory(
        ising(fields=field_of(shape)), [0.05, 0.4, 1.0], rotations=(pulse(0.6, [1, 0, 0], 1.0),)
    )
    edges = [(w.start, w.stop) for w in run.windows]
    assert edges == [(0.0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.0), (1.0, 1.0)]
    assert [w.constant for w in run.windows] == [True, False, False, False, False]
    assert [len(w.rotations) for w in run.windows] == [0, 0, 0, 1, 0]
    assert [w.outputs.tolist() for w in run.windows] == [[0], [], [1], [], [2]]


# Extremes.


def test_strong_fields_and_no_hamiltonian():
    model = ising(strength=0.0, fields=field_of(30.0))
    result = solve(model, [1.0], n_samples=2, keep_final=True)
    start = solve(model, [0.0], n_samples=2, keep_final=True).final_spins
    angle = 30 * model.fields[0].vectors[:, 2]
    expected = start[:, 0] * np.cos(angle) - start[:, 1] * np.sin(angle)
    assert np.abs(result.final_spins[:, 0] - expected).max() < 1e-7
    still = solve(Canonical(one_each(3)), [0.0, 1e6], n_samples=2)
    assert np.array_equal(still.spins[:, 0], still.spins[:, 1])
    assert still.report.n_steps == 1


def test_report_counts_work():
    run = trajectory(LATTICE, [0.0, 0.5, 1.0], options=Options(dtype="float64", tolerance=1e-3))
    plan = equal_steps(run, 4)
    report = run.run(plan, n_samples=1).report
    assert report.n_steps == 4
    assert report.rhs_evaluations == 4 * 12 + 2 + 1
    assert report.integration_error == np.inf
    inside = trajectory(LATTICE, [0.1, 1.0], options=Options(dtype="float64"))
    plan = equal_steps(inside, 4)
    assert inside.run(plan, n_samples=1).report.rhs_evaluations == 4 * 12 + 3 + 2 + 1


# Refusals.


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"options": Options(dtype="auto")}, "dtype must be 'float32' or 'float64'"),
        ({"options": Options(dtype="float64", tolerance=0.0)}, "must be above 0, got 0.0"),
        ({"options": Options(dtype="float64", batch=0)}, "batch must be at least 1, got 0"),
        ({"times": [1.0, 0.5]}, "times must be a non-empty list that does not decrease"),
        ({"times": []}, "times must be a non-empty list"),
        ({"times": [-1.0]}, "begin before the run's start 0, got -1"),
        ({"rotations": (pulse(2.0, [1, 0, 0], 1.0),)}, "must lie in the run, 0 to 1, got 2"),
    ],
)
def test_refuses_bad_arguments(change, message):
    with pytest.raises(InvalidInput, match=message):
        trajectory(LATTICE, **{"times": [0.0, 1.0], **change})


def test_refuses_empty_axis_and_no_samples():
    with pytest.raises(InvalidInput, match="axis must have a length above 0"):
        rotation_matrix(np.zeros(3), angle=1.0)
    run = trajectory(LATTICE, [1.0])
    with pytest.raises(InvalidInput, match="n_samples must be at least 1, got 0"):
        run.run(equal_steps(run, 1), n_samples=0)


def test_failures_are_named(monkeypatch):
    wild = ising(strength=0.0, fields=field_of(1e6))
    run = trajectory(wild, [1.0])
    with pytest.raises(NumericalFailure, match="infinite or undefined"):
        run.run(equal_steps(run, 100), n_samples=1)
    monkeypatch.setattr(runge_kutta, "MAX_STEPS", 20)
    with pytest.raises(NumericalFailure, match="more than 20 integration steps"):
        run.plan()
