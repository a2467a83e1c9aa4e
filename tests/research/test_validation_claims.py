"""Reading claims: sentences, clauses, languages, kinds, dates, calculations. No server takes part."""

import json
from importlib.resources import files

import pytest

from onenumbers_research.answers.instructions import instructs
from onenumbers_research.claims.calculation_verdicts import Outcome, judge_calculation, judge_sum
from onenumbers_research.claims.calculations import read_calculation
from onenumbers_research.claims.calibration import Limits
from onenumbers_research.claims.dates import find_dates
from onenumbers_research.claims.empirical_claims import judge_empirical
from onenumbers_research.claims.evidence import Passage, places
from onenumbers_research.claims.facts import read_fact
from onenumbers_research.claims.meaning_claims import judge_meaning, read_meaning
from onenumbers_research.claims.reading import Kind, language_of, read_claim, split

LABELLED = [
    json.loads(line)
    for line in files("onenumbers_research.claims")
    .joinpath("records", "labelled_claims.jsonl")
    .read_text()
    .splitlines()
]


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("7 means study and 8 means power.", ["7 means study", "8 means power."]),
        ("7 means study and solitude.", ["7 means study and solitude."]),
        ("1, 5 and 7 form one concord.", ["1, 5 and 7 form one concord."]),
        (
            "Born on 29.09.1974, she has life path 5. It is so.",
            ["Born on 29.09.1974, she has life path 5.", "It is so."],
        ),
        ("Mr. Smith says so. 4 is order.", ["Mr. Smith says so.", "4 is order."]),
        ("- 4 is order\n- 5 is change", ["4 is order", "5 is change"]),
        ("The 4 is order; the 5 is change.", ["The 4 is order", "the 5 is change."]),
        ("  \n\n", []),
        ("!!! ...", []),
    ],
)
def test_a_text_falls_into_claims_that_have_a_subject_and_a_verb_of_their_own(text, claims):
    assert split(text) == claims


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("7 means introspection.", "en"),
        ("The expression number of Ioana Brândușa Țurcanu is 11.", "en"),
        ("Die 7 bedeutet Einsamkeit und ist nicht laut.", "de"),
        ("Le nombre 7 signifie la solitude.", "fr"),
        ("El número 7 significa la soledad y el estudio.", "es"),
        ("Numărul 7 înseamnă singurătate și studiu.", "ro"),
        ("Число 7 означает одиночество.", "und"),
        ("数字7代表孤独", "und"),
    ],
)
def test_languages_are_told_apart_by_script_and_function_words(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize("row", LABELLED, ids=[row["id"] for row in LABELLED])
def test_a_labelled_claim_is_one_claim(row):
    assert split(row["claim"]) == [row["claim"]]
    assert read_claim(row["claim"]).language == "en"


def test_kinds_are_read_as_labelled_for_nine_of_ten_claims_of_every_lot():
    for lot in ("first", "second", "later"):
        rows = [row for row in LABELLED if row["lot"] == lot]
        right = sum(read_claim(row["claim"]).kind.value == row["kind"] for row in rows)
        assert right >= 0.9 * len(rows), (lot, right, len(rows))


def test_the_labelled_claims_are_many_and_balanced():
    assert len(LABELLED) >= 200
    assert len({row["claim"] for row in LABELLED}) == len(LABELLED)
    for kind in ("calculation", "meaning", "empirical"):
        for verdict in ("supported", "contradicted", "not_covered"):
            assert sum(row["kind"] == kind and row["verdict"] == verdict for row in LABELLED) >= 25
    assert all(row["reason"] for row in LABELLED)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("14 November 1968", (14, 11, 1968)),
        ("November 14th, 1968", (14, 11, 1968)),
        ("1968-11-14", (14, 11, 1968)),
        ("14.11.1968", (14, 11, 1968)),
        ("14/11/1968", (14, 11, 1968)),
        ("11/14/1968", (14, 11, 1968)),
        ("29 September", (29, 9, None)),
        ("in May 1980", (None, 5, 1980)),
        ("the 29th", (29, None, None)),
    ],
)
def test_dates_are_read_in_the_usual_forms(text, parts):
    (found,) = find_dates(f"born {text} she")
    assert (found.day, found.month, found.year) == parts
    assert not found.problem


