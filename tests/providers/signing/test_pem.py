"""Blocks of PEM, however they were pasted, and texts that are made to be slow to search."""

import time

import pytest

from providers.signing.pem import LONGEST_PEM, pem_blocks


def test_blocks_are_found_with_their_labels_and_in_whole_lines() -> None:
    text = f"Bag\n-----BEGIN A KEY-----{'a' * 70}-----END A KEY----- x -----BEGIN B-----\n\nbb bb-----END B-----"
    first, second = pem_blocks(text)
    assert (first.label, first.pem) == (
        "A KEY",
        f"-----BEGIN A KEY-----\n{'a' * 64}\n{'a' * 6}\n-----END A KEY-----\n",
    )
    assert (second.label, second.pem) == ("B", "-----BEGIN B-----\nbbbb\n-----END B-----\n")


def test_what_a_block_holds_is_known() -> None:
    (block,) = pem_blocks("-----BEGIN X-----\nYWJj\n-----END X-----")
    assert (block.der, block.size) == (b"abc", 3)
    (block,) = pem_blocks("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nYWJj\n-----END X-----")
    assert block.size == 3
    with pytest.raises(ValueError, match="Base64"):
        assert block.der


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN A-----",
        "-----END A-----",
        "-----BEGIN A-----x-----END B-----",
        "-----BEGIN " + "A" * 100 + "-----x-----END " + "A" * 100 + "-----",
        "-----BEGIN A-----x-----END A-----" + " " * LONGEST_PEM,
    ],
)
def test_what_is_no_block_is_passed_over(text: str) -> None:
    assert pem_blocks(text) == []


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN A-----",
        "-----BEGIN ",
        "-----BEGIN A ",
        "-",
        "-----BEGIN A-----a",
        "-----BEGIN A-----x-----END B-----",
    ],
)
def test_no_text_takes_long_to_search(piece: str) -> None:
    began = time.process_time()
    pem_blocks(piece * (LONGEST_PEM // len(piece)))
    assert time.process_time() - began < 5
