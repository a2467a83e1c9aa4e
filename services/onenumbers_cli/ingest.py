"""`onenumbers ingest`: files and folders into the knowledge base."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers_cli.client import Connection, connected
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.output import err, print_json, print_text

SUFFIXES = frozenset({".md", ".markdown", ".txt"})
_HEADING = re.compile(r"^#\s+(.+?)\s*#*\s*$", re.MULTILINE)


def ingest_paths(*, paths: list[Path], category: str, source: str, to: Connection, as_json: bool) -> None:
    """Ingests each file as one document named after its path; a file that is refused does not stop the others.

    Raises:
        CommandError: A path does not exist, there is nothing to read, or a file was refused.
    """
    files = sorted(set(find(paths)))
    if not files:
        raise CommandError(f"no {', '.join(sorted(SUFFIXES))} files there", Exit.USAGE)
    results: list[dict[str, Any]] = []
    with connected(to) as client, _progress(quiet=as_json) as progress:
        stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(client.channel)
        task = progress.add_task("ingesting", total=len(files))
        for path in files:
            results.append(_ingest(client, stub, path, category, source))
            progress.advance(task)
    failed = [item for item in results if "error" in item]
    if as_json:
        print_json({"documents": results})
    else:
        for item in failed:
            err.print(f"{item['path']}: {item['error']}", markup=False)
        counts = Counter(item["outcome"] for item in results if "outcome" in item)
        done = ", ".join(f"{counts[key]} {key}" for key in ("created", "updated", "unchanged"))
        print_text(f"{done}, {len(failed)} failed")
    if failed:
        raise CommandError(f"{len(failed)} of {len(files)} files were not ingested", Exit(failed[0]["status"]))


def find(paths: list[Path]) -> Iterator[Path]:
    """Yields the files to ingest: those named, and those with a known suffix in the folders named.

    Raises:
        CommandError: A path does not exist.
    """
    for path in paths:
        if path.is_dir():
            yield from (item for item in path.rglob("*") if item.suffix.lower() in SUFFIXES and item.is_file())
        elif path.is_file():
            yield path
        elif matches := glob(str(path), recursive=True):  # noqa: PTH207 - a pattern as no shell has expanded it
            yield from (item for item in map(Path, matches) if item.suffix.lower() in SUFFIXES and item.is_file())
        else:
            raise CommandError(f"{path}: there is no such file or folder", Exit.USAGE)


def document_id(path: Path) -> str:
    """Returns an identifier that is the same for the same file, so that a changed file becomes a new version.

    Files of one name in two folders differ: a digest of the whole path ends the identifier.
    """
    words = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:80].strip("-") or "document"
    return f"{words}-{hashlib.sha256(str(path.resolve()).encode(errors='surrogateescape')).hexdigest()[:12]}"


def _ingest(client: Any, stub: Any, path: Path, category: str, source: str) -> dict[str, Any]:
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return {"path": str(path), "error": f"cannot be read as UTF-8 text: {error}", "status": int(Exit.INVALID)}
    heading = _HEADING.search(content)
    request = pb.IngestDocumentRequest(
        title=(heading[1] if heading else path.stem)[:300],
        content=content,
        category=category,
        source=source,
        document_id=document_id(path),
    )
    request.metadata.update({"path": str(path)})
    try:
        answer = client.call(stub.IngestDocument, request)
    except CommandError as error:
        if error.status in (Exit.UNAVAILABLE, Exit.DEADLINE):
            raise
        return {"path": str(path), "error": str(error), "status": int(error.status)}
    outcome = pb.IngestOutcome.Name(answer.outcome).removeprefix("INGEST_OUTCOME_").lower()
    return {"path": str(path), "document_id": answer.document.document_id, "outcome": outcome}


def _progress(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
        transient=True,
    )
