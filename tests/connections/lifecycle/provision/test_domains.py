"""Domains: verified by a file that only the host's owner can put there, again and again, and by nothing else."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.domains import (
    PATH,
    VERIFIED_FOR,
    add_domain,
    file_of,
    look_again,
    look_at_domain,
    remove_domain,
    vouched_for,
)
from connections.models import AuditEvent, Tenant, TenantDomain
from connections.refusals import InvalidRequest, NotFound
from providers import egress
from providers.egress import EgressPolicy
from tests.factories import make_tenant


@dataclass
class Site:
    """A product's own web site: ``files`` by path, each with its status, and where ``redirects`` lead."""

    host: str = ""
    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def hold(self, domain: TenantDomain, *, before: str = "", after: str = "\n") -> None:
        self.files[PATH] = (200, before + file_of(domain)[1] + after)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            if self.path in site.redirects:
                self.send_response(302)
                self.send_header("Location", site.redirects[self.path])
                self.end_headers()
                return
            status, text = site.files.get(self.path, (404, "nothing"))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.host = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def domain(acme: Tenant, site: Site) -> TenantDomain:
    return add_domain(acme, site.host, actor=SYSTEM)


def looked_at(domain: TenantDomain) -> TenantDomain:
    look_at_domain(domain, now=database_now(), actor=SYSTEM)
    domain.refresh_from_db()
    return domain


def is_vouched_for(domain: TenantDomain, *, later: timedelta = timedelta(0)) -> bool:
    return vouched_for(domain.tenant_id, domain.host, now=database_now() + later)


def test_the_file_verifies_the_host_for_a_week(domain: TenantDomain, site: Site) -> None:
    assert not is_vouched_for(domain)
    site.hold(domain, before="# other lines may stand here\r\n", after="  \r\n")
    assert looked_at(domain).failure == ""
    assert is_vouched_for(domain)
    assert is_vouched_for(domain, later=VERIFIED_FOR - timedelta(minutes=1))
    assert not is_vouched_for(domain, later=VERIFIED_FOR)
    assert site.asked == [PATH]
    assert AuditEvent.objects.filter(action="domain.verified").count() == 1


def test_one_tenant_s_file_verifies_it_for_no_other(domain: TenantDomain, site: Site) -> None:
    globex = make_tenant("globex")
    theirs = add_domain(globex, site.host, actor=SYSTEM)
    site.hold(domain)
    looked_at(domain)
    assert (
        looked_at(theirs).failure
        == "The file does not hold the line of this tenant: put it there, on a line of its own."
    )
    assert (is_vouched_for(domain), is_vouched_for(theirs)) == (True, False)


@pytest.mark.parametrize("status", [404, 403, 500, 204, 201])
def test_only_a_file_that_is_there_counts(status: int, domain: TenantDomain, site: Site) -> None:
    site.files[PATH] = (status, file_of(domain)[1])
    assert str(status) in looked_at(domain).failure
    assert not is_vouched_for(domain)


@pytest.mark.parametrize("way", ["/elsewhere", "https://acme.example/", "//acme.example/", "http://169.254.169.254/"])
def test_a_redirect_is_not_followed(way: str, domain: TenantDomain, site: Site) -> None:
    site.redirects[PATH] = way
    site.files["/elsewhere"] = (200, file_of(domain)[1])
    assert "Redirects are not followed" in looked_at(domain).failure
    assert site.asked == [PATH]
    assert not is_vouched_for(domain)


def test_an_address_that_may_not_be_reached_is_not_asked(domain: TenantDomain, site: Site) -> None:
    site.hold(domain)
    before = egress.current_policy()
    egress.configure(EgressPolicy())
    try:
        assert "may not be reached" in looked_at(domain).failure
    finally:
        egress.configure(before)
    assert site.asked == []
    assert not is_vouched_for(domain)


@pytest.mark.parametrize("text", ["latchkey-domain=", "latchkey-domain=other", "x" * 5000, "", "\x00\xff" * 50])
def test_other_content_verifies_nothing(text: str, domain: TenantDomain, site: Site) -> None:
    site.files[PATH] = (200, text)
    assert looked_at(domain).failure
    assert not is_vouched_for(domain)


