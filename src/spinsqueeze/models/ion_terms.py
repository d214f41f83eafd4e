"""The coupling of trapped ions by the modes of their chain; pair sums run over i < j."""

from dataclasses import dataclass, field
from typing import Any, final

from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.ions import IonChain
from spinsqueeze.lattice.kernels import DenseKernel
from spinsqueeze.models.canonical import Pair, Piece
from spinsqueeze.models.collective_terms import symmetric_tensor
from spinsqueeze.models.ensemble import Ensemble
from spinsqueeze.models.term import HamiltonianTerm, envelope_factor


@final
@clear_init
@dataclass(frozen=True, eq=False)
class IonChainCoupling(HamiltonianTerm):
    """H = sum_{i<j} 4 J_ij s_i . tensor s_j, by the transverse modes of an ion chain.

    J_ij = rabi^2 recoil sum_m b_im b_jm/(beatnote^2 - omega_m^2), over the modes (omega_m, b_im) of
    a chain of as many ions as there are spins, in a harmonic trap: the J_ij of
    H = sum_{i<j} J_ij sigma_i sigma_j in kim2009 and monroe2021. `IonChain.couplings` says where it
    holds. No lattice is needed.

    Args:
        rabi: Omega of the spin-dependent force.
        recoil: hbar dk^2/(2 m).
        beatnote: mu of the light, not the frequency of a mode.
        axial_frequency: omega_z of the trap.
        transverse_frequency: omega_x of the trap. All five in the unit of the model (2 pi times
            what is known in Hz).
        tensor: real symmetric (3, 3); z z by default (light-shift force), x x for Molmer-Sorensen.
        envelope: optional factor in time, an `Envelope`.

    Raises:
        InvalidInput: an argument breaks its rule; a beat note on a mode, a chain that buckles, more
            than 1000 ions.
    """

    rabi: float = field(kw_only=True)
    recoil: float = field(kw_only=True)
    beatnote: float = field(kw_only=True)
    axial_frequency: float = field(kw_only=True)
    transverse_frequency: float = field(kw_only=True)
    tensor: Any = field(default=((0, 0, 0), (0, 0, 0), (0, 0, 1)), kw_only=True)
    envelope: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        # A single ion meets every rule but those of the chain's modes, which `fit` looks at.
        one = IonChain(1, self.axial_frequency, self.transverse_frequency)
        self._put("axial_frequency", one.axial_frequency)
        self._put("transverse_frequency", one.transverse_frequency)
        one.couplings(rabi=self.rabi, recoil=self.recoil, beatnote=self.beatnote)
        for name in ("rabi", "recoil", "beatnote"):
            self._put(name, float(getattr(self, name)))
        self._put("tensor", symmetric_tensor("tensor", self.tensor))
        if self.envelope is not None:
            self._strength("envelope")

    def fit(self, ensemble: Ensemble) -> None:
        """Check that the chain is straight and no mode is hit.

        Raises:
            InvalidInput: it is not, or spins sit on a lattice of their own.
        """
        self._matrix(ensemble)

    def lower(self, ensemble: Ensemble) -> list[Piece]:
        """One dense pair piece."""
        kernel = DenseKernel(self._matrix(ensemble))
        return [Pair(envelope_factor(self.envelope), self.tensor, kernel)]

    def _matrix(self, ensemble: Ensemble) -> Any:
        if ensemble.lattice is not None and ensemble.lattice.dimension > 1:
            raise InvalidInput(
                "IonChainCoupling is of a chain: give the model a number of spins, not a lattice "
                f"of {ensemble.lattice.dimension} dimensions"
            )
        chain = IonChain(ensemble.n_spins, self.axial_frequency, self.transverse_frequency)
        return chain.couplings(rabi=self.rabi, recoil=self.recoil, beatnote=self.beatnote)
