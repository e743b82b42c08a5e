"""Ways in which the files of a model folder are damaged: name -> what to do to the folder.

Nothing here uses the code under test.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

Damage = Callable[[Path], None]
CONFIG, PLANS, DATASET = "inference_config.json", "plans.json", "dataset.json"
GONE = object()
"""Stands for a field that is taken away."""


def of_text(file: str) -> dict[str, Damage]:
    """Return damage to the text of a JSON file, whatever it says."""

    def written(content: bytes) -> Damage:
        return lambda folder: (folder / file).write_bytes(content) and None

    def changed(change: Callable[[bytes], bytes]) -> Damage:
        return lambda folder: (
            (folder / file).write_bytes(change((folder / file).read_bytes())) and None
        )

    def replaced(make: Callable[[Path], Any]) -> Damage:
        def act(folder: Path) -> None:
            (folder / file).unlink()
            make(folder / file)

        return act

    found: dict[str, Damage] = {
        "empty": written(b""),
        "a null byte": written(b"\0"),
        "null": written(b"null"),
        "a list": written(b"[]"),
        "an empty object": written(b"{}"),
        "a number": written(b"3"),
        "a text": written(b'"model"'),
        "a page": written(b"<html>Sign in</html>"),
        "not UTF-8": written(b'{"a": "\xff\xfe"}'),
        "UTF-16": changed(lambda content: content.decode().encode("utf-16")),
        "cut in half": changed(lambda content: content[: len(content) // 2]),
        "more behind": changed(lambda content: content + b"}"),
        "NaN": changed(lambda content: content.replace(b"{", b'{"x": NaN, ', 1)),
        "infinite": changed(lambda content: content.replace(b"{", b'{"x": -Infinity, ', 1)),
        "overflowing": changed(lambda content: content.replace(b"{", b'{"x": 1e999, ', 1)),
        "long number": changed(lambda content: content.replace(b"{", b'{"x": ' + b"9" * 5000 + b", ", 1)),
        "a field twice": changed(lambda content: content.replace(b"{", b'{"x": 1, "x": 2, ', 1)),
        "40 levels": changed(lambda content: content.replace(b"{", b'{"x": ' + b"[" * 40 + b"]" * 40 + b", ", 1)),
        "100000 levels": written(b"[" * 100_000 + b"]" * 100_000),
        "100000 objects": written(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
        "5 MB": changed(lambda content: content + b" " * 5_000_000),
        "10 GB": lambda folder: os.truncate(folder / file, 10_000_000_000),
        "missing": lambda folder: (folder / file).unlink(),
        "a folder": replaced(Path.mkdir),
        "a pipe": replaced(os.mkfifo),
        "a link to nothing": replaced(lambda path: path.symlink_to("nowhere")),
    }  # fmt: skip
    return {f"{file}: {name}": damage for name, damage in found.items()}


def of_fields(file: str, changes: dict[str, list[Any]]) -> dict[str, Damage]:
    """Return damage to fields: `changes` gives, for a path such as a.b.0, the values to try; GONE removes it."""
    return {
        f"{file}: {place} {number}": _field(file, place.split("."), value)
        for place, values in changes.items()
        for number, value in enumerate(values)
    }


def _field(file: str, place: list[str], value: Any) -> Damage:
    def act(folder: Path) -> None:
        content = json.loads((folder / file).read_text())
        inside = content
        for step in place[:-1]:
            inside = inside[int(step) if isinstance(inside, list) else step]
        last = int(place[-1]) if isinstance(inside, list) else place[-1]
        if value is GONE:
            del inside[last]
        else:
            inside[last] = value
        (folder / file).write_text(json.dumps(content))

    return act


DEEP = json.loads("[" * 25 + "]" * 25)
OF_CONFIG = of_fields(
    CONFIG,
    {
        "colour": ["red"],
        "log_name": [GONE, 3, "x" * 1000],
        "modality": [GONE, [], "T3w", ["T2w", 3], DEEP],
        "acquisition": ["oblique", ["sag"], True],
        "modeltype": [GONE, "transformer", None, {}],
        "model_expected_orientation": [GONE, "PI", ["P", "I", "S"], ["P", "I", 3], "PIRA", [["P"], "I", "R"]],
        "available_folds": [GONE, 0, -1, 10**7, 1.0, True, [], [-1], [0, 0], ["../0"], ["a/b"], list(range(500)), {}],
        "inference_augmentation": [GONE, 1, "yes"],
        "resolution_range": [GONE, None, [1, 1], [1, 1, 0], [1e-9, 1, 1], [0.1, 0.1, 0.1], [1, 1, 1e9], [[1, 1, 1]],
                             [[2, 2, 2], [1, 1, 1]], [1, 1, "3"], [True, 1, 1]],
        "default_step_size": [GONE, 0, 1e-9, 1.5, "half", True, None],
        "labels": [GONE, {}, [1, 2], {"1": 256}, {"1": -1}, {"1": "sacrumm"}, {"256": 1}, {"-1": 1}, {"1": None},
                   {"one": 1}, {"1": "9" * 60}, {str(n): 1 for n in range(100_000)}],
        "expected_inputs": [[], ["pet"], "img", [["img"]], ["img"] * 100],
        "has_c1": [1, None],
        "needs_corp": [True, 0],
        "sacrum_ids": ["S1", [256], 10**30],
        "metal": [-1, [1.5]],
        "cutout_size": [[10, 10], [10, 11, 12], [-8, 8, 8], [0, 8, 8], [1200] * 3, [1024] * 3, 8, [8.0, 8, 8]],
        "corpus_size_cleaning": [-1, 1e300, "100"],
        "mapping": [{"41": 256}, {"300": 1}, {"a": 1}, [], {"41": 1.5}, {"41": True}],
        "compatibility": ["other", 3],
        "resamples_to_plans": ["no"],
        "network": [3, {}, {"channels": 1}],
    },
)  # fmt: skip
"""What every kind of folder has in common."""

_C = "configurations.3d_fullres"
_A = f"{_C}.architecture"
_K = f"{_A}.arch_kwargs"
OF_PLANS = of_fields(
    PLANS,
    {
        "configurations": [GONE, {}, [], {"3d_fullres": 3}, {"2d": {}}, {str(n): {} for n in range(10_000)}],
        f"{_C}.inherits_from": ["3d_fullres", "nothing", 3, ["x"]],
        "transpose_forward": [GONE, [0, 1], [0, 1, 1], [0, 1, 3], [0, 1, 2, 3], "012", [0.0, 1, 2]],
        "foreground_intensity_properties_per_channel": [[], {"0": 3}, {"0": {"mean": "x"}}],
        f"{_C}.patch_size": [GONE, [32, 32], [1200] * 3, [1024] * 3, [0, 32, 4], [-32, 32, 4], [32.0, 32, 4],
                             ["32", 32, 4], [31, 33, 5], 10**9, [10**30] * 3, [2, 2, 1], [8, 8, 8], None],
        f"{_C}.spacing": [GONE, [1, 1], [0, 1, 1], [1e-9] * 3, [0.1] * 3, [1e9] * 3, ["1", 1, 1], -1],
        f"{_C}.normalization_schemes": [GONE, [], ["HistogramNormalization"], "ZScoreNormalization", [3],
                                        ["ZScoreNormalization"] * 2, ["CTNormalization"], ["os.system"]],
        f"{_C}.use_mask_for_norm": [GONE, [], [1], ["no"], True],
        f"{_C}.previous_stage": ["3d_lowres", 3],
        f"{_C}.resampling_fn_data": ["os.system", 3],
        f"{_C}.resampling_fn_data_kwargs": [[], {"order": 99}, {"order": 1.5}, {"x": 1}, {"force_separate_z": "z"}],
        f"{_A}": [GONE, 3, {}, []],
        f"{_A}.network_class_name": [GONE, "os.system", "somewhere.Primus", 3, "a" * 100_000],
        f"{_A}._kw_requires_import": [GONE, ["os"], 3],
        f"{_K}": [GONE, {}, []],
        f"{_K}.x": [1],
        f"{_K}.n_stages": [GONE, 0, 1, 2.0, 10**5, -3, 99, "2", 5],
        f"{_K}.features_per_stage": [GONE, [], [4], [0, 6], [4, 10**9], [10**5] * 2, ["4", 6], 10**9, [4] * 10**5],
        f"{_K}.conv_op": [GONE, "torch.nn.modules.conv.Conv2d", "os.system", 3, "torch.nn.Linear"],
        f"{_K}.kernel_sizes": [GONE, [], [[3, 3, 3]], [[3, 3], [3, 3]], [[2, 2, 2]] * 2, [[99] * 3] * 2, 10**6, "3"],
        f"{_K}.strides": [GONE, [], [[1, 1, 1]], [[0, 0, 0]] * 2, [[-1] * 3] * 2, [[64] * 3] * 2, [[2, 2]] * 2],
        f"{_K}.n_conv_per_stage": [GONE, [], [1], 10**5, [10**5, 1], [0, 0], [1.5, 1], "1", [True, True]],
        f"{_K}.n_blocks_per_stage": [[1, 1]],
        f"{_K}.n_conv_per_stage_decoder": [GONE, [], [10**5], 10**5, [1] * 10, [0]],
        f"{_K}.conv_bias": ["yes", 1],
        f"{_K}.norm_op": ["torch.nn.Linear", "pdb.Pdb", 3],
        f"{_K}.norm_op_kwargs": [{"eps": -1}, {"eps": "x"}, {"num_features": 10**9}, [], {"affine": 1}],
        f"{_K}.dropout_op": ["torch.nn.Module", 3],
        f"{_K}.nonlin": ["torch.nn.init", "torch.nn.Softmax", 3],
        f"{_K}.nonlin_kwargs": [{"inplace": "x"}, {"negative_slope": 1e9}, {"num_parameters": 10**9}, "inplace"],
    },
)  # fmt: skip
OF_DATASET = of_fields(
    DATASET,
    {
        "channel_names": [GONE, {}, {"0": "T1w", "1": "T2w"}, [], 3, {str(n): "T2w" for n in range(1000)}],
        "labels": [GONE, {}, [], 3, {"background": 0}, {"background": 0, "a": 5}, {"background": 0, "a": "x"},
                   {"background": 0, "a": -1}, {"background": 0, "a": 1.0}, {"background": 0, "a": None},
                   {"background": 0, "whole": [1, 2]}, {"a": 1, "b": 2}, {str(n): n for n in range(100_000)},
                   {"background": 0, "a": [list(range(100_000))]}, {"background": 0, "a": 1}],
    },
)  # fmt: skip
NETWORK_FIELDS: dict[str, list[Any]] = {
    "network.colour": ["red"],
    "network.channels": [GONE, 0, -1, 10**9, 14.0, "14", 3],
    "network.features": [
        GONE,
        [],
        [4],
        [0, 6, 8],
        [10**9] * 3,
        [4] * 1000,
        [4, 6, 8.0],
        "468",
        [4, 6],
    ],
    "network.reduction": [GONE, [0, 1, 1], [2, 2], [10**6] * 3, 2, [3, 3, 3]],
    "network.in_plane_stages": [GONE, -1, 10**9, 1.5],
    "network.thick_pooling_stages": [GONE, [7], [-1], 2, [1.5], [2] * 1000],
    "network.cutout_size": [GONE, [32, 32], [1200] * 3, [64, 64, 16], [0, 0, 0]],
    "network.spacing_mm": [GONE, [0, 0, 0], [1e-9] * 3, "1"],
    "network.slices_mm": [[1], [0, 5], "2", [1e-9, 1e9]],
    "cutout_size": [GONE, [32, 32, 10], [30, 32, 8], [4, 4, 2]],
    "mapping": [{"41": 14}],
    "modeltype": ["nnunet"],
}

AGAINST_WEIGHTS: dict[str, list[Any]] = {
    "network.channels": [200],
    "network.features": [[4, 6, 9], [2048] * 3],
    "network.in_plane_stages": [0, 3],
    "network.thick_pooling_stages": [[1, 2]],
}
"""Possible in themselves, but the weights are those of another network."""


class Weights:
    """Makes damage to one file of weights in our own format."""

    def __init__(self, file: str) -> None:
        self._file = file

    def raw(self, change: Callable[[bytes], bytes]) -> Damage:
        """Return damage to the file's bytes."""

        def act(folder: Path) -> None:
            path = folder / self._file
            path.write_bytes(change(path.read_bytes()))

        return act

    def header(self, change: Callable[[dict], Any]) -> Damage:
        """Return damage to the file's header; its tensors stay."""

        def act(content: bytes) -> bytes:
            length = struct.unpack("<Q", content[:8])[0]
            found = json.loads(content[8 : 8 + length])
            text = json.dumps(change(found) or found).encode()
            return struct.pack("<Q", len(text)) + text + content[8 + length :]

        return self.raw(act)

    def tensors(self, change: Callable[[dict], Any]) -> Damage:
        """Return damage to the tensors, saved as a valid file with the same metadata."""

        def act(folder: Path) -> None:
            path = folder / self._file
            with path.open("rb") as opened:
                length = struct.unpack("<Q", opened.read(8))[0]
                told = json.loads(opened.read(length)).get("__metadata__")
            found = load_file(path)
            change(found)
            save_file(found, path, told)

        return act

    def with_value(self, value: float) -> Damage:
        """Return damage to a single number."""
        return self.tensors(lambda found: found[first(found)].view(-1)[:1].fill_(value))


