"""The discovery run: discover, validate, integrate, update knowledge. Pure: it knows its servers by what they do."""

from __future__ import annotations

from onenumbers_research.discovery.comparison import DuplicateSearch
from onenumbers_research.discovery.definitions import Registry
from onenumbers_research.discovery.derivation import Derivation
from onenumbers_research.discovery.document_discovery import DocumentDiscovery
from onenumbers_research.discovery.documents import Knowledge, category_of, changed, chosen, last_change
from onenumbers_research.discovery.drafting import Drafter, Slot
from onenumbers_research.runs.records import Change
from onenumbers_research.runs.running import RunContext


class Discovery:
    """What a run of the kind "discovery" does.

    Args:
        knowledge: Where documents are read and written.
        registry: Where calculations are verified and registered.
        model: Where the model is that drafts formulas, or why there is none.
    """

    def __init__(self, *, knowledge: Knowledge, registry: Registry, model: Slot) -> None:
        self._knowledge = knowledge
        self._registry = registry
        self._model = model

    async def __call__(self, context: RunContext) -> None:
        """Goes through the documents; what `context.run.done` names was finished before a restart.

        A run of the scheduler reads what has changed since its last one that succeeded, of every category.

        Raises:
            MeshError: A server does not answer.
        """
        request = context.run.request
        plan = context.run.plan
        if plan is None:
            plan = await self._planned(context)
        built_in = self._registry.built_in()
        documents = DocumentDiscovery(
            context,
            knowledge=self._knowledge,
            registry=self._registry,
            duplicates=DuplicateSearch(self._registry, built_in=built_in, seed=context.run.run_id),
            derivation=Derivation(built_in=built_in, drafter=Drafter(self._model), seed=context.run.run_id),
        )
        for document_id in plan:
            if document_id in context.run.done:
                continue
            text = await self._knowledge.document(document_id)
            if text is not None:
                await documents.read(text, request["category"] or category_of(text))
            await context.mark_done(document_id)
        if request.get("scheduled"):
            await context.record(
                "discover", "The next scheduled run reads what changes from now on.", Change(read=True)
            )

    async def _planned(self, context: RunContext) -> list[str]:
        request = context.run.request
        documents = await self._knowledge.documents()
        if not request.get("scheduled"):
            plan = chosen(documents, request["category"], request["search_depth"])
            await context.record("discover", f"Reads {len(plan)} documents.", Change(plan=plan))
            return plan
        plan = changed(documents, since=request["since"])
        until = max(request["since"], last_change(documents))
        message = f"Reads {len(plan)} documents that have changed since the last scheduled run."
        await context.record("discover", message, Change(plan=plan, planned_until=until))
        return plan
