"""A folder of secrets that the settings allow, as an orchestrator would mount it, and a custody that knows of it."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path

from providers.custodians.custody import Custody, configure_custody, current_custody


@dataclass
class Folder:
    """Secrets in files. Each was changed a minute ago, so nobody waits until it is whole."""

    path: Path

    def put(self, name: str, text: str) -> str:
        """Write a secret, and return the reference to it."""
        (self.path / name).write_text(text)
        os.utime(self.path / name, (time.time() - 60,) * 2)
        return self.reference(name)

    def reference(self, name: str) -> str:
        return f"file:{self.path}/{name}"

    def allow(self, *more: str, custody: Custody | None = None) -> None:
        """Allow the folder and ``more`` places, of the services of ``custody``."""
        places = (f"file:{self.path}/", *more)
        configure_custody(replace(custody or current_custody(), secret_places=places))

    def forbid(self) -> None:
        """Allow nothing."""
        configure_custody(replace(current_custody(), secret_places=()))
