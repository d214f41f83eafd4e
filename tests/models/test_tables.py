import json
import math
import re

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.models import collective_terms as collective
from spinsqueeze.models import jumps, pair_terms
from spinsqueeze.models.catalogue import state_as_dict
from spinsqueeze.models.cavity import Cavity
from spinsqueeze.models.correlated_jumps import CorrelatedJumps
from spinsqueeze.models.ensemble import SpinClass
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import (
    CoherentState,
    DickeState,
    ProductState,
    StateVector,
    SymmetricState,
)
from spinsqueeze.models.tables import (
    model_as_tables,
    model_from_tables,
    pulses_from_tables,
    state_from_table,
)

rng = np.random.default_rng(11)
RAMP = Envelope(np.sort(rng.normal(size=4)), values=rng.normal(size=4), interpolation="cubic")
POSITIVE = Envelope([0.0, 1 / 3], values=[0.1, 2 / 7])
TENSOR = rng.normal(size=(3, 3))
TENSOR = TENSOR + TENSOR.T
COUPLINGS = np.triu(rng.normal(size=(6, 6)), 1)
COUPLINGS = COUPLINGS + COUPLINGS.T

MANY_TERMS = SpinModel(
    Lattice((2, 3), boundary="open", spacing=(1.0, 1 / 3)),
    hamiltonian=[
        collective.OneAxisTwisting(RAMP, axis="x"),
        collective.TwoAxisTwisting(0.1, axes=("z", "x")),
        collective.CollectiveQuadratic(TENSOR, envelope=RAMP),
        collective.CollectiveExchange(-1 / 3),
        collective.CollectiveXYZ(j_x=0.1, j_y=0.2, j_z=RAMP),
        collective.UniformField([0.1, 0.2, 0.3]),
        collective.Drive(1 / 7, phase=math.pi / 3),
        pair_terms.SiteField(rng.normal(size=(6, 3)), envelope=POSITIVE),
        pair_terms.PowerLawXXZ(j_perp=2.0, j_z=-2.0, exponent=math.inf),
        pair_terms.PowerLawXYZ(j_x=0.1, j_y=0.7, j_z=1e-300, exponent=0),
        pair_terms.PairCoupling(COUPLINGS, tensor=TENSOR),
        pair_terms.PairCoupling(COUPLINGS),
    ],
    jumps=[
        jumps.CollectiveDecay(0.1),
        jumps.SqueezedCollectiveDecay(POSITIVE, r=-1.3),
        jumps.CollectiveJump(0.3, vector=rng.normal(size=3) + 1j * rng.normal(size=3)),
        jumps.LocalDecay(rng.uniform(size=6)),
        jumps.LocalPumping(POSITIVE),
        jumps.LocalDephasing(0.01),
        jumps.LocalJump(0.3, vector=[1, 1j, 0]),
        CorrelatedJumps(0.3, vector=[1, 1j, 0], range=1 / 3),
        CorrelatedJumps(POSITIVE, vector=[1, 1j, 0], exponent=math.inf),
    ],
    cavity=Cavity(0.3, decay_rate=1.1, detuning=-0.2),
    unit="Gamma",
)
MODELS = {
    "many terms": MANY_TERMS,
    "a number of spins": SpinModel(10**9),
    "classes": SpinModel(
        [SpinClass(3, weight=1 / 3, detuning=-0.1), SpinClass(4)],
        hamiltonian=[collective.OneAxisTwisting(1.0)],
    ),
    "a cavity that changes": SpinModel(
        3, cavity=Cavity(RAMP, decay_rate=POSITIVE, detuning=RAMP, drive=RAMP)
    ),
    "a squeezed cavity": SpinModel(
        [SpinClass(3), SpinClass(4, weight=1 / 3)],
        cavity=Cavity(
            rng.normal(size=(2, 3)) + 1j * rng.normal(size=(2, 3)),
            decay_rate=1 / 3,
            squeezing=-0.7,
            internal_decay_rate=POSITIVE,
            envelope=RAMP,
        ),
    ),
    "chain": SpinModel(Lattice(5)),
    "disordered": SpinModel(Lattice((4, 4), filling=0.3, position_disorder=0.1, seed=5)),
    "loaded": SpinModel(Lattice((4, 4), filling=0.6, loading="independent", seed=7)),
    "vacancies": SpinModel(Lattice((4, 4), vacancies=(5, 2))),
    "positions": SpinModel(Lattice(positions=rng.normal(size=(4, 2)))),
}


