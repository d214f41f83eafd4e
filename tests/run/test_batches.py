"""Many points in one call: what sweeps and optimisations hand to `Method.answer_many`."""

import dataclasses
import time

import numpy as np
import pytest
from tests.run.sweeping import identical, with_worker

import spinsqueeze as sq
from spinsqueeze.results.best import best_of_run
from spinsqueeze.results.points import Point, from_dataset, pack
from spinsqueeze.run import jobs, local, optimise, point
from spinsqueeze.run.answers import runs_of, task_of
from spinsqueeze.run.execute import execute
from spinsqueeze.run.jobs import Batch, Job, Queue, of_same_numbers
from spinsqueeze.run.store import NUMBERS
from spinsqueeze.run.sweep import plan_of, study_from

MODEL = sq.SpinModel(
    50,
    hamiltonian=[sq.Drive(4.0), sq.CollectiveExchange(0.3)],
    jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.5)],
)
STATE, TIMES = sq.CoherentState("-x"), np.linspace(0.0, 0.4, 9)
OVER = {"hamiltonian.0.rabi": [2.0, 4.0, 6.0, 8.0], "jumps.1.rate": [0.0, 0.2, 0.5, 1.0]}
METHOD = sq.Cumulants(2)


def swept(**options):
    return sq.sweep(MODEL, STATE, TIMES, **{"over": OVER, "method": METHOD, **options})


@pytest.fixture
def sizes(monkeypatch):
    """How many points each call has."""
    seen = []
    original = point.compute_many

    def counted(points, *, blocks):
        seen.append(len(points))
        return original(points, blocks=blocks)

    monkeypatch.setattr(jobs, "compute_many", counted)
    monkeypatch.setattr(jobs, "SHORT", 60.0)
    return seen


def test_points_of_a_batch_are_those_of_single_runs(sizes, monkeypatch):
    together = swept(workers=0)
    assert max(sizes) > 1
    assert sum(sizes) == 16
    monkeypatch.setattr(sq.Cumulants, "together", False)
    assert identical(together, swept(workers=0))
    one = sq.SpinModel(
        50,
        hamiltonian=[sq.Drive(6.0), sq.CollectiveExchange(0.3)],
        jumps=[sq.CollectiveDecay(1.0), sq.LocalDecay(0.2)],
    )
    alone = sq.simulate(one, STATE, TIMES, method=METHOD)
    for name in ("xi2", "spin", "covariance", "xi2_truncation"):
        values = together[name].isel(rabi=2, rate=1).values
        assert values.tobytes() == alone[name].values.tobytes()


def test_other_methods_get_their_points_one_by_one(sizes):
    swept(workers=0, method=sq.PermutationInvariant(), over={"jumps.1.rate": [0.2, 0.5]})
    assert sizes == [1, 1]


def test_a_store_is_filled_point_by_point(tmp_path, sizes):
    first = swept(workers=0, store=tmp_path, over={**OVER, "jumps.1.rate": [0.2, 0.5]})
    assert len(list(tmp_path.glob("*.point"))) == 8
    sizes.clear()
    whole = swept(workers=0, store=tmp_path)
    assert sum(sizes) == 8
    assert identical(whole, swept(workers=2))
    assert (whole["xi2"].values[:, 1] == first["xi2"].values[:, 0]).all()


def test_each_point_of_a_batch_fails_on_its_own(monkeypatch):
    """One is refused, one fails, one breaks; the others are computed."""
    study = study_from(MODEL, STATE, TIMES, method=METHOD, pulses=())
    tables = [
        plan_of(study, over=OVER).tables({"hamiltonian.0.rabi": rabi}) for rabi in (2, 4, 6, 8, 9)
    ]
    tables[1] = {**tables[1], "initial_state": {"kind": "dicke", "m": 0.0}, "memory_budget": 1.0}
    original = sq.Cumulants._evolve

    def fragile(self, question):
        rabi = question.model.fields[0].vectors.max()
        if rabi == 6.0:
            raise sq.NumericalFailure("no luck")
        if rabi == 8.0 and answers:
            raise ZeroDivisionError("a bug")
        return original(self, question)

    answers = [True]
    monkeypatch.setattr(sq.Cumulants, "_evolve", fragile)
    outcomes = point.compute_many(tables, blocks=False)
    assert [bool(outcome.reason) for outcome in outcomes] == [False, True, True, True, False]
    assert outcomes[2].reason == "NumericalFailure: no luck"
    assert outcomes[2].kept
    assert outcomes[3].reason.startswith("ZeroDivisionError: a bug (test_batches.py, line ")
    assert not outcomes[3].kept
    answers.clear()
    assert outcomes[0] == point.compute_many(tables[:1], blocks=False)[0]


