"""A server's database: its URL, transactions, leases, notifications, and what a caller is told of failures."""

import asyncio

import pytest
import sqlalchemy as sa

from onenumbers_runtime import database as module
from onenumbers_runtime.database import DatabaseError, database_url, held_alone, open_database, shown, sqlite_url
from onenumbers_runtime.errors import DataLossError, UnavailableError


def make_tables(connection: sa.Connection) -> None:
    connection.execute(sa.text("CREATE TABLE IF NOT EXISTS numbers (number INTEGER PRIMARY KEY)"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "folder" / "file.sqlite")
    return database_url(request.getfixturevalue("postgres").new_database(), default=tmp_path)


@pytest.fixture
async def database(url):
    async with open_database(url, what="the store of numbers", make_tables=make_tables) as opened:
        yield opened


async def add(database, number: int) -> None:
    async with database.writing() as connection:
        await connection.execute(sa.text("INSERT INTO numbers VALUES (:number)"), {"number": number})


async def numbers(database) -> list[int]:
    async with database.reading() as connection:
        return list((await connection.execute(sa.text("SELECT number FROM numbers ORDER BY number"))).scalars())


def test_urls_that_people_write_get_their_drivers(tmp_path):
    for given, wanted in (
        ("sqlite:////data/x.db", "sqlite+aiosqlite:////data/x.db"),
        ("postgres://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("postgresql://u:p@h:1/n", "postgresql+asyncpg://u:p@h:1/n"),
        ("postgresql://u:p@h/n?sslmode=require", "postgresql+asyncpg://u:p@h/n?ssl=require"),
        ("", f"sqlite+aiosqlite:///{tmp_path}/of-its-own"),
    ):
        found = database_url(given, default=tmp_path / "of-its-own")
        assert found.render_as_string(hide_password=False) == wanted


@pytest.mark.parametrize(
    "given", ["mysql://a/b", "nonsense", "sqlite://", "sqlite:///:memory:", "redis://x", "postgresql://h:port/n"]
)
def test_another_database_is_refused_in_a_line_that_names_the_variable(given, tmp_path):
    with pytest.raises(DatabaseError, match=r"^DATABASE_URL must be sqlite:///PATH or postgresql://"):
        database_url(given, default=tmp_path)


def test_a_password_is_not_shown(tmp_path):
    url = database_url("postgresql://user:secret@host/name", default=tmp_path)
    assert shown(url) == "postgresql://user:***@host/name"


async def test_what_cannot_be_opened_is_one_line(tmp_path, postgres):
    (tmp_path / "file").write_text("a file where a folder must be")
    ascii_only = postgres.new_database("ascii", "ENCODING SQL_ASCII TEMPLATE template0")
    postgres.new_database()
    for url, words in (
        (sqlite_url(tmp_path / "file" / "x.sqlite"), "Not a directory|File exists"),
        (database_url(f"postgresql://u:secret@/n?host={tmp_path}", default=tmp_path), "No such file"),
        (database_url(f"{postgres.url}&nonsense=1", default=tmp_path), "nonsense"),
        (database_url(ascii_only, default=tmp_path), "its encoding is SQL_ASCII, it must be UTF8"),
    ):
        with pytest.raises(DatabaseError, match=f"^the store of numbers .* cannot be opened: .*({words})") as caught:
            async with open_database(url, what="the store of numbers", make_tables=make_tables):
                pass
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)


async def test_a_change_that_fails_is_undone_and_errors_of_the_code_stay_as_they_are(database):
    await add(database, 1)

    async def fail() -> None:
        async with database.writing() as connection:
            await connection.execute(sa.text("INSERT INTO numbers VALUES (2)"))
            await connection.execute(sa.text("INSERT INTO numbers VALUES (1)"))

    with pytest.raises(sa.exc.IntegrityError):
        await fail()
    assert await numbers(database) == [1]


async def test_a_function_writes_in_a_transaction_of_its_own_which_is_undone_where_it_fails(database):
    def insert(connection: sa.Connection, *given: int) -> int:
        for number in given:
            connection.execute(sa.text("INSERT INTO numbers VALUES (:number)"), {"number": number})
        return len(given)

    assert await database.write(lambda connection: insert(connection, 1, 2)) == 2
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda connection: insert(connection, 3, 1))
    assert await numbers(database) == [1, 2]

    def refuse(connection: sa.Connection) -> None:
        insert(connection, 4)
        raise UnavailableError("not now", reason="NOT_NOW")

    with pytest.raises(UnavailableError, match="not now"):
        await database.write(refuse)
    assert await numbers(database) == [1, 2]
    await asyncio.gather(*(database.write(lambda connection, n=n: insert(connection, n)) for n in range(10, 20)))
    assert await numbers(database) == [1, 2, *range(10, 20)], "writers take turns"


