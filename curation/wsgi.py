"""The web application, with all its addresses loaded, so that the first visitor does not wait."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
application = get_wsgi_application()
len(get_resolver().url_patterns)
