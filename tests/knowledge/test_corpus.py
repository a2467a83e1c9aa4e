"""The corpus reader: front matter becomes fields and metadata, and a wrong file is named."""

import json
from pathlib import Path

import pytest

from onenumbers_knowledge.corpus_files import CorpusError, read_corpus
from onenumbers_knowledge.documents import check

FILE = """---
id: {id}
title: Life path 7
category: interpretation
source: classical
subtype: life_path
school: decoz
numbers: [7, 16]
language: en
claim_type: tradition
position:
version: 2
examples: [{{input: 1980-03-12, result: 7}}]
---

# Seven

Text of the document.

---

After a rule.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "interpretation").mkdir()
    for name in ("b", "a"):
        (tmp_path / "interpretation" / f"{name}.md").write_text(FILE.format(id=f"life-path-{name}"))
    return tmp_path


def test_front_matter_becomes_fields_and_the_rest_metadata(folder):
    first, second = read_corpus(folder)
    document = first.document
    assert (document.document_id, second.document.document_id) == ("life-path-a", "life-path-b")
    assert (document.category, document.source, document.school) == ("interpretation", "classical", "decoz")
    assert tuple(document.numbers) == (7, 16)
    assert document.content == "# Seven\n\nText of the document.\n\n---\n\nAfter a rule.\n"
    assert document.metadata == {
        "subtype": "life_path",
        "claim_type": "tradition",
        "version": 2,
        "examples": [{"input": "1980-03-12", "result": 7}],
        "corpus": True,
    }
    check(document)
    assert json.dumps(document.metadata)
    assert document.record_hash == read_corpus(folder)[0].document.record_hash


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("version: 2\n", "", "lacks version"),
        ("category: interpretation", "category: poetry", "poetry/classical"),
        ("id: life-path-a", "id: [", "not YAML"),
        ("---\nid", "id", "front matter"),
    ],
)
def test_a_wrong_file_is_named(folder, before, after, said):
    path = folder / "interpretation" / "a.md"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(CorpusError, match=said) as caught:
        read_corpus(folder)
    assert "a.md" in str(caught.value)


def test_a_missing_folder_is_an_empty_corpus(tmp_path):
    assert read_corpus(tmp_path / "nothing") == []
