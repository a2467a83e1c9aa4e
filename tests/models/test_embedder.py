"""The converted model gives the vectors of the original, and bad input gives a clear error."""

import asyncio
import math
import unicodedata
from dataclasses import replace

import numpy as np
import pytest

from onenumbers_models.embedding import embedder as embedder_module
from onenumbers_models.embedding.context import EmbeddingContext
from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.embedding.options import EmbeddingOptions
from onenumbers_models.errors import ModelError
from onenumbers_models.native import Model
from onenumbers_models.weights.convert import convert_bert
from onenumbers_runtime.errors import InvalidArgumentError, ResourceExhaustedError

TEXTS = [
    "How is the life path number calculated?",
    "a",
    "Numerology is a tradition with documented rules; we claim no predictive truth.",
    "Ioana Brândușa Țurcanu",
    "1968-11-14: 11 + 5 + 6 = 22!",
    "Überraschung, naïve café — señor",
    "unbelievableness antidisestablishmentarianism xqzjk",
    " ".join(["The sum of the digits is reduced until one digit is left."] * 12),
]


class ReferenceBert:
    """MiniLM in numpy from the original weights, by the definition of BERT: no code shared with what is tested."""

    def __init__(self, source):
        from safetensors.numpy import load_file

        self.w = load_file(source / "model.safetensors")
        self.words = {word: n for n, word in enumerate((source / "vocab.txt").read_text("utf-8").split("\n"))}

    def tokens(self, text):
        """WordPiece, uncased: accents stripped, punctuation apart, longest pieces first."""
        plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
        spaced = "".join(
            f" {c} " if unicodedata.category(c).startswith("P") or (c.isascii() and not c.isalnum() and c != " ") else c
            for c in plain
        )
        ids = [self.words["[CLS]"]]
        for word in spaced.split():
            pieces, start = [], 0
            while start < len(word):
                end = len(word)
                while end > start and ("##" if start else "") + word[start:end] not in self.words:
                    end -= 1
                if end == start:
                    pieces = [self.words["[UNK]"]]
                    break
                pieces.append(self.words[("##" if start else "") + word[start:end]])
                start = end
            ids += pieces
        return [*ids, self.words["[SEP]"]]

    def _norm(self, x, name):
        mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
        return (x - mean) / np.sqrt(var + 1e-12) * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def _linear(self, x, name):
        return x @ self.w[f"{name}.weight"].T + self.w[f"{name}.bias"]

    def vector(self, text):
        ids = self.tokens(text)
        e = "embeddings"
        x = self.w[f"{e}.word_embeddings.weight"][ids] + self.w[f"{e}.position_embeddings.weight"][: len(ids)]
        x = self._norm(x + self.w[f"{e}.token_type_embeddings.weight"][0], f"{e}.LayerNorm")
        for layer in range(6):
            p = f"encoder.layer.{layer}"
            q, k, v = (
                self._linear(x, f"{p}.attention.self.{n}").reshape(len(ids), 12, 32) for n in ("query", "key", "value")
            )
            scores = np.einsum("ihd,jhd->hij", q, k) / math.sqrt(32)
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            weights /= weights.sum(-1, keepdims=True)
            attended = np.einsum("hij,jhd->ihd", weights, v).reshape(len(ids), 384)
            x = self._norm(x + self._linear(attended, f"{p}.attention.output.dense"), f"{p}.attention.output.LayerNorm")
            inner = self._linear(x, f"{p}.intermediate.dense")
            inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
            x = self._norm(x + self._linear(inner, f"{p}.output.dense"), f"{p}.output.LayerNorm")
        mean = x.mean(0)
        return mean / np.linalg.norm(mean)


async def test_vectors_are_those_of_the_original_model(embedder, minilm_source):
    reference = ReferenceBert(minilm_source)
    vectors = await embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert embedder.count_tokens(text) == len(reference.tokens(text)), text
        assert float(vector @ reference.vector(text)) > 0.999, text


async def test_vectors_have_length_one_and_do_not_depend_on_their_neighbours(embedder):
    together = await embedder.embed(TEXTS)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.allclose((await embedder.embed([text]))[0], vector, atol=1e-6)
    assert (await embedder.embed([])).shape == (0, 384)


async def test_a_text_longer_than_the_model_reads_is_refused_and_not_cut(embedder):
    with pytest.raises(InvalidArgumentError, match=r"the model all-minilm-l6-v2 reads 512$"):
        await embedder.embed(["word " * 600])
    assert (await embedder.embed(["still works"])).shape == (1, 384)


async def test_callers_at_once_get_their_own_vectors(embedder):
    expected = await embedder.embed(TEXTS)
    found = await asyncio.gather(*(embedder.embed([text]) for text in TEXTS * 5))
    for index, vector in enumerate(found):
        assert np.allclose(vector[0], expected[index % len(TEXTS)], atol=1e-6)


async def test_more_than_may_wait_is_refused(embedder):
    with pytest.raises(ResourceExhaustedError) as caught:
        await embedder.embed([str(number) for number in range(embedder_module.MAX_WAITING + 1)])
    assert caught.value.retry_after


async def test_a_query_does_not_wait_for_documents(embedder):
    documents = asyncio.ensure_future(embedder.embed([f"{TEXTS[-1]} {number}" for number in range(300)]))
    await asyncio.sleep(0)
    assert embedder.waiting
    vector = await embedder.embed_query(TEXTS[0])
    assert not documents.done()
    assert np.allclose(vector, (await embedder.embed_query(TEXTS[0])), atol=1e-6)
    documents.cancel()
    await asyncio.gather(documents, return_exceptions=True)
    assert embedder.waiting == 0
    assert np.allclose(vector, (await embedder.embed([TEXTS[0]]))[0], atol=1e-6)


