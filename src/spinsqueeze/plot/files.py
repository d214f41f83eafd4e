"""Pictures as files: drawn in memory, written whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from spinsqueeze.core.output import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_picture(figure: Figure, path: Path) -> None:
    """Write a picture in the format of its name (.png, .pdf, .svg).

    Raises:
        FileProblem: the file cannot be written; see `write_bytes`.
    """
    image = io.BytesIO()
    figure.savefig(image, format=path.suffix.removeprefix(".").lower())
    write_bytes(image.getbuffer(), path, kind="picture")
