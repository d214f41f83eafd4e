"""squeezing_theorem against linear response of dense Liouvillians, steady states, and the paper."""

import json

import numpy as np
import pytest
from tests.problems import brute_force

import spinsqueeze as sq
from spinsqueeze.methods.base.flip_operators import flip_operators
from spinsqueeze.numerics import flip_amplitudes
from spinsqueeze.run import theorem

DECAY = [sq.LocalDecay(1.0)]


def general(n, seed):
    """Couplings, fields and rates that differ from site to site, phases in a collective jump."""
    rng = np.random.default_rng(seed)

    def pairs(tensor):
        matrix = rng.normal(size=(n, n))
        return sq.PairCoupling(np.triu(matrix, 1) + np.triu(matrix, 1).T, tensor=tensor)

    phases = np.exp(1j * rng.uniform(0, 6, n))[:, None] * np.array([1, -1j, 0])
    return sq.SpinModel(
        n,
        hamiltonian=[
            pairs([[1, 0, 0], [0, 1, 0], [0, 0, -0.4]]),
            pairs([[0.3, 0.5, 0.2], [0.5, -0.1, -0.3], [0.2, -0.3, 0.2]]),
            sq.SiteField(rng.normal(size=(n, 3))),
        ],
        jumps=[
            sq.LocalDecay(rng.uniform(0.2, 1.0, n)),
            sq.CollectiveJump(0.3, vector=phases),
            sq.CollectiveDecay(0.2),
        ],
    )


CLASSES = sq.SpinModel(
    [sq.SpinClass(2, detuning=0.3), sq.SpinClass(1, weight=-0.5), sq.SpinClass(1, weight=2.0)],
    hamiltonian=[
        sq.CollectiveQuadratic([[0.4, 0.2, 0.1], [0.2, -0.1, 0.3], [0.1, 0.3, 0.5]]),
        sq.UniformField([0.1, 0.2, 0.3]),
    ],
    jumps=[sq.CollectiveDecay(0.3), sq.LocalDecay([0.1, 0.4, 0.2])],
)
ALIKE = sq.SpinModel(
    4,
    hamiltonian=[sq.CollectiveXYZ(j_x=1.0, j_y=-0.3, j_z=0.7), sq.CollectiveExchange(0.4),
                 sq.UniformField([0.1, -0.3, 0.8]), sq.TwoAxisTwisting(0.2, axes=("x", "z"))],
    jumps=[sq.LocalDecay(0.5), sq.CollectiveDecay(0.2)],
)  # fmt: skip
CHAIN = sq.SpinModel(
    sq.Lattice((4,)),
    hamiltonian=[sq.PowerLawXYZ(j_x=1.0, j_y=0.2, j_z=-0.5, exponent=3)],
    jumps=DECAY,
)
SQUARE = sq.SpinModel(
    sq.Lattice((2, 2)),
    hamiltonian=[sq.PowerLawXYZ(j_x=1.0, j_y=0.2, j_z=-0.5, exponent=np.inf),
                 sq.CollectiveQuadratic([[0.4, 0.2, 0.1], [0.2, -0.1, 0.3], [0.1, 0.3, 0.5]]),
                 sq.PowerLawXXZ(j_perp=-0.7, j_z=0.4, exponent=1),
                 sq.UniformField([0.1, 0.2, 0.3])],
    jumps=[sq.LocalDecay(0.4), sq.CollectiveDecay(0.3)],
)  # fmt: skip
MODELS = {"2": general(2, 0), "3": general(3, 1), "4": general(4, 2), "classes": CLASSES,
          "alike": ALIKE, "chain": CHAIN, "square": SQUARE}  # fmt: skip


def linear_response(model):
    """rho_1 with L0 rho_1 = i [H1, rho_0], H split by the magnetisation of dense states."""
    form, n = model.canonical, model.n_spins
    s = brute_force.site_operators(n)
    h = brute_force.hamiltonian(form, s, 0.0)
    z = np.real(np.diag(s[:, 2].sum(axis=0)))
    h1 = np.where(np.abs(z[:, None] - z[None, :]) > 0.1, h, 0.0)
    rho0 = np.zeros_like(h)
    rho0[-1, -1] = 1.0
    one = np.eye(len(h))
    generator = brute_force.liouvillian(form, s, 0.0)
    generator += 1j * (np.kron(h1, one) - np.kron(one, h1.T))
    change = 1j * (h1 @ rho0 - rho0 @ h1)
    return np.linalg.lstsq(generator, change.ravel(), rcond=1e-11)[0].reshape(h.shape)


