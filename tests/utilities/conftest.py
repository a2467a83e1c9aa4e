"""Settings of the utilities' tests."""

from __future__ import annotations

from hypothesis import settings

# Time per example says nothing on a shared machine.
settings.register_profile("onenumbers", deadline=None)
settings.load_profile("onenumbers")
