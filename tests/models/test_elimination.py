"""Spins without their cavity against those with it: the faster it is, the less they differ."""

import warnings

import numpy as np
import pytest
from tests.problems.dense_evolution import steady_state
from tests.problems.dense_states import readings

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput

MINUS = np.array([1.0, -1.0j, 0.0])
LOCAL = [sq.LocalDecay(0.4), sq.LocalDephasing(0.3)]


def model(cavity, spins=2):
    hamiltonian = [sq.UniformField([0.3, -0.2, 0.5])]
    return sq.SpinModel(spins, hamiltonian=hamiltonian, jumps=LOCAL, cavity=cavity)


def scaled(speed, *, g, decay, detuning=0.0, drive=0.0, **options):
    """A cavity whose spins see the same for every speed."""
    return sq.Cavity(
        np.asarray(g) * np.sqrt(speed),
        decay_rate=decay * speed,
        detuning=detuning * speed,
        drive=drive * np.sqrt(speed),
        **options,
    )


def eliminated(kept):
    with pytest.warns(UserWarning, match="elimination"):
        return sq.eliminate_cavity(kept)


def errors(spins=2, speeds=(60, 240), levels=12, **options):
    """Of the mean spin and its covariance in the steady state, at each speed."""
    found = []
    for speed in speeds:
        kept = model(scaled(speed, **options), spins)
        n = kept.n_spins
        rho = steady_state(kept, levels).reshape(2**n, levels, 2**n, levels)
        right = readings(np.einsum("ikjk->ij", rho), n)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that the slow ones are doubtful
            alone = sq.eliminate_cavity(kept).model
        assert alone.cavity is None
        ours = readings(dense_steady_state(alone), n)
        found.append(max(abs(right[k] - ours[k]).max() for k in ("spin", "covariance")))
    return found


def dense_steady_state(alone):
    from tests.problems.dense_model import generators

    L = sum(strength * matrix for strength, matrix in generators(alone))
    values, vectors = np.linalg.eig(L)
    size = 2**alone.n_spins
    rho = vectors[:, np.argmin(abs(values))].reshape(size, size)
    return rho / np.trace(rho)


CASES = {
    "decay": {"g": 0.6 * MINUS, "decay": 1.0},
    "detuned": {"g": 0.6 * MINUS, "decay": 1.0, "detuning": 0.8},
    "driven and detuned": {"g": 0.5 * MINUS, "decay": 1.0, "detuning": -0.7, "drive": 0.4},
    "squeezed": {"g": 0.5 * MINUS, "decay": 1.0, "squeezing": 0.15},
    "squeezed with a phase, detuned": {
        "g": 0.5 * MINUS,
        "decay": 1.0,
        "squeezing": 0.15,
        "squeezing_phase": 1.1,
        "detuning": 0.6,
    },
    "warm, any vector, detuned": {
        "g": [0.3, 0.2 - 0.3j, 0.4j],
        "decay": 1.0,
        "thermal_occupation": 0.03,
        "detuning": 0.5,
    },
}


@pytest.mark.parametrize("case", CASES)
def test_the_difference_falls_as_the_cavity_gets_faster(case):
    slow, fast = errors(**CASES[case])
    assert fast < 0.02
    assert slow / fast > 3.0, (slow, fast)


def test_classes_and_further_reservoirs():
    weighted = [sq.SpinClass(1, weight=0.6), sq.SpinClass(1, weight=-1.1)]
    slow, fast = errors(spins=weighted, g=0.5 * MINUS, decay=1.0, detuning=0.7)
    assert fast < 0.02
    assert slow / fast > 3.0
    rows = np.array([0.4, 0.6j])[:, None] * MINUS
    slow, fast = errors(spins=[sq.SpinClass(1), sq.SpinClass(1)], g=rows, decay=1.0)
    assert slow / fast > 3.0


