"""`onenumbers ask`: a question, the words of the model as they come, and the checked answer."""

from __future__ import annotations

from typing import Any

from onenumbers.research.v1 import research_pb2 as pb
from onenumbers.research.v1 import research_pb2_grpc
from onenumbers_cli.client import Connection, connected
from onenumbers_cli.errors import CommandError
from onenumbers_cli.output import as_json as message_json
from onenumbers_cli.output import err, print_json, print_text


def ask_question(*, question: str, passages: int, extractive: bool, to: Connection, as_json: bool) -> None:
    """Prints the answer with its citations.

    Raises:
        CommandError: The call failed, or ended without an answer.
    """
    request = pb.AnswerQuestionRequest(question=question, max_passages=passages)
    if extractive:
        request.engine = pb.ANSWER_ENGINE_EXTRACTIVE
    answer: pb.Answer | None = None
    drafted = False
    with connected(to) as client:
        stub: Any = research_pb2_grpc.ResearchServiceStub(client.channel)
        for event in client.stream(stub.AnswerQuestion, request):
            kind = event.WhichOneof("event")
            if kind == "draft_delta" and err.is_terminal and not as_json:
                drafted = True
                err.print(event.draft_delta, end="", style="dim", markup=False)
            elif kind == "answer":
                answer = event.answer
    if answer is None:
        raise CommandError("the stream ended without an answer")
    if as_json:
        print_json(message_json(answer))
        return
    if drafted:
        err.print("\n")
    print_text(answer.text)
    if answer.citations:
        print_text("")
    for citation in answer.citations:
        section = f", {citation.section}" if citation.section else ""
        print_text(f"[{citation.marker}] {citation.title}{section} ({citation.document_id})")
    by = f"by {answer.model}" if answer.model else "passages only, no model wrote this"
    dropped = f"; {answer.dropped_sentences} unsupported sentences left out" if answer.dropped_sentences else ""
    reason = f"; {answer.engine_reason}" if answer.engine_reason else ""
    err.print(f"({by}{dropped}{reason})", style="dim", markup=False)
