"""Where vends are asked for, and where not."""

import pytest

from connections.api.vend_paths import is_vend_path

ID = "6f805d0b-5b38-4576-a2ca-263c0631c1b6"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/v1/credentials", True),
        (f"/api/v1/connections/{ID}/credential", True),
        ("/api/v1/credentials/", False),
        ("/api/v1/connections/x/credential", False),
        (f"/api/v1/connections/{ID}/credential/more", False),
        (f"/api/v1/connections/{ID}/refresh", False),
        (f"/admin/api/v1/connections/{ID}/credential", False),
    ],
)
def test_by_an_id_or_by_the_owner(path: str, expected: bool) -> None:
    assert is_vend_path(path) is expected
