"""One model written in two ways: alike spins and sites, vectors of jumps, axes of couplings."""

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base import paramagnet
from spinsqueeze.methods.perturbation import alike, alike_series, orders, sites
from spinsqueeze.models import interchangeable
from spinsqueeze.observables.moments import Moments
from spinsqueeze.observables.squeezing import squeezing
from spinsqueeze.run.questions import steady_question

LOWER = np.array([1, -1j, 0])
TERMS = [
    sq.CollectiveQuadratic([[0.13, 0.02, 0.04], [0.02, 0.06, -0.03], [0.04, -0.03, -0.3]]),
    sq.UniformField([0.05, -0.03, 0.5]),
]
MOMENTS = ("lower", "flips", "square", "number", "flips_squared", "mixed", "purity")


def form_of(terms, jumps, spins=4):
    return steady_question(sq.SpinModel(spins, hamiltonian=terms, jumps=jumps)).model


def test_alike_spins_are_sites():
    """States |j, m> and their copies against all configurations: every moment, and the purity."""
    form = form_of(TERMS, [sq.LocalDecay(1.0), sq.CollectiveDecay(0.3)], spins=3)
    for perturbed, order in (((), 4), (("couplings",), 2), (("detunings",), 2)):
        spaces = (
            alike.flip_space(3, interchangeable.at_peak(form), 2 * order, perturbed),
            sites.flip_space(form.per_spin(), 2 * order, perturbed),
        )
        few, every = (orders.read(space, orders.mixed_orders(space, order, 2)) for space in spaces)
        pure = [orders.read(space, orders.pure_orders(space, 2)) for space in spaces]
        for name in MOMENTS:
            for ours, theirs in ((few, every), pure):
                np.testing.assert_allclose(
                    getattr(ours, name), getattr(theirs, name), atol=1e-14, err_msg=name
                )
        if order == 4:  # single flips of pairs that decayed are there three times over
            assert abs(few.purity[4, 0]) > 1e-6


def test_the_vector_of_a_jump_is_a_rate_and_a_phase():
    """rate D[c.s] with c = f (1, -i, 0) is |f|^2 rate D[s_minus], in every path."""
    factor = 1.2 + 0.5j
    rate = 1 / abs(factor) ** 2
    vector = (factor * LOWER).tolist()
    plain = [sq.LocalDecay(1.0), sq.CollectiveDecay(0.3)]
    written = [sq.LocalJump(rate, vector=vector), sq.CollectiveJump(0.3 * rate, vector=vector)]
    sites_differ = [*TERMS, sq.SiteField([[0, 0, 0.1], [0, 0, 0.2]])]
    for terms, spins in ((TERMS, 4), (sites_differ, 2), (TERMS, sq.Lattice((4,)))):
        forms = [form_of(terms, jumps, spins) for jumps in (plain, written)]
        rates = [paramagnet.flip_operators(form).one_flip() for form in forms]
        np.testing.assert_allclose(rates[0], rates[1], atol=1e-14)
        if isinstance(spins, sq.Lattice):
            flows = [paramagnet._on_lattice(form, ()) for form in forms]
        else:
            flows = [paramagnet._of_kinds(form, ()) for form in forms]
        jacobians = [flow.jacobian(flow.down, 0.3) for flow in flows]
        np.testing.assert_allclose(jacobians[0], jacobians[1], atol=1e-14)
    np.testing.assert_allclose(
        *(_flat(paramagnet._alike(form_of(TERMS, jumps))) for jumps in (plain, written)), atol=1e-14
    )
    form, other = (form_of(sites_differ, jumps, 2) for jumps in (plain, written))
    spaces = [(sites.flip_space(f.per_spin(), 2), f) for f in (form, other)]
    np.testing.assert_allclose(*(_damping(space) for space, _ in spaces), atol=1e-14)
    form, other = (interchangeable.at_peak(form_of(TERMS, jumps)) for jumps in (plain, written))
    np.testing.assert_allclose(
        *(_damping(alike.flip_space(4, arrays, 2)) for arrays in (form, other)), atol=1e-14
    )
    np.testing.assert_allclose(
        *(alike_series._strengths(arrays) for arrays in (form, other)), atol=1e-14
    )


def test_couplings_of_x_and_y_are_those_of_x_minus_y_turned():
    """S_x S_y + S_y S_x alone flips pairs too."""
    turned = sq.CollectiveQuadratic([[0, 0.05, 0], [0.05, 0, 0], [0, 0, 0]])
    for jumps in ([sq.LocalDecay(1.0)], [sq.LocalDecay(1.0), sq.CollectiveDecay(0.2)]):
        one, other = (
            sq.Perturbation().answer(steady_question(sq.SpinModel(4, hamiltonian=[t], jumps=jumps)))
            for t in (sq.TwoAxisTwisting(0.05), turned)
        )
        for name in ("purity", "xi2", "total_spin_squared"):
            ours, theirs = (_values(answer)[name] for answer in (one, other))
            assert ours == pytest.approx(theirs, abs=1e-13)
        assert _values(one)["xi2"] < 0.95


def _flat(found):
    (together, apart, drive) = found
    return [*together, *apart, drive]


def _damping(space):
    """sum L†L."""
    return sum(jump.conj().T @ jump for jump in space.jumps).toarray()


def _values(answer):
    spin, covariance = (answer.readings[name].values for name in ("spin", "second"))
    moments = Moments(n_spins=4, spin=spin, covariance=covariance)
    return {"purity": answer.readings["purity"].values[0]} | {
        name: values[0] for name, values in squeezing(moments).values.items()
    }


def test_the_series_of_xi2_sums_up_to_it():
    """Fields and couplings of every sort: off by the next order, as xi2 of the moments is."""
    gaps = []
    for size in (0.005, 0.01):
        tensor = size * np.array([[0.6, 0.3, 0.4], [0.3, -0.4, 0.3], [0.4, 0.3, 0.0]])
        terms = [
            sq.CollectiveQuadratic(tensor + np.diag([0.1, 0.1, -0.3])),
            sq.UniformField([0.6 * size, -0.5 * size, 0.5]),
        ]
        jumps = [sq.LocalDecay(1.0), sq.CollectiveDecay(0.2)]
        model = sq.SpinModel(4, hamiltonian=terms, jumps=jumps)
        found = sq.Perturbation(3).answer(steady_question(model))
        series = [float(c) for c in found.diagnostics["xi2_series"].split(", ")]
        gaps.append(abs(sum(series) - _values(found)["xi2"]))
    assert np.log2(gaps[1] / gaps[0]) > 3.5


def test_a_field_that_couplings_undo_drives_nothing():
    """All-down feels x + 2 Q_xz (N - 1) (-1/2): at x = (N - 1) Q_xz it rests, at minus that not."""
    for sign, drives in ((1, False), (-1, True)):
        terms = [
            sq.CollectiveQuadratic([[0.3, 0, 0.2], [0, 1.9, 0], [0.2, 0, -0.4]]),
            sq.UniformField([0.6 * sign, 0.0, 0.7]),
        ]
        ring = form_of(terms, [sq.LocalDecay(0.3)], sq.Lattice((4,)))
        assert paramagnet._driven(paramagnet._on_lattice(ring, ())) == drives
        alike_spins = form_of(terms, [sq.LocalDecay(0.3)])
        assert (abs(paramagnet._alike(alike_spins)[2]) > 1e-12) == drives
        strengths = [
            paramagnet.mean_field_instability(form).strength for form in (ring, alike_spins)
        ]
        assert strengths[0] == pytest.approx(strengths[1], rel=1e-6)
