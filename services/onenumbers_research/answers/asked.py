"""A question with its parts, what was found for each, and what became of it, as messages of the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onenumbers.knowledge.v1 import knowledge_pb2
from onenumbers.research.v1 import research_pb2 as pb
from onenumbers_research.answers import answering
from onenumbers_research.answers.answering import Composed, Source
from onenumbers_research.answers.instructions import instructs
from onenumbers_research.citations import of_hit


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for a part."""

    hits: tuple[knowledge_pb2.SearchHit, ...]
    """Best first, without those that give instructions."""
    withheld: frozenset[str]
    """Identifiers of those that do."""
    embedding_model: str

    @classmethod
    def of(cls, found: knowledge_pb2.SemanticSearchResponse) -> Found:
        """Returns what a search found, those that give instructions set apart."""
        withheld = frozenset(hit.passage.passage_id for hit in found.hits if _instructs(hit))
        kept = tuple(hit for hit in found.hits if hit.passage.passage_id not in withheld)
        return cls(kept, withheld, found.embedding_model)

    def first(self, count: int) -> Found:
        """Returns it with the best passages alone."""
        return Found(self.hits[:count], self.withheld, self.embedding_model)


@dataclass(frozen=True, slots=True)
class Told:
    """What is said about a part."""

    covered: bool
    composed: Composed
    generated: bool
    """Whether the model wrote it."""


class AskedQuestion:
    """The passages that are read for a question, and its answer in the making.

    Args:
        queries: The parts of the question; one where it is not split.
        found: What was found for each.
        limit: Most passages that are read.
    """

    def __init__(self, queries: Sequence[str], found: Sequence[Found], limit: int) -> None:
        self.queries = tuple(queries)
        self.embedding_model = found[0].embedding_model
        kept = [one.hits for one in found]
        self.withheld = len(frozenset[str]().union(*(one.withheld for one in found)))
        """Passages that were left out because they give instructions."""
        self._hits = kept
        ids = [[hit.passage.passage_id for hit in one] for one in kept]
        read = answering.take_turns(ids, limit)
        self._markers = {ids[part][place]: marker for marker, (part, place) in enumerate(read, start=1)}
        self.citations = [of_hit(marker, kept[part][place]) for marker, (part, place) in enumerate(read, start=1)]
        self._told: list[Told] = []

    def sources(self, part: int) -> list[Source]:
        """Returns the passages that are read for a part, the part's best first."""
        return [
            Source(
                self._markers[hit.passage.passage_id],
                hit.passage.title,
                hit.passage.text,
                hit.cosine,
            )
            for hit in self._hits[part]
            if hit.passage.passage_id in self._markers
        ]

    def retrieved(self) -> pb.RetrievedPassages:
        """Returns the passages that are read."""
        message = pb.RetrievedPassages(citations=self.citations)
        if self._split:
            for part, query in enumerate(self.queries):
                message.sub_queries.add(query=query, markers=[source.marker for source in self.sources(part)])
        return message

    def tell(self, told: Told) -> None:
        """Adds what is said about the next part; sentences that stand already are left out."""
        said = {item.text.casefold() for before in self._told for item in before.composed.sentences}
        new = tuple(item for item in told.composed.sentences if item.text.casefold() not in said)
        self._told.append(Told(told.covered, Composed(new, told.composed.dropped), told.generated))

    def complete(self, answer: pb.Answer) -> None:
        """Writes into an answer what was told about all parts."""
        paragraphs: list[str] = []
        cited: set[int] = set()
        for place, (query, told) in enumerate(zip(self.queries, self._told, strict=True), start=1):
            part = place if self._split else 0
            for item in told.composed.sentences:
                answer.sentences.add(text=item.text, markers=[item.marker], support=item.support, part=part)
            cited |= told.composed.markers
            paragraphs.append(told.composed.text if told.covered else self._silence(query))
            if self._split:
                self._add_part(answer, place - 1, told)
        answer.covered = any(told.covered for told in self._told)
        answer.text = "\n\n".join(paragraph for paragraph in paragraphs if paragraph) or answering.NOT_COVERED
        answer.citations.extend(item for item in self.citations if item.marker in cited)

    def _add_part(self, answer: pb.Answer, place: int, told: Told) -> None:
        part = answer.parts.add(
            query=self.queries[place],
            covered=told.covered,
            engine=pb.ANSWER_ENGINE_GENERATIVE if told.generated else pb.ANSWER_ENGINE_EXTRACTIVE,
        )
        for hit in self._hits[place]:
            marker = self._markers.get(hit.passage.passage_id)
            if marker is not None:
                part.passages.add(
                    marker=marker,
                    document_id=hit.passage.document_id,
                    passage_id=hit.passage.passage_id,
                    similarity=hit.cosine,
                )

    def _silence(self, query: str) -> str:
        return answering.PART_NOT_COVERED.format(part=query) if self._split else answering.NOT_COVERED

    @property
    def _split(self) -> bool:
        return len(self.queries) > 1


def _instructs(hit: knowledge_pb2.SearchHit) -> bool:
    passage = hit.passage
    return instructs(f"{passage.title}\n{passage.section}\n{passage.text}")
