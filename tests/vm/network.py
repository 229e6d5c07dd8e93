#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks of virtual machines: what CNI plugins set up in a namespace is what the
container has. Two machines and the host on one bridge, IPv4 and IPv6; the host is
a network namespace of this program."""

import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import host
import netns
import tap
from env import Env
from netns import Pod
from tap import check, equal, match

CNI = "/usr/lib/cni"
MEGABYTES = int(os.environ.get("VIRTPOD_TEST_NETWORK_MEGABYTES", "4"))
DEADLINE = 120    # seconds, for what takes moments on a quiet machine
GATEWAY4, GATEWAY6 = "10.77.0.1", "fd77::1"
MTU = 1400
MODEL = "io.katacontainers.config.runtime.internetworking_model"


class Shared:
    """Both machines; starting one takes seconds."""

    machines = {}


class Machine:
    """A pod as an engine makes it: a namespace, an interface by CNI, a sandbox in it."""

    def __init__(self, env, name):
        self.env = env
        self.id = name
        self.pod = Pod(env.path(name + ".netns"))
        result = self.cni("ADD")
        self.ipv4, self.ipv6 = sorted((row["address"].split("/")[0] for row in result["ips"]), key=lambda a: ":" in a)
        self.mac = next(row["mac"] for row in result["interfaces"] if row.get("sandbox"))
        document = netns.document(self.pod.path, ["sleep", "100000"])
        for kind in document["process"]["capabilities"]:
            document["process"]["capabilities"][kind] = ["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"]
        self.sandbox = env.manager.create_sandbox(name, env.bundles.make(document=document))
        self.sandbox.start()
        env.manager.container(name).start()

    def cni(self, command):
        config = {
            "cniVersion": "0.4.0", "name": "test", "type": "bridge", "bridge": "cnitest0", "isGateway": True,
            "mtu": MTU, "ipam": {
                "type": "host-local", "dataDir": self.env.path("ipam"), "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
                "ranges": [[{"subnet": "10.77.0.0/24", "gateway": GATEWAY4}],
                           [{"subnet": "fd77::/64", "gateway": GATEWAY6}]]}}
        variables = {"CNI_COMMAND": command, "CNI_CONTAINERID": self.id, "CNI_NETNS": self.pod.path,
                     "CNI_IFNAME": "eth0", "CNI_PATH": CNI, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run([os.path.join(CNI, "bridge")], input=json.dumps(config), env=variables, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        if done.returncode != 0:
            raise tap.Failure("bridge %s: %s %s" % (command, done.stdout, done.stderr))
        return json.loads(done.stdout) if done.stdout else None

    def run(self, script, stdin=b""):
        """Output of a shell in the container."""
        done = self.env.virtpod("exec", "-i", self.id, "sh", "-c", script, stdin=stdin)
        if done.returncode != 0:
            raise tap.Failure("%s in %s: status %d: %s%s" % (script, self.id, done.returncode, tap.short(done.stdout),
                                                             tap.short(done.stderr)))
        return done.stdout.decode()

    def background(self, script):
        return subprocess.Popen(self.env.client("exec", self.id, "sh", "-c", script), env=self.env.client_env(),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def remove(self):
        self.sandbox.delete(force=True)
        self.cni("DEL")
        self.pod.remove()


def collect(process):
    out, err = process.communicate(timeout=DEADLINE)
    if process.returncode != 0:
        raise tap.Failure("status %d: %s" % (process.returncode, tap.short(err)))
    return out.decode()


def ping(address):
    """An echo request of ours that is answered; asked again until it is."""
    packet = struct.pack("!BBHHH", 8, 0, 0, 77, 1)
    packet = struct.pack("!BBHHH", 8, 0, 0xffff & ~sum(struct.unpack("!4H", packet)), 77, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(1)
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            raw.sendto(packet, (address, 0))
            try:
                data, (sender, _port) = raw.recvfrom(2048)
            except socket.timeout:
                continue
            if sender == address and data[20] == 0:
                return
    raise tap.Failure("%s does not answer" % address)


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


def machines():
    check(len(Shared.machines) == 2, "the machines were not started")
    return Shared.machines["one"], Shared.machines["two"]


def test_start(env):
    """two sandboxes whose namespaces a CNI plugin has set up"""
    for name in ("one", "two"):
        begin = time.monotonic()
        Shared.machines[name] = Machine(env, name)
        print("# %s: %.1f s; %s" % (name, time.monotonic() - begin, ", ".join(
            "%s %.0f ms" % (stage, usec / 1000) for stage, usec in Shared.machines[name].sandbox.get("StartStages"))))
    for machine in machines():
        equal(machine.sandbox.get("NetworkNamespace"), machine.pod.path, "namespace")
        equal(len([name for name in machine.pod.links() if name.startswith("vp")]), 1, "taps in the namespace")
    equal(host.interfaces(), [], "taps of the host")


def test_interface(env):
    """the guest's interface is the namespace's: name, hardware address, MTU, addresses, routes"""
    for machine in machines():
        link = machine.run("ip link show eth0; ip addr show eth0")
        for wanted in (machine.mac, "mtu %d" % MTU, machine.ipv4 + "/24", machine.ipv6 + "/64", "LOWER_UP"):
            match(link, wanted, "interface of " + machine.id)
        match(machine.run("ip route"), "default via " + GATEWAY4, "routes of " + machine.id)
        match(machine.run("ip -6 route"), "default via " + GATEWAY6, "routes of " + machine.id)


def test_ping(env):
    """host to guest, guest to host and guest to guest, IPv4 and IPv6"""
    one, two = machines()
    for machine in (one, two):
        ping(machine.ipv4)
    for address in (GATEWAY4, GATEWAY6, two.ipv4, two.ipv6):
        # the first may go while IPv6 makes sure of an address
        one.run("for i in $(seq 60); do ping -c 1 -W 2 %s && exit 0; sleep 1; done; exit 1" % address)


def test_tcp_from_host(env):
    """bytes from the host to the guest, IPv4 and IPv6"""
    one, _two = machines()
    data = os.urandom(MEGABYTES << 20)
    for port, address in ((7001, one.ipv4), (7002, one.ipv6)):
        listener = one.background("nc -l -p %d | sha256sum" % port)
        with connect(address, port) as sock:
            begin = time.monotonic()
            sock.sendall(data)
        match(collect(listener), hashlib.sha256(data).hexdigest(), "sum of what the guest got from " + address)
        print("# %s: %.1f MiB/s" % (address, MEGABYTES / (time.monotonic() - begin)))


def test_tcp_to_host(env):
    """bytes from the guest to the host, IPv4 and IPv6"""
    one, _two = machines()
    for address, family in ((GATEWAY4, socket.AF_INET), (GATEWAY6, socket.AF_INET6)):
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.settimeout(DEADLINE)
            server.bind((address, 0))
            server.listen(1)
            script = ("head -c %dm /dev/urandom >/tmp/data && sha256sum /tmp/data && nc %s %d </tmp/data"
                      % (MEGABYTES, address, server.getsockname()[1]))
            sender = one.background(script)
            connection, _peer = server.accept()
            digest = hashlib.sha256()
            with connection:
                connection.settimeout(DEADLINE)
                while True:
                    piece = connection.recv(1 << 16)
                    if not piece:
                        break
                    digest.update(piece)
            match(collect(sender), digest.hexdigest(), "sum of what the host got at " + address)


def test_tcp_between_guests(env):
    """bytes from one guest to the other, IPv4 and IPv6"""
    one, two = machines()
    out = two.run("mkdir -p /tmp/www && head -c %dm /dev/urandom >/tmp/www/data && sha256sum /tmp/www/data && "
                  "httpd -p 7003 -h /tmp/www" % MEGABYTES)
    for address in (two.ipv4, "[%s]" % two.ipv6):
        got = one.run("wget -q -O - http://%s:7003/data | sha256sum" % address)
        equal(got.split()[0], out.split()[0], "sum of what one got from " + address)


def test_namespace_vanishes(env):
    """a namespace that goes away under a running machine: the sandbox goes on and can be deleted"""
    _one, two = machines()
    two.cni("DEL")
    two.pod.remove()
    equal(two.run("echo here"), "here\n", "container without a network")
    two.sandbox.delete(force=True)
    del Shared.machines["two"]
    equal(host.interfaces(), [], "taps of the host")


def test_delete(env):
    """delete leaves no tap, no queueing discipline, and the namespace to who made it"""
    one = Shared.machines["one"]
    one.sandbox.delete(force=True)
    equal((one.pod.links(), one.pod.qdiscs(), host.interfaces()), (["lo", "eth0"], [], []),
          "links and disciplines of the namespace, taps of the host")
    one.cni("DEL")
    one.pod.remove()
    del Shared.machines["one"]


def receive(connection, n):
    """@n bytes and not one less."""
    data = bytearray()
    while len(data) < n:
        piece = connection.recv(min(n - len(data), 1 << 16))
        check(piece, "the connection ended after %d of %d bytes" % (len(data), n))
        data += piece
    return bytes(data)


def run_with_network(env, model, script):
    """virtpod run of a shell, as a new user would."""
    path = env.bundles.make(document=bundle.spec(["sh", "-c", script]))
    return subprocess.Popen(env.client("run", "--network", model, "--bundle", path, "run-" + model),
                            env=env.client_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def test_user(env):
    """virtpod run --network user: a network with no set-up at all; bytes both ways over one connection"""
    data = os.urandom(MEGABYTES << 20)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        # the gateway's address is the host's loopback there
        runner = run_with_network(env, "user", "head -c %dm /dev/urandom >/tmp/data; sha256sum </tmp/data; "
                                  "nc 10.0.2.2 %d </tmp/data | sha256sum; cat /etc/resolv.conf; ip addr show eth0; "
                                  "ip route" % (MEGABYTES, server.getsockname()[1]))
        connection, _peer = server.accept()
        with connection:
            connection.settimeout(DEADLINE)
            got = receive(connection, len(data))
            connection.sendall(data)
        out = collect(runner)
    equal([line.split()[0] for line in out.splitlines()[:2]],
          [hashlib.sha256(got).hexdigest(), hashlib.sha256(data).hexdigest()], "sums of what was sent and what came")
    for wanted in ("nameserver 10.0.2.3", "10.0.2.15/24", "default via 10.0.2.2"):
        match(out, wanted, "network of the guest")


def test_none(env):
    """virtpod run --network none: a loopback device and nothing else"""
    equal(collect(run_with_network(env, "none", "ls /sys/class/net")).split(), ["lo"], "interfaces")


def test_user_by_annotation(env):
    """the same by an annotation that is allowed"""
    document = bundle.spec(["cat", "/proc/net/route"], annotations={MODEL: "user"})
    done = env.virtpod("run", "--bundle", env.bundles.make(document=document), "annotated")
    match(done.stdout.decode(), "eth0\t00000000\t0202000A", "routes of the guest")


class NetworkEnv(Env):
    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()

    def stop(self):
        for machine in Shared.machines.values():
            machine.pod.remove()
        super().stop()


TESTS = [test_start, test_interface, test_ping, test_tcp_from_host, test_tcp_to_host, test_tcp_between_guests,
         test_namespace_vanishes, test_delete, test_user, test_none, test_user_by_annotation]

if __name__ == "__main__":
    ENV = NetworkEnv(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"),
                     options=["--set", "agent.connect-timeout-ms=240000",
                              "--set", "annotations.runtime=internetworking_model"])
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    if not os.path.exists(os.path.join(CNI, "bridge")):
        tap.skip_all("containernetworking-plugins is not installed")
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
