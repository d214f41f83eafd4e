"""Pictures: a Dataset or an array, and axes, to artists. No physics here; needs no display."""

from spinsqueeze.plot.branches import branches
from spinsqueeze.plot.curves import squeezing
from spinsqueeze.plot.sensitivity import sensitivity
from spinsqueeze.plot.sphere import sphere
from spinsqueeze.plot.sweeps import sweep
from spinsqueeze.plot.trajectories import trajectories

__all__ = ["branches", "sensitivity", "sphere", "squeezing", "sweep", "trajectories"]
