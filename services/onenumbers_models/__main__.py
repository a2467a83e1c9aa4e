"""The local models as commands: `python -m onenumbers_models list|pull|use|check|bench|prepare`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from onenumbers_models import commands
from onenumbers_models.errors import ModelError
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.sources import Kind, Progress
from onenumbers_runtime import logs
from onenumbers_runtime.settings import SettingsError

_TEXTS = {
    "prepare": "convert or download the settings' models, and prove in a child process that they run",
    "list": "show the settings' models and a catalog, and which are there; makes and downloads nothing",
    "pull": "download a model, continuing where an earlier try ended, and compare its checksum",
    "use": "make a model the one that the servers load at their next start",
    "check": "load a model in a child process; say how fast it is and what memory it takes",
    "bench": "as check, with 1, 2, 4 and 8 answers at once",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m onenumbers_models",
        description="A model is a name of the catalog, a GGUF's path, hf://owner/repository/file.gguf, package:NAME "
        "or none. MCP_EMBEDDING_MODEL and MCP_GENERATION_MODEL win over what `use` chose.",
    )
    subcommands = parser.add_subparsers(dest="command", required=True)
    for name, text in _TEXTS.items():
        command = subcommands.add_parser(name, help=text, description=text)
        command.add_argument("--data-dir", type=Path, help="folder of the mesh's data (MCP_DATA_DIR)")
        if name != "prepare":
            command.add_argument("--json", action="store_true", help="print one JSON document")
        if name in ("pull", "use", "check", "bench"):
            number = "+" if name in ("pull", "use") else "*"
            command.add_argument("model", nargs=number, help="which; the settings' models when left out")
            command.add_argument("--kind", choices=("embedding", "generation"), help="what it is for")
    return parser


@contextlib.contextmanager
def _telling(label: str) -> Iterator[Progress]:
    """Yields what shows the present step: in place on a terminal, a line each otherwise."""
    if not sys.stderr.isatty():
        yield lambda line: print(f"{label}: {line}", file=sys.stderr, flush=True)
        return
    from rich.console import Console

    with Console(stderr=True).status(label) as status:
        yield lambda line: status.update(f"{label}: {line}")


async def _prepare(settings: ModelSettings) -> int:
    failed = 0
    for kind, spec in commands.named(settings):
        started = time.monotonic()
        try:
            with _telling(kind) if sys.stderr.isatty() else contextlib.nullcontext(lambda _: None) as tell:
                model = await commands.prepare(settings, kind, spec, tell)
        except ModelError as error:
            failed += 1
            sys.stderr.write(f"{kind}: {error}\n")
            continue
        if model is None:
            print(f"{kind}: off")
            continue
        size = model.path.stat().st_size / 1e6
        print(f"{kind}: {model.model_id}, {size:.0f} MB, ready after {time.monotonic() - started:.1f} s", flush=True)
    return 1 if failed else 0


def _list(settings: ModelSettings, *, as_json: bool) -> int:
    found = commands.list_models(settings)
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    for row in found["models"]:
        size = f", {row['bytes'] / 1e6:.0f} MB" if "bytes" in row else ""
        print(f"{row['kind']}: {row['setting']} ({row.get('model', row['state'])}{size})")
    print("\ncatalog:")
    for row in found["catalog"]:
        there = "there" if row["state"] == "there" else ""
        size = f"{row['megabytes']:>6} MB"
        print(f"  {row['name']:<14} {row['kind']:<11}{size}  {row['licence']:<20} {there:<6}{row['note']}".rstrip())
    return 0


async def _run(options: argparse.Namespace, settings: ModelSettings) -> int:
    """Runs a command over each model that it is asked for; one that fails does not keep the others back."""
    wanted = commands.wanted(settings, options.model, options.kind)
    rows: list[dict[str, Any]] = []
    failed = 0
    for kind, spec in wanted:
        try:
            row = await _one(options, settings, kind, spec)
        except ModelError as error:
            failed += 1
            sys.stderr.write(f"{kind}: {error}\n")
            continue
        rows.append(row)
        if not options.json and row.get("state") != "off":
            print(f"{kind}: {_line(options.command, row)}", flush=True)
    if options.json:
        print(json.dumps({"models": rows}, indent=2))
    return 1 if failed else 0


async def _one(options: argparse.Namespace, settings: ModelSettings, kind: Kind, spec: str) -> dict[str, Any]:
    if options.command in ("check", "bench"):
        at_once = commands.BENCH_AT_ONCE if options.command == "bench" else (1,)
        return await commands.check(settings, kind, spec, at_once=at_once)
    with _telling(kind) as tell:
        if options.command == "use":
            return await commands.use(settings, kind, spec, tell)
        model = await asyncio.to_thread(commands.pull, settings, spec, tell)
    size = model.path.stat().st_size
    return {"kind": kind, "setting": spec, "model": model.model_id, "bytes": size, "file": str(model.path)}


def _line(command: str, row: dict[str, Any]) -> str:
    if command == "pull":
        return f"{row['model']}, {row['bytes'] / 1e6:.0f} MB, {row['file']}"
    if command == "use":
        over = row.get("overridden_by")
        effect = f"but {over} is set and wins" if over else "from the servers' next start on"
        return f"{row['setting']}, {effect} ({row['file']})"
    parts = [f"{row['model']}, {row['bytes'] / 1e6:.0f} MB", f"loads in {row['load_s']:.1f} s"]
    parts.append(f"takes {row['memory_bytes'] / 1e6:.0f} MB of memory")
    if row["texts_per_s"]:
        parts.append(f"{row['texts_per_s']:.0f} short texts/s")
    if row["write_per_s"]:
        parts.append(f"reads {row['read_per_s']:.0f} tokens/s")
        parts += [f"writes {rate:.0f} tokens/s with {count} at once" for count, rate in row["write_per_s"].items()]
    return ", ".join([*parts, f"{row['threads']} threads"])


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 where a model cannot be used, 2 for wrong usage or settings."""
    options = _parser().parse_args(arguments)
    try:
        overrides = {"data_dir": options.data_dir.absolute()} if options.data_dir is not None else {}
        settings = ModelSettings.load(**overrides)
    except SettingsError as error:
        sys.stderr.write(f"models: {error}\n")
        return 2
    logs.configure(settings, server="models")
    if options.command == "list":
        return _list(settings, as_json=options.json)
    if options.command == "prepare":
        return asyncio.run(_prepare(settings))
    try:
        return asyncio.run(_run(options, settings))
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
