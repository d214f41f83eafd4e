"""A model as dense matrices on 2^N, each term as its docstring writes it.

A cavity keeps some Fock levels: then matrices act on spins x Fock, and those on rho are sparse.

Nothing of the canonical form, the kernels or the envelopes' own evaluation is used: a mistake there
shows as a wrong reading. Spin 0 is the leftmost factor, |up> comes first.
"""

from functools import cache, partial, reduce

import numpy as np
from scipy import sparse

import spinsqueeze as sq
from tests.problems import fock

HALF_PAULI = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]]) / 2
X, Y, Z = range(3)
AXIS = {"x": X, "y": Y, "z": Z}


@cache
def spins(n):
    """s_i^a: (N, 3, 2^N, 2^N)."""
    factors = [[np.eye(2)] * n for _ in range(n)]
    return np.array(
        [
            [reduce(np.kron, [*row[:i], s, *row[i + 1 :]]) for s in HALF_PAULI]
            for i, row in enumerate(factors)
        ]
    )


@cache
def total_spin(n):
    """S_a = sum_i s_i^a: (3, 2^N, 2^N)."""
    return spins(n).sum(axis=0)


def per_spin(model, attribute, default):
    """A property of the spin classes, one number a spin."""
    if not isinstance(model.spins, list | tuple):
        return np.full(model.n_spins, default)
    return np.repeat(
        [getattr(c, attribute) for c in model.spins], [c.count for c in model.spins]
    ).astype(float)


def along(vector, s):
    """vector . s for s (3, d, d)."""
    return np.einsum("a,axy->xy", np.asarray(vector), s)


def distances(lattice):
    """r_ij (N, N), by minimum image on a periodic lattice."""
    if lattice.positions is not None:
        places = np.asarray(lattice.positions, dtype=float)
        box = None
    else:
        sites = np.array(list(np.ndindex(*lattice.shape)), dtype=float)
        # Which sites a seed leaves empty is a draw, not a convention: it is read from the lattice.
        occupied = np.ones(len(sites), bool) if lattice.filling == 1 else lattice.occupied.ravel()
        occupied[list(lattice.vacancies)] = False
        places = sites[occupied] * lattice.spacing
        box = np.array(lattice.shape) * lattice.spacing
    apart = places[:, None] - places[None]
    if box is not None and lattice.boundary == "periodic":
        apart -= box * np.round(apart / box)
    return np.linalg.norm(apart, axis=-1)


def power_law(model, exponent):
    """r_ij^-exponent; nearest neighbours for an infinite exponent."""
    n = model.n_spins
    if exponent == 0:
        return 1 - np.eye(n)
    r = distances(model.spins) + np.eye(n)
    if np.isinf(exponent):
        return np.isclose(r, model.spins.spacing) * (1 - np.eye(n))
    return r ** (-exponent) * (1 - np.eye(n))


def pair_sum(couplings, tensor, s):
    """sum_{i<j} K_ij s_i . T s_j."""
    n = len(s)
    total = np.zeros(s.shape[2:], dtype=complex)
    for i in range(n):
        for j in range(i + 1, n):
            total += couplings[i, j] * np.einsum("ab,axy,byz->xz", tensor, s[i], s[j])
    return total


def hamiltonian(model):
    """[(strength, operator)]: H = sum_k strength_k(t) operator_k."""
    n = model.n_spins
    s = spins(n)
    weights = per_spin(model, "weight", 1.0)
    S = np.einsum("i,iaxy->axy", weights, s)
    terms = []
    for term in model.hamiltonian:
        terms += collective_term(term, S, n) or single_or_pair_term(term, model, s)
    detuning = sum(d * s[i, Z] for i, d in enumerate(per_spin(model, "detuning", 0.0)))
    return [*((1.0 if f is None else f, operator) for f, operator in terms), (1.0, detuning)]


def collective_term(term, S, n):
    """[(strength, operator)] of a term in the collective spin; empty for any other."""
    square = [S[a] @ S[a] for a in range(3)]
    match term:
        case sq.OneAxisTwisting():
            return [(term.chi, square[AXIS[term.axis]])]
        case sq.TwoAxisTwisting():
            a, b = (square[AXIS[name]] for name in term.axes)
            return [(term.chi, a - b)]
        case sq.CollectiveQuadratic():
            return [(term.envelope, np.einsum("ab,axy,byz->xz", term.matrix, S, S))]
        case sq.CollectiveExchange():
            raising = S[X] + 1j * S[Y]
            return [(term.chi, raising @ raising.conj().T)]
        case sq.CollectiveXYZ():
            strengths = (term.j_x, term.j_y, term.j_z)
            return [(j, square[a] / n) for a, j in enumerate(strengths)]
        case sq.UniformField():
            return [(term.envelope, along(term.vector, S))]
        case sq.Drive():
            direction = [np.cos(term.phase), np.sin(term.phase), 0.0]
            return [(term.rabi, along(direction, S))]
    return []


def single_or_pair_term(term, model, s):
    """[(strength, operator)] of a term with a field for each spin or a coupling for each pair."""
    match term:
        case sq.SiteField():
            return [(term.envelope, sum(along(v, s[i]) for i, v in enumerate(term.vectors)))]
        case sq.PowerLawXXZ():
            strengths = (term.j_perp, term.j_perp, term.j_z)
        case sq.PowerLawXYZ():
            strengths = (term.j_x, term.j_y, term.j_z)
        case sq.PairCoupling():
            operator = pair_sum(np.asarray(term.matrix), np.asarray(term.tensor), s)
            return [(term.envelope, operator)]
        case _:
            raise NotImplementedError(type(term).__name__)
    couplings = power_law(model, term.exponent)
    return [(j, pair_sum(couplings, np.diag(np.eye(3)[a]), s)) for a, j in enumerate(strengths)]


