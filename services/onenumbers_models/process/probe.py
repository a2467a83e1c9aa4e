"""Proves in a process of its own that a model loads and runs: native code that crashes takes only that one down."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import platform
import signal
import sys
from pathlib import Path
from typing import Any, cast

import structlog

from onenumbers_models.embedding.options import Pooling
from onenumbers_models.errors import ModelError, ModelUnsafeError
from onenumbers_models.process.memory import available_bytes, check_fits
from onenumbers_models.weights.sources import Kind, ResolvedModel

log = structlog.get_logger()

TIMEOUT_S = 180.0
CRASH_VARIABLE = "ONENUMBERS_PROBE_CRASH"
"""Makes the trying process end itself with this signal's number: the only way to test a crash on a sound machine."""


async def prove(
    model: ResolvedModel, kind: Kind, *, data_dir: Path, threads: int, timeout_s: float = TIMEOUT_S
) -> None:
    """Returns when the model has loaded and run in a child process, now or earlier on this machine.

    Raises:
        ModelUnsafeError: The child crashed or took too long.
        ModelError: It reported that the model cannot be used, or there is not enough memory for the weights.
    """
    # Asked also of a model that was proven: the memory may have been taken since, or the container been made smaller.
    check_fits(model, available=available_bytes())
    way = "-repacked" if model.repack else ""
    record = data_dir / "models" / "proofs" / f"{kind}{way}-{model.path.stem[:80]}.json"
    fingerprint = _fingerprint(model, threads)
    if _read(record) == fingerprint:
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_models.process.probe", kind, str(model.path), str(threads)),
        *(str(int(model.repack)), str(model.adapter or ""), model.pooling),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(timeout_s):
            _, said = await process.communicate()
    except TimeoutError:
        raise ModelUnsafeError(f"{model.model_id} did not load and run within {timeout_s:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _failure(model, int(process.returncode or 0), said.decode(errors="replace"))
    record.parent.mkdir(parents=True, exist_ok=True)
    scratch = record.with_suffix(f".{os.getpid()}")
    scratch.write_text(json.dumps(fingerprint), encoding="utf-8")
    scratch.replace(record)
    log.info("model_proven", model=model.model_id, kind=kind)


def _failure(model: ResolvedModel, status: int, said: str) -> ModelError:
    if status == -signal.SIGKILL:
        return ModelUnsafeError(
            f"{model.model_id} was killed while it was tried: most often the system does that when memory runs out"
        )
    if status < 0:
        return ModelUnsafeError(f"{model.model_id} crashed while it was tried: {signal.Signals(-status).name}")
    lines = said.strip().splitlines()
    return ModelError(lines[-1] if lines else f"{model.model_id} could not be tried: status {status}")


def _fingerprint(model: ResolvedModel, threads: int) -> dict[str, Any]:
    stat = model.path.stat()
    return {
        "path": str(model.path),
        "size": stat.st_size,
        "modified": stat.st_mtime_ns,
        "library": importlib.metadata.version("llama-cpp-python"),
        "machine": f"{platform.machine()} {_processor()}",
        "threads": threads,
        "repack": model.repack,
        "pooling": model.pooling,
    }


def _processor() -> str:
    """Returns the processor's name: another one has other instructions, and other crashes."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.processor()


def _read(record: Path) -> Any:
    try:
        return json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


async def _try(kind: str, model: ResolvedModel, threads: int) -> None:
    from onenumbers_models.embedding.embedder import LlamaEmbedder
    from onenumbers_models.generation.generator import ChatMessage, LlamaGenerator

    if kind == "embedding":
        embedder = await LlamaEmbedder.load(model, threads=threads)
        await embedder.embed(["a number has a root", "another text, somewhat longer than the one before it"])
        await embedder.embed_query("what is a root?")
        await embedder.close()
        return
    generator = await LlamaGenerator.load(model, context_length=512, threads=threads)
    async for _ in generator.generate([ChatMessage("user", "Say one word.")], max_tokens=4):
        pass
    await generator.close()


def main(arguments: list[str]) -> int:
    """Tries a model: KIND PATH THREADS REPACK ADAPTER POOLING. The exit status is 0 when it works."""
    kind, path, threads, repack, adapter, pooling = arguments
    model = ResolvedModel(
        path=Path(path),
        model_id=Path(path).stem,
        adapter=Path(adapter) if adapter else None,
        repack=repack == "1",
        pooling=cast("Pooling", pooling),
    )
    crash = os.environ.get(CRASH_VARIABLE)
    if crash:
        os.kill(os.getpid(), int(crash))
    try:
        asyncio.run(_try(kind, model, int(threads)))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
