"""Open systems: what is exact, how the approximation errs, the steps, and whose noise it is."""

import json

import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import AXES

import spinsqueeze as sq
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.jumps import loop, stepper
from spinsqueeze.methods.dtwa.jumps.threefry import binomials, normals, threefry
from spinsqueeze.methods.dtwa.method import stepper_of
from spinsqueeze.methods.dtwa.precision import double_precision
from spinsqueeze.methods.dtwa.stepper import Pilot, StepPlan
from spinsqueeze.methods.dtwa.trajectories import Options, Trajectory

GENERAL = [
    sq.LocalDecay(0.9),
    sq.LocalPumping(0.4),
    sq.LocalJump(0.7, vector=[0.5, 0.3 + 0.6j, -0.4j]),
    sq.LocalJump(0.3, vector=[1.0, 0.2, 0.0]),
]
TILTED = sq.CoherentState([0.6, 0.0, 0.8])


def both(model, state, times, *, n_trajectories, reference=None, **options):
    found = sq.simulate(model, state, times, method=sq.DTWA(n_trajectories, **options), seed=5)
    return found, sq.simulate(model, state, times, method=reference or sq.Exact())


def run_of(model, times, *, batch, dtype="float64", seed=3, tolerance=1e-3):
    canonical = model.canonical.per_spin()
    couplings = lower(canonical)
    return Trajectory(
        couplings,
        directions=AXES["x"],
        times=np.asarray(times, float),
        seed=seed,
        options=Options(dtype=dtype, batch=batch, tolerance=tolerance),
        **stepper_of(canonical, couplings),
    )


def test_threefry_gives_the_published_bits():
    """Known answers of the authors' library (Random123), 20 rounds."""
    cases = [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF,) * 2, (0xFFFFFFFF,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]
    for key, counter, bits in cases:
        as_words = ([np.array([w], dtype=np.uint32) for w in pair] for pair in (key, counter))
        assert tuple(int(w[0]) for w in threefry(*map(tuple, as_words))) == bits


def test_numbers_drawn_have_unit_variance():
    n = 200_000
    with double_precision():
        words = threefry(
            (np.uint32(7), np.uint32(9)), (np.arange(n, dtype=np.uint32), np.uint32(3))
        )
        drawn = np.array([*binomials(words, np.float64), *normals(words)])
    assert np.abs(drawn.mean(axis=1)).max() < 5 / np.sqrt(n)
    assert np.abs(drawn.var(axis=1) - 1).max() < 5 * np.sqrt(2 / n)
    correlation = np.corrcoef(drawn[:3])
    assert np.abs(correlation - np.eye(3)).max() < 5 / np.sqrt(n)


def test_one_spin_alone_has_its_means_exactly():
    """A field and every kind of local jump: the only errors are sampling and steps."""
    model = sq.SpinModel(1, hamiltonian=[sq.UniformField([0.4, 3.0, -1.0])], jumps=GENERAL)
    times = np.linspace(0.0, 1.0, 5)
    found, exact = both(model, TILTED, times, n_trajectories=4000)
    error = found.spin_stderr.values
    assert error.max() < 0.02
    claimed = found.attrs["numerical_error"] / 2
    assert np.all(np.abs(found.spin.values - exact.spin.values) < 5 * error + claimed + 1e-6)
    assert found.attrs["error_kind"] == "sampling"


@pytest.mark.slow
def test_free_spins_keep_all_second_moments():
    """Spins that do not interact, rates by site: covariances too, and <sigma_a sigma_b> = 1."""
    rates = np.array([0.2, 1.5, 0.7])
    model = sq.SpinModel(
        3,
        hamiltonian=[sq.UniformField([0.0, 2.0, 0.5])],
        jumps=[sq.LocalDecay(rates), sq.LocalDephasing(0.4 * rates[::-1]), GENERAL[2]],
    )
    found, exact = both(model, TILTED, [0.3, 1.0], n_trajectories=4000)
    for name in ("spin", "covariance"):
        error = found[f"{name}_stderr"].values
        assert error.max() < 0.03
        difference = np.abs(found[name].values - exact[name].values)
        assert np.all(difference < 5 * error + 0.01), name


