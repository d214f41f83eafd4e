"""The spacing of a laboratory next to a lattice: 1 of the lattice is one spacing."""

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import with_prefix
from spinsqueeze.lattice.geometry import Lattice


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
