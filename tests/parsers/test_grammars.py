"""Trees that who reads a program and who edits it may both be given."""

from __future__ import annotations

from corslint.parsers import grammars


def parsed(data: bytes, dialect: str = "javascript") -> object:
    return grammars.parsed(data, grammars.grammar(dialect), grammars.deadline(data))


def shape(data: bytes, dialect: str) -> str:
    tree = grammars.parsed(data, grammars.grammar(dialect), grammars.deadline(data))
    assert tree is not None
    return str(tree.root_node)


def test_a_program_that_was_just_read_is_not_parsed_again() -> None:
    for number in range(9):
        data = b"f(%d)\n" % number
        assert parsed(data) is parsed(bytes(bytearray(data)))
    assert parsed(b"f(8)\n") is parsed(b"f(8)\n")


def test_few_trees_are_kept_and_no_large_ones() -> None:
    large = b"f()\n" * (grammars._SMALL // 4 + 1)
    assert parsed(large) is not parsed(large)
    first = parsed(b"first()\n")
    for number in range(9):
        parsed(b"f(%d)\n" % number)
    assert parsed(b"first()\n") is not first


def test_one_text_has_a_tree_in_each_language() -> None:
    data = b"const a = <T>b\n"
    assert shape(data, "typescript") == shape(data, "typescript") != shape(data, "tsx")


def test_a_part_of_a_text_is_not_taken_for_all_of_it() -> None:
    from tree_sitter import Range

    data = b"f(1); g(2)\n"
    whole = parsed(data)
    part = grammars.parsed(data, grammars.grammar("javascript"), grammars.deadline(data), [Range((0, 0), (0, 5), 0, 5)])
    assert part is not None
    assert part is not whole
    assert part.root_node.end_byte == 5
    assert parsed(data) is whole
