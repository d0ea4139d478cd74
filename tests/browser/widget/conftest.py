"""One stack on three sites, and one Chromium that trusts their certificate, for all of the folder."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from config.local.demo.stack import LocalStack
from tests.browser.operator import Operator
from tests.browser.tls_stack import Sites, three_sites
from tests.campaigns.screens import chromium
from tests.campaigns.stacks import own_databases


@pytest.fixture(scope="package")
def running_sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    with own_databases() as databases, three_sites(tmp_path_factory.mktemp("sites"), databases) as running:
        yield running


@pytest.fixture(scope="package")
def browser(running_sites: Sites) -> Iterator[Browser]:
    with chromium(*running_sites.certificate.chromium_arguments) as running:
        yield running


@pytest.fixture(scope="module")
def sites(running_sites: Sites, request: pytest.FixtureRequest) -> Sites:
    """The sites, at whose product somebody is logged in whom no other file knows."""
    running_sites.product.user = request.module.__name__.rpartition("_")[2]
    return running_sites


@pytest.fixture(scope="module")
def stack(sites: Sites) -> LocalStack:
    """The stack alone, at which the table of attacks counts."""
    return sites.stack


@pytest.fixture(scope="module")
def product(sites: Sites, stack: LocalStack) -> Operator:
    return sites.product
