import numpy as np
import pytest
from tests.methods.dtwa.dtwa_models import (
    brute_field,
    circulant,
    nearest,
    pair_tensors,
    random_dense,
)

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.kernels import AllToAllKernel
from spinsqueeze.methods.dtwa.couplings import lower
from spinsqueeze.methods.dtwa.engine import engine_of
from spinsqueeze.methods.dtwa.machine_code.switch import Transform
from spinsqueeze.methods.dtwa.windows import Window, strengths_at
from spinsqueeze.models.canonical import Canonical, Field, Pair, Quadratic
from spinsqueeze.models.kinds import one_each

RNG = np.random.default_rng(11)
TENSOR = np.array([[0.3, -0.2, 0.5], [-0.2, 1.1, 0.4], [0.5, 0.4, -0.7]])
XXZ = np.diag([2.0, 2.0, -2.0])
ISING = np.diag([0.0, 0.0, 1.3])
HOLES_12 = np.array([True] * 7 + [False, True, False, True, True])
HOLES_45 = RNG.random((4, 5)) < 0.7
HOLES_342 = RNG.random((3, 4, 2)) < 0.7


def lattice(kernel, tensor=XXZ, **more):
    return Canonical(one_each(kernel.n_spins), pairs=(Pair(0.8, tensor, kernel),), **more)


MODELS = {
    "periodic 1d": lattice(circulant((12,), 1.5)),
    "periodic 2d": lattice(circulant((4, 6), 3.0)),
    "periodic 3d": lattice(circulant((3, 4, 2), 3.0), TENSOR),
    "odd grid, ising": lattice(circulant((5, 3), 3.0), ISING),
    "sides of seven": lattice(circulant((7, 14), 3.0)),
    "open 1d": lattice(circulant((12,), 1.5, (False,)), TENSOR),
    "open 2d": lattice(circulant((4, 5), 3.0, (False, False))),
    "cylinder": lattice(circulant((4, 5), 3.0, (False, True))),
    "open 3d": lattice(circulant((3, 4, 2), 6.0, (False,) * 3), ISING),
    "holes 1d": lattice(circulant((12,), 1.0, None, HOLES_12)),
    "holes 2d open": lattice(circulant((4, 5), 1.0, (False, False), HOLES_45), TENSOR),
    "holes 3d": lattice(circulant((3, 4, 2), 1.0, None, HOLES_342)),
    "nearest periodic": lattice(nearest((4, 6), (True, True))),
    "nearest mixed": lattice(nearest((4, 6), (True, False)), TENSOR),
    "nearest open": lattice(nearest((3, 4, 2), (False,) * 3)),
    "nearest one wide": lattice(nearest((1, 6), (False, True))),
    "nearest holes": lattice(nearest((4, 5), (True, False), HOLES_45)),
    "dense": lattice(random_dense(9, 2), TENSOR),
    "all to all": lattice(AllToAllKernel(7), TENSOR),
    "quadratic": Canonical(
        one_each(6), quadratics=(Quadratic(0.4, TENSOR), Quadratic(-0.3, ISING))
    ),
    "weights": Canonical(
        one_each(6), quadratics=(Quadratic(0.4, TENSOR, RNG.normal(size=6)),),
        pairs=(Pair(1.0, XXZ, AllToAllKernel(6)),),
    ),
    "fields": Canonical(
        one_each(5),
        fields=(Field(0.7, np.array([1.0, 2.0, -3.0])), Field(2.0, RNG.normal(size=(5, 3))),
                Field(-1.0, RNG.normal(size=(5, 3))))
    ),
    "empty": Canonical(one_each(4)),
    "one spin": Canonical(one_each(1), quadratics=(Quadratic(3.0, TENSOR),),
                          fields=(Field(1.0, np.array([0.0, 0.2, 1.0])),)),
    "everything": Canonical(
        one_each(24),
        fields=(Field(0.7, np.array([1.0, 2.0, -3.0])), Field(2.0, RNG.normal(size=(24, 3)))),
        quadratics=(Quadratic(0.05, TENSOR),),
        pairs=(
            Pair(0.8, XXZ, circulant((4, 6), 3.0)), Pair(-0.4, ISING, circulant((4, 6), 3.0)),
            Pair(0.2, TENSOR, circulant((4, 6), 1.0)), Pair(0.3, TENSOR, nearest((4, 6), (1, 0))),
            Pair(1.0, XXZ, random_dense(24, 5)), Pair(0.1, ISING, AllToAllKernel(24)),
        ),
    ),
    "everything with holes": Canonical(
        one_each(int(HOLES_45.sum())),
        fields=(Field(2.0, RNG.normal(size=(int(HOLES_45.sum()), 3))),),
        quadratics=(Quadratic(0.05, TENSOR, RNG.normal(size=int(HOLES_45.sum()))),),
        pairs=(
            Pair(0.8, XXZ, circulant((4, 5), 3.0, None, HOLES_45)),
            Pair(0.3, TENSOR, nearest((4, 5), (True, True), HOLES_45)),
            Pair(1.0, XXZ, random_dense(int(HOLES_45.sum()), 5)),
        ),
    ),
}  # fmt: skip


