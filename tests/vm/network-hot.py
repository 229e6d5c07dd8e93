#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network of a virtual machine that runs: interfaces plugged in and out, what the
guest is told, ports that are forwarded. The namespace is empty when the sandbox starts,
as with engines that set it up late; the host is a network namespace of this program."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import netns
import ports
import tap
from env import Env, guest_image
from gi.repository import GLib
from netns import Pod
from tap import check, equal, match
from testdriver import Signals, eventually

DEADLINE = 120    # seconds, for what takes moments on a quiet machine
NAME = "hot"
STREAM = 2 << 20
MACS = {"eth0": "02:00:00:00:00:10", "eth1": "02:00:00:00:00:11"}


class Shared:
    """The machine; starting one takes seconds."""

    pod = None
    sandbox = None


def nic(name):
    return bus.options({"kind": "nic", "interface": name})


def attach(name):
    return Shared.sandbox.call("AttachDevice", "(a{sv})", nic(name))


def detach(handle):
    Shared.sandbox.call("DetachDevice", "(sa{sv})", handle, {})


def run(env, script):
    done = env.virtpod("exec", NAME, "sh", "-c", script)
    if done.returncode != 0:
        raise tap.Failure("%s: status %d: %s%s" % (script, done.returncode, tap.short(done.stdout), tap.short(done.stderr)))
    return done.stdout.decode()


def taps():
    return sorted(name for name in Shared.pod.links() if name.startswith("vp"))


def nics():
    """(handle, interface, whether its tap is in the namespace) of what the sandbox has."""
    return [(row["id"], row["interface"], row["source"] in taps()) for row in Shared.sandbox.call("ListDevices")
            if row["kind"] == "nic"]


def set_up(number, mtu=1500):
    """An interface of the namespace and its other end here."""
    name, outside, net = "eth%d" % number, "out%d" % number, "10.9%d.0" % number
    Shared.pod.add_veth(outside, name, mac=MACS[name], mtu=mtu)
    Shared.pod.ip("addr", "add", net + ".2/24", "dev", name)
    netns.run("ip", "addr", "add", net + ".1/24", "dev", outside)


def counted(name, metric):
    """What the host has counted at its end of an interface."""
    text = Shared.sandbox.call("GetMetrics")
    found = re.search(r'(?m)^virtpod_tap_%s_total\{sandbox="%s",interface="%s",tap="vp[^"]*"\} (\d+)$'
                      % (metric, NAME, name), text)
    check(found, "no %s of %s: %s" % (metric, name, text))
    return int(found.group(1))


def reached_from(env, number):
    """The guest reaches this end of an interface; asked again while the link comes up."""
    run(env, "for i in $(seq 60); do ping -c 1 -W 2 10.9%d.0.1 && exit 0; sleep 1; done; exit 1" % number)


def test_start(env):
    """a sandbox whose namespace is empty"""
    Shared.pod = Pod(env.path("hot.netns"))
    document = netns.document(Shared.pod.path, ["sleep", "100000"])
    for kind in document["process"]["capabilities"]:
        document["process"]["capabilities"][kind] = ["CAP_NET_RAW", "CAP_NET_BIND_SERVICE"]
    Shared.sandbox = env.manager.create_sandbox(NAME, env.bundles.make(document=document))
    Shared.sandbox.start()
    env.manager.container(NAME).start()
    equal((nics(), taps()), ([], []), "interfaces")
    env.raises("NotFound", lambda: attach("eth0"), "interface \"eth0\"")
    env.raises("NotFound", lambda: detach("nic0"), "nic0: there is no such device")


def test_attach(env):
    """an interface that comes later: the guest has its name, address, MTU and routes"""
    set_up(0, mtu=1400)
    Shared.pod.ip("route", "add", "default", "via", "10.90.0.1")
    ports = Shared.sandbox.get("FreeHotplugPorts")
    equal(attach("eth0"), "nic0", "handle")
    equal((nics(), len(taps()), host.interfaces()), ([("nic0", "eth0", True)], 1, []), "interfaces")
    equal(Shared.sandbox.get("FreeHotplugPorts"), ports - 1, "free ports")
    row = next(row for row in Shared.sandbox.call("ListInterfaces") if row["name"] == "eth0")
    equal((row["mac"], row["mtu"]), (MACS["eth0"], 1400), "interface")
    check("10.90.0.2/24" in row["addresses"], "addresses: %s" % row["addresses"])
    match(run(env, "ip route"), "default via 10.90.0.1", "routes")
    reached_from(env, 0)
    env.raises("AlreadyExists", lambda: attach("eth0"), "the guest has it")
    equal(len(taps()), 1, "taps")


