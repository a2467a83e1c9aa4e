"""One document in a discovery: what it says is read or found, validated, compared, registered and told of. Pure.

Nothing in a document is followed as an instruction. What comes of it is a formula of a language that can only
calculate, and whether it counts is decided by the registry's own check against the document's worked examples.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from onenumbers_research.discovery.comparison import DuplicateSearch
from onenumbers_research.discovery.definitions import Definition, Duplicate, Known, Probe, Refused, Registry
from onenumbers_research.discovery.derivation import Derivation, Derived
from onenumbers_research.discovery.documents import MADE_BY_RUN, Knowledge, Text
from onenumbers_research.discovery.extraction import Candidate, ExtractionError, extract
from onenumbers_research.discovery.methods import method_of
from onenumbers_research.runs.records import Change, Finding, Verdict
from onenumbers_research.runs.running import RunContext, uninterrupted
from onenumbers_runtime.errors import MeshError

_PROPOSER: Final = "discovery"
_ORIGINS: Final = {"block": "read from a block of data"}
_SUFFIXES: Final = ("", "_method", *(f"_{number}" for number in range(2, 10)))


class DocumentDiscovery:
    """Takes documents through a run.

    Args:
        context: The run.
        knowledge: Where documents about utilities are written.
        registry: Where calculations are verified and registered.
        duplicates: Finds the tool that gives the same.
        derivation: Finds formulas where a document states none that can be read.
    """

    def __init__(
        self,
        context: RunContext,
        *,
        knowledge: Knowledge,
        registry: Registry,
        duplicates: DuplicateSearch,
        derivation: Derivation,
    ) -> None:
        self._context = context
        self._knowledge = knowledge
        self._registry = registry
        self._duplicates = duplicates
        self._derivation = derivation

    async def read(self, text: Text, category: str) -> None:
        """Reads a document, and settles every calculation in it.

        Args:
            text: The document.
            category: Category of discovery of what is registered.
        """
        part = _part(text, 0)
        try:
            candidates = extract(text.title, text.content)
        except ExtractionError as error:
            if part not in self._context.run.done:
                finding = Finding(text.document_id, text.title, Verdict.REJECTED, str(error))
                await self._record("discover", f"{text.title}: {error}.", Change(finding=finding, done=part))
            return
        if not candidates and part not in self._context.run.done:
            await self._derive(text, category, part)
        for place, candidate in enumerate(candidates):
            if _part(text, place) not in self._context.run.done:
                await self._consider(text, candidate, category, _part(text, place))

    async def _derive(self, text: Text, category: str, part: str) -> None:
        """Finds a formula for a document that shows a method by examples and states no rule that can be read."""
        method = method_of(text.title, text.content)
        if method is None:
            return
        message = f"{text.title}: no rule can be read, but {len(method.examples)} worked examples: formulas are tried."
        await self._record("discover", message, Change())
        derived = await self._derivation.derive(method)
        if derived.candidate is not None:
            await self._consider(text, derived.candidate, category, part, derived)
            return
        finding = Finding(
            *(text.document_id, text.title, Verdict.REJECTED, f"no rule can be read; {'; '.join(derived.doubts)}"),
            examples_given=len(method.examples),
            search=derived.search,
        )
        await self._record("discover", _told(text, finding), Change(finding=finding, done=part))

    async def _consider(
        self, text: Text, candidate: Candidate, category: str, part: str, derived: Derived | None = None
    ) -> None:
        how = _ORIGINS.get(candidate.origin, f"read from {candidate.origin}") if derived is None else derived.told
        message = f"{text.title}: {candidate.formula}, {how}, {len(candidate.examples)} worked examples."
        await self._record("discover", message, Change())
        definition = Definition(
            utility_id=candidate.utility_id,
            title=candidate.title,
            description=candidate.description,
            inputs=candidate.inputs,
            formula=candidate.formula,
            category=category,
            provenance=_provenance(text, self._context, derived),
            examples=candidate.examples,
        )
        finding = Finding(
            *(text.document_id, text.title, Verdict.REJECTED, ""),
            utility_id=definition.utility_id,
            formula=definition.formula,
            examples_given=len(definition.examples),
            origin=candidate.origin,
            search=derived.search if derived is not None else None,
        )
        try:
            refusal = await self._validate(text, definition, finding)
            if refusal is not None:
                await self._record("validate", _told(text, refusal), Change(finding=refusal, done=part))
                return
            reproduced = replace(finding, examples_reproduced=len(definition.examples))
            if derived is not None and derived.doubts:
                # Without examples the registry keeps it as a proposal.
                definition = replace(definition, examples=())
            settled = await self._settled(definition)
            if isinstance(settled, Finding):
                known = replace(reproduced, verdict=settled.verdict, reason=settled.reason,
                                utility_id=settled.utility_id, duplicate_of=settled.duplicate_of)  # fmt: skip
                await self._record("integrate", _told(text, known), Change(finding=known, done=part))
                return
            # From here on all or nothing: what is registered is also told of, even where the run is cancelled.
            await uninterrupted(self._integrate(text, settled, reproduced, part, derived))
        except Refused as refused:
            rejected = replace(finding, reason=refused.message)
            await self._record("validate", _told(text, rejected), Change(finding=rejected, done=part))

    async def _validate(self, text: Text, definition: Definition, finding: Finding) -> Finding | None:
        """Returns why a definition is not registered, or None where it passed."""
        if definition.examples:
            probe = await self._registry.probe(definition)
            if probe.reproduced < probe.given:
                return replace(finding, examples_reproduced=probe.reproduced, reason=_wrong(probe, definition))
            await self._record(
                "validate", f"{text.title}: reproduces {probe.reproduced} of {probe.given} worked examples.", Change()
            )
        found = await self._duplicates.duplicate_of(definition)
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
        self, text: Text, definition: Definition, finding: Finding, part: str, derived: Derived | None
    ) -> None:
        definition, status = await self._registered(definition)
        verdict = Verdict.REGISTERED if status == "active" else Verdict.PROPOSED
        reason = _reason(definition, verdict, finding, derived)
        finding = replace(finding, utility_id=definition.utility_id, verdict=verdict, reason=reason)
        if verdict is Verdict.PROPOSED:
            await self._record("integrate", _told(text, finding), Change(finding=finding, done=part))
            return
        await self._record("integrate", f"{text.title}: {definition.utility_id} is a tool now.", Change())
        try:
            await self._knowledge.ingest(
                document_id=f"utility-{definition.utility_id.replace('_', '-')}",
                title=f"Utility: {definition.title}",
                content=_described(definition, text),
                source=text.source,
                metadata={
                    "utility_id": definition.utility_id,
                    "found_in": text.document_id,
                    MADE_BY_RUN: self._context.run.run_id,
                },
            )
        except (MeshError, Refused) as error:
            finding = replace(finding, reason=f"{reason}; but no document about it was ingested: {error.message}")
        await self._record("update_knowledge", _told(text, finding), Change(finding=finding, done=part))

    async def _record(self, step: str, message: str, change: Change) -> None:
        await self._context.record(step, message, change)

    async def _registered(self, definition: Definition) -> tuple[Definition, str]:
        """Registers a definition, under another id where its own is the name of a built-in tool. Raises Refused."""
        try:
            return definition, await self._registry.register(definition, proposer=_PROPOSER)
        except Refused as refused:
            if refused.reason != "TOOL_EXISTS":
                raise
        definition = replace(definition, utility_id=f"{definition.utility_id[:56]}_method")
        return definition, await self._registry.register(definition, proposer=_PROPOSER)


def _provenance(text: Text, context: RunContext, derived: Derived | None) -> str:
    told = f"document {text.document_id}, version {text.version}; research run {context.run.run_id}"
    return told if derived is None else f"{told}; {derived.told}"[:1000]


def _reason(definition: Definition, verdict: Verdict, finding: Finding, derived: Derived | None) -> str:
    if verdict is Verdict.REGISTERED:
        how = f"; {derived.told}" if derived is not None else ""
        return f"reproduces all {len(definition.examples)} worked examples and is unlike every other tool{how}"
    if derived is None:
        return "the document gives no worked examples"
    return f"gives all {finding.examples_given} results, but {'; '.join(derived.doubts)}; {derived.told}"


def _part(text: Text, place: int) -> str:
    return f"{text.document_id}#{place}"


def _ours(known: Known, definition: Definition) -> bool:
    return known.made_by(definition) and known.formula == definition.formula


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
