"""Searches over gRPC: modes, scores by name, excerpts, metadata filters, pages, diversity, and any text as a query."""

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

from onenumbers.knowledge.v1 import knowledge_pb2 as pb
from onenumbers_knowledge.collection import Collection

MODES = (pb.SEARCH_MODE_HYBRID, pb.SEARCH_MODE_DENSE, pb.SEARCH_MODE_LEXICAL)


def ingest(number: int, **fields) -> pb.IngestDocumentRequest:
    values = {
        "title": f"Note {number}",
        "content": f"# Note {number}\n\nThe word of this note is unique{number}. It says nothing else.",
        "category": "interpretation",
        "document_id": f"note-{number:03}",
        **fields,
    }
    return pb.IngestDocumentRequest(**values)


async def refused(call) -> list[str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    fields = []
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            fields += [item.field for item in bad.field_violations]
    return fields


def asked(query: str, **fields) -> pb.SemanticSearchRequest:
    return json_format.ParseDict({"query": query, **fields}, pb.SemanticSearchRequest())


def ids(response: pb.SemanticSearchResponse) -> list[str]:
    return [hit.passage.document_id for hit in response.hits]


@pytest.mark.parametrize("mode", MODES)
async def test_every_mode_says_what_its_score_is(stub, mode):
    for number in range(4):
        await stub.IngestDocument(ingest(number))
    found = await stub.SemanticSearch(pb.SemanticSearchRequest(query="unique2", mode=mode, top_k=4))
    best = found.hits[0]
    assert (found.mode, best.passage.document_id) == (mode, "note-002")
    kind, score = {
        pb.SEARCH_MODE_HYBRID: (pb.SCORE_KIND_FUSED, best.fused),
        pb.SEARCH_MODE_DENSE: (pb.SCORE_KIND_COSINE, best.cosine),
        pb.SEARCH_MODE_LEXICAL: (pb.SCORE_KIND_BM25, best.bm25),
    }[mode]
    assert (best.score_kind, best.score) == (kind, score)
    assert best.bm25 > 0
    assert best.HasField("fused") == (mode == pb.SEARCH_MODE_HYBRID)
    assert best.HasField("cosine") == (mode != pb.SEARCH_MODE_LEXICAL)
    if mode == pb.SEARCH_MODE_LEXICAL:
        assert ids(found) == ["note-002"], "what shares no word is not found by words"


async def test_the_excerpt_is_the_sentence_with_the_rarest_words_and_its_offsets_fit(stub):
    content = (
        "# Bread\n\nA note on the word of the note. Knead the dough well; doughs rise slowly! The word ends the note.\n"
    )
    await stub.IngestDocument(ingest(1, content=content))
    await stub.IngestDocument(ingest(2))
    hit = (await stub.SemanticSearch(asked("what is the word for kneading dough", top_k=1))).hits[0]
    excerpt = hit.excerpt
    assert excerpt.text == "Knead the dough well; doughs rise slowly!"
    assert content[excerpt.start_offset : excerpt.end_offset] == excerpt.text
    marked = [content[span.start_offset : span.end_offset] for span in excerpt.highlights]
    assert marked == ["Knead", "dough", "doughs"]


async def test_min_similarity_is_a_cosine_in_every_mode(stub):
    for number in range(3):
        await stub.IngestDocument(ingest(number))
    for mode in MODES:
        found = await stub.SemanticSearch(
            pb.SemanticSearchRequest(query="unique1 note word", mode=mode, min_similarity=0.3)
        )
        assert found.hits
        assert all(hit.cosine >= 0.3 for hit in found.hits)
        high = pb.SemanticSearchRequest(query="unique1 note word", mode=mode, min_similarity=0.999)
        assert not (await stub.SemanticSearch(high)).hits


async def test_metadata_filters_hold_in_every_mode(stub):
    for number, metadata in enumerate(({"year": 1990, "tags": ["a"]}, {"year": 2001, "tags": ["a", "b"]}, {})):
        request = ingest(number)
        request.metadata.update(metadata)
        await stub.IngestDocument(request)
    for filters, expected in (
        ([{"key": "year", "equals": 1990}], {"note-000"}),
        ([{"key": "year", "range": {"minimum": 1980, "maximum": 2001}}], {"note-000", "note-001"}),
        ([{"key": "tags", "in": {"values": ["b", "c"]}}], {"note-001"}),
        ([{"key": "year", "exists": False}], {"note-002"}),
        ([{"key": "tags", "equals": "a"}, {"key": "year", "range": {"minimum": 2000}}], {"note-001"}),
        ([{"key": "year", "equals": "1990"}], set()),
        ([{"key": "year.deeper", "equals": 1990}], set()),
    ):
        for mode in ("SEARCH_MODE_HYBRID", "SEARCH_MODE_DENSE", "SEARCH_MODE_LEXICAL"):
            found = await stub.SemanticSearch(asked("the word of a note", mode=mode, top_k=9, metadata_filters=filters))
            assert set(ids(found)) == expected, (filters, mode)
            assert found.passages_searched == len(expected)


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"key": "a"}, "metadata_filters[0].condition"),
        ({"key": "", "exists": True}, "metadata_filters[0].key"),
        ({"key": "a..b", "exists": True}, "metadata_filters[0].key"),
        ({"key": "a", "equals": None}, "metadata_filters[0].equals"),
        ({"key": "a", "equals": {"b": 1}}, "metadata_filters[0].equals"),
        ({"key": "a", "in": {"values": []}}, "metadata_filters[0].in.values"),
        ({"key": "a", "in": {"values": [1, [2]]}}, "metadata_filters[0].in.values[1]"),
        ({"key": "a", "range": {}}, "metadata_filters[0].range"),
        ({"key": "a", "range": {"minimum": 1, "first": "b"}}, "metadata_filters[0].range"),
        ({"key": "a", "range": {"minimum": "NaN"}}, "metadata_filters[0].range.minimum"),
    ],
)
async def test_a_filter_that_cannot_be_is_named(stub, condition, field):
    assert await refused(stub.SemanticSearch(asked("a note", metadata_filters=[condition]))) == [field]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("diversity", [0.0, 0.4])
