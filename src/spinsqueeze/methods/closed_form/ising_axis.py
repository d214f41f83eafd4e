"""The axis along which all couplings, fields and jumps of an Ising model lie."""

import numpy as np

from spinsqueeze.core.arrays import Complexes, Floats
from spinsqueeze.methods.base.question import Evolve
from spinsqueeze.methods.closed_form.echoes import pulse_obstacles
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.states import CoherentState


def frame(axis: int) -> list[int]:
    """The cyclic order of the axes that puts `axis` last."""
    return [(axis + 1) % 3, (axis + 2) % 3, axis]


def ising_axis(question: Evolve) -> int | None:
    """The axis along which all couplings and fields lie; isotropic exchange aside.

    Where several axes serve, one along which the noise and the pulses have a formula too.
    """
    fitting = [a for a in (2, 0, 1) if _along(question, a)]
    solved = (
        a
        for a in fitting
        if not jump_obstacles(question.model, a) and not pulse_obstacles(question, a)
    )
    return next(solved, fitting[0] if fitting else None)


def _along(question: Evolve, axis: int) -> bool:
    model = question.model
    b, c, a = frame(axis)
    # S^2 commutes with a permutation-invariant H and only adds a phase to a coherent state.
    alike = all(pulse.mask is None for pulse in question.pulses)
    exchange_idle = (
        model.conserves_total_spin and isinstance(question.state, CoherentState) and alike
    )

    def fits(tensor: Floats) -> bool:
        mixed = tensor[b, c] or tensor[a, b] or tensor[a, c]
        equal = tensor[b, b] == tensor[c, c]
        return not mixed and equal and (exchange_idle or tensor[b, b] == 0)

    return (
        all(not np.any(f.vectors[..., [b, c]]) for f in model.fields)
        and all(fits(q.matrix) for q in model.quadratics)
        and all(fits(p.tensor) for p in model.pairs)
    )


def jump_kind(vector: Complexes, axis: int) -> str | None:
    """'dephasing', 'decay' or 'pumping' along `axis`; None: another jump."""
    b, c, a = vector[frame(axis)]
    if b == 0 and c == 0:
        return "dephasing"
    if a == 0 and np.isclose(b, 1j * c):
        return "decay"
    if a == 0 and np.isclose(b, -1j * c):
        return "pumping"
    return None


def jump_obstacles(model: Canonical, axis: int) -> list[str]:
    """Why the local jumps have no formula beside couplings along `axis`."""
    kinds = [jump_kind(j.vector, axis) for j in model.local_jumps]
    reasons = []
    if None in kinds:
        reasons.append(
            "a local jump is neither dephasing, decay nor pumping along the Ising axis "
            f"{'xyz'[axis]}"
        )
    if {"decay", "pumping"} & set(kinds) and model.time_dependent:
        reasons.append("decay and pumping need constant strengths and rates; there is an envelope")
    return reasons
