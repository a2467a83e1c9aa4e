"""The registry: verifies, stores, evaluates, and tells when the set of active utilities has changed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any, Final, Self

import structlog

from onenumbers_runtime.errors import (
    FailedPreconditionError,
    FieldViolation,
    InvalidArgumentError,
    MeshError,
    NotFoundError,
    ResourceExhaustedError,
    invalid,
)
from onenumbers_utilities.registry.definitions import Definition, Event, Record, Status, read_inputs
from onenumbers_utilities.registry.lexer import FIELD
from onenumbers_utilities.registry.sandbox import Sandbox
from onenumbers_utilities.registry.store import Store
from onenumbers_utilities.registry.verification import verify

log = structlog.get_logger()

LOOK_EVERY_S: Final = 0.25
"""How often a replica looks for changes that another one made, in seconds. Calls look for themselves."""
MAX_ACTIVE: Final = 1_000
"""Utilities that may be active at once: each one is a tool on every face."""
_NEAREST: Final = 3


class Registry:
    """The registry over one store, as an async context manager.

    Args:
        store: Where utilities are kept; other replicas may change it.
        sandbox: Where formulas run.
        taken: Names of tools that are no utilities.
        now: Tells the time, UTC without zone.
        on_change: Called with the active utilities whenever they have changed, and once on entering.
    """

    def __init__(
        self,
        *,
        store: Store,
        sandbox: Sandbox,
        taken: Collection[str],
        now: Callable[[], datetime],
        on_change: Callable[[Sequence[Record]], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._sandbox = sandbox
        self._taken = frozenset(taken)
        self._now = now
        self._on_change = on_change
        self._changes = -1
        self._active: dict[str, Record] = {}
        self._looking = asyncio.Lock()
        self._next_look: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.look()
        self._task = asyncio.create_task(self._keep_looking(), name="registry-look")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._next_look is not None:
            with contextlib.suppress(MeshError):
                await self._next_look
        # A look that has begun is not the next one any more; the store must not be closed under it.
        async with self._looking:
            pass

    async def register(self, definition: Definition, proposer: str = "") -> Record:
        """Verifies a definition and stores it as the next version of its id.

        A definition that is the same as the one that stands is returned as it stands: a repeated call changes nothing.

        Raises:
            AlreadyExistsError: The id is the name of another tool.
            InvalidArgumentError: The definition cannot be used.
            FailedPreconditionError: The formula does not reproduce an example, or would replace a verified definition
                without giving examples.
            ResourceExhaustedError: Too many utilities are active.
        """
        found = await self._store.get(definition.utility_id)
        before = found[0] if found is not None else None
        if before is not None and before.definition == definition and before.status is not Status.DEPRECATED:
            return before
        verified = await verify(definition, self._sandbox, taken=self._taken)
        by = f"by {proposer}" if proposer else "by an unnamed caller"
        history = [(Status.PROPOSED, f"proposed {by}")]
        if verified.examples:
            count = f"{verified.examples} of {verified.examples}"
            history += [
                (Status.VALIDATED, f"reproduced {count} worked examples"),
                (Status.ACTIVE, "became a tool"),
            ]
            await self._require_room(definition.utility_id)
        elif before is not None and before.status is Status.ACTIVE:
            raise FailedPreconditionError(
                f"definition.examples: version {before.version} of '{definition.utility_id}' is verified and in use; "
                "give worked examples, or deprecate it first",
                reason="EXAMPLES_NEEDED",
                violations=[FieldViolation("definition.examples", "must be given", "examples.needed")],
            )
        record = await self._store.add(
            definition, verified.result, examples=verified.examples, history=history, now=self._now()
        )
        log.info(
            "utility_registered", utility=definition.utility_id, version=record.version, status=record.status.value
        )
        await self.look()
        return record

    async def get(self, utility_id: str) -> tuple[Record, list[Event]]:
        """Returns the version that stands, and the history, oldest first.

        Raises:
            NotFoundError: There is no such utility; the metadata names the nearest active ones.
        """
        found = await self._store.get(utility_id)
        if found is None:
            raise self._unknown(utility_id)
        return found

    async def page(self, *, after: str, limit: int, status: Status | None) -> tuple[list[Record], int]:
        """Returns utilities ordered by id that come after an id, and how many match in all."""
        return await self._store.page(after=after, limit=limit, status=status)

    async def deprecate(self, utility_id: str, reason: str) -> Record:
        """Takes a utility out of use; one that is out of use already stays as it is.

        Raises:
            NotFoundError: There is no such utility.
        """
        record = await self._store.deprecate(utility_id, note=reason, now=self._now())
        if record is None:
            raise self._unknown(utility_id)
        log.info("utility_deprecated", utility=utility_id, version=record.version)
        await self.look()
        return record

    async def active(self, utility_id: str) -> Record | None:
        """Returns an active utility as every replica has it now; None where there is none of that id."""
        await self.look()
        return self._active.get(utility_id)

    async def evaluate(self, utility_id: str, values: Mapping[str, Any]) -> tuple[Any, Record]:
        """Calculates with an active utility; returns the result and the version that gave it.

        Raises:
            NotFoundError: There is no such utility.
            FailedPreconditionError: It is not active.
            InvalidArgumentError: An input is missing, unknown or of another type, or the formula has no result for
                them.
        """
        record = await self.active(utility_id)
        if record is None:
            found = (await self.get(utility_id))[0]
            advice = "register it with worked examples" if found.status is Status.PROPOSED else "it is out of use"
            raise FailedPreconditionError(
                f"'{utility_id}' is {found.status.value}: {advice}",
                reason="UTILITY_NOT_ACTIVE",
                metadata={"status": found.status.value},
            )
        return await self.calculate(record, read_inputs(record.definition.inputs, values)), record

    async def calculate(self, record: Record, inputs: Mapping[str, int | str | date]) -> Any:
        """Returns the result of a utility for inputs that were read.

        Raises:
            InvalidArgumentError: The formula has no result for them.
        """
        definition = record.definition
        try:
            (row,) = (await self._sandbox.run(definition.formula, definition.kinds, [inputs])).rows
        except InvalidArgumentError as error:
            raise _of_inputs(error) from None
        if row.error is not None:
            raise row.error
        return row.value

    async def look(self) -> None:
        """Takes over what has changed in the store, here or by another replica, before this call.

        Callers at the same moment share one look: one that begins after they came shows them all that they may expect.
        """
        if self._next_look is None:
            self._next_look = asyncio.create_task(self._look())
        await asyncio.shield(self._next_look)

    async def _look(self) -> None:
        async with self._looking:
            self._next_look = None
            if await self._store.changes() == self._changes:
                return
            changes, records = await self._store.active()
            active = {record.definition.utility_id: record for record in records[:MAX_ACTIVE]}
            if active != self._active or self._changes < 0:
                self._on_change(tuple(active.values()))
            self._changes, self._active = changes, active

    async def _keep_looking(self) -> None:
        reachable = True
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except MeshError as error:
                if reachable:
                    log.warning("registry_unreachable", reason=error.message)
                reachable = False
            else:
                if not reachable:
                    log.info("registry_reachable")
                reachable = True

    async def _require_room(self, utility_id: str) -> None:
        await self.look()
        if utility_id not in self._active and len(self._active) >= MAX_ACTIVE:
            raise ResourceExhaustedError(
                f"{MAX_ACTIVE} utilities are active, the most that may be: deprecate one first",
                reason="TOO_MANY_UTILITIES",
            )

    def _unknown(self, utility_id: str) -> NotFoundError:
        nearest = get_close_matches(utility_id, self._active, n=_NEAREST, cutoff=0.5)
        advice = f"; the nearest active ones are {', '.join(nearest)}" if nearest else ""
        return NotFoundError(
            f"there is no utility '{utility_id}'{advice}",
            reason="UTILITY_NOT_FOUND",
            metadata={"nearest": ",".join(nearest)} if nearest else None,
        )


def _of_inputs(error: InvalidArgumentError) -> InvalidArgumentError:
    """Returns an error of the formula as one of the inputs, where a verified formula fails for some of them."""
    found = error.violations[0]
    if found.field != FIELD:
        return error
    moved = replace(found, field="inputs", description=f"the formula {found.description} for these inputs")
    return invalid(moved.field, moved.description, rule=moved.rule)