@pytest.mark.parametrize(
    ("jump", "allowed"),
    [
        pytest.param(sq.LocalDecay(4.0), 0.1, id="fast decay"),
        pytest.param(sq.LocalDecay(1.0), 0.1, id="decay", marks=pytest.mark.slow),
        pytest.param(sq.LocalDephasing(2.0), 0.2, id="dephasing", marks=pytest.mark.slow),
        pytest.param(sq.CollectiveDecay(0.05), 0.2, id="collective decay", marks=pytest.mark.slow),
    ],
)
def test_twisting_with_noise_errs_as_twisting_does(jump, allowed):
    """30 spins: closed DTWA is 0.3 dB too good at the optimum; noise does not make it worse."""
    model = sq.SpinModel(30, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[jump])
    found, exact = both(
        model, sq.CoherentState("+x"), [0.05, 0.1], n_trajectories=2000,
        reference=sq.PermutationInvariant(),
    )  # fmt: skip
    ratio = 10 * np.log10(found.xi2.values / exact.xi2.values)
    noise = 10 / np.log(10) * found.xi2_stderr.values / found.xi2.values
    assert noise.max() < 0.2
    assert np.all(np.abs(ratio) < allowed + 3 * noise)
    spin = np.abs(found.spin.values - exact.spin.values)
    assert spin.max() < 0.15  # of 15


@pytest.mark.slow
def test_a_hundred_ising_spins_with_noise_by_site_err_as_closed_ones_do():
    """Open 10 x 10, exponent 3, against closed form, before the optimum and behind it."""
    rng = np.random.default_rng(8)
    decay, dephasing = rng.uniform(0.0, 0.27, (2, 100))
    model = sq.SpinModel(
        sq.Lattice((10, 10), boundary="open"),
        hamiltonian=[sq.PowerLawXXZ(j_perp=0.0, j_z=1.0, exponent=3)],
        jumps=[sq.LocalDecay(decay), sq.LocalDephasing(dephasing)],
    )
    found, exact = both(
        model, sq.CoherentState("+x"), [0.45, 0.9], n_trajectories=2000,
        reference=sq.ClosedForm(),
    )  # fmt: skip
    ratio = 10 * np.log10(found.xi2.values / exact.xi2.values)
    noise = 10 / np.log(10) * found.xi2_stderr.values / found.xi2.values
    assert noise.max() < 0.2
    closed = np.array([0.05, 0.51])  # its error without noise, methods/dtwa/NOTES.md
    assert np.all(np.abs(ratio) < closed + 3 * noise)
    spin = np.abs(found.spin.values - exact.spin.values)
    assert np.all(spin < 5 * found.spin_stderr.values + 0.05)  # of 50


@pytest.mark.slow
def test_an_open_lattice_follows_the_dense_answer():
    """2 x 3 sites, rates by site: errors of the order of the closed lattice's own."""
    model = sq.SpinModel(
        sq.Lattice((2, 3)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=1, j_z=-1, exponent=3)],
        jumps=[sq.LocalDecay(np.linspace(0.2, 1.0, 6)), sq.LocalDephasing(0.3)],
    )
    found, exact = both(model, sq.CoherentState("+x"), [0.4, 0.8], n_trajectories=2000)
    error = found.spin_stderr.values
    assert np.all(np.abs(found.spin.values - exact.spin.values) < 5 * error + 0.06)
    assert "uncontrolled" in found.attrs["error_kind"]


def test_noise_belongs_to_a_sample_not_to_its_batch():
    model = small_lattice()
    whole = run_of(model, [0.0, 0.13, 0.4], batch=16)
    plan = whole.plan()
    everything = whole.run(plan, n_samples=40)
    part = whole.run(plan, n_samples=17, first_sample=13)
    assert np.array_equal(everything.spins[13:30], part.spins)
    again = run_of(model, [0.0, 0.13, 0.4], batch=16)
    assert np.array_equal(again.run(again.plan(), n_samples=40).spins, everything.spins)
    other = run_of(model, [0.0, 0.13, 0.4], batch=16, seed=4)
    assert not np.array_equal(other.run(other.plan(), n_samples=40).spins, everything.spins)


