"""PyTorch checkpoints, read by their directory and their pickle's opcodes; nothing is unpickled, whatever the file holds."""

import contextlib
import io
import sys
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import Malformed
from auditor.inspection import inspect_snapshot
from auditor.sources import SourceOptions, open_target
from auditor.weights import pickle_steps
from auditor.weights.pickle_steps import UnfollowableError, follow
from auditor.weights.pytorch import PICKLE_LIMIT, LegacyError, Table, parse_pickle, read_table

DATA = Path(__file__).parent / "data"
SAMPLE = {
    "plain": ("float32", (3, 5), 60),
    "parameter": ("float16", (2, 2), 8),
    "embedding": ("bfloat16", (10, 4), 80),
    "head": ("bfloat16", (10, 4), 0),
    "integers": ("int64", (7,), 56),
    "scaled": ("float8_e4m3fn", (4,), 4),
    "flags": ("bool", (3,), 3),
}


def read(name: str) -> Table:
    with (DATA / name).open("rb") as file:
        return read_table(file, name)


def rows(table: Table) -> dict[str, tuple[str, tuple[int, ...], int]]:
    return {tensor.name: (tensor.dtype, tensor.shape, tensor.nbytes) for tensor in table.tensors}


@pytest.mark.parametrize("name", ["state_dict.bin", "checkpoint.ckpt"])
def test_reads_what_torch_wrote(name: str) -> None:
    table = read(name)
    assert rows(table) == SAMPLE, "a tensor under two names is stored once"
    assert table.imports == ()


def test_a_whole_module_has_the_names_of_its_state_dict() -> None:
    table = read("module.pt")
    assert set(rows(table)) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert "torch.nn.modules.linear.Linear" in table.imports, "its classes would be imported"


def test_a_file_without_a_directory_is_known_by_its_size_only() -> None:
    with pytest.raises(LegacyError):
        read("legacy.bin")
    found = open_target(str(DATA / ".") + ":legacy.bin", SourceOptions())
    (file,) = found.weights[0].files
    assert (file.tensors, file.size) == (None, (DATA / "legacy.bin").stat().st_size)
    assert "before 2020" in file.why
    assert not found.problems


@pytest.mark.parametrize("content", [b"", b"garbage", b"<html>404</html>"])
def test_what_is_neither_zip_nor_pickle_has_no_weights_of_that_size(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(content)
    (problem,) = open_target(str(tmp_path), SourceOptions()).problems
    assert problem.fatal
    assert "pytorch_model.bin is no PyTorch checkpoint" in problem.message


def test_a_command_in_a_pickle_is_reported_and_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes((DATA / "runs_a_command.pt").read_bytes())
    found = open_target(str(tmp_path), SourceOptions())
    (file,) = found.weights[0].files
    assert file.imports == ("posix.system",)
    assert file.tensors
    assert [(problem.path, problem.fatal) for problem in found.problems] == [("pytorch_model.bin", False)]
    assert "posix.system" in found.problems[0].message
    assert inspect_snapshot(found).facts.value("repo.suspicious_globals") == ("posix.system",)
    assert [path.name for path in tmp_path.iterdir()] == ["pytorch_model.bin"]


# Pickles made by hand.


def name(module: str, what: str) -> bytes:
    return f"c{module}\n{what}\n".encode()


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + len(data).to_bytes(4, "little") + data


def number(value: int) -> bytes:
    data = value.to_bytes(9, "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def tensor(shape: tuple[int, ...] = (2,), kind: str = "FloatStorage", key: str = "0") -> bytes:
    storage = tuple_of(text("storage"), name("torch", kind), text(key), text("cpu"), number(2)) + b"Q"
    extents = tuple_of(*map(number, shape))
    return name("torch._utils", "_rebuild_tensor_v2") + tuple_of(storage, number(0), extents, extents, b"\x89", b"N") + b"R"


def state_dict(**tensors: bytes) -> bytes:
    items = b"".join(text(key) + value for key, value in tensors.items())
    return b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + items + b"u."


def zipped(pickle: bytes, inner: str = "archive/data.pkl", compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr(inner, pickle)
    return buffer.getvalue()


def read_bytes(data: bytes) -> Table:
    return read_table(io.BytesIO(data), "x.bin")


def test_the_hand_made_pickle_is_one_that_is_read() -> None:
    assert rows(read_bytes(zipped(state_dict(a=tensor((2, 3)), b=tensor((2,), "HalfStorage", "1"))))) == {
        "a": ("float32", (2, 3), 24),
        "b": ("float16", (2,), 4),
    }


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"PK\x03\x04 and then nothing", "no intact zip file"),
        (zipped(state_dict(a=tensor()))[:-30], "no intact zip file"),
        (zipped(b"", "other.txt"), "without the one data.pkl"),
        (zipped(b""), "cannot be followed"),
        (zipped(b"\x80\x02}."), "holds no tensors"),
        (zipped(b"."), "cannot be followed"),
        (zipped(b"u."), "cannot be followed"),
        (zipped(b"h\x00."), "cannot be followed"),
        (zipped(b"\x8b\xff\xff\xff\x7f."), "cannot be followed"),
        (zipped(b"}" * 10), "cannot be followed"),
        (zipped(bytes(PICKLE_LIMIT + 1), compression=zipfile.ZIP_DEFLATED), "pickle of more than"),
    ],
)
def test_a_damaged_checkpoint_is_one_line(data: bytes, says: str) -> None:
    with pytest.raises(Malformed, match=says) as caught:
        read_bytes(data)
    assert str(caught.value).startswith("x.bin")
    assert caught.value.hint


