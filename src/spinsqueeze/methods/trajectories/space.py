"""What the compiled functions share: a model, a window of time, and the arrays of a walk."""

from typing import Any, NamedTuple, final

import numpy as np

from spinsqueeze.methods.trajectories.ladder import N_BANDS, PAD


@final
class Terms(NamedTuple):
    """A model: see `Lowered`; shifted: whether jumps are L - <L>."""

    n_spins: int
    quadratics: Any
    fields: Any
    vectors: Any
    owners: Any
    local: Any
    shifted: bool


@final
class Window(NamedTuple):
    """[start, start + 2 half], where the weights are polynomials of the place -1 ... 1."""

    start: float
    half: float
    polynomials: Any


@final
class Limits(NamedTuple):
    """Tolerance of the state over `duration`; when a window of levels grows, and its least size.

    never: |x|^2 at which the first jump falls is drawn above it (see `first_jumps`); below 0 the
    walk ends where |x|^2 falls to -never, so that what it has is the branch without jumps.
    """

    tolerance: float
    duration: float
    tail_tolerance: float
    smallest: int
    never: float


@final
class Space(NamedTuple):
    """The arrays of one walk.

    x, y: the state, and its successor. k: slopes. root: of the ladder. R: the frame at the anchor;
    w: how it turns from there; turned: the frame now. mean: <J> at the anchor, behind the shifts.
    """

    x: Any
    y: Any
    k: Any
    root: Any
    bands: Any
    weights: Any
    R: Any
    turned: Any
    w: Any
    mean: Any
    field: Any
    rates: Any
    here: Any
    body: Any


def new_space(terms: Terms, *, capacity: int, frame: Any) -> Space:
    """Room for `capacity` levels."""
    length = capacity + 2 * PAD + 2
    return Space(
        x=np.zeros((2, length)),
        y=np.zeros((2, length)),
        k=np.zeros((7, 2, length)),
        root=np.zeros(length),
        bands=np.zeros(N_BANDS, dtype=complex),
        weights=np.zeros(len(terms.quadratics)),
        R=np.array(frame, dtype=float),
        turned=np.zeros((3, 3)),
        w=np.zeros(3),
        mean=np.zeros(4),
        field=np.zeros(3),
        rates=np.zeros(3 * len(terms.owners)),
        here=np.zeros(4),
        body=np.zeros((3, 3)),
    )
