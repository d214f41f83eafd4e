"""Against the full space, in the numbers of states, and in how the truncation shows."""

import itertools

import numpy as np
import pytest
from tests.problems.brute_force import hamiltonian, site_operators

import spinsqueeze as sq
from spinsqueeze.methods.truncated_shells import blocks, evolution, lanczos
from spinsqueeze.methods.truncated_shells.coefficients import magnetic_factor
from spinsqueeze.methods.truncated_shells.method import TRUSTED
from spinsqueeze.methods.truncated_shells.parts import parts_of
from spinsqueeze.methods.truncated_shells.subsets import (
    all_subsets,
    estimated_orbits,
    orbits_of_subsets,
    rank,
)
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.results.dataset import warnings_of
from spinsqueeze.run.choice import default_method
from spinsqueeze.run.questions import evolve_question

TIMES = np.linspace(0.0, 2.0, 6)
X = sq.CoherentState("+x")


def random_kernel(rng, n):
    kernel = np.triu(rng.normal(size=(n, n)), 1)
    return kernel + kernel.T


def lattice(shape, j_z, *, exponent=3.0, boundary="periodic"):
    term = sq.PowerLawXXZ(j_perp=1.0, j_z=j_z, exponent=exponent)
    return sq.SpinModel(sq.Lattice(shape, boundary=boundary), hamiltonian=[term])


def shells(model, n_shells, times=TIMES, state=X, **options):
    method = sq.TruncatedShells(n_shells, tolerance=1e-11)
    return sq.simulate(model, state, times, method=method, **options)


def deviation(model, state=X, times=TIMES, pulses=()):
    """The largest difference of any moment, all shells against all amplitudes."""
    exact = sq.simulate(model, state, times, method=sq.Exact(tolerance=1e-12), pulses=pulses)
    ours = shells(model, 12, times, state, pulses=pulses)
    assert ours["shell_population"].sum("j").values == pytest.approx(1.0, abs=1e-12)
    assert np.nanmax(ours["xi2_truncation"].values) == 0
    return max(np.abs(exact[v].values - ours[v].values).max() for v in ("spin", "covariance"))


@pytest.mark.parametrize("j_z", [-1.0, 0.5, 3.0])
@pytest.mark.parametrize("exponent", [0.0, 3.0, 6.0, np.inf])
@pytest.mark.parametrize("boundary", ["periodic", "open"])
def test_all_shells_are_exact_on_3_by_3(boundary, exponent, j_z):
    assert deviation(lattice((3, 3), j_z, exponent=exponent, boundary=boundary)) < 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("j_z", [-1.0, 3.0])
@pytest.mark.parametrize("exponent", [3.0, 6.0, np.inf])
@pytest.mark.parametrize("boundary", ["periodic", "open"])
def test_all_shells_are_exact_on_4_by_4(boundary, exponent, j_z):
    """Eight flips of sixteen: M = 0, where rank 2 between S and S - 1 cannot be read off."""
    assert deviation(lattice((4, 4), j_z, exponent=exponent, boundary=boundary)) < 1e-9


TENSORS = {"z": [0.7, 0.7, -0.4], "x": [-0.2, 0.7, 0.7], "y": [0.7, 0.2, 0.7]}