def test_points_of_one_call_are_answered_by_their_own_methods(monkeypatch):
    original, calls = sq.Cumulants.answer_many, []

    def answer_many(self, questions):
        calls.append((self.order, len(questions)))
        return original(self, questions)

    monkeypatch.setattr(sq.Cumulants, "answer_many", answer_many)
    studies = [
        study_from(MODEL, STATE, TIMES, method=sq.Cumulants(order), pulses=())
        for order in (2, 1, 2)
    ]
    tables = [study.as_tables() for study in studies]
    together = point.compute_many(tables, blocks=False)
    assert calls == [(2, 2)]
    assert together == [point.compute_many([each], blocks=False)[0] for each in tables]
    assert together[0] != together[1]


def test_runs_of_one_call_share_its_seconds_and_its_interrupt(monkeypatch):
    task = task_of(study_from(MODEL, STATE, TIMES, method=METHOD, pulses=()))
    started = time.perf_counter()
    runs = runs_of([task] * 4)
    assert sum(run.wall_time for run in runs) <= time.perf_counter() - started
    cut = dataclasses.replace(runs[0].answer, interrupted=True)
    monkeypatch.setattr(
        sq.Cumulants, "answer_many", lambda _self, _questions: [runs[0].answer, cut]
    )
    with pytest.raises(KeyboardInterrupt):
        runs_of([task] * 2)


@pytest.mark.parametrize("other", [NUMBERS - 1, NUMBERS + 1])
def test_points_of_other_versions_of_the_numbers_are_refused(other):
    outcome = point.failure("none", kept=False)
    assert of_same_numbers(outcome) is outcome
    with pytest.raises(sq.SpinSqueezeError, match=f"version {other} of the numbers"):
        of_same_numbers(dataclasses.replace(outcome, numbers=other))


def test_a_batch_whose_worker_dies_is_computed_one_by_one(monkeypatch):
    """One point of sixteen kills every process that it is given to."""
    with_worker(
        monkeypatch,
        """
        import os
        from spinsqueeze.run import local_worker, point
        original = point.compute_many
        def deadly(points, *, blocks):
            if any(p["hamiltonian"][0]["rabi"] == 4.0 for p in points):
                os.kill(os.getpid(), 9)
            return original(points, blocks=blocks)
        point.compute_many = deadly
        local_worker.serve(())
        """,
    )
    monkeypatch.setattr(local, "DEATHS", 0)
    monkeypatch.setattr(jobs, "SHORT", 60.0)
    over = {"hamiltonian.0.rabi": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}
    data = swept(workers=1, over=over)
    assert (data["status"] == "failed").values.tolist() == [False] * 3 + [True] + [False] * 3
    assert "died again and again" in str(data["reason"].values[3])


def test_batches_grow_while_calls_are_short():
    batch = Batch()
    for _ in range(10):
        batch.took(jobs.SHORT / 2)
    assert batch.size == jobs.MAX_BATCH
    batch.took((jobs.SHORT + jobs.LONG) / 2)
    assert batch.size == jobs.MAX_BATCH
    for _ in range(10):
        batch.took(2 * jobs.LONG)
    assert batch.size == 1


def test_a_batch_leaves_work_for_the_others():
    tables = {"method": {"name": "cumulants"}}
    queue = Queue([Job(k, tables, "ab"[k % 2]) for k in range(20)], workers=2)
    taken = [(w, [job.number for job in queue.next(w, at_most=8)]) for w in "1212"]
    assert [len(numbers) for _, numbers in taken] == [3, 3, 2, 2]
    assert all(len({number % 2 for number in numbers}) == 1 for _, numbers in taken)
    rest = []
    while chosen := queue.next("1", at_most=8):
        rest += chosen
    assert len(rest) == 10


@pytest.mark.parametrize("method", [{"name": "dtwa"}, "exact", None])
def test_points_of_other_methods_are_taken_one_by_one(method):
    queue = Queue([Job(k, {"method": method}, "a") for k in range(20)])
    assert [len(queue.next("1", at_most=8)) for _ in range(3)] == [1, 1, 1]


