"""Rearranged weights hold the values of the file, and are used only where a trial shows that they are safe."""

import signal

import gguf
import numpy as np
import pytest
from gguf.quants import dequantize

from onenumbers_models.generation.generator import ChatMessage, LlamaGenerator
from onenumbers_models.process.probe import CRASH_VARIABLE
from onenumbers_models.process.supervised import SupervisedGenerator
from onenumbers_models.settings import ModelSettings
from onenumbers_models.weights.repack import fast_variant

QUESTION = [ChatMessage("system", "You answer in one sentence."), ChatMessage("user", "What is the capital of France?")]
LIMITS = {"generation_context": 512, "model_threads": 1, "generation_slots": 2}


@pytest.fixture(scope="session")
def fast(smollm, data_dir):
    return fast_variant(smollm, data_dir=data_dir)


def test_the_two_files_together_hold_the_values_of_the_one(smollm, fast):
    """W of the Q4_1 file = W of the Q4_0 file + B A, up to the rounding of B to F16."""
    files = [gguf.GGUFReader(str(path)) for path in (smollm.path, fast.path, fast.adapter)]
    whole, base, parts = ({tensor.name: tensor for tensor in file.tensors} for file in files)
    assert whole.keys() == base.keys()
    names = [name for name in whole if whole[name].tensor_type == gguf.GGMLQuantizationType.Q4_1]
    assert len(names) * 2 == len(parts)
    for name in names[:: len(names) // 12]:
        expected = dequantize(whole[name].data, whole[name].tensor_type)
        sums = parts[f"{name}.lora_a"].data.astype(np.float32)
        constants = parts[f"{name}.lora_b"].data.astype(np.float32)
        found = dequantize(base[name].data, base[name].tensor_type) + constants @ sums
        assert np.abs(found - expected).max() <= np.abs(constants).max() * 2**-10
    same = [name for name in whole if name not in names]
    assert all(np.array_equal(whole[name].data, base[name].data) for name in same)


def test_it_is_made_once(smollm, fast, data_dir):
    before = fast.path.stat().st_mtime_ns
    assert fast_variant(smollm, data_dir=data_dir) == fast
    assert fast.path.stat().st_mtime_ns == before
    assert not list(fast.path.parent.glob(".*.part"))


async def test_the_answer_says_the_same(fast):
    generator = await LlamaGenerator.load(fast, context_length=512, threads=1)
    answer = "".join([piece async for piece in generator.generate(QUESTION, max_tokens=20)])
    assert "Paris" in answer
    await generator.close()


async def test_it_is_used_where_the_trial_succeeds(smollm, data_dir):
    generator = await SupervisedGenerator.load(smollm, ModelSettings.load(data_dir=data_dir, **LIMITS))
    assert generator._model.repack
    assert generator.model_id == smollm.model_id
    assert "Paris" in "".join([piece async for piece in generator.generate(QUESTION, max_tokens=20)])
    await generator.close()


async def test_where_the_trial_crashes_the_file_is_loaded_as_it_is(smollm, tmp_path, monkeypatch):
    monkeypatch.setenv(CRASH_VARIABLE, str(int(signal.SIGSEGV)))
    generator = await SupervisedGenerator.load(smollm, ModelSettings.load(data_dir=tmp_path, **LIMITS))
    assert generator._model == smollm
    assert generator.serving
    await generator.close()
