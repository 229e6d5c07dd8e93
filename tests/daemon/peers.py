#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Private connections: the daemon's socket, what clients of a bus do on it, and its limits."""

import os
import socket
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import callers
import host
import testdriver
from callers import User
from env import program
from gi.repository import GLib
from tap import check, equal, match, took
from testdriver import Pending, Signals, TestDriverEnv, eventually, read_all

GROUP = 54321
MEMBER = User(2, (GROUP,))
MAX_CONNECTIONS = 3
STATE = ("org.freedesktop.DBus.Properties", "Get", "ss", ("org.virtpod.Sandbox1", "State"))


def path_of(env):
    return os.path.join(env.state_dir, "virtpod.sock")


def address_of(env):
    return "unix:path=" + path_of(env)


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    equal(result.returncode, 0, " ".join(command) + ": " + result.stderr)
    return result.stdout


def test_mode(env):
    """the socket is the group's and nobody else's"""
    st = os.stat(path_of(env))
    check(stat.S_ISSOCK(st.st_mode), "type")
    equal((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid), (0o660, 0, GROUP), "mode and owner")


def test_busctl(env):
    """busctl takes it for a bus"""
    sandbox, container = env.start_sandbox()
    busctl = ("busctl", "--address=" + address_of(env))
    paths = run(*busctl, "tree", "--list", bus.NAME).split()
    for path in (bus.MANAGER, sandbox.path, container.path, container.path + "/process/_"):
        check(path in paths, path + " is not in the tree")
    match(run(*busctl, "introspect", bus.NAME, sandbox.path), r"\.GetDomainXML +method", "introspect")
    match(run(*busctl, "call", bus.NAME, bus.MANAGER, "org.virtpod.Manager1", "ListSandboxes", "a{ss}", "0"),
          '"%s" "ready"' % sandbox.get("Id"), "list")
    equal(run(*busctl, "get-property", bus.NAME, sandbox.path, "org.virtpod.Sandbox1", "State").strip(), 's "ready"', "state")
    sandbox.delete(force=True)


def test_gdbus(env):
    """so does GLib: object manager, signals, descriptors"""
    connection = bus.connect(address_of(env))
    manager = bus.Manager(connection)
    signals = Signals(address_of(env))
    reader, writer = os.pipe()
    sandbox = manager.create_sandbox(env.new_id("p"), env.bundle(["sh", "-c", "echo through a pipe"]), stdout=writer)
    os.close(writer)
    sandbox.start()
    container = manager.container(sandbox.get("Id"))
    container.start()
    equal(container.wait(), 0, "status")
    equal(read_all(reader), b"through a pipe\n", "output")
    check(sandbox.path in manager.objects() and container.path in manager.objects(), "objects")
    eventually(lambda: signals.values(sandbox.path, "State")[-1:] == ["ready"], "state by signal")
    eventually(lambda: signals.named("InterfacesAdded"), "objects by signal")
    sandbox.delete(force=True)
    eventually(lambda: signals.named("InterfacesRemoved"), "end by signal")
    equal(manager.objects(), env.manager.objects(), "the same tree as on the bus")
    signals.close()
    connection.close_sync(None)


def test_virtpod(env):
    """virtpod --address"""
    result = subprocess.run([program("virtpod"), "--address", address_of(env), "run", "--bundle",
                             env.bundle(["echo", "hello"]), env.new_id("v")], stdout=subprocess.PIPE, timeout=60, check=False)
    equal((result.returncode, result.stdout), (0, b"hello\n"), "virtpod run")


def test_member(env):
    """a member of the group, whose group is not his first one"""
    sandbox, _container = env.start_sandbox()
    outcome = callers.run(address_of(env), MEMBER, [(sandbox.path, *STATE)], "socket")[0]
    check("ready" in outcome["text"], str(outcome))
    sandbox.delete(force=True)


def test_strangers(env):
    """what is on the bus and not here"""
    connection = bus.connect(address_of(env))
    for name, owned in ((bus.NAME, True), ("org.freedesktop.DBus", True), ("org.example", False)):
        equal(bus.has_owner(connection, name), owned, name)
    for method, argument in (("GetNameOwner", "org.example"), ("RequestName", "org.example")):
        try:
            connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
                                 GLib.Variant("(s)", (argument,)), None, 0, 120000, None)
        except GLib.Error:
            continue
        check(False, method + " worked")
    connection.close_sync(None)


