"""What DTWA's error is known to be: the atlas of its optimum on small lattices.

`atlas.json` holds DTWA's optimum less the exact one, in decibels, over exponent and j_z/j_perp of
H = sum_{i<j} r_ij^-exponent [j_perp (s^x s^x + s^y s^y) + j_z s^z s^z] on periodic squares, from
spins along one direction in the x-y plane. `benchmarks/dtwa_atlas.py` makes it.
"""

import functools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import Kernel
from spinsqueeze.methods.base.question import Evolve, Question
from spinsqueeze.methods.base.states import ProductOfSpins, bloch_vectors

PLACE = Path(__file__).with_name("atlas.json")
ALIKE = 1e-9
LARGE = 0.5
"""dB: from here on a run on a small lattice warns."""
LARGEST = 64
"""Spins up to which it does: the atlas ends at 25."""
FEWEST_ROWS = 4
"""Sides from which the couplings of a square are those of a plane, not of a ladder."""


@final
@dataclass(frozen=True, eq=False)
class Sheet:
    """The atlas on one lattice.

    Attributes:
        side: of the periodic square.
        exponents: (E,) increasing.
        ratios: (R,) j_z/j_perp, increasing; where the last is infinite (j_perp = 0) they come
            round: +inf and -inf are both the Ising model.
        error: (E, R) [dB] DTWA's optimum less the exact one: negative means optimistic.
        stderr: (E, R) [dB] its standard error.
        exact: (E, R) [dB] the exact optimum.
    """

    side: int
    exponents: Floats
    ratios: Floats
    error: Floats
    stderr: Floats
    exact: Floats

    def at(self, *, exponent: float, ratio: float) -> float | None:
        """The error [dB] interpolated linearly in 1/(1 + exponent) and in atan(ratio).

        None outside the sheet.
        """
        angles, error = np.arctan(self.ratios), self.error
        if math.isinf(self.ratios[-1]):
            angles = np.concatenate([[angles[-1] - np.pi], angles])
            error = np.concatenate([error[:, -1:], error], axis=1)
        inside = self.exponents[0] <= exponent <= self.exponents[-1]
        if not inside or not angles[0] <= math.atan(ratio) <= angles[-1]:
            return None
        places = 1.0 / (1.0 + self.exponents)
        along = [np.interp(math.atan(ratio), angles, row) for row in error]
        return float(np.interp(1.0 / (1.0 + exponent), places[::-1], along[::-1]))


@functools.cache
def atlas() -> tuple[Sheet, ...]:
    """The sheets of `atlas.json`, small lattices first."""
    sheets = json.loads(PLACE.read_text())["sheets"]
    return tuple(
        Sheet(
            side=sheet["side"],
            **{
                name: np.array(sheet[name], dtype=np.float64)
                for name in ("exponents", "ratios", "error", "stderr", "exact")
            },
        )
        for sheet in sheets
    )


def known_error(question: Question) -> tuple[tuple[int, float], ...]:
    """(side, error in dB at the optimum) from each sheet that holds these couplings.

    It is for a closed XXZ model with power-law couplings, constant in time, on every site of a
    periodic square, from spins along one direction in the x-y plane, without pulses.
    """
    if not isinstance(question, Evolve) or not _in_plane(question):
        return ()
    couplings = _power_law(question)
    if couplings is None:
        return ()
    exponent, j_perp, j_z = couplings
    if abs(j_z - j_perp) <= ALIKE * abs(j_perp):  # nothing moves
        return ()
    ratio = j_z / j_perp if j_perp else math.inf
    errors = ((s.side, s.at(exponent=exponent, ratio=ratio)) for s in atlas())
    return tuple((side, error) for side, error in errors if error is not None)


def in_words(errors: tuple[tuple[int, float], ...]) -> str:
    """'with these couplings DTWA's optimum is 0.3 dB optimistic on 4 x 4 and ...'; '' of none."""
    if not errors:
        return ""
    parts = [f"{_amount(error)} on {side} x {side}" for side, error in errors]
    return (
        f"with these couplings DTWA's optimum is {' and '.join(parts)} periodic sites (against "
        "exact answers; larger lattices are not known)"
    )


def warnings(errors: tuple[tuple[int, float], ...], *, n_spins: int) -> tuple[str, ...]:
    """A line where the optimum of a lattice about as small errs by LARGE or more."""
    if n_spins > LARGEST or all(abs(error) < LARGE for _, error in errors):
        return ()
    return (f"approximation: {in_words(errors)}; compare with exact where it fits",)


def _amount(error: float) -> str:
    if abs(error) < 0.05:
        return "right to 0.05 dB"
    return f"{abs(error):.1f} dB too {'low (optimistic)' if error < 0 else 'high (pessimistic)'}"


def _in_plane(question: Evolve) -> bool:
    """Whether all spins start along one direction perpendicular to z."""
    if not isinstance(question.state, ProductOfSpins):
        return False
    vectors = np.atleast_2d(bloch_vectors(question.state))
    return bool(np.all(np.abs(vectors - vectors[0]) < ALIKE) and abs(vectors[0, 2]) < ALIKE)


def _power_law(question: Evolve) -> tuple[float, float, float] | None:
    """(exponent, j_perp, j_z) of pairs alone on a full periodic square; else None."""
    model, lattice = question.model, question.model.lattice
    if (
        question.features - {"pairs", "unlike_spins"}
        or lattice is None
        or not _full_square(lattice)
    ):
        return None
    tensor = np.zeros((3, 3))
    exponents = set()
    for pair in model.pairs:
        law = _power(pair.kernel, lattice)
        if law is None or not isinstance(pair.strength, float | int):
            return None
        exponent, nearest = law
        exponents.add(exponent)
        tensor += pair.strength * nearest * pair.tensor
    j_perp, j_z = float(tensor[0, 0]), float(tensor[2, 2])
    largest = max(abs(j_perp), abs(j_z))
    if np.max(np.abs(tensor - np.diag([j_perp, j_perp, j_z]))) > ALIKE * largest or not largest:
        return None
    return (exponents.pop(), j_perp, j_z) if len(exponents) == 1 else None


def _full_square(lattice: Lattice) -> bool:
    return (
        lattice.on_grid
        and lattice.shape is not None
        and lattice.oblique is None
        and lattice.dimension == 2
        and lattice.boundary == "periodic"
        and lattice.occupied is None
        and min(lattice.shape) >= FEWEST_ROWS
        and lattice.shape[0] == lattice.shape[1]
        and lattice.spacings[0] == lattice.spacings[1]
    )


def _power(kernel: Kernel, lattice: Lattice) -> tuple[float, float] | None:
    """The exponent of couplings K r^-exponent and K at nearest neighbours; None of other forms."""
    if kernel.uniform:
        return 0.0, 1.0
    if kernel.stencil is not None:
        nearest = power_law_kernel(lattice, exponent=math.inf)
        same = type(kernel) is type(nearest) and kernel.same_as(nearest)
        return (math.inf, 1.0) if same else None
    if kernel.table is None:
        return None
    table, distance = kernel.table.ravel()[1:], lattice.grid_distances().ravel()[1:]
    near, far = int(np.argmin(distance)), int(np.argmax(distance))
    if table.shape != distance.shape or table[near] == 0 or table[far] / table[near] <= 0:
        return None
    exponent = -math.log(table[far] / table[near]) / math.log(distance[far] / distance[near])
    if exponent < -ALIKE:
        return None
    law = table[near] * (distance / distance[near]) ** -exponent
    if np.max(np.abs(table - law)) > 1e-6 * abs(table[near]):
        return None
    return round(max(exponent, 0.0), 9), float(table[near])