def test_refused(env):
    """an interface whose packets are somebody else's: nothing is left, in the guest either"""
    set_up(1)
    netns.run("tc", "qdisc", "add", "dev", "eth1", "ingress", netns=Shared.pod.path)
    env.raises("AlreadyExists", lambda: attach("eth1"), "ingress")
    equal((nics(), len(taps()), host.interfaces()), ([("nic0", "eth0", True)], 1, []), "interfaces")
    check("nic1" not in str(env.record(NAME)), "the record has it")
    names = run(env, "ls /sys/class/net").split()
    equal(sorted(names), ["eth0", "lo"], "interfaces of the guest")
    netns.run("tc", "qdisc", "del", "dev", "eth1", "ingress", netns=Shared.pod.path)


def test_second(env):
    """a second one; the command; the first goes on"""
    done = env.virtpod("network", "attach", NAME, "eth1")
    equal((done.returncode, done.stdout), (0, b"nic1\n"), "command")
    reached_from(env, 1)
    reached_from(env, 0)
    listed = env.virtpod("network", "list", NAME).stdout.decode()
    for name, mac in MACS.items():
        match(listed, "%s +%s" % (name, mac), "list")


def test_update(env):
    """addresses and routes of the guest alone"""
    address = {"name": GLib.Variant("s", "eth1"), "mac": GLib.Variant("s", MACS["eth1"]),
               "addresses": GLib.Variant("as", ["10.91.0.2/24", "fd91::2/64"])}
    Shared.sandbox.call("UpdateInterface", "(a{sv})", address)
    match(run(env, "ip -6 addr show dev eth1"), "fd91::2/64", "addresses")
    rows = Shared.sandbox.call("ListRoutes")
    types = {"scope": "t", "flags": "t", "mtu": "t"}
    given = [{key: GLib.Variant(types.get(key, "s"), value) for key, value in row.items()} for row in rows
             if row["gateway"]]
    given.append({"device": GLib.Variant("s", "eth1"), "dest": GLib.Variant("s", "10.200.0.0/16")})
    Shared.sandbox.call("UpdateRoutes", "(aa{sv})", given)
    routes = run(env, "ip route")
    match(routes, "10.200.0.0/16 dev eth1", "routes")
    match(routes, "default via 10.90.0.1", "routes")


def test_detach(env):
    """one goes: out of the guest, its tap and queueing disciplines; the other goes on"""
    signals = Signals(env.address)
    detach("nic0")
    equal((nics(), len(taps()), len(Shared.pod.qdiscs())), ([("nic1", "eth1", True)], 1, 2), "interfaces")
    equal(sorted(run(env, "ls /sys/class/net").split()), ["eth1", "lo"], "interfaces of the guest")
    eventually(lambda: signals.named("DeviceRemoved"), "signal")
    equal([row[3] for row in signals.named("DeviceRemoved")], [("nic0", True)], "signal")
    signals.close()
    reached_from(env, 1)
    equal(attach("eth0"), "nic0", "handle of the next one")
    reached_from(env, 0)


def test_rescan(env):
    """what has come and gone, addresses and routes that are others; then nothing"""
    Shared.pod.ip("link", "del", "eth0")
    Shared.pod.ip("addr", "add", "10.93.0.2/24", "dev", "eth1")
    Shared.pod.ip("route", "add", "default", "via", "10.91.0.1")
    Shared.pod.add_veth("out2", "eth2", mac="02:00:00:00:00:12")
    done = env.virtpod("network", "rescan", NAME)
    equal((done.returncode, done.stdout), (0, b"-nic0\n+nic0\n"), "command")
    equal(sorted(nics()), [("nic0", "eth2", True), ("nic1", "eth1", True)], "interfaces")
    rows = {row["name"]: row["addresses"] for row in Shared.sandbox.call("ListInterfaces")}
    equal(sorted(rows), ["eth1", "eth2", "lo"], "interfaces of the guest")
    check("10.93.0.2/24" in rows["eth1"], "addresses: %s" % rows)
    match(run(env, "ip route"), "default via 10.91.0.1 dev eth1", "routes")
    Shared.pod.ip("link", "del", "eth2")
    set_up(0)
    equal(Shared.sandbox.call("RescanNetwork", "(a{sv})", {}), (["nic0"], ["nic0"]), "rescan")
    equal(Shared.sandbox.call("RescanNetwork", "(a{sv})", {}), ([], []), "rescan of what is the same")
    reached_from(env, 0)
    reached_from(env, 1)


