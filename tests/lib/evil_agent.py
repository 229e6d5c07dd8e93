# SPDX-License-Identifier: LGPL-2.1-or-later
"""An agent that does what it likes: the guest's end of the channel in hostile hands.

It is honest where a test does not say otherwise, keeps no processes and writes
its bytes itself, so that it can write wrong ones.

    agent = EvilAgent(path)
    agent.on["Check"] = lambda a, stream, request: a.send(b"rubbish")
    agent.on_sync = lambda a, token: None     # never answers the handshake
"""

import os
import socket
import struct
import threading
import time

SYNC, ACK = b"\xffVPSYNC\x01", b"\xffVPSYAK\x01"
REQUEST, RESPONSE, DATA = 1, 2, 3


# ---- bytes ----------------------------------------------------------------------------

def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, value):
    """A protobuf field: an int as varint, bytes and text with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(data):
    """[(number, value)] of a message; what the tests need of a parser."""
    out, at = [], 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n

    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = data[at:at + value], at + value
        out.append((tag >> 3, value))
    return out


def frame(stream, payload=b"", kind=RESPONSE, length=None, flags=0):
    return struct.pack(">IIBB", len(payload) if length is None else length, stream, kind, flags) + payload


def status(code, message=""):
    return field(1, field(1, code) + field(2, message))


def answer(stream, message=b""):
    return frame(stream, field(2, message) if message else b"")


def refusal(stream, code, message=""):
    return frame(stream, status(code, message))


SERVING = field(1, 1)
VERSION = field(1, "0.0.1") + field(2, "evil-1")


class Request:
    def __init__(self, payload):
        values = dict(fields(payload))
        self.method = values[2].decode()
        self.payload = values.get(3, b"")


# ---- the agent ------------------------------------------------------------------------

class EvilAgent:
    """@on: method -> function (agent, stream, request) that plays it instead of us."""

    def __init__(self, path):
        self.on = {}
        self.on_sync = None      # function (agent, token)
        self.on_connect = None   # function (agent); true: nothing is read from it
        self.calls = []          # names of methods, in order
        self.streams = {}        # method -> stream of its last call
        self.waiting = []        # streams of WaitProcess calls
        self.reading = []        # streams of ReadStdout and ReadStderr calls
        self.connection = None
        self.reads = True        # takes what the host sends
        self.ended = threading.Event()
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        place = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
        self.listener.bind("/proc/self/fd/%d/%s" % (place, os.path.basename(path)))
        os.close(place)
        self.listener.listen(8)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.ended.set()
        for end in (self.listener, self.connection):
            if end is not None:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self.listener.close()

    # ---- what behaviours do ----

    def send(self, data):
        """False when the host has hung up."""
        try:
            with self.lock:
                self.connection.sendall(data)
            return True
        except (OSError, AttributeError):
            return False

    def trickle(self, data, pause):
        for i in range(len(data)):
            if self.ended.is_set() or not self.send(data[i:i + 1]):
                return
            time.sleep(pause)

    def flood(self, data, seconds=1.0):
        """The same again and again, as fast as it is taken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.ended.is_set() and self.send(data):
            pass

    def later(self, function, *args):
        threading.Thread(target=function, args=args, daemon=True).start()

    def hang_up(self, how=socket.SHUT_RDWR):
        try:
            self.connection.shutdown(how)
        except OSError:
            pass

    def ack(self, token):
        self.send(ACK + token)

    def end_processes(self, code=137):
        """All that run end, honestly."""
        reading, self.reading = self.reading, []
        waiting, self.waiting = self.waiting, []
        for stream in reading:
            self.send(answer(stream))
        for stream in waiting:
            self.send(answer(stream, field(1, code)))

    # ---- the honest part ----

    def _accept(self):
        while not self.ended.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connection = connection
            if self.on_connect is not None and self.on_connect(self):
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _receive(self, connection, n):
        data = bytearray()
        while len(data) < n:
            while not self.reads and not self.ended.is_set():
                time.sleep(0.02)
            piece = connection.recv(n - len(data))
            if not piece:
                raise ConnectionError
            data += piece
        return bytes(data)

    def _serve(self, connection):
        try:
            while True:
                head = self._receive(connection, 10)
                if head[:1] == SYNC[:1]:
                    token = (head + self._receive(connection, 14))[8:]
                    (self.on_sync or EvilAgent.ack)(self, token)
                    continue
                length, stream, _kind, _flags = struct.unpack(">IIBB", head)
                self._answer(stream, Request(self._receive(connection, length)))
        except (ConnectionError, OSError):
            pass

    def _answer(self, stream, request):
        self.calls.append(request.method)
        self.streams[request.method] = stream
        play = self.on.get(request.method)
        if play is not None:
            play(self, stream, request)
        elif request.method == "Check":
            self.send(answer(stream, SERVING))
        elif request.method == "Version":
            self.send(answer(stream, VERSION))
        elif request.method == "WaitProcess":
            self.waiting.append(stream)
        elif request.method in ("ReadStdout", "ReadStderr"):
            self.reading.append(stream)
        elif request.method == "WriteStdin":
            data = dict(fields(request.payload)).get(3, b"")
            self.send(answer(stream, field(1, len(data))))
        elif request.method == "GetOOMEvent":
            pass
        else:
            self.send(answer(stream))
            if request.method in ("SignalProcess", "DestroySandbox"):
                self.end_processes()