@pytest.mark.parametrize("shape", [(2**62, 2**62), (-1,), (1,) * 65])
def test_impossible_shapes_are_no_bytes(shape: tuple[int, ...]) -> None:
    try:
        table = parse_pickle(state_dict(a=tensor(shape), b=tensor()), "x.bin")
    except Malformed:
        return
    assert sum(row[2] for row in rows(table).values()) == 8


def test_containers_that_hold_each_other_are_walked_once() -> None:
    """A list of two references to a list of two references to …: short to send, and 2^200 long when printed or copied."""
    nested = b"]q\x00" + b"".join(b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(200))
    start = time.perf_counter()
    for use in (
        text("list") + nested,
        text("key") + nested + b"N\x93",  # as the name of something to import
        text("call") + nested + b")R",  # as a function
        text("tensor") + name("torch._utils", "_rebuild_tensor_v2") + tuple_of(nested, nested, nested) + b"R",
    ):
        pickle = b"\x80\x02}(" + text("good") + tensor() + use + b"u."
        try:
            assert "good" in rows(parse_pickle(pickle, "x.bin"))
        except Malformed:
            continue
    assert time.perf_counter() - start < 5


def test_a_list_that_holds_itself_ends() -> None:
    pickle = b"\x80\x02}(" + text("loop") + b"]q\x00h\x00a" + text("good") + tensor() + b"u."
    assert set(rows(parse_pickle(pickle, "x.bin"))) == {"good"}


def test_nesting_without_end_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = sys.getrecursionlimit()
    pickle = b"\x80\x02}(" + text("deep") + b"]" + b"\x85" * 300_000 + text("good") + tensor() + b"u."
    assert set(rows(parse_pickle(pickle, "x.bin"))) == {"good"}
    assert sys.getrecursionlimit() == limit
    monkeypatch.setattr(pickle_steps, "STEPS_LIMIT", 1_000)
    with pytest.raises(Malformed, match="cannot be followed"):
        parse_pickle(b"N0" * 1_000 + b".", "x.bin")


@given(st.binary(max_size=300))
def test_any_pickle_is_followed_or_refused(data: bytes) -> None:
    with contextlib.suppress(UnfollowableError):
        follow(data)


opcodes = st.lists(
    st.sampled_from(
        [
            b"(",
            b"t",
            b"}",
            b"]",
            b"u",
            b"s",
            b"e",
            b"a",
            b"R",
            b"b",
            b"Q",
            b"N",
            b"0",
            b"1",
            b"2",
            b"q\x00",
            b"h\x00",
            b"\x93",
            b"\x85",
            b"\x94",
            b"o",
            b"\x81",
        ]
    )
    | st.just(text("a"))
    | st.just(number(3))
    | st.just(name("torch._utils", "_rebuild_tensor_v2"))
    | st.just(tensor()),
    max_size=40,
).map(b"".join)


@given(opcodes)
def test_any_steps_give_a_table_or_one_line(steps: bytes) -> None:
    try:
        table = parse_pickle(b"\x80\x02" + steps + b".", "x.bin")
    except Malformed as error:
        assert "\n" not in str(error)  # noqa: PT017
    else:
        assert table.tensors


@given(st.binary(max_size=200), st.integers(0, 400), st.booleans())
def test_any_archive_gives_a_table_or_one_line(patch: bytes, where: int, insert: bool) -> None:
    data = zipped(state_dict(a=tensor()))
    changed = data[:where] + patch + data[where + (0 if insert else len(patch)) :]
    try:
        read_bytes(changed)
    except (Malformed, LegacyError) as error:
        assert "\n" not in str(error)  # noqa: PT017
