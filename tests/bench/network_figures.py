# SPDX-License-Identifier: LGPL-2.1-or-later
"""net-start, net-rescan: what a sandbox's network costs the host, on libvirt's test driver.
net-tcp, net-echo: what goes through the redirection of model tcfilter, and through a
bridge. The world's host is a network namespace of its own."""

import ctypes
import os
import socket
import time

import netns
import tap
from fake_agent import AgentHouse
from report import alternate, ratio_line, value_line
from testdriver import Pending

TOGETHER = 20
STAGES = ("namespace", "scan", "taps", "connect", "addresses")
RESCANS = 20
MANY = 1000             # addresses, and as many routes
STREAM_MIB = 16
ECHOES = 300
DEADLINE = 300
MAC = "02:00:00:00:00:60"
PEER_MAC = "02:00:00:00:00:61"
SUBNET = "10.96.0"
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def make_pod(env, number, mac=MAC):
    """A namespace with one interface, as a plugin of CNI would have it."""
    pod = netns.Pod(env.path("net%d" % number))
    pod.add_veth("net-%d" % number, mac=mac)
    pod.ip("addr", "add", "%s.2/24" % SUBNET, "dev", "eth0")
    pod.ip("route", "add", "default", "via", SUBNET + ".1")
    return pod


# ---- the host's half ------------------------------------------------------------------

def run_host(env, rounds, wanted):
    house = AgentHouse(os.path.join(env.state_dir, "sandboxes"))
    pods = [make_pod(env, number) for number in range(TOGETHER)]
    bundles = [env.bundle(document=netns.document(pod.path, ["sleep", "100000"])) for pod in pods]
    try:
        if "net-start" in wanted:
            starts(env, bundles, rounds or 7)
        if "net-rescan" in wanted:
            rescans(env, pods[0], bundles[0], rounds or 7)
    finally:
        house.stop()
        for pod in pods:
            pod.remove()


def starts(env, bundles, rounds):
    """Milliseconds a sandbox, one after the other and all at once; of these, those of the network."""
    stages = {"alone": [], "together": []}

    def life(how, start):
        sandboxes = [env.manager.create_sandbox("n%d" % number, bundle) for number, bundle in enumerate(bundles)]
        began = time.monotonic()
        start(sandboxes)
        took = time.monotonic() - began
        for sandbox in sandboxes:
            times = dict(sandbox.get("StartStages"))
            stages[how].append(sum(times.get(stage, 0) for stage in STAGES) / 1000)
            sandbox.delete(force=True)
        return took / len(sandboxes) * 1000

    def one_by_one(sandboxes):
        for sandbox in sandboxes:
            sandbox.start()

    def at_once(sandboxes):
        for call in [Pending(sandbox, "Start", "(a{sv})", {}, timeout=DEADLINE) for sandbox in sandboxes]:
            call.result()

    ratio_line("net-start", alternate(rounds, lambda: life("together", at_once), lambda: life("alone", one_by_one)), "ms",
               goal="<=1.3")
    value_line("net-start-stages", stages["alone"], "ms")
    value_line("net-start-stages%d" % TOGETHER, stages["together"], "ms")


