"""Settings, read from the environment; the defaults run everything on one machine.

| variable | meaning | default |
| --- | --- | --- |
| CHAINWRIGHT_HOME | folder of the database, artifacts, logs and secrets | `var/` |
| PRODUCTION | strict: needs SECRET_KEY and ALLOWED_HOSTS, cookies over https only | 0 |
| SECRET_KEY | signs sessions and cookies; the same on all machines | made in CHAINWRIGHT_HOME |
| DATABASE_URL | database | SQLite in CHAINWRIGHT_HOME |
| REDIS_URL | broker | the embedded Valkey's private socket |
| ARTIFACTS_URL | any fsspec address for files | a folder in CHAINWRIGHT_HOME |
| ALLOWED_HOSTS | names that the web answers to, with commas | this machine |
| CSRF_TRUSTED_ORIGINS | addresses with https:// from which forms may come, behind some proxies | none |
| TIME_ZONE | in which pages show times and days begin | UTC |
| CLAIM_MINUTES | a question stays a reviewer's so long without a sign of their page | 15 |
| SILENT_AFTER_SECONDS | without a sign, work has lost its worker and is begun again | 45 |
| WEBHOOK_HOSTS | private or local hosts that webhooks may go to | none |
| WORKER_NICE | by how much workers give way to pages (`nice`), in `make run` | 10 |
| API_REQUESTS_PER_MINUTE | of one API token, over all web processes | 600 |
| WHO_CREATES_PROJECTS | `marked` (people whom the operator lets, see change_person) or `everybody` | marked |
| PROJECTS_PER_PERSON | projects that one person may have created, without deleted ones | 50 |
| IMPORTS_UNDER_WAY | of one person at the same time | 10 |
| IMPORT_MAX_BYTES | of one imported file | 2 GB |
| UPLOAD_BYTES_PER_PERSON | stored import files of one person, together | 10 GB |
| IMPORT_FILE_DAYS | after which the file of an ended import is removed | 7 |
| TEACHERS_PER_PROJECT | also those that only imported rationales name | 200 |
| SLOTS_PER_RUN | rationales that one run may ask for | 5,000,000 |
| ORDERS_UNDER_WAY | runs, trainings, … of each kind that a person may have under way | 100 |
| IMPORTS_PER_HOUR | of one person, by page and API | 200 |
| MODEL_ROOTS | folders below which projects may use models, with commas | `models` in CHAINWRIGHT_HOME |
| MODEL_HOSTS | private or local hosts that model endpoints may use | none |
| SOMETHING_API_KEY, CHAINWRIGHT_KEY_SOMETHING | a model endpoint's key; workers only | none |
| SOMETHING_API_KEY_HOSTS, CHAINWRIGHT_KEY_SOMETHING_HOSTS | hosts that may receive that key | none |

Hosts are listed with commas. A key without its list of hosts is not sent anywhere; there a host stands
for its usual port, and another port is listed as HOST:PORT (`docs/operators.md` says more).
"""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from curation.env import (
    keep_private,
    read_bool,
    read_choice,
    read_int,
    read_list,
    read_secret_key,
    tighten,
)

BASE_DIR = Path(__file__).resolve().parent.parent


HOME = Path(os.environ.get("CHAINWRIGHT_HOME", BASE_DIR / "var")).resolve()
keep_private(HOME)
PRODUCTION = read_bool("PRODUCTION", False)
DEBUG = False  # pages of errors never show settings or code; the log does
SECRET_KEY = read_secret_key(HOME, production=PRODUCTION)
ALLOWED_HOSTS = read_list(
    "ALLOWED_HOSTS", [] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"]
)
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is not set: name the hosts that people will use.")
CSRF_FAILURE_VIEW = "curation.web.error_views.csrf_failed"
CSRF_TRUSTED_ORIGINS = read_list("CSRF_TRUSTED_ORIGINS", [])
MODEL_HOSTS = read_list("MODEL_HOSTS", [])
MODEL_ROOTS = read_list("MODEL_ROOTS", [str(HOME / "models")])
WEBHOOK_HOSTS = read_list("WEBHOOK_HOSTS", [])
WORKER_NICE = read_int("WORKER_NICE", 10)
API_REQUESTS_PER_MINUTE = read_int("API_REQUESTS_PER_MINUTE", 600)
WHO_CREATES_PROJECTS = read_choice("WHO_CREATES_PROJECTS", "marked", ("marked", "everybody"))
PROJECTS_PER_PERSON = read_int("PROJECTS_PER_PERSON", 50)
IMPORTS_UNDER_WAY = read_int("IMPORTS_UNDER_WAY", 10)
UPLOAD_BYTES_PER_PERSON = read_int("UPLOAD_BYTES_PER_PERSON", 10 * 1024**3)
IMPORT_FILE_DAYS = read_int("IMPORT_FILE_DAYS", 7)
TEACHERS_PER_PROJECT = read_int("TEACHERS_PER_PROJECT", 200)
SLOTS_PER_RUN = read_int("SLOTS_PER_RUN", 5_000_000)
ORDERS_UNDER_WAY = read_int("ORDERS_UNDER_WAY", 100)
IMPORTS_PER_HOUR = read_int("IMPORTS_PER_HOUR", 200)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # for the templates of its fields, of which ours take the place
    "csp",
    "django_htmx",
    "ninja",  # for the files of its documentation
    "curation.apps.CurationConfig",
    "curation.projects.apps.ProjectsConfig",
    "curation.webhooks.apps.WebhooksConfig",
    "curation.questions.apps.QuestionsConfig",
    "curation.rationales.apps.RationalesConfig",
    "curation.reviews.apps.ReviewsConfig",
    "curation.datasets.apps.DatasetsConfig",
    "curation.training.apps.TrainingConfig",
    "curation.evaluations.apps.EvaluationsConfig",
    "curation.api.apps.ApiConfig",
]

