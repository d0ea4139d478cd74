"""Composition: settings, URLs, the WSGI and Celery applications. Imports everything, is imported by nothing below."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
