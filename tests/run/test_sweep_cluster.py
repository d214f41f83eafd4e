import math
import sys

import pytest
from tests.run.sweeping import CHI, OVER, here, identical

from spinsqueeze.core.errors import InvalidInput, SpinSqueezeError
from spinsqueeze.run import cluster as dask_cluster
from spinsqueeze.run import jobs, patience, store
from spinsqueeze.run.jobs import Job


def test_no_client_is_made_for_what_is_no_address(monkeypatch):
    # A client that fails while it is made waits 20 s when it is collected, and prints a traceback.
    monkeypatch.setattr("distributed.Client", lambda *_, **__: pytest.fail("made a client"))
    with pytest.raises(InvalidInput, match=r"nonsense does not answer \(missing port number"):
        here(scheduler="nonsense")


def test_a_cluster_gives_the_same_bits(cluster, whole):
    assert identical(here(scheduler=cluster), whole)


def test_a_cluster_needs_dask(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InvalidInput, match=r"pip install 'spinsqueeze\[cluster\]'"):
        here(scheduler="tcp://127.0.0.1:9")


class Nobody:
    """A client of a cluster without workers; `answers` says what its scheduler does instead."""

    loop = None

    def __init__(self, answers=None):
        self.scheduler = self
        self.answers = answers or (lambda: {})
        self.cancelled = []

    def sync(self, question, *, callback_timeout):
        assert 0 < callback_timeout < 60
        return question()

    def ncores(self):
        return self.answers()

    def cancel(self, futures, **_):
        self.cancelled += futures

    def submit(self, *_, **__):
        return object()


class Unfinished:
    """Stands for as_completed: nothing ever is."""

    def __init__(self, **options):
        pass

    def add(self, future):
        pass

    def has_ready(self):
        return False


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("distributed.as_completed", Unfinished)
    monkeypatch.setattr(dask_cluster, "REFILL", 0.0)
    monkeypatch.setattr(patience, "WORD", 0.02)


def waited(client, *, patience):
    said = []
    points = [Job(0, {}, ""), Job(1, {}, "")]
    run = dask_cluster.run_on(client, points, blocks=False, patience=patience, say=said.append)
    with pytest.raises(SpinSqueezeError) as caught:
        next(run)
    return str(caught.value), said


@pytest.mark.usefixtures("impatient")
def test_a_cluster_without_workers_is_waited_for_with_words_and_an_end():
    client = Nobody()
    message, said = waited(client, patience=0.1)
    assert message == (
        "the cluster has no workers, after 0.1 s of waiting: start workers and run the same again, "
        "or raise patience (now 0.1 s)"
    )
    assert said[0] == "the cluster has no workers: waiting (0 s of at most 0.1 s), 2 points to do"
    assert 2 <= len(said) <= 6
    assert len(client.cancelled) == 2


@pytest.mark.usefixtures("impatient")
def test_a_scheduler_that_hangs_is_given_up_too():
    def hang():
        raise TimeoutError

    message, said = waited(Nobody(hang), patience=0.05)
    assert message.startswith("the cluster does not answer, after 0.05 s of waiting")
    assert said[0].startswith("the cluster does not answer: waiting (0 s")


@pytest.mark.usefixtures("impatient")
def test_a_scheduler_that_is_gone_is_not_waited_for():
    def gone():
        raise OSError("connection closed")

    assert waited(Nobody(gone), patience=100.0) == ("the scheduler was lost (OSError)", [])


def test_workers_that_come_in_time_renew_the_patience(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(patience.time, "monotonic", lambda: clock[0])
    said = []
    watch = patience.Watch(patience=3600.0, say=said.append)

    def wait(until):
        while clock[0] < until:
            watch.waiting("has no workers", points=7)
            clock[0] += 1.0

    wait(3600.0)
    assert len(said) == 60
    assert (
        said[-1] == "the cluster has no workers: waiting (59 min of at most 60 min), 7 points to do"
    )
    watch.satisfied()
    wait(7200.0)
    with pytest.raises(patience.ClusterLost, match=r"after 60 min of waiting.*\(now 3600 s\)"):
        watch.waiting("has no workers", points=7)
    forever = patience.Watch(patience=math.inf, say=said.append)
    forever.waiting("has no workers", points=7)
    clock[0] += 1e7
    forever.waiting("has no workers", points=7)
    assert said[-1] == "the cluster has no workers: waiting (2.78e+03 h), 7 points to do"


def test_a_real_cluster_without_workers_is_given_up_and_gone_on_with(tmp_path, whole, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(patience, "WORD", 0.5)
    here(store=tmp_path, over={**OVER, CHI: [0.5]})
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0", processes=False) as empty,
        pytest.warns(UserWarning, match=r"the cluster has no workers: waiting .* 8 points to do"),
        pytest.raises(
            SpinSqueezeError, match=r"no workers, after 1 s .*; 4 of 12 points are done and kept in"
        ),
    ):
        here(scheduler=empty.scheduler_address, store=tmp_path, patience=1.0)
    seen = []
    assert identical(here(store=tmp_path, progress=seen.append), whole)
    assert seen[-1].reused == 4


def test_a_lost_cluster_without_a_store_says_what_is_lost(monkeypatch):
    def lost(*_, **__):
        raise patience.ClusterLost("the cluster is gone")
        yield

    monkeypatch.setattr("spinsqueeze.run.sweep._outcomes", lost)
    with pytest.raises(
        SpinSqueezeError, match="gone; 0 of 12 points are done and lost: name a store"
    ):
        here()


def test_another_version_of_the_numbers_is_refused(cluster, monkeypatch):
    monkeypatch.setattr(jobs, "NUMBERS", 99)
    told = rf"version {store.NUMBERS} of the numbers, here is version 99"
    with pytest.raises(SpinSqueezeError, match=told):
        here(scheduler=cluster)


def test_a_lost_worker_is_a_reason():
    from distributed import KilledWorker

    class Future:
        status = "error"

        def exception(self):
            return KilledWorker("point", None, 5)

    outcome = dask_cluster._outcome(Future(), None)
    assert "for want of memory" in outcome.reason
    assert not outcome.kept
    Future.exception = lambda _self: ValueError("odd")
    assert dask_cluster._outcome(Future(), None).reason == "ValueError: odd"
    Future.status = "cancelled"
    with pytest.raises(SpinSqueezeError, match="cluster was lost"):
        dask_cluster._outcome(Future(), None)