DROP = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i eth0 -p tcp -m tcp --dport 7090 -m conntrack --ctstate NEW -m comment --comment "two words" -j DROP
COMMIT
"""
REDIRECT = "*nat\n-A PREROUTING -p tcp --dport 7091 -j REDIRECT --to-ports 7090\nCOMMIT\n"
EMPTY = "*filter\nCOMMIT\n*nat\nCOMMIT\n"


def answers(port, address="10.90.0.2", seconds=DEADLINE):
    """Whether the server in the guest does; False: nothing comes back."""
    try:
        with urllib.request.urlopen("http://%s:%d/data" % (address, port), timeout=seconds) as answer:
            return answer.read() == b"here\n"
    except urllib.error.URLError as error:
        check(isinstance(error.reason, TimeoutError), "port %d: %s" % (port, error.reason))
        return False


def rules(family="ipv4"):
    """Without comments and numbers of packets."""
    text = Shared.sandbox.call("GetIPTables", "(s)", family)
    return re.sub(r"(?m)^#.*\n", "", re.sub(r"\[\d+:\d+\]", "[0:0]", text))


def test_filter(env):
    """rules of the guest's packet filter take effect; what is no rule changes nothing"""
    if not os.path.isdir(os.path.join(guest_image(), "tools")):
        print("# no iptables is installed for guests")
        env.raises("NotSupported", rules, "none is installed")
        return
    run(env, "mkdir /tmp/filter && echo here >/tmp/filter/data && httpd -p 7090 -h /tmp/filter")
    eventually(lambda: answers(7090), "answer", DEADLINE)
    equal((rules("ipv4"), rules("ipv6")), ("", ""), "rules")
    equal(Shared.sandbox.call("SetIPTables", "(ss)", "ipv4", DROP), "", "output")
    equal(rules(), DROP, "rules")
    check(not answers(7090, seconds=3), "port 7090 answers")
    check(answers(7090, "10.91.0.2"), "the other interface's does not")
    done = subprocess.run(env.client("network", "iptables-restore", NAME, "-"), env=env.client_env(), input=REDIRECT.encode(),
                          capture_output=True, timeout=DEADLINE, check=False)
    equal((done.returncode, done.stdout, done.stderr), (0, b"", b""), "command")
    check(answers(7091, "10.91.0.2"), "the port that leads there does not")
    before = rules()
    env.raises("InvalidArgument", lambda: Shared.sandbox.call("SetIPTables", "(ss)", "ipv4", "*filter\n-F\n-A INPUT -j NONSENSE\nCOMMIT\n"),
               "NONSENSE.*line: 3")
    equal(rules(), before, "rules after a mistake")
    equal(Shared.sandbox.call("SetIPTables", "(ss)", "ipv6", DROP), "", "output")
    equal(rules("ipv6"), DROP, "rules of IPv6")


def test_another_daemon(env):
    """a daemon that is killed: the next one knows what is plugged in, and takes it out"""
    env.stop_daemon(kill=True)
    env.start_daemon()
    Shared.sandbox = env.manager.sandbox(NAME)
    eventually(lambda: Shared.sandbox.get("AgentState") == "ready", "agent")
    equal(sorted(nics()), [("nic0", "eth0", True), ("nic1", "eth1", True)], "interfaces")
    done = env.virtpod("network", "detach", NAME, "nic1")
    equal((done.returncode, done.stderr), (0, b""), "command")
    equal((nics(), len(taps())), ([("nic0", "eth0", True)], 1), "interfaces")
    equal(attach("eth1"), "nic1", "handle")
    reached_from(env, 1)


def test_filter_removed(env):
    """the next daemon finds them in the guest; without them it is reached as before"""
    if not os.path.isdir(os.path.join(guest_image(), "tools")):
        return
    done = env.virtpod("network", "ip6tables-save", NAME)
    equal((done.returncode, done.stderr), (0, b""), "command")
    match(done.stdout.decode(), "two words", "rules")
    check(not answers(7090, seconds=3), "port 7090 answers")
    equal(Shared.sandbox.call("SetIPTables", "(ss)", "ipv4", EMPTY), "", "output")
    eventually(lambda: answers(7090, seconds=10), "answer", DEADLINE)
    check("DROP" not in rules() and "DROP" in rules("ipv6"), "rules")


def test_watch(env):
    """network.watch, of a daemon that took it over: what comes and goes does so in the guest"""
    env.stop_daemon()
    env.options += ["--set", "network.watch=true"]
    env.start_daemon()
    Shared.sandbox = env.manager.sandbox(NAME)
    Shared.pod.add_veth("out2", "eth2", mac="02:00:00:00:00:12")
    Shared.pod.ip("addr", "add", "10.92.0.2/24", "dev", "eth2")
    eventually(lambda: ("nic2", "eth2", True) in nics(), "interface of the machine", DEADLINE)
    eventually(lambda: "10.92.0.2/24" in str(Shared.sandbox.call("ListInterfaces")), "address", DEADLINE)
    Shared.pod.ip("link", "del", "eth2")
    eventually(lambda: sorted(nics()) == [("nic0", "eth0", True), ("nic1", "eth1", True)], "interfaces", DEADLINE)
    reached_from(env, 1)


