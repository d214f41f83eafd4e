"""Finished points on disk: whole or not at all, each under the hash of what determines it."""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, final

from spinsqueeze.core.errors import FileProblem
from spinsqueeze.core.output import ASIDE, reason, replace_file
from spinsqueeze.core.plain import digest
from spinsqueeze.results.points import Point, unpack

NUMBERS = 7
"""Version of the numbers: raise it with any change of the code that changes a result."""

MARK = "spinsqueeze-store"
FORMAT = "spinsqueeze store of sweep points, format 1\n"
SUFFIX = ".point"
STALE = 3600.0
_UNHASHED = ("title", "sweep")


def point_key(
    tables: Mapping[str, Any], *, blocks: bool, known: Mapping[int, bytes] | None = None
) -> str:
    """The hash of a point: its study without title and sweep, NUMBERS, and what is kept.

    Args:
        tables: the point's study.
        blocks: whether the moments of the sample blocks are kept.
        known: digests by identity of the parts that points share, from `digests`.
    """
    shared = known or {}
    whole = hashlib.sha256(f"{NUMBERS} {int(blocks)}".encode())
    for name in sorted(tables):
        if name not in _UNHASHED:
            part = shared.get(id(tables[name])) or digest(tables[name])
            whole.update(name.encode() + b"\0" + part)
    return whole.hexdigest()


def digests(tables: Mapping[str, Any]) -> dict[int, bytes]:
    """Digests of the parts of a study by their identity, valid while the tables live."""
    return {id(part): digest(part) for part in tables.values() if isinstance(part, dict | list)}


@final
class Store:
    """A folder with one file for each finished point.

    Several runs may share it, also at the same time: a file is written aside, synced to disk and
    renamed, and holds the same numbers whoever writes it.
    """

    def __init__(self, folder: str | Path, *, say: Callable[[str], None]) -> None:
        """Open a store, or make one.

        Args:
            folder: the folder; made where it is missing.
            say: told about files that were damaged.

        Raises:
            FileProblem: the folder cannot be made, or holds something else.
        """
        self.folder = Path(folder)
        self._say = say
        self._made: list[Path] = []
        try:
            self._made = [p for p in (self.folder, *self.folder.parents) if not p.exists()]
            self.folder.mkdir(parents=True, exist_ok=True)
            mark = self.folder / MARK
            if not mark.exists():
                if any(p.suffix != SUFFIX and not _ours(p) for p in self.folder.iterdir()):
                    raise FileProblem(
                        f"store {self.folder} is a folder with other files in it; name an empty "
                        "or a new one"
                    )
                replace_file(FORMAT.encode(), mark)
            elif mark.read_text(errors="replace") != FORMAT:
                raise FileProblem(
                    f"store {self.folder} is of another format than this version's; name a new one"
                )
            self._sweep_up()
        except FileProblem:
            raise
        except OSError as error:
            raise FileProblem(f"store {self.folder} cannot be used: {reason(error)}") from None

    def path(self, key: str) -> Path:
        """Where the point of this key lies."""
        return self.folder / f"{key}{SUFFIX}"

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys for which there is a file."""
        there = {name.removesuffix(SUFFIX) for name in os.listdir(self.folder)}
        return there.intersection(keys)

    def read(self, key: str) -> Point | None:
        """The finished point of a key; None if it is missing, or damaged and now removed.

        Raises:
            FileProblem: the file cannot be read although it is there.
        """
        path = self.path(key)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise FileProblem(
                f"store {self.folder}: {path.name} cannot be read: {error.strerror}"
            ) from None
        try:
            return unpack(raw)
        except (FileProblem, ValueError) as problem:
            self._say(
                f"store {self.folder}: {path.name} is damaged ({problem}); it is removed and "
                "the point computed again"
            )
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            return None

    def write(self, key: str, packed: bytes) -> None:
        """Put a point on disk; on return it is there, whole.

        Raises:
            FileProblem: the disk is full, or the folder cannot be written; nothing is left of
                the attempt.
        """
        try:
            if not self.folder.exists():  # another run made it, and left it without a point
                self.folder.mkdir(parents=True, exist_ok=True)
                replace_file(FORMAT.encode(), self.folder / MARK)
            replace_file(packed, self.path(key))
        except OSError as error:
            raise FileProblem(f"store {self.folder} cannot be written: {reason(error)}") from None

    def leave(self) -> None:
        """Remove the folders that this store made, if no point came into it."""
        if self._made and os.listdir(self.folder) == [MARK]:
            with contextlib.suppress(OSError):
                (self.folder / MARK).unlink()
                for folder in self._made:
                    folder.rmdir()

    def _sweep_up(self) -> None:
        """Remove what killed runs left half-written; that of running ones is younger."""
        for path in self.folder.iterdir():
            if _ours(path):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > STALE:
                        path.unlink()


def _ours(path: Path) -> bool:
    return path.name.startswith(ASIDE)
