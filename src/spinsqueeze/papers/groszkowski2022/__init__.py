"""Groszkowski, Koppenhoefer, Lau and Clerk, Phys. Rev. X 12, 011015 (2022): dissipative squeezing.

Squeezed collective decay of alike spins, its steady states for even and odd N, single-spin loss,
and what weak local dephasing and relaxation do to it.

Convention map, theirs -> ours (models: `setting`):

    Gamma D[cosh r S_- - sinh r S_+]   Eqs. (2), (3)   SqueezedCollectiveDecay(Gamma, r=r), the same
    gamma_coll D[S_-]                  Eq. (11)        CollectiveDecay(gamma_coll)
    (gamma_phi/2) sum D[sigma_z]       Eq. (11)        LocalDephasing(gamma_phi), the same
    gamma_rel sum D[sigma_-]           Eq. (11)        LocalDecay(gamma_rel)
    chi (S^2 - S_z^2)                  Eq. (G1)        OneAxisTwisting(-chi): S^2 is a constant
    xi_R^2                             Eq. (1)         xi2
    Gamma, gamma_coll of the cavity    Eqs. (12), (13) g is the unit of Figs. 5 and S5
    eps = 2 gamma_phi/Gamma, eps Gamma Eqs. (E1) ff.   rates of D[sigma_z/2] are 1 in Figs. S4
    M_jj', from row to column          Eq. (E3)        our M acts on populations: its transpose

Every run starts with all spins down, |N/2, -N/2>; one-axis twisting from a coherent state on the
equator. Figure 1, a drawing, is not here. Figures `5-cavity` (Fig. 5 with the cavity kept) and
`linearised` (Eqs. (18), (C2), (C3), (H3) beside exact states) are ours. The linearised formulas
stay in this room (`linear_theory`): their limit r -> infinity is no optimum of the exact theory.

Chosen by us, since the text states no value: N = 20 and 21 and r = 2.5 in Fig. 2; the range of r
in Figs. 3 and S3 and of N in every figure; r of Fig. S2; N of Fig. 4 and r of its inset (2.5, as in
the caption, besides 0.5); the loss times of Fig. 4(b), drawn with a fixed seed; r = 1 in Figs. 6;
r of Fig. S4(a), as in S4(b); detunings above kappa_int/2 in Fig. 5. The insets of 4(a), S3 and
S4(b) stand beside their figures; the right panel of 6(a) is ours.
"""

from spinsqueeze.papers.base import Paper
from spinsqueeze.papers.groszkowski2022.cooperativity import FIGURE_S1
from spinsqueeze.papers.groszkowski2022.distribution import FIGURE_S2
from spinsqueeze.papers.groszkowski2022.even_odd import FIGURE_2, FIGURE_3
from spinsqueeze.papers.groszkowski2022.kept_cavity import FIGURE_5_KEPT
from spinsqueeze.papers.groszkowski2022.linearised import FIGURE_LINEARISED
from spinsqueeze.papers.groszkowski2022.local_noise import FIGURE_S3
from spinsqueeze.papers.groszkowski2022.optimum import FIGURE_5, FIGURE_S5
from spinsqueeze.papers.groszkowski2022.prethermal import FIGURE_6A
from spinsqueeze.papers.groszkowski2022.prethermal_mean_field import FIGURE_6B
from spinsqueeze.papers.groszkowski2022.relaxation import FIGURE_4A
from spinsqueeze.papers.groszkowski2022.sensing import FIGURE_4B
from spinsqueeze.papers.groszkowski2022.shell_walk import FIGURE_S4A, FIGURE_S4B

PAPER = Paper(
    key="groszkowski2022",
    title="Reservoir-engineered spin squeezing: macroscopic even-odd effects and hybrid-systems "
    "implementations",
    figures=(
        FIGURE_2,
        FIGURE_3,
        FIGURE_4A,
        FIGURE_4B,
        FIGURE_5,
        FIGURE_5_KEPT,
        FIGURE_6A,
        FIGURE_6B,
        FIGURE_S1,
        FIGURE_LINEARISED,
        FIGURE_S2,
        FIGURE_S3,
        FIGURE_S4A,
        FIGURE_S4B,
        FIGURE_S5,
    ),
    conventions="jumps, rates and xi_R^2 as here; paper: chi (S^2 - S_z^2), here OneAxisTwisting("
    "-chi); Gamma = 1, in Figs. 5 and S5 g = 1, in Figs. S4 2 gamma_phi = 1",
    misprints=(
        "Sec. II A: the standard quantum limit is xi_R^2 = 1; 1/sqrt(N) is the phase error.",
        "Sec. III C: 'lim Tr(rho_ss) = 1/3' is the purity, Tr(rho_ss^2).",
        "Sec. III C: 'its eigenvalues are the eigenstates |j,m>_y': its eigenstates.",
        "Sec. III D: relaxation 'at worst 1/Gamma': exp(2r)/(2 Gamma) for even N (j = 1), "
        "2 exp(2r)/Gamma for odd N (j = 1/2).",
        "Fig. 5: the text has the dissipative curve orange, the caption blue.",
        "Eq. (18) has N gamma_coll where (C3) has (N + 1) gamma_coll: equal for large N.",
        "Eq. (21) is the mean-field bound; the exact one for even N is 1/2.",
        "Eq. (B5): (exp(2r) Gamma + gamma_coll) multiplies <S_x^2>, not <S_z^2>; with it Eq. (21) "
        "follows.",
        "Sec. V has gamma_rel + 2 gamma_phi in (19) and (20) for gamma_phi < gamma_rel/N, App. C "
        "for gamma_phi <= N gamma_rel. Exact states at N = 30, eta_rel = 0.2: 0.4 % off at the "
        "first, 16.8 % at the second.",
        "App. C 1: 'xi_R^2 gets smaller as r increases' holds for (C2) alone; the exact one has a "
        "minimum in r, and at r -> infinity, where (18), (C3) to (C5) and (H3) are taken, no mean "
        "spin is left.",
        "Eq. (H3): the least exact xi_R^2 is 1.6 (Gamma = 0.1 gamma_rel) and 3.1 times (Gamma = "
        "gamma_rel) as large at N = 40, and more at larger N, where powers of -0.90 to -0.98 fit.",
        "Fig. S1: 6 C^(-1/3) is twice what Eq. (G1) gives, 2.9 C^(-1/3).",
        "App. E 2: 'j >> N/2' cannot be; j near N/2.",
        "Eq. (E6): a is 4 for large r, since N times the gap is cosh^2(2r); 5 is an average over "
        "small r.",
        "Fig. S5: the caption's kappa_int is kappa_sqz.",
    ),
)
