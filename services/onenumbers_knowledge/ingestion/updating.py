"""Embedding documents anew with the model in force: which ones, how far it came, and where to go on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from onenumbers_knowledge.documents import DocumentInfo, not_found
from onenumbers_runtime.errors import AbortedError, invalid

CURSOR = "update_after"
"""Fact of the store: model and last document of an update of everything that has not come to its end."""
_REMEMBER_EVERY = 20
"""Documents after which the place is kept: so many are embedded twice after a crash at most."""
_PAGE = 500


class UpdateStore(Protocol):
    """What an update needs of the store."""

    async def info(self, document_id: str) -> DocumentInfo | None: ...  # noqa: D102

    async def page(  # noqa: D102
        self, *, after: str, limit: int, category: str = "", source: str = ""
    ) -> tuple[list[DocumentInfo], int]: ...

    async def fact(self, name: str) -> str: ...  # noqa: D102

    async def note(self, name: str, value: str) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Plan:
    """Documents to embed, in order."""

    store: UpdateStore
    document_ids: Sequence[str]
    done: int
    """Passages that an interrupted update did already."""
    total: int
    """Passages in all."""
    model: str
    everything: bool

    async def steps(self, rewrite: Callable[[str], Awaitable[int | None]]) -> AsyncGenerator[tuple[int, bool], None]:
        """Embeds document by document; yields the passages done so far, and at the end that it is complete.

        Args:
            rewrite: Embeds one document; returns its passages, or None where the model is no longer in force.

        Raises:
            AbortedError: Another model came into force.
        """
        done = self.done
        yield done, False
        last, unsaved = "", 0
        try:
            for document_id in self.document_ids:
                passages = await rewrite(document_id)
                if passages is None:
                    raise AbortedError("another embedding model came into force meanwhile", reason="MODEL_CHANGED")
                done, last, unsaved = done + passages, document_id, unsaved + 1
                if self.everything and unsaved == _REMEMBER_EVERY:
                    await self._remember(last)
                    unsaved = 0
                yield min(done, self.total), False
            last = ""
        finally:
            if self.everything and (last or done):
                await self._remember(last)
        yield self.total, True

    async def _remember(self, last: str) -> None:
        await self.store.note(CURSOR, f"{self.model}\n{last}" if last else "")


async def plan_update(store: UpdateStore, document_ids: Sequence[str], *, everything: bool, model: str) -> Plan:
    """Returns the plan of an update; one of everything goes on after what an interrupted one did.

    Raises:
        InvalidArgumentError: Neither documents nor everything was asked for, or both.
        NotFoundError: A document does not exist.
    """
    if everything == bool(document_ids):
        raise invalid("document_ids", "or reindex_all must be given, not both", rule="update.what")
    if everything:
        return await _plan_all(store, model)
    chosen = list(dict.fromkeys(document_ids))
    total = 0
    for document_id in chosen:
        info = await store.info(document_id)
        if info is None:
            raise not_found(document_id)
        total += info.passages
    return Plan(store, chosen, 0, total, model, everything=False)


async def _plan_all(store: UpdateStore, model: str) -> Plan:
    begun, _, last = (await store.fact(CURSOR)).partition("\n")
    if begun != model:
        last = ""
    chosen: list[str] = []
    done, total, after = 0, 0, ""
    while True:
        page, _ = await store.page(after=after, limit=_PAGE)
        if not page:
            return Plan(store, chosen, done, total, model, everything=True)
        for info in page:
            total += info.passages
            if info.document_id <= last:
                done += info.passages
            else:
                chosen.append(info.document_id)
        after = page[-1].document_id
