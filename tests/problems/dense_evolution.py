"""Brute force in time, and where it ends: no step size to choose, so nothing is stepped over.

Where every strength is constant: one matrix exponential. Elsewhere each strength is a polynomial of
degree three at most between two points of its table, so the Taylor series of the state follows from
the equation itself, order by order, to rounding. With a cavity the Taylor series serves everywhere,
and the states are those of spins x Fock; that its last level stays empty is asserted.
"""

from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.interpolate import CubicSpline
from scipy.linalg import expm
from scipy.sparse.linalg import splu

import spinsqueeze as sq
from tests.problems import fock
from tests.problems.dense_model import generators, spins
from tests.problems.dense_states import density_matrix, readings, rotation

ORDERS = 40
LEVELS = 12
EMPTY = 1e-9


def taylor_coefficients(strength, start, stop):
    """f(start + s) = sum_p c_p s^p between two neighbouring points of the table: (4,)."""
    if not isinstance(strength, sq.Envelope):
        return np.array([float(strength), 0, 0, 0])
    times, values = strength.times, strength.values
    middle = (start + stop) / 2
    if middle <= times[0] or middle >= times[-1]:
        return np.array([values[0] if middle <= times[0] else values[-1], 0, 0, 0])
    if strength.interpolation == "step":
        return np.array([values[np.searchsorted(times, middle) - 1], 0, 0, 0])
    if strength.interpolation == "linear":
        k = np.searchsorted(times, middle) - 1
        slope = (values[k + 1] - values[k]) / (times[k + 1] - times[k])
        return np.array([values[k] + slope * (start - times[k]), slope, 0, 0])
    spline = CubicSpline(times, values)
    return np.array([spline(start), spline(start, 1), spline(start, 2) / 2, spline(middle, 3) / 6])


def step(parts, y, start, stop):
    """y(stop) for dy/dt = sum_k f_k(t) G_k y; no table has a point between start and stop."""
    length = stop - start
    matrices = [matrix for _, matrix in parts]
    coefficients = np.array([taylor_coefficients(f, start, stop) for f, _ in parts])
    if not np.any(coefficients[:, 1:]) and not sparse.issparse(matrices[0]):
        return expm(np.einsum("k,kxy->xy", coefficients[:, 0], matrices) * length) @ y
    sizes = np.abs(coefficients) @ length ** np.arange(4)
    phase = length * float(sizes @ [abs(matrix).sum(axis=1).max() for matrix in matrices])
    changing = np.any(coefficients[:, 1:], axis=1)
    # What ORDERS leave out of exp(x) is 1e-21 at x = 5; products with a cubic converge later.
    longest = 2 if changing.any() else 5
    edges = np.linspace(start, stop, int(np.ceil(phase / longest)) + 1)
    lasting = 0 * matrices[0]
    for k in np.flatnonzero(~changing):
        lasting = lasting + coefficients[k, 0] * matrices[k]
    changing_parts = [parts[k] for k in np.flatnonzero(changing)]
    for left, right in pairwise(edges):
        y = taylor_step(lasting, changing_parts, y, left, right)
    return y


def taylor_step(lasting, changing_parts, y, start, stop):
    """(n + 1) y_(n+1) = sum_p G_p y_(n-p), with G(start + s) = sum_p G_p s^p.

    lasting: the sum of all constant parts of G.
    """
    G = {0: lasting}
    for f, matrix in changing_parts:
        for p, c in enumerate(taylor_coefficients(f, start, stop)):
            if c:
                G[p] = G.get(p, 0) + c * matrix
    series = [y]
    for order in range(ORDERS):
        change = sum(matrix @ series[order - p] for p, matrix in G.items() if p <= order)
        series.append(change / (order + 1))
    return sum(term * (stop - start) ** order for order, term in enumerate(series))


def table_points(parts):
    return {float(t) for f, _ in parts if isinstance(f, sq.Envelope) for t in f.times}


def evolve(problem, mode=None):
    """rho at each output time; `mode`: density matrix of a cavity at time 0, else its vacuum."""
    model, n = problem.model, problem.model.n_spins
    rho = density_matrix(problem.state, n)
    if model.cavity is None:
        levels, parts = 1, generators(model)
    else:
        mode = fock.vacuum(LEVELS) if mode is None else mode
        levels = len(mode)
        rho, parts = np.kron(rho, mode), generators(model, levels)
    closed = not model.jumps and model.cavity is None
    y = np.eye(2**n, dtype=complex) if closed else rho.ravel()
    last = float(problem.times[-1])
    inner = {t for t in table_points(parts) if 0 < t < last}
    events = sorted({0.0, *map(float, problem.times), *inner, *(p.time for p in problem.pulses)})
    states, before = [], 0.0
    for now in events:
        if now > before:
            y = step(parts, y, before, now)
        for pulse in sorted(problem.pulses, key=lambda p: p.time):
            if pulse.time == now:
                turn = rotation(pulse, spins(n)[pulsed(model, pulse)])
                turn = fock.lifted(turn, levels)
                y = turn @ y if closed else (turn @ y.reshape(rho.shape) @ turn.conj().T).ravel()
        if now in problem.times:
            states.append(y @ rho @ y.conj().T if closed else y.reshape(rho.shape))
        before = now
    if model.cavity is not None:
        for state in states:
            check_that_the_cut_is_not_felt(state, n, levels)
    return states


def check_that_the_cut_is_not_felt(rho, n, levels):
    top = fock.top_population(rho, n, (levels,))
    assert top < EMPTY, f"the top of {levels} Fock levels holds {top:.1e}: give more levels"


def steady_state(model, levels=LEVELS):
    """rho with L rho = 0 and trace 1, of spins x Fock: the only one, else an error."""
    L = sum(strength * matrix for strength, matrix in generators(model, levels)).tolil()
    size = 2**model.n_spins * levels
    L[0] = np.eye(size).ravel()  # any equation follows from the others, as the trace is conserved
    target = np.zeros(size**2, dtype=complex)
    target[0] = 1.0
    rho = splu(L.tocsc()).solve(target).reshape(size, size)
    check_that_the_cut_is_not_felt(rho, model.n_spins, levels)
    return rho


def pulsed(model, pulse):
    """Indices of the spins that a pulse turns."""
    if pulse.sites is not None:
        return list(pulse.sites)
    if pulse.spin_class is not None:
        owner = np.repeat(np.arange(len(model.spins)), [c.count for c in model.spins])
        return list(np.flatnonzero(owner == pulse.spin_class))
    return list(range(model.n_spins))


def answers(problem, mode=None):
    """The readings at each output time."""
    return [all_readings(rho, problem.model) for rho in evolve(problem, mode)]


def all_readings(rho, model):
    """Readings of the spins, and of the photons of a cavity."""
    n = model.n_spins
    if model.cavity is None:
        return readings(rho, n)
    populations = np.diag(fock.mode_part(rho, n)).real
    photons = float(populations @ np.arange(len(populations)))
    return {**readings(fock.spin_part(rho, n), n), "photon_number": photons}


def action(problem, levels=LEVELS):
    """The phase that rounding follows: the integral of the generator's size over time."""
    last = float(problem.times[-1])
    total = 0.0
    for strength, matrix in generators(problem.model, levels):
        if isinstance(strength, sq.Envelope):
            grid = np.linspace(0, last, 2001)
            peak = np.abs(np.interp(grid, strength.times, strength.values)).mean()
        else:
            peak = abs(float(strength))
        total += peak * np.abs(matrix).sum(axis=1).max() * last
    return total
