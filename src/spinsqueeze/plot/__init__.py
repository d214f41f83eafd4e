"""Pictures: a Dataset or an array, and axes, to artists. No physics here; needs no display."""

from spinsqueeze.plot.curves import squeezing
from spinsqueeze.plot.sphere import sphere

__all__ = ["sphere", "squeezing"]
