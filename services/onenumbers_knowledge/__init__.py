"""The knowledge server: documents, and retrieval over their passages."""

import onenumbers_runtime  # noqa: F401  # before gRPC, whose settings it makes
