/** Generated from the OpenAPI document by `make clients`: do not edit. Operations, values and problems. */

import { Caller } from "./wire.ts";
import type { CallOptions, ProxyInit } from "./wire.ts";

/** How far an attempt has come. `sent` and `in_doubt` are open: the database allows one of them a connection. */
export type AttemptState = "sent" | "received" | "promoted" | "rejected" | "in_doubt" | "superseded" | "aborted";

/** How Latchkey made sure that the person who connected is the person for whom the session was made. */
export type Binding = "completion" | "none" | "imported";

/** What is done to each connection. */
export type BulkAct = "refresh" | "probe" | "pause" | "unpause" | "suspend" | "resume" | "revoke" | "disconnect" | "export" | "release";

/** Of what something ends. Values are stable: callers see them. */
export type Cause = "grant_ends" | "credential_expires" | "refresh_token_unused" | "refresh_quarantine" | "too_many_grants" | "key_is_old" | "certificate_expires" | "client_secret_expires" | "app_secret_expires";

/** How sure the facts of an entry are. */
export type Confidence = "high" | "medium" | "low";

/** How far a delivery has come. */
export type DeliveryState = "pending" | "delivered" | "failed";

/** Every type of event that `events` writes. A test compares the list with the code. */
export type EventType = "connect_session.mismatch" | "connection.connected" | "connection.recovered" | "connection.active" | "connection.suspect" | "connection.needs_reauth" | "connection.revoked" | "connection.disconnected" | "connection.refreshed" | "connection.refresh_failing" | "connection.not_refreshable" | "connection.scopes_lost" | "connection.scopes_gained" | "connection.scopes_drifted" | "connection.expiring" | "connection.shared" | "connection.endpoint_moved" | "connection.answer_unread" | "connection.credential_undecryptable" | "connection.credential_restored" | "connection.revocation_confirmed" | "connection.revocation_unconfirmed" | "connection.revocation_ignored" | "connection.revocation_unsupported" | "connection.revocation_withheld" | "access_grant.given" | "access_grant.revoked" | "approval.requested" | "approval.approved" | "approval.denied" | "provider_app.client_secret_read" | "provider_app.client_secrets_ended" | "import.finished" | "end_user.offboarded" | "incident.opened" | "incident.closed" | "quarantine.begun" | "provider.event" | "webhook_endpoint.disabled" | "webhook_endpoint.enabled" | "webhook_delivery.failed" | "use.suspected" | "use.restricted" | "use.settled";

/** The closed list. */
export type Font = "system" | "humanist" | "geometric" | "grotesque" | "rounded" | "serif" | "monospace";

/** What it probably comes from (`lifecycle.health.causes`). */
export type IncidentCause = "wrong_secret" | "client_ended" | "app_gone" | "grants_ended" | "requests_refused" | "outage" | "unreachable" | "our_egress" | "rate_limited" | "address_not_listed";

/** What is wrong. */
export type IncidentKind = "client_rejected" | "many_failures" | "unavailable" | "address_refused";

/** Whom the tokens of an issuer are believed to name. */
export type IssuerUse = "caller" | "end_user" | "agent";

/** How much of somebody goes. */
export type OffboardingMode = "offboard" | "erase";

/** Whose a connection is. */
export type OwnerKind = "end_user" | "tenant";

/** What an API client may do. */
export type Permission = "connect" | "read" | "vend" | "vend_without_user" | "proxy" | "manage" | "grant" | "import" | "webhooks" | "tenants" | "apps" | "callers" | "catalogue" | "audit";

/** What came of a push. */
export type PushState = "waiting" | "done" | "refused";

/** Why a connection has its status. */
export type Reason = "awaiting_confirmation" | "connected" | "reconnected" | "recovered" | "refresh_refused" | "probe_refused" | "refresh_failing" | "grant_rejected" | "refresh_given_up" | "lost_in_flight" | "answer_unread" | "credential_dead" | "expired" | "provider_notified" | "revoked_by_operator" | "disconnected_by_request";

/** How a server comes to know our client, in the order of preference. */
export type RegistrationWay = "metadata_document" | "dynamic";

/** How far the revocation at the provider has come. */
export type Revocation = "" | "pending" | "confirmed" | "unconfirmed" | "ignored" | "unsupported" | "withheld";

/** Why the database is taken for one that was put back. */
export type RewindCause = "restored" | "ordered" | "other_database" | "behind";

/** How far a connect session has come. */
export type SessionState = "created" | "started" | "authorizing" | "held" | "exchanging" | "choosing" | "completed" | "failed";

/** How something is signed (RFC 7518 §3.1, RFC 8037 §3.1). */
export type SigningAlgorithm = "RS256" | "PS256" | "ES256" | "EdDSA" | "HS256";

/** What a version is to its connection. */
export type Stage = "received" | "current" | "previous" | "orphan";

/** What a caller can expect of a connection. */
export type Status = "pending" | "active" | "suspect" | "needs_reauth" | "revoked" | "disconnected";

/** What kind of name the subject of a grant is. */
export type SubjectKind = "end_user" | "group" | "agent" | "api_client";

/** What is known of a stored refresh token. */
export type TokenVerdict = "unknown" | "used";

/** A grant, on a connection or on a provider. In each list of limits, null does not limit and [] allows nothing. */
export interface AccessGrantIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Who it is for */
  readonly subject: SubjectIn;
  /** Id of the connection */
  readonly connection?: string | null;
  /** Every connection of the tenant at this provider */
  readonly provider?: string | null;
  /** Which the subject may ask for */
  readonly scopes?: readonly string[] | null;
  /** Of proxied requests */
  readonly methods?: readonly string[] | null;
  /** Of proxied requests; `*` is one segment, `/**` at the end whatever is below */
  readonly paths?: readonly string[] | null;
  /** Short for the methods GET and HEAD */
  readonly readonly?: boolean;
  /** Hand the credential out even where it can do more than the grant allows, or lives longer */
  readonly allows_vend?: boolean;
  /** Somebody has to approve each thing that is done under it */
  readonly needs_approval?: boolean;
  /** When it ends; null where nobody said */
  readonly expires_at?: string | null;
  /** The end user who gives it, if one does */
  readonly granted_by?: string | null;
  /** Your own note */
  readonly note?: string;
}