def first(found: dict) -> str:
    """Return the name of the first tensor of a file or of a header."""
    return next(name for name in found if name != "__metadata__")


def reshaped(found: dict, shape: list[int]) -> None:
    """Change the shape that a header gives the first tensor."""
    found[first(found)]["shape"] = shape


def of_safetensors(file: str) -> dict[str, Damage]:
    """Return damage to a file of weights in our own format."""
    weights = Weights(file)
    raw, header, tensors = weights.raw, weights.header, weights.tensors
    found: dict[str, Damage] = {
        "empty": raw(lambda content: b""),
        "seven bytes": raw(lambda content: content[:7]),
        "a header alone": raw(lambda content: content[:200]),
        "cut in half": raw(lambda content: content[: len(content) // 2]),
        "one byte less": raw(lambda content: content[:-1]),
        "one byte more": raw(lambda content: content + b"\0"),
        "a page": raw(lambda content: b"<html>Sign in</html>" * 10),
        "a header of 2^63 bytes": raw(lambda content: b"\xff" * 7 + b"\x7f" + content[8:]),
        "a header of 100 MB": lambda folder: _sparse(folder / file, 100_000_000),
        "a header of zeros": raw(lambda content: content[:8] + b"\0" * (len(content) - 8)),
        "a header of null": raw(lambda content: struct.pack("<Q", 4) + b"null"),
        "deep header": raw(lambda content: struct.pack("<Q", 100_000) + b"[" * 50_000 + b"]" * 50_000),
        "no tensors": tensors(dict.clear),
        "a tensor less": tensors(lambda found: found.pop(first(found))),
        "a tensor more": tensors(lambda found: found.update(more=torch.ones(1))),
        "5000 tensors": tensors(lambda found: found.update({f"x{n}": torch.ones(1) for n in range(5_000)})),
        "another name": tensors(lambda found: found.update(other=found.pop(first(found)))),
        "another shape": tensors(lambda found: found.update({first(found): torch.ones(3, 3)})),
        "an empty tensor": tensors(lambda found: found.update({first(found): torch.ones(0)})),
        "whole numbers": tensors(lambda found: found.update({first(found): torch.ones(3, dtype=torch.int64)})),
        "truth values": tensors(lambda found: found.update({first(found): torch.ones(3, dtype=torch.bool)})),
        "a huge shape": header(lambda found: reshaped(found, [2**40, 2**40])),
        "a negative shape": header(lambda found: reshaped(found, [-4])),
        "an unknown type": header(lambda found: found[first(found)].update(dtype="F13")),
        "offsets reversed": header(lambda found: found[first(found)].update(data_offsets=[8, 0])),
        "offsets beyond": header(lambda found: found[first(found)].update(data_offsets=[0, 10**15])),
        "offsets twice": header(lambda found: found.update(twin=dict(found[first(found)]))),
        "NaN": weights.with_value(float("nan")),
        "infinite": weights.with_value(float("inf")),
        "minus infinite": weights.with_value(float("-inf")),
        "beyond single precision": tensors(
            lambda found: found.update({first(found): found[first(found)].double() + 1e300})
        ),
        "missing": lambda folder: (folder / file).unlink(),
        "a folder": lambda folder: _folder_instead(folder / file),
    }  # fmt: skip
    return {f"weights: {name}": damage for name, damage in found.items()}


def of_metadata(file: str) -> dict[str, Damage]:
    """Return damage to what a fold of our own says beside its tensors."""
    axes = "inference_allowed_mirroring_axes"
    usual = {"configuration": "3d_fullres", axes: "null"}

    def told(metadata: dict[str, str] | None) -> Damage:
        return lambda folder: save_file(load_file(folder / file), folder / file, metadata)

    found = {
        "none": told(None),
        "no configuration": told({axes: "null"}),
        "another configuration": told({**usual, "configuration": "2d"}),
        "a long configuration": told({**usual, "configuration": "x" * 100_000}),
        "no axes": told({"configuration": "3d_fullres"}),
        "axes cut short": told({**usual, axes: "[0, 1"}),
        "axes of text": told({**usual, axes: '["0"]'}),
        "axis 3": told({**usual, axes: "[3]"}),
        "an axis twice": told({**usual, axes: "[0, 0]"}),
        "many axes": told({**usual, axes: str(list(range(100_000)))}),
        "deep axes": told({**usual, axes: "[" * 100_000}),
    }
    return {f"metadata: {name}": damage for name, damage in found.items()}


def of_checkpoint(file: str, weights: str) -> dict[str, Damage]:
    """Return damage to a pickled checkpoint whose tensors are in the field `weights`."""

    def raw(change: Callable[[bytes], bytes]) -> Damage:
        return lambda folder: (
            (folder / file).write_bytes(change((folder / file).read_bytes())) and None
        )

    def content(change: Callable[[dict], Any]) -> Damage:
        def act(folder: Path) -> None:
            found = torch.load(folder / file, weights_only=False)
            changed = change(found)
            torch.save(found if changed is None else changed, folder / file)

        return act

    def tensor(make: Callable[[torch.Tensor], Any]) -> Damage:
        def act(found: dict) -> None:
            name = next(name for name in found[weights] if found[weights][name].dim() > 1)
            found[weights][name] = make(found[weights][name])

        return content(act)

    found: dict[str, Damage] = {
        "empty": raw(lambda content: b""),
        "a page": raw(lambda content: b"<html>Sign in</html>" * 10),
        "cut in half": raw(lambda content: content[: len(content) // 2]),
        "its end cut off": raw(lambda content: content[:-100]),
        "only its head": raw(lambda content: content[:100]),
        "zeros": raw(lambda content: b"\0" * 1000),
        "a zip of nothing": lambda folder: zipfile.ZipFile(folder / file, "w").close(),
        "packed": lambda folder: _packed(folder / file),
        "a list": content(lambda found: [1, 2]),
        "None": content(lambda found: {}),
        "no weights": content(lambda found: found.pop(weights) and None),
        "weights of text": content(lambda found: found.update({weights: "x"})),
        "no tensors": content(lambda found: found.update({weights: {}})),
        "a tensor of text": tensor(lambda value: "x"),
        "a tensor of lists": tensor(lambda value: value.tolist()),
        "NaN": tensor(lambda value: value * float("nan")),
        "infinite": tensor(lambda value: value / 0),
        "beyond single precision": tensor(lambda value: value.double() + 1e300),
        "another shape": tensor(lambda value: value[:1]),
        "flat": tensor(lambda value: value.flatten()),
        "stretched over 1200^3 voxels": tensor(lambda value: torch.zeros(1).expand(1200, 1200, 1200)),
        "sparse": tensor(lambda value: value.to_sparse()),
        "huge and sparse": tensor(
            lambda value: torch.sparse_coo_tensor(torch.zeros(2, 1), torch.ones(1), (10**6, 10**6))
        ),
        "without numbers": tensor(lambda value: torch.empty(10**6, 10**6, device="meta")),
        "complex": tensor(lambda value: value + 1j),
        "more": content(lambda found: found[weights].update(more=torch.ones(1))),
        "names that are numbers": content(lambda found: found[weights].update({3: torch.ones(1)})),
        "less": content(lambda found: _one_shape_less(found[weights])),
        "a function": content(lambda found: found.update(extra=print)),
        "missing": lambda folder: (folder / file).unlink(),
        "a folder": lambda folder: _folder_instead(folder / file),
    }  # fmt: skip
    return {f"checkpoint: {name}": damage for name, damage in found.items()}


def entries(file: str, changes: dict[str, Callable[[dict], Any]]) -> dict[str, Damage]:
    """Return damage to the entries of a pickled checkpoint."""

    def made(change: Callable[[dict], Any]) -> Damage:
        def act(folder: Path) -> None:
            found = torch.load(folder / file, weights_only=False)
            change(found)
            torch.save(found, folder / file)

        return act

    return {f"entries: {name}": made(change) for name, change in changes.items()}


def nested(times: int) -> list:
    """Return a list that is small in memory and endless when written out."""
    found: list = ["x"]
    for _ in range(times):
        found = [found, found]
    return found


def spoil(intact: Path, folder: Path, damage: Damage) -> Path:
    """Return a damaged copy of a folder."""
    shutil.copytree(intact, folder)
    damage(folder)
    return folder


def _one_shape_less(found: dict) -> None:
    """Take a tensor away under all its names."""
    first = next(iter(found.values()))
    for name in [name for name, value in found.items() if value.data_ptr() == first.data_ptr()]:
        del found[name]


def _folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _sparse(path: Path, length: int) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<Q", length))
        file.truncate(length + 8)


def _packed(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        found = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in found:
            archive.writestr(name, content)
        archive.writestr("archive/data/more", b"\0" * 10_000_000)
