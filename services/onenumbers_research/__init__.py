"""The research server: search by kind of source, and answers whose every sentence is tied to a passage."""

import onenumbers_runtime  # noqa: F401  # before gRPC, whose settings it makes
