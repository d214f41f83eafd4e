"""What a method may hand back reaches the user: early ends, errors in time, sampled extras."""

import dataclasses
import json

import numpy as np
import pytest

import spinsqueeze as sq
from spinsqueeze.methods.base.method import Trust
from spinsqueeze.observables.readings import Reading
from spinsqueeze.run.answers import run_of, task_of
from spinsqueeze.run.study import Study

MODEL = sq.SpinModel(
    sq.Lattice((3, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-1.0, exponent=3)]
)
STATE, TIMES = sq.CoherentState("+x"), np.linspace(0.0, 0.4, 5)


@pytest.fixture
def with_purity(monkeypatch):
    """DTWA that hands back a sampled purity of known block means."""
    plain = sq.DTWA.answer

    def answer(self, question):
        own = plain(self, question)
        weights = own.readings["spin"].weights
        rng = np.random.default_rng(question.seed)
        values = rng.normal(size=(len(question.times), weights.size))
        about = np.full(len(question.times), 5.0)
        purity = Reading(values, weights=weights, reference=about)
        return dataclasses.replace(own, readings={**own.readings, "purity": purity})

    monkeypatch.setattr(sq.DTWA, "answer", answer)


@pytest.mark.usefixtures("with_purity")
def test_sampled_extras_have_error_bars_and_are_merged(tmp_path):
    runs = [sq.simulate(MODEL, STATE, TIMES, method=sq.DTWA(64), seed=seed) for seed in (1, 2)]
    means = [run["block_purity"].values for run in runs]
    assert np.abs(means[0] - 5.0).max() < 5.0
    assert runs[0]["purity"].values == pytest.approx(means[0].mean(axis=1))
    sq.save(runs[1], tmp_path / "two.nc")
    both = sq.merge([runs[0], sq.load(tmp_path / "two.nc")])
    whole = np.concatenate(means, axis=1)
    assert both["purity"].values == pytest.approx(whole.mean(axis=1))
    error = whole.std(axis=1, ddof=1) / np.sqrt(whole.shape[1])
    assert both["purity_stderr"].values == pytest.approx(error)


def test_a_run_that_ends_early_holds_what_it_has_and_says_why(monkeypatch):
    plain = sq.Exact.answer

    def answer(self, question):
        cut = dataclasses.replace(question, times=question.times[:3])
        own = plain(self, cut)
        return dataclasses.replace(own, times=cut.times, status="interrupted; run it again")

    monkeypatch.setattr(sq.Exact, "answer", answer)
    data = sq.simulate(MODEL, STATE, TIMES, method="exact", keep_state=True)
    assert data["time"].values.tolist() == TIMES[:3].tolist()
    assert np.isfinite(data["xi2"].values).all()
    assert "ended early: interrupted; run it again" in json.loads(data.attrs["warnings"])
    assert sq.final_state(data).amplitudes.size == 512
    found = sq.compare(MODEL, STATE, TIMES, methods=["exact", sq.DTWA(40)])
    assert found.datasets["exact"].sizes["time"] == 3
    monkeypatch.setattr(sq.Exact, "answer", plain)
    data = sq.sweep(
        Study(MODEL, initial_state=STATE, times=TIMES, method=sq.Exact()),
        over={"hamiltonian.0.j_z": [-1.0]},
        workers=0,
    )
    assert data.sizes["time"] == 5


def test_errors_of_each_time_and_truncations_are_variables(monkeypatch):
    plain = sq.Exact.answer

    def answer(self, question):
        own = plain(self, question)
        return dataclasses.replace(own, truncation={"xi2": np.full(5, 0.25)})

    monkeypatch.setattr(sq.Exact, "answer", answer)
    data = sq.simulate(MODEL, STATE, TIMES, method="exact")
    errors = data["spin_numerical_error"].values
    assert errors.max() == data.attrs["numerical_error"]
    assert errors[0] < errors[-1]
    assert data["xi2_truncation"].values.tolist() == [0.25] * 5
    found = sq.compare(MODEL, STATE, TIMES, methods=["exact", sq.Exact(1e-9)])
    (xi2,) = (d for d in found.differences if d.variable == "xi2")
    assert xi2.error == pytest.approx(2 * 2 * 0.25 / 3, rel=1e-3)


