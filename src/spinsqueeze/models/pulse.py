"""Instantaneous rotations during a run: echo, twist-untwist, Ramsey."""

import math
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.units import radians_of
from spinsqueeze.models.term import Plain


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Pulse(Plain):
    """The rotation exp(-i angle axis . S) of all spins, of one class or of some sites.

    It comes at `time`, or at a `fraction` of every output time: fraction=0.5 with an angle of pi is
    the echo of an experiment that repeats the run for each of them. Then each output is the end of
    a run of its own, at the cost of as many runs; diagnostics that differ between them are in
    `of_each_time` of `data.attrs["diagnostics"]`.

    An output time equal to the pulse's time is read after the pulse.

    Args:
        time: when, >= 0; or
        fraction: of each output time, from 0 to 1.
        axis: one of +x, -x, +y, -y, +z, -z, or a unit vector.
        angle: radians, right-handed about the axis; or a text such as "pi/2", "90 deg".
        spin_class: rotate this class of a model made of spin classes only (from 0).
        sites: rotate these spins only, by index.
    """

    time: float | None = None
    axis: Any = field(kw_only=True)
    angle: float = field(kw_only=True)
    fraction: float | None = field(default=None, kw_only=True)
    spin_class: int | None = field(default=None, kw_only=True)
    sites: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        try:
            self._check()
        except InvalidInput as error:
            raise error.owned_by("pulse") from None

    def _check(self) -> None:
        put = object.__setattr__
        if self.time is None and self.fraction is None:
            raise InvalidInput.of("time", "must be given, or fraction, e.g. 0.5 for an echo")
        if self.fraction is None:
            put(self, "time", checks.real("time", self.time, minimum=0.0))
        elif self.time is not None:
            raise InvalidInput.of("fraction", "must not stand next to time; give one of them")
        else:
            fraction = checks.real("fraction", self.fraction, minimum=0.0, maximum=1.0)
            put(self, "fraction", fraction)
        put(self, "axis", checks.direction("axis", self.axis))
        put(self, "angle", _radians(self.angle))
        if self.spin_class is not None and self.sites is not None:
            raise InvalidInput("a pulse takes spin_class or sites, not both")
        if self.spin_class is not None:
            checked = checks.integer("spin_class", self.spin_class, minimum=0)
            put(self, "spin_class", checked)
        if self.sites is not None:
            if isinstance(self.sites, str) or not hasattr(self.sites, "__len__"):
                raise InvalidInput.of("sites", f"must be a list of indices, got {self.sites!r}")
            sites = tuple(checks.integer("sites", s, minimum=0) for s in self.sites)
            if not sites or len(set(sites)) != len(sites):
                raise InvalidInput.of("sites", "must name at least one spin, each once")
            put(self, "sites", sites)

    @property
    def in_words(self) -> str:
        """'a turn by 3.142 rad about +x at 0.5 of every time'."""
        return f"a turn by {self.angle:.4g} rad about {self._axis} {self._place}"

    @property
    def _axis(self) -> str:
        names = [sign + name for name in "xyz" for sign in "+-"]
        exact = (
            name for name in names if np.array_equal(checks.direction("axis", name), self.axis)
        )
        return next(exact, "(" + ", ".join(f"{x:.4g}" for x in self.axis) + ")")

    @property
    def _place(self) -> str:
        """When, and of which spins."""
        if self.fraction is None:
            when = f"at time {self.time:.6g}"
        else:
            usual = f"at {self.fraction:.4g} of every time"
            when = {0.0: "at time 0", 1.0: "at the end"}.get(self.fraction, usual)
        if self.spin_class is not None:
            return f"{when} of class {self.spin_class}"
        return when if self.sites is None else f"{when} of {len(self.sites)} sites"


def _radians(value: Any) -> float:
    """An angle, a text of one too; whole right angles as in degrees, bare, are asked about."""
    if isinstance(value, str):
        angle = radians_of(value)
        if angle is None:
            raise InvalidInput.of(
                "angle",
                'must be a number of radians, or a text such as "pi", "pi/2" or "90 deg", got '
                f"{value!r}",
            )
        return angle
    angle = checks.real("angle", value)
    if abs(angle) in (90.0, 180.0, 270.0, 360.0):
        turns = {1.0: "pi", -1.0: "-pi"}.get(angle / 180, f"{angle / 180:g} pi")
        raise InvalidInput.of(
            "angle",
            f"is in radians, got {angle:g}, which looks like degrees; write "
            f'"{angle:g} deg" or "{turns}" (in Python also np.pi), or {math.radians(angle):.6g}',
        )
    return angle
