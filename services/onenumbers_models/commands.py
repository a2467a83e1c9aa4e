"""What `onenumbers models` does: list, pull, use, check, bench, prepare. Results are returned as rows to print."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from onenumbers_models.errors import ModelError
from onenumbers_models.process.measure import measure
from onenumbers_models.process.probe import prove
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights import hub
from onenumbers_models.weights.catalog import CATALOG, find
from onenumbers_models.weights.chosen import VARIABLES, chosen_file, write_chosen
from onenumbers_models.weights.repack import safe_variant
from onenumbers_models.weights.sources import Kind, Progress, ResolvedModel, resolve, state

Row = dict[str, Any]
BENCH_AT_ONCE = (1, 2, 4, 8)
"""Numbers of answers at once that `bench` measures."""


def named(settings: ModelSettings) -> list[tuple[Kind, str]]:
    """Returns the models that the settings name."""
    return [("embedding", settings.embedding_model), ("generation", settings.generation_model)]


def wanted(settings: ModelSettings, names: Sequence[str], kind: Kind | None) -> list[tuple[Kind, str]]:
    """Returns what was asked for: names of the catalog or settings' values; those of the settings where there is none.

    Raises:
        ModelError: A name is in no catalog, or it is not said what a model is for.
    """
    if not names:
        return [item for item in named(settings) if kind in (None, item[0])]
    found: list[tuple[Kind, str]] = []
    for name in names:
        entry = find(name)
        if entry is not None and kind in (None, entry.kind):
            found.append((entry.kind, entry.spec))
            continue
        same = next((item for item in CATALOG if item.spec == name), None)
        if entry is not None:
            raise ModelError(f"{name} is a model for {entry.kind}")
        if not (name.startswith(("hf://", "package:")) or name.endswith(".gguf") or name == "none"):
            known = ", ".join(item.name for item in CATALOG)
            raise ModelError(f"{name} is not in the catalog ({known}), and no GGUF's path, hf:// or package: name")
        use = kind or (same.kind if same is not None else None)
        if use is None:
            raise ModelError(f"say with --kind what {name} is for: embedding or generation")
        found.append((use, name))
    return found


def list_models(settings: ModelSettings) -> Row:
    """Returns the settings' models and the catalog, each with whether it is there. Makes and fetches nothing."""
    models = []
    for kind, spec in named(settings):
        row: Row = {"kind": kind, "setting": spec}
        row |= _state(spec, settings)
        models.append(row)
    catalog = [asdict(entry) | _state(entry.spec, settings) for entry in CATALOG]
    return {"models": models, "catalog": catalog}


def _state(spec: str, settings: ModelSettings) -> Row:
    found = state(spec, data_dir=settings.data_dir)
    row: Row = {"state": found.text}
    if found.model is not None:
        row |= {"model": found.model.model_id, "bytes": found.model.path.stat().st_size}
    return row


def pull(settings: ModelSettings, spec: str, tell: Progress) -> ResolvedModel:
    """Fetches or converts a model; continues where an earlier try ended.

    Raises:
        ModelError: It cannot be fetched, or there is no such model.
    """
    if spec.startswith("hf://"):
        last = 0.0

        def fetched(there: int, whole: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= 1.0 or there == whole:
                last = now
                part = f" of {whole / 1e6:.0f} MB ({there / whole:.0%})" if whole else " MB"
                tell(f"{there / 1e6:.0f}{part}")

        hub.fetch(spec, settings.data_dir / "models" / "hub", fetched=fetched)
    model = resolve(spec, data_dir=settings.data_dir, progress=tell)
    if model is None:
        raise ModelError("none is no model")
    return model


async def use(settings: ModelSettings, kind: Kind, spec: str, tell: Progress) -> Row:
    """Makes a model the one that the servers load at their next start, after proving that it runs here.

    Raises:
        ModelError: It cannot be used; what was chosen before stays.
    """
    if spec != "none":
        model = await asyncio.to_thread(pull, settings, spec, tell)
        tell(f"trying {model.model_id} in a process of its own")
        await prove(settings.as_used(kind, model), kind, data_dir=settings.data_dir, threads=settings.model_threads)
    await asyncio.to_thread(write_chosen, settings.data_dir, kind, spec)
    again = ModelSettings.load(data_dir=settings.data_dir)
    now = dict(named(again))[kind]
    row: Row = {"kind": kind, "setting": spec, "file": str(chosen_file(settings.data_dir)), "in_effect": now == spec}
    if now != spec:
        row["overridden_by"] = VARIABLES[kind]
    return row


async def check(settings: ModelSettings, kind: Kind, spec: str, *, at_once: tuple[int, ...] = (1,)) -> Row:
    """Loads a model in a process of its own and measures it.

    Raises:
        ModelError: It is not there, or cannot be used; the message says which.
    """
    found = state(spec, data_dir=settings.data_dir)
    if found.model is None:
        if found.text == "off":
            return {"kind": kind, "setting": spec, "state": "off"}
        raise ModelError(f"{spec}: {found.text}")
    measured = await measure(
        settings.as_used(kind, found.model),
        kind,
        threads=settings.model_threads,
        context_length=settings.generation_context,
        at_once=at_once,
    )
    row: Row = {"kind": kind, "setting": spec, "state": "there", "model": found.model.model_id}
    return row | {"bytes": found.model.path.stat().st_size, "threads": settings.model_threads} | asdict(measured)


async def prepare(settings: ModelSettings, kind: Kind, spec: str, tell: Progress) -> ResolvedModel | None:
    """Makes one of the settings' models ready: fetched or converted, rearranged where that is safe, and proven.

    Raises:
        ModelError: It cannot be used.
    """
    model = await asyncio.to_thread(resolve, spec, data_dir=settings.data_dir, progress=tell)
    if model is not None:
        tell(f"trying {model.model_id} in a process of its own")
        await prove(settings.as_used(kind, model), kind, data_dir=settings.data_dir, threads=settings.model_threads)
        if kind == "generation" and settings.generation_repack:
            await safe_variant(model, data_dir=settings.data_dir, threads=settings.model_threads)
    return model
