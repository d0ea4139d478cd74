"""The product's settings with the constant view added, and without the detour that the environment names."""

import os

from config.settings import *  # noqa: F403 - all of them, as Django reads them
from tests.campaigns.ordinary import WITHOUT, other_settings

ROOT_URLCONF = "tests.campaigns.bench_urls"
globals().update(other_settings(os.environ.get(WITHOUT, ""), globals()))
