"""What a result says of its own making: package version, commit, machine."""

import functools
import importlib.metadata
import platform
import subprocess
from pathlib import Path


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
        said = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "none"
    return said.stdout.strip()


def machine() -> str:
    """Processor architecture and Python version, e.g. 'x86_64, Python 3.11'."""
    return f"{platform.machine()}, Python {platform.python_version()}"
