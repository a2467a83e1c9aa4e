"""Results of dates and cycles to the contract. No rule of numerology stands here."""

from __future__ import annotations

from typing import Final

from onenumbers.utilities.v1 import dates_pb2 as pb
from onenumbers_utilities import convert
from onenumbers_utilities.numerology.debt_report import DebtReport, KarmicDebtNumbers
from onenumbers_utilities.numerology.options import PinnacleRule
from onenumbers_utilities.numerology.period_cycles import PeriodCycle, PeriodCycleTiming
from onenumbers_utilities.numerology.transits import EssenceMark, EssenceYear, TransitLetter, Transits, YearOverlap

PINNACLE_RULES: Final = convert.enum_values(pb.PinnacleRule, PinnacleRule, PinnacleRule.COMPONENT_MASTERS)
TIMINGS: Final = convert.enum_values(pb.PeriodCycleTiming, PeriodCycleTiming, PeriodCycleTiming.LIFE_PATH_TABLE)
DEBT_NUMBERS: Final = convert.enum_values(pb.KarmicDebtNumbers, KarmicDebtNumbers, KarmicDebtNumbers.FOUR)
TIMING_VALUES: Final = {
    each: pb.PeriodCycleTiming.Value(f"PERIOD_CYCLE_TIMING_{each.name}") for each in PeriodCycleTiming
}
_MARKS: Final = {
    EssenceMark.NONE: pb.ESSENCE_MARK_UNSPECIFIED,
    EssenceMark.MASTER: pb.ESSENCE_MARK_MASTER,
    EssenceMark.KARMIC_DEBT: pb.ESSENCE_MARK_KARMIC_DEBT,
}


def debts(report: DebtReport) -> pb.CalculateKarmicDebtsResponse:
    """Returns karmic debts as a message."""
    return pb.CalculateKarmicDebtsResponse(
        debts=convert.debt_messages(report.debts),
        rule_id=report.rule_id,
        school=convert.SCHOOLS[report.school],
        life_path=convert.number(report.life_path),
        expression=convert.number(report.expression),
        soul_urge=convert.number(report.soul_urge),
        personality=convert.number(report.personality),
        birthday=convert.number(report.birthday),
    )


def period_cycle(cycle: PeriodCycle) -> pb.PeriodCycle:
    """Returns a period cycle as a message."""
    return pb.PeriodCycle(
        ordinal=cycle.ordinal,
        number=convert.number(cycle.number),
        start_age=cycle.start_age,
        end_age=cycle.end_age,
        start_year=cycle.start_year,
        current=cycle.current,
    )


def transits(result: Transits) -> pb.CalculateTransitsAndEssenceResponse:
    """Returns a timeline as a message."""
    return pb.CalculateTransitsAndEssenceResponse(
        physical_name=result.physical_name,
        mental_name=result.mental_name,
        spiritual_name=result.spiritual_name,
        years=[_year(each) for each in result.years],
        warnings=convert.warning_messages(result.notices),
    )


def _year(year: EssenceYear) -> pb.EssenceYear:
    return pb.EssenceYear(
        age=year.age,
        start_year=year.start_year,
        physical=_letter(year.physical),
        mental=_letter(year.mental),
        spiritual=_letter(year.spiritual),
        essence=convert.number(year.essence),
        mark=_MARKS[year.mark],
        personal_years=[_overlap(each) for each in year.personal_years],
        duality=year.duality,
    )


def _letter(letter: TransitLetter) -> pb.TransitLetter:
    return pb.TransitLetter(
        letter=letter.letter, value=letter.value, position=letter.position, since_age=letter.since_age
    )


def _overlap(overlap: YearOverlap) -> pb.YearOverlap:
    return pb.YearOverlap(year=overlap.year, personal_year=overlap.personal_year, duality=overlap.duality)