@pytest.mark.slow
def test_machine_code_and_jax_give_the_same_trajectories():
    """Batches that fill the vectors and batches that do not; on the same steps and noise."""
    model, times = small_lattice(), [0.1, 0.4]
    lanes, plain = run_of(model, times, batch=16), run_of(model, times, batch=6)
    if lanes.engine.transform.name != "machine_code":
        pytest.skip(lanes.engine.transform.reason)
    assert plain.engine.transform.name == "jax"
    plan = lanes.plan()
    first, second = (r.run(plan, n_samples=12).spins for r in (lanes, plain))
    assert np.abs(first - second).max() < 1e-9


def small_lattice():
    return sq.SpinModel(
        sq.Lattice((4, 4)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=2, j_z=-2, exponent=3)],
        jumps=[
            sq.LocalDecay(np.linspace(0.1, 0.5, 16)),
            sq.LocalDephasing(0.3),
            sq.CollectiveDecay(0.02),
        ],
    )


@pytest.mark.slow
def test_the_steps_err_by_their_square_and_as_claimed():
    """<sigma_a sigma_b> = delta_ab for free spins, but for noise that acts off its time."""
    n, n_samples = 400, 2048
    model = sq.SpinModel(
        n, hamiltonian=[sq.UniformField([0.0, 6.0, 0.0])], jumps=[sq.LocalDecay(1.5)]
    )
    run = run_of(model, [1.0], batch=64)
    errors = []
    for steps in (6, 12):
        counts = [steps, 0]
        laid = run.stepper._lay(counts, run.stepper._mean_spins(pilot_of(run), counts))
        final = run.run(StepPlan(laid, 0.0, 0), n_samples=n_samples, keep_final=True).final_spins
        square = np.einsum("san,sbn->ab", final, final) / (n * n_samples)
        errors.append(np.abs(square - np.eye(3)).max())
    resolution = 2 / np.sqrt(n * n_samples)
    assert errors[0] > 8 * resolution
    claimed = (6.0 * np.sqrt(2 / 3) / 6) ** 2 / 24
    assert errors[0] <= 2 * claimed + 2 * resolution
    assert errors[0] / errors[1] == pytest.approx(4, abs=1.5)


def test_what_is_seen_of_every_node_keeps_no_other_nodes():
    """The mean field looks at nodes one by one: 20 000 of them held 3 GB."""
    import jax

    run = run_of(sq.SpinModel(2, jumps=[sq.LocalDecay(1.0)]), [4.0], batch=64)
    pilot = pilot_of(run)
    (laid, _) = run.stepper._lay([60, 0], [None, None])
    before = sum(a.nbytes for a in jax.live_arrays())
    _, seen = run.stepper._walk_of_means(pilot.enter(pilot.begin(), run.windows[0]), laid)
    assert len(seen) == 61
    one = loop.N_SUMS * 3 * 64 * 8
    assert sum(a.nbytes for a in jax.live_arrays()) - before < 61 * one


@pytest.mark.slow
def test_noise_of_a_spin_is_shaped_by_its_mean_under_common_noise():
    """Common noise shortens the mean, which a decaying spin's own noise must know.

    Without it the variances err by 0.06 N/4.
    """
    axes = [[0.0, 0.0, 1.0], [0.0, 0.8, 0.6]]
    model = sq.SpinModel(
        1, jumps=[sq.LocalDecay(1.0)] + [sq.CollectiveJump(2.0, vector=a) for a in axes]
    )
    found, exact = both(model, TILTED, [0.3, 0.6], n_trajectories=30000)
    error = found.covariance_stderr.values
    assert error.max() < 0.0025
    assert np.all(np.abs(found.covariance.values - exact.covariance.values) < 4 * error + 1e-3)


