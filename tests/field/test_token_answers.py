"""What token endpoints really answer."""

from tests.field.stage import Stage


def test_a_plain_answer_connects_refreshes_and_vends(stage: Stage) -> None:
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600})
    stage.tokens({"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600})
    connection = stage.connect()
    assert stage.refresh(connection).outcome == "refreshed"
    assert stage.vend(connection).json()["credential"]["value"] == "at-2"
    assert [request.form["grant_type"] for request in stage.requests()] == ["authorization_code", "refresh_token"]
