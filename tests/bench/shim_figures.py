# SPDX-License-Identifier: LGPL-2.1-or-later
"""P9, P25: memory and start of containerd's shim, beside runc's."""

import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import env as environment
import host
from report import alternate, note, ratio_line, value_line

OURS = "containerd-shim-virtpod-v2"
THEIRS = "containerd-shim-runc-v2"
RUN = "/run/containerd"


def field(number, data):
    """A string or bytes of a message; of less than 16384 bytes."""
    length = bytes([len(data)]) if len(data) < 128 else bytes([len(data) & 0x7f | 0x80, len(data) >> 7])
    return bytes([number << 3 | 2]) + length + data


def call(address, method, request):
    """The payload of the answer to a call of the Task service, which must be a success."""
    message = field(1, b"containerd.task.v2.Task") + field(2, method.encode()) + field(3, request)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(120)
        connection.connect(address)
        connection.sendall(struct.pack(">IIBB", len(message), 1, 1, 0) + message)
        answer = b""
        while len(answer) < 10 or len(answer) < 10 + struct.unpack(">I", answer[:4])[0]:
            piece = connection.recv(4096)
            if not piece:
                raise EOFError(method)
            answer += piece
    answer = answer[10:]
    # Response.payload is field 2, short here; a status (field 1) comes before it and may be empty
    if answer[:2] == b"\x0a\x00":
        answer = answer[2:]
    if answer[:1] not in (b"", b"\x12"):
        raise RuntimeError("%s: %r" % (method, answer))
    return answer[2:]


def shim_pid(address, name):
    """What its Connect() says, the one number of which that matters is the first field."""
    payload = call(address, "Connect", field(1, name.encode()))
    if payload[:1] != b"\x08":
        raise RuntimeError("Connect: %r" % payload)
    value = shift = 0
    for byte in payload[1:]:
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value
        shift += 7
    raise RuntimeError("Connect: %r" % payload)


def private_run():
    """The sockets of shims are nobody else's."""
    host.own_mount_namespace()
    os.makedirs(RUN, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", RUN], check=True)


def start_shim(program, bundle, name, **variables):
    """Runs start in a bundle; the path of the socket."""
    fifo = os.path.join(bundle, "log")
    if not os.path.exists(fifo):
        os.mkfifo(fifo)
    os.open(fifo, os.O_RDWR)    # stays: runc's shim waits for a reader before it answers
    done = subprocess.run([program, "-namespace", "bench", "-address", "", "-publish-binary", "", "-id", name, "start"],
                          cwd=bundle, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, TTRPC_ADDRESS=os.path.join(bundle, "none"), GOMAXPROCS="2", **variables))
    return done.stdout.decode().strip()[len("unix://"):]


def start(program, directory, name):
    """Starts a shim; milliseconds until it has printed its address, and its KiB when it has answered a call."""
    bundle = os.path.join(directory, name)
    os.makedirs(os.path.join(bundle, "rootfs"))
    os.mkfifo(os.path.join(bundle, "log"))
    with open(os.path.join(bundle, "config.json"), "w", encoding="ascii") as f:
        json.dump({"ociVersion": "1.0.2"}, f)
    begin = time.monotonic()
    address = start_shim(program, bundle, name)
    took = time.monotonic() - begin
    pid = shim_pid(address, name)
    resident = host.resident_kib(pid)
    os.kill(pid, signal.SIGKILL)
    return took * 1000, resident


def run(rounds):
    theirs = shutil.which(THEIRS)
    if theirs is None:
        note("P9 and P25 need " + THEIRS)
        return
    private_run()
    with tempfile.TemporaryDirectory() as directory:
        count = iter(range(1 << 30))
        pairs = alternate(rounds, lambda: start(environment.program(OURS), directory, "a%d" % next(count)),
                          lambda: start(theirs, directory, "b%d" % next(count)))
    value_line("P9", [ours[1] for ours, _ in pairs], "KiB", goal="<=2048",
               runc="%.0fKiB" % sorted(other[1] for _, other in pairs)[len(pairs) // 2])
    ratio_line("P25", [(ours[0], other[0]) for ours, other in pairs], "ms", goal="<=0.35")
