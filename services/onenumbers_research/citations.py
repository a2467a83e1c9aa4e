"""Passages and places as citations of the contract."""

from __future__ import annotations

from collections.abc import Iterable

from onenumbers.knowledge.v1 import knowledge_pb2
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.claims.evidence import Place


def of_hit(marker: int, hit: knowledge_pb2.SearchHit) -> pb.Citation:
    """Returns a passage that a search found."""
    passage = hit.passage
    return pb.Citation(
        marker=marker,
        document_id=passage.document_id,
        title=passage.title,
        section=passage.section,
        passage_id=passage.passage_id,
        start_offset=passage.start_offset,
        end_offset=passage.end_offset,
        excerpt=passage.text,
        similarity=hit.cosine,
        category=hit.category,
        source=hit.source,
    )


def of_hits(hits: Iterable[knowledge_pb2.SearchHit]) -> list[pb.Citation]:
    """Returns passages that a search found, numbered from 1."""
    return [of_hit(marker, hit) for marker, hit in enumerate(hits, start=1)]


def of_place(marker: int, place: Place) -> pb.Citation:
    """Returns a sentence or two of a passage; the offsets are theirs."""
    passage = place.passage
    return pb.Citation(
        marker=marker,
        document_id=passage.document_id,
        title=passage.title,
        section=passage.section,
        passage_id=passage.passage_id,
        start_offset=place.start,
        end_offset=place.end,
        excerpt=place.text,
        similarity=passage.similarity,
        category=passage.category,
        source=passage.source,
    )
