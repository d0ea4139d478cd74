"""The product's settings with the constant view added."""

from config.settings import *  # noqa: F403 - all of them, as Django reads them

ROOT_URLCONF = "tests.campaigns.bench_urls"
