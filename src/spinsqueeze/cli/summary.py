"""What a result says, in lines for people."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np


def best(data: Any) -> Iterator[str]:
    """The best squeezing of a result, or why there is none."""
    from spinsqueeze.core.errors import SpinSqueezeError
    from spinsqueeze.run.optimum import optimum

    if "figure" in data.attrs:
        return
    if "status" in data:
        yield from points_and_best(data)
        return
    if "time" not in data.coords and "xi2" in data and data["xi2"].ndim == 0:
        yield _steady(data)
        yield from _truncation(data)
        return
    try:
        least = optimum(data)
    except SpinSqueezeError as error:
        yield f"no optimum: {error}"
        return
    yield from str(least).splitlines()
    yield from _lab_time(data, least.time)
    yield from _truncation(data.sel(time=least.time, method="nearest"))


def _lab_time(data: Any, time: float) -> Iterator[str]:
    """A time in seconds, and in units of the rates that the cavity hands the spins."""
    if "lab_chi_hz" not in data.attrs:
        return
    from spinsqueeze.core.units import with_prefix

    chi, decay, together = (
        2 * np.pi * abs(float(data.attrs[name])) * time
        for name in ("lab_chi_hz", "lab_collective_decay_hz", "lab_superradiant_hz")
    )
    yield (
        f"time {with_prefix(time, 's')}: |chi| t = {chi:.4g}, Gamma t = {decay:.4g}, "
        f"N Gamma t = {together:.4g}"
    )


def chosen_times(data: Any) -> Iterator[str]:
    """How a run chose its times, in one line; nothing where they were given."""
    if "automatic_times" not in data.attrs:
        if "automatic_times" in data:  # a sweep, where it differs from point to point
            yield f"{'times':<12} chosen for each point"
        return
    choice = json.loads(data.attrs["automatic_times"])
    runs, rounds = choice["pilot_runs"], choice["rounds"]
    short = f"{runs} short run{'s' if runs > 1 else ''} of {choice['pilot']}"
    full = "" if rounds == 1 else f", full run repeated {('once', 'twice')[rounds - 2]}"
    yield f"{'times':<12} chosen ({choice['outcome']}): {_times(data)}; {short}{full}"


def lab(data: Any) -> Iterator[str]:
    """Laboratory numbers in both units, cooperativity and validity of a single run's model."""
    if "lab_chi_hz" not in data.attrs or "status" in data:
        return
    from spinsqueeze.run.study_file import study_of

    model = study_of(data).model
    assert model.lab is not None
    ran = "spins alone, the cavity eliminated" if model.cavity is None else "the cavity kept"
    for label, text in (*model.lab.lines(), ("model", ran)):
        yield f"{label:<12} {text}"


def _truncation(data: Any) -> Iterator[str]:
    """How far an approximation that measures itself trusts a value of xi2."""
    if "xi2_truncation" in data:
        change = float(data["xi2_truncation"])
        yield f"truncation: what is left out changes xi2 there by about {change:.2g}"


def bounds(data: Any) -> Iterator[str]:
    """What the least xi2 of a single run is held against: uncertainty, information, mean field."""
    if "figure" in data.attrs or "status" in data or "xi2" not in data:
        return
    if "time" in data["xi2"].dims:
        if not np.isfinite(data["xi2"].values).any():
            return
        data = data.isel(time=int(np.nanargmin(data["xi2"].values)))
    parts = []
    if np.isfinite(product := float(data.get("uncertainty_product", np.nan))):
        parts.append(f"uncertainty product {product:.4g} (at least 1)")
    if "qfi" in data:
        share = float(data["qfi"]) / data.attrs["n_spins"]
        parts.append(f"qfi/N = {share:.4g} (at least 1/xi2 = {1 / float(data['xi2']):.4g})")
    if parts:
        yield "at the least xi2: " + ", ".join(parts)
    diagnostics = json.loads(data.attrs.get("diagnostics", "{}"))
    strength = diagnostics.get("mean_field_instability")
    if strength is not None:
        fate = {"ends": "ends", "unstable": "is unstable"}.get(diagnostics["mean_field_outcome"])
        where = f"{fate} at lambda = {strength:.4g}" if fate else "is stable at every lambda"
        yield f"mean field: the paramagnet {where} (lambda = 1: this model)"


