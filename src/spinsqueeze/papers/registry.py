"""The papers of this package by the key of references.bib."""

import importlib

from spinsqueeze.core import checks
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.papers.base import Paper

PAPERS = ("groszkowski2022", "huybrechts2024", "perlin2020", "tucker2020")


def paper(key: str) -> Paper:
    """The paper of this key; its module is loaded now.

    Raises:
        InvalidInput: there is none.
    """
    if key not in PAPERS:
        raise InvalidInput(f"paper {key!r} is not known; {checks.did_you_mean(key, PAPERS)}")
    loaded: Paper = importlib.import_module(f"spinsqueeze.papers.{key}").PAPER
    return loaded
