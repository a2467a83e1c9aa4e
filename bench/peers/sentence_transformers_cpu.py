"""The peer of bench/embedding.py: MiniLM by sentence-transformers, one batch of texts for every line that is read.

Usage: PYTHON bench/peers/sentence_transformers_cpu.py MODEL_FOLDER THREADS, with the texts as one JSON list per line on
standard input. Answers with one JSON object per line: seconds, CPU seconds, and the file with the vectors.
"""

import json
import sys
import tempfile
import time

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = SentenceTransformer(folder, device="cpu")
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    texts = json.loads(line)
    wall, cpu = time.perf_counter(), time.process_time()
    vectors = model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    with tempfile.NamedTemporaryFile(suffix=".npy", delete=False) as file:
        np.save(file, vectors)
    print(json.dumps(taken | {"vectors": file.name}), flush=True)
