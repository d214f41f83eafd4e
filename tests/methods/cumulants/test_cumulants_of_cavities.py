"""Cumulants with a cavity: their flow against matrices on spins x Fock, and runs against these."""

import dataclasses
from itertools import combinations_with_replacement
from math import comb

import numpy as np
import pytest
from scipy.linalg import expm
from tests.methods.cumulants import hierarchy
from tests.methods.cumulants.test_cumulants_flow import coefficients_of
from tests.problems import fock
from tests.problems.catalogue import Problem
from tests.problems.dense_evolution import evolve
from tests.problems.dense_model import generators
from tests.problems.dense_states import readings

import spinsqueeze as sq
from spinsqueeze.methods.cumulants.evolve import sizes_of
from spinsqueeze.methods.cumulants.flow import flow
from spinsqueeze.methods.cumulants.integrate import equations_of
from spinsqueeze.methods.cumulants.jacobian import jacobian
from spinsqueeze.methods.cumulants.mode_tables import mode_tables
from spinsqueeze.methods.cumulants.tables import tables_of
from spinsqueeze.models.modes import steady_state

LEVELS, HELD = 9, 3
CAVITY = sq.Cavity(
    [0.6, 0.2 - 0.5j, 0.3j],
    decay_rate=0.9,
    detuning=0.7,
    drive=0.4,
    squeezing=0.3,
    squeezing_phase=0.8,
    thermal_occupation=0.2,
    reservoirs=[{"rate": 0.3, "loss": [0.2, 0.5], "gain": 0.4}],
)


def cavity_model(counts, cavity=CAVITY):
    spins = [
        sq.SpinClass(n, weight=w, detuning=0.3 * w)
        for n, w in zip(counts, (0.8, -1.2), strict=False)
    ]
    return sq.SpinModel(
        spins if len(counts) > 1 else counts[0],
        hamiltonian=[sq.OneAxisTwisting(0.5, axis="x"), sq.UniformField([0.2, 0.3, -0.4])],
        jumps=[sq.CollectiveDecay(0.3), sq.LocalDecay(0.2)],
        cavity=cavity,
    )


def equations(model, order):
    form = model.canonical
    tables = [*tables_of(form), *mode_tables(form)]
    return equations_of(tables, counts=form.counts, order=order, n_modes=1)


def normal_ordered(r, s):
    """:r^p s^q: with a = r + i s, on the Fock levels."""
    a = fock.annihilation(LEVELS)
    out = np.zeros((LEVELS, LEVELS), dtype=complex)
    for k in range(r + 1):
        for m in range(s + 1):
            # r = (a + a†)/2, s = (a - a†)/(2i); a† to the left
            factor = comb(r, k) * comb(s, m) * (-1) ** (s - m) / 2**r / (2j) ** s
            lowered = np.linalg.matrix_power(a, k + m)
            raised = np.linalg.matrix_power(a.conj().T, r - k + s - m)
            out += factor * raised @ lowered
    return out


