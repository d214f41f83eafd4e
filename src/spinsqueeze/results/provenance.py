"""What a result says of its own making: package version, commit, machine."""

import functools
import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MARK = "spinsqueeze_version"
"""The attribute of every result that holds its version."""


@functools.cache
def version() -> str:
    """The installed version of this package."""
    try:
        return importlib.metadata.version("spinsqueeze")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


@functools.cache
def commit() -> str:
    """The commit of the source checkout this runs from ('+' when changed), else 'none'."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists() or not (root / "src" / "spinsqueeze").is_dir():
        return "none"
    try:
        described = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "none"
    return described.stdout.strip()


def machine() -> str:
    """Processor architecture and Python version, e.g. 'x86_64, Python 3.11'."""
    return f"{platform.machine()}, Python {platform.python_version()}"


def another_version(attributes: Mapping[str, Any]) -> str:
    """That a result was made by another version than this, in words; empty where it was not."""
    made, ours = str(attributes.get(MARK, "unknown")), version()
    by, we = str(attributes.get("commit", "none")), commit()
    if made != ours:
        return (
            f"made by spinsqueeze {made}, this is {ours}: defaults and numbers may differ between "
            "versions"
        )
    if "none" not in (by, we) and by != we:
        return f"made by commit {by}, this is {we}: numbers may differ between them"
    return ""
