"""What a lean process is doing, in a file that it shares with the campaign and that outlives its kill -9."""

import mmap
import struct
from pathlib import Path

_LAYOUT = struct.Struct("<QQdQQ")
_TURN, _BUSY, _STARTED, _DONE, _STOP = 0, 8, 16, 24, 32


class Marks:
    """``turn`` counts the refreshes begun; ``is_busy`` says that one is under way since ``started_at`` (wall clock)."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if create:
            path.write_bytes(bytes(_LAYOUT.size))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)

    def enter(self, now: float) -> None:
        """Note that a refresh begins."""
        struct.pack_into("<d", self._map, _STARTED, now)
        struct.pack_into("<Q", self._map, _TURN, self.turn + 1)
        struct.pack_into("<Q", self._map, _BUSY, 1)

    def leave(self, *, done: bool) -> None:
        """Note that it has returned; ``done`` counts it."""
        if done:
            struct.pack_into("<Q", self._map, _DONE, self.done + 1)
        struct.pack_into("<Q", self._map, _BUSY, 0)

    def ask_to_stop(self) -> None:
        """Ask the process to end after the refresh under way."""
        struct.pack_into("<Q", self._map, _STOP, 1)

    @property
    def turn(self) -> int:
        """How many refreshes were begun."""
        return int(struct.unpack_from("<Q", self._map, _TURN)[0])

    @property
    def is_busy(self) -> bool:
        """Whether ``refresh`` was called and has not returned."""
        return bool(struct.unpack_from("<Q", self._map, _BUSY)[0])

    @property
    def started_at(self) -> float:
        """When the latest refresh was called."""
        return float(struct.unpack_from("<d", self._map, _STARTED)[0])

    @property
    def done(self) -> int:
        """How many refreshes replaced a credential."""
        return int(struct.unpack_from("<Q", self._map, _DONE)[0])

    @property
    def is_to_stop(self) -> bool:
        """Whether the process was asked to end."""
        return bool(struct.unpack_from("<Q", self._map, _STOP)[0])

    def close(self) -> None:
        """Give the memory back."""
        self._map.close()
