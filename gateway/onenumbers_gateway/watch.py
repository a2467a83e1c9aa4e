"""Changes of the catalog, for those who follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from onenumbers_gateway.catalog import Catalog, Tool


@dataclass(frozen=True, slots=True)
class CatalogChange:
    """What is different from the catalog that a follower saw before; everything is new to a new one."""

    version: int
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class CatalogWatch:
    """Hands each catalog to all followers; a slow one skips to the newest."""

    def __init__(self) -> None:
        self._catalog = Catalog()
        self._changed = asyncio.Condition()

    @property
    def catalog(self) -> Catalog:
        """The newest catalog."""
        return self._catalog

    async def publish(self, catalog: Catalog) -> None:
        """Makes a catalog the newest."""
        async with self._changed:
            self._catalog = catalog
            self._changed.notify_all()

    async def reached(self, version: int) -> None:
        """Waits until the catalog of that version, or a newer one, is there."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._catalog.version >= version)

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[AsyncIterator[CatalogChange]]:
        """Yields a first change with all tools, then one for each newer catalog in which tools differ."""

        async def follow() -> AsyncIterator[CatalogChange]:
            known: dict[str, Tool] | None = None
            seen = -1
            while True:
                async with self._changed:
                    while self._catalog.version <= seen:
                        await self._changed.wait()
                    catalog = self._catalog
                seen = catalog.version
                before = known if known is not None else {}
                change = _difference(before, catalog)
                if known is None or change.added or change.changed or change.removed:
                    yield change
                known = dict(catalog.by_name)

        iterator = follow()
        try:
            yield iterator
        finally:
            await iterator.aclose()  # type: ignore[attr-defined]


def _difference(before: dict[str, Tool], catalog: Catalog) -> CatalogChange:
    return CatalogChange(
        version=catalog.version,
        added=tuple(tool.name for tool in catalog.tools if tool.name not in before),
        changed=tuple(tool.name for tool in catalog.tools if tool.name in before and _differs(before[tool.name], tool)),
        removed=tuple(sorted(name for name in before if name not in catalog.by_name)),
    )


def _differs(one: Tool, other: Tool) -> bool:
    return one is not other and (
        one.definition is not other.definition
        or (one.server, one.available, one.unavailable_reason, one.stale)
        != (other.server, other.available, other.unavailable_reason, other.stale)
    )