def points_and_best(data: Any) -> Iterator[str]:
    """What came out of a sweep, in lines for people."""
    from spinsqueeze.core.text import value_with_error
    from spinsqueeze.observables.optimum import OptimumStatus

    status, reason = data["status"].values, data["reason"].values
    failed = status != "done"
    yield f"{status.size - failed.sum()} of {status.size} points done, {failed.sum()} failed"
    for text in dict.fromkeys(reason[failed].ravel()):
        count = int((reason == text).sum())
        yield f"failed ({count} points): {text}"
    name = "optimal_xi2" if "optimal_xi2" in data else "xi2"
    if name not in data or not np.isfinite(data[name].values).any():
        return
    where = {dim: int(k) for dim, k in data[name].argmin(...).items()}
    best = data[name].isel(where)
    stderr = f"{name}_stderr"
    parts = [float(data[n].isel(where)) for n in (stderr, f"{name}_interpolation") if n in data]
    known = [part for part in parts if np.isfinite(part)]
    error = float(np.hypot.reduce(known)) if known else None
    if stderr not in data and error is not None and error < 5e-7 * float(best):
        error = None
    labels = [c for c in best.coords.values() if c.ndim == 0 and "path" in c.attrs]
    place = ", ".join(f"{c.name} = {c.item():.6g}" if c.dtype.kind in "if" else
                      f"{c.name} = {c.item()}" for c in labels)  # fmt: skip
    yield f"least xi2 = {value_with_error(float(best), stderr=error)} at {place}"
    if "optimal_status" not in data:
        return
    for name, (place, remedy) in _ADVICE.items():
        count = int((data["optimal_status"].values == OptimumStatus[name]).sum())
        if count:
            yield f"{place}: {count} of {status.size} optima; {remedy}"


_ADVICE = {
    "FIRST_TIME": ("at the first time", "add earlier times"),
    "LAST_TIME": ("at the last time", "add later times"),
    "INITIAL_STATE": ("least in the initial state", "no squeezing at these times"),
    "TOO_COARSE": ("times too coarse to interpolate", "add times near the least xi2"),
}


def _steady(data: Any) -> str:
    """The squeezing of a steady state."""
    from spinsqueeze.core.text import value_with_error
    from spinsqueeze.observables.squeezing import decibels

    xi2 = data["xi2"].values
    error = float(data["xi2_stderr"]) if "xi2_stderr" in data else None
    if not np.isfinite(xi2):
        return "no squeezing: xi2 is undefined in the steady state"
    value = value_with_error(float(xi2), stderr=error)
    return f"xi2 = {value} ({float(decibels(xi2)):.4g} dB) in the steady state"


def concerns(data: Any) -> list[str]:
    """The warnings a run recorded."""
    from spinsqueeze.results.dataset import warnings_of

    return warnings_of(data)


def contents(data: Any) -> Iterator[str]:
    """What is in a result, line by line."""
    from spinsqueeze.results.studies import study_tables

    attrs = data.attrs
    if attrs.get("title"):
        yield str(attrs["title"])
    if "figure" in attrs:
        yield from _figure(data)
        return
    study = study_tables(data) if "study" in attrs else {}
    yield from _model(data, study)
    if "initial_state" in study:
        state = study["initial_state"]
        yield f"{'start':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in state.items())
    for pulse in study.get("pulses", []):
        yield f"{'pulse':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in pulse.items())
    yield f"{'method':<12} {_call(study.get('method', {'name': attrs.get('method')}), 'name')}"
    for path, values in study.get("sweep", {}).items():
        yield f"{'sweep':<12} {path} = {_values(values)}"
    for name, value in study.get("losses", {}).items():
        yield f"{'losses':<12} {name} = {_short(value)}"
    yield from list(chosen_times(data)) or [f"{'times':<12} {_times(data)}"]
    seeds = json.loads(attrs.get("seeds", "[]")) or [attrs.get("seed", "of each point")]
    yield f"{'seed':<12} {', '.join(map(str, seeds))}"
    yield f"{'made by':<12} {_origin(attrs)}"
    yield _variables(data)


