"""Contract to domain and back, for the number systems. No rule of numerology stands here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from google.type import date_pb2

from onenumbers.utilities.v1 import calculation_pb2
from onenumbers.utilities.v1 import systems_pb2 as pb
from onenumbers_utilities.convert import SCHOOLS, enum_values, number
from onenumbers_utilities.numerology.chaldean import ChaldeanBirth, ChaldeanName, Compound, CompoundMethod
from onenumbers_utilities.numerology.compounds import CompoundMeaning
from onenumbers_utilities.numerology.grids import Cell, Line, LineState
from onenumbers_utilities.numerology.kua import Kua, KuaFormula, KuaGroup, YearTurn
from onenumbers_utilities.numerology.lo_shu import ELEMENTS, Element, GridDigits, LoShuGrid
from onenumbers_utilities.numerology.options import School
from onenumbers_utilities.numerology.phillips import PhillipsChart
from onenumbers_utilities.numerology.results import Notice
from onenumbers_utilities.numerology.vedic import VedicNumber, VedicNumbers

COMPOUND_METHODS: Final = enum_values(pb.CompoundMethod, CompoundMethod, CompoundMethod.LETTER_TOTAL)
GRID_DIGITS: Final = enum_values(pb.GridDigits, GridDigits, GridDigits.DATE)
YEAR_TURNS: Final = enum_values(pb.YearTurn, YearTurn, YearTurn.SOLAR)
FORMULAS: Final = {pb.KUA_FORMULA_MALE: KuaFormula.MALE, pb.KUA_FORMULA_FEMALE: KuaFormula.FEMALE}
"""The two formulas; there is no default."""
_LINE_STATES: Final = {state: pb.LineState.Value(f"LINE_STATE_{state.name}") for state in LineState}
_ELEMENTS: Final = {element: pb.Element.Value(f"ELEMENT_{element.name}") for element in Element}
_GROUPS: Final = {group: pb.KuaGroup.Value(f"KUA_GROUP_{group.name}") for group in KuaGroup}


def chaldean_name(found: ChaldeanName) -> pb.CalculateChaldeanNameResponse:
    """Returns the numbers of a name as a response."""
    return pb.CalculateChaldeanNameResponse(
        result=number(found.number),
        compound=compound(found.compound),
        compounds=[compound(each) for each in found.compounds],
        names=[compound(each) for each in found.names],
        planet=found.planet,
    )


def chaldean_birth(found: ChaldeanBirth) -> pb.CalculateChaldeanBirthNumberResponse:
    """Returns a birth number as a response."""
    return pb.CalculateChaldeanBirthNumberResponse(
        result=number(found.number),
        compound=compound(found.compound) if found.compound is not None else None,
        planet=found.planet,
    )


def compound(found: Compound) -> pb.Compound:
    """Returns a compound as a message."""
    return pb.Compound(
        label=found.label,
        number=found.number,
        root=found.root,
        meaning=meaning(found.meaning) if found.meaning is not None else None,
    )


def compound_of_total(label: str, found: CompoundMeaning, root: int) -> pb.Compound:
    """Returns a total of at least 10 as a compound."""
    return pb.Compound(label=label, number=found.number, root=root, meaning=meaning(found))


def meaning(found: CompoundMeaning) -> pb.CompoundMeaning:
    """Returns a meaning as a message."""
    return pb.CompoundMeaning(
        number=found.number,
        meaning_of=found.meaning_of,
        own=found.own,
        keynote=found.keynote,
        text=found.text,
        school=SCHOOLS[School.CHEIRO],
    )


def vedic_numbers(found: VedicNumbers) -> pb.CalculateVedicNumbersResponse:
    """Returns the three numbers as a response."""
    return pb.CalculateVedicNumbersResponse(
        mulank=_vedic_number(found.mulank),
        bhagyank=_vedic_number(found.bhagyank),
        namank=_vedic_number(found.namank) if found.namank is not None else None,
    )


def lo_shu_grid(found: LoShuGrid) -> pb.CalculateLoShuGridResponse:
    """Returns a grid as a response."""
    return pb.CalculateLoShuGridResponse(
        digits=[pb.PlacedDigit(digit=each.digit, source=each.source) for each in found.digits],
        cells=_cells(found.cells),
        missing=found.missing,
        repeated=found.repeated,
        lines=_lines(found.lines),
        elements=[
            pb.ElementCount(element=_ELEMENTS[each.element], numbers=ELEMENTS[each.element], count=each.count)
            for each in found.elements
        ],
        rule_id=found.rule_id,
        school=SCHOOLS[School.LO_SHU],
        warnings=warnings(found.warnings),
    )


def phillips_chart(found: PhillipsChart) -> pb.CalculatePhillipsChartResponse:
    """Returns a chart as a response."""
    return pb.CalculatePhillipsChartResponse(
        digits=found.digits,
        cells=_cells(found.cells),
        missing=found.missing,
        repeated=found.repeated,
        lines=_lines(found.lines),
        always_present=found.always_present,
        never_empty=_lines(found.never_empty),
        rule_id=found.rule_id,
        school=SCHOOLS[School.PHILLIPS],
        warnings=warnings(found.warnings),
    )


def kua(found: Kua) -> pb.CalculateKuaResponse:
    """Returns a kua number as a response."""
    return pb.CalculateKuaResponse(
        result=number(found.number),
        group=_GROUPS[found.group],
        year=found.year,
        year_began=calendar_date(found.year_began),
    )


def warnings(notices: Iterable[Notice]) -> list[calculation_pb2.Warning]:
    """Returns notices as messages."""
    return [calculation_pb2.Warning(code=notice.code, message=notice.message) for notice in notices]


def calendar_date(value: date) -> date_pb2.Date:
    """Returns a date as a message."""
    return date_pb2.Date(year=value.year, month=value.month, day=value.day)


def _vedic_number(found: VedicNumber) -> pb.VedicNumber:
    result = number(found.number)
    named = compound_of_total("name", found.compound, result.root) if found.compound is not None else None
    return pb.VedicNumber(result=result, planet=found.planet, compound=named)


def _cells(cells: Iterable[Cell]) -> list[pb.GridCell]:
    return [pb.GridCell(number=each.number, count=each.count) for each in cells]


def _lines(lines: Iterable[Line]) -> list[pb.GridLine]:
    return [pb.GridLine(numbers=each.numbers, name=each.name, state=_LINE_STATES[each.state]) for each in lines]
