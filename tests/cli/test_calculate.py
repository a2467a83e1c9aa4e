"""`onenumbers calculate`: tables of people in, tables of profiles out, over a real utilities server."""

import asyncio
import csv
import io
import json
from datetime import date

import pyarrow.parquet as pq
import pytest

from onenumbers_runtime.testing import running
from onenumbers_utilities.service import UtilitiesServicer, utilities_service

HEADER = "id,name,day,month,year\n"
IOANA = "1,Ioana Brândușa Țurcanu,14,11,1968\n"


@pytest.fixture
async def mesh():
    servicer = UtilitiesServicer(clock=lambda: date(2026, 1, 31), max_response_bytes=4 * 1024 * 1024)
    async with running([utilities_service(servicer)]) as (server, _):
        yield server.address


@pytest.fixture
def calculate(run_cli, mesh):
    async def run(*arguments, stdin=""):
        return await asyncio.to_thread(run_cli, "calculate", *map(str, arguments), "--target", mesh, stdin=stdin)

    return run


async def test_csv_in_csv_out_on_the_standard_streams(calculate):
    result = await calculate("--input", "-", "--as-of", "2031-06-17", stdin=HEADER + IOANA)
    assert result.returncode == 0, result.stderr
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert (row["id"], row["birth_date"], row["life_path"], row["expression"]) == ("1", "1968-11-14", "22", "11")
    assert (row["karmic_lessons"], row["karmic_debts"], row["personal_year"]) == ("7 8", "14", "4")
    assert row["error"] == ""


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
async def test_every_format_holds_the_same_rows_in_order(calculate, tmp_path, ending):
    people = tmp_path / "people.csv"
    rows = "".join(f"{number},Ana Pop,{1 + number % 28},4,{1900 + number % 120}\n" for number in range(1_234))
    people.write_text(HEADER + rows)
    out = tmp_path / f"out.{ending}"
    result = await calculate("--input", people, "--output", out, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"rows": 1234, "errors": 0, "output": str(out)}
    if ending == "csv":
        found = [(row["id"], int(row["life_path"])) for row in csv.DictReader(io.StringIO(out.read_text()))]
    elif ending == "jsonl":
        found = [(row["id"], row["life_path"]) for row in map(json.loads, out.read_text().splitlines())]
    else:
        table = pq.read_table(out)
        found = list(zip(table["id"].to_pylist(), table["life_path"].to_pylist(), strict=True))
        assert table["birth_date"][0].as_py() == date(1900, 4, 1)
        assert table["pinnacles"][0].as_py() == [5, 2, 7, 5]
    assert [number for number, _ in found] == [str(number) for number in range(1_234)]
    assert found[0][1] == 6, "1 April 1900 is 4 + 1 + 1"
    assert not list(tmp_path.glob("*.partial"))


async def test_a_bad_row_has_its_error_and_does_not_stop_the_others(calculate, tmp_path):
    people = tmp_path / "people.jsonl"
    people.write_text(
        '{"name": "Ana", "birth_date": "1990-05-15"}\n'
        '{"name": "Анна", "day": 1, "month": 1, "year": 2000}\n'
        '{"name": "Ana", "birth_date": "1990-02-30"}\n'
        '{"name": "Ana", "day": "x", "month": 1, "year": 2000}\n'
        '{"name": null, "day": 1, "month": 1, "year": 2000}\n'
        '{"name": "Ana", "birth_date": "2000-01-01"}\n'
    )
    out = tmp_path / "out.jsonl"
    result = await calculate("--input", people, "--output", out)
    assert result.returncode == 5
    assert "4 of 6 rows have an error" in result.stderr
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["error"] is None for row in rows] == [True, False, False, False, False, True]
    for row, field in zip(rows[1:5], ("name", "day", "day", "name"), strict=True):
        assert f".{field}: " in row["error"]


async def test_whole_profiles_carry_their_sums(calculate, tmp_path):
    people, out = tmp_path / "people.csv", tmp_path / "out.jsonl"
    people.write_text(HEADER + IOANA)
    assert (await calculate("--input", people, "--output", out, "--whole")).returncode == 0
    [row] = map(json.loads, out.read_text().splitlines())
    assert row["profile"]["life_path"]["rule_id"] == "life_path.grouped_masters"
    assert row["profile"]["life_path"]["components"]


