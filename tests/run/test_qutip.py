"""States and models to qutip and back; qutip's own evolution of them beside ours."""

import sys

import numpy as np
import pytest
from tests.problems.dense_model import total_spin

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput, TooLarge, Unsupported
from spinsqueeze.core.plain import same

qutip = pytest.importorskip("qutip")

rng = np.random.default_rng(5)
N = 4
TIMES = np.array([0.0, 0.3, 0.7])
UP_X = sq.CoherentState("+x")
LATTICE = sq.SpinModel(
    sq.Lattice((2, 2), boundary="open", spacing=(1.0, 1.3)),
    hamiltonian=[
        sq.PowerLawXYZ(j_x=1.0, j_y=-0.4, j_z=0.3, exponent=3),
        sq.SiteField(rng.normal(size=(N, 3))),
        sq.OneAxisTwisting(chi=0.2, axis="y"),
    ],
    jumps=[
        sq.LocalDecay([0.1, 0.2, 0.3, 0.4]),
        sq.LocalJump(0.3, vector=[1.0, 1j, 0.5]),
        sq.CollectiveJump(0.2, vector=[1.0, 0.3j, 0.0]),
    ],
)
COLLECTIVE = sq.SpinModel(
    N,
    hamiltonian=[
        sq.TwoAxisTwisting(chi=0.7),
        sq.PowerLawXXZ(j_perp=0.3, j_z=0.9, exponent=0),
        sq.Drive(sq.Envelope([0.0, 0.4, 1.0], values=[0.0, 1.0, 0.2])),
    ],
    jumps=[sq.SqueezedCollectiveDecay(sq.Envelope([0.0, 1.0], values=[0.4, 0.1]), r=0.3)],
)


def random_ket(size):
    psi = rng.normal(size=size) + 1j * rng.normal(size=size)
    return psi / np.linalg.norm(psi)


def block_state():
    mixed = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=[sq.LocalDecay(0.5)])
    return sq.final_state(
        sq.simulate(mixed, UP_X, TIMES, method="permutation_invariant", keep_state=True)
    )


@pytest.mark.parametrize(
    ("model", "basis"), [(LATTICE, None), (COLLECTIVE, "spins"), (COLLECTIVE, None)]
)
def test_qutip_moves_the_model_as_we_do(model, basis):
    ours = sq.to_qutip(model, basis=basis)
    dicke = model is COLLECTIVE and basis != "spins"
    start = (
        sq.to_qutip(UP_X, n_spins=N)
        if dicke
        else sq.to_qutip(sq.ProductState(np.tile([1.0, 0.0, 0.0], (N, 1))))
    )
    spin = (
        qutip.jmat(N / 2)
        if dicke
        else [qutip.Qobj(s, dims=start.dims[:1] * 2) for s in total_spin(N)]
    )
    options = {"atol": 1e-10, "rtol": 1e-8, "max_step": 0.05}
    moved = qutip.mesolve(
        ours.hamiltonian, start, TIMES, list(ours.jumps), e_ops=list(spin), options=options
    )
    data = sq.simulate(model, UP_X, TIMES, method="exact")
    np.testing.assert_allclose(data["spin"].values.T, moved.expect, atol=2e-7)


def test_a_model_comes_back_with_the_same_operators():
    back = sq.from_qutip(sq.to_qutip(LATTICE), unit="Hz")
    assert back.unit == "Hz"
    there = sq.to_qutip(back)
    want = sq.to_qutip(LATTICE)
    shift = (want.hamiltonian - there.hamiltonian).full()
    np.testing.assert_allclose(shift, shift[0, 0] * np.eye(2**N), atol=1e-12)
    assert sum(isinstance(j, sq.LocalJump) for j in back.jumps) == 2

    def dissipator(jumps):
        return sum(qutip.lindblad_dissipator(c) for c in jumps).full()

    np.testing.assert_allclose(dissipator(there.jumps), dissipator(want.jumps), atol=1e-12)


@pytest.mark.parametrize(
    "state",
    [
        sq.SymmetricState(random_ket(N + 1)),
        sq.StateVector(random_ket(2**N)),
        block_state(),
    ],
    ids=["symmetric", "vector", "block"],
)
def test_states_come_back_to_the_last_bit(state):
    n = N if isinstance(state, sq.BlockState) else None
    back = sq.from_qutip(sq.to_qutip(state), n_spins=n)
    assert type(back) is type(state)
    assert same(back.as_dict(), state.as_dict())


