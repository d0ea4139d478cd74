"""Vend: what the catalogue says now is what a vended credential is presented with."""

import time

from tests.field.conftest import make_provider, stage  # noqa: F401 - fixtures
from tests.field.stage import Stage

PRESENTATION = '[presentation.oauth2_authorization_code.headers]\nX-Token = "{access_token}"\n'


def test_an_edited_entry_is_in_force_a_second_later(stage: Stage) -> None:  # noqa: F811 - that fixture
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    connection = stage.connect()
    before = stage.vend(connection).json()["credential"]
    assert before["headers"] == {"Authorization": "Bearer at-1"}
    path = stage.folder / "field.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("/api", "/api/v2") + PRESENTATION, encoding="utf-8")
    time.sleep(1.1)
    after = stage.vend(connection).json()["credential"]
    assert after["headers"] == {"X-Token": "at-1"}
    assert after["base_url"] == f"{stage.server.url}/api/v2"
