"""When a run leaves the superradiant phase by cumulants of order 2, the paper's (S12) to (S17).

Past that time fluctuations are as large as the mean spin, and cumulants of any order run wild.
Curves end there.
"""

from collections.abc import Sequence

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.cumulants.evolve import scales
from spinsqueeze.methods.cumulants.flow import flow
from spinsqueeze.methods.cumulants.integrate import equations_of
from spinsqueeze.methods.cumulants.states import of_product
from spinsqueeze.methods.cumulants.tables import tables_of
from spinsqueeze.models.model import SpinModel

SPREAD = 0.02
"""<sigma_z sigma_z> - <sigma_z>^2 of two spins at which the ensemble counts as torn apart."""
EVALUATIONS = 60_000
"""Give up after so many: the time that is reached by then is the answer."""
Z = 3
"""Place of <s_z> among the cumulants, after the constant, x and y."""


def crossing(model: SpinModel, *, vector: Sequence[float], longest: float) -> float:
    """Time at which <sigma_z> rises through zero or spreads, 1/Gamma; `longest` if it does neither.

    Args:
        model: of alike spins.
        vector: unit vector of the initial coherent state, z <= 0.
        longest: where to give up, 1/Gamma.
    """
    from scipy.integrate import solve_ivp

    counts = model.canonical.counts
    equations = equations_of(tables_of(model.canonical), counts=counts, order=2)
    strengths, scale = equations.strengths[0][0], scales(equations)
    both = equations.series.above[Z - 1, Z]
    out = np.empty_like(scale)
    calls = 0

    def slope(_time: float, y: Floats) -> Floats:
        nonlocal calls
        calls += 1
        flow(scale * y, strengths, equations.structure, out)
        return out / scale

    def inversion(_time: float, y: Floats) -> float:
        if calls > EVALUATIONS:
            return 1.0
        p = scale * y
        return max(2.0 * float(p[Z]), 8.0 * float(p[both]) - SPREAD)

    inversion.terminal = True  # type: ignore[attr-defined]
    inversion.direction = 1.0  # type: ignore[attr-defined]
    start = of_product(np.array([vector], dtype=float), equations.series)
    start[Z] -= 5e-13  # below zero, so that a start on the equator rises through it later
    path = solve_ivp(
        slope, (0.0, longest), start / scale, method="LSODA", events=inversion, rtol=1e-9, atol=1e-9
    )
    return float(path.t[-1])
