"""What holds for every test."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

import jax
import pytest
from llvmlite import binding

SLOW_LIMIT = 1200
"""Seconds for a slow test; `timeout` in pyproject.toml is for all others."""
PROGRAMS_LAST = 30 * 86400.0
"""Seconds after which a compiled program is compiled anew."""


def keep_compiled_programs():
    """Let jax keep what it compiles in .pytest_cache/jax, for all workers and later runs.

    Compiling is half of the time of most tests of DTWA, and the same programs come in many of them.
    jax asks for its own version, the program and the options; the processor is asked for here, as
    machine code of another one may not run. Child processes only read: tests kill them, and what
    is half written would be found by all later ones.
    """
    processor = f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features()}"
    key = hashlib.sha256(processor.encode()).hexdigest()[:12]
    folder = Path(__file__).parents[1] / ".pytest_cache" / "jax" / key
    folder.mkdir(parents=True, exist_ok=True)
    old = time.time() - PROGRAMS_LAST
    for program in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another worker removed it
            if program.stat().st_mtime < old or program.stat().st_size == 0:
                program.unlink()
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "1e9"


keep_compiled_programs()


def pytest_collection_modifyitems(items):
    """Give slow tests a longer limit of time, unless they name their own."""
    for item in items:
        if item.get_closest_marker("slow") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))
