"""The discovery run: discover, validate, integrate, update knowledge. Pure: it knows its servers by what they do.

Nothing in a document is followed as an instruction. What is read from it is a formula of a language that can only
calculate, and whether it counts is decided by the registry's own check against the document's worked examples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from onenumbers_research.comparison import Definition, Duplicate, Known, Probe, Refused, Registry, duplicate_of
from onenumbers_research.extraction import Candidate, ExtractionError, extract
from onenumbers_research.run_store import Change, Finding, Verdict
from onenumbers_research.runs import RunContext, uninterrupted
from onenumbers_runtime.errors import MeshError

DEPTHS: Final[Mapping[str, int | None]] = {"shallow": 10, "medium": 50, "deep": None}
"""Documents that are read, the last changed first; None for all."""
_GENERAL: Final = ("calculation", "utility")
CATEGORIES: Final[Mapping[str, frozenset[str]]] = {
    "cycles": frozenset({"cycles", *_GENERAL}),
    "timing": frozenset({"cycles", *_GENERAL}),
    "forecasting": frozenset({"cycles", *_GENERAL}),
    "compatibility": frozenset({"compatibility", *_GENERAL}),
    "personality": frozenset({"interpretation", *_GENERAL}),
    "life_purpose": frozenset({"interpretation", *_GENERAL}),
    "karmic_patterns": frozenset({"interpretation", *_GENERAL}),
}
"""Categories of the knowledge base in which documents of a category of discovery stand."""
TOPIC: Final = "discovery_category"
"""Key of a document's metadata that says its category of discovery; it then counts for that one only."""
MADE_BY_RUN: Final = "research_run"
"""Key of the metadata of documents that a run wrote; they are not read again."""
_PROPOSER: Final = "discovery"
_SUFFIXES: Final = ("", "_method", *(f"_{number}" for number in range(2, 10)))


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """A document of the knowledge base without its text."""

    document_id: str
    category: str
    source: str
    updated: int
    """Nanoseconds since 1970."""
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """A document with its text."""

    document_id: str
    title: str
    content: str
    version: int
    source: str


class Knowledge(Protocol):
    """What is needed of the knowledge base."""

    async def documents(self) -> list[DocumentRef]:
        """Returns all documents, the last changed first."""

    async def document(self, document_id: str) -> Text | None:
        """Returns a document with its text; None where it is gone."""

    async def ingest(
        self, *, document_id: str, title: str, content: str, source: str, metadata: Mapping[str, Any]
    ) -> None:
        """Adds a document about a utility. Raises Refused."""


def chosen(documents: Sequence[DocumentRef], category: str, depth: str) -> list[str]:
    """Returns the ids of the documents that a discovery reads, in order."""
    found = [
        document.document_id
        for document in documents
        if MADE_BY_RUN not in document.metadata
        and (
            document.metadata[TOPIC] == category
            if TOPIC in document.metadata
            else document.category in CATEGORIES[category]
        )
    ]
    return found[: DEPTHS[depth]]


