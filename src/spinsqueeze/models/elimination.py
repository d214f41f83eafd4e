"""eliminate_cavity: the spins alone, where the mode follows them at once.

The mode is linear. With lambda = kappa/2 + i detuning and kappa = sum rate (|u|^2 - |v|^2) it
rests at alpha = -i drive/lambda with fluctuations

    n = <a† a> = sum rate |v|^2/kappa,        m = <a a> = -sum rate u* v/(2 lambda),

and forgets as exp(-lambda t): <a(t) a†> = (n + 1) exp(-lambda t), <a(t) a> = m exp(-lambda t). To
second order in the coupling a† L + a L†, L = g c.S slow against lambda, the spins are left with

    H = alpha* L + alpha L† - (detuning/|lambda|^2) [(n + 1) L† L - n L L†],
    jumps: sum_jk gamma_jk A_j rho A_k† - ..., A = (L, L†),
    gamma = [[(n + 1) kappa/|lambda|^2, 2 m/lambda], [c.c., n kappa/|lambda|^2]].

The eigenvectors of gamma are at most two collective jumps.
"""

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Complexes
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import html_lines
from spinsqueeze.models.canonical import Canonical, LocalJumps, Pair
from spinsqueeze.models.cavity import MINUS
from spinsqueeze.models.collective_terms import (
    CollectiveExchange,
    CollectiveQuadratic,
    UniformField,
)
from spinsqueeze.models.envelope import Envelope, Strength, is_zero, largest_size, product
from spinsqueeze.models.jumps import CollectiveDecay, CollectiveJump
from spinsqueeze.models.model import SpinModel
from spinsqueeze.models.modes import Mode, damping, steady_state
from spinsqueeze.models.pair_terms import SiteField
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm

SLOW = 0.1
"""Speed of the spins over that of the cavity from which on elimination is doubtful."""
ROUNDING = 1e-13


@final
@clear_init
@dataclass(frozen=True, eq=False)
class Elimination:
    """What `eliminate_cavity` returns.

    Attributes:
        model: the spins alone.
        coupling_ratio: sqrt(N) g over |kappa/2 + i detuning|, N g^2 = sum_i |c_i|^2/2.
        speed_ratio: the fastest rate of the spins alone, N times that of a collective jump or
            quadratic term, a field, a coupling to all neighbours, or the rate of a local jump, over
            |kappa/2 + i detuning|.
        detuning_ratio: |detuning|/kappa.
        photon_number: of the cavity without spins.
        concerns: where the ratios leave the range of validity, in words.
    """

    model: SpinModel
    coupling_ratio: float
    speed_ratio: float
    detuning_ratio: float
    photon_number: float
    concerns: tuple[str, ...]

    def __str__(self) -> str:
        ratios = (
            f"coupling ratio {self.coupling_ratio:.3g}, speed ratio {self.speed_ratio:.3g}, "
            f"|detuning|/kappa = {self.detuning_ratio:.3g}, photons {self.photon_number:.3g}"
        )
        return "\n".join([repr(self.model), ratios, *self.concerns])

    def _repr_html_(self) -> str:
        return html_lines(str(self))


@clear_call
def eliminate_cavity(model: SpinModel) -> Elimination:
    """The model of the spins alone, where the cavity is fast.

    Second order in the coupling, from the correlations of the empty cavity (damped, driven,
    detuned, squeezed, thermal; any coupling vector): see this module. The spins must be slow
    against |kappa/2 + i detuning|, in the frame in which the model is written; a warning says
    where they are not. Envelopes of coupling and drive are followed at once.

    For g S_minus and one lossy cavity: `CollectiveDecay` with 4 g^2 kappa/(4 detuning^2 + kappa^2)
    and `CollectiveExchange` with -4 g^2 detuning/(4 detuning^2 + kappa^2). Sources: tucker2020;
    groszkowski2022, Eqs. (11)-(13) and App. A.

    Raises:
        InvalidInput: no SpinModel, no cavity, a cavity that neither decays nor is detuned or whose
            gain exceeds its loss, a detuning or rate that changes in time, or rows of a
            coupling to a detuned cavity that are no weights of classes.
    """
    result = eliminated(model)
    for concern in result.concerns:
        warnings.warn(concern, stacklevel=2)
    return result


