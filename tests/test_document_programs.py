"""Every Python block of README and docs runs, and prints what stands below it.

A page runs as a whole, in order, in one namespace. Pages are found, not listed: a new one runs
unasked. What is named here is what is made smaller, left out, or slow. Commands in console blocks
and in sentences are compared with those that there are.
"""

import contextlib
import io
import math
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import typer

from spinsqueeze.cli.main import app

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
)
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", flags=re.M | re.S)


@dataclass
class Page:
    """How a page is run.

    smaller: full -> small. left_out: a word of the block -> why. prints: words of its output.
    holds: expressions of its names, true at the end.
    """

    smaller: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    prints: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    slow: bool = False


HERE = ", workers=0"
SPECIAL = {
    "README.md": Page(
        smaller={"(64, 64)": "(4, 4)", "=500": "=100"},
        prints=("dB",),
        holds=("__import__('os').stat('squeezing.png').st_size > 10_000",),
    ),
    "docs/cumulants.md": Page(
        smaller={'"stop": 350, "num": 61': '"stop": 30, "num": 3'}, slow=True
    ),
    "docs/dtwa_error.md": Page(slow=True),
    "docs/error_bars.md": Page(slow=True),
    "docs/laboratory.md": Page(
        smaller={"(10, 10)": "(4, 4)"},
        prints=("2 pi x 55.23 MHz",),
        holds=("dressed.model.canonical.pairs", "centres.model.canonical.pairs"),
    ),
    "docs/lattices.md": Page(smaller={"(32, 32)": "(8, 8)"}, slow=True),
    "docs/limits.md": Page(slow=True),
    "docs/open_systems.md": Page(slow=True),
    "docs/quickstart.md": Page(
        prints=("reference: exact",),
        holds=(
            "again.identical(data)",
            "__import__('pathlib').Path('squeezing.csv').read_text()[:17] == 'time,xi2,contrast'",
        ),
    ),
    "docs/sweeps.md": Page(
        smaller={
            "(16, 16)": "(4, 4)",
            "np.linspace(-4, 2, 31)": "[-2.0]",
            'store="diagram.points"': 'store="diagram.points"' + HERE,
            '{"ensemble.spins": spins}': '{"ensemble.spins": spins}' + HERE,
            "range(30)": "range(4)",
            'average_over="ensemble.seed"': 'average_over="ensemble.seed"' + HERE,
            "size=40": "size=4",
            'average_over="ensemble.spins"': 'average_over="ensemble.spins"' + HERE,
        },
        left_out={
            "SLURMCluster": "starts jobs of a cluster",
            ".Pool(2)": "run_one and values are the reader's",
        },
        slow=True,
    ),
    "docs/trajectories.md": Page(
        smaller={"n = 200": "n = 20", "n_trajectories=100": "n_trajectories=4"}, slow=True
    ),
}


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def with_programs():
    for path in PAGES:
        if BLOCK.search(text_of(path)):
            marks = [pytest.mark.slow] if SPECIAL.get(path, Page()).slow else []
            yield pytest.param(path, marks=marks, id=path)


def same(printed, shown):
    """Equal words, and numbers that differ by 5 % or 1e-4 at most (rounding grows in samples)."""
    if NUMBER.sub("#", printed).split() != NUMBER.sub("#", shown).split():
        return False
    pairs = zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True)
    return all(math.isclose(float(a), float(b), rel_tol=0.05, abs_tol=1e-4) for a, b in pairs)


@pytest.mark.parametrize("path", [*with_programs()])
def test_the_programs_of_a_page_run_and_print_what_it_shows(path, tmp_path, monkeypatch):
    page, names, full_size, output = SPECIAL.get(path, Page()), {}, True, ""
    monkeypatch.chdir(tmp_path)
    for program, shown in BLOCK.findall(text_of(path)):
        if any(word in program for word in page.left_out):
            compile(program, path, "exec")
            continue
        small = program
        for full, less in page.smaller.items():
            small = small.replace(full, less)
        full_size &= small.replace(HERE, "") == program
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(small, path, "exec"), names)
        output += printed.getvalue()
        if shown and full_size:
            assert same(printed.getvalue(), shown), f"{path} shows {shown}"
    assert all(words in output for words in page.prints)
    assert all(eval(expression, names) for expression in page.holds)


@pytest.mark.parametrize("path", SPECIAL)
def test_what_is_special_about_a_page_is_there(path):
    programs = [program for program, _shown in BLOCK.findall(text_of(path))]
    page = SPECIAL[path]
    for full in page.smaller:
        assert any(full in program for program in programs), full
    for word in page.left_out:
        assert sum(word in program for program in programs) == 1, word


def test_numbers_are_compared():
    assert same("xi2 = 0.30 ± 0.01 (INSIDE)", "xi2 = 0.301 ± 0.0101 (INSIDE)")
    assert not same("xi2 = 0.30 ± 0.01", "xi2 = 0.33 ± 0.01")
    assert not same("dtwa: agrees 1", "dtwa: differs 1")
    assert same("difference -5e-15 dB", "difference +3e-16 dB")


def commands():
    """Words of a command -> its options, by every name."""
    top = typer.main.get_command(app)
    found = {}

    def collect(command, words):
        options = {name for parameter in command.params for name in parameter.opts}
        found[words] = {name for name in options if name.startswith("-")} | {"--help", "-h"}
        for name, child in getattr(command, "commands", {}).items():
            collect(child, (*words, name))

    collect(top, ())
    return found


def commands_shown(text):
    """The words after `spinsqueeze` in console blocks and in code within sentences."""
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.M | re.S):
        for line in re.findall(r"^\$ \S*\bspinsqueeze (.*)", block, flags=re.M):
            yield shlex.split(re.sub(r"[][|]", " ", line), comments=True)
    for line in re.findall(r"`spinsqueeze ([^`]+)`", text):
        yield shlex.split(re.sub(r"[][|]", " ", " ".join(line.split())))


@pytest.mark.parametrize("path", PAGES)
def test_commands_and_options_shown_are_there(path):
    known = commands()
    for words in commands_shown(text_of(path)):
        command = next(tuple(words[:k]) for k in (2, 1, 0) if tuple(words[:k]) in known)
        assert command or words[0].startswith("-") or words == ["COMMAND", "--help"], words
        for word in words:
            if word.startswith("-") and not NUMBER.fullmatch(word):
                assert word in known[command], f"{path}: spinsqueeze {' '.join(words)}: {word}"
            if word.startswith("examples/"):
                assert (ROOT / word).exists(), f"{path}: {word}"


def test_every_command_and_option_is_on_the_page_of_the_command_line():
    text = text_of("docs/command_line.md")
    for words, options in commands().items():
        if words:
            assert f"spinsqueeze {' '.join(words)}" in text
        for option in {name for name in options if name.startswith("--")} - {"--help"}:
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{words}: {option}"