def pilot_of(run):
    return Pilot(
        begin=lambda: run._begin(0),
        enter=lambda spins, window: run._enter(spins, window, 0),
        collective_spins=lambda steps: run._run_batch(0, steps).spins,
    )


@pytest.mark.parametrize(
    ("field", "rate", "remedy"),
    [(1.0, 3.0, "is damped at up to 3;.*fastest jumps"), (20.0, 0.1, "turns at 1.*in a frame")],
)
def test_more_steps_than_can_be_made_are_refused_at_once(monkeypatch, field, rate, remedy):
    """Longer steps would be unstable, after minutes of work."""
    monkeypatch.setattr(stepper, "MAX_STEPS", 20)
    monkeypatch.setattr(stepper.JumpSteps, "_drift_alone", lambda *_: pytest.fail("it started"))
    model = sq.SpinModel(
        2, hamiltonian=[sq.UniformField([0, 0, field])], jumps=[sq.LocalDecay(rate)]
    )
    with pytest.raises(sq.NumericalFailure, match=f"more than 20: a spin {remedy}"):
        sq.simulate(model, TILTED, [0.5, 1.0], method=sq.DTWA(50))


@pytest.mark.slow
def test_ramps_and_pulses_of_free_spins():
    """A ramped rate, a ramped drive, a pulse of one site: means and covariances as exact ones."""
    ramp = sq.Envelope([0.0, 0.4, 0.9], values=[0.2, 2.0, 0.0])
    model = sq.SpinModel(
        sq.Lattice((3,), boundary="open"),
        hamiltonian=[sq.Drive(ramp), sq.UniformField([0, 0, 1.5])],
        jumps=[sq.LocalDecay(ramp), sq.LocalDephasing(np.array([0.1, 0.9, 0.4]))],
    )
    pulses = [
        sq.Pulse(0.3, axis="+x", angle=np.pi),
        sq.Pulse(0.6, axis="+y", angle=0.8, sites=[0]),
    ]
    times = np.linspace(0.0, 1.0, 6)
    found = sq.simulate(model, TILTED, times, method=sq.DTWA(8000), pulses=pulses, seed=2)
    exact = sq.simulate(model, TILTED, times, method=sq.Exact(), pulses=pulses)
    for name in ("spin", "covariance"):
        error = found[f"{name}_stderr"].values
        assert error.max() < 0.02
        difference = np.abs(found[name].values - exact[name].values)
        assert np.all(difference < 5 * error + 0.01), name


@pytest.mark.slow
@pytest.mark.parametrize("collective", [False, True], ids=["local", "collective"])
def test_outputs_between_nodes_have_their_share_of_the_noise(collective):
    """Nine outputs in a step or two: variances grow as the exact ones, not in stairs."""
    jump = (
        sq.CollectiveJump(2.0, vector=[0, 0, 1])
        if collective
        else sq.LocalJump(4.0, vector=[0, 1, 0])
    )
    model = sq.SpinModel(4, hamiltonian=[sq.UniformField([0, 0, 0.3])], jumps=[jump])
    times = np.linspace(0.0, 0.24, 9)
    found, exact = both(model, TILTED, times, n_trajectories=30000)
    steps = json.loads(found.attrs["diagnostics"])["n_steps"]
    assert steps <= 6
    error = found.covariance_stderr.values
    assert error.max() < 0.012
    assert np.all(np.abs(found.covariance.values - exact.covariance.values) < 5 * error + 0.01)


@pytest.mark.slow
def test_collective_jumps_that_differ_by_site():
    """Weights and phases by site, and one Hermitian jump: exact but for terms of order 1/N."""
    classes = [sq.SpinClass(6, weight=1.0), sq.SpinClass(6, weight=0.5)]
    model = sq.SpinModel(classes, jumps=[sq.CollectiveDecay(0.05)])
    found, exact = both(
        model, sq.CoherentState("+x"), [0.3, 0.8], n_trajectories=4000, reference=sq.Cumulants(6)
    )
    error = found.spin_stderr.values
    assert np.all(np.abs(found.spin.values - exact.spin.values) < 5 * error + 0.05)  # of 6
