"""Perlin, Qu and Rey, Phys. Rev. Lett. 125, 223401 (2020): squeezing in the power-law XXZ model.

Convention map (see `setting`): the paper sums over i != j, we sum over i < j, so our couplings
are twice the paper's J_perp and J_z; times are in 1/J_perp as there. Axis ranges that the paper's
text does not state are ours.
"""

from spinsqueeze.papers.base import Paper
from spinsqueeze.papers.perlin2020.benchmark import FIGURE_6, FIGURE_7, FIGURE_8, FIVE_BY_FIVE
from spinsqueeze.papers.perlin2020.chain import CHAIN
from spinsqueeze.papers.perlin2020.driven_ising import FIGURE_XX
from spinsqueeze.papers.perlin2020.filling import FIGURE_13
from spinsqueeze.papers.perlin2020.gap import GAP
from spinsqueeze.papers.perlin2020.husimi import FIGURE_1
from spinsqueeze.papers.perlin2020.phase_diagram import COLUMN, FIGURE_2, FIGURE_5
from spinsqueeze.papers.perlin2020.setting import CONVENTIONS
from spinsqueeze.papers.perlin2020.system_size import FIGURE_4, FIGURE_9, FIGURE_10, TABLE_1
from spinsqueeze.papers.perlin2020.time_series import FIGURE_3, FIGURE_11, FIGURE_12
from spinsqueeze.papers.perlin2020.vacancies import VACANCIES

PAPER = Paper(
    key="perlin2020",
    title="Spin squeezing with short-range spin-exchange interactions",
    figures=(
        FIGURE_1,
        FIGURE_2,
        COLUMN,
        FIGURE_3,
        FIGURE_4,
        FIGURE_XX,
        GAP,
        FIGURE_5,
        CHAIN,
        FIGURE_6,
        FIGURE_7,
        FIGURE_8,
        FIVE_BY_FIVE,
        FIGURE_9,
        TABLE_1,
        FIGURE_10,
        FIGURE_11,
        FIGURE_12,
        FIGURE_13,
        VACANCIES,
    ),
    conventions=CONVENTIONS,
    misprints=(
        "Eq. (A6) leaves gamma >= 0 open: it is 0 for alpha < D + 2 and alpha - D - 2 beyond, so "
        "the gap scales as N^-((alpha - D)/D) and then as N^(-2/D).",
    ),
)
