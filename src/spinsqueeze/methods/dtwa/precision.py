"""Float64 in jax for as long as it is needed, and no longer."""

from contextlib import AbstractContextManager

import jax


def double_precision() -> AbstractContextManager[None]:
    """Float64 inside the block, in this thread; the global setting of jax stays as it is."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64(True)