@pytest.mark.parametrize("name", MODELS)
def test_models_survive_the_way_through_a_file_to_the_last_bit(name):
    model = MODELS[name]
    tables = json.loads(json.dumps(model_as_tables(model)))
    again = model_from_tables(tables)
    assert again.hamiltonian == model.hamiltonian
    assert again.jumps == model.jumps
    assert again.unit == model.unit
    assert again.n_spins == model.n_spins
    assert model_as_tables(again) == tables
    if isinstance(model.spins, Lattice):
        assert np.array_equal(again.spins.coordinates, model.spins.coordinates)
    if isinstance(model.spins, list):
        assert again.ensemble.classes == model.ensemble.classes
    assert again.cavity == model.cavity
    if model.cavity is not None:
        assert np.array_equal(again.cavity.coupling, model.cavity.coupling)


def test_tables_leave_defaults_out():
    model = SpinModel(Lattice((8, 8)), hamiltonian=[collective.Drive(1.0)])
    assert model_as_tables(model) == {
        "unit": "J",
        "ensemble": {"shape": [8, 8]},
        "hamiltonian": [{"term": "drive", "rabi": 1.0}],
    }


def _normed(values):
    return values / np.linalg.norm(values)


STATES = [
    CoherentState("-y"),
    CoherentState(_normed(rng.normal(size=3))),
    ProductState([_normed(v) for v in rng.normal(size=(5, 3))]),
    DickeState(-1.5),
    DickeState(2, axis="x"),
    SymmetricState(_normed(rng.normal(size=6) + 1j * rng.normal(size=6))),
    StateVector(_normed(rng.normal(size=32) + 1j * rng.normal(size=32))),
]


@pytest.mark.parametrize("state", STATES, ids=lambda s: type(s).__name__)
def test_states_survive(state):
    table = json.loads(json.dumps(state_as_dict(state)))
    again = state_from_table(table)
    assert again == state
    assert state_as_dict(again) == table


def test_states_read_back_stay_the_same_to_the_last_bit():
    for _ in range(200):
        for state in (
            SymmetricState(_normed(rng.normal(size=7) + 1j * rng.normal(size=7))),
            ProductState([_normed(rng.normal(size=3))]),
        ):
            assert state_from_table(state_as_dict(state)) == state


def test_pulses_survive():
    pulses = (
        Pulse(0.1, axis="-x", angle=math.pi),
        Pulse(0.2, axis=_normed(rng.normal(size=3)), angle=-0.3, spin_class=1),
        Pulse(0.3, axis="z", angle=1.0, sites=[0, 5, 2]),
    )
    tables = json.loads(json.dumps([p.as_dict() for p in pulses]))
    assert pulses_from_tables(tables) == pulses


