"""Settings, read from the environment; without one, a development set-up on embedded engines."""

from pathlib import Path

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from embedded import engines

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

env = environ.Env()

MODE = env.str("TOLLGATE_MODE", default="development")
if MODE not in ("development", "demo", "production"):
    raise ImproperlyConfigured(
        f"TOLLGATE_MODE is '{MODE}'; set it to development, demo or production"
    )
PRODUCTION = MODE == "production"
DEMO = MODE == "demo"
DEBUG = env.bool("DEBUG", default=False)
DEVELOPMENT_SECRET = "development-only-secret-key-which-production-refuses-to-start-with"  # noqa: S105
SECRET_KEY = env.str("SECRET_KEY", default=DEVELOPMENT_SECRET)
LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]", "testserver"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=LOCAL_HOSTS)
PUBLIC_URL = env.str("PUBLIC_URL", default="http://127.0.0.1:8000")
SANDBOX_GATEWAY = env.bool("SANDBOX_GATEWAY", default=not PRODUCTION)
# What Prometheus shows at /metrics; without one there is no such address.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

_UNSAFE_IN_PRODUCTION = {
    "SECRET_KEY must be set, to a secret of at least 50 characters": (
        SECRET_KEY == DEVELOPMENT_SECRET or len(SECRET_KEY) < 50
    ),
    "DEBUG must be off": DEBUG,
    "METRICS_TOKEN must have at least 32 characters": 0 < len(METRICS_TOKEN) < 32,
    "SANDBOX_GATEWAY must be off: it takes play money": SANDBOX_GATEWAY,
    "ALLOWED_HOSTS must name the hosts people reach": (
        ALLOWED_HOSTS == LOCAL_HOSTS or "*" in ALLOWED_HOSTS
    ),
    "PUBLIC_URL must be set, to an https:// address": not PUBLIC_URL.startswith("https://"),
}
if PRODUCTION and any(_UNSAFE_IN_PRODUCTION.values()):
    raise ImproperlyConfigured(
        "Refusing to start in production: "
        + "; ".join(reason for reason, unsafe in _UNSAFE_IN_PRODUCTION.items() if unsafe)
    )

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "rest_framework",
    "drf_spectacular",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "heroicons",
    "tenancy",
    "audit",
    "ledger",
    "catalogue",
    "resellers",
    "customers",
    "subscriptions",
    "cdr",
    "billing",
    "payments",
    "payouts",
    "reports",
    "web",
    "demo",
]

MIDDLEWARE = [
    "web.health.HealthMiddleware",
    "web.headers.SecurityHeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "web.access.WebRoleMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "web.sessions.SessionLimitsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "web.headers.PrivatePagesMiddleware",
    "web.access.ScopeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
                "web.shared.shell.shell",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **env.db_url_config(env.str("DATABASE_URL", default="") or engines.database_url()),
        # The first call of a connection takes twice as long: PostgreSQL plans all anew for it.
        "CONN_MAX_AGE": env.int("DATABASE_CONN_MAX_AGE", default=600),
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.str("REDIS_URL", default="") or engines.redis_url()
# Tells installations that share one broker and cache apart.
KEY_PREFIX = env.str("CELERY_KEY_PREFIX", default="")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": KEY_PREFIX,
    }
}

AUTH_USER_MODEL = "tenancy.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "web.sign_in.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"invite": "30/h/user"}
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Lock-outs count by the client's address: the last one that the reverse proxy wrote down.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=1 if PRODUCTION else 0)
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # of invitations too
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = env.int("SESSION_SECONDS", default=12 * 3600)
SESSION_IDLE_SECONDS = env.int("SESSION_IDLE_SECONDS", default=2 * 3600)

MFA_ADAPTER = "web.sign_in.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # clocks of phones are off by some seconds
# Browsers let localhost use security keys without TLS, and nobody else.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if PRODUCTION else None
SECURE_REFERRER_POLICY = "same-origin"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
X_FRAME_OPTIONS = "DENY"

# Without a mail server, mail of development and demo is kept in files; production sends none, and
# then offers no password reset.
EMAIL_URL = env.str("EMAIL_URL", default="" if PRODUCTION else f"filemail:///{VAR_DIR / 'mail'}")
vars().update(env.email_url_config(EMAIL_URL or "dummymail://"))
PASSWORD_RESET = bool(EMAIL_URL)
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_URL)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Tollgate <tollgate@localhost>")

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not PRODUCTION

