"""The web application, with all its addresses loaded, so that the first visitor does not wait."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "curation.settings")
application = get_wsgi_application()
len(get_resolver().url_patterns)
# What was loaded stays: the collector need not look at it again, nor, after a fork, copy its pages. And a
# page makes tens of thousands of objects that live as long as it: looking after each 700 finds none.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 100)
