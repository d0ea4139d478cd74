"""The tables: one noun a file, with named mutators. Secrets are columns of ``fields.SealedField``.

- ``states``: every table of allowed steps · ``failures``: the codes of why a connect session fails
- ``switches``: the kill switches and pauses · ``mutators``: how named mutators save a row
- ``tenant`` · ``tenant_domain``: a host of its own · ``brand``: how its pages look, or the operator's
- ``api_client``: who calls, with which keys · ``trusted_issuer``: whose tokens are believed, and what they have proven
- ``provider_app``: our registration at a provider · ``registered_client``: the same at one authorization server, where
  it is made without hands · ``app_key``: a key pair of it
- ``connect_session``: an invitation
- ``connect_step``: one step of it, for operators · ``burnt_code``: a code that came to the wrong browser ·
  ``management_session``: a visit to the page of one's own connections
- ``connection``: one grant · ``revocation``: how far that has come at the provider · ``kinds``: whose it is
- ``credential_version``: one set of its secrets
- ``scope``: one scope of a connection · ``connection_rows``, ``connection_indexes``, ``beginnings``: how connections
  are found
- ``access_grant``: who else may use a connection, and for what · ``approval``: of one thing under a grant
- ``bulk_job``: one act on many connections
- ``bundle``: a tenant that has left or come, and the key that signs for it
- ``offboarding``: the leaving of an end user · ``import_run``: connections from another system, with their rows
- ``kept_answer``: of a call with an idempotency key
- ``staff``: limits, identities and wrong guesses of those who log in to the admin
- ``subject_token``: what acts for a subject, while it lives
- ``refresh_attempt``: one try to refresh · ``unread_answer``: an answer that could not be read
- ``incident``: a fault of a provider app · ``audit_event`` · ``outbox_event``
- ``audit_seal``: what proves the audit trail, and how far it has been verified
- ``notice``: what the operator's people are told by mail
- ``received_push``: what a provider has sent by itself, and what waits to be passed on of it
- ``webhook_endpoint``: where events are delivered · ``webhook_delivery``: of one event to one of them
- ``quarantine``: which database this is, and whose refresh tokens wait because it was put back
- ``watching``: what is usual of an API client, and what was suspicious
- ``figures``: what is counted for the first page of the admin
- ``data_key``: a tenant's key, wrapped · ``fields``: columns that are encrypted
"""

from connections.models.access_grant import AccessGrant, SubjectKind
from connections.models.api_client import ApiClient, ApiKey, Permission, Restriction
from connections.models.app_key import AppKey
from connections.models.approval import Approval
from connections.models.audit_event import AuditEvent
from connections.models.audit_seal import AuditPruning, AuditRedaction, AuditSeal, AuditVerification
from connections.models.brand import Brand
from connections.models.bulk_job import BulkAct, BulkJob, BulkRow
from connections.models.bundle import Bundle, BundleWay, InstallationKey
from connections.models.burnt_code import BurntCode
from connections.models.connect_session import EXCHANGE_LIMIT, ConnectSession
from connections.models.connect_step import ConnectStep
from connections.models.connection import Connection
from connections.models.credential_version import CredentialVersion, Stage
from connections.models.data_key import DataKey
from connections.models.figures import ActivityFigures, ConnectionFigures, FiguresTaken
from connections.models.import_run import ImportRow, ImportRun, ImportState, RowState
from connections.models.incident import Incident, IncidentCause, IncidentKind
from connections.models.kept_answer import KeptAnswer
from connections.models.kinds import Binding, OwnerKind, Revocation
from connections.models.management_session import ManagementSession
from connections.models.notice import ENDED, Notice, NoticeState
from connections.models.offboarding import Offboarding, OffboardingMode, SharedFate
from connections.models.outbox_event import OutboxEvent
from connections.models.provider_app import ProviderApp, drafts
from connections.models.quarantine import HeldConnection, Installation, RewindCause, TokenVerdict
from connections.models.received_push import PushContent, PushState, ReceivedPush
from connections.models.refresh_attempt import HARMLESS_STATES, OPEN_STATES, AttemptState, RefreshAttempt, Trigger
from connections.models.registered_client import RegisteredClient, RegistrationWay
from connections.models.scope import Scope
from connections.models.staff import GuessCount, StaffIdentity, StaffLimit
from connections.models.states import (
    AWAITING_WORD,
    IN_BROWSER,
    LIVE,
    MAY_BECOME,
    REASONS_OF,
    SESSION_ENDED,
    SESSION_MAY_BECOME,
    SESSION_OPEN,
    UNFINISHED,
    VENDS,
    Reason,
    SessionState,
    Status,
)
from connections.models.subject_token import SubjectToken
from connections.models.tenant import Tenant
from connections.models.tenant_domain import TenantDomain
from connections.models.trusted_issuer import CallerRule, IssuerUse, ProvenToken, TrustedIssuer, UsedAssertion
from connections.models.unread_answer import UnreadAnswer
from connections.models.watching import (
    ClientUse,
    Finding,
    KnownNetwork,
    Step,
    Verdict,
    WatchPosition,
    WatchRule,
    WatchSetting,
)
from connections.models.webhook_delivery import DeliveryState, WebhookDelivery
from connections.models.webhook_endpoint import DisabledReason, WebhookEndpoint, WebhookSecret

