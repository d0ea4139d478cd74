"""Malformed token responses, as bytes on the wire: a generator that is the same for the same number.

Each case says whether it is a success after all: some are well-formed but for values that are to be clamped or ignored.
Well-formed refusals (``invalid_grant`` and its kin) are none of these.
"""

import gzip
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connections.drills import faults
from connections.drills.faults import CANARY

_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    3.5,
    1e308,
    "",
    " ",
    "\n",
    "\x00",
    [],
    {},
    ["x"],
    {"x": 1},
    "é",
    "😀",
)
_ODD_LIFETIMES = tuple(raw for raw in faults.LIFETIMES if raw is not None)
_STATUSES = (200, 200, 200, 201, 202, 206, 299, 300, 304, 307, 400, 402, 404, 410, 418, 499)


@dataclass(frozen=True, slots=True)
class Case:
    """What the provider sends, and the access token in it where that is to be taken."""

    wire: bytes
    kind: str
    token: str = ""


Make = Callable[[random.Random, str], Case]


def case(number: int) -> Case:
    """Return the case of that number."""
    chance = random.Random(f"malformed {number}")
    return chance.choice(_KINDS)(chance, f"{CANARY}{number}")


def _answer(body: bytes, *, status: int = 200, content_type: str = "application/json", further: str = "") -> bytes:
    head = f"HTTP/1.1 {status} Odd\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{further}\r\n"
    return head.encode("latin-1") + body


def _success(token: str, **changes: Any) -> dict[str, Any]:
    document = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "refresh_token": f"{token}-next"}
    return document | changes


def _garbage(chance: random.Random, canary: str) -> Case:
    return Case(chance.randbytes(chance.randrange(0, 400)) + canary.encode(), "not http")


def _torn_head(chance: random.Random, canary: str) -> Case:
    whole = _answer(json.dumps(_success(canary)).encode())
    return Case(whole[: chance.randrange(0, whole.index(b"\r\n\r\n"))], "torn head")


def _torn_body(chance: random.Random, canary: str) -> Case:
    whole = _answer(json.dumps(_success(canary)).encode())
    start = whole.index(b"\r\n\r\n") + 4
    return Case(whole[: chance.randrange(start, len(whole) - 1)], "torn body")


def _wrong_length(chance: random.Random, canary: str) -> Case:
    body = json.dumps(_success(canary)).encode()
    length = chance.choice(["-1", "abc", "1e3", str(len(body) + 500), "99999999999999999999"])
    return Case(
        f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode() + body[: len(body) // 2], "wrong length"
    )


def _wrong_chunks(chance: random.Random, canary: str) -> Case:
    size = chance.choice([b"zz", b"-5", b"ffffffffff", b""])
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return Case(head + size + b"\r\n" + canary.encode() + b"\r\n", "wrong chunks")


def _wrong_gzip(chance: random.Random, canary: str) -> Case:
    packed = bytearray(gzip.compress(canary.encode() * 20))
    packed[chance.randrange(len(packed))] ^= 0xFF
    body = bytes(packed[: chance.randrange(1, len(packed))])
    return Case(_answer(body, further="Content-Encoding: gzip\r\n"), "wrong gzip")


def _html(chance: random.Random, canary: str) -> Case:
    body = f"<!doctype html><title>{canary}</title>{'<p>' * chance.randrange(200)}".encode()
    return Case(_answer(body, status=chance.choice(_STATUSES), content_type="text/html"), "html")


def _text(chance: random.Random, canary: str) -> Case:
    letters = "".join(chance.choices(string.printable + "éß😀\ufeff", k=chance.randrange(200)))
    body = chance.choice([letters + canary, "\ufeff" + canary, ""]).encode()
    return Case(_answer(body, status=chance.choice(_STATUSES)), "text")


def _form(chance: random.Random, canary: str) -> Case:
    """A form under a label that says JSON: a success where the status is one."""
    status = chance.choice(_STATUSES)
    token = f"sba_{canary}" if status < 300 else ""
    return Case(_answer(f"access_token=sba_{canary}&expires_in=60".encode(), status=status), "form", token)


def _no_object(chance: random.Random, canary: str) -> Case:
    deep = "[" * chance.randrange(1, 30_000)
    body = chance.choice([json.dumps([canary]), "null", "true", "0", json.dumps(canary), deep, deep + "]" * len(deep)])
    return Case(_answer(body.encode(), status=chance.choice(_STATUSES)), "no object")


def _torn_json(chance: random.Random, canary: str) -> Case:
    body = json.dumps(_success(canary))
    return Case(_answer(body[: chance.randrange(1, len(body) - 1)].encode()), "torn json")


def _mutated(chance: random.Random, canary: str) -> Case:
    """Bytes of the syntax changed, so that no JSON object is left: nothing closes one."""
    body = bytearray(b"{" + json.dumps(_success(canary)).encode()[:-1])
    for _ in range(chance.randrange(4)):
        body[chance.randrange(1, len(body))] = chance.choice([byte for byte in range(256) if byte != ord("}")])
    return Case(_answer(bytes(body)), "mutated")


def _no_token(chance: random.Random, canary: str) -> Case:
    document = _success(canary) | {"note": canary}
    del document["access_token"]
    if chance.random() < 0.8:
        document["access_token"] = chance.choice(_ODD_VALUES)
    return Case(_answer(json.dumps(document).encode(), status=chance.choice((200, 201, 206))), "no token")


def _odd_error(chance: random.Random, canary: str) -> Case:
    error = chance.choice([f"x{canary}", {"code": canary}, [canary], 17, 1.5, "é" * 50, "bad_" + "y" * 500])
    document = chance.choice([_success(canary, error=error), {"error": error}, {"error": error, "ok": False}])
    return Case(_answer(json.dumps(document).encode(), status=chance.choice(_STATUSES)), "odd error")


def _odd_status(chance: random.Random, canary: str) -> Case:
    status = chance.choice((300, 304, 400, 402, 404, 410, 418, 499))
    return Case(_answer(json.dumps(_success(canary)).encode(), status=status), "success with an odd status")


def _odd_lifetime(chance: random.Random, canary: str) -> Case:
    token = f"sba_{canary}"
    body = json.dumps(_success(token))[:-1].replace('"expires_in": 3600, ', "")
    return Case(_answer(f'{body}, "expires_in": {chance.choice(_ODD_LIFETIMES)}}}'.encode()), "odd lifetime", token)


def _odd_rest(chance: random.Random, canary: str) -> Case:
    token = f"sba_{canary}"
    odd = {name: chance.choice(_ODD_VALUES) for name in ("token_type", "scope", "refresh_token", "extra")}
    document = _success(token, **odd)
    return Case(_answer(json.dumps(document).encode(), status=chance.choice((200, 201))), "odd rest", token)


_KINDS: tuple[Make, ...] = (
    _garbage,
    _torn_head,
    _torn_body,
    _wrong_length,
    _wrong_chunks,
    _wrong_gzip,
    _html,
    _text,
    _form,
    _no_object,
    _torn_json,
    _mutated,
    _no_token,
    _odd_error,
    _odd_status,
    _odd_lifetime,
    _odd_rest,
)
