"""llama.cpp by its C functions: what the embedder and the generator share. Loaded late: it is large."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path
from typing import Any

import structlog

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


class Model:
    """A loaded GGUF."""

    def __init__(self, path: Path) -> None:
        self.lib = library()
        parameters = self.lib.llama_model_default_params()
        parameters.n_gpu_layers = 0
        # Weights repacked for AMX crash on virtual machines that show AMX and cannot do it (llama.cpp issue 20824).
        parameters.use_extra_bufts = False
        self.pointer = self.lib.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.pointer:
            raise ModelError(f"llama.cpp cannot load {path.name}: it is damaged or of an unknown kind")
        self.vocabulary = self.lib.llama_model_get_vocab(self.pointer)
        self.dimensions = int(self.lib.llama_model_n_embd(self.pointer))
        self.trained_context = int(self.lib.llama_model_n_ctx_train(self.pointer))

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Returns the tokens of a text. `special` reads control tokens that stand in the text, as templates need."""
        data = text.encode("utf-8", errors="replace")
        room = len(data) + 16
        buffer = (self.lib.llama_token * room)()
        count = self.lib.llama_tokenize(self.vocabulary, data, len(data), buffer, room, not special, special)
        if count < 0:
            raise ModelError("the text cannot be split into tokens")
        return list(buffer[:count])

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

    def context(self, *, tokens: int, batch: int, threads: int, embeddings: bool) -> Any:
        """Returns a new context.

        Raises:
            ModelError: There is not enough memory for it.
        """
        parameters = self.lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = tokens, batch, batch
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.n_seq_max = 1
        parameters.embeddings = embeddings
        parameters.no_perf = True
        context = self.lib.llama_init_from_model(self.pointer, parameters)
        if not context:
            raise ModelError("llama.cpp cannot make a context: there is not enough memory for it")
        return context

    def close(self) -> None:
        """Frees the weights."""
        self.lib.llama_model_free(self.pointer)
