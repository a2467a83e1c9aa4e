"""The catalog: every tool of the mesh, made from a snapshot once and then only read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

import structlog
from google.protobuf import json_format

from onenumbers.gateway.v1 import gateway_pb2 as pb
from onenumbers.options.v1 import options_pb2
from onenumbers_gateway.arguments import ArgumentReader
from onenumbers_gateway.descriptors import Contract, ContractCache, ContractError, Method
from onenumbers_gateway.model import MeshSnapshot, ServerSnapshot, ServerStatus
from onenumbers_gateway.names import NameBook
from onenumbers_gateway.results import ResultWriter
from onenumbers_gateway.schema import input_schema, output_schema

log = structlog.get_logger()

_WORD = re.compile(r"[^\W_]+")
_NEAREST: Final = 3
_LONGEST_COMPARED: Final = 100


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """What a contract says of one tool: the same as long as the contract is the same."""

    method: Method
    contract: Contract
    reader: ArgumentReader = field(repr=False)
    writer: ResultWriter = field(repr=False)
    title: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    cache_ttl_s: float
    """Seconds for which a result may be served again; 0 means never."""
    destructive: bool
    open_world: bool
    tags: tuple[str, ...]
    example: Mapping[str, Any] | None
    collect: bool
    """For a streaming tool: whether the result is the list of all messages and not the last one."""
    template: pb.Tool = field(repr=False)
    """The message without what depends on the moment."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool at one moment."""

    name: str
    server: str
    definition: ToolDefinition
    available: bool
    unavailable_reason: str
    stale: bool

    @property
    def title(self) -> str:
        """Title for people; may be empty."""
        return self.definition.title

    @property
    def description(self) -> str:
        """What it does."""
        return self.definition.description

    @property
    def input_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the arguments."""
        return self.definition.input_schema

    @property
    def output_schema(self) -> Mapping[str, Any]:
        """JSON Schema of the result."""
        return self.definition.output_schema

    @property
    def read_only(self) -> bool:
        """Whether it changes nothing."""
        return self.definition.method.read_only

    @property
    def idempotent(self) -> bool:
        """Whether calling it twice does the same as once."""
        return self.definition.method.idempotent

    @property
    def destructive(self) -> bool:
        """Whether it can delete or overwrite."""
        return self.definition.destructive

    @property
    def open_world(self) -> bool:
        """Whether its result depends on more than the request and the mesh's data."""
        return self.definition.open_world

    def message(self) -> pb.Tool:
        """Returns the tool as the contract shows it."""
        message = pb.Tool()
        message.CopyFrom(self.definition.template)
        message.name, message.server = self.name, self.server
        message.available, message.unavailable_reason = self.available, self.unavailable_reason
        message.stale = self.stale
        return message


