"""Searches of the contract to those of the domain, and what was found back."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from google.protobuf.struct_pb2 import Value

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers_knowledge.index.filters import Filters, MetadataRule
from onenumbers_knowledge.index.passage_index import DEPTH
from onenumbers_knowledge.search.ranking import Mode
from onenumbers_knowledge.search.searching import Found, Hit, Search
from onenumbers_runtime.errors import invalid

_DEFAULT_TOP_K = 5
_MODES = {
    pb.SEARCH_MODE_UNSPECIFIED: Mode.HYBRID,
    pb.SEARCH_MODE_DENSE: Mode.DENSE,
    pb.SEARCH_MODE_LEXICAL: Mode.LEXICAL,
    pb.SEARCH_MODE_HYBRID: Mode.HYBRID,
}
_MODE_NUMBERS = {
    Mode.DENSE: pb.SEARCH_MODE_DENSE,
    Mode.LEXICAL: pb.SEARCH_MODE_LEXICAL,
    Mode.HYBRID: pb.SEARCH_MODE_HYBRID,
}
_KINDS = {
    Mode.DENSE: pb.SCORE_KIND_COSINE,
    Mode.LEXICAL: pb.SCORE_KIND_BM25,
    Mode.HYBRID: pb.SCORE_KIND_FUSED,
}


def search(request: pb.SemanticSearchRequest) -> Search:
    """Returns the search of a request.

    Raises:
        InvalidArgumentError: A metadata filter asks for what JSON values cannot be, or the page token is of another
            search.
    """
    asked = Search(
        query=request.query,
        count=request.top_k if request.HasField("top_k") else _DEFAULT_TOP_K,
        mode=_MODES[request.mode],
        min_similarity=request.min_similarity if request.HasField("min_similarity") else None,
        filters=filters(request, request.categories),
        diversity=request.diversity if request.HasField("diversity") else 0.0,
    )
    return _at(asked, request.page_token) if request.page_token else asked


def filters(request: pb.SemanticSearchRequest | pb.RetrieveByCategoryRequest, categories: Iterable[str]) -> Filters:
    """Returns which documents a request is about.

    Raises:
        InvalidArgumentError: A metadata filter asks for what JSON values cannot be.
    """
    return Filters(
        categories=frozenset(categories),
        sources=frozenset(request.sources),
        numbers=frozenset(request.numbers),
        school=request.school,
        metadata=tuple(_rule(item, f"metadata_filters[{n}]") for n, item in enumerate(request.metadata_filters)),
    )


def response(asked: Search, found: Found) -> pb.SemanticSearchResponse:
    """Returns what was found as a message."""
    return pb.SemanticSearchResponse(
        hits=[_hit(hit, found.mode) for hit in found.hits],
        embedding_model=found.model,
        passages_searched=found.compared,
        next_page_token=_token(asked) if found.more else "",
        mode=_MODE_NUMBERS[found.mode],
        notes=found.notes,
    )


def _rule(item: pb.MetadataFilter, name: str) -> MetadataRule:
    path = tuple(item.key.split("."))
    if not all(path):
        raise invalid(f"{name}.key", "has an empty part between its dots", rule="metadata_filter.key")
    condition = item.WhichOneof("condition")
    if condition == "equals":
        return MetadataRule(path, any_of=(_value(item.equals, f"{name}.equals"),))
    # "in" is a keyword of Python.
    if condition == "in":
        values = getattr(item, "in").values
        return MetadataRule(
            path, any_of=tuple(_value(value, f"{name}.in.values[{n}]") for n, value in enumerate(values))
        )
    if condition == "range":
        bounds = item.range
        if bounds.HasField("minimum") or bounds.HasField("maximum"):
            return MetadataRule(
                path,
                least=bounds.minimum if bounds.HasField("minimum") else None,
                greatest=bounds.maximum if bounds.HasField("maximum") else None,
            )
        return MetadataRule(
            path,
            least=bounds.first if bounds.HasField("first") else None,
            greatest=bounds.last if bounds.HasField("last") else None,
        )
    return MetadataRule(path, present=item.exists)


def _value(value: Value, name: str) -> Any:
    kind = value.WhichOneof("kind")
    if kind not in ("string_value", "number_value", "bool_value"):
        raise invalid(name, "must be a text, a number or a truth value", rule="metadata_filter.value")
    if kind == "number_value" and not math.isfinite(value.number_value):
        raise invalid(name, "is a number that is not finite", rule="metadata_filter.value")
    return getattr(value, kind)


def _hit(hit: Hit, mode: Mode) -> pb.SearchHit:
    passage, label, scores, marked = hit.passage, hit.document, hit.scores, hit.excerpt
    return pb.SearchHit(
        passage=pb.Passage(
            passage_id=passage.passage_id,
            document_id=passage.document_id,
            title=label.title,
            section=passage.section,
            position=passage.position,
            start_offset=passage.start,
            end_offset=passage.end,
            text=passage.text,
        ),
        score=scores.score(mode),
        score_kind=_KINDS[mode],
        category=label.category,
        source=label.source,
        school=label.school,
        numbers=label.numbers,
        cosine=scores.cosine,
        bm25=scores.bm25,
        fused=scores.fused,
        excerpt=pb.Excerpt(
            start_offset=marked.start,
            end_offset=marked.end,
            text=passage.text[marked.start - passage.start : marked.end - passage.start],
            highlights=[pb.TextSpan(start_offset=start, end_offset=end) for start, end in marked.words],
        ),
    )


def _token(asked: Search) -> str:
    text = f"{asked.offset + asked.count}:{asked.fingerprint}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _at(asked: Search, token: str) -> Search:
    try:
        offset, _, fingerprint = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().partition(":")
        place = int(offset) if offset.isascii() and offset.isdigit() and len(offset) < 10 else -1
    except (binascii.Error, ValueError):
        place, fingerprint = -1, ""
    if not 0 < place <= DEPTH or not fingerprint:
        raise invalid("page_token", "is not one that this server gave out", rule="page_token.known")
    if fingerprint != asked.fingerprint:
        raise invalid("page_token", "is of another search: only top_k may differ", rule="page_token.search")
    return replace(asked, offset=place)