def test_without_a_fresh_shape_a_worker_helps_where_most_is_left():
    queue = Queue([Job(k, {}, shape) for k, shape in enumerate("aabbbbccc")])
    assert [queue.next(worker)[0].shape for worker in "1234"] == ["a", "b", "c", "b"]


def test_one_after_another_is_what_a_method_has_by_itself(monkeypatch):
    def doubled(_self, question):
        if question < 0:
            raise sq.NumericalFailure("negative")
        return 2 * question

    monkeypatch.setattr(sq.Exact, "answer", doubled)
    first, second, third = sq.Exact().answer_many([1, -1, 3])
    assert (first, third) == (2, 6)
    assert isinstance(second, sq.NumericalFailure)


DECAY = [sq.CollectiveDecay(0.3)]
EARLY, LATE = [0.0, 0.2, 0.3], [0.0, 0.1, 0.3, 0.7, 0.8, 0.9]


@pytest.mark.parametrize(
    ("jumps", "method", "options"),
    [
        ([], sq.Exact(), {"times": LATE}),
        (DECAY, sq.Cumulants(2), {"times": LATE}),
        ([], sq.DTWA(16), {"times": EARLY, "seed": 3}),
        ([], sq.DTWA(16), {"times": EARLY, "readout": sq.Readout(detection_error=0.1)}),
        (DECAY, sq.PermutationInvariant(), {"times": EARLY, "losses": sq.Losses(rate=1.0)}),
        (DECAY, sq.PermutationInvariant(), {"times": EARLY, "losses": sq.Losses(times=[0.1])}),
        (DECAY, sq.PermutationInvariant(), {"steady_state": True}),
        (DECAY, sq.PermutationInvariant(qfi=True), {"times": EARLY}),
    ],
)
def test_a_point_is_that_of_its_dataset(jumps, method, options):
    model = sq.SpinModel(5, hamiltonian=[sq.OneAxisTwisting(1.0), sq.Drive(0.4)], jumps=jumps)
    study = sq.Study(model, initial_state=sq.CoherentState("+x"), method=method, **options)
    data = execute(study)
    for blocks in (False, True):
        known = from_dataset(data, blocks=blocks)
        expected = Point(
            variables={**known.variables, **best_of_run(data)},
            coordinates=known.coordinates,
            attributes=known.attributes,
        )
        (outcome,) = point.compute_many([study.as_tables()], blocks=blocks)
        assert outcome.packed == pack(expected)


def test_the_scan_of_an_optimisation_is_one_call(monkeypatch):
    calls = []
    original = optimise.execute_many

    def counted(studies):
        calls.append(len(studies))
        return original(studies)

    monkeypatch.setattr(optimise, "execute_many", counted)
    options = {"over": {"hamiltonian.0.rabi": (2.0, 9.0)}, "method": METHOD}
    together = sq.optimise(MODEL, STATE, TIMES, **options)
    assert calls == [optimise.SCAN]
    monkeypatch.setattr(sq.Cumulants, "together", False)
    alone = sq.optimise(MODEL, STATE, TIMES, **options)
    assert len(calls) == 1
    assert together.values == alone.values
    assert together.path.identical(alone.path)


def test_the_scan_of_an_optimisation_keeps_to_its_limit_of_runs():
    over = {
        "hamiltonian.0.rabi": (2.0, 9.0),
        "jumps.0.rate": (0.5, 1.5),
        "jumps.1.rate": (0.1, 0.9),
    }
    found = sq.optimise(MODEL, STATE, TIMES, over=over, method=METHOD, max_evaluations=12)
    assert found.path.sizes["evaluation"] == 12
    assert not found.converged


@pytest.mark.parametrize("whole", [False, True])
def test_the_scan_of_an_optimisation_may_fail(whole, monkeypatch):
    """One of its points, or the call for all of them, which are then run one by one."""
    original = optimise.execute_many

    def failing(studies):
        if whole:
            raise sq.NumericalFailure("no luck")
        _, *others = original(studies)
        return [sq.NumericalFailure("no luck"), *others]

    monkeypatch.setattr(optimise, "execute_many", failing)
    found = sq.optimise(
        MODEL,
        STATE,
        TIMES,
        over={"hamiltonian.0.rabi": (2.0, 9.0)},
        method=METHOD,
        max_evaluations=12,
    )
    reasons = found.path["reason"].values.tolist()
    assert reasons == ["" if whole else "NumericalFailure: no luck"] + [""] * 11
    assert np.isnan(found.path["value"].values[0]) == (not whole)
