"""A figure that shows itself in notebooks; on its own, because it needs matplotlib at import."""

import io
from collections.abc import Callable
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A matplotlib figure that is unknown to pyplot and still shows as a picture in notebooks.

    Notebooks know how to show pyplot's figures only. This one draws itself on the Agg canvas, so
    it needs neither pyplot nor `%matplotlib inline` nor a display.

    before_drawing: what is still to be fitted into it, once, when it is drawn first.
    """

    def __init__(self, width: float, height: float) -> None:
        """An empty figure of width x height inches."""
        super().__init__(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(self)
        self.before_drawing: list[Callable[[], None]] = []

    def draw(self, renderer: Any) -> None:
        """Fit what is still to be fitted, then draw."""
        pending, self.before_drawing = self.before_drawing, []
        for work in pending:
            work()
        super().draw(renderer)

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()
