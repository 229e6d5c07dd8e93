#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network without set-up by passt, where libvirt has it. The host is a network namespace
of this program: a way out on which nobody is, and a name server on its loopback device."""

import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import netns
import tap
from env import Env
from tap import check, equal, eventually, match

GATEWAY, RESOLVER, ANSWER = "192.0.2.1", "127.0.0.53", "198.51.100.99"
SIZE = 1 << 20
DEADLINE = 120    # seconds, for what takes moments on a quiet machine


def check_row(env):
    """What `virtpod check` says of it: (status, text)."""
    rows = env.manager.call("Check", "(a{sv})", {})
    return next(row for row in rows if row[0] == "user-network")[1:3]


def require_passt(env):
    _status, text = check_row(env)
    if not text.startswith("passt"):
        raise tap.Skip(text)


def passts():
    """Those that our libvirt has started."""
    return {pid for pid, entry in host.family().items() if entry[2].startswith("passt ") and "/passt/" in entry[2]}


def answer_names(server):
    """Each question for an address is answered with ANSWER, until the socket is closed."""
    while True:
        try:
            query, peer = server.recvfrom(512)
        except OSError:
            return
        end = query.index(b"\0", 12) + 5
        wanted = query[end - 4:end - 2] == b"\0\1"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(ANSWER) if wanted else b""
        server.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([len(record) > 0]) + b"\0\0\0\0" + query[12:end] + record, peer)


def receive(connection, n):
    data = bytearray()
    while len(data) < n:
        piece = connection.recv(n - len(data))
        check(piece, "the connection ended after %d of %d bytes" % (len(data), n))
        data += piece
    return bytes(data)


def feed(stream, data, close):
    stream.write(data)
    stream.flush()
    if close:
        stream.close()


def exchange(env, name, half=False):
    """Bytes both ways between the container and a server on the host's loopback device.
    @half: the container closes its own direction before it is sent any."""
    up, down = os.urandom(SIZE), os.urandom(SIZE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        runner = subprocess.Popen(env.client("exec", "-i", name, "nc", GATEWAY, str(server.getsockname()[1])),
                                  env=env.client_env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        writer = threading.Thread(target=feed, args=(runner.stdin, up, half), daemon=True)
        writer.start()
        connection, _peer = server.accept()
        with connection:
            connection.settimeout(DEADLINE)
            got = receive(connection, SIZE)
            check(not half or connection.recv(1) == b"", "the container's direction is not closed")
            connection.sendall(down)
            came = runner.stdout.read(SIZE)
        writer.join()
        if not half:
            runner.stdin.close()
        status = runner.wait(timeout=DEADLINE)
        runner.stdout.close()
    equal(status, 0, "status")
    check(got == up, "what the container sent came otherwise")
    check(came == down, "what the host sent came otherwise: %d of %d bytes" % (len(came), SIZE))


def test_check(env):
    """virtpod check says who sends the packets, or why passt cannot, or what is wrong with this one"""
    status, text = check_row(env)
    match(text, "^passt, by up0$" if status == "ok" else "^(passt, by up0|network.user-backend=passt): ", "who")


def test_run(env):
    """virtpod run --network user: addresses and names of the host, bytes both ways"""
    require_passt(env)
    path = env.bundle(["sleep", "100000"])
    done = env.virtpod("run", "--detach", "--network", "user", "--bundle", path, "one")
    equal((done.returncode, done.stderr), (0, b""), "status and messages")
    equal(len(passts()), 1, "number of passts")
    out = env.virtpod("exec", "one", "sh", "-c", "cat /etc/resolv.conf; ip addr show eth0; ip route; "
                      "nslookup host.example").stdout.decode()
    for wanted in ("nameserver " + GATEWAY, "10.0.2.15/24", "default via " + GATEWAY, ANSWER):
        match(out, wanted.replace(".", "\\."), "network of the guest")
    exchange(env, "one")


def test_half_closed(env):
    """nothing is lost of what is sent to a guest that has closed its own direction"""
    require_passt(env)
    status, text = check_row(env)
    if status != "ok":
        raise tap.Skip(text)
    for _turn in range(5):
        exchange(env, "one", half=True)


def leave_one(env):
    """A passt as libvirt starts it, to which no hypervisor comes."""
    directory = env.path("libvirt/run/qemu/passt")
    name = os.path.join(directory, "4711-vp-nobody-net0")
    subprocess.run(["passt", "--quiet", "--one-off", "--socket", name + ".socket", "--pid", name + "-passt.pid"],
                   check=True, stderr=subprocess.DEVNULL, timeout=DEADLINE)
    with open(name + "-passt.pid", encoding="ascii") as f:
        return int(f.read())


def test_daemon_killed(env):
    """the daemon killed: the connection to the world lives, and what nobody uses goes"""
    require_passt(env)
    before = passts()
    left = leave_one(env) if env.flavour == "embed" else None
    env.stop_daemon(kill=True)
    env.start_daemon()
    if left is not None:
        eventually(lambda: left not in host.process_table(), "the end of the passt that nobody uses")
    eventually(lambda: env.manager.sandbox("one").get("State") == "ready", "the sandbox")
    equal(passts(), before, "passts")
    exchange(env, "one")


def test_delete(env):
    """it goes with the machine"""
    require_passt(env)
    env.manager.sandbox("one").delete(force=True)
    eventually(lambda: not passts(), "the end of passt")


def test_machine_killed(env):
    """it goes when the machine is killed, too"""
    require_passt(env)
    path = env.bundle(["sleep", "100000"])
    done = env.virtpod("run", "--detach", "--network", "user", "--bundle", path, "two")
    equal((done.returncode, done.stderr), (0, b""), "status and messages")
    (pid,) = (pid for pid, entry in host.family().items() if "guest=vp-two-" in entry[2])
    os.kill(pid, 9)
    eventually(lambda: not passts(), "the end of passt")
    eventually(lambda: env.manager.sandbox("two").get("State") != "ready", "the end of the sandbox")
    env.manager.sandbox("two").delete(force=True)


def test_nothing_left(env):
    """nothing is left of it"""
    env.no_leaks(Shared.before)


class Shared:
    before = None


class PasstEnv(Env):
    def start(self):
        host.own_network_namespace()
        for command in ("link set lo up", "link add up0 type veth peer name up1", "link set up0 up", "link set up1 up",
                        "addr add 192.0.2.2/24 dev up0", "route add default via " + GATEWAY):
            netns.run("ip", *command.split())
        self.names = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.names.bind((RESOLVER, 53))
        threading.Thread(target=answer_names, args=(self.names,), daemon=True).start()
        super().start()
        with open(self.path("resolv.conf"), "w", encoding="ascii") as f:
            f.write("nameserver %s\n" % RESOLVER)
        netns.run("mount", "--bind", self.path("resolv.conf"), "/etc/resolv.conf")
        Shared.before = self.snapshot()

    def stop(self):
        self.names.close()
        super().stop()


TESTS = [test_check, test_run, test_half_closed, test_daemon_killed, test_delete, test_machine_killed, test_nothing_left]

if __name__ == "__main__":
    ENV = PasstEnv(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"), options=["--set", "agent.connect-timeout-ms=240000",
                                                                                     "--set", "network.user-backend=passt"])
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
