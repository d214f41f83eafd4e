"""Huybrechts and Roscilde, arXiv:2402.16824 (2024): squeezed steady states of emitters."""

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
)
