#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network of a sandbox that runs, without machines: what the guest is told, and
what comes of answers that are no answers."""

import os
import signal
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import fake_agent
import host
import ports
import testdriver
from gi.repository import GLib
from ports import TIMEOUT, Server, receive
from tap import check, equal, match
from testdriver import Pending, TestDriverEnv, eventually

MAC = "02:00:00:00:00:0a"


def row(**values):
    types = {"addresses": "as", "mtu": "u"}
    return {key: GLib.Variant(types.get(key, "s"), value) for key, value in values.items()}


def route(**values):
    return {key: GLib.Variant("s" if isinstance(value, str) else "t", value) for key, value in values.items()}


def test_interface(env):
    """an interface is named, sized and has addresses of both families; the list says so"""
    sandbox, _ = env.start_sandbox()
    sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC.upper(), mtu=1400,
                                                   addresses=["10.0.0.2/24", "fd00::2/64"]))
    told = env.agent(sandbox).sandbox.interfaces[MAC]
    equal((told.name, told.mtu, [(a.family, a.address, a.mask) for a in told.IPAddresses]),
          ("eth0", 1400, [(0, "10.0.0.2", "24"), (1, "fd00::2", "64")]), "what the agent was told")
    rows = sandbox.call("ListInterfaces")
    equal([(r["name"], r["mac"], r["mtu"], r["addresses"]) for r in rows],
          [("eth0", MAC, 1400, ["10.0.0.2/24", "fd00::2/64"])], "list")
    sandbox.call("UpdateInterface", "(a{sv})", row(name="net7", mac=MAC))
    equal([(r["name"], r["addresses"]) for r in sandbox.call("ListInterfaces")], [("net7", [])], "list")
    sandbox.delete(force=True)


def test_bad_interfaces(env):
    """what is no interface is refused by key, and the agent hears nothing of it"""
    sandbox, _ = env.start_sandbox()
    for values, text in (({}, "^name: is missing"), ({"name": "eth0"}, "^mac: is missing"),
                         ({"name": "eth0", "mac": "02:00"}, "hardware address"),
                         ({"name": "eth0", "mac": ""}, "^mac: is missing"),
                         ({"name": "a/b", "mac": MAC}, "interface \"a/b\""),
                         ({"name": "sixteen-letters-", "mac": MAC}, "not a name"),
                         ({"name": "eth0", "mac": MAC, "speed": "1"}, "\"speed\": is not known"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["10.0.0.2"]}, "addresses: .*\"10.0.0.2\""),
                         ({"name": "eth0", "mac": MAC, "addresses": ["10.0.0.2/33"]}, "10.0.0.2"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["ten/8"]}, "ten"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["fd00::1/129"]}, "fd00::1"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["fe80::1/64"]}, "addresses: .*fe80::1"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["127.0.0.1/8"]}, "addresses: .*127.0.0.1")):
        env.raises("InvalidArgument", lambda given=values: sandbox.call("UpdateInterface", "(a{sv})", row(**given)),
                   text)
    check("UpdateInterface" not in env.agent(sandbox).calls, "the agent was asked")
    many = ["10.%d.%d.1/24" % (i // 250, i % 250) for i in range(5000)]
    env.raises("ResourceExhausted", lambda: sandbox.call("UpdateInterface", "(a{sv})",
                                                         row(name="eth0", mac=MAC, addresses=many)), "4096")
    sandbox.delete(force=True)


def test_routes(env):
    """routes as the list gives them back; those without a gateway go first; none is none"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC))
    sandbox.call("UpdateRoutes", "(aa{sv})", [
        route(device="eth0", gateway="10.0.0.1"), route(device="eth0", dest="10.9.0.0/16", source="10.0.0.2", scope=253),
        route(device="eth0", gateway="fd00::1", flags=4), route(device="eth0", family="ipv6", dest="fd09::/16")])
    wanted = [(0, "10.9.0.0/16", "", 253, 0), (1, "fd09::/16", "", 0, 0), (0, "", "10.0.0.1", 0, 0),
              (1, "", "fd00::1", 0, 4)]
    told = lambda: [(r.family, r.dest, r.gateway, r.scope, r.flags) for r in agent.sandbox.routes.Routes]
    equal(told(), wanted, "what the agent was told")
    rows = sandbox.call("ListRoutes")
    equal([r["family"] for r in rows], ["ipv4", "ipv6", "ipv4", "ipv6"], "families")
    sandbox.call("UpdateRoutes", "(aa{sv})", [route(**{k: v for k, v in r.items() if k != "table"}) for r in rows])
    equal(told(), wanted, "the list, given back")
    sandbox.call("UpdateRoutes", "(aa{sv})", [])
    equal((told(), sandbox.call("ListRoutes")), ([], []), "no routes")
    env.raises("NotFound", lambda: sandbox.call("UpdateRoutes", "(aa{sv})", [route(device="eth7", dest="10.0.0.0/8")]),
               "eth7")
    sandbox.delete(force=True)


