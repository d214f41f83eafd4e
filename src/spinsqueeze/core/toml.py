"""Plain tables as the text of a TOML file, which Python's tomllib reads back to the last bit."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

WIDTH = 90
_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(tables: Mapping[str, Any]) -> str:
    """The text of tables of numbers, words, lists and tables (`core.plain`).

    Tables are [sections], lists of tables [[sections]], tables within those {inline}.

    Raises:
        TypeError: a value that TOML does not have, such as None.
    """
    plain = {k: v for k, v in tables.items() if not _is_section(v)}
    lines = list(_entries(plain))
    for name, value in tables.items():
        if not _is_section(value):
            continue
        several = isinstance(value, list | tuple)
        for table in value if several else [value]:
            head = f"[[{_key(name)}]]" if several else f"[{_key(name)}]"
            lines += ["", head, *_entries(table)]
    return "\n".join(lines).lstrip("\n") + "\n"


def _is_section(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(entry, Mapping) for entry in value)
    return isinstance(value, Mapping)


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        yield f"{_key(name)} = {_value(value)}"


def _key(name: Any) -> str:
    return str(name) if _BARE.fullmatch(str(name)) else _text(str(name))


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(entries: list[str]) -> str:
    """On one line where that is short, else on lines of up to WIDTH."""
    line = ", ".join(entries)
    if len(line) <= WIDTH or "\n" in line:
        return f"[{line}]"
    lines = [""]
    for entry in entries:
        if len(lines[-1]) + len(entry) >= WIDTH:
            lines.append("")
        lines[-1] += f" {entry},"
    return "[\n" + "\n".join(f"   {text}" for text in lines if text) + "\n]"


def _value(value: Any) -> str:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return _list([_value(entry) for entry in value])
    if isinstance(value, Mapping):
        return "{" + ", ".join(_entries(value)) + "}"
    raise TypeError(f"TOML has no {type(value).__name__}")
