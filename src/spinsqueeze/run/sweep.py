"""sweep: one study at many parameter values, on many processes, killed and resumed at will."""

import contextlib
import json
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import FileProblem, InvalidInput, SpinSqueezeError
from spinsqueeze.core.plain import with_value
from spinsqueeze.models.readout import Readout
from spinsqueeze.results import provenance
from spinsqueeze.results.files import MARK
from spinsqueeze.results.grid import as_single_run, stack
from spinsqueeze.results.points import Point
from spinsqueeze.results.realisations import average
from spinsqueeze.results.studies import put_study
from spinsqueeze.run.cluster import connected, run_on
from spinsqueeze.run.execute import execute
from spinsqueeze.run.jobs import Job, default_workers, run_here
from spinsqueeze.run.local import run_local, worker_memory
from spinsqueeze.run.patience import PATIENCE, ClusterLost
from spinsqueeze.run.point import Outcome
from spinsqueeze.run.progress_bar import listener, point_listeners
from spinsqueeze.run.questions import AUTO
from spinsqueeze.run.stepwise import times_of
from spinsqueeze.run.store import Store, digests, point_key
from spinsqueeze.run.study import Study
from spinsqueeze.run.study_file import study_from_tables
from spinsqueeze.run.sweep_axes import AVERAGED, ZIPPED
from spinsqueeze.run.sweep_plan import Plan, shape_of
from spinsqueeze.run.sweep_progress import PointCount, SweepProgress
from spinsqueeze.run.sweep_subject import plan_of as plan_of
from spinsqueeze.run.sweep_subject import study_from as study_from

Say = Callable[[str], None]


@clear_call
def sweep(
    subject: Any,
    initial_state: Any = None,
    times: Any = None,
    *,
    over: Mapping[str, Any] | None = None,
    zipped: bool | Sequence[Sequence[str]] | None = None,
    average_over: str | Sequence[str] | None = None,
    method: Any = None,
    pulses: Any = (),
    readout: Readout | None = None,
    seed: int | None = None,
    memory_budget: float | None = None,
    title: str | None = None,
    blocks: bool = False,
    store: str | Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    memory_limit: float | str | None = None,
    patience: float = PATIENCE,
    progress: Callable[[SweepProgress], None] | bool | None = None,
) -> xr.Dataset:
    """Run a study at every point of a grid of parameter values.

    A point that fails is recorded with its reason and does not stop the rest. With a store every
    finished point is on disk, whole, before it counts: the same call after an interruption goes
    on where it was, and a changed axis computes only what is new. The result is the same to the
    last bit whatever the number of workers, their order, and the interruptions.

    Every point has the seed of the study, so that neighbouring points share their noise and curves
    over parameters are smooth; sweep "run.seed" for independent ones.

    Realisations of one experiment (fillings, disorder, atom numbers) become one result where they
    are averaged over: with m_r and C_r of realisation r, the mean spin is E[m_r], the covariance
    E[C_r] + Cov[m_r], and N in xi2 its mean. Errors are from the jackknife over realisations, each
    of which has a seed of its own (the study's plus its number).

    Args:
        subject: a model, a `Study`, or the tables of a study.
        initial_state: with a model: the state at time 0.
        times: with a model: output times (T,); "auto": chosen for every point, see `simulate`;
            None: the steady state, or "auto" for a model without jumps and cavity.
        over: dotted path into the study (as in a study file: "hamiltonian.0.j_z",
            "ensemble.spins", "initial_state.coherent", "method.n_trajectories") -> values, or
            {start, stop, num} with spacing "linear" or "log". Default: the study's own sweep.
        zipped: True: all paths run together along one dimension. Or groups of paths that do.
            The dimension has the name of its first path. Default: what the study says, else a
            grid.
        average_over: a path of `over`, or several, whose points are realisations, at least 4; such
            values may repeat. Realisations share their times: "auto" chooses them for the first.
            Default: what the study says.
        method: see `simulate`; None: chosen anew at every point.
        pulses: with a model: instantaneous rotations.
        readout: how the spins are misread, instead of the study's.
        seed: instead of the study's.
        memory_budget: bytes for each point, instead of the study's.
        title: instead of the study's.
        blocks: keep the moments of the sample blocks, which `merge` needs; large.
        store: folder for finished points; made where missing. None: nothing is kept.
        workers: local processes; default one for each core. 0: no others, here and now.
        scheduler: address of a running dask cluster to use instead.
        memory_limit: bytes (or "4 GB") for each local worker; one that needs more is stopped.
            Default: nine tenths of the memory, shared equally.
        patience: seconds to wait for a cluster that has no workers or does not answer; a warning
            every minute says so. Default an hour, since jobs may queue; inf waits for ever.
        progress: called with a `SweepProgress` after every point; True shows a bar.

    Returns:
        The Dataset of `simulate` with the swept parameters as further dimensions, named by the
        last key of their path (with keys before it where two would be alike); optimal_xi2,
        optimal_time and optimal_angle at each point, with errors where they are sampled;
        `status` ("done" or "failed") and `reason`. Failed points hold NaN. Where everything is
        averaged over: a Dataset as that of `simulate`, without what is not a function of the
        collective moments.

    Raises:
        InvalidInput: an argument breaks its rule; before anything is computed.
        FileProblem: the store cannot be used, or its disk is full; finished points are kept.
        SpinSqueezeError: the cluster is lost, or had no workers for longer than `patience`;
            finished points are kept in the store. Or everything is averaged over and too few
            realisations are done.
    """
    study = study_from(
        subject,
        initial_state,
        times,
        method=method,
        pulses=pulses,
        readout=readout,
        seed=seed,
        memory_budget=memory_budget,
        title=title,
    )
    plan = plan_of(study, over=over, zipped=zipped, average_over=average_over)
    if workers is None:
        workers = default_workers()
    checks.integer("workers", workers, minimum=0, maximum=10_000)
    if memory_limit is not None:
        worker_memory(memory_limit, workers=max(1, workers))
    if store is not None and not isinstance(store, str | Path):
        raise InvalidInput(f"store must be the name of a folder, got {checks.shown(store)}")
    patience = checks.real("patience", patience, above=0.0, infinite=True)
    hears = progress is None or isinstance(progress, bool) or callable(progress)
    if not hears:
        raise InvalidInput(f"progress must be a function of a SweepProgress, got {progress!r}")

    def say(text: str) -> None:
        warnings.warn(text, stacklevel=3)

    with (
        _noted(store),
        _opened(store, say=say) as kept,
        point_listeners(progress, title=study.title or "sweep") as listeners,
    ):
        return _run(
            plan,
            attributes=_attributes(study),
            blocks=bool(blocks),
            store=store,
            kept=kept,
            workers=workers,
            scheduler=scheduler,
            memory_limit=memory_limit,
            patience=patience,
            listeners=listeners,
            say=say,
        )