def test_caller_leaves(env):
    """a call that waits ends with its connection"""
    sandbox, container = env.start_sandbox()
    connection = bus.connect(address_of(env))
    Pending(bus.Container(connection, container.path), "Wait")
    eventually(lambda: testdriver.pump(), "call")
    connection.flush_sync(None)
    connection.close_sync(None)
    eventually(lambda: "Wait: " in env.diagnostics(), "end of the call")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def raw(env):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path_of(env))
    return peer


def is_closed(peer, timeout):
    """Whether the daemon closes it in this time; what it sends is thrown away."""
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            peer.settimeout(max(0.05, deadline - time.monotonic()))
            if not peer.recv(65536):
                return True
    except socket.timeout:
        return False
    except OSError:
        return True
    return False


def test_bad_handshake(env):
    """nonsense, other mechanisms, another user's name, and nothing at all for ten seconds"""
    silent = raw(env)
    begun = time.monotonic()
    for text in (b"\0GET / HTTP/1.0\r\n\r\n" + b"x" * 20000, b"\0AUTH ANONYMOUS\r\nBEGIN\r\n", b"l\1\0\1" * 64,
                 b"\0AUTH DBUS_COOKIE_SHA1 30\r\n", b"\0AUTH EXTERNAL 3635353334\r\nBEGIN\r\n"):
        peer = raw(env)
        peer.sendall(text)
        peer.settimeout(60)
        try:
            answer = peer.recv(4096)
        except OSError:
            answer = b""
        check(not answer.startswith(b"OK"), "%r: %r" % (text[:30], answer))
        peer.close()
    equal(env.manager.get("NSandboxes"), 0, "the daemon")
    check(is_closed(silent, 60), "a silent one is still there")
    check(time.monotonic() - begun > 5, "closed at once")
    silent.close()


def test_limit(env):
    """so many connections of one user; root has no limit"""
    script = ("import os,socket,sys,time\nos.setgroups([%d]); os.setresgid(2,2,2); os.setresuid(2,2,2)\n"
              "peers=[]\n"
              "for _ in range(%d):\n p=socket.socket(socket.AF_UNIX); p.connect(%r); p.settimeout(60); peers.append(p)\n"
              "closed=0\n"
              "for p in peers:\n"
              "  try:\n   p.sendall(b'\\0AUTH EXTERNAL 32\\r\\n'); closed += p.recv(10)==b''\n"
              "  except socket.timeout: pass\n"
              "  except OSError: closed += 1\n"
              "print(closed)\n" % (GROUP, MAX_CONNECTIONS + 2, path_of(env)))
    equal(run(sys.executable, "-c", script).strip(), "2", "closed connections")
    peers = [bus.connect(address_of(env)) for _ in range(MAX_CONNECTIONS + 5)]
    for connection in peers:
        check(bus.has_owner(connection), "root's connection")
        connection.close_sync(None)
    # those that are closed count no more
    eventually(lambda: run(sys.executable, "-c", script).strip() == "2", "two closed connections")


def test_private_limit(env):
    """OpenPrivateConnection counts too"""
    script = ("import sys; sys.path.insert(0, %r)\nimport os, bus, callers\ncallers.become(callers.User(2, (%d,)))\n"
              "c = bus.connect(%r); kept = []\n"
              "for i in range(%d):\n"
              "  try: kept.append(callers.private(c))\n"
              "  except bus.BusError as e: print(i, e.name)\n"
              % (os.path.dirname(os.path.abspath(callers.__file__)), GROUP, env.address, MAX_CONNECTIONS + 1))
    equal(run(sys.executable, "-c", script).split(), [str(MAX_CONNECTIONS), "ResourceExhausted"], "connections")