def slope(rho1, angles):
    """d xi2/d lambda along the component of these angles."""
    n = len(angles)
    s = brute_force.site_operators(n)
    j = np.einsum("i,ixy->xy", np.cos(angles), s[:, 0])
    j += np.einsum("i,ixy->xy", np.sin(angles), s[:, 1])
    return 4 / n * np.trace(rho1 @ j @ j).real


@pytest.mark.parametrize("name", MODELS)
def test_coherences_and_slopes_of_dense_linear_response(name):
    model = MODELS[name]
    n, result, rho1 = model.n_spins, sq.squeezing_theorem(model), linear_response(model)
    s = brute_force.site_operators(n)
    minus = s[:, 0] - 1j * s[:, 1]
    kind = np.repeat(np.arange(len(result.counts)), result.counts)
    np.testing.assert_allclose(
        result.single_coherences[kind], [np.trace(m @ rho1) for m in minus], atol=1e-9
    )
    for i in range(n):
        for j in range(i):
            exact = np.trace(minus[i] @ minus[j] @ rho1)
            assert result.pair_coherences[kind[i], kind[j]] == pytest.approx(exact, abs=1e-9)
    for best in (result.uniform, result.by_site):
        angles = best.angles[kind]
        assert best.slope == pytest.approx(slope(rho1, angles), abs=1e-9)
        assert slope(rho1, best.anti_squeezed_angles[kind]) == pytest.approx(-best.slope, abs=1e-9)
    grid = [slope(rho1, np.full(n, angle)) for angle in np.linspace(0, np.pi, 30)]
    assert result.uniform.slope <= min(grid) + 1e-12
    random = np.random.default_rng(5).uniform(0, 2 * np.pi, (300, n))
    assert result.by_site.slope <= min(slope(rho1, angles) for angles in random) + 1e-12
    assert result.by_site.maximum >= result.uniform.maximum * (1 - 1e-12)
    assert result.by_site.upper_bound >= result.by_site.maximum
    assert result.squeezed
    assert result.verdict.startswith("squeezed to first order: xi2 = 1 - ")


@pytest.mark.parametrize(("n", "method"), [(3, "exact"), (5, "permutation_invariant")])
def test_slope_and_angle_of_exact_steady_states(n, method):
    def model(weak):
        terms = [sq.CollectiveXYZ(j_x=0.8 + weak, j_y=0.8 - weak, j_z=0.3),
                 sq.UniformField([0.5 * weak, 0, 0.2])]  # fmt: skip
        return sq.SpinModel(n, hamiltonian=terms, jumps=DECAY)

    weak = 1e-3
    result = sq.squeezing_theorem(model(weak))
    data = [sq.steady_state(model(x), method=method) for x in (weak, weak / 2)]
    slopes = [(float(d["xi2"]) - 1) / x for d, x in zip(data, (weak, weak / 2), strict=True)]
    assert 2 * slopes[1] - slopes[0] == pytest.approx(result.uniform.slope / weak, rel=1e-4)
    spin, covariance = data[1]["spin"].values, data[1]["covariance"].values
    along = np.array([np.cos(result.uniform.angles[0]), np.sin(result.uniform.angles[0])])
    least = np.linalg.eigh(covariance[:2, :2])[1][:, 0]
    assert abs(along @ least) == pytest.approx(1.0, abs=1e-4)
    tilt = n * result.single_coherences[0] / 2
    assert spin[0] == pytest.approx(tilt.real, rel=0.01)
    assert spin[1] == pytest.approx(-tilt.imag, rel=0.01)


def paper(alpha, beta, gamma):
    """Largest Re F and its angle, Eqs. (47)-(49) of huybrechts2024."""
    return abs(alpha) / np.hypot(beta, gamma), (-np.angle(alpha / (beta - 1j * gamma)) / 2) % np.pi


