"""platforms: which experiment is which model, the method that answers it, a study to begin with."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import final

from spinsqueeze.core import checks
from spinsqueeze.core.calls import clear_call, clear_init
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.core.text import html_table

_STOP_WORDS = frozenset(
    (
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
    )
)
COLUMNS = ("name", "experiment", "model", "method")


@final
@clear_init
@dataclass(frozen=True)
class Platform:
    """One kind of experiment.

    Attributes:
        name: what `platforms` and the command line call it.
        experiment: what is in the laboratory.
        model: terms and tables of a study file.
        method: which method answers it.
        also: further words by which it is found.
    """

    name: str
    experiment: str
    model: str
    method: str
    also: tuple[str, ...] = ()

    @property
    def study(self) -> str:
        """A study file to begin with, as text."""
        path = resources.files("spinsqueeze") / "studies" / f"{self.name}.toml"
        return path.read_text(encoding="utf-8")

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Its row of the table, in markdown."""
        return f"`{self.name}`", self.experiment, self.model, self.method

    @property
    def plain(self) -> tuple[str, ...]:
        """Its row in plain words, without marks and links."""
        return tuple(re.sub(r"\[([^]]+)\]\([^)]+\)|`", r"\1", cell) for cell in self.cells)

    def __str__(self) -> str:
        return "\n".join(
            f"{label + ':':<11} {text}" for label, text in zip(COLUMNS, self.plain, strict=True)
        )

    def matches(self, word: str) -> bool:
        """Whether a word of what is said of it begins so, or so without an s at its end."""
        said = " ".join((*self.cells, *self.also)).lower()
        begins = re.escape(word.removesuffix("s") or word)
        return re.search(rf"(?<![a-z0-9]){begins}", said) is not None

    def score(self, words: Sequence[str]) -> int:
        """How many of the words it has; its name counts twice."""
        return sum(self.matches(word) + (word == self.name) for word in words)


@final
@clear_init
@dataclass(frozen=True)
class Platforms:
    """What `platforms` returns: iterate over its rows, or print it."""

    rows: tuple[Platform, ...]

    def __iter__(self) -> Iterator[Platform]:
        return iter(self.rows)

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.rows))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, (row.plain for row in self.rows))


PLATFORMS = (
    Platform(
        "rydberg",
        "Rydberg atoms, one Rydberg state (tweezers, lattices)",
        "`[lab]` with `c6`: n_i n_j and its site field; echo by a pulse of `fraction = 0.5`",
        "`closed_form` (exact; with T1 and T2: with both and an echo 0.3 s a time at 10 x 10); "
        "with a transverse drive `dtwa`, small ones `exact`",
        ("van der waals", "vdw", "tweezer", "blockade", "c6"),
    ),
    Platform(
        "dressing",
        "Rydberg dressing (clock states, microscopes)",
        "`c6` or `plateau`, with `core_radius`",
        "`closed_form`",
        ("soft core", "dressed"),
    ),
    Platform(
        "dipolar",
        "Rydberg atoms, two Rydberg states; polar molecules",
        '`c3`, `c3_form = "exchange"`, `quantisation_axis`',
        "`dtwa` (thousands of spins), `truncated_shells` near the isotropic point, `exact` to 20 "
        "spins",
        ("molecule", "dipole", "xy", "xxz", "heisenberg"),
    ),
    Platform(
        "magnetic",
        "Magnetic atoms, NV centres",
        '`c3`, `c3_form = "secular"` with positions or `filling`, `t2`',
        "`dtwa`; Ising part alone `closed_form`",
        ("diamond", "defects", "dysprosium", "erbium", "chromium", "dipolar", "solid", "vacancy"),
    ),
    Platform(
        "ions",
        "Trapped ions",
        "`ion_chain_coupling` (J_ij from the modes, see [Shapes of lattices](lattice_shapes.md)), "
        "or `power_law_xyz` with exponent 0 to 3",
        "Ising: `closed_form`; with a transverse field `dtwa`, `exact`",
        ("penning", "paul trap", "molmer", "phonon"),
    ),
    Platform(
        "cavity",
        "Atoms in a cavity",
        "`[lab]` with `g_hz`, `kappa_hz`, ...",
        "`cumulants`, `trajectories`, `permutation_invariant`",
        ("superradian", "cqed", "resonator", "clock transition", "strontium"),
    ),
    Platform(
        "condensate",
        "Condensates, spin-exchange by collisions, light-mediated twisting",
        "`chi`",
        "`closed_form`; with a drive `symmetric`, with noise `permutation_invariant`, "
        "`trajectories`",
        ("bec", "one-axis", "oat", "collective"),
    ),
    Platform(
        "clock",
        "Optical clock after squeezing: noise of the detector",
        "any of these, with `[readout]`; a clock in a cavity is `cavity`",
        "as for that model; twisting `closed_form`",
        ("detection", "strontium", "ytterbium"),
    ),
    Platform(
        "distance",
        "Any other function of distance",
        "`tabulated_coupling`",
        "as for its tensor: z z `closed_form`, else `dtwa`",
        ("table", "custom"),
    ),
)


@clear_call
def platforms(word: str = "") -> Platforms:
    """Which experiment is which model, and the method that answers it.

    Args:
        word: a name such as "rydberg", or a word of the experiment, model or method ("molecules",
            "nv", "c6"), in any case; "": all. Of several words that no row has together ("NV
            ensemble", "clock in a cavity") each counts that has two letters and more.

    Returns:
        the rows, those with most of the words first, the one of that name alone where there is one;
        `row.study` is the text of a study file to begin with.

    Raises:
        InvalidInput: no row has any of the words.
    """
    wanted = checks.text("word", word).strip().lower()
    named = tuple(row for row in PLATFORMS if wanted == row.name)
    found = named or tuple(row for row in PLATFORMS if row.matches(wanted)) or _with_any(wanted)
    if not found:
        names = [row.name for row in PLATFORMS]
        raise InvalidInput(f"word {word!r} is in no platform; {checks.did_you_mean(wanted, names)}")
    return Platforms(found)


def _with_any(text: str) -> tuple[Platform, ...]:
    """The rows that have any word of a text, those with most of them first."""
    words = [
        word
        for word in dict.fromkeys(re.findall(r"[a-z0-9]+", text))
        if len(word) > 1 and word not in _STOP_WORDS
    ]
    scores = {row.name: row.score(words) for row in PLATFORMS}
    rows = [row for row in PLATFORMS if scores[row.name]]
    return tuple(sorted(rows, key=lambda row: -scores[row.name]))
