"""What a pickle may build, and that a hostile or damaged one does nothing and ends in one clear line."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasrank.db.errors import NasrankError
from nasrank.db.files.pickles import load_pickle


def load(content: bytes, **options: Any) -> Any:
    return load_pickle(io.BytesIO(content), name="it", **options)


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary()
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.sets(st.integers())
        | st.frozensets(st.text())
    ),
    max_leaves=20,
)


@given(values, st.sampled_from([4, 5]))
def test_built_in_types_come_back(value: object, protocol: int) -> None:
    assert load(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_is_read(protocol: int) -> None:
    value = {"301004": {"val_acc": [91.5, 90.25], "n": (1, None, True, 2**80)}}
    assert load(pickle.dumps(value, protocol)) == value


class Calls:
    """Pickles as a call of a function, which loading then makes."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [{"a": (x,)}], lambda x: {"k": [1, [2, x]]}])
def test_a_function_is_never_called(tmp_path: Path, protocol: int, wrap: Any) -> None:
    target = tmp_path / "made"
    content = pickle.dumps(wrap(Calls(Path.mkdir, target)), protocol)
    with pytest.raises(NasrankError, match="it asks for '.*', which is refused; only built-in types"):
        load(content)
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (pickle.dumps(Calls(eval, "1")), "builtins.eval"),
        (pickle.dumps(Calls(getattr, "", "upper")), "builtins.getattr"),
        (pickle.dumps(Calls(__import__, "os")), "builtins.__import__"),
        (b"cos\nsystem\n(S'exit'\ntR.", "os.system"),  # GLOBAL, REDUCE
        (b"(S'exit'\nios\nsystem\n.", "os.system"),  # INST
        (b"(cos\nsystem\nS'exit'\no.", "os.system"),  # OBJ
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),  # STACK_GLOBAL
        (b"\x80\x04\x8c\x08builtins\x8c\x0bstr.__add__\x93.", "builtins.str.__add__"),  # a dotted name
        (b"\x80\x02c__builtin__\nset\n.", "__builtin__.set"),
        (b"\x80\x02ccopy_reg\n_reconstructor\n.", "copy_reg._reconstructor"),
    ],
)
def test_every_way_to_a_global_is_closed(content: bytes, name: str) -> None:
    with pytest.raises(NasrankError, match=f"'{name}'"):
        load(content)


@pytest.mark.parametrize(
    "content",
    [
        b"Pmodule\n.",  # PERSID
        b"\x80\x02]Q.",  # BINPERSID
        b"\x80\x02\x82\x01.",  # EXT1
        b"S'not callable'\n(tR.",  # REDUCE of what is no function
        b"\x80\x02}}(U\x01ak\x01ub.",  # BUILD on a dict
        b"\x80\x02](U\x01aK\x01eU\x01ab.",  # BUILD on a list
        b"\x80\x02\x81.",  # NEWOBJ on an empty stack
        b"\x80\x63.",  # a protocol that does not exist
        b"",
        b".",
        b"\xff\xd8\xff\xe0 a JPEG",
        b"]" * 5000,
    ],
)
def test_what_is_no_sound_pickle_is_one_line(content: bytes) -> None:
    with pytest.raises(NasrankError) as error:
        load(content)
    assert "\n" not in str(error.value)
    assert "it " in str(error.value)


@given(st.binary(max_size=200))
def test_garbage_never_ends_otherwise(content: bytes) -> None:
    try:
        load(content)
    except NasrankError as error:
        assert len(str(error).splitlines()) == 1


def test_every_truncation_is_refused() -> None:
    content = pickle.dumps({"a": [1.5] * 5, "b": "x" * 300, "c": (b"y" * 20, 2**70)}, 4)
    for length in range(len(content)):
        with pytest.raises(NasrankError, match="not a readable pickle"):
            load(content[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 2**33) + b"x",  # BINBYTES8
        b"\x80\x04\x8d" + struct.pack("<Q", 2**33) + b"x",  # BINUNICODE8
        b"\x80\x05\x96" + struct.pack("<Q", 2**33) + b"x",  # BYTEARRAY8
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N.",  # FRAME
        b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"x",  # LONG4
        b"\x80\x02Nr" + struct.pack("<I", 2**31 - 1) + b".",  # LONG_BINPUT, an index into the memo
        b"T" + struct.pack("<i", 2**31 - 1) + b"x",  # BINSTRING
    ],
)
def test_a_claimed_length_takes_no_memory(content: bytes) -> None:
    tracemalloc.start()
    try:
        load(content)
    except NasrankError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 2**21


def test_allowed_globals_are_the_given_objects() -> None:
    content = b"\x80\x02cold.module\nmake\n(K\x02K\x03tR."
    assert load(content, allowed={("old.module", "make"): lambda a, b: a + b}) == 5
    with pytest.raises(NasrankError, match=r"only built-in types and old\.module\.other are allowed"):
        load(content, allowed={("old.module", "other"): list})


def test_strings_of_python_2_can_stay_bytes() -> None:
    content = b"\x80\x02}U\x04dataU\x02\xff\x00s."
    assert load(content, encoding="bytes") == {b"data": b"\xff\x00"}
    with pytest.raises(NasrankError, match="UnicodeDecodeError"):
        load(content)


def test_files_by_path(tmp_path: Path) -> None:
    file = tmp_path / "odd\n'name'.pkl"
    file.write_bytes(pickle.dumps([1, 2]))
    assert load_pickle(file) == [1, 2]
    with pytest.raises(NasrankError, match="has 20 bytes, and at most 3 are read"):
        load_pickle(file, max_bytes=3)
    file.write_bytes(b"")
    with pytest.raises(NasrankError, match="not a readable pickle") as error:
        load_pickle(file)
    assert "\n" not in str(error.value)
    with pytest.raises(NasrankError, match="cannot read .*: No such file"):
        load_pickle(tmp_path / "absent")
    with pytest.raises(NasrankError, match="cannot read .*: it is a folder"):
        load_pickle(tmp_path)
