"""Pictures: a Dataset or an array, and axes, to artists. No physics here; needs no display."""

from spinsqueeze.plot.branches import branches
from spinsqueeze.plot.curves import squeezing
from spinsqueeze.plot.sphere import sphere
from spinsqueeze.plot.sweeps import sweep

__all__ = ["branches", "sphere", "squeezing", "sweep"]
