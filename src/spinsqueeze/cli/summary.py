"""What a result says, in lines for people."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from spinsqueeze.core.registry import LAB_FIGURES
from spinsqueeze.run.lines import best as best
from spinsqueeze.run.lines import points_and_best as points_and_best


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


def setting(data: Any) -> Iterator[str]:
    """How many spins are where, and what the unit of the rates means, where that is unclear."""
    from spinsqueeze.results.studies import full_study_tables

    ensemble = full_study_tables(data).get("ensemble", {}) if "study" in data.attrs else {}
    swept = any(str(c.attrs.get("path")).startswith("ensemble.") for c in data.coords.values())
    yield f"{'spins':<12} {_count(data)}{'' if swept else _place(ensemble)}"
    yield from _unit(data)


def _unit(data: Any) -> Iterator[str]:
    from spinsqueeze.core.written_units import meaning

    unit = str(data.attrs.get("unit", ""))
    if meaning(unit):
        yield f"{'unit':<12} {unit}, {meaning(unit)}"


def _place(ensemble: Any) -> str:
    """' on 10 x 10, open'; ' on a chain of 100' where one number is the shape."""
    shape = ensemble.get("shape")
    if shape is None:
        return " at positions" if "positions" in ensemble else ""
    sizes = [shape] if isinstance(shape, int) else list(shape)
    size = " x ".join(map(str, sizes)) if len(sizes) > 1 else f"a chain of {sizes[0]}"
    cells = f" cells ({ensemble['geometry']})" if "geometry" in ensemble else ""
    boundary = ensemble.get("boundary", "periodic")
    edges = boundary if isinstance(boundary, str) else " and ".join(boundary)
    return f" on {size}{cells}, {edges}"


def lab(data: Any) -> Iterator[str]:
    """Laboratory numbers in both units, cooperativity and validity of a single run's model."""
    if "status" in data or not any(name in data.attrs for name in LAB_FIGURES):
        return
    from spinsqueeze.run.study_file import study_of

    model = study_of(data).model
    assert model.lab is not None
    for label, text in model.lab.lines():
        yield f"{label:<12} {text}"
    if "lab_collective_decay_hz" in data.attrs:
        ran = "spins alone, the cavity eliminated" if model.cavity is None else "the cavity kept"
        yield f"{'model':<12} {ran}"


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
    if "known_error" in diagnostics:
        yield f"approximation: {diagnostics['known_error']}"
    strength = diagnostics.get("mean_field_instability")
    if strength is not None:
        fate = {"ends": "ends", "unstable": "is unstable"}.get(diagnostics["mean_field_outcome"])
        where = f"{fate} at lambda = {strength:.4g}" if fate else "is stable at every lambda"
        yield f"mean field: the paramagnet {where} (lambda = 1: this model)"


def concerns(data: Any) -> list[str]:
    """The warnings a run recorded."""
    from spinsqueeze.results.dataset import warnings_of

    return warnings_of(data)


def contents(data: Any) -> Iterator[str]:
    """What is in a result, line by line."""
    from spinsqueeze.results.provenance import another_version
    from spinsqueeze.results.studies import full_study_tables

    attrs = data.attrs
    if attrs.get("title"):
        yield str(attrs["title"])
    if "figure" in attrs:
        yield from _figure(data)
        return
    study = full_study_tables(data) if "study" in attrs else {}
    yield from _model(data, study)
    if "initial_state" in study:
        state = study["initial_state"]
        yield f"{'start':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in state.items())
    for pulse in study.get("pulses", []):
        yield f"{'pulse':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in pulse.items())
    yield f"{'method':<12} {_call(study.get('method', {'name': attrs.get('method')}), 'name')}"
    for path, values in study.get("sweep", {}).items():
        yield f"{'sweep':<12} {path} = {_values(values)}"
    for name, value in study.get("readout", {}).items():
        yield f"{'readout':<12} {name} = {_short(value)}"
    for name, value in study.get("losses", {}).items():
        yield f"{'losses':<12} {name} = {_short(value)}"
    yield from list(chosen_times(data)) or [f"{'times':<12} {_times(data)}"]
    seeds = json.loads(attrs.get("seeds", "[]")) or [attrs.get("seed", "of each point")]
    yield f"{'seed':<12} {', '.join(map(str, seeds))}"
    yield f"{'made by':<12} {_origin(attrs)}"
    if note := another_version(attrs):
        yield f"{'version':<12} {note}"
    yield _variables(data)


def _model(data: Any, study: Any) -> Iterator[str]:
    """Spins, terms, cavity and laboratory numbers of a study."""
    yield f"spins        {_spins(study.get('ensemble', {}), _count(data))}"
    yield from _unit(data)
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
    from spinsqueeze.core.written_units import written

    unit = written(str(data["time"].attrs.get("units", "")))
    return f"{len(times)} from {times[0]:g} to {times[-1]:g} {unit}".rstrip()


def _origin(attrs: Any) -> str:
    parts = [f"spinsqueeze {attrs.get('spinsqueeze_version', 'unknown')}"]
    parts += [f"{name} {attrs[name]}" for name in ("commit", "dtype", "device") if name in attrs]
    if "machine" in attrs:
        parts.append(str(attrs["machine"]))
    if "wall_time" in attrs:
        parts.append(f"{float(attrs['wall_time']):.3g} s")
    return ", ".join(parts)