XXZ = {"term": "power_law_xxz", "j_perp": 1.0, "j_z": 2.0, "exponent": 3.0}
BAD_MODELS = [
    # ensemble
    ({}, "ensemble: is missing; give [ensemble] with spins = 50, or shape = [64, 64]"),
    ({"ensemble": 50}, "ensemble: must be a table, got 50"),
    (
        {"ensemble": {}},
        "ensemble: must have exactly one of spins, classes, shape, positions, got none",
    ),
    (
        {"ensemble": {"spins": 4, "shape": [2, 2]}},
        "ensemble: must have exactly one of spins, classes, shape, positions, got spins and shape",
    ),
    (
        {"ensemble": {"spin": 4}},
        "ensemble.spin: unknown key of the ensemble; did you mean 'spi",
    ),
    ({"ensemble": {"spins": 4.5}}, "ensemble.spins: must be an integer, got 4.5 (float)"),
    ({"ensemble": {"spins": -4}}, "ensemble.spins: must be at least 1, got -4"),
    (
        {"ensemble": {"spins": 10**13}},
        "ensemble.spins: must be at most 1000000000000, got 10000000000000: beyond",
    ),
    (
        {"ensemble": {"spins": 4, "boundary": "open"}},
        "ensemble.boundary: needs a lattice (shape), not spins",
    ),
    ({"ensemble": {"shape": [4, -1]}}, "ensemble.shape.1: must be at least 1, got -1"),
    (
        {"ensemble": {"shape": [4], "boundary": "closed"}},
        "ensemble.boundary: must be one of periodic, open, got 'closed'",
    ),
    (
        {"ensemble": {"positions": [[0.0], [1.0]], "boundary": "periodic"}},
        "ensemble.boundary: must be 'open' with positions, got 'periodic'; "
        "a periodic lattice needs shape",
    ),
    ({"ensemble": {"classes": []}}, "ensemble.classes: must hold at least one class, got none"),
    (
        {"ensemble": {"classes": {"count": 3}}},
        "ensemble.classes: must be a list of tables; write [[ensemble.classes]], not "
        "[ensemble.classes]",
    ),
    (
        {"ensemble": {"classes": [{"weight": 1.0}]}},
        "ensemble.classes.0.count: is missing; a spin class needs count",
    ),
    (
        {"ensemble": {"classes": [{"count": 3, "detune": 1.0}]}},
        "ensemble.classes.0.detune: unknown key of a spin class; did you mean 'detuning'?",
    ),
    # terms
    ({"hamiltonian": 3}, "hamiltonian: must be a list of tables, got 3"),
    ({"hamiltonian": XXZ}, "hamiltonian: must be a list of tables; write [[hamiltonian]], not"),
    ({"hamiltonian": [3]}, "hamiltonian.0: must be a table, got 3"),
    ({"hamiltonian": [XXZ, {}]}, "hamiltonian.1.term: is missing; one of one_axis_twisting, "),
    (
        {"hamiltonian": [{"term": "one_axis_twistin"}]},
        "hamiltonian.0.term: unknown term 'one_axis_twistin'; did you mean 'one_axis_twisting'?",
    ),
    ({"hamiltonian": [{"term": 3}]}, "hamiltonian.0.term: unknown term 3; known: one_axis_"),
    (
        {"hamiltonian": [{"term": "local_decay", "rate": 1.0}]},
        "hamiltonian.0.term: 'local_decay' belongs in [[jumps]], not in [[hamiltonian]]",
    ),
    (
        {"jumps": [{"term": "drive", "rabi": 1.0}]},
        "jumps.0.term: 'drive' belongs in [[hamiltonian]], not in [[jumps]]",
    ),
    (
        {"hamiltonian": [{"term": "drive", "rabbi": 1.0}]},
        "hamiltonian.0.rabbi: unknown key of drive; did you mean 'rabi'?",
    ),
    ({"hamiltonian": [{"term": "drive"}]}, "hamiltonian.0.rabi: is missing; drive needs rabi"),
    (
        {"hamiltonian": [{**XXZ, "j_z": "2"}]},
        "hamiltonian.0.j_z: must be a real number, got '2' (str)",
    ),
    ({"hamiltonian": [XXZ, {**XXZ, "exponent": -1}]}, "hamiltonian.1.exponent: must be at least 0"),
    ({"hamiltonian": [{**XXZ, "exponent": math.nan}]}, "hamiltonian.0.exponent: must be a number"),
    (
        {"hamiltonian": [{**XXZ, "j_z": {"times": [1, 0], "values": [0, 1]}}]},
        "hamiltonian.0.j_z: envelope times must increase strictly, got 1 then 0 at index 0",
    ),
    (
        {
            "hamiltonian": [
                {"term": "uniform_field", "vector": [0, 0, 1], "envelope": {"times": [1]}}
            ]
        },
        "hamiltonian.0.envelope: must be a number or a table with times and values",
    ),
    (
        {"hamiltonian": [{"term": "two_axis_twisting", "chi": 1, "axes": ["x", "q"]}]},
        "hamiltonian.0.axes.1: must be 'x', 'y' or 'z', got 'q'",
    ),
    (
        {"hamiltonian": [{"term": "site_field", "vectors": [[0, 0, 1]]}]},
        "hamiltonian.0: SiteField needs one vector a spin: got 1 for 4 spins",
    ),
    (
        {"ensemble": {"spins": 4}, "hamiltonian": [{"term": "drive", "rabi": 1}, XXZ]},
        "hamiltonian.1: PowerLawXXZ with exponent=3 needs distances: give the model a Lattice",
    ),
    (
        {"jumps": [{"term": "local_decay", "rate": [1, 2]}]},
        "jumps.0: LocalDecay needs one rate, or one a spin: got 2 for 4 spins",
    ),
    (
        {"jumps": [{"term": "local_decay", "rate": -0.1}]},
        "jumps.0.rate: must be at least 0, got -0.1",
    ),
    (
        {"jumps": [{"term": "local_jump", "rate": 1, "vector": [[1, 0], [0, 1]]}]},
        "jumps.0.vector: must be three numbers (x, y, z), each real, complex or [re, im]",
    ),
    # the rest
    ({"cavity": {"coupling": 1.0}}, "cavity.decay_rate: is missing; the cavity needs coupling and"),
    ({"cavity": 3}, "cavity: must be a table, got 3"),
    (
        {"cavity": {"coupling": 1.0, "decay_rate": 1.0, "kappa": 2}},
        "cavity.kappa: unknown key of the cavity; known: coupling, decay_rate, detuning, drive",
    ),
    (
        {"cavity": {"coupling": [[1, 0, 0], [0, 1, 0]], "decay_rate": 1.0}},
        "cavity.coupling: must be one vector, or one a spin: got 2 for 4 spins",
    ),
    (
        {"cavity": {"coupling": 1.0, "decay_rate": {"times": [0, 1], "values": [1, -1]}}},
        "cavity.decay_rate: must be at least 0 at all times, got -1",
    ),
    (
        {"cavity": {"coupling": {"times": [0, 1], "value": [1, 1]}, "decay_rate": 1.0}},
        "cavity.coupling: must be a number or a table with times and values; unknown key 'value'",
    ),
    (
        {"cavity": {"coupling": 1.0, "decay_rate": 0.0, "squeezing": 0.3}},
        "cavity.squeezing: needs a decay_rate into the squeezed reservoir, got squeezing=0.3 and",
    ),
    ({"unit": 3}, "unit: must be a word such as 'J' or '1/us', got 3"),
    ({"hamiltonain": []}, "hamiltonain: unknown key of a model; did you mean 'hamiltonian'?"),
]


