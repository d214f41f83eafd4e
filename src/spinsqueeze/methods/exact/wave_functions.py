"""Many Monte-Carlo wave functions: products with a sparse matrix at once, threads, averages."""

import itertools
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats
from spinsqueeze.core.progress import Progress
from spinsqueeze.methods.base.averages import block_moments, error_of_mean_spin
from spinsqueeze.methods.base.first_jumps import LEAST, Branch
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.base.states import state_vector
from spinsqueeze.methods.base.worker_threads import in_threads
from spinsqueeze.methods.exact.effective import DEGREE as DEGREE_OF_ENVELOPES
from spinsqueeze.methods.exact.effective import EffectiveModel
from spinsqueeze.methods.exact.frames import ProductFrames
from spinsqueeze.methods.exact.wave_function import DEGREE, Course, WaveFunction
from spinsqueeze.numerics.processors import available_processors
from spinsqueeze.observables.readings import Reading, readings_of

ROOM = 1 << 17
"""Amplitudes of all wave functions that one product takes."""
MOST_TOGETHER = 32


def together(n_spins: int) -> int:
    """Wave functions that one thread follows at once."""
    return max(4, min(MOST_TOGETHER, ROOM >> n_spins))


def rows_of_vectors() -> int:
    """Rows of a series: its vectors, and room for what envelopes add beyond."""
    return DEGREE + 1 + DEGREE_OF_ENVELOPES


