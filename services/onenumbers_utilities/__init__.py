"""The utilities server: calculations of numerology over gRPC."""

import onenumbers_runtime  # noqa: F401  # before gRPC, whose settings it makes
