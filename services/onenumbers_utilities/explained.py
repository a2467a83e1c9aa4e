"""Explanations in the language that a request asks for, without a word of it in every conversion."""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from typing import Any, Final

from onenumbers_utilities.numerology.explanation import explain
from onenumbers_utilities.numerology.results import NumberResult

_language: Final[ContextVar[str]] = ContextVar("onenumbers_explanation_language", default="")


def explanation(result: NumberResult) -> str:
    """Returns a result's explanation in the language of the call being served; "" where it wants none."""
    language = _language.get()
    return explain(result, language) if language else ""


class Explained:
    """A servicer whose calls say in which language their numbers are explained.

    Each call runs in a task of its own, so that what it sets ends with it.

    Args:
        servicer: Its RPCs with a field `explanation_language` in their requests are served in that language.
    """

    def __init__(self, servicer: object) -> None:
        self._servicer = servicer

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._servicer, name)
        if not inspect.iscoroutinefunction(method):
            return method

        @functools.wraps(method)
        async def call(request: Any, context: Any) -> Any:
            language = getattr(request, "explanation_language", "")
            if language and (not request.HasField("explain") or request.explain):
                _language.set(language)
            return await method(request, context)

        return call
