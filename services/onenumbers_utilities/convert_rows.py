"""Profiles of batches as messages: numbers without their sums, and the rules once for all rows.

Rows share most of their numbers, so the messages of numbers are kept and copied, which costs a tenth of making them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from onenumbers.utilities.v1 import calculation_pb2 as pb
from onenumbers.utilities.v1 import utilities_pb2
from onenumbers_utilities import convert
from onenumbers_utilities.numerology.results import Cycles, LifePeriod, NumberResult, Profile

_MOST_KEPT: Final = 20_000
"""Numbers that are kept; their totals are small, so that few batches have more."""
_NUMBERS: Final = ("life_path", "expression", "soul_urge", "personality", "birthday", "maturity", "balance")
_CYCLES: Final = (
    *("personal_year", "personal_month", "personal_day"),
    *("universal_year", "universal_month", "universal_day"),
)
_kept: dict[tuple[int | None, tuple[int, ...]], pb.NumberResult] = {}


def profile(result: Profile) -> utilities_pb2.NumerologyProfile:
    """Returns a profile whose numbers are value, root, total and chain alone."""
    born, parts = result.birth_date, result.parts
    message = utilities_pb2.NumerologyProfile(
        name=result.name,
        life_path=_number(result.life_path),
        expression=_number(result.expression),
        soul_urge=_number(result.soul_urge),
        personality=_number(result.personality),
        birthday=_number(result.birthday),
        maturity=_number(result.maturity),
        balance=_number(result.balance),
        karmic_lessons=parts.karmic_lessons,
        hidden_passions=parts.hidden_passions,
        subconscious_self=parts.subconscious_self,
        pinnacles=[_period(each) for each in result.pinnacles],
        challenges=[_period(each) for each in result.challenges],
    )
    date = message.birth_date
    date.year, date.month, date.day = born.year, born.month, born.day
    message.inclusion.counts.extend(parts.counts)
    if result.karmic_debts:
        message.karmic_debts.extend(convert.debt_messages(result.karmic_debts))
    for each in result.master_numbers:
        message.master_numbers.add(position=each.position, number=each.number)
    if result.cycles is not None:
        message.cycles.CopyFrom(_cycles(result.cycles))
    if result.warnings:
        message.warnings.extend(convert.warning_messages(result.warnings))
    return message


def rules(result: Profile) -> Iterator[utilities_pb2.ProfileRule]:
    """Yields the rules by which a profile was calculated, by position."""
    numbers: list[tuple[str, NumberResult]] = [(name, getattr(result, name)) for name in _NUMBERS]
    if result.pinnacles:
        numbers.append(("pinnacles", result.pinnacles[0].number))
    if result.challenges:
        numbers.append(("challenges", result.challenges[0].number))
    if result.cycles is not None:
        numbers += [(f"cycles.{name}", getattr(result.cycles, name)) for name in _CYCLES]
    for position, number in numbers:
        yield utilities_pb2.ProfileRule(
            position=position, rule_id=number.rule_id, school=convert.SCHOOLS[number.school]
        )


def _number(result: NumberResult) -> pb.NumberResult:
    key = (result.value, result.chain)
    found = _kept.get(key)
    if found is None:
        found = pb.NumberResult(
            value=result.value,
            root=result.root,
            is_master=result.is_master,
            total=result.total,
            chain=result.chain,
        )
        if len(_kept) < _MOST_KEPT:
            _kept[key] = found
    return found


def _period(period: LifePeriod) -> pb.LifePeriod:
    return pb.LifePeriod(
        ordinal=period.ordinal,
        number=_number(period.number),
        start_age=period.start_age,
        end_age=period.end_age,
        current=period.current,
        main=period.main,
    )


def _cycles(cycles: Cycles) -> utilities_pb2.Cycles:
    return utilities_pb2.Cycles(
        as_of=convert.date_message(cycles.as_of),
        age=cycles.age,
        **{name: _number(getattr(cycles, name)) for name in _CYCLES},
    )
