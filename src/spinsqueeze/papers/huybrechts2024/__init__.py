"""Huybrechts and Roscilde, arXiv:2402.16824 (2024): squeezed steady states of emitters.

All spins down is the steady state of emitters whose Hamiltonian conserves S_z; what breaks this
squeezes it, in first order for two-spin driving, in second order for a Rabi drive with collective
emission. NOTES.md says what each figure shows and where ours differs.

Convention map, theirs -> ours (models: `setting`):

    J = sum_i S_i                      Sec. 3.1        S, the collective spin
    D(sqrt(gamma) L)                   Eq. (2)         gamma D[L], the same
    S_i^- at gamma                     Sec. 3.1        LocalDecay(gamma)
    sqrt(Gamma/N) J^-                  Secs. 3.1, 7.1  CollectiveDecay(Gamma/N)
    (J_a/N) sum_ij S_i^a S_j^a         Eqs. (35), (53) CollectiveXYZ(j_a): i = j is a constant
    Delta J^z                          Eq. (53)        UniformField([0, 0, Delta])
    -Omega J^x                         Eq. (62)        Drive(-Omega)
    xi_R^2                             Eq. (18)        xi2
    theta, phi_min                     Eq. (16)        angle in the xy plane from x, in [0, pi)

The transition of the driven Dicke model, Omega/Gamma = 1/2 there, is rabi = (N/2) rate here.

Figures 1 and 2 (drawings) are not here. "second-order" is ours. Chosen by us, since the text states
no value: ranges and grids of all axes, both signs of J_x in Fig. 6, further J in Fig. 3 (for
claims), and what stands beside Figs. 3(a), 6 and 9. Figs. 5 and 8, sketches there, are drawn from
numbers.
"""

from spinsqueeze.papers.base import Paper
from spinsqueeze.papers.huybrechts2024.angle_maps import (
    FIGURE_4A,
    FIGURE_4B,
    FIGURE_7A,
    FIGURE_7B,
)
from spinsqueeze.papers.huybrechts2024.driven_dicke import FIGURE_9
from spinsqueeze.papers.huybrechts2024.onset import FIGURE_3A, FIGURE_3B
from spinsqueeze.papers.huybrechts2024.quadrants import FIGURE_5, FIGURE_8
from spinsqueeze.papers.huybrechts2024.second_order import SECOND_ORDER
from spinsqueeze.papers.huybrechts2024.setting import CONVENTIONS
from spinsqueeze.papers.huybrechts2024.transverse_ising import FIGURE_6

PAPER = Paper(
    key="huybrechts2024",
    title="Quantum correlations in the steady state of light-emitter ensembles from perturbation "
    "theory",
    figures=(
        FIGURE_3A,
        FIGURE_3B,
        FIGURE_4A,
        FIGURE_4B,
        FIGURE_5,
        FIGURE_6,
        FIGURE_7A,
        FIGURE_7B,
        FIGURE_8,
        FIGURE_9,
        SECOND_ORDER,
    ),
    conventions=CONVENTIONS,
    misprints=(
        "Before Eq. (6): lambda L_1 is -i lambda [H_1, .].",
        "Eq. (8): the part of psi_2 along phi_0 is -<psi_1|psi_1>/2, without the 1.",
        "Eq. (17): J_2 = (i/2) sum (S^- e^(i theta) - S^+ e^(-i theta)).",
        "Eq. (19): the denominator is p_k + p_l.",
        "Eq. (43): the denominator is (J - J_z)(N - 2)/N - i gamma/2; Eqs. (44) to (46) are right.",
        "Eqs. (49), (78) lack the sign of beta: cos(arctan(-gamma/beta)) = |beta|/sqrt(beta^2 + "
        "gamma^2). For beta < 0 k is odd for alpha > 0; 2 theta = arg[alpha (beta - i gamma)].",
        "Sec. 6.1.2: 'by the x spin components in quadrants I and III' is y, and y in II and IV is "
        "x; further down II and IV stand for each other.",
        "Sec. 6.1.2: the strongest coupling is J_x in quadrants I and II (in absolute value, far "
        "from 0: in I and III), not in II and III.",
        "Fig. 9: the caption's 'dissipative TFI model' is the driven Dicke model.",
    ),
)
