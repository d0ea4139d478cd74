"""A stack on three sites over TLS, as tests and campaigns run it: a product, Latchkey, a provider."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.local.demo.stack import LocalStack
from tests.browser.catalogue import write_catalogue
from tests.browser.operator import Operator, operator
from tests.browser.sites import LATCHKEY, PRODUCT, PROVIDER, SECOND_PRODUCT, Certificate, Front, fronts

_PROCESSES = ("web", "sandbox")


@dataclass(frozen=True)
class Sites:
    """The running sites. ``product`` is acme's, ``globex`` the same server as a customer that offers many providers.

    ``certificate`` has the arguments with which Chromium finds and trusts them, ``apps`` the ids of provider apps by
    ``tenant/provider``, ``failures`` every failure that the widget has words for.
    """

    certificate: Certificate
    latchkey: Front
    provider: Front
    stack: LocalStack
    product: Operator
    globex: Operator
    apps: dict[str, str]
    failures: list[str]

    @property
    def offered(self) -> list[str]:
        """The providers that globex offers."""
        return [name.partition("/")[2] for name in self.apps if name.startswith("globex/")]


@contextmanager
def three_sites(folder: Path, databases: Mapping[str, str] | None = None) -> Iterator[Sites]:
    """Run it all until the block ends, on ``databases`` that are migrated, or on its own where there are none."""
    certificate = Certificate()
    with fronts(certificate, LATCHKEY, PROVIDER) as (latchkey, provider):
        catalogue = write_catalogue(folder / "catalogue", provider=provider.url)
        overrides = {"LATCHKEY_CATALOG_DIR": str(catalogue), "PUBLIC_URL": latchkey.url, **(databases or {})}
        with (
            LocalStack(
                state_dir=folder / "stack",
                overrides=overrides,
                processes=_PROCESSES,
                seed=False,
                migrate=databases is None,
                durable=False,
            ) as stack,
            operator(PRODUCT, certificate.context) as product,
        ):
            for front, name in zip((latchkey, provider), _PROCESSES, strict=True):
                front.upstream = urlsplit(stack.urls[name]).port or 0
            product.latchkey, product.api = latchkey.url, stack.urls["web"]
            origins = (product.url, product.url.replace(PRODUCT, SECOND_PRODUCT))
            printed = stack.run("prepare", "-m", "tests.browser.prepare", *origins)
            prepared = json.loads(printed.strip().splitlines()[-1])
            product.key, product.agent_key = prepared["key"], prepared["agent_key"]
            globex = Operator(product.url, product.latchkey, prepared["globex_key"], "sandbox", product.api)
            yield Sites(certificate, latchkey, provider, stack, product, globex, prepared["apps"], prepared["failures"])