XDR_FILES_DIR = Path(env.str("XDR_FILES_DIR", default=str(VAR_DIR / "xdr_files")))
XDR_WATCH_DIR = Path(env.str("XDR_WATCH_DIR", default=str(VAR_DIR / "xdr_incoming")))
XDR_CHUNK_LINES = env.int("XDR_CHUNK_LINES", default=50_000)
XDR_FILE_BYTES = env.int("XDR_FILE_BYTES", default=8 * 1024**3)  # of text, once decompressed
XDR_UPLOAD_BYTES = env.int("XDR_UPLOAD_BYTES", default=1024**3)  # as a browser sends it

RATE_FILES_DIR = Path(env.str("RATE_FILES_DIR", default=str(VAR_DIR / "rate_files")))
RATE_FILE_BYTES = env.int("RATE_FILE_BYTES", default=128 * 1024**2)  # as a browser sends it

CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = REDIS_URL
CELERY_KEY_PREFIX = KEY_PREFIX
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "requeue lost files": {"task": "cdr.sweep_files", "schedule": 60},
    "make partitions": {"task": "cdr.make_partitions", "schedule": 24 * 3600},
    "requeue lost re-ratings": {"task": "cdr.sweep_reratings", "schedule": 60},
    "take files from folders": {"task": "cdr.watch_folders", "schedule": 60},
    "requeue lost mendings": {"task": "cdr.sweep_suspense", "schedule": 120},
    "requeue lost what-ifs": {"task": "cdr.sweep_what_ifs", "schedule": 60},
    "requeue lost rate imports": {"task": "catalogue.sweep_rate_imports", "schedule": 60},
    "requeue lost rate undos": {"task": "cdr.sweep_rate_undos", "schedule": 60},
    "requeue open bill runs": {"task": "billing.sweep_runs", "schedule": 60},
    "render lost documents": {"task": "billing.sweep_documents", "schedule": 300},
    "send lost e-mails": {"task": "billing.sweep_emails", "schedule": 300},
    "send lost invitations": {"task": "tenancy.sweep_invitations", "schedule": 300},
    "forget answered calls": {"task": "tenancy.forget_answers", "schedule": 3600},
    "requeue lost webhooks": {"task": "payments.sweep_webhooks", "schedule": 60},
    "render lost receipts": {"task": "payments.sweep_receipts", "schedule": 300},
    "ask about pending payments": {"task": "payments.ask_gateways", "schedule": 300},
    "apply advance": {"task": "payments.apply_advances", "schedule": 60},
    "accrue commission": {"task": "payouts.sweep", "schedule": 300},
    "end due subscriptions": {"task": "subscriptions.end_due_subscriptions", "schedule": 3600},
    "make lost rate edits": {"task": "catalogue.sweep_rate_edits", "schedule": 60},
    "write lost rate exports": {"task": "catalogue.sweep_rate_exports", "schedule": 300},
    "relabel rates that were forgotten": {"task": "catalogue.sweep_relabellings", "schedule": 300},
    "send lost rate notices": {"task": "customers.sweep_rate_notices", "schedule": 300},
    "verify the books": {
        "task": "reports.verify_ledgers",
        "schedule": crontab(hour="2", minute="30"),
    },
}

API_CALLS_A_MINUTE = env.int("API_CALLS_A_MINUTE", default=60_000)  # of one token
REST_FRAMEWORK = {
    "COERCE_DECIMAL_TO_STRING": True,
    "DEFAULT_SCHEMA_CLASS": "web.api.schema.RouteSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Tollgate",
    "DESCRIPTION": "What the console does, for programs, under the same permissions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_PUBLIC": True,
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "SORT_OPERATIONS": False,
    "ENUM_NAME_OVERRIDES": {
        "PartyKind": "web.api.v1.legs.PARTY_KINDS",
        "LegKind": "web.api.v1.legs.LEG_KINDS",
        "ChangeKind": "web.api.v1.suspense_choices.CHANGES",
        "MendingKind": "web.api.v1.mendings.KINDS",
        "SuspenseState": "web.api.v1.suspense.STATES",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "web.api.schema.describe_token",
    ],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
