"""BLAS on one thread while many small dense products run."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


@cache
def _controller(with_scipy: bool) -> Any:
    if with_scipy:
        import scipy.linalg  # noqa: F401 (its BLAS must be loaded before it can be limited)
    import numpy  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread(*, with_scipy: bool = True) -> AbstractContextManager[Any]:
    """Limits BLAS to one thread; that of scipy, which takes a moment to load, too.

    For fronts and Krylov bases: each product is small, and on a busy machine threads that wait for
    each other cost ten to a hundred times more than they give. And the bits of a sum by BLAS depend
    on the number of its threads, which is another in the workers of a sweep.
    """
    controller = _controller(with_scipy or "scipy.linalg" in sys.modules)
    limited: AbstractContextManager[Any] = controller.limit(limits=1, user_api="blas")
    return limited


def on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Decorator form of one_thread."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_thread():
            return function(*args, **kwargs)

    return limited


def numpy_on_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """The same for functions that do without the linear algebra of scipy: it is not loaded."""

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with one_thread(with_scipy=False):
            return function(*args, **kwargs)

    return limited
