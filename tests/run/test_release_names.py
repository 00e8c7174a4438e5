"""What classes and images are called where their files are written."""

from pathlib import Path

from bench.run.release import class_folders, file_names


def test_names_that_are_no_names_of_files_are_made_some(tmp_path: Path) -> None:
    names = ["x/..png", "y/" + "é" * 300, "猫" * 80 + ".jpg", "", "a b.tar.gz", "\udcff.png"]
    found = file_names(names, 6)
    assert found == ["0__.png", f"1_{'é' * 50}.png", f"2_{'猫' * 33}.png", "3__.png", "4_a_b.tar.png", "5__.png"]
    for name in found:
        (tmp_path / name).write_bytes(b"")
    assert file_names([], 11)[0] == "00.png"
    assert class_folders(["../a", "b c"], 2) == ["a", "b_c"]
    for alike in (["_b b", "Z"], ["a b", "a/b"], ["Cat", "cat"], ["..", "."], []):
        assert class_folders(alike, 2) == ["0", "1"]
    assert class_folders([], 11)[10] == "10"
