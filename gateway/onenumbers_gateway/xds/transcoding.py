"""The descriptor set for JSON transcoding: the contracts of all servers in one, with conflicts kept out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from envoy.extensions.filters.http.grpc_json_transcoder.v3 import transcoder_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.rpc import error_details_pb2, status_pb2

from onenumbers_gateway.xds.contract import Contract, files_of, is_shared, symbols_of

# Envoy renders a status's details only if their types are in the set.
_STATUS_FILES = files_of(status_pb2.DESCRIPTOR, error_details_pb2.DESCRIPTOR)

Transcoder: TypeAlias = transcoder_pb2.GrpcJsonTranscoder


@dataclass(slots=True)
class DescriptorUnion:
    """Files of several servers that live together in one descriptor pool.

    Every server brings its own copy of what it imports. Equal copies are merged. Files of one name with different
    content are kept apart under another name. What cannot be kept apart is a type of one name with two
    definitions: the server that comes later stays out.
    """

    _files: dict[str, bytes] = field(default_factory=dict)
    _definers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for data in _STATUS_FILES:
            self._put(FileDescriptorProto.FromString(data))

    def add(self, owner: str, contract: Contract) -> str | None:
        """Adds a server's files.

        Returns:
            None, or why the server has to stay out; nothing of it was added then.
        """
        renamed: dict[str, str] = {}
        fresh: list[FileDescriptorProto] = []
        for data in contract.files:
            file = FileDescriptorProto.FromString(data)
            if is_shared(file.name) and file.name in self._files:
                continue
            for index, dependency in enumerate(file.dependency):
                file.dependency[index] = renamed.get(dependency, dependency)
            if self._files.get(file.name) == file.SerializeToString(deterministic=True):
                continue
            for symbol in symbols_of(file):
                if symbol in self._definers:
                    return f"{symbol} is defined otherwise in {self._definers[symbol]}"
            if file.name in self._files:
                renamed[file.name] = f"{owner}/{file.name}"
                file.name = renamed[file.name]
            fresh.append(file)
        for file in fresh:
            self._put(file)
        return None

    def serialize(self) -> bytes:
        """Returns the FileDescriptorSet, dependencies first."""
        files = [FileDescriptorProto.FromString(data) for data in self._files.values()]
        return FileDescriptorSet(file=files).SerializeToString(deterministic=True)

    def _put(self, file: FileDescriptorProto) -> None:
        self._files[file.name] = file.SerializeToString(deterministic=True)
        self._definers.update(dict.fromkeys(symbols_of(file), file.name))


def build_transcoder(
    contracts: Mapping[str, Contract], services: Iterable[str], *, server_sent_events: bool = False
) -> tuple[Transcoder, dict[str, str]]:
    """Returns the transcoder's configuration, and why servers were left out, by name.

    JSON is that of protobuf's json_format with `preserving_proto_field_name` and
    `always_print_fields_with_no_presence`: names as in the proto, fields without presence printed even when they
    are zero or empty, unset optional ones left out, 64-bit integers as strings, enums by name.

    Args:
        contracts: Contracts by server; where two conflict, the first wins.
        services: Full names of the services to transcode; those of servers that were left out are skipped.
        server_sent_events: Streams as server-sent events and not as JSON lines.
    """
    union = DescriptorUnion()
    left_out: dict[str, str] = {}
    served: set[str] = set()
    for server, contract in contracts.items():
        reason = union.add(server, contract)
        if reason is None:
            served.update(method.service for method in contract.methods)
        else:
            left_out[server] = reason
    transcoder = Transcoder(
        proto_descriptor_bin=union.serialize(),
        services=[service for service in services if service in served],
        # A method without google.api.http is reached by POST /package.Service/Method.
        auto_mapping=True,
        convert_grpc_status=True,
        # Names of tools and documents may hold an encoded slash; it is part of the name.
        url_unescape_spec=Transcoder.ALL_CHARACTERS_EXCEPT_RESERVED,
        query_param_unescape_plus=True,
        case_insensitive_enum_parsing=False,
    )
    options = transcoder.print_options
    options.preserve_proto_field_names = True
    options.always_print_primitive_fields = True
    options.stream_newline_delimited = not server_sent_events
    options.stream_sse_style_delimited = server_sent_events
    validation = transcoder.request_validation_options
    validation.reject_unknown_method = True
    validation.reject_unknown_query_parameters = True
    validation.reject_binding_body_field_collisions = True
    return transcoder, left_out