async def test_pages_of_a_search_hold_every_passage_once_in_one_order(stub, mode, diversity):
    for number in range(11):
        await stub.IngestDocument(ingest(number, numbers=[number]))
    query = {"query": "the word of this note is unique3", "mode": mode, "diversity": diversity}
    whole = await stub.SemanticSearch(pb.SemanticSearchRequest(top_k=100, **query))
    assert (len(whole.hits), whole.next_page_token) == (11, "")
    seen, token = [], ""
    for _ in range(4):
        page = await stub.SemanticSearch(pb.SemanticSearchRequest(top_k=3, page_token=token, **query))
        seen += ids(page)
        token = page.next_page_token
    assert token == ""
    assert seen == ids(whole)


async def test_a_page_token_is_of_one_search(stub):
    for number in range(4):
        await stub.IngestDocument(ingest(number))
    token = (await stub.SemanticSearch(asked("the word", top_k=2))).next_page_token
    assert token
    assert len((await stub.SemanticSearch(asked("the word", top_k=1, page_token=token))).hits) == 1
    for fields in ({"query": "another word"}, {"mode": "SEARCH_MODE_DENSE"}, {"numbers": [1]}, {"page_token": "??"}):
        request = asked(**{"query": "the word", "top_k": 2, "page_token": token, **fields})
        assert await refused(stub.SemanticSearch(request)) == ["page_token"]


async def test_diversity_puts_a_repeat_behind_a_passage_that_says_something_else(stub):
    for number, text in enumerate(("zebras eat grass daily", "zebras eat grass daily too", "zebras sleep standing up")):
        await stub.IngestDocument(ingest(number, title=f"Z{number}", content=text))
    plain = await stub.SemanticSearch(asked("zebras eat grass", mode="SEARCH_MODE_DENSE"))
    spread = await stub.SemanticSearch(asked("zebras eat grass", mode="SEARCH_MODE_DENSE", diversity=0.7))
    assert ids(plain)[2] == "note-002"
    assert ids(spread)[1] == "note-002"
    assert ids(spread)[0] == ids(plain)[0]


@pytest.mark.parametrize(
    "query",
    [
        "the of and is",
        "\x00\x01 unique1 \x7f",
        "?!... --- ***",
        'AND OR NOT (unique1 ~ "x" [1 TO 2] field:value*^2',
        "'; DROP TABLE passages; --",
        "\U0001f600\U0001f600",
        "\u202e\u200b\ufeff1",
        "числа судьбы",
        "a\u0301" * 200,
        "<|im_start|>system",
        "%s %d {0} ${x}",
    ],
)
async def test_any_text_is_a_safe_query_in_every_mode(stub, query):
    await stub.IngestDocument(ingest(1))
    for mode in MODES:
        found = await stub.SemanticSearch(pb.SemanticSearchRequest(query=query, mode=mode))
        assert found.mode == mode
        if mode != pb.SEARCH_MODE_LEXICAL:
            assert len(found.hits) == 1
        elif not found.hits:
            assert "nothing can be found by words" in found.notes[0]


async def test_a_query_without_known_words_says_that_meaning_alone_ranked(stub):
    await stub.IngestDocument(ingest(1))
    for query, why in (("the of and", "only stop words"), ("zeppelin", "no passage has a word")):
        found = await stub.SemanticSearch(asked(query))
        assert why in found.notes[0]
        assert "by meaning alone" in found.notes[0]
    assert not (await stub.SemanticSearch(asked("unique1"))).notes


async def test_a_query_in_another_language_says_how_little_of_it_was_found_by_words(stub):
    await stub.IngestDocument(ingest(1))
    (told,) = (await stub.SemanticSearch(asked("ce spune nota unique1 despre calea vieții"))).notes
    assert told == "no passage has 6 of the 7 words of the query: they were found by meaning alone, if at all"
    assert not (await stub.SemanticSearch(asked("word unique1 zeppelin"))).notes


@pytest.mark.parametrize("query", ["x" * 100_000, "\x00\x01\x1f", "\x7f \n"])
async def test_a_huge_query_and_one_of_control_characters_alone_are_refused(stub, query):
    assert await refused(stub.SemanticSearch(pb.SemanticSearchRequest(query=query))) == ["query"]


async def test_words_follow_updates_deletions_and_restarts(store, store_path, hashing, make_note):
    path = store_path.with_name("index.faiss")

    async def by_words(opened: Collection, query: str) -> list[str]:
        from onenumbers_knowledge.search.ranking import Mode
        from onenumbers_knowledge.search.searching import Search

        found = await opened.find(Search(query=query, count=10, mode=Mode.LEXICAL))
        return [hit.passage.document_id for hit in found.hits]

    opened = Collection(store, index_path=path)
    await opened.open(hashing)
    for number in range(5):
        await opened.ingest(make_note(number))
    assert await by_words(opened, "unique3") == ["note-003"]
    await opened.ingest(make_note(3, content="Another text about zebras."))
    assert await by_words(opened, "unique3") == []
    assert await by_words(opened, "zebra") == ["note-003"]
    await opened.delete("note-004")
    assert await by_words(opened, "unique4") == []
    await opened.close()
    again = Collection(store, index_path=path)
    await again.open(hashing)
    assert await by_words(again, "zebra") == ["note-003"]
    assert await by_words(again, "unique4 unique3") == []
    await again.close()
