#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may call what: every method of data/*.xml as a user who may not, and as root."""

import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import testdriver
from env import srcdir
from gi.repository import GLib
from tap import check, equal, eventually
from testdriver import TestDriverEnv

NOBODY = 65534
VALUES = {"s": "TERM", "o": "/", "a{sv}": {}, "a{ss}": {}, "aa{sv}": [], "as": ["true"], "t": 1, "q": 1, "b": True, "h": 0}
INTERFACES = ("org.virtpod.Manager1", "org.virtpod.Sandbox1", "org.virtpod.Container1", "org.virtpod.Process1")


def methods(interface):
    """(name, signature) of each method, as the XML has them."""
    tree = ElementTree.parse(os.path.join(srcdir, "data", interface + ".xml"))
    for method in tree.iter("method"):
        yield method.get("name"), [a.get("type") for a in method.iter("arg") if a.get("direction") == "in"]


def call_all(address, calls):
    """Makes each call and returns how it ended."""
    connection = bus.connect(address)
    outcomes = []
    for path, interface, method, types in calls:
        target = bus.Object(connection, path)
        target.interface = interface
        try:
            target.call_with_fds(method, "(%s)" % "".join(types), [VALUES[t] for t in types], [0] if "h" in types else [], timeout=20)
            outcomes.append("ok")
        except bus.BusError as error:
            outcomes.append(error.name)
    return outcomes


def as_nobody(env, calls):
    """The same by a process of another user. It changes over after the imports: the tree may be below a directory
    that is closed to others, as root's home is."""
    result = subprocess.run([sys.executable, os.path.abspath(__file__), "--call", env.address], input=json.dumps(calls).encode(),
                            stdout=subprocess.PIPE, timeout=120, check=True, env=dict(os.environ, HOME="/"))
    return json.loads(result.stdout)


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def everything(env):
    """Calls of every method, on objects that run."""
    sandbox, container = env.start_sandbox()
    paths = {"org.virtpod.Manager1": bus.MANAGER, "org.virtpod.Sandbox1": sandbox.path,
             "org.virtpod.Container1": container.path, "org.virtpod.Process1": container.path + "/process/_"}
    calls = [(paths[i], i, name, types) for i in INTERFACES for name, types in methods(i)]
    return sandbox, container, calls


def test_other_user(env):
    """each method refuses another user and does nothing"""
    sandbox, container, calls = everything(env)
    agent = env.agent(sandbox)
    before = (env.manager.objects(), [c for c in agent.calls if not c.startswith("Read")])
    check(len(calls) >= 25, "methods: %d" % len(calls))
    outcomes = as_nobody(env, calls)
    for (_path, interface, method, _types), outcome in zip(calls, outcomes):
        equal(outcome, "org.freedesktop.DBus.Error.AccessDenied", "%s.%s" % (interface, method))
    equal((env.manager.objects(), [c for c in agent.calls if not c.startswith("Read")]), before, "what there is")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_live_interfaces(env):
    """the objects have the methods of the XML and no others"""
    sandbox, _, calls = everything(env)
    for path in sorted({call[0] for call in calls}):
        reply = env.manager.connection.call_sync(bus.NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect",
                                                 None, None, 0, 120000, None).unpack()[0]
        for interface in ElementTree.fromstring(reply).iter("interface"):
            name = interface.get("name")
            if name.startswith("org.virtpod."):
                equal(sorted(m.get("name") for m in interface.iter("method")), sorted(m for m, _ in methods(name)), name)
    sandbox.delete(force=True)


def test_unknown_methods(env):
    """methods, interfaces and objects that do not exist"""
    sandbox, _, _ = everything(env)
    calls = [(bus.MANAGER, "org.virtpod.Manager1", "NoSuch", []), (bus.MANAGER, "org.virtpod.NoSuch1", "Start", []),
             (sandbox.path + "x", "org.virtpod.Sandbox1", "Ping", []),
             (sandbox.path, "org.virtpod.Sandbox1", "Start", ["s"])]
    for outcome in as_nobody(env, calls) + call_all(env.address, calls):
        check(outcome.startswith("org.freedesktop.DBus.Error."), "outcome: " + outcome)
    sandbox.delete(force=True)


def test_properties_are_read_only(env):
    """no property can be set"""
    sandbox, _, _ = everything(env)
    for target, key in ((env.manager, "Version"), (sandbox, "State")):
        try:
            env.manager.connection.call_sync(
                bus.NAME, target.path, "org.freedesktop.DBus.Properties", "Set",
                GLib.Variant("(ssv)", (target.interface, key, GLib.Variant("s", "x"))), None, 0, 120000, None)
        except GLib.Error as error:
            check("not writable" in error.message or "ReadOnly" in error.message, error.message)
        else:
            check(False, "Set %s worked" % key)
    sandbox.delete(force=True)


