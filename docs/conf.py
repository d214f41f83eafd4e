"""Sphinx configuration: Markdown pages, and the API from the docstrings."""

import importlib.metadata
import re
import sys
from pathlib import Path

from spinsqueeze.core.registry import REGISTRY

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
from gallery_scripts import PICTURES, write_scripts  # noqa: E402

write_scripts(HERE / "_build" / "gallery_scripts")

project = "spinsqueeze"
author = "spinsqueeze developers"
copyright = "2026, spinsqueeze developers"
release = importlib.metadata.version("spinsqueeze")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
sphinx_gallery_conf = {
    "examples_dirs": "_build/gallery_scripts",
    "gallery_dirs": "gallery",
    "filename_pattern": rf"plot_(?!{'|'.join(PICTURES)})",
    "image_scrapers": ("gallery_scripts.figures",),
    "capture_repr": (),
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 1e9,
    "download_all_examples": False,
    "abort_on_example_error": True,
    "show_signature": False,
}
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_dmath_allow_labels = False
myst_heading_anchors = 3
myst_disable_syntax = ["html_inline", "html_block"]  # <s> is a mean value
exclude_patterns = ["_build", "_templates"]
default_role = "code"
smartquotes = False
templates_path = ["_templates"]
nitpicky = False

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "spinsqueeze"
html_static_path = ["_static"]
html_show_sourcelink = False
html_css_files = ["pages.css"]
html_sidebars = {"**": ["pages.html"]}
html_theme_options = {
    "navbar_center": [],
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

_ROLE = re.compile(r"(:\w+:`[^`]*`|``[^`]*``|`[^`]*`)")


def _escape(_app, _what, _name, _obj, _options, lines):
    """Docstrings are plain text with formulas: |x|, x* and s_ are not markup."""
    for k, line in enumerate(lines):
        parts = _ROLE.split(line)
        parts[::2] = [re.sub(r"([|*])|(?<=\w)_(?=\W|$)", r"\\\g<0>", text) for text in parts[::2]]
        lines[k] = "".join(parts)


def with_variables(_app, _docname, source):
    """The table of what a result holds is written from its registry."""
    rows = ["| name | dimensions | units | what |", "|---|---|---|---|"]
    for v in REGISTRY.values():
        what = re.sub(r"([|<>*_^])", r"\\\1", v.long_name)
        rows.append(f"| `{v.name}` | {', '.join(v.dims)} | {v.units} | {what} |")
    source[0] = source[0].replace("<!-- variables of a result -->", "\n".join(rows))


def setup(app):
    """Escape docstrings before their sections are read; fill tables in."""
    app.connect("source-read", with_variables)
    app.connect("autodoc-process-docstring", _escape, priority=400)
