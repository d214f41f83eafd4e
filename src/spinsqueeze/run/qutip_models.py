"""Models of this package as qutip's operators, and back; `to_qutip` and `from_qutip`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.core.calls import clear_call, clear_call_with, clear_init
from spinsqueeze.core.errors import InvalidInput, TooLarge
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.envelope import Envelope
from spinsqueeze.models.jumps import CollectiveJump, LocalJump
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.pair_terms import PairCoupling, SiteField
from spinsqueeze.models.pulse import Pulse
from spinsqueeze.models.states import InitialState
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm
from spinsqueeze.numerics.angular_momentum import spin_matrices
from spinsqueeze.run.qutip_states import DICKE, SPINS, qutip, state_from_qutip, state_to_qutip

MOST_SPINS = 14
MOST_ALIKE = 2000
MOST_READ = 10


@final
@clear_init
@dataclass(frozen=True, eq=False)
class QutipModel:
    """A model as qutip takes it: `qutip.mesolve(model.hamiltonian, psi, times, model.jumps)`.

    hamiltonian: a Qobj, or a QobjEvo where a strength is an envelope. jumps: collapse operators
    with the square roots of their rates in them.
    """

    hamiltonian: Any
    jumps: tuple[Any, ...]


@clear_call
def to_qutip(
    subject: SpinModel | InitialState | Pulse,
    *,
    n_spins: int | None = None,
    basis: str | None = None,
) -> Any:
    """A state as a qutip Qobj, a model as a `QutipModel`, a pulse as its rotation.

    It needs the extra `qutip`. Envelopes become functions of time in a QobjEvo. A pulse is the
    unitary exp(-i angle axis . S) between two evolutions: its time is not in it.

    Spin 0 is the leftmost factor and |up> its first level, as qutip counts; Dicke levels have
    m = N/2 first, as of `qutip.jmat(N/2)`. A state goes with a model in the same basis.

    Args:
        subject: a `SpinModel`, a state, or a `Pulse`.
        n_spins: of a pulse, and of a coherent or a Dicke state, which do not hold it.
        basis: "spins": operators or a ket on 2^N; "dicke": the N + 1 levels of total spin N/2.
            None: of a model "dicke" where it conserves total spin, of a pulse where it turns all
            spins, of coherent, Dicke and symmetric states; else "spins". Block states are density
            matrices in the basis of `qutip.piqs`, for which basis is left out.

    Raises:
        InvalidInput: something else, a cavity, or a basis that does not fit.
        TooLarge: operators on 2^N of more than 14 spins, or on Dicke levels of more than 2000.
        Unsupported: qutip is not installed.
    """
    if isinstance(subject, InitialState):
        return state_to_qutip(subject, n_spins, basis)
    if isinstance(subject, Pulse):
        return _rotation(subject, n_spins=n_spins, basis=basis)
    if not isinstance(subject, SpinModel):
        hint = _NOT_ALONE.get(type(subject).__name__, "")
        raise InvalidInput.of(
            "subject", f"must be a SpinModel, a state or a Pulse, got {checks.shown(subject)}{hint}"
        )
    form = subject.canonical
    if form.modes or form.other_pieces:
        raise InvalidInput.of(
            "subject", "must be a model of spins alone, got one with a cavity; eliminate it first"
        )
    if basis is None:
        basis = DICKE if form.conserves_total_spin else SPINS
    checks.choice("basis", basis, (DICKE, SPINS))
    if basis == DICKE and not form.conserves_total_spin:
        raise InvalidInput.of("basis", "must be 'spins': the model does not conserve total spin")
    return _operators(form, _Space(form.n_spins, dicke=basis == DICKE))


_NOT_ALONE = {
    "Study": "; give its parts: to_qutip(study.model), to_qutip(study.initial_state)",
    "Envelope": "; an envelope goes with the term whose strength it is, in a model",
    "Cavity": "; a cavity goes with its model, eliminated first",
}
"""What is not converted by itself, and what is."""


def _rotation(pulse: Pulse, *, n_spins: int | None, basis: str | None) -> Any:
    """exp(-i angle axis . S) of the spins that a pulse turns, see `to_qutip`."""
    if n_spins is None:
        raise InvalidInput.of("n_spins", "must be given with a Pulse, which does not hold it")
    n = checks.integer("n_spins", n_spins, minimum=1)
    if pulse.spin_class is not None:
        raise InvalidInput.of(
            "subject", "must be a Pulse of all spins or of sites, not of a spin_class; name sites"
        )
    everyone = pulse.sites is None
    basis = (DICKE if everyone else SPINS) if basis is None else basis
    checks.choice("basis", basis, (DICKE, SPINS))
    if basis == DICKE and not everyone:
        raise InvalidInput.of("basis", "must be 'spins': the pulse turns some sites only")
    if not everyone and max(pulse.sites) >= n:
        raise InvalidInput.of(
            "n_spins", f"must be above the sites of the pulse, up to {max(pulse.sites)}, got {n}"
        )
    space = _Space(n, dicke=basis == DICKE)
    axis = np.array(checks.direction("axis", pulse.axis))
    if everyone:
        return (-1j * pulse.angle * space.along(axis)).expm()
    rows = np.zeros((n, 3))
    rows[list(pulse.sites)] = axis
    return (-1j * pulse.angle * space.along(rows)).expm()


@clear_call_with(
    lambda *_: "; write from_qutip((hamiltonian, [collapse operators])), the two in brackets"
)
def from_qutip(subject: Any, *, n_spins: int | None = None, unit: str = "J") -> Any:
    """A state from a qutip Qobj, or a model from a Hamiltonian and collapse operators.

    Kets of N spins 1/2 become a `StateVector`, others a `SymmetricState`; density matrices that are
    permutation invariant a `BlockState`. A model is read from operators on 2^N: fields, couplings
    of two spins s_i . T s_j with symmetric T, and jumps that are sums of operators of one spin;
    without any, (hamiltonian, []), it is closed. Operators on Dicke levels are no model: only
    `to_qutip(model, basis="spins")` comes back. Functions of time (a QobjEvo) and rotations are
    not read: give `Envelope` strengths and `Pulse` here.

    Args:
        subject: a Qobj with the state, or (hamiltonian, [collapse operators]), also a `QutipModel`.
            Collapse operators that vanish are left out.
        n_spins: of a density matrix of Dicke levels.
        unit: of a model.

    Raises:
        InvalidInput: a state or an operator that has no counterpart here, with the reason.
        Unsupported: qutip is not installed.
    """
    Qobj = qutip().Qobj
    if isinstance(subject, Qobj):
        return state_from_qutip(subject, n_spins)
    if isinstance(subject, QutipModel):
        subject = (subject.hamiltonian, subject.jumps)
    if isinstance(subject, tuple | list) and len(subject) == 2:
        hamiltonian, jumps = subject
        if isinstance(jumps, tuple | list) and all(
            isinstance(operator, Qobj) for operator in (hamiltonian, *jumps)
        ):
            return _model(hamiltonian, jumps, unit=unit)
    if _in_time(subject):
        raise InvalidInput.of(
            "subject",
            "must not depend on time, got a QobjEvo or a list [operator, function]: a function "
            "cannot be read back; give constant operators, and the strength as an Envelope here",
        )
    raise InvalidInput.of(
        "subject",
        "must be a Qobj, or (hamiltonian, [collapse operators]) of Qobj, with [] where there are "
        f"none, got {checks.shown(subject)}",
    )


def _in_time(subject: Any) -> bool:
    """Whether a QobjEvo, or an operator with its function, stands somewhere in it."""
    if isinstance(subject, tuple | list):
        return any(_in_time(part) for part in subject)
    return callable(subject) and not isinstance(subject, qutip().Qobj)


class _Space:
    """Where operators act: s_i on 2^N, or S/N in their place on the Dicke levels."""

    def __init__(self, n_spins: int, *, dicke: bool) -> None:
        if not dicke and n_spins > MOST_SPINS:
            raise TooLarge(
                f"operators on 2^N of {n_spins} spins are too large; {MOST_SPINS} are the limit, "
                f"with basis='dicke' {MOST_ALIKE} where total spin is conserved"
            )
        if dicke and n_spins > MOST_ALIKE:
            raise TooLarge(
                f"operators on the {n_spins + 1} levels of total spin N/2 are dense here: at most "
                f"{MOST_ALIKE} spins"
            )
        package = qutip()
        self.n_spins = n_spins
        self.dicke = dicke
        if dicke:
            self.total = [package.Qobj(s) for s in spin_matrices(n_spins / 2)]
            return
        halves = [package.Qobj(s) for s in spin_matrices(0.5)]
        identity = package.qeye(2)
        self.spins = [
            [package.tensor([*[identity] * i, s, *[identity] * (n_spins - 1 - i)]) for s in halves]
            for i in range(n_spins)
        ]
        self.total = [sum(row[a] for row in self.spins) for a in range(3)]

    def along(self, vectors: Complexes | Floats) -> Any:
        """sum_i vectors_i . s_i for vectors (3,) of all spins alike, or (N, 3)."""
        if vectors.ndim == 1:
            return sum(v * s for v, s in zip(vectors.tolist(), self.total, strict=True))
        return sum(
            v * s
            for row, spin in zip(vectors.tolist(), self.spins, strict=True)
            for v, s in zip(row, spin, strict=True)
            if v
        )


def _operators(form: Canonical, space: _Space) -> QutipModel:
    if not space.dicke:
        form = form.per_spin().with_collective_jumps()
    parts: list[tuple[Any, Any]] = [(f.strength, space.along(f.vectors)) for f in form.fields]
    parts += [(q.strength, _quadratic(q.matrix, q.weights, space)) for q in form.quadratics]
    parts += [(p.strength, _pairs(p.tensor, p.kernel.matrix(), space)) for p in form.pairs]
    jumps = [_jump(j.rate, space.along(j.vectors)) for j in form.collective_jumps]
    for local in form.local_jumps:
        factors = np.ones(form.n_spins) if local.factors is None else local.factors
        for i in np.flatnonzero(factors):
            rows = np.zeros((form.n_spins, 3), dtype=complex)
            rows[i] = np.sqrt(factors[i]) * local.vector
            jumps.append(_jump(local.rate, space.along(rows)))
    constant = 0 * space.total[2] + sum(s * op for s, op in parts if not isinstance(s, Envelope))
    varying = [[op, _value(s)] for s, op in parts if isinstance(s, Envelope)]
    hamiltonian = qutip().QobjEvo([constant, *varying]) if varying else constant
    return QutipModel(hamiltonian, tuple(jumps))


def _quadratic(matrix: Floats, weights: Floats | None, space: _Space) -> Any:
    """sum_ab matrix_ab S_a S_b of weighted spins."""
    if weights is None:
        total = space.total
    else:
        total = [space.along(np.outer(weights, unit)) for unit in np.eye(3)]
    return sum(matrix[a, b] * total[a] * total[b] for a in range(3) for b in range(3))


def _pairs(tensor: Floats, couplings: Floats, space: _Space) -> Any:
    """sum_{i<j} couplings_ij s_i . tensor s_j."""
    n = space.n_spins
    if space.dicke:  # equal couplings K: K/2 (sum_ab T_ab S_a S_b - sum_i s_i . T s_i)
        strength = float(couplings[0, 1]) if n > 1 else 0.0
        own = n / 4 * float(np.trace(tensor))
        product = _quadratic(tensor, None, space)
        return strength / 2 * (product - own * qutip().qeye(n + 1))
    s = space.spins
    return 0 * space.total[2] + sum(
        float(couplings[i, j] * tensor[a, b]) * s[i][a] * s[j][b]
        for i, j in combinations(range(n), 2)
        for a in range(3)
        for b in range(3)
        if couplings[i, j] * tensor[a, b]
    )


def _jump(rate: Any, operator: Any) -> Any:
    if not isinstance(rate, Envelope):
        return float(np.sqrt(rate)) * operator
    value = _value(rate)
    return qutip().QobjEvo([[operator, lambda t: np.sqrt(max(value(t), 0.0))]])


def _value(envelope: Envelope) -> Callable[[float], float]:
    return lambda t: float(envelope(t))


def _model(hamiltonian: Any, jumps: Sequence[Any], *, unit: str) -> SpinModel:
    dims = hamiltonian.dims[0]
    n = len(dims)
    for operator in (hamiltonian, *jumps):
        if operator.dims != [dims, dims] or set(dims) != {2}:
            raise InvalidInput.of(
                "subject",
                f"must hold operators on N spins 1/2, got dimensions {operator.dims}; Dicke levels "
                "do not say how their spins couple: only to_qutip(model, basis='spins') comes back",
            )
    if n > MOST_READ:
        raise InvalidInput.of("subject", f"must be of at most {MOST_READ} spins, got {n}")
    if not hamiltonian.isherm:
        raise InvalidInput.of("subject", "must have a Hermitian Hamiltonian")
    space = _Space(n, dicke=False)
    terms = _terms(np.asarray(hamiltonian.full()), space)
    return SpinModel(n, hamiltonian=terms, jumps=list(_jump_terms(jumps, space)), unit=unit)


def _terms(dense: Complexes, space: _Space) -> list[HamiltonianTerm]:
    """Fields and couplings of a Hamiltonian on 2^N.

    Raises:
        InvalidInput: it has other parts.
    """
    n = space.n_spins
    vectors, rest = _one_spin_part(dense, space)
    tensors = np.zeros((n, n, 3, 3))
    s = [[op.full() for op in row] for row in space.spins]
    for i, j in combinations(range(n), 2):
        for a in range(3):
            for b in range(3):
                product = s[i][a] @ s[j][b]
                value = float(np.vdot(product, dense).real) * 16 / 2**n
                tensors[i, j, a, b] = value
                rest = rest - value * product
    scale = max(float(np.abs(dense).max()), 1e-300)
    if np.abs(rest).max() > 1e-10 * scale:
        raise InvalidInput.of(
            "subject", "must hold fields and couplings of two spins; more spins meet in a term"
        )
    if not np.allclose(tensors, tensors.swapaxes(2, 3), rtol=0, atol=1e-10 * scale):
        raise InvalidInput.of(
            "subject", "must hold symmetric couplings; s_i x s_j has no term here"
        )
    tensors[np.abs(tensors) < 1e-13 * scale] = 0.0
    vectors = np.where(np.abs(vectors) < 1e-13 * scale, 0.0, vectors.real)
    terms: list[HamiltonianTerm] = [SiteField(vectors)] if np.any(vectors) else []
    for a in range(3):
        for b in range(a, 3):
            matrix = tensors[:, :, a, b] + tensors[:, :, a, b].T
            if np.any(matrix):
                tensor = np.zeros((3, 3))
                tensor[a, b] = tensor[b, a] = 1.0
                terms.append(PairCoupling(matrix, tensor=tensor))
    return terms


def _jump_terms(jumps: Sequence[Any], space: _Space) -> Iterator[JumpTerm]:
    """One term for each direction of the jumps of single spins, one for each collective jump.

    Raises:
        InvalidInput: a jump that is no sum of operators of one spin.
    """
    rates: dict[tuple[complex, ...], Floats] = {}
    for k, jump in enumerate(jumps):
        dense = np.asarray(jump.full())
        if not dense.any():
            continue
        vectors, rest = _one_spin_part(dense, space)
        scale = max(float(np.abs(vectors).max()), 1e-300)
        if np.abs(rest).max() > 1e-10 * scale:
            raise InvalidInput.of(
                f"subject[1][{k}]", "must be a sum of operators of one spin, without a constant"
            )
        vectors[np.abs(vectors) < 1e-13 * scale] = 0.0
        (acting,) = np.nonzero(np.any(vectors, axis=1))
        if len(acting) != 1:
            yield CollectiveJump(1.0, vector=vectors)
            continue
        vector = vectors[acting[0]]
        first = vector[np.flatnonzero(vector)[0]]
        unit = vector * (abs(first) / first) / np.linalg.norm(vector)
        entry = rates.setdefault(tuple(np.round(unit, 12).tolist()), np.zeros(space.n_spins))
        entry[acting[0]] += float(np.linalg.norm(vector)) ** 2
    for direction, rate in rates.items():
        yield LocalJump(rate, vector=list(direction))


def _one_spin_part(dense: Complexes, space: _Space) -> tuple[Complexes, Complexes]:
    """Vectors (N, 3) of sum_i v_i . s_i in an operator; the rest, a Hermitian one without trace."""
    dim = len(dense)
    vectors = np.zeros((space.n_spins, 3), dtype=complex)
    rest = np.array(dense)
    for i, row in enumerate(space.spins):
        for a, operator in enumerate(row):
            s = operator.full()
            vectors[i, a] = np.vdot(s, dense) * 4 / dim
            rest -= vectors[i, a] * s
    if np.allclose(dense, dense.conj().T):
        rest -= np.trace(rest) / dim * np.eye(dim)
    return vectors, rest
