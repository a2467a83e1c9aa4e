"""From files and texts to passages with vectors."""
