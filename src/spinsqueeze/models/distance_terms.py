"""Couplings that laboratories have, by distance and direction; pair sums run over i < j.

Distances r_ij are in the unit of the lattice's `spacing` or positions; on a periodic lattice the
nearest image counts. Strengths may have either sign.
"""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.couplings import displacement_kernel, distance_kernel, row_sums
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import Kernel
from spinsqueeze.models.canonical import Field, Pair, Piece
from spinsqueeze.models.collective_terms import symmetric_tensor
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.envelope import Strength
from spinsqueeze.models.term import HamiltonianTerm, envelope_factor

FORMS = ("density", "ising")
"""Of a coupling of excited states: n_i n_j with its field, or s^z_i s^z_j alone."""
BEYOND = ("refuse", "zero")
ALONG_Z = np.diag([0.0, 0.0, 1.0])
ACROSS_Z = np.diag([1.0, 1.0, 0.0])
LARGEST_CHECKED = 2048
"""Spins away from a grid whose distances are looked at when a model is made."""


def _lattice(ensemble: Ensemble, term: str) -> Lattice:
    if ensemble.lattice is None:
        raise InvalidInput(
            f"{term} needs distances: give the model a Lattice, or use OneAxisTwisting or "
            "PowerLawXXZ with exponent=0 (all to all)"
        )
    return ensemble.lattice


def _of_excited(strength: Strength, form: str, kernel: Kernel) -> list[Piece]:
    """Pieces of sum_{i<j} strength K_ij n_i n_j, n = 1/2 + s^z, less a constant; or of s^z s^z."""
    pieces: list[Piece] = [Pair(strength, ALONG_Z, kernel)]
    if form == "density":
        vectors = np.zeros((kernel.n_spins, 3))
        vectors[:, 2] = row_sums(kernel) / 2
        pieces.append(Field(strength, vectors))
    return pieces


@final
@clear_init
@dataclass(frozen=True, eq=False)
class VanDerWaals(HamiltonianTerm):
    """H = sum_{i<j} c6 r_ij^-6 n_i n_j, n = 1/2 + s^z (up: the Rydberg state), less a constant.

    That is sum_{i<j} c6 r_ij^-6 s^z_i s^z_j + sum_i h_i s^z_i, h_i = (c6/2) sum_j r_ij^-6: a field
    that differs between edge and middle of an open array, and from site to site where some are
    empty. A pulse of pi half way undoes it. form="ising" leaves it out.

    Args:
        c6: strength at distance 1, a number of either sign or an `Envelope`; 2 pi times the C6
            that is quoted in Hz.
        form: "density" (n_i n_j) or "ising" (s^z_i s^z_j alone).

    Raises:
        InvalidInput: an argument breaks its rule; in a model without a lattice.
    """

    c6: Strength
    form: str = field(default="density", kw_only=True)

    def __post_init__(self) -> None:
        self._strength("c6")
        checks.choice("form", self.form, FORMS)

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there are distances."""
        _lattice(ensemble, "VanDerWaals")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One pair piece, and the field of the form n n."""
        lattice = _lattice(ensemble, "VanDerWaals")
        return _of_excited(self.c6, self.form, distance_kernel(lattice, lambda r: r**-6.0))


