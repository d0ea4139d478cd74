"""How values look: escaped, and without inline style."""

from datetime import UTC, datetime, timedelta

from connections.admin import show

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_everything_is_escaped() -> None:
    hostile = '<script>"x"</script>'
    for shown in (
        show.chip(hostile, title=hostile),
        show.code(hostile),
        show.as_json({hostile: hostile}),
        show.facts({hostile: hostile}),
        show.facts({"detail": hostile, "sent": True, "error": hostile}),
        show.copyable(hostile),
        show.two_lines(hostile, hostile),
    ):
        assert "<script>" not in shown


def test_a_moment_is_told_as_its_distance() -> None:
    assert "in 5 min" in show.moment(NOW + timedelta(minutes=5), now=NOW)
    assert "2026-01-02 03:04:05 UTC" in show.moment(NOW, now=NOW)
    assert show.moment(None, now=NOW) == show.NOTHING


def test_evidence_begins_with_the_sentence() -> None:
    shown = show.facts({"sent": True, "status": 400, "error": "invalid_grant", "detail": "The grant is refused."})
    assert shown.startswith("The grant is refused.")
    assert "400" in shown
    assert "invalid_grant" in shown
    assert "sent" not in shown


def test_ids_in_details_are_links() -> None:
    assert "/admin/connections/connectsession/abc/change/" in show.facts({"session": "abc"})
    assert show.facts({}) == show.NOTHING
    assert show.facts("text") == "text"


def test_the_switches_of_a_row_are_told() -> None:
    class Row:
        suspended_at = NOW
        paused_at = NOW

    assert "Suspended" in show.switches(Row())
    assert "Paused" in show.switches(Row())
    assert show.switches(object()) == ""


def test_a_credential_that_does_not_open_is_told() -> None:
    class Row:
        undecryptable_at = 1

    assert "Undecryptable" in show.switches(Row())