MIDDLEWARE = [
    "curation.web.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "curation.web.middleware.NoStoreMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "curation.web.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "curation.web.middleware.InvisibleMiddleware",
    "curation.web.middleware.TextsMiddleware",
    "curation.web.middleware.ErrorsMiddleware",
]

ROOT_URLCONF = "curation.urls"
WSGI_APPLICATION = "curation.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "curation.web.middleware.page_context",
            ],
            "builtins": [
                "django.contrib.humanize.templatetags.humanize",
                "curation.templatetags.look",
                "curation.templatetags.maths",
                "curation.templatetags.blocks",
                "curation.templatetags.steps",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",  # for *.jinja, see curation.web.jinja
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "curation.web.jinja.environment"},
    },
]

DATABASES = {
    "default": dj_database_url.config(
        # Quoted: a # or ? in the name of the folder would end the path.
        default=f"sqlite:///{quote(str(HOME / 'chainwright.sqlite3'))}",
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on beside the one writer; IMMEDIATE takes the write lock at the start of a
    # transaction, so that two writers wait for each other instead of failing in the middle.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
        " PRAGMA mmap_size=268435456; PRAGMA temp_store=MEMORY;",
    }
    tighten(Path(DATABASES["default"]["NAME"]), "the database")
    # File-based also in tests: the workers and the live server are other processes and threads.
    DATABASES["default"]["TEST"] = {"NAME": str(HOME / "test.sqlite3")}
else:
    # What stands in curation.db.prepared_queries is prepared by the server when it comes for the
    # second time. (A PgBouncer in front that hands out connections by transaction must be 1.21 or newer.)
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("prepare_threshold", 1)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "projects.User"
AUTHENTICATION_BACKENDS = ["curation.projects.backends.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
SESSION_ENGINE = "curation.web.sessions"
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
BEHIND_PROXY = PRODUCTION  # which ends TLS, and says who asks
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        # The hash is that of an empty style element, which plotly adds and then fills by rules.
        "style-src": [SELF, "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "curation.web.static_finders.PlotlyFinder",
]
# Served straight from where they lie: no collect step stands between a change and the page.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

# Uploads beyond this go to a temporary file; an import reads it line by line.
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "curation.web.upload_handler.FileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
IMPORT_MAX_BYTES = read_int("IMPORT_MAX_BYTES", 2 * 1024**3)
ARTIFACTS_URL = os.environ.get("ARTIFACTS_URL", f"file://{HOME / 'artifacts'}")
if ARTIFACTS_URL.startswith(("file://", "local://", "/")):
    tighten(Path(ARTIFACTS_URL.partition("://")[2] or ARTIFACTS_URL), "the artifacts")

REDIS_SOCKET = HOME / "valkey.sock"
REDIS_URL = os.environ.get("REDIS_URL", f"redis+socket://{REDIS_SOCKET}")
# A claim's life without a sign from the reviewer's page; the page renews it while somebody works.
CLAIM_LEASE = timedelta(minutes=read_int("CLAIM_MINUTES", 15))
# A task that has been silent for so long has lost its worker; the beat puts its work back.
SILENT_AFTER = timedelta(seconds=read_int("SILENT_AFTER_SECONDS", 45))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    # httpx tells of every request: a line for each rationale that an endpoint writes.
    "loggers": {"django.server": {"level": "WARNING"}, "httpx": {"level": "WARNING"}},
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SILENCED_SYSTEM_CHECKS = []
