"""The store: durable, the same on both databases, shared by replicas."""

import asyncio
import contextlib
import random
import sys
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from onenumbers_runtime.database import database_url, sqlite_url
from onenumbers_runtime.errors import UnavailableError
from onenumbers_runtime.settings import SettingsError
from onenumbers_utilities.registry.definitions import Definition, Example, Input, ResultType, Status
from onenumbers_utilities.registry.store import default_path, open_store
from onenumbers_utilities.registry.tables import metadata
from onenumbers_utilities.settings import UtilitiesSettings

NOW = datetime(2026, 1, 31, 12, 0, 0, 123456)  # noqa: DTZ001 - the store keeps UTC without a zone
ACTIVE = [(Status.PROPOSED, "proposed"), (Status.VALIDATED, "reproduced"), (Status.ACTIVE, "became a tool")]
TYPE = ResultType("int", repeated=True)

WRITER = """
import asyncio, sys
from sqlalchemy import make_url
sys.path.insert(0, sys.argv[2])
from test_store import ACTIVE, NOW, TYPE, definition
from onenumbers_utilities.registry.store import open_store

async def main():
    async with open_store(make_url(sys.argv[1])) as store:
        number = int(sys.argv[3])
        while True:
            await store.add(definition(f"tool_{number % 5}", str(number)), TYPE, examples=1, history=ACTIVE, now=NOW)
            print("stored", number, flush=True)
            number += 1

asyncio.run(main())
"""


def definition(name: str, formula: str = "1") -> Definition:
    return Definition(
        utility_id=name,
        title="Ein Titel, with ă and 数",
        description="What it does.",
        inputs=(Input("born", "date", "Date of birth."), Input("n", "int")),
        formula=formula,
        category="date",
        provenance="somebody",
        examples=(Example({"born": {"year": 2000, "month": 1, "day": 1}, "n": 3}, [1, 2], "a book"),),
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return sqlite_url(default_path(tmp_path))
    return database_url(request.getfixturevalue("postgres").new_database(), default=tmp_path)


async def add(store, name="tool", formula="1", history=ACTIVE):
    return await store.add(definition(name, formula), TYPE, examples=1, history=history, now=NOW)


async def test_what_is_stored_comes_back_the_same_after_the_store_was_opened_again(url):
    async with open_store(url) as store:
        record = await add(store)
        assert (record.version, record.status, record.accuracy) == (1, Status.ACTIVE, 1.0)
    async with open_store(url) as store:
        found, history = await store.get("tool")
        assert found == record
        assert found.definition == definition("tool")
        assert [(item.status, item.version, item.time, item.note) for item in history] == [
            (status, 1, NOW, note) for status, note in ACTIVE
        ]
        assert await store.get("other") is None
        assert (await store.active())[1] == [record]


async def test_versions_count_up_and_older_definitions_stay(url):
    async with open_store(url) as store:
        for number in range(3):
            await add(store, formula=str(number))
        assert (await store.get("tool"))[0].definition.formula == "2"
        async with store._database.reading() as connection:
            kept = await connection.execute(
                sa.text("SELECT version, definition FROM utility_definitions ORDER BY version")
            )
            assert [(row.version, Definition.from_json(row.definition).formula) for row in kept] == [
                (1, "0"),
                (2, "1"),
                (3, "2"),
            ]


async def test_pages_and_totals_follow_the_status(url):
    async with open_store(url) as store:
        for number in range(5):
            await add(store, f"tool_{number}", history=ACTIVE if number % 2 else ACTIVE[:1])
        found, total = await store.page(after="tool_1", limit=2)
        assert ([item.definition.utility_id for item in found], total) == (["tool_2", "tool_3"], 5)
        found, total = await store.page(after="", limit=9, status=Status.ACTIVE)
        assert ([item.definition.utility_id for item in found], total) == (["tool_1", "tool_3"], 2)


async def test_deprecation_is_recorded_once(url):
    async with open_store(url) as store:
        await add(store)
        assert (await store.deprecate("tool", note="wrong", now=NOW)).status is Status.DEPRECATED
        assert (await store.deprecate("tool", note="again", now=NOW)).status is Status.DEPRECATED
        assert await store.deprecate("other", note="", now=NOW) is None
        history = (await store.get("tool"))[1]
        assert [item.note for item in history if item.status is Status.DEPRECATED] == ["wrong"]
        assert (await store.active())[1] == []


async def test_two_replicas_that_start_at_once_make_the_tables_once_and_count_each_others_changes(url):
    async with contextlib.AsyncExitStack() as stack:
        one, other = await asyncio.gather(*(stack.enter_async_context(open_store(url)) for _ in range(2)))
        before = await other.changes()
        await asyncio.gather(*(add(store, f"tool_{number}") for number in range(4) for store in (one, other)))
        assert await one.changes() == before + 8
        assert [item.version for item in (await other.active())[1]] == [2, 2, 2, 2]


async def test_the_migrations_make_the_tables_that_the_code_uses(url):
    async with open_store(url) as store, store._database.reading() as connection:

        def compare(connection):
            inspector = sa.inspect(connection)
            found = {
                name: {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
                for name in inspector.get_table_names()
                if name != "utility_schema"
            }
            indexes = {index["name"] for name in found for index in inspector.get_indexes(name)}
            return found, indexes

        found, indexes = await connection.run_sync(compare)
    assert found == {
        table.name: {column.name: bool(column.nullable) for column in table.columns}
        for table in metadata.tables.values()
    }
    assert indexes == {str(index.name) for table in metadata.tables.values() for index in table.indexes}


async def test_nothing_acknowledged_is_lost_by_kill_9_and_nothing_is_half_there(tmp_path):
    """Eight rounds on one store, each killed at a random moment."""
    url = sqlite_url(default_path(tmp_path))
    acknowledged = -1
    for _ in range(8):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(url), str(Path(__file__).parent), str(acknowledged + 1)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        more = random.randint(1, 15)
        async with asyncio.timeout(30):
            while more:
                word, number = (await process.stdout.readline()).split()
                assert word == b"stored"
                acknowledged, more = int(number), more - 1
        process.kill()
        rest = (await process.stdout.read()).decode().split("\n")
        await process.wait()
        for line in rest:
            if line.startswith("stored "):
                acknowledged = int(line.split()[1])
        async with open_store(url) as store:
            stored = 0
            for record in (await store.active())[1]:
                _, history = await store.get(record.definition.utility_id)
                assert [item.status for item in history] == [status for status, _ in ACTIVE] * record.version
                stored += record.version
                assert int(record.definition.formula) >= acknowledged - 4
            # One more than acknowledged may be there: stored, and killed before it said so. Each round may add one.
            assert stored >= acknowledged + 1
            assert await store.changes() == stored


async def test_a_store_that_breaks_is_unavailable_and_leaks_no_text(tmp_path):
    url = sqlite_url(default_path(tmp_path))
    async with open_store(url) as store:
        await add(store)
        async with store._database.writing() as connection:
            await connection.execute(sa.text("DROP TABLE utility_state"))
        with pytest.raises(UnavailableError) as caught:
            await store.changes()
        assert "utility_state" not in caught.value.message


@pytest.mark.parametrize("value", ["mysql://a/b", "nonsense", "sqlite://", "sqlite:///:memory:", "redis://x"])
def test_another_database_is_refused_in_one_line_that_names_the_variable(value, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", value)
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: must be sqlite:///PATH or postgresql://"):
        UtilitiesSettings.load()
