"""The registry of utilities: calculations that are defined as data."""
