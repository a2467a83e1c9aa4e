"""Formulas: what they may say, what they give, and what happens to those that want too much."""

import asyncio
import os
import signal
import sys
from datetime import date
from pathlib import Path

import psutil
import pytest
import uvloop

from onenumbers_runtime.errors import InvalidArgumentError, UnavailableError
from onenumbers_utilities.registry.functions import FUNCTIONS
from onenumbers_utilities.registry.lexer import check_limits
from onenumbers_utilities.registry.sandbox import Sandbox

TEXT = {"name": "string"}
BORN = {"born": "date"}


async def value(sandbox, formula, inputs=TEXT, **row):
    (found,) = (await sandbox.run(formula, inputs, [row])).rows
    if found.error is not None:
        raise found.error
    return found.value


def fields(error):
    return {item.field: item.rule for item in error.violations}


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("digit_sum(1968)", 24),
        ("digits(1968)", [1, 9, 6, 8]),
        ("reduce(29)", 11),
        ("reduce(29, [])", 2),
        ("reduce(44, [44])", 44),
        ("root(0)", 0),
        ("chain(1999)", [1999, 28, 10, 1]),
        ("chain(38)", [38, 11]),
        ("chain(38, [22])", [38, 11, 2]),
        ("abs(3 - 8)", 5),
        ("sum([1, 2, 3]) + sum([])", 6),
        ("least([3, 1, 2]) * greatest([3, 1, 2])", 3),
        ("range(2, 4)", [2, 3, 4]),
        ("range(4, 2)", []),
        ("letters(name)", "IOANABRANDUSATURCANU"),
        ("names(name)", ["IOANA", "BRANDUSA", "TURCANU"]),
        ("initials(name)", "IBT"),
        ("vowels(name)", "IOAAAUAUAU"),
        ("consonants(name)", "NBRNDSTRCN"),
        ("vowels('Mary')", "AY"),
        ("vowels('Mary', 'always_consonant')", "A"),
        ("consonants('Mary', 'always_consonant')", "MRY"),
        ("letter_values('Abc')", [1, 2, 3]),
        ("letter_values('Fox', 'chaldean')", [8, 7, 5]),
        ("letter_values('')", []),
        ("count_values(letters('Abba'))", [2, 2, 0, 0, 0, 0, 0, 0, 0]),
        ("count_values('Fox', 'chaldean')", [0, 0, 0, 0, 1, 0, 1, 1, 0]),
        ("names(name).map(part, sum(letter_values(part)))", [22, 26, 26]),
        ("names(name).filter(part, size(part) > 5)", ["BRANDUSA", "TURCANU"]),
        ("size(name) > 3 && name.startsWith('Ioana')", True),
        ("double(sum(letter_values(name))) / 4.0", 18.5),
        ("year(date(1968, 11, 14)) + month(date(1968, 11, 14)) * day(date(1968, 11, 14))", 1968 + 11 * 14),
        ("date(2000, 2, 29)", date(2000, 2, 29)),
        ("[date(1, 1, 1), date(9999, 12, 31)]", [date(1, 1, 1), date(9999, 12, 31)]),
        ("age(date(2000, 2, 29), date(2001, 2, 28))", 0),
        ("date(2000, 1, 1) < date(2000, 1, 2)", True),
    ],
)
async def test_functions_give_what_the_documentation_says(sandbox, formula, result):
    assert await value(sandbox, formula, name="Ioana Brândușa Țurcanu") == result


def test_every_function_is_run_by_a_test():
    """A function that no line above names would stand unverified."""
    text = Path(__file__).read_text(encoding="utf-8")
    assert not [item.signature for item in FUNCTIONS if f"{item.name}(" not in text]


@pytest.mark.parametrize("born", [date(1, 1, 1), date(1582, 10, 4), date(1969, 12, 31), date(9999, 12, 31)])
async def test_dates_pass_unchanged_whatever_their_century(sandbox, born):
    assert await value(sandbox, "born", BORN, born=born) == born
    expected = [born.year, born.month, born.day]
    assert await value(sandbox, "[year(born), month(born), day(born)]", BORN, born=born) == expected


