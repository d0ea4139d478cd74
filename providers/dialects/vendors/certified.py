"""A vendor that knows its customers by their client certificates."""

from dataclasses import dataclass

from providers.dialects.certificates import CUSTOMER, name_in
from providers.dialects.vendors.stand_in import Refused, StandIn
from providers.dialects.wire import Request


@dataclass
class Certified(StandIn):
    """Knows its customer by the certificate, and by what its headers say besides."""

    customer: str = CUSTOMER

    def _check_credential(self, request: Request, *, alone: bool = False) -> None:
        if not request.certificate:
            raise Refused(*self.fixture.no_certificate, "there is no client certificate")
        if name_in(request.certificate) != self.customer:
            raise Refused(*self.fixture.refusal, "it is another customer's certificate")
        super()._check_credential(request, alone=alone)
