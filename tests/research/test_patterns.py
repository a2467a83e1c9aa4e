"""Patterns, histograms and compatibility data over gRPC: a real utilities server, a real research server."""

import contextlib
import json
import math
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import date, timedelta

import grpc
import pytest
from google.protobuf.json_format import MessageToDict
from google.rpc import error_details_pb2, status_pb2

from onenumbers.research.v1 import analysis_pb2 as pb
from onenumbers.research.v1 import analysis_pb2_grpc
from onenumbers_research.analysis.compatibility_data import TRIADS
from onenumbers_research.analysis.people import bundled_people
from onenumbers_research.analysis.service import PatternMethods, analysis_service
from onenumbers_research.analysis.statistics import distribution_test, holm, rate_test
from onenumbers_research.knowledge_client import KnowledgeClient
from onenumbers_research.utilities_client import UtilitiesClient
from onenumbers_runtime.settings import MeshSettings
from onenumbers_runtime.testing import running
from onenumbers_utilities.compatibility_service import CompatibilityServicer, compatibility_service
from onenumbers_utilities.counting_service import CountingServicer, counting_service
from onenumbers_utilities.numerology import groupings as documented
from onenumbers_utilities.numerology.life_path import birthday, life_path
from onenumbers_utilities.numerology.primitives import root
from onenumbers_utilities.numerology.profile import profile
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

TODAY = date(2026, 11, 24)
LIMIT = 16 * 1024 * 1024
NAMES = ("expression", "soul_urge", "personality", "maturity")
DATES = ("life_path", "birthday", "attitude", "personal_year")
SVG = "{http://www.w3.org/2000/svg}"


class Patterns(PatternMethods, analysis_pb2_grpc.AnalysisServiceServicer):
    """The service without the methods that check claims."""


def today() -> date:
    return TODAY


@contextlib.asynccontextmanager
async def serving(utilities: grpc.aio.Channel, knowledge: grpc.aio.Channel):
    servicer = Patterns(
        utilities=UtilitiesClient(utilities, token=None), knowledge=KnowledgeClient(knowledge, token=None), today=today
    )
    async with running([analysis_service(servicer)], settings=MeshSettings.load(max_message_bytes=LIMIT)) as (
        server,
        _,
    ):
        options = [("grpc.max_send_message_length", LIMIT), ("grpc.max_receive_message_length", LIMIT)]
        async with grpc.aio.insecure_channel(server.address, options=options) as channel:
            yield analysis_pb2_grpc.AnalysisServiceStub(channel)


@pytest.fixture
async def utilities_channel():
    services = [
        utilities_service(UtilitiesServicer(clock=today, max_response_bytes=4 * 1024 * 1024)),
        counting_service(CountingServicer()),
        compatibility_service(CompatibilityServicer(clock=today)),
    ]
    async with running(services) as (_, channel):
        yield channel


@pytest.fixture
async def nobody():
    """A channel to a port on which nothing listens."""
    async with running([counting_service(CountingServicer())]) as (server, _):
        address = server.address
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_retries", 0)]) as channel:
        yield channel


@pytest.fixture
async def stub(utilities_channel, knowledge_channel):
    async with serving(utilities_channel, knowledge_channel) as stub:
        yield stub


def ask(stub, **fields):
    return stub.AnalyzeNumberPatterns(pb.AnalyzeNumberPatternsRequest(**fields), timeout=120)


