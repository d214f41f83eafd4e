"""exp(-i H t) psi for many real symmetric H of one size at once: Lanczos, orthogonal to rounding.

Row c of every array belongs to its own Hamiltonian H_c; products with all of them are one call.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinsqueeze.core.arrays import Complexes, Floats

EPSILON = float(np.finfo(np.float64).eps)
FIRST_CHECK = 12
GROWTH = 1.25
MARKS = 128
ROOM = 32
CHUNK_BYTES = 2.5e7
"""Of amplitudes at several times that are handed on together."""

Rows = NDArray[Any]
"""Real or complex (C, D)."""
Emit = Callable[[int, Complexes], None]


def evolve(
    apply: Callable[[Rows], Rows],
    start: Rows,
    times: Floats,
    *,
    weights: Floats,
    tolerance: float,
    most_steps: int,
    emit: Emit,
) -> tuple[float, int]:
    """Hand on exp(-i H_c t) start_c at ascending times from 0.

    Args:
        apply: rows (C, D) -> H_c of each row.
        start: rows of norm 1, real or complex.
        times: ascending, from 0 or later.
        weights: (C,) norm of the part of the state that each row stands for.
        tolerance: error of the whole state at the last time, in norm.
        most_steps: size of a Krylov space; longer evolutions take several.
        emit: called with the index of the first time and the rows (T', C, D) of some times.

    Returns:
        a bound of the error of the whole state in norm, rounding included, and the products taken.
    """
    last = float(times[-1])
    rate = tolerance / last if last > 0 else 0.0
    now, done, bound, products = 0.0, 0, 0.0, 0
    rows = start
    while done < len(times):
        space = _Krylov(apply, rows, weights, most_steps)
        reach, error = space.build(last - now, rate)
        bound, products = bound + error, products + space.size
        end = last if reach == last - now else now + reach
        stop = int(np.searchsorted(times, end, side="right"))
        wide = max(1, int(CHUNK_BYTES / (16 * rows.size)))
        for first in range(done, stop, wide):
            emit(first, space.at(times[first : min(first + wide, stop)] - now))
        done = stop
        if done < len(times):
            rows, now = space.at(np.array([reach]))[0], end
    return bound, products


class _Krylov:
    """One Krylov space a row, and how far in time they reach together."""

    def __init__(
        self, apply: Callable[[Rows], Rows], start: Rows, weights: Floats, most_steps: int
    ) -> None:
        count, dimension = start.shape
        self.apply, self.weights = apply, weights
        self.most = max(1, min(most_steps, dimension))
        self.vectors = np.zeros((count, min(self.most, ROOM) + 1, dimension), dtype=start.dtype)
        self.vectors[:, 0] = start
        self.alpha, self.beta = np.zeros((2, count, self.most))
        self.size = 0
        self.energies: Floats = np.zeros((count, 0))
        self.modes: Floats = np.zeros((count, 0, 0))

    def build(self, remaining: float, rate: float) -> tuple[float, float]:
        """Grow until all of the time is covered, or the space is full: (reach, error bound)."""
        check = FIRST_CHECK if remaining else 1
        first = int(np.argmax(self.weights))
        heaviest = slice(first, first + 1)
        while True:
            self._step()
            full = self.size == self.most or not self.beta[:, self.size - 1].any()
            if not full and self.size < check:
                continue
            check = int(np.ceil(GROWTH * self.size))
            if not full and self._reach(heaviest, remaining, rate) is None:
                continue
            reached = self._reach(slice(None), remaining, rate, partly=full)
            if reached is not None:
                return reached

    def at(self, times: Floats) -> Complexes:
        """The rows (T, C, D) at times from the start of this space."""
        phases = np.exp(-1j * times[:, None] * self.energies[:, None, :])
        small = (phases * self.modes[:, None, 0, :]) @ self.modes.transpose(0, 2, 1)
        basis = self.vectors[:, : self.size]
        if np.iscomplexobj(basis):
            rows: Complexes = small @ basis
        else:
            rows = np.empty((*small.shape[:2], basis.shape[2]), dtype=complex)
            rows.real = small.real @ basis
            rows.imag = small.imag @ basis
        return rows.transpose(1, 0, 2)

    def _step(self) -> None:
        k = self.size
        if k + 1 == self.vectors.shape[1]:
            count, _, dimension = self.vectors.shape
            more = np.zeros((count, min(k + 1, self.most - k), dimension), self.vectors.dtype)
            self.vectors = np.concatenate([self.vectors, more], axis=1)
        here = self.vectors[:, k]
        w = self.apply(here)
        scale = np.linalg.norm(w, axis=1)
        self.alpha[:, k] = np.einsum("cd,cd->c", here.conj(), w).real
        w = w - self.alpha[:, k, None] * here
        if k:
            w -= self.beta[:, k - 1, None] * self.vectors[:, k - 1]
        basis = self.vectors[:, : k + 1]
        w -= (basis.transpose(0, 2, 1) @ (basis.conj() @ w[:, :, None]))[:, :, 0]
        rest = np.linalg.norm(w, axis=1)
        # What is left of an invariant space is rounding; its row rests from here on.
        ended = (rest <= 100 * EPSILON * scale) | (k + 1 == self.vectors.shape[2])
        self.beta[:, k] = np.where(ended, 0.0, rest)
        if k + 1 < self.vectors.shape[1]:
            self.vectors[:, k + 1] = np.where(
                ended[:, None], 0.0, w / np.where(ended, 1.0, rest)[:, None]
            )
        self.size = k + 1

    def _reach(
        self, rows: slice, remaining: float, rate: float, *, partly: bool = False
    ) -> tuple[float, float] | None:
        """Until when the residuals of these rows, beta_m |u_m(s)| integrated, stay in their share.

        With `partly` a time before the end will do; else None where the end is not reached.
        """
        m, index = self.size, np.arange(self.size)
        small = np.zeros((len(self.alpha[rows]), m, m))
        small[:, index, index] = self.alpha[rows, :m]
        small[:, index[1:], index[:-1]] = self.beta[rows, : m - 1]
        self.energies, self.modes = np.linalg.eigh(small)
        leaving = (self.beta[rows, m - 1] * self.weights[rows])[:, None]
        ends = self.modes[:, None, 0, :] * self.modes[:, None, -1, :]
        span = float(np.abs(self.energies).max())
        horizon = remaining
        while True:
            marks = horizon * np.linspace(0, 1, MARKS + 1)
            phases = np.exp(-1j * marks[:, None] * self.energies[:, None, :])
            residual = np.abs((phases * ends).sum(axis=2)) * leaving
            error = np.sqrt((np.cumsum(residual * marks[1], axis=1) ** 2).sum(axis=0))
            within = error <= (rate + m * EPSILON * span) * (marks + marks[1])
            passed = int(np.argmin(np.append(within, False))) - 1
            if horizon == remaining and not partly and passed < MARKS:
                return None
            if passed == MARKS or passed >= 8:
                reach = remaining if horizon == remaining and passed == MARKS else marks[passed]
                return float(reach), float(error[passed]) + m * EPSILON * (1 + span * reach)
            horizon /= 8
