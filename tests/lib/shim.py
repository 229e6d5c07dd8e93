# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd-shim-virtpod-v2 as containerd calls it: its verbs for bundles, and the
services at its socket, by a ttrpc client that shares no code with it."""

import json
import os
import socket
import subprocess

import tap
from env import program, srcdir
from tap import equal
from ttrpc_client import CODES, HEADER, REQUEST, RESPONSE, Messages

SHIM = "containerd-shim-virtpod-v2"
RUN = "/run/containerd"
TASK = "containerd.task.v2.Task"
SANDBOX = "containerd.runtime.sandbox.v1.Sandbox"


class Shims:
    """Bundles below a directory, and the shim's verbs for them."""

    dir = messages = None

    def open(self, path, address):
        """Below @path, which there is; the mount namespace is the caller's own. @address: of the bus."""
        os.makedirs(RUN, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", RUN], check=True)
        self.dir = path
        self.logs = {}
        self.extra = {}
        self.environment = {"PATH": os.environ["PATH"], "VIRTPOD_BUS_ADDRESS": address}
        merged = os.path.join(self.dir, "protos")
        os.mkdir(merged)
        for folder in ("lib/wire", "clients/shim"):
            folder = os.path.join(srcdir, folder)
            for name in os.listdir(folder):
                if name.endswith(".proto"):
                    os.symlink(os.path.join(folder, name), os.path.join(merged, name))
        self.messages = Messages(merged)

    def close(self):
        for fd in self.logs.values():
            os.close(fd)
        self.logs.clear()
        subprocess.run(["umount", "--lazy", RUN], stderr=subprocess.DEVNULL, check=False)

    def directory(self, name):
        """That of a bundle as containerd makes one, without config.json."""
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.join(path, "rootfs"))
        os.mkfifo(os.path.join(path, "log"))
        self.logs[name] = os.open(os.path.join(path, "log"), os.O_RDWR | os.O_NONBLOCK)
        return path

    def bundle(self, name, annotations=None):
        path = self.directory(name)
        with open(os.path.join(path, "config.json"), "w", encoding="ascii") as f:
            json.dump({"ociVersion": "1.0.2", "annotations": annotations or {}}, f)
        return path

    def begin(self, verb, name, bundle, *options):
        return subprocess.Popen([program(SHIM), "-namespace", "test", "-address", "", "-id", name, *options, verb],
                                cwd=bundle, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env={**self.environment, **self.extra})

    def call(self, verb, name, bundle, *options, stdin=b""):
        process = self.begin(verb, name, bundle, *options)
        out, err = process.communicate(stdin, timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def serve(self, name, bundle, stdin=b""):
        """Path of the socket, of a shim that is started as an old containerd does it."""
        done = self.call("start", name, bundle, stdin=stdin)
        equal((done.returncode, done.stderr), (0, b""), "start")
        with open(os.path.join(bundle, "address"), "rb") as f:
            equal(f.read(), done.stdout, "address file")
        tap.match(done.stdout.decode(), "^unix:///run/containerd/s/[0-9a-z-]+$", "address")
        return done.stdout.decode()[len("unix://"):]

    def launch(self, name, annotations=None):
        """The same, of a new bundle."""
        return self.serve(name, self.bundle(name, annotations))

    def said(self, name):
        """What has come to the log of a bundle since it was asked for last."""
        try:
            return os.read(self.logs[name], 65536).decode()
        except BlockingIOError:
            return ""

    def pid(self, path):
        answer = Connection(path, self.messages).raw(TASK, "Connect", b"")
        return self.messages["task.ConnectResponse"].FromString(answer.payload).shim_pid

    @staticmethod
    def sockets():
        return os.listdir(RUN + "/s") if os.path.isdir(RUN + "/s") else []


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__("%s: %s" % (code, text))
        self.code = code
        self.text = text


class Connection:
    def __init__(self, path, messages):
        self.messages = messages
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(240)
        self.socket.connect(path)
        self.stream = -1

    def send(self, service, method, payload):
        request = self.messages["ttrpc.Request"](service=service, method=method, payload=payload).SerializeToString()
        self.stream += 2
        self.socket.sendall(HEADER.pack(len(request), self.stream, REQUEST, 0) + request)

    def receive(self):
        """The answer to what was sent: one at a time."""
        length, stream, kind, _ = HEADER.unpack(self.take(HEADER.size))
        equal((stream, kind), (self.stream, RESPONSE), "answer")
        return self.messages["ttrpc.Response"].FromString(self.take(length))

    def raw(self, service, method, payload):
        self.send(service, method, payload)
        return self.receive()

    def result(self, answer):
        """What a call was answered with, as the message @answer; Refused if it failed."""
        response = self.receive()
        if response.status.code != 0:
            raise Refused(CODES[response.status.code], response.status.message)
        return self.messages[answer].FromString(response.payload)

    def ask(self, service, method, message, answer="google.protobuf.Empty", **fields):
        self.send(service, method, self.messages[message](**fields).SerializeToString())
        return self.result(answer)

    def take(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def code(self, method, message, service=TASK, **fields):
        """Name of the code, and the text, that a request is answered with."""
        payload = message if isinstance(message, bytes) else self.messages["task." + message](**fields).SerializeToString()
        status = self.raw(service, method, payload).status
        return CODES[status.code], status.message

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
