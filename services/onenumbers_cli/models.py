"""`onenumbers models`: the local models, in a process of their own, which native code may crash without harm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from onenumbers_cli import exec_child

models_app = typer.Typer(
    help="Shows, fetches, chooses and measures the local models.", no_args_is_help=True, rich_markup_mode=None
)

DataDir = Annotated[Path | None, typer.Option(help="Folder of the mesh's data (MCP_DATA_DIR).")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Kind = Annotated[Literal["embedding", "generation"] | None, typer.Option(help="What the model is for.")]
Name = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A name that `list` shows, a GGUF's path, hf://owner/repository/file.gguf."),
]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[MODEL]...", help="Which ones; the settings' models when left out.")
]


@models_app.command("list")
def list_models(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Lists the settings' models and a catalog, and which are there. Makes and downloads nothing."""
    raise typer.Exit(run_models("list", data_dir=data_dir, as_json=as_json))


@models_app.command()
def pull(name: Name, kind: Kind = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Downloads a model; continues where an earlier try ended, and compares its checksum.

    Example: onenumbers models pull qwen2.5-1.5b
    """
    raise typer.Exit(run_models("pull", name, *_kind(kind), data_dir=data_dir, as_json=as_json))


@models_app.command()
def use(name: Name, kind: Kind = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Makes a model the one that the servers load at their next start, after proving that it runs here.

    The choice is kept in models/chosen.json in the data folder. MCP_GENERATION_MODEL and MCP_EMBEDDING_MODEL win over
    it. A new embedding model makes the knowledge server embed its documents anew.

    Example: onenumbers models use qwen2.5-1.5b
    """
    raise typer.Exit(run_models("use", name, *_kind(kind), data_dir=data_dir, as_json=as_json))


@models_app.command()
def check(names: Names = None, kind: Kind = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Loads models and says how fast they are and what memory they take; status 1 when one cannot be used."""
    raise typer.Exit(run_models("check", *names or (), *_kind(kind), data_dir=data_dir, as_json=as_json))


@models_app.command()
def bench(names: Names = None, kind: Kind = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Measures models as `check` does, and with 1, 2, 4 and 8 answers at once."""
    raise typer.Exit(run_models("bench", *names or (), *_kind(kind), data_dir=data_dir, as_json=as_json))


@models_app.command()
def prepare(data_dir: DataDir = None) -> None:
    """Converts or downloads the models that the settings name, and proves that they run here."""
    raise typer.Exit(run_models("prepare", data_dir=data_dir))


def run_models(command: str, *words: str, data_dir: Path | None, as_json: bool = False) -> int:
    """Runs a command of `python -m onenumbers_models` with our standard streams; returns its exit status."""
    environment = dict(os.environ)
    if data_dir is not None:
        environment["MCP_DATA_DIR"] = str(data_dir.absolute())
    return run_module([command, *words, *(["--json"] if as_json else [])], environment)


def run_module(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Runs `python -m onenumbers_models`; it does not outlive us. A status of 128 + N stands for signal N."""
    program = [sys.executable, "-m", "onenumbers_models", *arguments]
    wrapper = [sys.executable, "-I", "-S", exec_child.__file__, str(os.getpid())]
    done = subprocess.run([*wrapper, *program], env=environment, check=False)  # noqa: S603 - our own modules
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def _kind(kind: str | None) -> list[str]:
    return ["--kind", kind] if kind else []