def test_many_users(env):
    """more callers than the cache of callers holds"""
    calls = [(bus.MANAGER, "org.virtpod.Manager1", "ListSandboxes", ["a{ss}"])]
    before = env.rss()
    for _ in range(1200):
        connection = bus.connect(env.address)
        bus.Manager(connection).sandboxes()
        connection.close_sync(None)
    equal(as_nobody(env, calls), ["org.freedesktop.DBus.Error.AccessDenied"], "another user")
    equal(call_all(env.address, calls), ["ok"], "root")
    check(env.rss() - before < 8192 or testdriver.sanitized(env), "memory grew by %d kB" % (env.rss() - before))


def monitor(env, uid):
    """What somebody who listens to the daemon hears of a sandbox, and the tree as he sees it."""
    become = ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid, "--clear-groups"] if uid else []
    address = ["--address", env.address, "--dest", bus.NAME]
    with open(env.path("monitor.log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen([*become, "gdbus", "monitor", *address], stdout=log, stderr=log)
    read = lambda: open(env.path("monitor.log"), encoding="utf-8").read()
    eventually(lambda: "is owned by" in read(), "monitor")
    sandbox, _container = env.start_sandbox()
    tree = subprocess.run([*become, "gdbus", "introspect", *address, "--recurse", "--object-path", "/org/virtpod"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False, text=True).stdout
    sandbox.delete(force=True)
    time.sleep(0.3)
    host.stop_process(process)
    return sandbox, read(), tree


def test_policy(env):
    """the bus policy that is installed: everybody may call, and the daemon decides; signals and ids are not for all"""
    env.stop_daemon()
    host.stop_process(env.dbus)
    if os.path.exists(env.path("bus")):
        os.unlink(env.path("bus"))
    with open(os.path.join(srcdir, "data/org.virtpod.conf"), encoding="ascii") as f:
        policy = f.read()
    with open(env.path("org.virtpod.conf"), "w", encoding="ascii") as f:
        f.write(policy)
    with open(env.path("bus.conf"), "w", encoding="ascii") as f:
        f.write("""<busconfig><type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
          <policy context="default">
            <allow user="*"/> <deny own="*"/> <deny send_type="method_call"/> <allow send_type="signal"/>
            <allow send_requested_reply="true" send_type="method_return"/>
            <allow send_requested_reply="true" send_type="error"/>
            <allow receive_type="method_call"/> <allow receive_type="method_return"/> <allow receive_type="error"/>
            <allow receive_type="signal"/> <allow send_destination="org.freedesktop.DBus"/>
          </policy>
          <include>org.virtpod.conf</include></busconfig>""" % env.path("bus"))
    with open(env.path("bus.log"), "ab") as log:
        env.dbus = subprocess.Popen(["dbus-daemon", "--nofork", "--config-file", env.path("bus.conf")],
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    eventually(lambda: host.listens(env.path("bus")), "dbus-daemon")
    env.start_daemon()
    sandbox, container, calls = everything(env)
    outcomes = as_nobody(env, calls)
    for (_path, interface, method, _types), outcome in zip(calls, outcomes):
        equal(outcome, "org.freedesktop.DBus.Error.AccessDenied", "%s.%s" % (interface, method))
    log = "\n".join(line for line in env.diagnostics().splitlines() if "refused" in line)
    check("org.virtpod.Manager1" in log, "it was not the daemon who refused: " + log)
    objects = [(bus.ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", [])]
    equal(as_nobody(env, objects), ["org.freedesktop.DBus.Error.AccessDenied"], "objects")
    equal(container.get("State"), "running", "state")
    sandbox.delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    for uid, sees in ((0, True), (NOBODY, False)):
        sandbox, heard, tree = monitor(env, uid)
        equal("PropertiesChanged" in heard and sandbox.path in heard, sees, "signals of uid %d: %s" % (uid, heard))
        equal(sandbox.path in tree, sees, "tree of uid %d: %s" % (uid, tree))
        check("org.virtpod" in tree, "tree of uid %d: %s" % (uid, tree))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    if sys.argv[1:2] == ["--call"]:
        become_nobody()
        print(json.dumps(call_all(sys.argv[2], json.load(sys.stdin))))
    else:
        testdriver.main(TESTS, TestDriverEnv())
