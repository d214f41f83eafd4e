"""Rotations of vectors in three dimensions."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput


def rotation_matrix(axis: Floats, *, angle: float) -> Floats:
    """The right-handed rotation (3, 3) by `angle` about `axis`: exp(-i angle axis.S) on states.

    Raises:
        InvalidInput: axis of length 0.
    """
    axis = np.asarray(axis, dtype=float)
    length = float(np.linalg.norm(axis))
    if length == 0.0:
        raise InvalidInput("axis must have a length above 0, got [0, 0, 0]")
    x, y, z = axis / length
    generator = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # 1 - cos(angle) = 2 sin(angle/2)^2 keeps small angles exact.
    turn = np.sin(angle) * generator + 2 * np.sin(angle / 2) ** 2 * (generator @ generator)
    return np.asarray(np.eye(3) + turn)
