"""Results of names to the contract. No rule of numerology stands here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onenumbers.utilities.v1 import names_pb2 as pb
from onenumbers_utilities import convert
from onenumbers_utilities.numerology.inclusion import Inclusion, IntensityAverages, IntensityLevel, ValueCount
from onenumbers_utilities.numerology.minor import MinorNumbers
from onenumbers_utilities.numerology.name_analysis import NameAnalysis
from onenumbers_utilities.numerology.name_details import Cornerstones, StoneLetter
from onenumbers_utilities.numerology.planes import EnergyCount, Plane, PlaneCount, PlaneEnergy, Planes, PlaneSystem

INTENSITY_AVERAGES: Final = convert.enum_values(pb.IntensityAverages, IntensityAverages, IntensityAverages.EVEN_SHARE)
PLANE_SYSTEMS: Final = convert.enum_values(pb.PlaneSystem, PlaneSystem, PlaneSystem.LETTERS)
_SYSTEMS: Final = {each: pb.PlaneSystem.Value(f"PLANE_SYSTEM_{each.name}") for each in PlaneSystem}
_PLANES: Final = {each: pb.Plane.Value(f"PLANE_{each.name}") for each in Plane}
_ENERGIES: Final = {each: pb.PlaneEnergy.Value(f"PLANE_ENERGY_{each.name}") for each in PlaneEnergy}
_LEVELS: Final = {each: pb.IntensityLevel.Value(f"INTENSITY_LEVEL_{each.name}") for each in IntensityLevel}


def inclusion(result: Inclusion) -> pb.InclusionResult:
    """Returns an inclusion table as a message."""
    return pb.InclusionResult(
        name=result.name,
        letter_count=sum(result.parts.counts),
        values=[_value_count(each) for each in result.values],
        karmic_lessons=result.parts.karmic_lessons,
        hidden_passions=result.parts.hidden_passions,
        subconscious_self=convert.number(result.subconscious_self),
        rules=[pb.AppliedRule(rule_id=rule_id, school=convert.SCHOOLS[school]) for rule_id, school in result.rules],
        warnings=convert.warning_messages(result.notices),
    )


def cornerstones(result: Cornerstones) -> pb.Cornerstones:
    """Returns the letters of a first name as a message."""
    return pb.Cornerstones(
        first_name=result.first_name,
        cornerstone=_stone(result.cornerstone),
        capstone=_stone(result.capstone),
        first_vowel=None if result.first_vowel is None else _stone(result.first_vowel),
        keystone=None if result.keystone is None else _stone(result.keystone),
        inputs_used=result.inputs_used,
        warnings=convert.warning_messages(result.notices),
    )


def minor(result: MinorNumbers) -> pb.MinorNumbers:
    """Returns minor numbers as a message."""
    return pb.MinorNumbers(
        current_name=result.current_name,
        expression=convert.number(result.expression),
        soul_urge=convert.number(result.soul_urge),
        personality=convert.number(result.personality),
    )


def planes(result: Planes) -> pb.PlanesOfExpression:
    """Returns planes of expression as a message."""
    return pb.PlanesOfExpression(
        name=result.name,
        system=_SYSTEMS[result.system],
        rule_id=result.rule_id,
        school=convert.SCHOOLS[result.school],
        planes=[_plane(each) for each in result.planes],
        energies=_energies(result.energies),
        warnings=convert.warning_messages(result.notices),
    )


def analysis(result: NameAnalysis) -> pb.NameAnalysis:
    """Returns the analysis of a name as a message."""
    return pb.NameAnalysis(
        name=result.name,
        expression=convert.number(result.expression),
        soul_urge=convert.number(result.soul_urge),
        personality=convert.number(result.personality),
        balance=convert.number(result.balance),
        inclusion=inclusion(result.inclusion),
        cornerstones=cornerstones(result.cornerstones),
        planes_by_letters=planes(result.planes_by_letters),
        planes_by_values=planes(result.planes_by_values),
        karmic_debts=convert.debt_messages(result.karmic_debts),
        minor=None if result.minor is None else minor(result.minor),
        warnings=convert.warning_messages(result.notices),
    )


def _value_count(count: ValueCount) -> pb.ValueCount:
    return pb.ValueCount(
        value=count.value,
        count=count.count,
        letters=count.letters,
        average=count.average,
        deviation=count.deviation,
        intensity=_LEVELS[count.intensity],
    )


def _stone(stone: StoneLetter) -> pb.StoneLetter:
    return pb.StoneLetter(
        letter=stone.letter,
        value=stone.value,
        position=stone.position,
        rule_id=stone.rule_id,
        school=convert.SCHOOLS[stone.school],
    )


def _plane(plane: PlaneCount) -> pb.PlaneResult:
    return pb.PlaneResult(
        plane=_PLANES[plane.plane],
        count=len(plane.letters),
        letters=plane.letters,
        number=None if plane.number is None else convert.number(plane.number),
        energies=_energies(plane.energies),
    )


def _energies(counts: Iterable[EnergyCount]) -> list[pb.EnergyCount]:
    return [
        pb.EnergyCount(energy=_ENERGIES[each.energy], count=len(each.letters), letters=each.letters) for each in counts
    ]
