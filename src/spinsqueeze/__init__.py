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
    return _load(name)
