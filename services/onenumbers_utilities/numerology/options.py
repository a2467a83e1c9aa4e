"""The choices between documented schools. Defaults are what NumerologyOptions says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from onenumbers_utilities.numerology.primitives import MASTERS_11_22, MASTERS_11_22_33, NO_MASTERS


@unique
class School(Enum):
    """A documented tradition, or the author who documents it."""

    PYTHAGOREAN = "pythagorean"
    DECOZ = "decoz"
    GOODWIN = "goodwin"
    JORDAN = "jordan"
    JAVANE_BUNKER = "javane_bunker"
    MCCLAIN = "mcclain"
    CLEMENT = "clement"
    CHEIRO = "cheiro"
    VEDIC = "vedic"
    LO_SHU = "lo_shu"
    PHILLIPS = "phillips"
    GEMATRIA = "gematria"
    """The Hebrew letters as numbers (mispar hechrechi)."""
    ABJAD = "abjad"
    """The Arabic letters as numbers, in the eastern (mashriqi) order."""
    ISOPSEPHY = "isopsephy"
    """The Greek letters as numbers (the Milesian system)."""
    CONVENTION = "convention"
    """A convention of this software, with no tradition behind it."""


@unique
class LifePathMethod(Enum):
    """How a birth date is summed. All methods share one root."""

    GROUPED_MASTERS = "grouped_masters"
    """Month, day and digit sum of the year, each reduced with masters kept, then added (Decoz)."""
    SUM_ALL_DIGITS = "sum_all_digits"
    """All digits of the date added at once."""
    STRAIGHT = "straight"
    """Month + day + year as whole numbers."""
    MONTH_DAY_YEAR_SUM = "month_day_year_sum"
    """Month + day + digit sum of the year (Javane and Bunker's Life Lesson)."""
    GROUPED_PLAIN = "grouped_plain"
    """Month, day and year each reduced to 1-9, then added."""


@unique
class SummingMethod(Enum):
    """How the letters of a full name are summed. All methods share one root."""

    PER_NAME = "per_name"
    """Each name reduced with masters kept, then added (Decoz)."""
    LETTER_TOTAL = "letter_total"
    """All letters added at once."""
    PER_NAME_PLAIN = "per_name_plain"
    """Each name reduced to 1-9, then added; only the final sum keeps masters (McClain)."""


@unique
class YRule(Enum):
    """When Y is a vowel."""

    ORTHOGRAPHIC = "orthographic"
    """Consonant after AEIOU and at the start of a name before AEIOU; vowel everywhere else."""
    ALWAYS_VOWEL = "always_vowel"
    ALWAYS_CONSONANT = "always_consonant"


@unique
class LetterPolicy(Enum):
    """How letters with marks become A-Z. One policy holds for a whole chart."""

    DIRECT = "direct"
    """Marks are dropped: Ș is S, Ä is A."""
    DE_EXPANDED = "de_expanded"
    """Ä is AE, Ö is OE, Ü is UE; everything else as in DIRECT."""


@unique
class Transliteration(Enum):
    """A published standard by which a name of another script becomes Latin letters."""

    ICAO_9303_RUSSIAN = "icao_9303_russian"
    """ICAO Doc 9303, as Russian passports spell names."""
    BGN_PCGN_RUSSIAN = "bgn_pcgn_russian"
    """BGN/PCGN 1947, as English-language maps spell names."""
    ISO_9_RUSSIAN = "iso_9_russian"
    """ISO 9:1995, which is GOST 7.79-2000 system A: one letter for each, with marks."""
    GOST_779_B_RUSSIAN = "gost_779_b_russian"
    """GOST 7.79-2000 system B, without marks."""
    UKRAINIAN_2010 = "ukrainian_2010"
    """The Ukrainian national system (Cabinet of Ministers, resolution 55 of 2010)."""
    BULGARIAN_2009 = "bulgarian_2009"
    """The Bulgarian Transliteration Act."""
    SERBIAN_LATIN = "serbian_latin"
    """The Latin alphabet of Serbian."""
    BGN_PCGN_MACEDONIAN = "bgn_pcgn_macedonian"
    """BGN/PCGN 2013, the official Latin spelling of Macedonian."""
    BELARUSIAN_2007 = "belarusian_2007"
    """The Belarusian national system (State Committee on Property, resolution 38 of 2007)."""
    ELOT_743 = "elot_743"
    """ELOT 743, which is ISO 843:1997 type 2, as Greek passports spell names."""
    BGN_PCGN_GREEK = "bgn_pcgn_greek"
    """BGN/PCGN 1962, as English-language maps spelt Greek names."""
    ISO_259_2 = "iso_259_2"
    """ISO 259-2:1994 for Hebrew; vowels only where points write them."""
    SBL_HEBREW = "sbl_hebrew"
    """The academic style of the SBL Handbook of Style for Hebrew; vowels only where points write them."""
    ISO_233 = "iso_233"
    """ISO 233:1984 for Arabic; short vowels only where marks write them."""
    ICAO_9303_ARABIC = "icao_9303_arabic"
    """ICAO Doc 9303 for Arabic, as the machine readable zone of passports spells names."""


@unique
class MasterSet(Enum):
    """Numbers at which a reduction stops."""

    ELEVEN_TO_THIRTY_THREE = "11,22,33"
    ELEVEN_AND_TWENTY_TWO = "11,22"
    NONE = "none"


MASTER_NUMBERS: Final = {
    MasterSet.ELEVEN_TO_THIRTY_THREE: MASTERS_11_22_33,
    MasterSet.ELEVEN_AND_TWENTY_TWO: MASTERS_11_22,
    MasterSet.NONE: NO_MASTERS,
}
"""The numbers of each set."""


@unique
class KarmicDebtScope(Enum):
    """Which sums count as karmic debts."""

    CHAIN = "chain"
    """The total and every value that its reduction passes through."""
    DIRECT = "direct"
    """The total alone."""
    COMPONENTS = "components"
    """As CHAIN, and the sums of the parts: month, day, year, single names."""


@unique
class PersonalYearSpan(Enum):
    """When a personal year begins."""

    CALENDAR = "calendar"
    """On 1 January (Decoz, McClain)."""
    BIRTHDAY = "birthday"
    """On the birthday, with the year of the last birthday."""


@unique
class PinnacleRule(Enum):
    """What of the birth date a pinnacle adds."""

    COMPONENT_MASTERS = "component_masters"
    """Month, day and digit sum of the year, each reduced with masters kept (Decoz)."""
    COMPONENT_ROOTS = "component_roots"
    """Month, day and year each reduced to 1-9."""
    FULL_NUMBERS = "full_numbers"
    """Month, day and whole year as they are written; can make a 22 that the components do not have."""


@unique
class ChallengeAges(Enum):
    """Whether challenges carry ages."""

    NONE = "none"
    """They carry none: Decoz denies fixed spans and takes the third for lifelong."""
    PINNACLE_AGES = "pinnacle_ages"
    """The ages of the pinnacles, as other authors print them."""


@dataclass(frozen=True, slots=True)
class YOverride:
    """One Y that the caller decides by hand."""

    position: int
    """Place among the letters A-Z of the whole name, counted from 1."""
    vowel: bool
    """Whether it is a vowel."""


@dataclass(frozen=True, slots=True)
class NumerologyOptions:
    """Choices of a whole profile. Each default is the one that docs/numerology.md recommends."""

    life_path_method: LifePathMethod = LifePathMethod.GROUPED_MASTERS
    summing_method: SummingMethod = SummingMethod.PER_NAME
    y_rule: YRule = YRule.ORTHOGRAPHIC
    y_overrides: tuple[YOverride, ...] = ()
    letter_policy: LetterPolicy = LetterPolicy.DIRECT
    transliteration: Transliteration | None = None
    """None refuses every script but Latin."""
    master_set: MasterSet | None = None
    """None is each rule's own set: 11, 22 and 33 for the numbers of date and name, none for cycles."""
    karmic_debt_scope: KarmicDebtScope = KarmicDebtScope.CHAIN
    personal_year_span: PersonalYearSpan = PersonalYearSpan.CALENDAR
    challenge_ages: ChallengeAges = ChallengeAges.NONE

    def masters(self, own: frozenset[int] = MASTERS_11_22_33) -> frozenset[int]:
        """Returns the master numbers in force for a rule whose own set is `own`."""
        return own if self.master_set is None else MASTER_NUMBERS[self.master_set]


DEFAULTS: Final = NumerologyOptions()
"""All defaults."""
