"""Published standards write names as they are published, and results say who wrote them.

Place names are the standards' own examples; the sources stand beside them.
"""

from __future__ import annotations

from importlib.metadata import version

import iuliia
import pytest

from onenumbers_utilities.numerology.names import read_name
from onenumbers_utilities.numerology.options import Transliteration
from onenumbers_utilities.numerology.transliteration_libraries import write
from onenumbers_utilities.numerology.transliteration_standards import STANDARDS, Library

T = Transliteration
PUBLISHED: dict[Transliteration, dict[str, str]] = {
    # ICAO Doc 9303 part 3, section 6 B; samples of iuliia's schema.
    T.ICAO_9303_RUSSIAN: {
        "Юлия Щеглова": "Iuliia Shcheglova",
        "Артём Краевой": "Artem Kraevoi",
        "Ян Разъездной": "Ian Razieezdnoi",
    },
    # BGN/PCGN 1947 system, examples of the table.
    T.BGN_PCGN_RUSSIAN: {"Йошкар-Ола": "Yoshkar-Ola", "Юрьев Озёрный": "Yuryev Ozërnyy"},
    T.ISO_9_RUSSIAN: {"Юлия Щеглова": "Ûliâ Ŝeglova"},
    T.GOST_779_B_RUSSIAN: {"Юлия Щеглова": "Yuliya Shheglova"},
    # Table of resolution 55 of 27 January 2010, zakon.rada.gov.ua/laws/show/55-2010-п.
    T.UKRAINIAN_2010: {
        "Алушта": "Alushta",
        "Богдан": "Bohdan",
        "Згурський": "Zghurskyi",
        "Ґалаґан": "Galagan",
        "Дон": "Don",
        "Єнакієве": "Yenakiieve",
        "Наєнко": "Naienko",
        "Житомир": "Zhytomyr",
        "Їжакевич": "Yizhakevych",
        "Кадиївка": "Kadyivka",
        "Йосипівка": "Yosypivka",
        "Стрий": "Stryi",
        "Харків": "Kharkiv",
        "Біла Церква": "Bila Tserkva",
        "Гоща": "Hoshcha",
        "Юрій": "Yurii",
        "Яготин": "Yahotyn",
        "Знам'янка": "Znamianka",
        "Знам’янка": "Znamianka",
        "Розгон": "Rozghon",
        "ЮРІЙ": "YURII",
    },
    # Articles 5, 6 and 8 of the act of 2009, and the official road signs; bgna-bul-Cyrl-Latn-2009.
    T.BULGARIAN_2009: {
        "София": "Sofia",
        "Щерю": "Shteryu",
        "Мария Петкова": "Maria Petkova",
        "Христо Ботев": "Hristo Botev",
        "Ямбол": "Yambol",
        "Търговище": "Targovishte",
        "Гьончо": "Gyoncho",
        "ИВАН ЩЕРЕВ": "IVAN SHTEREV",
        "МАРИЯ": "MARIA",
        "Илиян": "Iliyan",
    },
    # BGN/PCGN table of correspondences for Serbian, 2005.
    T.SERBIAN_LATIN: {
        "Новак Ђоковић": "Novak Đoković",
        "Љубица Његош Џон": "Ljubica Njegoš Džon",
        "Чукарица": "Čukarica",
        "Улцињ": "Ulcinj",
        "Сјеница": "Sjenica",
        "Пљевља": "Pljevlja",
        "Оџаци": "Odžaci",
        "Медвеђа": "Medveđa",
        "Житорађа": "Žitorađa",
        "ГУСИЊЕ": "GUSINJE",
    },
    # BGN/PCGN romanization of Macedonian, 2013.
    T.BGN_PCGN_MACEDONIAN: {
        "Ѓенови Ливаѓе": "Ǵenovi Livaǵe",
        "Ѕвезда": "Dzvezda",
        "Јабежица": "Jabežica",
        "Ќамилов Чукар": "Ḱamilov Čukar",
        "Џамалџи": "Džamaldži",
        "Ваљановец": "Valjanovec",
        "Фабрика Југохром": "Fabrika Jugohrom",
    },
    # Resolution 38 of 11 June 2007, pravo.by/pdf/2007-159.
    T.BELARUSIAN_2007: {
        "Бешанковічы": "Biešankovičy",
        "Гаўя": "Haŭja",
        "Ельск": "Jeĺsk",
        "Ёды": "Jody",
        "Вераб'ёвічы": "Vierabjovičy",
        "Магілёў": "Mahilioŭ",
        "Друць": "Druć",
        "Юхнаўка": "Juchnaŭka",
        "Вязынка": "Viazynka",
    },
    # ELOT 743:1982, which the United Nations adopted (resolution V/19); elot-ell-Grek-Latn-743-1982-ts.
    T.ELOT_743: {
        "Γεώργιος Παπανδρέου": "Geórgios Papandréou",
        "Ευάγγελος": "Evángelos",
        "Ευθύμιος": "Efthýmios",
        "Μπάμπης": "Bámpis",
        "Μάγχη": "Mánchi",
        "Γκαμπόν": "Gkampón",
        "Λαγκαδάς": "Lagkadás",
        "Παγκράτι": "Pagkráti",
        "Μεσολόγγι": "Mesolóngi",
        "Καλαμπάκα": "Kalampáka",
        "Υιός": "Yiós",
        "Εύβοια": "Évvoia",
        "Ναύπακτος": "Náfpaktos",
        "Ναύπλιο": "Náfplio",
        "Λευκάδα": "Lefkáda",
        "Πτολεμαΐδα": "Ptolemaḯda",
        "Αϊβαλιώτης": "Aïvaliótis",
        "Ψαρά": "Psará",
        "Χαλκιδική": "Chalkidikí",
        "ΑΘΗΝΑ": "ATHINA",
        "ΧΑΡΆΛΑΜΠΟΣ": "CHARÁLAMPOS",
    },
    # BGN/PCGN romanization of Greek, 1962; bgnpcgn-ell-Grek-Latn-1962.
    T.BGN_PCGN_GREEK: {
        "Αίγινα": "Aíyina",
        "Αρκαδία": "Arkadhía",
        "Γιαννιτσά": "Yiannitsá",
        "Γύθειο": "Yíthio",
        "Καλαμπάκα": "Kalambáka",
        "Λαγκαδάς": "Langadhás",
        "Λευκάδα": "Levkádha",
        "Μακρυγιάννης": "Makriyiánnis",
        "Σαντορίνη": "Sandoríni",
        "Χαλκιδική": "Khalkidhikí",
        "Θεσσαλονίκη": "Thessaloníki",
        "ΑΘΗΝΑ": "ATHINA",
    },
    # Wikipedia, ISO 259: the table of ISO 259-2, and its vowels.
    T.ISO_259_2: {
        "שלמה": "S\u0300lmh",
        "שְׁלֹמֹה": "Šlomoh",
        "דָּוִד": "Dawid",
        "בן־גוריון": "Bn-gwrywn",
        "יִשְׂרָאֵל": "Yiśrael",
        "שָׂרָה": "Śarah",
        "יוֹסֵף": "Yŵsep",
        "שׁוּלַמִית": "Šẇlamiyt",
        "כַּרְמֶל": "K\u0307armel",
        "חֲנָה": "Ḥanah",
    },
    # The Handbook's spellings of the names of letters and points as reports of its section 5.1.1 have them, of names
    # without soft letters, whose line it leaves to the author. Then what they have no example of: soft letters, doubled
    # ones, a sounded sheva (a turned e in the second edition), a furtive patah, a small qamats, a name without points.
    T.SBL_HEBREW: {
        "זַיִן": "Zayin",
        "נוּן": "Nûn",
        "רֵישׁ": "Rêš",
        "שִׂין": "Śîn",
        "שִׁין": "Šîn",
        "קָמֶץ": "Qāmeṣ",
        "חִירֶק": "Ḥîreq",
        "שׁוּרֶק": "Šûreq",
        "דָּוִד": "Dāwi\u1e0f",
        "רִבְקָה": "Ri\u1e07qāh",
        "צִפּוֹרָה": "Ṣippôrāh",
        "שְׁלֹמֹה": "Šĕlōmōh",
        "יִשְׂרָאֵל": "Yiśrāēl",
        "בַּת־שֶׁבַע": "Ba\u1e6f-še\u1e07a",
        "נֹעַ": "Nōa",
        "חָכְמָה": "Ḥo\u1e35māh",
        "ח\u05c7כְמָה": "Ḥo\u1e35māh",
        "שלמה": "Šlmh",
    },
    # Wikipedia, ISO 233: the table of 1984.
    T.ISO_233: {
        "محمد": "Mḥmd",
        "خالد": "H\u0331ld",
        "مُحَمَّد": "Muḥam\u0304ad",
        "فَاطِمَة": "Faṭimaẗ",
        "حُسَيْن": "Ḥusayn",
        "أَحْمَد": "Aḥmad",
        "مُوسَى": "Muwsaỳ",
    },
    # ICAO Doc 9303 part 3, section 6 C: its letters, its example of a doubled letter, and teh marbuta in both places.
    T.ICAO_9303_ARABIC: {
        "هند": "HND",
        "محمد": "MXHMD",
        "محمّد": "MXHMMD",
        "مُحَمَّد": "MXHMMD",
        "فاطمة علي": "FAXTTMXAH ELY",
        "خالد": "XKHALD",
        "عبد الرحيم": "EBD ALRXHYM",
        "إبراهيم": "IBRAHYM",
        "مؤمن": "MUMN",
        "پرويز": "PRWYZ",
    },
}
"""A name, and how the standard writes it; signs that are no letters are left out."""

