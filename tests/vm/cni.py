#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: measures a rate
"""What CNI's plugins beyond bridge set up is what the guest has: ptp, macvlan, portmap, several
interfaces, small and large frames, names; and limits of their rate. The host is a network
namespace of this program."""

import hashlib
import os
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import cni
import host
import netns
import tap
from env import Env
from netns import Pod
from tap import check, equal, match

MEGABYTES = int(os.environ.get("VIRTPOD_TEST_NETWORK_MEGABYTES", "4"))
DEADLINE = 240    # seconds, for what takes moments on a quiet machine
PTP, MACVLAN, BRIDGE = "10.81.0", "10.82.0", "10.83.0"
MTUS = {"eth0": 9000, "net1": 1500, "net2": 1400}
PORT = 8081       # of the host, that portmap leads to 7000 of the guest
MODEL = "io.katacontainers.config.runtime.internetworking_model"
RATE = "io.katacontainers.config.hypervisor.%s_rate_limiter_max_rate"
LIMIT = 4000000   # bit/s: far below what an emulated machine can do
LIMITED = 3 << 20 # bytes


class Shared:
    """The machine of all tests but one."""

    machine = None


class Machine:
    """A pod of several networks, and a sandbox in it."""

    def __init__(self, env, name, make_networks, annotations=None):
        self.env = env
        self.id = name
        self.pod = Pod(env.path(name + ".netns"))
        self.networks = []
        for network in make_networks(env, self):
            self.networks.append(network.add())
        resolv = env.path(name + ".resolv")
        with open(resolv, "w", encoding="ascii") as f:
            f.write("nameserver %s.1\n" % PTP)
        document = netns.document(self.pod.path, ["sleep", "100000"], annotations=annotations or {})
        document["mounts"].append({"destination": "/etc/resolv.conf", "type": "bind", "source": resolv,
                                   "options": ["bind", "ro"]})
        for kind in document["process"]["capabilities"]:
            document["process"]["capabilities"][kind] = ["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"]
        self.sandbox = env.manager.create_sandbox(name, env.bundles.make(document=document))
        self.sandbox.start()
        env.manager.container(name).start()

    def popen(self, script, stdin=subprocess.DEVNULL):
        return subprocess.Popen(self.env.client("exec", "-i", self.id, "sh", "-c", script), env=self.env.client_env(),
                                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, script):
        """Output of a shell in the container."""
        return collect(self.popen(script))

    def remove(self):
        self.sandbox.delete(force=True)
        for network in self.networks:
            network.remove()
        self.pod.remove()


def collect(process):
    out, err = process.communicate(timeout=DEADLINE)
    if process.returncode != 0:
        raise tap.Failure("status %d: %s%s" % (process.returncode, tap.short(out), tap.short(err)))
    return out.decode()


def connect(address, port):
    """Asked again until somebody listens."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return socket.create_connection((address, port), DEADLINE)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def receive(connection, n=None):
    """@n bytes, or all until the other end is done."""
    data = bytearray()
    while n is None or len(data) < n:
        piece = connection.recv(1 << 16)
        if not piece:
            break
        data += piece
    check(n is None or len(data) == n, "%d bytes came" % len(data))
    return bytes(data)


def serve_names(address):
    """host.test is @address, and nothing else is known."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))

    def serve():
        while True:
            query, peer = server.recvfrom(512)
            end = query.index(b"\0", 12) + 5
            known = query[12:end - 4] == b"\4host\4test\0"
            answer = b""
            if known and query[end - 4:end - 2] == b"\0\1":
                answer = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton(address)
            header = query[:2] + struct.pack("!HHHHH", 0x8180 if known else 0x8183, 1, bool(answer), 0, 0)
            server.sendto(header + query[12:end] + answer, peer)

    threading.Thread(target=serve, daemon=True).start()


