"""Counts of numbers among dates and people, and the documented groupings."""
