"""BLAS on one thread while many small dense products run."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401 (its BLAS must be loaded before it can be limited)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Limits BLAS to one thread.

    For fronts and Krylov bases: each product is small, and on a busy machine threads that wait for
    each other cost ten to a hundred times more than they give. And the bits of a sum by BLAS depend
    on the number of its threads, which is another in the workers of a sweep.
    """
    limited: AbstractContextManager[Any] = _controller().limit(limits=1, user_api="blas")
    return limited


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator form of one_thread."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_thread():
            return function(*args, **kwargs)

    return limited
