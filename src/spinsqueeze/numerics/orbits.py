"""Orbits of configurations of sites under a group of permutations of the sites.

A configuration gives every site a digit of a few bits: word = sum_i digit_i 2^(bits i). A
permutation p moves the digit of site i to site p[i]. Words are listed by the smallest one of each
orbit, so all tables are found by passing over them once or twice, whatever the size of the group.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Floats, Integers

Words = NDArray[np.int32]
MOST_ELEMENTS = 3000
"""Elements of a group up to which all of them are listed."""


def group_elements(generators: Sequence[Integers], *, most: int = MOST_ELEMENTS) -> Integers | None:
    """All elements (order, N) of the group, the identity first; None where there are more."""
    identity = np.arange(len(generators[0]))
    known = {identity.tobytes()}
    elements, new = [identity], [identity]
    while new:
        products = [np.asarray(g)[e] for e in new for g in generators]
        new = []
        for element in products:
            key = element.tobytes()
            if key not in known:
                known.add(key)
                new.append(element)
        elements += new
        if len(elements) > most:
            return None
    return np.array(elements)


def count_orbits(elements: Integers, *, digits: int) -> float:
    """Burnside: the mean of digits^(number of cycles) over the group."""
    n = elements.shape[1]
    least = np.tile(np.arange(n), (len(elements), 1))
    for _ in range(n.bit_length()):
        # Smallest site of each cycle by doubling.
        least = np.minimum(least, np.take_along_axis(least, elements, axis=1))
        elements = np.take_along_axis(elements, elements, axis=1)
    cycles = np.sum(least == np.arange(n), axis=1)
    return float(np.mean(float(digits) ** cycles))


@final
@dataclass(frozen=True, eq=False)
class Orbits:
    """The orbits of words.

    Attributes:
        representatives: (n,) the smallest word of each orbit, ascending.
        sizes: (n,) words in each.
        number: (2^(bits N),) the orbit of each word.
    """

    representatives: Words
    sizes: Floats
    number: Words = field(repr=False)

    @property
    def count(self) -> int:
        """Number of orbits."""
        return int(self.representatives.size)


def orbits_of_words(n_sites: int, generators: Sequence[Integers], *, bits: int) -> Orbits:
    """Orbits of all 2^(bits N) words, N at most 31/bits."""
    elements = group_elements(generators) if len(generators) else np.arange(n_sites)[None]
    total = 1 << (bits * n_sites)
    if elements is None:
        labels = _smallest_by_doubling(n_sites, generators, bits)
        representatives, inverse, counts = np.unique(
            labels, return_inverse=True, return_counts=True
        )
        return Orbits(representatives, counts.astype(float), inverse.astype(np.int32))
    representatives = np.arange(total, dtype=np.int32)
    for element in elements[1:]:
        everything = representatives.size == total
        images = all_moved(element, bits) if everything else moved(representatives, element, bits)
        representatives = representatives[images >= representatives]
    number = np.empty(total, dtype=np.int32)
    ranks = np.arange(representatives.size, dtype=np.int32)
    fixed = np.zeros(representatives.size)
    for element in elements:
        images = moved(representatives, element, bits)
        number[images] = ranks
        fixed += images == representatives
    return Orbits(representatives, len(elements) / fixed, number)


def moved(words: Words, permutation: Integers, bits: int) -> Words:
    """The words with the digit of site i at site permutation[i]."""
    low, high = _moved_halves(permutation, bits)
    shift = low.size.bit_length() - 1
    moved_words: Words = low[words & np.int32(low.size - 1)] | high[words >> np.int32(shift)]
    return moved_words


def all_moved(permutation: Integers, bits: int) -> Words:
    """All words in order, moved."""
    low, high = _moved_halves(permutation, bits)
    return (high[:, None] | low).ravel()


def _moved_halves(permutation: Integers, bits: int) -> tuple[Words, Words]:
    half = len(permutation) // 2
    return _moved_table(permutation[:half], bits), _moved_table(permutation[half:], bits)


def _moved_table(targets: Integers, bits: int) -> Words:
    """Where the digits of some sites go: one word for each of their configurations."""
    table = np.zeros(1, dtype=np.int32)
    digits = np.arange(1 << bits, dtype=np.int32)
    for target in targets:
        table = ((digits << np.int32(bits * target))[:, None] | table).ravel()
    return table


def _smallest_by_doubling(n_sites: int, generators: Sequence[Integers], bits: int) -> Words:
    words = np.arange(1 << (bits * n_sites), dtype=np.int32)
    images = [moved(words, generator, bits) for generator in generators]
    labels = words
    while True:
        before = labels
        for image in images:
            step = image
            # Powers of the generator by doubling, until all of a cycle has been seen.
            for _ in range(max(1, int(np.ceil(np.log2(n_sites))))):
                labels = np.minimum(labels, labels[step])
                step = step[step]
        if np.array_equal(before, labels):
            return labels