@clear_call
def run_study(
    study: Study,
    *,
    progress: Callable[[float], None] | bool | None = None,
    keep_state: bool = False,
    blocks: bool = False,
) -> xr.Dataset:
    """The result of a study: of its one run, or of the sweep that it asks for.

    Args:
        study: what `read_study` returns.
        progress: called with the fraction done; True shows a bar (lines in a log file).
        keep_state: of one run: store the state at the last time, for `final_state`.
        blocks: of a sweep: keep the moments of the sample blocks, which `merge` needs.

    Raises:
        SpinSqueezeError: see `simulate`, `steady_state` and `sweep`.
    """
    if not isinstance(study, Study):
        raise InvalidInput(
            f"study must be a Study, got {checks.shown(study)}; read a file with read_study"
        )
    if study.sweep is None:
        with listener(progress, title=study.title or "simulate") as heard:
            return execute(study, progress=heard, keep_state=keep_state, keep_interrupted=True)
    if progress is None or isinstance(progress, bool):
        return sweep(study, blocks=blocks, progress=progress)
    return sweep(study, blocks=blocks, progress=lambda now: progress(now.fraction))


@contextlib.contextmanager
def _noted(store: str | Path | None) -> Iterator[None]:
    """Say in an interrupt where its finished points are."""
    try:
        yield
    except KeyboardInterrupt as stop:
        if store is not None and Path(store).is_dir():
            stop.add_note(f"finished points are kept in {store}: run the same again to go on")
        raise


@contextlib.contextmanager
def _opened(store: str | Path | None, *, say: Say) -> Iterator[Store | None]:
    """The store; a sweep that is refused leaves no empty folder behind."""
    kept = None if store is None else Store(store, say=say)
    try:
        yield kept
    finally:
        if kept is not None:
            kept.leave()


