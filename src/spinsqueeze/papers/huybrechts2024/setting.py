"""The models of huybrechts2024 in this package's terms, its printed formulas, and exact runs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from spinsqueeze.core.arrays import Booleans, Floats
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.models.collective_terms import CollectiveXYZ, Drive, UniformField
from spinsqueeze.models.jumps import CollectiveDecay, LocalDecay
from spinsqueeze.models.model import SpinModel
from spinsqueeze.papers.points import POINT, Points
from spinsqueeze.run.study import Study

CONVENTIONS = (
    "J is our S; jumps, single-spin rate gamma, xi_R^2 and couplings J_a/N (CollectiveXYZ) as here;"
    " collective rate Gamma/N is CollectiveDecay(Gamma/N), drive -Omega J^x is Drive(-Omega); "
    "gamma = 1, in Fig. 9 Gamma = 1"
)
J_Z = 1.0
"""J_z/gamma of Figs. 3, 4 and 5."""
ROUND = 1e-9
"""A transverse covariance rounder than this, relative to N/4, has no angle."""


def xyz_model(n_spins: int, *, j_x: float, j_y: float, j_z: float = J_Z) -> SpinModel:
    """Eq. (35) with individual emission, gamma = 1."""
    coupling = CollectiveXYZ(j_x=float(j_x), j_y=float(j_y), j_z=float(j_z))
    return SpinModel(n_spins, hamiltonian=[coupling], jumps=[LocalDecay(1.0)], unit="gamma")


def ising_model(n_spins: int, *, j_x: float, field: float) -> SpinModel:
    """Eq. (53) with individual emission, gamma = 1; field is Delta."""
    return SpinModel(
        n_spins,
        hamiltonian=[
            CollectiveXYZ(j_x=float(j_x), j_y=0.0, j_z=0.0),
            UniformField([0.0, 0.0, float(field)]),
        ],
        jumps=[LocalDecay(1.0)],
        unit="gamma",
    )


def dicke_model(n_spins: int, *, drive: float) -> SpinModel:
    """Eq. (62) with collective emission at Gamma/N, Gamma = 1; drive is Omega."""
    return SpinModel(
        n_spins,
        hamiltonian=[Drive(-float(drive))],
        jumps=[CollectiveDecay(1.0 / n_spins)],
        unit="Gamma",
    )


def xyz_alpha_beta(
    n_spins: int, *, mean: Any, difference: Any, j_z: float = J_Z
) -> tuple[Any, Any]:
    """Eqs. (45), (46): mean is (J_x + J_y)/2, difference (J_x - J_y)/2."""
    alpha = (n_spins - 1) / 4.0 * np.asarray(difference, float)
    return alpha, 2.0 * (n_spins - 2) / n_spins * (np.asarray(mean, float) - j_z)


def ising_alpha_beta(n_spins: int, *, j_x: Any, field: Any) -> tuple[Any, Any]:
    """Eqs. (59), (60)."""
    return (n_spins - 1) / 8.0 * np.asarray(j_x, float), 2.0 * np.asarray(field, float)


def first_order_xi2(n_spins: int, alpha: Any, beta: Any) -> Any:
    """Eq. (30) with the largest Re F, Eq. (49)."""
    return 1.0 - 8.0 / n_spins * np.abs(alpha) / np.hypot(beta, 1.0)


def first_order_angle(alpha: Any, beta: Any) -> Any:
    """Angle in [0, pi) that maximises Eq. (47): 2 theta = arg[alpha (beta - i gamma)].

    NaN at alpha = 0.
    """
    angle = np.mod(np.arctan2(-np.asarray(alpha), np.multiply(alpha, beta)) / 2.0, np.pi)
    return np.where(np.asarray(alpha) == 0.0, np.nan, angle)


def printed_angle(alpha: Any, beta: Any) -> Any:
    """Eqs. (48), (49) as printed, in [0, pi): the arc tangent, k even for alpha > 0."""
    alpha, beta = np.asarray(alpha, float), np.asarray(beta, float)
    arc = np.where(beta < 0, np.arctan2(1.0, -beta), np.arctan2(-1.0, beta))
    return np.mod(arc / 2.0 + np.where(alpha > 0, 0.0, np.pi / 2.0), np.pi)


def squeezed_angle(covariance: Floats) -> Floats:
    """Angle in [0, pi) of the least variance in the xy plane, of covariances (..., 3, 3).

    NaN where the plane is round.
    """
    across = covariance[..., 0, 0] - covariance[..., 1, 1]
    mixed = 2.0 * covariance[..., 0, 1]
    size = (covariance[..., 0, 0] + covariance[..., 1, 1]) / 2.0
    angle = np.mod(np.arctan2(-mixed, -across) / 2.0, np.pi)
    return np.where(np.hypot(across, mixed) <= ROUND * size, np.nan, angle)


def angle_distance(a: Any, b: Any) -> Any:
    """|a - b| of directions without sign, 0 to pi/2."""
    return np.abs(np.mod(np.asarray(a) - np.asarray(b) + np.pi / 2.0, np.pi) - np.pi / 2.0)


def critical_difference(mean: Any, *, j_z: float = J_Z) -> Any:
    """|delta J| at which the mean-field paramagnet of the XYZ model becomes unstable.

    About all spins down dx/dt = -(J_y - J_z) y - x/2, dy/dt = (J_x - J_z) x - y/2.
    """
    return np.hypot(np.asarray(mean) - j_z, 0.5)


def xyz_paramagnetic(j_x: Any, j_y: Any, *, j_z: float = J_Z) -> Booleans:
    """Whether the mean-field paramagnet is stable: (J_x - J_z)(J_y - J_z) > -gamma^2/4."""
    return np.asarray((np.asarray(j_x) - j_z) * (np.asarray(j_y) - j_z) > -0.25)


def ising_paramagnetic(j_x: Any, field: Any) -> Booleans:
    """Whether the mean-field paramagnet is stable: Delta (Delta + J_x) > -gamma^2/4."""
    return np.asarray(np.asarray(field) * (np.asarray(field) + np.asarray(j_x)) > -0.25)


def critical_coupling(field: Any) -> Any:
    """J_x at which the mean-field paramagnet of the transverse-field Ising model ends."""
    return -(np.asarray(field) + 0.25 / np.asarray(field))


def xyz_order_angle(j_x: Any, j_y: Any, *, j_z: float = J_Z) -> Any:
    """Angle in (-pi/2, pi/2) of the mean-field magnetisation of the ferromagnet; NaN elsewhere.

    At a fixed point y/x = -4 (J_x - J_z) z and x/y = 4 (J_y - J_z) z per spin, z < 0.
    """
    a, b = np.asarray(j_x, float) - j_z, np.asarray(j_y, float) - j_z
    ratio = np.divide(-a, b, out=np.full(np.broadcast(a, b).shape, np.nan), where=a * b < 0)
    return np.arctan(np.sign(a) * np.sqrt(ratio))


def ising_order_angle(field: Any) -> Any:
    """The same of the transverse-field Ising model: y/x = -gamma/(2 Delta)."""
    return np.arctan(-0.5 / np.asarray(field, float))


def exact_xyz(points: Points, n_spins: int, *, j_x: Floats, j_y: Floats) -> xr.Dataset:
    """Exact steady states at pairs of couplings (P,), see `_exact`."""
    study = Study(
        xyz_model(n_spins, j_x=0.0, j_y=0.0),
        steady_state=True,
        method=PermutationInvariant(qfi=True),
        title="huybrechts2024, XYZ",
    )
    over = {"hamiltonian.0.j_x": _plain(j_x), "hamiltonian.0.j_y": _plain(j_y)}
    return _exact(points, study, over)


def exact_ising(points: Points, n_spins: int, *, j_x: Floats, field: Floats) -> xr.Dataset:
    """Exact steady states at pairs of coupling and field (P,), see `_exact`."""
    study = Study(
        ising_model(n_spins, j_x=0.0, field=0.0),
        steady_state=True,
        method=PermutationInvariant(qfi=True),
        title="huybrechts2024, transverse Ising",
    )
    vectors = [[0.0, 0.0, value] for value in _plain(field)]
    return _exact(
        points, study, {"hamiltonian.0.j_x": _plain(j_x), "hamiltonian.1.vector": vectors}
    )


def _plain(values: Any) -> list[float]:
    # Sums such as 1.0 + 0.1 + 0.2 name the same stored point
    return [float(round(value, 12)) for value in np.ravel(values)]


def _exact(points: Points, study: Study, over: Mapping[str, Sequence[Any]]) -> xr.Dataset:
    """Along `point`: xi2, qfi over N, purity, height <S_z>, covariance (point, 3, 3)."""
    swept = points(study, over=over)
    n = study.model.n_spins
    spin = swept["spin"].transpose(POINT, "axis").values
    covariance = swept["covariance"].transpose(POINT, "axis", "axis_2").values
    return xr.Dataset(
        {
            "xi2": (POINT, swept["xi2"].values),
            "qfi": (POINT, swept["qfi"].values / n),
            "purity": (POINT, swept["purity"].values),
            "height": (POINT, spin[:, 2]),
            "covariance": ((POINT, "axis", "axis_2"), covariance),
            "angle": (POINT, squeezed_angle(covariance)),
        },
        attrs={k: v for k, v in swept.attrs.items() if k == "failed_points"},
    )


def onset_slope(step: float, first: Any, second: Any) -> Any:
    """(1 - xi2)/lambda at lambda -> 0 from xi2 at step and 2 step; errs by order step^2."""
    return 2.0 * (1.0 - np.asarray(first)) / step - (1.0 - np.asarray(second)) / (2.0 * step)


def agreement(x: Floats, exact: Floats, predicted: Floats, *, allowed: float) -> float:
    """The first x (T,) at which two curves differ by more, interpolated; the last x if nowhere."""
    gap = np.abs(exact - predicted)
    over = np.flatnonzero(gap > allowed)
    if len(over) == 0:
        return float(x[-1])
    k = int(over[0])
    if k == 0:
        return float(x[0])
    return float(np.interp(allowed, gap[k - 1 : k + 1], x[k - 1 : k + 1]))