EXAMPLES = [(standard, name, latin) for standard, names in PUBLISHED.items() for name, latin in names.items()]


@pytest.mark.parametrize(("standard", "name", "latin"), EXAMPLES)
def test_a_standard_writes_names_as_it_is_published(standard, name, latin):
    found = read_name(name, transliteration=standard)
    assert (found.latin, found.raw, found.transliteration) == (latin, name, standard)


def test_every_standard_has_published_examples():
    assert set(PUBLISHED) == set(Transliteration) == set(STANDARDS)


@pytest.mark.parametrize("standard", STANDARDS)
def test_a_result_says_which_standard_and_whose_table_or_library_wrote_it(standard):
    name, latin = next(iter(PUBLISHED[standard].items()))
    found, chosen = read_name(name, transliteration=standard), STANDARDS[standard]
    source = f"table of {chosen.source}"
    if chosen.library is not None:
        source = f"{chosen.library.value} {version(chosen.library.value)}, {chosen.map}"
    assert found.inputs() == {
        "name": name,
        "transliteration": standard.value,
        "latin_name": latin,
        "transliterated_by": source,
    }
    assert found.notices[0].code == "TRANSLITERATED"
    for said in (chosen.title, source, found.text):
        assert said in found.notices[0].message


@pytest.mark.parametrize("standard", [each for each in STANDARDS if STANDARDS[each].library is Library.IULIIA])
def test_the_library_still_writes_its_own_samples(standard):
    """The samples that iuliia prints beside each table; a new version that changes one is noticed here."""
    schema = getattr(iuliia, STANDARDS[standard].map)
    for source, expected in schema.samples:
        assert schema.translate(source) == expected


def test_no_library_is_asked_for_a_standard_that_it_does_not_carry():
    with pytest.raises(ValueError, match="carried by no library"):
        write("דוד", STANDARDS[T.ISO_259_2])
