"""A figure that shows itself in notebooks; on its own, because it needs matplotlib at import."""

import io

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


class NotebookFigure(Figure):
    """A matplotlib figure that is unknown to pyplot and still shows as a picture in notebooks.

    Notebooks know how to show pyplot's figures only. This one draws itself on the Agg canvas, so
    it needs neither pyplot nor `%matplotlib inline` nor a display.
    """

    def __init__(self, width: float, height: float) -> None:
        """An empty figure of width x height inches."""
        super().__init__(figsize=(width, height), dpi=150, layout="constrained")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        image = io.BytesIO()
        self.savefig(image, format="png")
        return image.getvalue()