def names(counts, order):
    """Sorted tuples of variables: three a kind, then r and s, which are of no spin."""
    n = 3 * len(counts)
    return [
        name
        for degree in range(order + 1)
        for name in combinations_with_replacement(range(n + 2), degree)
        if all(sum(u // 3 == kind for u in name if u < n) <= c for kind, c in enumerate(counts))
    ]


def means(rho, counts, order):
    n = 3 * len(counts)
    out = {}
    for name in names(counts, order):
        spins = hierarchy.operator(tuple(u for u in name if u < n), counts)
        field = normal_ordered(name.count(n), name.count(n + 1))
        out[name] = np.trace(np.kron(spins, field) @ rho).real
    return out


def random_state(counts, rng):
    """A mixture of products, the spins of a kind alike; the mode holds few photons."""
    n = int(np.sum(counts))
    rho = 0.0
    for share in rng.dirichlet(np.ones(4)):
        factors = []
        for count in counts:
            a = rng.normal(size=(2, 2)) + 1j * rng.normal(size=(2, 2))
            factors += [a @ a.conj().T / np.linalg.norm(a) ** 2] * count
        psi = np.zeros((LEVELS, HELD), dtype=complex)
        psi[:HELD] = rng.normal(size=(HELD, HELD)) + 1j * rng.normal(size=(HELD, HELD))
        mode = psi @ psi.conj().T / np.linalg.norm(psi) ** 2
        whole = np.ones((1, 1))
        for factor in (*factors, mode):
            whole = np.kron(whole, factor)
        rho = rho + share * whole
    assert rho.shape[0] == 2**n * LEVELS
    return rho


@pytest.mark.parametrize(
    ("counts", "order"), [((1,), 1), ((3,), 1), ((3,), 2), ((2, 1), 2), ((2,), 3)]
)
def test_the_flow_is_that_of_a_random_state(counts, order):
    """Degrees up to order - 1 of a state whose cumulants up to the order are all there."""
    model = cavity_model(counts)
    rng = np.random.default_rng([5, order, *counts])
    rho = random_state(counts, rng)
    change = sum(f * matrix for f, matrix in generators(model, LEVELS)) @ rho.ravel()
    top = order + 1
    now, rate = means(rho, counts, top), means(change.reshape(rho.shape), counts, top)
    code = equations(model, top)
    p = coefficients_of(hierarchy.cumulants_of(now), code.series)
    out = np.empty_like(p)
    flow(p, code.strengths[0][0], code.structure, out)
    step = 1e-30
    moved = hierarchy.cumulants_of({n: now[n] + 1j * step * rate[n] for n in now})
    right = coefficients_of({n: np.imag(v) / step for n, v in moved.items()}, code.series)
    below = code.series.sizes[top]
    assert np.abs(right[:below]).max() > 0.1
    np.testing.assert_allclose(out[:below], right[:below], atol=1e-11)


@pytest.mark.parametrize(("counts", "order"), [((3,), 1), ((3,), 3), ((2, 1), 2)])
def test_the_jacobian_is_the_derivative_of_the_flow(counts, order):
    code = equations(cavity_model(counts), order)
    p = 0.3 * np.random.default_rng(order).normal(size=len(code.series.exponents))

    def rate(values):
        out = np.empty_like(values)
        flow(values, code.strengths[0][0], code.structure, out)
        return out

    exact = jacobian(p, code.strengths[0][0], code)
    h = 1e-5
    for k in range(1, len(p)):
        moved = h * np.eye(len(p))[k]
        numeric = (rate(p + moved) - rate(p - moved)) / (2 * h)
        np.testing.assert_allclose(exact[:, k], numeric, atol=1e-8)


def test_sizes_of_coefficients():
    """Powers of N that they have in a state, and what no state has."""
    code = equations(cavity_model((20,)), 3)
    photons = 1e6 * 20
    sizes = {
        (0, 0, 0, 0, 0): (20, np.inf),
        (1, 0, 0, 0, 0): (1, 10 / 2),
        (1, 1, 0, 0, 0): (1 / 20, 10 * 2 / 4),
        (2, 0, 0, 0, 0): (1 / 20, 10 * 2 / 4 / 2),
        (1, 1, 1, 0, 0): (1 / 400, 10 * 6 / 8),
        (0, 3, 0, 0, 0): (1 / 400, 10 * 6 / 8 / 6),
        (0, 0, 0, 1, 0): (20**0.5, photons**0.5),
        (0, 0, 0, 1, 1): (1, 1e6),
        (0, 0, 0, 0, 2): (1, 1e6),
        (0, 0, 0, 2, 1): (20**-0.5, np.inf),
        (1, 0, 0, 1, 0): (20**-0.5, np.inf),
    }
    rows = [tuple(int(d) for d in row) for row in code.series.exponents]
    for name, expected in sizes.items():
        assert sizes_of(code)[:, rows.index(name)] == pytest.approx(expected), name
    code = equations(cavity_model((4, 9)), 2)
    rows = [tuple(int(d) for d in row) for row in code.series.exponents]
    for name, expected in (((1, 0, 0, 0), 1), ((1, 0, 0, 1), 13 / 36), ((1, 1, 0, 0), 13 / 16)):
        place = rows.index((*name, 0, 0, 0, 0))
        assert sizes_of(code)[0, place] == pytest.approx(expected)


TIMES = np.array([0.0, 0.15, 0.4])
LOSSY = sq.Cavity(
    [0.5, 0.1 - 0.4j, 0.2j],
    decay_rate=1.5,
    detuning=0.7,
    drive=0.2,
    squeezing=0.2,
    squeezing_phase=0.8,
    initial=sq.CavityState(coherent=0.2 - 0.1j, thermal=0.05, squeezing=0.1, phase=0.4),
)


def gaussian_on_fock(state, levels):
    """D S rho_thermal S† D†, the squeezing as b -> cosh b - exp(i phase) sinh b†."""
    a = fock.annihilation(levels)
    up = a.conj().T
    r, phase = state.squeezing, np.exp(1j * state.phase)
    squeeze = expm(r / 2 * (np.conj(phase) * a @ a - phase * up @ up))
    move = expm(state.coherent * up - np.conj(state.coherent) * a)
    warm = fock.thermal(levels, state.thermal) if state.thermal else fock.vacuum(levels)
    whole = move @ squeeze
    return whole @ warm @ whole.conj().T


def right_readings(model, state, times, levels=14):
    """By exponentials on spins x Fock."""
    mode = gaussian_on_fock(model.cavity.initial, 40)[:levels, :levels]
    a = fock.annihilation(levels)
    quadratures = [(a + a.conj().T) / 2, (a - a.conj().T) / 2j]
    n = model.n_spins
    out = []
    for rho in evolve(Problem("cavity", model, state, {}, times=times), mode):
        field = fock.mode_part(rho, n)
        mean = np.array([np.trace(q @ field).real for q in quadratures])
        second = [
            [np.trace((p @ q + q @ p) / 2 @ field).real for q in quadratures] for p in quadratures
        ]
        spins = readings(fock.spin_part(rho, n), n)
        photons = np.trace(a.conj().T @ a @ field).real
        out.append(
            {
                **spins,
                "photon_number": photons,
                "field": mean,
                "field_covariance": second - np.outer(mean, mean),
            }
        )
    return out


@pytest.mark.parametrize("n", [1, 2])
def test_higher_orders_come_to_the_exact_answer(n):
    """One or two spins and a mode with all it may have: orders 2, 4, 6."""
    model = sq.SpinModel(n, hamiltonian=[sq.UniformField([0.2, 0.1, 0.3])], cavity=LOSSY)
    state = sq.CoherentState([0.6, 0.0, 0.8])
    right = right_readings(model, state, TIMES)
    errors = []
    for order in (2, 4, 6):
        data = sq.simulate(model, state, TIMES, method=sq.Cumulants(order, next_order=False))
        gaps = [
            np.abs(data[name].values[k] - np.asarray(reading[name])).max()
            for k, reading in enumerate(right)
            for name in ("spin", "covariance", "photon_number", "field", "field_covariance")
        ]
        errors.append(max(gaps))
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 10
    assert errors[2] < errors[1] / 5


def test_the_next_order_measures_the_error_of_the_field_too():
    model = sq.SpinModel(2, cavity=LOSSY)
    state = sq.CoherentState([0.6, 0.0, 0.8])
    right = right_readings(model, state, TIMES)
    data = sq.simulate(model, state, TIMES, method=sq.Cumulants(3))
    for name in ("spin", "photon_number", "field", "field_covariance"):
        error = np.abs(data[name].values[2] - right[2][name]).max()
        claimed = data[f"{name}_truncation"].values[2].max()
        assert 0.2 * error < claimed < 20 * error, name
    assert data.attrs["error_kind"] == "truncation"
    assert data["field"].dims == ("time", "quadrature")
    assert data["quadrature"].values.tolist() == ["re", "im"]


def test_orders_beyond_the_number_of_spins_are_followed_with_a_mode():
    model = sq.SpinModel(1, cavity=sq.Cavity(0.8, decay_rate=0.0))
    data = sq.simulate(model, sq.CoherentState("+z"), TIMES, method=sq.Cumulants(3))
    assert '"order": 3' in data.attrs["diagnostics"]
    assert data.attrs["error_kind"] == "truncation"


@pytest.mark.parametrize("method", [sq.MeanField(), sq.Cumulants(2), sq.Cumulants(4)])
def test_an_empty_cavity_is_gaussian_in_every_order(method):
    """Spins down in a cavity that they do not feel: all orders give the rest of the mode."""
    cavity = sq.Cavity(
        1e-9, decay_rate=1.0, detuning=0.4, drive=0.3, squeezing=0.5, thermal_occupation=0.3
    )
    model = sq.SpinModel(3, cavity=cavity, jumps=[sq.LocalDecay(1.0)])
    steady = sq.steady_state(model, initial_state=sq.CoherentState("-z"), method=method)
    rest = steady_state(model.canonical.modes[0], drive=0.3)
    np.testing.assert_allclose(
        steady["field"], [rest.amplitude.real, rest.amplitude.imag], atol=1e-8
    )
    if isinstance(method, sq.MeanField):
        return
    fluctuations = float(steady["photon_number"]) - abs(rest.amplitude) ** 2
    assert fluctuations == pytest.approx(rest.photons, abs=1e-8)
    at_rest = sq.SpinModel(3, cavity=dataclasses.replace(cavity, initial="steady"))
    stays = sq.simulate(at_rest, sq.CoherentState("-z"), TIMES, method=method)
    for name in ("field", "field_covariance"):
        np.testing.assert_allclose(stays[name].values[2], steady[name].values, atol=1e-7)


def test_a_fast_cavity_is_its_elimination():
    """N = 500: squeezing with the cavity comes to that without it as 1/kappa."""
    gaps = []
    for speed in (300.0, 1200.0):
        kept = sq.SpinModel(
            500,
            jumps=[sq.LocalDephasing(0.02)],
            cavity=sq.Cavity(0.02 * np.sqrt(speed), decay_rate=speed, detuning=3.0 * speed),
        )
        alone = sq.eliminate_cavity(kept).model
        times = np.linspace(0.0, 6.0, 7)
        method = sq.Cumulants(3, next_order=False)
        first, second = (
            sq.simulate(m, sq.CoherentState("+x"), times, method=method)["xi2"]
            for m in (kept, alone)
        )
        assert float(second.min()) < 0.97
        gaps.append(float(np.abs(first - second).max()))
    assert gaps[1] < gaps[0] / 3
    assert gaps[1] < 1e-4


def test_pulses_and_envelopes_and_classes_with_a_cavity():
    ramp = sq.Envelope([0.0, 0.2, 0.4], values=[0.2, 0.9, 0.4])
    spins = [sq.SpinClass(1, weight=0.7), sq.SpinClass(1, detuning=0.5)]
    cavity = sq.Cavity(
        ramp, decay_rate=ramp, detuning=0.3, drive=ramp, initial=sq.CavityState(coherent=0.1)
    )
    model = sq.SpinModel(spins, cavity=cavity)
    state = sq.CoherentState([0.0, 0.6, 0.8])
    pulses = [sq.Pulse(0.2, axis="y", angle=0.7, spin_class=1)]
    problem = Problem("cavity", model, state, {}, times=TIMES, pulses=tuple(pulses))
    mode = gaussian_on_fock(cavity.initial, 40)[:10, :10]
    rho = evolve(problem, mode)[2]
    data = sq.simulate(model, state, TIMES, pulses=pulses, method=sq.Cumulants(6))
    right = readings(fock.spin_part(rho, 2), 2)["spin"]
    np.testing.assert_allclose(data["spin"].values[2], right, atol=2e-5)


@pytest.mark.parametrize(
    ("initial", "message"),
    [
        ("empty", "initial must be 'vacuum', 'steady' or a CavityState, got 'empty'"),
        (np.zeros(3), r"initial must be 'vacuum', 'steady' or a CavityState, got"),
        ({"coherant": 1.0}, "initial has no key 'coherant'; did you mean 'coherent'"),
        ({"thermal": -1.0}, "initial.thermal: must be at least 0, got -1"),
        ({"coherent": "much"}, "initial.coherent: must hold numbers only"),
    ],
)
def test_initial_states_of_a_mode_are_checked(initial, message):
    with pytest.raises(sq.InvalidInput, match=message):
        sq.Cavity(1.0, decay_rate=1.0, initial=initial)
    table = sq.Cavity(1.0, decay_rate=1.0, initial={"coherent": [0.1, 0.2], "thermal": 0.3})
    assert table.initial == sq.CavityState(coherent=0.1 + 0.2j, thermal=0.3)
    assert sq.Cavity(**table.as_dict()) == table


def test_a_mode_that_rests_at_first_rests_with_the_drive_of_time_zero():
    ramp = sq.Envelope([0.0, 1.0], values=[0.4, 0.9])
    cavity = sq.Cavity(1.0, decay_rate=1.0, detuning=0.5, drive=ramp, initial="steady")
    (mode,) = sq.SpinModel(2, cavity=cavity).canonical.modes
    assert mode.initial.amplitude == pytest.approx(-0.4j / (0.5 + 0.5j))


def test_a_field_that_grows_for_ever_ends_the_run_soon():
    gain = sq.CavityReservoir(90.0, loss=0.0, gain=1.0)
    cavity = sq.Cavity(0.1, decay_rate=5.0, reservoirs=[gain])
    model = sq.SpinModel(20, hamiltonian=[sq.Drive(1.0)], jumps=[sq.LocalDecay(0.2)], cavity=cavity)
    with pytest.raises(sq.NumericalFailure, match="no bounded solution"):
        sq.simulate(model, sq.CoherentState("-z"), [5.0], method=sq.Cumulants(2))
