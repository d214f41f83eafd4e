import itertools

import numpy as np
import pytest

from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.dtwa.sampling import perpendicular_frame, random_signs, sample_spins


def draw(directions, *, n_spins, seed=3, first_sample=0, n_samples=1):
    return sample_spins(
        directions, n_spins=n_spins, seed=seed, first_sample=first_sample, n_samples=n_samples
    )


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_axis_aligned_samples_are_exact_signs(axis, sign):
    n = np.zeros(3)
    n[axis] = sign
    sigma = draw(n, n_spins=50, n_samples=4)
    assert np.all(np.abs(sigma) == 1.0)
    assert np.all(sigma[:, axis] == sign)
    others = [a for a in range(3) if a != axis]
    assert np.all(np.abs(sigma[:, others].mean(axis=(0, 2))) < 0.5)


def test_equatorial_states_have_z_plus_minus_one():
    phi = 0.7
    sigma = draw(np.array([np.cos(phi), np.sin(phi), 0.0]), n_spins=20, n_samples=3)
    assert np.all(np.abs(sigma[:, 2]) == 1.0)


def test_enumerated_signs_give_the_moments_of_the_state():
    rng = np.random.default_rng(1)
    for n in rng.normal(size=(10, 3)):
        n = n / np.linalg.norm(n)
        e1, e2 = perpendicular_frame(n)
        frame = np.array([e1, e2, n])
        assert np.allclose(frame @ frame.T, np.eye(3), atol=1e-14)
        assert np.linalg.det(frame) == pytest.approx(1.0, abs=1e-14)
        sigma = np.array([n + a * e1 + b * e2 for a, b in itertools.product([-1, 1], repeat=2)])
        assert np.allclose(sigma.mean(axis=0), n, atol=1e-14)
        assert np.allclose(sigma.T @ sigma / 4, np.eye(3), atol=1e-14)


def test_samples_depend_on_seed_and_number_alone():
    n = np.array([1.0, 0.0, 0.0])
    whole = draw(n, n_spins=33, n_samples=10)
    assert np.array_equal(whole[4:7], draw(n, n_spins=33, first_sample=4, n_samples=3))
    assert not np.array_equal(whole[0], whole[1])
    assert not np.array_equal(whole, draw(n, n_spins=33, n_samples=10, seed=4))


def test_signs_are_fair_and_independent():
    signs = np.array([random_signs(500, seed=9, sample=k) for k in range(200)], dtype=float)
    rows = signs.reshape(200, 1000)
    assert abs(rows.mean()) < 5 / np.sqrt(rows.size)
    products = (rows[:, 1:] * rows[:, :-1]).mean()
    assert abs(products) < 5 / np.sqrt(rows.size)
    between = (rows[1:] * rows[:-1]).mean()
    assert abs(between) < 5 / np.sqrt(rows.size)


def test_product_state_uses_each_direction():
    n = np.array([[1.0, 0, 0], [0, 0, -1.0]])
    sigma = draw(n, n_spins=2, n_samples=6)
    assert np.all(sigma[:, 0, 0] == 1.0)
    assert np.all(sigma[:, 2, 1] == -1.0)


def test_refuses_wrong_directions():
    with pytest.raises(InvalidInput, match=r"shape \(3,\) or \(4, 3\), got \(2,\)"):
        draw(np.ones(2), n_spins=4)
    with pytest.raises(InvalidInput, match="unit vectors"):
        draw(np.array([1.0, 1.0, 0.0]), n_spins=4)
