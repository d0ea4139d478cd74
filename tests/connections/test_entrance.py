"""What is logged of a request that crashed: the way to the error, and nothing of what was being handled."""

import json
import logging
from typing import Any

import pytest
from django.test import RequestFactory

from connections import entrance
from connections.entrance import log_crash

SECRET = "canary-of-a-secret"


def crashed(secret: str) -> Exception:
    """Return an error that arose two frames of the product's below, and past them in the standard library."""
    try:
        try:
            json.loads("{" + secret)
        except ValueError as error:
            raise RuntimeError(secret) from error
    except RuntimeError as error:
        return error


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Any:
    def tell(error: Exception) -> dict[str, Any]:
        caplog.clear()
        log_crash(RequestFactory().get("/connect/x"), error)
        (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert isinstance(record.msg, dict)
        return record.msg

    return tell


def test_every_frame_of_the_product_is_named(told: Any) -> None:
    def fail() -> None:
        entrance.client_address(None)  # type: ignore[arg-type]  # it raises in there

    try:
        fail()
    except AttributeError as error:
        event = told(error)
    assert event["error"] == "AttributeError"
    assert [place.rpartition(":")[0] for place in event["way"]] == [
        "tests/connections/test_entrance.py",
        "tests/connections/test_entrance.py",
        "connections/entrance.py",
    ]
    assert all(int(place.rpartition(":")[2]) > 0 for place in event["way"])


def test_where_it_arose_in_a_library_is_named_last(told: Any) -> None:
    try:
        json.loads("{")
    except ValueError as error:
        event = told(error)
    assert event["way"][0].startswith("tests/connections/test_entrance.py:")
    assert event["way"][-1].rpartition(":")[0].endswith("json/decoder.py")
    assert len(event["way"]) == 2


def test_causes_are_named_and_no_value_is(told: Any) -> None:
    event = told(crashed(SECRET))
    assert (event["error"], event["causes"]) == ("RuntimeError", ["JSONDecodeError"])
    assert SECRET not in str(event)