@pytest.mark.parametrize(("changes", "message"), BAD_MODELS, ids=lambda v: str(v)[:40])
def test_bad_models_name_the_dotted_path(changes, message):
    tables = {"ensemble": {"shape": [2, 2]}, **changes} if changes else {}
    with pytest.raises(InvalidInput, match="^" + re.escape(message)) as caught:
        model_from_tables(tables)
    assert "\n" not in str(caught.value)


def test_tables_must_be_a_table():
    with pytest.raises(InvalidInput, match=r"^tables: must be a table, got 3$"):
        model_from_tables(3)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, "initial_state: must be a table, got 3"),
        ({}, "initial_state: must name exactly one state of coherent, product, dicke, symmetric, "),
        (
            {"coherent": "+x", "dicke": 0},
            "initial_state: must name exactly one state of coherent, product, dicke, symmetric, "
            "state_vector, block, got coherent and dicke",
        ),
        (
            {"coherrent": "+x"},
            "initial_state.coherrent: unknown state; did you mean 'coherent'?",
        ),
        (
            {"coherent": "+x", "axis": "z"},
            "initial_state.axis: unknown key of a coherent state; known: coherent",
        ),
        ({"coherent": "up"}, "initial_state.coherent: must be one of +x, -x, +y, -y, +z, -z or a"),
        ({"coherent": [0, 0, 0]}, "initial_state.coherent: must be a unit vector, got the zero"),
        (
            {"coherent": [1, 1, 0]},
            "initial_state.coherent: must be a unit vector, got length 1.41421; divide by it",
        ),
        (
            {"product": [[0, 0, 1], [0, 0, 2]]},
            "initial_state.product: must be unit vectors, got length 2 at spin 1",
        ),
        ({"dicke": 0.3}, "initial_state.dicke: must be an integer or a half-integer, got 0.3"),
        ({"dicke": 0, "axis": "w"}, "initial_state.axis: must be 'x', 'y' or 'z', got 'w'"),
        ({"dicke": 0, "m": 1}, "initial_state.m: give it once, as dicke"),
        (
            {"symmetric": [1, 1]},
            "initial_state.symmetric: must have norm 1, got 1.41421; divide",
        ),
        ({"symmetric": [0, 0]}, "initial_state.symmetric: must have norm 1, got 0; at least one"),
        ({"symmetric": [[1, 0], [1]]}, "initial_state.symmetric: must be a regular array"),
        ({"symmetric": [math.nan, 1]}, "initial_state.symmetric: must be finite, got NaN or"),
        ({"symmetric": [[[1.0]]]}, "initial_state.symmetric: must be one-dimensional, got shape"),
        ({"state_vector": "up"}, "initial_state.state_vector: must hold numbers only, got 'up'"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_bad_states_name_the_dotted_path(table, message):
    with pytest.raises(InvalidInput, match="^" + re.escape(message)):
        state_from_table(table)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (ProductState([[0, 0, 1]]), "ProductState needs one direction a spin: got 1 for 3 spins"),
        (DickeState(0), "m must be one of -N/2, ..., N/2 in steps of 1 with N = 3, got 0"),
        (DickeState(2.5), "m must be one of -N/2, ..., N/2 in steps of 1 with N = 3, got 2.5"),
        (SymmetricState([1, 0]), "SymmetricState needs N + 1 = 4 amplitudes, got 2"),
        (StateVector([1, 0]), "StateVector needs 2^N amplitudes with N = 3, got 2"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_states_refuse_another_number_of_spins(state, message):
    with pytest.raises(InvalidInput, match="^" + re.escape(message)):
        state.fit(3)


PULSE = {"time": 0.5, "axis": "x", "angle": 3.14}


@pytest.mark.parametrize(
    ("pulse", "message"),
    [
        ({**PULSE, "time": -1.0}, "pulses.0.time: must be at least 0, got -1"),
        ({**PULSE, "axis": [0, 0, 3]}, "pulses.0.axis: must be a unit vector, got length 3"),
        ({**PULSE, "angle": math.inf}, "pulses.0.angle: must be finite, got inf"),
        (
            {**PULSE, "angle": "half a turn"},
            'pulses.0.angle: must be a number of radians, or a text such as "pi", "pi/2" or '
            "\"90 deg\", got 'half a turn'",
        ),
        (
            {**PULSE, "angle": -90},
            'pulses.0.angle: is in radians, got -90, which looks like degrees; write "-90 deg" or '
            '"-0.5 pi" (in Python also np.pi), or -1.5708',
        ),
        ({**PULSE, "angel": 1.0}, "pulses.0.angel: unknown key of a pulse; did you mean 'angle'?"),
        ({"time": 0.5, "axis": "x"}, "pulses.0.angle: is missing; a pulse needs axis and angle"),
        (
            {**PULSE, "spin_class": 0, "sites": [1]},
            "pulses.0: a pulse takes spin_class or sites, not both",
        ),
        ({**PULSE, "sites": []}, "pulses.0.sites: must name at least one spin, each once"),
        ({**PULSE, "sites": 3}, "pulses.0.sites: must be a list of indices, got 3"),
        ({**PULSE, "sites": [-1]}, "pulses.0.sites: must be at least 0, got -1"),
        ({**PULSE, "spin_class": -1}, "pulses.0.spin_class: must be at least 0, got -1"),
    ],
    ids=lambda v: str(v)[:40],
)
def test_bad_pulses_name_the_dotted_path(pulse, message):
    with pytest.raises(InvalidInput, match="^" + re.escape(message)):
        pulses_from_tables([pulse])
