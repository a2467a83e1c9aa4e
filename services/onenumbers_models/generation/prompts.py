"""A conversation as the tokens that a model reads, by the chat template that its file carries."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.requests import ChatMessage
from onenumbers_models.native import Model
from onenumbers_runtime.errors import InvalidArgumentError


class ChatPrompt:
    """Makes prompts for one model. The model may be loaded without its weights."""

    def __init__(self, model: Model, *, model_id: str, context_length: int) -> None:
        self._model = model
        self._model_id = model_id
        self._limit = context_length
        words = [word for word in model.control_words() if len(word) > 1]
        self._control = re.compile("|".join(map(re.escape, words))) if words else None

    def tokens(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Returns the conversation's tokens, up to where the answer begins.

        Raises:
            ModelError: llama.cpp does not know the model's template.
        """
        model, lib = self._model, self._model.lib
        template = lib.llama_model_chat_template(model.pointer, None)
        encoded = [(item.role.encode(), self._plain(item.content).encode(errors="replace")) for item in messages]
        chat = (lib.llama_chat_message * len(encoded))(*(lib.llama_chat_message(*item) for item in encoded))
        room = 2 * sum(len(role) + len(content) for role, content in encoded) + 1024
        buffer = ctypes.create_string_buffer(room)
        count = lib.llama_chat_apply_template(template or b"chatml", chat, len(encoded), True, buffer, room)
        if not 0 <= count <= room:
            raise ModelError(f"the chat template of {self._model_id} is not understood")
        return model.tokenize(buffer.raw[:count].decode("utf-8", errors="replace"), special=True)

    def fitting(self, messages: Sequence[ChatMessage]) -> list[int]:
        """Returns the conversation's tokens where they leave room for an answer.

        Raises:
            InvalidArgumentError: They do not; the message says the limit.
        """
        tokens = self.tokens(messages)
        if len(tokens) >= self._limit:
            raise InvalidArgumentError(
                f"the prompt has {len(tokens)} tokens, the model {self._model_id} reads {self._limit} with its answer",
                reason="PROMPT_TOO_LONG",
                metadata={"tokens": str(len(tokens)), "limit": str(self._limit)},
            )
        return tokens

    def _plain(self, content: str) -> str:
        """Returns a message in which no text is read as a control token: a passage must not pose as the system."""
        if self._control is None:
            return content
        return self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content)
