"""Models in processes of their own: proven safe, measured, supervised."""
