"""Answers that Envoy gives itself, in the form that the caller reads: google.rpc.Status as JSON, or a gRPC status.

A gRPC client gets Envoy's own translation to grpc-status; JSON would reach it as a broken message. A call that came
as JSON and was transcoded looks like gRPC by then and is known by the header with its original path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from envoy.config.accesslog.v3 import accesslog_pb2
from envoy.config.core.v3 import substitution_format_string_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as hcm_pb2

from onenumbers_runtime.errors import ERROR_DOMAIN

_Filter: TypeAlias = accesslog_pb2.AccessLogFilter

_REPLIES: tuple[tuple[int, int, int, str], ...] = (
    # HTTP status, status sent, google.rpc.Code, reason
    (400, 400, 3, "INVALID_REQUEST"),
    (403, 403, 7, "FORBIDDEN"),
    (404, 404, 5, "UNKNOWN_PATH"),
    (405, 405, 12, "METHOD_NOT_ALLOWED"),
    (408, 504, 4, "DEADLINE_EXCEEDED"),
    (411, 411, 3, "LENGTH_REQUIRED"),
    (413, 413, 8, "BODY_TOO_LARGE"),
    (415, 415, 3, "UNSUPPORTED_MEDIA_TYPE"),
    (426, 426, 9, "UPGRADE_REQUIRED"),
    (429, 429, 8, "TOO_MANY_REQUESTS"),
    (431, 431, 8, "HEADERS_TOO_LARGE"),
    (500, 500, 13, "INTERNAL"),
    (502, 502, 14, "BAD_UPSTREAM"),
    (503, 503, 14, "UPSTREAM_UNAVAILABLE"),
    (504, 504, 4, "DEADLINE_EXCEEDED"),
)

_NOBODY = "no instance of the server that has this method is ready; the mesh goes on looking for one"
"""Envoy's own words are "no healthy upstream", which tell a caller nothing."""


def build_local_replies() -> hcm_pb2.LocalReplyConfig:
    """Returns the mappers of all statuses that Envoy answers by itself."""
    config = hcm_pb2.LocalReplyConfig()
    config.mappers.extend(_mappers())
    return config


def _mappers() -> Iterator[hcm_pb2.ResponseMapper]:
    # The first that fits is used. For gRPC the body is what becomes grpc-message.
    mapper = hcm_pb2.ResponseMapper(filter=_all(_flag("UH"), _reads_json()))
    mapper.body.inline_string = _NOBODY
    mapper.body_format_override.CopyFrom(_body(14, "UPSTREAM_UNAVAILABLE"))
    yield mapper
    mapper = hcm_pb2.ResponseMapper(filter=_flag("UH"))
    mapper.body.inline_string = _NOBODY
    yield mapper
    for status, sent, code, reason in _REPLIES:
        mapper = hcm_pb2.ResponseMapper(filter=_all(_status(status), _reads_json()))
        mapper.status_code.value = sent
        mapper.body_format_override.CopyFrom(_body(code, reason))
        yield mapper
    # Envoy's translation of 504 is UNAVAILABLE; a gRPC client expects to read that its time is up.
    mapper = hcm_pb2.ResponseMapper(filter=_status(504))
    header = mapper.headers_to_add.add().header
    header.key, header.value = "grpc-status", "4"
    yield mapper


def _body(code: int, reason: str) -> substitution_format_string_pb2.SubstitutionFormatString:
    body = substitution_format_string_pb2.SubstitutionFormatString(content_type="application/json")
    body.json_format.update(
        {
            "code": code,
            "message": "%LOCAL_REPLY_BODY%",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": reason,
                    "domain": ERROR_DOMAIN,
                    "metadata": {"request_id": "%REQ(X-REQUEST-ID)%"},
                }
            ],
        }
    )
    return body


def _reads_json() -> _Filter:
    plain = _Filter()
    plain.header_filter.header.name = "content-type"
    plain.header_filter.header.string_match.prefix = "application/grpc"
    plain.header_filter.header.invert_match = True
    # Without the header an inverted match would fail too: no content type is no gRPC.
    plain.header_filter.header.treat_missing_header_as_empty = True
    transcoded = _Filter()
    transcoded.header_filter.header.name = "x-envoy-original-path"
    transcoded.header_filter.header.present_match = True
    either = _Filter()
    either.or_filter.filters.extend((plain, transcoded))
    return either


def _status(value: int) -> _Filter:
    status = _Filter()
    comparison = status.status_code_filter.comparison
    comparison.op = accesslog_pb2.ComparisonFilter.EQ
    comparison.value.default_value = value
    comparison.value.runtime_key = f"onenumbers.local_reply.{value}"
    return status


def _flag(value: str) -> _Filter:
    flagged = _Filter()
    flagged.response_flag_filter.flags.append(value)
    return flagged


def _all(*filters: _Filter) -> _Filter:
    combined = _Filter()
    combined.and_filter.filters.extend(filters)
    return combined
