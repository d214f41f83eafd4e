"""What a result says, in lines for people."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np


def best(data: Any) -> Iterator[str]:
    """The best squeezing of a result, or why there is none."""
    from spinsqueeze.core.errors import SpinSqueezeError
    from spinsqueeze.run.optimum import optimum

    if "time" not in data.coords and "xi2" in data and data["xi2"].ndim == 0:
        yield _steady(data)
        return
    try:
        yield from str(optimum(data)).splitlines()
    except SpinSqueezeError as error:
        yield f"no optimum: {error}"


def _steady(data: Any) -> str:
    """The squeezing of a steady state."""
    from spinsqueeze.observables.optimum import value_with_error
    from spinsqueeze.observables.squeezing import decibels

    xi2 = data["xi2"].values
    error = float(data["xi2_stderr"]) if "xi2_stderr" in data else None
    if not np.isfinite(xi2):
        return "no squeezing: xi2 is undefined in the steady state"
    told = value_with_error(float(xi2), stderr=error)
    return f"xi2 = {told} ({float(decibels(xi2)):.4g} dB) in the steady state"


def concerns(data: Any) -> list[str]:
    """The warnings a run recorded."""
    from spinsqueeze.results.dataset import warnings_of

    return warnings_of(data)


def contents(data: Any) -> Iterator[str]:
    """What is in a result, line by line."""
    told = data.attrs
    study = json.loads(told.get("study", "{}"))
    if told.get("title"):
        yield str(told["title"])
    yield f"spins        {_spins(study.get('ensemble', {}), told.get('n_spins'))}"
    for part, label in (("hamiltonian", "hamiltonian"), ("jumps", "jumps")):
        for term in study.get(part, []):
            yield f"{label:<12} {_call(term, 'term')}"
    if "cavity" in study:
        yield f"{'cavity':<12} {_call({'name': 'cavity', **study['cavity']}, 'name')}"
    if "initial_state" in study:
        state = study["initial_state"]
        yield f"{'start':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in state.items())
    for pulse in study.get("pulses", []):
        yield f"{'pulse':<12} " + ", ".join(f"{k} = {_short(v)}" for k, v in pulse.items())
    yield f"{'method':<12} {_call(study.get('method', {'name': told.get('method')}), 'name')}"
    yield f"{'times':<12} {_times(data)}"
    yield f"{'seed':<12} {told.get('seed')}"
    yield f"{'made by':<12} {_origin(told)}"
    yield f"{'variables':<12} " + ", ".join(
        name for name in data.data_vars if not name.startswith("block_")
    )


def _spins(ensemble: Any, n_spins: Any) -> str:
    rest = {key: value for key, value in ensemble.items() if key != "spins"}
    return f"{n_spins}" + "".join(f", {key} = {_short(value)}" for key, value in rest.items())


def _call(table: Any, head: str) -> str:
    fields = ", ".join(f"{k} = {_short(v)}" for k, v in table.items() if k != head)
    return f"{table.get(head)}({fields})"


def _short(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _times(data: Any) -> str:
    if not data.sizes.get("time"):
        return "steady state"
    times = data["time"].values
    unit = data["time"].attrs.get("units", "")
    return f"{len(times)} from {times[0]:g} to {times[-1]:g} {unit}".rstrip()


def _origin(told: Any) -> str:
    parts = [f"spinsqueeze {told.get('spinsqueeze_version', 'unknown')}"]
    parts += [f"{name} {told[name]}" for name in ("commit", "dtype", "device") if name in told]
    if "machine" in told:
        parts.append(str(told["machine"]))
    if "wall_time" in told:
        parts.append(f"{float(told['wall_time']):.3g} s")
    return ", ".join(parts)
