"""The utilities server: calculations of numerology over gRPC."""