@pytest.mark.parametrize("n", [2, 20, 10**6])
@pytest.mark.parametrize("difference", [0.1, -0.1])
def test_xyz_model_of_the_paper(n, difference):
    mean, j_z, gamma = -0.8, 1.0, 0.7
    term = sq.CollectiveXYZ(j_x=mean + difference, j_y=mean - difference, j_z=j_z)
    result = sq.squeezing_theorem(sq.SpinModel(n, hamiltonian=[term], jumps=[sq.LocalDecay(gamma)]))
    alpha, beta = (n - 1) / 4 * difference, 2 * (n - 2) / n * (mean - j_z)
    largest, angle = paper(alpha, beta, gamma)
    # The slope is small differences of couplings: their rounding is all that is lost, at any N.
    for best in (result.uniform, result.by_site):
        assert best.maximum == pytest.approx(largest, rel=1e-13)
        assert best.angles[0] == pytest.approx(angle, abs=1e-13)
        assert best.is_global
    extremum = 0.5 * np.arctan2(-gamma, beta)  # Eq. (48): k even for alpha > 0, odd for alpha < 0
    turned = extremum + (0 if alpha > 0 else np.pi / 2) - result.uniform.angles[0]
    assert np.sin(turned) == pytest.approx(0, abs=1e-13)


def test_transverse_ising_model_of_the_paper():
    n, delta, gamma = 20, -6.0, 1.0
    for j_x in (1e-7, -1e-7):
        terms = [sq.CollectiveXYZ(j_x=j_x, j_y=0.0, j_z=0.0), sq.UniformField([0, 0, delta])]
        result = sq.squeezing_theorem(sq.SpinModel(n, hamiltonian=terms, jumps=DECAY))
        largest, angle = paper(j_x * (n - 1) / 8, 2 * delta, gamma)
        # The rest of S_x^2 conserves S_z and counts as H0: off by j_x/delta.
        assert result.uniform.maximum == pytest.approx(largest, rel=1e-7)
        assert result.uniform.angles[0] == pytest.approx(angle, abs=1e-7)


def test_collective_emission_alone():
    n, rate, weak = 30, 0.2, 0.01
    model = sq.SpinModel(
        n, hamiltonian=[sq.TwoAxisTwisting(weak)], jumps=[sq.CollectiveDecay(rate)]
    )
    result = sq.squeezing_theorem(model)
    # H1 = (weak/2)(S_+^2 + S_-^2); two flips decay at 2 (N - 1) rate within total spin N/2.
    assert result.uniform.maximum == pytest.approx(n * weak / 4 / rate)
    assert "largest total spin" in result.assumptions[-1]
    data = sq.steady_state(model, method="symmetric", initial_state=sq.CoherentState("-z"))
    assert float(data["xi2"]) - 1 == pytest.approx(result.uniform.slope, rel=0.1)


def test_the_driven_dicke_model_is_not_squeezed_linearly():
    model = sq.SpinModel(50, hamiltonian=[sq.Drive(0.1)], jumps=[sq.CollectiveDecay(1 / 50)])
    result = sq.squeezing_theorem(model)
    assert not result.squeezed
    assert result.verdict.startswith("cannot be squeezed to first order, because single emitters")
    assert (result.uniform.maximum, result.by_site.maximum, result.uniform.slope) == (0, 0, 0)
    assert np.isnan(result.uniform.angles).all()
    # H1 = 0.1 S_x, one flip decays at rate N = 1: <s_-> = -i 0.1 (Eq. 63 with Omega = -0.1).
    assert result.single_coherences[0] == pytest.approx(-0.1j)
    assert np.all(result.pair_coherences == 0)


def test_nothing_to_squeeze():
    rounded = sq.CollectiveXYZ(j_x=0.1 + 0.2, j_y=0.3, j_z=1.0)
    for term in (sq.OneAxisTwisting(1.0), rounded):
        still = sq.squeezing_theorem(sq.SpinModel(4, hamiltonian=[term], jumps=DECAY))
        assert "the Hamiltonian conserves S_z" in still.verdict
    alone = sq.squeezing_theorem(sq.SpinModel(1, hamiltonian=[sq.Drive(0.1)], jumps=DECAY))
    assert "one emitter has no partner" in alone.verdict


def test_angles_by_site_squeeze_where_one_angle_cannot():
    matrix = np.zeros((4, 4))
    matrix[0, 1] = matrix[1, 0] = 0.1
    matrix[2, 3] = matrix[3, 2] = -0.1
    driving = sq.PairCoupling(matrix, tensor=np.diag([1.0, -1.0, 0.0]))
    result = sq.squeezing_theorem(sq.SpinModel(4, hamiltonian=[driving], jumps=DECAY))
    assert result.uniform.maximum == 0
    assert result.by_site.maximum == pytest.approx(0.05)
    assert result.by_site.is_global
    assert "angles that differ from site to site only" in result.verdict
    first, second = result.by_site.angles[:2].sum(), result.by_site.angles[2:].sum()
    assert np.cos(first - second) == pytest.approx(-1.0)
    matrix[2, 3] = matrix[3, 2] = -0.05
    driving = sq.PairCoupling(matrix, tensor=np.diag([1.0, -1.0, 0.0]))
    result = sq.squeezing_theorem(sq.SpinModel(4, hamiltonian=[driving], jumps=DECAY))
    assert 0 < result.uniform.maximum < result.by_site.maximum
    assert "; xi2 = 1 - 0.075 lambda with an angle for each site" in result.verdict


