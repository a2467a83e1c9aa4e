"""Words of texts and queries: letters that are meant, numbers in words, and what else a subject goes by."""

import pytest

from onenumbers_knowledge.ingestion.corpus_files import read_corpus
from onenumbers_knowledge.search.number_words import NUMBERS
from onenumbers_knowledge.search.thesaurus import Entry, Thesaurus, entries
from onenumbers_knowledge.search.words import Analyzer


@pytest.fixture
def stems():
    return Analyzer().stems


def test_numbers_in_words_are_their_digits(stems):
    assert stems("seven, sevens, 7 and the 7th") == ["7", "7", "7", "7"]
    assert stems("the twenty-second, a Twenty-Two, thirty-three") == ["22", "22", "33"]
    assert stems("plenty-two, a_twenty-two, twenty-twofold, forty-two-eight") == [
        *("plenti", "2", "a_twenti", "2", "20", "twofold", "42", "8")
    ]
    assert stems("thirteenth twentieth ninety") == ["13", "20", "90"]
    assert stems("the one that counts") == ["one", "count"], "one mostly counts nothing"
    assert NUMBERS["sixes"] == 6
    assert NUMBERS["twenties"] == 20
    assert "one" not in NUMBERS


def test_a_letter_that_is_meant_as_one_is_a_word(stems):
    assert stems("begins with M") == ["begin", "m"]
    assert stems("ș and ț") == ["ș", "ț"], "folded they would be the letters that they are not"
    assert stems("I'm sure it's a must") == ["sure", "must"]
    assert stems("A name I like") == ["name", "like"]
    assert stems("J. Smith and ș", capitals=False) == ["smith", "ș"], "in a text a capital is mostly an initial"


def test_every_word_is_found_by_its_stem_alone():
    """What a word begins with decides whether it is looked up at all: no stem may begin with another letter."""
    analyzer = Analyzer()
    special = "skis skies dying lying tying idly gently ugly early only singly news cosmos bias andes yes youth Y É"
    folded = "Țurcanu Ωμέγα Éric ÉRIC ﬁnd ª Straße İstanbul 7th 22nd sevens Twelfth twenty-two Forty-First 1990s"
    words = {*special.split(), *folded.split()}
    words |= {match for file in read_corpus() for match in file.document.content.split()}
    missed = []
    for text in words:
        for stem in analyzer.stems(text):
            places = [text[start:end] for start, end, found in analyzer.find(text, {stem}) if found == stem]
            if stem not in {each for place in places for each in analyzer.stems(place)}:
                missed.append((text, stem))
    assert not missed
    assert analyzer.find("Dr. Țurcanu's 7th word", {"turcanu", "7"}) == [(4, 11, "turcanu"), (14, 17, "7")]


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("what is my heart's desire", ["soul urge"]),
        ("What do my vowels say?", ["soul urge"]),
        ("the value that is missing", []),
        ("the missing values of a name", ["karmic lesson"]),
        ("does my first letter matter", ["cornerstone"]),
        ("which letter is it", []),
        ("desire of the heart is not beside itself: heart, and then much later desire", []),
        ("DRIVER and Conductor", ["mulank", "bhagyank"]),
        ("the gap between the two, and which digits are absent", ["karmic lesson", "bridge"]),
        ("", []),
    ],
)
def test_a_query_has_the_terms_whose_names_stand_in_it(query, terms):
    assert Thesaurus.load().terms(query) == terms


def test_a_thesaurus_of_ones_own_is_read_in_the_same_way():
    own = Thesaurus([Entry("zebra", ("striped horse",))])
    assert own.terms("a horse that is striped") == []
    assert own.terms("the striped horses") == ["zebra"]


def test_each_name_is_attested_where_its_entry_says():
    """In a document of the corpus term and name stand in one paragraph or its title; else a source is cited."""
    texts = {file.document.document_id: file.document for file in read_corpus()}
    analyzer = Analyzer()
    for entry in entries():
        assert entry.names
        assert bool(entry.documents) != bool(entry.sources), entry.term
        told = []
        for identifier in entry.documents:
            document = texts[identifier]
            told += [analyzer.all_stems(f"{document.title} {part}") for part in document.content.split("\n\n")]
        for name in entry.names if entry.documents else ():
            wanted = set(analyzer.all_stems(name)) | set(analyzer.all_stems(entry.term))
            assert any(wanted <= set(stems) for stems in told), f"{name}: no paragraph of {entry.documents} has it"


def test_the_rules_of_the_thesaurus_are_those_of_the_corpus():
    known = {str(file.document.metadata.get("rule_id")) for file in read_corpus()}
    assert {entry.rule for entry in entries() if entry.rule} <= known