def test_a_large_error_is_a_warning_unless_the_method_gives_its_own():
    run = run_of(task_of(Study(MODEL, initial_state=STATE, times=TIMES, method=sq.Exact())))

    def warnings(**changes):
        answer = dataclasses.replace(run.answer, **changes)
        return json.loads(dataclasses.replace(run, answer=answer).attributes["warnings"])

    assert warnings() == warnings(error={"spin": 0.099}) == []
    (warning,) = warnings(error={"spin": 0.1})
    assert warning.startswith("accuracy: the mean spin may err by 0.1 projection noises")
    own = ("steps: too long",)
    assert warnings(error={"spin": 0.1}, warnings=own) == list(own)
    assert warnings(status="interrupted at half") == ["ended early: interrupted at half"]


def test_the_order_of_trust():
    order = [Trust("none"), Trust("none", sampled=True), Trust("truncation"), Trust("uncontrolled")]
    assert [trust.rank for trust in order] == [0, 1, 2, 3]
    assert [Trust(t.approximation, sampled=True).rank for t in order[2:]] == [2, 3]
    assert [t.in_words for t in order] == ["exact", "sampling", "truncation", "uncontrolled"]
    assert Trust("uncontrolled", sampled=True).in_words == "uncontrolled and sampling"


def test_dtwa_is_exact_but_for_sampling_where_spins_do_not_interact():
    free = sq.SpinModel(sq.Lattice((3, 3)), hamiltonian=[sq.UniformField([0.0, 0.0, 1.0])])
    for model, words in ((free, "sampling"), (MODEL, "uncontrolled and sampling")):
        data = sq.simulate(model, STATE, TIMES, method=sq.DTWA(40))
        assert data.attrs["error_kind"] == words
        rows = {row.name: row for row in sq.advise(model, initial_state=STATE, times=TIMES)}
        assert rows["dtwa"].error == words


def test_steady_states_are_compared():
    model = sq.SpinModel(6, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.4)])
    down = sq.CoherentState("-z")
    found = sq.compare(model, down)
    exact = ["closed_form", "symmetric", "permutation_invariant"]
    assert set(found.datasets) == {*exact, "trajectories", "cumulants", "mean_field"}
    found = sq.compare(model, down, methods=exact)
    assert found.agree
    assert "agrees" in str(found)
    assert all(d.agrees for d in found.differences)
    with pytest.raises(sq.InvalidInput, match="pulses have no place in a steady state"):
        sq.compare(model, down, pulses=[sq.Pulse(0.1, axis="+x", angle=1.0)])
    with pytest.raises(sq.InvalidInput, match="initial_state must be given with times"):
        sq.compare(model, times=[1.0])


def test_steady_states_that_differ_are_told(monkeypatch):
    plain = sq.steady_state

    def wrong(model, **options):
        data = plain(model, **options)
        return data.assign(
            xi2=data["xi2"] * (1.1 if options["method"].name() == "symmetric" else 1)
        )

    monkeypatch.setattr("spinsqueeze.run.compare.steady_state", wrong)
    model = sq.SpinModel(6, jumps=[sq.SqueezedCollectiveDecay(1.0, r=0.4)])
    methods = ["closed_form", "symmetric", "permutation_invariant"]
    found = sq.compare(model, sq.CoherentState("-z"), methods=methods, seed=4)
    assert not found.agree
    assert {(d.method, d.variable) for d in found.differences if not d.agrees} == {
        ("symmetric", "xi2")
    }
    assert "symmetric: xi2 differs (" in str(found)


def test_the_seed_of_a_steady_state_is_kept():
    model = sq.SpinModel(4, jumps=[sq.LocalDecay(1.0)])
    data = sq.steady_state(model, seed=12)
    assert data.attrs["seed"] == 12
    assert json.loads(data.attrs["study"])["run"]["seed"] == 12
    with pytest.raises(sq.InvalidInput, match="seed must be at least 0, got -1"):
        sq.steady_state(model, seed=-1)


def test_numbers_of_numpy_in_a_study_are_stored_as_plain_ones():
    data = sq.simulate(
        MODEL, STATE, TIMES, method="exact", seed=np.int64(3), memory_budget=np.float32(1e9)
    )
    run = json.loads(data.attrs["study"])["run"]
    assert (run["seed"], run["memory_budget"]) == (3, 1e9)


def test_pulses_are_a_list_or_one():
    pulse = sq.Pulse(0.1, axis="+x", angle=1.0)
    alone, listed = (
        sq.simulate(MODEL, STATE, TIMES, method="exact", pulses=given) for given in (pulse, [pulse])
    )
    assert alone.attrs["study"] == listed.attrs["study"]
    with pytest.raises(sq.InvalidInput, match="pulses must be a list of pulses such as Pulse"):
        sq.simulate(MODEL, STATE, TIMES, pulses=3)