def test_stripes_of_a_grid_are_tried():
    lattice = sq.Lattice((4,), vacancies=(1,))
    form = sq.SpinModel(lattice, hamiltonian=[sq.PowerLawXXZ(j_perp=1, j_z=0, exponent=3)])
    rows = {tuple(row) for row in theorem._stripes(form.canonical).T}
    assert {(1.0, 1.0, 1.0), (1.0, 1.0, -1.0), (1.0, -1.0, -1.0)} <= rows
    assert theorem._stripes(ALIKE.canonical) is None
    lattice = sq.Lattice((2, 4), vacancies=(1,))
    form = sq.SpinModel(lattice, hamiltonian=[sq.PowerLawXXZ(j_perp=1, j_z=0, exponent=3)])
    rows = {tuple(row) for row in theorem._stripes(form.canonical).T}
    assert {(1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0), (1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0)} <= rows


def test_a_lattice_of_other_sites_is_the_same_as_one_alike_everywhere():
    """Rates that differ by rounding make it a dense problem, frustrated phases included."""
    terms = [sq.PowerLawXYZ(j_x=0.9, j_y=0.2, j_z=-0.5, exponent=np.inf)]
    rates = np.ones(25)
    rates[5] += 1e-13
    alike, other = (
        sq.squeezing_theorem(
            sq.SpinModel(sq.Lattice((5, 5)), hamiltonian=terms, jumps=[sq.LocalDecay(rate)])
        )
        for rate in (1.0, rates)
    )
    np.testing.assert_allclose(alike.pair_coherences, other.pair_coherences, atol=1e-12)
    assert alike.uniform.slope == pytest.approx(other.uniform.slope, rel=1e-10)
    assert alike.uniform.angles[0] == pytest.approx(other.uniform.angles[0], abs=1e-10)
    assert alike.by_site.slope == pytest.approx(other.by_site.slope, rel=1e-7)
    assert not alike.by_site.is_global
    assert alike.excited_fraction == pytest.approx(other.excited_fraction, rel=1e-10)
    assert alike.by_site.upper_bound == pytest.approx(other.by_site.upper_bound, rel=1e-7)
    assert alike.verdict == other.verdict


@pytest.mark.slow
def test_frustrated_phases_of_4096_sites():
    """A wave vector that no signs follow: a local maximum within 3 % of the bound."""
    term = sq.PowerLawXYZ(j_x=-0.9, j_y=-0.2, j_z=-0.5, exponent=3)
    model = sq.SpinModel(sq.Lattice((64, 64)), hamiltonian=[term], jumps=DECAY)
    result = sq.squeezing_theorem(model)
    best = result.by_site
    assert not best.is_global
    assert best.maximum <= best.upper_bound < 1.03 * best.maximum
    assert best.maximum >= result.uniform.maximum
    z = np.exp(1j * best.angles)
    reached = -np.real(z @ result.pairs.apply(z[:, None])[:, 0]) / 4
    assert reached == pytest.approx(best.maximum, rel=1e-10)


def test_a_strong_perturbation_is_named():
    strong = sq.SpinModel(20, hamiltonian=[sq.CollectiveXYZ(j_x=2, j_y=-2, j_z=0)], jumps=DECAY)
    assert "at lambda = 1 the perturbation is not weak" in sq.squeezing_theorem(strong).verdict
    weak = sq.SpinModel(20, hamiltonian=[sq.CollectiveXYZ(j_x=0.05, j_y=-0.05, j_z=0)], jumps=DECAY)
    result = sq.squeezing_theorem(weak)
    assert "not weak" not in result.verdict
    assert result.slope_error < 1e-15
    assert "slopes err by" in str(result)
    assert result.excited_fraction == pytest.approx(19 / 20 * 0.05**2 / 20)