async def test_a_function_that_waits_for_another_writer_says_that_the_store_is_locked(url, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    async with open_database(url, what="the store of numbers", make_tables=make_tables) as database:
        await add(database, 1)
        async with database.writing() as connection:
            await connection.execute(sa.text("UPDATE numbers SET number = 5"))
            with pytest.raises(UnavailableError) as caught:
                await database.write(lambda own: own.execute(sa.text("UPDATE numbers SET number = 6")))
        assert (caught.value.reason, caught.value.retry_after) == ("STORE_LOCKED", 1.0)
        assert await numbers(database) == [5]


async def test_a_reader_of_one_moment_sees_nothing_that_is_written_meanwhile(database):
    await add(database, 1)
    async with database.reading_one_moment() as connection:
        chosen = sa.text("SELECT count(*) FROM numbers")
        assert (await connection.execute(chosen)).scalar_one() == 1
        await add(database, 2)
        assert (await connection.execute(chosen)).scalar_one() == 1
    assert await numbers(database) == [1, 2]


async def test_a_writer_waits_for_another_and_says_that_the_store_is_locked(url, monkeypatch):
    monkeypatch.setattr(module, "WAIT_S", 0.2)
    async with open_database(url, what="the store of numbers", make_tables=make_tables) as database:
        await add(database, 1)
        async with database.writing() as connection:
            await connection.execute(sa.text("UPDATE numbers SET number = 5"))
            with pytest.raises(UnavailableError) as caught:
                async with database.writing() as other:
                    await other.execute(sa.text("UPDATE numbers SET number = 6"))
        assert (caught.value.reason, caught.value.retry_after) == ("STORE_LOCKED", 1.0)
        assert await numbers(database) == [5]


@pytest.mark.parametrize(
    ("state", "kind", "reason"),
    [
        ("53100", UnavailableError, "STORE_FULL"),
        ("40P01", UnavailableError, "STORE_LOCKED"),
        ("XX001", DataLossError, "STORE_DAMAGED"),
        ("57P01", UnavailableError, "STORE_UNAVAILABLE"),
    ],
)
async def test_states_of_postgresql_become_a_status_without_its_text(postgres, tmp_path, state, kind, reason):
    url = database_url(postgres.new_database(), default=tmp_path)
    async with open_database(url, what="the store of numbers", make_tables=make_tables) as database:
        raised = f"DO $$ BEGIN RAISE EXCEPTION 'inner words' USING ERRCODE = '{state}'; END $$"
        with pytest.raises(kind) as caught:
            async with database.writing() as connection:
                await connection.execute(sa.text(raised))
        assert caught.value.reason == reason
        assert "inner" not in caught.value.message
        assert kind is DataLossError or caught.value.retry_after
        await add(database, 1)


async def test_a_lease_is_held_once_until_its_holder_lets_it_go_or_dies(postgres, tmp_path):
    url = database_url(postgres.new_database(), default=tmp_path)
    async with (
        open_database(url, what="numbers", make_tables=make_tables) as one,
        open_database(url, what="numbers", make_tables=make_tables) as other,
    ):
        async with one.lease("work") as held, other.lease("work", wait=False) as second:
            assert (held, second) == (True, False)
            async with other.lease("other work", wait=False) as third:
                assert third
        waited = asyncio.Event()

        async def wait() -> None:
            async with other.lease("work"):
                waited.set()

        async with one.lease("work"):
            waiting = asyncio.ensure_future(wait())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(waited.wait(), 0.5)
            async with other.writing() as connection:
                await connection.execute(
                    sa.text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
                )
            await asyncio.wait_for(waited.wait(), 5)
            await waiting


async def test_a_file_is_always_free_for_its_process_and_held_against_others(tmp_path):
    url = sqlite_url(tmp_path / "file.sqlite")
    async with (
        open_database(url, what="numbers", make_tables=make_tables) as database,
        database.lease("work") as one,
        database.lease("work", wait=False) as other,
    ):
        assert one
        assert other
    with held_alone(tmp_path / "file.sqlite"), pytest.raises(BlockingIOError), held_alone(tmp_path / "file.sqlite"):
        pass


async def test_a_notification_is_heard_and_a_lost_line_is_known(postgres_process, tmp_path):
    url = database_url(postgres_process.url, default=tmp_path)
    async with open_database(url, what="numbers", make_tables=make_tables) as database:
        heard: asyncio.Queue[str] = asyncio.Queue()
        async with database.listening("channel", heard.put_nowait) as line:
            async with database.writing() as connection:
                await connection.execute(sa.text("SELECT pg_notify('channel', 'words')"))
            assert await asyncio.wait_for(heard.get(), 5) == "words"
            assert not line.lost
            postgres_process.stop()
            with pytest.raises(UnavailableError) as caught:
                await numbers(database)
            assert (caught.value.reason, caught.value.retry_after) == ("STORE_UNAVAILABLE", 1.0)
            async with asyncio.timeout(5):
                while not line.lost:  # noqa: ASYNC110 - the driver has no event for it
                    await asyncio.sleep(0.01)
        postgres_process.start()
        assert await numbers(database) == []