def test_not_reading(env):
    """one that does not read is disconnected, and others notice nothing"""
    sandbox, _container = env.start_sandbox()
    peer = raw(env)
    peer.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
    time.sleep(0.2)
    # calls whose answers nobody takes, more than the socket's buffers hold and less than are allowed at once
    call = bus_message(sandbox.path, "org.freedesktop.DBus.Introspectable", "Introspect")
    peer.settimeout(60)
    before = env.rss()
    try:
        for _ in range(1500):
            peer.sendall(call)
    except OSError:
        check(False, "closed at once")
    begun = time.monotonic()
    env.manager.sandboxes()
    took(begun, 2, "another call")
    eventually(lambda: "it does not read" in env.diagnostics(), "end of the connection", 40)
    check(is_closed(peer, 60), "connection")
    check(env.rss() - before < 65536 or testdriver.sanitized(env), "memory grew by %d kB" % (env.rss() - before))
    peer.close()
    sandbox.delete(force=True)


def test_too_many_unread(env):
    """nor are answers kept for one that asks without end"""
    peer = raw(env)
    peer.sendall(b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n")
    call = bus_message(bus.MANAGER, "org.freedesktop.DBus.Introspectable", "Introspect")
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 100:
            peer.sendall(call)
    except OSError:
        pass
    took(begun, 10, "the end of the connection")
    peer.close()
    env.manager.sandboxes()


def bus_message(path, interface, member):
    import gi.repository.Gio as Gio
    message = Gio.DBusMessage.new_method_call(bus.NAME, path, interface, member)
    message.set_serial(1)
    return bytes(message.to_blob(Gio.DBusCapabilityFlags.NONE))


def test_bus_gone(env):
    """they go on when the bus has gone"""
    sandbox, _container = env.start_sandbox()
    private = bus.Sandbox(bus.connect(address_of(env)), sandbox.path)
    equal(private.get("State"), "ready", "state")
    host.stop_process(env.dbus)
    equal(private.get("State"), "ready", "state without a bus")
    check(env.daemon.poll() is None, "the daemon has ended")
    private.delete(force=True)
    env.stop_daemon()
    env._start_bus()
    env.start_daemon()


def test_leftover_socket(env):
    """a socket that was left is replaced, another daemon's is not, and what is no socket is not removed"""
    env.stop_daemon(kill=True)
    check(os.path.exists(path_of(env)), "no socket was left")
    env.start_daemon()
    check(bus.has_owner(bus.connect(address_of(env))), "socket")
    env.stop_daemon()
    check(not os.path.exists(path_of(env)), "the socket is still there")
    with open(path_of(env), "w", encoding="ascii") as f:
        f.write("mine")
    check(fails_to_start(env), "started over a file")
    with open(path_of(env), encoding="ascii") as f:
        equal(f.read(), "mine", "file")
    os.unlink(path_of(env))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path_of(env))
    listener.listen()
    check(fails_to_start(env), "started over another's socket")
    listener.close()
    os.unlink(path_of(env))
    env.start_daemon()


def fails_to_start(env):
    with open(env.path("virtpodd.log"), "ab") as log:
        return subprocess.run(env.daemon_command(), stdout=log, stderr=log, timeout=30, check=False).returncode == 1


def test_activation(env):
    """a socket that systemd hands over is used as it is"""
    env.stop_daemon()
    path = env.path("activated.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    early = socket.socket(socket.AF_UNIX)
    early.connect(path)
    early.sendall(b"\0AUTH EXTERNAL 30\r\n")
    env.daemon = subprocess.Popen(
        ["sh", "-c", 'export LISTEN_PID=$$; exec "$@"', "sh", *env.daemon_command()],
        preexec_fn=lambda: os.dup2(listener.fileno(), 3), pass_fds=[3], stdin=subprocess.DEVNULL, stdout=open(env.path("virtpodd.log"), "ab"),
        stderr=subprocess.STDOUT, env=dict(os.environ, LISTEN_FDS="1", LISTEN_FDNAMES="virtpod.sock"))
    listener.close()
    early.settimeout(30)
    check(early.recv(100).startswith(b"OK"), "the one that came before the daemon")
    early.close()
    check(bus.has_owner(bus.connect("unix:path=" + path)), "socket")
    check(not os.path.exists(path_of(env)), "a socket of its own too")
    env.stop_daemon()
    check(os.path.exists(path), "somebody else's socket was removed")
    env.start_daemon()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv(["--set", "daemon.group=%d" % GROUP,
                                          "--set", "daemon.max-connections-per-user=%d" % MAX_CONNECTIONS]))