async def test_names_that_begin_like_formulas_are_harmless_in_csv(calculate):
    result = await calculate("--input", "-", stdin=HEADER + '=1,"=HYPERLINK(1)",14,11,1968\n')
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert row["id"] == "'=1"
    assert row["name"].startswith("'=")


@pytest.mark.parametrize(
    ("content", "arguments", "line"),
    [
        (b"name,day\nAna,1\n", [], "lacks the column month"),
        (b"id,day,month,year\n1,1,1,1\n", [], "lacks the column name"),
        (b"", [], "lacks the column name"),
        (b"name,day,month,year\n\xff\xfe,1,1,2000\n", [], "is not UTF-8"),
        (b'name,day,month,year\n"Ana,1,1,2000\n', [], "is not CSV"),
        (b"name,day,month,year\n", ["--output", "x.xlsx"], "ends in .csv, .jsonl or .parquet"),
        (b"name,day,month,year\n", ["--output", "x.csv", "--whole"], "--whole needs JSON lines"),
        (b"name,day,month,year\n", ["--as-of", "2031-02-30"], "write a date as YYYY-MM-DD"),
        (b"name,day,month,year\n", ["--output", "/proc/x.csv"], "cannot be written"),
    ],
)
async def test_what_cannot_be_used_is_one_line_and_leaves_nothing(calculate, tmp_path, content, arguments, line):
    people, out = tmp_path / "people.csv", tmp_path / "out.csv"
    people.write_bytes(content)
    result = await calculate("--input", people, *(arguments or ["--output", out]))
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result.stderr
    assert line in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["people.csv"]


async def test_a_file_that_breaks_in_the_middle_leaves_no_half_table(calculate, tmp_path):
    people, out = tmp_path / "people.jsonl", tmp_path / "out.jsonl"
    out.write_text("what was there before\n")
    people.write_text('{"name": "Ana", "birth_date": "1990-05-15"}\n' * 1_000 + "{broken\n")
    result = await calculate("--input", people, "--output", out)
    assert result.returncode == 2
    assert "line 1001 is not a JSON object" in result.stderr
    assert out.read_text() == "what was there before\n"


def test_a_mesh_that_is_not_there_is_said(run_cli, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(HEADER + IOANA)
    result = run_cli("calculate", "--input", str(people), "--target", "127.0.0.1:9")
    assert result.returncode == 3
    assert "start the mesh with `onenumbers up`" in result.stderr


async def test_names_of_other_scripts_are_read_by_the_tables_standard_or_the_rows_own(calculate, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(
        "name,day,month,year,transliteration\n"
        "Юлія Щербак,14,11,1968,\n"
        "Νίκος,14,11,1968,elot_743\n"
        "Ana Pop,14,11,1968,\n"
        "Ana Pop,14,11,1968,klingon\n"
    )
    out = tmp_path / "out.csv"
    result = await calculate("--input", people, "--output", out, "--transliteration", "ukrainian_2010")
    assert "1 of 4 rows have an error" in result.stderr
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["counted_name"] for row in rows] == ["YULIIA SHCHERBAK", "NIKOS", "ANA POP", ""]
    assert "Ukrainian national system of 2010 (interscript" in rows[0]["warnings"]
    assert "ELOT 743" in rows[1]["warnings"]
    assert rows[2]["warnings"] == ""
    assert "profiles[3].transliteration" in rows[3]["error"]


@pytest.mark.parametrize(
    ("option", "said"), [("--transliteration", "UKRAINIAN_2010"), ("--letter-policy", "DIRECT, DE_EXPANDED")]
)
async def test_a_standard_or_policy_that_there_is_not_ends_the_command_with_those_that_there_are(
    calculate, option, said
):
    result = await calculate("--input", "-", option, "klingon", stdin=HEADER + IOANA)
    assert result.returncode == 2
    assert f"{option} klingon: there are" in result.stderr
    assert said in " ".join(result.stderr.split())


async def test_a_letter_policy_holds_for_the_whole_table(calculate):
    result = await calculate("--input", "-", "--letter-policy", "de_expanded", stdin=HEADER + "1,Jörg,14,11,1968\n")
    [row] = csv.DictReader(io.StringIO(result.stdout))
    assert row["counted_name"] == "JOERG"
