"""The child process: size, time and memory are limited, and no file ends its caller."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from onenumbers_documents.model import DocumentError, Limits
from onenumbers_documents.reader import Reader, Upload

WORDS = Upload("a.txt", b"Words.")


def contents(reader, source):
    return [item.content for item in reader.read(source)]


def test_a_file_is_read_from_its_path_also_with_a_name_that_is_no_text(reader, tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9 \n.txt")
    path.write_text("Words.", encoding="utf-8")
    (document,) = reader.read(path)
    assert document.content == "Words.\n"
    assert document.metadata["file"] == "caf? .txt"


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024 + 1)
    with Reader() as reader:
        with pytest.raises(DocumentError, match="has 101 MiB, at most 100 MiB may be: it was not read"):
            list(reader.read(path))
        assert reader._process is None, "no process was started for it"


def test_a_file_of_zeros_at_the_limit_is_refused_as_binary(reader, tmp_path):
    path = tmp_path / "sparse.txt"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with pytest.raises(DocumentError, match="is binary"):
        list(reader.read(path))


def test_what_is_no_file_is_refused(reader, tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DocumentError, match="is not a file"):
        list(reader.read(tmp_path / "pipe.txt"))
    with pytest.raises(DocumentError, match="is not a file"):
        list(reader.read(tmp_path))
    with pytest.raises(DocumentError, match="No such file"):
        list(reader.read(tmp_path / "none.txt"))


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read():
    """Markup nested 400,000 deep takes its parser minutes."""
    with Reader(Limits(deadline_s=1.0)) as reader:
        assert contents(reader, WORDS) == ["Words.\n"]
        with pytest.raises(DocumentError, match="took more than 1 s to read"):
            list(reader.read(Upload("deep.html", b"<div>" * 400_000 + b"x")))
        assert contents(reader, WORDS) == ["Words.\n"]


def test_a_file_that_takes_too_much_memory_is_refused_and_the_next_one_is_read():
    # The process needs some 100 MiB itself.
    with Reader(Limits(memory_bytes=300 * 1024 * 1024)) as reader:
        with pytest.raises(DocumentError, match="memory"):
            list(reader.read(Upload("big.html", b"<p>some words</p>" * 4_000_000)))
        assert contents(reader, WORDS) == ["Words.\n"]


def test_a_process_that_dies_is_replaced():
    with Reader() as reader:
        assert contents(reader, WORDS) == ["Words.\n"]
        reader._process.kill()
        reader._process.wait()
        assert contents(reader, WORDS) == ["Words.\n"]
        items = reader.read(Upload("a.csv", b"text\n" + b"words\n" * 500_000))
        next(items)
        os.kill(reader._process.pid, signal.SIGKILL)
        with pytest.raises(DocumentError, match="ended the process that read it"):
            list(items)
        assert contents(reader, WORDS) == ["Words.\n"]


def test_the_process_limits_itself_and_sees_no_secrets(monkeypatch):
    monkeypatch.setenv("MCP_AUTH_TOKEN", "secret")
    with Reader(Limits(memory_bytes=512 * 1024 * 1024)) as reader:
        assert contents(reader, WORDS) == ["Words.\n"]
        pid = reader._process.pid
        assert resource.prlimit(pid, resource.RLIMIT_AS)[0] == 512 * 1024 * 1024
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_closing_ends_the_process_and_may_be_done_twice():
    reader = Reader()
    assert contents(reader, WORDS) == ["Words.\n"]
    process = reader._process
    reader.close()
    reader.close()
    assert process.poll() is not None


def test_a_large_upload_and_many_answers_do_not_wait_for_each_other():
    """16 MiB go in while as much comes out, through pipes that hold 64 KiB."""
    rows = b"text\n" + b"".join(b"row %d %s\n" % (number, b"x" * 1000) for number in range(16_000))
    with Reader() as reader:
        assert sum(1 for _ in reader.read(Upload("a.csv", rows))) == 16_000


def test_the_process_ends_with_a_parent_that_was_killed():
    code = (
        "import time; from onenumbers_documents.reader import Reader, Upload; reader = Reader();"
        "list(reader.read(Upload('a.txt', b'Words.'))); print(reader._process.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    end = time.monotonic() + 20
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, "the child still runs"
        time.sleep(0.02)
