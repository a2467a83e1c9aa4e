"""Prepares and lists the local models: `python -m onenumbers_models prepare|list`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from onenumbers_models.errors import ModelError
from onenumbers_models.probe import prove
from onenumbers_models.settings import ModelSettings
from onenumbers_models.sources import Kind, Progress, resolve
from onenumbers_runtime import logs
from onenumbers_runtime.settings import SettingsError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m onenumbers_models",
        description="Prepares the models that MCP_EMBEDDING_MODEL and MCP_GENERATION_MODEL name: a GGUF's path, "
        "hf://owner/repository/file.gguf, package:NAME, or none.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("prepare", "convert or download what is missing, and prove in a child process that it runs"),
        ("list", "show the models and whether they are there"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--data-dir", type=Path, help="folder of the mesh's data (MCP_DATA_DIR)")
        if name == "list":
            command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


@contextlib.contextmanager
def _telling(kind: Kind) -> Iterator[Progress]:
    """Yields what shows the present step on a terminal, and nothing where nobody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(kind) as status:
        yield lambda line: status.update(f"{kind}: {line}")


async def _prepare(settings: ModelSettings) -> int:
    failed = 0
    for kind, spec in _specs(settings):
        started = time.monotonic()
        try:
            with _telling(kind) as tell:
                model = await asyncio.to_thread(resolve, spec, data_dir=settings.data_dir, progress=tell)
                if model is not None:
                    tell(f"trying {model.model_id} in a process of its own")
                    await prove(model, kind, data_dir=settings.data_dir, threads=settings.model_threads)
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
    rows = []
    for kind, spec in _specs(settings):
        row: dict[str, object] = {"kind": kind, "setting": spec}
        if spec.startswith("hf://"):
            cached = list((settings.data_dir / "models" / "hub").rglob(spec.rpartition("/")[2]))
            row |= {"state": "there" if cached else "not downloaded yet"}
        else:
            try:
                model = resolve(spec, data_dir=settings.data_dir)
            except ModelError as error:
                row |= {"state": str(error)}
            else:
                row |= (
                    {"state": "off"}
                    if model is None
                    else {
                        "state": "there",
                        "model": model.model_id,
                        "bytes": model.path.stat().st_size,
                    }
                )
        rows.append(row)
    if as_json:
        print(json.dumps({"models": rows}, indent=2))
    else:
        for row in rows:
            size = row.get("bytes")
            text = f", {size / 1e6:.0f} MB" if isinstance(size, int) else ""
            print(f"{row['kind']}: {row['setting']} ({row.get('model', row['state'])}{text})")
    return 0


def _specs(settings: ModelSettings) -> list[tuple[Kind, str]]:
    return [("embedding", settings.embedding_model), ("generation", settings.generation_model)]


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
    return asyncio.run(_prepare(settings))


if __name__ == "__main__":
    sys.exit(main())
