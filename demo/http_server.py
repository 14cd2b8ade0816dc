"""A WSGI server on loopback in one thread, which no silent connection holds up."""

import contextlib
import selectors
import socket
from typing import override
from wsgiref.types import WSGIApplication

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler


class _Handler(WSGIRequestHandler):
    # In seconds, for a client that stops in the middle of a request.
    timeout = 5.0

    @override
    def log(self, type: str, message: str, *args: object) -> None:
        """Log nothing: a request line may hold a code."""


class LoopbackServer(BaseWSGIServer):
    """A WSGI server on 127.0.0.1 that answers one request after the other.

    Browsers open spare connections and say nothing on them for minutes. A server with one thread
    would wait for the first of them; this one turns only to a connection that has said something.
    """

    def __init__(self, port: int, app: WSGIApplication) -> None:
        """Listen.

        Args:
            port: The port; 0 for any free one, which `port` then says.
            app: What answers.

        Raises:
            OSError: The port is taken.
        """
        # werkzeug itself would print and exit where the port is taken.
        with socket.create_server(("127.0.0.1", port)) as listener:
            super().__init__("127.0.0.1", port, app, _Handler, fd=listener.fileno())
        self.socket.settimeout(0)
        self._wake, self._stop = socket.socketpair()

    @override
    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Answer until `shutdown`; then nothing is open any more."""
        with self._wake, self._stop, self.socket, selectors.DefaultSelector() as selector:
            selector.register(self._wake, selectors.EVENT_READ)
            selector.register(self.socket, selectors.EVENT_READ)
            try:
                while self._serve(selector):
                    pass
            finally:
                for key in list(selector.get_map().values()):
                    if key.data:
                        self.shutdown_request(key.data[0])

    @override
    def shutdown(self) -> None:
        """Let `serve_forever` return; whoever wants to see it done joins its thread."""
        self._stop.shutdown(socket.SHUT_WR)

    def _serve(self, selector: selectors.DefaultSelector) -> bool:
        """Wait for something to do and do it; return False on `shutdown`."""
        for key, _ in selector.select():
            if key.fileobj is self._wake:
                return False
            if key.data:
                selector.unregister(key.fileobj)
                self._answer(*key.data)
            else:
                self._accept(selector)
        return True

    def _accept(self, selector: selectors.DefaultSelector) -> None:
        # The client may have gone in the meantime.
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection, address = self.socket.accept()
            selector.register(connection, selectors.EVENT_READ, (connection, address))

    def _answer(self, connection: socket.socket, address: tuple[str, int]) -> None:
        try:
            self.process_request(connection, address)
        except Exception:  # noqa: BLE001 - as in the base class: told, and no end of the server
            self.handle_error(connection, address)
            self.shutdown_request(connection)
