"""Spin squeezing: any model by any method that fits it, every number with an error bar.

The public names; each is loaded when first used, so that `import spinsqueeze` is quick.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spinsqueeze import plot as plot
    from spinsqueeze.core.errors import FileProblem as FileProblem
    from spinsqueeze.core.errors import InvalidInput as InvalidInput
    from spinsqueeze.core.errors import NumericalFailure as NumericalFailure
    from spinsqueeze.core.errors import SpinSqueezeError as SpinSqueezeError
    from spinsqueeze.core.errors import TooLarge as TooLarge
    from spinsqueeze.core.errors import UndefinedDirection as UndefinedDirection
    from spinsqueeze.core.errors import Unsupported as Unsupported
    from spinsqueeze.lattice.geometry import Lattice as Lattice
    from spinsqueeze.methods.closed_form.method import ClosedForm as ClosedForm
    from spinsqueeze.methods.dtwa.method import DTWA as DTWA
    from spinsqueeze.methods.exact.method import Exact as Exact
    from spinsqueeze.methods.permutation_invariant.method import (
        PermutationInvariant as PermutationInvariant,
    )
    from spinsqueeze.methods.symmetric.method import SymmetricSubspace as SymmetricSubspace
    from spinsqueeze.models.cavity import Cavity as Cavity
    from spinsqueeze.models.collective_terms import CollectiveExchange as CollectiveExchange
    from spinsqueeze.models.collective_terms import CollectiveQuadratic as CollectiveQuadratic
    from spinsqueeze.models.collective_terms import CollectiveXYZ as CollectiveXYZ
    from spinsqueeze.models.collective_terms import Drive as Drive
    from spinsqueeze.models.collective_terms import OneAxisTwisting as OneAxisTwisting
    from spinsqueeze.models.collective_terms import TwoAxisTwisting as TwoAxisTwisting
    from spinsqueeze.models.collective_terms import UniformField as UniformField
    from spinsqueeze.models.ensemble import SpinClass as SpinClass
    from spinsqueeze.models.envelope import Envelope as Envelope
    from spinsqueeze.models.jumps import CollectiveDecay as CollectiveDecay
    from spinsqueeze.models.jumps import CollectiveJump as CollectiveJump
    from spinsqueeze.models.jumps import LocalDecay as LocalDecay
    from spinsqueeze.models.jumps import LocalDephasing as LocalDephasing
    from spinsqueeze.models.jumps import LocalJump as LocalJump
    from spinsqueeze.models.jumps import LocalPumping as LocalPumping
    from spinsqueeze.models.jumps import SqueezedCollectiveDecay as SqueezedCollectiveDecay
    from spinsqueeze.models.model import SpinModel as SpinModel
    from spinsqueeze.models.pair_terms import PairCoupling as PairCoupling
    from spinsqueeze.models.pair_terms import PowerLawXXZ as PowerLawXXZ
    from spinsqueeze.models.pair_terms import PowerLawXYZ as PowerLawXYZ
    from spinsqueeze.models.pair_terms import SiteField as SiteField
    from spinsqueeze.models.pulse import Pulse as Pulse
    from spinsqueeze.models.states import BlockState as BlockState
    from spinsqueeze.models.states import CoherentState as CoherentState
    from spinsqueeze.models.states import DickeState as DickeState
    from spinsqueeze.models.states import ProductState as ProductState
    from spinsqueeze.models.states import StateVector as StateVector
    from spinsqueeze.models.states import SymmetricState as SymmetricState
    from spinsqueeze.observables.block_states import block_husimi as block_husimi
    from spinsqueeze.observables.block_states import spin_distribution as spin_distribution
    from spinsqueeze.observables.block_states import von_neumann_entropy as von_neumann_entropy
    from spinsqueeze.observables.block_states import without_one_spin as without_one_spin
    from spinsqueeze.observables.qfi import (
        quantum_fisher_information as quantum_fisher_information,
    )
    from spinsqueeze.observables.sphere import husimi as husimi
    from spinsqueeze.observables.sphere import wigner as wigner
    from spinsqueeze.results.files import load as load
    from spinsqueeze.results.files import save as save
    from spinsqueeze.results.merge import merge as merge
    from spinsqueeze.run.advise import advise as advise
    from spinsqueeze.run.compare import compare as compare
    from spinsqueeze.run.execute import final_state as final_state
    from spinsqueeze.run.losses import simulate_losses as simulate_losses
    from spinsqueeze.run.optimise import optimise as optimise
    from spinsqueeze.run.optimum import optimum as optimum
    from spinsqueeze.run.perturbation import liouvillian_perturbation as liouvillian_perturbation
    from spinsqueeze.run.simulate import simulate as simulate
    from spinsqueeze.run.spectrum import liouvillian_gap as liouvillian_gap
    from spinsqueeze.run.steady_state import steady_state as steady_state
    from spinsqueeze.run.study import Study as Study
    from spinsqueeze.run.study_file import read_study as read_study
    from spinsqueeze.run.sweep import run_study as run_study
    from spinsqueeze.run.sweep import sweep as sweep

_HOMES = {
    "core.errors": (
        "FileProblem InvalidInput NumericalFailure SpinSqueezeError TooLarge UndefinedDirection "
        "Unsupported"
    ),
    "lattice.geometry": "Lattice",
    "methods.closed_form.method": "ClosedForm",
    "methods.dtwa.method": "DTWA",
    "methods.exact.method": "Exact",
    "methods.permutation_invariant.method": "PermutationInvariant",
    "methods.symmetric.method": "SymmetricSubspace",
    "models.cavity": "Cavity",
    "models.collective_terms": (
        "CollectiveExchange CollectiveQuadratic CollectiveXYZ Drive OneAxisTwisting "
        "TwoAxisTwisting UniformField"
    ),
    "models.ensemble": "SpinClass",
    "models.envelope": "Envelope",
    "models.jumps": (
        "CollectiveDecay CollectiveJump LocalDecay LocalDephasing LocalJump LocalPumping "
        "SqueezedCollectiveDecay"
    ),
    "models.model": "SpinModel",
    "models.pair_terms": "PairCoupling PowerLawXXZ PowerLawXYZ SiteField",
    "models.pulse": "Pulse",
    "models.states": "BlockState CoherentState DickeState ProductState StateVector SymmetricState",
    "observables.block_states": (
        "block_husimi spin_distribution von_neumann_entropy without_one_spin"
    ),
    "observables.qfi": "quantum_fisher_information",
    "observables.sphere": "husimi wigner",
    "results.files": "load save",
    "results.merge": "merge",
    "run.advise": "advise",
    "run.compare": "compare",
    "run.losses": "simulate_losses",
    "run.perturbation": "liouvillian_perturbation",
    "run.optimise": "optimise",
    "run.optimum": "optimum",
    "run.execute": "final_state",
    "run.simulate": "simulate",
    "run.spectrum": "liouvillian_gap",
    "run.steady_state": "steady_state",
    "run.study": "Study",
    "run.study_file": "read_study",
    "run.sweep": "run_study sweep",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = ["plot", *sorted(_HOME_OF)]


def __getattr__(name: str) -> Any:
    if name == "plot":
        return importlib.import_module("spinsqueeze.plot")
    if name == "__version__":
        from spinsqueeze.results.provenance import version

        return version()
    if name not in _HOME_OF:
        raise AttributeError(f"module 'spinsqueeze' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"spinsqueeze.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
