"""Mean field about all spins down: how strong a perturbation its steady state stands.

Product states of C kinds of spins, m_i = <s_i>; in H0 + lambda H1 all-down rests at lambda = 0, and
its branch is followed to the first lambda where an eigenvalue of the flow reaches the imaginary
axis.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from spinsqueeze.core.arrays import Booleans, Complexes, Floats, Integers

NONE, UNSTABLE, ENDS = "none", "unstable", "ends"
"""What becomes of the branch: nothing within REACH; it loses stability; it folds back."""
RELATIVE = -1
REACH = 1e3
"""How far a driven branch is followed, in units of the rates at lambda = 0."""
FINEST = 1e-9
LONGEST = 0.25
"""Steps along a driven branch."""
NEWTON_STEPS = 8
CONVERGED = 1e-12
FOLD = 1e-4
"""Share of lambda in the tangent below which the branch turns back."""
SMALL, MEDIUM = 24, 100
"""Numbers of kinds up to which strengths below a zero eigenvalue are searched finely, or at all."""


@final
@dataclass(frozen=True)
class Instability:
    """The smallest lambda > 0 where the branch of all-down breaks.

    strength: that lambda, infinite where there is none. outcome: "none", "unstable" or "ends".
    wave: index of the wave vector that grows, 0 for all spins alike, RELATIVE for spins of a kind
    against each other. frequency: at which it grows.
    """

    strength: float
    outcome: str
    wave: int = 0
    frequency: float = 0.0


def of_pairs(one_flip: Complexes, pairs: Complexes) -> Instability:
    """Without drive all-down stays: db/dt = -i M b - i lambda P b*, b_i = <s^-_i>.

    An eigenvalue zero needs b = lambda^2 G G* b, G = M^-1 P. Growth at a frequency may come before;
    it is sought at strengths between where none can be and there.

    Args:
        one_flip: M (C, C), its eigenvalues below the real axis.
        pairs: P (C, C), partners counted.
    """
    from scipy.optimize import brentq

    if not np.any(pairs):
        return Instability(np.inf, NONE)
    if len(pairs) == 1:
        return of_alike(complex(one_flip[0, 0]), complex(pairs[0, 0]))
    still = _zero_eigenvalue(one_flip, pairs)
    kinds = len(pairs)
    count = 60 if kinds <= SMALL else 12 if kinds <= MEDIUM else 3
    strongest = float(np.linalg.norm(pairs, 2))
    damping = -float(np.linalg.eigvalsh((one_flip - one_flip.conj().T) / 2j)[-1])
    balance = still if np.isfinite(still) else float(np.linalg.norm(one_flip, 2)) / strongest
    safe = max(damping / strongest, 1e-3 * balance)
    end = still * (1 - 1e-9) if np.isfinite(still) else REACH * safe
    last = 0.0
    for strength in np.geomspace(min(safe, end), end, count):
        if _growth(one_flip, pairs, strength)[0] > 0:
            found = float(brentq(lambda x: _growth(one_flip, pairs, x)[0], last, strength))
            return Instability(found, UNSTABLE, frequency=_growth(one_flip, pairs, found)[1])
        last = float(strength)
    return Instability(still, UNSTABLE if np.isfinite(still) else NONE)


def of_alike(one_flip: complex, pairs: complex) -> Instability:
    """The same of one kind: rates -gamma/2 ± sqrt(lambda^2 |P|^2 - e^2), M = e - i gamma/2."""
    if not pairs:
        return Instability(np.inf, NONE)
    return Instability(abs(one_flip) / abs(pairs), UNSTABLE)


def of_waves(one_flip: Complexes, pairs: Complexes) -> Instability:
    """The same of alike spins on a periodic lattice: M_k, P_k (K,) of k and -k are equal.

    Rates -gamma_k/2 ± sqrt(lambda^2 |P_k|^2 - e_k^2), M_k = e_k - i gamma_k/2: zero at
    lambda = |M_k|/|P_k|.
    """
    sizes = np.abs(pairs)
    there = sizes > 0
    if not np.any(there):
        return Instability(np.inf, NONE)
    strengths = np.full(len(sizes), np.inf)
    strengths[there] = np.abs(one_flip[there]) / sizes[there]
    wave = int(np.argmin(strengths))
    return Instability(float(strengths[wave]), UNSTABLE, wave)


def of_blocks(fixed: Floats, changing: Floats) -> Instability:
    """The same from real blocks (K, 3, 3) of the Jacobian about all-down, of H0 and of H1."""
    A, B = fixed, changing
    one_flip = 1j * (A[:, 0, 0] + A[:, 1, 1] + 1j * (A[:, 0, 1] - A[:, 1, 0])) / 2
    pairs = 1j * (B[:, 0, 0] - B[:, 1, 1] - 1j * (B[:, 0, 1] + B[:, 1, 0])) / 2
    return of_waves(one_flip, pairs)


def _zero_eigenvalue(one_flip: Complexes, pairs: Complexes) -> float:
    G = np.linalg.solve(one_flip, pairs)
    values = np.linalg.eigvals(G @ G.conj())
    largest = float(np.abs(values).max())
    real = values.real[
        (np.abs(values.imag) <= 1e-7 * largest) & (values.real > 1e-12 * max(largest, 1e-300))
    ]
    return float(1 / np.sqrt(real.max())) if len(real) else np.inf


def _growth(one_flip: Complexes, pairs: Complexes, strength: float) -> tuple[float, float]:
    """The fastest growth at a strength, and its frequency."""
    P = strength * pairs
    values = np.linalg.eigvals(
        np.block([[-1j * one_flip, -1j * P], [1j * P.conj(), 1j * one_flip.conj()]])
    )
    fastest = values[np.argmax(values.real)]
    return float(fastest.real), float(abs(fastest.imag))


@final
@dataclass(frozen=True, eq=False)
class ProductFlow:
    """dm_i/dt = h_i x m_i - decay_i (x_i/2, y_i/2, z_i + 1/2), h_i = field_i + sum_j T_ij m_j.

    Attributes:
        fields: (2, C, 3), of H0 and of H1.
        couplings: (2, C, C, 3, 3), T_ij of both, the spins j counted.
        decay: (C,) population decay.
        rigid: (C,) kinds whose spins keep the length 1/2: they decay only together.
        waves: (2, K, 3, 3) T of every wave vector for alike spins on a periodic lattice (C = 1).
        twins: kinds (R,) with two spins or more that keep no common length, and (2, R, 3, 3) what
            such a spin feels of the others when all move and their sum rests: -T of one pair.
    """

    fields: Floats
    couplings: Floats
    decay: Floats
    rigid: Booleans
    waves: Floats | None = None
    twins: tuple[Integers, Floats] | None = None

    @property
    def down(self) -> Floats:
        """(C, 3) the state at lambda = 0."""
        return np.tile([0.0, 0.0, -0.5], (len(self.decay), 1))

    @property
    def unit(self) -> float:
        """Strength at which H1 is as fast as H0 and the decay."""
        rate = float(np.abs(np.linalg.eigvals(self.jacobian(self.down, 0.0))).max())
        torque = self.fields[1] + np.einsum("ijab,jb->ia", self.couplings[1], self.down)
        size = max(float(np.abs(torque).max()), float(np.abs(self.couplings[1]).max()) / 2)
        return rate / size

    def torque(self, m: Floats, strength: float) -> Floats:
        """H (C, 3)."""
        whole = self.couplings[0] + strength * self.couplings[1]
        field = self.fields[0] + strength * self.fields[1]
        return np.asarray(field + np.einsum("ijab,jb->ia", whole, m))

    def rate(self, m: Floats, strength: float) -> Floats:
        """dm/dt (C, 3); rigid spins are also pulled to the length 1/2, which they keep anyway."""
        relaxed = (m - self.down) * np.array([0.5, 0.5, 1.0])
        pull = self._pull * (np.sum(m**2, axis=1) - 0.25)
        h = self.torque(m, strength)
        return np.asarray(np.cross(h, m) - self.decay[:, None] * relaxed - pull[:, None] * m)

    def jacobian(self, m: Floats, strength: float) -> Floats:
        """(3 C, 3 C) derivative of the rate in m."""
        kinds = len(m)
        whole = self.couplings[0] + strength * self.couplings[1]
        out = np.einsum("iac,ijcb->iajb", -_cross(m), whole)
        each = np.arange(kinds)
        out[each, :, each, :] += self._own(m, strength)
        pull = (np.sum(m**2, axis=1) - 0.25)[:, None, None] * np.eye(3)
        pull = pull + 2 * m[:, :, None] * m[:, None, :]
        out[each, :, each, :] -= self._pull[:, None, None] * pull
        return np.asarray(out.reshape(3 * kinds, 3 * kinds))

    def turned_by(self, couplings: Floats) -> Floats:
        """(K, 3, 3): what T (K, 3, 3) of alike spins adds to the Jacobian about all-down."""
        return np.asarray(-_cross(self.down[:1]) @ couplings)

    def slope(self, m: Floats) -> Floats:
        """(C, 3) derivative of the rate in the strength."""
        h = self.fields[1] + np.einsum("ijab,jb->ia", self.couplings[1], m)
        return np.asarray(np.cross(h, m))

    def growth(self, m: Floats, strength: float) -> tuple[float, int, float]:
        """The largest real part of an eigenvalue, its wave vector and its frequency."""
        values = np.linalg.eigvals(self.jacobian(m, strength))[None]
        chosen = np.zeros(1, dtype=np.int64)
        if self.waves is not None:
            chosen = self._different
            whole = self.waves[0, chosen] + strength * self.waves[1, chosen]
            values = np.linalg.eigvals(self._own(m, strength) - _cross(m) @ whole)
        wave, k = np.unravel_index(np.argmax(values.real), values.shape)
        fastest = values[wave, k]
        found = float(fastest.real), int(chosen[wave]), float(abs(fastest.imag))
        return max(found, self._relative_growth(m, strength), key=lambda growth: growth[0])

    def _relative_growth(self, m: Floats, strength: float) -> tuple[float, int, float]:
        if self.twins is None:
            return -np.inf, RELATIVE, 0.0
        kinds, (fixed, changing) = self.twins
        turned = _cross(m[kinds]) @ (fixed + strength * changing)
        values = np.linalg.eigvals(self._own(m, strength)[kinds] - turned).ravel()
        fastest = values[np.argmax(values.real)]
        return float(fastest.real), RELATIVE, float(abs(fastest.imag))

    def relative(self) -> Instability:
        """Undriven: where spins of a kind move against each other, the kinds being independent."""
        if self.twins is None:
            return Instability(np.inf, NONE)
        kinds, (fixed, changing) = self.twins
        still = self._own(self.down, 0.0)[kinds]
        found = of_blocks(still + self.turned_by(fixed), self.turned_by(changing))
        return Instability(found.strength, found.outcome, RELATIVE)

    @cached_property
    def _different(self) -> Integers:
        """Wave vectors of which no two have the same couplings, up to rounding."""
        assert self.waves is not None
        scale = float(np.abs(self.waves).max()) or 1.0
        rows = np.round(self.waves / scale, 12).swapaxes(0, 1).reshape(self.waves.shape[1], -1)
        return np.asarray(np.unique(rows, axis=0, return_index=True)[1], dtype=np.int64)

    @cached_property
    def _pull(self) -> Floats:
        size = max(float(np.abs(part).max()) for part in (*self.fields, *self.couplings))
        return np.asarray(np.where(self.rigid, size, 0.0))

    def _own(self, m: Floats, strength: float) -> Floats:
        relaxed = self.decay[:, None, None] * np.diag([0.5, 0.5, 1.0])
        return np.asarray(_cross(self.torque(m, strength)) - relaxed)


def of_drive(flow: ProductFlow) -> Instability:
    """The branch followed by steps of its length in (m, lambda): it may fold back."""
    if not np.any(flow.fields[1]) and not np.any(flow.couplings[1]):
        return Instability(np.inf, NONE)
    unit = flow.unit
    size = 3 * len(flow.decay)

    def system(x: Floats) -> tuple[Floats, Floats]:
        """The rates, and their derivatives in m and in lambda/unit (n, n + 1)."""
        m, strength = x[:-1].reshape(-1, 3), float(x[-1]) * unit
        slope = flow.slope(m).reshape(-1, 1) * unit
        return flow.rate(m, strength).ravel(), np.hstack([flow.jacobian(m, strength), slope])

    def growth(x: Floats) -> tuple[float, int, float]:
        return flow.growth(x[:-1].reshape(-1, 3), float(x[-1]) * unit)

    x = np.append(flow.down.ravel(), 0.0)
    direction = _tangent(system(x)[1], np.eye(size + 1)[-1])
    step = 0.01
    while x[-1] < REACH and step > FINEST:
        there = _corrected(system, x, direction, step)
        if there is None:
            step /= 2
            continue
        if growth(there)[0] > 0:
            return _located(system, growth, x, direction, step, unit)
        direction = _tangent(system(there)[1], direction)
        x = there
        step = min(2.0 * step, LONGEST * max(1.0, float(x[-1])))
        if direction[-1] < 0:  # it has turned back without an eigenvalue that was seen to cross
            return Instability(float(x[-1]) * unit, ENDS)
    return Instability(np.inf, NONE) if x[-1] >= REACH else Instability(float(x[-1]) * unit, ENDS)


_System = Callable[[Floats], tuple[Floats, Floats]]


def _tangent(derivative: Floats, before: Floats) -> Floats:
    """The unit vector along the branch, onwards from the one before."""
    matrix = np.vstack([derivative, before])
    target = np.zeros(len(matrix))
    target[-1] = 1.0
    found = _solved(matrix, target)
    return np.asarray(found / np.linalg.norm(found))


def _solved(matrix: Floats, target: Floats) -> Floats:
    """Also at a branching point, where the system is singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, target), dtype=float)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, target, rcond=None)[0])