def test_dates_that_do_not_exist_say_so():
    for text in ("31 February 1980", "30.02.2001", "29 February 2001", "2001-13-40"):
        (found,) = find_dates(text)
        assert text in found.problem


@pytest.mark.parametrize(
    ("text", "operation", "claimed"),
    [
        ("The life path of 14 November 1968 is 22.", "life_path", 22),
        ("Born on September 29, 1974, you have life path 5.", "life_path", 5),
        ("13 reduces to 4", "reduction", 4),
        ("A is worth 1 in the Chaldean table.", "letter", 1),
        ("The third challenge of 29 September 1974 is 6.", "challenge", 6),
        ("9 + 2 + 8 = 19", "sum", 19),
    ],
)
def test_calculations_are_read_with_what_they_need(text, operation, claimed):
    found = read_calculation(text)
    assert found is not None
    assert (found.operation, found.claimed, found.missing) == (operation, claimed, "")


@pytest.mark.parametrize(
    "text",
    ["7 means introspection.", "Personal year 1 is a new start.", "22 is called the master builder.", "", "is 7"],
)
def test_what_states_no_calculation_is_none(text):
    assert read_calculation(text) is None


def test_a_claim_that_holds_by_one_method_names_it():
    asked = read_calculation("The life path of 14 November 1968 is 22.")
    outcomes = [
        Outcome("calculate_life_path", "life_path.grouped_masters", "DECOZ", 22, (22,)),
        Outcome("calculate_life_path", "life_path.sum_all_digits", "PYTHAGOREAN", 4, ()),
    ]
    found = judge_calculation(asked, outcomes)
    assert found.supported
    assert "by life_path.grouped_masters (DECOZ) only" in found.reason
    assert "4 by life_path.sum_all_digits" in found.reason


def test_sums_are_added():
    assert judge_sum(read_calculation("9 + 2 + 8 = 19")).supported
    assert judge_sum(read_calculation("9 + 2 + 8 = 20")).supported is False


def passage(text, *, numbers=(), title="Note", category="interpretation", source="modern", document="note"):
    return Passage(f"{document}:1:0", document, title, "", text, 100, tuple(numbers), category, source, 0.5)


def test_a_place_is_quoted_with_its_offsets():
    item = passage("First sentence here. Second sentence there.")
    for place in places(item):
        assert item.text[place.start - 100 : place.end - 100] == place.text


def test_meaning_is_supported_contradicted_or_not_covered():
    own = [
        passage("The 7 is the number of solitude and study.", numbers=[7], document="seven"),
        passage("The 7 is quiet.", numbers=[7], document="quiet"),
    ]
    others = [passage("The 8 stands for money and power.", numbers=[8], document="eight")]
    verdicts = [
        judge_meaning(read_meaning(text), own, others, Limits()).supported
        for text in ("7 means introspection", "7 does not mean solitude", "7 means wealth", "7 means volcanoes")
    ]
    assert verdicts == [True, False, False, None]


def test_an_effect_is_never_supported_by_a_tradition():
    told = "People with life path 8 are more successful than others."
    traditions = [
        passage(told, numbers=[8], document="tradition"),
        passage(told, numbers=[8], document="history", category="validation", source="classical"),
    ]
    assert judge_empirical(told, traditions, Limits()).supported is None
    studies = [
        passage(
            "The study found no effect of birth numbers on success.",
            category="validation",
            source="scientific",
            document="study",
        )
    ]
    assert judge_empirical(told, [*traditions, *studies], Limits()).supported is False


def test_statements_are_no_instructions():
    for text in (
        "Tradition says that life path 7 belongs to the seeker.",
        "Authors advise to keep one fixed point.",
        "The rule decides. With parts reduced to one digit, other dates show it.",
        "Decoz keeps the 33. A report ought to state the set of masters beside the number.",
    ):
        assert not instructs(text)


