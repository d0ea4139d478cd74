"""A process's custody, put back afterwards, and egress that may reach loopback."""

from collections.abc import Callable, Iterator

import pytest
from moto.server import ThreadedMotoServer

from providers import egress
from providers.custodians import aws, azure, google, openbao
from providers.custodians.custody import Custody, configure_custody, current_custody
from tests.providers.custodians.stand_ins import AzureCloud, Bao, GoogleCloud, serving


@pytest.fixture
def use() -> Iterator[Callable[[Custody], None]]:
    """Make a custody the one of this process, with nothing remembered of another."""
    before, policy = current_custody(), egress.current_policy()

    def make(custody: Custody) -> None:
        for kept in (aws._kept, azure._tokens, google._tokens, openbao._tokens, openbao._renewed):
            kept.forget()
        configure_custody(custody)

    egress.configure(egress.EgressPolicy())
    yield make
    make(before)
    egress.configure(policy)


@pytest.fixture
def bao() -> Iterator[Bao]:
    with serving(Bao()) as running:
        yield running


@pytest.fixture
def google_cloud() -> Iterator[GoogleCloud]:
    with serving(GoogleCloud()) as running:
        yield running


@pytest.fixture
def azure_cloud() -> Iterator[AzureCloud]:
    with serving(AzureCloud()) as running:
        yield running


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