def _model(data: Any, study: Any) -> Iterator[str]:
    """Spins, terms, cavity and laboratory numbers of a study."""
    yield f"spins        {_spins(study.get('ensemble', {}), _count(data))}"
    if "lab" in study:
        numbers = _call({"name": "lab", **study["lab"]}, "name")
        yield from lab(data) if "status" not in data else [f"{'lab':<12} {numbers}"]
    for part, label in (("hamiltonian", "hamiltonian"), ("jumps", "jumps")):
        for term in study.get(part, []):
            yield f"{label:<12} {_call(term, 'term')}"
    if "cavity" in study:
        yield f"{'cavity':<12} {_call({'name': 'cavity', **study['cavity']}, 'name')}"


def _figure(data: Any) -> Iterator[str]:
    """What is in the Dataset of a paper's figure."""
    attrs = data.attrs
    yield f"{'paper':<12} {attrs.get('paper')}, figure {attrs['figure']}, size {attrs.get('size')}"
    for name, label in data.coords.items():
        if label.ndim == 1:
            yield f"{name!s:<12} {_values(label.values.tolist())}"
    for name in ("convention", "failed_points"):
        if name in attrs:
            yield f"{name.partition('_')[0]:<12} {attrs[name]}"
    yield f"{'made by':<12} {_origin(attrs)}"
    yield _variables(data)


def _variables(data: Any) -> str:
    shown = (str(name) for name in data.data_vars if not str(name).startswith("block_"))
    return f"{'variables':<12} {', '.join(shown)}"


def _count(data: Any) -> str:
    """The number of spins, or its range over a sweep, and how many are left at the end."""
    if "spins_left" not in data:
        return _count_at_start(data)
    fewest = data["spins_left"].min().item()
    left = str(fewest) if isinstance(fewest, int) else f"{fewest:.4g}"
    if "realisations" in json.loads(data.attrs.get("diagnostics", "{}")):
        return f"{left} on average"
    return f"{_count_at_start(data)}, {left} left at the end"


def _count_at_start(data: Any) -> str:
    if "n_spins" in data.attrs:
        return str(data.attrs["n_spins"])
    counts = data["n_spins"].values if "n_spins" in data else np.array([])
    counts = counts[counts > 0]
    if counts.size == 0:
        return "unknown"
    low, high = int(counts.min()), int(counts.max())
    return str(low) if low == high else f"{low} to {high}"


def _spins(ensemble: Any, n_spins: str) -> str:
    rest = {key: value for key, value in ensemble.items() if key != "spins"}
    return f"{n_spins}" + "".join(f", {key} = {_short(value)}" for key, value in rest.items())


def _call(table: Any, head: str) -> str:
    fields = ", ".join(f"{k} = {_short(v)}" for k, v in table.items() if k != head)
    return f"{table.get(head)}({fields})"


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return " x ".join(map(str, value.shape)) + " numbers"
    text = json.dumps(value, default=_short) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _values(values: list[Any]) -> str:
    if len(values) > 4 and all(isinstance(v, int | float) for v in values):
        return f"{len(values)} values from {min(values):g} to {max(values):g}"
    return _short(values)


def _times(data: Any) -> str:
    if "time_of_point" in data:
        return f"{data.sizes['time']} of each point"
    if not data.sizes.get("time"):
        return "steady state"
    times = data["time"].values
    unit = data["time"].attrs.get("units", "")
    return f"{len(times)} from {times[0]:g} to {times[-1]:g} {unit}".rstrip()


def _origin(attrs: Any) -> str:
    parts = [f"spinsqueeze {attrs.get('spinsqueeze_version', 'unknown')}"]
    parts += [f"{name} {attrs[name]}" for name in ("commit", "dtype", "device") if name in attrs]
    if "machine" in attrs:
        parts.append(str(attrs["machine"]))
    if "wall_time" in attrs:
        parts.append(f"{float(attrs['wall_time']):.3g} s")
    return ", ".join(parts)
