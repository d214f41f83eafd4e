"""What kernels say of themselves: which are the same, their tables, their largest row."""

import numpy as np
import pytest

from spinsqueeze.lattice.couplings import power_law_kernel
from spinsqueeze.lattice.geometry import Lattice

LATTICES = [
    Lattice((3, 4)),
    Lattice((3, 4), boundary="open"),
    Lattice((4, 3)),
    Lattice((3, 4), vacancies=(1,)),
    Lattice((3, 4), spacing=(1.0, 2.0)),
]


def test_kernels_are_the_same_where_they_couple_every_pair_alike():
    cases = [(one, power) for one in LATTICES for power in (0, 3, 6, np.inf)]
    cases = [c for c in cases if c[1] != 0 or c[0] in (LATTICES[0], LATTICES[3])]
    kernels = [power_law_kernel(one, exponent=power) for one, power in cases]
    again = [power_law_kernel(one, exponent=power) for one, power in cases]
    for k, kernel in enumerate(kernels):
        assert [kernel.same_as(other) for other in again] == [k == m for m in range(len(again))]


@pytest.mark.parametrize("lattice", LATTICES)
@pytest.mark.parametrize("power", [3, np.inf])
def test_tables_hold_the_coupling_of_every_displacement(lattice, power):
    kernel = power_law_kernel(lattice, exponent=power)
    sites = kernel.sites()
    steps = (sites[:, None] - sites[None]) % np.array(kernel.table.shape)
    np.testing.assert_array_equal(kernel.table[tuple(np.moveaxis(steps, -1, 0))], kernel.matrix())
    assert kernel.row_sum >= np.abs(kernel.matrix()).sum(axis=1).max() - 1e-12


def test_all_to_all_kernels_have_a_row_of_all_others():
    kernel = power_law_kernel(LATTICES[3], exponent=0)
    assert kernel.row_sum == kernel.matrix().sum(axis=1).max() == 10
    assert kernel.common_strength == 1.0
