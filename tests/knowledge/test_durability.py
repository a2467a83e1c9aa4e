"""What was acknowledged is there after any end; what was not is there whole or not at all."""

import asyncio
import random
import signal
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from onenumbers_knowledge.collection import Collection, Outcome
from onenumbers_knowledge.corpus_files import CorpusFile
from onenumbers_knowledge.loading import load_corpus
from onenumbers_knowledge.store import open_store
from onenumbers_knowledge.tables import metadata

WRITER = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import HashingEmbedder, note
from onenumbers_knowledge.collection import Collection
from onenumbers_knowledge.store import open_store

async def main():
    path = Path(sys.argv[1])
    async with open_store(path) as store:
        collection = Collection(store, index_path=path.with_name("index.faiss"))
        await collection.open(HashingEmbedder())
        for number in range(int(sys.argv[3]), 100_000):
            text = f"Sentence one of unique{number}. " * 40
            await collection.ingest(note(number, content=text))
            print('stored', number, flush=True)
            if number % 7 == 6:
                await collection.save()

asyncio.run(main())
"""


async def reopened(path: Path, embedder):
    """Yields a collection over what is on disk."""
    async with open_store(path) as store:
        collection = Collection(store, index_path=path.with_name("index.faiss"))
        await collection.open(embedder)
        yield collection, store
        await collection.close()


async def test_nothing_acknowledged_is_lost_by_kill_9(store_path, hashing):
    """Ten rounds on one store, each with documents that are new, killed at a random moment of each."""
    acknowledged = -1
    for _ in range(10):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(store_path), str(Path(__file__).parent), str(acknowledged + 1)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        # The child logs there, too.
        while not (line := await process.stdout.readline()).startswith(b"stored "):
            assert line, "the writer ended by itself"
        await asyncio.sleep(random.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        await process.wait()
        # The last line may be cut off; what was acknowledged whole counts.
        whole = [item for item in (line + rest).split(b"\n")[:-1] if item.startswith(b"stored ")]
        assert int(line.split()[1]) == acknowledged + 1, "every round writes documents that are new"
        acknowledged = int(whole[-1].split()[1])
    assert acknowledged >= 9
    async for collection, store in reopened(store_path, hashing):
        infos, total = await store.page(after="", limit=10_000)
        assert total >= acknowledged + 1
        model, _, vectors, _ = collection.index_state()
        assert model
        assert vectors == sum(info.passages for info in infos)
        indexed = {entry.document_id for entry in await store.entries()}
        for number in range(acknowledged + 1):
            document = await store.document(f"note-{number:03}")
            assert document is not None, number
            assert document.content.count(f"unique{number}.") == 40
            assert document.info.document_id in indexed
        found = await collection.search("Sentence one of unique0.", count=vectors)
        assert len(found.hits) == vectors, "every vector of the index leads to a passage"


async def test_the_saved_index_is_used_and_a_damaged_or_old_one_is_made_again(store_path, hashing, make_note):
    index = store_path.with_name("index.faiss")

    async def search() -> list[str]:
        async for collection, _ in reopened(store_path, hashing):
            return [hit.passage.document_id for hit in (await collection.search("unique2", count=1)).hits]
        return []

    async for collection, _ in reopened(store_path, hashing):
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
    async for collection, _ in reopened(store_path, hashing):
        await collection.delete("note-002")
        await collection.ingest(make_note(9))
    index.write_bytes(saved[0])
    index.with_suffix(".json").write_bytes(saved[1])
    assert await search() != ["note-002"], "an index older than the store is not used"
    assert hashing.texts == embedded + 1 + 4, "vectors come from the store: only the new note and the queries"


async def test_another_model_embeds_everything_again_and_versions_stay(store_path, hashing, make_note):
    async for collection, _ in reopened(store_path, hashing):
        for number in range(3):
            await collection.ingest(make_note(number))
    other = type(hashing)("hashing-other")
    other.dimensions = 32
    async for collection, store in reopened(store_path, other):
        assert collection.index_state()[:3] == ("hashing-other", 32, 3)
        assert (await collection.search("unique1", count=1)).hits[0].passage.document_id == "note-001"
        assert (await store.info("note-001")).version == 1


async def test_the_migrations_make_the_tables_that_the_code_uses(store, store_path):
    def tables(engine: sa.Engine) -> dict:
        inspector = sa.inspect(engine)
        return {
            name: {
                "columns": [
                    (column["name"], str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)
                ],
                "indexes": sorted(index["name"] for index in inspector.get_indexes(name)),
            }
            for name in inspector.get_table_names()
            if name not in ("alembic_version", "sqlite_sequence")
        }

    made = sa.create_engine(f"sqlite:///{store_path}")
    wanted = sa.create_engine("sqlite://")
    metadata.create_all(wanted)
    assert tables(made) == tables(wanted)
    made.dispose()
    wanted.dispose()


async def test_the_corpus_is_loaded_once_and_respects_what_people_did(store_path, hashing, make_note):
    def files(*numbers: int, **fields) -> list[CorpusFile]:
        return [
            CorpusFile(Path(), {}, make_note(number, metadata={"corpus": True, "version": 1}, **fields))
            for number in numbers
        ]

    async for collection, _ in reopened(store_path, hashing):
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


async def test_an_interrupted_load_goes_on_where_it_was(store_path, hashing, make_note):
    chosen = [CorpusFile(Path(), {}, make_note(n, metadata={"corpus": True})) for n in range(10)]

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    async for collection, _ in reopened(store_path, hashing):
        with pytest.raises(KeyboardInterrupt):
            await load_corpus(collection, files=chosen, advance=stop)
    async for collection, _ in reopened(store_path, hashing):
        counts = await load_corpus(collection, files=chosen)
        assert (counts[Outcome.UNCHANGED], counts[Outcome.CREATED]) == (4, 6)
