"""The paths that take files: which RPC gets the pieces, and what its contract says of them. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from buf.validate import validate_pb2
from onenumbers.knowledge.v1 import upload_pb2
from onenumbers.research.v1 import analysis_pb2

_PIECES: Final = "chunk"


@dataclass(frozen=True, slots=True)
class UploadRoute:
    """A path that takes a file for a client-streaming RPC.

    The RPC's request is a oneof `part` of the bytes `chunk` and of a message that says what the file is, or what is
    asked of it. The fields of that message stand in the query or in the form.
    """

    path: str
    """Path of the gateway's HTTP server."""
    method: MethodDescriptor
    """The RPC."""
    tool: MethodDescriptor
    """The tool that takes the same file within one message: its option describes the fields."""
    title: str
    about: str
    """What the path does, for readers of the OpenAPI document."""
    result: str
    """What the answer holds, for them."""
    media_type: str
    """What a body is that is the file itself."""
    needed: Mapping[str, str] = field(default_factory=dict)
    """Fields without which nothing is sent on, each with why and how it is given."""
    within: str = ""
    """Field of the message that holds a file which is not sent in pieces: it is not to be given here."""
    answer: str = ""
    """Field of the response that is the answer; all of it when empty."""
    answer_s: float | None = None
    """Seconds at most from the last piece to the answer, where that is bounded sooner than the whole upload."""

    @property
    def service(self) -> str:
        """Full name of the RPC's service."""
        return self.method.containing_service.full_name

    @property
    def part(self) -> FieldDescriptor:
        """The request's field that says what the file is."""
        (found,) = (each for each in self.method.input_type.fields if each.name != _PIECES)
        return found

    @property
    def described(self) -> Descriptor:
        """The message that says what the file is."""
        found = self.part.message_type
        if found is None:  # pragma: no cover - the contract of an upload
            raise TypeError(f"{self.part.full_name} is no message")
        return found

    @property
    def answered(self) -> Descriptor:
        """The message that is the answer."""
        response = self.method.output_type
        found = response.fields_by_name[self.answer].message_type if self.answer else response
        if found is None:  # pragma: no cover - the contract of an upload
            raise TypeError(f"{self.answer} is no message")
        return found

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields that a request may give, in the contract's order."""
        return tuple(each.name for each in self.described.fields if each.name != self.within)

    @property
    def max_bytes(self) -> int | None:
        """Size of a file at most, where the contract says one."""
        if not self.within:
            return None
        options = self.described.fields_by_name[self.within].GetOptions()
        return int(options.Extensions[validate_pb2.field].bytes.max_len) or None


def _method(service: str, name: str) -> MethodDescriptor:
    for file in (upload_pb2.DESCRIPTOR, analysis_pb2.DESCRIPTOR):
        if service in file.services_by_name:
            return file.services_by_name[service].methods_by_name[name]
    raise KeyError(service)


DOCUMENTS: Final = UploadRoute(
    path="/v1/knowledge/files",
    method=_method("KnowledgeUploadService", "UploadFile"),
    tool=_method("KnowledgeUploadService", "UploadDocument"),
    title="Upload a file",
    about="Takes a file of any size up to the limit, as a form, which brings the file's name, or alone, and ingests "
    "what it holds.",
    result="The documents with their outcome, and warnings.",
    media_type="application/octet-stream",
    needed={"filename": "it tells the kind of a text, as ?filename=notes.md"},
)
POPULATIONS: Final = UploadRoute(
    path="/v1/research/populations:analyze",
    method=_method("AnalysisService", "AnalyzePopulation"),
    tool=_method("AnalysisService", "AnalyzeNumberPatterns"),
    title="Number patterns of an uploaded population",
    about="Takes a CSV file in UTF-8 with the columns name, day, month, year and optionally field, up to 16 MiB, as a "
    "form or alone, and compares how often a number occurs in it with how often it should. The fields `number` and "
    "`context` are needed. Nothing of the file is stored.",
    result="Counts and a test, as `/v1/research:patterns` gives them.",
    media_type="text/csv",
    needed={
        "number": "it is what is counted, as ?number=11",
        "context": "it tells where the number occurs, as ?context=life_path",
    },
    within="population_csv",
    # The largest takes 12 s; the rest is for those that are analysed before it.
    answer_s=120.0,
    answer="analysis",
)
UPLOADS: Final = (DOCUMENTS, POPULATIONS)