/** One grant. `state` is `standing`, `expired` or `revoked`. */
export interface AccessGrant {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** Who it is for */
  readonly subject: Subject;
  /** Id of the connection */
  readonly connection: string | null;
  /** The provider's slug, or an alias of it */
  readonly provider: string | null;
  /** Scopes at the provider */
  readonly scopes: readonly string[] | null;
  /** Methods that proxied requests may have; null does not limit */
  readonly methods: readonly string[] | null;
  /** Paths that proxied requests may have; null does not limit */
  readonly paths: readonly string[] | null;
  /** The credential is handed out even where it can do more than the grant allows */
  readonly allows_vend: boolean;
  /** Somebody has to approve each thing that is done under it */
  readonly needs_approval: boolean;
  /** The end user who gave it, or who answers for it; null where nobody does */
  readonly granted_by: string | null;
  /** Your own note */
  readonly note: string;
  /** Where it stands */
  readonly state: "standing" | "expired" | "revoked";
  /** When it ends; null where nobody said */
  readonly expires_at: string | null;
  /** When it was made */
  readonly created_at: string;
  /** When it was revoked; null if it was not */
  readonly revoked_at: string | null;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface AccessGrantPage {
  /** What is on this page */
  readonly items: readonly AccessGrant[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** The account at the provider. */
export interface Account {
  /** Its id */
  readonly id: string;
  /** Its name, for people */
  readonly name: string;
}

/** A new API client. */
export interface ApiClientIn {
  /** What the client may do */
  readonly permissions?: readonly Permission[];
  /** May make connect sessions that nobody confirms (`binding: none`) */
  readonly allows_unbound?: boolean;
  /** Each `PROVIDER METHODS PATH`, as `hubspot readonly /crm/v3/**` */
  readonly proxy_rules?: readonly string[];
  /** The only ones it may call from, in CIDR notation; none: anywhere */
  readonly networks?: readonly string[];
  /** It calls only for whom a token of a trusted issuer names */
  readonly demands_verified?: boolean;
  /** Its name, for people */
  readonly name: string;
}

/** One API client. `tenant` is null for an operator-wide one. Its keys are never shown. */
export interface ApiClient {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** Its name, for people */
  readonly name: string;
  /** What the client may do */
  readonly permissions: readonly string[];
  /** It may make connect sessions that nobody confirms (`binding: none`) */
  readonly allows_unbound: boolean;
  /** What it may call through the proxy, each `PROVIDER METHODS PATH` */
  readonly proxy_rules: readonly string[];
  /** The only networks it may call from, in CIDR notation; none: from anywhere */
  readonly networks: readonly string[];
  /** It calls only for whom a token of a trusted issuer names */
  readonly demands_verified: boolean;
  /** The public keys with which it signs for itself; null where it has none here */
  readonly assertion_keys: readonly Readonly<Record<string, unknown>>[] | null;
  /** Where these keys are; "" for nowhere */
  readonly assertion_jwks_url: string;
  /** An operator has switched it off */
  readonly suspended: boolean;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ApiClientPage {
  /** What is on this page */
  readonly items: readonly ApiClient[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What an API client may do, and how it has to prove itself. What is left out is taken back. */
export interface ApiClientTerms {
  /** What the client may do */
  readonly permissions?: readonly Permission[];
  /** May make connect sessions that nobody confirms (`binding: none`) */
  readonly allows_unbound?: boolean;
  /** Each `PROVIDER METHODS PATH`, as `hubspot readonly /crm/v3/**` */
  readonly proxy_rules?: readonly string[];
  /** The only ones it may call from, in CIDR notation; none: anywhere */
  readonly networks?: readonly string[];
  /** It calls only for whom a token of a trusted issuer names */
  readonly demands_verified?: boolean;
}

/** When a key ends. */
export interface ApiKeyEndIn {
  /** Before it would end anyway */
  readonly expires_at: string;
}

/** A new key. */
export interface ApiKeyIn {
  /** How long the key lives */
  readonly lifetime_days?: number;
  /** A rotation: every earlier key ends then at the latest; null leaves them alone */
  readonly earlier_keys_end_after_seconds?: number | null;
}

/** One key of an API client, by the beginning that is visible. `usable`: neither revoked nor expired. */
export interface ApiKey {
  /** Its id */
  readonly id: string;
  /** Its first characters, which may be seen */
  readonly prefix: string;
  /** Neither revoked nor expired */
  readonly usable: boolean;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
  /** When it was revoked; null if it was not */
  readonly revoked_at: string | null;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ApiKeyPage {
  /** What is on this page */
  readonly items: readonly ApiKey[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** A key pair, made here or brought. It takes over from an earlier one after `lead_seconds`. */
export interface AppKeyIn {
  /** With two halves: no shared secret */
  readonly algorithm?: SigningAlgorithm;
  /** Its id; by default its thumbprint */
  readonly kid?: string;
  /** PEM; null makes one here */
  readonly private_key?: string | null;
  /** Of `private_key` */
  readonly passphrase?: string | null;
  /** PEM, its own first */
  readonly certificates?: string;
  /** After how long a key signs that takes over from another */
  readonly lead_seconds?: number;
  /** For how much longer the earlier key stays published */
  readonly overlap_seconds?: number;
}

/** The public half of one key pair. The private half is never shown. */
export interface AppKey {
  /** Its id */
  readonly id: string;
  /** Its key id, as signatures name it */
  readonly kid: string;
  /** How it signs */
  readonly algorithm: string;
  /** The public half, as PEM */
  readonly public_key: string;
  /** Its certificates, as PEM; "" for none */
  readonly certificates: string;
  /** When the key's own certificate ends; null where it has none */
  readonly certificate_ends_at: string | null;
  /** It was made elsewhere */
  readonly brought: boolean;
  /** From when on it signs */
  readonly signs_from: string;
  /** Until when providers see the public half; null without an end */
  readonly published_until: string | null;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface AppKeyPage {
  /** What is on this page */
  readonly items: readonly AppKey[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** Who approves, at yours; without `until` for one time, within 15 minutes. */
export interface ApprovalIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Who answered, at yours */
  readonly decided_by: string;
  /** As often as wanted until then, 30 days at the most */
  readonly until?: string | null;
}

/**
 * What was asked, and the answer. `state` is `pending`, `approved`, `denied`, `used` or `expired`.
 *
 * `method`, `path`, `query` and `body_sha256` (the digest of its body, in hexadecimal) are those of a proxied
 * request, "" for a vend. `headers` are those of its headers that may change what it does: a few as they are, any
 * other as `sha256:…`. `verified` names the issuer that vouches for the `end_user` or the `agent`; the caller
 * alone named whoever is missing there.
 */
export interface Approval {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** Id of the access grant */
  readonly grant: string;
  /** Id of the connection */
  readonly connection: string;
  /** Id of the API client that asked */
  readonly api_client: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** Which agent acts, for the audit trail */
  readonly agent: string | null;
  /** What for, for the audit trail */
  readonly purpose: string;
  /** What was asked for: a vend, or a proxied request */
  readonly action: string;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** The method of a proxied request, "" for a vend */
  readonly method: string;
  /** The path below the connection's base URL */
  readonly path: string;
  /** Parameters to add to each request's query */
  readonly query: string;
  /** SHA-256 of the body of a proxied request, in hexadecimal; empty without one */
  readonly body_sha256: string;
  /** Those that may change what is done; most as `sha256:…` */
  readonly headers: Readonly<Record<string, string>>;
  /** The issuer that vouches for the `end_user` or the `agent` */
  readonly verified: Readonly<Record<string, string>>;
  /** Where it stands */
  readonly state: "pending" | "approved" | "denied" | "used" | "expired";
  /** It serves one time */
  readonly once: boolean;
  /** When it was made */
  readonly created_at: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
  /** When it was answered; null while it waits */
  readonly decided_at: string | null;
  /** Who answered, at yours */
  readonly decided_by: string | null;
  /** Until when an approval serves */
  readonly good_until: string | null;
  /** When it was used; null if it was not */
  readonly used_at: string | null;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ApprovalPage {
  /** What is on this page */
  readonly items: readonly Approval[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** The public keys with which a client signs for itself (`private_key_jwt`); with neither member it has none. */
export interface AssertionKeysIn {
  /** Public JWKs (RFC 7517) */
  readonly keys?: readonly Readonly<Record<string, unknown>>[] | null;
  /** Where its JWK Set is: https and public */
  readonly jwks_url?: string;
}

/**
 * One row: what happened, who asked, what was decided. `decision` is `allowed`, an outcome, or a refusal's code.
 *
 * `client` is the API client that called, `operator` a login name of the admin; with neither it was Latchkey
 * itself, or a browser.
 */
export interface AuditEvent {
  /** Its id */
  readonly id: string;
  /** When it was used */
  readonly at: string;
  /** What was asked for: a vend, or a proxied request */
  readonly action: string;
  /** `allowed`, an outcome, or the code of the refusal */
  readonly decision: string;
  /** Id of the tenant; null for what is the operator's own */
  readonly tenant: string | null;
  /** Id of the connection */
  readonly connection: string | null;
  /** Id of the credential version; null where there is none */
  readonly version: string | null;
  /** The API client that used it */
  readonly client: string | null;
  /** The login name of an operator; "" for none */
  readonly operator: string;
  /** The end user; "" for none */
  readonly subject: string;
  /** Which agent acts, for the audit trail */
  readonly agent: string;
  /** What for, for the audit trail */
  readonly purpose: string;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** The network address that the call came from, if it was kept */
  readonly address: string | null;
  /** What it means, for people */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface AuditEventPage {
  /** What is on this page */
  readonly items: readonly AuditEvent[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** How the widget looks. What is not given is the operator's, or ours; only pictures stay if they are not given. */
export interface BrandingIn {
  /** Colours by role, as #rrggbb */
  readonly colors?: Colors;
  /** Where the browser asks for a dark page */
  readonly dark_colors?: Colors;
  /** Of corners, in pixels */
  readonly radius?: number | null;
  /** One of a closed list of what systems have */
  readonly font?: Font | "";
  /**
   * Own words, by language and place: `title` (the heading of the first page; at most 80 characters; may hold
   * {provider} and {tenant}), `reason` (the sentence of the first page: who asks for what; at most 300 characters;
   * may hold {provider} and {tenant}), `continue` (the button of the first page; at most 40 characters; may hold
   * {provider}), `choose` (the heading of the choice; at most 80 characters; may hold {tenant}), `connect` (the
   * button under the fields; at most 40 characters; may hold {provider}), `back` (the way back; at most 40
   * characters; may hold {tenant})
   */
  readonly texts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Https; shown under every page */
  readonly support_url?: string;
  /** Https; shown under every page */
  readonly privacy_url?: string;
  /** The language of the pages, unless the session names one */
  readonly locale?: string;
  /** Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it */
  readonly logo?: string | null;
  /**
   * Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it;
   * without one it is the logo
   */
  readonly favicon?: string | null;
}

/** How the widget looks: what is set, without what stands in for the rest. */
export interface Branding {
  /** Colours by role, as #rrggbb */
  readonly colors: Readonly<Record<string, string>>;
  /** Colours where the browser asks for a dark page */
  readonly dark_colors: Readonly<Record<string, string>>;
  /** Of corners, in pixels */
  readonly radius: number | null;
  /** The font of the pages */
  readonly font: string;
  /** Own words, by language and place */
  readonly texts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Your help page, linked under every page */
  readonly support_url: string;
  /** Your privacy page, linked under every page */
  readonly privacy_url: string;
  /** The language of the pages, as a BCP 47 tag */
  readonly locale: string;
  /** There is a logo */
  readonly has_logo: boolean;
  /** There is an icon for the browser's tab */
  readonly has_favicon: boolean;
}

/**
 * One act on many connections: on those that are named, or on all of the tenant's that the filters leave.
 *
 * `release` is about those of them that refresh quarantine holds.
 */
export interface BulkJobIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** What was done with it: `end`, `hand_over`, … */
  readonly act: BulkAct;
  /** Ids; those of no connection of the tenant's are left out */
  readonly connections?: readonly string[] | null;
  /** Only those at this provider */
  readonly provider?: string | null;
  /** Only those of this end user */
  readonly end_user?: string | null;
  /** Only those in this status */
  readonly status?: Status | null;
  /** All connections of the tenant, where nothing else says which */
  readonly everything?: boolean;
}

/** One job, and how far it is. */
export interface BulkJob {
  /** Its id */
  readonly id: string;
  /** What was done with it: `end`, `hand_over`, … */
  readonly act: BulkAct;
  /** Where it stands */
  readonly state: "under_way" | "cancelling" | "cancelled" | "done";
  /** The login name of an operator; "" for none */
  readonly operator: string;
  /** The API client that used it */
  readonly client: string | null;
  /** How many connections it is about */
  readonly total: number;
  /** For how many of them it is known what came of it */
  readonly settled: number;
  /** How many rows have each outcome */
  readonly outcomes: Readonly<Record<string, number>>;
  /** When it was asked for */
  readonly ordered_at: string;
  /** When it was cancelled; null if it was not */
  readonly cancelled_at: string | null;
  /** When nothing was left to do; null before */
  readonly finished_at: string | null;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface BulkJobPage {
  /** What is on this page */
  readonly items: readonly BulkJob[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What came of one connection. `outcome` is a stable word, "" before its turn. */
export interface BulkRow {
  /** Id of the connection */
  readonly connection: string;
  /** What came of it, as a stable word */
  readonly outcome: string;
  /** Whether it was done; null before its turn */
  readonly success: boolean | null;
  /** What it means, for people */
  readonly detail: string;
  /** How the connection stood, of an export; null of any other act */
  readonly result: Readonly<Record<string, unknown>> | null;
}

/** A page of rows, in their order. */
export interface BulkRowPage {
  /** What is on this page */
  readonly items: readonly BulkRow[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** Which tokens of an issuer are an API client: those for which all conditions hold. */
export interface CallerRuleIn {
  /** The API client that used it */
  readonly client: string;
  /** What the token's claims have to say, all of them */
  readonly conditions: readonly ClaimCondition[];
}

/** One rule of an issuer of callers. */
export interface CallerRule {
  /** Its id */
  readonly id: string;
  /** The API client that used it */
  readonly client: string;
  /** What the token's claims have to say, all of them */
  readonly conditions: readonly Readonly<Record<string, unknown>>[];
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface CallerRulePage {
  /** What is on this page */
  readonly items: readonly CallerRule[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What a canary is to look like. */
export interface CanaryIn {
  /** Among whose connections it is laid */
  readonly tenant: string;
  /** Where it seems to lead: an app of the tenant's, or a shared one */
  readonly provider_app: string;
  /** Whose it seems to be; none: the whole tenant's */
  readonly end_user?: string | null;
  /** As connections have one */
  readonly label?: string | null;
  /** The name of the account at the provider, as it is shown */
  readonly account?: string;
}

/** Certificates of a key, in place of those it had. */
export interface CertificatesIn {
  /** PEM, its own first */
  readonly certificates: string;
}

/** Where a connection stands, for a client that may change connections and not read them. */
export interface Changed {
  /** Its id */
  readonly id: string;
  /** What can be expected of it */
  readonly status: Status;
  /** Why, as a stable word */
  readonly reason: Reason;
  /** How far the revocation at the provider is; "" where none was asked for */
  readonly revocation: Revocation;
}

/** What one claim has to say: give either `equals` or `matches`, where `*` and `**` are wildcards. */
export interface ClaimCondition {
  /** A claim's name, or a JSON Pointer */
  readonly claim: string;
  /** The very value that the claim has */
  readonly equals?: boolean | number | string | null;
  /** The form of the claim's text: `*` within a part, `**` for anything */
  readonly matches?: string | null;
}

/** One more client secret. */
export interface ClientSecretIn {
  /** A client secret, as the provider gave it out */
  readonly client_secret: string;
  /** It is used before the others; otherwise after them */
  readonly preferred?: boolean;
  /** When all but a preferred one are destroyed; null: once they are removed */
  readonly others_end_at?: string | null;
  /** When the provider lets a preferred one expire, for the forecast; null: not known */
  readonly expires_at?: string | null;
}

/** What tells an app's client secrets apart, the preferred first. They are never shown themselves. */
export interface ClientSecrets {
  /** What tells one secret from the others, the one in use first */
  readonly fingerprints: readonly string[];
  /** When all but the first are destroyed; null: not by themselves */
  readonly others_end_at: string | null;
  /** When the provider lets the first expire, as far as was said */
  readonly expires_at: string | null;
}

/** Colours as #rrggbb; an empty one is the operator's, or ours. */
export interface Colors {
  /** Buttons and outlines; at least 3 : 1 to `surface` (WCAG 2.2 AA) */
  readonly accent?: string;
  /** Behind the card */
  readonly background?: string;
  /** The card */
  readonly surface?: string;
  /** At least 4.5 : 1 to `surface` and to `background` (WCAG 2.2 AA) */
  readonly text?: string;
}

/** Who is logged in at the operator's where the completion code arrived. */
export interface CompleteIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** The code that came back to the return URL */
  readonly completion_code: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** Needed where the session has a `code_challenge` */
  readonly code_verifier?: string | null;
}

/** The connection that a session led to. `notices`: `no_refresh_token` says that it cannot be renewed. */
export interface Completed {
  /** The connection that came of it */
  readonly connection: Connection;
  /** What to know of it although it works */
  readonly notices: readonly Notice[];
}

/** An invitation to connect. */
export interface ConnectSessionIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** Whose it is: an end user's, or the whole tenant's */
  readonly owner?: "end_user" | "tenant";
  /** The provider's slug, or several to choose from */
  readonly provider: string | readonly string[];
  /** Scopes at the provider */
  readonly scopes?: readonly string[] | null;
  /** Asked for on top of what `connection` has and keeps, in place of `scopes` */
  readonly add_scopes?: readonly string[] | null;
  /** Where the browser comes back to: one of the tenant's `return_urls` */
  readonly return_url: string;
  /** Of the page of yours over which the widget opens: an allowed origin */
  readonly origin?: string;
  /** Id of the connection that is to be renewed */
  readonly connection?: string | null;
  /** Parameters of the provider, such as the host of an account */
  readonly params?: Readonly<Record<string, string>>;
  /** A BCP 47 tag; a language that the pages lack does not count */
  readonly locale?: string;
  /** How it was made sure that the person who connected is the one who was invited */
  readonly binding?: "completion" | "none";
  /** S256 of a verifier that stays in the login session of yours that begins this (RFC 7636) */
  readonly code_challenge?: string | null;
  /** A reconnect may come back with another account at the provider */
  readonly allow_account_change?: boolean;
  /**
   * Tells this connection from the end user's others at the provider; if one has the label already, the session
   * renews that one
   */
  readonly label?: string | null;
}

/** A new session. `token` is shown this once: it is in `connect_url`, and what `connect.js` opens. */
export interface ConnectSession {
  /** Its id */
  readonly id: string;
  /** Shown this once: what `connect.js` opens */
  readonly token: string;
  /** Where to send the end user's browser within 10 minutes; it works once */
  readonly connect_url: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
  /** How it was made sure that the person who connected is the one who was invited */
  readonly binding: Binding;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ConnectSessionPage {
  /** What is on this page */
  readonly items: readonly ConnectSessionShown[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** How far an invitation to connect came. `failure` is a stable word for why it ended, "" if it did not. */
export interface ConnectSessionShown {
  /** Its id */
  readonly id: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** Whose it is: an end user's, or the whole tenant's */
  readonly owner: string;
  /** The API client that used it */
  readonly client: string;
  /** Providers that it is about */
  readonly providers: readonly string[];
  /** Scopes at the provider */
  readonly scopes: readonly string[] | null;
  /** Whether its scopes come on top of what the connection has */
  readonly adds_scopes: boolean;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label: string;
  /** How it was made sure that the person who connected is the one who was invited */
  readonly binding: string;
  /** Where it stands */
  readonly state: SessionState;
  /** What went wrong, as a stable word; empty if nothing did */
  readonly failure: string;
  /** Id of the connection */
  readonly connection: string | null;
  /** When it was made */
  readonly created_at: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
}

/** One step of a connect, with its outcome: `done`, or the stable code of what stopped it. */
export interface ConnectStep {
  /** When it was used */
  readonly at: string;
  /** Which step it was: `authorize`, `callback`, `complete`, … */
  readonly step: string;
  /** What came of it, as a stable word */
  readonly outcome: string;
  /** How long it took */
  readonly milliseconds: number;
  /** Each request to the provider with its answer, as far as a list allows to keep them */
  readonly exchanges: readonly Readonly<Record<string, unknown>>[];
}

/** All steps that are kept of a session, in order: 40 at the most. */
export interface ConnectTrace {
  /** What was tried, the first first */
  readonly steps: readonly ConnectStep[];
}

/** One of several connections that match. */
export interface ConnectionChoice {
  /** Its id */
  readonly id: string;
  /** Its label, "" for none */
  readonly label: string;
  /** The account at the provider */
  readonly account: string;
}

/** One connection, without its secrets. `granted_by`: who connected what belongs to the whole tenant. */
export interface Connection {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** The way to connect, such as `authorization_code` or `api_key` */
  readonly auth_style: string;
  /** Whose it is: an end user's, or the whole tenant's */
  readonly owner: OwnerKind;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** The end user who gave it, or who answers for it; null where nobody does */
  readonly granted_by: string | null;
  /** Nobody uses it but under an access grant */
  readonly grants_only: boolean;
  /** How it was made sure that the person who connected is the one who was invited */
  readonly binding: Binding;
  /** What can be expected of it */
  readonly status: Status;
  /** Why, as a stable word */
  readonly reason: Reason;
  /** How far the revocation at the provider is; "" where none was asked for */
  readonly revocation: Revocation;
  /** An operator has paused its refreshes */
  readonly paused: boolean;
  /** An operator has switched it off */
  readonly suspended: boolean;
  /** The account at the provider, as far as it is known */
  readonly account: Account | null;
  /** Scopes at the provider */
  readonly scopes: Scopes;
  /** What the status rests on */
  readonly health: Health;
  /** Parameters of the provider, such as the host of an account */
  readonly params: Readonly<Record<string, unknown>>;
  /** Your own notes */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label: string;
  /** What is meant where nothing else is named */
  readonly default: boolean;
  /** Id of the credential version; null where there is none */
  readonly version: string | null;
  /** A page on which the end user connects; null where none is needed */
  readonly connect_url: string | null;
  /** When it was made */
  readonly created_at: string;
  /** When it last changed */
  readonly updated_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ConnectionPage {
  /** What is on this page */
  readonly items: readonly Connection[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What an operator may change of a connection. */
export interface ConnectionPatch {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Your own notes */
  readonly metadata?: Readonly<Record<string, unknown>> | null;
  /** Unique among the owner's connections; "" for none */
  readonly label?: "" | string | null;
  /** What a vend by owner means where no label is named */
  readonly default?: boolean | null;
}

/** The end user has to choose a workspace first: send the browser that brought the completion code to `next`. */
export interface Continue {
  /** Where to send the browser that brought the completion code */
  readonly next: string;
}

/**
 * A credential that works now: put `headers` and `query` into each request to `base_url`.
 *
 * `body` holds fields to add to each body, if the provider wants it there. If it wants it in the path, it is in
 * `base_url`. `token_type` is that of a token (RFC 6749 §7.1), null of any other credential. With `proxy_only` the
 * credential works and is not handed out, because each request has to be signed or sent by Latchkey itself:
 * `value` is null, the three maps are empty, and `notice` says so in plain words.
 */
export interface Credential {
  /** The auth style of the connection */
  readonly auth_method: string;
  /** The credential itself; null if it is used through the proxy only */
  readonly value: string | null;
  /** Of a token (RFC 6749 §7.1); null of any other credential */
  readonly token_type: string | null;
  /** It is used through the proxy only, and not handed out */
  readonly proxy_only: boolean;
  /** What people should know of it; empty or null if there is nothing */
  readonly notice: string | null;
  /** When it ends; null where nobody said */
  readonly expires_at: string | null;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** Scopes that were requested or are required, and that it does not have */
  readonly missing_scopes: readonly string[];
  /** Headers to put into each request */
  readonly headers: Readonly<Record<string, string>>;
  /** Parameters to add to each request's query */
  readonly query: Readonly<Record<string, string>>;
  /** Fields to add to each request's body */
  readonly body: Readonly<Record<string, string>>;
  /** Where requests go; it may hold the credential */
  readonly base_url: string;
  /** Parameters of the provider, such as the host of an account */
  readonly params: Readonly<Record<string, string>>;
  /** The account at the provider, as far as it is known */
  readonly account: Account | null;
}

/** Who answers, at yours. */
export interface DecisionIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Who answered, at yours */
  readonly decided_by: string;
}

/** A host of a tenant's: verified while `file_url` holds the line `file_line`, which is looked at every day. */
export interface Domain {
  /** The host */
  readonly host: string;
  /** The host holds the line */
  readonly verified: boolean;
  /** Until when it counts as verified */
  readonly verified_until: string | null;
  /** When it was last looked for */
  readonly looked_at: string | null;
  /** What went wrong, as a stable word; empty if nothing did */
  readonly failure: string;
  /** The file that proves the host */
  readonly file_url: string;
  /** The line that the file has to hold */
  readonly file_line: string;
}

/** One page, by host; `next` is the cursor of the next one, or null. */
export interface DomainPage {
  /** What is on this page */
  readonly items: readonly Domain[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * What an end user has here, up to 200 of a kind.
 *
 * `connections` are their own, `answers_for` those of the whole tenant that they connected or took over. `grants`
 * let them use others' connections, `given` are grants that they gave. `sessions` counts the connect sessions
 * under way. `offboarding` is the id of one under way.
 */
export interface EndUser {
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** Their own connections */
  readonly connections: readonly Held[];
  /** Connections of the whole tenant that they connected or took over */
  readonly answers_for: readonly Held[];
  /** Access grants that let them use others' connections */
  readonly grants: readonly AccessGrant[];
  /** Access grants that they gave */
  readonly given: readonly AccessGrant[];
  /** How many connect sessions are under way */
  readonly sessions: number;
  /** Id of the offboarding under way; null if there is none */
  readonly offboarding: string | null;
}

/** What became of one connection. `revocation` is as of a connection: `pending` has not ended yet. */
export interface Ended {
  /** Its id */
  readonly id: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** Whose it is: an end user's, or the whole tenant's */
  readonly owner: string;
  /** What was done with it: `end`, `hand_over`, … */
  readonly act: string;
  /** How far the revocation at the provider is; "" where none was asked for */
  readonly revocation: Revocation;
}

/** One ending to come. `connection` is null where something of ours ends, `ends_at` where no date is known. */
export interface Ending {
  /** Of what it ends */
  readonly cause: Cause;
  /** When it ends; null where it may end at any time */
  readonly ends_at: string | null;
  /** Id of the connection */
  readonly connection: string | null;
  /** Id of the provider app */
  readonly provider_app: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label: string;
  /** What it means, and what to do */
  readonly detail: string;
}

/** When the client secrets beside the preferred one end, and when that one expires at the provider. */
export interface EndsOfSecretsIn {
  /** Null: they stay until they are removed */
  readonly others_end_at: string | null;
  /** Null: not known, or never; left out, it stays as it is */
  readonly expires_at?: string | null;
}

/** One event of the outbox. */
export interface Event {
  /** Its id */
  readonly id: string;
  /** What happened, such as `connection.connected` */
  readonly type: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** Id of the connection */
  readonly connection: string | null;
  /** What the event says further; nothing secret */
  readonly data: Readonly<Record<string, unknown>>;
  /** When it was made */
  readonly created_at: string;
}

/** Events after the cursor, oldest first; `next` is the cursor for what comes after them. */
export interface EventPage {
  /** What is on this page */
  readonly items: readonly Event[];
  /** The cursor for what comes after these events */
  readonly next: string;
}

/** A token exchange, as a form. What is not known is ignored (RFC 6749 §3.2). */
export interface ExchangeIn {
  /** Urn:ietf:params:oauth:grant-type:token-exchange */
  readonly grant_type: string;
  /** A JWT of an issuer that is trusted for end users */
  readonly subject_token: string;
  /**
   * Urn:ietf:params:oauth:token-type:jwt, urn:ietf:params:oauth:token-type:id_token,
   * urn:ietf:params:oauth:token-type:access_token
   */
  readonly subject_token_type: string;
  /** A JWT of an issuer that is trusted for agents */
  readonly actor_token?: string;
  readonly actor_token_type?: string;
  /** The slug of a provider, or the id of a connection */
  readonly audience?: string;
  /** The same as an address of this API: …/providers/{slug}, …/connections/{id} */
  readonly resource?: string;
  readonly scope?: string;
  readonly requested_token_type?: string;
  /** The id of the API client */
  readonly client_id?: string;
  /** A key of that client's, in the place of a bearer (RFC 6749 §2.3.1) */
  readonly client_secret?: string;
  /** Private_key_jwt (RFC 7523), in the place of a bearer */
  readonly client_assertion?: string;
  readonly client_assertion_type?: string;
  /** Needed of an operator-wide client */
  readonly tenant?: string;
  readonly label?: string;
  readonly purpose?: string;
}

/** A credential that works now (RFC 8693 §2.2.1). `connection` and `version` are those of a vend. */
export interface Exchange {
  /** The credential; use it at once */
  readonly access_token: string;
  /** What kind of token it is (RFC 8693 §3) */
  readonly issued_token_type: string;
  /** Of a token (RFC 6749 §7.1); null of any other credential */
  readonly token_type: string;
  /** Seconds that are left; absent where nobody said */
  readonly expires_in?: number | null;
  /** Scopes, with spaces between them */
  readonly scope: string;
  /** Id of the connection */
  readonly connection: string;
  /** Id of the credential version; null where there is none */
  readonly version: string;
}

/** One page, the earliest first; `next` is the cursor of the next one, or null. */
export interface ForecastPage {
  /** What is on this page */
  readonly items: readonly Ending[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * What the status rests on; `undecryptable`: what is stored does not open, for want of a key or being damaged.
 *
 * `access_expires_at` is null where nobody said: probes watch then. The grant ends at `refresh_expires_at` unless
 * it is refreshed before, and at `grant_expires_at` whatever is done; null where nobody said. At
 * `answer_unread_at` an answer was received that could not be read; it is kept, and read once the catalogue entry
 * is mended.
 */
export interface Health {
  /** When it was last proven to work */
  readonly verified_at: string | null;
  /** What proved it: a probe, a refresh, … */
  readonly verified_by: string;
  /** When the access token ends; null where nobody said */
  readonly access_expires_at: string | null;
  /** When it is refreshed next; null if it is not */
  readonly refresh_due_at: string | null;
  /** When the grant ends unless it is refreshed before; null where nobody said */
  readonly refresh_expires_at: string | null;
  /** When the grant ends whatever is done; null where nobody said */
  readonly grant_expires_at: string | null;
  /** The provider gave no refresh token, so the connection ends at `access_expires_at` */
  readonly lacks_refresh_token: boolean;
  /** Failures in a row */
  readonly failures: number;
  /** Since when refreshes fail with no valid token left; null if they do not */
  readonly refresh_failing_since: string | null;
  /** What is stored does not open, for want of a key or being damaged */
  readonly undecryptable: boolean;
  /** When an answer came that could not be read yet; null if there is none */
  readonly answer_unread_at: string | null;
  /** What was last seen of the provider, for people to look at */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** A connection whose refresh token waits: it is released, or its end user connects again. */
export interface HeldConnection {
  /** Id of the connection */
  readonly connection: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label: string;
  /** What is known of its refresh token: perhaps used since, or used */
  readonly verdict: TokenVerdict;
  /** Since when it waits */
  readonly held_at: string;
  /** When the access token ends; null where nobody said */
  readonly access_expires_at: string | null;
}

/** One page, by id; `next` is the cursor of the next one, or null. */
export interface HeldConnectionPage {
  /** What is on this page */
  readonly items: readonly HeldConnection[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** One connection in short. */
export interface Held {
  /** Its id */
  readonly id: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** What can be expected of it */
  readonly status: Status;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label: string;
  /** The account at the provider, as far as it is known */
  readonly account: string;
}

/** An import, with its first rows. Columns are named as for `manage.py connections import`, or by Nango. */
export interface ImportIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** The rows, as objects */
  readonly rows?: readonly Readonly<Record<string, unknown>>[] | null;
  /** The rows, as CSV with a header */
  readonly csv?: string | null;
  /** No more rows come: the import begins */
  readonly complete?: boolean;
  /** Whose names the members of rows are */
  readonly format?: "rows" | "nango";
  /** Our name for each column of yours */
  readonly columns?: Readonly<Record<string, string>>;
  /** The provider of rows that name none */
  readonly provider?: string | null;
  /** The end user of rows that name none */
  readonly end_user?: string | null;
  /** The slug of each provider, by your name for it */
  readonly providers?: Readonly<Record<string, string>>;
  /** What if the owner has the connection already */
  readonly on_conflict?: "skip" | "replace";
  /** Store nothing unless every row can be used */
  readonly all_or_nothing?: boolean;
  /** Also refresh once what does not rotate; what rotates always is */
  readonly refresh_all?: boolean;
  /** Probe each connection */
  readonly verify?: boolean;
  /** Judge the rows, and store no connection */
  readonly dry_run?: boolean;
}

/** How far an import is, and how many rows have each outcome. */
export interface Import {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** `reading`, `storing`, `proving` or `done` */
  readonly state: string;
  /** No connection is stored */
  readonly dry_run: boolean;
  /** How many calls with rows were taken */
  readonly parts: number;
  /** How many rows were taken */
  readonly rows: number;
  /** How many rows have a copy at the source that the import's refresh ends */
  readonly rotating: number;
  /** How many rows have each code */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Columns without a meaning here */
  readonly ignored_columns: readonly string[];
  /** Why not all was read; "" if it was */
  readonly problem: string;
  /** When it was made */
  readonly created_at: string;
  /** When nothing was left to do; null before */
  readonly finished_at: string | null;
}

/** What came of one row. It holds no value of the row but ids. */
export interface ImportRow {
  /** The number of the row, over all calls */
  readonly line: number;
  /** How the other system calls the connection */
  readonly source_id: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** `refused`, `accepted`, `stored` or `settled` */
  readonly state: string;
  /** The outcome */
  readonly code: string;
  /** The outcome in words */
  readonly means: string;
  /** The column at fault */
  readonly field: string;
  /** What it means, for people */
  readonly detail: string;
  /** Its refresh ends the copy at the source */
  readonly rotates: boolean;
  /** Id of the connection */
  readonly connection: string | null;
}

/** A page of rows, in their order. */
export interface ImportRowPage {
  /** What is on this page */
  readonly items: readonly ImportRow[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** The next rows of an import. */
export interface ImportRowsIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** The rows, as objects */
  readonly rows?: readonly Readonly<Record<string, unknown>>[] | null;
  /** The rows, as CSV with a header */
  readonly csv?: string | null;
  /** No more rows come: the import begins */
  readonly complete?: boolean;
  /** The number of this call, from 2; repeating one does nothing */
  readonly part: number;
}

/** A fault of a provider app. While it is open, no connection of the app is downgraded for it. */
export interface Incident {
  /** Its id */
  readonly id: string;
  /** Id of the provider app */
  readonly provider_app: string;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** Of which kind it is */
  readonly kind: IncidentKind;
  /** What it probably comes from */
  readonly cause: IncidentCause | "";
  /** What is so, in a sentence for operators */
  readonly detail: string;
  /** What that means for connections */
  readonly means: string;
  /** What to do about it */
  readonly to_do: string;
  /** The host that it concerns; "" for the provider itself */
  readonly at: string;
  /** How many connections were not downgraded because of it */
  readonly spared: number;
  /** What was counted of it last: connections, answers, when the client secret was changed */
  readonly facts: Readonly<Record<string, unknown>>;
  /** What was last seen of the provider, for people to look at */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** Its steps, the oldest first */
  readonly timeline: readonly IncidentStep[];
  /** When it was opened */
  readonly opened_at: string;
  /** When the fault was last noticed */
  readonly last_seen_at: string;
  /** When it was closed; null while it is open */
  readonly closed_at: string | null;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface IncidentPage {
  /** What is on this page */
  readonly items: readonly Incident[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** One step of an incident. */
export interface IncidentStep {
  /** When it was */
  readonly at: string;
  /** What happened */
  readonly what: string;
}

/**
 * A new key. `key` is in this answer and never shown again: only its hash is stored.
 *
 * It is null where a call is repeated with its `Idempotency-Key`: revoke the key if the first answer is lost.
 */
export interface IssuedApiKey {
  /** Its id */
  readonly id: string;
  /** The key itself, in this answer alone */
  readonly key: string | null;
  /** Its first characters, which may be seen */
  readonly prefix: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
}

/** An issuer to trust, for one use and one audience. */
export interface IssuerIn {
  /** Its public JWKs; without these and `jwks_url` its metadata says */
  readonly keys?: readonly Readonly<Record<string, unknown>>[] | null;
  /** Where its keys are; "" where its metadata says so */
  readonly jwks_url?: string;
  /** How its tokens may be signed */
  readonly algorithms?: readonly string[];
  /** What holds the id of an end user or agent: a name, or a JSON Pointer */
  readonly claim?: string;
  /** What holds the groups of an end user; "" for none */
  readonly groups_claim?: string;
  /** What holds the tenant's slug; needed for end users of all tenants */
  readonly tenant_claim?: string;
  /** How long its tokens may live */
  readonly max_lifetime_seconds?: number;
  /** By how much clocks may differ */
  readonly leeway_seconds?: number;
  /** Whom the issuer's tokens name: callers, end users, or agents */
  readonly use: IssuerUse;
  /** Exactly as its tokens write it */
  readonly issuer: string;
  /** Yours, and nobody else's */
  readonly audience: string;
}

/** One trusted issuer. `tenant` is null where the operator trusts it. */
export interface Issuer {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** Whom the issuer's tokens name: callers, end users, or agents */
  readonly use: string;
  /** The issuer, exactly as its tokens write it */
  readonly issuer: string;
  /** The audience that its tokens must have */
  readonly audience: string;
  /** Its public keys; null where they are elsewhere */
  readonly keys: readonly Readonly<Record<string, unknown>>[] | null;
  /** Where its keys are; "" where its metadata says so */
  readonly jwks_url: string;
  /** How its tokens may be signed */
  readonly algorithms: readonly string[];
  /** A claim's name, or a JSON Pointer */
  readonly claim: string;
  /** What holds the groups of an end user; "" for none */
  readonly groups_claim: string;
  /** What holds the slug of the tenant; "" for none */
  readonly tenant_claim: string;
  /** How long its tokens may live */
  readonly max_lifetime_seconds: number;
  /** By how much clocks may differ */
  readonly leeway_seconds: number;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface IssuerPage {
  /** What is on this page */
  readonly items: readonly Issuer[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** How the tokens of an issuer are checked, and what they say. What is left out is the default again. */
export interface IssuerTerms {
  /** Its public JWKs; without these and `jwks_url` its metadata says */
  readonly keys?: readonly Readonly<Record<string, unknown>>[] | null;
  /** Where its keys are; "" where its metadata says so */
  readonly jwks_url?: string;
  /** How its tokens may be signed */
  readonly algorithms?: readonly string[];
  /** What holds the id of an end user or agent: a name, or a JSON Pointer */
  readonly claim?: string;
  /** What holds the groups of an end user; "" for none */
  readonly groups_claim?: string;
  /** What holds the tenant's slug; needed for end users of all tenants */
  readonly tenant_claim?: string;
  /** How long its tokens may live */
  readonly max_lifetime_seconds?: number;
  /** By how much clocks may differ */
  readonly leeway_seconds?: number;
}

/** What is switched off; a switch that stands as asked is not changed. */
export interface KillSwitchIn {
  /** The kill switch, in force from the next request on; only an operator-wide client takes it back */
  readonly suspended: boolean;
}

/** An invitation to the page of one's own connections. */
export interface ManagementSessionIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Who is logged in at your product: never take it from a link */
  readonly end_user: string;
  /** Where the browser comes back to: one of the tenant's `return_urls` */
  readonly return_url: string;
  /** Of the page of yours over which the page opens: an allowed origin */
  readonly origin?: string;
  /** To which they may connect another account from the page; none by default */
  readonly providers?: readonly string[];
  /** A BCP 47 tag; a language that the pages lack does not count */
  readonly locale?: string;
  /** As at /connect-sessions, for whatever is connected from the page */
  readonly code_challenge?: string | null;
}

/** A new session. `token` is shown this once: it is in `manage_url`, and what `connect.js` opens. */
export interface ManagementSession {
  /** Its id */
  readonly id: string;
  /** Shown this once: what `connect.js` opens */
  readonly token: string;
  /** Where to send the end user's browser; it works once */
  readonly manage_url: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ManagementSessionPage {
  /** What is on this page */
  readonly items: readonly ManagementSessionShown[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** A visit to the page of one's own connections, or the invitation to one. */
export interface ManagementSessionShown {
  /** Its id */
  readonly id: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** The API client that used it */
  readonly client: string;
  /** Providers that it is about */
  readonly providers: readonly string[];
  /** Where it stands */
  readonly state: "invited" | "expired" | "open" | "over" | "ended";
  /** When it was made */
  readonly created_at: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string;
  /** When it was last used; null if it was not */
  readonly seen_at: string | null;
  /** When it ends, if that is known */
  readonly ends_at: string | null;
  /** When it was ended; null if it was not */
  readonly ended_at: string | null;
}

/** What is wrong with one member of a request. */
export interface MemberFault {
  /** Its dotted name */
  readonly field: string;
  /** The rule that it breaks; never what was sent */
  readonly message: string;
}

/**
 * One way to connect; `fields` is the JSON Schema of what the end user types.
 *
 * With `proxy_only` no caller is handed the credential. `confidence` says how sure the facts are: "high",
 * "medium", or "low" for unverified; null for an entry of your own.
 */
export interface Method {
  /** The way to connect, such as `authorization_code` or `api_key` */
  readonly auth_style: string;
  /** How sure the facts are; null for an entry of your own */
  readonly confidence: string | null;
  /** There is a provider app, so that it can be connected */
  readonly configured: boolean;
  /** It is used through the proxy only, and not handed out */
  readonly proxy_only: boolean;
  /** JSON Schema of what the end user types */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * A new endpoint. `secret` is in this answer and never shown again.
 *
 * It is null where a call is repeated with its `Idempotency-Key`: rotate the secret if the first answer is lost.
 */
export interface NewWebhookEndpoint {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** Where events are sent */
  readonly url: string;
  /** Your own note */
  readonly description: string;
  /** The types of events that it is told; null is every type */
  readonly event_types: readonly string[] | null;
  /** It gets events */
  readonly enabled: boolean;
  /** Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not */
  readonly disabled_reason: "operator" | "gone" | "failing" | null;
  /** When it was disabled; null if it is enabled */
  readonly disabled_at: string | null;
  /** Since when every attempt fails; null if the last one did not */
  readonly failing_since: string | null;
  /** When it is tried again; null if nothing holds it back */
  readonly next_attempt_at: string | null;
  /** When it last took an event; null if it never did */
  readonly last_success_at: string | null;
  /** Events that the outbox keeps no longer and that it never took */
  readonly missed_events: number;
  /** When it was made */
  readonly created_at: string;
  /** The signing secret, in this answer alone: `whsec_…` */
  readonly secret: string | null;
}

/** Something to know of a connection that works: a stable `code`, what it means, and when it ends, if known. */
export interface Notice {
  /** What it is, for programs; it never changes */
  readonly code: string;
  /** What it means, for people */
  readonly detail: string;
  /** When it ends, if that is known */
  readonly ends_at: string | null;
}

/**
 * The receipt of an offboarding: what was done, and what is pending while `state` is `under_way`.
 *
 * `end_user` is a pseudonym once they are erased: nothing keeps whose. `grants` are the ids of the access grants
 * that were revoked; `counts` says how many rows of each other kind ended, were deleted or renamed.
 */
export interface Offboarding {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string;
  /** How much of them goes: `offboard` disconnects and revokes, `erase` also forgets */
  readonly mode: OffboardingMode;
  /** Where it stands */
  readonly state: "under_way" | "done";
  /** What becomes of the whole tenant's connections that they answer for; null where that was not said */
  readonly shared: string | null;
  /** The end user who answers from then on; null for the tenant itself */
  readonly handed_over_to: string | null;
  /** Their own connections */
  readonly connections: readonly Ended[];
  /** Ids of the access grants that were revoked */
  readonly grants: readonly string[];
  /** How many rows of each other kind ended, were deleted or renamed */
  readonly counts: Readonly<Record<string, number>>;
  /** When it was asked for */
  readonly ordered_at: string;
  /** When the last of it was done; null while it is under way */
  readonly done_at: string | null;
}

/** How pages look that belong to no tenant, and what stands in where a tenant says nothing. */
export interface OperatorBrandingIn {
  /** Colours by role, as #rrggbb */
  readonly colors?: Colors;
  /** Where the browser asks for a dark page */
  readonly dark_colors?: Colors;
  /** Of corners, in pixels */
  readonly radius?: number | null;
  /** One of a closed list of what systems have */
  readonly font?: Font | "";
  /**
   * Own words, by language and place: `title` (the heading of the first page; at most 80 characters; may hold
   * {provider} and {tenant}), `reason` (the sentence of the first page: who asks for what; at most 300 characters;
   * may hold {provider} and {tenant}), `continue` (the button of the first page; at most 40 characters; may hold
   * {provider}), `choose` (the heading of the choice; at most 80 characters; may hold {tenant}), `connect` (the
   * button under the fields; at most 40 characters; may hold {provider}), `back` (the way back; at most 40
   * characters; may hold {tenant})
   */
  readonly texts?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Https; shown under every page */
  readonly support_url?: string;
  /** Https; shown under every page */
  readonly privacy_url?: string;
  /** The language of the pages, unless the session names one */
  readonly locale?: string;
  /** Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it */
  readonly logo?: string | null;
  /**
   * Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it;
   * without one it is the logo
   */
  readonly favicon?: string | null;
  /** Its name, for people */
  readonly name?: string;
}

/** How pages look that belong to no tenant. */
export interface OperatorBranding {
  /** Colours by role, as #rrggbb */
  readonly colors: Readonly<Record<string, string>>;
  /** Colours where the browser asks for a dark page */
  readonly dark_colors: Readonly<Record<string, string>>;
  /** Of corners, in pixels */
  readonly radius: number | null;
  /** The font of the pages */
  readonly font: string;
  /** Own words, by language and place */
  readonly texts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Your help page, linked under every page */
  readonly support_url: string;
  /** Your privacy page, linked under every page */
  readonly privacy_url: string;
  /** The language of the pages, as a BCP 47 tag */
  readonly locale: string;
  /** There is a logo */
  readonly has_logo: boolean;
  /** There is an icon for the browser's tab */
  readonly has_favicon: boolean;
  /** Its name, for people */
  readonly name: string;
}

/** From which addresses our calls come, as far as is known. */
export interface OutboundAddresses {
  /** What to write on a provider's list; empty where nothing is known */
  readonly to_list: readonly string[];
  /** What the installation states */
  readonly stated: readonly string[];
  /** What the service that was asked saw of one call; "" where none told */
  readonly seen: string;
  /** The host of that service; "" where none was asked */
  readonly asked: string;
  /** The proxy through which calls go; "" for none */
  readonly proxy: string;
  /** What to know of it, in words */
  readonly notes: readonly string[];
}

/** What came of a refresh or probe on demand. */
export interface Outcome {
  /** What came of it, as a stable word */
  readonly outcome: string;
  /** Where the connection stands now */
  readonly connection: Connection | Changed;
}

/** What happens next to a connection, the most important first. */
export interface Outlook {
  /** What happens, or is in the way */
  readonly steps: readonly Step[];
}

/** An entry that is tried, and not stored. */
export interface OwnProviderDraft {
  /** The entry, as it is written */
  readonly toml: string;
}

/** An entry of your own, as `manage.py providers` reads it (TOML). */
export interface OwnProviderIn {
  /** The entry, as it is written */
  readonly toml: string;
  /**
   * Needed where client secrets would go to another address, so that they have to be entered again, and where the
   * entry takes the place of one that comes with Latchkey
   */
  readonly confirm?: boolean;
}

/** An entry of your own. `used_by` counts what stands on it: provider apps, connections, keys, …. */
export interface OwnProvider {
  /** Its short name in addresses */
  readonly slug: string;
  /** The entry, as it is written */
  readonly toml: string;
  /** What stands on it, counted */
  readonly used_by: Readonly<Record<string, number>>;
}

/** One page, by slug; `next` is the cursor of the next one, or null. */
export interface OwnProviderPage {
  /** What is on this page */
  readonly items: readonly OwnProvider[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What would come of an entry. `provider` is how it would be shown, null while `problems` has sentences. */
export interface OwnProviderVerdict {
  /** What is wrong with it, as `manage.py providers check` says it */
  readonly problems: readonly string[];
  /** The keys by which stored secrets would go to another address */
  readonly moves: readonly string[];
  /** How many provider apps would need their client secrets again */
  readonly forgets: number;
  /** It would take the place of an entry that comes with Latchkey */
  readonly hides_built_in: boolean;
  /** The provider's slug, or an alias of it */
  readonly provider: Provider | null;
}

/**
 * A registration at a provider, shared or a tenant's own. What is left out is taken back, but for client secrets.
 *
 * `client_secrets` are in order, the preferred first; without them the stored ones stay, unless the client id or
 * an address changes. Without a client id the app registers itself, if the authorization server offers that; else
 * it is a draft, which shows the redirect URI to register.
 */
export interface ProviderAppIn {
  /** Default: what an alias stands for, else the entry's first */
  readonly auth_style?: string | null;
  /** Its name, for people */
  readonly name?: string;
  /** The client id at the provider */
  readonly client_id?: string;
  /** The client secrets, the preferred first; without them the stored ones stay */
  readonly client_secrets?: readonly string[] | null;
  /** Parameters of the provider, such as the host of an account */
  readonly params?: Readonly<Record<string, string>>;
  /** Scopes at the provider */
  readonly scopes?: readonly string[];
  /** Always asked for; a connection without one of them vends nothing */
  readonly required_scopes?: readonly string[];
  /** All that a connect session may name; null: any, an empty list: none */
  readonly allowed_scopes?: readonly string[] | null;
  /** Allow the password grant, which is off otherwise */
  readonly allows_legacy?: boolean;
}

/**
 * One registration at a provider; no secret is ever shown. `tenant` is null for one that all tenants share.
 *
 * `redirect_uri` is what the provider asks for, null where nobody is sent there or the app registers itself.
 */
export interface ProviderApp {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** The way to connect, such as `authorization_code` or `api_key` */
  readonly auth_style: string;
  /** Its name, for people */
  readonly name: string;
  /** The client id at the provider */
  readonly client_id: string;
  /** A client secret is stored */
  readonly has_secrets: boolean;
  /** What the provider asks for; null where nobody is sent there */
  readonly redirect_uri: string | null;
  /** The app registers itself at the authorization server */
  readonly registers_itself: boolean;
  /** It waits for its client id, and cannot be used yet */
  readonly draft: boolean;
  /** Parameters of the provider, such as the host of an account */
  readonly params: Readonly<Record<string, string>>;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** Scopes that are always asked for, and without which nothing is vended */
  readonly required_scopes: readonly string[];
  /** All scopes that a connect session may name; null: any */
  readonly allowed_scopes: readonly string[] | null;
  /** An operator has switched it off */
  readonly suspended: boolean;
  /** An operator has paused its refreshes */
  readonly paused: boolean;
  /** What people should know of it; empty or null if there is nothing */
  readonly notice: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ProviderAppPage {
  /** What is on this page */
  readonly items: readonly ProviderApp[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * One catalogue entry. `aliases` are further names by which it may be named, each for one of its styles.
 *
 * `icon_url` is an SVG of two letters on the provider's colour, as the widget shows it.
 */
export interface Provider {
  /** Its short name in addresses */
  readonly slug: string;
  /** Further names of the entry, each with the auth style that it stands for */
  readonly aliases: Readonly<Record<string, string>>;
  /** Its name, for people */
  readonly name: string;
  /** What kind of product it is */
  readonly category: string;
  /** The picture that the widget shows */
  readonly icon_url: string;
  /** The provider's website */
  readonly website: string;
  /** The provider's documentation */
  readonly docs_url: string;
  /** Methods that proxied requests may have; null does not limit */
  readonly methods: readonly Method[];
  /** Scopes at the provider */
  readonly scopes: readonly Scope[];
}

/** One page, by slug; `next` is the cursor of the next one, or null. */
export interface ProviderPage {
  /** What is on this page */
  readonly items: readonly Provider[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * How the provider of an app tells us what happens there.
 *
 * `address` is what to register at the provider, as `steps` say. `known_by` is what proves a push. `ends` are the
 * types of events that end connections; whatever else comes is passed on as the event `provider.event`.
 */
export interface Push {
  /** What to register at the provider */
  readonly address: string;
  /** What proves a push */
  readonly known_by: "push_secret" | "client_secret" | "issuer_keys";
  /** The provider's word for the push secret; empty where there is none */
  readonly secret_label: string;
  /** How many push secrets are in use */
  readonly secrets: number;
  /** What to do at the provider, a sentence each */
  readonly steps: readonly string[];
  /** The types of events that end connections */
  readonly ends: readonly string[];
  /** When a push was last believed */
  readonly last_received_at: string | null;
  /** When a push was last refused */
  readonly last_refused_at: string | null;
  /** Why, as a code: `signature` most of all; empty where none was */
  readonly last_refusal: string;
}

/** A secret by which the provider signs what it sends from now on. */
export interface PushSecretIn {
  /** As the provider shows it; the one before it stays known */
  readonly secret: string;
}

/** What tells an app's push secrets apart, the newest first. They are never shown themselves. */
export interface PushSecrets {
  /** What tells one secret from the others, the one in use first */
  readonly fingerprints: readonly string[];
}

/** How the last quarantine stands, of the tenants that the client may see. */
export interface Quarantine {
  /** Refreshes wait */
  readonly active: boolean;
  /** It is known which connections wait; until then nothing is refreshed */
  readonly sorted: boolean;
  /** When it was begun; null if there was none */
  readonly begun_at: string | null;
  /** Why the database is taken for one that was put back */
  readonly cause: RewindCause | null;
  /** The moment to which it was put back; null where nobody knows */
  readonly data_from: string | null;
  /** Those of which connections wait, by slug */
  readonly tenants: readonly Waiting[];
}

/** The API client that used it; `name` is null when the client is gone. */
export interface ReceiptClient {
  /** Its id */
  readonly id: string;
  /** Its name, for people */
  readonly name: string | null;
}

/**
 * One use of a connection: by `kind` a credential that was handed out, or a request that the proxy sent.
 *
 * `end_user` is whom the caller named, or null. `agent` and `purpose` are what it said of itself, "" for nothing.
 * Where a trusted issuer's token named the end user or the agent, `verified` has the issuer.
 */
export interface Receipt {
  /** Its id */
  readonly id: string;
  /** When it was used */
  readonly at: string;
  /** Of which kind it is */
  readonly kind: "credential" | "request";
  /** The API client that used it */
  readonly client: ReceiptClient | null;
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** Which agent acts, for the audit trail */
  readonly agent: string;
  /** The host holds the line */
  readonly verified: Verified;
  /** What for, for the audit trail */
  readonly purpose: string;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** Id of the credential version; null where there is none */
  readonly version: string | null;
  /** The network address that the call came from, if it was kept */
  readonly address: string | null;
}

/**
 * One page, the newest use first. It may be short or empty although `next`, the cursor of the next one, is there.
 *
 * That is so where a filter leaves out much: go on while there is a `next`.
 */
export interface ReceiptPage {
  /** What is on this page */
  readonly items: readonly Receipt[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * One push that came. Of what it said only its types are kept.
 *
 * `why` is the code of a refusal, and `count` how many refused ones the row stands for. `connections` counts those
 * that it was about.
 */
export interface ReceivedPush {
  /** Its id */
  readonly id: string;
  /** What came of it */
  readonly state: PushState;
  /** Why it was refused, as a code; empty where it was not */
  readonly why: string;
  /** The provider's types of its events */
  readonly event_types: readonly string[];
  /** How many connections it was about */
  readonly connections: number;
  /** How many of them it has ended */
  readonly ended: number;
  /** How many events `provider.event` came of it */
  readonly forwarded: number;
  /** How many refused pushes the row stands for */
  readonly count: number;
  /** How often the same delivery came again */
  readonly repeats: number;
  /** When it came */
  readonly received_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface ReceivedPushPage {
  /** What is on this page */
  readonly items: readonly ReceivedPush[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** One try to refresh one credential version. `evidence` says what the provider answered, without a secret. */
export interface RefreshAttempt {
  /** Its id */
  readonly id: string;
  /** Where it stands */
  readonly state: AttemptState;
  /** What made it begin: a sweep, a vend, a report, … */
  readonly trigger: string;
  /** Id of the version whose refresh token it spends */
  readonly version: string;
  /** When it began */
  readonly claimed_at: string;
  /** When its time is up */
  readonly deadline_at: string;
  /** When it was ended; null if it was not */
  readonly ended_at: string | null;
  /** An earlier one of the version was never answered */
  readonly follows_doubt: boolean;
  /** A stable word for what went wrong; "" if nothing did */
  readonly error: string;
  /** What was last seen of the provider, for people to look at */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface RefreshAttemptPage {
  /** What is on this page */
  readonly items: readonly RefreshAttempt[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** What an app has registered without hands at one authorization server; no secret is ever shown. */
export interface RegisteredClient {
  /** Its id */
  readonly id: string;
  /** The issuer, exactly as its tokens write it */
  readonly issuer: string;
  /** How it was registered */
  readonly way: RegistrationWay;
  /** The client id at the provider */
  readonly client_id: string;
  /** What the provider asks for; null where nobody is sent there */
  readonly redirect_uri: string;
  /** When it was registered; null if it is not yet */
  readonly registered_at: string | null;
  /** When its client secret ends; null if it does not */
  readonly secret_expires_at: string | null;
  /** When it is renewed; null if it is not */
  readonly renew_at: string | null;
  /** When another took its place; null if none did */
  readonly replaced_at: string | null;
  /** Why it could not be done, in words; "" if it could */
  readonly problem: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface RegisteredClientPage {
  /** What is on this page */
  readonly items: readonly RegisteredClient[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** Which refresh tokens may be sent again. */
export interface ReleaseIn {
  /** Also one that is known to be used; where the provider detects reuse, that ends the grant */
  readonly with_used?: boolean;
}

/** The registration that is current after a renewal; `replaced`: it has another client id than before. */
export interface Renewed {
  /** Another registration, with another client id, has taken its place */
  readonly replaced: boolean;
  /** The registration that is current now */
  readonly client: RegisteredClient;
}

/** A provider's refusal, seen by a caller. */
export interface ReportIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Id of the credential version; null where there is none */
  readonly version: string;
  /** The HTTP status that the provider answered with */
  readonly status: number;
}

/** `superseded`: a newer credential is there, vend again; otherwise the verdict of the probe, if there was one. */
export interface Report {
  /** A newer credential is there: vend again */
  readonly superseded: boolean;
  /** What the probe found; null if none was made */
  readonly verdict: string | null;
  /** What can be expected of it */
  readonly status: Status;
  /** Why, as a stable word */
  readonly reason: Reason;
}

/** A scope in plain words. */
export interface Scope {
  /** Its name, for people */
  readonly name: string;
  /** What it allows, in plain words */
  readonly description: string;
  /** What is meant where nothing else is named */
  readonly default: boolean;
}

/**
 * Scopes compared: `missing` are those requested or required that the connection does not have, or no longer.
 *
 * `required` are those without which its provider app lets nothing be vended. `observed` are those that the
 * provider stood by when it last told of any, null if it never did.
 */
export interface Scopes {
  /** Scopes that were asked for */
  readonly requested: readonly string[];
  /** Scopes that were granted */
  readonly granted: readonly string[];
  /** Scopes without which its provider app lets nothing be vended */
  readonly required: readonly string[];
  /** Scopes that the provider stood by when it last told of any; null if it never did */
  readonly observed: readonly string[] | null;
  /** Scopes that were requested or are required, and that it does not have */
  readonly missing: readonly string[];
}

/** From where the client secret is read; the last one that was read stays where this is null. */
export interface SecretSourceIn {
  /**
   * A reference, such as file:/run/secrets/hubspot or vault:secret/data/hubspot#client_secret, in a place that
   * LATCHKEY_SECRET_SOURCES allows; null: from nowhere, people enter it
   */
  readonly client_secret_from: string | null;
}

/** From where the client secret is read, and how the last look went. Where it fails, the one before is in use. */
export interface SecretSource {
  /** The reference; null: from nowhere, people enter it */
  readonly client_secret_from: string | null;
  /** When it was read last */
  readonly read_at: string | null;
  /** When it is read again; sooner where the provider refuses it */
  readonly next_look_at: string | null;
  /** Null where the last look has read it */
  readonly failing_since: string | null;
  /** Why it cannot be read, and what to do */
  readonly problem: string;
}

/** Who may use a connection; what is null stays as it is. */
export interface SharingIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** The end user who answers for what belongs to the whole tenant; "" for the tenant itself */
  readonly granted_by?: "" | string | null;
  /** Nobody uses it but under an access grant */
  readonly grants_only?: boolean | null;
}

/** One event to come, or what holds it back. */
export interface Step {
  /** What happens, in words for operators */
  readonly text: string;
  /** When; null where that has no time */
  readonly at: string | null;
  /** It is an obstacle, not an event */
  readonly held: boolean;
}

/** Who a grant is for: an end user's id, a group's name, what an agent calls itself, or an API client's id. */
export interface SubjectIn {
  /** Of which kind it is */
  readonly kind: SubjectKind;
  /** Its id */
  readonly id: string;
}

/** Who a grant is for. */
export interface Subject {
  /** Of which kind it is */
  readonly kind: SubjectKind;
  /** Its id */
  readonly id: string;
}

/** What is switched off; what is not given stays, and a switch that stands as asked is not changed. */
export interface SwitchesIn {
  /** The kill switch, in force from the next request on; only an operator-wide client takes it back */
  readonly suspended?: boolean | null;
  /** No refreshes and probes; valid credentials still vend */
  readonly paused?: boolean | null;
}

/**
 * How far the deletion of a tenant is.
 *
 * `shred_at`: its data keys are destroyed then at the latest, and sooner when every revocation has ended.
 * `connections` are left, `revoking` of them are being revoked at their providers.
 */
export interface TenantDeletion {
  /** Its short name in addresses */
  readonly slug: string;
  /** When its data keys are destroyed at the latest; null unless it is being deleted */
  readonly shred_at: string;
  /** How many connections are left */
  readonly connections: number;
  /** How many of them are being revoked at their providers */
  readonly revoking: number;
}

/** What a tenant is made or changed to; the lists replace the old ones. */
export interface TenantIn {
  /** Its name, for people */
  readonly name: string;
  /** Null keeps it */
  readonly branding?: BrandingIn | null;
  /** Origins of pages of yours over which the widget may open */
  readonly allowed_origins?: readonly string[];
  /** Where browsers may come back to */
  readonly return_urls?: readonly string[];
  /** Your reconnect page; {connection}, {provider}, {end_user} and {scopes} are filled in */
  readonly reconnect_url?: string;
}

/** One tenant. */
export interface Tenant {
  /** Its short name in addresses */
  readonly slug: string;
  /** Its name, for people */
  readonly name: string;
  /** How the tenant's pages look */
  readonly branding: Branding;
  /** Origins of pages of yours over which the widget may open */
  readonly allowed_origins: readonly string[];
  /** Where browsers may come back to */
  readonly return_urls: readonly string[];
  /** Your page on which an end user connects again */
  readonly reconnect_url: string;
  /** An operator has switched it off */
  readonly suspended: boolean;
  /** When its data keys are destroyed at the latest; null unless it is being deleted */
  readonly shred_at: string | null;
}

/** One page, by slug; `next` is the cursor of the next one, or null. */
export interface TenantPage {
  /** What is on this page */
  readonly items: readonly Tenant[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/**
 * The same, for a connection named by provider and end user; without `end_user`, the tenant's own.
 *
 * With a `subject_token` it may also be the tenant's own, where the end user has none.
 */
export interface VendByOwnerIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Your own id of the end user; null where there is none */
  readonly end_user?: string | null;
  /** Scopes that the credential must have */
  readonly scopes?: readonly string[];
  /** Seconds that the credential has to live at least */
  readonly min_ttl?: number | null;
  /** Seconds to wait for a refresh if no valid credential is left; also `Prefer: wait=N` */
  readonly wait?: number | null;
  /** What for, for the audit trail */
  readonly purpose?: string;
  /** Which agent acts, for the audit trail */
  readonly agent?: string;
  /** The end user's, for access grants */
  readonly groups?: readonly string[];
  /**
   * A token of whoever you serve, from your identity provider, for a connection that acts on behalf of subjects:
   * it is exchanged (RFC 8693), and not kept
   */
  readonly subject_token?: string | null;
  /** Of a trusted issuer: it says who `end_user` is */
  readonly end_user_token?: string | null;
  /** Of a trusted issuer: it says who `agent` is */
  readonly agent_token?: string | null;
  /** The provider's slug, or an alias of it */
  readonly provider: string;
  /** What tells it from the owner's others at the provider; "" for none */
  readonly label?: string | null;
}

/** What a credential is wanted for. */
export interface VendIn {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant?: string | null;
  /** Your own id of the end user; null where there is none */
  readonly end_user?: string | null;
  /** Scopes that the credential must have */
  readonly scopes?: readonly string[];
  /** Seconds that the credential has to live at least */
  readonly min_ttl?: number | null;
  /** Seconds to wait for a refresh if no valid credential is left; also `Prefer: wait=N` */
  readonly wait?: number | null;
  /** What for, for the audit trail */
  readonly purpose?: string;
  /** Which agent acts, for the audit trail */
  readonly agent?: string;
  /** The end user's, for access grants */
  readonly groups?: readonly string[];
  /**
   * A token of whoever you serve, from your identity provider, for a connection that acts on behalf of subjects:
   * it is exchanged (RFC 8693), and not kept
   */
  readonly subject_token?: string | null;
  /** Of a trusted issuer: it says who `end_user` is */
  readonly end_user_token?: string | null;
  /** Of a trusted issuer: it says who `agent` is */
  readonly agent_token?: string | null;
}

/** A vend. `grant` is the access grant that allowed it, null where none was needed. */
export interface Vend {
  /** Always true: what is vended works now */
  readonly active?: true;
  /** Id of the connection */
  readonly connection: string;
  /** How it was made sure that the person who connected is the one who was invited */
  readonly binding: string;
  /** Id of the access grant */
  readonly grant: string | null;
  /** What to call the provider with */
  readonly credential: Credential;
  /** Id of the credential version; null where there is none */
  readonly version: string;
  /** When it was last proven to work */
  readonly verified_at: string | null;
  /** What proved it: a probe, a refresh, … */
  readonly verified_by: string;
}

/** The issuers whose tokens named the end user and the agent; null where the caller alone said so. */
export interface Verified {
  /** Your own id of the end user; null where there is none */
  readonly end_user: string | null;
  /** Which agent acts, for the audit trail */
  readonly agent: string | null;
}

/** One credential version: everything about it but the secrets. */
export interface Version {
  /** Its id */
  readonly id: string;
  /** How far it is; at most one is `current` */
  readonly stage: Stage;
  /** Id of the authorization that it comes from */
  readonly grant: string;
  /** Id of the version that was refreshed for it; null for a first one */
  readonly parent: string | null;
  /** Id of the refresh that received it; null for a first one */
  readonly attempt: string | null;
  /** Scopes at the provider */
  readonly scopes: readonly string[];
  /** It can be refreshed */
  readonly refreshable: boolean;
  /** When it came */
  readonly received_at: string;
  /** When it ends; null where nobody said */
  readonly expires_at: string | null;
  /** When its refresh token ends, where that is known */
  readonly refresh_expires_at: string | null;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface VersionPage {
  /** What is on this page */
  readonly items: readonly Version[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** How many connections of one tenant wait. */
export interface Waiting {
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string;
  /** How many of its connections wait */
  readonly waits: number;
  /** Of how many of these the refresh token is known to be used */
  readonly used: number;
  /** How many of these have an access token that is valid still, or of unknown end */
  readonly vends: number;
}

/** One event on its way to one endpoint. Of answers nothing is kept but their status. */
export interface WebhookDelivery {
  /** Its id */
  readonly id: string;
  /** Id of the event, as `webhook-id` has it */
  readonly event: string;
  /** What happened, such as `connection.connected` */
  readonly type: string;
  /** Id of the connection */
  readonly connection: string | null;
  /** Where it stands */
  readonly state: "pending" | "delivered" | "failed";
  /** How often it was tried */
  readonly attempts: number;
  /** The HTTP status of the last answer; null where none came */
  readonly status: number | null;
  /** What was wrong, in words; empty if nothing was */
  readonly error: string;
  /** When it was last tried; null if it was not */
  readonly attempted_at: string | null;
  /** When it is tried again; null if nothing holds it back */
  readonly next_attempt_at: string | null;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface WebhookDeliveryPage {
  /** What is on this page */
  readonly items: readonly WebhookDelivery[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** Where events go, and which. What is left out is the default again. */
export interface WebhookEndpointIn {
  /** Where events are sent: https and public */
  readonly url: string;
  /** Your own note */
  readonly description?: string;
  /** The types that it is told; null is every type, also those of later versions */
  readonly event_types?: readonly EventType[] | null;
}

/** One endpoint. `tenant` is null for the operator's own, which is told the events of all tenants. */
export interface WebhookEndpoint {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** Where events are sent */
  readonly url: string;
  /** Your own note */
  readonly description: string;
  /** The types of events that it is told; null is every type */
  readonly event_types: readonly string[] | null;
  /** It gets events */
  readonly enabled: boolean;
  /** Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not */
  readonly disabled_reason: "operator" | "gone" | "failing" | null;
  /** When it was disabled; null if it is enabled */
  readonly disabled_at: string | null;
  /** Since when every attempt fails; null if the last one did not */
  readonly failing_since: string | null;
  /** When it is tried again; null if nothing holds it back */
  readonly next_attempt_at: string | null;
  /** When it last took an event; null if it never did */
  readonly last_success_at: string | null;
  /** Events that the outbox keeps no longer and that it never took */
  readonly missed_events: number;
  /** When it was made */
  readonly created_at: string;
}

/** One page, the newest first; `next` is the cursor of the next one, or null. */
export interface WebhookEndpointPage {
  /** What is on this page */
  readonly items: readonly WebhookEndpoint[];
  /** The cursor of the next page; null on the last */
  readonly next: string | null;
}

/** From when on events are delivered once more. */
export interface WebhookReplayIn {
  /** From when on */
  readonly since: string;
}

/** How many events are delivered once more. */
export interface WebhookReplay {
  /** How many events they are */
  readonly events: number;
}

/** A rotation. */
export interface WebhookSecretIn {
  /** For how much longer the earlier secrets sign as well */
  readonly overlap_seconds?: number;
}

/** A new signing secret, in this answer alone; null where a call is repeated with its `Idempotency-Key`. */
export interface WebhookSecret {
  /** The signing secret, in this answer alone: `whsec_…` */
  readonly secret: string | null;
}

/** Whether an endpoint gets events. */
export interface WebhookSwitchIn {
  /** False: events wait; true: what waits is delivered from where it stood */
  readonly enabled: boolean;
}

/** The endpoint, and what it will never get. */
export interface WebhookSwitch {
  /** Its id */
  readonly id: string;
  /** The tenant's slug; operator-wide clients have to name it */
  readonly tenant: string | null;
  /** Where events are sent */
  readonly url: string;
  /** Your own note */
  readonly description: string;
  /** The types of events that it is told; null is every type */
  readonly event_types: readonly string[] | null;
  /** It gets events */
  readonly enabled: boolean;
  /** Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not */
  readonly disabled_reason: "operator" | "gone" | "failing" | null;
  /** When it was disabled; null if it is enabled */
  readonly disabled_at: string | null;
  /** Since when every attempt fails; null if the last one did not */
  readonly failing_since: string | null;
  /** When it is tried again; null if nothing holds it back */
  readonly next_attempt_at: string | null;
  /** When it last took an event; null if it never did */
  readonly last_success_at: string | null;
  /** Events that the outbox keeps no longer and that it never took */
  readonly missed_events: number;
  /** When it was made */
  readonly created_at: string;
  /** How many events the outbox no longer kept when it was enabled */
  readonly fell_out: number;
}

/** What came of a test event. `status` is null where no answer came. */
export interface WebhookTest {
  /** The receiver took it */
  readonly delivered: boolean;
  /** The HTTP status of the answer; null where none came */
  readonly status: number | null;
  /** What was wrong, in words; empty if nothing was */
  readonly error: string;
  /** How long it took */
  readonly seconds: number;
}

/** What every problem has (RFC 9457). */
export interface AnyProblem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What it is, and what to do, for people. */
  readonly detail: string;
}

/** The request cannot be carried out as it is. */
export interface InvalidRequestProblem extends AnyProblem {
  readonly code: "invalid_request";
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
  /** Each member that is not valid */
  readonly errors?: readonly MemberFault[];
}

/** No valid API key or token came with the call. */
export interface UnauthorizedProblem extends AnyProblem {
  readonly code: "unauthorized";
}

/** The API client lacks the permission that the call needs. */
export interface PermissionDeniedProblem extends AnyProblem {
  readonly code: "permission_denied";
}

/** The token in `field` is not one that is trusted for this tenant. */
export interface IdentityTokenRefusedProblem extends AnyProblem {
  readonly code: "identity_token_refused";
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
}

/** There is no such thing, or it is another tenant's. */
export interface NotFoundProblem extends AnyProblem {
  readonly code: "not_found";
  /** A page on which the end user mends it: open it for them */
  readonly connect_url?: string;
}

/** The address does not know the request's method. */
export interface MethodNotAllowedProblem extends AnyProblem {
  readonly code: "method_not_allowed";
}

/** The grant no longer works: send the end user to `connect_url`. */
export interface ReauthorizationRequiredProblem extends AnyProblem {
  readonly code: "reauthorization_required";
  /** A page on which the end user mends it: open it for them */
  readonly connect_url?: string;
  /** A stable word that says why */
  readonly reason?: string;
}

/** The connection waits for its confirmation. */
export interface PendingProblem extends AnyProblem {
  readonly code: "pending";
}

/** More than one connection matches: name one of `connections`. */
export interface AmbiguousConnectionProblem extends AnyProblem {
  readonly code: "ambiguous_connection";
  /** Those that match: name the `label`, or vend by the `id`, of one */
  readonly connections?: readonly ConnectionChoice[];
}

/** The end user chose another account at the provider than before. */
export interface AccountMismatchProblem extends AnyProblem {
  readonly code: "account_mismatch";
  /** Id of the connection that is in the way */
  readonly connection?: string;
}

/** The provider refused what the end user brought; nothing was connected. */
export interface ExchangeFailedProblem extends AnyProblem {
  readonly code: "exchange_failed";
  /** A stable word that says why */
  readonly reason?: string;
}

/** The end user's account has nothing to connect to yet. */
export interface NoWorkspaceProblem extends AnyProblem {
  readonly code: "no_workspace";
  /** The provider's website, where the end user can change that */
  readonly website?: string;
}

/** The end user's account lacks a right that connecting needs. */
export interface AccountNotPermittedProblem extends AnyProblem {
  readonly code: "account_not_permitted";
  /** The provider's website, where the end user can change that */
  readonly website?: string;
}

/** The completion code is of another session, or the end user is another one. What was held is destroyed. */
export interface CompletionMismatchProblem extends AnyProblem {
  readonly code: "completion_mismatch";
}

/** Somebody has to approve this first, at `approve_url`: then repeat the request. */
export interface ApprovalRequiredProblem extends AnyProblem {
  readonly code: "approval_required";
  /** Id of the question that waits for an answer */
  readonly approval?: string;
  /** Where a person answers it */
  readonly approve_url?: string;
  /** Id of the access grant that asks for it, or that came nearest to allowing it */
  readonly grant?: string;
  /** Until when the question waits for an answer */
  readonly expires_at?: string;
}

/** This caller may not do this with this connection. */
export interface PolicyDeniedProblem extends AnyProblem {
  readonly code: "policy_denied";
  /** The stable name of the rule that denies it */
  readonly rule?: string;
  /** Id of the access grant that asks for it, or that came nearest to allowing it */
  readonly grant?: string;
}

/** The connection lacks `missing_scopes`: let the end user connect again. */
export interface InsufficientScopeProblem extends AnyProblem {
  readonly code: "insufficient_scope";
  /** Scopes that were not granted */
  readonly missing_scopes?: readonly string[];
  /** A page on which the end user mends it: open it for them */
  readonly connect_url?: string;
}

/** No credential lives for as long as `min_ttl` asks. */
export interface MinTtlUnavailableProblem extends AnyProblem {
  readonly code: "min_ttl_unavailable";
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
  /** The longest lifetime that can be had */
  readonly longest_seconds?: number;
}

/** The connection acts for whoever you serve: send their `subject_token`. */
export interface SubjectTokenRequiredProblem extends AnyProblem {
  readonly code: "subject_token_required";
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
}

/** The provider refuses the subject's token: take a fresh one. */
export interface SubjectTokenRefusedProblem extends AnyProblem {
  readonly code: "subject_token_refused";
  /** A stable word that says why */
  readonly reason?: string;
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
}

/** The end user has to sign in again, asking for the `claims`: then vend with the new token. */
export interface InteractionRequiredProblem extends AnyProblem {
  readonly code: "interaction_required";
  /** What the end user's new sign-in has to ask for; "" for nothing in particular */
  readonly claims?: string;
  /** A stable word that says why */
  readonly reason?: string;
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
}

/** It has changed since you read it (`If-Match`): read it again, and decide anew. */
export interface PreconditionFailedProblem extends AnyProblem {
  readonly code: "precondition_failed";
}

/** The idempotency key stands for another request: take a new one. */
export interface IdempotencyKeyReusedProblem extends AnyProblem {
  readonly code: "idempotency_key_reused";
  /** The dotted name of the member or parameter at fault */
  readonly field?: string;
}

/** The first call with this idempotency key is under way: ask again. */
export interface IdempotencyKeyInUseProblem extends AnyProblem {
  readonly code: "idempotency_key_in_use";
}

/** The call was carried out, and its answer was forgotten since. */
export interface IdempotentAnswerGoneProblem extends AnyProblem {
  readonly code: "idempotent_answer_gone";
}

/** The session is expired, used, failed or not yours; `failure` says which. */
export interface SessionUnusableProblem extends AnyProblem {
  readonly code: "session_unusable";
  /** A stable word for what became of the session */
  readonly failure?: string;
}

/** Events after your cursor are gone: read the connections, then go on here. */
export interface CursorExpiredProblem extends AnyProblem {
  readonly code: "cursor_expired";
  /** The cursor at which the kept events begin */
  readonly cursor?: string;
}

/** The endpoint answers in another media type than the request accepts. */
export interface NotAcceptableProblem extends AnyProblem {
  readonly code: "not_acceptable";
}

/** The request's body is of another media type than the endpoint reads. */
export interface UnsupportedMediaTypeProblem extends AnyProblem {
  readonly code: "unsupported_media_type";
}

/** The request's body stood still for too long. */
export interface RequestTimeoutProblem extends AnyProblem {
  readonly code: "request_timeout";
}

/** The request's body is larger than may be sent. */
export interface RequestTooLargeProblem extends AnyProblem {
  readonly code: "request_too_large";
}

/** The provider's rate limit leaves no turn for you yet: try again after `Retry-After`. */
export interface RateLimitedProblem extends AnyProblem {
  readonly code: "rate_limited";
}

/** Your API client is slowed down for suspicious use: try again after `Retry-After`. */
export interface ThrottledProblem extends AnyProblem {
  readonly code: "throttled";
}

/** Your API client is held for suspicious use: have its key rotated, or vouched for. */
export interface ClientHeldProblem extends AnyProblem {
  readonly code: "client_held";
}

/** An operator has switched this off. */
export interface SuspendedProblem extends AnyProblem {
  readonly code: "suspended";
}

/** An operator has paused this, and no valid credential is left. */
export interface PausedProblem extends AnyProblem {
  readonly code: "paused";
}

/** The database was put back, and its refresh token waits for an operator: try again after `Retry-After`. */
export interface QuarantinedProblem extends AnyProblem {
  readonly code: "quarantined";
  /** A page on which the end user mends it: open it for them */
  readonly connect_url?: string;
}

/** A key of the vault is missing. Nothing is wrong with the grant. */
export interface CredentialUnreadableProblem extends AnyProblem {
  readonly code: "credential_unreadable";
}

/** The provider refuses your client registration. */
export interface AppMisconfiguredProblem extends AnyProblem {
  readonly code: "app_misconfigured";
  /** A stable word that says why */
  readonly reason?: string;
  /** Until when the same confirmation may be repeated */
  readonly held_until?: string;
}

/** The provider's answer could not be read. It is kept: mend the catalogue entry. */
export interface AnswerUnreadableProblem extends AnyProblem {
  readonly code: "answer_unreadable";
  /** A stable word that says why */
  readonly reason?: string;
  /** Until when the same confirmation may be repeated */
  readonly held_until?: string;
}

/** The provider's answer is not passed on; `reason` says why. */
export interface AnswerRefusedProblem extends AnyProblem {
  readonly code: "answer_refused";
  /** A stable word that says why */
  readonly reason?: string;
  /** Where the provider's answer leads: fetch it without a credential */
  readonly redirects_to?: string;
}

/** The provider cannot answer now: try again after `Retry-After`. */
export interface ProviderUnavailableProblem extends AnyProblem {
  readonly code: "provider_unavailable";
  /** Until when the same confirmation may be repeated */
  readonly held_until?: string;
}

/** The credential is being refreshed: try again after `Retry-After`. */
export interface RefreshInProgressProblem extends AnyProblem {
  readonly code: "refresh_in_progress";
}

/** The keys of a token's issuer cannot be had: try again after `Retry-After`. */
export interface IssuerUnavailableProblem extends AnyProblem {
  readonly code: "issuer_unavailable";
}

/** It cannot be done at the moment: try again after `Retry-After`. */
export interface BusyProblem extends AnyProblem {
  readonly code: "busy";
}

/** The database cannot be asked now: try again after `Retry-After`, a change with its `Idempotency-Key`. */
export interface DatabaseUnavailableProblem extends AnyProblem {
  readonly code: "database_unavailable";
}

/** The provider took longer than its entry lets it. */
export interface ProviderTimeoutProblem extends AnyProblem {
  readonly code: "provider_timeout";
}

/** Something went wrong here; it is in the operator's log. */
export interface InternalErrorProblem extends AnyProblem {
  readonly code: "internal_error";
}

/** Why a request was refused: `code` says which of these it is. */
export type Problem =
  | InvalidRequestProblem
  | UnauthorizedProblem
  | PermissionDeniedProblem
  | IdentityTokenRefusedProblem
  | NotFoundProblem
  | MethodNotAllowedProblem
  | ReauthorizationRequiredProblem
  | PendingProblem
  | AmbiguousConnectionProblem
  | AccountMismatchProblem
  | ExchangeFailedProblem
  | NoWorkspaceProblem
  | AccountNotPermittedProblem
  | CompletionMismatchProblem
  | ApprovalRequiredProblem
  | PolicyDeniedProblem
  | InsufficientScopeProblem
  | MinTtlUnavailableProblem
  | SubjectTokenRequiredProblem
  | SubjectTokenRefusedProblem
  | InteractionRequiredProblem
  | PreconditionFailedProblem
  | IdempotencyKeyReusedProblem
  | IdempotencyKeyInUseProblem
  | IdempotentAnswerGoneProblem
  | SessionUnusableProblem
  | CursorExpiredProblem
  | NotAcceptableProblem
  | UnsupportedMediaTypeProblem
  | RequestTimeoutProblem
  | RequestTooLargeProblem
  | RateLimitedProblem
  | ThrottledProblem
  | ClientHeldProblem
  | SuspendedProblem
  | PausedProblem
  | QuarantinedProblem
  | CredentialUnreadableProblem
  | AppMisconfiguredProblem
  | AnswerUnreadableProblem
  | AnswerRefusedProblem
  | ProviderUnavailableProblem
  | RefreshInProgressProblem
  | IssuerUnavailableProblem
  | BusyProblem
  | DatabaseUnavailableProblem
  | ProviderTimeoutProblem
  | InternalErrorProblem;

/** Every operation of the API. */
export class Operations extends Caller {
  /**
   * Add a client secret.
   *
   * Add the new secret before you retire the old one at the provider: both are tried, so a rotation is no outage.
   */
  addAppClientSecret(
    appId: string,
    body: ClientSecretIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<ClientSecrets> {
    return this.call<ClientSecrets>(
      {
        method: "POST",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Add a push secret.
   *
   * Have pushes be known by this secret from now on. The one before it stays known, so a rotation loses none.
   */
  addAppPushSecret(
    appId: string,
    body: PushSecretIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<PushSecrets> {
    return this.call<PushSecrets>(
      {
        method: "POST",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/push-secrets`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Add rows to an import.
   *
   * Add the next rows of an import that is not `complete`. A part that was taken already changes nothing.
   */
  addImportRows(
    importId: string,
    body: ImportRowsIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Import> {
    return this.call<Import>(
      {
        method: "POST",
        path: `/api/v1/imports/${encodeURIComponent(importId)}/rows`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Approve what was asked.
   *
   * Allow exactly what was asked: one time within 15 minutes, or until a moment. The caller then repeats its
   * request.
   *
   * Whoever you let answer, you know who that is: `decided_by` goes into the audit trail. An API client approves
   * nothing that it has asked for.
   */
  approve(
    approvalId: string,
    body: ApprovalIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Approval> {
    return this.call<Approval>(
      {
        method: "POST",
        path: `/api/v1/approvals/${encodeURIComponent(approvalId)}/approve`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Cancel a bulk job.
   *
   * Do nothing more of a job: what is done stays done. Repeating the call changes nothing.
   */
  cancelBulkJob(
    jobId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<BulkJob> {
    return this.call<BulkJob>(
      {
        method: "POST",
        path: `/api/v1/bulk-jobs/${encodeURIComponent(jobId)}/cancel`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Try an entry without storing it.
   *
   * Say what is wrong with an entry, what storing it would do, and what it would ask end users for.
   *
   * Operator-wide clients only.
   */
  checkOwnProvider(
    ownSlug: string,
    body: OwnProviderDraft,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<OwnProviderVerdict> {
    return this.call<OwnProviderVerdict>(
      {
        method: "POST",
        path: `/api/v1/own-providers/${encodeURIComponent(ownSlug)}/check`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Close an incident.
   *
   * Say that the fault is mended: what is refused from then on is held against a connection again.
   *
   * It opens anew if the fault is still there. Repeating the call changes nothing.
   */
  closeIncident(
    incidentId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Incident> {
    return this.call<Incident>(
      {
        method: "POST",
        path: `/api/v1/incidents/${encodeURIComponent(incidentId)}/close`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Confirm who connected.
   *
   * Confirm with the id of the user who is logged in where the completion code arrived.
   *
   * Take that id from your own session, never from the link that brought the code, and confirm only a session that
   * your user's login session has begun: a `code_challenge` makes sure of that. With `next`, the end user has to
   * choose a workspace first: redirect the same browser there. It comes back to the return URL with the same
   * completion code, and the same call then answers with the connection. After a 503 the same call may be made
   * again, until `held_until`.
   */
  completeConnectSession(
    sessionId: string,
    body: CompleteIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Completed | Continue> {
    return this.call<Completed | Continue>(
      {
        method: "POST",
        path: `/api/v1/connect-sessions/${encodeURIComponent(sessionId)}/complete`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Give an access grant.
   *
   * Let somebody use a connection who is not its owner, within the limits that you name.
   *
   * A grant of the same terms that stands already is returned as it is (200). The terms of a grant never change:
   * give another one, and revoke this. No API client gives a grant to itself.
   */
  createAccessGrant(
    body: AccessGrantIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<AccessGrant> {
    return this.call<AccessGrant>(
      {
        method: "POST",
        path: "/api/v1/access-grants",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Make an API client.
   *
   * Make an API client of a tenant, or an operator-wide one. It has no key yet: issue one.
   *
   * No client gives another more than it has itself: permissions, proxy rules, networks. One of this name and
   * these very terms is returned as it is (200).
   */
  createApiClient(
    body: ApiClientIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<ApiClient> {
    return this.call<ApiClient>(
      {
        method: "POST",
        path: "/api/v1/api-clients",
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Make or bring a key pair.
   *
   * Make a key pair, or take over one; it is published at once, and signs once providers may know it.
   */
  createAppKey(
    appId: string,
    body: AppKeyIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<AppKey> {
    return this.call<AppKey>(
      {
        method: "POST",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/keys`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Act on many connections.
   *
   * Order one act on many connections of a tenant, as they are now. The workers do it; look how far they are.
   *
   * The job ends (`not_allowed`) when the client that ordered it is stopped, gone, or may not do it any more.
   *
   * `export` notes how each stands, without any secret: read it from the rows. Only an operator-wide client orders
   * `resume`, since only such a one takes a kill switch back.
   */
  createBulkJob(
    body: BulkJobIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<BulkJob> {
    return this.call<BulkJob>(
      {
        method: "POST",
        path: "/api/v1/bulk-jobs",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Add a caller rule.
   *
   * Have the tokens for which all conditions hold be one API client. A rule that is there is not made twice.
   *
   * Operator-wide clients only, and for no client that may do more than yourself.
   */
  createCallerRule(
    issuerId: string,
    body: CallerRuleIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<CallerRule> {
    return this.call<CallerRule>(
      {
        method: "POST",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}/rules`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Lay a canary.
   *
   * Make a connection that leads nowhere. Who vends, proxies, reads or changes it causes the event
   * `use.suspected`.
   *
   * It is listed and vended as any other, and no operation says which ones are canaries: note its id. Its
   * credential opens nothing. Lay it for an end user whom your product never serves, or your product is who
   * touches it. Only an operator-wide client may do this.
   */
  createCanary(
    body: CanaryIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Connection> {
    return this.call<Connection>(
      {
        method: "POST",
        path: "/api/v1/canaries",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Invite an end user to connect.
   *
   * Make a session for one end user; send their browser to `connect_url` within 10 minutes.
   */
  createConnectSession(
    body: ConnectSessionIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<ConnectSession> {
    return this.call<ConnectSession>(
      {
        method: "POST",
        path: "/api/v1/connect-sessions",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
        secrets: [["token"], ["connect_url"]],
      },
      options,
    );
  }

  /**
   * Invite an end user to their connections.
   *
   * Make a session on the click of the user who is logged in, and send that browser to `manage_url` at once.
   *
   * The link works for 5 minutes and one click; whoever has it can see and end this user's connections for an
   * hour, so it belongs in no mail. The client also needs the permission to read, and with `providers` the one to
   * connect. Without the latter the page offers no reconnecting either. With the permission to grant, the page
   * also asks the user to approve what other clients want to do with an account of theirs under a grant that needs
   * an approval.
   */
  createManagementSession(
    body: ManagementSessionIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<ManagementSession> {
    return this.call<ManagementSession>(
      {
        method: "POST",
        path: "/api/v1/management-sessions",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
        secrets: [["token"], ["manage_url"]],
      },
      options,
    );
  }

  /**
   * Trust an issuer.
   *
   * Believe the tokens of an issuer, for one use and one audience. One trusted on these very terms is returned
   * (200).
   *
   * `caller` tokens are API clients, by the issuer's rules: operator-wide clients only. `end_user` and `agent`
   * tokens say for whom and as what a client calls.
   */
  createTrustedIssuer(
    body: IssuerIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Issuer> {
    return this.call<Issuer>(
      {
        method: "POST",
        path: "/api/v1/trusted-issuers",
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Add a webhook endpoint.
   *
   * Have events delivered to an address from now on, signed as Standard Webhooks asks with the `secret` shown
   * here.
   *
   * Each event comes at least once: know a repeated one by its `id`. What is about one connection comes in its
   * order.
   */
  createWebhookEndpoint(
    body: WebhookEndpointIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<NewWebhookEndpoint> {
    return this.call<NewWebhookEndpoint>(
      {
        method: "POST",
        path: "/api/v1/webhook-endpoints",
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
        secrets: [["secret"]],
      },
      options,
    );
  }

  /**
   * Revoke an access grant.
   *
   * Revoke a grant: it allows nothing from the next request on, and stays to be read. Repeating it changes
   * nothing.
   *
   * A credential that was vended under it lives until its own end.
   */
  deleteAccessGrant(
    grantId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<AccessGrant> {
    return this.call<AccessGrant>(
      {
        method: "DELETE",
        path: `/api/v1/access-grants/${encodeURIComponent(grantId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Remove a caller rule.
   *
   * Remove a rule: its tokens are that client no more, from the next call on.
   */
  deleteCallerRule(
    issuerId: string,
    ruleId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    return this.call<void>(
      {
        method: "DELETE",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}/rules/${encodeURIComponent(ruleId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Disconnect.
   *
   * Stop vending at once, and have the grant revoked at the provider; `revocation` tells how far that is.
   *
   * While another connection lives on the same grant, and the provider would end that too, the secrets are
   * destroyed and nothing is revoked (`withheld`). The last connection of a grant revokes it.
   */
  deleteConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Connection | Changed> {
    return this.call<Connection | Changed>(
      {
        method: "DELETE",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Forget a tenant's domain.
   *
   * Forget the domain: pages vouch for it no longer. Operator-wide clients only.
   */
  deleteDomain(
    slug: string,
    host: string,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    return this.call<void>(
      {
        method: "DELETE",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/domains/${encodeURIComponent(host)}`,
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Offboard or erase an end user.
   *
   * End all that an end user has, and answer with a receipt: 202 while something is pending, 200 when it is done.
   *
   * Their sessions end, their connections are disconnected and revoked at the providers, access grants to them are
   * revoked. Where they answer for connections of the whole tenant, `shared` has to say whether these are handed
   * over (to `hand_over_to`, or to the tenant itself) or end too. With `mode=erase` they are then forgotten: their
   * connections and sessions are deleted, and a pseudonym takes the place of their id in the audit trail, in
   * events and in the receipt. Repeating the call tells how far it is; `GET /offboardings/{id}` does so by the
   * receipt's id, which after an erasure is the only way.
   */
  deleteEndUser(
    endUser: string,
    query: { tenant?: string; mode?: "offboard" | "erase"; shared?: "hand_over" | "end"; hand_over_to?: string } = {},
    options: CallOptions = {},
  ): Promise<Offboarding> {
    return this.call<Offboarding>(
      {
        method: "DELETE",
        path: `/api/v1/end-users/${encodeURIComponent(endUser)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Remove an entry of your own.
   *
   * Remove an entry that nothing uses. One that comes with Latchkey, if it hid one, is in force again.
   */
  deleteOwnProvider(
    ownSlug: string,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    return this.call<void>(
      {
        method: "DELETE",
        path: `/api/v1/own-providers/${encodeURIComponent(ownSlug)}`,
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Delete a tenant, shredding its secrets.
   *
   * Suspend the tenant for good, disconnect all that it has, and then destroy its data keys and its rows.
   *
   * The keys are destroyed when the providers have confirmed the revocations, after 24 hours at the latest; with
   * `shred=now` at once, and no provider is asked. Repeating the call tells how far it is, until it answers 404.
   * Operator-wide clients only. The audit trail stays.
   */
  deleteTenant(
    slug: string,
    query: { shred?: "now" | "revoked" } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<TenantDeletion> {
    return this.call<TenantDeletion>(
      {
        method: "DELETE",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * End the trust in an issuer.
   *
   * Believe its tokens no more, from the next call on. Its rules are deleted.
   */
  deleteTrustedIssuer(
    issuerId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    return this.call<void>(
      {
        method: "DELETE",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Remove a webhook endpoint.
   *
   * Remove an endpoint, its secrets and its deliveries. What was to be delivered is not.
   */
  deleteWebhookEndpoint(
    endpointId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<void> {
    return this.call<void>(
      {
        method: "DELETE",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Deny what was asked.
   *
   * Say no: until the question expires, the same request is refused (`policy_denied`, rule `approval_denied`).
   */
  deny(
    approvalId: string,
    body: DecisionIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Approval> {
    return this.call<Approval>(
      {
        method: "POST",
        path: `/api/v1/approvals/${encodeURIComponent(approvalId)}/deny`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Discard a kept answer.
   *
   * Destroy the answer that could not be read, tokens included: the next refresh sends the token of before.
   */
  discardAnswer(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/discard-answer`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * End a visit.
   *
   * End a visit for good: the browser that has it can do nothing there any more. Repeating it changes nothing.
   */
  endManagementSession(
    sessionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ManagementSessionShown> {
    return this.call<ManagementSessionShown>(
      {
        method: "DELETE",
        path: `/api/v1/management-sessions/${encodeURIComponent(sessionId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Exchange a token of your end user's for a credential (RFC 8693).
   *
   * Return a credential that works now for the end user whom `subject_token` names; each call is audited.
   *
   * The client proves itself by its bearer, by `client_assertion`, or by its id and a key of its own as HTTP Basic
   * or as `client_id` and `client_secret`. An error says what it is in the words of RFC 6749, and in a stable
   * `code`; where the end user can mend it, `connect_url` leads there.
   */
  exchangeToken(
    body: ExchangeIn,
    options: CallOptions = {},
  ): Promise<Exchange> {
    return this.call<Exchange>(
      {
        method: "POST",
        path: "/api/v1/oauth/token",
        body,
        isForm: true,
        mayRepeat: true,
        secrets: [["access_token"]],
      },
      options,
    );
  }

  /**
   * Show one access grant.
   *
   * Show one grant, revoked or not.
   */
  getAccessGrant(
    grantId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<AccessGrant> {
    return this.call<AccessGrant>(
      {
        method: "GET",
        path: `/api/v1/access-grants/${encodeURIComponent(grantId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one API client.
   *
   * Show one API client, without its keys.
   */
  getApiClient(
    clientId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ApiClient> {
    return this.call<ApiClient>(
      {
        method: "GET",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one key.
   *
   * Show one key by its visible beginning: until when it works, and when it was used.
   */
  getApiKey(
    clientId: string,
    keyId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ApiKey> {
    return this.call<ApiKey>(
      {
        method: "GET",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/keys/${encodeURIComponent(keyId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one key pair.
   *
   * Show the public half of one key pair.
   */
  getAppKey(
    appId: string,
    keyId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<AppKey> {
    return this.call<AppKey>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/keys/${encodeURIComponent(keyId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one approval.
   *
   * Show what was asked, by whom, and the answer.
   */
  getApproval(
    approvalId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Approval> {
    return this.call<Approval>(
      {
        method: "GET",
        path: `/api/v1/approvals/${encodeURIComponent(approvalId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show the operator's brand.
   *
   * Show what is set of the operator's brand. Every client may see it, as end users do.
   */
  getBranding(
    options: CallOptions = {},
  ): Promise<OperatorBranding> {
    return this.call<OperatorBranding>(
      {
        method: "GET",
        path: "/api/v1/branding",
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one bulk job.
   *
   * Show how far a job is, and how many rows have each outcome.
   */
  getBulkJob(
    jobId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<BulkJob> {
    return this.call<BulkJob>(
      {
        method: "GET",
        path: `/api/v1/bulk-jobs/${encodeURIComponent(jobId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one caller rule.
   *
   * Show one rule: which tokens are which API client.
   */
  getCallerRule(
    issuerId: string,
    ruleId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<CallerRule> {
    return this.call<CallerRule>(
      {
        method: "GET",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}/rules/${encodeURIComponent(ruleId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show from where an app's secret is read.
   *
   * Show from where the client secret is read, and since when it cannot be. Operator-wide clients only.
   */
  getClientSecretSource(
    appId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<SecretSource> {
    return this.call<SecretSource>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets/source`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Tell an app's client secrets apart.
   *
   * Show a fingerprint of each client secret, the preferred first; no secret is ever shown.
   */
  getClientSecrets(
    appId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ClientSecrets> {
    return this.call<ClientSecrets>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one connect session.
   *
   * Show how far an invitation to connect came. No token or code is shown.
   */
  getConnectSession(
    sessionId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ConnectSessionShown> {
    return this.call<ConnectSessionShown>(
      {
        method: "GET",
        path: `/api/v1/connect-sessions/${encodeURIComponent(sessionId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one connection.
   *
   * Show one connection: its status and why, its scopes and its health.
   */
  getConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Connection> {
    return this.call<Connection>(
      {
        method: "GET",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one of a tenant's domains.
   *
   * Show a domain as it was last seen, and the file that verifies it. Operator-wide clients only.
   */
  getDomain(
    slug: string,
    host: string,
    options: CallOptions = {},
  ): Promise<Domain> {
    return this.call<Domain>(
      {
        method: "GET",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/domains/${encodeURIComponent(host)}`,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show what an end user has.
   *
   * List what an end user has here: before they leave, or to answer them. One that is unknown has nothing.
   */
  getEndUser(
    endUser: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<EndUser> {
    return this.call<EndUser>(
      {
        method: "GET",
        path: `/api/v1/end-users/${encodeURIComponent(endUser)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show an import.
   *
   * Show how far an import is, and how many rows have each outcome.
   */
  getImport(
    importId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Import> {
    return this.call<Import>(
      {
        method: "GET",
        path: `/api/v1/imports/${encodeURIComponent(importId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one incident.
   *
   * Show one incident, open or closed.
   */
  getIncident(
    incidentId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Incident> {
    return this.call<Incident>(
      {
        method: "GET",
        path: `/api/v1/incidents/${encodeURIComponent(incidentId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one visit.
   *
   * Show one visit, or the invitation to one. No token is shown.
   */
  getManagementSession(
    sessionId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ManagementSessionShown> {
    return this.call<ManagementSessionShown>(
      {
        method: "GET",
        path: `/api/v1/management-sessions/${encodeURIComponent(sessionId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show the receipt of an offboarding.
   *
   * Show what an offboarding has done so far, and what is pending.
   */
  getOffboarding(
    offboardingId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Offboarding> {
    return this.call<Offboarding>(
      {
        method: "GET",
        path: `/api/v1/offboardings/${encodeURIComponent(offboardingId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say from which addresses providers are called.
   *
   * Say which addresses to allow at providers that keep a list. Operator-wide clients only.
   *
   * The service at EGRESS_ECHO_URL, if there is one, is asked what it sees, for up to 10 seconds.
   */
  getOutboundAddresses(
    query: { ask?: boolean } = {},
    options: CallOptions = {},
  ): Promise<OutboundAddresses> {
    return this.call<OutboundAddresses>(
      {
        method: "GET",
        path: "/api/v1/outbound-addresses",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say what happens next to a connection.
   *
   * Say what happens next: refreshes, probes, ends, and what holds them back. It decides nothing.
   */
  getOutlook(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Outlook> {
    return this.call<Outlook>(
      {
        method: "GET",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/outlook`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show an entry of your own.
   *
   * Show how an entry of your own is written, and what uses it. Operator-wide clients only.
   */
  getOwnProvider(
    ownSlug: string,
    options: CallOptions = {},
  ): Promise<OwnProvider> {
    return this.call<OwnProvider>(
      {
        method: "GET",
        path: `/api/v1/own-providers/${encodeURIComponent(ownSlug)}`,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one provider.
   *
   * Show one provider: its methods, the fields that each asks for, and its scopes.
   */
  getProvider(
    slug: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Provider> {
    return this.call<Provider>(
      {
        method: "GET",
        path: `/api/v1/providers/${encodeURIComponent(slug)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one provider app.
   *
   * Show one registration, without its secrets.
   */
  getProviderApp(
    appId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ProviderApp> {
    return this.call<ProviderApp>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show how the provider pushes to an app.
   *
   * Show the address to register at the provider, what proves a push, and when the last one came.
   */
  getPush(
    appId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Push> {
    return this.call<Push>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/push`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Tell an app's push secrets apart.
   *
   * Show a fingerprint of each push secret, the newest first; no secret is ever shown.
   */
  getPushSecrets(
    appId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<PushSecrets> {
    return this.call<PushSecrets>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/push-secrets`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say how refresh quarantine stands.
   *
   * Say whether refreshes wait because the database was put back, and how many of each tenant.
   *
   * A tenant's client sees its own, an operator-wide one those of all tenants.
   */
  getQuarantine(
    options: CallOptions = {},
  ): Promise<Quarantine> {
    return this.call<Quarantine>(
      {
        method: "GET",
        path: "/api/v1/quarantine",
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one tenant.
   *
   * Show one tenant. A tenant's own client sees its own tenant only.
   */
  getTenant(
    slug: string,
    options: CallOptions = {},
  ): Promise<Tenant> {
    return this.call<Tenant>(
      {
        method: "GET",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}`,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one trusted issuer.
   *
   * Show on which terms an issuer is trusted.
   */
  getTrustedIssuer(
    issuerId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<Issuer> {
    return this.call<Issuer>(
      {
        method: "GET",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Show one webhook endpoint.
   *
   * Show one endpoint: whether it is enabled, since when it fails, and what it has missed.
   */
  getWebhookEndpoint(
    endpointId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<WebhookEndpoint> {
    return this.call<WebhookEndpoint>(
      {
        method: "GET",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Import connections.
   *
   * Import connections that another system has kept: up to 1,000 rows a call, in as many calls as there are parts.
   *
   * Each row is judged at once and kept sealed; the workers store, refresh and verify them once the rows are
   * `complete`. Where refresh tokens rotate, that refresh ends the copy at the source: stop its refreshes first,
   * and try with `dry_run`. It needs the permission `import`, because whoever imports decides whose account an end
   * user gets.
   */
  importConnections(
    body: ImportIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Import> {
    return this.call<Import>(
      {
        method: "POST",
        path: "/api/v1/connections/import",
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Issue or rotate a key.
   *
   * Give the client one more key, which only this answer shows; `earlier_keys_end_after_seconds` ends the others.
   *
   * A client that may do more than yourself gets no key from you.
   */
  issueApiKey(
    clientId: string,
    body: ApiKeyIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<IssuedApiKey> {
    return this.call<IssuedApiKey>(
      {
        method: "POST",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/keys`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
        secrets: [["key"]],
      },
      options,
    );
  }

  /**
   * List access grants.
   *
   * List a tenant's grants, the newest first. `connection` means those that name it, not those on its provider.
   */
  listAccessGrants(
    query: { tenant?: string; subject_kind?: SubjectKind; subject?: string; connection?: string; provider?: string; granted_by?: string; revoked?: boolean; created_after?: string; created_before?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<AccessGrantPage> {
    return this.call<AccessGrantPage>(
      {
        method: "GET",
        path: "/api/v1/access-grants",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List access grants, page by page. */
  iterAccessGrants(
    query: { tenant?: string; subject_kind?: SubjectKind; subject?: string; connection?: string; provider?: string; granted_by?: string; revoked?: boolean; created_after?: string; created_before?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<AccessGrant, void> {
    return this.each((cursor) => this.listAccessGrants({ ...query, cursor }, options));
  }

  /**
   * List API clients.
   *
   * List the API clients of a tenant, or the operator-wide ones, the newest first.
   */
  listApiClients(
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ApiClientPage> {
    return this.call<ApiClientPage>(
      {
        method: "GET",
        path: "/api/v1/api-clients",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List API clients, page by page. */
  iterApiClients(
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ApiClient, void> {
    return this.each((cursor) => this.listApiClients({ ...query, cursor }, options));
  }

  /**
   * List a client's keys.
   *
   * List the keys by their visible beginning, revoked and expired ones too.
   */
  listApiKeys(
    clientId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ApiKeyPage> {
    return this.call<ApiKeyPage>(
      {
        method: "GET",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/keys`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List a client's keys, page by page. */
  iterApiKeys(
    clientId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ApiKey, void> {
    return this.each((cursor) => this.listApiKeys(clientId, { ...query, cursor }, options));
  }

  /**
   * List an app's key pairs.
   *
   * List the public halves, those that were taken back too, the newest first.
   */
  listAppKeys(
    appId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<AppKeyPage> {
    return this.call<AppKeyPage>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/keys`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List an app's key pairs, page by page. */
  iterAppKeys(
    appId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<AppKey, void> {
    return this.each((cursor) => this.listAppKeys(appId, { ...query, cursor }, options));
  }

  /**
   * List approvals.
   *
   * List what was asked, the newest first. One that expired without an answer counts as not decided at first.
   */
  listApprovals(
    query: { tenant?: string; connection?: string; grant?: string; decided?: boolean; created_after?: string; created_before?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ApprovalPage> {
    return this.call<ApprovalPage>(
      {
        method: "GET",
        path: "/api/v1/approvals",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List approvals, page by page. */
  iterApprovals(
    query: { tenant?: string; connection?: string; grant?: string; decided?: boolean; created_after?: string; created_before?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Approval, void> {
    return this.each((cursor) => this.listApprovals({ ...query, cursor }, options));
  }

  /**
   * Read the audit trail.
   *
   * List who asked for what, and what was decided, the newest first.
   *
   * `action` is one action, or a family of them with its point (`tenant.`). A tenant's client sees its tenant's
   * rows. An operator-wide one sees those of the tenant that it names, or all.
   */
  listAuditEvents(
    query: { tenant?: string; connection?: string; client?: string; operator?: string; subject?: string; action?: string; decision?: string; since?: string; until?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<AuditEventPage> {
    return this.call<AuditEventPage>(
      {
        method: "GET",
        path: "/api/v1/audit-events",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** Read the audit trail, page by page. */
  iterAuditEvents(
    query: { tenant?: string; connection?: string; client?: string; operator?: string; subject?: string; action?: string; decision?: string; since?: string; until?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<AuditEvent, void> {
    return this.each((cursor) => this.listAuditEvents({ ...query, cursor }, options));
  }

  /**
   * List bulk jobs.
   *
   * List the jobs of 90 days, the newest first, whoever ordered them.
   */
  listBulkJobs(
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<BulkJobPage> {
    return this.call<BulkJobPage>(
      {
        method: "GET",
        path: "/api/v1/bulk-jobs",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List bulk jobs, page by page. */
  iterBulkJobs(
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<BulkJob, void> {
    return this.each((cursor) => this.listBulkJobs({ ...query, cursor }, options));
  }

  /**
   * List the rows of a bulk job.
   *
   * List what came of each connection, in their order; of an export also how each stood.
   */
  listBulkRows(
    jobId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<BulkRowPage> {
    return this.call<BulkRowPage>(
      {
        method: "GET",
        path: `/api/v1/bulk-jobs/${encodeURIComponent(jobId)}/rows`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List the rows of a bulk job, page by page. */
  iterBulkRows(
    jobId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<BulkRow, void> {
    return this.each((cursor) => this.listBulkRows(jobId, { ...query, cursor }, options));
  }

  /**
   * List an issuer's caller rules.
   *
   * List which tokens of the issuer are which API client, the newest rule first.
   */
  listCallerRules(
    issuerId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<CallerRulePage> {
    return this.call<CallerRulePage>(
      {
        method: "GET",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}/rules`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List an issuer's caller rules, page by page. */
  iterCallerRules(
    issuerId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<CallerRule, void> {
    return this.each((cursor) => this.listCallerRules(issuerId, { ...query, cursor }, options));
  }

  /**
   * List connect sessions.
   *
   * List a tenant's invitations to connect, the newest first: how far each came, and why it ended.
   */
  listConnectSessions(
    query: { tenant?: string; end_user?: string; state?: SessionState; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ConnectSessionPage> {
    return this.call<ConnectSessionPage>(
      {
        method: "GET",
        path: "/api/v1/connect-sessions",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List connect sessions, page by page. */
  iterConnectSessions(
    query: { tenant?: string; end_user?: string; state?: SessionState; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ConnectSessionShown, void> {
    return this.each((cursor) => this.listConnectSessions({ ...query, cursor }, options));
  }

  /**
   * Trace one connect session.
   *
   * List each step that was tried, in order, where it stopped, and what was sent to the provider and came back.
   *
   * What is kept of a request or an answer is what a list allows: no code, token, key or state.
   */
  listConnectSteps(
    sessionId: string,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<ConnectTrace> {
    return this.call<ConnectTrace>(
      {
        method: "GET",
        path: `/api/v1/connect-sessions/${encodeURIComponent(sessionId)}/steps`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * List connections.
   *
   * List a tenant's connections, newest first. An alias of a provider means those by the style it stands for.
   */
  listConnections(
    query: { tenant?: string; end_user?: string; provider?: string; status?: readonly ("pending" | "active" | "suspect" | "needs_reauth" | "revoked" | "disconnected")[]; label?: string; tag?: readonly string[]; created_after?: string; created_before?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ConnectionPage> {
    return this.call<ConnectionPage>(
      {
        method: "GET",
        path: "/api/v1/connections",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List connections, page by page. */
  iterConnections(
    query: { tenant?: string; end_user?: string; provider?: string; status?: readonly ("pending" | "active" | "suspect" | "needs_reauth" | "revoked" | "disconnected")[]; label?: string; tag?: readonly string[]; created_after?: string; created_before?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Connection, void> {
    return this.each((cursor) => this.listConnections({ ...query, cursor }, options));
  }

  /**
   * List a tenant's domains.
   *
   * List the tenant's domains by host, as they were last seen. Operator-wide clients only.
   */
  listDomains(
    slug: string,
    query: { cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<DomainPage> {
    return this.call<DomainPage>(
      {
        method: "GET",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/domains`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List a tenant's domains, page by page. */
  iterDomains(
    slug: string,
    query: { limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Domain, void> {
    return this.each((cursor) => this.listDomains(slug, { ...query, cursor }, options));
  }

  /**
   * Read events.
   *
   * Read a tenant's events after `cursor`, oldest first; without one, from the oldest that is kept.
   */
  listEvents(
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<EventPage> {
    return this.call<EventPage>(
      {
        method: "GET",
        path: "/api/v1/events",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** Read events, page by page. */
  iterEvents(
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Event, void> {
    return this.each((cursor) => this.listEvents({ ...query, cursor }, options));
  }

  /**
   * List what will end.
   *
   * List a tenant's connections that end within `days`, by date: when, of what, and what to do.
   *
   * What a refresh keeps alive is not listed. Something of ours that ends, such as a certificate of the tenant's
   * own provider app, is listed with `provider_app` and without `connection`. What has no date may end at any
   * time.
   */
  listForecast(
    query: { tenant?: string; days?: number; cause?: Cause; provider?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ForecastPage> {
    return this.call<ForecastPage>(
      {
        method: "GET",
        path: "/api/v1/forecast",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List what will end, page by page. */
  iterForecast(
    query: { tenant?: string; days?: number; cause?: Cause; provider?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Ending, void> {
    return this.each((cursor) => this.listForecast({ ...query, cursor }, options));
  }

  /**
   * List what refresh quarantine holds.
   *
   * List a tenant's connections whose refreshes wait until they are released, or their end users connect again.
   */
  listHeldConnections(
    query: { tenant?: string; verdict?: TokenVerdict; provider?: string; end_user?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<HeldConnectionPage> {
    return this.call<HeldConnectionPage>(
      {
        method: "GET",
        path: "/api/v1/quarantine/connections",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List what refresh quarantine holds, page by page. */
  iterHeldConnections(
    query: { tenant?: string; verdict?: TokenVerdict; provider?: string; end_user?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<HeldConnection, void> {
    return this.each((cursor) => this.listHeldConnections({ ...query, cursor }, options));
  }

  /**
   * List the rows of an import.
   *
   * List what came of each row, in their order.
   */
  listImportRows(
    importId: string,
    query: { tenant?: string; needs_care?: boolean; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ImportRowPage> {
    return this.call<ImportRowPage>(
      {
        method: "GET",
        path: `/api/v1/imports/${encodeURIComponent(importId)}/rows`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List the rows of an import, page by page. */
  iterImportRows(
    importId: string,
    query: { tenant?: string; needs_care?: boolean; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ImportRow, void> {
    return this.each((cursor) => this.listImportRows(importId, { ...query, cursor }, options));
  }

  /**
   * List incidents.
   *
   * List the incidents of provider apps, the newest first: open ones, closed ones, or both.
   */
  listIncidents(
    query: { tenant?: string; provider_app?: string; open?: boolean; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<IncidentPage> {
    return this.call<IncidentPage>(
      {
        method: "GET",
        path: "/api/v1/incidents",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List incidents, page by page. */
  iterIncidents(
    query: { tenant?: string; provider_app?: string; open?: boolean; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Incident, void> {
    return this.each((cursor) => this.listIncidents({ ...query, cursor }, options));
  }

  /**
   * List visits to own connections.
   *
   * List the visits of a tenant's end users to their own connections, the newest first.
   */
  listManagementSessions(
    query: { tenant?: string; end_user?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ManagementSessionPage> {
    return this.call<ManagementSessionPage>(
      {
        method: "GET",
        path: "/api/v1/management-sessions",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List visits to own connections, page by page. */
  iterManagementSessions(
    query: { tenant?: string; end_user?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ManagementSessionShown, void> {
    return this.each((cursor) => this.listManagementSessions({ ...query, cursor }, options));
  }

  /**
   * List the entries of your own.
   *
   * List the entries of your own by slug, those that are not in order too. Operator-wide clients only.
   */
  listOwnProviders(
    query: { cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<OwnProviderPage> {
    return this.call<OwnProviderPage>(
      {
        method: "GET",
        path: "/api/v1/own-providers",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List the entries of your own, page by page. */
  iterOwnProviders(
    query: { limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<OwnProvider, void> {
    return this.each((cursor) => this.listOwnProviders({ ...query, cursor }, options));
  }

  /**
   * List a tenant's own provider apps.
   *
   * List the registrations that are the tenant's own, newest first.
   */
  listProviderApps(
    slug: string,
    query: { cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ProviderAppPage> {
    return this.call<ProviderAppPage>(
      {
        method: "GET",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/provider-apps`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List a tenant's own provider apps, page by page. */
  iterProviderApps(
    slug: string,
    query: { limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ProviderApp, void> {
    return this.each((cursor) => this.listProviderApps(slug, { ...query, cursor }, options));
  }

  /**
   * List the catalogue.
   *
   * List the catalogue by slug; `configured` tells whether the tenant has an app for it.
   *
   * `q` searches names, slugs, aliases and categories. With `style`, `confidence` is that of the style.
   */
  listProviders(
    query: { tenant?: string; q?: string; category?: string; style?: string; confidence?: Confidence; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ProviderPage> {
    return this.call<ProviderPage>(
      {
        method: "GET",
        path: "/api/v1/providers",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List the catalogue, page by page. */
  iterProviders(
    query: { tenant?: string; q?: string; category?: string; style?: string; confidence?: Confidence; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Provider, void> {
    return this.each((cursor) => this.listProviders({ ...query, cursor }, options));
  }

  /**
   * List what the provider has pushed.
   *
   * List the pushes that came, refused ones among them, the newest first. Of what they said only types are kept.
   */
  listPushes(
    appId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ReceivedPushPage> {
    return this.call<ReceivedPushPage>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/pushes`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List what the provider has pushed, page by page. */
  iterPushes(
    appId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ReceivedPush, void> {
    return this.each((cursor) => this.listPushes(appId, { ...query, cursor }, options));
  }

  /**
   * List who used a connection.
   *
   * List each credential that was handed out: to which client, for whom, for what, as which agent; newest first.
   */
  listReceipts(
    connectionId: string,
    query: { tenant?: string; client?: string; end_user?: string; agent?: string; purpose?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ReceiptPage> {
    return this.call<ReceiptPage>(
      {
        method: "GET",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/receipts`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List who used a connection, page by page. */
  iterReceipts(
    connectionId: string,
    query: { tenant?: string; client?: string; end_user?: string; agent?: string; purpose?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Receipt, void> {
    return this.each((cursor) => this.listReceipts(connectionId, { ...query, cursor }, options));
  }

  /**
   * List a connection's refresh attempts.
   *
   * List each try to refresh it and how it ended, the newest first, as long as they are kept.
   */
  listRefreshAttempts(
    connectionId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<RefreshAttemptPage> {
    return this.call<RefreshAttemptPage>(
      {
        method: "GET",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/refresh-attempts`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List a connection's refresh attempts, page by page. */
  iterRefreshAttempts(
    connectionId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<RefreshAttempt, void> {
    return this.each((cursor) => this.listRefreshAttempts(connectionId, { ...query, cursor }, options));
  }

  /**
   * List what an app has registered itself.
   *
   * List the clients that the app has registered without hands, one an authorization server, the newest first.
   */
  listRegisteredClients(
    appId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<RegisteredClientPage> {
    return this.call<RegisteredClientPage>(
      {
        method: "GET",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/registered-clients`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List what an app has registered itself, page by page. */
  iterRegisteredClients(
    appId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<RegisteredClient, void> {
    return this.each((cursor) => this.listRegisteredClients(appId, { ...query, cursor }, options));
  }

  /**
   * List the shared provider apps.
   *
   * List the registrations that all tenants share, the newest first. Operator-wide clients only.
   */
  listSharedProviderApps(
    query: { cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<ProviderAppPage> {
    return this.call<ProviderAppPage>(
      {
        method: "GET",
        path: "/api/v1/shared-provider-apps",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List the shared provider apps, page by page. */
  iterSharedProviderApps(
    query: { limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<ProviderApp, void> {
    return this.each((cursor) => this.listSharedProviderApps({ ...query, cursor }, options));
  }

  /**
   * List tenants.
   *
   * List the tenants that the client may see by slug: its own, or all.
   */
  listTenants(
    query: { cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<TenantPage> {
    return this.call<TenantPage>(
      {
        method: "GET",
        path: "/api/v1/tenants",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List tenants, page by page. */
  iterTenants(
    query: { limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Tenant, void> {
    return this.each((cursor) => this.listTenants({ ...query, cursor }, options));
  }

  /**
   * List trusted issuers.
   *
   * List whom a tenant or the operator trusts, the newest first.
   */
  listTrustedIssuers(
    query: { tenant?: string; use?: IssuerUse; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<IssuerPage> {
    return this.call<IssuerPage>(
      {
        method: "GET",
        path: "/api/v1/trusted-issuers",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List trusted issuers, page by page. */
  iterTrustedIssuers(
    query: { tenant?: string; use?: IssuerUse; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Issuer, void> {
    return this.each((cursor) => this.listTrustedIssuers({ ...query, cursor }, options));
  }

  /**
   * List a connection's credential versions.
   *
   * List the versions of its credential that are kept, the newest first: everything about them but the secrets.
   */
  listVersions(
    connectionId: string,
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<VersionPage> {
    return this.call<VersionPage>(
      {
        method: "GET",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/versions`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List a connection's credential versions, page by page. */
  iterVersions(
    connectionId: string,
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<Version, void> {
    return this.each((cursor) => this.listVersions(connectionId, { ...query, cursor }, options));
  }

  /**
   * List an endpoint's deliveries.
   *
   * List what was delivered to an endpoint, or is to be, the newest first.
   */
  listWebhookDeliveries(
    endpointId: string,
    query: { tenant?: string; state?: DeliveryState; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<WebhookDeliveryPage> {
    return this.call<WebhookDeliveryPage>(
      {
        method: "GET",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/deliveries`,
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List an endpoint's deliveries, page by page. */
  iterWebhookDeliveries(
    endpointId: string,
    query: { tenant?: string; state?: DeliveryState; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<WebhookDelivery, void> {
    return this.each((cursor) => this.listWebhookDeliveries(endpointId, { ...query, cursor }, options));
  }

  /**
   * List webhook endpoints.
   *
   * List the endpoints of a tenant, or the operator's own, the newest first.
   */
  listWebhookEndpoints(
    query: { tenant?: string; cursor?: string; limit?: number } = {},
    options: CallOptions = {},
  ): Promise<WebhookEndpointPage> {
    return this.call<WebhookEndpointPage>(
      {
        method: "GET",
        path: "/api/v1/webhook-endpoints",
        query: { ...query },
        mayRepeat: true,
      },
      options,
    );
  }

  /** List webhook endpoints, page by page. */
  iterWebhookEndpoints(
    query: { tenant?: string; limit?: number } = {},
    options: CallOptions = {},
  ): AsyncGenerator<WebhookEndpoint, void> {
    return this.each((cursor) => this.listWebhookEndpoints({ ...query, cursor }, options));
  }

  /**
   * Change metadata, label or default.
   *
   * Change what you give: `metadata` (your own notes, at most 16 KiB of JSON, replaced whole), `label`, `default`.
   */
  patchConnection(
    connectionId: string,
    body: ConnectionPatch,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Connection | Changed> {
    return this.call<Connection | Changed>(
      {
        method: "PATCH",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}`,
        headers: { "If-Match": options.ifMatch },
        body,
      },
      options,
    );
  }

  /**
   * Probe now.
   *
   * Prove that the credential works, by a cheap call to the provider.
   */
  probeConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/probe`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Change an API client.
   *
   * Replace what the client may do; what is left out is taken back. In force from its next call on.
   *
   * A client that may do more than yourself is not yours to change.
   */
  putApiClient(
    clientId: string,
    body: ApiClientTerms,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ApiClient> {
    return this.call<ApiClient>(
      {
        method: "PUT",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Suspend or resume an API client.
   *
   * Throw the client's kill switch: each of its calls is refused. Only an operator-wide client takes it back.
   */
  putApiClientSwitches(
    clientId: string,
    body: KillSwitchIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ApiClient> {
    return this.call<ApiClient>(
      {
        method: "PUT",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/switches`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Put certificates beside a key.
   *
   * Replace the key's certificates; they have to be of its public half, and not ended.
   */
  putAppKeyCertificates(
    appId: string,
    keyId: string,
    body: CertificatesIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<AppKey> {
    return this.call<AppKey>(
      {
        method: "PUT",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/keys/${encodeURIComponent(keyId)}/certificates`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Register a client's public keys.
   *
   * Register the public keys with which the client signs for itself at `POST /oauth/token` (RFC 7523 §2.2).
   */
  putAssertionKeys(
    clientId: string,
    body: AssertionKeysIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ApiClient> {
    return this.call<ApiClient>(
      {
        method: "PUT",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/assertion-keys`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Change the operator's brand.
   *
   * Replace the operator's brand; only pictures stay if they are not given. Operator-wide clients only.
   */
  putBranding(
    body: OperatorBrandingIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<OperatorBranding> {
    return this.call<OperatorBranding>(
      {
        method: "PUT",
        path: "/api/v1/branding",
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say from where an app's secret is read.
   *
   * Have the client secret read from where the operator keeps it, now and whenever it changes.
   *
   * The secrets before it stay for a week. The same source once more reads it at once. Operator-wide clients only.
   */
  putClientSecretSource(
    appId: string,
    body: SecretSourceIn,
    query: { tenant?: string } = {},
    options: CallOptions = {},
  ): Promise<SecretSource> {
    return this.call<SecretSource>(
      {
        method: "PUT",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets/source`,
        query: { ...query },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say when an app's old secrets end.
   *
   * Have all client secrets but the preferred one destroyed then; they are tried until then where it is refused.
   *
   * With `expires_at`, note when the provider lets the preferred one expire: the forecast tells of it.
   */
  putClientSecretsEnd(
    appId: string,
    body: EndsOfSecretsIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ClientSecrets> {
    return this.call<ClientSecrets>(
      {
        method: "PUT",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets/end`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Suspend, resume, pause or unpause a connection.
   *
   * Switch the connection off, or on again: suspended, it does not vend; paused, it is not refreshed or probed.
   *
   * Only an operator-wide client takes the kill switch back.
   */
  putConnectionSwitches(
    connectionId: string,
    body: SwitchesIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Connection | Changed> {
    return this.call<Connection | Changed>(
      {
        method: "PUT",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/switches`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Verify a tenant's domain.
   *
   * Look for the file by which the host says that it is the tenant's; without it the answer says what it must
   * hold.
   *
   * Pages vouch for a verified host that they lead back to. It is looked at every day, and ceases to be verified
   * when the file is gone, or the host has not answered for a week. Operator-wide clients only.
   */
  putDomain(
    slug: string,
    host: string,
    options: CallOptions = {},
  ): Promise<Domain> {
    return this.call<Domain>(
      {
        method: "PUT",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/domains/${encodeURIComponent(host)}`,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Describe a provider of your own.
   *
   * Add or replace an entry. It is checked as `manage.py providers check` does, and `problems` has its sentences.
   *
   * A change that moves an address is refused while connections, keys or connects in flight would follow it.
   * Operator-wide clients only.
   */
  putOwnProvider(
    ownSlug: string,
    body: OwnProviderIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<OwnProvider> {
    return this.call<OwnProvider>(
      {
        method: "PUT",
        path: `/api/v1/own-providers/${encodeURIComponent(ownSlug)}`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Make or change a tenant's own provider app.
   *
   * Have the tenant use a registration of its own at a provider, in place of the shared one.
   *
   * Its end users then connect by that registration alone, and no other tenant sees or uses it. Repeating the call
   * with other terms changes it. A tenant's own client makes its own tenant's only.
   */
  putProviderApp(
    slug: string,
    provider: string,
    body: ProviderAppIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ProviderApp> {
    return this.call<ProviderApp>(
      {
        method: "PUT",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/provider-apps/${encodeURIComponent(provider)}`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Suspend, resume, pause or unpause an app.
   *
   * Switch the app off, or on again: suspended, none of its connections vends; paused, none is refreshed or
   * probed.
   *
   * Only an operator-wide client takes the kill switch back.
   */
  putProviderAppSwitches(
    appId: string,
    body: SwitchesIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ProviderApp> {
    return this.call<ProviderApp>(
      {
        method: "PUT",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/switches`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Make or change the shared provider app.
   *
   * Have all tenants without one of their own use this registration at a provider. Operator-wide clients only.
   */
  putSharedProviderApp(
    provider: string,
    body: ProviderAppIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ProviderApp> {
    return this.call<ProviderApp>(
      {
        method: "PUT",
        path: `/api/v1/shared-provider-apps/${encodeURIComponent(provider)}`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Say who may use a connection.
   *
   * Say whether a connection is used under access grants only, and who answers for one of the whole tenant's.
   *
   * With `grants_only` even its owner needs a grant. Handing over changes nothing at the provider: the credential
   * stays that of the account which was connected, until somebody connects another.
   */
  putSharing(
    connectionId: string,
    body: SharingIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Connection | Changed> {
    return this.call<Connection | Changed>(
      {
        method: "PUT",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/sharing`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Make or change a tenant.
   *
   * Make the tenant, or replace what it is known by. Operator-wide clients only.
   */
  putTenant(
    slug: string,
    body: TenantIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Tenant> {
    return this.call<Tenant>(
      {
        method: "PUT",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Suspend or resume a tenant.
   *
   * Throw the tenant's kill switch, or take it back: suspended, nothing of it vends, refreshes or connects.
   *
   * Operator-wide clients only.
   */
  putTenantSwitches(
    slug: string,
    body: KillSwitchIn,
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Tenant> {
    return this.call<Tenant>(
      {
        method: "PUT",
        path: `/api/v1/tenants/${encodeURIComponent(slug)}/switches`,
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Change the terms of trust.
   *
   * Replace how the issuer's tokens are checked. What was proven by them has to be proven again.
   */
  putTrustedIssuer(
    issuerId: string,
    body: IssuerTerms,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<Issuer> {
    return this.call<Issuer>(
      {
        method: "PUT",
        path: `/api/v1/trusted-issuers/${encodeURIComponent(issuerId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Change a webhook endpoint.
   *
   * Replace the address, the description and the types. What waits goes to the new address; the secrets stay.
   */
  putWebhookEndpoint(
    endpointId: string,
    body: WebhookEndpointIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<WebhookEndpoint> {
    return this.call<WebhookEndpoint>(
      {
        method: "PUT",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Disable or enable a webhook endpoint.
   *
   * Disable an endpoint, so that events wait, or enable it, so that it goes on where it stood, at once.
   *
   * Events wait as long as the outbox keeps them: `fell_out` says how many did not.
   */
  putWebhookSwitches(
    endpointId: string,
    body: WebhookSwitchIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<WebhookSwitch> {
    return this.call<WebhookSwitch>(
      {
        method: "PUT",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/switches`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Refresh now.
   *
   * Replace the current credential by a fresh one; several calls at once lead to one request.
   *
   * Not so within 10 s of the last refresh (`too_soon`). `Retry-After` says when asking again can lead to more.
   */
  refreshConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/refresh`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Release from refresh quarantine.
   *
   * Let a connection refresh again that waits because the database was put back to an earlier moment.
   *
   * One whose refresh token is known to be used is left alone (`token_used`), unless the call says `with_used`.
   * All of a tenant's are released by the bulk job `release`.
   */
  releaseConnection(
    connectionId: string,
    body: ReleaseIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/release`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Renew a registration now.
   *
   * Renew a registration at its server, or make another in its place; by itself that is done before its end.
   */
  renewRegisteredClient(
    appId: string,
    registeredId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Renewed> {
    return this.call<Renewed>(
      {
        method: "POST",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/registered-clients/${encodeURIComponent(registeredId)}/renew`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Deliver events once more.
   *
   * Deliver every event once more that was written at `since` or later, also from before the endpoint was made.
   */
  replayWebhookEvents(
    endpointId: string,
    body: WebhookReplayIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<WebhookReplay> {
    return this.call<WebhookReplay>(
      {
        method: "POST",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/replay`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Report a refused credential.
   *
   * Tell that the provider answered 401 to a vended version; the current one is then probed at once.
   */
  reportConnection(
    connectionId: string,
    body: ReportIn,
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Report> {
    return this.call<Report>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/report`,
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Read a kept answer again.
   *
   * Read the provider's answer again that could not be read, once its catalogue entry is mended. Nothing is sent.
   */
  rereadConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/reread`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Deliver one event once more.
   *
   * Deliver one event once more, under the same id, ahead of later ones of its connection.
   */
  resendWebhookDelivery(
    endpointId: string,
    deliveryId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<WebhookDelivery> {
    return this.call<WebhookDelivery>(
      {
        method: "POST",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/deliveries/${encodeURIComponent(deliveryId)}/resend`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Retire a push secret.
   *
   * Destroy the secret with this fingerprint: what is signed with it is refused from now on.
   */
  retireAppPushSecret(
    appId: string,
    fingerprint: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<PushSecrets> {
    return this.call<PushSecrets>(
      {
        method: "DELETE",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/push-secrets/${encodeURIComponent(fingerprint)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Retire a client secret.
   *
   * Destroy the secret with this fingerprint.
   */
  retireClientSecret(
    appId: string,
    fingerprint: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ClientSecrets> {
    return this.call<ClientSecrets>(
      {
        method: "DELETE",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/client-secrets/${encodeURIComponent(fingerprint)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Revoke a key.
   *
   * Revoke a key: it is refused from the next call on, for good. Repeating it changes nothing.
   */
  revokeApiKey(
    clientId: string,
    keyId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ApiKey> {
    return this.call<ApiKey>(
      {
        method: "DELETE",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/keys/${encodeURIComponent(keyId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Revoke.
   *
   * Stop vending at once, and have the grant revoked at the provider; the end user can connect it anew.
   *
   * One that waits for its confirmation has nothing to revoke (`pending`). `DELETE` ends a connection for good.
   */
  revokeConnection(
    connectionId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<Outcome> {
    return this.call<Outcome>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/revoke`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Rotate a webhook's secret.
   *
   * Give an endpoint a fresh signing secret, which only this answer shows. Until the overlap ends, both sign.
   */
  rotateWebhookSecret(
    endpointId: string,
    body: WebhookSecretIn,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<WebhookSecret> {
    return this.call<WebhookSecret>(
      {
        method: "POST",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/secrets`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        body,
        takesKey: true,
        secrets: [["secret"]],
      },
      options,
    );
  }

  /**
   * Send a test event.
   *
   * Send an event of the type `webhook.test` now, and say what came of it. It waits for up to 10 seconds.
   */
  sendTestEvent(
    endpointId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { idempotencyKey?: string } = {},
  ): Promise<WebhookTest> {
    return this.call<WebhookTest>(
      {
        method: "POST",
        path: `/api/v1/webhook-endpoints/${encodeURIComponent(endpointId)}/test`,
        query: { ...query },
        headers: { "Idempotency-Key": options.idempotencyKey },
        takesKey: true,
      },
      options,
    );
  }

  /**
   * Let a key end sooner.
   *
   * Have a key end at a moment. No key is prolonged: a later moment than its own changes nothing.
   */
  shortenApiKey(
    clientId: string,
    keyId: string,
    body: ApiKeyEndIn,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<ApiKey> {
    return this.call<ApiKey>(
      {
        method: "PUT",
        path: `/api/v1/api-clients/${encodeURIComponent(clientId)}/keys/${encodeURIComponent(keyId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        body,
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Vend a credential.
   *
   * Return a credential that works now, or the reason why none does; each call is audited.
   */
  vendById(
    connectionId: string,
    body: VendIn,
    options: CallOptions = {},
  ): Promise<Vend> {
    return this.call<Vend>(
      {
        method: "POST",
        path: `/api/v1/connections/${encodeURIComponent(connectionId)}/credential`,
        body,
        mayRepeat: true,
        secrets: [["credential", "value"], ["credential", "headers"], ["credential", "query"], ["credential", "body"], ["credential", "base_url"]],
      },
      options,
    );
  }

  /**
   * Vend a credential by provider and end user.
   *
   * The same for the one connection of an end user (or of the whole tenant) at a provider.
   */
  vendByOwner(
    body: VendByOwnerIn,
    options: CallOptions = {},
  ): Promise<Vend> {
    return this.call<Vend>(
      {
        method: "POST",
        path: "/api/v1/credentials",
        body,
        mayRepeat: true,
        secrets: [["credential", "value"], ["credential", "headers"], ["credential", "query"], ["credential", "body"], ["credential", "base_url"]],
      },
      options,
    );
  }

  /**
   * Take a key back.
   *
   * Take a key back at once, and destroy its private half. If it signed, the next one takes over now.
   */
  withdrawAppKey(
    appId: string,
    keyId: string,
    query: { tenant?: string } = {},
    options: CallOptions & { ifMatch?: string } = {},
  ): Promise<AppKey> {
    return this.call<AppKey>(
      {
        method: "DELETE",
        path: `/api/v1/provider-apps/${encodeURIComponent(appId)}/keys/${encodeURIComponent(keyId)}`,
        query: { ...query },
        headers: { "If-Match": options.ifMatch },
        mayRepeat: true,
      },
      options,
    );
  }

  /**
   * Call the provider, with any method.
   *
   * Send the request to the connection's provider with its credential, and get the provider's answer, as streams.
   *
   * Body, query and most headers pass as they are; what would name a caller or a credential does not. Allowed are
   * the methods and paths of the API client's proxy rules, or of an access grant. `Latchkey-Outcome` of the answer
   * is `upstream` for the provider's own, whatever its status, and `refused` for a problem document.
   *
   * - `tenant`: for operator-wide clients
   * - `endUser`: on whose behalf the call is made
   * - `groups`: the end user's, with commas between them
   * - `agent`: who acts, for the audit trail
   * - `purpose`: what for, for the audit trail
   * - `subjectToken`: of whoever you serve, where a connection acts for subjects
   * - `scopes`: that the credential must have, with spaces
   * - `prefer`: `wait=N`: seconds to wait for a refresh or a turn
   */
  proxy(
    method: string,
    connectionId: string,
    path: string,
    init: ProxyInit & { tenant?: string; endUser?: string; groups?: string; agent?: string; purpose?: string; subjectToken?: string; scopes?: string; prefer?: string } = {},
  ): Promise<Response> {
    const stated = { "Latchkey-Tenant": init.tenant, "Latchkey-End-User": init.endUser, "Latchkey-Groups": init.groups, "Latchkey-Agent": init.agent, "Latchkey-Purpose": init.purpose, "Latchkey-Subject-Token": init.subjectToken, "Latchkey-Scopes": init.scopes, "Prefer": init.prefer };
    return this.proxied(method, `/api/v1/connections/${encodeURIComponent(connectionId)}/proxy/`, path, stated, init);
  }
}
