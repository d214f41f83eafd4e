"""Pictures: a Dataset or an array, and axes, to artists. No physics here; needs no display."""

import sys
from types import ModuleType
from typing import Any

from spinsqueeze.core.errors import InvalidCall
from spinsqueeze.plot.branches import branches
from spinsqueeze.plot.curves import squeezing
from spinsqueeze.plot.ellipse import ellipse
from spinsqueeze.plot.sensitivity import sensitivity
from spinsqueeze.plot.sphere import sphere
from spinsqueeze.plot.sweeps import sweep
from spinsqueeze.plot.trajectories import trajectories

__all__ = [
    "branches",
    "ellipse",
    "sensitivity",
    "sphere",
    "squeezing",
    "sweep",
    "trajectories",
]


def __dir__() -> list[str]:
    """What there is to call."""
    return list(__all__)


class _Pictures(ModuleType):
    """The module, which says what to write where it is called."""

    def __call__(self, *_: Any, **__: Any) -> None:
        raise InvalidCall(
            "plot is not a call; write plot.squeezing(data) for a run, plot.sweep(data) for a sweep"
        )


sys.modules[__name__].__class__ = _Pictures
