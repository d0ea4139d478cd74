"""A folder of entries of the operator's own, in force while a test runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from providers.catalog.loader import configure_catalog

OWN = """# Acme's own ERP.
name = "Acme ERP"
category = "ERP"
base_url = "https://api.acme.example"
aliases = { acme-old = "bearer_token" }

[bearer_token]

[probe]
url = "https://api.acme.example/me"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder for entries of the operator's own."""
    configure_catalog(tmp_path)
    with override_settings(CATALOG_DIR=tmp_path):
        yield tmp_path
    configure_catalog(settings.CATALOG_DIR)


@pytest.fixture
def own(folder: Path) -> Path:
    """The folder, with one entry in it."""
    (folder / "acme-erp.toml").write_text(OWN, encoding="utf-8")
    configure_catalog(folder)
    return folder
