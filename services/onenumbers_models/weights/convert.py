"""Sentence-transformers BERT models as GGUF, for llama.cpp: weights in 16 bits, vocabulary, pooling.

Follows the conventions of llama.cpp's own converter for BERT: word pieces that begin a word carry U+2581, pieces that
continue one lose their "##".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from onenumbers_models.errors import ModelError

_SPACE = "\u2581"
_UNUSED = ("embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias")


def convert_bert(source: Path, target: Path, *, bf16: bool) -> None:
    """Writes the model in the folder `source` as the GGUF `target`.

    Vectors of both types agree to a cosine of 0.9999: nothing is lost where servers of a collection differ in it.

    Args:
        source: Folder with config.json, vocab.txt, model.safetensors and 1_Pooling/config.json.
        target: File to write; it is complete when this returns.
        bf16: Whether matrices are BF16, for processors that multiply it (native.multiplies_bf16), and not F16.

    Raises:
        ModelError: The folder holds another kind of model.
    """
    import gguf
    from safetensors import safe_open

    config = _json(source / "config.json")
    pooling = _json(source / "1_Pooling" / "config.json")
    if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
        raise ModelError(f"{source.name} holds a model of type {config.get('model_type')!r}; only BERT is converted")
    if not pooling.get("pooling_mode_mean_tokens"):
        raise ModelError(f"{source.name} pools in another way than by the mean of its tokens")
    blocks = int(config["num_hidden_layers"])
    writer = gguf.GGUFWriter(str(target), "bert")
    writer.add_name(source.name)
    writer.add_context_length(int(config["max_position_embeddings"]))
    writer.add_embedding_length(int(config["hidden_size"]))
    writer.add_block_count(blocks)
    writer.add_feed_forward_length(int(config["intermediate_size"]))
    writer.add_head_count(int(config["num_attention_heads"]))
    writer.add_layer_norm_eps(float(config["layer_norm_eps"]))
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    kind = gguf.GGMLQuantizationType.BF16 if bf16 else gguf.GGMLQuantizationType.F16
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_BF16 if bf16 else gguf.LlamaFileType.MOSTLY_F16)
    _add_vocabulary(writer, source / "vocab.txt", int(config["vocab_size"]), int(config["type_vocab_size"]))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, blocks)
    with safe_open(str(source / "model.safetensors"), framework="numpy") as weights:
        for key in weights.keys():  # noqa: SIM118 - not a mapping
            name = key.removeprefix("bert.")
            if name in _UNUSED:
                continue
            tensor = weights.get_tensor(key)
            mapped = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if mapped is None:
                raise ModelError(f"{source.name} has a tensor that a BERT has not: {key}")
            # Positions and token types are added, not multiplied with: they stay exact, and so do norms and biases.
            is_matrix = tensor.ndim == 2 and name.endswith(".weight") and "position" not in name and "type" not in name
            tensor = tensor.astype("float32")
            if is_matrix:
                writer.add_tensor(mapped, gguf.quants.quantize(tensor, kind), raw_dtype=kind)
            else:
                writer.add_tensor(mapped, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_vocabulary(writer: Any, path: Path, size: int, token_types: int) -> None:
    import gguf

    words = path.read_text(encoding="utf-8").split("\n")
    if words and not words[-1]:
        words.pop()
    if len(words) != size:
        raise ModelError(f"vocab.txt has {len(words)} words where the model has {size}")
    tokens, kinds = [], []
    for word in words:
        special = word.startswith("[") and word.endswith("]") and len(word) > 2
        if special:
            tokens.append(word)
        elif word.startswith("##"):
            tokens.append(word[2:])
        else:
            tokens.append(_SPACE + word)
        kinds.append(gguf.TokenType.CONTROL if special else gguf.TokenType.NORMAL)
    writer.add_tokenizer_model("bert")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_type_count(token_types)
    index = {word: number for number, word in enumerate(words)}
    writer.add_bos_token_id(index["[CLS]"])
    writer.add_sep_token_id(index["[SEP]"])
    writer.add_eos_token_id(index["[SEP]"])
    writer.add_unk_token_id(index["[UNK]"])
    writer.add_pad_token_id(index["[PAD]"])
    writer.add_mask_token_id(index["[MASK]"])


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} of the model cannot be read: {error}") from None
    return dict(value)
