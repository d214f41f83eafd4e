"""The sources of a result, and of this package, as BibTeX."""

import re
from importlib import resources

import xarray as xr

from spinsqueeze.core.calls import clear_call
from spinsqueeze.core.errors import InvalidInput
from spinsqueeze.results.dataset import checked_dataset

_TITLE = "spinsqueeze: spin squeezing of closed and open ensembles, every number with an error bar"
_PACKAGE = """\
@software{{spinsqueeze,
  author  = {{{{spinsqueeze developers}}}},
  title   = {{{title}}},
  version = {{{version}}}
}}"""


@clear_call
def bibtex(data: xr.Dataset) -> str:
    """BibTeX entries to cite with a result: this package, then the sources of its methods.

    The keys are those of its attribute `references`; of a sweep whose points used several methods,
    of all of them.

    Args:
        data: a result of a run, a sweep or a paper's figure.

    Raises:
        InvalidInput: not a result, or one that names no references.
    """
    attrs = checked_dataset(data, call="bibtex").attrs
    if "references" in attrs:
        named = [str(attrs["references"])]
    elif "references" in data:
        named = [str(keys) for keys in data["references"].values.ravel()]
    else:
        raise InvalidInput(
            "data must be a result with its references; this Dataset has neither an attribute nor "
            "a variable of that name: give what simulate, sweep or load returns"
        )
    keys = dict.fromkeys(key for keys in named for key in re.findall(r"\w+", keys))
    version = str(attrs.get("spinsqueeze_version", "unknown"))
    known = _entries()
    return "\n\n".join(
        [
            _PACKAGE.format(title=_TITLE, version=version),
            *(known[key] for key in keys if key in known),
        ]
    )


def _entries() -> dict[str, str]:
    """Key -> entry of the bibliography."""
    text = (resources.files("spinsqueeze") / "references.bib").read_text(encoding="utf-8")
    entries = re.findall(r"^(@\w+\{(\w+),.*?^\})", text, flags=re.M | re.S)
    return {key: entry for entry, key in entries}