def test_known_limits():
    """Bad cavity and dispersive cavity (tucker2020), squeezed reservoir (groszkowski2022)."""
    g, kappa, detuning = 0.01, 2.0, 3.0
    alone = sq.eliminate_cavity(
        sq.SpinModel(10, cavity=sq.Cavity(g, decay_rate=kappa, detuning=detuning))
    ).model
    denominator = 4 * detuning**2 + kappa**2
    (decay,), (exchange,) = alone.jumps, alone.hamiltonian
    assert isinstance(decay, sq.CollectiveDecay)
    assert decay.rate == pytest.approx(4 * g**2 * kappa / denominator, rel=1e-14)
    assert isinstance(exchange, sq.CollectiveExchange)
    assert exchange.chi == pytest.approx(-4 * g**2 * detuning / denominator, rel=1e-14)

    r = 0.7
    squeezed = sq.Cavity(g, decay_rate=kappa, squeezing=r)
    (jump,) = sq.eliminate_cavity(sq.SpinModel(10, cavity=squeezed)).model.jumps
    same = sq.SpinModel(10, jumps=[sq.SqueezedCollectiveDecay(4 * g**2 / kappa, r=r)])
    vector = same.canonical.collective_jumps[0]
    ours = np.sqrt(jump.rate) * jump.vector
    theirs = np.sqrt(vector.rate) * vector.vectors
    np.testing.assert_allclose(np.outer(ours, ours.conj()), np.outer(theirs, theirs.conj()))

    dispersive = sq.Cavity(g, decay_rate=0.0, detuning=detuning)
    alone = sq.eliminate_cavity(sq.SpinModel(10, cavity=dispersive)).model
    assert not alone.jumps
    assert alone.hamiltonian[0].chi == pytest.approx(-(g**2) / detuning, rel=1e-14)


def test_ratios_and_what_they_say():
    found = sq.eliminate_cavity(
        sq.SpinModel(100, cavity=sq.Cavity(0.01, decay_rate=2.0, drive=0.02, detuning=1.0))
    )
    own = np.sqrt(2.0)
    assert found.coupling_ratio == pytest.approx(0.1 / own)
    assert found.detuning_ratio == pytest.approx(0.5)
    assert found.photon_number == pytest.approx((0.02 / own) ** 2)
    assert found.concerns == ()
    warm = sq.Cavity(0.01, decay_rate=2.0, thermal_occupation=0.3)
    assert sq.eliminate_cavity(sq.SpinModel(2, cavity=warm)).photon_number == pytest.approx(0.3)
    fast = eliminated(sq.SpinModel(100, cavity=sq.Cavity(0.2, decay_rate=2.0)))
    assert fast.speed_ratio == pytest.approx(100 * 4 * 0.04 / 2)
    assert "keep the cavity" in fast.concerns[0]


@pytest.mark.parametrize(
    ("hamiltonian", "jumps"),
    [
        ([sq.UniformField([0.0, 0.6, -0.8])], []),
        ([sq.CollectiveQuadratic(np.diag([0.004, 0.0, -0.01]))], []),
        ([], [sq.CollectiveJump(0.01, vector=[0.0, 1.0, 1.0j])]),
    ],
)
def test_every_term_of_the_spins_has_its_speed(hamiltonian, jumps):
    """100 spins that change at a rate of 1, beside a cavity that they hardly feel."""
    for own, doubtful in ((10.1, False), (9.9, True)):
        cavity = sq.Cavity(1e-6, decay_rate=2 * own)
        kept = sq.SpinModel(100, hamiltonian=hamiltonian, jumps=jumps, cavity=cavity)
        found = eliminated(kept) if doubtful else sq.eliminate_cavity(kept)
        assert found.speed_ratio == pytest.approx(1 / own)
        assert len(found.concerns) == doubtful


def test_envelopes_of_coupling_and_drive_are_followed():
    ramp = sq.Envelope([0.0, 1.0], values=[0.0, 0.02])
    cavity = sq.Cavity(ramp, decay_rate=50.0, drive=3.0, detuning=4.0)
    alone = sq.eliminate_cavity(sq.SpinModel(4, cavity=cavity)).model
    steady = [
        sq.eliminate_cavity(
            sq.SpinModel(
                4, cavity=sq.Cavity(float(ramp(t)), decay_rate=50.0, drive=3.0, detuning=4)
            )
        ).model
        for t in (0.3, 0.8)
    ]
    for t, at in zip((0.3, 0.8), steady, strict=True):
        assert float(alone.jumps[0].rate(t)) == pytest.approx(at.jumps[0].rate, rel=1e-7)
        fields = [m.canonical.fields for m in (alone, at)]
        driven = [sum(np.asarray(strength_at(f, t) * f.vectors) for f in fs) for fs in fields]
        np.testing.assert_allclose(*driven, rtol=1e-7, atol=1e-12)


def strength_at(field, t):
    return float(field.strength(t)) if isinstance(field.strength, sq.Envelope) else field.strength


