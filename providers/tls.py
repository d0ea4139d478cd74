"""TLS towards providers: whose certificates count, and the sessions that later calls resume (RFC 8446 §2.2).

A handshake that resumes a session does without certificates, whose check is most of a handshake's cost. Each call still
opens a connection of its own, so it is known of each request whether it was sent. A connection that is kept open would
be cheaper, but the server may close it while a request is on its way, and nobody could tell whether it acted on it.
"""

import os
import ssl
import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple

import certifi

from providers.timed_socket import TimedTLSSocket
from providers.values import ClientCertificate

# After this time a server shows its certificate again: one that has expired meanwhile is noticed.
KEPT_SECONDS = 600.0
_MOST_SERVERS = 512  # each session takes some kilobytes


class Server(NamedTuple):
    """A server as a session knows it: the name in its certificate, its port, and the address that was connected to."""

    host: str
    port: int
    address: Any


def client_context(*, ca_file: str = "", certificate: ClientCertificate | None = None) -> ssl.SSLContext:
    """Return the context of a client that trusts the public authorities, and those in the PEM file ``ca_file``.

    It presents ``certificate``, if there is one: then the context is for one call, and nobody else's. Raises
    ``ssl.SSLError`` where the file holds no certificate, or the key does not fit.
    """
    # Not ssl.create_default_context(): its authorities come from SSL_CERT_FILE and it obeys SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cafile=certifi.where())
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    context.sslsocket_class = TimedTLSSocket
    if certificate is not None:
        _present(context, certificate)
    return context


def _present(context: ssl.SSLContext, certificate: ClientCertificate) -> None:
    """Load a certificate and its key. OpenSSL reads files alone: this one is in memory, and has no name to open."""
    descriptor = os.memfd_create("client-certificate", os.MFD_CLOEXEC)
    try:
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(f"{certificate.chain}\n{certificate.private_key.get_secret_value()}\n".encode())
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def refuses_certificate(error: OSError) -> bool:
    """Whether the other end has said by an alert that it does not take the certificate of ours (RFC 8446 §6.2)."""
    reason = (error.reason or "") if isinstance(error, ssl.SSLError) else ""
    return "_ALERT_" in reason and any(word in reason for word in ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED"))


def refuses_unread(sock: object) -> bool:
    """Whether the alert lies unread that the other end has sent before it closed the connection on our request."""
    try:
        if isinstance(sock, ssl.SSLSocket):
            sock.recv(1)
    except OSError as error:
        return refuses_certificate(error)
    return False


class Sessions:
    """One session for each of the last servers, under one context, which stands for one set of authorities.

    Many calls resume the same session, also at once. RFC 8446 (appendix C.4) advises against it, so that an observer
    cannot link the connections of one client. Ours come from one address, and to copy a session out of OpenSSL takes
    longer than to resume it. Threads may share this object. No I/O.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Server, tuple[float, ssl.SSLSession]] = OrderedDict()

    def keep(self, server: Server, session: ssl.SSLSession | None) -> None:
        """Keep the session of a connection to ``server`` that has brought an answer: the ticket came before that."""
        if session is None or not session.has_ticket:
            return
        with self._lock:
            self._kept[server] = (time.monotonic() + KEPT_SECONDS, session)
            self._kept.move_to_end(server)
            if len(self._kept) > _MOST_SERVERS:
                self._kept.popitem(last=False)

    def of(self, server: Server) -> ssl.SSLSession | None:
        """Return the session to resume with ``server``, or None if there is none or it is too old."""
        with self._lock:
            until, session = self._kept.get(server, (0.0, None))
        return session if until > time.monotonic() else None

    def forget(self, server: Server) -> None:
        """Forget the session with ``server``."""
        with self._lock:
            self._kept.pop(server, None)
