"""Waiting for a cluster that computes: with a word every minute, and with an end."""

import math
from collections.abc import Callable
from time import monotonic
from typing import final

from spinsqueeze.core.errors import SpinSqueezeError

PATIENCE = 3600.0
"""Seconds that a cluster may be without workers: jobs may queue for long."""
WORD = 60.0
"""Seconds between two words on what is waited for."""


class ClusterLost(SpinSqueezeError):
    """The processes that should compute are gone."""


@final
class Watch:
    """How long nothing could go on, what to say about it, and when to give up."""

    def __init__(self, *, patience: float, say: Callable[[str], None]) -> None:
        """Begin, with nothing to wait for.

        Args:
            patience: seconds, or inf.
            say: is given each word.
        """
        self._patience = patience
        self._say = say
        self._since: float | None = None
        self._next_word = 0.0

    def satisfied(self) -> None:
        """What was waited for is there."""
        self._since = None

    def waiting(self, cause: str, *, points: int) -> None:
        """Nothing can go on now.

        Args:
            cause: why, to follow "the cluster".
            points: how many are left to compute.

        Raises:
            ClusterLost: patience is at its end.
        """
        now = monotonic()
        if self._since is None:
            self._since, self._next_word = now, now
        past = now - self._since
        if past >= self._patience:
            raise ClusterLost(self._end(cause))
        if now >= self._next_word:
            self._next_word = now + WORD
            end = "" if math.isinf(self._patience) else f" of at most {_duration(self._patience)}"
            self._say(
                f"the cluster {cause}: waiting ({_duration(past)}{end}), {points} points to do"
            )

    def _end(self, cause: str) -> str:
        return (
            f"the cluster {cause}, after {_duration(self._patience)} of waiting: start workers and "
            f"run the same again, or raise patience (now {self._patience:g} s)"
        )


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"
