"""Pure parts of the scheduler: text from bytes, cells that sequences share, kept prompts, whose turn it is."""

from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onenumbers_models.generation.cells import CellLedger, PrefixCache, common
from onenumbers_models.generation.jobs import Job, JobQueue
from onenumbers_models.generation.requests import GenerationOptions
from onenumbers_models.generation.text import TextAssembler

PIECES = st.lists(st.binary(max_size=3), max_size=30)


@given(st.text(max_size=30), st.lists(st.integers(1, 4), min_size=1, max_size=40))
def test_text_comes_whole_however_its_bytes_are_cut(text, sizes):
    assembler, data, shown = TextAssembler(), text.encode(), []
    for size in cycle(sizes):
        part, data = data[:size], data[size:]
        shown.append(assembler.add(part))
        if not data:
            break
    assert "".join(shown) + assembler.end() == text
    assert not any("\ufffd" in piece for piece in shown if "\ufffd" not in text)


@given(PIECES, st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3))
def test_nothing_of_a_stop_string_is_shown(pieces, words):
    pieces = [bytes(97 + byte % 3 for byte in piece) for piece in pieces]
    whole = b"".join(pieces).decode()
    assembler = TextAssembler(words)
    shown = "".join(assembler.add(piece) for piece in pieces)
    if not assembler.stopped:
        shown += assembler.end()
    assert assembler.stopped == any(word in whole for word in words)
    assert whole.startswith(shown)
    if assembler.stopped:
        assert not any(word in shown for word in words)
        assert any(whole[len(shown) :].startswith(word) for word in words)
    else:
        assert shown == whole


def test_half_a_character_at_the_end_is_left_out():
    assembler = TextAssembler()
    assert assembler.add("né".encode()[:2]) + assembler.end() == "n"


@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=40))
def test_the_common_beginning_is_the_longest(one, other):
    length = common(one, other)
    assert one[:length] == other[:length]
    assert length in (len(one), len(other)) or one[length] != other[length]


@given(st.lists(st.tuples(st.sampled_from(["extend", "copy", "drop"]), st.integers(0, 3), st.integers(0, 9))))
def test_a_cell_is_in_use_while_a_sequence_holds_it(actions):
    ledger, model, fresh = CellLedger(), dict.fromkeys(range(4), ()), iter(range(10_000))
    for action, sequence, count in actions:
        if action == "extend":
            ledger.extend(sequence, count)
            model[sequence] = (*model[sequence], *(next(fresh) for _ in range(count)))
        elif action == "drop":
            ledger.drop(sequence)
            model[sequence] = ()
        else:
            source = (sequence + 1) % 4
            if model[source] and not model[sequence]:
                ledger.copy(source, sequence, count)
                model[sequence] = model[source][:count]
        assert ledger.used == len({cell for held in model.values() for cell in held})


def test_the_least_recently_used_prompt_goes_first():
    cache = PrefixCache([8, 9])
    first, second = cache.take([1, 2, 3]), cache.take([4, 5, 6])
    assert cache.take([7]) is None
    cache.touch(first)
    assert cache.sequences == [second, first]
    assert cache.longest([1, 2, 9]) == (first, 2)
    assert cache.covers([1, 2])
    assert not cache.covers([1, 2, 3, 4])
    assert cache.contained([4, 5, 6, 7]) == [second]
    cache.evict(second)
    assert cache.take([7]) == second


def job(priority):
    return Job([1], GenerationOptions(max_tokens=1, priority=priority), lambda _: None, 0.0)


def test_the_background_gets_its_turn_among_many_interactive_requests():
    queue = JobQueue()
    late = job("background")
    queue.add(late)
    order = []
    for _ in range(12):
        queue.add(job("interactive"))
        first = queue.first(background=True)
        queue.take(first)
        order.append(first is late)
    assert order.index(True) == 4
    assert queue.first(background=True).options.priority == "interactive"


@pytest.mark.parametrize("allowed", [True, False])
def test_only_the_background_waits_where_it_is_not_allowed(allowed):
    queue = JobQueue()
    queue.add(job("background"))
    assert (queue.first(background=allowed) is not None) is allowed
