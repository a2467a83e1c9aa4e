"""Loads a model in a process of its own and measures it: seconds to load, memory, tokens or texts a second."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from onenumbers_models.errors import ModelError, ModelUnsafeError
from onenumbers_models.generation.requests import ChatMessage, Completion, GenerationOptions
from onenumbers_models.weights.sources import Kind, ResolvedModel

TIMEOUT_S = 900.0
_PROMPT = "Tell what numbers have meant to people, from the oldest times to our own, at length. "
_PROMPT_REPEATS, _ANSWER = 12, 48
"""Length of the prompt that is read, and tokens of the answers that are written."""
_TEXTS = [f"The number {number} has a meaning in several traditions of numerology." for number in range(64)]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a model takes and does on this machine."""

    load_s: float
    memory_bytes: int
    """Largest resident memory of the process that loaded it."""
    read_per_s: float = 0.0
    """Tokens of a prompt a second."""
    write_per_s: dict[str, float] | None = None
    """Tokens a second of all answers together, by the number of answers at once."""
    texts_per_s: float = 0.0
    """Short texts embedded a second."""


async def measure(
    model: ResolvedModel, kind: Kind, *, threads: int, context_length: int, at_once: tuple[int, ...] = (1,)
) -> Measurement:
    """Returns the measurement of a model.

    Args:
        model: The file.
        kind: What it is used for.
        threads: Threads of llama.cpp.
        context_length: Tokens of prompt and answer together.
        at_once: Numbers of answers that are written together.

    Raises:
        ModelUnsafeError: The process crashed or took too long.
        ModelError: The model cannot be used.
    """
    task = json.dumps([kind, str(model.path), model.pooling, threads, context_length, list(at_once)])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "onenumbers_models.process.measure", task),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            out, said = await process.communicate()
    except TimeoutError:
        raise ModelUnsafeError(f"{model.model_id} was not measured within {TIMEOUT_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    status = process.returncode or 0
    if status < 0:
        raise ModelUnsafeError(f"{model.model_id} crashed: {signal.Signals(-status).name}")
    if status:
        lines = said.decode(errors="replace").strip().splitlines()
        raise ModelError(lines[-1] if lines else f"{model.model_id} could not be measured: status {status}")
    return Measurement(**json.loads(out.decode().splitlines()[-1]))


async def _generation(model: ResolvedModel, threads: int, context_length: int, at_once: list[int]) -> Measurement:
    from onenumbers_models.generation.generator import LlamaGenerator

    began = time.monotonic()
    generator = await LlamaGenerator.load(
        model, context_length=context_length, threads=threads, slots=max(at_once), memory=context_length * max(at_once)
    )
    load_s = time.monotonic() - began

    async def one(messages: list[ChatMessage], tokens: int) -> Completion:
        options = GenerationOptions(max_tokens=tokens)
        *_, last = [event async for event in generator.events(messages, options)]
        if not isinstance(last, Completion):
            raise ModelError(f"{model.model_id} ended without saying how")
        return last

    read = await one([ChatMessage("user", _PROMPT * _PROMPT_REPEATS)], 1)
    rates = {}
    for count in at_once:
        prompts = [[ChatMessage("user", f"{_PROMPT} Begin with the number {number}.")] for number in range(count)]
        await asyncio.gather(*(one(prompt, 1) for prompt in prompts))  # so that reading is not measured again
        started = time.monotonic()
        ends = await asyncio.gather(*(one(prompt, _ANSWER) for prompt in prompts))
        rates[str(count)] = sum(end.tokens for end in ends) / (time.monotonic() - started)
    await generator.close()
    reading = (read.prompt_tokens - read.reused_tokens) / max(read.first_token_s - read.queue_s, 1e-9)
    return Measurement(load_s, _memory(), read_per_s=reading, write_per_s=rates)


async def _embedding(model: ResolvedModel, threads: int) -> Measurement:
    from onenumbers_models.embedding.embedder import LlamaEmbedder

    began = time.monotonic()
    embedder = await LlamaEmbedder.load(model, threads=threads)
    load_s = time.monotonic() - began
    await embedder.embed(_TEXTS[:2])
    started = time.monotonic()
    await embedder.embed(_TEXTS)
    rate = len(_TEXTS) / (time.monotonic() - started)
    await embedder.close()
    return Measurement(load_s, _memory(), texts_per_s=rate)


def _memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(arguments: list[str]) -> int:
    """Measures what the one argument says, as JSON: kind, path, pooling, threads, context, answers at once."""
    kind, path, pooling, threads, context_length, at_once = json.loads(arguments[0])
    model = ResolvedModel(path=Path(path), model_id=Path(path).stem, pooling=pooling)
    try:
        if kind == "embedding":
            found = asyncio.run(_embedding(model, threads))
        else:
            found = asyncio.run(_generation(model, threads, context_length, at_once))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
