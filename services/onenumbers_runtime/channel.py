"""Channels to other servers of the mesh: limits, keepalive, and retries that gRPC itself makes."""

from __future__ import annotations

import json

import grpc

from onenumbers_runtime.settings import MeshSettings, target


def channel_options(settings: MeshSettings, *, retry: bool = True) -> list[tuple[str, str | int]]:
    """Returns the options of a channel. Retries cover calls that no server has processed, and UNAVAILABLE."""
    limit = settings.max_message_bytes
    options: list[tuple[str, str | int]] = [
        ("grpc.max_receive_message_length", limit),
        ("grpc.max_send_message_length", limit),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_retries", 1 if retry else 0),
    ]
    if retry and settings.max_retries > 0:
        policy = {
            "methodConfig": [
                {
                    "name": [{}],
                    "retryPolicy": {
                        "maxAttempts": min(5, settings.max_retries + 1),
                        "initialBackoff": "0.05s",
                        "maxBackoff": "1s",
                        "backoffMultiplier": 2,
                        "retryableStatusCodes": ["UNAVAILABLE"],
                    },
                }
            ]
        }
        options.append(("grpc.service_config", json.dumps(policy)))
    return options


def open_channel(address: str, settings: MeshSettings, *, retry: bool = True) -> grpc.aio.Channel:
    """Opens a channel to "host:port". Calls pass `metadata=outgoing_metadata(...)` and a timeout of their own."""
    return grpc.aio.insecure_channel(target(address), options=channel_options(settings, retry=retry))
