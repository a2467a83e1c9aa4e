"""Chooses tokens for one answer: its own penalties, temperature, seed and grammar."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onenumbers_models.generation.requests import GenerationOptions
from onenumbers_models.native import Model
from onenumbers_runtime.errors import InvalidArgumentError

_PENALTY_LAST = 128
"""Tokens back to which a repetition counts."""
_LIKELIEST = 256
"""Candidates that a grammar is first tried on; all of them only where it allows none of these."""
_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class TokenSampler:
    """The sampler chain of one answer. Not safe for threads; `close` frees it.

    Raises:
        InvalidArgumentError: llama.cpp does not understand the grammar.
    """

    def __init__(self, model: Model, options: GenerationOptions) -> None:
        self._model = model
        lib = self._lib = model.lib
        self._words = int(lib.llama_vocab_n_tokens(model.vocabulary))
        self._grammar: Any = None
        if options.grammar is not None:
            self._grammar = lib.llama_sampler_init_grammar(model.vocabulary, options.grammar.encode(), b"root")
            if not self._grammar:
                raise InvalidArgumentError("the grammar is not understood by llama.cpp", reason="GRAMMAR_INVALID")
        chain = self._chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        if options.repeat_penalty != 1.0:
            penalties = lib.llama_sampler_init_penalties(self._words, _PENALTY_LAST, options.repeat_penalty, 0.0, 0.0)
            lib.llama_sampler_chain_add(chain, penalties)
        if options.temperature <= 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_greedy())
            return
        if options.top_k:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_k(options.top_k))
        if options.top_p < 1:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_top_p(options.top_p, 1))
        if options.min_p > 0:
            lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_min_p(options.min_p, 1))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_temp(options.temperature))
        lib.llama_sampler_chain_add(chain, lib.llama_sampler_init_dist(options.seed & 0xFFFFFFFF))

    def sample(self, context: Any, index: int) -> int:
        """Returns the next token by the logits of the batch's token `index`, and counts it as taken."""
        lib = self._lib
        if self._grammar is None:
            return int(lib.llama_sampler_sample(self._chain, context, index))
        pointer = lib.llama_get_logits_ith(context, index)
        logits = np.ctypeslib.as_array(pointer, shape=(self._words,))
        # Most often the likeliest token fits; to ask the grammar about one token is cheap, about all of them is not.
        token = self._choose(self._candidates(logits))
        if not self._allowed(token):
            token = self._choose(self._within_grammar(logits))
        lib.llama_sampler_accept(self._grammar, token)
        lib.llama_sampler_accept(self._chain, token)
        return token

    def at_end(self) -> bool:
        """Tells whether the answer may end here by the grammar; true without one."""
        if self._grammar is None:
            return True
        lib, vocabulary = self._lib, self._model.vocabulary
        return self._allowed(lib.llama_vocab_eot(vocabulary)) or self._allowed(lib.llama_vocab_eos(vocabulary))

    def close(self) -> None:
        """Frees the samplers."""
        if self._grammar:
            self._lib.llama_sampler_free(self._grammar)
            self._grammar = None
        if self._chain:
            self._lib.llama_sampler_free(self._chain)
            self._chain = None

    def _candidates(self, logits: NDArray[np.float32]) -> NDArray[np.void]:
        """Returns the likeliest tokens: the chain draws from fewer anyway, and a penalty reorders near the top."""
        count = min(_LIKELIEST, self._words)
        ids = np.argpartition(logits, self._words - count)[self._words - count :]
        return _array(ids[np.argsort(-logits[ids], kind="stable")], logits)

    def _within_grammar(self, logits: NDArray[np.float32]) -> NDArray[np.void]:
        for candidates in (self._candidates(logits), _array(np.arange(self._words), logits)):
            self._apply(self._grammar, candidates)
            fitting: NDArray[np.void] = candidates[np.isfinite(candidates["logit"])]
            if len(fitting):
                return fitting
        # A grammar that allows nothing at all is at an end.
        token = self._lib.llama_vocab_eos(self._model.vocabulary)
        return _array(np.array([token]), logits)

    def _allowed(self, token: int) -> bool:
        if token < 0:
            return False
        candidates = np.zeros(1, dtype=_CANDIDATE)
        candidates["id"] = token
        self._apply(self._grammar, candidates)
        return bool(np.isfinite(candidates["logit"][0]))

    def _choose(self, candidates: NDArray[np.void]) -> int:
        ids = candidates["id"].copy()
        array = self._apply(self._chain, candidates)
        chosen = int(array.selected)
        # The chain may have sorted the candidates in place.
        return int(candidates["id"][chosen]) if 0 <= chosen < len(candidates) else int(ids[0])

    def _apply(self, sampler: Any, candidates: NDArray[np.void]) -> Any:
        lib = self._lib
        array = lib.llama_token_data_array(
            data=candidates.ctypes.data_as(lib.llama_token_data_p), size=len(candidates), selected=-1, sorted=False
        )
        lib.llama_sampler_apply(sampler, ctypes.byref(array))
        return array


def _array(ids: NDArray[np.int64], logits: NDArray[np.float32]) -> NDArray[np.void]:
    candidates = np.zeros(len(ids), dtype=_CANDIDATE)
    candidates["id"] = ids
    candidates["logit"] = logits[ids]
    return candidates
