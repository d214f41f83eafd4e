"""Names of terms and states in study files, from the classes themselves."""

from typing import Any

from spinsqueeze.models import collective_terms as collective
from spinsqueeze.models import (
    correlated_jumps,
    distance_terms,
    ion_terms,
    jumps,
    pair_terms,
    states,
)
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm

HAMILTONIAN_TERMS: dict[str, type[HamiltonianTerm]] = {
    term.name(): term
    for term in (
        collective.OneAxisTwisting,
        collective.TwoAxisTwisting,
        collective.CollectiveQuadratic,
        collective.CollectiveExchange,
        collective.CollectiveXYZ,
        collective.UniformField,
        collective.Drive,
        pair_terms.SiteField,
        pair_terms.PowerLawXXZ,
        pair_terms.PowerLawXYZ,
        pair_terms.PairCoupling,
        distance_terms.VanDerWaals,
        distance_terms.RydbergDressing,
        distance_terms.DipolarXXZ,
        distance_terms.TabulatedCoupling,
        ion_terms.IonChainCoupling,
    )
}
JUMP_TERMS: dict[str, type[JumpTerm]] = {
    term.name(): term
    for term in (
        jumps.CollectiveDecay,
        jumps.SqueezedCollectiveDecay,
        jumps.CollectiveJump,
        jumps.LocalDecay,
        jumps.LocalPumping,
        jumps.LocalDephasing,
        jumps.LocalJump,
        correlated_jumps.CorrelatedJumps,
    )
}
INITIAL_STATES: dict[str, tuple[type[states.InitialState], str]] = {
    "coherent": (states.CoherentState, "direction"),
    "product": (states.ProductState, "directions"),
    "dicke": (states.DickeState, "m"),
    "symmetric": (states.SymmetricState, "amplitudes"),
    "state_vector": (states.StateVector, "amplitudes"),
    "block": (states.BlockState, "values"),
}


def state_as_dict(state: states.InitialState) -> dict[str, Any]:
    """An initial state as a study file writes it, e.g. {coherent = [1, 0, 0]}."""
    for name, (kind, main) in INITIAL_STATES.items():
        if type(state) is kind:
            table = state.as_dict()
            return {name: table.pop(main), **table}
    raise TypeError(f"{type(state).__name__} is not in the catalogue")
