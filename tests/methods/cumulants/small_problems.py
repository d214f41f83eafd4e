"""Random models of a few spins, alike or in classes, and what brute force says of them."""

import numpy as np
from tests.calibration.random_problems import Draw, Problem

import spinsqueeze as sq

WEIGHTS = (0.0, -0.7, 0.5, 1.0, 1.4)


def small_problem(seed):
    """Any term, jump, envelope, pulse and state whose spins differ by class only; N = 1 to 4."""
    rng = np.random.default_rng([29, seed])
    draw = Draw(rng, last=float(rng.choice([0.4, 0.9])), timed=bool(rng.random() < 0.6))
    n = int(rng.integers(1, 5))
    alike = n == 1 or draw.chance(0.45)
    spins = n if alike else _classes(draw, n)
    counts = [n] if alike else [c.count for c in spins]
    terms = draw.collective_terms() if draw.chance(0.9) else []
    spread_out = draw.chance(0.3)  # numbers for each spin make each a kind of its own
    if spread_out and not alike:
        fields = np.repeat(rng.normal(size=(len(counts), 3)), counts, axis=0)
        terms.append(sq.SiteField(fields, envelope=draw.factor()))
    jumps = [
        *(draw.local_jumps() if draw.chance(0.6) else []),
        *(draw.collective_jumps() if draw.chance(0.6) else []),
    ]
    if spread_out and not alike:
        rates = np.repeat(rng.uniform(0.05, 0.8, size=len(counts)), counts)
        jumps.append(sq.LocalDecay(rates))
    times = draw.times()
    pulses = draw.pulses(n, times, classes=0 if alike else len(counts))
    model = sq.SpinModel(spins, hamiltonian=terms, jumps=jumps)
    return Problem("small", seed, model, _state(draw, model, counts), times, pulses)


def _classes(draw, n):
    head = int(draw.rng.integers(1, n))
    counts = [head, n - head] if n < 4 or draw.chance(0.7) else [1, 2, 1]
    return [
        sq.SpinClass(c, weight=float(draw.pick(WEIGHTS)), detuning=float(draw.rng.normal()))
        for c in counts
    ]


def _state(draw, model, counts):
    if len(counts) == 1 and not model.canonical.differences:
        return draw.alike_state(model.n_spins, blocks=True)
    if draw.chance(0.4):
        return sq.CoherentState(draw.direction())
    return sq.ProductState(np.repeat(draw.directions(len(counts)), counts, axis=0))
