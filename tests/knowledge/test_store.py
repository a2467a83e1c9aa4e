"""The store: durable settings, whole changes, keys that are never used twice, errors that say what is wrong."""

import sqlite3
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from onenumbers_knowledge.chunking import Chunk
from onenumbers_knowledge.store import open_store
from onenumbers_runtime.database import DatabaseError

NOW = datetime.now(UTC).replace(tzinfo=None)


both_stores = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


async def write(store, document, *vectors: bytes):
    chunks = [Chunk("", n, n + 3) for n in range(len(vectors))]
    return await store.write(document, chunks, vectors, model="m", now=NOW)


async def test_sqlite_is_set_to_survive_a_loss_of_power(store):
    async with store._database.reading() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


@both_stores
async def test_a_new_version_replaces_passages_and_keys_are_never_used_twice(store, make_note):
    first = await write(store, make_note(1), b"aaaa", b"bbbb")
    assert first.gone == []
    second = await write(store, make_note(1, content="New."), b"cccc")
    assert (second.info.version, second.gone) == (2, first.added)
    await store.remove("note-001")
    third = await write(store, make_note(2), b"dddd")
    assert len({*first.added, *second.added, *third.added}) == 4
    assert [part async for part in store.vectors()] == [[(third.added[0], b"dddd")]]


@both_stores
async def test_a_change_that_fails_leaves_nothing(store, make_note):
    moment = await store.moment()
    with pytest.raises(ValueError, match="zip"):
        await store.write(make_note(1), [Chunk("", 0, 1), Chunk("", 1, 2)], [b"only"], model="m", now=NOW)
    assert await store.document("note-001") is None
    assert await store.entries() == []
    assert await store.moment() == moment
    with pytest.raises(sa.exc.IntegrityError):
        await store.write(make_note(1), [Chunk("", 0, 1)], [None], model="m", now=NOW)
    assert await store.document("note-001") is None


@both_stores
async def test_every_change_is_counted_and_nothing_else(store, make_note):
    counts = [(await store.moment()).number]
    await write(store, make_note(1, metadata={"corpus": True}), b"aaaa")
    counts.append((await store.moment()).number)
    assert await store.remove("nobody") is None
    counts.append((await store.moment()).number)
    await store.remove("note-001")
    counts.append((await store.moment()).number)
    assert counts == [0, 1, 1, 2]
    assert await store.removed() == {"note-001"}


async def test_a_path_with_odd_characters_is_a_path(tmp_path, make_note):
    path = tmp_path / "50% of? a #1 place" / "documents.sqlite"
    async with open_store(path) as store:
        await write(store, make_note(1), b"aaaa")
    assert path.is_file()


async def test_a_file_that_is_no_database_and_one_of_a_later_version_are_refused_in_one_line(tmp_path):
    wrong = tmp_path / "wrong.sqlite"
    wrong.write_bytes(b"this is a letter, not a database" * 100)
    later = tmp_path / "later.sqlite"
    async with open_store(later):
        pass
    connection = sqlite3.connect(later)
    connection.execute("UPDATE knowledge_schema SET version_num = '9999'")
    connection.commit()
    connection.close()
    for path in (wrong, later):
        with pytest.raises(DatabaseError, match="cannot be opened") as caught:
            async with open_store(path):
                pass
        assert "\n" not in str(caught.value)
    assert wrong.read_bytes().startswith(b"this is a letter"), "what cannot be read is left alone"
