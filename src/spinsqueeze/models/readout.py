"""Readout: how a camera or a detector misreads the spins at the end of a run."""

from dataclasses import dataclass, field
from typing import final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.models.term import Plain


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Readout(Plain):
    """What is measured in place of the spins: each one misread with a probability, counts noisy.

    A misread spin counts as the other state, up as down as often as down as up, independently. With
    p = detection_error, q = 1 - 2 p and the rms noise sigma = resolution of the number of spins
    counted up, every component that is read out has <S_a> -> q <S_a> and
    C_ab -> q^2 C_ab + [N p (1 - p) + sigma^2] delta_ab.

    Args:
        detection_error: p, 0 <= p < 0.5.
        resolution: sigma in spins, >= 0: 0 counts every single one.

    Raises:
        InvalidInput: an argument breaks its rule.
    """

    detection_error: float = field(default=0.0, kw_only=True)
    resolution: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        error = checks.real("detection_error", self.detection_error, minimum=0.0)
        if error >= 0.5:
            rule = f"must be a fraction below 0.5, got {error:g}; 1 % is 0.01"
            raise InvalidInput.of("detection_error", rule)
        object.__setattr__(self, "detection_error", error)
        resolution = checks.real("resolution", self.resolution, minimum=0.0)
        object.__setattr__(self, "resolution", resolution)

    @property
    def in_words(self) -> str:
        """'1 % misread, counts to 2 spins rms', or 'perfectly'."""
        words = [f"{100 * self.detection_error:.4g} % misread"] if self.detection_error else []
        words += [f"counts to {self.resolution:.4g} spins rms"] if self.resolution else []
        return ", ".join(words) or "perfectly"