def test_bad_routes(env):
    """what is no route is refused by its number, and the agent hears nothing of it"""
    sandbox, _ = env.start_sandbox()
    for values, text in (({"dest": "10.0.0.0/8"}, "interface \"\""), ({"device": "eth0", "dest": "10.0.0.0"}, "10.0.0.0"),
                         ({"device": "eth0", "gateway": "10.0.0.256"}, "10.0.0.256"),
                         ({"device": "eth0", "family": "ipx"}, "family: .*\"ipx\""),
                         ({"device": "eth0", "scope": 256}, "scope"), ({"device": "eth0", "mtu": 65536}, "mtu"),
                         ({"device": "eth0", "dest": "127.0.0.0/8"}, "dest: "),
                         ({"device": "eth0", "gateway": "fd00::1", "dest": "10.0.0.0/8"}, "10.0.0.0/8")):
        env.raises("InvalidArgument", lambda given=values: sandbox.call(
            "UpdateRoutes", "(aa{sv})", [route(device="eth0"), route(**given)]), "^route 1: .*" + text)
    check("UpdateRoutes" not in env.agent(sandbox).calls, "the agent was asked")
    sandbox.delete(force=True)


def test_agent_refuses(env):
    """what the agent says to it is what the caller hears"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.fail["UpdateInterface"] = ("NOT_FOUND", "no such interface on purpose")
    env.raises("NotFound", lambda: sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC)), "on purpose")
    agent.fail["ListInterfaces"] = ("UNIMPLEMENTED", "not here")
    env.raises("NotSupported", lambda: sandbox.call("ListInterfaces"), "not here")
    sandbox.delete(force=True)


# ---- the packet filter ------------------------------------------------------------------


FILTER = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"\u00e9\" -j DROP\nCOMMIT\n"
NAT = "*nat\nCOMMIT\n"


def test_iptables(env):
    """what a guest has not it is shown, once, from beside its kernel, and until the sandbox ends"""
    image = env.path("image")
    os.makedirs(image)
    with open(os.path.join(image, "vmlinux"), "wb"):
        pass
    env.stop_daemon()
    env.options += ["--set", "guest.kernel=%s/vmlinux" % image]
    env.start_daemon()
    sandbox, _ = env.start_sandbox(sid="filtered")
    for method, *args in (("GetIPTables", "ipv4"), ("SetIPTables", "ipv6", FILTER)):
        env.raises("NotSupported", lambda: sandbox.call(method, "(%s)" % ("s" * len(args)), *args),
                   "none is installed for it: .*%s/tools" % image)
    os.makedirs(os.path.join(image, "tools", "xtables"))
    # many at once: one shows it
    first = [Pending(sandbox, "GetIPTables", "(s)", family) for family in ("ipv4", "ipv6") * 4]
    equal([call.result() for call in first], [("",)] * 8, "rules of a new guest")
    place = os.path.join(env.directory(sandbox), "shared", ".tools")
    equal(sum(place in mount for mount in host.mounts()), 1, "mounts")
    check(os.statvfs(place).f_flag & os.ST_RDONLY, "the guest could write there")
    equal(sandbox.call("SetIPTables", "(ss)", "ipv4", FILTER), "warning: fine\n", "output")
    equal(sandbox.call("SetIPTables", "(ss)", "ipv4", NAT), "warning: fine\n", "output")
    equal((sandbox.call("GetIPTables", "(s)", "ipv4"), sandbox.call("GetIPTables", "(s)", "ipv6")), (FILTER + NAT, ""), "rules")
    env.raises("InvalidArgument", lambda: sandbox.call("SetIPTables", "(ss)", "ipv4", "*filter\n"), "COMMIT expected")
    env.raises("InvalidArgument", lambda: sandbox.call("SetIPTables", "(ss)", "ipv4", "x" * (256 * 1024 + 1)), "^rules: ")
    env.raises("InvalidArgument", lambda: sandbox.call("GetIPTables", "(s)", "ipx"), "^family: \"ipx\"")
    env.agent(sandbox).sandbox.tables[False] = {b"": b"\xff"}
    env.raises("AgentFailed", lambda: sandbox.call("GetIPTables", "(s)", "ipv4"), "no text")
    sandbox.delete(force=True)
    check(not any(place in mount for mount in host.mounts()), "it is still mounted")
    del env.options[-2:]


# ---- ports ------------------------------------------------------------------------------


def connect(sandbox, port):
    _, (fd,) = sandbox.call_with_fds("PortForward", "(qa{sv})", (port, {}))
    sock = socket.socket(fileno=fd)
    sock.settimeout(TIMEOUT)
    return sock


def test_forward(env):
    """a connection to a port of the guest; each direction ends by itself"""
    sandbox, _ = env.start_sandbox()
    server = Server()
    blob = os.urandom(3 << 20)
    with connect(sandbox, server.port) as sock:
        sock.sendall(b"hello")
        equal(receive(sock, 5), b"hello", "echo")
        sender = threading.Thread(target=lambda: (sock.sendall(blob), sock.shutdown(socket.SHUT_WR)))
        sender.start()
        check(receive(sock) == blob + b" end", "what came back is not what was sent, and the end")
        sender.join(TIMEOUT)
    eventually(lambda: server.ended, "end of the connection at the server")
    server.close()
    sandbox.delete(force=True)


def test_forward_closed(env):
    """a server that closes is an end for the caller; a caller that closes, one for the server, after the bytes"""
    sandbox, _ = env.start_sandbox()
    server = Server(echo=False)
    sock = connect(sandbox, server.port)
    peer = server.accept()
    peer.sendall(b"bye")
    peer.close()
    equal(receive(sock), b"bye", "what came")
    sock.close()
    sock = connect(sandbox, server.port)
    peer = server.accept()
    sock.sendall(b"x" * 300000)
    sock.close()
    equal(len(receive(peer)), 300000, "bytes that were sent before the end")
    peer.close()
    server.close()
    sandbox.delete(force=True)


def test_forward_refused(env):
    """nobody listens, a port that is none, an option, an agent that cannot"""
    sandbox, _ = env.start_sandbox()
    server = Server(echo=False)
    server.close()
    env.raises("NotFound", lambda: connect(sandbox, server.port), "port %d: nobody listens" % server.port)
    env.raises("InvalidArgument", lambda: connect(sandbox, 0), "port: must be")
    env.raises("InvalidArgument", lambda: sandbox.call("PortForward", "(qa{sv})", 80, bus.options({"udp": True})), "udp")
    script = fake_agent.PROGRAMS.pop("virtpod:connect")
    env.raises("NotSupported", lambda: connect(sandbox, 80), "agent of this guest")
    fake_agent.PROGRAMS["virtpod:connect"] = script
    env.agent(sandbox).fail["ExecProcess"] = ("INTERNAL", "broken on purpose")
    env.raises("AgentFailed", lambda: connect(sandbox, 80), "broken on purpose")
    sandbox.delete(force=True)


def test_forward_bounded(env):
    """64 at a time; when one ends there is room; one that is not read holds up no other"""
    sandbox, _ = env.start_sandbox()
    server = Server(echo=False)
    socks, peers = [], []
    for _ in range(64):
        socks.append(connect(sandbox, server.port))
        peers.append(server.accept())
    env.raises("ResourceExhausted", lambda: connect(sandbox, server.port), "64 connections")
    # more than there is room for on the way
    flood = threading.Thread(target=lambda: peers[0].sendall(bytes(32 << 20)))
    flood.start()
    peers[1].sendall(b"quick")
    equal(receive(socks[1], 5), b"quick", "another connection")
    check(flood.is_alive(), "nobody reads 32 MiB, and they were taken")
    socks[1].close()
    peers[1].close()

    def again():
        try:
            return connect(sandbox, server.port)
        except bus.BusError as error:
            match(str(error), "64 connections", "error")
            return None
    socks[1] = eventually(again, "room for another")
    equal(len(receive(socks[0], 32 << 20)), 32 << 20, "bytes")
    flood.join(TIMEOUT)
    for sock in socks + peers:
        sock.close()
    server.close()
    sandbox.delete(force=True)


def test_forward_stopped(env):
    """a sandbox that ends is the end of its connections, also of one that is being made"""
    sandbox, _ = env.start_sandbox()
    server = Server(echo=False)
    sock = connect(sandbox, server.port)
    agent = env.agent(sandbox)
    agent.mute.add("ExecProcess")
    late = Pending(sandbox, "PortForward", "(qa{sv})", server.port, {})
    eventually(lambda: agent.calls.count("ExecProcess") == 2, "second connection")
    sandbox.stop(force=True)
    equal(receive(sock), b"", "the rest")
    check(late.outcome() != "ok", "connected to nothing")
    env.raises("InvalidState", lambda: connect(sandbox, server.port), "it is stopped")
    sock.close()
    server.close()
    sandbox.delete()


class Command:
    """virtpod port-forward that runs; .ports: what it listens on, of IPv4."""

    def __init__(self, env, sandbox, *args):
        self.process = subprocess.Popen(env.client("port-forward", *args), env=env.client_env(), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.sandbox = sandbox

    def line(self):
        return self.process.stdout.readline().strip()

    def end(self, number=None):
        """Status and messages."""
        if number is not None:
            self.process.send_signal(number)
        _, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, err


def test_command(env):
    """the command: any port, connections at once, the end by a signal"""
    sandbox, _ = env.start_sandbox()
    name = sandbox.get("Id")
    server = Server()
    command = Command(env, sandbox, "--address", "127.0.0.1", name, "0:%d" % server.port)
    line = command.line()
    match(line, r"^127\.0\.0\.1:\d+ leads to port %d of %s$" % (server.port, name), "line")
    port = int(line.split(" ")[0].split(":")[1])
    blob = os.urandom(1 << 20)
    # more than it has at a time: the others wait for their turn
    socks = [socket.create_connection(("127.0.0.1", port), TIMEOUT) for _ in range(40)]
    for sock in socks:
        sock.sendall(b"%d" % sock.fileno())
    for sock in socks[:3]:
        sock.sendall(blob)
    for sock in socks:
        sock.shutdown(socket.SHUT_WR)
    for i, sock in enumerate(socks):
        data = receive(sock)
        check(data == b"%d" % sock.fileno() + (blob if i < 3 else b"") + b" end", "connection %d: %d bytes" % (i, len(data)))
        sock.close()
    equal(command.end(signal.SIGINT), (0, ""), "status and messages")
    server.close()
    command = Command(env, sandbox, name, "0:%d" % server.port)
    port = int(command.line().split(" ")[0].split(":")[1])
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as sock:
        equal(receive(sock), b"", "a port where nobody listens")
    sandbox.stop(force=True)
    status, err = command.end()
    equal(status, 1, "status")
    match(err, "port %d of %s: .*nobody listens" % (server.port, name), "messages")
    match(err, "the sandbox has stopped", "messages")
    sandbox.delete()


def test_command_errors(env):
    """a port that is taken, an address that is none, a sandbox that does not run: by name, and nothing is led anywhere"""
    sandbox, _ = env.start_sandbox()
    name = sandbox.get("Id")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, err = Command(env, sandbox, name, "%d:80" % port).end()
        equal(status, 1, "status")
        match(err, "port-forward %s: 127.0.0.1:%d: " % (name, port), "message")
    status, err = Command(env, sandbox, "--address", "localhost", name, "80").end()
    match(err, "\"localhost\" is not an address", "message")
    status, err = Command(env, sandbox, "nobody", "80").end()
    match(err, "nobody", "message")
    sandbox.stop(force=True)
    status, err = Command(env, sandbox, name, "0:80").end()
    equal(status, 1, "status")
    match(err, "the sandbox is stopped", "message")
    sandbox.delete()


class NetworkEnv(TestDriverEnv):
    def start(self):
        super().start()
        ports.serve_connect(self)


if __name__ == "__main__":
    testdriver.main([test_interface, test_bad_interfaces, test_routes, test_bad_routes, test_agent_refuses, test_iptables,
                     test_forward, test_forward_closed, test_forward_refused, test_forward_bounded, test_forward_stopped,
                     test_command, test_command_errors], NetworkEnv())
