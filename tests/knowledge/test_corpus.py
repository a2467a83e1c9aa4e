"""The starter corpus: well-formed, honest about what is tradition, and right in its sums."""

from datetime import date

import pytest

from onenumbers_knowledge.documents import CATEGORIES, SOURCES, check
from onenumbers_knowledge.ingestion.chunking import split
from onenumbers_knowledge.ingestion.corpus_files import CorpusError, CorpusFile, read_corpus
from onenumbers_utilities.numerology.dates import read_date
from onenumbers_utilities.numerology.life_path import life_path
from onenumbers_utilities.numerology.name_numbers import expression, mark_name
from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import (
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    SummingMethod,
)
from onenumbers_utilities.numerology.profile import profile

FILES = read_corpus()
IDS = [file.document.document_id for file in FILES]
CLAIMS = {"rule", "traditional meaning", "convention", "empirical finding"}
DISCLAIMERS = (
    *("no study", "nobody has shown", "not been shown", "nothing of this", "nothing here", "no prediction"),
    *("describes no event", "offers no test", "should not decide", "do not measure", "a traditional meaning"),
)
EXAMPLES = [
    pytest.param(example, id=f"{file.document.document_id}-{number}")
    for file in FILES
    for number, example in enumerate(file.front_matter.get("examples", ()))
]


def test_there_are_enough_documents_of_every_kind():
    assert len(FILES) >= 420
    assert {file.document.category for file in FILES} == set(CATEGORIES)
    assert {file.document.source for file in FILES} == set(SOURCES)
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_document_is_what_its_front_matter_says(file: CorpusFile):
    document, front = file.document, file.front_matter
    check(document)
    assert file.path.stem == document.document_id
    assert file.path.parent.name == document.category
    assert front["claim_type"] in CLAIMS
    assert front["sources"]
    assert all(item["name"] and item["status"] in ("S", "K", "C") for item in front["sources"])
    assert all(0 <= number <= 99 for number in document.numbers)
    assert 150 <= len(document.content.split()) <= 600
    assert document.content.startswith(f"# {document.title}\n")
    assert document.content.count("\n## ") >= 2
    assert split(document.content, count_tokens=lambda text: len(text.split()), budget=200)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_meanings_are_reported_as_tradition_and_nothing_is_promised(file: CorpusFile):
    text = file.document.content.lower()
    if file.front_matter["claim_type"] == "traditional meaning":
        assert "tradition" in text
        assert any(words in text for words in DISCLAIMERS), "it says what the meaning is not"
    for promise in ("will make you", "guarantee", "you will be rich", "cures", "proven to"):
        assert promise not in text


@pytest.mark.parametrize("example", EXAMPLES)
def test_worked_examples_are_what_the_calculators_give(example):
    arguments = example["arguments"]
    assert calculated(example["tool"], arguments) == example["expect"]


def calculated(tool: str, arguments: dict):
    if tool == "calculate_life_path":
        options = NumerologyOptions(
            life_path_method=LifePathMethod[arguments.get("method", "GROUPED_MASTERS")],
            master_set=MasterSet[arguments["master_numbers"]] if "master_numbers" in arguments else None,
        )
        return life_path(read_date(arguments["day"], arguments["month"], arguments["year"]), options).value
    if tool == "calculate_expression_number":
        options = NumerologyOptions(summing_method=SummingMethod[arguments.get("summing_method", "PER_NAME")])
        return expression(mark_name(read_name(arguments["name"], LetterPolicy.DIRECT), options)).value
    born = read_date(arguments["day"], arguments["month"], arguments["year"])
    if tool == "cycles":
        cycles = profile(arguments["name"], born, NumerologyOptions(), as_of=date(*arguments["as_of"])).cycles
        assert cycles is not None
        return [cycles.personal_year.value, cycles.personal_month.value, cycles.personal_day.value]
    found = profile(arguments["name"], born, NumerologyOptions())
    field = tool.removeprefix("profile.")
    if field in ("pinnacles", "challenges"):
        return [period.number.value for period in getattr(found, field)]
    if field in ("karmic_lessons", "hidden_passions"):
        return list(getattr(found.parts, field))
    if field == "subconscious_self":
        return found.parts.subconscious_self
    if field == "birthday_debt":
        return found.birthday.karmic_debts[0].number
    return getattr(found, field).value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no front matter", "does not begin with"),
        ("---\n{\n---\nbody", "not YAML"),
        ("---\nid: a\n---\nbody", "lacks category"),
        ("---\nid: a\ntitle: A\ncategory: poetry\nsource: modern\nversion: 1\n---\nbody", "poetry/modern"),
    ],
)
def test_a_broken_file_is_named(tmp_path, text, words):
    (tmp_path / "cycles").mkdir()
    (tmp_path / "cycles" / "broken.md").write_text(text)
    with pytest.raises(CorpusError, match=words) as caught:
        read_corpus(tmp_path)
    assert "broken.md" in str(caught.value)
