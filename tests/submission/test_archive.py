from __future__ import annotations

import contextlib
import random
import stat
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from grader.course.load import Exercise
from grader.errors import SubmissionError
from grader.submission import Caps, read_submission

Pack = Callable[..., Path]
Exercises = Sequence[Exercise]

ANSWER = "def softmax(x, dim):\n    return x\n"
OTHER = {"cross_entropy.py": "a = 1\n"}

_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def with_field(at_local: int, at_central: int, layout: str, value: int) -> Callable[[bytes], bytes]:
    """Sets a field of every entry, in both of its headers."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        for signature, offset in ((_LOCAL, at_local), (_CENTRAL, at_central)):
            at = changed.find(signature)
            while at != -1:
                struct.pack_into(layout, changed, at + offset, value)
                at = changed.find(signature, at + 4)
        return bytes(changed)

    return change


def link(name: str, mode: int = stat.S_IFLNK) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (mode | 0o777) << 16
    return info


def test_a_zip_is_read_as_a_folder_is(pack: Pack, exercises: Exercises) -> None:
    path = pack(
        {"hw/": "", "hw/losses/softmax.py": ANSWER, "hw/notes.txt": "", "__MACOSX/hw/._softmax.py": "x"}
    )
    read = read_submission(path, exercises)
    assert {answer.origin: answer.source for answer in read.answers.values()} == {
        "hw/losses/softmax.py": ANSWER
    }
    assert read.notes == ("1 file that the course does not know ignored: hw/notes.txt",)


def test_a_zip_is_known_by_what_is_in_it(pack: Pack, exercises: Exercises) -> None:
    path = pack({"softmax.py": ANSWER})
    assert read_submission(path.rename(path.with_name("upload")), exercises).answers


def test_nothing_is_written_anywhere(pack: Pack, exercises: Exercises, tmp_path: Path) -> None:
    path = pack({"softmax.py": ANSWER, "../outside.py": "x", "../../softmax.py": "x"})
    before = sorted(tmp_path.parent.rglob("*"))
    read_submission(path, exercises)
    assert sorted(tmp_path.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    [
        "../softmax.py",
        "a/../../softmax.py",
        "/softmax.py",
        "//host/softmax.py",
        "C:/softmax.py",
        "C:softmax.py",
        "..\\softmax.py",
        "C:\\hw\\softmax.py",
        "\\\\host\\softmax.py",
        "a\\..\\softmax.py",
    ],
)
def test_a_name_that_leads_out_is_ignored(name: str, pack: Pack, exercises: Exercises) -> None:
    read = read_submission(pack({name: "a = 2\n", **OTHER}), exercises)
    assert list(read.answers) == ["cross_entropy"]
    assert any("leads out of the archive: it is ignored" in note for note in read.notes)


def test_backslashes_from_windows_part_folders(pack: Pack, exercises: Exercises) -> None:
    read = read_submission(pack({"hw\\": "", "hw\\losses\\softmax.py": ANSWER}), exercises)
    assert read.answers["softmax"].origin == "hw/losses/softmax.py"


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_ignored(mode: int, pack: Pack, exercises: Exercises) -> None:
    path = pack([(link("softmax.py", mode), "/etc/passwd"), *OTHER.items()])
    read = read_submission(path, exercises)
    assert list(read.answers) == ["cross_entropy"]
    assert "softmax.py is a link, or no ordinary file: it is ignored" in read.notes


def test_of_two_entries_of_one_name_the_last_counts(pack: Pack, exercises: Exercises) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = pack([("softmax.py", "a = 1"), ("softmax.py", "a = 2"), ("./softmax.py", "a = 3")])
    read = read_submission(path, exercises)
    assert read.answers["softmax"].source == "a = 3"
    assert read.notes[0] == "softmax.py is in the archive twice: the last one counts"


def test_a_locked_zip_says_what_to_do(pack: Pack, exercises: Exercises) -> None:
    path = pack({"softmax.py": ANSWER}, change=with_field(6, 8, "<H", 1))
    with pytest.raises(SubmissionError, match=r"hw\.zip: is locked with a password: make a zip without one"):
        read_submission(path, exercises)


def test_a_zip_in_a_zip_is_not_opened(pack: Pack, exercises: Exercises) -> None:
    inner = pack({"softmax.py": ANSWER}).read_bytes()
    with pytest.raises(SubmissionError, match=r"name inner\.zip itself"):
        read_submission(pack({"inner.zip": inner}), exercises)
    assert list(read_submission(pack({"inner.zip": inner, **OTHER}), exercises).answers) == ["cross_entropy"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_unusual_compression_is_explained(compression: int, pack: Pack, exercises: Exercises) -> None:
    read = read_submission(pack({"softmax.py": ANSWER}, compression=compression), exercises)
    assert "unusual way" in (read.answers["softmax"].unreadable or "")


class TestBombs:
    def test_a_file_that_swells_is_cut_off(self, pack: Pack, exercises: Exercises) -> None:
        path = pack({"softmax.py": b"#" * (100 << 20), **OTHER})
        tracemalloc.start()
        try:
            read = read_submission(path, exercises)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert "larger than 256 KiB" in (read.answers["softmax"].unreadable or "")
        assert read.answers["cross_entropy"].source
        assert peak < 4 << 20

    @pytest.mark.parametrize("claim", [1, 0, 0xFFFFFFF0])
    def test_what_the_header_claims_of_its_size_is_not_believed(
        self, claim: int, pack: Pack, exercises: Exercises
    ) -> None:
        path = pack({"softmax.py": b"#" * (8 << 20)}, change=with_field(22, 24, "<I", claim))
        read = read_submission(path, exercises)
        assert read.answers["softmax"].source is None

    def test_a_notebook_that_swells_is_cut_off_by_its_ratio(self, pack: Pack, exercises: Exercises) -> None:
        path = pack({"a.ipynb": b" " * (30 << 20), **OTHER})
        (note,) = read_submission(path, exercises).notes
        assert "it swells to" in note

    def test_a_packed_size_that_is_a_lie_does_not_help_it(self, pack: Pack, exercises: Exercises) -> None:
        path = pack({"a.ipynb": b" " * (30 << 20), **OTHER}, change=with_field(18, 20, "<I", 0x7FFFFFFF))
        notes = read_submission(path, exercises).notes
        assert any("a.ipynb cannot be read" in note for note in notes)

    def test_many_entries_over_one_piece_of_data_are_bounded(self, pack: Pack, exercises: Exercises) -> None:
        path = pack([(f"{number}/a.ipynb", random.Random(number).randbytes(4 << 20)) for number in range(3)])
        with pytest.raises(SubmissionError, match="larger than 8 MiB"):
            read_submission(path, exercises, Caps(total_bytes=8 << 20))

    def test_too_many_entries(self, pack: Pack, exercises: Exercises) -> None:
        path = pack({f"{number}.txt": "" for number in range(100)} | {"softmax.py": ANSWER})
        assert read_submission(path, exercises, Caps(entries=101)).answers
        with pytest.raises(SubmissionError, match="too many files"):
            read_submission(path, exercises, Caps(entries=100))

    def test_too_large_an_archive(self, pack: Pack, exercises: Exercises) -> None:
        path = pack({"softmax.py": ANSWER, "x.bin": random.Random(0).randbytes(5000)})
        with pytest.raises(SubmissionError, match="larger than 4 KiB: hand in the exercise files only"):
            read_submission(path, exercises, Caps(archive_bytes=4096))

    def test_too_deep(self, pack: Pack, exercises: Exercises) -> None:
        read = read_submission(pack({"/".join("x" * 9) + "/softmax.py": ANSWER, **OTHER}), exercises)
        assert list(read.answers) == ["cross_entropy"]
        assert any("folders deep" in note for note in read.notes)


class TestOddNames:
    def test_a_name_in_an_old_code_page(self, pack: Pack, exercises: Exercises) -> None:
        def in_gbk(data: bytes) -> bytes:
            return data.replace(b"abcd", "作业".encode("gbk"))

        read = read_submission(pack({"abcd/softmax.py": ANSWER}, change=in_gbk), exercises)
        assert read.answers["softmax"].source == ANSWER

    def test_a_name_that_is_marked_as_utf8_and_is_not(self, pack: Pack, exercises: Exercises) -> None:
        def broken(data: bytes) -> bytes:
            return data.replace("作业".encode(), b"\xff\xfe\xfd\xff\xfe\xfd")

        read = read_submission(
            pack({"作业/softmax.py": ANSWER, "é.txt": "", **OTHER}, change=broken), exercises
        )
        assert read.answers["softmax"].source == ANSWER
        assert read.answers["cross_entropy"].source

    def test_a_zero_byte_ends_no_name(self, pack: Pack, exercises: Exercises) -> None:
        def with_zero(data: bytes) -> bytes:
            return data.replace(b"softmax.py_", b"softmax.py\0")

        read = read_submission(pack({"softmax.py_": ANSWER, **OTHER}, change=with_zero), exercises)
        assert list(read.answers) == ["cross_entropy"]
        assert "softmax.py has a zero byte in its name: it is ignored" in read.notes

    def test_a_long_and_hostile_name_is_shown_harmless(self, pack: Pack, exercises: Exercises) -> None:
        read = read_submission(pack({"\x1b[31m" + "x" * 5000: "", "softmax.py": ANSWER}), exercises)
        assert all(note.isprintable() and len(note) < 300 for note in read.notes)


def test_a_damaged_entry_costs_that_entry_only(pack: Pack, exercises: Exercises) -> None:
    def damaged(data: bytes) -> bytes:
        at = data.index(b"# marked")
        return data[:at] + b"#" * 8 + data[at + 8 :]

    path = pack({"softmax.py": "# marked", **OTHER}, change=damaged, compression=zipfile.ZIP_STORED)
    read = read_submission(path, exercises)
    assert "damaged in the archive: make the zip again" in (read.answers["softmax"].unreadable or "")
    assert read.answers["cross_entropy"].source


def test_whatever_the_bytes_it_is_read_or_refused(pack: Pack, exercises: Exercises, tmp_path: Path) -> None:
    """Bytes changed at random raise nothing but the one error."""
    good = pack({"softmax.py": ANSWER * 20, "losses/cross_entropy.py": "a = 1", "é.ipynb": "{}"}).read_bytes()
    chance = random.Random(1)
    for _ in range(400):
        data = bytearray(good)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        path = tmp_path / "hurt.zip"
        path.write_bytes(data)
        with contextlib.suppress(SubmissionError):
            read_submission(path, exercises)
