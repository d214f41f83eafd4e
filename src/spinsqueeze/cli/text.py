"""What is printed: any text on any console, and nothing into a result that goes the same way."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def any_text() -> Iterator[None]:
    """Print signs that the console's encoding lacks as escapes."""
    streams = [s for s in (sys.stdout, sys.stderr) if hasattr(s, "reconfigure")]
    before = [stream.errors for stream in streams]
    for stream in streams:
        stream.reconfigure(errors="backslashreplace")
    try:
        yield
    finally:
        for stream, errors in zip(streams, before, strict=True):
            with contextlib.suppress(ValueError):  # closed meanwhile
                stream.reconfigure(errors=errors)


@contextlib.contextmanager
def report_to(*outputs: Path | None) -> Iterator[None]:
    """Print on stderr where an output goes to stdout, so that its bytes stay alone there."""
    if any(_is_stdout(path) for path in outputs if path is not None):
        with contextlib.redirect_stdout(sys.stderr):
            yield
    else:
        yield


def _is_stdout(path: Path) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False
