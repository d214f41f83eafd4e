"""Float64 in jax for as long as it is needed, and no longer."""

from contextlib import AbstractContextManager
from typing import Any

import jax


def double_precision() -> AbstractContextManager[None]:
    """Float64 inside the block, in this thread; the global setting of jax stays as it is."""
    enable: Any = getattr(jax, "enable_x64", None)
    if enable is None:
        from jax import experimental

        enable = experimental.enable_x64
    context: AbstractContextManager[None] = enable(True)
    return context