@pytest.mark.parametrize(
    ("cavity", "message"),
    [
        (None, "model must be a SpinModel with a cavity"),
        (sq.Cavity(1.0, decay_rate=0.0), "cavity must decay or be detuned to rest"),
        (
            sq.Cavity(1.0, decay_rate=1.0, reservoirs=[sq.CavityReservoir(2.0, loss=0, gain=1)]),
            "cavity must lose more than it gains to rest, got kappa = -1",
        ),
        (
            sq.Cavity(
                1.0,
                decay_rate=1.0,
                detuning=1.0,
                reservoirs=[sq.CavityReservoir(1.0, loss=0, gain=1)],
            ),
            "cavity must lose more than it gains to rest, got kappa = 0",
        ),
        (
            sq.Cavity(1.0, decay_rate=sq.Envelope([0, 1], values=[1, 2])),
            "cavity must have a constant decay to come to rest",
        ),
        (
            sq.Cavity([MINUS, 2 * MINUS], decay_rate=1.0, detuning=1.0),
            "cavity.coupling must be one vector where the cavity is detuned",
        ),
    ],
)
def test_refusals(cavity, message):
    spins = [sq.SpinClass(1), sq.SpinClass(2)]
    with pytest.raises(InvalidInput, match=message):
        sq.eliminate_cavity(sq.SpinModel(spins, cavity=cavity))


def test_all_reservoirs_of_a_cavity_are_those_of_the_judge():
    """The canonical form of every option against the dense model; and through tables and back."""
    cavity = sq.Cavity(
        0.8,
        decay_rate=1.0,
        internal_decay_rate=0.3,
        squeezing=0.4,
        squeezing_phase=0.9,
        thermal_occupation=0.2,
        reservoirs=[{"rate": 0.5, "loss": [1.0, 0.4], "gain": 0.3}, sq.CavityReservoir(0.2)],
    )
    from spinsqueeze.models.tables import model_as_tables, model_from_tables

    kept = model(cavity, 1)
    again = model_from_tables(model_as_tables(kept))
    assert again.cavity == cavity
    first, second = kept.canonical.modes[0], again.canonical.modes[0]
    assert [vars(r) for r in first.reservoirs] == [vars(r) for r in second.reservoirs]
    from tests.problems import fock
    from tests.problems.brute_force import liouvillian, site_operators
    from tests.problems.dense_model import generators

    levels = 6
    s = np.array([fock.lifted(x, levels) for x in site_operators(1)])
    modes = fock.mode_operators(2, (levels,))
    ours = liouvillian(kept.canonical.per_spin(), s, 0.0, modes)
    right = sum(strength * matrix for strength, matrix in generators(kept, levels))
    np.testing.assert_allclose(ours, right.toarray(), atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"thermal_occupation": -0.1}, "thermal_occupation must be at least 0"),
        ({"reservoirs": "warm"}, "reservoirs must be a list of CavityReservoir"),
        ({"reservoirs": [{"loss": 1}]}, "reservoirs.0 must be a table of rate, loss and gain"),
        ({"reservoirs": [{"rate": -1.0}]}, "reservoirs.0.rate: must be at least 0"),
        (
            {"reservoirs": [{"rate": 1.0, "gain": "much"}]},
            "reservoirs.0.gain: must hold numbers only",
        ),
        ({"reservoirs": [{"rate": 1.0, "loss": 0}]}, "loss: and gain must not both be zero"),
        ({"reservoirs": [{"rate": 1.0, "gain": np.inf}]}, "must be one finite complex number"),
    ],
)
def test_reservoirs_are_checked(options, message):
    with pytest.raises(InvalidInput, match=message):
        sq.Cavity(1.0, decay_rate=1.0, **options)


def test_spins_that_decay_faster_than_the_cavity_are_a_concern():
    """Single-spin rates and couplings to neighbours count as speeds of the spins."""
    cavity = sq.Cavity(0.1, decay_rate=10.0)
    for terms in (
        {"jumps": [sq.LocalDecay(3.0)]},
        {"jumps": [sq.LocalDecay([3.0, 0.0, 0.1])]},
        {"hamiltonian": [sq.PairCoupling([[0, 3, 3], [3, 0, 0], [3, 0, 0]])]},
    ):
        model = sq.SpinModel(3, cavity=cavity, **terms)
        with pytest.warns(UserWarning, match="keep the cavity"):
            found = sq.eliminate_cavity(model)
        assert 0.25 < found.speed_ratio < 0.7
