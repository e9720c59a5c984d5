"""The old name of `workers.light`: a unit that starts `celery -A workers.quick` goes on after an update.
Until version 0.2."""

from workers.light import app as app
