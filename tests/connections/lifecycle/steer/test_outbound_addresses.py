"""The addresses that providers see: stated, seen by a service, or honestly not known."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from config.hidden import HiddenUrl
from connections.lifecycle.steer.outbound_addresses import OutboundAddresses, outbound_addresses
from providers.dialects.wire import Answer, Request, answered_by

ECHO = HiddenUrl("https://echo.example:8443/ip?key=hidden")


def seeing(settings: Any, body: str, *, status: int = 200, stated: tuple[str, ...] = ()) -> OutboundAddresses:
    """Return what is found where the service answers ``body``."""
    settings.EGRESS_ECHO_URL, settings.EGRESS_ADDRESSES = ECHO, list(stated)

    def respond(request: Request) -> Answer:
        assert (request.method, request.url) == ("GET", str(ECHO))
        return status, {"Content-Type": "text/plain"}, body.encode()

    with answered_by(respond):
        return outbound_addresses()


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("8.8.4.4\n", "8.8.4.4"),
        ("2001:4860:4860::8844", "2001:4860:4860::8844"),
        ('{"origin": "8.8.4.4"}', "8.8.4.4"),
        ("h=echo.example\nip=8.8.4.4\nts=1.5\n", "8.8.4.4"),
        ("<p>You are <b>8.8.4.4</b>.</p>", "8.8.4.4"),
    ],
    ids=["plain", "IPv6", "JSON", "lines", "a page"],
)
def test_the_address_is_read_from_whatever_form_the_service_answers_in(settings: Any, body: str, seen: str) -> None:
    found = seeing(settings, body)
    assert (found.seen, found.to_list, found.echo) == (seen, (seen,), "echo.example:8443")
    assert "one call of this process" in found.notes[-1], "one address may not be all of them"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("nothing here", 200, "answered with no address"),
        ("8.8.4.4, 8.8.8.8", 200, "answered with 2 addresses"),
        ("8.8.4.4", 500, "answered 500"),
        ("10.1.2.3", 200, "within your own network"),
    ],
)
def test_an_answer_that_proves_nothing_is_told(settings: Any, body: str, status: int, said: str) -> None:
    found = seeing(settings, body, status=status)
    assert any(said in note for note in found.notes), found.notes


def test_a_seen_address_that_is_not_stated_is_told(settings: Any) -> None:
    found = seeing(settings, "8.8.4.4", stated=("203.0.113.0/28", "2001:db8::1"))
    assert found.to_list == ("203.0.113.0/28", "2001:db8::1")
    assert found.notes == ("8.8.4.4 is not among the stated addresses: a provider with a list refuses calls from it.",)
    assert seeing(settings, "8.8.4.4", stated=("8.8.0.0/16",)).notes == ()


def test_without_a_setting_it_says_that_it_cannot_know(settings: Any) -> None:
    settings.EGRESS_ECHO_URL, settings.EGRESS_ADDRESSES = HiddenUrl(""), []
    settings.EGRESS_PROXY_URL = HiddenUrl("http://user:hidden@proxy.example:3128")
    found = outbound_addresses()
    assert (found.to_list, found.proxy) == ((), "proxy.example:3128")
    assert "cannot know" in found.notes[-1]
    assert "hidden" not in repr(found)


def test_the_command_shows_what_is_known_and_asks_only_where_it_may(settings: Any) -> None:
    settings.EGRESS_ECHO_URL, settings.EGRESS_ADDRESSES = ECHO, ["203.0.113.7"]
    told = io.StringIO()
    with answered_by(lambda _: pytest.fail("it was not to ask")):
        call_command("egress", "addresses", "--no-ask", "--json", stdout=told)
    assert json.loads(told.getvalue())["to_list"] == ["203.0.113.7"]
    told = io.StringIO()
    with answered_by(lambda _: (200, {}, b"203.0.113.7")):
        call_command("egress", "addresses", stdout=told)
    assert "to list" in told.getvalue()
    assert "203.0.113.7" in told.getvalue()
    assert "hidden" not in told.getvalue()


def test_a_service_that_cannot_be_asked_is_a_note_and_no_error(settings: Any) -> None:
    settings.EGRESS_ECHO_URL, settings.EGRESS_ADDRESSES = HiddenUrl("http://echo.example/"), []
    found = outbound_addresses()
    assert found.seen == ""
    assert "echo.example could not be asked" in found.notes[0]