def _corrected(system: _System, x: Floats, direction: Floats, step: float) -> Floats | None:
    """The point of the branch in the plane a step ahead; None where Newton's method strays."""
    start = x + step * direction
    out = start.copy()
    for _ in range(NEWTON_STEPS):
        rate, derivative = system(out)
        matrix = np.vstack([derivative, direction])
        change = _solved(matrix, -np.append(rate, direction @ (out - start)))
        out = out + change
        if not np.linalg.norm(out - start) <= step:
            return None
        if np.linalg.norm(change) <= CONVERGED * (1 + abs(out[-1])):
            return np.asarray(out)
    return None


def _located(
    system: _System,
    growth: Callable[[Floats], tuple[float, int, float]],
    x: Floats,
    direction: Floats,
    step: float,
    unit: float,
) -> Instability:
    """Where between x and a step ahead the growth changes its sign."""
    from scipy.optimize import brentq

    def ahead(length: float) -> float:
        there = _corrected(system, x, direction, length)
        return growth(x if there is None else there)[0]

    edge = _corrected(system, x, direction, brentq(ahead, 0.0, step, xtol=1e-13 * step))
    if edge is None:
        edge = x
    turned = abs(_tangent(system(edge)[1], direction)[-1]) < FOLD
    _, wave, frequency = growth(edge)
    return Instability(
        float(edge[-1]) * unit, ENDS if turned else UNSTABLE, wave, 0.0 if turned else frequency
    )


def _cross(vectors: Floats) -> Floats:
    """(..., 3, 3): the matrix of v x."""
    out = np.zeros((*vectors.shape, 3))
    for a in range(3):
        b, c = (a + 1) % 3, (a + 2) % 3
        out[..., b, c], out[..., c, b] = -vectors[..., a], vectors[..., a]
    return out
