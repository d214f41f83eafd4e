"""Random small problems, by family and seed: whatever a user may write, in general directions.

A family says which pieces may come; everything else (numbers, axes, envelopes, pulses, states,
times) is drawn from the seed. Families follow the methods: a problem is given to every method that
says it supports it.
"""

from dataclasses import dataclass, replace

import numpy as np

import spinsqueeze as sq
from spinsqueeze.core.errors import InvalidInput

AXES = "xyz"
HAND_PICKED = ([0.6, 0.0, 0.8], "+x", "-y", "+z", "-z")


def envelope_kinds():
    """Step tables come as soon as envelopes know them."""
    try:
        sq.Envelope([0.0, 1.0], values=[0.0, 1.0], interpolation="step")
    except InvalidInput:
        return ("linear", "cubic")
    return ("linear", "cubic", "step")


ENVELOPE_KINDS = envelope_kinds()


@dataclass(frozen=True, eq=False)
class Problem:
    family: str
    seed: int
    model: sq.SpinModel
    state: object
    times: np.ndarray
    pulses: tuple = ()

    def __str__(self):
        return f"{self.family}-{self.seed}"


class Draw:
    """Random pieces of a problem; `timed` allows envelopes."""

    def __init__(self, rng, *, last, timed=True):
        self.rng, self.last, self.timed = rng, last, timed

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, options):
        return options[self.rng.integers(len(options))]

    def some(self, options, *, least=1, most=3):
        count = min(self.rng.integers(least, most + 1), len(options))
        return [options[k] for k in self.rng.permutation(len(options))[:count]]

    def direction(self):
        if self.chance(0.3):
            return self.pick(HAND_PICKED)
        v = self.rng.normal(size=3)
        return v / np.linalg.norm(v)

    def directions(self, n):
        v = self.rng.normal(size=(n, 3))
        return v / np.linalg.norm(v, axis=1)[:, None]

    def tensor(self):
        t = self.rng.normal(size=(3, 3))
        return t + t.T

    def couplings(self, n):
        K = np.triu(self.rng.normal(size=(n, n)), 1)
        return K + K.T

    def complex_vector(self):
        if self.chance(0.4):
            return np.eye(3)[self.rng.integers(3)]
        return self.rng.normal(size=3) + 1j * self.rng.normal(size=3)

    def amplitudes(self, size):
        v = self.rng.normal(size=size) + 1j * self.rng.normal(size=size)
        return v / np.linalg.norm(v)

    def strength(self):
        """A number, or an envelope of any kind, which may be a narrow bump or end early."""
        if not self.timed or self.chance(0.5):
            return float(self.rng.normal())
        return self.envelope(-1.5, 1.5)

    def rate(self):
        if not self.timed or self.chance(0.6):
            return float(self.rng.uniform(0.05, 0.8))
        kind = "linear" if ENVELOPE_KINDS == ("linear", "cubic") else self.pick(("linear", "step"))
        return self.envelope(0.05, 0.8, kind=kind)

    def factor(self):
        return self.envelope(-1.5, 1.5) if self.timed and self.chance(0.4) else None

    def envelope(self, low, high, *, kind=None):
        kind = kind or self.pick(ENVELOPE_KINDS)
        begin = self.pick((0.0, -0.3 * self.last, 0.2 * self.last))
        end = self.pick((self.last, 1.2 * self.last, 0.7 * self.last))
        shape = self.pick(("rough", "bump", "constant"))
        if shape == "constant":
            values = np.full(4, self.rng.uniform(low, high))
        elif shape == "rough":
            values = self.rng.uniform(low, high, size=self.rng.integers(4, 9))
        else:
            values = np.full(41, low if low > 0 else 0.0)
            values[self.rng.integers(5, 35) + np.arange(3)] = high * np.array([0.6, 1.0, 0.6]) * 4
        return sq.Envelope(np.linspace(begin, end, len(values)), values=values, interpolation=kind)

    def times(self):
        """One to three outputs, sometimes at 0; the last is `last`."""
        inner = self.rng.uniform(0.1, 0.9, size=self.rng.integers(0, 3)) * self.last
        first = [0.0] if self.chance(0.2) else []
        return np.unique(np.concatenate([first, inner, [self.last]]))

    def pulses(self, n, times, *, parts=False, classes=0):
        """At 0, in between, on an output, at the end; of all spins, of some, of a class."""
        if not self.chance(0.5):
            return ()
        when = (0.0, float(self.rng.uniform(0, self.last)), float(self.pick(times)), self.last)
        pulses = []
        for time in self.some(when, most=2):
            target = {}
            if classes and self.chance(0.6):
                target = {"spin_class": int(self.rng.integers(classes))}
            elif parts and self.chance(0.4):
                target = {"sites": sorted(self.some(range(n), most=2))}
            angle = float(self.rng.normal())
            pulses.append(sq.Pulse(time, axis=self.direction(), angle=angle, **target))
        return tuple(pulses)

    def collective_terms(self):
        axes = tuple(self.some(AXES, least=2, most=2))
        terms = (
            lambda: sq.OneAxisTwisting(self.strength(), axis=self.pick(AXES)),
            lambda: sq.TwoAxisTwisting(self.strength(), axes=axes),
            lambda: sq.CollectiveQuadratic(self.tensor(), envelope=self.factor()),
            lambda: sq.CollectiveExchange(self.strength()),
            lambda: sq.CollectiveXYZ(j_x=self.strength(), j_y=self.strength(), j_z=self.strength()),
            lambda: sq.UniformField(self.rng.normal(size=3), envelope=self.factor()),
            lambda: sq.Drive(self.strength(), phase=float(self.rng.normal())),
            lambda: sq.PowerLawXXZ(j_perp=self.strength(), j_z=self.strength(), exponent=0),
            lambda: sq.PowerLawXYZ(
                j_x=self.strength(), j_y=self.strength(), j_z=self.strength(), exponent=0
            ),
        )
        return [term() for term in self.some(terms)]

    def site_terms(self, n):
        terms = (
            lambda: sq.SiteField(self.rng.normal(size=(n, 3)), envelope=self.factor()),
            lambda: sq.PairCoupling(
                self.couplings(n), tensor=self.tensor(), envelope=self.factor()
            ),
        )
        return [term() for term in self.some(terms)]

    def lattice_terms(self):
        exponent = self.pick((1.5, 3.0, np.inf))
        a, b, c = self.strength(), self.strength(), self.strength()
        if self.chance(0.5):
            return [sq.PowerLawXXZ(j_perp=a, j_z=b, exponent=exponent)]
        return [sq.PowerLawXYZ(j_x=a, j_y=b, j_z=c, exponent=exponent)]

    def lattice(self):
        shape = self.pick(((4,), (5,), (2, 2), (2, 3), (1, 4)))
        empty = (int(self.rng.integers(2)),) if self.chance(0.4) else ()
        boundary = self.pick(("open", "periodic"))
        return sq.Lattice(shape, boundary=boundary, vacancies=empty)

    def classes(self, *, most=3):
        counts = [int(c) for c in self.rng.integers(1, 3, size=2)]
        counts[0] = min(counts[0], most - counts[1])
        return [
            sq.SpinClass(c, weight=float(self.rng.uniform(0.3, 1.5)), detuning=self.rng.normal())
            for c in counts
        ]

    def collective_jumps(self):
        terms = (
            lambda: sq.CollectiveDecay(self.rate()),
            lambda: sq.SqueezedCollectiveDecay(self.rate(), r=float(self.rng.normal() / 2)),
            lambda: sq.CollectiveJump(self.rate(), vector=self.complex_vector()),
        )
        return [term() for term in self.some(terms, most=2)]

    def local_jumps(self):
        terms = (
            lambda: sq.LocalDecay(self.rate()),
            lambda: sq.LocalPumping(self.rate()),
            lambda: sq.LocalDephasing(self.rate()),
            lambda: sq.LocalJump(self.rate(), vector=self.complex_vector()),
        )
        return [term() for term in self.some(terms, most=2)]

    def strength_along(self, axis):
        """Strengths (x, y, z) of which all but one vanish."""
        return [self.strength() if a == axis else 0.0 for a in range(3)]

    def noise_along(self, axis, n):
        """Dephasing, decay and pumping about an axis, at one rate or one a spin."""
        b, c = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3]
        phase = np.exp(1j * self.rng.uniform(0, 6))
        vectors = (np.eye(3)[axis], b - 1j * c, b + 1j * c)
        chosen = self.some(vectors) if not self.timed else vectors[:1]
        return [
            sq.LocalJump(
                self.rng.uniform(0.05, 0.8, size=n) if self.chance(0.4) else self.rate(),
                vector=phase * vector * self.rng.uniform(0.5, 1.5),
            )
            for vector in chosen
        ]

    def alike_state(self, n, *, blocks=False):
        states = [
            lambda: sq.CoherentState(self.direction()),
            lambda: sq.DickeState(n / 2 - int(self.rng.integers(n + 1)), axis=self.pick(AXES)),
            lambda: sq.SymmetricState(self.amplitudes(n + 1)),
        ]
        if blocks:
            states.append(lambda: self.block_state(n))
        return self.pick(states)()

    def any_state(self, n):
        states = (
            lambda: self.alike_state(n),
            lambda: sq.ProductState(self.directions(n)),
            lambda: sq.StateVector(self.amplitudes(2**n)),
        )
        return self.pick(states)()

    def block_state(self, n):
        blocks = []
        for size in range(n + 1, 0, -2):
            A = self.rng.normal(size=(size, size)) + 1j * self.rng.normal(size=(size, size))
            blocks.append(A @ A.conj().T)
        trace = sum(np.trace(block).real for block in blocks)
        return sq.BlockState(np.concatenate([block.ravel() for block in blocks]) / trace)


