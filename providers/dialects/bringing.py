"""What comes into a life with an entry: the strategy, the values that people type, the target, and the vendor."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pydantic import SecretStr

from providers.catalog.base_method import Method
from providers.catalog.fields import Param, SecretField
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.signed_methods import SigningMethod
from providers.dialects.certificates import CUSTOMER, VENDOR, issued
from providers.dialects.fixture import Fixture
from providers.dialects.keys import ACCOUNT, APP, client_key, pem_of, secret_of
from providers.dialects.matching import names_in
from providers.dialects.typing_in import as_placeholders, named_alike, values_for
from providers.dialects.vendors import vendor_of
from providers.dialects.vendors.stand_in import CALLBACK, CLIENT_ID, CLIENT_SECRET, StandIn
from providers.strategies import strategy_for
from providers.strategies.base import Strategy
from providers.values import ClientRegistration
from providers.vocabulary import ClientAuthentication, ParamScope, SigningAlgorithm

_PASSPHRASE = "correct horse"


@dataclass
class Bringing:
    """``entry`` by ``style`` at the vendor of ``fixture``. ``chosen`` are the parameters that came on the way."""

    fixture: Fixture
    entry: CatalogEntry
    style: str
    chosen: dict[str, str] = field(default_factory=dict)
    step: str = "begin"
    discovered: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def strategy(self) -> Strategy:
        return strategy_for(self.style)

    @cached_property
    def method(self) -> Method:
        return self.entry.methods[self.style]

    @cached_property
    def fields(self) -> tuple[SecretField, ...]:
        return self.entry.fields_of(self.style)

    @cached_property
    def values(self) -> dict[str, str]:
        """A value for each parameter that a person supplies, and for each typed field."""
        supplied: list[Param | SecretField] = [*self.entry.params_of(ParamScope.APP), *self._given, *self.fields]
        known = self._handed_out(ACCOUNT)
        return known | values_for([item for item in supplied if item.name not in known])

    def _handed_out(self, whose: str) -> dict[str, str]:
        """Return what the vendor hands out to an account, or knows of it, by the fields of the entry: keys."""
        if self.fixture.kind == "mtls":
            passphrase = _PASSPHRASE if "passphrase" in {item.name for item in self.fields} else ""
            customer, authority = (CUSTOMER, VENDOR) if whose == ACCOUNT else (whose, whose)
            shown = issued(customer, by=authority, passphrase=passphrase)
            found = {"certificate": shown.certificate, "private_key": shown.private_key, "passphrase": passphrase}
            return {item.name: found[item.name] for item in self.fields if item.name in found}
        method, said = self.method, self.fixture.signed
        if said is None:
            return {}
        key = secret_of(whose) if said.written == "hex" else pem_of(whose, said.algorithm)
        if not isinstance(method, SigningMethod):  # a client that proves itself by a key of its own
            return {item.name: key for item in self.fields if item.name == "private_key"}
        file = {name: value.replace("{private_key}", key) for name, value in said.file.items()}
        found = {item.name: named_alike(item.name, file) for item in self.fields}
        found = {name: value for name, value in found.items() if value}
        if method.key_file is not None:
            found[method.key_file.field] = json.dumps(file)
        if method.signed.key == "typed" and method.signed.key_field in {item.name for item in self.fields}:
            found[method.signed.key_field] = key
        return found

    @property
    def _given(self) -> tuple[Param, ...]:
        """The parameters of one connection: the end user types them, or the operator's backend gives them."""
        return (*self.entry.typed_params(self.style), *self.entry.invited_params(self.style))

    @cached_property
    def typed(self) -> dict[str, str]:
        return {item.name: self.values[item.name] for item in self.fields}

    def typed_with(self, whose: str) -> dict[str, str]:
        """Return what is typed with the key or the certificate of somebody else."""
        return {**self.typed, **self._handed_out(whose)}

    @cached_property
    def vendor(self) -> StandIn:
        said = self.fixture
        secret = frozenset(item.name for item in self.fields if item.secret)
        carried = [*said.headers.values(), *said.query.values(), *said.body.values(), said.probe, said.api]
        carried += [*said.demands.values(), *said.demand_headers.values()]
        given = {*said.answer, *(["token"] if said.kind == "login" else [])}
        if said.signed is not None:
            carried += [*said.signed.header.values(), *said.signed.claims.values()]
            given |= {"token", "jwt", "scopes", "fingerprint", "token_url"}
        wanted = [name for template in carried for name in names_in(template) if name not in given]
        filled = self._filled_in()
        params = {param.name: filled[param.name] for param in self._given}
        own = self._handed_out(ACCOUNT) if said.kind == "mtls" else {}
        typed = {name: value for name, value in self.typed.items() if name not in own}
        if said.kind in ("key", "login", "mtls") or (said.signed is not None and said.kind != "machine"):
            typed = as_placeholders(list(dict.fromkeys(wanted)), {**params, **typed}, secret)
        supplied = frozenset(
            {*self.values.values(), *filled.values(), *(said.signed.file if said.signed else {}).values()}
        )
        return vendor_of(said, typed=typed, supplied=supplied)

    def _filled_in(self) -> dict[str, str]:
        params = {param.name: param for param in self.entry.params}
        return {name: params[name].filled_in(value) for name, value in self.values.items() if name in params}

    def target(self, *, secret: str = CLIENT_SECRET, key: str = APP, before_callback: bool = False) -> Target:
        """Return the target as a connection has it. ``secret`` and ``key`` are our registration's, or wrong ones."""
        app = {param.name: self.values[param.name] for param in self.entry.params_of(ParamScope.APP)}
        given = {param.name: self.values[param.name] for param in self._given}
        secrets = () if self._is_public else (SecretStr(secret),)
        algorithm = SigningAlgorithm(self.fixture.signed.algorithm if self.fixture.signed else "RS256")
        algorithm = SigningAlgorithm.RS256 if algorithm.is_symmetric else algorithm
        if isinstance(self.method, SigningMethod) and not self.method.signed.algorithm.is_symmetric:
            algorithm = self.method.signed.algorithm
        own_key = client_key(key, algorithm) if self.method.needs_app_key else None
        return resolve(
            entry=self.entry,
            style=self.style,
            registration=ClientRegistration(CLIENT_ID, secrets, CALLBACK, app, own_key),
            discovered=self.discovered,
            params={**given, **self.chosen},
            before_callback=before_callback,
        )

    @property
    def _is_public(self) -> bool:
        oauth = self.method.oauth
        return oauth is not None and oauth.client_authentication is ClientAuthentication.NONE
