"""One llama.cpp context with many sequences: collects the tokens of a step, and runs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.cells import CellLedger, PrefixCache
from onenumbers_models.native import Model

NO_ROOM = 1
"""llama_decode's answer where the memory has no room for the batch."""


class SequenceContext:
    """The memory of all answers and of the kept prompts. Used by one thread only.

    Args:
        model: The model; stays the caller's.
        cells: Tokens that the memory holds.
        batch: Tokens of a step at most.
        slots: Sequences for answers, numbered from 0.
        kept: Sequences for prompts that are kept.
        threads: Threads of llama.cpp.

    Raises:
        ModelError: There is not enough memory for it.
    """

    def __init__(self, model: Model, *, cells: int, batch: int, slots: int, kept: int, threads: int) -> None:
        self._lib = model.lib
        self.cells = cells
        self.batch_size = batch
        kept = kept if model.keeps_prefixes else 0
        self.pointer: Any = model.context(
            tokens=cells, batch=batch, threads=threads, embeddings=False, sequences=slots + kept
        )
        self._memory = self._lib.llama_get_memory(self.pointer)
        self._batch = self._lib.llama_batch_init(batch, 0, 1)
        self._added: list[tuple[int, int]] = []
        self.shares = kept > 0
        """Whether beginnings can be shared."""
        self._ledger = CellLedger()
        self._cache = PrefixCache(range(slots, slots + kept))

    @property
    def used(self) -> int:
        """Cells in use."""
        return self._ledger.used

    @property
    def kept(self) -> int:
        """Prompts that are kept."""
        return len(self._cache)

    @property
    def size(self) -> int:
        """Tokens that the step has so far."""
        return int(self._batch.n_tokens)

    def add(self, sequence: int, tokens: Sequence[int], position: int, *, logits: bool) -> int:
        """Adds tokens of a sequence to the step; returns the index of the last one, for sampling.

        Args:
            sequence: Whose tokens they are.
            tokens: What is read.
            position: Place of the first of them in the sequence.
            logits: Whether what follows the last of them is asked for.
        """
        batch, index = self._batch, int(self._batch.n_tokens)
        for offset, token in enumerate(tokens):
            batch.token[index] = token
            batch.pos[index] = position + offset
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = 0
            index += 1
        batch.logits[index - 1] = int(logits)
        batch.n_tokens = index
        self._added.append((sequence, len(tokens)))
        return index - 1

    def run(self) -> None:
        """Computes the step.

        Raises:
            ModelError: llama.cpp failed; the sequences of the step are not to be used any more.
        """
        status = self._lib.llama_decode(self.pointer, self._batch)
        if status == NO_ROOM and len(self._cache):
            # The ledger should have prevented it; what can be computed again is given up before an answer is.
            self.make_room(self.cells)
            status = self._lib.llama_decode(self.pointer, self._batch)
        added, self._added = self._added, []
        self._batch.n_tokens = 0
        if status != 0:
            raise ModelError(f"llama.cpp failed with status {status}")
        for sequence, count in added:
            self._ledger.extend(sequence, count)

    def share(self, source: int, target: int, count: int) -> None:
        """Lets the empty sequence `target` begin with the first `count` tokens of `source`."""
        self._lib.llama_memory_seq_cp(self._memory, source, target, 0, count)
        self._ledger.copy(source, target, count)

    def reuse(self, target: int, tokens: Sequence[int]) -> int:
        """Lets the empty sequence `target` begin with the kept prompt that shares most; returns how much."""
        source, count = self._cache.longest(tokens)
        if source is None or count == 0:
            return 0
        self._cache.touch(source)
        self.share(source, target, count)
        return count

    def reusable(self, tokens: Sequence[int]) -> int:
        """Returns how many tokens `reuse` would share."""
        return self._cache.longest(tokens)[1]

    def keep(self, source: int, tokens: Sequence[int]) -> None:
        """Keeps a prompt that `source` has read, in place of the one that has not been used for longest."""
        if not self.shares or self._cache.covers(tokens):
            return
        for sequence in self._cache.contained(tokens):
            self._evict(sequence)
        target = self._cache.take(tokens)
        if target is None:
            self._evict(self._cache.sequences[0])
            target = self._cache.take(tokens)
        assert target is not None  # noqa: S101 - one was just freed
        self.share(source, target, len(tokens))

    def make_room(self, cells: int) -> bool:
        """Gives up kept prompts, the least recently used first, until `cells` are free; tells whether they are."""
        for sequence in self._cache.sequences:
            if self.cells - self.used >= cells:
                break
            self._evict(sequence)
        return self.cells - self.used >= cells

    def drop(self, sequence: int) -> None:
        """Frees a sequence."""
        self._lib.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        self._ledger.drop(sequence)

    def close(self) -> None:
        """Frees the context."""
        self._lib.llama_batch_free(self._batch)
        self._lib.llama_free(self.pointer)

    def _evict(self, sequence: int) -> None:
        self._cache.evict(sequence)
        self.drop(sequence)
