"""Server reflection, v1 and v1alpha. grpcio carries v1alpha only; the two differ in nothing but the package's name."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import Default, DescriptorPool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

SERVICE_V1 = "grpc.reflection.v1.ServerReflection"
SERVICE_V1ALPHA = "grpc.reflection.v1alpha.ServerReflection"
REFLECTION_SERVICES = (SERVICE_V1, SERVICE_V1ALPHA)


def v1_file() -> descriptor_pb2.FileDescriptorProto:
    """Returns the descriptor of the v1 service: that of v1alpha under its new name."""
    alpha = descriptor_pb2.FileDescriptorProto()
    reflection_pb2.DESCRIPTOR.CopyToProto(alpha)
    alpha.name = "grpc/reflection/v1/reflection.proto"
    alpha.package = "grpc.reflection.v1"
    alpha.ClearField("options")
    for message in alpha.message_type:
        for field in message.field:
            if field.type_name:
                field.type_name = field.type_name.replace(".v1alpha.", ".v1.")
    for service in alpha.service:
        for method in service.method:
            method.input_type = method.input_type.replace(".v1alpha.", ".v1.")
            method.output_type = method.output_type.replace(".v1alpha.", ".v1.")
    return alpha


def publish_v1(pool: DescriptorPool | None = None) -> None:
    """Makes the v1 service known to a pool, so that clients can describe it. Safe to call again."""
    pool = pool if pool is not None else Default()
    try:
        pool.FindFileByName("grpc/reflection/v1/reflection.proto")
    except KeyError:
        pool.AddSerializedFile(v1_file().SerializeToString())


def handlers(servicer: ReflectionServicer) -> list[grpc.GenericRpcHandler]:
    """Returns the handlers of both versions over one servicer."""
    method = grpc.stream_stream_rpc_method_handler(
        servicer.ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
    return [
        grpc.method_handlers_generic_handler(service, {"ServerReflectionInfo": method})
        for service in REFLECTION_SERVICES
    ]


def reflection_handlers(services: Iterable[str]) -> list[grpc.GenericRpcHandler]:
    """Returns the handlers that show `services` and reflection itself, from the default pool."""
    publish_v1()
    return handlers(ReflectionServicer((*services, *REFLECTION_SERVICES)))
