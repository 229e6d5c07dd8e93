# SPDX-License-Identifier: LGPL-2.1-or-later
"""TCP ports of guests: servers in there, who connects from a network namespace, and what the
kernel has in one for that."""

import ctypes
import os
import socket
import struct
import threading

import fake_agent
import netns
import tap

TIMEOUT = 60

# virtpod:connect as an agent has it, in a guest whose network is this host's
CONNECT = """#!/usr/bin/python3 -IS
import os, socket, sys, threading
try:
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
except OSError:
    sys.stderr.write("port %s: nobody listens on it\\n" % sys.argv[1])
    sys.exit(2)
os.write(1, b"+")
def up():
    piece = os.read(0, 65536)
    while piece:
        peer.sendall(piece)
        piece = os.read(0, 65536)
    peer.shutdown(socket.SHUT_WR)
threading.Thread(target=up).start()
piece = peer.recv(65536)
while piece:
    os.write(1, piece)
    piece = peer.recv(65536)
os.close(1)
"""


def serve_connect(env):
    """Agents of @env have it."""
    script = env.path("connect")
    with open(script, "w", encoding="ascii") as f:
        f.write(CONNECT)
    os.chmod(script, 0o755)
    fake_agent.PROGRAMS["virtpod:connect"] = script


class Server:
    """What listens in the guest: gives back what it gets, and says when that has ended."""

    def __init__(self, echo=True):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(TIMEOUT)
        self.port = self.socket.getsockname()[1]
        self.ended = []
        if echo:
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(peer,), daemon=True).start()

    def echo(self, peer):
        with peer:
            piece = peer.recv(65536)
            while piece:
                peer.sendall(piece)
                piece = peer.recv(65536)
            peer.sendall(b" end")
            self.ended.append(True)

    def accept(self):
        peer, _ = self.socket.accept()
        peer.settimeout(TIMEOUT)
        return peer

    def close(self):
        # whoever waits in accept () would keep it
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def receive(sock, size=None):
    """@size bytes, or all until the end."""
    data = b""
    while size is None or len(data) < size:
        piece = sock.recv(1 << 20)
        if not piece:
            break
        data += piece
    return data


# ---- in a network namespace -------------------------------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def within(path, func):
    """What @func () returns, called by a thread that is in the namespace at @path."""
    outcome = {}

    def run():
        fd = os.open(path, os.O_RDONLY)
        try:
            if _libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            outcome["value"] = func()
        except BaseException as error:
            outcome["error"] = error
        finally:
            os.close(fd)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def dial(path, port, host="127.0.0.1"):
    """A connection made in the namespace at @path."""
    return within(path, lambda: socket.create_connection((host, port), TIMEOUT))


def listeners(path):
    """How many TCP sockets listen in the namespace at @path."""
    text = netns.run("cat", "/proc/net/tcp", "/proc/net/tcp6", netns=path)
    return sum(line.split()[3] == "0A" for line in text.splitlines())


SYS_BPF = {"x86_64": 321, "aarch64": 280}
BPF_OBJ_GET_INFO_BY_FD, BPF_LINK_GET_FD_BY_ID, BPF_LINK_GET_NEXT_ID = 15, 30, 31
BPF_LINK_TYPE_NETNS = 5


def _bpf(command, data):
    """The attributes as the kernel leaves them, and its answer; None where there is no such thing."""
    attributes = ctypes.create_string_buffer(data, 128)
    answer = _libc.syscall(SYS_BPF[os.uname().machine], command, attributes, 128)
    return (None if answer < 0 else answer), attributes.raw


def links(path):
    """How many programs are attached to the namespace at @path by a link."""
    inode = os.stat(path).st_ino
    number = found = 0
    while True:
        answer, data = _bpf(BPF_LINK_GET_NEXT_ID, struct.pack("II", number, 0))
        if answer is None:
            return found
        number = struct.unpack_from("I", data, 4)[0]
        fd, _ = _bpf(BPF_LINK_GET_FD_BY_ID, struct.pack("I", number))
        if fd is None:
            continue    # it has gone meanwhile
        info = ctypes.create_string_buffer(128)
        answer, _ = _bpf(BPF_OBJ_GET_INFO_BY_FD, struct.pack("IIQ", fd, 128, ctypes.addressof(info)))
        os.close(fd)
        if answer is not None:
            # struct bpf_link_info: type, id, program, and of this type the inode
            kind, _, _, _, owner = struct.unpack_from("IIIII", info.raw)
            found += kind == BPF_LINK_TYPE_NETNS and owner == inode


def steers():
    """Whether this kernel, and who this is, can have such programs (sk_lookup, Linux 5.9)."""
    # r0 = 1; exit
    code = ctypes.create_string_buffer(struct.pack("BBhiBBhi", 0xb7, 0, 0, 1, 0x95, 0, 0, 0))
    licence = ctypes.create_string_buffer(b"LGPL")
    fd, _ = _bpf(5, struct.pack("IIQQIIQII16sII", 30, 2, ctypes.addressof(code), ctypes.addressof(licence), 0, 0, 0, 0, 0,
                                b"probe", 0, 36))
    if fd is None:
        return False
    os.close(fd)
    return True


def require_steering():
    if not steers():
        tap.skip_all("the kernel has no sk_lookup, or does not allow it")


# A filter of system calls (seccomp): bpf () is EPERM, as in a service that is not allowed to.
WITHOUT_BPF = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
code = ctypes.create_string_buffer(struct.pack("HBBI" * 4, 0x20, 0, 0, 0, 0x15, 0, 1, int(sys.argv[1]),
                                               6, 0, 0, 0x00050001, 6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", 4, ctypes.addressof(code)))
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
    sys.exit("prctl: %s" % os.strerror(ctypes.get_errno()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def without_bpf(command):
    """The same command for a process that may not call bpf ()."""
    return ["/usr/bin/python3", "-c", WITHOUT_BPF, str(SYS_BPF[os.uname().machine]), *command]