__all__ = [
    "AWAITING_WORD",
    "ENDED",
    "EXCHANGE_LIMIT",
    "HARMLESS_STATES",
    "IN_BROWSER",
    "LIVE",
    "MAY_BECOME",
    "OPEN_STATES",
    "REASONS_OF",
    "SESSION_ENDED",
    "SESSION_MAY_BECOME",
    "SESSION_OPEN",
    "UNFINISHED",
    "VENDS",
    "AccessGrant",
    "ActivityFigures",
    "ApiClient",
    "ApiKey",
    "AppKey",
    "Approval",
    "AttemptState",
    "AuditEvent",
    "AuditPruning",
    "AuditRedaction",
    "AuditSeal",
    "AuditVerification",
    "Binding",
    "Brand",
    "BulkAct",
    "BulkJob",
    "BulkRow",
    "Bundle",
    "BundleWay",
    "BurntCode",
    "CallerRule",
    "ClientUse",
    "ConnectSession",
    "ConnectStep",
    "Connection",
    "ConnectionFigures",
    "CredentialVersion",
    "DataKey",
    "DeliveryState",
    "DisabledReason",
    "FiguresTaken",
    "Finding",
    "GuessCount",
    "HeldConnection",
    "ImportRow",
    "ImportRun",
    "ImportState",
    "Incident",
    "IncidentCause",
    "IncidentKind",
    "Installation",
    "InstallationKey",
    "IssuerUse",
    "KeptAnswer",
    "KnownNetwork",
    "ManagementSession",
    "Notice",
    "NoticeState",
    "Offboarding",
    "OffboardingMode",
    "OutboxEvent",
    "OwnerKind",
    "Permission",
    "ProvenToken",
    "ProviderApp",
    "PushContent",
    "PushState",
    "Reason",
    "ReceivedPush",
    "RefreshAttempt",
    "RegisteredClient",
    "RegistrationWay",
    "Restriction",
    "Revocation",
    "RewindCause",
    "RowState",
    "Scope",
    "SessionState",
    "SharedFate",
    "StaffIdentity",
    "StaffLimit",
    "Stage",
    "Status",
    "Step",
    "SubjectKind",
    "SubjectToken",
    "Tenant",
    "TenantDomain",
    "TokenVerdict",
    "Trigger",
    "TrustedIssuer",
    "UnreadAnswer",
    "UsedAssertion",
    "Verdict",
    "WatchPosition",
    "WatchRule",
    "WatchSetting",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
    "drafts",
]