@pytest.mark.parametrize(
    ("formula", "rule", "words"),
    [
        ("", "formula.required", "must not be empty"),
        ("   \n", "formula.required", "must not be empty"),
        ("x" * 10_000, "formula.max_length", "10000 characters"),
        ("'" + "x" * 600 + "'", "formula.max_literal", "602 characters"),
        ("[" + "1," * 600 + "1]", "formula.max_tokens", "1203 tokens"),
        ("(" * 30 + "1" + ")" * 30, "formula.max_nesting", "line 1, column 25"),
        ("1" + "+1" * 400, "formula.max_nesting", "deeper than the parser"),
        ("[1].map(a,[1].map(b,[1].map(c,[1].map(d,[1].map(e,1)))))", "formula.max_macros", "more than 4 macros"),
        ("1 +", "formula.syntax", "line 1, column 4"),
        ("1 @ 2", "formula.syntax", "line 1, column 3: '@'"),
        ("name \x00", "formula.syntax", "U+0000"),
        ("'open", "formula.syntax", "line 1, column 1"),
        ("nope + 1", "formula.undeclared", "'nope' is neither"),
        ("open('/etc/passwd')", "formula.undeclared", "'open' is neither"),
        ("__import__('os').system('id')", "formula.undeclared", "'__import__' is neither"),
        ("name.__class__", "formula.type", "string"),
        ("size(name) +\n  name", "formula.type", "line 1, column 12"),
        ("reduce(name)", "formula.type", "no matching overload for 'reduce'"),
        ("name ? 1 : 2", "formula.type", "no matching overload"),
        ("{'a': 1}", "formula.result_type", "map<string, int>"),
        ("[1, 'a']", "formula.result_type", "convert it with"),
        ("null", "formula.result_type", "null"),
        ("[[1]]", "formula.result_type", "list<list<int>>"),
        ("b'a'", "formula.result_type", "bytes"),
        ("int", "formula.result_type", "type"),
    ],
)
async def test_a_formula_that_cannot_be_used_says_why_and_where(sandbox, formula, rule, words):
    with pytest.raises(InvalidArgumentError) as caught:
        await sandbox.run(formula, TEXT, [])
    assert fields(caught.value) == {"definition.formula": rule}
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("formula", "field", "rule", "words"),
    [
        ("1 / (size(name) - size(name))", "inputs", "formula.no_result", "divide by zero"),
        ("letter_values('Ana')[100]", "inputs", "formula.no_result", "Index"),
        ("int(name)", "inputs", "formula.no_result", "cannot convert"),
        ("9223372036854775807 + size(name)", "inputs", "formula.no_result", "overflow"),
        ("reduce(-size(name))", "inputs", "formula.negative", "at least 0, not -3"),
        ("letters('Ana1')", "inputs", "name.digit", "digit"),
        ("letters(name)", "inputs.name", "name.unsupported_script", "Cyrillic"),
        ("vowels('Ana', name)", "inputs", "formula.y_rule", "is no Y rule"),
        ("letter_values('Ana', name)", "inputs", "formula.system", "is no letter table"),
        ("year(date(2001, 2, 29))", "inputs", "date.exists", "February 2001 has no day 29"),
        ("least([])", "inputs", "formula.empty_list", "at least one"),
        ("size(range(1, 2000))", "inputs", "formula.range", "at most 1000"),
        ("4000000000 + size(name)", "inputs", "result.max_integer", "beyond 2147483647"),
        ("double(size(name)) / 0.0", "inputs", "result.finite", "no finite number"),
        (
            "[name, name].map(a, a + a + a + a + a + a + a + a)[0] + '" + "x" * 490 + "' + '" + "x" * 490 + "'",
            "inputs",
            "result.max_text",
            "at most 1000",
        ),
        (
            "range(1, 300).map(a, range(1, 40).map(b, a + b)[0])",
            "inputs",
            "formula.iterations",
            "10,000 rounds",
        ),
    ],
)
async def test_a_formula_without_a_result_says_why(sandbox, formula, field, rule, words):
    with pytest.raises(InvalidArgumentError) as caught:
        await value(sandbox, formula, name="Іва")
    assert fields(caught.value) == {field: rule}
    assert words in caught.value.message


def spread(depth: int, times: int) -> str:
    """A list of lists of lists...: `times` to the power of `depth` elements, all the same in memory."""
    formula = "[name]"
    for level in range(depth):
        formula += f".map(v{level}, [{', '.join([f'v{level}'] * times)}])"
    return formula


