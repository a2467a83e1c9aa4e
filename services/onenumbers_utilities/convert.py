"""Contract to domain and back. No rule of numerology stands here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from typing import Any, Final, TypeVar

from google.type import date_pb2

from onenumbers.utilities.v1 import calculation_pb2 as pb
from onenumbers.utilities.v1 import utilities_pb2
from onenumbers_utilities.explained import explanation
from onenumbers_utilities.numerology.dates import read_date
from onenumbers_utilities.numerology.options import (
    ChallengeAges,
    KarmicDebtScope,
    LetterPolicy,
    LifePathMethod,
    MasterSet,
    NumerologyOptions,
    PersonalYearSpan,
    School,
    SummingMethod,
    Transliteration,
    YOverride,
    YRule,
)
from onenumbers_utilities.numerology.results import (
    Component,
    Cycles,
    DebtOrigin,
    KarmicDebt,
    LifePeriod,
    Notice,
    NumberResult,
    Profile,
)

E = TypeVar("E", bound=Enum)


def enum_values(contract: Any, domain: type[E], default: E) -> dict[int, E]:
    """Returns the domain's members by the contract's numbers; names agree but for the prefix, 0 is the default."""
    prefix = contract.DESCRIPTOR.values_by_number[0].name.removesuffix("UNSPECIFIED")
    named = {contract.Value(f"{prefix}{member.name}"): member for member in domain}
    return {0: default, **named}


LIFE_PATH_METHODS: Final = enum_values(pb.LifePathMethod, LifePathMethod, LifePathMethod.GROUPED_MASTERS)
SUMMING_METHODS: Final = enum_values(pb.SummingMethod, SummingMethod, SummingMethod.PER_NAME)
Y_RULES: Final = enum_values(pb.YRule, YRule, YRule.ORTHOGRAPHIC)
LETTER_POLICIES: Final = enum_values(pb.LetterPolicy, LetterPolicy, LetterPolicy.DIRECT)
DEBT_SCOPES: Final = enum_values(pb.KarmicDebtScope, KarmicDebtScope, KarmicDebtScope.CHAIN)
YEAR_SPANS: Final = enum_values(pb.PersonalYearSpan, PersonalYearSpan, PersonalYearSpan.CALENDAR)
CHALLENGE_AGES: Final = enum_values(pb.ChallengeAges, ChallengeAges, ChallengeAges.NONE)
TRANSLITERATIONS: Final[Mapping[int, Transliteration | None]] = {
    pb.TRANSLITERATION_UNSPECIFIED: None,
    **{pb.Transliteration.Value(f"TRANSLITERATION_{each.name}"): each for each in Transliteration},
}
MASTER_SETS: Final[Mapping[int, MasterSet | None]] = {
    pb.MASTER_NUMBERS_UNSPECIFIED: None,
    pb.MASTER_NUMBERS_11_22_33: MasterSet.ELEVEN_TO_THIRTY_THREE,
    pb.MASTER_NUMBERS_11_22: MasterSet.ELEVEN_AND_TWENTY_TWO,
    pb.MASTER_NUMBERS_NONE: MasterSet.NONE,
}
SCHOOLS: Final = {school: pb.School.Value(f"SCHOOL_{school.name}") for school in School}
_ORIGINS: Final = {origin: pb.KarmicDebtOrigin.Value(f"KARMIC_DEBT_ORIGIN_{origin.name}") for origin in DebtOrigin}


# --- to the domain --------------------------------------------------------------------------------------------------


def date_options(request: utilities_pb2.CalculateLifePathRequest) -> NumerologyOptions:
    """Returns the options of a life path."""
    return NumerologyOptions(
        life_path_method=LIFE_PATH_METHODS[request.method],
        master_set=MASTER_SETS[request.master_numbers],
        karmic_debt_scope=DEBT_SCOPES[request.karmic_debt_scope],
    )


def name_options(
    request: utilities_pb2.CalculateExpressionNumberRequest | utilities_pb2.CalculateDestinyNumberRequest,
) -> NumerologyOptions:
    """Returns the options of an expression or destiny number."""
    return NumerologyOptions(
        summing_method=SUMMING_METHODS[request.summing_method],
        letter_policy=LETTER_POLICIES[request.letter_policy],
        transliteration=TRANSLITERATIONS[request.transliteration],
        master_set=MASTER_SETS[request.master_numbers],
        karmic_debt_scope=DEBT_SCOPES[request.karmic_debt_scope],
    )


def profile_options(options: utilities_pb2.ProfileOptions) -> NumerologyOptions:
    """Returns the options of a profile."""
    return NumerologyOptions(
        life_path_method=LIFE_PATH_METHODS[options.life_path_method],
        summing_method=SUMMING_METHODS[options.summing_method],
        y_rule=Y_RULES[options.y_rule],
        y_overrides=tuple(YOverride(each.position, each.vowel) for each in options.y_overrides),
        letter_policy=LETTER_POLICIES[options.letter_policy],
        transliteration=TRANSLITERATIONS[options.transliteration],
        master_set=MASTER_SETS[options.master_numbers],
        karmic_debt_scope=DEBT_SCOPES[options.karmic_debt_scope],
        personal_year_span=YEAR_SPANS[options.personal_year_span],
        challenge_ages=CHALLENGE_AGES[options.challenge_ages],
    )


def as_of(
    request: utilities_pb2.AnalyzeNumerologyProfileRequest
    | utilities_pb2.BatchCalculateRequest
    | utilities_pb2.StreamProfilesSettings,
) -> date | None:
    """Returns the date that cycles are wanted for, or None.

    Raises:
        InvalidArgumentError: It is not a whole date, or does not exist.
    """
    if not request.HasField("as_of"):
        return None
    return read_date(request.as_of.day, request.as_of.month, request.as_of.year, prefix="as_of.")


# --- to the contract ------------------------------------------------------------------------------------------------


def number(result: NumberResult) -> pb.NumberResult:
    """Returns a result as a message."""
    return pb.NumberResult(
        value=result.value,
        root=result.root,
        is_master=result.is_master,
        total=result.total,
        chain=result.chain,
        rule_id=result.rule_id,
        school=SCHOOLS[result.school],
        inputs_used=result.inputs_used,
        warnings=warning_messages(result.warnings),
        components=[_component(each) for each in result.components],
        alternatives=[
            pb.Alternative(rule_id=each.rule_id, school=SCHOOLS[each.school], value=each.value, total=each.total)
            for each in result.alternatives
        ],
        karmic_debts=debt_messages(result.karmic_debts),
        explanation=explanation(result),
    )


def profile(result: Profile) -> utilities_pb2.NumerologyProfile:
    """Returns a profile as a message."""
    return utilities_pb2.NumerologyProfile(
        name=result.name,
        birth_date=date_message(result.birth_date),
        life_path=number(result.life_path),
        expression=number(result.expression),
        soul_urge=number(result.soul_urge),
        personality=number(result.personality),
        birthday=number(result.birthday),
        maturity=number(result.maturity),
        balance=number(result.balance),
        inclusion=pb.InclusionTable(counts=result.parts.counts),
        karmic_lessons=result.parts.karmic_lessons,
        hidden_passions=result.parts.hidden_passions,
        subconscious_self=result.parts.subconscious_self,
        karmic_debts=debt_messages(result.karmic_debts),
        master_numbers=[
            utilities_pb2.MasterPosition(position=each.position, number=each.number) for each in result.master_numbers
        ],
        pinnacles=[period_message(each) for each in result.pinnacles],
        challenges=[period_message(each) for each in result.challenges],
        cycles=cycles_message(result.cycles) if result.cycles is not None else None,
        warnings=warning_messages(result.warnings),
    )


def date_message(value: date) -> date_pb2.Date:
    """Returns a date as a message."""
    return date_pb2.Date(year=value.year, month=value.month, day=value.day)


def _component(component: Component) -> pb.Component:
    return pb.Component(
        label=component.label,
        text=component.text,
        total=component.total,
        value=component.value,
        chain=component.chain,
        letters=[
            pb.LetterValue(letter=each.letter, value=each.value, vowel=each.vowel, counted=each.counted)
            for each in component.letters
        ],
    )


def warning_messages(notices: Iterable[Notice]) -> list[pb.Warning]:
    """Returns notices as messages."""
    return [pb.Warning(code=notice.code, message=notice.message) for notice in notices]


def debt_messages(debts: Iterable[KarmicDebt]) -> list[pb.KarmicDebt]:
    """Returns karmic debts as messages."""
    return [
        pb.KarmicDebt(
            number=debt.number, origin=_ORIGINS[debt.origin], position=debt.position, component=debt.component
        )
        for debt in debts
    ]


def period_message(period: LifePeriod) -> pb.LifePeriod:
    """Returns a pinnacle or a challenge as a message."""
    return pb.LifePeriod(
        ordinal=period.ordinal,
        number=number(period.number),
        start_age=period.start_age,
        end_age=period.end_age,
        current=period.current,
        main=period.main,
    )


def cycles_message(cycles: Cycles) -> utilities_pb2.Cycles:
    """Returns the cycles on a date as a message."""
    return utilities_pb2.Cycles(
        as_of=date_message(cycles.as_of),
        age=cycles.age,
        personal_year=number(cycles.personal_year),
        personal_month=number(cycles.personal_month),
        personal_day=number(cycles.personal_day),
        universal_year=number(cycles.universal_year),
        universal_month=number(cycles.universal_month),
        universal_day=number(cycles.universal_day),
    )