@pytest.mark.parametrize("axis", TENSORS)
@pytest.mark.parametrize("n", [2, 5, 6, 7, 8])
def test_all_shells_are_exact_for_any_couplings(n, axis):
    """Two kernels, a twisting, fields of sites, and a direction off every axis; with pulses."""
    rng = np.random.default_rng(n)
    unit = np.eye(3)["xyz".index(axis)]
    terms = [
        sq.PairCoupling(random_kernel(rng, n), tensor=np.diag(TENSORS[axis])),
        sq.PairCoupling(random_kernel(rng, n), tensor=np.diag(0.4 + 0.5 * unit)),
        sq.OneAxisTwisting(0.3, axis=axis),
        sq.PairCoupling(np.ones((n, n)) - np.eye(n), tensor=np.diag(0.1 + 0.2 * unit)),
    ]
    direction = rng.normal(size=3)
    state = sq.CoherentState(direction / np.linalg.norm(direction))
    pulses = [
        sq.Pulse(0.0, axis="+y", angle=0.3),
        sq.Pulse(0.7, axis=[0.6, 0.0, 0.8], angle=1.1),
        sq.Pulse(1.2, axis="+x", angle=-0.4),
    ]
    for fields in (
        [],
        [sq.UniformField(0.8 * unit)],
        [sq.SiteField(np.outer(rng.normal(size=n), unit))],
    ):
        model = sq.SpinModel(n, hamiltonian=[*terms, *fields])
        assert deviation(model, state) < 1e-9
        assert deviation(model, sq.DickeState(n / 2 - 1, axis="y"), pulses=pulses) < 1e-9


def test_weights_of_classes_are_couplings():
    spins = [sq.SpinClass(3, weight=0.5, detuning=0.3), sq.SpinClass(4, weight=1.3)]
    assert deviation(sq.SpinModel(spins, hamiltonian=[sq.OneAxisTwisting(0.6)])) < 1e-9


def test_a_field_of_sites_alone():
    field = sq.SiteField(np.outer(np.linspace(-1, 1, 6), [0, 0, 1]))
    assert deviation(sq.SpinModel(6, hamiltonian=[field])) < 1e-9


def test_vacancies_and_symmetric_amplitudes():
    amplitudes = np.random.default_rng(4).normal(size=(8, 2)) @ [1, 1j]
    state = sq.SymmetricState(amplitudes / np.linalg.norm(amplitudes))
    model = sq.SpinModel(
        sq.Lattice((3, 3), vacancies=(0, 4)),
        hamiltonian=[sq.PowerLawXXZ(j_perp=1.0, j_z=-0.4, exponent=3.0)],
    )
    assert deviation(model, state) < 1e-9


def test_populations_are_those_of_the_full_space():
    """Projectors on total spin from S^2 on 2^N."""
    model, n = lattice((2, 3), -0.7, boundary="open"), 6
    data = shells(model, 3)
    s = site_operators(n).sum(axis=0)
    values, vectors = np.linalg.eigh(sum(x @ x for x in s))
    energies, modes = np.linalg.eigh(hamiltonian(model.canonical, site_operators(n), 0.0))
    up = np.linalg.eigh(s[0])[1][:, -1]
    for k, t in enumerate(TIMES):
        psi = modes @ (np.exp(-1j * energies * t) * (modes.conj().T @ up))
        weight = np.abs(vectors.conj().T @ psi) ** 2
        for spin in (3, 2, 1, 0):
            expected = weight[np.abs(values - spin * (spin + 1)) < 1e-6].sum()
            found = data["shell_population"].sel(j=spin).values[k]
            assert found == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("boundary", ["periodic", "open"])
def test_more_shells_come_closer(boundary):
    model, times = lattice((4, 3), 0.2, boundary=boundary), np.linspace(0.0, 0.6, 7)
    exact = shells(model, 6, times)
    errors = [np.abs(shells(model, n, times).xi2 - exact.xi2).max().item() for n in (2, 3, 4, 5)]
    # Odd shells hold next to nothing on a lattice: only every second one helps.
    assert all(after < 0.1 * before for before, after in zip(errors, errors[2:], strict=False))
    assert errors[1] < errors[0]


@pytest.mark.parametrize(
    ("shape", "counts"),
    [((4, 4), (2, 4, 6, 8)), pytest.param((5, 5), (2, 4, 6), marks=pytest.mark.slow)],
)
def test_even_shells_approach_the_exact_state(shape, counts):
    """Tenfold closer with every two shells; eight on 4 x 4 are all."""
    model, times = lattice(shape, 0.2), np.linspace(0.0, 0.4, 5)
    exact = sq.simulate(model, X, times, method=sq.Exact(tolerance=1e-10))
    errors = []
    for n in counts:
        data = shells(model, n, times)
        assert data["shell_population"].sum("j").values == pytest.approx(1.0, abs=1e-10)
        errors.append(float(np.abs(data["xi2"].values - exact["xi2"].values).max()))
    assert all(after < 0.1 * before for before, after in itertools.pairwise(errors))
    assert errors[1] < 1e-3
    assert shape != (4, 4) or errors[-1] < 1e-9


