"""The spacing of a laboratory next to a lattice: 1 of the lattice is one spacing."""

from collections.abc import Iterable

import numpy as np

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import with_prefix
from spinsqueeze.lattice.geometry import Lattice
from spinsqueeze.lattice.kernels import Kernel
from spinsqueeze.models.canonical import Pair
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.term import HamiltonianTerm


def check_spacing(spacing: str | None, *, metres: float | None, lattice: Lattice | None) -> None:
    """Refuse two spacings: they multiply, which nobody means who gives one number for each.

    Raises:
        InvalidInput: a lattice with one spacing that is not 1.
    """
    if lattice is None or metres is None or isinstance(lattice.spacing, tuple):
        return
    if lattice.spacing != 1.0:
        times = f"{lattice.spacing:g} times {spacing}"
        raise InvalidInput.of(
            "spacing",
            f"must not stand next to spacing = {lattice.spacing:g} of the lattice: neighbours "
            f"would be {times}, {with_prefix(lattice.spacing * metres, 'm')}, apart; leave that of "
            "the lattice out",
        )


def stretched(
    spacing: str | None, *, metres: float | None, lattice: Lattice | None
) -> tuple[str, ...]:
    """A concern where a lattice has spacings along its axes, and none of them is 1."""
    if lattice is None or metres is None or not isinstance(lattice.spacing, tuple):
        return ()
    if 1.0 in lattice.spacing:
        return ()
    apart = " and ".join(with_prefix(factor * metres, "m") for factor in lattice.spacing)
    return (
        f"spacing: neighbours are {apart} apart, {spacing} times each spacing of the lattice; give "
        "one of them as 1 if the spacing of the laboratory is meant",
    )


def largest_coupling(terms: Iterable[tuple[float, HamiltonianTerm]], ensemble: Ensemble) -> float:
    """That of any two spins, with its sign: a rate times the largest value of a term's kernel.

    Args:
        terms: rate at a kernel of 1, and term; of sites that are empty too.
        ensemble: with a lattice.
    """
    kernels = [
        (rate, piece.kernel)
        for rate, term in terms
        for piece in term.lower(ensemble)
        if isinstance(piece, Pair)
    ]
    return max((rate * _largest(kernel) for rate, kernel in kernels), key=abs, default=0.0)


def _largest(kernel: Kernel) -> float:
    values = kernel.matrix() if kernel.table is None else kernel.table
    return float(values.flat[int(np.argmax(np.abs(values)))])
