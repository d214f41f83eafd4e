"""The command `spinsqueeze`: its commands, and one line for everything that goes wrong."""

import functools
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from spinsqueeze.cli.branches import branches
from spinsqueeze.cli.equations import equations
from spinsqueeze.cli.info import info
from spinsqueeze.cli.merge import merge
from spinsqueeze.cli.methods import methods
from spinsqueeze.cli.options import INTERRUPTED
from spinsqueeze.cli.papers import papers
from spinsqueeze.cli.platforms import platforms
from spinsqueeze.cli.plot import plot
from spinsqueeze.cli.run import run
from spinsqueeze.cli.sensitivity import sensitivity
from spinsqueeze.cli.study import study
from spinsqueeze.cli.sweep import sweep
from spinsqueeze.cli.text import any_text
from spinsqueeze.cli.theorem import theorem
from spinsqueeze.core.errors import SpinSqueezeError
from spinsqueeze.core.output import FULL, reason

FAILED = 2
MAY_USE_DASK = ("sweep",)
# The class of every usage error; its home differs between releases of typer.
_UsageProblem: Any = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "ClickException")

app = typer.Typer(
    name="spinsqueeze",
    help="Spin squeezing: how much, when, in which direction, and how far to trust it.",
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # square brackets in help texts are plain text
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """Hand Ctrl-C on as an exit code: typer's own answer differs between its releases."""

    @functools.wraps(command)
    def wrapped(**options: Any) -> None:
        try:
            command(**options)
        except KeyboardInterrupt:
            raise typer.Exit(_interrupted()) from None

    return wrapped


def _interrupted() -> int:
    print("spinsqueeze: interrupted; no part of a file is left behind", file=sys.stderr)
    return INTERRUPTED


_COMMANDS = (
    run,
    sweep,
    merge,
    plot,
    info,
    study,
    methods,
    platforms,
    equations,
    branches,
    theorem,
    sensitivity,
)
for _command in _COMMANDS:
    app.command()(_interruptible(_command))
app.add_typer(papers, name="papers")


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)
    ] = False,
) -> None:
    if version:
        from spinsqueeze.results.provenance import version as package_version

        typer.echo(f"spinsqueeze {package_version()}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: the words after `spinsqueeze`; those of the process by default.

    Returns:
        Exit code: 0, or 2 after a mistake or a failure that one line on stderr explains, or 130
        after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _load_little(words)
    with any_text():
        return _main(words)


def _load_little(words: list[str]) -> None:
    """Keep dask and a search for plugins of pydantic out of a process of our own.

    Where dask is installed, xarray loads all of it (half a second) to ask whether an array is one
    of dask's; where importing it fails, xarray does without. Plugins of pydantic, which a study
    has no use for, are looked for in every package that is installed.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    if words and words[0] not in MAY_USE_DASK:
        sys.modules.setdefault("dask", None)  # type: ignore[arg-type]


def _main(words: list[str]) -> int:
    try:
        code = app(args=words, prog_name="spinsqueeze", standalone_mode=False)
        sys.stdout.flush()
    except SpinSqueezeError as error:
        return _failed(str(error))
    except _UsageProblem as error:
        return _failed(f"{_usage(error, words)} {_instead(words)}")
    except MemoryError:
        return _failed("out of memory; lower memory_budget, or take a smaller model")
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except (BrokenPipeError, SystemExit):
        # The reader of our output has left (typer then leaves too): say no more, also at exit.
        _print_no_more()
        return 0
    except OSError as error:
        if error.errno not in FULL:
            raise
        _print_no_more()
        return _failed(f"the standard output could not be written: {reason(error)}")
    return code if isinstance(code, int) else 0


def _usage(error: Any, words: list[str]) -> str:
    """What is wrong with the words, with the value that an option was given."""
    message = str(error.format_message())
    if message.startswith("No such command") and "Did you mean" not in message:
        context = error.ctx
        return f"{message} Known: {', '.join(context.command.list_commands(context))}."
    for option in getattr(getattr(error, "param", None), "opts", ()):
        given = [after for word, after in itertools.pairwise(words) if word == option]
        given += [word.partition("=")[2] for word in words if word.startswith(f"{option}=")]
        if message.startswith("Invalid value") and given and repr(given[-1]) not in message:
            return f"{message.rstrip('.')}, got {given[-1]!r}"
    return message


def _instead(words: list[str]) -> str:
    """What to type instead of a first word that is no command; else where help is."""
    word = words[0] if words else ""
    if word == "advise":
        return "methods STUDY says which methods fit a study, platforms NAME which model suits"
    if word.endswith((".toml", ".nc")):
        return f"type: spinsqueeze {'run' if word.endswith('.toml') else 'info'} {word}"
    return "(see spinsqueeze --help)"


def _print_no_more() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _failed(message: str) -> int:
    print(f"spinsqueeze: {' '.join(message.split())}", file=sys.stderr)
    return FAILED
