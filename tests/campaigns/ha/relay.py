"""A TCP relay: a line between two processes that can be cut, frozen and mended."""

import contextlib
import socket
import struct
import threading

_PART = 65_536
_TICK_SECONDS = 0.05
# Closing sends a reset at once, as a host does that has gone and come back.
_RESET = struct.pack("ii", 1, 0)


class Relay:
    """Listens on loopback and passes everything on to ``port`` there, until it is closed."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._is_cut = threading.Event()
        self._is_frozen = threading.Event()
        self._is_closed = threading.Event()
        self._listen()

    def cut(self) -> None:
        """Break every connection, and refuse new ones."""
        self._is_cut.set()
        _end(self._listener)
        self._break_all()

    def freeze(self) -> None:
        """Keep all connections open, and let nothing through: nobody is told."""
        self._is_frozen.set()

    def mend(self) -> None:
        """Let everything through again."""
        if self._is_cut.is_set():
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
            self._is_cut.clear()
            self._listen()
        self._is_frozen.clear()

    def close(self) -> None:
        """End it all."""
        self._is_closed.set()
        _end(self._listener)
        self._break_all()

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), name="relay", daemon=True).start()

    def _break_all(self) -> None:
        with self._lock:
            sockets, self._open = self._open, set()
        for each in sockets:
            _reset(each)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(caller,), name="relay line", daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        self._wait_while_frozen()
        try:
            other = socket.create_connection(self._target, timeout=5)
            other.settimeout(None)
        except OSError:
            _reset(caller)
            return
        with self._lock:
            self._open |= {caller, other}
        threading.Thread(target=self._pass_on, args=(other, caller), name="relay back", daemon=True).start()
        self._pass_on(caller, other)

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # a line that breaks is closed at both ends
            while part := source.recv(_PART):
                self._wait_while_frozen()
                sink.sendall(part)
        with self._lock:
            self._open -= {source, sink}
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _wait_while_frozen(self) -> None:
        while self._is_frozen.is_set() and not self._is_cut.is_set() and not self._is_closed.is_set():
            self._is_closed.wait(_TICK_SECONDS)


def _end(listener: socket.socket) -> None:
    """Stop listening; ``shutdown`` wakes whoever waits in ``accept``."""
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
