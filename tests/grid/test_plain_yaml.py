"""YAML that is not for grids: each text gets one line with its place, fast, and nothing is constructed from it."""

from pathlib import Path

import pytest
import yaml

from bench.core.errors import UserError
from bench.grid.plain_yaml import SIZE, VALUES, parse
from bench.grid.scale import read_assignments
from bench.grid.yaml_file import read_mapping

TEXTS = ["2001-01-01", "2001-99-99", "0b_", "0x_", "0x10", "1:30", "no", "1__0", ".inf", "8/255"]
ALIASES = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# a comment", None),
        ("~", None),
        ("a: [null, true, False, -1_000, +4, 08, 1e3, .5, -2.5e-1]", [None, True, False, -1000, 4, 8, 1e3, 0.5, -0.25]),
        (f"a: [{', '.join(TEXTS)}]", TEXTS),
        ("a: ['3', \"true\", '']", ["3", "true", ""]),
        ("a: [&one {b: 1}, *one]", [{"b": 1}, {"b": 1}]),
        ("a: |\n  3\n", "3\n"),
        ("\ufeffa: é", "é"),
    ],
)
def test_a_value_is_text_a_number_a_boolean_null_a_list_or_a_mapping(text: str, value: object) -> None:
    assert parse(text, "grid.yaml") == (value if value is None else {"a": value})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: \x01", r"line 1, column 4: the character '\x01' has no place in a text"),
        ('a: b\nc: "\\e[2J"', r"line 2, column 4: the character '\x1b' has no place in a text"),
        ('a: "\\ud800"', r"line 1, column 4: the character '\ud800' has no place in a text"),
        ('a: "\\UFFFFFFFF"', "line 1, column 7: not valid YAML"),
        (f"%YAML {'9' * 5000}.1\n--- a", "line 1, column 7: not valid YAML"),
        ("[" * 500, "line 1, column 22: more than 20 lists and mappings inside each other"),
        ("- " * 500, "line 1, column 43: more than 20 lists and mappings inside each other"),
        ("a: " + "9" * 5000, f"line 1, column 4: a whole number has at most 18 digits, got '{'9' * 76}..."),
        ("a: 1.0e+400", "line 1, column 4: must be a finite number, got '1.0e+400'"),
        ("a: !!int abc", "line 1, column 4: the tag '!!int' is not known here; leave it out"),
        ("a: !!timestamp zzz", "line 1, column 4: the tag '!!timestamp' is not known here; leave it out"),
        ("a: !!bool maybe", "line 1, column 4: the tag '!!bool' is not known here; leave it out"),
        ("!!set [a]", "line 1, column 1: the tag '!!set' is not known here; leave it out"),
        ("!!map 3", "line 1, column 1: the tag '!!map' is not known here; leave it out"),
        ("a: ! b", "line 1, column 4: the tag '!' is not known here; leave it out"),
        ("!a!b c", "line 1, column 1: found undefined tag handle '!a!'"),
        ("? [a]\n: 3", "line 1, column 3: a key must be text"),
        ("? {a: b}\n: 3", "line 1, column 3: a key must be text"),
        ("3: x", "line 1, column 1: key 3 must be text; write '3'"),
        ("a: 1\na: 2", "line 2, column 1: duplicate key 'a'"),
        (ALIASES, "line 5, column 11: more than 20,000 values, each alias counted as what it stands for"),
        ("- a\n" * VALUES, "line 20000, column 3: more than 20,000 values, each alias counted as what it stands for"),
        ("a: &a [*a]", "line 1, column 8: the alias 'a' has no whole value before it"),
        ("a: *b", "line 1, column 4: the alias 'b' has no whole value before it"),
        ("a\n---\nb", "line 2, column 1: a second document begins here; a file holds one"),
        ("a: [&b 5, {*b : 1}]", "line 1, column 12: key 5 must be text; write '5'"),
        ("a: [b", "line 1, column 6: expected ',' or ']', but got '<stream end>'"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_line_and_column(text: str, expected: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text, "grid.yaml")
    assert str(caught.value) == f"grid.yaml: {expected}"
    with pytest.raises(UserError) as caught:
        read_assignments([f"train.lr={text}"])
    assert str(caught.value) == f"--set train.lr: {expected}"


@pytest.mark.parametrize("content", [b"#" * (SIZE + 1), b"\xff\xfe", "é".encode("utf-16")])
def test_a_file_that_is_too_long_or_no_text_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_bytes(content)
    with pytest.raises(UserError, match=r"grid\.yaml: (is longer than 1,048,576 bytes|cannot be read: .* decode byte)"):
        read_mapping(tmp_path / "grid.yaml")


def test_an_endless_file_is_read_no_further_than_a_grid_may_be_long() -> None:
    with pytest.raises(UserError, match="/dev/zero: is longer than 1,048,576 bytes"):
        read_mapping(Path("/dev/zero"))


@pytest.mark.parametrize("file", sorted(Path("grids").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_grids_mean_what_yaml_says(file: Path) -> None:
    assert read_mapping(file) == yaml.safe_load(file.read_text())
