"""Integrated strengths and rates by stretches of time, in each of which they grow in proportion."""

import numpy as np
from numpy.typing import ArrayLike

from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.methods.closed_form.collective import integrals_table, integrated_rate


def stretches_table(value: ArrayLike, n_terms: int) -> Floats:
    """(T, S, n_terms) integrals of each stretch from (T,), (T, n_terms) or (T, S, n_terms).

    Raises:
        InvalidInput: another shape, or an entry that is not finite.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 3:
        return integrals_table(array, n_terms)[:, None]
    if array.shape[2] != n_terms or array.shape[1] == 0 or not np.all(np.isfinite(array)):
        raise InvalidInput(
            f"integrals must be finite, of shape (n_times, n_stretches, n_terms = {n_terms}); "
            f"got shape {array.shape}"
        )
    return array


def stretched_rate(value: ArrayLike, shape: tuple[int, int, int], *, name: str) -> Floats:
    """An integrated rate (T, S, N): by stretch, or of a single one as `integrated_rate` takes it.

    Raises:
        InvalidInput: another shape, or a negative or undefined entry.
    """
    T, S, N = shape
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 3:
        if S > 1 and np.any(array):
            raise InvalidInput(
                f"{name} must be given by stretch, {shape}, as integrals are; got {array.shape}"
            )
        return np.broadcast_to(integrated_rate(array, (T, N), name=name)[:, None], shape)
    if array.shape[:2] != (T, S) or array.shape[2] not in (1, N):
        raise InvalidInput(f"{name} must have shape {shape}; got {array.shape}")
    if not np.all(array >= 0):
        raise InvalidInput(f"{name} must be at least 0 everywhere; got {np.min(array):g}")
    return np.broadcast_to(array, shape)


def acting_stretches(strengths: Floats, down: Floats, up: Floats) -> tuple[Floats, Floats, Floats]:
    """Strengths (S, n_terms) and rates (N, S) of one time, without idle stretches.

    Without any decay or pumping the stretches are added up to one.
    """
    if not (np.any(down) or np.any(up)):
        still = np.zeros((down.shape[1], 1))
        return strengths.sum(axis=0, keepdims=True), still, still
    acts = np.any(strengths, axis=1) | np.any(down, axis=1) | np.any(up, axis=1)
    acts[0] |= not np.any(acts)
    return strengths[acts], np.ascontiguousarray(down[acts].T), np.ascontiguousarray(up[acts].T)
