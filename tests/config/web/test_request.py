"""What anybody may send makes one line in the log, and what a list of settings shows holds no password."""

import logging
import pprint

import pytest
from django.conf import settings

from config.hidden import HiddenUrl
from config.logging import _OneLine
from tests.asgi_client import AsgiClient


def test_a_foreign_host_is_told_in_one_line(caplog: pytest.LogCaptureFixture, db: None) -> None:
    assert AsgiClient().get("/admin/", headers={"host": "evil.example"}).status_code == 400
    told = [record for record in caplog.records if record.name == "django.security.DisallowedHost"]
    assert told
    for record in told:
        assert _OneLine().filter(record)
        assert "\n" not in logging.Formatter().format(record)


def test_other_errors_keep_their_traceback() -> None:
    record = logging.LogRecord("connections", logging.ERROR, "", 0, "text", None, (ValueError, ValueError("x"), None))
    assert _OneLine().filter(record)
    assert record.exc_info is not None


def test_a_hidden_url_works_and_shows_no_password() -> None:
    url = HiddenUrl("rediss://user:canary@cache.example:6379/0?x=1")
    assert url == "rediss://user:canary@cache.example:6379/0?x=1"
    assert f"{url}" == url
    shown = repr(url) + pprint.pformat({"REDIS_URL": url})
    assert "canary" not in shown
    assert "cache.example:6379/0" in shown
    assert repr(HiddenUrl("")) == "''"
    assert "****" not in repr(HiddenUrl("redis://cache.example"))


def test_workers_take_no_orders_over_the_broker() -> None:
    assert settings.CELERY_WORKER_ENABLE_REMOTE_CONTROL is False
    assert isinstance(settings.REDIS_URL, HiddenUrl)
    assert isinstance(settings.EGRESS_PROXY_URL, HiddenUrl)
