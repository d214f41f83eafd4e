"""The Hamiltonian of a model as fields, tensors and kernels, one part a strength."""

import numpy as np

from spinsqueeze.core.arrays import Floats
from spinsqueeze.methods.exact.couplings import HamiltonianPart
from spinsqueeze.models.canonical import Canonical
from spinsqueeze.models.drive import DriveWeights
from spinsqueeze.models.envelope import Envelope, Strength


def hamiltonian_parts(model: Canonical) -> tuple[list[HamiltonianPart], DriveWeights | None]:
    """The Hamiltonian as one part a strength (all constants in one), and the strengths in time."""
    n = model.n_spins
    strengths: list[Strength] = [1.0]
    collected: list[tuple[Floats, list[Floats], list[Floats]]] = [(np.zeros((n, 3)), [], [])]

    def part_of(strength: Strength) -> tuple[int, float]:
        """The index of the part, and the constant factor of the piece in it."""
        if not isinstance(strength, Envelope):
            return 0, strength
        known = next((k for k, s in enumerate(strengths) if s is strength), None)
        if known is None:
            strengths.append(strength)
            collected.append((np.zeros((n, 3)), [], []))
            known = len(strengths) - 1
        return known, 1.0

    for field in model.fields:
        k, factor = part_of(field.strength)
        collected[k][0][...] += factor * field.vectors
    for quadratic in model.quadratics:
        k, factor = part_of(quadratic.strength)
        collected[k][1].append(2 * factor * quadratic.matrix)
        weights = np.ones(n) if quadratic.weights is None else quadratic.weights
        outer = np.outer(weights, weights)
        np.fill_diagonal(outer, 0.0)
        collected[k][2].append(outer)
    for pair in model.pairs:
        k, factor = part_of(pair.strength)
        collected[k][1].append(factor * pair.tensor)
        collected[k][2].append(pair.kernel.matrix())
    parts = [
        HamiltonianPart(
            field=vectors,
            tensors=np.array(tensors).reshape(-1, 3, 3),
            kernels=np.array(kernels).reshape(-1, n, n),
        )
        for vectors, tensors, kernels in collected
    ]
    if len(strengths) == 1:
        return parts, None
    return parts, DriveWeights(tuple(strengths))
