"""Huybrechts and Roscilde, arXiv:2402.16824 (2024): squeezed steady states of emitters."""

from spinsqueeze.papers.base import Paper
from spinsqueeze.papers.huybrechts2024.onset import FIGURE_3A, FIGURE_3B
from spinsqueeze.papers.huybrechts2024.setting import CONVENTIONS

PAPER = Paper(
    key="huybrechts2024",
    title="Quantum correlations in the steady state of light-emitter ensembles from perturbation "
    "theory",
    figures=(FIGURE_3A, FIGURE_3B),
    conventions=CONVENTIONS,
)
