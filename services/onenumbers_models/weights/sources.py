"""Where a model comes from: a file, the Hugging Face hub, or an installed package that carries the weights."""

from __future__ import annotations

import fcntl
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onenumbers_models.embedding.options import Pooling
from onenumbers_models.errors import ModelError
from onenumbers_models.native import multiplies_bf16
from onenumbers_models.weights import hub
from onenumbers_models.weights.convert import convert_bert

Kind = Literal["embedding", "generation"]

_GGUF_MAGIC = b"GGUF"

Progress = Callable[[str], None]
"""Told in one line what is being done, before something that takes a while."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A GGUF that is on this machine."""

    path: Path
    model_id: str
    """Name by which answers name it, such as "all-MiniLM-L6-v2 (llama.cpp, F16)"."""
    adapter: Path | None = None
    """A low-rank adapter that belongs to it."""
    repack: bool = False
    """Whether llama.cpp may rearrange its weights: quicker for several answers at once, not safe on every machine."""
    pooling: Pooling = ""
    """How an embedding model makes one vector of a text, where its file does not say it."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether a model can be loaded at once."""

    text: str
    """"there", "off", "not downloaded yet", "not converted yet", or what is wrong."""
    model: ResolvedModel | None


def resolve(spec: str, *, data_dir: Path, progress: Progress | None = None) -> ResolvedModel | None:
    """Returns the model of a setting, or None for "none". Converts or downloads what is not there yet.

    Args:
        spec: A GGUF's path, "hf://owner/repository/file.gguf", "package:NAME", or "none".
        data_dir: Folder of the mesh's data; what is made is kept in its folder "models".
        progress: Told before something is converted or downloaded; not called where everything is there.

    Raises:
        ModelError: There is no such model, or it cannot be fetched.
    """
    spec = spec.strip()
    if spec.lower() in ("", "none"):
        return None
    if spec.startswith("package:"):
        return _from_package(spec.removeprefix("package:"), data_dir / "models", progress)
    if spec.startswith("hf://"):
        return _from_hub(spec, data_dir / "models", progress)
    path = Path(spec).expanduser()
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"the model {spec} cannot be read: {error.strerror}") from None
    if magic != _GGUF_MAGIC:
        raise ModelError(f"the model {spec} is not a GGUF file")
    return ResolvedModel(path=path, model_id=path.stem)


def _from_package(name: str, folder: Path, progress: Progress | None) -> ResolvedModel:
    found, source = _in_package(name)
    if found is not None:
        return ResolvedModel(path=found, model_id=found.stem)
    if source is None:
        raise ModelError(f"the package {name} carries no model that is understood (GGUF or BERT safetensors)")
    target = _converted(name, folder)
    if not target.exists():
        _once(target, source, progress)
    # Not named by the type of its weights: servers of one collection may differ in it, and their vectors agree.
    return ResolvedModel(path=target, model_id=_short(name))


def _in_package(name: str) -> tuple[Path | None, Path | None]:
    """Returns the GGUF of a package, or the folder of its BERT; neither where it has none.

    Raises:
        ModelError: The package is not installed.
    """
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(f"the package {name}, which carries the model, is not installed") from None
    for file in files:
        if file.name.endswith(".gguf"):
            return Path(str(file.locate())), None
    for file in files:
        if file.name == "model.safetensors":
            return None, Path(str(file.locate())).parent
    return None, None


def _converted(name: str, folder: Path) -> Path:
    # The version is part of the name: an updated package is converted anew.
    return folder / f"{name}-{importlib.metadata.version(name)}.gguf"


def _short(name: str) -> str:
    return name.removeprefix("gt-")


def _once(target: Path, source: Path, progress: Progress | None) -> None:
    """Converts under a temporary name; processes and threads that want the same model wait for the first of them."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The kernel frees the lock of a process that dies; the empty file stays, since removing it would be a race.
        with target.with_name(f".{target.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if target.exists():
                return
            if progress is not None:
                progress(f"converting {source.name}")
            scratch = target.with_name(f".{target.name}.part")
            try:
                convert_bert(source, scratch, bf16=multiplies_bf16())
                scratch.replace(target)
            finally:
                scratch.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"the model cannot be kept in {target.parent}: {error.strerror or error}") from None


def _from_hub(spec: str, folder: Path, progress: Progress | None) -> ResolvedModel:
    _, name = hub.parse(spec)
    path = hub.cached(spec, folder / "hub")
    if path is None:
        if progress is not None:
            progress(f"fetching {spec}")
        path = hub.fetch(spec, folder / "hub")
    return ResolvedModel(path=path, model_id=Path(name).stem)


def state(spec: str, *, data_dir: Path) -> ModelState:
    """Tells whether the model of a setting is there, and makes or fetches nothing.

    Args:
        spec: As for `resolve`.
        data_dir: Folder of the mesh's data.
    """
    spec = spec.strip()
    folder = data_dir / "models"
    try:
        if spec.startswith("hf://"):
            path = hub.cached(spec, folder / "hub")
            if path is None:
                return ModelState("not downloaded yet", None)
            return ModelState("there", ResolvedModel(path=path, model_id=path.stem))
        if spec.startswith("package:"):
            name = spec.removeprefix("package:")
            found, source = _in_package(name)
            if found is not None:
                return ModelState("there", ResolvedModel(path=found, model_id=found.stem))
            target = _converted(name, folder)
            if source is not None and not target.exists():
                return ModelState("not converted yet", None)
        model = resolve(spec, data_dir=data_dir)
    except ModelError as error:
        return ModelState(str(error), None)
    return ModelState("off", None) if model is None else ModelState("there", model)