@pytest.mark.parametrize(
    ("formula", "rule"),
    [
        # Comparing what is shared in memory takes times**depth steps.
        (f"{spread(6, 25)}.exists(z, z == z)", "formula.time_limit"),
        # Each round adds lists up: quadratic in time and in memory.
        ("range(1, 900).exists(x, sum(range(1, 999).map(y, sum(range(1, 999)))) < 0)", None),
    ],
)
async def test_a_formula_that_explodes_is_ended_and_the_next_one_is_served(formula, rule):
    async with Sandbox(cpu_s=0.5, memory_bytes=128 << 20) as sandbox:
        with pytest.raises(InvalidArgumentError) as caught:
            await sandbox.run(formula, TEXT, [{"name": "a" * 1000}])
        ((field, found),) = fields(caught.value).items()
        assert field == "definition.formula"
        assert found == rule if rule else found in ("formula.time_limit", "formula.memory_limit")
        assert await value(sandbox, "size(name)", name="abc") == 3


@pytest.mark.parametrize("workers", [1, 2])
async def test_memory_is_bounded_by_the_kernel(workers):
    """A million numbers, six times over: the worker's address space ends before they fit, and the next one serves."""
    formula = "size(range(1, 1000).map(i, range(1, 1000)).map(l, l + l + l + l + l + l))"
    async with Sandbox(cpu_s=20, memory_bytes=64 << 20, workers=workers) as sandbox:
        for _ in range(2):
            with pytest.raises(InvalidArgumentError) as caught:
                await sandbox.run(formula, TEXT, [{"name": "a"}])
            assert fields(caught.value) == {"definition.formula": "formula.memory_limit"}
            assert await value(sandbox, "size(name)", name="abc") == 3


async def test_the_worker_has_no_secrets_no_files_and_dies_with_its_parent(monkeypatch):
    monkeypatch.setenv("MCP_AUTH_TOKEN", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:secret@host/name")
    async with Sandbox() as sandbox:
        assert await value(sandbox, "size(name)", name="abc") == 3
        (child,) = [one for one in psutil.Process().children() if "registry.worker" in " ".join(one.cmdline())]
        assert "secret" not in str(child.environ())
        assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
        assert child.rlimit(psutil.RLIMIT_AS)[1] < 2 << 30
        assert not child.open_files()
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(UnavailableError):
            await value(sandbox, "size(name)", name="abc")
        assert await value(sandbox, "size(name)", name="abc") == 3
        (child,) = [one for one in psutil.Process().children() if "registry.worker" in " ".join(one.cmdline())]
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


async def test_a_cancelled_call_leaves_no_answer_for_the_next():
    async with Sandbox() as sandbox:
        assert await value(sandbox, "1", name="a") == 1
        slow = asyncio.create_task(sandbox.run(f"{spread(5, 20)}.exists(z, z == z)", TEXT, [{"name": "a"}]))
        await asyncio.sleep(0)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert await value(sandbox, "2", name="a") == 2


async def test_calls_at_once_get_their_own_results():
    async with Sandbox(workers=2) as sandbox:
        found = await asyncio.gather(*(value(sandbox, "n * 2", {"n": "int"}, n=number) for number in range(100)))
    assert found == [number * 2 for number in range(100)]


def test_a_comment_and_a_text_hide_brackets_from_the_limits():
    check_limits("1 // " + "(" * 100 + "\n + size('" + "(" * 100 + "')")


def test_a_process_that_does_not_start_or_is_gone_is_unavailable_on_the_loop_of_the_servers(monkeypatch):
    """uvloop answers a write to a closed pipe otherwise than asyncio's own loop does: it was an internal error."""

    async def gone_before_it_is_asked():
        async with asyncio.timeout(60), Sandbox() as sandbox:
            await sandbox.run("1", {}, [{}])
            (worker,) = (one for one in psutil.Process().children() if "registry.worker" in " ".join(one.cmdline()))
            worker.kill()
            while psutil.pid_exists(worker.pid):  # noqa: ASYNC110 - the end of another process sets no event
                await asyncio.sleep(0.01)
            with pytest.raises(UnavailableError):
                await sandbox.run("1", {}, [{}])
            await sandbox.run("1", {}, [{}])

    async def ends_at_once():
        async with Sandbox() as sandbox:
            for _ in range(20):
                with pytest.raises(UnavailableError, match="does not answer"):
                    await sandbox.run("1", {}, [{}])

    uvloop.run(gone_before_it_is_asked())
    monkeypatch.setattr(sys, "executable", "/bin/false")
    uvloop.run(ends_at_once())
