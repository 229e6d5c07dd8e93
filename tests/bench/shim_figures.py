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
    return bytes([number << 3 | 2, len(data)]) + data


def shim_pid(address, name):
    """What its Connect() says, the one number of which that matters is the first field."""
    request = field(1, b"containerd.task.v2.Task") + field(2, b"Connect") + field(3, field(1, name.encode()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(60)
        connection.connect(address)
        connection.sendall(struct.pack(">IIBB", len(request), 1, 1, 0) + request)
        answer = b""
        while len(answer) < 10 or len(answer) < 10 + struct.unpack(">I", answer[:4])[0]:
            answer += connection.recv(4096)
    # Response.payload (field 2) begins with ConnectResponse.shim_pid (field 1, a varint)
    at = answer.index(b"\x08", answer.index(b"\x12", 10)) + 1
    value = shift = 0
    while True:
        value |= (answer[at] & 0x7f) << shift
        if answer[at] < 0x80:
            return value
        at, shift = at + 1, shift + 7


def start(program, directory, name):
    """Starts a shim; seconds until it has printed its address, and its KiB when it has answered a call."""
    bundle = os.path.join(directory, name)
    os.makedirs(os.path.join(bundle, "rootfs"))
    os.mkfifo(os.path.join(bundle, "log"))
    log = os.open(os.path.join(bundle, "log"), os.O_RDWR)
    with open(os.path.join(bundle, "config.json"), "w", encoding="ascii") as f:
        json.dump({"ociVersion": "1.0.2"}, f)
    begin = time.monotonic()
    done = subprocess.run([program, "-namespace", "bench", "-address", "", "-publish-binary", "", "-id", name, "start"],
                          cwd=bundle, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                          env=dict(os.environ, TTRPC_ADDRESS=os.path.join(directory, "none"), GOMAXPROCS="2"))
    took = time.monotonic() - begin
    pid = shim_pid(done.stdout.decode().strip()[len("unix://"):], name)
    resident = host.resident_kib(pid)
    os.kill(pid, signal.SIGKILL)
    os.close(log)
    return took * 1000, resident


def run(rounds):
    theirs = shutil.which(THEIRS)
    if theirs is None:
        note("P9 and P25 need " + THEIRS)
        return
    host.own_mount_namespace()
    os.makedirs(RUN, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", RUN], check=True)
    with tempfile.TemporaryDirectory() as directory:
        count = iter(range(1 << 30))
        pairs = alternate(rounds, lambda: start(environment.program(OURS), directory, "a%d" % next(count)),
                          lambda: start(theirs, directory, "b%d" % next(count)))
    value_line("P9", [ours[1] for ours, _ in pairs], "KiB", goal="<=2048",
               runc="%.0fKiB" % sorted(other[1] for _, other in pairs)[len(pairs) // 2])
    ratio_line("P25", [(ours[0], other[0]) for ours, other in pairs], "ms", goal="<=0.35")