def any_closed(draw):
    """Every Hamiltonian term on numbers of spins, classes and lattices: `exact`."""
    kind = draw.pick(("number", "classes", "lattice"))
    n_classes = 0
    if kind == "number":
        spins = n = int(draw.rng.integers(1, 6))
        terms = draw.collective_terms() + draw.site_terms(n)
    elif kind == "classes":
        spins = draw.classes(most=4)
        n, n_classes = sum(c.count for c in spins), 2
        terms = draw.collective_terms() + (draw.site_terms(n) if draw.chance(0.3) else [])
    else:
        spins = draw.lattice()
        n = spins.n_spins
        terms = draw.lattice_terms() + (draw.collective_terms() if draw.chance(0.5) else [])
    times = draw.times()
    pulses = draw.pulses(n, times, parts=True, classes=n_classes)
    return sq.SpinModel(spins, hamiltonian=terms), draw.any_state(n), times, pulses


def collective_closed(draw):
    """Collective terms only: also the total-spin methods."""
    n = int(draw.rng.integers(1, 6))
    times = draw.times()
    model = sq.SpinModel(n, hamiltonian=draw.collective_terms())
    return model, draw.alike_state(n), times, draw.pulses(n, times)


def collective_open(draw):
    """Collective jumps, constant or in time."""
    n = int(draw.rng.integers(1, 4))
    times = draw.times()
    model = sq.SpinModel(n, hamiltonian=draw.collective_terms(), jumps=draw.collective_jumps())
    return model, draw.alike_state(n), times, draw.pulses(n, times)