def test_the_starter_corpus_instructs_nobody():
    """The filter against instructions must not silence documents of our own."""
    from onenumbers_knowledge.ingestion.corpus_files import read_corpus

    silenced = [file.document.document_id for file in read_corpus() if instructs(file.document.content)]
    assert not silenced


def test_no_kind_for_what_says_nothing_of_numbers():
    assert read_claim("I had a good lunch.").kind is Kind.OTHER


SEVEN = [
    passage("The 7 asks for solitude. Company is felt as a burden, and parties are avoided.", numbers=[7]),
    passage("The person learns by experience and not by instruction.", numbers=[5], document="five"),
    passage("The day 4 belongs to work that nobody applauds.", numbers=[4], document="four"),
    passage("It follows a year 9, in which things were finished.", numbers=[1], document="one"),
]


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("The 5 learns by experience.", True),
        ("The 4 belongs to work that nobody applauds.", True),
        ("The 7 wants solitude more than company.", True),
        ("The 1 is about finished things.", None),
    ],
)
def test_a_denial_governs_what_follows_it_and_a_clause_keeps_its_number(claim, supported):
    """Each of these was judged the other way round, or by a clause on another number."""
    assert judge_meaning(read_meaning(claim), SEVEN, [], Limits()).supported is supported


def test_a_document_on_the_position_comes_before_others_on_the_number():
    own = [
        passage("A 3 hides behind silence.", numbers=[3], document="bridge", title="Bridge 3: lightness"),
        passage(
            "The 3 speaks, writes and laughs.", numbers=[3], document="expression", title="Expression 3: twice over"
        ),
    ]
    found = judge_meaning(read_meaning("Expression 3 points to silence."), own, [], Limits())
    assert found.supported is False
    assert {place.passage.document_id for place in found.evidence} == {"expression"}


HISTORY = [
    passage(
        "Sepharial was the pen name of Walter Gorn Old (1864-1929), an English astrologer. His book is dated 1911.",
        title="History: Sepharial", category="validation", source="classical", document="sepharial",
    ),
    passage(
        "Juno Jordan, a dentist by training, taught numerology in California. No data from that work is in print.",
        title="History: Juno Jordan", category="validation", source="classical", document="jordan",
    ),
    passage(
        "Predictions that were deposited beforehand, with the failures counted, do not exist.",
        title="History: Cheiro", category="validation", source="classical", document="cheiro",
    ),
    passage(
        "Astrology has been tested many times; for numerology the author found very little.",
        title="A search for evidence", category="validation", source="scientific", document="search",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "supported"),
    [
        ("Sepharial's real name was Walter Gorn Old.", True),
        ("Sepharial's real name was Robert Green.", False),
        ("Sepharial died in 1929.", True),
        ("Sepharial died in 1950.", False),
        ("Sepharial's book appeared in 1911.", True),
        ("Juno Jordan was a dentist by training.", True),
        ("Juno Jordan was a lawyer by training.", False),
        ("Cheiro's forecasts were deposited beforehand.", False),
        ("Numerology has been tested and confirmed many times.", False),
        ("NASA chooses launch dates by numerology.", None),
        ("People with life path 4 sleep longer.", None),
    ],
)
def test_facts_names_and_years_are_compared_and_strangers_are_not_covered(claim, supported):
    """Shared words alone took most of the false ones for supported, and the true ones for not covered."""
    assert judge_empirical(claim, HISTORY, Limits()).supported is supported


def test_a_fact_needs_a_person_and_a_value():
    assert read_fact("Juno Jordan was a dentist.") is not None
    assert read_fact("A dentist taught numerology.") is None
    assert read_fact("Juno Jordan taught numerology.") is None


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Juno Jordan was a dentist.", Kind.EMPIRICAL),
        ("Goodwin's guide appeared in 1981.", Kind.EMPIRICAL),
        ("Cheiro puts the 8 under Saturn.", Kind.MEANING),
        ("A birthday on the 5th gives a talent for variety.", Kind.MEANING),
    ],
)
def test_claims_on_people_are_on_the_world_and_their_readings_are_meanings(claim, kind):
    assert read_claim(claim).kind is kind
