"""Written equations: each against the derivative of moments of a dense state, and as text."""

import numpy as np
import pytest
from tests.problems.brute_force import flow, site_operators

import spinsqueeze as sq
from spinsqueeze.methods.cumulants.written import derive
from spinsqueeze.run.equations import _named_tables

ALIKE = sq.SpinModel(
    4,
    hamiltonian=[sq.CollectiveExchange(0.7), sq.Drive(-0.4), sq.OneAxisTwisting(0.5, axis="x"),
                 sq.UniformField([0.1, 0.2, 0.3])],
    jumps=[sq.CollectiveDecay(0.3), sq.LocalDecay(0.2), sq.SqueezedCollectiveDecay(0.1, r=0.4)],
)  # fmt: skip
CLASSES = sq.SpinModel(
    [sq.SpinClass(2, detuning=0.3), sq.SpinClass(2, weight=-0.5)],
    hamiltonian=[sq.TwoAxisTwisting(0.7), sq.SiteField([[0.1, 0, 0.2], [0, 0.3, 0]])],
    jumps=[sq.CollectiveDecay(0.3), sq.LocalDephasing([0.1, 0.4])],
)


def values_of(model):
    """Label of each parameter -> its value, as the equations name them."""
    if model is ALIKE:
        return {"chi_collective_exchange": 0.7, "rabi": -0.4, "chi_one_axis_twisting": 0.5, "": 1.0,
                "rate_collective_decay": 0.3, "rate_local_decay": 0.2,
                "rate_squeezed_collective_decay": 0.1}  # fmt: skip
    return {"chi": 0.7, "": 1.0, "rate": 0.3, "detuning_0": 0.3}


def symmetric_state(model, seed):
    """A density matrix that exchanging spins of a kind leaves unchanged."""
    rng = np.random.default_rng(seed)
    rho = 0
    for _ in range(3):
        singles = []
        for count in model.canonical.counts:
            bloch = rng.normal(size=3)
            bloch *= rng.uniform() / np.linalg.norm(bloch)
            s = site_operators(1)[0]
            singles += [np.eye(2) / 2 + np.einsum("a,aij->ij", bloch, s)] * int(count)
        product = np.ones((1, 1))
        for single in singles:
            product = np.kron(product, single)
        rho = rho + product / 3
    return rho


def moment(rho, n, counts):
    """<product of distinct spins>: of each kind the first free ones."""
    s = site_operators(int(np.sum(counts)))
    operator, start = np.eye(len(rho)), 0
    for kind, count in enumerate(counts):
        site = start
        for axis in range(3):
            for _ in range(n[3 * kind + axis]):
                operator = operator @ s[site, axis]
                site += 1
        assert site <= start + count
        start += count
    return np.trace(operator @ rho).real


@pytest.mark.parametrize("model", [ALIKE, CLASSES], ids=["alike", "classes"])
def test_equations_are_those_of_the_master_equation(model):
    counts = model.canonical.counts.tolist()
    rho = symmetric_state(model, 3)
    rate = flow(model.canonical, site_operators(4), 0.0, rho)
    values = values_of(model)
    n_checked = 0
    for equation in derive(_named_tables(model), n_kinds=len(counts), order=2):
        by_kind = [sum(equation.moment[3 * k : 3 * k + 3]) for k in range(len(counts))]
        if any(d > c for d, c in zip(by_kind, counts, strict=True)):
            continue
        total = 0.0
        for p in equation.products:
            others = 1.0 if p.kind is None else counts[p.kind] - p.below
            if others:
                total += p.factor * values[p.parameter] * others * moment(rho, p.moment, counts)
        assert total == pytest.approx(moment(rate, equation.moment, counts), abs=1e-13)
        n_checked += 1
    assert n_checked == {1: 9, 2: 27}[len(counts)]


def test_equations_as_text_and_latex():
    model = sq.SpinModel(100, hamiltonian=[sq.OneAxisTwisting(0.3)], jumps=[sq.LocalDephasing(0.1)])
    written = sq.equations(model, order=1)
    assert written.text.splitlines() == [
        "d<x>/dt = - rate <x> - 2 chi (N - 1) <yz>",
        "d<y>/dt = - rate <y> + 2 chi (N - 1) <xz>",
        "d<z>/dt = 0",
    ]
    assert str(written).endswith(
        "degree 2 follow from the lower ones: their joint cumulant is zero."
    )
    assert r"2 \chi (N - 1) \langle s^x s^z \rangle" in written.latex
    assert written.latex.startswith(r"\begin{align}")


def test_equations_refuse():
    with pytest.raises(sq.InvalidInput, match=r"^model must be a SpinModel, got 3"):
        sq.equations(3)
    with pytest.raises(sq.InvalidInput, match=r"^order must be at most 4, got 5"):
        sq.equations(ALIKE, order=5)
    chain = sq.SpinModel(sq.Lattice(4), hamiltonian=[sq.PowerLawXXZ(j_perp=1, j_z=0.5, exponent=3)])
    with pytest.raises(sq.Unsupported, match="has couplings that depend on the pair of spins"):
        sq.equations(chain)
    cavity = sq.SpinModel(4, cavity=sq.Cavity(0.1, decay_rate=1.0))
    with pytest.raises(sq.Unsupported, match="has a cavity"):
        sq.equations(cavity)
