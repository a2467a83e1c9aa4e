"""Which files `onenumbers ingest` reads, and the identifiers of their documents."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from onenumbers_cli.errors import CommandError, Exit
from onenumbers_documents.kinds import SUFFIXES

_BLOCK = 1024 * 1024


def find(paths: list[Path]) -> Iterator[Path]:
    """Yields the files to ingest: those named, and those with a known suffix in the folders and patterns named.

    Below a folder, what is hidden (a name that begins with a dot) is passed over.

    Raises:
        CommandError: A path does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from (item for item in path.rglob("*") if _wanted(item) and not _hidden(item.relative_to(path)))
        elif path.exists():
            yield path
        elif matches := glob(str(path), recursive=True):  # noqa: PTH207 - a pattern as no shell has expanded it
            yield from (item for item in map(Path, matches) if _wanted(item))
        else:
            raise CommandError(f"{path}: there is no such file or folder", Exit.USAGE)


def _wanted(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _hidden(relative: Path) -> bool:
    return any(part.startswith(".") for part in relative.parts)


def place(path: Path, root: Path) -> tuple[str, str]:
    """Returns what identifies a file, and the name that is kept with its documents.

    Below `root` both are its path from there, the same on every machine. Elsewhere its whole path identifies it, and
    only its name is kept: the folders of a machine are nobody else's business.
    """
    whole = Path(os.path.abspath(path))  # noqa: PTH100 - a link is another file than what it points to
    try:
        relative = whole.relative_to(os.path.abspath(root)).as_posix()  # noqa: PTH100
    except ValueError:
        return whole.as_posix(), _text(path.name)
    return relative, _text(relative)


def document_id(identity: str) -> str:
    """Returns an identifier that is the same for the same file, so that a changed file becomes a new version.

    Files of one name in two folders differ: a digest of `identity` ends the identifier.
    """
    stem = identity.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    words = re.sub(r"[^a-z0-9]+", "-", stem.lower()).strip("-")[:60].strip("-") or "document"
    return f"{words}-{hashlib.sha256(identity.encode(errors='surrogateescape')).hexdigest()[:12]}"


def digest(path: Path) -> str:
    """Returns the SHA-256 of a file, hexadecimal.

    Raises:
        OSError: It cannot be read.
    """
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _text(name: str) -> str:
    """Returns a name that is text, whatever bytes it has on the disk."""
    return name.encode(errors="replace").decode()
