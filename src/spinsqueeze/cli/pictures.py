"""Pictures on disk: checked before any work, written whole or not at all."""

import os
from pathlib import Path
from typing import Any

from spinsqueeze.core.errors import FileProblem, InvalidInput, SpinSqueezeError

FORMATS = (".png", ".pdf", ".svg")


def check_picture(path: Path, *, overwrite: bool) -> None:
    """Check that a picture can be written to `path`.

    Raises:
        InvalidInput: the name ends in no known picture format.
        FileProblem: the path cannot be written.
    """
    from spinsqueeze.results.files import check_writable

    if path.suffix.lower() not in FORMATS:
        raise InvalidInput(f"picture {path} must end in {', '.join(FORMATS)}")
    check_writable(path, overwrite=overwrite)


def draw(data: Any, path: Path, *, overwrite: bool) -> None:
    """Draw a result and write the picture.

    Raises:
        FileProblem: the picture cannot be written.
    """
    check_picture(path, overwrite=overwrite)
    import matplotlib

    matplotlib.use("agg")
    from spinsqueeze.plot import squeezing
    from spinsqueeze.run.optimum import optimum

    aside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    try:
        try:
            best = optimum(data)
        except SpinSqueezeError:
            best = None  # a curve without a squeezed point is drawn all the same
        figure = squeezing(data, optimum=best)
        figure.savefig(aside)
        os.replace(aside, path)
    except OSError as error:
        raise FileProblem(f"picture {path} could not be written: {error}") from None
    finally:
        aside.unlink(missing_ok=True)
