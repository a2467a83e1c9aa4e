"""Many answers at once from one model."""
