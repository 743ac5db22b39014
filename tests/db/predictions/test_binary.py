"""Pickles and files of PyTorch: what holds plain numbers is read, all else refused, and nothing runs."""

from __future__ import annotations

import collections
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasrank.db.columns.finding import Choice
from nasrank.db.errors import NasrankError
from nasrank.db.nb201.architectures import NUM_ARCHITECTURES, Architecture
from nasrank.db.predictions.files import read_prediction_file

COUNT = 50
STRINGS = [Architecture.from_id(one).string for one in range(COUNT)]
NUMBERS = np.random.default_rng(0).random(COUNT).round(3)
WHOLE = np.random.default_rng(1).random(NUM_ARCHITECTURES).astype("f4")


def of_torch(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


def as_default(pairs: Any) -> dict[str, float]:
    found: dict[str, float] = collections.defaultdict(float)
    found.update(pairs)
    return found


NAMED: dict[str, Any] = dict(zip(STRINGS, NUMBERS.tolist(), strict=True))
FEW: dict[str, bytes] = {
    "a dictionary": pickle.dumps(NAMED),
    "protocol 0": pickle.dumps(NAMED, protocol=0),
    "a defaultdict": pickle.dumps(as_default(NAMED)),
    "numbers of numpy": pickle.dumps({key: np.float64(value) for key, value in NAMED.items()}),
    "tuples of digits": pickle.dumps(
        {tuple(map(int, Architecture.from_id(one).digits)): NUMBERS[one] for one in range(COUNT)}
    ),
    "indices": pickle.dumps(dict(enumerate(NUMBERS.tolist()))),
    "two lists": pickle.dumps({"arch": STRINGS, "accuracy": NUMBERS}),
    "torch, a dictionary": of_torch(NAMED),
    "torch, tensors": of_torch(
        {key: torch.tensor(value, dtype=torch.float64) for key, value in NAMED.items()}
    ),
    "torch, an ordered dictionary": of_torch(collections.OrderedDict(NAMED)),
}


@pytest.mark.parametrize("kind", FEW)
def test_plain_numbers_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("net.pt" if kind.startswith("torch") else "net.pkl")
    path.write_bytes(FEW[kind])
    choice = Choice(notation="digits" if "digits" in kind else "index" if kind == "indices" else "string")
    [found] = read_prediction_file(path, choice)
    [ids] = found.readings.values()
    assert ids.tolist() == list(range(COUNT))
    assert found.numbers == pytest.approx(NUMBERS)
    assert found.format == ("torch" if kind.startswith("torch") else "pickle")


ALL: dict[str, bytes] = {
    "an array": pickle.dumps(WHOLE),
    "a list": pickle.dumps(WHOLE.tolist()),
    "a tensor": of_torch(torch.from_numpy(WHOLE)),
    "every second of a tensor": of_torch(torch.from_numpy(np.repeat(WHOLE, 2))[::2]),
    "a column of a tensor": of_torch(torch.from_numpy(np.stack([WHOLE, 1 - WHOLE], axis=1))[:, 0]),
    "a parameter": of_torch(torch.nn.Parameter(torch.from_numpy(WHOLE))),
}


@pytest.mark.parametrize("kind", ALL)
def test_numbers_in_the_benchmarks_order(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "whole"
    path.write_bytes(ALL[kind])
    [found] = read_prediction_file(path, Choice(notation="index"))
    assert found.numbers == pytest.approx(WHOLE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.uint8])
def test_tensors_of_every_kind(tmp_path: Path, dtype: torch.dtype) -> None:
    values = torch.arange(NUM_ARCHITECTURES, dtype=torch.float64) % 100
    path = tmp_path / "net.pt"
    path.write_bytes(of_torch({"part": {"seeds": values.to(dtype)}}))
    [found] = read_prediction_file(path, Choice(part="part.seeds", notation="index"))
    assert found.numbers == pytest.approx(values.to(dtype).to(torch.float64).numpy())


class Hostile:
    """Runs something when it is loaded as pickles usually are."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch it-ran",)


def of_model() -> bytes:
    return of_torch(torch.nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (pickle.dumps(Hostile()), "asks for .*posix.system.*refused; save the numbers as JSON"),
        (of_torch(Hostile()), "asks for .*posix.system.*refused; save the numbers as JSON"),
        (of_model(), "asks for .*torch.nn.modules.linear.Linear.*refused; save the numbers as JSON"),
        (pickle.dumps({"a": {1, 2}}), "holds a set; save the numbers as JSON"),
        (pickle.dumps(NAMED)[:-20], "not a readable pickle"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.rest", "saved by PyTorch before 1.6, which is not read"),
    ],
)
def test_what_is_not_plain_is_refused(
    tmp_path: Path, content: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    with pytest.raises(NasrankError, match=told) as raised:
        read_prediction_file(path, Choice())
    assert len(str(raised.value).splitlines()) == 1
    assert not (tmp_path / "it-ran").exists()


def test_a_tensor_outside_of_its_storage_is_refused(tmp_path: Path) -> None:
    """Its numbers cut off in the ZIP file."""
    whole = io.BytesIO(of_torch(torch.arange(100.0)))
    cut = io.BytesIO()
    with zipfile.ZipFile(whole) as archive, zipfile.ZipFile(cut, "w") as other:
        for info in archive.infolist():
            content = archive.read(info)
            other.writestr(info.filename, content[:40] if "/data/0" in info.filename else content)
    path = tmp_path / "net.pt"
    path.write_bytes(cut.getvalue())
    with pytest.raises(NasrankError, match="outside of its storage"):
        read_prediction_file(path, Choice())