@pytest.mark.parametrize(
    ("n", "terms"),
    [
        (200, [sq.CollectiveXYZ(j_x=0.17, j_y=-0.17, j_z=0)]),
        (20, [sq.TwoAxisTwisting(0.001), sq.UniformField([0.25, 0, 0])]),
        (20, [sq.TwoAxisTwisting(0.001), sq.UniformField([0.9, 0, 8.0])]),
    ],
    ids=["slope", "excited spins", "drive"],
)
def test_each_sign_of_a_strong_perturbation_is_enough(n, terms):
    """0.34 of slope; 6 % excited; a drive of 0.45 decays; the two others are small."""
    model = sq.SpinModel(n, hamiltonian=terms, jumps=DECAY)
    assert "at lambda = 1 the perturbation is not weak" in sq.squeezing_theorem(model).verdict


def test_where_the_paramagnet_breaks_in_mean_field():
    """XYZ: (j_x - j_z)(j_y - j_z) = -gamma^2/4 at many spins; driven Dicke: Omega = Gamma/2."""
    spins, mean, critical = 10**6, -0.8, np.hypot(-1.8, 0.5)
    for size in (0.1, 2.5):
        coupling = sq.CollectiveXYZ(j_x=mean + size, j_y=mean - size, j_z=1.0)
        result = sq.squeezing_theorem(sq.SpinModel(spins, hamiltonian=[coupling], jumps=DECAY))
        strength = result.mean_field_instability
        assert strength == pytest.approx(critical / size, rel=1e-5)
        assert result.mean_field.outcome == "unstable"
        line = next(line for line in str(result).splitlines() if line.startswith("mean field: "))
        within = " (lambda = 1: the model as it is)" if size < critical else ""
        assert line.endswith(f"the paramagnet becomes unstable at lambda = {strength:.6g}{within}")
        assert ("in mean field the paramagnet becomes" in result.verdict) == (size > critical)
    driven = sq.SpinModel(50, hamiltonian=[sq.Drive(0.6)], jumps=[sq.CollectiveDecay(1 / 50)])
    result = sq.squeezing_theorem(driven)
    assert result.mean_field_instability == pytest.approx(0.5 / 0.6)
    assert "in mean field the paramagnet ends at lambda = 0.833333 already" in result.verdict
    still = sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(1.0)], jumps=DECAY)
    result = sq.squeezing_theorem(still)
    assert result.mean_field_instability == np.inf
    assert "mean field: the paramagnet is stable at every lambda" in str(result)


def test_mean_field_of_too_many_kinds_is_not_known(monkeypatch):
    monkeypatch.setattr(theorem, "mean_field_instability", lambda _model: None)
    result = sq.squeezing_theorem(ALIKE)
    assert result.mean_field is None
    assert np.isnan(result.mean_field_instability)
    assert "mean field: not known for so many spins that differ" in str(result)


def test_iterative_solution_is_the_direct_one(monkeypatch):
    lattice = sq.Lattice((3, 4), boundary="open")
    terms = [sq.PowerLawXYZ(j_x=3.0, j_y=1.0, j_z=-2.0, exponent=1.5),
             sq.SiteField(np.random.default_rng(0).normal(size=(12, 3)))]  # fmt: skip
    model = sq.SpinModel(lattice, hamiltonian=terms, jumps=[sq.LocalDecay(0.1), *DECAY])
    operators = flip_operators(model.canonical)
    direct = operators.pair_amplitudes().values.matrix()
    monkeypatch.setattr(flip_amplitudes, "DIRECT_UNKNOWNS", 0)
    iterated = operators.pair_amplitudes().values.matrix()
    np.testing.assert_allclose(iterated, direct, atol=1e-9 * np.abs(direct).max())
    monkeypatch.setattr(flip_amplitudes, "KRYLOV_VECTORS", 1)
    monkeypatch.setattr(flip_amplitudes, "MAX_RESTARTS", 1)
    with pytest.raises(sq.NumericalFailure, match="hardly decay beside the couplings; raise"):
        sq.squeezing_theorem(model)


