"""Spin squeezing: any model by any method that fits it, every number with an error bar.

The public names stand in `__init__.pyi`; each is loaded when first used, so that
`import spinsqueeze` is quick.
"""

from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from spinsqueeze.results.provenance import version

        return version()
    try:
        return _load(name)
    except AttributeError:
        if name in __all__ or name.startswith("_"):
            raise
    raise AttributeError(f"spinsqueeze has no name {name!r}{_close_to(name)}", name=name)


def _close_to(name: str) -> str:
    """'; did you mean ...?' where a public name is close, whatever its case and underscores."""
    import difflib

    plain = {known.lower().replace("_", ""): known for known in __all__}
    close = difflib.get_close_matches(name.lower().replace("_", ""), plain, n=1)
    return f"; did you mean {plain[close[0]]!r}?" if close else ""
