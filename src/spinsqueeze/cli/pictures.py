"""Pictures on disk: checked before any work, written whole or not at all."""

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
    from spinsqueeze.core.output import check_writable

    if path.suffix.lower() not in FORMATS:
        raise InvalidInput(f"picture {path} must end in {', '.join(FORMATS)}")
    check_writable(path, overwrite=overwrite, kind="picture")


def check_names(study: Path, target: Path, picture: Path | None, *, overwrite: bool) -> None:
    """Check the output names of a run against its study, each other and what is there.

    Raises:
        InvalidInput: two of them are one file.
        FileProblem: one is there already, or cannot be one.
    """
    from spinsqueeze.core.output import replaces, same_place

    for name, path in (("--output", target), ("--plot", picture)):
        if path is None:
            continue
        if same_place(path, study):
            raise InvalidInput(f"{name} must not be the study file itself, got {path}")
        if not overwrite and replaces(path):
            raise FileProblem(f"{path} exists already; add --overwrite, or name another {name}")
    if picture is not None and same_place(picture, target):
        raise InvalidInput(f"--plot must not be the result file, got {picture} for both")


def checked_target(
    study: Path, output: Path | None, picture: Path | None, *, overwrite: bool
) -> Path:
    """The result file, beside the study where none is named, after checking it and the picture.

    Raises:
        InvalidInput: see `check_names` and `check_picture`.
        FileProblem: see `check_names` and `check_result_name`.
    """
    from spinsqueeze.results.files import check_result_name

    target = output if output is not None else Path(study.name).with_suffix(".nc")
    check_names(study, target, picture, overwrite=overwrite)
    check_result_name(target, overwrite=overwrite)
    if picture is not None:
        check_picture(picture, overwrite=overwrite)
    return target


_PER_INCH = {"": 1.0, "in": 1.0, "cm": 2.54, "mm": 25.4}


def width_of(text: str | None) -> float | str | None:
    """The width of a picture as it was typed, in inches: '8.6cm', '86 mm', '3.4in', '3.4'."""
    if text is None:
        return None
    number = text.strip().rstrip("cimn").rstrip()
    unit = text.strip().removeprefix(number).strip()
    try:
        return float(number) / _PER_INCH[unit]
    except (ValueError, KeyError):
        return text


def check_drawable(study: Any) -> None:
    """Check that the result of a study can be drawn.

    Raises:
        InvalidInput: it is one number, or a sweep over more than two dimensions.
    """
    if study.sweep is None:
        if study.steady_state:
            raise InvalidInput(
                "--plot draws curves, this study asks for a steady state; drop it. Its "
                "variance against angle is drawn by spinsqueeze plot RESULT --kind ellipse, steady "
                "states against a parameter by a study with [sweep]"
            )
        return
    from spinsqueeze.run.sweep import plan_of

    count = len(plan_of(study).axes)
    if count > 2:
        raise InvalidInput(
            f"--plot draws sweeps over one or two dimensions, this one has {count}; drop it"
        )


def draw(
    data: Any,
    path: Path,
    *,
    overwrite: bool,
    quantity: str | None = None,
    kind: str | None = None,
    **look: Any,
) -> None:
    """Draw a result and write the picture: curves in time, or a sweep over its parameters.

    look: `width`, `title` and `labels` of the picture, see `plot.squeezing`.

    Raises:
        InvalidInput: there is nothing to draw, a quantity is asked of a single run, or the kind of
            picture is unknown.
        FileProblem: the picture cannot be written.
    """
    check_picture(path, overwrite=overwrite)
    if kind not in (None, "ellipse"):
        raise InvalidInput(f"--kind must be 'ellipse', got {kind!r}; drop it for the usual picture")
    import matplotlib

    matplotlib.use("agg")

    from spinsqueeze.plot.files import write_picture

    write_picture(_figure(data, quantity, kind, look), path)


def _figure(data: Any, quantity: str | None, kind: str | None, look: dict[str, Any]) -> Any:
    from spinsqueeze import plot
    from spinsqueeze.results.grid import sweep_dims
    from spinsqueeze.run.optimum import optimum

    if kind == "ellipse":
        if dims := sweep_dims(data):
            raise InvalidInput(
                f"--kind ellipse draws one run, this is a sweep over {', '.join(dims)}; run one "
                "point of it, or leave --kind out"
            )
        return plot.ellipse(data, **look)
    if "special_kind" in data:
        look = {name: value for name, value in look.items() if name != "labels"}
        return plot.branches(data, quantity=quantity or "z", **look)
    if "metrological_gain" in data:
        return plot.sensitivity(data, **look)
    if "status" in data:
        return plot.sweep(data, quantity=quantity, **look)
    if quantity is not None:
        raise InvalidInput("--quantity chooses what to draw of a sweep, this is a single run")
    try:
        best = optimum(data)
    except SpinSqueezeError:
        best = None  # a curve without a squeezed point is drawn all the same
    return plot.squeezing(data, optimum=best, **look)
