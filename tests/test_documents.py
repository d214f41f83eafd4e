"""What README and docs say is true: examples run, tables are complete, sources exist."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
import runpy
import tomllib
from pathlib import Path

import pytest

import spinsqueeze
from spinsqueeze.core.registry import LAB_FIGURES, REGISTRY
from spinsqueeze.methods.base.method import Method
from spinsqueeze.methods.registry import METHODS
from spinsqueeze.models.catalogue import HAMILTONIAN_TERMS, INITIAL_STATES, JUMP_TERMS
from spinsqueeze.models.lab import NAMES, STANDING_WAVE_CLASSES, LabNumbers
from spinsqueeze.models.lab_spin_numbers import NAMES as SPIN_NAMES
from spinsqueeze.models.lab_spin_numbers import LabSpinNumbers
from spinsqueeze.models.readout import Readout
from spinsqueeze.models.term import HamiltonianTerm, JumpTerm
from spinsqueeze.observables.squeezing import SqueezingStatus
from spinsqueeze.run.study_file import study_from_tables

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "spinsqueeze"


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8")


def blocks(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(path), flags=re.M | re.S)


def rows(path, first, *, section=""):
    """The rows of a table whose first cell is `first` in code, in the section of that heading."""
    pattern = rf"^\| `{re.escape(first)}` \|(.*)$"
    _, found, text = f"\n{text_of(path)}".partition(f"\n## {section}" if section else "\n")
    assert found, section
    if section:
        text = text.partition("\n## ")[0]
    return re.findall(pattern, text, flags=re.M)


@pytest.mark.parametrize("path", ["README.md", "docs/study_files.md"])
def test_the_first_study_shown_is_the_main_example(path):
    shown = study_from_tables(tomllib.loads(blocks(path, "toml")[0]))
    main = study_from_tables(tomllib.loads(text_of("examples/dipolar_xxz_64x64.toml")))
    assert shown.as_tables() == main.as_tables()


def test_every_other_toml_block_fits_into_a_study():
    for block in blocks("docs/study_files.md", "toml")[1:]:
        host = "exact_4x4" if "[sweep]" in block or "[losses]" in block else "twist_untwist"
        host = "clock_transition_87sr" if "[lab]" in block else host
        host = "twisting_in_hertz" if "[lab]" in block and "[ensemble]" in block else host
        base = tomllib.loads(text_of(f"examples/{host}.toml"))
        study_from_tables({**base, **tomllib.loads(block)})


@pytest.mark.parametrize("name", [*NAMES, "keep_cavity"])
def test_every_number_of_the_laboratory_is_listed_with_its_default(name):
    (row,) = rows("docs/study_files.md", name, section="`[lab]`")
    written = re.findall(r"`(.*)`", row.split("|")[0])
    wanted = {f.name: f.default for f in dataclasses.fields(LabNumbers)} | {"keep_cavity": True}
    default = STANDING_WAVE_CLASSES if name == "n_classes" else wanted[name]
    if default is dataclasses.MISSING or default is None:
        assert not written
    else:
        assert tomllib.loads(f"value = {written[0]}")["value"] == default


@pytest.mark.parametrize("name", SPIN_NAMES)
def test_every_number_of_spins_in_a_laboratory_is_listed_with_its_default(name):
    (row,) = rows("docs/study_files.md", name, section="`[lab]` beside")
    written = re.findall(r"`(.*)`", row.split("|")[0])
    default = {f.name: f.default for f in dataclasses.fields(LabSpinNumbers)}[name]
    assert [tomllib.loads(f"value = {text}")["value"] for text in written] == (
        [] if default is None else [default]
    )


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Readout)])
def test_a_readout_is_listed(name):
    assert rows("docs/study_files.md", name, section="`[readout]`")


def test_the_page_of_the_laboratory_shows_the_examples():
    study = blocks("docs/laboratory.md", "toml")[0]
    example = study_from_tables(tomllib.loads(text_of("examples/rydberg_echo.toml")))
    assert study_from_tables(tomllib.loads(study)).as_tables() == example.as_tables()
    for name in re.findall(r"`(\w+\.toml)`", text_of("docs/laboratory.md")):
        assert (ROOT / "examples" / name).exists(), name


def test_the_page_of_lattice_shapes_runs(capsys):
    (program,) = blocks("docs/lattice_shapes.md", "python")
    names = {}
    exec(compile(program, "lattice_shapes.md", "exec"), names)
    assert 0 < names["fit"].exponent < 3
    assert "dB" in capsys.readouterr().out


@pytest.mark.parametrize("name", LAB_FIGURES)
def test_every_figure_of_a_laboratory_is_told(name):
    assert f"`{name}`" in text_of("docs/study_files.md").partition("\n## `[lab]`")[2]


@pytest.mark.parametrize("name", [*HAMILTONIAN_TERMS, *JUMP_TERMS])
def test_every_term_and_its_fields_are_listed(name):
    kind = {**HAMILTONIAN_TERMS, **JUMP_TERMS}[name]
    section = "`[[hamiltonian]]`" if name in HAMILTONIAN_TERMS else "`[[jumps]]`"
    found = rows("docs/study_files.md", name, section=section)
    assert len(found) == 1, f"docs/study_files.md, {section}: add | `{name}` | fields | operator |"
    listed = re.findall(r"`(\w+)(?: = [^`]*)?`", found[0].split("|")[0])
    fields = [field.name for field in dataclasses.fields(kind)]
    assert listed == fields, f"docs/study_files.md, {section}: fields of `{name}`"


def defined(kind):
    """The final classes of this kind that the package itself defines, also in a forgotten file."""
    for path in (*SOURCE.glob("models/*.py"), *SOURCE.glob("methods/*/method.py")):
        importlib.import_module(".".join(path.relative_to(SOURCE.parent).with_suffix("").parts))
    for child in kind.__subclasses__():
        if child.__module__.startswith("spinsqueeze.") and getattr(child, "__final__", False):
            yield child
        yield from defined(child)


@pytest.mark.parametrize(
    ("kind", "listed", "where"),
    [
        (HamiltonianTerm, HAMILTONIAN_TERMS, "HAMILTONIAN_TERMS of models/catalogue.py"),
        (JumpTerm, JUMP_TERMS, "JUMP_TERMS of models/catalogue.py"),
        (Method, METHODS, "METHODS of methods/registry.py"),
    ],
)
def test_what_is_written_is_registered_and_public(kind, listed, where):
    for child in defined(kind):
        assert child in listed.values(), f"add {child.__name__} to {where}"
        assert child.__name__ in spinsqueeze.__all__, (
            f"add {child.__module__}.{child.__name__} to src/spinsqueeze/__init__.pyi"
        )


@pytest.mark.parametrize("name", METHODS)
def test_every_method_and_its_options_are_listed(name):
    found = rows("docs/study_files.md", name, section="`[method]`")
    assert len(found) == 1, f"docs/study_files.md, [method]: add | `{name}` | `option = default` |"
    (row,) = found
    defaults = {field.name: field.default for field in dataclasses.fields(METHODS[name])}
    listed = dict(re.findall(r"`(\w+) = ([^`]*)`", row))
    without_default = set(re.findall(r"`(\w+)`", row))
    assert without_default == {option for option, value in defaults.items() if value is None}
    assert set(listed) == set(defaults) - without_default
    for option, value in tomllib.loads("\n".join(f"{k} = {v}" for k, v in listed.items())).items():
        default = defaults[option]
        assert value == (list(default) if isinstance(default, tuple) else default)
    for path in ("docs/methods.md", "README.md"):
        assert rows(path, name), f"{path}: add a row of `{name}` to the table of methods"
    section = text_of("docs/methods.md").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert "**Wrong when" in section, f"docs/methods.md: add ## {name}, with **Wrong when** ..."
    folder = Path(inspect.getfile(METHODS[name])).parent
    assert (folder / "NOTES.md").exists(), f"{folder}: add NOTES.md, the equations"


def test_variables_of_a_result_are_a_table_of_the_conventions():
    conf = runpy.run_path(str(DOCS / "conf.py"))
    source = [text_of("docs/conventions.md")]
    conf["with_variables"](None, "conventions", source)
    for name in REGISTRY:
        assert f"\n| `{name}` | " in source[0]


@pytest.mark.parametrize("name", INITIAL_STATES)
def test_every_initial_state_is_listed(name):
    assert rows("docs/study_files.md", name, section="`[initial_state]`")


def test_every_status_is_listed():
    text = text_of("docs/conventions.md")
    for status in SqueezingStatus:
        assert f"| {status.value} | {status.name} |" in text


def test_every_public_name_is_in_the_api():
    listed = set(re.findall(r"^   ([A-Za-z_.]+)$", text_of("docs/api.rst"), flags=re.M))
    public = set(spinsqueeze.__all__) - {"plot"}
    public |= {f"plot.{name}" for name in spinsqueeze.plot.__all__}
    assert not public - listed, f"docs/api.rst: add {public - listed}"
    assert not listed - public, f"not in src/spinsqueeze/__init__.pyi: {listed - public}"
    for name in listed:
        assert _resolved(name).__doc__


def _resolved(name):
    return pkgutil.resolve_name(f"spinsqueeze.{name}")


def entries():
    return re.findall(r"^@\w+\{(\w+),", text_of("src/spinsqueeze/references.bib"), flags=re.M)


def test_every_source_cited_has_an_entry():
    keys = entries()
    assert len(set(keys)) == len(keys)
    cited = {}
    for path in [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.md"), *DOCS.glob("*.md")]:
        for key in re.findall(r"\b[a-z]{3,}(?:19|20)\d\d\b", path.read_text(encoding="utf-8")):
            cited.setdefault(key, path)
    missing = {key: str(path) for key, path in cited.items() if key not in keys}
    assert not missing
    for method in METHODS.values():
        unknown = set(method.references) - set(keys)
        assert not unknown, f"src/spinsqueeze/references.bib: add {unknown}"


def test_every_entry_of_the_bibliography_is_complete():
    text = text_of("src/spinsqueeze/references.bib")
    for entry in re.split(r"\n(?=@)", text)[1:]:
        for field in ("author", "title", "year"):
            assert re.search(rf"^\s+{field}\s+= \{{.+\}}", entry, flags=re.M), entry[:60]
        assert "doi" in entry or "eprint" in entry
        assert entry.count("{") == entry.count("}")


def test_the_pictures_of_the_readme_are_there_and_small():
    sources = re.findall(r'<img src="([^"]+)"', text_of("README.md"))
    assert len(sources) == 3
    for source in sources:
        assert 10_000 < (ROOT / source).stat().st_size < 150_000


def test_files_named_to_contributors_are_there():
    named = re.findall(r"`([\w.-]+(?:/[\w.-]*)+)`", text_of("CONTRIBUTING.md"))
    assert "models/catalogue.py" in named
    for path in named:
        assert any((base / path).exists() for base in (ROOT, SOURCE)), f"CONTRIBUTING.md: {path}"


def test_links_between_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
