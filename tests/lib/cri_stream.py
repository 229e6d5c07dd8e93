# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a kubelet speaks to the streaming server of an engine: WebSocket (RFC 6455)
with the subprotocol of Kubernetes, in which the first byte of a message is its channel."""

import base64
import json
import os
import socket
import struct
import time
import urllib.parse

import tap

PROTOCOL = "v4.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE = range(5)
# of a port; each begins with its number, two bytes, the lower one first
PORT_DATA, PORT_ERROR = range(2)
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DEADLINE = 240


def mask(data, key):
    return bytes(byte ^ key[i % 4] for i, byte in enumerate(data))


class Stream:
    """One connection to @url. What has come is in .received, by channel."""

    def __init__(self, url, timeout=DEADLINE):
        parts = urllib.parse.urlsplit(url)
        self.deadline = time.monotonic() + timeout
        self.received = {}
        self.data = b""
        self.ended = False
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout)
        try:
            self._shake_hands(parts)
        except BaseException:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    # ---- frames ----------------------------------------------------------------

    def _fill(self, wanted):
        """Until @wanted bytes are there; False: the other side has closed before."""
        while len(self.data) < wanted:
            left = self.deadline - time.monotonic()
            if left <= 0:
                raise tap.Failure("nothing more comes; so far: %r" % self.received)
            self.socket.settimeout(left)
            try:
                piece = self.socket.recv(65536)
            except socket.timeout:
                continue
            except ConnectionError:
                return False
            if not piece:
                return False
            self.data += piece
        return True

    def _take(self, n):
        if not self._fill(n):
            raise EOFError
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def _shake_hands(self, parts):
        path = parts.path + ("?" + parts.query if parts.query else "")
        lines = ["GET %s HTTP/1.1" % path, "Host: " + parts.netloc, "Connection: Upgrade", "Upgrade: websocket",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(),
                 "Sec-WebSocket-Protocol: " + PROTOCOL, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.data and self._fill(len(self.data) + 1):
            pass
        answer, _, self.data = self.data.partition(b"\r\n\r\n")
        tap.match(answer.decode(), r"^HTTP/1.1 101 ", "answer to the handshake")

    def _send_frame(self, kind, payload):
        size = len(payload)
        if size < 126:
            head = struct.pack(">BB", 0x80 | kind, 0x80 | size)
        else:
            head = struct.pack(">BBH", 0x80 | kind, 0x80 | 126, size)
        key = os.urandom(4)
        self.socket.sendall(head + key + mask(payload, key))

    def _read_frame(self):
        """(kind, payload); a message of several frames does not come from here."""
        first, size = self._take(2)
        if size == 126:
            size, = struct.unpack(">H", self._take(2))
        elif size == 127:
            size, = struct.unpack(">Q", self._take(8))
        return first & 15, self._take(size)

    # ---- channels --------------------------------------------------------------

    def send(self, channel, data):
        for at in range(0, len(data), 32768):
            self._send_frame(BINARY, bytes([channel]) + data[at:at + 32768])

    def resize(self, width, height):
        self.send(RESIZE, json.dumps({"Width": width, "Height": height}).encode())

    def receive(self):
        """Waits for one message; False: that was all."""
        try:
            kind, payload = self._read_frame()
        except EOFError:
            self.ended = True
            return False
        if kind == CLOSE:
            self.ended = True
            return False
        if kind == PING:
            self._send_frame(PONG, payload)
        elif kind in (TEXT, BINARY) and payload:
            self.received[payload[0]] = self.received.get(payload[0], b"") + payload[1:]
        return True

    def text(self, channel=STDOUT):
        return self.received.get(channel, b"")

    def until(self, wanted, channel=STDOUT):
        """Waits until @wanted has come on @channel."""
        while wanted not in self.text(channel):
            if not self.receive():
                raise tap.Failure("closed before %r came: %r" % (wanted, self.received))

    def finish(self):
        """Waits for the end; what the process ended with, None if nobody says so."""
        while self.receive():
            pass
        if not self.text(ERROR):
            return None
        status = json.loads(self.text(ERROR))
        if status.get("status") == "Success":
            return 0
        if status.get("reason") != "NonZeroExitCode":
            raise tap.Failure("the stream failed: %r" % status)
        return int(next(cause["message"] for cause in status["details"]["causes"] if cause["reason"] == "ExitCode"))
