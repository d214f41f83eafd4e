"""`spinsqueeze study`: the study file of a result; and what every command reads studies with."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from spinsqueeze.cli.options import Overwrite


def study(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Result file.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="STUDY", help="Study file [default: print it]."),
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write the study that a result came from, with every option of its method, as TOML."""
    from spinsqueeze.core.output import check_writable, write_bytes
    from spinsqueeze.results.files import load
    from spinsqueeze.run.rerun import study_text

    if output is not None:
        check_writable(output, overwrite=overwrite, kind="study")
    text = study_text(load(file))
    if output is None:
        print(text, end="")
    else:
        write_bytes(text.encode(), output, kind="study")
        print(f"study: {output}")


def read(file: Path) -> tuple[Any, Any]:
    """A study, and the result that it is taken from; None: `file` is a study file.

    Raises:
        FileProblem: the file cannot be read.
        InvalidInput: it is no study, and no result that can be run again.
    """
    from spinsqueeze.run.study_file import is_result, read_study

    if not is_result(file):
        return read_study(file), None
    from spinsqueeze.core.errors import InvalidInput
    from spinsqueeze.results.files import load
    from spinsqueeze.results.provenance import another_version
    from spinsqueeze.run.rerun import study_to_rerun

    data = load(file)
    if "metrological_gain" in data:
        raise InvalidInput(_sensitivity_again(file, data))
    asked = study_to_rerun(data)
    note = another_version(data.attrs)
    if note:
        print(f"warning: {file}: {note}", file=sys.stderr)
    return asked, data


def _sensitivity_again(file: Path, data: Any) -> str:
    """The commands that make a sensitivity once more."""
    options = f"--pulse {int(data.attrs['signal'])}"
    options += " --axis best" if "best_axis" in data else ""
    if "phase" in data.dims:
        phases = data["phase"].values
        options += f" --phases {phases[0]:.6g} {phases[-1]:.6g} {len(phases)}"
    return (
        f"{file} is a sensitivity, not a run; make it again with: spinsqueeze study {file} -o "
        f"study.toml, then: spinsqueeze sensitivity study.toml {options}"
    )


def result_name(file: Path, data: Any) -> Path:
    """The result file of a study that names none: in the current folder, never the file itself."""
    return Path(file.name).with_suffix(".nc") if data is None else Path(f"{file.stem}_rerun.nc")
