"""Where a model comes from: a file, the Hugging Face hub, or an installed package that carries the weights."""

from __future__ import annotations

import fcntl
import importlib.metadata
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from onenumbers_models.convert import convert_bert
from onenumbers_models.errors import ModelError

Kind = Literal["embedding", "generation"]

_HUB = re.compile(r"hf://([\w.-]+/[\w.-]+)/([\w./-]+\.gguf)\Z", re.ASCII)
_GGUF_MAGIC = b"GGUF"

Progress = Callable[[str], None]
"""Told in one line what is being done, before something that takes a while."""


@dataclass(frozen=True, slots=True)
class ResolvedModel:
    """A GGUF that is on this machine."""

    path: Path
    model_id: str
    """Name by which answers name it, such as "all-MiniLM-L6-v2 (llama.cpp, F16)"."""


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
    try:
        files = importlib.metadata.files(name) or []
    except importlib.metadata.PackageNotFoundError:
        raise ModelError(f"the package {name}, which carries the model, is not installed") from None
    for file in files:
        if file.name.endswith(".gguf"):
            path = Path(str(file.locate()))
            return ResolvedModel(path=path, model_id=path.stem)
    for file in files:
        if file.name == "model.safetensors":
            source = Path(str(file.locate())).parent
            # The version is part of the name: an updated package is converted anew.
            target = folder / f"{name}-{importlib.metadata.version(name)}-f16.gguf"
            if not target.exists():
                _once(target, source, progress)
            return ResolvedModel(path=target, model_id=f"{_short(name)}-f16")
    raise ModelError(f"the package {name} carries no model that is understood (GGUF or BERT safetensors)")


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
                convert_bert(source, scratch)
                scratch.replace(target)
            finally:
                scratch.unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"the model cannot be kept in {target.parent}: {error.strerror or error}") from None


def _from_hub(spec: str, folder: Path, progress: Progress | None) -> ResolvedModel:
    match = _HUB.match(spec)
    if match is None:
        raise ModelError(f"{spec} is not of the form hf://owner/repository/file.gguf")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if progress is not None:
        progress(f"fetching {spec}")
    try:
        path = hf_hub_download(match[1], match[2], cache_dir=str(folder / "hub"))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        line = str(error).strip().splitlines()
        raise ModelError(f"{spec} cannot be fetched: {line[0] if line else type(error).__name__}") from None
    return ResolvedModel(path=Path(path), model_id=Path(match[2]).stem)