@final
@clear_init
@dataclass(frozen=True, eq=False)
class RydbergDressing(HamiltonianTerm):
    """H = sum_{i<j} U(r_ij) n_i n_j, U(r) = plateau/(1 + (r/radius)^6), n = 1/2 + s^z.

    The soft core C/(r^6 + radius^6) of atoms that a laser dresses with a Rydberg state, with
    C = plateau radius^6; up is the dressed state. Written in s^z it has a field
    h_i = (1/2) sum_j U(r_ij), as in `VanDerWaals`; a constant is left out.

    Args:
        plateau: U at small distances, a number of either sign or an `Envelope`.
        radius: where U has fallen to half of it, above 0, in the unit of the lattice.
        form: "density" (n_i n_j) or "ising" (s^z_i s^z_j alone).

    Raises:
        InvalidInput: an argument breaks its rule; in a model without a lattice.
    """

    plateau: Strength
    radius: float = field(kw_only=True)
    form: str = field(default="density", kw_only=True)

    def __post_init__(self) -> None:
        self._strength("plateau")
        radius = checks.real("radius", self.radius)
        if radius <= 0:
            raise InvalidInput.of(
                "radius",
                f"must be above 0, got {radius:g}; without a soft core the coupling is VanDerWaals",
            )
        self._put("radius", radius)
        checks.choice("form", self.form, FORMS)

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there are distances."""
        _lattice(ensemble, "RydbergDressing")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One pair piece, and the field of the form n n."""
        lattice = _lattice(ensemble, "RydbergDressing")
        kernel = distance_kernel(lattice, lambda r: 1.0 / (1.0 + (r / self.radius) ** 6))
        return _of_excited(self.plateau, self.form, kernel)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class DipolarXXZ(HamiltonianTerm):
    """H = sum_{i<j} (1 - 3 cos^2 theta_ij) r_ij^-3 [j_perp (s^x s^x + s^y s^y) + j_z s^z s^z].

    theta_ij is the angle between r_i - r_j and the quantisation axis, along which the spins' z
    axis points. Flip-flop of C3 (s^+ s^- + h.c.): j_perp = 2 C3, j_z = 0; Ising: j_perp = 0;
    magnetic dipoles of spin 1/2: j_z = -2 j_perp.

    Args:
        j_perp: strength of the exchange at distance 1, a number of either sign or an `Envelope`.
        j_z: strength of the Ising coupling.
        quantisation_axis: three numbers (x, y, z) of any length, or one of +x ... -z, in the frame
            of the lattice, whose axes are x, y, z in this order; +z stands upright on a plane,
            where the factor is 1.

    Raises:
        InvalidInput: an argument breaks its rule, an axis of length 0; in a model without a
            lattice.
    """

    j_perp: Strength = field(kw_only=True)
    j_z: Strength = field(kw_only=True)
    quantisation_axis: Any = field(default="+z", kw_only=True)

    def __post_init__(self) -> None:
        self._strength("j_perp", "j_z")
        self._put("quantisation_axis", _axis("quantisation_axis", self.quantisation_axis))

    def fit(self, ensemble: Ensemble) -> None:
        """Check that there are distances."""
        _lattice(ensemble, "DipolarXXZ")

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """Two pair pieces with one kernel."""
        lattice = _lattice(ensemble, "DipolarXXZ")
        axis = self.quantisation_axis[: lattice.dimension]
        if not np.any(axis):  # upright on the lattice: a function of distance, exactly
            kernel = distance_kernel(lattice, lambda r: r**-3.0)
        else:
            kernel = displacement_kernel(lattice, lambda vectors: _dipolar(vectors, axis))
        return [Pair(self.j_perp, ACROSS_Z, kernel), Pair(self.j_z, ALONG_Z, kernel)]


def _dipolar(vectors: Floats, axis: Floats) -> Floats:
    """(1 - 3 cos^2 theta)/r^3; the components of the axis that the lattice lacks do not count."""
    squares = np.sum(vectors**2, axis=-1)
    return np.asarray((1.0 - 3.0 * (vectors @ axis) ** 2 / squares) * squares**-1.5)


def _axis(name: str, value: Any) -> Floats:
    """A unit vector from one of +x ... -z, or three numbers of any length but 0."""
    if isinstance(value, str):
        return checks.direction(name, value)
    vector = checks.real_array(name, value, shape=(3,))
    length = float(np.linalg.norm(vector))
    if not 1e-150 < length < 1e150:
        raise InvalidInput.of(
            name, f"must have a length above 0, got {length:g}; give [0, 0, 1] for z, say"
        )
    near = abs(length - 1.0) < 1e-6  # then `direction` keeps it, so that it is read back the same
    return checks.direction(name, vector if near else vector / length)


