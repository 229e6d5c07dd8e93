#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who connects to the loopback device of a sandbox's network namespace is led to the guest's
port, without machines: the guest is this program, with a network of its own."""

import contextlib
import os
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import netns
import ports
import testdriver
from netns import Pod
from pods import create, with_pods
from ports import TIMEOUT, Server, dial, links, listeners, receive
from tap import Failure, check, equal, match
from testdriver import TestDriverEnv, eventually

KEY = "network.loopback-forward"
AT_ONCE = 32
FLOOD = 24 << 20


def make_pod(env, veth=False):
    pod = Pod(env.path(env.new_id("pod")))
    env.pods.append(pod)
    if veth:
        pod.add_veth("host-" + os.path.basename(pod.path))
        pod.ip("addr", "add", "10.88.0.2/24", "dev", "eth0")
    return pod


def start(env, pod, sid="box"):
    """A sandbox in @pod, once its door is open."""
    sandbox = create(env, pod, sid)
    sandbox.start()
    env.manager.container(sid).start()
    is_open(pod)
    return sandbox


def is_open(pod):
    eventually(lambda: (links(pod.path), listeners(pod.path)) == (1, 2), "a program and its two sockets in the namespace")


def is_closed(pod):
    eventually(lambda: (links(pod.path), listeners(pod.path)) == (0, 0), "nothing in the namespace")
    try:
        dial(pod.path, 80).close()
    except ConnectionRefusedError:
        return
    raise Failure("connected to nothing")


def is_reset(sock):
    """The other side has broken the connection off, and said nothing before."""
    try:
        equal(sock.recv(1), b"", "data")
    except (ConnectionResetError, BrokenPipeError):
        return
    finally:
        sock.close()
    raise Failure("closed, not reset")


def receive_until_end(sock):
    """Whichever way a connection ends."""
    with sock:
        try:
            return receive(sock)
        except ConnectionResetError:
            return b""


def refused(pod, port, address="127.0.0.1"):
    try:
        sock = dial(pod.path, port, address)
    except ConnectionResetError:
        return
    is_reset(sock)


@contextlib.contextmanager
def daemon_with(env, *options):
    """A daemon with @options more."""
    env.stop_daemon()
    env.options += options
    try:
        env.start_daemon()
        yield
        env.stop_daemon()
    finally:
        del env.options[-len(options):]
        if env.daemon is None:
            env.start_daemon()


def test_bytes(env):
    """any loopback address leads to the port of that number; bytes are the same, each direction ends by itself"""
    pod = make_pod(env)
    sandbox = start(env, pod)
    one, other = Server(), Server()
    blob = os.urandom(3 << 20)
    for server, address in ((one, "127.0.0.1"), (other, "127.9.8.7"), (one, "::1"), (one, "::ffff:127.0.0.1")):
        with dial(pod.path, server.port, address) as sock:
            equal(sock.getpeername()[1], server.port, "port")
            sender = threading.Thread(target=lambda s=sock: (s.sendall(blob), s.shutdown(socket.SHUT_WR)))
            sender.start()
            check(receive(sock) == blob + b" end", "by %s: what came back is not what was sent, and the end" % address)
            sender.join(TIMEOUT)
    eventually(lambda: (len(one.ended), len(other.ended)) == (3, 1), "end of the connections at the servers")
    one.close()
    other.close()
    sandbox.delete(force=True)


def test_others(env):
    """only the loopback device's addresses, only TCP; who listens on one of these in the namespace is not reached"""
    pod = make_pod(env, veth=True)
    guest = Server()
    with ports.within(pod.path, lambda: socket.create_server(("0.0.0.0", guest.port))) as here:
        here.settimeout(TIMEOUT)
        sandbox = start_beside(env, pod, 1)
        with dial(pod.path, guest.port, "10.88.0.2") as sock, here.accept()[0] as peer:
            peer.sendall(b"here")
            equal(receive(sock, 4), b"here", "by the address of the interface")
        with dial(pod.path, guest.port) as sock:
            sock.sendall(b"guest")
            equal(receive(sock, 5), b"guest", "by a loopback address")
    try:
        dial(pod.path, guest.port, "10.88.0.2").close()
        raise Failure("the interface's address leads into the guest")
    except ConnectionRefusedError:
        pass
    with ports.within(pod.path, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
        udp.settimeout(TIMEOUT)
        udp.connect(("127.0.0.1", guest.port))
        udp.send(b"x")
        try:
            udp.recv(1)
            raise Failure("somebody answers by UDP")
        except ConnectionRefusedError:
            pass
    guest.close()
    sandbox.delete(force=True)
    is_closed(pod)


def start_beside(env, pod, others):
    """The same where @others listen already."""
    sandbox = create(env, pod)
    sandbox.start()
    env.manager.container("box").start()
    eventually(lambda: (links(pod.path), listeners(pod.path)) == (1, 2 + others), "a program and its sockets")
    return sandbox


def test_own_namespace(env):
    """a namespace of the daemon's making has one, too, also before its loopback device is up"""
    sandbox, _ = env.start_sandbox()
    path = sandbox.get("NetworkNamespace")
    eventually(lambda: (links(path), listeners(path)) == (1, 2), "a program and its two sockets in the namespace")
    netns.run("ip", "link", "set", "lo", "up", netns=path)
    server = Server()
    with dial(path, server.port) as sock:
        sock.sendall(b"hello")
        equal(receive(sock, 5), b"hello", "echo")
    server.close()
    sandbox.stop()
    check(not os.path.exists(path), "the namespace's file is there")
    sandbox.delete()


def test_refused(env):
    """nobody listens in the guest, it is paused, its agent fails: the connection is reset; then it goes on"""
    pod = make_pod(env)
    sandbox = start(env, pod)
    server = Server()
    free = Server(echo=False)
    free.close()
    refused(pod, free.port)
    refused(pod, free.port, "::1")
    sandbox.call("Pause")
    refused(pod, server.port)
    sandbox.call("Resume")
    env.agent(sandbox).fail["ExecProcess"] = ("INTERNAL", "broken on purpose")
    refused(pod, server.port)
    env.agent(sandbox).fail.clear()
    with dial(pod.path, server.port) as sock:
        sock.sendall(b"hello")
        equal(receive(sock, 5), b"hello", "echo")
    server.close()
    sandbox.delete(force=True)


def test_reset(env):
    """a side that breaks off ends the connection for the other"""
    pod = make_pod(env)
    sandbox = start(env, pod)
    server = Server(echo=False)
    sock = dial(pod.path, server.port)
    peer = server.accept()
    sock.sendall(b"x")
    equal(receive(peer, 1), b"x", "what came")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
    equal(receive(peer), b"", "the rest")
    peer.close()
    sock = dial(pod.path, server.port)
    peer = server.accept()
    peer.sendall(b"bye")
    peer.close()
    equal(receive(sock), b"bye", "what came")
    sock.close()
    server.close()
    sandbox.delete(force=True)


def test_bounded(env):
    """32 at a time, others wait for their turn; PortForward has its own; one that is not read holds up no other"""
    pod = make_pod(env)
    sandbox = start(env, pod)
    server = Server(echo=False)
    socks, peers = [], []
    for _ in range(AT_ONCE):
        socks.append(dial(pod.path, server.port))
        peers.append(server.accept())
    waiting = dial(pod.path, server.port)
    waiting.sendall(b"at last")
    # more than there is room for on the way
    flood = threading.Thread(target=lambda: peers[0].sendall(bytes(FLOOD)))
    flood.start()
    peers[1].sendall(b"quick")
    equal(receive(socks[1], 5), b"quick", "another connection")
    _, (fd,) = sandbox.call_with_fds("PortForward", "(qa{sv})", (server.port, {}))
    # had the waiting one been let in by now, this accept () would be its
    with socket.socket(fileno=fd) as forwarded, server.accept() as peer:
        peer.sendall(b"called")
        forwarded.settimeout(TIMEOUT)
        equal(receive(forwarded, 6), b"called", "PortForward")
    check(flood.is_alive(), "nobody reads, and all of it was taken")
    socks.pop(1).close()
    peers.pop(1).close()
    with server.accept() as peer:
        equal(receive(peer, 7), b"at last", "of the one that waited")
    waiting.close()
    equal(len(receive(socks[0], FLOOD)), FLOOD, "bytes")
    flood.join(TIMEOUT)
    for sock in socks + peers:
        sock.close()
    server.close()
    sandbox.delete(force=True)


def test_stopped(env):
    """a sandbox that ends leaves no program and no socket in the namespace; its connections end, those being made are reset"""
    pod = make_pod(env)
    for end in (lambda s: s.stop(), lambda s: s.stop(force=True), lambda s: s.delete(force=True)):
        sandbox = start(env, pod)
        server = Server(echo=False)
        sock = dial(pod.path, server.port)
        peer = server.accept()
        # one that waits for the guest as well
        env.agent(sandbox).mute.add("ExecProcess")
        late = dial(pod.path, server.port)
        eventually(lambda agent=env.agent(sandbox): agent.calls.count("ExecProcess") == 2, "second connection")
        end(sandbox)
        equal(receive_until_end(sock), b"", "the rest")
        is_reset(late)
        is_closed(pod)
        with contextlib.suppress(bus.BusError):
            sandbox.delete()
        peer.close()
        server.close()


def test_restart(env):
    """a daemon that is killed takes its door with it, the next one makes it anew; also when the guest is paused"""
    pod, still = make_pod(env), make_pod(env)
    start(env, pod)
    start(env, still, "still").call("Pause")
    server = Server()
    sock = dial(pod.path, server.port)
    sock.sendall(b"one")
    equal(receive(sock, 3), b"one", "echo")
    env.stop_daemon(kill=True)
    equal(receive_until_end(sock), b"", "the rest")
    is_closed(pod)
    is_closed(still)
    env.start_daemon()
    is_open(pod)
    is_open(still)
    env.manager.sandbox("still").call("Resume")
    for each in (pod, still):
        with dial(each.path, server.port) as sock:
            sock.sendall(b"two")
            equal(receive(sock, 3), b"two", "echo after the restart")
    for sid in ("box", "still"):
        env.manager.sandbox(sid).delete(force=True)
    is_closed(pod)
    is_closed(still)
    server.close()


def interfaces():
    return [line.split(": ")[1].split("@")[0] for line in netns.run("ip", "-o", "link").splitlines()]


def test_vanishes(env):
    """a namespace that is deleted goes, whoever is connected in there; the sandbox stays; another one of that name is not touched"""
    pod = make_pod(env, veth=True)
    outside = "host-" + os.path.basename(pod.path)
    sandbox = start(env, pod)
    server = Server()
    socks = [dial(pod.path, server.port) for _ in range(3)]
    for sock in socks:
        sock.sendall(b"x")
        equal(receive(sock, 1), b"x", "echo")
    check(outside in interfaces(), "the interface's other end is not there")
    pod.remove()
    for sock in socks:
        is_reset(sock)
    # the kernel's last word on a namespace: its interfaces are gone, and their other ends with them
    eventually(lambda: outside not in interfaces(), "end of the namespace")
    equal(sandbox.get("State"), "ready", "state")
    again = Pod(pod.path)
    sandbox.call("Pause")
    sandbox.call("Resume")
    is_closed(again)
    sandbox.delete(force=True)
    server.close()


def test_not_wanted(env):
    """no door where the key says so, the guest has no interface, the namespace is a process's, or none is named"""
    pod = make_pod(env)
    with daemon_with(env, "--set", KEY + "=false"):
        sandbox = create(env, pod)
        sandbox.start()
        container = env.manager.container("box")
        container.start()
        equal(container.exec(["sh", "-c", "exit 5"]).wait(), 5, "status, of what takes longer than a door")
        is_closed(pod)
        sandbox.delete(force=True)
    sandbox = env.manager.create_sandbox("box", env.bundles.make(document=netns.document(pod.path, ["true"])), network="none")
    sandbox.start()
    holder = subprocess.Popen(["nsenter", "--net=" + pod.path, "sleep", "1000"])
    try:
        eventually(lambda: os.stat("/proc/%d/ns/net" % holder.pid).st_ino == os.stat(pod.path).st_ino, "a process in there")
        other = env.manager.create_sandbox("other", env.bundles.make(
            document=netns.document("/proc/%d/ns/net" % holder.pid, ["true"])))
        other.start()
        eventually(lambda: said(env, "nobody says when it is to go"), "word of it in the log")
        # a third one, whose door would be made after theirs
        third = make_pod(env)
        start(env, third, "third")
        is_closed(pod)
        for each in (other, sandbox, env.manager.sandbox("third")):
            each.delete(force=True)
    finally:
        holder.kill()
        holder.wait()


def said(env, text):
    """How often the daemon did since the test began."""
    return sum(text in line for line in env._new_log())


def test_no_kernel(env):
    """a kernel that has no such thing, or allows it not: said once, and sandboxes run as ever"""
    check_row = lambda: next(row for row in env.manager.call("Check", "(a{sv})", {}) if row[0] == "loopback-forward")
    equal(check_row()[1], "ok", "status of the check")
    env.stop_daemon()
    env.without_bpf = True
    try:
        env.start_daemon()
        pods = [make_pod(env) for _ in range(2)]
        for i, pod in enumerate(pods):
            sandbox = create(env, pod, "box%d" % i)
            sandbox.start()
            eventually(lambda: said(env, KEY), "word of it in the log")
            is_closed(pod)
        for i in range(2):
            env.manager.sandbox("box%d" % i).delete(force=True)
        equal(said(env, KEY), 1, "how often it is said")
        row = check_row()
        equal((row[1], bool(row[3])), ("warning", True), "the check's status, and a hint")
        match(row[2], "sk_lookup", "what was found")
        env.stop_daemon()
    finally:
        env.without_bpf = False
        if env.daemon is None:
            env.start_daemon()


class LoopbackEnv(TestDriverEnv):
    """Its namespaces are pods, the guest's network is that of this program."""

    def __init__(self):
        super().__init__(["--set", "daemon.orphan-grace-ms=1500"], outlive=True)
        self.pods = []
        self.without_bpf = False

    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()
        ports.serve_connect(self)

    def remove_pods(self):
        for pod in self.pods:
            pod.remove()
        self.pods.clear()

    def daemon_command(self):
        command = super().daemon_command()
        return ports.without_bpf(command) if self.without_bpf else command


if __name__ == "__main__":
    ports.require_steering()
    testdriver.main([with_pods(value) for name, value in list(globals().items()) if name.startswith("test_")], LoopbackEnv())
