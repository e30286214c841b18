"""WSGI entry point for gunicorn."""

import gc
import os
import sys
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# As for workers: requests are many and small, and handing a step on to threads takes longer.
os.environ.setdefault("POLARS_MAX_THREADS", "1")
# Of threads of one process, one computes. Who waits for PostgreSQL, as each call of the API does
# some twenty times, has its turn again after half a millisecond, not after five.
sys.setswitchinterval(0.0005)
application = get_wsgi_application()
import_module("config.urls")  # all pages, which the first request would have to wait for
# What is loaded stays: looking through it for garbage takes 130 ms, out of some request's time.
gc.collect()
gc.freeze()
