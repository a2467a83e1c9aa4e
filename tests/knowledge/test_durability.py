"""What was acknowledged is there after any end; what was not is there whole or not at all."""

from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.ingestion.corpus_files import CorpusFile
from onenumbers_knowledge.ingestion.loading import load_corpus
from onenumbers_knowledge.storage.store import open_store
from onenumbers_knowledge.storage.tables import metadata

pytestmark = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@asynccontextmanager
async def reopened(url, index: Path, embedder):
    """Yields a collection over what is stored."""
    async with open_store(url) as store:
        collection = Collection(store, index_path=index)
        await collection.open(embedder)
        try:
            yield collection, store
        finally:
            await collection.close()


@pytest.fixture
def index(store_path):
    return store_path.with_name("index.faiss")


async def test_the_saved_index_is_used_and_a_damaged_or_old_one_is_made_again(store_url, index, hashing, make_note):
    async def search() -> list[str]:
        async with reopened(store_url, index, hashing) as (collection, _):
            return [hit.passage.document_id for hit in (await collection.search("unique2", count=1)).hits]
        return []

    async with reopened(store_url, index, hashing) as (collection, _):
        for number in range(4):
            await collection.ingest(make_note(number))
    assert index.exists()
    embedded = hashing.texts
    assert await search() == ["note-002"]
    content = index.read_bytes()
    index.write_bytes(content[:-9] + b"?" * 9)
    assert await search() == ["note-002"], "a damaged index is made again"
    index.write_bytes(b"")
    assert await search() == ["note-002"]
    saved = index.read_bytes(), index.with_suffix(".json").read_bytes()
    async with reopened(store_url, index, hashing) as (collection, _):
        await collection.delete("note-002")
        await collection.ingest(make_note(9))
    index.write_bytes(saved[0])
    index.with_suffix(".json").write_bytes(saved[1])
    assert await search() != ["note-002"], "an index older than the store is not used"
    assert hashing.texts == embedded + 1 + 4, "vectors come from the store: only the new note and the queries"


async def test_another_model_embeds_everything_again_and_versions_stay(store_url, index, hashing, make_note):
    async with reopened(store_url, index, hashing) as (collection, _):
        for number in range(3):
            await collection.ingest(make_note(number))
    other = type(hashing)("hashing-other")
    other.dimensions = 32
    async with reopened(store_url, index, other) as (collection, store):
        assert collection.index_state()[:3] == ("hashing-other", 32, 3)
        assert (await collection.search("unique1", count=1)).hits[0].passage.document_id == "note-001"
        assert (await store.info("note-001")).version == 1


async def test_the_migrations_make_the_tables_that_the_code_uses(store):
    def tables(connection: sa.Connection) -> dict:
        inspector = sa.inspect(connection)
        return {
            name: {
                "columns": [
                    (column["name"], str(column["type"]), column["nullable"], column.get("collation"))
                    for column in inspector.get_columns(name)
                ],
                "indexes": sorted(index["name"] for index in inspector.get_indexes(name)),
            }
            for name in inspector.get_table_names()
            if name not in ("knowledge_schema", "sqlite_sequence")
        }

    def made_anew(connection: sa.Connection) -> dict:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        return tables(connection)

    async with store._database.writing() as connection:
        migrated = await connection.run_sync(tables)
        assert len(migrated) == 6
        assert migrated == await connection.run_sync(made_anew)


async def test_the_corpus_is_loaded_once_and_respects_what_people_did(store_url, index, hashing, make_note):
    def files(*numbers: int, **fields) -> list[CorpusFile]:
        return [
            CorpusFile(Path(), {}, make_note(number, metadata={"corpus": True, "version": 1}, **fields))
            for number in numbers
        ]

    async with reopened(store_url, index, hashing) as (collection, _):
        counts = await load_corpus(collection, files=files(1, 2, 3))
        assert counts[Outcome.CREATED] == 3
        before = hashing.texts
        assert (await load_corpus(collection, files=files(1, 2, 3)))[Outcome.UNCHANGED] == 3
        assert hashing.texts == before
        await collection.delete("note-001")
        await collection.ingest(make_note(2, content="My own text about note two."))
        counts = await load_corpus(collection, files=files(1, 2, 3, content="The corpus changed its text."))
        assert counts[Outcome.UPDATED] == 1
        assert await collection.info("note-001") is None
        assert (await collection.get("note-002")).content == "My own text about note two."
        assert (await collection.get("note-003")).content == "The corpus changed its text."


async def test_an_interrupted_load_goes_on_where_it_was(store_url, index, hashing, make_note):
    chosen = [CorpusFile(Path(), {}, make_note(n, metadata={"corpus": True})) for n in range(10)]

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    async with reopened(store_url, index, hashing) as (collection, _):
        with pytest.raises(KeyboardInterrupt):
            await load_corpus(collection, files=chosen, advance=stop)
    async with reopened(store_url, index, hashing) as (collection, _):
        counts = await load_corpus(collection, files=chosen)
        assert (counts[Outcome.UNCHANGED], counts[Outcome.CREATED]) == (4, 6)