@final
@clear_init
@dataclass(frozen=True, eq=False)
class TabulatedCoupling(HamiltonianTerm):
    """H = sum_{i<j} V(r_ij) s_i . tensor s_j, V from a table of distances and values.

    Args:
        distances: increasing, above 0 (n,), n >= 2, in the unit of the lattice.
        values: V there, of either sign (n,).
        tensor: real symmetric (3, 3); z z by default.
        interpolation: between two distances: "linear", or "cubic", a not-a-knot spline (n >= 4).
        beyond: pairs farther apart than the last distance: "refuse", or "zero" (no coupling). Pairs
            nearer than the first are always refused.
        envelope: optional factor in time, an `Envelope`.

    Raises:
        InvalidInput: an argument breaks its rule; in a model without a lattice, or with pairs
            outside the table.
    """

    distances: Any = field(kw_only=True)
    values: Any = field(kw_only=True)
    tensor: Any = field(default=((0, 0, 0), (0, 0, 0), (0, 0, 1)), kw_only=True)
    interpolation: str = field(default="linear", kw_only=True)
    beyond: str = field(default="refuse", kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        distances = checks.increasing("distances", self.distances)
        if distances[0] <= 0:
            raise InvalidInput.of("distances", f"must be above 0, got {distances[0]:g} first")
        checks.choice("interpolation", self.interpolation, ("linear", "cubic"))
        least = 4 if self.interpolation == "cubic" else 2
        if len(distances) < least:
            raise InvalidInput.of(
                "distances",
                f"must be at least {least} for interpolation={self.interpolation!r}, got "
                f"{len(distances)}",
            )
        values = checks.real_array("values", self.values, shape=(None,))
        if len(values) != len(distances):
            raise InvalidInput.of(
                "values",
                f"must be as many as the {len(distances)} distances, got {len(values)}",
            )
        checks.choice("beyond", self.beyond, BEYOND)
        self._put("distances", distances)
        self._put("values", values)
        self._put("tensor", symmetric_tensor("tensor", self.tensor))
        if self.envelope is not None:
            self._strength("envelope")

    def fit(self, ensemble: Ensemble) -> None:
        """Check that the table reaches from the nearest to the farthest pair."""
        lattice = _lattice(ensemble, "TabulatedCoupling")
        if lattice.on_grid or lattice.n_spins <= LARGEST_CHECKED:
            self._check_range(lattice)

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One pair piece."""
        lattice = _lattice(ensemble, "TabulatedCoupling")
        self._check_range(lattice)
        kernel = distance_kernel(lattice, self._value)
        return [Pair(envelope_factor(self.envelope), self.tensor, kernel)]

    def _check_range(self, lattice: Lattice) -> None:
        low, high = _range(lattice)
        first, last = self.distances[0], self.distances[-1]
        if low < first * (1 - 1e-12):
            raise InvalidInput.of(
                "distances",
                f"must begin at or below the nearest pair, {low:.6g} apart, got {first:.6g} first",
            )
        if self.beyond == "refuse" and high > last * (1 + 1e-12):
            raise InvalidInput.of(
                "distances",
                f"must reach the farthest pair, {high:.6g} apart, got {last:.6g} last; add "
                "distances, or beyond='zero' for no coupling there",
            )

    def _value(self, distance: Floats) -> Floats:
        inside = np.clip(distance, self.distances[0], self.distances[-1])
        if self.interpolation == "cubic":
            from scipy.interpolate import CubicSpline

            values = np.asarray(CubicSpline(self.distances, self.values)(inside))
        else:
            values = np.interp(inside, self.distances, self.values)
        return np.where(distance > self.distances[-1] * (1 + 1e-12), 0.0, values)


def _range(lattice: Lattice) -> tuple[float, float]:
    """The least and the largest distance between two spins; of a grid between two of its sites."""
    if not lattice.on_grid:
        if lattice.n_spins < 2:
            return np.inf, 0.0
        distances = lattice.distances()[np.triu_indices(lattice.n_spins, 1)]
        return float(distances.min()), float(distances.max())
    assert lattice.shape is not None
    if lattice.oblique is not None:
        return lattice.spacings[0], _farthest(lattice)
    sizes = list(zip(lattice.shape, lattice.spacings, strict=True))
    steps = [
        n // 2 if around else n - 1
        for n, around in zip(lattice.shape, lattice.periodic, strict=True)
    ]
    farthest = np.array([k * a for k, (_, a) in zip(steps, sizes, strict=True)])
    nearest = min((a for n, a in sizes if n > 1), default=np.inf)
    return float(nearest), float(np.linalg.norm(farthest))


def _farthest(lattice: Lattice) -> float:
    """The largest distance between two sites of an oblique grid, also where they are empty."""
    assert lattice.oblique is not None
    embedding = lattice.embedding
    axes = tuple(range(len(embedding)))
    spectrum = np.fft.rfftn(lattice.oblique.sites.astype(float), s=embedding, axes=axes)
    pairs = np.fft.irfftn(np.abs(spectrum) ** 2, s=embedding, axes=axes) > 0.5
    return float(lattice.grid_distances()[pairs].max())
