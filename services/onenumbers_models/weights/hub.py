"""Models of the Hugging Face hub: fetched with resume, checked against their checksum, kept in the data folder."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from onenumbers_models.errors import ModelError

_HUB = re.compile(r"hf://([\w.-]+/[\w.-]+)/((?:(?!\.\.)[\w./-])+\.gguf)\Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_BLOCK = 1 << 20

Fetched = Callable[[int, int], None]
"""Told how many bytes are there, and how many there will be; 0 where that is not known."""


def parse(spec: str) -> tuple[str, str]:
    """Returns repository and file of "hf://owner/repository/file.gguf".

    Raises:
        ModelError: It is of another form.
    """
    match = _HUB.match(spec)
    if match is None:
        raise ModelError(f"{spec} is not of the form hf://owner/repository/file.gguf")
    return match[1], match[2]


def cached(spec: str, folder: Path) -> Path | None:
    """Returns the file where it is there whole and checked, without asking the hub."""
    repository, name = parse(spec)
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(repository, name, cache_dir=str(folder))
    if not isinstance(found, str) or not Path(found).is_file():
        return None
    return Path(found) if _stamp(Path(found), folder).exists() else None


def fetch(spec: str, folder: Path, *, fetched: Fetched | None = None) -> Path:
    """Returns the file; what is not there yet is fetched, from where the last try ended.

    Args:
        spec: "hf://owner/repository/file.gguf".
        folder: Cache in the layout of huggingface_hub.
        fetched: Told about the progress.

    Raises:
        ModelError: It cannot be fetched, or its checksum is not the hub's.
    """
    there = cached(spec, folder)
    if there is not None:
        return there
    repository, name = parse(spec)
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        path = Path(hf_hub_download(repository, name, cache_dir=str(folder), tqdm_class=_bar(fetched)))
        _verify(path, folder, spec)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        line = str(error).strip().splitlines()
        raise ModelError(f"{spec} cannot be fetched: {line[0] if line else type(error).__name__}") from None
    return path


def _stamp(path: Path, folder: Path) -> Path:
    return folder / "checked" / path.resolve().name


def _verify(path: Path, folder: Path, spec: str) -> None:
    """Compares the file with the hub's checksum, by which huggingface_hub names large files."""
    blob = path.resolve()
    stamp = _stamp(path, folder)
    if _SHA256.match(blob.name):
        digest = hashlib.sha256()
        with blob.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        if digest.hexdigest() != blob.name:
            path.unlink(missing_ok=True)
            blob.unlink(missing_ok=True)
            raise ModelError(f"{spec} was damaged on its way: its checksum is not the hub's; it was removed, try again")
    with contextlib.suppress(OSError):  # a folder that cannot be written is checked each time
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()


def _bar(fetched: Fetched | None) -> Any:
    """Returns a progress bar for huggingface_hub that shows nothing and tells us."""
    from importlib import import_module

    base: Any = import_module("huggingface_hub.utils").tqdm

    class Told(base):  # type: ignore[misc]
        """Passes on what it is told."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            # A disabled bar counts nothing, so the count is kept here.
            self._there, self._whole = int(options.get("initial") or 0), int(options.get("total") or 0)
            super().__init__(*arguments, **(options | {"disable": True}))

        def update(self, n: float | None = 1) -> bool | None:
            self._there += int(n or 0)
            if fetched is not None:
                fetched(self._there, self._whole)
            return None

    return Told