def rescans(env, pod, bundle, rounds):
    """Milliseconds of RescanNetwork when nothing has changed: of one address, and of many."""
    sandbox = env.manager.create_sandbox("rescan", bundle)
    sandbox.start()

    def rescan():
        began = time.monotonic()
        for _ in range(RESCANS):
            sandbox.call("RescanNetwork", "(a{sv})", {})
        return (time.monotonic() - began) / RESCANS * 1000

    value_line("net-rescan", [rescan() for _ in range(rounds)], "ms")
    changes = ["addr add 10.%d.%d.1/24 dev eth0\nroute add 172.16.%d.%d/32 via %s.1"
               % (100 + i // 250, i % 250, i // 250, i % 250, SUBNET) for i in range(MANY)]
    netns.run("ip", "-batch", "-", netns=pod.path, data="\n".join(changes) + "\n")
    value_line("net-rescan%d" % MANY, [rescan() for _ in range(rounds)], "ms")
    sandbox.delete(force=True)


# ---- what goes through -----------------------------------------------------------------

class Machine:
    """One guest on one tap. What the tap is joined to is changed under it: the interface of
    the namespace, by redirection, or a bridge in its place, as libvirt's networks are. The
    other end has the same addresses either way; it is `outside` the namespace or within."""

    def __init__(self, env):
        self.pod = make_pod(env, 0)
        self.env = env
        netns.run("ip", "addr", "add", SUBNET + ".1/24", "dev", "net-0")
        sid = env.new_id("n")
        bundle = env.bundle(document=netns.document(self.pod.path, ["sleep", "100000"]))
        self.sandbox = env.manager.create_sandbox(sid, bundle)
        self.sandbox.start()
        self.container = env.manager.container(sid)
        self.container.start()
        self.tap = next(name for name in self.pod.links() if name.startswith("vp"))
        # the guest is to know one address of the other end
        netns.run("ip", "link", "set", "net-0", "address", PEER_MAC)
        self.pod.ip("link", "add", "bridge0", "address", PEER_MAC, "type", "bridge")
        self.bridged = False

    def join(self, bridged):
        if bridged == self.bridged:
            return
        ends = (self.tap, "eth0"), ("eth0", self.tap)
        if bridged:
            for device, _other in ends:
                netns.run("tc", "qdisc", "del", "dev", device, "ingress", netns=self.pod.path)
            self.pod.ip("addr", "flush", "dev", "eth0")
            self.pod.ip("link", "set", self.tap, "master", "bridge0")
            self.pod.ip("addr", "add", SUBNET + ".1/24", "dev", "bridge0")
            self.pod.ip("link", "set", "bridge0", "up")
        else:
            self.pod.ip("link", "set", "bridge0", "down")
            self.pod.ip("addr", "flush", "dev", "bridge0")
            self.pod.ip("link", "set", self.tap, "nomaster")
            self.pod.ip("addr", "add", SUBNET + ".2/24", "dev", "eth0")
            # as the daemon does it
            for device, other in ends:
                netns.run("tc", "qdisc", "add", "dev", device, "ingress", netns=self.pod.path)
                netns.run("tc", "filter", "add", "dev", device, "ingress", "protocol", "all", "prio", "1", "u32",
                          "match", "u32", "0", "0", "action", "mirred", "egress", "redirect", "dev", other,
                          netns=self.pod.path)
        self.bridged = bridged

    def socket(self):
        """One at the other end."""
        if not self.bridged:
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with open("/proc/thread-self/ns/net", "rb") as here, open(self.pod.path, "rb") as there:
            tap.equal(_libc.setns(there.fileno(), CLONE_NEWNET), 0, "setns")
            try:
                return socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            finally:
                tap.equal(_libc.setns(here.fileno(), CLONE_NEWNET), 0, "setns")

    def run(self, script):
        null = os.open(os.devnull, os.O_RDWR)
        try:
            return self.container.exec(["sh", "-c", script], stdout=null, stderr=null)
        finally:
            os.close(null)

    def connect(self, port):
        """Asked again until the guest listens."""
        deadline = time.monotonic() + DEADLINE
        while True:
            sock = self.socket()
            sock.settimeout(DEADLINE)
            try:
                sock.connect((SUBNET + ".2", port))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return sock
            except OSError:
                sock.close()
                tap.check(time.monotonic() < deadline, "nobody listens in the guest")
                time.sleep(0.05)

    def end(self):
        self.sandbox.delete(force=True)
        self.pod.remove()


def receive(sock, count):
    left = count
    while left:
        piece = sock.recv(min(left, 1 << 16))
        tap.check(piece, "the connection ended %d bytes early" % left)
        left -= len(piece)


def from_guest(machine, bridged):
    """MiB/s of a stream"""
    machine.join(bridged)
    with machine.socket() as server:
        server.settimeout(DEADLINE)
        server.bind((SUBNET + ".1", 0))
        server.listen(1)
        sender = machine.run("nc %s.1 %d -e sh -c 'read word; head -c %dm /dev/zero'"
                             % (SUBNET, server.getsockname()[1], STREAM_MIB))
        connection, _peer = server.accept()
    with connection:
        connection.settimeout(DEADLINE)
        began = time.monotonic()
        connection.sendall(b"go\n")
        receive(connection, STREAM_MIB << 20)
        took = time.monotonic() - began
    sender.wait()
    return STREAM_MIB / took


def to_guest(machine, bridged):
    """The same the other way, until the guest says that it has all."""
    machine.join(bridged)
    listener = machine.run("nc -l -p 7001 -e sh -c 'head -c %dm >/dev/null; echo'" % STREAM_MIB)
    with machine.connect(7001) as connection:
        began = time.monotonic()
        connection.sendall(bytes(STREAM_MIB << 20))
        receive(connection, 1)
        took = time.monotonic() - began
    listener.wait()
    return STREAM_MIB / took


def echoes(machine, bridged):
    """Questions of 64 bytes that are answered, a second"""
    machine.join(bridged)
    listener = machine.run("nc -l -p 7002 -e cat")
    question = bytes(64)
    with machine.connect(7002) as connection:
        connection.sendall(question)
        receive(connection, len(question))
        began = time.monotonic()
        for _ in range(ECHOES):
            connection.sendall(question)
            receive(connection, len(question))
        took = time.monotonic() - began
    listener.wait()
    return ECHOES / took


def run_guest(env, rounds, wanted):
    machine = Machine(env)
    try:
        for name, figure, unit, measure in (("net-tcp", "net-tcp-out", "MiB/s", from_guest),
                                            ("net-tcp", "net-tcp-in", "MiB/s", to_guest),
                                            ("net-echo", "net-echo", "/s", echoes)):
            if name in wanted:
                measure(machine, False)
                ratio_line(figure, alternate(rounds or 7, lambda m=measure: m(machine, False),
                                             lambda m=measure: m(machine, True)), unit, goal=">=0.95")
    finally:
        machine.end()
