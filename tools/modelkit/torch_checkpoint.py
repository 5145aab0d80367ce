"""Reads a PyTorch state_dict in the file format that PyTorch wrote before version 1.6, without PyTorch.

The file is a sequence of pickles (magic number, protocol version, machine facts, the dictionary, the list of storage keys),
then for each key an int64 element count and the raw elements. A pickle can run code, so only the five names a dictionary of
tensors needs are resolved; anything else is refused by name.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


class CheckpointError(Exception):
    """The file is not a state_dict in the old format."""


@dataclass(frozen=True)
class _StorageType:
    dtype: np.dtype[Any]


_STORAGE_TYPES = {"FloatStorage": _StorageType(np.dtype("<f4")), "LongStorage": _StorageType(np.dtype("<i8"))}


@dataclass(frozen=True)
class _Storage:
    key: str
    type: _StorageType


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage whose bytes come only after the pickle that mentions it."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(
    storage: _Storage,
    offset: int,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    requires_grad: bool = False,
    hooks: object = None,
    metadata: object = None,
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _StateDictUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGE_TYPES:
            return _STORAGE_TYPES[name]
        raise CheckpointError(f"the checkpoint asks for {module}.{name}, which a dictionary of tensors does not need")

    def persistent_load(self, reference: Any) -> _Storage:
        kind, storage_type, key, _device, _count, view = reference
        if kind != "storage" or view is not None:
            raise CheckpointError(f"unknown reference {kind!r} in the checkpoint")
        return _Storage(key, storage_type)


def read_state_dict(content: bytes) -> dict[str, np.ndarray]:
    """Parameter name -> array, in the file's order. Arrays are copies and own their memory."""
    stream = io.BytesIO(content)
    if _StateDictUnpickler(stream).load() != MAGIC or _StateDictUnpickler(stream).load() != PROTOCOL:
        raise CheckpointError("not a PyTorch checkpoint in the pre-1.6 format")
    _StateDictUnpickler(stream).load()  # byte order and integer sizes of the writing machine: little-endian everywhere we know
    tensors: dict[str, _Tensor] = _StateDictUnpickler(stream).load()
    keys: list[str] = _StateDictUnpickler(stream).load()

    types = {tensor.storage.key: tensor.storage.type.dtype for tensor in tensors.values()}
    storages: dict[str, np.ndarray] = {}
    for key in keys:
        count = int(np.frombuffer(stream.read(8), "<i8")[0])
        raw = stream.read(count * types[key].itemsize)
        if len(raw) != count * types[key].itemsize:
            raise CheckpointError(f"the checkpoint ends inside storage {key}")
        storages[key] = np.frombuffer(raw, types[key])

    arrays: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        elements = storages[tensor.storage.key][tensor.offset :]
        extent = 1 + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.strides, strict=True))
        if extent > len(elements):  # as_strided would read beyond the storage
            raise CheckpointError(f"parameter {name} reaches beyond its storage")
        byte_strides = tuple(step * elements.itemsize for step in tensor.strides)
        arrays[name] = np.lib.stride_tricks.as_strided(elements, tensor.shape, byte_strides).copy()
    return arrays
