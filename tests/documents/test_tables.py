"""CSV and JSON lines: one document a row; a broken row stops no other."""

import pytest

from onenumbers_documents.model import Columns, DocumentError, Note, ParsedDocument
from onenumbers_documents.reader import Upload


@pytest.fixture
def rows(reader):
    def read(name, data, **columns):
        items = list(reader.read(Upload(name, data), columns=Columns(**columns)))
        documents = [item for item in items if isinstance(item, ParsedDocument)]
        return documents, [(item.text, item.refused) for item in items if isinstance(item, Note)]

    return read


def test_columns_are_known_by_their_usual_names_and_the_others_are_metadata(rows):
    data = "Title;Text;Category;numbers;Author\nOne;First, words;cycles;7, 16;Me\n;Second;;;\n".encode("utf-8-sig")
    documents, notes = rows("a.csv", data)
    first, second = documents
    assert (first.title, first.content, first.category, first.numbers) == ("One", "First, words\n", "cycles", (7, 16))
    assert first.metadata == {"row": 2, "Author": "Me", "file": "a.csv", "kind": "csv"}
    assert (first.key, second.key, second.title) == ("2", "3", "a, row 3")
    assert notes == []


def test_a_mapping_names_the_columns(rows):
    documents, _ = rows("a.tsv", b"nr\tq\ta\nx1\tWhy?\tBecause.\n", key="nr", title="Q", content="a")
    assert (documents[0].key, documents[0].title, documents[0].content) == ("x1", "Why?", "Because.\n")
    with pytest.raises(DocumentError, match="has no column 'b' for the content: it has nr, q"):
        rows("a.tsv", b"nr\tq\nx1\tWhy?\n", content="b")


def test_broken_rows_are_named_and_the_others_are_read(rows):
    data = b'title,text\nA,one\nB\nC,two,three\n\nD,\nE,"line\nbreak"\nF,last\n'
    documents, notes = rows("a.csv", data)
    assert [document.title for document in documents] == ["A", "E", "F"]
    assert documents[1].content == "line\nbreak\n"
    assert notes == [
        ("row 3: has 1 fields, the first row has 2", True),
        ("row 4: has 3 fields, the first row has 2", True),
        ("row 6: its 'text' holds no text", True),
    ]


def test_a_table_without_names_or_content_is_refused(rows):
    with pytest.raises(DocumentError, match="has no column for the content: it has a, b"):
        rows("a.csv", b"a,b\n1,2\n")
    with pytest.raises(DocumentError, match="must name each column once"):
        rows("a.csv", b"text,text\n1,2\n")


def test_a_table_in_another_encoding_is_read(rows):
    documents, notes = rows("a.csv", "title,text\nGröße,über fünf Maße\n".encode("cp1252"))
    assert documents[0].title == "Größe"
    assert notes[0][0].startswith("read as cp1252")


def test_lines_of_json_are_read_each_for_itself(rows):
    data = (
        b'\xef\xbb\xbf{"id": "A 1", "title": "One", "text": "Words", "n": 1, "deep": {"x": [1, null]}}\n\n'
        b'{"text": 7}\n[1]\n{broken\n{"text": NaN}\n{"body": "Other name"}\n{"text": "\xff"}\n'
        b'{"text": %s\n{"text": "last", "n": %s}\n{"text": "end"}'
    ) % (b"[" * 100_000, b"9" * 5_000)
    documents, notes = rows("a.jsonl", data)
    assert [(document.key, document.content) for document in documents] == [
        ("A 1", "Words\n"), ("7", "Other name\n"), ("11", "end\n"),
    ]  # fmt: skip
    assert documents[0].metadata == {"line": 1, "n": 1, "deep": {"x": [1, None]}, "file": "a.jsonl", "kind": "jsonl"}
    assert [text for text, refused in notes if refused] == [
        "line 3: its 'text' holds no text",
        "line 4: is not a JSON object",
        "line 5: is not JSON: Expecting property name enclosed in double quotes at character 1",
        "line 6: holds NaN, which is not JSON",
        "line 8: is not UTF-8 at byte 10, as JSON must be",
        "line 9: is nested too deeply",
        "line 10: holds a number of too many digits",
    ]


def test_a_line_of_json_that_is_too_long_is_passed_over(rows):
    data = b'{"text": "' + b"x" * (9 * 1024 * 1024) + b'"}\n{"text": "after"}\n'
    documents, notes = rows("a.jsonl", data)
    assert [document.content for document in documents] == ["after\n"]
    assert notes == [("line 1: is longer than 8 MiB", True)]


def test_a_json_file_is_one_document_or_a_list_of_them(rows):
    documents, _ = rows("a.json", b'{"title": "T", "content": "Words", "x": 1}')
    assert [(document.title, document.key, document.metadata["x"]) for document in documents] == [("T", "", 1)]
    documents, notes = rows("a.json", b'[{"text": "a"}, 5, {"text": "b"}, {"z": 1}]')
    assert [document.key for document in documents] == ["1", "3"]
    assert [text for text, _ in notes] == [
        "item 2: is not a JSON object", "item 4: has no column for the content: it has z",
    ]  # fmt: skip
    for data in (b"7", b"{", b'{"a": Infinity}'):
        with pytest.raises(DocumentError):
            rows("a.json", data)


def test_rows_come_as_they_are_read(reader):
    """The first document of a file with 200,000 rows is there while the file is still being read."""
    data = b"title,text\n" + b"A,some words of a row\n" * 200_000
    items = reader.read(Upload("a.csv", data))
    assert next(items).key == "2"
    process = reader._process
    items.close()
    documents = list(reader.read(Upload("b.csv", b"text\nother\n")))
    assert [document.content for document in documents] == ["other\n"], "nothing of the first file is left"
    assert reader._process is not process


def test_a_row_that_breaks_the_encoding_further_down_is_refused_and_not_garbled(rows):
    data = b"text\n" + b"plain words\n" * 30_000 + "Größe\n".encode("cp1252") + b"last\n"
    documents, notes = rows("a.csv", data)
    assert len(documents) == 30_001
    assert notes == [("row 30002: holds bytes that are no utf-8", True)]