CASES = [(name, 4, "float64") for name in MODELS]
CASES += [("periodic 2d", 1, "float64"), ("odd grid, ising", 3, "float64")]
CASES += [(name, 16, "float64") for name, model in MODELS.items() if model.pairs]
CASES += [("periodic 2d", 8, "float64"), ("everything with holes", 24, "float64")]
CASES += [(name, 4, "float32") for name in ("everything", "open 2d", "weights")]
CASES += [(name, n, "float32") for name in ("everything", "open 2d") for n in (16, 32, 48)]


@pytest.mark.parametrize(("name", "batch", "dtype"), CASES)
def test_slope_is_field_cross_spin(name, batch, dtype):
    model = MODELS[name]
    sigma = RNG.choice([-1.0, 1.0], size=(batch, 3, model.n_spins))
    slope = engine_of(lower(model), dtype=dtype, batch=batch).slope(sigma, time=0.0)
    field = brute_field(model, sigma)
    error = np.abs(slope - np.cross(field, sigma, axis=1)).max() / (1.0 + np.abs(field).max())
    assert error < (2e-14 if dtype == "float64" else 2e-6)


@pytest.mark.parametrize("name", ["everything", "everything with holes", "fields", "weights"])
def test_energy_lengths_and_sums_at_one_time(name):
    model = MODELS[name]
    sigma = RNG.choice([-1.0, 1.0], size=(4, 3, model.n_spins))
    sigma[2, 1, 0] = 2.0
    J, b = pair_tensors(model)
    engine = engine_of(lower(model), dtype="float64", batch=4)
    window = Window(0.0, 1.0, (), np.empty(0, int), True)
    edge = engine.edge(engine.load(sigma), strengths_at(engine.couplings, window, np.array(0.5)))
    energy = np.einsum("sai,ijab,sbj->s", sigma, J, sigma) / 8
    energy = energy + np.einsum("sai,ia->s", sigma, b) / 2
    assert np.allclose(edge.energy, energy, atol=1e-12 * (1 + np.abs(energy).max()))
    assert np.allclose(edge.sums, sigma.sum(axis=2), atol=1e-12)
    assert edge.length_drift == pytest.approx(1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_lie_side_by_side_for_the_machine_code_alone(dtype):
    import jax

    if jax.default_backend() != "cpu":
        pytest.skip("vector lanes serve CPUs alone")

    def engine(name, batch):
        return engine_of(lower(MODELS[name]), dtype=dtype, batch=batch)

    chosen = engine("periodic 2d", 16)
    assert chosen.transform == Transform("machine_code", "")
    assert chosen.plan.side_by_side
    for name, batch, transform, reason in [
        ("periodic 2d", 4, "jax", "batches of 4 samples do not fill vectors of"),
        ("sides of seven", 16, "jax", "7 x 14, have prime factors beyond 2, 3 and 5"),
        ("dense", 16, "none", "no coupling of this model is a convolution"),
    ]:
        other = engine(name, batch)
        assert not other.plan.side_by_side
        assert other.transform.name == transform
        assert reason in other.transform.reason


def test_terms_of_one_kernel_share_its_transforms():
    plan = lower(MODELS["everything"]).plan
    kinds = [k.kind for k in plan.kernels]
    assert kinds == ["collective", "circulant", "circulant", "stencil", "dense"]


def test_exponent_zero_is_a_collective_quadratic():
    chi, n = 0.3, 12
    on_grid = Canonical(one_each(n), pairs=(Pair(2 * chi, ISING, circulant((n,), 0.0)),))
    collective = Canonical(one_each(n), quadratics=(Quadratic(chi, ISING),))
    sigma = RNG.choice([-1.0, 1.0], size=(3, 3, n))
    assert np.allclose(brute_field(on_grid, sigma), brute_field(collective, sigma), atol=1e-13)


def test_grids_must_agree():
    model = Canonical(
        one_each(24),
        pairs=(Pair(1.0, XXZ, circulant((4, 6), 3.0)), Pair(1.0, XXZ, circulant((24,), 3.0))),
    )
    with pytest.raises(InvalidInput, match=r"share one grid .* \(4, 6\) and \(24,\)"):
        lower(model)