def alike_open(draw):
    """Local and collective jumps on alike spins: `permutation_invariant`."""
    n = int(draw.rng.integers(1, 4))
    times = draw.times()
    jumps = draw.local_jumps() + (draw.collective_jumps() if draw.chance(0.5) else [])
    model = sq.SpinModel(n, hamiltonian=draw.collective_terms(), jumps=jumps)
    return model, draw.alike_state(n, blocks=True), times, draw.pulses(n, times)


def one_axis(draw):
    """Couplings, fields and noise along one axis, x, y or z: `closed_form`."""
    axis = int(draw.rng.integers(3))
    model = one_axis_model(draw, axis, closed=draw.chance(0.4))
    directions = draw.directions(model.n_spins)
    state = sq.ProductState(directions) if draw.chance(0.3) else sq.CoherentState(directions[0])
    return model, state, draw.times(), ()


def one_axis_model(draw, axis, *, closed):
    """A number of spins, classes or a lattice; few spins where noise makes density matrices."""
    along = np.eye(3)[axis]
    kind = draw.pick(("number", "sites", "classes", "lattice"))
    terms = []
    if kind == "classes":
        # A detuning lies along z, whatever the axis.
        spins = [replace(c, detuning=c.detuning if axis == 2 else 0.0) for c in draw.classes()]
        n = sum(c.count for c in spins)
    elif kind == "lattice":
        shape = draw.pick(((3,), (4,), (2, 2)) if closed else ((3,), (2,)))
        spins = sq.Lattice(shape, boundary=draw.pick(("open", "periodic")))
        n = spins.n_spins
        strengths = dict(zip(("j_x", "j_y", "j_z"), draw.strength_along(axis), strict=True))
        terms.append(sq.PowerLawXYZ(**strengths, exponent=draw.pick((2.0, np.inf, 0))))
    else:
        spins = n = int(draw.rng.integers(1, 5 if closed else 4))
    if kind in ("number", "classes") or draw.chance(0.5):
        terms.append(sq.OneAxisTwisting(draw.strength(), axis=AXES[axis]))
    if kind == "sites":
        tensor = np.outer(along, along)
        terms.append(sq.PairCoupling(draw.couplings(n), tensor=tensor, envelope=draw.factor()))
        terms.append(sq.SiteField(draw.rng.normal(size=(n, 1)) * along, envelope=draw.factor()))
    elif draw.chance(0.7):
        terms.append(sq.UniformField(along * draw.rng.normal(), envelope=draw.factor()))
    jumps = [] if closed else draw.noise_along(axis, n)
    return sq.SpinModel(spins, hamiltonian=terms, jumps=jumps)


FAMILIES = {
    "any closed": any_closed,
    "collective closed": collective_closed,
    "collective open": collective_open,
    "alike open": alike_open,
    "one axis": one_axis,
}


def problem(family, seed):
    """The problem of a family with this seed."""
    rng = np.random.default_rng([list(FAMILIES).index(family), seed])
    last = float(rng.choice([0.5, 1.0, 3.0]))
    draw = Draw(rng, last=last, timed=bool(rng.random() < 0.6))
    model, state, times, pulses = FAMILIES[family](draw)
    return Problem(family, seed, model, state, times, pulses)
