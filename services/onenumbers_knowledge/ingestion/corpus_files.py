"""The starter corpus: Markdown files with front matter, one document each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from onenumbers_knowledge.documents import CATEGORIES, SOURCES, NewDocument

FOLDER = Path(__file__).parents[1] / "corpus"
_OWN_FIELDS = frozenset({"id", "title", "category", "source", "school", "numbers", "language"})
"""Fields of the front matter that a document has itself; the others become its metadata."""


class CorpusError(Exception):
    """A file of the corpus is not what it should be; the message names it."""


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A document of the corpus and the front matter that it was made from."""

    path: Path
    front_matter: Mapping[str, Any]
    document: NewDocument


def read_corpus(folder: Path = FOLDER) -> list[CorpusFile]:
    """Returns all documents of the corpus, ordered by id.

    Raises:
        CorpusError: A file is not well-formed.
    """
    return sorted(_files(folder), key=lambda item: item.document.document_id)


def _files(folder: Path) -> Iterator[CorpusFile]:
    for path in folder.glob("*/*.md"):
        text = path.read_text(encoding="utf-8")
        start, front, body = (*text.split("---\n", 2), "", "")[:3]
        try:
            fields = yaml.safe_load(front)
        except yaml.YAMLError as error:
            raise CorpusError(f"{path.name}: its front matter is not YAML: {error}") from None
        if start or not isinstance(fields, dict):
            raise CorpusError(f"{path.name}: does not begin with front matter between two lines of ---")
        missing = sorted({"id", "title", "category", "source", "version"} - fields.keys())
        if missing:
            raise CorpusError(f"{path.name}: its front matter lacks {', '.join(missing)}")
        if fields["category"] not in CATEGORIES or fields["source"] not in SOURCES:
            raise CorpusError(f"{path.name}: {fields['category']}/{fields['source']} is no category and source")
        rest = {name: value for name, value in fields.items() if name not in _OWN_FIELDS and value not in ("", None)}
        # Metadata is kept as JSON, which has no dates; YAML reads 2024-05-01 as one.
        rest = json.loads(json.dumps(rest, default=str))
        yield CorpusFile(
            path=path,
            front_matter=fields,
            document=NewDocument(
                title=fields["title"],
                content=body.strip() + "\n",
                category=fields["category"],
                source=fields["source"],
                document_id=fields["id"],
                school=fields.get("school") or "",
                numbers=tuple(fields.get("numbers") or ()),
                language=fields.get("language") or "en",
                metadata={**rest, "corpus": True},
            ),
        )
