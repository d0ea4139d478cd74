"""Whole addresses of our own pages, whichever thread asks for them."""

from django.test.utils import override_script_prefix

from connections.access.addresses import admin_address, widget_address
from tests.public_urls import at


def test_each_begins_with_its_own_host_and_has_the_path_once() -> None:
    with at("https://example.com/a", widget="https://w.example/a", admin="https://m.example/a"):
        for prefix in ("/", "/a/"):  # a worker's thread, and one that answers a request
            with override_script_prefix(prefix):
                assert admin_address("admin:index") == "https://m.example/a/admin/"
                assert widget_address("connect:preview") == "https://w.example/a/connect/preview"