@dataclass(frozen=True, slots=True)
class Catalog:
    """All tools at one moment, ordered by name."""

    version: int = 0
    tools: tuple[Tool, ...] = ()
    by_name: Mapping[str, Tool] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Servers whose contract cannot be used, with the reason."""

    def nearest(self, name: str) -> list[str]:
        """Returns the names nearest to an unknown one, best first."""
        return get_close_matches(name[:_LONGEST_COMPARED], self.by_name, n=_NEAREST, cutoff=0.5)

    def of_server(self, name: str) -> list[Tool]:
        """Returns the tools of one server."""
        return [tool for tool in self.tools if tool.server == name]

    def search(self, query: str, limit: int) -> list[Tool]:
        """Returns the tools whose names, titles, tags and descriptions hold the words of `query`, best first.

        A word counts most in the name, then in title and tags, then in the description; where it begins another word
        it counts half. Tools without any of the words are left out.
        """
        words = [word.lower() for word in _WORD.findall(query)][:50]
        scored = [(_score(tool, words), tool) for tool in self.tools]
        found = sorted((item for item in scored if item[0] > 0), key=lambda item: (-item[0], item[1].name))
        return [tool for _, tool in found[:limit]]


def _score(tool: Tool, words: Sequence[str]) -> float:
    score = 0.0
    for weight, text in (
        (4.0, tool.name.replace("_", " ")),
        (2.0, f"{tool.title} {' '.join(tool.definition.tags)}"),
        (1.0, tool.description),
    ):
        present = {word.lower() for word in _WORD.findall(text)}
        for word in words:
            if word in present:
                score += weight
            elif any(_begin_alike(word, item) for item in present):
                score += weight / 2
    return score


def _begin_alike(one: str, other: str) -> bool:
    return min(len(one), len(other)) > 2 and (one.startswith(other) or other.startswith(one))


class CatalogBuilder:
    """Makes catalogs from snapshots; what a contract says is worked out once.

    Args:
        names: Who has which name.
    """

    def __init__(self, names: NameBook) -> None:
        self._names = names
        self._contracts = ContractCache()
        self._definitions: dict[tuple[str, tuple[str, ...]], list[ToolDefinition]] = {}
        self._refused: dict[tuple[str, str], str] = {}

    def build(self, snapshot: MeshSnapshot) -> Catalog:
        """Returns the catalog of a snapshot. A server whose contract cannot be used hides only its own tools."""
        tools: dict[str, Tool] = {}
        left_out: dict[str, str] = {}
        alive: set[tuple[str, tuple[str, ...]]] = set()
        keys: set[str] = set()
        for server in snapshot.servers:
            if not server.files:
                continue
            try:
                definitions = self._defined(server)
            except ContractError as error:
                left_out[server.name] = str(error)
                if self._refused.get((server.name, server.descriptor_hash)) is None:
                    self._refused[server.name, server.descriptor_hash] = str(error)
                    log.warning("contract_refused", server=server.name, reason=str(error))
                continue
            alive.add((server.descriptor_hash, server.services))
            available = server.status is ServerStatus.SERVING
            for definition in definitions:
                method = definition.method
                name = self._names.assign(server.name, method.full_name, method.tool_name)
                keys.add(f"{server.name}/{method.full_name}")
                tools[name] = Tool(
                    name=name,
                    server=server.name,
                    definition=definition,
                    available=available,
                    unavailable_reason="" if available else server.reason,
                    stale=server.stale,
                )
        self._definitions = {key: self._definitions[key] for key in alive}
        self._names.forget_excess(keys)
        ordered = tuple(tools[name] for name in sorted(tools))
        return Catalog(
            version=snapshot.version, tools=ordered, by_name={tool.name: tool for tool in ordered}, left_out=left_out
        )

    def _defined(self, server: ServerSnapshot) -> list[ToolDefinition]:
        key = (server.descriptor_hash, server.services)
        found = self._definitions.get(key)
        if found is None:
            contract = self._contracts.get(server.files, server.services, server.descriptor_hash)
            reader, writer = ArgumentReader(), ResultWriter(contract.pool)
            found = [define(contract, method, reader, writer) for method in contract.methods]
            self._definitions[key] = found
        return found


def define(contract: Contract, method: Method, reader: ArgumentReader, writer: ResultWriter) -> ToolDefinition:
    """Returns what the contract says of one method as a tool."""
    options = method.options if method.options is not None else options_pb2.ToolOptions()
    example = _example(options.example, method)
    collect = method.server_streaming and options.stream_result != options_pb2.STREAM_RESULT_LAST
    descriptor = method.descriptor
    inputs = input_schema(contract, descriptor.input_type, descriptions=dict(options.arguments), example=example)
    outputs = output_schema(contract, descriptor.output_type, collected=collect)
    title = options.title or _title(method.name)
    description = options.description or f"Calls {method.full_name}."
    # Caching what changes something would lose the change.
    ttl = options.cache_ttl.ToTimedelta().total_seconds() if method.read_only else 0.0
    template = pb.Tool(
        title=title,
        description=description,
        method=method.full_name,
        http=[pb.HttpBinding(method=item.method, path=item.path, body=item.body) for item in method.http],
        read_only=method.read_only,
        idempotent=method.idempotent,
        destructive=options.destructive,
        open_world=options.open_world,
        server_streaming=method.server_streaming,
        tags=options.tags,
    )
    template.input_schema.update(inputs)
    template.output_schema.update(outputs)
    if ttl > 0:
        template.cache_ttl.FromTimedelta(options.cache_ttl.ToTimedelta())
    if example is not None:
        template.example.update(example)
    return ToolDefinition(
        method=method,
        contract=contract,
        reader=reader,
        writer=writer,
        title=title,
        description=description,
        input_schema=inputs,
        output_schema=outputs,
        cache_ttl_s=max(0.0, ttl),
        destructive=options.destructive,
        open_world=options.open_world,
        tags=tuple(options.tags),
        example=example,
        collect=collect,
        template=template,
    )


def _example(text: str, method: Method) -> Mapping[str, Any] | None:
    """Returns the example where it is one: a request that the method's message can hold."""
    if not text:
        return None
    try:
        example = json.loads(text)
        json_format.ParseDict(example, method.request_class())
    except (ValueError, json_format.ParseError, TypeError, AttributeError) as error:
        log.warning("example_ignored", method=method.full_name, reason=str(error)[:200])
        return None
    return example if isinstance(example, dict) else None


def _title(name: str) -> str:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return " ".join([words[0], *(word if word.isupper() else word.lower() for word in words[1:])]) if words else name
