"""Weights in the form that llama.cpp multiplies fastest with several answers at once.

llama.cpp rearranges weights of some types (Q4_0, Q4_K, ...) at load so that a step over several answers costs little
more than one over a single answer. Q4_1 is not among them. But a block of Q4_1, w = d * q + m with q from 0 to 15, is a
block of Q4_0, d * (q - 8), plus a constant m + 8 * d. So a Q4_1 matrix is a Q4_0 matrix with the same bits plus a
product of two thin ones: sums over the blocks of the input, times the constants. llama.cpp computes just that as a
low-rank adapter. The values are those of the file; only the order of the arithmetic differs.
"""

from __future__ import annotations

import asyncio
import fcntl
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from onenumbers_models.errors import ModelError
from onenumbers_models.process.probe import prove
from onenumbers_models.weights.sources import ResolvedModel

log = structlog.get_logger()

_BLOCK, _Q4_1_BYTES, _Q4_0_BYTES = 32, 20, 18
_LARGEST = 2_000_000_000
"""Bytes of a file that is split; larger ones are loaded as they are."""
_ARCHITECTURES = ("llama", "qwen2")
"""Whose matrices all take adapters."""
_SPLITTABLE = re.compile(r"blk\.\d+\.(attn_q|attn_k|attn_v|attn_output|ffn_gate|ffn_up|ffn_down)\.weight\Z")


def fast_variant(model: ResolvedModel, *, data_dir: Path) -> ResolvedModel:
    """Returns how to load a model for the quickest batches. Makes what it takes once, in the folder "models".

    Raises:
        ModelError: The file cannot be read, or the folder not be written.
    """
    stat = model.path.stat()
    name = f"{model.path.stem[:80]}-{stat.st_size}-{stat.st_mtime_ns}"
    folder = data_dir / "models" / "repacked"
    base, offsets = folder / f"{name}.q4_0.gguf", folder / f"{name}.offsets.gguf"
    try:
        if not base.exists():
            if stat.st_size > _LARGEST or not _is_q4_1(model.path):
                return replace(model, repack=True)
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f".{name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not base.exists():
                    split(model.path, base, offsets)
    except (OSError, ValueError) as error:
        raise ModelError(f"{model.model_id} cannot be rearranged: {error}") from None
    return replace(model, path=base, adapter=offsets, repack=True)


async def safe_variant(model: ResolvedModel, *, data_dir: Path, threads: int) -> ResolvedModel:
    """Returns the quickest way to load a model that a trial in a process of its own has shown to be safe here."""
    try:
        fast = await asyncio.to_thread(fast_variant, model, data_dir=data_dir)
        await prove(fast, "generation", data_dir=data_dir, threads=threads)
    except ModelError as error:
        log.warning("model_not_rearranged", model=model.model_id, reason=str(error))
        return model
    return fast


def _is_q4_1(path: Path) -> bool:
    """Tells whether a model has Q4_1 matrices, and only where an adapter can stand beside them."""
    import gguf

    reader = gguf.GGUFReader(str(path))
    field = reader.fields.get("general.architecture")
    if field is None or field.contents() not in _ARCHITECTURES:
        return False
    names = [tensor.name for tensor in reader.tensors if tensor.tensor_type == gguf.GGMLQuantizationType.Q4_1]
    return bool(names) and all(_SPLITTABLE.match(name) for name in names)


def split(source: Path, base: Path, offsets: Path) -> None:
    """Writes a Q4_1 model as a Q4_0 model with the same bits and an adapter that adds the blocks' constants.

    Args:
        source: GGUF with Q4_1 matrices.
        base: File for the Q4_0 model; it is there only once both are complete.
        offsets: File for the adapter, in F16.
    """
    import gguf

    reader = gguf.GGUFReader(str(source))
    architecture = reader.fields["general.architecture"].contents()
    scratch = [path.with_name(f".{path.name}.part") for path in (base, offsets)]
    model, adapter = (gguf.GGUFWriter(str(path), architecture) for path in scratch)
    _copy_fields(reader, model)
    adapter.add_type("adapter")
    adapter.add_string("adapter.type", "lora")
    adapter.add_float32("adapter.lora.alpha", 0.0)  # 0: the product is added as it is
    for tensor in reader.tensors:
        if tensor.tensor_type != gguf.GGMLQuantizationType.Q4_1:
            model.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        columns, rows = int(tensor.shape[0]), int(tensor.shape[1])
        blocks = np.asarray(tensor.data).reshape(rows, columns // _BLOCK, _Q4_1_BYTES)
        scale = np.ascontiguousarray(blocks[:, :, 0:2]).view(np.float16)[..., 0].astype(np.float32)
        least = np.ascontiguousarray(blocks[:, :, 2:4]).view(np.float16)[..., 0].astype(np.float32)
        same = np.concatenate([blocks[:, :, 0:2], blocks[:, :, 4:]], axis=2).reshape(rows, -1)
        model.add_tensor(tensor.name, np.ascontiguousarray(same), raw_dtype=gguf.GGMLQuantizationType.Q4_0)
        sums = np.kron(np.eye(columns // _BLOCK, dtype=np.float16), np.ones((1, _BLOCK), dtype=np.float16))
        constants = (least + 8 * scale).astype(np.float16)
        # Rows of a length that vector instructions take whole; what is added is zero.
        more = -sums.shape[0] % _BLOCK
        sums, constants = np.pad(sums, ((0, more), (0, 0))), np.pad(constants, ((0, 0), (0, more)))
        adapter.add_tensor(f"{tensor.name}.lora_a", np.ascontiguousarray(sums))
        adapter.add_tensor(f"{tensor.name}.lora_b", np.ascontiguousarray(constants))
    for writer in (model, adapter):
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    scratch[1].replace(offsets)
    scratch[0].replace(base)
    log.info("model_rearranged", source=source.name)


def _copy_fields(reader: Any, writer: Any) -> None:
    import gguf

    for field in reader.fields.values():
        if field.name == "general.architecture" or field.name.startswith("GGUF."):
            continue  # the writer's own
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=inner)
