"""Contract to domain and back, for comparisons and dates. No rule of numerology stands here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from onenumbers.utilities.v1 import calculation_pb2
from onenumbers.utilities.v1 import compatibility_pb2 as pb
from onenumbers_utilities.convert import (
    LETTER_POLICIES,
    LIFE_PATH_METHODS,
    SCHOOLS,
    SUMMING_METHODS,
    TRANSLITERATIONS,
    Y_RULES,
    enum_values,
    number,
)
from onenumbers_utilities.convert_systems import calendar_date, warnings
from onenumbers_utilities.numerology.comparison import NameComparison
from onenumbers_utilities.numerology.compatibility import (
    Comparison,
    ConventionScore,
    Person,
    Position,
    PositionRelation,
)
from onenumbers_utilities.numerology.correspondences import Correspondence, Weekday
from onenumbers_utilities.numerology.favourable_dates import DateBasis, FavourableDate, ReasonKind
from onenumbers_utilities.numerology.groupings import CONVENTION_TABLE, Relation
from onenumbers_utilities.numerology.options import NumerologyOptions, School
from onenumbers_utilities.numerology.results import NameParts

DATE_BASES: Final = enum_values(pb.DateBasis, DateBasis, DateBasis.PERSONAL_CYCLES)
_POSITIONS: Final = {each: pb.ComparedNumber.Value(f"COMPARED_NUMBER_{each.name}") for each in Position}
_RELATIONS: Final = {each: pb.Relation.Value(f"RELATION_{each.name}") for each in Relation}
_WEEKDAYS: Final = {each: pb.Weekday.Value(f"WEEKDAY_{each.name}") for each in Weekday}
_REASONS: Final = {each: pb.DateReasonKind.Value(f"DATE_REASON_KIND_{each.name}") for each in ReasonKind}


def people_options(request: pb.CompareCompatibilityRequest | pb.ComparePeopleRequest) -> NumerologyOptions:
    """Returns the options of a comparison of people."""
    return NumerologyOptions(
        life_path_method=LIFE_PATH_METHODS[request.life_path_method],
        summing_method=SUMMING_METHODS[request.summing_method],
        y_rule=Y_RULES[request.y_rule],
        letter_policy=LETTER_POLICIES[request.letter_policy],
        transliteration=TRANSLITERATIONS[request.transliteration],
    )


def person_options(person: pb.ComparedPerson, options: NumerologyOptions) -> NumerologyOptions:
    """Returns the options of one person: those of the comparison, and the person's own standard where there is one."""
    own = TRANSLITERATIONS[person.transliteration]
    return options if own is None else replace(options, transliteration=own)


def spelling_options(request: pb.CompareNamesRequest) -> NumerologyOptions:
    """Returns the options of a comparison of spellings."""
    return NumerologyOptions(
        summing_method=SUMMING_METHODS[request.summing_method],
        y_rule=Y_RULES[request.y_rule],
        letter_policy=LETTER_POLICIES[request.letter_policy],
        transliteration=TRANSLITERATIONS[request.transliteration],
    )


def person(found: Person) -> pb.PersonNumbers:
    """Returns the numbers of a person as a message."""
    return pb.PersonNumbers(
        name=found.name,
        birth_date=calendar_date(found.born),
        warnings=warnings(found.warnings),
        **{position.value: number(result) for position, result in found.numbers.items()},
    )


def comparison(found: Comparison) -> pb.Comparison:
    """Returns a comparison as a message."""
    return pb.Comparison(
        relations=[_relation(each) for each in found.relations],
        score=_score(found.score) if found.score is not None else None,
        warnings=warnings(found.warnings),
    )


def pairs(found: Iterable[tuple[int, int, Comparison]]) -> list[pb.PairComparison]:
    """Returns the comparisons of all pairs as messages."""
    return [
        pb.PairComparison(first_index=first, second_index=second, comparison=comparison(each))
        for first, second, each in found
    ]


def points_table() -> list[pb.PointsRow]:
    """Returns the table of our convention."""
    return [pb.PointsRow(number=row, points=points) for row, points in enumerate(CONVENTION_TABLE, start=1)]


def spellings(found: NameComparison) -> pb.CompareNamesResponse:
    """Returns a comparison of spellings as a response."""
    return pb.CompareNamesResponse(
        first=found.first.text,
        second=found.second.text,
        numbers=[
            pb.NumberPair(
                position=each.position,
                first=number(each.first),
                second=number(each.second),
                differs=each.differs,
                total_differs=each.total_differs,
            )
            for each in found.numbers
        ],
        first_counts=_counts(found.first_parts),
        second_counts=_counts(found.second_parts),
        letters=[
            pb.LetterDifference(letter=each.letter, first_count=each.first_count, second_count=each.second_count)
            for each in found.letters
        ],
        warnings=warnings(found.warnings),
    )


def favourable_date(found: FavourableDate) -> pb.FavourableDate:
    """Returns a date with its reasons as a message."""
    return pb.FavourableDate(
        date=calendar_date(found.day),
        weekday=_WEEKDAYS[found.weekday],
        personal_year=found.personal_year,
        personal_month=found.personal_month,
        personal_day=found.personal_day,
        reasons=[
            pb.DateReason(kind=_REASONS[each.kind], text=each.text, rule_id=each.rule_id, school=SCHOOLS[each.school])
            for each in found.reasons
        ],
    )


def correspondence(found: Correspondence) -> pb.Correspondence:
    """Returns what is set beside a number as a message."""
    return pb.Correspondence(
        number=found.number,
        planet=found.planet,
        vedic_planet=found.vedic_planet,
        weekdays=[_WEEKDAYS[each] for each in found.weekdays],
        chief_weekday=_WEEKDAYS[found.chief] if found.chief is not None else pb.WEEKDAY_UNSPECIFIED,
        colours=found.colours,
        related_numbers=found.related,
    )


def _relation(found: PositionRelation) -> pb.PositionRelation:
    said: dict[str, Any] = {}
    if found.grouping is not None:
        said = {
            "relation": _RELATIONS[found.grouping.relation],
            "members": found.grouping.members,
            "rule_id": found.grouping.rule_id,
            "school": SCHOOLS[found.grouping.school],
        }
    return pb.PositionRelation(
        position=_POSITIONS[found.position],
        first=found.first,
        second=found.second,
        first_root=found.first_root,
        second_root=found.second_root,
        **said,
    )


def _score(found: ConventionScore) -> pb.ConventionScore:
    return pb.ConventionScore(
        points=found.points,
        components=[
            pb.ScoreComponent(position=_POSITIONS[each.position], points=each.points, weight=each.weight)
            for each in found.components
        ],
        weight=found.weight,
        rule_id=found.rule_id,
        school=SCHOOLS[School.CONVENTION],
    )


def _counts(found: NameParts) -> pb.SpellingCounts:
    return pb.SpellingCounts(
        inclusion=calculation_pb2.InclusionTable(counts=found.counts),
        karmic_lessons=found.karmic_lessons,
        hidden_passions=found.hidden_passions,
        subconscious_self=found.subconscious_self,
    )
