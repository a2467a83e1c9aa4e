"""Local models in llama.cpp: where they come from, how they are proven safe, embeddings and generation."""