def test_the_line_has_to_stand_alone(domain: TenantDomain, site: Site) -> None:
    """A page that echoes what it was asked for, or a comment, is no file of the owner's."""
    for before, after in (("<p>", "</p>"), ("Not found: ", ""), ("", ".bak")):
        site.hold(domain, before=before, after=after)
        assert looked_at(domain).failure
    assert not is_vouched_for(domain)


HOSTS = """
*.acme.example|*|acme|com||.acme.example|acme.example.|acme..example|-a.example|ACME.example|https://acme.example
acme.example/|acme.example/path|acme.example?x|a@acme.example|acme.example:0|acme.example:x|acme.example:123456
10.0.0.1|169.254.169.254|[::1]|::1|0x7f.1|127.1|bücher.example|acme .example
"""


@pytest.mark.parametrize(
    "host", [*HOSTS.strip().replace("\n", "|").split("|"), "acme.example\n", "a\x00.example", "a" * 300 + ".example"]
)
def test_only_the_name_of_a_host_is_taken(host: str, acme: Tenant) -> None:
    with pytest.raises(InvalidRequest) as refused:
        add_domain(acme, host, actor=SYSTEM)
    assert refused.value.extra["field"] == "host"


def test_names_of_hosts_are_taken_once(acme: Tenant) -> None:
    for host in ("acme.example", "app.acme-1.example:8443", "xn--bcher-kva.example"):
        once, twice = (add_domain(acme, host, actor=SYSTEM) for _ in range(2))
        assert once.challenge == twice.challenge
        assert len(once.challenge) >= 43
        assert file_of(once)[0] == f"https://{host}{PATH}"
    assert AuditEvent.objects.filter(action="domain.added").count() == 3


def test_neither_above_nor_below_the_host_is_verified(domain: TenantDomain, site: Site) -> None:
    site.hold(domain)
    looked_at(domain)
    now = database_now()
    for other in (f"sub.{site.host}", "127.0.0.1", site.host.replace("127.0.0.1", "localhost")):
        assert not vouched_for(domain.tenant_id, other, now=now)


def test_it_is_looked_at_again_and_ends_when_the_file_has_gone(domain: TenantDomain, site: Site) -> None:
    site.hold(domain)
    looked_at(domain)
    now = database_now()
    assert look_again(now=now + timedelta(hours=23)) == 0
    assert look_again(now=now + timedelta(hours=25)) == 1
    assert is_vouched_for(domain, later=VERIFIED_FOR + timedelta(hours=24))
    site.files.clear()
    assert look_again(now=now + timedelta(hours=50)) == 1
    assert not is_vouched_for(domain)
    assert AuditEvent.objects.filter(action="domain.unverified").count() == 1
    assert look_again(now=now + timedelta(hours=100)) == 0


def test_a_host_that_is_away_stays_verified_until_its_time_is_over(domain: TenantDomain, site: Site) -> None:
    site.hold(domain)
    looked_at(domain)
    TenantDomain.objects.filter(id=domain.id).update(host="127.0.0.1:1")
    domain.refresh_from_db()
    assert looked_at(domain).failure == "The host cannot be reached. Check its DNS record and its certificate."
    assert is_vouched_for(domain)
    assert not is_vouched_for(domain, later=VERIFIED_FOR)


def test_a_domain_that_is_removed_is_vouched_for_no_longer(domain: TenantDomain, site: Site) -> None:
    site.hold(domain)
    looked_at(domain)
    globex = make_tenant("globex")
    with pytest.raises(NotFound):
        remove_domain(globex, site.host, actor=SYSTEM)
    assert is_vouched_for(domain)
    remove_domain(domain.tenant, site.host, actor=SYSTEM)
    assert not is_vouched_for(domain)
    look_at_domain(domain, now=database_now(), actor=SYSTEM)  # which was under way
    assert not is_vouched_for(domain)