class Discovery:
    """What a run of the kind "discovery" does.

    Args:
        knowledge: Where documents are read and written.
        registry: Where calculations are verified and registered.
    """

    def __init__(self, *, knowledge: Knowledge, registry: Registry) -> None:
        self._knowledge = knowledge
        self._registry = registry

    async def __call__(self, context: RunContext) -> None:
        """Goes through the documents; what `context.run.done` names was finished before a restart.

        Raises:
            MeshError: A server does not answer.
        """
        category, depth = context.run.request["category"], context.run.request["search_depth"]
        plan = context.run.plan
        if plan is None:
            plan = chosen(await self._knowledge.documents(), category, depth)
            await context.record("discover", f"Reads {len(plan)} documents.", Change(plan=plan))
        for document_id in plan:
            if document_id in context.run.done:
                continue
            text = await self._knowledge.document(document_id)
            if text is not None:
                await self._read(context, text, category)
            await context.mark_done(document_id)

    async def _read(self, context: RunContext, text: Text, category: str) -> None:
        try:
            candidates = extract(text.title, text.content)
        except ExtractionError as error:
            part = _part(text, 0)
            if part not in context.run.done:
                finding = Finding(text.document_id, text.title, Verdict.REJECTED, str(error))
                await context.record("discover", f"{text.title}: {error}.", Change(finding=finding, done=part))
            return
        for place, candidate in enumerate(candidates):
            if _part(text, place) not in context.run.done:
                await self._consider(context, text, candidate, category, _part(text, place))

    async def _consider(self, context: RunContext, text: Text, candidate: Candidate, category: str, part: str) -> None:
        origin = {"prose": "prose", "block": "a block of data"}.get(candidate.origin, candidate.origin)
        message = f"{text.title}: {candidate.formula}, read from {origin}, {len(candidate.examples)} worked examples."
        await context.record("discover", message, Change())
        definition = Definition(
            utility_id=candidate.utility_id,
            title=candidate.title,
            description=candidate.description,
            inputs=candidate.inputs,
            formula=candidate.formula,
            category=category,
            provenance=f"document {text.document_id}, version {text.version}; research run {context.run.run_id}",
            examples=candidate.examples,
        )
        finding = Finding(
            *(text.document_id, text.title, Verdict.REJECTED, ""),
            utility_id=definition.utility_id,
            formula=definition.formula,
            examples_given=len(definition.examples),
        )
        try:
            refusal = await self._validate(context, text, definition, finding)
            if refusal is not None:
                await context.record("validate", _told(text, refusal), Change(finding=refusal, done=part))
                return
            settled = await self._settled(definition)
            if isinstance(settled, Finding):
                settled = replace(settled, document_id=text.document_id, document_title=text.title)
                settled = replace(settled, examples_given=finding.examples_given)
                await context.record("integrate", _told(text, settled), Change(finding=settled, done=part))
                return
            reproduced = replace(finding, examples_reproduced=len(definition.examples))
            # From here on all or nothing: what is registered is also told of, even where the run is cancelled.
            await uninterrupted(self._integrate(context, text, settled, reproduced, part))
        except Refused as refused:
            rejected = replace(finding, reason=refused.message)
            await context.record("validate", _told(text, rejected), Change(finding=rejected, done=part))

    async def _validate(
        self, context: RunContext, text: Text, definition: Definition, finding: Finding
    ) -> Finding | None:
        """Returns why a definition is not registered, or None where it passed."""
        if definition.examples:
            probe = await self._registry.probe(definition)
            if probe.reproduced < probe.given:
                return replace(finding, examples_reproduced=probe.reproduced, reason=_wrong(probe, definition))
            await context.record(
                "validate", f"{text.title}: reproduces {probe.reproduced} of {probe.given} worked examples.", Change()
            )
        found = await duplicate_of(definition, self._registry)
        return None if found is None else _duplicate(finding, found)

    async def _settled(self, definition: Definition) -> Definition | Finding:
        """Returns the definition under an id that is free for it, or the finding that it is there already."""
        taken: list[str] = []
        for suffix in _SUFFIXES:
            utility_id = f"{definition.utility_id}{suffix}"
            known = await self._registry.get(utility_id)
            if known is None or _ours(known, definition):
                return replace(definition, utility_id=utility_id)
            if known.formula == definition.formula and known.inputs_alike(definition.inputs):
                if known.status == "proposed" and definition.examples:
                    return replace(definition, utility_id=utility_id)
                reason = {
                    "proposed": f"{utility_id} is proposed already and waits for worked examples",
                    "deprecated": f"{utility_id} with this formula was taken out of use",
                }.get(known.status, f"{utility_id} is registered already")
                verdict = Verdict.REJECTED if known.status == "deprecated" else Verdict.DUPLICATE
                return Finding("", "", verdict, reason, utility_id, definition.formula, utility_id)
            taken.append(utility_id)
        reason = f"the names {taken[0]} to {taken[-1]} are taken"
        return Finding("", "", Verdict.REJECTED, reason, definition.utility_id, definition.formula)

    async def _integrate(
        self, context: RunContext, text: Text, definition: Definition, finding: Finding, part: str
    ) -> None:
        definition, status = await self._registered(definition)
        verdict = Verdict.REGISTERED if status == "active" else Verdict.PROPOSED
        reason = (
            f"reproduces all {len(definition.examples)} worked examples and is unlike every other tool"
            if verdict is Verdict.REGISTERED
            else "the document gives no worked examples"
        )
        finding = replace(finding, utility_id=definition.utility_id, verdict=verdict, reason=reason)
        if verdict is Verdict.PROPOSED:
            await context.record("integrate", _told(text, finding), Change(finding=finding, done=part))
            return
        await context.record("integrate", f"{text.title}: {definition.utility_id} is a tool now.", Change())
        try:
            await self._knowledge.ingest(
                document_id=f"utility-{definition.utility_id.replace('_', '-')}",
                title=f"Utility: {definition.title}",
                content=_described(definition, text),
                source=text.source,
                metadata={
                    "utility_id": definition.utility_id,
                    "found_in": text.document_id,
                    MADE_BY_RUN: context.run.run_id,
                },
            )
        except (MeshError, Refused) as error:
            finding = replace(finding, reason=f"{reason}; but no document about it was ingested: {error.message}")
        await context.record("update_knowledge", _told(text, finding), Change(finding=finding, done=part))

    async def _registered(self, definition: Definition) -> tuple[Definition, str]:
        """Registers a definition, under another id where its own is the name of a built-in tool. Raises Refused."""
        try:
            return definition, await self._registry.register(definition, proposer=_PROPOSER)
        except Refused as refused:
            if refused.reason != "TOOL_EXISTS":
                raise
        definition = replace(definition, utility_id=f"{definition.utility_id[:56]}_method")
        return definition, await self._registry.register(definition, proposer=_PROPOSER)