def eliminated(model: SpinModel) -> Elimination:
    """The same without a warning, for callers that hand the concerns on.

    Raises:
        InvalidInput: see `eliminate_cavity`.
    """
    if not isinstance(model, SpinModel) or model.cavity is None:
        raise InvalidInput.of(
            "model", f"must be a SpinModel with a cavity, got {checks.shown(model)}"
        )
    cavity = model.cavity
    (mode,), _ = cavity.lower(model.ensemble)
    field = _EmptyCavity.of(mode)
    g = 1.0 if cavity.envelope is None else cavity.envelope
    c = np.asarray(cavity.coupling)
    jumps = _jumps(field, c, product(g, g))
    hamiltonian = [*_drive(field, model, g), *_shifts(field, model, product(g, g))]
    spins = replace(
        model,
        cavity=None,
        hamiltonian=(*model.hamiltonian, *hamiltonian),
        jumps=(*model.jumps, *jumps),
    )
    return _judged(spins, field, model)


@final
@dataclass(frozen=True, eq=False)
class _EmptyCavity:
    """The mode without spins: lambda, n, m, and alpha for a drive of 1."""

    rate: complex
    n: float
    m: complex
    amplitude: complex
    drive: Strength

    @classmethod
    def of(cls, mode: Mode) -> "_EmptyCavity":
        """Of a mode with constant rates.

        Raises:
            InvalidInput: it changes in time, gains, or has no dynamics of its own.
        """
        rest = steady_state(mode, drive=1.0)
        return cls(damping(mode), rest.photons, rest.pairs, rest.amplitude, mode.drive)


def _jumps(field: _EmptyCavity, c: Complexes, strength: Strength) -> list[JumpTerm]:
    """The collective jumps of L = c.S and L† = c*.S: eigenvectors of gamma."""
    speed = abs(field.rate) ** 2
    kappa = 2 * field.rate.real
    both = 2 * field.m / field.rate
    gamma = np.array(
        [
            [(field.n + 1) * kappa / speed, both],
            [np.conj(both), field.n * kappa / speed],
        ]
    )
    if field.n == 0.0 and np.array_equal(c, c[..., :1] * MINUS):
        decay = float(gamma[0, 0].real)
        if c.ndim == 1 and decay:  # the usual case, by its name
            return [CollectiveDecay(product(decay * float(abs(c[0]) ** 2), strength))]
    rates, vectors = np.linalg.eigh(gamma)
    jumps: list[JumpTerm] = []
    for rate, x in zip(rates[::-1], vectors.T[::-1], strict=True):
        if rate <= ROUNDING * max(rates[-1], 0.0):
            continue
        x = x * np.exp(-1j * np.angle(x[0])) if abs(x[0]) > ROUNDING else x
        vector = np.conj(x[0]) * c + np.conj(x[1]) * np.conj(c)
        jumps.append(CollectiveJump(product(float(rate), strength), vector=vector))
    return jumps


def _drive(field: _EmptyCavity, model: SpinModel, g: Strength) -> list[HamiltonianTerm]:
    """alpha* L + alpha L†."""
    if is_zero(field.drive):
        return []
    assert model.cavity is not None
    vectors = model.ensemble.weighted(2 * (np.conj(field.amplitude) * model.cavity.coupling).real)
    return _site_field(vectors, product(field.drive, g), model)


def _shifts(field: _EmptyCavity, model: SpinModel, strength: Strength) -> list[HamiltonianTerm]:
    """-(detuning/|lambda|^2) [(n + 1) L† L - n L L†]: a quadratic term, and commutators."""
    if field.rate.imag == 0.0:
        return []
    assert model.cavity is not None
    c = np.asarray(model.cavity.coupling)
    if c.ndim == 2:
        raise InvalidInput.of(
            "cavity.coupling",
            "must be one vector where the cavity is detuned: write rows that differ by real "
            "factors as weights of spin classes",
        )
    shift = -field.rate.imag / abs(field.rate) ** 2
    if field.n == 0.0 and np.array_equal(c, c[0] * MINUS):
        return [CollectiveExchange(product(shift * float(abs(c[0]) ** 2), strength))]
    # L† L = sum_ab Re(c_a* c_b) S_a S_b + k.S', L L† the same with -k; S' has squared weights.
    matrix = shift * np.outer(c.conj(), c).real
    commutator = -0.5 * shift * (2 * field.n + 1) * np.cross(c.conj(), c).imag
    weighted = model.ensemble.weighted(model.ensemble.weighted(commutator))
    number = strength if isinstance(strength, Envelope) else None
    factor = 1.0 if isinstance(strength, Envelope) else strength
    quadratic = CollectiveQuadratic(factor * (matrix + matrix.T) / 2, envelope=number)
    return [quadratic, *_site_field(weighted, strength, model)]


