"""One sandbox: the parts that its endpoints and pages share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from providers.sandbox.assertions import Replays
from providers.sandbox.faults import FaultBoard
from providers.sandbox.log import RequestLog
from providers.sandbox.mutual_tls import MutualTls
from providers.sandbox.registry import Registry
from providers.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Sandbox:
    """``issuer`` is the public URL without a trailing slash (RFC 8414 §2); ``name`` is what its pages call it."""

    issuer: str
    name: str
    store: Store
    registry: Registry
    log: RequestLog
    faults: FaultBoard
    replays: Replays
    exposes_control: bool = False
    mutual_tls: MutualTls = field(default_factory=MutualTls)

    @classmethod
    def open(
        cls,
        *,
        issuer: str,
        name: str = "Sandbox",
        folder: Path | None = None,
        echo: Callable[[str], None] | None = None,
        exposes_control: bool = False,
    ) -> Self:
        """Return a sandbox with its state in ``folder`` (made if need be), or in memory."""
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        store = Store(folder)
        return cls(
            issuer=issuer,
            name=name,
            store=store,
            registry=Registry(store),
            log=RequestLog(path=None if folder is None else folder / "requests.jsonl", echo=echo),
            faults=FaultBoard(),
            replays=Replays(),
            exposes_control=exposes_control,
        )

    def close(self) -> None:
        """Close the files."""
        self.store.close()
        self.log.close()
