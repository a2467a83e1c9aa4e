"""Continuous batching: one thread runs steps, and requests join and leave at every step.

A step reads one token of each answer being written and, within a budget, parts of prompts. The budget follows from how
long a token of a prompt has taken, so that a long prompt does not stall the answers beside it.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable

import structlog

from onenumbers_models.errors import ModelError
from onenumbers_models.generation.batching import SequenceContext
from onenumbers_models.generation.cells import common
from onenumbers_models.generation.jobs import Event, Job, JobQueue
from onenumbers_models.generation.requests import Completion, Finish
from onenumbers_models.generation.sampling import TokenSampler
from onenumbers_models.generation.statistics import GenerationStatistics
from onenumbers_models.generation.text import TextAssembler
from onenumbers_models.native import Model
from onenumbers_runtime.errors import DeadlineExceededError, MeshError, ResourceExhaustedError, UnavailableError

log = structlog.get_logger()

_STALL_S = 0.15
"""Time that parts of prompts may take of a step while answers are being written."""
_QUIET_S = 0.5
"""Time of a step while none is: a cancellation is heeded after it."""
_LEAST_BUDGET = 16
_WORTH_WAITING = 16
"""Tokens of a shared beginning for which a prompt waits until another one has read them."""


class Scheduler:
    """Writes all answers of one model. `close` it.

    Args:
        model: The model; stays the caller's.
        context: Its memory; the scheduler's thread alone uses it from here on, and `close` frees it.
        slots: Answers that are written at once.
        max_waiting: Requests that wait beside them; more are refused.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        model: Model,
        context: SequenceContext,
        *,
        slots: int,
        max_waiting: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._model = model
        self._context = context
        self._free = list(range(slots - 1, -1, -1))
        self._slots = slots
        self._max_waiting = max_waiting
        self._clock = clock
        self._queue = JobQueue()
        self._running: list[Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._statistics = GenerationStatistics(cells=context.cells)
        self._token_s = 0.0
        """Seconds that a token of a prompt took lately."""
        self._answer_s = 0.0
        """Seconds that an answer took lately, from its first step to its last."""
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queues a request. Safe from any thread; what comes of it goes to its sink.

        Raises:
            ResourceExhaustedError: Too many wait; says when to try again.
            UnavailableError: The scheduler is closed.
        """
        with self._changed:
            if self._closed:
                raise UnavailableError("the model is being closed", reason="MODEL_CLOSED")
            waiting = len(self._queue)
            # Those who will get a free place at the next step do not wait.
            if waiting - len(self._free) >= self._max_waiting:
                self._statistics.count_end("refused")
                again = max(1.0, self._answer_s * (waiting + 1) / self._slots)
                raise ResourceExhaustedError(
                    f"{len(self._running)} answers are being written and {waiting} requests wait already",
                    reason="MODEL_BUSY",
                    retry_after=round(min(again, 60.0), 1),
                )
            self._queue.add(job)
            self._changed.notify()

    def cancel(self, job: Job) -> None:
        """Gives a request up; its place is free at the next step."""
        job.cancelled = True
        with self._changed:
            self._changed.notify()

    def statistics(self) -> GenerationStatistics:
        """Returns a copy of the present statistics."""
        with self._changed:
            now = copy.deepcopy(self._statistics)
            now.running, now.waiting = len(self._running), len(self._queue)
            now.cells_used, now.kept_prompts = self._context.used, self._context.kept
            return now

    def close(self) -> None:
        """Ends all requests and frees the memory; returns after the step that is under way."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        try:
            while self._wait():
                self._expire()
                self._begin()
                if self._running:
                    self._step()
        except Exception:
            log.exception("scheduler_failed")
            self._closed = True
            self._end_all(ModelError("the model failed: see the server's log"))
        else:
            self._end_all(UnavailableError("the model is being closed", reason="MODEL_CLOSED"))
        finally:
            self._context.close()

    def _wait(self) -> bool:
        """Returns when there is something to do; False once it is closed."""
        with self._changed:
            while not self._closed and not self._running and not len(self._queue):
                self._changed.wait()
            return not self._closed

    def _expire(self) -> None:
        now = self._clock()
        with self._changed:
            gone = self._queue.remove(lambda job: job.cancelled or job.expired(now))
        for job in [*gone, *(job for job in self._running if job.cancelled or job.expired(now))]:
            if job.cancelled:
                self._finish(job, None, "cancelled")
            else:
                error = DeadlineExceededError("the deadline passed before the answer was written", reason="DEADLINE")
                self._finish(job, error, "deadline")

    def _begin(self) -> None:
        """Begins waiting requests while there are places and room for all they may need."""
        while self._free:
            # One place is kept from the background, so that who waits for an answer need not wait for it.
            background = sum(1 for job in self._running if job.options.priority == "background")
            with self._changed:
                job = self._queue.first(background=background < max(1, self._slots - 1))
            if job is None:
                return
            slot = self._free[-1]
            # What is shared is held, and so stays when the kept prompt that it comes from has to go.
            job.past = self._context.reuse(slot, job.tokens[:-1])
            needed = job.ahead + sum(other.ahead for other in self._running)
            if not self._context.make_room(needed) and self._running:
                self._context.drop(slot)
                job.past = 0
                return
            with self._changed:
                self._queue.take(job)
                self._running.append(job)
            job.slot, job.begun = self._free.pop(), self._clock()
            job.text = TextAssembler(job.options.stop)
            self._statistics.queue_s.add(job.begun - job.submitted)
            try:
                job.sampler = TokenSampler(self._model, job.options)
            except MeshError as error:
                self._finish(job, error, "refused")

    def _step(self) -> None:
        context = self._context
        writing = [job for job in self._running if not job.reading]
        sampled: list[tuple[Job, int]] = []
        for job in writing:
            sampled.append((job, context.add(job.slot, [job.next_token], job.past, logits=True)))
            job.past += 1
        read = self._read_prompts(sampled, _STALL_S if writing else _QUIET_S)
        size = context.size
        if not size:
            return
        started = self._clock()
        try:
            context.run()
        except ModelError as error:
            for job in list(self._running):
                self._finish(job, error, "failed")
            return
        took = self._clock() - started
        self._statistics.steps += 1
        self._statistics.prompt_tokens += read
        self._statistics.batch.add(size)
        if read >= _LEAST_BUDGET:
            # The answers' tokens of the same step are counted as if they were the prompt's: about as dear.
            share = took / size
            self._token_s = share if not self._token_s else 0.7 * self._token_s + 0.3 * share
        for job, index in sampled:
            self._sample(job, index)

    def _read_prompts(self, sampled: list[tuple[Job, int]], seconds: float) -> int:
        """Adds parts of prompts to the step, in equal shares, interactive ones first; returns the tokens."""
        room = self._context.batch_size - self._context.size
        budget = min(room, max(_LEAST_BUDGET, int(seconds / self._token_s) if self._token_s else 4 * _LEAST_BUDGET))
        readers = [job for job in self._running if job.reading and self._attach(job)]
        urgent = [job for job in readers if job.options.priority == "interactive"]
        read = 0
        for kind in (urgent, [job for job in readers if job not in urgent]):
            # The shortest first, so that what they do not need of their share goes to the others.
            for place, job in enumerate(sorted(kind, key=lambda job: len(job.tokens) - job.past)):
                count = min(len(job.tokens) - job.past, (budget - read) // (len(kind) - place))
                if count <= 0:
                    continue
                part = job.tokens[job.past : job.past + count]
                index = self._context.add(job.slot, part, job.past, logits=job.past + count == len(job.tokens))
                job.past += count
                read += count
                if not job.reading:
                    sampled.append((job, index))
        return read

    def _attach(self, job: Job) -> bool:
        """Shares what was computed of the prompt's beginning; False while another is about to compute more of it."""
        if job.attached:
            return True
        wanted = job.tokens[:-1]  # the last one is computed in any case: its logits give the answer's first token
        best, source = job.past, None
        for other in self._running if self._context.shares else ():
            if other is job:
                break
            shared = common(other.tokens, wanted)
            there = min(shared, other.past)
            if there > best:
                best, source = there, other
            if other.reading and shared >= best + _WORTH_WAITING and shared > there:
                return False
        job.attached = True
        if self._context.reusable(wanted) > best:  # the one that was waited for has ended since
            self._context.drop(job.slot)
            best = self._context.reuse(job.slot, wanted)
        elif source is not None:
            self._context.drop(job.slot)
            self._context.share(source.slot, job.slot, best)
        job.past = job.reused = best
        self._statistics.reused_tokens += job.reused
        self._statistics.prefix_hits += job.reused > 0
        return True

    def _sample(self, job: Job, index: int) -> None:
        """Takes the next token of an answer, and passes on what text it completes."""
        lib = self._model.lib
        first = job.written == 0
        if first and job.past == len(job.tokens):
            self._context.keep(job.slot, job.tokens)
        token = job.sampler.sample(self._context.pointer, index)
        if first:
            job.first = self._clock()
            self._statistics.first_token_s.add(job.first - job.submitted)
        if lib.llama_vocab_is_eog(self._model.vocabulary, token):
            self._complete(job, "stop")
            return
        job.written += 1
        self._statistics.answer_tokens += 1
        piece = job.text.add(self._model.piece(token))
        if piece:
            job.sink(piece)
        if job.text.stopped:
            self._complete(job, "stop_string")
        elif job.written >= job.options.max_tokens:
            self._complete(job, "length")
        else:
            job.next_token = token

    def _complete(self, job: Job, finish: Finish) -> None:
        rest = "" if finish == "stop_string" else job.text.end()
        if rest:
            job.sink(rest)
        now = self._clock()
        self._answer_s = now - job.begun
        if job.written > 1 and now > job.first:
            self._statistics.tokens_per_second.add((job.written - 1) / (now - job.first))
        ended = finish == "stop" or (finish == "length" and job.options.grammar is not None and job.sampler.at_end())
        completion = Completion(
            finish=finish,
            prompt_tokens=len(job.tokens),
            reused_tokens=job.reused,
            tokens=job.written,
            queue_s=job.begun - job.submitted,
            first_token_s=job.first - job.submitted,
            total_s=now - job.submitted,
            complete=ended,
        )
        self._finish(job, completion, finish)

    def _finish(self, job: Job, event: Event | None, how: str) -> None:
        """Frees a request's place, and tells how it ended unless nobody listens."""
        if job.sampler is not None:
            job.sampler.close()
        if job.slot >= 0:
            self._context.drop(job.slot)
            self._free.append(job.slot)
            job.slot = -1
        with self._changed:
            if job in self._running:
                self._running.remove(job)
            self._statistics.count_end(how)
        if event is not None:
            job.sink(event)

    def _end_all(self, error: Exception) -> None:
        with self._changed:
            gone = [*self._running, *self._queue.remove(lambda _: True)]
        for job in gone:
            self._finish(job, error, "failed")
