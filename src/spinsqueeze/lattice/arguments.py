"""What the arguments of a lattice must be; each function returns the clean value."""

import re
from typing import Any

import numpy as np

from spinsqueeze.core import checks
from spinsqueeze.core.arrays import Floats
from spinsqueeze.core.calls import Call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.lattice.patterns import PATTERNS

MAX_SITES = 2**31 - 1
BOUNDARIES = ("periodic", "open")
FIXED, INDEPENDENT = LOADINGS = ("fixed", "independent")
RECTANGULAR = "rectangular"
GEOMETRIES = (RECTANGULAR, *PATTERNS)
_ELSEWHERE = {
    "hexagonal": "write 'triangular' for six neighbours each, 'honeycomb' for three",
    "square": "leave it out for a square or cubic lattice",
    "ladder": "a ladder is rectangular: shape=(10, 2), boundary=('periodic', 'open')",
    "zigzag": "a zigzag ladder is triangular: shape=(10, 2), boundary=('periodic', 'open')",
    "rings": "rings are positions=Rings((1, 6, 12))",
    "random": "random places are positions=RandomPositions(100, box=(20, 20))",
}
"""What else people call a geometry, and how it is written here."""
_PER_CENT = re.compile(r"(\d+\.?\d*)\s*%?")
_BOUNDARY_WORDS = {
    "closed": "write 'periodic' where opposite edges meet, 'open' for an array with edges",
    **dict.fromkeys(("pbc", "torus", "ring"), "write 'periodic'"),
    **dict.fromkeys(("obc", "hard", "fixed", "free"), "write 'open'"),
}
"""What else people call a boundary."""


def check_geometry(geometry: str) -> None:
    """Refuse a word that is no geometry.

    Raises:
        InvalidInput: another value.
    """
    if isinstance(geometry, str) and geometry in _ELSEWHERE:
        raise InvalidInput.of(
            "geometry",
            f"must be one of {', '.join(GEOMETRIES)}, got {geometry!r}; {_ELSEWHERE[geometry]}",
        )
    checks.choice("geometry", geometry, GEOMETRIES)


def sites_per_cell(geometry: str) -> int:
    """1, 2 or 3."""
    return 1 if geometry == RECTANGULAR else PATTERNS[geometry].sites_per_cell


def checked_shape(raw: Any, geometry: str) -> tuple[int, ...]:
    """Sites, or cells, along 1 to 3 axes; 2 of oblique lattices.

    Raises:
        InvalidInput: other sizes, or too many sites.
    """
    scalar = isinstance(raw, int | float) or getattr(raw, "ndim", None) == 0
    sizes = (raw,) if scalar else raw
    if isinstance(sizes, str) or not hasattr(sizes, "__len__") or not 1 <= len(sizes) <= 3:
        rule = f"must hold 1, 2 or 3 sizes, got {checks.shown(raw)}"
        raise InvalidInput.of("shape", rule + _sizes_in(raw))
    shape = tuple(
        checks.integer(f"shape[{k}]", n, minimum=1, maximum=MAX_SITES) for k, n in enumerate(sizes)
    )
    if geometry != RECTANGULAR and len(shape) != 2:
        raise InvalidInput.of(
            "shape",
            f"must hold the cells along the two axes of a {geometry} lattice, e.g. (6, 6), got "
            f"{checks.shown(raw)}",
        )
    if sites_per_cell(geometry) * int(np.prod([float(n) for n in shape])) > MAX_SITES:
        raise InvalidInput.of("shape", f"must hold at most {MAX_SITES} sites, got {shape}")
    return shape


def shape_in_brackets(call: Call) -> str:
    """The remedy for sizes by place: "; write Lattice((8, 8))"."""
    sizes = ", ".join(checks.shown(size) for size in call.arguments)
    rest = "".join(f", {name}={checks.shown(value)}" for name, value in call.options.items())
    return f"; write the sizes in brackets, {call.function}(({sizes}){rest})"


def boundary_word(name: str, word: Any) -> str:
    """'periodic' or 'open'.

    Raises:
        InvalidInput: another word; the usual abbreviations are translated.
    """
    remedy = _BOUNDARY_WORDS.get(word.lower()) if isinstance(word, str) else None
    if remedy:
        raise InvalidInput.of(
            name, f"must be one of {', '.join(BOUNDARIES)}, got {word!r}; {remedy}"
        )
    return checks.choice(name, word, BOUNDARIES)


