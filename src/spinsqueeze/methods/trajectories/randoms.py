"""Random numbers inside compiled loops: xoshiro256++, seeded by numpy's SeedSequence."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53


def stream(seed: int, trajectory: int) -> NDArray[np.uint64]:
    """The state (4,) of the generator of one trajectory: of (seed, trajectory) alone."""
    sequence = np.random.SeedSequence(seed, spawn_key=(trajectory,))
    return sequence.generate_state(4, np.uint64).astype(np.uint64)


@njit(cache=True, nogil=True)
def uniform(state: Any) -> float:
    """The next number of (0, 1]."""
    total = state[0] + state[3]
    result = ((total << np.uint64(23)) | (total >> np.uint64(41))) + state[0]
    shifted = state[1] << np.uint64(17)
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = (state[3] << np.uint64(45)) | (state[3] >> np.uint64(19))
    return (float(result >> np.uint64(11)) + 1.0) * _TO_UNIT
