"""Whether the machine code works on this machine, found by a child process and kept on disk.

The verdict holds for one version of numba, jax and this code on one CPU; a failure is asked for
again after a week, for it may have come from a machine that was too busy or too full.
"""

import contextlib
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from spinsqueeze.methods.dtwa.machine_code import foreign_layout

CHILD: tuple[str, ...] = ("-m", "spinsqueeze.methods.dtwa.machine_code.probe")
PROBE = "the probe of the machine code"
TIME_LIMIT = 60.0
"""Seconds for the child: some four on one free core, most of them for compiling."""
FAILURE_LASTS = 7 * 86400.0
LARGEST_ERROR = 100.0
"""Roundings, relative to the largest value; the transforms themselves err by a few."""


@lru_cache(maxsize=2)
def objection(dtype: str) -> str:
    """Why the machine code cannot be used for `dtype` here; empty where it can."""
    # The layout is read from a header in no time, and a wrong one is certain to end the child.
    if not foreign_layout.is_known():
        return "the foreign function interface of this jaxlib is not the one that is known"
    place = cache_folder() / f"machine_code_{key(dtype)}.json"
    known = _read(place)
    if known is not None:
        return known
    try:
        reason = ask(dtype)
    except OSError as error:  # of starting a child, now: nothing to keep
        return f"{PROBE} could not be started: {error}"
    _write(place, reason)
    return reason


def ask(dtype: str) -> str:
    """Try the machine code in a child process: why not, or empty. Raises OSError: no child."""
    if not sys.executable or getattr(sys, "frozen", False):
        return "there is no Python interpreter to probe the machine code with"
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
        "JAX_PLATFORMS": "cpu",
    }
    # -P: no module of the folder in which the user stands hides one of ours.
    command = [sys.executable, "-P", *CHILD, dtype]
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as child:
        try:
            _load_compiler()
            answer, message = child.communicate(timeout=TIME_LIMIT)
        except subprocess.TimeoutExpired:
            return f"{PROBE} did not end within {TIME_LIMIT:g} s"
        finally:
            child.kill()  # of a child that has ended, nothing
    if child.returncode < 0:
        return f"{PROBE} was ended by {_signal_name(-child.returncode)}"
    if child.returncode > 0:
        lines = message.strip().splitlines() or ["no message"]
        return f"{PROBE} ended with status {child.returncode}: {lines[-1][:200]}"
    try:
        error = float(answer.split()[-1])
    except (IndexError, ValueError):
        return f"{PROBE} answered {answer[-80:]!r} instead of a number"
    if not error <= LARGEST_ERROR:
        return f"{PROBE} erred by {error:.3g} roundings, more than {LARGEST_ERROR:g}"
    return ""


def _load_compiler() -> None:
    """Load what numba loads before its first function: a second of work while the child runs."""
    with contextlib.suppress(Exception):  # what fails here fails in the child, which says so
        import numba

        numba.njit(lambda: None)()


def key(dtype: str) -> str:
    """What the verdict depends on, in 20 hexadecimal digits."""
    from llvmlite import binding

    digest = hashlib.sha256()
    for package in ("numba", "llvmlite", "jax", "jaxlib", "numpy"):
        digest.update(f"{package} {version(package)}\n".encode())
    digest.update(f"{dtype} {sys.version} {platform.platform()} {platform.machine()}\n".encode())
    digest.update(f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features()}\n".encode())
    for name, value in sorted(os.environ.items()):
        if name.startswith("NUMBA_"):
            digest.update(f"{name}={value}\n".encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    """The user's cache folder for this package; it need not exist."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or tempfile.gettempdir()
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "spinsqueeze"


def _read(place: Path) -> str | None:
    """The verdict kept at `place`, None where there is none that still counts."""
    try:
        held = json.loads(place.read_text(encoding="utf-8"))
        reason, written = str(held["objection"]), float(held["written"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    fresh = 0 <= time.time() - written < FAILURE_LASTS
    return reason if fresh or not reason else None


def _write(place: Path, reason: str) -> None:
    """Keep a verdict; a folder that cannot be written means that the next process asks again."""
    text = json.dumps({"objection": reason, "written": time.time()})
    partial = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, place)
    except OSError:
        return


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