def test_statistics(env):
    """GetStats and the command have the guest's interfaces; GetMetrics the host's end of each"""
    rows = {row["name"]: row for row in Shared.sandbox.call("GetStats")["network"]}
    equal(sorted(rows), ["eth0", "eth1"], "interfaces")
    check(all(row["rx-bytes"] > 0 and row["tx-packets"] > 0 for row in rows.values()), "counts: %s" % rows)
    with socket.create_server(("10.90.0.1", 0)) as server:
        server.settimeout(DEADLINE)
        getter = subprocess.Popen(env.client("exec", NAME, "nc", "10.90.0.1", str(server.getsockname()[1])),
                                  env=env.client_env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with server.accept()[0] as connection:
            connection.sendall(bytes(STREAM))
        equal(getter.wait(DEADLINE), 0, "status of who gets bytes")
    check(counted("eth0", "receive_bytes") > STREAM > counted("eth0", "transmit_bytes") > 0, "bytes of eth0")
    check(counted("eth1", "receive_packets") > 0 and counted("eth1", "receive_drop") >= 0, "packets of eth1")
    match(env.virtpod("stats", "--sandboxes", "--no-stream", "--json", NAME).stdout.decode(), '"networkReceivedBytes": *[1-9]', "stats")


def test_forward(env):
    """ports of the guest's loopback device, of either family, without the network"""
    run(env, "mkdir -p /tmp/www && head -c 3000000 /dev/urandom >/tmp/www/data && "
             "httpd -p 127.0.0.1:7080 -h /tmp/www && httpd -p '[::1]:7081' -h /tmp/www")
    wanted = run(env, "sha256sum /tmp/www/data").split()[0]
    command = subprocess.Popen(env.client("port-forward", "--address", "127.0.0.1", NAME, "0:7080", "0:7081", "0:7082"),
                               env=env.client_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    ports = [int(re.match(r"127\.0\.0\.1:(\d+) ", command.stdout.readline()).group(1)) for _ in range(3)]
    for port in ports[:2]:
        with urllib.request.urlopen("http://127.0.0.1:%d/data" % port, timeout=DEADLINE) as answer:
            equal(hashlib.sha256(answer.read()).hexdigest(), wanted, "sum of the data")
    with socket.create_connection(("127.0.0.1", ports[2]), DEADLINE) as sock:
        equal(sock.recv(1), b"", "a port where nobody listens")
    command.send_signal(signal.SIGTERM)
    _out, err = command.communicate(timeout=DEADLINE)
    equal(command.returncode, 0, "status")
    match(err, "port 7082 of %s: .*nobody listens" % NAME, "messages")


def test_loopback(env):
    """the same ports for who is in the namespace and connects to its loopback device"""
    if not ports.steers():
        raise tap.Skip("the kernel has no sk_lookup, or does not allow it")
    place = Shared.pod.path
    wanted = run(env, "sha256sum /tmp/www/data").split()[0]
    for url in ("http://127.0.0.1:7080/data", "http://[::1]:7081/data", "http://127.0.0.1:7081/data"):
        with ports.dial(place, int(url.split(":")[-1].split("/")[0]), url[7:].rsplit(":", 1)[0].strip("[]")) as sock:
            sock.sendall(b"GET /data HTTP/1.0\r\n\r\n")
            body = ports.receive(sock).partition(b"\r\n\r\n")[2]
        equal(hashlib.sha256(body).hexdigest(), wanted, "sum of what came by " + url)
    try:
        with ports.dial(place, 7082) as sock:
            equal(sock.recv(1), None, "a port where nobody listens")
    except ConnectionResetError:
        pass


def test_delete(env):
    """nothing is left"""
    Shared.sandbox.delete(force=True)
    equal((taps(), Shared.pod.qdiscs(), host.interfaces()), ([], [], []), "taps and queueing disciplines")
    if ports.steers():
        equal((ports.links(Shared.pod.path), ports.listeners(Shared.pod.path)), (0, 0), "programs and sockets")


class HotEnv(Env):
    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()

    def stop(self):
        super().stop()
        if Shared.pod is not None:
            Shared.pod.remove()

    def record(self, name):
        with open(os.path.join(self.state_dir, "sandboxes", self.manager.sandbox(name).get("DomainName"),
                               "record.json"), encoding="utf-8") as f:
            return f.read()


if __name__ == "__main__":
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    ENV = HotEnv(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"),
                 options=["--set", "agent.connect-timeout-ms=240000", "--set", "agent.request-timeout-ms=60000"])
    ENV.require()
    TESTS = [test_start, test_attach, test_refused, test_second, test_update, test_detach, test_rescan, test_filter,
             test_another_daemon, test_filter_removed, test_watch, test_statistics, test_forward, test_loopback,
             test_delete]
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
