"""HTTP as it comes over the line: requests are read whole, answers are sent as their manner says."""

import os
import socket
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

from stand_in.replies import Reply
from stand_in.rooms import Request

if TYPE_CHECKING:
    from stand_in.server import Server

N_DROPS = 20
GONE = (ConnectionError, TimeoutError)


class Line(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `close` ends every connection and every thread."""

    daemon_threads = False  # a thread that is left over is a mistake, and is waited for
    request_queue_size = 64

    def __init__(self, server: "Server", port: int) -> None:
        self.stand_in = server
        self.closing = threading.Event()
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", port), Handler)
        self._listener = threading.Thread(target=self.serve_forever, args=(0.02,), name="stand-in listener")
        self._listener.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, GONE):  # a client that was killed, or lost patience, is no mistake of ours
            self.stand_in.mistakes.append(error)

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # gone already
                pass
        self.server_close()
        self._listener.join()


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open between requests as IBM's is."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: `Server.log` holds it."""

    def handle_one(self) -> None:
        line = cast(Line, self.server)
        url = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, url.path, parse_qs(url.query), self.headers, body)
        self._send(line.stand_in.receive(request, self.path), line.closing)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def _send(self, reply: Reply, closing: threading.Event) -> None:
        if reply.manner == "reset":
            self._reset()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.manner == "slow":
            self._drip(reply, closing)
        else:
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.manner == "cut" else reply.body)
        self.close_connection = self.close_connection or reply.manner == "cut"

    def _drip(self, reply: Reply, closing: threading.Event) -> None:
        size = max(1, -(-len(reply.body) // N_DROPS))
        drops = [reply.body[start : start + size] for start in range(0, len(reply.body), size)]
        for drop in drops:
            closing.wait(reply.seconds / len(drops))
            self.wfile.write(drop)

    def _reset(self) -> None:
        """Close at once, with RST instead of FIN: "connection reset by peer"."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())
        self.close_connection = True
