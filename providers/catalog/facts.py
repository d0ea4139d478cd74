"""What an entry says about itself: how sure its facts are, and what an operator has to do at the provider first.

``providers.catalog.checklist`` makes a list for the operator of it, and ``providers.catalog.cautions`` warns of facts
that nobody has confirmed. End users are told neither.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from providers.catalog.fields import Shape

Day = Annotated[str, StringConstraints(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Colour = Annotated[str, StringConstraints(pattern=r"^(#[0-9a-f]{6})?$")]


class Confidence(StrEnum):
    """How sure the facts of an entry are."""

    HIGH = "high"  # two independent sources agree
    MEDIUM = "medium"  # two sources agree on most, or one and a page of the vendor's
    LOW = "low"  # one source, or none that could be read: shown as unverified


class Facts(Shape):
    """How far an entry can be trusted: ``confidence`` on the day ``checked_on``.

    ``styles`` holds the sections whose facts are surer or less sure than that.
    """

    confidence: Confidence
    checked_on: Day
    styles: dict[str, Confidence] = Field(default_factory=dict)


class AppRegistration(Shape):
    """What the operator does at the provider: where the client is registered, the steps there, and who reviews it."""

    console: str = ""
    steps: tuple[str, ...] = ()
    review: str = ""