def test_7_by_7_has_the_states_of_the_paper():
    """627 symmetric states of four flips; 211 876 without symmetry (perlin2020, about N^4)."""
    parts = parts_of(lattice((7, 7), 0.0).canonical)
    found = blocks.shell_blocks(parts.couplings, 4)
    assert found.sizes == (1, 0, 8, 54, 564)
    assert sum(found.sizes) == 627
    assert estimated_orbits(49, 4, parts.couplings.generators()) == pytest.approx(627, rel=0.25)


@pytest.mark.parametrize("size", [0, 1, 3, 4])
def test_subsets_are_numbered_in_order(size):
    subsets = all_subsets(7, size)
    np.testing.assert_array_equal(rank(subsets, 7), np.arange(len(subsets)))
    assert len({tuple(s) for s in subsets.tolist()}) == len(subsets)


def test_orbits_are_counted_by_the_lemma_of_burnside():
    """A ring of six: necklaces that may be turned over."""
    move = np.roll(np.arange(6), 1)
    found = [orbits_of_subsets(6, k, [move, np.arange(6)[::-1]]) for k in range(4)]
    assert [len(o) for o in found] == [1, 1, 3, 3]
    assert all(o.sizes.sum() == len(all_subsets(6, k)) for k, o in enumerate(found))
    assert estimated_orbits(6, 3, []) == 20
    assert estimated_orbits(6, 3, [move, np.arange(6)[::-1]]) == 3


def test_subsets_beyond_any_memory_are_refused_before_they_are_numbered():
    model = sq.SpinModel(
        sq.Lattice((20, 20)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=1.9, exponent=3.0)]
    )
    with pytest.raises(sq.TooLarge, match="fewer shells need less"):
        sq.simulate(model, X, TIMES, method=sq.TruncatedShells(12))


@pytest.mark.parametrize("spin", [2.5, 3.0, 4.0])
def test_factors_are_those_of_tensors_between_two_total_spins(spin):
    """s_1^z of two spins, and s_1^z s_2^z, by explicit coupling: ratios over M."""
    a, b = spin_matrices(spin - 1), spin_matrices(1.0)
    one, two = np.eye(len(a[0])), np.eye(3)
    s1, s2 = [np.kron(x, two) for x in a], [np.kron(one, x) for x in b]
    total = [x + y for x, y in zip(s1, s2, strict=True)]
    square, m_operator = sum(x @ x for x in total), total[2]
    values, vectors = np.linalg.eigh(square + 1e-3 * m_operator)
    tensors = {1: s1[2], 2: 3 * s1[2] @ s2[2] - sum(x @ y for x, y in zip(s1, s2, strict=True))}
    for tensor_rank, tensor in tensors.items():
        elements = np.abs(vectors.conj().T @ tensor @ vectors)
        for step in range(tensor_rank + 1):
            ratios = []
            for m in np.arange(-(spin - step), spin - step + 0.5):
                i, j = (
                    int(np.argmin(np.abs(values - s * (s + 1) - 1e-3 * m)))
                    for s in (spin, spin - step)
                )
                factor = abs(magnetic_factor(tensor_rank, spin, step, np.array([m]))[0])
                if factor < 1e-9:
                    assert elements[i, j] < 1e-9
                else:
                    ratios.append(elements[i, j] / factor)
            assert np.ptp(ratios) < 1e-9
            assert ratios[0] > 1e-3