def _part(text: Text, place: int) -> str:
    return f"{text.document_id}#{place}"


def _ours(known: Known, definition: Definition) -> bool:
    return known.provenance == definition.provenance and known.formula == definition.formula


def _wrong(probe: Probe, definition: Definition) -> str:
    place, description = next(iter(probe.wrong.items()), (0, "is not what the formula gives"))
    quote = definition.examples[place].quote
    return (
        f"the formula reproduces {probe.reproduced} of {probe.given} worked examples: "
        f"the result of example {place + 1} {description} ({quote[:120]})"
    )


def _duplicate(finding: Finding, found: Duplicate) -> Finding:
    return replace(
        finding,
        verdict=Verdict.DUPLICATE,
        reason=f"gives the same as {found.name} on {found.inputs} random inputs and on every worked example",
        duplicate_of=found.name,
        examples_reproduced=finding.examples_given,
        inputs_compared=found.inputs,
    )


def _told(text: Text, finding: Finding) -> str:
    return f"{text.title}: {finding.verdict.value}: {finding.reason}."


def _described(definition: Definition, text: Text) -> str:
    found = (
        f"The tool `{definition.utility_id}` calculates: {definition.title}. The method was found in the document "
        f"{text.document_id} ({text.title}), version {text.version}."
    )
    lines = [
        f"# {definition.title}",
        "",
        found,
        "",
        "## Formula",
        "",
        *(f"    {line}" for line in definition.formula.splitlines()),
        "",
        "## Inputs",
        "",
        *(f"- {item.name}: {item.kind}. {item.description}".rstrip() for item in definition.inputs),
        "",
        "## Worked examples",
        "",
    ]
    for example in definition.examples:
        given = ", ".join(f"{name} {value}" for name, value in example.inputs.items())
        lines.append(f"- {given}: {json.dumps(example.expected, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"
