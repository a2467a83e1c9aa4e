"""Calculations of numerology by documented schools. Pure: no gRPC, no protobuf, no clock, no state."""