def test_states_mean_the_same_in_qutip():
    from qutip.piqs.piqs import Dicke, jspin

    directions = rng.normal(size=(N, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    product = sq.to_qutip(sq.ProductState(directions))
    for i, d in enumerate(directions):
        one = product.ptrace(i)
        found = [qutip.expect(s, one) for s in (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz())]
        np.testing.assert_allclose(found, d, atol=1e-12)
    dicke = sq.to_qutip(sq.DickeState(1, axis="y"), n_spins=N)
    assert qutip.expect(qutip.jmat(N / 2, "y"), dicke) == pytest.approx(1.0)
    block = block_state()
    jz = jspin(N, "z")
    m, p = sq.spin_distribution(block, axis="+z")
    assert qutip.expect(jz, sq.to_qutip(block)) == pytest.approx(p @ m)
    assert Dicke(N).liouvillian().shape[0] == sq.to_qutip(block).shape[0] ** 2


def test_a_model_without_collapse_operators_comes_back_closed():
    model = sq.SpinModel(N, hamiltonian=[sq.TwoAxisTwisting(chi=0.7), sq.Drive(0.4)])
    there = sq.to_qutip(model, basis="spins")
    assert there.jumps == ()
    size = there.hamiltonian.shape[0]
    for subject in (
        there,
        (there.hamiltonian, []),
        [there.hamiltonian, ()],
        (there.hamiltonian, [0 * there.hamiltonian]),
    ):
        back = sq.from_qutip(subject)
        assert back.jumps == ()
        shift = (there.hamiltonian - sq.to_qutip(back, basis="spins").hamiltonian).full()
        np.testing.assert_allclose(shift, shift[0, 0] * np.eye(size), atol=1e-12)
    runs = [sq.simulate(m, UP_X, TIMES, method="exact")["spin"].values for m in (model, back)]
    np.testing.assert_allclose(*runs, atol=1e-12)
    still = sq.from_qutip((0 * there.hamiltonian, []))
    assert (still.hamiltonian, still.jumps) == ((), ())


@pytest.mark.parametrize(
    "state",
    [
        sq.CoherentState([0.6, 0.48, 0.64]),
        sq.DickeState(1, axis="y"),
        sq.SymmetricState(random_ket(N + 1)),
    ],
)
def test_a_state_is_the_same_in_both_bases(state):
    """Amplitudes on 2^N are overlaps of the Dicke levels, by powers of S_- in qutip."""
    ours = sq.to_qutip(state, n_spins=N, basis="spins")
    levels = sq.to_qutip(state, n_spins=N, basis="dicke").full()[:, 0]
    assert ours.dims[0] == sq.to_qutip(LATTICE).hamiltonian.dims[0]
    minus = qutip.Qobj(total_spin(N)[0] - 1j * total_spin(N)[1], dims=[ours.dims[0]] * 2)
    level = qutip.tensor([qutip.basis(2, 0)] * N)
    want = 0 * level
    for amplitude in levels:
        want += amplitude * level
        level = (minus * level).unit() if (minus * level).norm() > 0 else level
    np.testing.assert_allclose(ours.full(), want.full(), atol=1e-12)


@pytest.mark.parametrize("basis", ["dicke", "spins"])
def test_a_pulse_is_its_rotation(basis):
    """An echo in qutip, piece by piece, beside ours."""
    twist = sq.SpinModel(N, hamiltonian=[sq.OneAxisTwisting(0.8), sq.UniformField([0, 0, 1.3])])
    pulse = sq.Pulse(0.3, axis=[0.6, 0.0, 0.8], angle=2.1)
    ours = sq.simulate(twist, UP_X, [0.7], pulses=[pulse], method="exact")["spin"].values[0]
    move = sq.to_qutip(twist, basis=basis).hamiltonian
    turn = sq.to_qutip(pulse, n_spins=N, basis=basis)
    psi = sq.to_qutip(UP_X, n_spins=N, basis=basis)
    psi = (-0.4j * move).expm() * turn * (-0.3j * move).expm() * psi
    spin = qutip.jmat(N / 2) if basis == "dicke" else total_spin(N)
    spin = [qutip.Qobj(s.full() if basis == "dicke" else s, dims=turn.dims) for s in spin]
    np.testing.assert_allclose([qutip.expect(s, psi) for s in spin], ours, atol=1e-10)


def test_a_pulse_of_some_sites_turns_them_alone():
    turn = sq.to_qutip(sq.Pulse(0.0, axis="+x", angle=np.pi, sites=[2]), n_spins=3)
    up = qutip.basis(2, 0)
    turned = turn * qutip.tensor(up, up, up)
    z = [qutip.expect(qutip.sigmaz(), turned.ptrace(i)) for i in range(3)]
    np.testing.assert_allclose(z, [1, 1, -1], atol=1e-12)


def test_density_matrices_become_blocks():
    ket = sq.SymmetricState(random_ket(N + 1))
    density = sq.to_qutip(ket).proj()
    block = sq.from_qutip(density, n_spins=N)
    assert sq.von_neumann_entropy(block) == pytest.approx(0.0, abs=1e-12)
    mixed = qutip.tensor([0.7 * qutip.basis(2, 0).proj() + 0.3 * qutip.basis(2, 1).proj()] * 3)
    block = sq.from_qutip(mixed)
    single = -0.7 * np.log(0.7) - 0.3 * np.log(0.3)
    assert sq.von_neumann_entropy(block) == pytest.approx(3 * single)
    assert sq.spin_distribution(block, axis="+z")[1] == pytest.approx([0.343, 0.441, 0.189, 0.027])


TURN = sq.Pulse(0.0, axis="+x", angle=np.pi)
Z, ONE = qutip.sigmaz(), qutip.qeye(2)
MINUS = qutip.sigmam()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: sq.to_qutip(3),
            InvalidInput,
            "subject must be a SpinModel, a state or a Pulse, got 3",
        ),
        (lambda: sq.to_qutip(UP_X), InvalidInput, "n_spins must be given with a CoherentState"),
        (
            lambda: sq.to_qutip(sq.SpinModel(15, jumps=[sq.LocalDecay(1.0)])),
            TooLarge,
            r"2\^N of 15 spins are too large; 14 are the limit, with basis='dicke' 2000 where",
        ),
        (lambda: sq.to_qutip(LATTICE, basis="dicke"), InvalidInput, "basis must be 'spins'"),
        (
            lambda: sq.to_qutip(sq.SpinModel(3, cavity=sq.Cavity([1, 0, 0], decay_rate=1.0))),
            InvalidInput,
            "a model of spins alone",
        ),
        (
            lambda: sq.to_qutip(sq.Envelope([0.0, 1.0], values=[0.0, 1.0])),
            InvalidInput,
            "an envelope goes with the term whose strength it is, in a model$",
        ),
        (
            lambda: sq.to_qutip(sq.Study(LATTICE, initial_state=UP_X, times=TIMES)),
            InvalidInput,
            r"give its parts: to_qutip\(study.model\)",
        ),
        (lambda: sq.to_qutip(TURN), InvalidInput, "^n_spins must be given with a Pulse"),
        (
            lambda: sq.to_qutip(sq.Pulse(0.0, axis="x", angle=1.0, sites=[3]), n_spins=3),
            InvalidInput,
            "^n_spins must be above the sites of the pulse, up to 3, got 3$",
        ),
        (
            lambda: sq.to_qutip(
                sq.Pulse(0.0, axis="x", angle=1.0, sites=[0]), n_spins=3, basis="dicke"
            ),
            InvalidInput,
            "^basis must be 'spins': the pulse turns some sites only$",
        ),
        (
            lambda: sq.to_qutip(sq.Pulse(0.0, axis="x", angle=1.0, spin_class=0), n_spins=3),
            InvalidInput,
            "not of a spin_class; name sites$",
        ),
        (lambda: sq.to_qutip(TURN, n_spins=3000), TooLarge, "at most 2000 spins"),
        (lambda: sq.from_qutip(sq.to_qutip(COLLECTIVE)), InvalidInput, "must not depend on time"),
        (
            lambda: sq.from_qutip(([qutip.tensor(Z, Z), [qutip.tensor(Z, ONE), np.sin]], [])),
            InvalidInput,
            "must not depend on time, got a QobjEvo or a list",
        ),
        (
            lambda: sq.from_qutip((qutip.tensor(Z, Z), None)),
            InvalidInput,
            r"with \[\] where there are none, got",
        ),
        (
            lambda: sq.to_qutip(sq.ProductState([[1.0, 0.0, 0.0]] * 3), basis="dicke"),
            InvalidInput,
            "^basis must be 'spins' or left out with a ProductState",
        ),
        (
            lambda: sq.to_qutip(block_state(), basis="spins"),
            InvalidInput,
            "^basis must be left out with a BlockState",
        ),
        (
            lambda: sq.from_qutip(qutip.tensor(Z, Z), []),
            InvalidInput,
            r"got 2 arguments; write from_qutip\(\(hamiltonian, \[collapse operators\]\)\)",
        ),
        (lambda: sq.from_qutip(3), InvalidInput, r"must be a Qobj, or \(hamiltonian"),
        (lambda: sq.from_qutip(qutip.basis(3, 0).proj()), InvalidInput, "n_spins must be given"),
        (
            lambda: sq.from_qutip(qutip.tensor(qutip.basis(2, 0), qutip.basis(2, 1)).proj()),
            InvalidInput,
            "permutation invariant, but exchanging spins 0 and 1 changes it",
        ),
        (
            lambda: sq.from_qutip((qutip.tensor(Z, Z, Z), [])),
            InvalidInput,
            "more spins meet in a term",
        ),
        (
            lambda: sq.from_qutip(
                (
                    qutip.tensor(qutip.sigmax(), qutip.sigmay())
                    - qutip.tensor(qutip.sigmay(), qutip.sigmax()),
                    [],
                )
            ),
            InvalidInput,
            "symmetric couplings",
        ),
        (
            lambda: sq.from_qutip((qutip.tensor(Z, Z), [qutip.tensor(MINUS, MINUS)])),
            InvalidInput,
            r"subject\[1\]\[0\] must be a sum of operators of one spin",
        ),
        (
            lambda: sq.from_qutip((qutip.jmat(1, "z"), [])),
            InvalidInput,
            r"operators on N spins 1/2, got .* only to_qutip\(model, basis='spins'\) comes back$",
        ),
    ],
)
def test_what_has_no_counterpart_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_qutip_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)
    with pytest.raises(Unsupported, match=r"pip install 'spinsqueeze\[qutip\]'"):
        sq.to_qutip(UP_X, n_spins=3)
