"""Continuous batching: requests join and leave at every step, beginnings are shared, nothing waits without end."""

import asyncio
import threading

import pytest

from onenumbers_models.generation.generator import ChatMessage, LlamaGenerator
from onenumbers_models.generation.requests import Completion, GenerationOptions
from onenumbers_models.generation.statistics import GenerationCollector, GenerationStatistics
from onenumbers_runtime.errors import DeadlineExceededError, InvalidArgumentError, ResourceExhaustedError

STORY = [ChatMessage("user", "Tell a very long story about a river.")]


def long_prompt(words: int, last: str = "hi") -> list[ChatMessage]:
    return [ChatMessage("system", "word " * words), ChatMessage("user", last)]


async def finish(generator, messages, **options) -> Completion:
    """Reads an answer to its end; returns how it ended."""
    *_, last = [event async for event in generator.events(messages, GenerationOptions(**options))]
    assert isinstance(last, Completion)
    return last


async def until(condition) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the change is in another thread or process
            await asyncio.sleep(0.002)


@pytest.fixture
async def two(smollm):
    """A generator that writes two answers at once and lets two wait."""
    loaded = await LlamaGenerator.load(smollm, context_length=512, threads=1, slots=2, queue=2)
    yield loaded
    await loaded.close()


async def test_a_request_joins_while_another_is_being_written(generator):
    first = generator.generate(STORY, max_tokens=200)
    await anext(first)
    ended = await finish(generator, [ChatMessage("user", "Say hello.")], max_tokens=5)
    assert ended.tokens == 5
    assert generator.statistics().running == 1, "the first one is still being written"
    await first.aclose()


async def test_a_long_prompt_is_read_in_parts_beside_a_running_answer(smollm):
    generator = await LlamaGenerator.load(smollm, context_length=1024, threads=1)
    steps = []
    run = generator._scheduler._context.run

    def counted():
        steps.append(generator._scheduler._context.size)
        run()

    generator._scheduler._context.run = counted
    story = generator.generate(STORY, max_tokens=300)
    await anext(story)
    before = len(steps)
    ended = await finish(generator, long_prompt(600), max_tokens=1)
    reading = steps[before:]
    assert ended.prompt_tokens > 600
    assert len(reading) > 4, "the prompt took several steps, each of which wrote a token of the story too"
    assert max(reading) < 400
    await story.aclose()
    await generator.close()


async def test_a_repeated_beginning_is_computed_once(generator):
    first = await finish(generator, long_prompt(300), max_tokens=2)
    second = await finish(generator, long_prompt(300), max_tokens=2)
    other = await finish(generator, long_prompt(300, "another question"), max_tokens=2)
    assert first.reused_tokens < 30
    assert second.reused_tokens == second.prompt_tokens - 1
    assert other.reused_tokens > 300
    statistics = generator.statistics()
    assert statistics.prefix_hits >= 2
    assert statistics.reused_tokens > 600


async def test_requests_that_come_at_once_share_a_beginning_too(smollm):
    generator = await LlamaGenerator.load(smollm, context_length=512, threads=1)
    ended = await asyncio.gather(*(finish(generator, long_prompt(300, f"{n}"), max_tokens=2) for n in range(4)))
    assert sum(item.prompt_tokens for item in ended) > 1200
    assert generator.statistics().prompt_tokens < 450
    await generator.close()


async def test_what_is_shared_does_not_change_the_answer(smollm):
    plain = await LlamaGenerator.load(smollm, context_length=512, threads=1, kept_prompts=0)
    keeping = await LlamaGenerator.load(smollm, context_length=512, threads=1)
    messages = [ChatMessage("system", "You answer in one sentence."), ChatMessage("user", "What is the sun?")]

    async def text(one):
        return "".join([piece async for piece in one.generate(messages, max_tokens=24)])

    expected = await text(plain)
    await text(plain)
    assert plain.statistics().reused_tokens == 0
    assert [await text(keeping) for _ in range(3)] == [expected] * 3
    assert keeping.statistics().reused_tokens > 0
    await plain.close()
    await keeping.close()


async def test_kept_prompts_give_way_to_answers_and_memory_never_overflows(smollm):
    """More prompts than the memory holds, each different from its first word on: the oldest are given up."""
    generator = await LlamaGenerator.load(smollm, context_length=512, threads=1, memory=700, kept_prompts=8)
    for number in range(6):
        messages = [ChatMessage("system", f"{number} {chr(97 + number)} " * 40)]
        await finish(generator, messages, max_tokens=3)
        assert generator.statistics().cells_used <= 700
    ends = await asyncio.gather(
        *(finish(generator, [ChatMessage("user", f"{n} " * 90)], max_tokens=30) for n in range(4))
    )
    assert all(item.tokens for item in ends)
    assert generator.statistics().ended.get("failed", 0) == 0
    await generator.close()