def _run(
    plan: Plan,
    *,
    attributes: dict[str, Any],
    blocks: bool,
    store: str | Path | None,
    kept: Store | None,
    listeners: Sequence[Callable[[SweepProgress], None]],
    say: Say,
    **where: Any,
) -> xr.Dataset:
    base = dict(plan.base)
    plan = Plan(base, plan.values, plan.axes, plan.realisations)
    jobs = [
        Job(number, tables, shape_of(values))
        for number, (values, tables) in enumerate(_tables_of(plan))
    ]
    points: list[Point | None] = [None] * len(jobs)
    if kept is not None:
        shared = digests(base)
        keys = [point_key(job.tables, blocks=blocks, known=shared) for job in jobs]
        points = _points_there(kept, keys)
    missing = [job for job in jobs if points[job.number] is None]
    count = PointCount([p for p in points if p is not None], total=plan.size, listeners=listeners)
    if missing:
        try:
            outcomes = _outcomes(missing, blocks=blocks, say=say, **where)
            # Closed at once on the way out, lest an interrupt leaves workers behind its traceback.
            with contextlib.closing(outcomes):
                for job, outcome in outcomes:
                    if kept is not None and outcome.kept:
                        kept.write(keys[job.number], outcome.packed)
                    points[job.number] = outcome.point
                    count.add(failed=bool(outcome.reason))
        except FileProblem as error:
            raise FileProblem(
                f"{error}; {count.done} of {plan.size} points are kept there: make room and run "
                "the same again to go on"
            ) from None
        except ClusterLost as error:
            done = f"{count.done} of {plan.size} points are"
            kept_in = "lost: name a store to keep them" if kept is None else f"kept in {store}"
            raise ClusterLost(f"{error}; {done} done and {kept_in}") from None
    whole = [p for p in points if p is not None]
    if plan.realisations:
        single = not plan.kept_axes
        whole = [
            average([whole[k] for k in group], blocks=blocks or single) for group in plan.groups()
        ]
        if single and whole[0].reason:
            raise SpinSqueezeError(whole[0].reason)
    data = stack(whole, axes=plan.grid_axes(), attributes=attributes)
    study = _study(plan, attributes["title"])
    data = put_study(data, study)
    if plan.kept_axes:
        return data
    data = as_single_run(data)
    return put_study(data.drop_vars([n for n in data if str(n).startswith("optimal_")]), study)


def _tables_of(plan: Plan) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """The swept values of each point with its study; realisations share the times of the first."""
    pairs = [(values, plan.tables(values)) for values in plan.points()]
    if plan.realisations and plan.base["run"].get("times") == AUTO:
        for group in plan.groups():
            times = times_of(study_from_tables(pairs[group[0]][1]))
            for number in group:
                values, tables = pairs[number]
                pairs[number] = values, with_value(tables, "run.times", {"values": times})
    yield from pairs


def _points_there(kept: Store, keys: Sequence[str]) -> list[Point | None]:
    """The point of each key that the store has."""
    there = kept.known(keys)
    return [kept.read(key) if key in there else None for key in keys]


def _study(plan: Plan, title: str) -> dict[str, Any]:
    """The study of a sweep, so that it can be run again."""
    study = {**plan.base, "sweep": {path: list(values) for path, values in plan.values.items()}}
    groups = [list(paths) for paths in plan.axes if len(paths) > 1]
    if groups:
        study["sweep"][ZIPPED] = groups
    if plan.realisations:
        study["sweep"][AVERAGED] = [plan.axes[k][0] for k in plan.realisations]
    return {**study, "title": title} if title else study


def _attributes(study: Study) -> dict[str, Any]:
    """What a sweep says of itself."""
    method = study.method
    return {
        "title": study.title,
        **({} if method is None else {"method_options": json.dumps(method.full_table())}),
        MARK: provenance.version(),
        "commit": provenance.commit(),
        "machine": provenance.machine(),
    }


def _outcomes(
    jobs: Sequence[Job],
    *,
    blocks: bool,
    workers: int,
    scheduler: str | None,
    memory_limit: float | str | None,
    patience: float,
    say: Say,
) -> Generator[tuple[Job, Outcome], None, None]:
    if scheduler is not None:
        with connected(scheduler) as client:
            yield from run_on(client, jobs, blocks=blocks, patience=patience, say=say)
    elif workers == 0:
        yield from run_here(jobs, blocks=blocks)
    else:
        workers = min(workers, len(jobs))
        yield from run_local(jobs, blocks=blocks, workers=workers, memory_limit=memory_limit)