def jumps(model):
    """[(rate, operator)]: d rho/dt = ... + sum_k rate_k(t) D[operator_k] rho."""
    s = spins(model.n_spins)
    S = np.einsum("i,iaxy->axy", per_spin(model, "weight", 1.0), s)
    lowering = S[X] - 1j * S[Y]
    found = []
    for term in model.jumps:
        match term:
            case sq.CollectiveDecay():
                found.append((term.rate, lowering))
            case sq.SqueezedCollectiveDecay():
                jump = np.cosh(term.r) * lowering - np.sinh(term.r) * lowering.conj().T
                found.append((term.rate, jump))
            case sq.CollectiveJump():
                found.append((term.rate, coupled(model, term.vector)))
            case sq.CorrelatedJumps():
                weights = reach(model, term)
                for i in range(model.n_spins):
                    jump = sum(weights[i, j] * along(term.vector, s[j]) for j in range(len(s)))
                    found.append((term.rate, jump))
            case _:
                rates = np.ndim(term.rate) == 1 and not isinstance(term.rate, sq.Envelope)
                for i in range(model.n_spins):
                    found.append((term.rate[i] if rates else term.rate, local_jump(term, s[i])))
    return found


def reach(model, term):
    """f (N, N) of a term of correlated jumps, with ones on its diagonal."""
    if term.matrix is not None:
        return np.asarray(term.matrix)
    if term.exponent is not None:
        return np.eye(model.n_spins) + power_law(model, term.exponent)
    if term.range == 0:
        return np.eye(model.n_spins)
    if np.isinf(term.range):
        return np.ones((model.n_spins, model.n_spins))
    return np.exp(-distances(model.spins) / term.range)


def coupled(model, vectors):
    """sum_i w_i vector_i . s_i, of one vector, or one a class or a spin."""
    vectors = np.asarray(vectors)
    if vectors.ndim == 2 and isinstance(model.spins, list | tuple):
        vectors = np.repeat(vectors, [c.count for c in model.spins], axis=0)
    vectors = per_spin(model, "weight", 1.0)[:, None] * vectors
    return np.einsum("ia,iaxy->xy", vectors, spins(model.n_spins))


def local_jump(term, s):
    """L of one spin, its rate that of the term."""
    match term:
        case sq.LocalDecay():
            return s[X] - 1j * s[Y]
        case sq.LocalPumping():
            return s[X] + 1j * s[Y]
        case sq.LocalDephasing():
            return np.sqrt(2) * s[Z]  # coherences decay at the rate itself
        case sq.LocalJump():
            return along(term.vector, s)
    raise NotImplementedError(type(term).__name__)


def cavity_hamiltonian(model, levels):
    """[(strength, operator)] on spins x Fock: the mode, its drive and its coupling."""
    cavity, n = model.cavity, model.n_spins
    (a,) = fock.mode_operators(2**n, (levels,))
    spin = fock.lifted(coupled(model, cavity.coupling), levels)
    exchange = a.conj().T @ spin
    return [
        (cavity.detuning, a.conj().T @ a),
        (cavity.drive, a + a.conj().T),
        (1.0 if cavity.envelope is None else cavity.envelope, exchange + exchange.conj().T),
    ]


def cavity_jumps(model, levels):
    """[(rate, operator)] on spins x Fock: both decays, squeezed and warm, and the rest."""
    (a,) = fock.mode_operators(2**model.n_spins, (levels,))
    cavity = model.cavity
    phase = np.exp(1j * cavity.squeezing_phase)
    b = np.cosh(cavity.squeezing) * a + phase * np.sinh(cavity.squeezing) * a.conj().T
    warm = cavity.thermal_occupation
    found = []
    for rate, lowering in ((cavity.decay_rate, b), (cavity.internal_decay_rate, a)):
        found.append((rate, np.sqrt(warm + 1) * lowering))
        if warm:
            found.append((rate, np.sqrt(warm) * lowering.conj().T))
    for reservoir in cavity.reservoirs:
        found.append((reservoir.rate, reservoir.loss * a + reservoir.gain * a.conj().T))
    return found


def coherent(operator):
    """-i [H, .] on the flattened rho (row by row); sparse for a sparse H."""
    kron, one = _kron_and_unit(operator)
    return -1j * (kron(operator, one) - kron(one, operator.T))


def dissipator(L):
    """D[L] on the flattened rho."""
    kron, one = _kron_and_unit(L)
    square = L.conj().T @ L
    return kron(L, L.conj()) - kron(square, one) / 2 - kron(one, square.T) / 2


def _kron_and_unit(operator):
    if sparse.issparse(operator):
        return partial(sparse.kron, format="csr"), sparse.eye(operator.shape[0], format="csr")
    return np.kron, np.eye(len(operator))


def generators(model, levels=None):
    """[(strength, matrix)] of d rho/dt on the flattened rho, or of dU/dt for a closed model.

    With a cavity: of d rho/dt, for spins x `levels`.
    """
    if model.cavity is not None:
        energies = [(f, fock.lifted(operator, levels)) for f, operator in hamiltonian(model)]
        losses = [(rate, fock.lifted(L, levels)) for rate, L in jumps(model)]
        energies += cavity_hamiltonian(model, levels)
        losses += cavity_jumps(model, levels)
        parts = [(f, coherent(sparse.csr_array(h))) for f, h in energies]
        return parts + [(rate, dissipator(sparse.csr_array(L))) for rate, L in losses]
    if not model.jumps:
        return [(f, -1j * operator) for f, operator in hamiltonian(model)]
    return [
        *((f, coherent(operator)) for f, operator in hamiltonian(model)),
        *((rate, dissipator(L)) for rate, L in jumps(model)),
    ]