def counting(lane, monkeypatch):
    """Returns the texts that a lane computes from now on."""
    computed = []
    real = lane._context.vectors
    monkeypatch.setattr(lane._context, "vectors", lambda texts: computed.extend(texts) or real(texts))
    return computed


async def test_a_text_that_was_embedded_is_not_embedded_again(minilm, monkeypatch):
    embedder = await LlamaEmbedder.load(minilm, threads=1, options=EmbeddingOptions(cache=3))
    computed = counting(embedder._documents, monkeypatch)
    first = await embedder.embed(["a", "b", "a"])
    assert len(computed) == 2
    again = await embedder.embed(["b", "c", "a"])
    assert len(computed) == 3
    assert np.array_equal(first[1], again[0])
    assert np.array_equal(first[0], first[2])
    await embedder.embed(["d"])  # b was asked for longest ago: it is forgotten
    await embedder.embed(["a", "c", "d"])
    assert len(computed) == 4
    await embedder.embed(["b"])
    assert len(computed) == 5
    # What a caller does to his vectors is his own.
    again[:] = 0
    assert np.array_equal((await embedder.embed(["b"]))[0], first[1])
    await embedder.close()


async def test_prefixes_stand_before_queries_and_documents_and_name_the_model(minilm, embedder):
    options = EmbeddingOptions(query_prefix="query: ", document_prefix="passage: ")
    prefixed = await LlamaEmbedder.load(minilm, threads=1, options=options)
    # One at a time: on some processors what shares a batch moves the last digits.
    ((query,), (document,)) = await embedder.embed(["query: seven"]), await embedder.embed(["passage: seven"])
    assert np.allclose(await prefixed.embed_query("seven"), query, atol=1e-6)
    assert np.allclose((await prefixed.embed(["seven"]))[0], document, atol=1e-6)
    # The vectors of documents are others, so they must not be taken for those of the model without a prefix.
    assert prefixed.model_id.startswith(f"{embedder.model_id}+prefix-")
    with pytest.raises(InvalidArgumentError) as caught:
        await prefixed.embed(["word " * 600])
    assert int(caught.value.metadata["limit"]) == prefixed.max_tokens < embedder.max_tokens
    await prefixed.close()


async def test_pooling_comes_from_the_file_or_the_settings(minilm, embedder):
    by_first = await LlamaEmbedder.load(replace(minilm, pooling="cls"), threads=1)
    assert by_first.model_id == f"{embedder.model_id}+cls"
    by_mean, by_cls = [await one.embed_query(TEXTS[0]) for one in (embedder, by_first)]
    assert float(by_mean @ by_cls) < 0.99
    await by_first.close()


async def test_a_model_whose_file_names_no_pooling_needs_the_setting(smollm):
    with pytest.raises(ModelError, match="MCP_EMBEDDING_POOLING"):
        await LlamaEmbedder.load(smollm, threads=1)
    embedder = await LlamaEmbedder.load(replace(smollm, pooling="last"), threads=1)
    alone = [(await embedder.embed([text]))[0] for text in TEXTS[:3]]
    together = await embedder.embed_query(TEXTS[0])
    assert float(alone[0] @ together) > 0.9999
    shared = await asyncio.gather(*(embedder.embed_query(text) for text in TEXTS[1:3]))
    for found, expected in zip(shared, alone[1:], strict=True):
        assert float(found @ expected) > 0.999, "texts of one batch must not see each other"
    await embedder.close()


def test_a_folder_with_another_kind_of_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(ModelError, match=r"config\.json"):
        convert_bert(tmp_path, tmp_path / "out.gguf", bf16=False)
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize("room", [256, 500])
def test_batches_of_every_length_give_the_vectors_of_the_original(room, minilm, minilm_source):
    """Short, filled up to a tile of llama.cpp's attention, and long ones; in a context of any size."""
    reference, model = ReferenceBert(minilm_source), Model(minilm.path)
    context = EmbeddingContext(model, tokens=room, threads=1)
    words = [word for text in TEXTS for word in text.split()]
    for count in (1, 20, 36, 37, 38, 42, 43, 44, 56, 57, 58, 60, 61, 62, 63, 100):
        pieces = [" ".join(words[:count]), "the sum of the digits"]
        tokens = [model.token_array(piece) for piece in pieces]
        for batch, texts in ((tokens[:1], pieces[:1]), (tokens, pieces)):
            vectors = context.vectors(batch)
            assert vectors.shape == (len(texts), 384)
            for text, vector in zip(texts, vectors, strict=True):
                assert float(vector @ reference.vector(text)) > 0.9998, (count, text)
    context.close()
    model.close()


@pytest.mark.parametrize("bf16", [False, True])
def test_weights_of_both_types_give_the_vectors_of_the_original(bf16, minilm_source, tmp_path):
    convert_bert(minilm_source, tmp_path / "model.gguf", bf16=bf16)
    reference, model = ReferenceBert(minilm_source), Model(tmp_path / "model.gguf")
    context = EmbeddingContext(model, tokens=512, threads=1)
    for text in TEXTS:
        (vector,) = context.vectors([model.token_array(text)])
        assert float(vector @ reference.vector(text)) > 0.9998, text
    context.close()
    model.close()
