"""How much memory this process may use."""

import contextlib
from pathlib import Path

_LIMITS = (
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory.high",
)


def available_memory() -> int:
    """Bytes of the machine, or of the container where its quota is less."""
    import psutil

    sizes = [int(psutil.virtual_memory().total)]
    for name in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # another system, or "max"
            sizes.append(int(Path(name).read_text()))
    return min(size for size in sizes if size > 0)