def several(env, machine):
    """Three kinds of interfaces, and a port of the host that leads to the first."""
    directory = env.path("ipam")
    # what a macvlan is on: a cable, the other end of which is the host's
    netns.run("ip", "link", "add", "cable0", "type", "veth", "peer", "name", "cable1")
    netns.run("ip", "addr", "add", MACVLAN + ".1/24", "dev", "cable1")
    for name in ("cable0", "cable1"):
        netns.run("ip", "link", "set", name, "up")
    yield cni.Network(machine.id, machine.pod, "eth0",
                      {"type": "ptp", "mtu": MTUS["eth0"], "ipam": cni.host_local(directory, PTP + ".0/24", PTP + ".1",
                                                                                  ["0.0.0.0/0"])},
                      {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
                      runtime={"portMappings": [{"hostPort": PORT, "containerPort": 7000, "protocol": "tcp"}]})
    yield cni.Network(machine.id, machine.pod, "net1",
                      {"type": "macvlan", "master": "cable0", "mode": "bridge", "mtu": MTUS["net1"],
                       "ipam": cni.host_local(directory, MACVLAN + ".0/24", MACVLAN + ".1")})
    yield cni.Network(machine.id, machine.pod, "net2",
                      {"type": "bridge", "bridge": "cnitest0", "isGateway": True, "mtu": MTUS["net2"],
                       "ipam": cni.host_local(directory, BRIDGE + ".0/24", BRIDGE + ".1")})


def single(env, machine):
    yield cni.Network(machine.id, machine.pod, "eth0",
                      {"type": "ptp", "ipam": cni.host_local(env.path("ipam-of-one"), PTP + ".0/24", PTP + ".1",
                                                             ["0.0.0.0/0"])})


def the_machine():
    check(Shared.machine is not None, "the machine was not started")
    return Shared.machine


def test_start(env):
    """a sandbox with interfaces of ptp with portmap, macvlan and bridge"""
    Shared.machine = Machine(env, "many", several)
    serve_names(PTP + ".1")


def test_interfaces(env):
    """each has its name, hardware address, address, MTU; the routes are those of the namespace"""
    machine = the_machine()
    for network in machine.networks:
        link = machine.run("ip link show %s; ip addr show %s" % (network.name, network.name))
        for wanted in (network.mac, "mtu %d " % MTUS[network.name], network.address + "/24", "LOWER_UP"):
            match(link, wanted, network.name)
    routes = machine.run("ip route")
    match(routes, "default via %s.1 dev eth0" % PTP, "routes")


def test_frames(env):
    """the host answers frames as large as each network has, and no piece of a larger one is made on the way"""
    machine = the_machine()
    for network, gateway in zip(machine.networks, (PTP, MACVLAN, BRIDGE)):
        size = MTUS[network.name] - 28
        machine.run("for i in $(seq 60); do ping -c 1 -W 2 -s %d %s.1 && exit 0; sleep 1; done; exit 1" % (size, gateway))
        before = counter("ReasmOKs")
        machine.run("ping -c 1 -W 30 -s %d %s.1" % (size, gateway))
        equal(counter("ReasmOKs"), before, "packets of pieces on " + network.name)
        machine.run("ping -c 1 -W 30 -s %d %s.1" % (size + 1, gateway))
        check(counter("ReasmOKs") > before, "a larger one came in one piece on " + network.name)


def counter(name):
    """Of the host's IPv4."""
    with open("/proc/thread-self/net/snmp", encoding="ascii") as f:
        rows = [line.split() for line in f if line.startswith("Ip:")]
    return int(dict(zip(*rows))[name])


def check_bytes(machine, network, gateway):
    """From the guest to the host, then back."""
    data = os.urandom(MEGABYTES << 20)
    with socket.create_server((gateway + ".1", 0)) as server:
        server.settimeout(DEADLINE)
        sender = machine.popen("head -c %dm /dev/urandom >/tmp/data && sha256sum </tmp/data && "
                               "nc %s.1 %d </tmp/data | sha256sum" % (MEGABYTES, gateway, server.getsockname()[1]))
        connection, peer = server.accept()
        equal(peer[0], network.address, "who calls by " + network.name)
        with connection:
            connection.settimeout(DEADLINE)
            begin = time.monotonic()
            got = receive(connection, len(data))
            half = time.monotonic()
            connection.sendall(data)
    equal([line.split()[0] for line in collect(sender).splitlines()],
          [hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest()], "sums on " + network.name)
    print("# %s: %.1f MiB/s from the guest" % (network.name, MEGABYTES / (half - begin)))


def test_bytes(env):
    """bytes both ways on each interface"""
    for network, gateway in zip(the_machine().networks, (PTP, MACVLAN, BRIDGE)):
        check_bytes(the_machine(), network, gateway)


def test_port(env):
    """a port of the host that portmap leads to the guest"""
    machine = the_machine()
    listener = machine.popen("nc -l -p 7000 -e sh -c 'read line; echo answer to $line'")
    with connect(PTP + ".1", PORT) as connection:
        connection.settimeout(DEADLINE)
        connection.sendall(b"question\n")
        equal(receive(connection), b"answer to question\n", "what came back")
    collect(listener)


def test_names(env):
    """names are looked up by the bundle's resolv.conf"""
    machine = the_machine()
    match(machine.run("ping -c 1 -W 30 host.test"), r"PING host\.test \(%s\.1\)" % PTP.replace(".", r"\."), "ping")
    match(machine.run("nslookup host.test"), PTP + ".1", "nslookup")


def test_delete(env):
    """what the plugins made is as they left it"""
    machine = the_machine()
    machine.sandbox.delete(force=True)
    equal((sorted(machine.pod.links()), machine.pod.qdiscs(), host.interfaces()),
          (sorted(["lo"] + [network.name for network in machine.networks]), [], []), "links and disciplines of the namespace, taps of the host")
    for network in machine.networks:
        network.remove()
    machine.pod.remove()
    Shared.machine = None


def test_macvtap(env):
    """the same by a macvtap device: the guest has what the namespace had, bytes both ways, nothing left"""
    machine = Machine(env, "macvtap", single, {MODEL: "macvtap"})
    Shared.machine = machine
    link = machine.run("ip link show eth0; ip addr show eth0")
    for wanted in (machine.networks[0].mac, machine.networks[0].address + "/24", "LOWER_UP"):
        match(link, wanted, "eth0")
    check_bytes(machine, machine.networks[0], PTP)
    test_delete(env)


def rate_to_guest(machine):
    """bit/s, from the first byte sent until the guest says it has the last"""
    listener = machine.popen("nc -l -p 7001 -e sh -c 'head -c %d >/dev/null; echo done'" % LIMITED)
    with connect(machine.networks[0].address, 7001) as connection:
        connection.settimeout(DEADLINE)
        begin = time.monotonic()
        connection.sendall(bytes(LIMITED))
        equal(receive(connection, 5), b"done\n", "the guest's answer")
        took = time.monotonic() - begin
    collect(listener)
    return LIMITED * 8 / took


def rate_from_guest(machine):
    """bit/s, from when the guest is told to send until the last byte is here"""
    with socket.create_server((PTP + ".1", 0)) as server:
        server.settimeout(DEADLINE)
        sender = machine.popen("nc %s.1 %d -e sh -c 'read word; head -c %d /dev/zero'"
                               % (PTP, server.getsockname()[1], LIMITED))
        connection, _peer = server.accept()
        with connection:
            connection.settimeout(DEADLINE)
            begin = time.monotonic()
            connection.sendall(b"go\n")
            receive(connection, LIMITED)
            took = time.monotonic() - begin
    collect(sender)
    return LIMITED * 8 / took


def test_limits(env):
    """the limits of an interface's rate hold: never more than 15 % above, and 15 % below is reached"""
    machine = Machine(env, "slow", single, {RATE % "rx": str(LIMIT), RATE % "tx": str(LIMIT)})
    Shared.machine = machine
    for measure in (rate_to_guest, rate_from_guest):
        rates = []
        # a busy host makes it slower, nothing makes it faster
        while len(rates) < 8 and max(rates, default=0) < 0.85 * LIMIT:
            rates.append(measure(machine))
            print("# %s: %.2f of the limit" % (measure.__name__, rates[-1] / LIMIT))
            check(rates[-1] < 1.15 * LIMIT, "%s: %.0f bit/s" % (measure.__name__, rates[-1]))
        check(max(rates) >= 0.85 * LIMIT, "%s: %r" % (measure.__name__, rates))
    machine.remove()
    Shared.machine = None


class CniEnv(Env):
    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()

    def stop(self):
        if Shared.machine is not None:
            Shared.machine.pod.remove()
        super().stop()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    ENV = CniEnv(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"),
                 options=["--set", "agent.connect-timeout-ms=240000",
                          "--set", "annotations.runtime=internetworking_model",
                          "--set", "annotations.hypervisor=rx_rate_limiter_max_rate;tx_rate_limiter_max_rate"])
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    MISSING = cni.missing(["ptp", "macvlan", "bridge", "portmap", "host-local"])
    if MISSING:
        tap.skip_all("the CNI plugin %s is not installed" % MISSING)
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
