"""The scripts of the gallery, one for each study in examples/."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "examples"
PICTURES = {"dipolar_xxz_64x64": "dipolar_xxz_64x64.png", "phase_diagram": "phase_diagram.png"}
"""Studies that take longer than a page should: with the picture that is there already."""

INDEX = """Gallery
=======

Every study of the folder ``examples/``, run as it stands when these pages are made (but for the two
large ones, whose pictures are those of the README). Each is a file for ``spinsqueeze run``; the
lines of Python on its page do the same.
"""
CURVE = """
best = sq.optimum(data)
print(best)
figure = sq.plot.squeezing(data, optimum=best)
"""
STEADY = """
print(f"xi2 = {float(data.xi2):.5g} in the steady state")
"""
MAP = """
figure = sq.plot.sweep(data)
"""


def write_scripts(folder):
    """Write one script for each study into `folder`, and the text above them.

    Args:
        folder: Path, made where missing; scripts of studies that are gone are removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    studies = sorted(STUDIES.glob("*.toml"))
    names = {f"plot_{study.stem}.py" for study in studies}
    for old in folder.glob("*.py"):
        if old.name not in names:
            old.unlink()
    _write(folder / "GALLERY_HEADER.rst", INDEX)
    for study in studies:
        _write(folder / f"plot_{study.stem}.py", script_of(study))
        _write(folder / study.name, study.read_text(encoding="utf-8"))  # scripts run beside it


def script_of(study):
    """The script of one study file: its title and comment, its text, and how it is run.

    Args:
        study: Path of the file.
    """
    text = study.read_text(encoding="utf-8")
    tables = tomllib.loads(text)
    title = tables["title"]
    picture = PICTURES.get(study.stem)
    shown = "\n".join(f"# {line}".rstrip() for line in _listing(text, picture).splitlines())
    thumbnail = f"# sphinx_gallery_thumbnail_path = '_static/{picture}'\n" if picture else ""
    averaged = "average_over" in tables.get("sweep", {})
    after = MAP if "sweep" in tables and not averaged else CURVE
    if tables["run"].get("steady_state") if "run" in tables else False:
        after = STEADY
    return (
        f'"""\n{title}\n{"=" * len(title)}\n\n{_comment(text)}\n"""\n\n'
        f"# %%\n{shown}\n\n"
        f"{thumbnail}import spinsqueeze as sq\n\n"
        f'data = sq.run_study(sq.read_study("{study.name}"))\n{after.lstrip()}'
    )


def _comment(text):
    """The lines of comment at the head of a study."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# ").replace("*", "\\*").replace("`", ""))
    return "\n".join(lines)


def _listing(text, picture):
    """The study as it stands, without its comment, and the picture where it is not drawn here."""
    body = text.splitlines()
    while body and (body[0].startswith("#") or not body[0]):
        body.pop(0)
    listing = [".. code-block:: toml", "", *(f"    {line}".rstrip() for line in body)]
    return "\n".join(listing + (["", f".. image:: /_static/{picture}"] if picture else []))


def _write(path, text):
    """Write where the text changed, so that finished pages stay."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def figures(_block, variables, settings):
    """Save the figure that a block made, if it did; figures of spinsqueeze are not pyplot's."""
    from matplotlib.figure import Figure
    from sphinx_gallery.scrapers import figure_rst

    figure = variables["example_globals"].pop("figure", None)
    if not isinstance(figure, Figure):
        return ""
    path = next(variables["image_path_iterator"])
    figure.savefig(path, dpi=110)
    return figure_rst([path], settings["src_dir"])
