"""A rehearsal stands in for the network while it lasts, and nothing that serves callers can enter one."""

from pathlib import Path

import pytest

from providers import egress, rehearsal
from providers.dialects.wire import Answer, Request, answered_by
from providers.errors import ProviderError

ROOT = Path(__file__).parents[2]


def test_nothing_leaves_while_it_lasts_and_the_network_is_real_afterwards() -> None:
    seen: list[str] = []

    def respond(request: Request) -> Answer:
        seen.append(request.url)
        return 200, {}, b"played"

    with answered_by(respond):
        assert egress.request("GET", "https://api.acme.invalid/me").body == b"played"
    assert seen == ["https://api.acme.invalid/me"]
    with pytest.raises(ProviderError):
        egress.request("GET", "https://api.acme.invalid/me")


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), answered_by(lambda _: (200, {}, b"")):
        raise ZeroDivisionError
    assert rehearsal._connect is None


def test_one_place_enters_it() -> None:
    product = [path for top in ("config", "connections", "providers") for path in (ROOT / top).rglob("*.py")]
    enters = [path for path in product if "rehearsed(" in path.read_text(encoding="utf-8")]
    assert [str(path.relative_to(ROOT)) for path in sorted(enters)] == [
        "providers/dialects/wire.py",
        "providers/rehearsal.py",
    ]