def test_long_evolutions_take_several_krylov_spaces():
    rng = np.random.default_rng(7)
    matrices = rng.normal(size=(3, 40, 40))
    matrices = matrices + matrices.transpose(0, 2, 1)
    start = rng.normal(size=(3, 40)) + 1j * rng.normal(size=(3, 40))
    start /= np.linalg.norm(start, axis=1)[:, None]
    times = np.array([0.0, 0.1, 2.0, 2.0, 5.0])
    weights = np.array([0.6, 0.0, 0.8])
    kept = {}

    def emit(first, rows):
        kept.update({first + k: row for k, row in enumerate(rows)})

    error, products = lanczos.evolve(
        lambda rows: np.einsum("cij,cj->ci", matrices, rows),
        start, times, weights=weights, tolerance=1e-9, most_steps=20, emit=emit,
    )  # fmt: skip
    assert products > 40
    assert sorted(kept) == list(range(5))
    for k, t in enumerate(times):
        for c in (0, 2):
            energies, modes = np.linalg.eigh(matrices[c])
            expected = modes @ (np.exp(-1j * energies * t) * (modes.T @ start[c]))
            assert np.linalg.norm(kept[k][c] - expected) < error < 2e-9


def test_blocks_are_kept_from_strength_to_strength():
    blocks.shell_blocks.cache_clear()
    for j_z in (-0.5, 0.3, 0.7):
        shells(lattice((3, 3), j_z), 3)
    assert (
        blocks.shell_blocks.cache_info().misses == 2
    )  # those of the run, and two shells for trust


def test_a_full_last_shell_is_said():
    times = np.linspace(0.0, 2.0, 21)
    data = shells(lattice((4, 4), -2.0), 4, times)
    top = data["shell_population"].sel(j=4).max().item()
    assert top > TRUSTED
    (said,) = warnings_of(data)
    assert said.startswith("domain: the last shells, S = N/2 - 3 and N/2 - 4, hold up to")
    assert not warnings_of(shells(lattice((4, 4), 0.9), 4, times))
    # The last shell of three stays nearly empty where the one before it leaks.
    odd = shells(lattice((4, 4), -2.0), 3, times)
    populations = odd["shell_population"].max("time").sel(j=[6, 5]).values
    assert populations[1] < TRUSTED < populations[0]
    (said,) = warnings_of(odd)
    assert f"hold up to {populations[0]:.2g} of the state" in said


@pytest.mark.parametrize("n_shells", [2, 3, 4])
@pytest.mark.parametrize(("shape", "boundary"), [((3, 4), "periodic"), ((10,), "open")])
def test_the_truncation_is_claimed(shape, boundary, n_shells):
    for j_z in (-0.5, 0.7, 1.4):
        model = lattice(shape, j_z, boundary=boundary)
        check_claim(model, n_shells, np.linspace(0.0, 2.0, 21) / abs(j_z - 1))


def check_claim(model, n_shells, times):
    """Where the last two shells have never held more than 0.1."""
    exact = shells(model, model.n_spins // 2, times)
    data = shells(model, n_shells, times)
    last = data["shell_population"].values[:, n_shells - 1 : n_shells + 1].max(axis=1)
    trusted = np.maximum.accumulate(last) < TRUSTED
    for name in ("xi2", "spin", "covariance", "contrast", "total_spin_squared"):
        error = np.abs(data[name].values - exact[name].values)[trusted]
        claim = data[f"{name}_truncation"].values[trusted]
        scale = model.n_spins ** {"covariance": 2, "total_spin_squared": 2, "spin": 1}.get(name, 0)
        assert np.all(error <= claim + 1e-9 * scale), (name, n_shells)


def reasons(model, state=X, pulses=(), n_shells=4):
    question = evolve_question(model, state, [1.0], pulses=pulses)
    return sq.TruncatedShells(n_shells).judge(question).reasons


def test_refusals():
    tilted = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0), sq.UniformField([0.1, 0, 0])])
    assert "the magnetisation along x, y or z must be conserved" in reasons(tilted)[0]
    ramp = sq.Envelope([0.0, 1.0], values=[0.0, 1.0])
    ramped = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(ramp)])
    assert "a strength with an envelope; it takes constant ones" in reasons(ramped)
    model = lattice((2, 2), 0.5)
    some = [sq.Pulse(0.5, axis="+x", angle=1.0, sites=[0])]
    assert "a pulse that turns some of the spins leads out of" in reasons(model, pulses=some)[0]
    state = sq.ProductState(np.eye(3)[[0, 1, 2, 0]])
    assert reasons(model, state) == ("ProductState is not in the symmetric subspace",)
    assert reasons(lattice((33, 32), 0.5)) == ("N = 1056 spins that differ; N = 1024 is the limit",)
    (large,) = reasons(lattice((16, 16), 0.5))
    assert "fewer shells need less" in large
    assert not reasons(lattice((16, 16), 0.5), n_shells=2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"n_shells": 1}, "n_shells must be at least 2"),
        ({"n_shells": 13}, "n_shells must be at most 12"),
        ({"tolerance": 1.0}, "tolerance must be at most"),
    ],
)
def test_options_are_checked(options, said):
    with pytest.raises(sq.InvalidInput, match=said):
        sq.TruncatedShells(**options)


