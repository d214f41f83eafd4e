"""Problems that every method is held against: model, state, times, pulses, and who must solve it.

`solvers` lists the methods that must support the problem, with the tolerance on <S> and the
covariance: a number for exact methods; for sampling ones the moments that they have exactly up to
their error bars ("spin and z": <S> and the covariances with S_z; "all"). An exact method that
supports a problem must solve it whether it is listed or not. An approximate one that supports it
must be listed either there or in `off`, with the reason why it is expected to be off.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import spinsqueeze as sq

TIMES = np.linspace(0.0, 1.2, 5)
RAMP = sq.Envelope([0.0, 0.5, 0.8], values=[0.3, 1.5, -0.4])


@dataclass(frozen=True, eq=False)
class Problem:
    name: str
    model: sq.SpinModel
    state: Any
    solvers: dict[str, Any]
    times: Any = field(default_factory=lambda: TIMES)
    pulses: tuple = ()
    off: dict[str, str] = field(default_factory=dict)


def _directions(n, seed=3):
    v = np.random.default_rng(seed).normal(size=(n, 3))
    return v / np.linalg.norm(v, axis=1)[:, None]


def _couplings(n, seed=5):
    matrix = np.random.default_rng(seed).normal(size=(n, n))
    matrix = matrix + matrix.T
    np.fill_diagonal(matrix, 0.0)
    return matrix


_TENSOR = np.array([[0.4, 0.2, -0.3], [0.2, -0.7, 0.1], [-0.3, 0.1, 0.5]])
EXACTLY = 1e-8
CLOSELY = 1e-10
TILTED = "the spins are not perpendicular to the axis of the couplings"
NOT_ISING = "the couplings do not lie along one axis"
OPEN = "noise of correlated spins has its first two moments alone"
CORRELATED = "the spins are correlated, which mean field leaves out"
RAMP_UP = sq.Envelope([0.0, 0.8], values=[0.1, 0.4])
BUMP = sq.Envelope(
    np.linspace(0.0, 1.2, 7), values=[0.0, 0.4, 2.0, -0.5, 0.3, 0.0, 1.0], interpolation="cubic"
)

PROBLEMS = [
    Problem(
        "one-axis twisting",
        sq.SpinModel(6, hamiltonian=[sq.OneAxisTwisting(0.8), sq.UniformField([0, 0, 0.5])]),
        sq.CoherentState("+x"),
        {
            "cumulants": EXACTLY,
            "closed_form": CLOSELY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
            "dtwa": "spin and z",
        },
        off={"mean_field": CORRELATED},
    ),
    Problem(
        "one-axis twisting about x, tilted, ramped",
        sq.SpinModel(5, hamiltonian=[sq.OneAxisTwisting(RAMP, axis="x")]),
        sq.CoherentState([0.6, 0.0, 0.8]),
        {
            "cumulants": EXACTLY,
            "closed_form": CLOSELY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
        },
        off={"mean_field": CORRELATED, "dtwa": TILTED},
    ),
    Problem(
        "Ising, any couplings and fields",
        sq.SpinModel(
            6,
            hamiltonian=[
                sq.PairCoupling(_couplings(6)),
                sq.SiteField(np.linspace(-1, 1, 6)[:, None] * [0, 0, 1]),
            ],
        ),
        sq.CoherentState("+y"),
        {"closed_form": CLOSELY, "exact": EXACTLY, "dtwa": "spin and z"},
    ),
    Problem(
        "Ising from a product state",
        sq.SpinModel(6, hamiltonian=[sq.PairCoupling(_couplings(6, seed=8))]),
        sq.ProductState(_directions(6)),
        {"closed_form": CLOSELY, "exact": EXACTLY},
        off={"dtwa": TILTED},
    ),
    Problem(
        "Ising lattice",
        sq.SpinModel(
            sq.Lattice((2, 3)), hamiltonian=[sq.PowerLawXXZ(j_perp=0, j_z=1.7, exponent=3)]
        ),
        sq.CoherentState("-x"),
        {"closed_form": CLOSELY, "exact": EXACTLY, "dtwa": "spin and z"},
    ),
    Problem(
        "spin classes",
        sq.SpinModel(
            [sq.SpinClass(2, weight=0.5, detuning=0.4), sq.SpinClass(4, weight=1.3)],
            hamiltonian=[sq.OneAxisTwisting(0.6)],
        ),
        sq.CoherentState("+x"),
        {"cumulants": EXACTLY, "closed_form": CLOSELY, "exact": EXACTLY, "dtwa": "spin and z"},
        off={"mean_field": CORRELATED},
    ),
    Problem(
        "spin classes in a field that differs within a class",
        sq.SpinModel(
            [sq.SpinClass(2, weight=0.5), sq.SpinClass(2)],
            hamiltonian=[
                sq.OneAxisTwisting(0.6),
                sq.SiteField(np.array([1.0, -2.0, 0.3, 0.4])[:, None] * [0, 0, 1]),
            ],
        ),
        sq.CoherentState("+x"),
        {"cumulants": EXACTLY, "closed_form": CLOSELY, "exact": EXACTLY, "dtwa": "spin and z"},
        off={"mean_field": CORRELATED},
    ),
    Problem(
        "XXZ on an open lattice with vacancies",
        sq.SpinModel(
            sq.Lattice((3, 3), boundary="open", filling=0.6, seed=2),
            hamiltonian=[sq.PowerLawXXZ(j_perp=2.0, j_z=-1.0, exponent=3)],
        ),
        sq.CoherentState("+x"),
        {"exact": EXACTLY},
        off={"dtwa": NOT_ISING},
    ),
    Problem(
        "any tensor, any field, twist and echo",
        sq.SpinModel(
            5,
            hamiltonian=[
                sq.PairCoupling(_couplings(5), tensor=_TENSOR),
                sq.SiteField(_directions(5, seed=9)),
                sq.CollectiveQuadratic(_TENSOR[::-1, ::-1]),
                sq.CollectiveExchange(0.3),
                sq.Drive(0.7, phase=0.4),
            ],
        ),
        sq.ProductState(_directions(5, seed=1)),
        {"exact": EXACTLY},
        off={"dtwa": NOT_ISING},
        pulses=(
            sq.Pulse(0.3, axis="+y", angle=0.7),
            sq.Pulse(0.6, axis=[0.6, 0.0, 0.8], angle=-2.0, sites=[0, 3]),
        ),
    ),
    Problem(
        "two-axis twisting with a ramped drive",
        sq.SpinModel(4, hamiltonian=[sq.TwoAxisTwisting(0.5), sq.Drive(RAMP)]),
        sq.CoherentState("+z"),
        {
            "cumulants": EXACTLY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
        },
        off={"mean_field": CORRELATED, "dtwa": NOT_ISING},
    ),
    Problem(
        "spins in a rotating field",
        sq.SpinModel(
            4, hamiltonian=[sq.Drive(1.3, phase=0.3), sq.SiteField(_directions(4, seed=4))]
        ),
        sq.CoherentState("+z"),
        {"cumulants": EXACTLY, "mean_field": EXACTLY, "exact": EXACTLY, "dtwa": "all"},
    ),
    Problem(
        "one-axis twisting with every local noise along z",
        sq.SpinModel(
            4,
            hamiltonian=[sq.OneAxisTwisting(1.3), sq.UniformField([0, 0, 0.4])],
            jumps=[sq.LocalDecay(0.3), sq.LocalPumping(0.1), sq.LocalDephasing(0.2)],
        ),
        sq.CoherentState([0.6, 0.0, 0.8]),
        {"cumulants": EXACTLY, "closed_form": CLOSELY, "permutation_invariant": EXACTLY},
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "Ising lattice with noise that differs by site",
        sq.SpinModel(
            sq.Lattice((4,), boundary="open"),
            hamiltonian=[sq.PowerLawXXZ(j_perp=0, j_z=1.7, exponent=2)],
            jumps=[
                sq.LocalDecay([0.1, 0.2, 0.3, 0.4]),
                sq.LocalDephasing([0.4, 0.0, 0.1, 0.2]),
            ],
        ),
        sq.CoherentState("+y"),
        {"closed_form": CLOSELY},
        off={"dtwa": OPEN},
    ),
    Problem(
        "everything collective and alike, with a pulse",
        sq.SpinModel(
            4,
            hamiltonian=[sq.CollectiveQuadratic(_TENSOR), sq.Drive(0.7, phase=0.4)],
            jumps=[
                sq.CollectiveDecay(0.1),
                sq.SqueezedCollectiveDecay(0.2, r=0.5),
                sq.CollectiveJump(0.1, vector=[0.3, 0.2j, 1.0]),
                sq.LocalJump(0.3, vector=[0.5, 0.1 + 0.2j, -0.4]),
                sq.LocalDephasing(0.1),
            ],
        ),
        sq.CoherentState([0.0, 0.6, 0.8]),
        {"cumulants": EXACTLY, "permutation_invariant": EXACTLY},
        pulses=(sq.Pulse(0.6, axis=[0.6, 0.0, 0.8], angle=1.2),),
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "collective jumps and pulses",
        sq.SpinModel(
            4,
            hamiltonian=[sq.CollectiveQuadratic(_TENSOR), sq.UniformField([0.1, -0.4, 0.3])],
            jumps=[
                sq.SqueezedCollectiveDecay(0.2, r=0.5),
                sq.CollectiveJump(0.1, vector=[0.3, 0.2j, 1.0]),
            ],
        ),
        sq.CoherentState([0.0, -0.6, 0.8]),
        {"cumulants": EXACTLY, "permutation_invariant": EXACTLY, "symmetric": EXACTLY},
        pulses=(
            sq.Pulse(0.0, axis="+x", angle=0.4),
            sq.Pulse(0.5, axis=[0.6, 0.0, 0.8], angle=-1.2),
        ),
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "a ramped rate and a ramped drive",
        sq.SpinModel(
            3,
            hamiltonian=[sq.Drive(RAMP), sq.TwoAxisTwisting(0.4)],
            jumps=[
                sq.CollectiveDecay(sq.Envelope([0.0, 1.0], values=[0.1, 0.6])),
                sq.LocalDecay(0.2),
            ],
        ),
        sq.CoherentState("+x"),
        {"cumulants": EXACTLY, "permutation_invariant": EXACTLY},
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "all to all with a tensor off the axes",
        sq.SpinModel(
            5,
            hamiltonian=[
                sq.PairCoupling(0.4 * (np.ones((5, 5)) - np.eye(5)), tensor=_TENSOR),
                sq.PowerLawXYZ(j_x=0.5, j_y=-0.8, j_z=0.3, exponent=0),
                sq.UniformField([0.3, -0.2, 0.5]),
            ],
        ),
        sq.CoherentState([0.0, 0.6, 0.8]),
        {"cumulants": EXACTLY, "exact": EXACTLY},
        off={"mean_field": CORRELATED, "dtwa": NOT_ISING},
    ),
    Problem(
        "all to all with three strengths",
        sq.SpinModel(
            5,
            hamiltonian=[
                sq.PowerLawXYZ(j_x=0.5, j_y=-0.8, j_z=0.3, exponent=0),
                sq.UniformField([0.3, -0.2, 0.5]),
            ],
        ),
        sq.CoherentState([0.0, 0.6, 0.8]),
        {
            "cumulants": EXACTLY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
        },
        off={"mean_field": CORRELATED, "dtwa": NOT_ISING},
    ),
    Problem(
        "all to all along z, exchange idle",
        sq.SpinModel(5, hamiltonian=[sq.PowerLawXXZ(j_perp=0.4, j_z=1.5, exponent=0)]),
        sq.CoherentState("+x"),
        {
            "cumulants": EXACTLY,
            "closed_form": CLOSELY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
        },
        off={"mean_field": CORRELATED, "dtwa": NOT_ISING},
    ),
    Problem(
        "twisting about x with every local noise about x",
        sq.SpinModel(
            4,
            hamiltonian=[sq.OneAxisTwisting(1.3, axis="x"), sq.UniformField([0.4, 0, 0])],
            jumps=[
                sq.LocalJump(0.4, vector=[1, 0, 0]),
                sq.LocalJump(0.3, vector=[0, 1, -1j]),
                sq.LocalJump(0.1, vector=[0, 1j, -1]),
            ],
        ),
        sq.CoherentState([0.6, 0.0, 0.8]),
        {"cumulants": EXACTLY, "closed_form": CLOSELY, "permutation_invariant": EXACTLY},
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "twisting about y with collective noise along y",
        sq.SpinModel(
            4,
            hamiltonian=[sq.OneAxisTwisting(0.8, axis="y"), sq.UniformField([0, 0.4, 0])],
            jumps=[sq.CollectiveJump(0.3, vector=[0, 1, 0])],
        ),
        sq.CoherentState([0.6, 0.0, 0.8]),
        {"cumulants": EXACTLY, "permutation_invariant": EXACTLY, "symmetric": EXACTLY},
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "local noise along x, whose spin it keeps",
        sq.SpinModel(4, jumps=[sq.LocalJump(0.7, vector=[1, 0, 0])]),
        sq.CoherentState([0.6, 0.64, 0.48]),
        {"cumulants": EXACTLY, "mean_field": EXACTLY, "permutation_invariant": EXACTLY},
        times=np.array([0.5, 3.0, 60.0]),
    ),
    Problem(
        "spin classes with noise",
        sq.SpinModel(
            [sq.SpinClass(2, weight=0.5, detuning=0.4), sq.SpinClass(2, weight=1.3)],
            hamiltonian=[sq.OneAxisTwisting(0.6)],
            jumps=[sq.LocalDecay(0.2), sq.LocalPumping(0.1), sq.LocalDephasing(0.3)],
        ),
        sq.CoherentState([0.8, 0.0, -0.6]),
        {"cumulants": EXACTLY, "closed_form": CLOSELY},
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "an echo of spin classes with noise",
        sq.SpinModel(
            [sq.SpinClass(2, weight=0.5, detuning=0.4), sq.SpinClass(2, weight=1.3)],
            hamiltonian=[sq.OneAxisTwisting(0.6)],
            jumps=[sq.LocalDecay(0.2), sq.LocalPumping(0.1), sq.LocalDephasing(0.3)],
        ),
        sq.CoherentState([0.8, 0.0, -0.6]),
        {"cumulants": EXACTLY, "closed_form": CLOSELY},
        pulses=(
            sq.Pulse(0.4, axis="+x", angle=np.pi),
            sq.Pulse(0.9, axis=[0.6, 0.8, 0.0], angle=np.pi, spin_class=1),
        ),
        off={"dtwa": OPEN, "mean_field": CORRELATED},
    ),
    Problem(
        "pulses at the beginning and at the end, one of a class",
        sq.SpinModel(
            [sq.SpinClass(2, weight=0.5), sq.SpinClass(2)], hamiltonian=[sq.OneAxisTwisting(0.6)]
        ),
        sq.CoherentState("+x"),
        {"cumulants": EXACTLY, "exact": EXACTLY, "closed_form": CLOSELY},
        pulses=(
            sq.Pulse(0.0, axis="+y", angle=0.7, spin_class=1),
            sq.Pulse(1.2, axis=[0.6, 0.0, 0.8], angle=-2.0),
        ),
        off={"mean_field": CORRELATED, "dtwa": TILTED},
    ),
    Problem(
        "pulses at the beginning and at the end, alike spins with noise",
        sq.SpinModel(
            3,
            hamiltonian=[sq.TwoAxisTwisting(0.4, axes=("y", "z"))],
            jumps=[sq.CollectiveJump(0.2, vector=[0.3, 0.2j, 1.0])],
        ),
        sq.DickeState(0.5, axis="x"),
        {"cumulants": EXACTLY, "permutation_invariant": EXACTLY, "symmetric": EXACTLY},
        pulses=(
            sq.Pulse(0.0, axis="+y", angle=0.7),
            sq.Pulse(1.2, axis=[0.6, 0.0, 0.8], angle=-2.0),
        ),
        off={"mean_field": CORRELATED},
    ),
    Problem(
        "a cubic drive of cubic twisting",
        sq.SpinModel(4, hamiltonian=[sq.OneAxisTwisting(BUMP, axis="y"), sq.Drive(BUMP)]),
        sq.CoherentState("+z"),
        {
            "cumulants": EXACTLY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
        },
        off={"mean_field": CORRELATED, "dtwa": NOT_ISING},
    ),
    Problem(
        "cubic twisting and a cubic field along one axis",
        sq.SpinModel(
            4,
            hamiltonian=[sq.OneAxisTwisting(BUMP), sq.UniformField([0, 0, 1.0], envelope=BUMP)],
        ),
        sq.CoherentState("+y"),
        {
            "cumulants": EXACTLY,
            "closed_form": CLOSELY,
            "exact": EXACTLY,
            "permutation_invariant": EXACTLY,
            "symmetric": EXACTLY,
            "dtwa": "spin and z",
        },
        off={"mean_field": CORRELATED},
    ),
    Problem(
        "a reservoir of finite range on an open chain",
        sq.SpinModel(
            sq.Lattice(4, boundary="open"),
            hamiltonian=[
                sq.UniformField([0.1, -0.4, 0.3]),
                sq.PowerLawXXZ(j_perp=0.5, j_z=-0.2, exponent=3),
            ],
            jumps=[
                sq.CorrelatedJumps(0.3, vector=[0.6, -0.9j, 0.2], range=1.3),
                sq.CorrelatedJumps(RAMP_UP, vector=[0.0, 0.0, 1.0], exponent=2),
            ],
        ),
        sq.CoherentState([0.0, 0.6, 0.8]),
        {"exact": EXACTLY},
        pulses=(sq.Pulse(0.6, axis=[0.6, 0.0, 0.8], angle=1.2),),
        off={"dtwa": OPEN},
    ),
]