async def refused(call, code=grpc.StatusCode.INVALID_ARGUMENT) -> dict[str, str]:
    """Returns what is wrong by field, of a call that has to fail."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code, caught.value.details()
    assert "Traceback" not in caught.value.details()
    status = status_pb2.Status.FromString(dict(caught.value.trailing_metadata())["grpc-status-details-bin"])
    found: dict[str, str] = {}
    for detail in status.details:
        bad = error_details_pb2.BadRequest()
        if detail.Unpack(bad):
            found.update({item.field: item.description for item in bad.field_violations})
    return found


def csv_of(rows) -> bytes:
    return ("name,day,month,year,field\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows)).encode()


def days_of(first: int, last: int):
    for day in range((date(last + 1, 1, 1) - date(first, 1, 1)).days):
        yield date(first, 1, 1) + timedelta(days=day)


async def test_a_life_path_is_counted_among_the_list_against_every_date_of_the_period(stub):
    """Counted again here, one date and one person after another."""
    found = await ask(stub, number=11, context="life_path", time_period="1850-1899")
    people = [person for person in bundled_people() if 1850 <= person.born.year <= 1899]
    observed = sum(life_path(person.born).value == 11 for person in people)
    dates = Counter(life_path(day, explain=False).value for day in days_of(1850, 1899))
    rate = dates[11] / dates.total()
    assert (found.observed, found.cases) == (observed, len(people))
    assert (found.dates, found.dates_with_number) == (dates.total(), dates[11])
    assert found.base_rate == pytest.approx(rate)
    assert found.expected == pytest.approx(rate * len(people))
    reference = rate_test(observed, len(people), rate)
    assert found.p_value == pytest.approx(reference.p_value)
    assert found.effect_size == pytest.approx(reference.effect_size)
    assert (found.rate_low, found.rate_high) == pytest.approx((reference.low, reference.high))
    assert found.base_rate_kind == pb.BASE_RATE_KIND_ALL_DATES
    assert (found.first_year, found.last_year, found.rule_id) == (1850, 1899, "life_path.grouped_masters")
    counts = Counter(life_path(person.born).value for person in people)
    assert {each.number: each.observed for each in found.values if each.observed} == dict(counts)
    assert sum(each.base_rate for each in found.values) == pytest.approx(1)
    adjusted = holm([each.p_value for each in found.values])
    assert [each.adjusted_p_value for each in found.values] == pytest.approx(list(adjusted))
    whole = distribution_test([each.observed for each in found.values], [each.base_rate for each in found.values])
    assert found.distribution.chi_square == pytest.approx(whole.chi_square)
    assert found.distribution.p_value == pytest.approx(whole.p_value)
    for words in (str(dates.total()), "life_path.grouped_masters", "Wilson", "Holm", str(len(people))):
        assert words in found.method
    assert str(len(people)) in found.population_description
    assert {"CHOSEN_SAMPLE"} <= {warning.code for warning in found.warnings}


async def test_the_matched_rate_takes_each_person_by_the_own_year(stub):
    """Two born in 1990 and one in 1991: two thirds of the rate of 1990 and a third of that of 1991."""
    rows = [("", 1, 1, 1990, ""), ("", 2, 1, 1990, ""), ("", 1, 1, 1991, "")]
    found = await ask(stub, number=11, context="life_path", population_csv=csv_of(rows), time_period="1950-1999")
    rates = {}
    for year in (1990, 1991):
        dates = Counter(life_path(day, explain=False).value for day in days_of(year, year))
        rates[year] = dates[11] / dates.total()
    rate = (2 * rates[1990] + rates[1991]) / 3
    assert found.matched_base_rate == pytest.approx(rate)
    assert found.base_rate != pytest.approx(rate)
    assert found.matched_p_value == pytest.approx(rate_test(found.observed, 3, rate).p_value)
    pairs = await ask(stub, number=1, context="compatibility", population_csv=csv_of(rows))
    assert pairs.matched_base_rate == pytest.approx(1 / 9, rel=0.02)
    assert 0 < pairs.matched_p_value <= 1
    names = await ask(stub, number=1, context="expression")
    assert (names.matched_base_rate, math.isnan(names.matched_p_value)) == (0, True)


async def test_the_years_of_the_population_are_the_period_where_none_is_named(stub):
    found = await ask(stub, number=9, context="birthday")
    years = [person.born.year for person in bundled_people()]
    assert (found.first_year, found.last_year, found.cases) == (min(years), max(years), len(years))
    assert found.observed == sum(birthday(person.born).value == 9 for person in bundled_people())


@pytest.mark.parametrize("context", DATES)
async def test_every_date_number_has_exact_rates_that_sum_to_one(stub, context):
    found = await ask(stub, number=5, context=context)
    assert found.base_rate_kind == pb.BASE_RATE_KIND_ALL_DATES
    assert sum(each.base_rate for each in found.values) == pytest.approx(1)
    assert sum(each.observed for each in found.values) == found.cases == len(bundled_people())
    assert 0 < found.p_value <= 1
    assert found.test == "exact binomial, two-sided"
    assert len(found.fields) >= 10
    assert sum(each.cases for each in found.fields) <= found.cases


async def test_the_personal_year_is_taken_in_the_year_asked_for_and_never_before_a_birth(stub):
    found = await ask(stub, number=8, context="personal_year", personal_year_in=2031, population_csv=csv_of([
        ("", 29, 9, 1974, ""), ("", 29, 9, 1980, "")]))  # fmt: skip
    assert (found.observed, found.cases) == (2, 2)
    assert "2031" in found.method
    fields = await refused(ask(stub, number=8, context="personal_year", personal_year_in=1900))
    assert "1983" in fields["personal_year_in"]
    assert "personal_year_in" in await refused(ask(stub, number=8, context="life_path", personal_year_in=2000))
    assert (await ask(stub, number=8, context="personal_year")).method.count(str(TODAY.year))


@pytest.mark.parametrize("context", NAMES)
async def test_name_numbers_have_no_base_rate_and_so_no_test(stub, context):
    found = await ask(stub, number=5, context=context)
    expected = [getattr(profile(person.name, person.born, explain=False), context).value for person in bundled_people()]
    assert found.observed == expected.count(5)
    assert found.cases == len([value for value in expected if value is not None])
    assert found.test == "none"
    assert math.isnan(found.p_value)
    assert math.isnan(found.effect_size)
    assert (found.base_rate, found.expected, found.base_rate_kind) == (0, 0, pb.BASE_RATE_KIND_UNSPECIFIED)
    assert not found.HasField("distribution")
    assert found.rate_low < found.observed_rate < found.rate_high
    assert {"NO_EXACT_BASE_RATE", "NAMES_AS_KNOWN"} <= {warning.code for warning in found.warnings}
    assert found.rule_id


async def test_equal_rates_are_an_assumption_that_is_called_one(stub):
    found = await ask(stub, number=5, context="expression", name_reference=pb.NAME_REFERENCE_UNIFORM)
    assert found.base_rate_kind == pb.BASE_RATE_KIND_UNIFORM_ASSUMPTION
    assert found.base_rate == pytest.approx(1 / 12)
    assert found.p_value == pytest.approx(rate_test(found.observed, found.cases, 1 / 12).p_value)
    assert "assumption" in found.method
    assert "UNIFORM_ASSUMPTION" in {warning.code for warning in found.warnings}
    assert "name_reference" in await refused(ask(stub, number=5, context="life_path", name_reference=1))


async def test_pairs_in_a_triad_are_those_of_the_people_in_it(stub):
    found = await ask(stub, number=7, context="compatibility")
    roots = [life_path(person.born).root for person in bundled_people()]
    people = sum(each in (1, 5, 7) for each in roots)
    assert (found.observed, found.cases) == (math.comb(people, 2), math.comb(len(roots), 2))
    share = next(each.base_rate for each in found.values if each.number == 1)
    assert found.base_rate == pytest.approx(share**2)
    assert found.p_value == pytest.approx(rate_test(people, len(roots), share).p_value)
    assert [each.number for each in found.values] == [1, 2, 3]
    assert found.test.startswith("exact binomial of the people")
    assert "number" in await refused(ask(stub, number=11, context="compatibility"))


async def test_an_uploaded_population_is_counted_and_its_broken_rows_are_named(stub):
    rows = [("Ana Pop", 14, 11, 1968, "music"), ("Ion Rusu", 31, 4, 1974, "art"), ("Mia Lup", 29, 9, 1974, "music")]
    found = await ask(stub, number=22, context="life_path", population_csv=csv_of(rows), time_period="1960-1979")
    assert (found.observed, found.cases, found.broken_row_count) == (1, 2, 1)
    assert [(row.line, row.column) for row in found.broken_rows] == [(3, "day")]
    assert {"BROKEN_ROWS", "FEW_PEOPLE"} <= {warning.code for warning in found.warnings}
    assert "CHOSEN_SAMPLE" not in {warning.code for warning in found.warnings}
    rows = [("Иван", 1, 1, 1990, ""), ("Bcd", 1, 1, 1990, ""), ("Ana", 1, 1, 1990, "")]
    found = await ask(stub, number=5, context="soul_urge", population_csv=csv_of(rows))
    assert [(row.line, row.column) for row in found.broken_rows] == [(2, "name")]
    assert "И" in found.broken_rows[0].message
    assert found.cases == 1
    assert "NOTHING_TO_COUNT" in {warning.code for warning in found.warnings}


async def test_at_most_a_hundred_broken_rows_are_listed_and_all_are_counted(stub):
    rows = [("Ana", 32, 1, 1990, "")] * 250 + [("Ana", 1, 1, 1990, "")]
    found = await ask(stub, number=1, context="life_path", population_csv=csv_of(rows))
    assert (len(found.broken_rows), found.broken_row_count, found.cases) == (100, 250, 1)


async def test_a_hundred_thousand_rows_are_answered(stub):
    rows = [("A", 1 + i % 28, 1 + i % 12, 1900 + i % 100, "") for i in range(100_000)]
    found = await ask(stub, number=1, context="attitude", population_csv=csv_of(rows))
    assert found.cases == 100_000


async def test_dates_alone_give_base_rates_and_no_test(stub):
    found = await ask(stub, number=4, context="life_path", population=pb.POPULATION_DATES)
    counted = Counter(life_path(day, explain=False).value for day in days_of(1900, 1999))
    assert (found.first_year, found.last_year, found.dates) == (1900, 1999, 36_524)
    assert found.dates_with_number == counted[4]
    assert found.base_rate == pytest.approx(counted[4] / 36_524)
    assert (found.observed, found.cases, found.test) == (0, 0, "none")
    assert math.isnan(found.p_value)
    assert "population" in await refused(ask(stub, number=4, context="expression", population=pb.POPULATION_DATES))


async def test_one_field_can_be_looked_at_alone(stub):
    found = await ask(stub, number=1, context="life_path", field=" Music ")
    assert found.cases == sum(person.field == "music" for person in bundled_people())
    assert not found.fields
    fields = await refused(ask(stub, number=1, context="life_path", field="cooking"))
    assert "literature" in fields["field"]


async def test_what_tradition_says_stands_beside_as_citations(stub, passages):
    found = await ask(stub, number=1, context="life_path")
    assert not found.themes
    assert "NO_THEMES" in {warning.code for warning in found.warnings}, "no passage names the number 1"
    assert "life path 1" in passages.requests[-1].query
    found = await ask(stub, number=8, context="life_path")
    assert [(theme.marker, theme.document_id) for theme in found.themes] == [(1, "genovese")]
    assert " 8 " in found.themes[0].excerpt


async def test_without_the_knowledge_server_the_figures_stand_and_a_warning_says_what_is_missing(
    utilities_channel, nobody
):
    async with serving(utilities_channel, nobody) as stub:
        found = await ask(stub, number=1, context="life_path")
        assert found.cases == len(bundled_people())
        assert "KNOWLEDGE_UNAVAILABLE" in {warning.code for warning in found.warnings}
        data = await stub.FetchCompatibilityData(pb.FetchCompatibilityDataRequest(type="full"))
        assert "KNOWLEDGE_UNAVAILABLE" in {warning.code for warning in data.warnings}
        assert len(data.convention) == 81


async def test_without_the_utilities_server_the_status_says_which_server_is_missing(nobody, knowledge_channel):
    async with serving(nobody, knowledge_channel) as stub:
        calls = [
            ask(stub, number=1, context="life_path"),
            ask(stub, number=1, context="expression"),
            stub.FetchCompatibilityData(pb.FetchCompatibilityDataRequest(type="full")),
            stub.DrawNumberHistogram(pb.DrawNumberHistogramRequest(context="birthday")),
        ]
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError, match="the utilities server does not answer") as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


BAD = [
    ({"number": 0, "context": "life_path"}, "number"),
    ({"number": 34, "context": "life_path"}, "number"),
    ({"number": 10, "context": "life_path"}, "number"),
    ({"number": 33, "context": "birthday"}, "number"),
    ({"number": 11, "context": "personal_year"}, "number"),
    ({"number": 13, "context": "expression"}, "number"),
    ({"number": 1, "context": ""}, "context"),
    ({"number": 1, "context": "astrology"}, "context"),
    ({"number": 1, "context": "x" * 101}, "context"),
    ({"number": 1, "context": "life_path", "time_period": "yesterday"}, "time_period"),
    ({"number": 1, "context": "life_path", "time_period": "1999-1900"}, "time_period"),
    ({"number": 1, "context": "life_path", "time_period": "0-100"}, "time_period"),
    ({"number": 1, "context": "life_path", "time_period": "1900-19999"}, "time_period"),
    ({"number": 1, "context": "life_path", "time_period": "3000-3100"}, "time_period"),
    ({"number": 1, "context": "life_path", "time_period": "x" * 101}, "time_period"),
    ({"number": 1, "context": "life_path", "population": 9}, "population"),
    ({"number": 1, "context": "life_path", "population": pb.POPULATION_UPLOADED}, "population_csv"),
    ({"number": 1, "context": "life_path", "population": pb.POPULATION_BUNDLED, "population_csv": b"x"}, "population"),
    ({"number": 1, "context": "life_path", "population": pb.POPULATION_DATES, "field": "music"}, "field"),
    ({"number": 1, "context": "life_path", "population_csv": b"\xff"}, "population_csv"),
    ({"number": 1, "context": "life_path", "life_path_method": 99}, "life_path_method"),
    ({"number": 1, "context": "life_path", "name_reference": 7}, "name_reference"),
    ({"number": 1, "context": "expression", "population_csv": csv_of([("Иван", 1, 1, 1990, "")])}, "population_csv"),
]


@pytest.mark.parametrize(("fields", "field"), BAD, ids=[f"{number}-{field}" for number, (_, field) in enumerate(BAD)])
async def test_bad_input_is_refused_with_its_field(stub, fields, field):
    assert field in await refused(ask(stub, **fields))


async def test_methods_of_the_life_path_are_counted_by_their_own_rules(stub):
    from onenumbers.utilities.v1 import calculation_pb2

    found = await ask(
        stub, number=33, context="life_path", life_path_method=calculation_pb2.LIFE_PATH_METHOD_SUM_ALL_DIGITS
    )
    assert found.rule_id == "life_path.sum_all_digits"
    assert "number" in await refused(
        ask(stub, number=33, context="life_path", life_path_method=calculation_pb2.LIFE_PATH_METHOD_GROUPED_PLAIN)
    )


@pytest.mark.parametrize("context", [*DATES, *NAMES])
async def test_a_histogram_is_an_svg_with_a_bar_for_every_value(stub, context):
    image = await stub.DrawNumberHistogram(pb.DrawNumberHistogramRequest(context=context, number=5))
    assert image.content_type == "image/svg+xml"
    root_element = ET.fromstring(image.data)
    counted = await ask(stub, number=5, context=context)
    bars = [item for item in root_element.iter(f"{SVG}rect") if item.get("fill") != "#ffffff"]
    assert len(bars) == len(counted.values) + 1, "the legend has one, too"
    assert sum(item.get("fill") == "#2f6690" for item in bars) == 1
    texts = [item.text for item in root_element.iter(f"{SVG}text")]
    assert {str(each.number) for each in counted.values} <= set(texts)
    lines = [item for item in root_element.iter(f"{SVG}path") if item.get("stroke-dasharray")]
    assert len(lines) == (0 if context in NAMES else len(counted.values) + 1)
    for item in bars:
        assert float(item.get("height")) >= 0
        assert 0 <= float(item.get("y")) <= 460
    title = root_element.find(f"{SVG}title").text
    assert context.split("_")[0] in title.lower()
    description = root_element.find(f"{SVG}desc").text
    assert f"5: {counted.observed} of {counted.cases}" in description


async def test_a_histogram_holds_nothing_of_a_population_but_counts(stub):
    data = b'name,day,month,year,field\n"<script>x</script>",1,1,1990,"<b>&"\nAna,2,2,1990,"<b>&"\n'
    image = await stub.DrawNumberHistogram(
        pb.DrawNumberHistogramRequest(context="life_path", population_csv=data, field="<b>&")
    )
    assert b"<script" not in image.data
    assert b"<b>" not in image.data
    assert ET.fromstring(image.data).tag == f"{SVG}svg"


async def test_a_histogram_of_dates_shows_base_rates_and_pairs_have_none(stub):
    request = pb.DrawNumberHistogramRequest(context="life_path", population=pb.POPULATION_DATES)
    image = await stub.DrawNumberHistogram(request)
    assert b"36524 dates" in image.data
    draw = stub.DrawNumberHistogram
    assert "context" in await refused(draw(pb.DrawNumberHistogramRequest(context="compatibility")))
    assert "number" in await refused(draw(pb.DrawNumberHistogramRequest(context="birthday", number=33)))


def fetch(stub, **fields):
    return stub.FetchCompatibilityData(pb.FetchCompatibilityDataRequest(**fields), timeout=60)


async def test_groupings_and_table_are_those_of_the_utilities(stub):
    found = await fetch(stub, type="full")
    cells = {(cell.first, cell.second): cell.score for cell in found.convention}
    assert len(cells) == len(found.convention) == 81
    for (first, second), score in cells.items():
        assert score == cells[second, first] == documented.convention_points(first, second)
    groups = {(group.name, tuple(group.numbers)) for group in found.groupings}
    assert groups == {
        *(("concord triad", tuple(sorted(triad))) for triad in documented.TRIADS),
        *(("interchangeable pair", tuple(sorted(pair))) for pair in documented.INTERCHANGEABLE),
        ("family", tuple(sorted(documented.FAMILY))),
        ("caution", tuple(sorted(documented.CAUTION))),
    }
    assert {frozenset(triad) for triad in TRIADS} == set(documented.TRIADS)
    assert all(group.source and group.status and group.statement and group.compares for group in found.groupings)
    for value, points in {50: documented.BASE_POINTS, **{abs(p): abs(p) for p in documented.POINTS.values()}}.items():
        assert value == points
        assert str(points) in found.convention_method
    assert "convention of this software" in found.convention_method
    assert found.citations
    assert not found.historical_cases


@pytest.mark.parametrize(
    ("kind", "groups", "codes"),
    [
        ("life_path", 3, set()),
        ("expression", 3, set()),
        ("full", 7, set()),
        ("romantic", 7, {"NO_GROUPINGS_OF_ITS_OWN"}),
        ("business", 7, {"NO_GROUPINGS_OF_ITS_OWN"}),
    ],
)
async def test_each_type_has_the_groupings_that_apply_to_it(stub, kind, groups, codes):
    found = await fetch(stub, type=kind)
    assert len(found.groupings) == groups
    assert {warning.code for warning in found.warnings} == codes


async def test_historical_cases_are_counts_of_triads_and_no_couples(stub):
    found = await fetch(stub, type="life_path", include_historical=True)
    assert "NO_COUPLES" in {warning.code for warning in found.warnings}
    music = next(count for count in found.historical_counts if count.field == "music")
    roots = Counter(life_path(person.born).root for person in bundled_people() if person.field == "music")
    triads = [sum(roots[number] for number in triad) for triad in TRIADS]
    assert list(music.people_in_triads) == triads
    assert music.people == sum(triads)
    assert music.pairs == math.comb(music.people, 2)
    assert music.pairs_in_one_triad == sum(math.comb(count, 2) for count in triads)
    assert music.expected_pairs == pytest.approx(music.pairs / 3, rel=0.01)
    assert len(found.historical_cases) == len(found.historical_counts)
    assert any("music" in case and str(music.pairs_in_one_triad) in case for case in found.historical_cases)
    assert [count.adjusted_p_value for count in found.historical_counts] == pytest.approx(
        list(holm([count.p_value for count in found.historical_counts]))
    )
    names = await fetch(stub, type="expression", include_historical=True)
    assert all(math.isnan(count.p_value) and not count.expected_pairs for count in names.historical_counts)


@pytest.mark.parametrize("kind", ["", "friendship", "Life_Path"])
async def test_unknown_types_are_refused(stub, kind):
    assert "type" in await refused(fetch(stub, type=kind))


async def test_an_answer_is_json_with_figures_that_programs_can_read(stub):
    found = await ask(stub, number=1, context="expression")
    shown = json.loads(json.dumps(MessageToDict(found)))
    assert shown["pValue"] == "NaN"
    assert int(shown["observed"]) == found.observed
    assert "baseRate" not in shown


def test_the_masters_count_as_their_roots_in_triads():
    from onenumbers_research.analysis.compatibility_data import triad_of

    assert all(triad_of(number) == triad_of(root(number)) for number in range(1, 34))