def test_trust_depends_on_the_question():
    for model, rank_of_trust in (
        (lattice((3, 3), 0.5), 0),
        (lattice((4, 4), 0.5), 2),
        (sq.SpinModel(100, hamiltonian=[sq.OneAxisTwisting(0.1)]), 0),
    ):
        question = evolve_question(model, X, [1.0])
        assert sq.TruncatedShells(4).trust(question).rank == rank_of_trust


@pytest.mark.parametrize(
    ("j_z", "rank_of_trust"), [(-1.5, 4), (-0.5, 4), (0.25, 2), (1.4, 2), (2.0, 4)]
)
def test_what_will_leak_is_not_trusted(j_z, rank_of_trust):
    """Before the run, from two shells; after it by the population of the last shell."""
    model, times = lattice((6, 5), j_z), np.linspace(0.0, 1.6, 9) / abs(j_z - 1)
    method = sq.TruncatedShells(4)
    assert method.trust(evolve_question(model, X, times)).rank == rank_of_trust
    assert bool(warnings_of(shells(model, 4, times))) == (rank_of_trust == 4)
    chosen = default_method(evolve_question(model, X, times))
    assert isinstance(chosen, sq.TruncatedShells if rank_of_trust == 2 else sq.DTWA)


def test_collective_models_of_many_spins():
    model = sq.SpinModel(400, hamiltonian=[sq.OneAxisTwisting(1e-3), sq.UniformField([0, 0, 2.0])])
    ours, closed = (
        sq.simulate(model, X, [0.0, 3.0, 30.0], method=m)
        for m in (sq.TruncatedShells(4), sq.ClosedForm())
    )
    np.testing.assert_allclose(ours.xi2, closed.xi2, rtol=1e-8)


def test_a_collective_coupling_shifts_the_shells():
    """S_x^2 + S_y^2 differs between shells, which the other couplings mix."""
    collective = sq.CollectiveQuadratic(np.diag([0.4, 0.4, 0.9]))
    pairs = sq.PowerLawXXZ(j_perp=1.0, j_z=-1.0, exponent=3.0)
    model = sq.SpinModel(sq.Lattice((2, 3)), hamiltonian=[pairs, collective])
    assert deviation(model) < 1e-9


def test_errors_of_stretches_add_up_in_the_claim(monkeypatch):
    model, pulse = lattice((2, 3), 0.5), sq.Pulse(1.1, axis="+y", angle=0.3)
    plain = shells(model, 3, pulses=pulse).attrs["numerical_error"]
    original = evolution.lanczos.evolve

    def worse(*arguments, **options):
        error, products = original(*arguments, **options)
        return error + 1e-3, products

    monkeypatch.setattr(evolution.lanczos, "evolve", worse)
    raised = shells(model, 3, pulses=pulse).attrs["numerical_error"] - plain
    # of the state, in both stretches; of the mean spin twice that, in units of sqrt(N)/2
    assert raised == pytest.approx(2 * 1e-3 * 2 * np.sqrt(6), rel=0.2)
