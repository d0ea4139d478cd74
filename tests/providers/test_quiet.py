import logging
import logging.config
import subprocess
import sys

from providers import quiet


def test_silence_outlasts_a_logging_configuration(every_log_record: list[logging.LogRecord]) -> None:
    name = "urllib3.made_by_a_later_import"
    logger = logging.getLogger(name)
    quiet.silence()
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "loggers": {name: {"level": "DEBUG"}, "requests_oauthlib": {"level": "DEBUG"}},
        }
    )
    logger.warning("canary")
    logging.getLogger("requests_oauthlib").error("canary")
    logging.getLogger("requests_oauthlib.oauth2_session").error("canary")
    logging.getLogger("someone.else").debug("heard")
    assert [record.getMessage() for record in every_log_record] == ["heard"]


def test_silencing_twice_adds_nothing() -> None:
    quiet.silence()
    before = len(logging.getLogger("oauthlib").filters)
    quiet.silence()
    assert len(logging.getLogger("oauthlib").filters) == before


def test_importing_the_token_endpoint_silences_what_it_brings_along() -> None:
    program = """
import logging
import providers.egress
import providers.oauth.token_endpoint
logging.basicConfig(level=logging.DEBUG)
for name in ("requests_oauthlib.oauth2_session", "oauthlib.oauth2.rfc6749", "urllib3.connection"):
    assert name in logging.root.manager.loggerDict, name
    logging.getLogger(name).critical("canary")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "canary" not in ran.stdout + ran.stderr
