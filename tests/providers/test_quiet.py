import logging
import logging.config

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
