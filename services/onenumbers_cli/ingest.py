"""`onenumbers ingest`: files and folders into the knowledge base."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers.knowledge.v1 import knowledge_pb2_grpc
from onenumbers_cli.client import Connection, MeshClient, connected
from onenumbers_cli.errors import CommandError, Exit
from onenumbers_cli.ingest_files import digest, document_id, find, place
from onenumbers_cli.output import err, print_json, print_text
from onenumbers_documents.identifiers import key_id
from onenumbers_documents.kinds import SUFFIXES
from onenumbers_documents.model import PARSER_VERSION, Columns, DocumentError, Note, ParsedDocument
from onenumbers_documents.reader import Reader

OUTCOMES = ("created", "updated", "unchanged")
_MOST_SHOWN = 100
"""Warnings and refused rows of a file that are told one by one; the others are counted."""
_MOST_PARTS = 200
"""Parts of a text: more do not fit into the largest file that is read."""
_FATAL = (Exit.UNAVAILABLE, Exit.DEADLINE)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the options of the command say about the documents."""

    category: str | None = None
    """For all documents; what a file says itself when None, else "interpretation"."""
    source: str | None = None
    """For all documents; what a file says itself when None, else "modern"."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    columns: Columns = field(default_factory=Columns)
    root: Path = field(default_factory=Path)
    """Folder from which paths count."""

    def fingerprint(self, content: str) -> str:
        """Returns a digest of all that the documents of a file follow from, its content's digest among it."""
        parts = [PARSER_VERSION, content, self.category, self.source, dict(self.metadata), asdict(self.columns)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(slots=True)
class FileResult:
    """What became of a file."""

    path: str
    document_id: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    """Documents by outcome, and "failed"."""
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    status: int = 0
    """Exit status that the file asks for."""

    def fail(self, reason: str, status: int) -> None:
        """Remembers what could not be ingested."""
        self.counts["failed"] += 1
        self.status = self.status or status
        if len(self.errors) < _MOST_SHOWN:
            self.errors.append(reason)

    def warn(self, warning: str) -> None:
        """Remembers what a person should know."""
        if len(self.warnings) < _MOST_SHOWN:
            self.warnings.append(warning)

    @property
    def outcome(self) -> str:
        """What happened to the file as a whole."""
        return next((name for name in ("failed", "parsed", *OUTCOMES) if self.counts[name]), "unchanged")

    def as_json(self) -> dict[str, Any]:
        """Returns it for programs."""
        value: dict[str, Any] = {"path": self.path, "document_id": self.document_id, "outcome": self.outcome}
        value["documents"] = {name: count for name, count in self.counts.items() if count}
        value |= {name: items for name, items in (("warnings", self.warnings), ("errors", self.errors)) if items}
        return value | ({"error": self.errors[0], "status": self.status} if self.errors else {})


def ingest_paths(
    *,
    paths: list[Path],
    to: Connection,
    as_json: bool,
    category: str | None = None,
    source: str | None = None,
    metadata: Mapping[str, str] | None = None,
    columns: Columns | None = None,
    root: Path | None = None,
    dry_run: bool = False,
    verbose: bool = False,
) -> None:
    """Ingests files; one that is refused does not stop the others, a server that is gone does.

    Raises:
        CommandError: A path does not exist, there is nothing to read, or something was refused.
    """
    wishes = Wishes(category, source, metadata or {}, columns or Columns(), root or Path())
    files = sorted(set(find(paths)))
    if not files:
        raise CommandError(f"no {', '.join(sorted(SUFFIXES))} files there", Exit.USAGE)
    results: list[FileResult] = []
    stopped: CommandError | None = None
    try:
        with connected(to) as client, _progress(quiet=as_json) as progress, Reader() as reader:
            work = _Work(reader, wishes, None if dry_run else client)
            task = progress.add_task("reading" if dry_run else "ingesting", total=len(files))
            for path in files:
                result = FileResult(str(path).encode(errors="replace").decode())
                results.append(result)
                progress.update(task, description=path.name.encode(errors="replace").decode()[:40])
                work.file(path, result)
                progress.advance(task)
                if verbose and not as_json:
                    err.print(f"{result.path}: {_told(result)}", markup=False)
    except CommandError as error:
        stopped = error
    _report(results, as_json=as_json, dry_run=dry_run)
    if stopped is not None:
        raise stopped
    failed = [result for result in results if result.status]
    if failed:
        count = sum(result.counts["failed"] for result in failed)
        raise CommandError(f"{count} documents of {len(failed)} files were not ingested", Exit(failed[0].status))


class _Work:
    """Reads files one after another and hands their documents to the server."""

    def __init__(self, reader: Reader, wishes: Wishes, client: MeshClient | None) -> None:
        self._reader = reader
        self._wishes = wishes
        self._client = client
        self._stub: Any = knowledge_pb2_grpc.KnowledgeServiceStub(client.channel) if client is not None else None

    def file(self, path: Path, result: FileResult) -> None:
        """Ingests a file.

        Raises:
            CommandError: The server is gone.
        """
        identity, shown = place(path, self._wishes.root)
        result.document_id = document_id(identity)
        try:
            # Before the digest: a file that is too large is not read even for that.
            fingerprint = self._fingerprint(path)
            known = self._known(result.document_id)
            if _complete(known, fingerprint, result):
                return
            self._documents(path, shown, fingerprint, known, result)
        except DocumentError as error:
            result.fail(str(error), Exit.INVALID)
        except OSError as error:
            result.fail(f"cannot be read: {error.strerror}", Exit.INVALID)

    def _fingerprint(self, path: Path) -> str:
        size, most = path.stat().st_size, self._reader.limits.max_bytes
        # The reader refuses it, with the reason; so it does what is no file.
        if size > most or not path.is_file():
            return ""
        return self._wishes.fingerprint(digest(path))

    def _documents(
        self, path: Path, shown: str, fingerprint: str, known: Mapping[str, Any], result: FileResult
    ) -> None:
        """Ingests the documents of a file, the first one last: with the fingerprint it says that all are there."""
        items = self._reader.read(path, columns=self._wishes.columns)
        first = next(self._new(items, result, set()), None)
        if first is None:
            if not result.status:
                result.fail("holds no documents", Exit.INVALID)
            return
        key = key_id(result.document_id, first.key)
        if key != result.document_id:
            known = self._known(key)
            if _complete(known, fingerprint, result):
                items.close()
                return
        count = 1
        for document in self._new(items, result, {first.key}):
            if count == 1 and known:
                # Were the work cut short, the fingerprint of before would call a mixture of both complete.
                self._ingest(first, shown, {}, FileResult(result.path, result.document_id))
            self._ingest(document, shown, {}, result)
            count += 1
        complete = {"fingerprint": fingerprint, "documents": count}
        self._ingest(first, shown, {} if result.status else complete, result)
        if first.key in ("", "part-1") and not result.status:
            self._drop_parts(count, known, result.document_id)

    def _new(
        self, items: Iterator[ParsedDocument | Note], result: FileResult, seen: set[str]
    ) -> Iterator[ParsedDocument]:
        """Yields the documents whose key no other of the file has; remembers the notes between them."""
        for item in items:
            if isinstance(item, ParsedDocument):
                if item.key in seen:
                    result.fail(f"the id {item.key[:60]!r} is that of an earlier row", Exit.INVALID)
                    continue
                seen.add(item.key)
                yield item
            elif item.refused:
                result.fail(item.text, Exit.INVALID)
            else:
                result.warn(item.text)

    def _ingest(self, document: ParsedDocument, shown: str, more: Mapping[str, Any], result: FileResult) -> None:
        if self._client is None:
            result.counts["parsed"] += 1
            return
        request = pb.IngestDocumentRequest(
            title=document.title,
            content=document.content,
            category=self._wishes.category or document.category or "interpretation",
            source=self._wishes.source or document.source or "modern",
            document_id=key_id(result.document_id, document.key),
            school=document.school,
            numbers=document.numbers,
            language=document.language,
        )
        request.metadata.update({**document.metadata, "path": shown, **self._wishes.metadata, **more})
        try:
            answer = self._client.call(self._stub.IngestDocument, request)
        except CommandError as error:
            if error.status in _FATAL:
                raise
            where = f"{document.title}: " if document.key else ""
            result.fail(f"{where}{error}", error.status)
            return
        result.counts[pb.IngestOutcome.Name(answer.outcome).removeprefix("INGEST_OUTCOME_").lower()] += 1
        if answer.duplicates:
            nearest = answer.duplicates[0]
            alike = "has the same text as" if nearest.same_content else "is nearly the same as"
            others = f" and {len(answer.duplicates) - 1} more" if len(answer.duplicates) > 1 else ""
            result.warn(f"{answer.document.document_id} {alike} {nearest.document_id}{others}")

    def _known(self, identifier: str) -> dict[str, Any]:
        """Returns the metadata of a document as the server has it; empty where it has none."""
        if self._client is None:
            return {}
        try:
            answer = self._client.call(self._stub.GetDocument, pb.GetDocumentRequest(document_id=identifier))
        except CommandError as error:
            if error.status in _FATAL:
                raise
            # Whatever it is, ingesting tells it again.
            return {}
        return dict(answer.document.info.metadata.items())

    def _drop_parts(self, count: int, known: Mapping[str, Any], identifier: str) -> None:
        """Deletes the parts that a long text had before and has no more."""
        if self._client is None or "fingerprint" not in known:
            return
        for number in range(count + 1, min(int(known.get("documents", 1)), _MOST_PARTS) + 1):
            request = pb.DeleteDocumentRequest(document_id=key_id(identifier, f"part-{number}"))
            try:
                self._client.call(self._stub.DeleteDocument, request)
            except CommandError as error:
                if error.status is not Exit.NOT_FOUND:
                    raise


def _complete(known: Mapping[str, Any], fingerprint: str, result: FileResult) -> bool:
    """Whether all documents of a file are there as they would be made now; counts them."""
    if not fingerprint or known.get("fingerprint") != fingerprint:
        return False
    result.counts["unchanged"] += int(known.get("documents", 1))
    return True


def parse_pairs(pairs: list[str], what: str) -> dict[str, str]:
    """Returns what options such as `--metadata KEY=VALUE` say.

    Raises:
        CommandError: One has no `=`, or no key.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise CommandError(f"{what} {pair}: must be KEY=VALUE", Exit.USAGE)
        found[key.strip()] = value
    return found


def parse_columns(pairs: list[str]) -> Columns:
    """Returns which columns are what.

    Raises:
        CommandError: A field is unknown.
    """
    found = parse_pairs(pairs, "--column")
    fields = {"id": "key", "title": "title", "content": "content", "category": "category", "source": "source"}
    for name in found:
        if name not in fields:
            raise CommandError(f"--column {name}: must be one of {', '.join(fields)}", Exit.USAGE)
    return Columns(**{fields[name]: column for name, column in found.items()})


def _report(results: list[FileResult], *, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json({"documents": [result.as_json() for result in results]})
        return
    for result in results:
        for text in chain((f"warning: {warning}" for warning in result.warnings), result.errors):
            err.print(f"{result.path}: {text}", markup=False)
        untold = result.counts["failed"] - len(result.errors)
        if untold > 0:
            err.print(f"{result.path}: and {untold} more", markup=False)
    counts: Counter[str] = sum((result.counts for result in results), Counter())
    names = ("parsed",) if dry_run else OUTCOMES
    print_text(f"{', '.join(f'{counts[name]} {name}' for name in names)}, {counts['failed']} failed")


def _told(result: FileResult) -> str:
    parts = [f"{count} {name}" for name, count in result.counts.items() if count]
    return result.outcome if sum(result.counts.values()) == 1 else ", ".join(parts) or result.outcome


def _progress(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=err,
        disable=quiet or not err.is_terminal,
        transient=True,
    )