def _sizes_in(raw: Any) -> str:
    """The remedy for a text such as "10 x 10"; empty for what is none."""
    numbers = re.findall(r"\d+", raw) if isinstance(raw, str) else []
    return f"; write [{', '.join(numbers)}], without quotes" if 1 <= len(numbers) <= 3 else ""


def checked_boundary(given: Any, dimension: int) -> str | tuple[str, ...]:
    """One word, or a tuple where the axes differ.

    Raises:
        InvalidInput: another word, or another number of them.
    """
    if isinstance(given, str):
        return boundary_word("boundary", given)
    if not isinstance(given, tuple | list) or len(given) != dimension:
        raise InvalidInput.of(
            "boundary",
            "must be 'periodic' or 'open', or a list of them with one for each axis "
            f"({dimension}), got {checks.shown(given)}",
        )
    words = tuple(boundary_word(f"boundary[{k}]", word) for k, word in enumerate(given))
    return words[0] if len(set(words)) == 1 else words


def checked_spacing(spacing: Any, geometry: str, dimension: int) -> float | tuple[float, ...]:
    """A length, or one for each axis of a rectangular lattice.

    Raises:
        InvalidInput: not above 0, or another number of them.
    """
    if isinstance(spacing, tuple | list | np.ndarray) and np.ndim(spacing) > 0:
        if geometry != RECTANGULAR:
            raise InvalidInput.of(
                "spacing",
                f"must be one number on a {geometry} lattice, got {checks.shown(spacing)}",
            )
        values = checks.real_array("spacing", spacing, shape=(dimension,))
        return tuple(checks.real("spacing", float(v), above=0.0) for v in values)
    return checks.real("spacing", spacing, above=0.0)


def checked_filling(filling: Any) -> float:
    """The fraction of sites with a spin.

    Raises:
        InvalidInput: not above 0 and at most 1; few per cent may be meant as those left empty.
    """
    try:
        return checks.real("filling", filling, above=0.0, maximum=1.0)
    except InvalidInput as error:
        found = _PER_CENT.fullmatch(str(filling))
        least = 2.0 if isinstance(filling, int | float) else 0.0
        if found is None or not least <= (per_cent := float(found[1])) < 50.0:
            raise
        rule = error.rule.partition(";")[0]
        raise InvalidInput.of(
            "filling",
            f"{rule}; write {1 - per_cent / 100:g} where {per_cent:g} % of the sites are empty, "
            f"{per_cent / 100:g} for a filling of {per_cent:g} %",
        ) from None


def checked_vacancies(vacancies: Any, n_sites: int) -> tuple[int, ...]:
    """Indices of sites in ascending order.

    Raises:
        InvalidInput: no list, an index beyond the sites, one twice.
    """
    if isinstance(vacancies, str) or not hasattr(vacancies, "__len__"):
        remedy = "filling = 0.97, say, leaves a fraction of the sites empty"
        if isinstance(vacancies, float) and 0 < vacancies < 1:
            remedy = f"write filling = {1 - vacancies:g} for a fraction of empty sites"
        raise InvalidInput.of(
            "vacancies", f"must be a list of site indices, got {checks.shown(vacancies)}; {remedy}"
        )
    empty = tuple(checks.integer("vacancies", v, minimum=0, maximum=n_sites - 1) for v in vacancies)
    if len(set(empty)) != len(empty):
        raise InvalidInput.of("vacancies", "must not repeat a site")
    return tuple(sorted(empty))


def checked_points(positions: Any) -> Floats:
    """Positions (N, D), D = 1..3, no two of them the same.

    Raises:
        InvalidInput: another shape, or two spins at one point.
    """
    array = checks.real_array("positions", positions, shape=(None, None))
    if array.shape[0] < 1 or not 1 <= array.shape[1] <= 3:
        raise InvalidInput.of("positions", f"must have shape N x D, D = 1..3, got {array.shape}")
    first, back = np.unique(array, axis=0, return_index=True, return_inverse=True)[1:]
    repeated = np.flatnonzero(first[back.ravel()] != np.arange(len(array)))
    if len(repeated):
        spin = int(repeated[0])
        place = ", ".join(f"{x:g}" for x in array[spin])
        raise InvalidInput.of(
            "positions",
            f"must differ: spins {first[back.ravel()[spin]]} and {spin} both sit at [{place}]",
        )
    return array
