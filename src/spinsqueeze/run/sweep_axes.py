"""The axes of a sweep in a study file: dotted paths with the values each of them takes."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput, NotAnInteger
from spinsqueeze.core.plain import compact, key, with_value
from spinsqueeze.run.ranges import expand, is_range, whole_numbers

ZIPPED = "zipped"
AVERAGED = "average_over"
SECTIONS = (
    "lab",
    "ensemble",
    "hamiltonian",
    "jumps",
    "cavity",
    "initial_state",
    "pulses",
    "losses",
    "readout",
    "method",
    "run",
)


def read_axes(
    tables: Mapping[str, Any], sweep: Mapping[str, Any], *, check: Callable[[Any], Any]
) -> dict[str, list[Any]]:
    """The swept paths and their values; every value is tried in the study.

    Values of paths that run together are tried together, others one axis at a time.

    Args:
        tables: the study without its sweep.
        sweep: dotted path -> list, {values} or range; nested tables are read as dotted paths.
            Logarithmic ranges of counts, such as numbers of spins, are rounded to whole numbers,
            each of them once.
            `zipped`: true, or groups of paths that run together. `average_over`: a path or
            paths whose points are realisations, of which the mean is wanted; they may repeat.
        check: reads a study from tables, raising InvalidInput.

    Returns:
        path -> values, and `zipped` -> groups, `average_over` -> paths where there are any.

    Raises:
        InvalidInput: an unknown path, an empty or repeated list, or a value that breaks the
            rule of its entry; the error's path begins below the sweep.
    """
    rest = dict(sweep)
    zipped, averaged = rest.pop(ZIPPED, False), rest.pop(AVERAGED, [])
    axes: dict[str, list[Any]] = {}
    for path, spec in _flat("", rest):
        if path.partition(".")[0] not in SECTIONS or "." not in path:
            places = [place for place in _entries("", tables) if place.endswith(f".{path}")]
            hint = f"did you mean {' or '.join(places)}?" if places else ""
            hint = hint or checks.did_you_mean(path.partition(".")[0], SECTIONS)
            raise InvalidInput(
                f"must be a dotted path into the study such as hamiltonian.0.j_z; {hint}", path=path
            )
        values = _counts(tables, path, spec, expand(path, spec), check)
        axes[path] = [compact(value) for value in values]
        if not axes[path]:
            raise InvalidInput("must hold at least one value, got none", path=path)
    if not axes:
        raise InvalidInput('is empty; name a path such as "hamiltonian.0.j_z" = [-1, 1]')
    groups = zip_groups(axes, zipped)
    realisations = averaged_paths(axes, averaged)
    together = {path: group for group in groups for path in group}
    for path in axes:
        group = together.get(path, (path,))
        if group[0] == path:
            repeats = any(name in realisations for name in group)
            _try_all(tables, {name: axes[name] for name in group}, check, repeats=repeats)
    return {
        **axes,
        **({ZIPPED: [list(group) for group in groups]} if groups else {}),
        **({AVERAGED: realisations} if realisations else {}),
    }


def _entries(prefix: str, value: Any) -> Iterator[str]:
    """Dotted paths of all that stands in tables, through lists of tables."""
    if isinstance(value, Mapping):
        inner: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list | tuple) and all(isinstance(part, Mapping) for part in value):
        inner = enumerate(value)
    else:
        return
    for name, part in inner:
        path = f"{prefix}.{name}" if prefix else str(name)
        yield path
        yield from _entries(path, part)


def _counts(
    tables: Mapping[str, Any],
    path: str,
    spec: Any,
    values: list[Any],
    check: Callable[[Any], Any],
) -> list[Any]:
    """Whole numbers where a logarithmic range is of an entry that takes nothing else."""
    rounded = whole_numbers(spec, values)
    broken = [value for value in values if not float(value).is_integer()] if rounded else []
    if rounded is None or not broken:
        return values

    def fits(value: Any) -> bool:
        try:
            check(with_value(tables, path, value))
        except InvalidInput:
            return False
        return True

    return values if fits(broken[0]) or not fits(round(broken[0])) else rounded


def averaged_paths(values: Mapping[str, Sequence[Any]], averaged: Any) -> list[str]:
    """The paths whose points are realisations to be averaged.

    Args:
        values: path -> values.
        averaged: a path, or several.

    Raises:
        InvalidInput: a path that is not swept, times, or another type.
    """
    paths = [averaged] if isinstance(averaged, str) else averaged
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InvalidInput(
            f'must be a path such as "ensemble.seed", or several, got {checks.shown(averaged)}',
            path=AVERAGED,
        )
    for path in paths:
        if path not in values:
            raise InvalidInput(
                f"{path!r} is not swept; {checks.did_you_mean(path, values)}", path=AVERAGED
            )
        if path.startswith("run.times"):
            raise InvalidInput(
                f"{path!r} cannot be averaged over: realisations share their times", path=AVERAGED
            )
    return list(dict.fromkeys(paths))


def _try_all(
    tables: Mapping[str, Any],
    axis: Mapping[str, list[Any]],
    check: Callable[[Any], Any],
    *,
    repeats: bool,
) -> None:
    """Try every value of one axis; of several paths that run together, their values together."""
    names = ", ".join(axis)
    seen: set[Hashable] = set()
    for values in zip(*axis.values(), strict=True):
        shown = checks.shown(values[0] if len(values) == 1 else values)
        same = key(values)
        if same in seen:
            if repeats:
                continue
            raise InvalidInput(f"must not repeat a value, got {shown}", path=names)
        seen.add(same)
        changed: Mapping[str, Any] = tables
        for path, value in zip(axis, values, strict=True):
            changed = with_value(changed, path, value)
        try:
            check(changed)
        except InvalidInput as error:
            log = '; {start, stop, num, spacing = "log"} is rounded to whole numbers'
            hint = log if isinstance(error, NotAnInteger) and _are_numbers(axis) else ""
            raise InvalidInput(f"value {shown}: {error}{hint}", path=names) from None


def _are_numbers(axis: Mapping[str, list[Any]]) -> bool:
    return all(isinstance(value, int | float) for values in axis.values() for value in values)


def zip_groups(values: Mapping[str, Sequence[Any]], zipped: Any) -> list[tuple[str, ...]]:
    """The groups of two or more paths that run together.

    Args:
        values: path -> values.
        zipped: True: all paths; False: none; or groups of paths.

    Raises:
        InvalidInput: paths of different lengths, unknown or named twice, or another type.
    """
    if isinstance(zipped, bool):
        groups: list[tuple[str, ...]] = [tuple(values)] if zipped else []
    elif isinstance(zipped, list | tuple) and all(isinstance(g, list | tuple) for g in zipped):
        groups = [tuple(str(path) for path in group) for group in zipped]
    else:
        raise InvalidInput(
            "must be true, false or groups of paths such as "
            f'[["ensemble.spins", "hamiltonian.0.chi"]], got {checks.shown(zipped)}',
            path=ZIPPED,
        )
    seen: set[str] = set()
    for group in groups:
        for path in group:
            if path not in values:
                hint = checks.did_you_mean(path, values)
                raise InvalidInput(f"{path!r} is not swept; {hint}", path=ZIPPED)
            if path in seen:
                raise InvalidInput(f"{path!r} must stand in one group only", path=ZIPPED)
            seen.add(path)
        lengths = {path: len(values[path]) for path in group}
        if len(set(lengths.values())) > 1:
            counts = ", ".join(f"{path} has {n}" for path, n in lengths.items())
            raise InvalidInput(f"paths must have equally many values; {counts}", path=ZIPPED)
    return [group for group in groups if len(group) > 1]


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, spec in table.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(spec, Mapping) and not is_range(spec) and spec:
            pairs += _flat(path, spec)
        else:
            pairs.append((path, spec))
    return pairs