XYZ = sq.CollectiveXYZ(j_x=0.9, j_y=0.7, j_z=0.3)
REFUSED = {
    "closed": ([], sq.InvalidInput, "needs emission, .* add LocalDecay or CollectiveDecay"),
    "no rate": ([sq.LocalDecay(0.0)], sq.InvalidInput, "this model has no jumps"),
    "pumping": ([*DECAY, sq.LocalPumping(0.1)], sq.Unsupported, "a local jump raises emitters"),
    "dephasing": ([*DECAY, sq.LocalDephasing(0.1)], sq.Unsupported, "a local jump dephases"),
    "squeezed": (
        [sq.SqueezedCollectiveDecay(1.0, r=0.3)],
        sq.Unsupported,
        r"a collective jump does more than lower emitters \(its vector is not along",
    ),
    "along x": ([sq.LocalJump(1.0, vector=[0, 1, -1j])], sq.Unsupported, "turn the axes"),
    "in time": (
        [sq.LocalDecay(sq.Envelope([0, 1], values=[1.0, 2.0]))],
        sq.InvalidInput,
        "constant strengths and rates",
    ),
    "one dark emitter": ([sq.LocalDecay([1.0, 1.0, 0.0])], sq.Unsupported, "a dark state"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_assumption(name):
    jumps, error, match = REFUSED[name]
    field = sq.SiteField([[0, 0, 0.1], [0, 0, 0.2], [0.1, 0, 0.3]])
    terms = [field] if name == "one dark emitter" else [XYZ]
    with pytest.raises(error, match=match):
        sq.squeezing_theorem(sq.SpinModel(3, hamiltonian=terms, jumps=jumps))


def test_other_refusals():
    with pytest.raises(sq.InvalidInput, match="model must be a SpinModel, got"):
        sq.squeezing_theorem("model")
    cavity = sq.Cavity(coupling=(1.0, -1.0j, 0), decay_rate=1.0)
    with pytest.raises(sq.Unsupported, match="keeps a cavity: give eliminate_cavity"):
        sq.squeezing_theorem(sq.SpinModel(3, jumps=DECAY, cavity=cavity))
    with pytest.raises(sq.TooLarge, match=r"the pairs of 4 kinds of spins need .* raise memory"):
        sq.squeezing_theorem(CHAIN, memory_budget=100.0)
    square = sq.SpinModel(sq.Lattice((8, 8)), hamiltonian=CHAIN.hamiltonian, jumps=DECAY)
    with pytest.raises(sq.TooLarge, match=r"need 3\..* MB; the budget is 3"):  # of the best angles
        sq.squeezing_theorem(square, memory_budget=3e6)
    matrix = [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    spread = sq.CorrelatedJumps(0.1, vector=[1.0, -1.0j, 0.0], matrix=matrix)
    with pytest.raises(sq.Unsupported, match="CorrelatedJumps is not known to it"):
        sq.squeezing_theorem(sq.SpinModel(3, hamiltonian=[XYZ], jumps=[*DECAY, spread]))
    with pytest.raises(sq.InvalidInput, match="memory_budget"):
        sq.squeezing_theorem(CHAIN, memory_budget=-1.0)
    # Every spin wave but that of zero momentum is dark to collective emission.
    dark = sq.SpinModel(CHAIN.spins, hamiltonian=CHAIN.hamiltonian, jumps=[sq.CollectiveDecay(1.0)])
    with pytest.raises(sq.Unsupported, match=r"is not unique, .* let every emitter decay"):
        sq.squeezing_theorem(dark)


def test_an_emitter_that_decays_through_others_will_do():
    terms = [sq.PowerLawXYZ(j_x=1.0, j_y=0.5, j_z=0.2, exponent=2)]
    model = sq.SpinModel(
        sq.Lattice((3,), boundary="open"), hamiltonian=terms, jumps=[sq.LocalDecay([1.0, 0.5, 0.0])]
    )
    result = sq.squeezing_theorem(model)
    assert result.assumptions[-1].endswith("checked among few flipped spins")
    rho1 = linear_response(model)
    assert result.by_site.slope == pytest.approx(slope(rho1, result.by_site.angles), abs=1e-9)


def test_its_slope_is_the_first_order_of_perturbation_theory():
    """The same number by the series of xi2 of `Perturbation`, which is made another way."""
    terms = [
        sq.CollectiveQuadratic([[0.03, 0.02, 0.01], [0.02, 0.01, 0.0], [0.01, 0.0, 0.05]]),
        sq.UniformField([0.0, 0.0, 0.4]),
    ]
    model = sq.SpinModel(30, hamiltonian=terms, jumps=[sq.LocalDecay(1.0), sq.CollectiveDecay(0.1)])
    found = sq.steady_state(model, method=sq.Perturbation(1))
    series = json.loads(found.attrs["diagnostics"])["xi2_series"].split(", ")
    slope = sq.squeezing_theorem(model).uniform.slope
    assert float(series[1]) == pytest.approx(slope, rel=1e-8)