def _site_field(vectors: Any, strength: Strength, model: SpinModel) -> list[HamiltonianTerm]:
    if not np.any(vectors):
        return []
    envelope = strength if isinstance(strength, Envelope) else None
    factor = 1.0 if isinstance(strength, Envelope) else strength
    if vectors.ndim == 1:
        if model.ensemble.classes is None:
            return [UniformField(factor * vectors, envelope=envelope)]
        vectors = np.tile(vectors, (len(model.ensemble.classes), 1))
    return [SiteField(factor * vectors, envelope=envelope)]


def _judged(spins: SpinModel, field: _EmptyCavity, model: SpinModel) -> Elimination:
    """The ratios, and what they say against the elimination."""
    assert model.cavity is not None
    own = abs(field.rate)
    factor = model.cavity.envelope
    g = 1.0 if factor is None else largest_size(factor)
    coupling = g * math.sqrt(_brightness(model.cavity.coupling, model))
    form = spins.canonical
    speeds = [
        *(
            largest_size(j.rate) * _brightness_of_rows(j.vectors, form)
            for j in form.collective_jumps
        ),
        *(largest_size(f.strength) * _longest(f.vectors) for f in form.fields),
        *(
            largest_size(q.strength) * form.n_spins * float(np.abs(q.matrix).max())
            for q in form.quadratics
        ),
        *(
            largest_size(p.strength) * _neighbours(p, form) * float(np.abs(p.tensor).max()) / 2
            for p in form.pairs
        ),
        *(
            largest_size(j.rate) * _largest_factor(j) * float(np.linalg.norm(j.vector) ** 2) / 2
            for j in form.local_jumps
        ),
        *(
            largest_size(j.rate)
            * (1.0 + j.kernel.row_sum) ** 2
            * float(np.linalg.norm(j.vector) ** 2)
            / 2
            for j in form.correlated_jumps
        ),
    ]
    speed = max(speeds, default=0.0) / own
    concerns = []
    if speed > SLOW:
        concerns.append(
            f"elimination: the spins change at a rate up to {speed:.2g} of that of the cavity, "
            f"|kappa/2 + i detuning| = {own:.3g}; keep the cavity, or compare with it"
        )
    kappa = 2 * field.rate.real
    return Elimination(
        model=spins,
        coupling_ratio=coupling / own,
        speed_ratio=speed,
        detuning_ratio=abs(field.rate.imag) / kappa if kappa else math.inf,
        photon_number=field.n + (abs(field.amplitude) * largest_size(field.drive)) ** 2,
        concerns=tuple(concerns),
    )


def _brightness(vectors: Any, model: SpinModel) -> float:
    """sum_i |c_i|^2/2 of all spins, with the weights of their classes."""
    weighted = model.ensemble.weighted(np.asarray(vectors))
    rows = np.atleast_2d(weighted)
    if len(rows) == model.n_spins:
        return float(np.sum(np.abs(rows) ** 2) / 2)
    counts = model.ensemble.counts[:, None] if len(rows) > 1 else model.n_spins
    return float(np.sum(counts * np.abs(rows) ** 2) / 2)


def _brightness_of_rows(vectors: Any, form: Canonical) -> float:
    rows = np.broadcast_to(vectors, (len(form.counts), 3))
    return float(np.sum(form.counts[:, None] * np.abs(rows) ** 2) / 2)


def _neighbours(pair: Pair, form: Canonical) -> float:
    """The largest sum over j of |K_ij|."""
    if pair.kernel.uniform:
        return form.n_spins - 1.0
    return float(np.abs(pair.kernel.matrix()).sum(axis=1).max(initial=0.0))


def _largest_factor(jumps: LocalJumps) -> float:
    return 1.0 if jumps.factors is None else float(np.max(jumps.factors))


def _longest(vectors: Any) -> float:
    return float(np.linalg.norm(np.atleast_2d(vectors), axis=1).max())
