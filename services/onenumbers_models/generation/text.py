"""Text of an answer from the bytes of its tokens: whole characters only, and nothing of a stop string. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextAssembler:
    """Turns bytes into text as they come.

    Args:
        stop: Texts before which the answer ends.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopped = False
        """Whether a stop string came."""

    def add(self, data: bytes) -> str:
        """Returns the text that can be shown now; may be empty."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(data)
        if not self._stop:
            shown, self._held = self._held, ""
            return shown
        cut = min((self._held.find(word) for word in self._stop if word in self._held), default=-1)
        if cut >= 0:
            self.stopped = True
            shown, self._held = self._held[:cut], ""
            return shown
        # What may be the beginning of a stop string waits for the rest of it.
        keep = max(_overlap(self._held, word) for word in self._stop)
        shown, self._held = self._held[: len(self._held) - keep], self._held[len(self._held) - keep :]
        return shown

    def end(self) -> str:
        """Returns what was held back. The bytes of a character that never came whole are left out."""
        shown, self._held = self._held, ""
        return shown


def _overlap(text: str, word: str) -> int:
    """Returns how many characters at the end of `text` begin `word`."""
    return next((size for size in range(min(len(text), len(word) - 1), 0, -1) if text.endswith(word[:size])), 0)
