"""Django settings: everything that differs between installations comes from the environment, or files that it names.

The README's table of settings describes each variable. Secret values have no default: without them the process does not
start, and says which one is missing.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from pydantic import SecretStr

from config.custody import custody
from config.given import GivenEnv
from config.hidden import HiddenUrl
from config.key_files import KeyFiles
from config.public_urls import origin_of, read_public_urls
from config.schedule import beat_schedule
from connections.database.sessions import Session
from connections.valkey import watched

BASE_DIR = Path(__file__).resolve().parent.parent
env = GivenEnv()

DEVELOPMENT = env.str("LATCHKEY_ENV", "production") == "development"
DEBUG = False

SECRET_KEY = env.str("SECRET_KEY")
KEY_FILES = KeyFiles(SECRET_KEY)
FERNET_KEYS = KEY_FILES.keys_of("FERNET_KEYS", env.list("FERNET_KEYS"))
KEK_KEYS = KEY_FILES.keys_of("KEK_KEYS", env.list("KEK_KEYS"))
AUDIT_KEYS = KEY_FILES.keys_of("AUDIT_KEYS", env.list("AUDIT_KEYS"))
# Key management services and vaults of the operator (OPERATIONS.md, Key services).
# Places from which client secrets may be read (``providers.custodians.references``).
_servers = [env.str(name, default="") for name in ("DATABASE_URL", "DATABASE_DIRECT_URL", "REDIS_URL")]
CUSTODY = custody(env.list("LATCHKEY_SECRET_SOURCES", default=[]), servers=_servers)

# --- Where it is reached ----------------------------------------------------------------------------------------------
_urls = read_public_urls(
    env.str("PUBLIC_URL"),
    widget=env.str("WIDGET_URL", default=""),
    admin=env.str("ADMIN_URL", default=""),
    api=env.str("API_URL", default=""),
    development=DEVELOPMENT,
)
PUBLIC_URL, PUBLIC_PATH = _urls.public, _urls.path
WIDGET_URL, ADMIN_URL, API_URL = _urls.widget, _urls.admin, _urls.api
FORCE_SCRIPT_NAME = PUBLIC_PATH or None
# True only on a developer's own machine: over loopback http no network can read or change a cookie.
LOOPBACK_HTTP = DEVELOPMENT and _urls.is_loopback_http()
ALLOWED_HOSTS = [*_urls.host_names, *(["localhost", "127.0.0.1"] if DEVELOPMENT else [])]

if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
TRUSTED_PROXY_COUNT = env.count("TRUSTED_PROXY_COUNT", default=0)
SECURE_SSL_REDIRECT = not DEVELOPMENT
SECURE_HSTS_SECONDS = 0 if DEVELOPMENT else env.count("HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEVELOPMENT
# Preloading binds the whole registered domain, for as long as browsers are in use. Only its owner should ask for it.
SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", default=False)
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # the check that asks for preloading

# --- Application ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "connections",
    "django.contrib.admin.apps.SimpleAdminConfig",  # `urls` imports the pages, so that workers need not
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]
MIDDLEWARE = [
    "config.web.middleware.ApiApart",
    "config.web.middleware.HealthBeforeHostCheck",
    "django.middleware.security.SecurityMiddleware",
    "config.web.middleware.NoBarePage",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.web.middleware.OnePublicHost",
    "config.web.middleware.NoNul",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "connections.admin.gate.StaffGate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
# The middleware of API calls, which replaces the list above. None of these may hook into views.
API_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.web.middleware.OnePublicHost",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "connections.admin.people.pages.frame",
            ]
        },
    }
]
# Threads of a web process for requests that may wait for a provider, and for all others but vends. Neither takes a
# thread of the other kind. A thread that waits for a provider costs no CPU and no database connection.
PROVIDER_THREADS = env.count("LATCHKEY_PROVIDER_THREADS", default=64, least=1)
PLAIN_THREADS = env.count("LATCHKEY_PLAIN_THREADS", default=8, least=1)
# Threads for the short queries around proxied calls, which are streamed without a thread; and how many of these may be
# under way at once. All apps of providers share them.
PROXY_THREADS = env.count("LATCHKEY_PROXY_THREADS", default=2, least=1)
PROXY_STREAMS = env.count("LATCHKEY_PROXY_STREAMS", default=512, least=1)
# Whether each web process is kept on one processor. Only where they need not share these with many others: every group
# of web processes begins with the same ones.
PIN_WEB = env.bool("LATCHKEY_PIN_WEB", default=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
# The languages of the widget. The admin and the API are in English.
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("fr", "Français"),
    ("es", "Español"),
    ("pt-br", "Português (Brasil)"),
    ("ja", "日本語"),
]

# --- Metrics ----------------------------------------------------------------------------------------------------------
# Without a token nothing is measured, and there is no /metrics.
METRICS_TOKEN = env.str("LATCHKEY_METRICS_TOKEN", default="")
METRICS_BY_PROVIDER = env.bool("LATCHKEY_METRICS_BY_PROVIDER", default=False)
METRICS_DIR = env.str("LATCHKEY_METRICS_DIR", default="")
METRICS_HOST = env.str("LATCHKEY_METRICS_HOST", default="127.0.0.1")
METRICS_PORT = env.count("LATCHKEY_METRICS_PORT", default=0)
if METRICS_TOKEN and len(METRICS_TOKEN) < 16:
    raise ImproperlyConfigured("LATCHKEY_METRICS_TOKEN can be guessed: it needs at least 16 characters.")

# A file that a worker touches while it takes tasks: each worker of a machine needs one of its own.
ALIVE_FILE = env.str("LATCHKEY_ALIVE_FILE", default="")

# --- Traces and crashes -----------------------------------------------------------------------------------------------
TRACES_ENDPOINT = HiddenUrl(env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default=""))
SENTRY_DSN = HiddenUrl(env.str("SENTRY_DSN", default=""))
for named, url in (("OTEL_EXPORTER_OTLP_ENDPOINT", TRACES_ENDPOINT), ("SENTRY_DSN", SENTRY_DSN)):
    if url and not url.names_a_server():  # it may hold a key, so it is not shown
        raise ImproperlyConfigured(f"{named} must be a whole URL, like https://name.example.com.")

# --- PostgreSQL -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
# A pool needs CONN_MAX_AGE=0: a connection goes back to it at the end of each request or task.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Django switches prepared statements off altogether. With this only the callers of `prepared` use them.
DATABASES["default"].setdefault("OPTIONS", {})["prepare_threshold"] = 1_000_000
if pool_size := env.count("DATABASE_POOL_SIZE", default=8):
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": pool_size, "timeout": 10}

# Behind a pooler that gives each transaction another session (PgBouncer in transaction mode), none may keep anything.
DATABASE_POOLED = env.bool("DATABASE_POOLED", default=False)
if pool_size and not DATABASE_POOLED:
    DATABASES["default"]["OPTIONS"]["pool"]["connection_class"] = Session
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = DATABASE_POOLED
# Past that pooler, for the one connection of each process that holds its lock.
_direct = env.str("DATABASE_DIRECT_URL", default="")
DATABASE_DIRECT = env.db_url_config(_direct) if _direct else {}

# --- Redis and Celery -------------------------------------------------------------------------------------------------
TASKS_APPLICATION = "config.celery.app"
REDIS_URL = HiddenUrl(env.str("REDIS_URL"))
_sentinel_password = env.str("REDIS_SENTINEL_PASSWORD", default="")
SENTINEL_CREDENTIALS = {"password": SecretStr(_sentinel_password)} if _sentinel_password else {}
try:
    _watched = watched(REDIS_URL)
except ValueError as error:
    raise ImproperlyConfigured(str(error)) from None
CELERY_BROKER_URL = REDIS_URL if _watched is None else _watched.broker_url()
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
# A task is acknowledged when it is done. The task of a killed worker is delivered again, and is a no-op by version.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_REDIRECT_STDOUTS = False
# Otherwise anybody who reaches the broker could ask a worker for its settings, or tell it to stop.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 120,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "max_retries": 0,  # a send that finds no broker gives up at once; kombu would sleep for 6 s. Workers wait as ever.
}
if _watched is not None:
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "master_name": _watched.name,
        "credentials": _watched.credentials,
        "sentinel_credentials": SENTINEL_CREDENTIALS,
    }
CELERY_TIMEZONE = "UTC"
SWEEP_SECONDS = env.seconds("LATCHKEY_SWEEP_SECONDS", default=5.0)
CELERY_BEAT_SCHEDULE = beat_schedule(
    SWEEP_SECONDS,
    recover_seconds=env.seconds("LATCHKEY_RECOVER_SECONDS", default=2.0),
    webhook_seconds=env.seconds("LATCHKEY_WEBHOOK_SECONDS", default=1.0),
)

# --- Providers --------------------------------------------------------------------------------------------------------
EGRESS_ALLOWED_TARGETS = [target.strip() for target in env.list("EGRESS_ALLOWED_TARGETS", default=[])]
EGRESS_PROXY_URL = HiddenUrl(env.str("EGRESS_PROXY_URL", default=""))
# For lists of addresses at providers: those that calls come from, as far as the operator knows, and a URL that answers
# with the address that it was called from.
EGRESS_ADDRESSES = [written.strip() for written in env.list("EGRESS_ADDRESSES", default=[])]
for written in EGRESS_ADDRESSES:
    try:
        ip_network(written)
    except ValueError:
        raise ImproperlyConfigured(f"EGRESS_ADDRESSES: {written!r} is neither an address nor a network.") from None
EGRESS_ECHO_URL = HiddenUrl(env.str("EGRESS_ECHO_URL", default=""))
for named, url in (("EGRESS_PROXY_URL", EGRESS_PROXY_URL), ("EGRESS_ECHO_URL", EGRESS_ECHO_URL)):
    if url and not url.names_a_server():  # it may hold a password, so it is not shown
        raise ImproperlyConfigured(f"{named} must be a whole URL, like https://name.example.com:3128.")
EGRESS_CA_FILE = env.str("EGRESS_CA_FILE", default="")
# The operator's own catalogue entries, in addition to those that come with Latchkey.
CATALOG_DIR = Path(env.str("LATCHKEY_CATALOG_DIR", default=str(BASE_DIR / ".catalog")))
# Seconds between two probes of a connection: vended within the hour, within the day, and all others.
PROBE_SECONDS = env.several_seconds("LATCHKEY_PROBE_SECONDS", default=[600, 3600, 21600])
# Seconds between two looks at a client secret that is read from where the operator keeps it: a file, a service.
SECRET_LOOK_SECONDS = env.several_seconds("LATCHKEY_SECRET_LOOK_SECONDS", default=[60, 300])
# Days for which rows are kept after no promise depends on them any more; 0 keeps them for ever.
RETENTION_DAYS = {
    "attempts": env.count("LATCHKEY_KEEP_ATTEMPTS_DAYS", default=30),
    "events": env.count("LATCHKEY_KEEP_EVENTS_DAYS", default=90),
    "webhook_deliveries": env.count("LATCHKEY_KEEP_DELIVERIES_DAYS", default=30),
    "connect_sessions": env.count("LATCHKEY_KEEP_CONNECT_SESSIONS_DAYS", default=30),
    **dict.fromkeys(("incidents", "notices"), env.count("LATCHKEY_KEEP_INCIDENTS_DAYS", default=365)),
    "connections": env.count("LATCHKEY_KEEP_DISCONNECTED_DAYS", default=365),
}
# How often in a minute an API client may vend and have requests proxied that is slowed down for suspicious use.
THROTTLED_USES_PER_MINUTE = env.count("LATCHKEY_THROTTLED_USES_PER_MINUTE", default=60, least=1)
SPOOL_DIR = Path(env.str("LATCHKEY_SPOOL_DIR", default=str(BASE_DIR / ".spool")))

# --- Browser ----------------------------------------------------------------------------------------------------------
# `__Host-` cookies must be Secure. Over loopback http WebKit keeps no Secure cookie (Chromium and Firefox do). So
# there, and nowhere else, our cookies have names and flags that every browser keeps. Their path is "/" everywhere, as
# `__Host-` asks for it.
COOKIE_PREFIX = f"{'' if LOOPBACK_HTTP else '__Host-'}latchkey{_urls.cookie_mark}-"
SESSION_ENGINE = "connections.admin.people.session_store"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}operator"
SESSION_COOKIE_SECURE = not LOOPBACK_HTTP
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
CSRF_COOKIE_SECURE = not LOOPBACK_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "connections.admin.refused.form_refused"
CSRF_TRUSTED_ORIGINS = [origin_of(ADMIN_URL)]
X_FRAME_OPTIONS = "DENY"
# Not no-referrer: it makes browsers send `Origin: null`, which the CSRF check of the admin refuses.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

STATIC_URL = f"{PUBLIC_PATH}/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / ".static")))
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# --- Staff ------------------------------------------------------------------------------------------------------------
# Off only on a developer's machine: a password alone can be guessed, phished and found elsewhere.
SECOND_FACTOR_REQUIRED = env.bool("LATCHKEY_SECOND_FACTOR_REQUIRED", default=True)
if not SECOND_FACTOR_REQUIRED and not DEVELOPMENT:
    raise ImproperlyConfigured("LATCHKEY_SECOND_FACTOR_REQUIRED may be off only with LATCHKEY_ENV=development.")
# A login session ends when it lies idle for so long, and in any case so long after the login.
SESSION_IDLE_SECONDS = env.count("LATCHKEY_SESSION_IDLE_SECONDS", default=3600, least=1)
SESSION_SECONDS = env.count("LATCHKEY_SESSION_SECONDS", default=43_200, least=1)
SESSION_COOKIE_AGE = SESSION_SECONDS
# Single sign-on: the identity provider, our registration there, and which of its groups has which role here.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_SCOPES = env.list("OIDC_SCOPES", default=["openid", "profile"])
OIDC_GROUPS_CLAIM = env.str("OIDC_GROUPS_CLAIM", default="groups")
OIDC_ROLES = env.dict("OIDC_ROLES", default={})
# Values of `amr` or `acr` by which the identity provider vouches for a second factor, so that ours is not asked for.
OIDC_SECOND_FACTOR = env.list("OIDC_SECOND_FACTOR", default=["mfa"])
# What an account sees that is made at a first login: every tenant, or none until somebody says which.
OIDC_NEW_ACCOUNTS_SEE = env.str("OIDC_NEW_ACCOUNTS_SEE", default="all")
if OIDC_NEW_ACCOUNTS_SEE not in ("all", "none"):
    raise ImproperlyConfigured("OIDC_NEW_ACCOUNTS_SEE is all or none.")
if OIDC_ISSUER and not OIDC_CLIENT_ID:
    raise ImproperlyConfigured("OIDC_ISSUER needs OIDC_CLIENT_ID.")
if unknown := {*OIDC_ROLES.values()} - {"viewer", "operator", "security"}:
    raise ImproperlyConfigured(f"OIDC_ROLES: there is no role {sorted(unknown)[0]!r}: viewer, operator or security.")
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
ACCOUNT_ADAPTER = "connections.admin.people.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_FORMS = {"login": "connections.admin.people.forms.LoginForm"}
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # `connections.admin.people.guesses` counts, and locks no owner out
MFA_ADAPTER = "connections.admin.people.adapters.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "connections.admin.people.forms.CodeForm",
    "reauthenticate": "connections.admin.people.forms.CodeAgainForm",
    "activate_totp": "connections.admin.people.forms.ActivationForm",
}
MFA_ALLOW_UNVERIFIED_EMAIL = True  # no e-mail address proves anything here
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Latchkey"
MFA_TOTP_TOLERANCE = 1  # half minutes that a phone's clock may differ by
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOOPBACK_HTTP

# --- Mail to the operator's people ------------------------------------------------------------------------------------
# Off unless both are set. The mail server is the operator's own: what providers may be called does not concern it.
OPERATOR_MAIL = [address.strip() for address in env.list("OPERATOR_MAIL", default=[])]
if email_url := env.str("EMAIL_URL", default=""):
    try:
        globals().update(env.email_url_config(email_url))
    except (ImproperlyConfigured, ValueError):  # the URL may hold a password, so it is not shown
        raise ImproperlyConfigured("EMAIL_URL must be like smtp+tls://user:password@mail.example.com:587.") from None
elif OPERATOR_MAIL:
    raise ImproperlyConfigured("OPERATOR_MAIL needs EMAIL_URL: without a mail server nobody can be told.")
else:
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
for address in OPERATOR_MAIL:
    try:
        validate_email(address)
    except ValidationError:
        raise ImproperlyConfigured(f"OPERATOR_MAIL: {address!r} is no address.") from None
DEFAULT_FROM_EMAIL = env.str("MAIL_FROM", default=f"latchkey@{urlsplit(PUBLIC_URL).hostname}")

# --- Logs -------------------------------------------------------------------------------------------------------------
LOG_FORMAT = env.str("LATCHKEY_LOG_FORMAT", default="json")
LOGGING_CONFIG = "config.logging.configure"
LOGGING = {"format": LOG_FORMAT}