@final
@dataclass(frozen=True, eq=False)
class Followed:
    """What trajectories 0 ... n - 1 leave.

    spins, covariances, errors: (n, T, 3), (n, T, 3, 3), (n, T); jumps, first (n, C) of each
    of C channels; second (n,) times of the second of all; norms (n, T) since the last;
    n_series (n,).
    """

    spins: Floats
    covariances: Floats
    errors: Floats
    jumps: Floats
    first: Floats
    second: Floats
    norms: Floats
    n_series: Floats

    @classmethod
    def room(cls, count: int, n_times: int, n_channels: int) -> "Followed":
        """For so many."""
        return cls(
            np.empty((count, n_times, 3)), np.empty((count, n_times, 3, 3)),
            np.empty((count, n_times)), np.empty((count, n_channels)),
            np.empty((count, n_channels)), np.empty(count), np.empty((count, n_times)),
            np.empty(count),
        )  # fmt: skip

    def put(self, row: int, wave: WaveFunction) -> None:
        """One that is finished."""
        self.spins[row], self.covariances[row] = wave.spin, wave.covariance
        self.errors[row], self.norms[row] = wave.errors, wave.norms
        self.jumps[row], self.first[row], self.second[row] = wave.jumps, wave.first, wave.second
        self.n_series[row] = wave.n_series

    @property
    def n_jumps(self) -> Floats:
        """Of all channels, (n,)."""
        total: Floats = self.jumps.sum(axis=1)
        return total

    def rows(self, chosen: slice | list[int]) -> "Followed":
        """Some of them."""
        return Followed(*(values[chosen] for values in vars(self).values()))

    def beside(self, other: "Followed") -> "Followed":
        """These, and then the other ones."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Followed(*(np.concatenate(pair) for pair in pairs))


@final
class Samples:
    """Trajectories 0, 1, ... of a question with one row a spin."""

    def __init__(self, question: Evolve, *, tolerance: float) -> None:
        self._question = question
        self._course = Course(
            EffectiveModel.of(question),
            np.asarray(question.times, dtype=float),
            tolerance / (question.duration or 1.0),
        )
        initial = state_vector(question.state, question.model.n_spins)
        self._initial = initial / np.linalg.norm(initial)
        self.followed = self._room(0)
        self.branch = self._without_jumps()

    def _room(self, count: int) -> Followed:
        return Followed.room(count, len(self._course.times), self._course.model.n_channels)

    @property
    def count(self) -> int:
        """How many."""
        return len(self.followed.spins)

    def _without_jumps(self) -> Branch:
        frames = ProductFrames(self._course.model.n_spins, threads=1)
        room = np.empty((rows_of_vectors(), len(self._initial)), complex)
        wave = WaveFunction(
            self._course, self._initial, seed=0, number=0, vectors=room, never=-LEAST
        )
        with np.errstate(over="ignore", invalid="ignore"):
            while wave.begin(frames):
                make_series(self._course.model, [wave])
                wave.advance(frames)
        return Branch.reached(
            self._course.model.n_spins,
            wave.spin,
            wave.covariance,
            wave.norms,
            apart=bool(self._course.model.jumps),
        )

    def extend(self, number: int, *, progress: Progress | None = None) -> None:
        """Follow trajectories up to `number` in all.

        Raises:
            KeyboardInterrupt: Ctrl-C; those up to the first unfinished one are kept.
            NumericalFailure: no series of a trajectory reaches any distance.
        """
        first, count = self.count, number - self.count
        random = bool(self._course.model.jumps)
        distinct = count if random else 1
        made = self._room(distinct)
        stop, finished = np.zeros(1, dtype=bool), np.zeros(distinct, dtype=bool)
        numbers = itertools.count()
        lock = threading.Lock()

        def following() -> int | None:
            with lock:
                row = next(numbers)
            return row if row < distinct else None

        def work() -> None:
            self._follow(following, made, first, stop, finished)

        n_threads = max(1, min(available_processors(), distinct // 2))
        interrupted = in_threads(
            work, n_threads=n_threads, stop=stop, finished=finished, progress=progress
        )
        if interrupted and not finished.all():
            self.followed = self.followed.beside(made.rows(slice(0, int(np.argmin(finished)))))
            raise KeyboardInterrupt
        rows = made if random else made.rows([0] * count)
        self.followed = self.followed.beside(rows)

    def _follow(
        self, following: Callable[[], int | None], made: Followed, first: int, stop: Booleans,
        finished: Booleans,
    ) -> None:  # fmt: skip
        """Follow many at once, the next one wherever one is finished."""
        course, n = self._course, self._course.model.n_spins
        frames = ProductFrames(n, threads=1)
        spare: list[Complexes] = []
        active: list[WaveFunction] = []
        while not stop[0]:
            while len(active) < together(n) and (row := following()) is not None:
                room = spare.pop() if spare else np.empty((rows_of_vectors(), 1 << n), complex)
                wave = WaveFunction(
                    course, self._initial, seed=self._question.seed, number=first + row,
                    vectors=room, never=self.branch.never,
                )  # fmt: skip
                active.append(wave)
            if not active:
                return
            for wave in list(active):
                if not wave.begin(frames):
                    active.remove(wave)
                    spare.append(wave.vectors)
                    made.put(wave.number - first, wave)
                    finished[wave.number - first] = True
            with np.errstate(over="ignore", invalid="ignore"):  # advance() then says so
                make_series(course.model, active)
            for wave in active:
                wave.advance(frames)

    def readings(self) -> Mapping[str, Reading]:
        """Moments of all trajectories in blocks."""
        moments = self.branch.beside(self.followed.spins, self.followed.covariances)
        return readings_of(block_moments(*moments, n_spins=self._course.model.n_spins))

    def unseen(self) -> Floats:
        """Error (T,) from jumps that too few trajectories had."""
        followed = self.followed
        first = followed.first.min(axis=1, initial=np.inf)
        moments, times = (followed.spins, followed.covariances), self._course.times
        return self.branch.error(*moments, first, times) + self.branch.error_of_second(
            *moments, first, followed.second, followed.norms, times
        )

    def error(self) -> Floats:
        """Error (T,) of the mean spin from the series, in units of sqrt(N)/2."""
        n = self._course.model.n_spins
        return error_of_mean_spin(self.followed.covariances, self.followed.errors, n_spins=n)


def make_series(model: EffectiveModel, waves: list[WaveFunction]) -> None:
    """Fill in the vectors of all: k v_k = sum_p sum_j w_pj A_p v_(k-1-j), w_p = sum_j w_pj s^j.

    A series ends where its own vectors are small enough. Only real factors and sums of contiguous
    rows touch the vectors, so that no bit depends on which others are made with them.
    """
    growing, made = list(waves), 0
    for wave in growing:
        if wave.coefficients.shape[1] > 1 or len(model.matrices) > 1:
            wave.vectors[1:] = 0.0
    while growing:
        columns: Complexes = np.ascontiguousarray(np.array([w.vectors[made] for w in growing]).T)
        for part, matrix in enumerate(model.matrices):
            if not any(np.any(wave.coefficients[part]) for wave in growing):
                continue
            products = np.ascontiguousarray((matrix @ columns).T).view(np.float64)
            for wave, product in zip(growing, products, strict=True):
                _add(wave, part, made + 1, product, alone=len(model.matrices) == 1)
        made += 1
        for wave in growing:
            wave.vectors[made].view(np.float64)[...] /= made
            wave.sizes.append(float(np.linalg.norm(wave.vectors[made])))
        growing = [wave for wave in growing if not wave.long_enough()]


def _add(wave: WaveFunction, part: int, power: int, product: Floats, *, alone: bool) -> None:
    coefficients = wave.coefficients[part]
    if alone and coefficients.size == 1:
        np.multiply(product, coefficients[0], out=wave.vectors[power].view(np.float64))
        return
    for j, coefficient in enumerate(coefficients):
        if coefficient:
            wave.vectors[power + j].view(np.float64)[...] += coefficient * product
