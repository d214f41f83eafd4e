"""The registry of result variables: name, dimensions, units and long name, once for all."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spinsqueeze.core.errors import InvalidInput


@dataclass(frozen=True)
class Variable:
    """One result variable: dims after the sweep dims; units '1', 'unit' for that of the model.

    period: of a circular quantity such as an angle, whose errors are circular too.
    """

    name: str
    dims: tuple[str, ...]
    long_name: str
    units: str = "1"
    period: float | None = None


_VARIABLES = (
    Variable("spin", ("time", "axis"), "mean collective spin <S_a>"),
    Variable(
        "covariance",
        ("time", "axis", "axis_2"),
        "symmetrised covariance <{S_a, S_b}>/2 - <S_a><S_b>",
    ),
    Variable("xi2", ("time",), "Wineland squeezing parameter N min Var(S_perp)/|<S>|^2"),
    Variable(
        "xi2_kitagawa_ueda", ("time",), "Kitagawa-Ueda squeezing parameter 4 min Var(S_perp)/N"
    ),
    Variable(
        "uncertainty_product",
        ("time",),
        "4 Var Var/|<S>|^2 of the squeezed and the anti-squeezed component; 1 where it is minimal",
    ),
    Variable("antisqueezing", ("time",), "greatest variance 4 max Var(S_perp)/N, angle + pi/2"),
    Variable(
        "ellipse_area",
        ("time",),
        "area of the variance ellipse over that of a coherent state, 4 sqrt(Var Var)/N",
    ),
    Variable(
        "xi2_spread",
        ("time",),
        "standard deviation of xi2 between single realisations, where they are averaged",
    ),
    Variable("measured_xi2", ("time",), "Wineland parameter as the readout finds it"),
    Variable(
        "measured_xi2_spread",
        ("time",),
        "standard deviation of measured_xi2 between single realisations",
    ),
    Variable("measured_contrast", ("time",), "contrast as the readout finds it"),
    Variable(
        "squeezing_angle",
        ("time",),
        "direction of least variance, from the horizontal axis e_phi, right-handed about <S>",
        "rad",
        period=math.pi,
    ),
    Variable("contrast", ("time",), "length of the mean spin |<S>|/(N/2)"),
    Variable("total_spin_squared", ("time",), "total spin <S^2>"),
    Variable("effective_spins", ("time",), "effective spin number 2 sqrt(1/4 + <S^2>) - 1"),
    Variable("shell_population", ("time", "j"), "population of total spin j, j = N/2 first"),
    Variable("purity", ("time",), "purity tr(rho^2)"),
    Variable("qfi", ("time",), "quantum Fisher information, maximal over collective rotations"),
    Variable(
        "squeezing_status",
        ("time",),
        "0 ok; 1 isotropic: no angle; 2 negative variance; 3 mean spin undefined",
    ),
    Variable("spins_left", ("time",), "number of spins left; of realisations, their mean"),
    Variable("photon_number", ("time",), "cavity photons <a^dagger a>"),
    Variable("field", ("time", "quadrature"), "mean field <a> of the cavity, real and imaginary"),
    Variable(
        "field_covariance",
        ("time", "quadrature", "quadrature_2"),
        "symmetrised covariance of Re a and Im a; vacuum 1/4",
    ),
    Variable("block_weight", ("block",), "number of samples in a block"),
    Variable("block_reference", ("time", "axis"), "reference spin R of the block moments"),
    Variable("block_first", ("time", "block", "axis"), "block mean of S - R"),
    Variable("block_second", ("time", "block", "axis", "axis_2"), "block mean of (S - R)(S - R)^T"),
    Variable(
        "spin_numerical_error",
        ("time",),
        "error of the mean spin from steps and round-off, in units of sqrt(N)/2",
    ),
    Variable("trajectory_xi2", ("time", "trajectory"), "Wineland parameter of a single trajectory"),
    Variable(
        "trajectory_effective_spins",
        ("time", "trajectory"),
        "effective spin number 2j of a single trajectory",
    ),
    Variable(
        "trajectory_spin", ("time", "trajectory", "axis"), "mean spin <S_a> of a single trajectory"
    ),
    Variable(
        "jump_time",
        ("trajectory", "jump"),
        "times of the jumps of a single trajectory, NaN beyond its last",
        "1/unit",
    ),
    Variable(
        "jump_channel",
        ("trajectory", "jump"),
        "what jumped: an index into the channels of the diagnostics, -1 beyond the last",
    ),
    Variable("final_state", ("component", "part"), "state at the last time, [re, im]"),
)

REGISTRY: dict[str, Variable] = {variable.name: variable for variable in _VARIABLES}

LAB_FIGURES = {
    "lab_cooperativity": "cooperativity C = 4 g^2/(kappa gamma) of one atom",
    "lab_collective_cooperativity": "collective cooperativity N C",
    "lab_coupling_hz": "C3/spacing^3, C6/spacing^6 or that of a soft core, over 2 pi, in Hz",
    "lab_largest_coupling_hz": "largest coupling of two spins, over 2 pi, in Hz",
    "lab_chi_hz": "exchange chi/2pi in Hz",
    "lab_collective_decay_hz": "collective decay Gamma/2pi in Hz",
    "lab_superradiant_hz": "N Gamma/2pi in Hz, with the mean square of the couplings",
    "lab_coupling_ratio": "sqrt(N) g over |kappa/2 + i detuning|",
    "lab_speed_ratio": "fastest rate of the spins alone over |kappa/2 + i detuning|",
    "lab_photon_number": "photons in the cavity without atoms",
}
"""Attributes of results of a model from lab numbers; in sweeps variables where they differ."""

READOUT_FIGURES = {
    "readout_detection_error": "probability that a spin is misread",
    "readout_resolution": "rms noise of the number of spins counted up",
}
"""Attributes of results with a readout, like those of lab numbers."""


def same_coupling(figures: Mapping[str, Any]) -> bool:
    """Whether the largest coupling is that at the spacing, or of a result that does not tell it."""
    if "lab_coupling_hz" not in figures or "lab_largest_coupling_hz" not in figures:
        return True
    at_spacing = float(figures["lab_coupling_hz"])
    return abs(at_spacing - float(figures["lab_largest_coupling_hz"])) <= 1e-9 * abs(at_spacing)


def variable(name: str) -> Variable:
    """The registered variable `name`.

    Raises:
        InvalidInput: not registered.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        known = ", ".join(REGISTRY)
        raise InvalidInput(f"variable {name!r} is not registered; known: {known}") from None
