"""Random bits from counters: Threefry-2x32 of 20 rounds (Salmon et al. 2011), in jax.

Bits are a function of (key, counter) alone, the same on every device, in every layout of a batch
and in every version of jax.
"""

from typing import Any

import jax.numpy as jnp

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY = 0x1BD11BDA


def threefry(key: tuple[Any, Any], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two words of 32 random bits for each of the counters, uint32 arrays that broadcast."""
    first, second = key
    schedule = (first, second, first ^ second ^ jnp.uint32(_PARITY))
    x, y = counter[0] + first, counter[1] + second
    for group in range(5):
        for r in _ROTATIONS[group % 2]:
            x = x + y
            y = ((y << jnp.uint32(r)) | (y >> jnp.uint32(32 - r))) ^ x
        x = x + schedule[(group + 1) % 3]
        y = y + schedule[(group + 2) % 3] + jnp.uint32(group + 1)
    return x, y


def binomials(words: tuple[Any, Any], dtype: Any) -> list[Any]:
    """Three independent numbers of mean 0 and variance 1 from 48 bits: sums of 16 signs over 4."""
    low = jnp.uint32(0xFFFF)
    halves = (words[0] & low, words[0] >> 16, words[1] & low)
    return [(_ones(h).astype(dtype) - 8) / 2 for h in halves]


def normals(words: tuple[Any, Any]) -> tuple[Any, Any]:
    """Two independent standard normal numbers (Box and Muller), float64."""
    u, v = ((w.astype(jnp.float64) + 0.5) * 2.0**-32 for w in words)
    radius = jnp.sqrt(-2 * jnp.log(u))
    return radius * jnp.cos(2 * jnp.pi * v), radius * jnp.sin(2 * jnp.pi * v)


def _ones(half: Any) -> Any:
    """The number of ones among 16 bits, in additions that every vector unit has."""
    pairs = half - ((half >> 1) & jnp.uint32(0x5555))
    fours = (pairs & jnp.uint32(0x3333)) + ((pairs >> 2) & jnp.uint32(0x3333))
    eights = (fours + (fours >> 4)) & jnp.uint32(0x0F0F)
    return ((eights + (eights >> 8)) & jnp.uint32(0x1F)).astype(jnp.int32)
