"""How much memory a model may take: what the machine has left, and what a container's limit leaves of it."""

from __future__ import annotations

from pathlib import Path

from onenumbers_models.errors import ModelError
from onenumbers_models.weights.sources import ResolvedModel

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_bytes(*, meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Returns the bytes that can still be used without swapping; None where the system does not say.

    The kernel's MemAvailable (proc(5)), or less where a control group (cgroup v2) limits this process: its limit less
    what it uses, its page cache apart, which the kernel gives back under pressure.
    """
    known = [value for value in (_machine(meminfo), _container(cgroup)) if value is not None]
    return min(known) if known else None


def check_fits(model: ResolvedModel, *, available: int | None) -> None:
    """Refuses a model whose weights are larger than the memory there is, before anything is loaded.

    Loading it all the same would not fail at once: the file is mapped, and the machine would read it from the disk
    anew for every token, or end some process.

    Args:
        model: What is to be loaded.
        available: From `available_bytes`; None accepts everything.

    Raises:
        ModelError: It does not fit; says both sizes.
    """
    if available is None:
        return
    try:
        size = sum(path.stat().st_size for path in (model.path, model.adapter) if path is not None)
    except OSError as error:
        raise ModelError(f"the model {model.path} cannot be read: {error.strerror}") from None
    if size > available:
        raise ModelError(
            f"{model.model_id} needs {_megabytes(size)} MB of memory for its weights alone, "
            f"{_megabytes(available)} MB are available: use a smaller model or free memory"
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}"


def _machine(meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text(encoding="ascii").splitlines():
            name, _, value = line.partition(":")
            if name == "MemAvailable":
                return int(value.split()[0]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _container(cgroup: Path) -> int | None:
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))  # "max" without a limit
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        counts = dict(line.split() for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(0, limit - used + int(counts.get("file", 0)))
    except (OSError, ValueError):
        return None
