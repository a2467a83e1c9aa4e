"""Documents of a category, by the same filters as every search, page by page."""

from google.protobuf import json_format

from onenumbers.knowledge.v1 import knowledge_pb2 as pb


async def keep(stub, number: int, metadata: dict | None = None, **fields) -> None:
    request = pb.IngestDocumentRequest(
        **{
            "title": f"Note {number}",
            "content": f"What note {number} says.",
            "category": "cycles",
            "document_id": f"note-{number}",
            **fields,
        }
    )
    request.metadata.update(metadata or {})
    await stub.IngestDocument(request)


async def found(stub, **fields) -> tuple[list[str], pb.RetrieveByCategoryResponse]:
    request = json_format.ParseDict({"category": "cycles", **fields}, pb.RetrieveByCategoryRequest())
    answer = await stub.RetrieveByCategory(request)
    return [item.info.document_id for item in answer.documents], answer


async def test_every_filter_of_a_search_holds_for_a_category(stub):
    await keep(stub, 1, {"year": 1926, "tags": ["a"]}, source="classical", numbers=[7])
    await keep(stub, 2, {"year": 1994}, school="decoz", numbers=[7, 8])
    await keep(stub, 3, {"year": "1926"})
    await keep(stub, 4, {"year": 1926}, category="utility", source="classical")
    for fields, expected in (
        ({}, ["note-1", "note-2", "note-3"]),
        ({"sources": ["classical"]}, ["note-1"]),
        ({"numbers": [7]}, ["note-1", "note-2"]),
        ({"school": "decoz"}, ["note-2"]),
        ({"metadata_filters": [{"key": "year", "equals": 1926}]}, ["note-1"]),
        ({"metadata_filters": [{"key": "year", "equals": "1926"}]}, ["note-3"]),
        ({"metadata_filters": [{"key": "year", "range": {"maximum": 1990}}]}, ["note-1"]),
        ({"numbers": [7], "metadata_filters": [{"key": "tags", "exists": False}]}, ["note-2"]),
        ({"sources": ["scientific"]}, []),
    ):
        ids, answer = await found(stub, **fields)
        assert ids == expected, fields
        assert answer.total == len(expected)
        assert not answer.next_page_token


async def test_pages_of_filtered_documents_hold_each_once_in_order(stub):
    for number in range(7):
        await keep(stub, number, {"even": number % 2 == 0})
    wanted, seen, token = [{"key": "even", "equals": True}], [], ""
    for _ in range(5):
        ids, answer = await found(stub, limit=3, page_token=token, metadata_filters=wanted)
        seen += ids
        assert answer.total == 4
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["note-0", "note-2", "note-4", "note-6"]
