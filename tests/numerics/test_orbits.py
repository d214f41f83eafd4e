"""Orbits of words against counting one by one."""

import itertools

import numpy as np
import pytest

from spinsqueeze.numerics import orbits
from spinsqueeze.numerics.orbits import count_orbits, group_elements, moved, orbits_of_words


def cyclic_necklaces(n, digits):
    """Number of orbits of words under rotation, (1/n) sum_k digits^gcd(n, k) (Burnside)."""
    return sum(digits ** int(np.gcd(n, k)) for k in range(n)) // n


@pytest.mark.parametrize(("n_sites", "bits"), [(1, 1), (2, 1), (5, 1), (6, 2), (1, 2), (12, 1)])
def test_orbits_under_rotation_are_necklaces(n_sites, bits):
    step = np.roll(np.arange(n_sites), 1)
    found = orbits_of_words(n_sites, [step], bits=bits)
    assert found.count == cyclic_necklaces(n_sites, 1 << bits)
    assert count_orbits(group_elements([step]), digits=1 << bits) == found.count
    assert found.sizes.sum() == 2.0 ** (bits * n_sites)
    assert np.all(np.diff(found.representatives) > 0)


def digits_of(word, n_sites, bits):
    return [(word >> (bits * i)) & ((1 << bits) - 1) for i in range(n_sites)]


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("bits", [1, 2])
def test_orbits_one_by_one(bits, listed, monkeypatch):
    """Of a group that is no product: a step and an exchange of a ring of 4, with one site fixed."""
    generators = [np.array([1, 2, 3, 0, 4]), np.array([2, 1, 0, 3, 4])]
    group = group_elements(generators)
    assert len(group) == 8
    if not listed:
        monkeypatch.setattr(orbits, "group_elements", lambda _: None)
    found = orbits_of_words(5, generators, bits=bits)
    seen = {}
    for word in range(1 << (5 * bits)):
        old = digits_of(word, 5, bits)
        images = set()
        for p in group:
            new = [0] * 5
            for i in range(5):
                new[p[i]] = old[i]
            images.add(sum(d << (bits * i) for i, d in enumerate(new)))
        seen[word] = min(images), len(images)
    for word, (least, size) in seen.items():
        number = found.number[word]
        assert found.representatives[number] == least
        assert found.sizes[number] == size


def test_no_permutations_leave_every_word_alone():
    found = orbits_of_words(3, [], bits=2)
    np.testing.assert_array_equal(found.representatives, np.arange(64))
    np.testing.assert_array_equal(found.number, np.arange(64))


def test_large_groups_are_not_listed():
    exchange, step = np.array([1, 0, 2, 3, 4, 5, 6]), np.roll(np.arange(7), 1)
    assert group_elements([exchange, step]) is None
    assert len(group_elements([exchange, step], most=10**4)) == 5040
    found = orbits_of_words(7, [exchange, step], bits=2)
    assert found.count == len(list(itertools.combinations_with_replacement(range(4), 7)))


def test_digits_move_to_where_their_site_goes():
    words = np.array([0b0001, 0b0110], dtype=np.int32)
    np.testing.assert_array_equal(moved(words, np.array([2, 0, 1, 3]), 1), [0b0100, 0b0011])
