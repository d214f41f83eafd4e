"""The one list of methods, by their names in study files."""

from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.closed_form.method import ClosedForm
from spinsqueeze.methods.cumulants.method import Cumulants, MeanField
from spinsqueeze.methods.dtwa.method import DTWA
from spinsqueeze.methods.exact.method import Exact
from spinsqueeze.methods.permutation_invariant.method import PermutationInvariant
from spinsqueeze.methods.perturbation.method import Perturbation
from spinsqueeze.methods.symmetric.method import SymmetricSubspace
from spinsqueeze.methods.trajectories.method import QuantumTrajectories
from spinsqueeze.methods.truncated_shells.method import TruncatedShells

METHODS: dict[str, type[Method]] = {
    kind.name(): kind
    for kind in (
        ClosedForm,
        SymmetricSubspace,
        Exact,
        PermutationInvariant,
        QuantumTrajectories,
        Cumulants,
        MeanField,
        Perturbation,
        TruncatedShells,
        DTWA,
    )
}
