"""Pushes as the vendors send them, by the rules that they publish. Nothing here is shared with the product.

Each vendor signs here with a few lines of its own, written from its documentation: a slip in an entry, or in what reads
entries, then makes a push that does not verify.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

DISCORD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@dataclass(frozen=True)
class Sent:
    """One request: its headers and its body."""

    headers: dict[str, str]
    body: bytes


def _hmac(secret: str, message: bytes, *, kind: str = "hex") -> str:
    made = hmac.new(secret.encode(), message, hashlib.sha256)
    return made.hexdigest() if kind == "hex" else base64.b64encode(made.digest()).decode()


def slack(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = str(int(at)), json.dumps(event).encode()
    signature = "v0=" + _hmac(secret, b"v0:" + stamp.encode() + b":" + body)
    return Sent({"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}, body)


def github(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    kind, body = event["_event"], json.dumps({k: v for k, v in event.items() if k != "_event"}).encode()
    signed = {"X-Hub-Signature-256": "sha256=" + _hmac(secret, body)}
    return Sent({"X-GitHub-Event": kind, "X-GitHub-Delivery": str(uuid.uuid4()), **signed}, body)


def shopify(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    topic, body = event["_topic"], json.dumps({k: v for k, v in event.items() if k != "_topic"}).encode()
    headers = {
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": "acme.myshopify.com",
        "X-Shopify-Webhook-Id": str(uuid.uuid4()),
        "X-Shopify-Hmac-Sha256": _hmac(secret, body, kind="base64"),
    }
    return Sent(headers, body)


def zoom(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = str(int(at)), json.dumps(event).encode()
    signature = "v0=" + _hmac(secret, f"v0:{stamp}:{body.decode()}".encode())
    return Sent({"x-zm-request-timestamp": stamp, "x-zm-signature": signature}, body)


def hubspot(secret: str, url: str, event: Any, at: float) -> Sent:
    stamp, body = str(int(at * 1000)), json.dumps(event)
    signature = _hmac(secret, f"POST{url}{body}{stamp}".encode(), kind="base64")
    return Sent({"X-HubSpot-Request-Timestamp": stamp, "X-HubSpot-Signature-v3": signature}, body.encode())


def stripe(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = int(at), json.dumps(event)
    signature = _hmac(secret, f"{stamp}.{body}".encode())
    return Sent({"Stripe-Signature": f"t={stamp},v1={signature},v0=6ffbb59b2300aae63f27240606"}, body.encode())


def square(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    body = json.dumps(event)
    return Sent({"x-square-hmacsha256-signature": _hmac(secret, (url + body).encode(), kind="base64")}, body.encode())


def discord(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = str(int(at)), json.dumps(event).encode()
    signature = DISCORD_KEY.sign(stamp.encode() + body).hex()
    return Sent({"X-Signature-Timestamp": stamp, "X-Signature-Ed25519": signature}, body)


def xero(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    body = json.dumps(event).encode()
    return Sent({"x-xero-signature": _hmac(secret, body, kind="base64")}, body)


def graph(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    told = [{**one, "clientState": secret} for one in event["value"]]
    return Sent({}, json.dumps({"value": told}).encode())


def sandbox(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = str(int(at)), json.dumps(event).encode()
    return Sent(
        {"Sandbox-Timestamp": stamp, "Sandbox-Signature": "v1=" + _hmac(secret, f"{stamp}.".encode() + body)}, body
    )


def tiktok(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    stamp, body = str(int(at)), json.dumps(event)
    return Sent({"Tiktok-Signature": f"t={stamp},s={_hmac(secret, f'{stamp}.{body}'.encode())}"}, body.encode())


def twitch(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    message, stamp, body = str(uuid.uuid4()), _iso(at).replace("Z", ".634234626Z"), json.dumps(event)
    headers = {
        "Twitch-Eventsub-Message-Id": message,
        "Twitch-Eventsub-Message-Type": "notification",
        "Twitch-Eventsub-Message-Timestamp": stamp,
        "Twitch-Eventsub-Message-Signature": "sha256=" + _hmac(secret, (message + stamp + body).encode()),
    }
    return Sent(headers, body.encode())


def facebook(secret: str, url: str, event: dict[str, Any], at: float) -> Sent:
    return signed_request(secret, json.dumps({**event, "algorithm": "HMAC-SHA256", "issued_at": int(at)}).encode())


def signed_request(secret: str, said: bytes) -> Sent:
    payload = base64.urlsafe_b64encode(said).rstrip(b"=")
    signature = base64.urlsafe_b64encode(hmac.new(secret.encode(), payload, hashlib.sha256).digest()).rstrip(b"=")
    return Sent({}, b"signed_request=" + signature + b"." + payload)


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


@dataclass(frozen=True)
class Vendor:
    """One vendor's way to push. ``ended``, ``doubtful`` and ``other`` are events about ``account``, None for none.

    ``account`` is as a connection has it, and with ``param`` in that parameter. ``by_client_secret``: the vendor signs
    with that. ``dated``: what it signs says when.
    """

    slug: str
    send: Callable[[str, str, Any, float], Sent]
    account: str
    ended: Callable[[float], Any] | None = None
    doubtful: Callable[[float], Any] | None = None
    other: Callable[[float], Any] | None = None
    param: str = ""
    secret: str = "a-push-secret-of-theirs"
    by_client_secret: bool = False
    dated: bool = True
    success: int = 200
    other_type: str = ""
    params: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.slug


def _slack_event(event: dict[str, Any], at: float) -> dict[str, Any]:
    return {
        "token": "XXYYZZ",
        "team_id": "T061EG9R6",
        "api_app_id": "A0MDYCDME",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{uuid.uuid4().hex[:8]}",
        "event_time": int(at),
    }


def _tiktok_event(kind: str, at: float, **members: str) -> dict[str, Any]:
    openid = "act.example12345Example12345Example"
    return {"client_key": "bwo2m45353a6k85", "event": kind, "create_time": int(at), "user_openid": openid, **members}


_GRAPH_USER = "48d31887-5fad-4d73-a9f5-3c356e68a038"

VENDORS = (
    Vendor(
        "slack",
        slack,
        "T061EG9R6",
        ended=lambda at: _slack_event({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["UBOT"]}}, at),
        other=lambda at: _slack_event({"type": "app_mention", "user": "U061F7AUR", "text": "hello"}, at),
        other_type="event_callback.app_mention",
    ),
    Vendor(
        "slack-user",
        slack,
        "T061EG9R6:U061F7AUR",
        ended=lambda at: _slack_event({"type": "tokens_revoked", "tokens": {"oauth": ["U1", "U061F7AUR"]}}, at),
        other=lambda at: _slack_event({"type": "message", "user": "U061F7AUR", "text": "hello"}, at),
        other_type="event_callback.message",
    ),
    Vendor(
        "github",
        github,
        "583231",
        ended=lambda at: {
            "_event": "github_app_authorization",
            "action": "revoked",
            "sender": {"login": "octocat", "id": 583231, "type": "User"},
        },
        other=lambda at: {"_event": "star", "action": "created", "sender": {"id": 583231}, "at": at},
        dated=False,
        other_type="star.created",
    ),
    Vendor(
        "github-app",
        github,
        "12345678",
        ended=lambda at: {
            "_event": "installation",
            "action": "deleted",
            "installation": {"id": 12345678, "app_id": 5, "account": {"login": "github", "id": 9}},
            "sender": {"id": 583231},
        },
        doubtful=lambda at: {
            "_event": "installation",
            "action": "suspend",
            "installation": {"id": 12345678, "suspended_at": _iso(at)},
            "sender": {"id": 583231},
        },
        other=lambda at: {"_event": "push", "ref": "refs/heads/main", "installation": {"id": 12345678}, "at": at},
        param="installation_id",
        dated=False,
        other_type="push",
    ),
    Vendor(
        "shopify",
        shopify,
        "acme",
        ended=lambda at: {"_topic": "app/uninstalled", "id": 548380009, "myshopify_domain": "acme.myshopify.com"},
        other=lambda at: {"_topic": "orders/create", "id": 820982911946154508, "at": at},
        param="shop",
        by_client_secret=True,
        dated=False,
        other_type="orders/create",
    ),
    Vendor(
        "zoom",
        zoom,
        "KDcuGIm1QgePTO8WbOqwIQ",
        ended=lambda at: {
            "event": "app_deauthorized",
            "event_ts": int(at * 1000),
            "payload": {
                "account_id": "EabCDEFghiLHMA",
                "user_id": "KDcuGIm1QgePTO8WbOqwIQ",
                "signature": "827edc3452044f0bc86bdd5684afb7d1e6becfa1a767f24df1b287853cf73000",
                "deauthorization_time": _iso(at),
                "client_id": "ADZ9k9bTWmGUoUbECUKU_a",
            },
        },
        other=lambda at: {
            "event": "meeting.started",
            "event_ts": int(at * 1000),
            "payload": {"account_id": "EabCDEFghiLHMA", "object": {"id": "1", "host_id": "KDcuGIm1QgePTO8WbOqwIQ"}},
        },
        other_type="meeting.started",
    ),
    Vendor(
        "hubspot",
        hubspot,
        "33",
        other=lambda at: [
            {
                "eventId": 1,
                "subscriptionId": 12,
                "portalId": 33,
                "occurredAt": int(at * 1000),
                "subscriptionType": "contact.creation",
                "objectId": 123,
            }
        ],
        by_client_secret=True,
        other_type="contact.creation",
    ),
    Vendor(
        "stripe-connect",
        stripe,
        "acct_1032D82eZvKYlo2C",
        ended=lambda at: {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "account": "acct_1032D82eZvKYlo2C",
            "created": int(at),
            "type": "account.application.deauthorized",
            "data": {"object": {"id": "ca_123", "object": "application"}},
        },
        other=lambda at: {
            "id": f"evt_{uuid.uuid4().hex}",
            "account": "acct_1032D82eZvKYlo2C",
            "created": int(at),
            "type": "charge.succeeded",
            "data": {"object": {"id": "ch_1"}},
        },
        other_type="charge.succeeded",
    ),
    Vendor(
        "square",
        square,
        "J9Z30SF99NPFJ",
        ended=lambda at: {
            "merchant_id": "J9Z30SF99NPFJ",
            "type": "oauth.authorization.revoked",
            "event_id": str(uuid.uuid4()),
            "created_at": _iso(at),
            "data": {"type": "revocation", "id": "1", "object": {"revocation": {"revoker_type": "MERCHANT"}}},
        },
        other=lambda at: {
            "merchant_id": "J9Z30SF99NPFJ",
            "type": "payment.created",
            "event_id": str(uuid.uuid4()),
            "created_at": _iso(at),
        },
        dated=False,
        other_type="payment.created",
    ),
    Vendor(
        "discord",
        discord,
        "53908232506183680",
        ended=lambda at: {
            "version": 1,
            "application_id": "1234560123453231555",
            "type": 1,
            "event": {
                "type": "APPLICATION_DEAUTHORIZED",
                "timestamp": _iso(at),
                "data": {"user": {"id": "53908232506183680", "username": "mason"}},
            },
        },
        other=lambda at: {
            "version": 1,
            "type": 1,
            "event": {
                "type": "QUEST_USER_ENROLLMENT",
                "timestamp": _iso(at),
                "data": {"user": {"id": "53908232506183680"}},
            },
        },
        secret=DISCORD_KEY.public_key().public_bytes_raw().hex(),
        success=204,
        other_type="QUEST_USER_ENROLLMENT",
    ),
    Vendor(
        "xero",
        xero,
        "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
        other=lambda at: {
            "events": [
                {
                    "resourceId": "717f2bfc-c6d4-41fd-b238-3f2f0c0cf777",
                    "eventDateUtc": _iso(at)[:-1],
                    "eventType": "UPDATE",
                    "eventCategory": "INVOICE",
                    "tenantId": "c2cc9b6e-9458-4c7d-93cc-f02b81b0594f",
                    "tenantType": "ORGANISATION",
                }
            ],
            "firstEventSequence": 1,
            "entropy": uuid.uuid4().hex,
        },
        dated=False,
        other_type="INVOICE.UPDATE",
    ),
    Vendor(
        "microsoft-graph",
        graph,
        _GRAPH_USER,
        doubtful=lambda at: {
            "value": [
                {
                    "subscriptionId": "76619225-ff6b-4136-96ca-4ef547e8b5f4",
                    "resource": f"Users('{_GRAPH_USER}')/messages",
                    "lifecycleEvent": "reauthorizationRequired",
                }
            ]
        },
        other=lambda at: {
            "value": [
                {
                    "subscriptionId": "76619225-ff6b-4136-96ca-4ef547e8b5f4",
                    "changeType": "created",
                    "resource": f"Users/{_GRAPH_USER}/Messages/AAMkAGUw",
                    "resourceData": {"id": "AAMkAGUw"},
                }
            ]
        },
        dated=False,
        success=202,
        other_type="created",
    ),
    Vendor(
        "tiktok",
        tiktok,
        "act.example12345Example12345Example",
        ended=lambda at: _tiktok_event("authorization.removed", at, content='{"reason": 1 }'),
        other=lambda at: _tiktok_event("video.publish.completed", at, content='{"share_id": "video.6974"}'),
        by_client_secret=True,
        other_type="video.publish.completed",
    ),
    Vendor(
        "twitch",
        twitch,
        "1337",
        ended=lambda at: {
            "subscription": {"type": "user.authorization.revoke", "condition": {"client_id": "client"}},
            "event": {"client_id": "client", "user_id": "1337", "user_login": "cool_user", "user_name": "Cool_User"},
        },
    ),
    Vendor("facebook-ads", facebook, "218471", doubtful=lambda at: {"user_id": "218471"}, by_client_secret=True),
    Vendor(
        "sandbox",
        sandbox,
        "person-1001",
        ended=lambda at: {"id": uuid.uuid4().hex, "type": "grant.revoked", "account": "person-1001", "occurred_at": at},
        doubtful=lambda at: {"id": uuid.uuid4().hex, "type": "account.locked", "account": "person-1001"},
        other=lambda at: {"id": uuid.uuid4().hex, "type": "file.changed", "account": "person-1001", "name": "a.txt"},
        other_type="file.changed",
    ),
)