async def test_beyond_the_queue_requests_are_refused_with_a_time_to_try_again(two):
    streams = [two.generate(STORY, max_tokens=400) for _ in range(4)]
    tasks = [asyncio.create_task(anext(stream)) for stream in streams]
    await until(lambda: two.statistics().running + two.statistics().waiting == 4)
    with pytest.raises(ResourceExhaustedError, match="wait already") as caught:
        await anext(two.generate(STORY, max_tokens=5))
    assert caught.value.retry_after >= 1
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for stream in streams:
        await stream.aclose()
    await until(lambda: two.statistics().running + two.statistics().waiting == 0)
    assert (await finish(two, STORY, max_tokens=3)).tokens == 3


async def test_the_background_leaves_a_place_to_those_who_wait_for_an_answer(two):
    """Two long requests of the background and then an interactive one: it is begun before the second of them."""
    slow = [asyncio.create_task(finish(two, STORY, max_tokens=60, priority="background")) for _ in range(2)]
    await until(lambda: two.statistics().running == 1 and two.statistics().waiting == 1)
    urgent = await finish(two, STORY, max_tokens=5)
    assert not any(task.done() for task in slow)
    ends = await asyncio.gather(*slow)
    assert urgent.queue_s < max(item.queue_s for item in ends)


async def test_a_deadline_ends_an_answer_and_frees_its_place(two):
    with pytest.raises(DeadlineExceededError):
        await finish(two, STORY, max_tokens=450, deadline_s=0.3)
    await until(lambda: two.statistics().running == 0)
    assert two.statistics().ended == {"deadline": 1}


async def test_a_deadline_counts_while_a_request_waits(two):
    held = [two.generate(STORY, max_tokens=450) for _ in range(2)]
    for stream in held:
        await anext(stream)
    with pytest.raises(DeadlineExceededError):
        await finish(two, STORY, max_tokens=5, deadline_s=0.1)
    for stream in held:
        await stream.aclose()


async def test_a_cancelled_prompt_is_not_read_to_its_end(two):
    task = asyncio.create_task(finish(two, long_prompt(450), max_tokens=5))
    await until(lambda: two.statistics().steps >= 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: two.statistics().running == 0)
    assert two.statistics().prompt_tokens < 450


async def test_many_answers_with_their_own_seeds_limits_and_stop_strings(generator):
    async def one(number: int) -> str:
        stream = generator.generate(
            STORY, max_tokens=6 + number % 5, temperature=1.0, seed=number % 7, stop=["river"] if number % 2 else []
        )
        return "".join([piece async for piece in stream])

    async with asyncio.timeout(120):
        texts = await asyncio.gather(*(one(number) for number in range(24)))
    assert not any("river" in item for item in texts[1::2])
    assert len(set(texts)) > 5
    assert (await asyncio.gather(one(3)))[0] == texts[3], "a seed gives the same text in any company"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_tokens", 0),
        ("temperature", -1.0),
        ("temperature", float("nan")),
        ("top_p", 1.5),
        ("repeat_penalty", 0.0),
        ("stop", ("",)),
        ("stop", ("a",) * 17),
        ("deadline_s", 0.0),
    ],
)
async def test_an_option_that_cannot_be_meant_is_named(generator, option, value):
    with pytest.raises(InvalidArgumentError) as caught:
        await finish(generator, STORY, **({"max_tokens": 5} | {option: value}))
    assert caught.value.violations[0].field == option


async def test_closing_ends_what_runs(smollm):
    generator = await LlamaGenerator.load(smollm, context_length=512, threads=1)
    stream = generator.generate(STORY, max_tokens=400)
    await anext(stream)
    await generator.close()
    with pytest.raises(Exception, match="being closed"):
        async for _ in stream:
            pass
    assert not [thread for thread in threading.enumerate() if thread.name == "generation"]


async def test_the_statistics_say_what_happened_and_prometheus_reads_them(generator):
    await finish(generator, STORY, max_tokens=8)
    statistics = generator.statistics()
    assert statistics.answer_tokens == 8
    assert statistics.first_token_s.count == statistics.queue_s.count == statistics.tokens_per_second.count == 1
    assert GenerationStatistics.from_wire(statistics.to_wire()) == statistics
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(GenerationCollector(generator.statistics))
    page = generate_latest(registry).decode()
    assert "onenumbers_generation_answer_tokens_total 8.0" in page
    assert 'onenumbers_generation_requests_total{end="length"} 1.0' in page
    assert "onenumbers_generation_first_token_seconds_count 1.0" in page
