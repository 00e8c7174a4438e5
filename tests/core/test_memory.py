"""Arrays of a data set's size: the same values wherever they are, and no memory where a file can hold them."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.core import memory
from bench.core.device import fits
from bench.core.memory import empty, in_order, mapped, moved, parts, take
from tests.conftest import MadeUp, Paged

STATUS = Path("/proc/self/status")
linux = pytest.mark.skipif(not STATUS.is_file(), reason="only Linux tells what no file backs")


def anonymous() -> int:
    """Bytes of this process that no file backs."""
    [line] = [line for line in STATUS.read_text().splitlines() if line.startswith("RssAnon")]
    return 1024 * int(line.split()[1])


@linux
def test_a_small_array_is_ordinary_memory_and_a_large_one_a_nameless_file(paged: Paged) -> None:
    assert not paged.used()
    array = empty((3, 5), torch.float32)
    assert paged.used()
    assert not list(paged.folder.iterdir())
    assert (array.shape, array.dtype, array.is_contiguous()) == ((3, 5), torch.float32, True)
    array[1:] = 7
    assert array.sum() == 70
    row = array[2]
    del array
    assert torch.equal(row, torch.full((5,), 7.0)), "a view must keep the file"
    del row
    assert not paged.used()


@linux
def test_the_threshold_is_in_bytes(paged: Paged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "LARGE", 40)
    below, scalar = empty((9,), torch.float32), empty((), torch.float32)
    assert not paged.used()
    exactly = empty((10,), torch.float32)
    assert paged.used()
    assert (below.shape, scalar.shape, exactly.shape) == ((9,), (), (10,))


def test_a_disk_without_room_is_an_error_and_not_a_crash_later(paged: Paged, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        assert (offset, size) == (0, 2**20)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match="No space left on device"):
        empty((2**18,), torch.float32)
    assert not list(paged.folder.iterdir())


@linux
def test_large_arrays_hold_no_memory_that_the_system_cannot_take_back(paged: Paged, tmp_path: Path) -> None:
    size, before = 64 * 2**20, anonymous()
    array = empty((size,), torch.int8).fill_(3)
    file = tmp_path / "content"
    with file.open("wb") as stream:
        stream.write(array.numpy().data)
    assert torch.equal(mapped(file, 0, (size,), torch.int8), array)
    assert anonymous() - before < size / 4


def test_writing_to_a_mapped_file_changes_what_is_seen_and_not_the_file(tmp_path: Path) -> None:
    file = tmp_path / "content"
    file.write_bytes(bytes(range(20)))
    seen = mapped(file, 8, (3, 4), torch.uint8)
    assert seen.tolist() == [[8, 9, 10, 11], [12, 13, 14, 15], [16, 17, 18, 19]]
    seen.zero_()
    assert not seen.any()
    assert file.read_bytes() == bytes(range(20))


def test_a_file_larger_than_the_memory_is_mapped(tmp_path: Path) -> None:
    size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") + 2**33
    file = tmp_path / "holes"
    file.touch()
    os.truncate(file, size)
    content = mapped(file, 0, (size,), torch.uint8)
    content[-1] = 1
    assert (content[0], content[-1]) == (0, 1)


@pytest.mark.parametrize(("count", "values", "largest"), [(10, 12, 3), (9, 12, 3), (5, 1, 1), (3, 1000, 3), (0, 8, 0)])
def test_parts_are_every_row_once_in_order(
    count: int, values: int, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "PART", values)
    rows = torch.arange(count * 4).view(count, 2, 2)
    found = [rows[part] for part in parts(count, (2, 2))]
    assert torch.equal(torch.cat([rows[:0], *found]), rows)
    assert max(map(len, found), default=0) == largest


def test_rows_are_taken_by_slice_and_by_index() -> None:
    rows = torch.arange(12).view(6, 2)
    assert torch.equal(take(rows, slice(1, 3), memory.CPU), rows[1:3])
    assert torch.equal(take(rows, torch.tensor([5, 0]), memory.CPU), rows[[5, 0]])
    assert moved(rows, memory.CPU) is rows


def test_images_that_stay_behind_are_brought_in_batches(made_up: MadeUp) -> None:
    data = made_up([0, 1, 1])
    elsewhere = replace(data, labels=data.labels.to("meta"))  # stands for a GPU whose memory is too small
    assert elsewhere.floats(slice(0, 2)).device.type == "meta"
    assert elsewhere.empty_noise().device.type == "cpu"
    assert torch.equal(elsewhere.protected(torch.ones_like(data.images, dtype=torch.int8)).images[data.images < 255],
                       data.images[data.images < 255] + 1)  # fmt: skip


def test_data_go_to_a_gpu_where_four_arrays_of_their_size_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda device: (1000, 9000))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda device: 500)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda device: 300)
    assert fits(300, torch.device("cuda"))
    assert not fits(301, torch.device("cuda"))
    assert fits(10**15, memory.CPU)


def test_temporary_files_avoid_a_folder_in_memory_but_follow_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    assert memory.scratch() is None
    monkeypatch.delenv("TMPDIR")
    assert memory.scratch() == ("/var/tmp" if Path("/var/tmp").is_dir() else None)


@pytest.mark.parametrize(("count", "size"), [(12, 4), (13, 4), (3, 128)])
def test_in_order_covers_every_index_once_with_the_ragged_batch(count: int, size: int) -> None:
    assert torch.cat([torch.arange(count)[part] for part in in_order(count, size)]).tolist() == list(range(count))
