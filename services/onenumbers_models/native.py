"""llama.cpp by its C functions: what the embedder and the generator share. Loaded late: it is large."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from onenumbers_models.errors import ModelError

log = structlog.get_logger()

_LOCK = threading.Lock()
_READY: list[Any] = []
_WARNING = 3
"""Level of llama.cpp's log from which on it is passed on."""


def library() -> Any:
    """Returns the module llama_cpp, with its log passed on to ours."""
    with _LOCK:
        if _READY:
            return _READY[0]
        import llama_cpp

        @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
        def on_log(level: int, text: bytes, _: Any) -> None:
            line = text.decode(errors="replace").strip()
            if level >= _WARNING and level < 5 and line:
                log.debug("llama_cpp", level=level, text=line)

        llama_cpp.llama_log_set(on_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        _READY.extend((llama_cpp, on_log))  # the callback must live as long as the library
        return llama_cpp


def multiplies_bf16() -> bool:
    """Tells whether llama.cpp multiplies BF16 in the processor's own instructions: two thirds of the time of F16.

    Without them BF16 is slower than F16.
    """
    return "AVX512_BF16 = 1" in library().llama_print_system_info().decode()


class Model:
    """A loaded GGUF.

    Args:
        path: The file.
        vocabulary_only: Loads no weights: enough for counting tokens, and quick.
        repack: Whether weights may be rearranged for the processor. Weights repacked for AMX crash on virtual machines
            that show AMX and cannot do it (llama.cpp issue 20824): try it in a process of its own first.
        adapter: A low-rank adapter to add.

    Raises:
        ModelError: llama.cpp cannot load it.
    """

    def __init__(
        self, path: Path, *, vocabulary_only: bool = False, repack: bool = False, adapter: Path | None = None
    ) -> None:
        self.lib = library()
        parameters = self.lib.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = repack
        parameters.vocab_only = vocabulary_only
        self.pointer = self.lib.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.pointer:
            raise ModelError(f"llama.cpp cannot load {path.name}: it is damaged or of an unknown kind")
        self._adapter: Any = None
        if adapter is not None:
            self._adapter = self.lib.llama_adapter_lora_init(self.pointer, str(adapter).encode())
            if not self._adapter:
                self.close()
                raise ModelError(f"llama.cpp cannot load the adapter {adapter.name}")
        self.vocabulary = self.lib.llama_model_get_vocab(self.pointer)
        self.dimensions = int(self.lib.llama_model_n_embd(self.pointer))
        self.trained_context = int(self.lib.llama_model_n_ctx_train(self.pointer))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Returns the tokens of a text. `special` reads control tokens that stand in the text, as templates need."""
        buffer, count = self._tokens(text, special=special)
        return list(buffer[:count])

    def token_array(self, text: str) -> NDArray[np.int32]:
        """Returns the tokens of a text that holds no control tokens, with those that the model wants around it."""
        buffer, count = self._tokens(text, special=False)
        return np.frombuffer(buffer, dtype=np.int32, count=count)

    def count_tokens(self, text: str) -> int:
        """Returns how many tokens `token_array` has."""
        data = text.encode("utf-8", errors="replace")
        # Without room for them llama.cpp tells how many there are, as a negative number.
        return -int(self.lib.llama_tokenize(self.vocabulary, data, len(data), None, 0, True, False))

    def _tokens(self, text: str, *, special: bool) -> tuple[Any, int]:
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 16
        buffer = (self.lib.llama_token * room)()
        count = self.lib.llama_tokenize(self.vocabulary, data, len(data), buffer, room, not special, special)
        if count < 0:
            raise ModelError("the text cannot be split into tokens")
        return buffer, int(count)

    def control_words(self) -> list[str]:
        """Returns the texts of the control tokens, such as those that begin and end a message; longest first."""
        vocabulary, lib = self.vocabulary, self.lib
        tokens = range(lib.llama_vocab_n_tokens(vocabulary))
        texts = (
            lib.llama_vocab_get_text(vocabulary, token)
            for token in tokens
            if lib.llama_vocab_is_control(vocabulary, token)
        )
        return sorted({text.decode(errors="replace") for text in texts if text}, key=len, reverse=True)

    def piece(self, token: int) -> bytes:
        """Returns the bytes of a token; control tokens have none."""
        buffer = ctypes.create_string_buffer(256)
        count = self.lib.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)
        return buffer.raw[: max(0, count)]

    @property
    def keeps_prefixes(self) -> bool:
        """Whether the beginning of a sequence can be shared: not where the memory is a state that runs along."""
        return not (self.lib.llama_model_is_recurrent(self.pointer) or self.lib.llama_model_is_hybrid(self.pointer))

    def context(
        self,
        *,
        tokens: int,
        batch: int,
        threads: int,
        embeddings: bool,
        sequences: int = 1,
        pooling: int = -1,
        flash: bool = True,
    ) -> Any:
        """Returns a new context.

        Args:
            tokens: Cells of its memory, which all sequences share.
            batch: Tokens that are read at once at most.
            threads: Threads of llama.cpp.
            embeddings: Whether it gives vectors instead of next tokens.
            sequences: Sequences that it can tell apart.
            pooling: How vectors of tokens become one of a sequence, in llama.cpp's numbers; -1 is what the file says.
            flash: Whether flash attention may be used, where the model can.

        Raises:
            ModelError: There is not enough memory for it.
        """
        parameters = self.lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = tokens, batch, batch
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.n_seq_max = sequences
        # One memory for all sequences: a copied beginning then shares its cells, and no sequence has a fixed share.
        parameters.kv_unified = sequences > 1
        parameters.embeddings, parameters.pooling_type = embeddings, pooling
        if not flash:
            parameters.flash_attn_type = self.lib.LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.no_perf = True
        context = self.lib.llama_init_from_model(self.pointer, parameters)
        if not context:
            raise ModelError("llama.cpp cannot make a context: there is not enough memory for it")
        if self._adapter is not None:
            adapters = (self.lib.llama_adapter_lora_p_ctypes * 1)(self._adapter)
            if self.lib.llama_set_adapters_lora(context, adapters, 1, (ctypes.c_float * 1)(1.0)) != 0:
                self.lib.llama_free(context)
                raise ModelError("llama.cpp cannot use the model's adapter")
        return context

    def close(self) -> None:
        """Frees the weights, and the adapter with them."""
        self.lib.llama_model_free(self.pointer)
