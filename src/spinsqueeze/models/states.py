"""Initial states. |up> is the excited state; Dicke states are |J, m> with J = N/2."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_init
from spinsqueeze.core.errors import InvalidInput, NotAnInteger
from spinsqueeze.models.term import Plain, snake_case


class InitialState(Plain):
    """A state to start from; frozen, checked when made."""

    @classmethod
    def name(cls) -> str:
        """The name in study files, e.g. 'coherent_state'."""
        return snake_case(cls.__name__)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:
        """Check the state against the number of spins, and of spin classes where there are any.

        Raises:
            InvalidInput: the state is of another number of spins.
        """


@final
@clear_init
@dataclass(frozen=True, eq=False)
class CoherentState(InitialState):
    """Every spin points along `direction`.

    Args:
        direction: one of +x, -x, +y, -y, +z, -z (a sign left out is +), or a unit vector (x, y, z).
    """

    direction: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "direction", checks.direction("direction", self.direction))


@final
@clear_init
@dataclass(frozen=True, eq=False)
class ProductState(InitialState):
    """Spin i points along the unit vector directions[i], or all spins of class i do.

    Args:
        directions: real array (N, 3) of unit vectors, in the order of the sites; or (C, 3), one
            row for each of the C spin classes of the model.
    """

    directions: Any

    def __post_init__(self) -> None:
        array = np.array(checks.real_array("directions", self.directions, shape=(None, 3)))
        lengths = np.linalg.norm(array, axis=1)
        wrong = np.flatnonzero(np.abs(lengths - 1.0) > 1e-6)
        if len(wrong):
            raise InvalidInput.of(
                "directions",
                f"must be unit vectors, got length {lengths[wrong[0]]:.6g} at spin "
                f"{wrong[0]}; divide each by its length",
            )
        array /= np.where(np.abs(lengths - 1.0) > 4e-16, lengths, 1.0)[:, None]
        array.setflags(write=False)
        object.__setattr__(self, "directions", array)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:
        """Check that there is one direction a spin, or one a class."""
        rows = len(self.directions)
        if rows != n_spins and (n_classes == 0 or rows != n_classes):
            or_class, classes = (" or class", f" in {n_classes} classes") if n_classes else ("", "")
            raise InvalidInput(
                f"ProductState needs one direction a spin{or_class}: got {rows} for {n_spins} "
                f"spins{classes}"
            )


@final
@clear_init
@dataclass(frozen=True, eq=False)
class DickeState(InitialState):
    """The state |J = N/2, m> along `axis`.

    Args:
        m: magnetisation, -N/2 ... N/2 in steps of 1.
        axis: quantisation axis, "x", "y" or "z".
    """

    m: float
    axis: str = field(default="z", kw_only=True)

    def __post_init__(self) -> None:
        value = checks.real("m", self.m)
        if 2 * value != round(2 * value):
            raise NotAnInteger.of("m", f"must be an integer or a half-integer, got {value:g}")
        object.__setattr__(self, "m", value)
        checks.axis_name("axis", self.axis)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:  # noqa: ARG002
        """Check -N/2 <= m <= N/2 and that N/2 - m is an integer."""
        if abs(self.m) > n_spins / 2 or (n_spins / 2 - self.m) % 1 != 0:
            raise InvalidInput.of(
                "m",
                f"must be one of -N/2, ..., N/2 in steps of 1 with N = {n_spins}, got {self.m:g}",
            )


@final
@clear_init
@dataclass(frozen=True, eq=False)
class SymmetricState(InitialState):
    """A pure state of the symmetric subspace, sum_k amplitudes[k] |J = N/2, m = J - k>.

    k is the number of spins down: m = +J comes first, as everywhere in this package.

    Args:
        amplitudes: N + 1 complex numbers of total probability 1 (rows [re, im] are read too).
    """

    amplitudes: Any

    def __post_init__(self) -> None:
        raw = checks.complex_numbers("amplitudes", self.amplitudes)
        if raw.ndim != 1:
            raise InvalidInput.of("amplitudes", f"must be one-dimensional, got shape {raw.shape}")
        array = raw.astype(np.complex128)
        with np.errstate(over="ignore"):  # a sum by numpy: that of BLAS depends on its threads
            norm = float(np.sqrt(np.sum(array.real**2 + array.imag**2)))
        if not np.isfinite(norm):
            raise InvalidInput.of("amplitudes", "must be finite, got NaN or infinity among them")
        if abs(norm - 1.0) > 1e-6:
            remedy = "divide by the norm" if norm else "at least one must not vanish"
            raise InvalidInput.of("amplitudes", f"must have norm 1, got {norm:.6g}; {remedy}")
        if abs(norm - 1.0) > 1e-14:  # so that a state read back from a file stays the same
            array /= norm
        array.setflags(write=False)
        object.__setattr__(self, "amplitudes", array)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:  # noqa: ARG002
        """Check that there are N + 1 amplitudes."""
        if len(self.amplitudes) != n_spins + 1:
            raise InvalidInput(
                f"SymmetricState needs N + 1 = {n_spins + 1} amplitudes, got {len(self.amplitudes)}"
            )


@final
@clear_init
@dataclass(frozen=True, eq=False)
class StateVector(InitialState):
    """A pure state of all 2^N amplitudes, such as the end of an earlier run of `Exact`.

    Bit i of the index (least significant first) is 1 where spin i is up.

    Args:
        amplitudes: 2^N complex numbers of norm 1 (rows [re, im] are read too).
    """

    amplitudes: Any

    def __post_init__(self) -> None:
        checked = SymmetricState(self.amplitudes).amplitudes
        if len(checked) & (len(checked) - 1) or len(checked) < 2:
            raise InvalidInput.of(
                "amplitudes",
                f"must be 2^N numbers, got {len(checked)}; N + 1 of spins all alike are a "
                "SymmetricState",
            )
        object.__setattr__(self, "amplitudes", checked)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:  # noqa: ARG002
        """Check that there are 2^N amplitudes."""
        if n_spins > 40 or len(self.amplitudes) != 2**n_spins:
            raise InvalidInput(
                f"StateVector needs 2^N amplitudes with N = {n_spins}, got {len(self.amplitudes)}"
            )


@final
@clear_init
@dataclass(frozen=True, eq=False)
class BlockState(InitialState):
    """A permutation-invariant state of N spins, such as the end of a `PermutationInvariant` run.

    rho = direct sum over total spins j of R_j (x) 1/d_j, sum_j Tr R_j = 1. The blocks R_j follow
    from j = N/2 down, each row by row, m = +j first: (N+1)(N+2)(N+3)/6 numbers.

    Args:
        values: that many complex numbers (rows [re, im] are read too), Hermitian, of trace 1.
    """

    values: Any

    def __post_init__(self) -> None:
        raw = checks.complex_numbers("values", self.values)
        array = raw.astype(np.complex128)
        n = round((6.0 * array.size) ** (1 / 3)) - 2 if array.ndim == 1 else 0
        if n < 1 or (n + 1) * (n + 2) * (n + 3) // 6 != array.size:
            raise InvalidInput.of(
                "values", f"must be (N+1)(N+2)(N+3)/6 numbers for some N, got shape {raw.shape}"
            )
        trace, done = 0.0, 0
        for size in range(n + 1, 0, -2):
            block = array[done : done + size**2].reshape(size, size)
            if not np.allclose(block, block.conj().T, rtol=0, atol=1e-9):
                raise InvalidInput.of(
                    "values", f"must be Hermitian in each block; j = {(size - 1) / 2:g}"
                )
            trace += float(np.trace(block).real)
            done += size**2
        if not abs(trace - 1.0) <= 1e-6:
            raise InvalidInput.of("values", f"must have trace 1, got {trace:.6g}; divide by it")
        array.setflags(write=False)
        object.__setattr__(self, "values", array)

    @property
    def n_spins(self) -> int:
        """Number of spins N."""
        return int(round((6.0 * self.values.size) ** (1 / 3)) - 2)

    def fit(self, n_spins: int, *, n_classes: int = 0) -> None:  # noqa: ARG002
        """Check that the state is of N spins."""
        if self.n_spins != n_spins:
            raise InvalidInput(f"BlockState is of {self.n_spins} spins, the model has {n_spins}")
