#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may call what: every method and property of the introspection files, by the
bus and by private connections, called by root, the group, the owner and others,
with the real polkitd and without one. What is refused is AccessDenied and leaves
no trace."""

import glob
import json
import os
import pty
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import callers
import polkit
import tap
import testdriver
from callers import User
from env import program, srcdir
from gi.repository import Gio, GLib
from tap import check, equal
from testdriver import Signals, TestDriverEnv, eventually

GROUP = 54321
ROOT = User(0)
MEMBER = User(2, (GROUP,))      # bin
OWNER = User(1)                 # daemon
OTHER = User(65534)             # nobody
DENIED = "org.freedesktop.DBus.Error.AccessDenied"
PROPERTIES = "org.freedesktop.DBus.Properties"
LOG_CONTROL = ("/org/freedesktop/LogControl1", "org.freedesktop.LogControl1")
SECRET = "hunter2"

VALUES = {"s": "TERM", "o": "/", "a{sv}": {}, "a{ss}": {}, "aa{sv}": [], "as": ["true"], "t": 1, "q": 1, "b": True, "h": 0}
# what the agent is asked that changes nothing
LOOKS = ("Read", "Stats", "Get", "Check", "Version", "Health", "ListProcesses", "ListInterfaces", "ListRoutes",
         "WaitProcess")
# what ends something is called last
LAST = ["Cancel", "Drain", "Pause", "Resume", "Kill", "Stop", "Wait", "Delete"]

# What the rows are to say, written down a second time on purpose.
INSPECT = {
    "Manager1": {"GetSandbox", "GetContainer", "ListSandboxes", "ListContainers", "GetConfig", "GetStats",
                 "OpenPrivateConnection"},
    "Sandbox1": {"Wait", "Ping", "ListContainers", "GetStats", "GetMetrics", "GetGuestDetails", "ListInterfaces",
                 "ListRoutes", "GetIPTables"},
    "Container1": {"Wait", "ListPids", "GetStats", "GetProcess"},
    "Process1": {"Wait"},
}
NOT_EVEN_OWNER = {"Sandbox1": {"CreateContainer", "Update"}}
SECRET_PROPERTIES = {("Sandbox1", "Annotations"), ("Container1", "Annotations")}


class Busy:
    """A start that is a job for as long as it is wanted, of a sandbox of root's, or the one at @path by @user."""

    def __init__(self, env, user=ROOT, path=None):
        self.sandbox = bus.Sandbox(env.manager.connection, path) if path else env.create()[0]
        env.agent(self.sandbox).mute.add("CreateSandbox")
        self.call = start_call(env.address, user, (self.sandbox.path, "org.virtpod.Sandbox1", "Start", "a{sv}", ({},)))
        eventually(lambda: "CreateSandbox" in env.agent(self.sandbox).calls, "question to the guest")
        self.path = eventually(lambda: self.find(env), "job")

    def find(self, env):
        return next((path for path, interfaces in env.manager.objects().items()
                     if interfaces.get("org.virtpod.Job1", {}).get("Objects") == [self.sandbox.path]), None)

    def end(self):
        delete(self.sandbox)
        finish(self.call)


def delete(sandbox):
    """Also one that a call of the matrix has deleted."""
    try:
        sandbox.delete(force=True)
    except bus.BusError as error:
        check(error.name.endswith(("UnknownMethod", "UnknownObject", "NotFound")), str(error))


class World:
    """A sandbox with a second container, a job, and all there is to call about them."""

    def __init__(self, env, sandbox_path=None, busy=None):
        self.env = env
        if sandbox_path is None:
            sandbox, _container = env.start_sandbox(["sleep", "1000"], **changes())
            sandbox_path = sandbox.path
            env.manager.connection.call_sync(
                bus.NAME, sandbox_path, "org.virtpod.Sandbox1", "CreateContainer",
                GLib.Variant("(ssa{sv})", (env.new_id("side"), env.bundle(["sleep", "1000"], **changes()), {})),
                None, 0, 20000, None)
        self.sandbox = bus.Sandbox(env.manager.connection, sandbox_path)
        side = [path for path in env.manager.objects() if path.startswith(sandbox_path + "/container/side")][0]
        bus.Container(env.manager.connection, side).start()
        self.busy = busy or Busy(env)
        self.paths = {"Job1": self.busy.path, "Process1": side + "/process/_", "Container1": side,
                      "Sandbox1": sandbox_path, "Manager1": bus.MANAGER}
        equal(set(self.paths), set(interfaces()), "interfaces")

    def delete(self):
        delete(self.sandbox)
        self.busy.end()

    def state(self):
        """Everything a call could have changed. Output that nobody reads is read all the time."""
        agent = self.env.agent(self.sandbox)
        return (self.env.manager.objects(), self.env.record(self.sandbox), log_level(self.env),
                [call for call in agent.calls if not call.startswith(LOOKS)],
                self.env.manager.get("Draining"))

    def methods(self):
        """(interface, method, call), in an order in which each means something."""
        rows = []
        for name, path in self.paths.items():
            for method in tree(name).iter("method"):
                types = [a.get("type") for a in method.iter("arg") if a.get("direction") == "in"]
                rows.append((name, method.get("name"), (path, "org.virtpod." + name, method.get("name"), "".join(types),
                                                        [VALUES[t] for t in types])))
        order = lambda row: LAST.index(row[1]) + 1 if row[1] in LAST else 0
        return sorted(rows, key=order)

    def properties(self):
        """(interface, property, call) of Get, then of Set, of each."""
        rows = []
        for name, path in self.paths.items():
            for prop in tree(name).iter("property"):
                what = ("org.virtpod." + name, prop.get("name"))
                rows.append((name, prop.get("name"), (path, PROPERTIES, "Get", "ss", what)))
                rows.append((name, prop.get("name"), (path, PROPERTIES, "Set", "ssv", (*what, {"v": ("s", "x")}))))
        return rows


def changes():
    return {"env": ["PASSWORD=%s-env" % SECRET], "annotations": {"org.example.note": "%s-note" % SECRET}}


def interfaces():
    """Names without org.virtpod, of every file there is."""
    return [os.path.basename(path).split(".")[2] for path in glob.glob(os.path.join(srcdir, "data/org.virtpod.*.xml"))]


def tree(name):
    return ElementTree.parse(os.path.join(srcdir, "data/org.virtpod.%s.xml" % name))


def log_calls():
    path, interface = LOG_CONTROL
    return [(path, PROPERTIES, "Set", "ssv", (interface, key, {"v": ("s", value)}))
            for key, value in (("LogLevel", "err"), ("LogTarget", "null"))]


def log_level(env):
    target = bus.Object(env.manager.connection, LOG_CONTROL[0])
    target.interface = LOG_CONTROL[1]
    return [target.get(key) for key in ("LogLevel", "LogTarget", "SyslogIdentifier")]


def objects_call():
    return (bus.ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", [])


def others(world):
    """Calls that belong to no interface of ours."""
    path, interface = LOG_CONTROL
    return ([(world.paths[name], PROPERTIES, "GetAll", "s", ("org.virtpod." + name,)) for name in world.paths]
            + [(path, PROPERTIES, "Get", "ss", (interface, "LogLevel")), (path, PROPERTIES, "GetAll", "s", (interface,)),
               objects_call()])


def everything(world):
    calls = [row[2] for row in world.methods()] + [row[2] for row in world.properties()] + others(world) + log_calls()
    check(len(calls) > 120, "calls: %d" % len(calls))
    return calls


def socket_of(env):
    return "unix:path=" + os.path.join(env.state_dir, "virtpod.sock")


def denied(call, outcome):
    """A property that cannot be written is refused before anybody asks who writes."""
    if call[2] == "Set" and call[0] != LOG_CONTROL[0]:
        check(outcome["name"] in (DENIED, "org.freedesktop.DBus.Error.InvalidArgs"), "%s: %s" % (call[:4], outcome))
    else:
        equal(outcome["name"], DENIED, " ".join(call[1:3]) + " " + str(call[4]))


def let_in(call, outcome):
    bad = outcome["name"] in (DENIED, "not connected") or (
        outcome["name"].startswith("org.freedesktop.DBus.Error.Unknown") and "not implemented" not in outcome["text"])
    check(not bad, "%s: %s" % (call[:4], outcome))


def all_denied(env, user, ways=("bus",), world=None):
    own = world or World(env)
    before = own.state()
    calls = everything(own)
    for way in ways:
        for call, outcome in zip(calls, callers.run(env.address, user, calls, way)):
            denied(call, outcome)
    equal(own.state(), before, "what there is")
    if world is None:
        own.delete()


def all_let_in(env, user):
    for way, address in (("bus", env.address), ("socket", socket_of(env)), ("private", env.address)):
        world = World(env)
        calls = ([row[2] for row in world.properties() if row[2][2] == "Get"] + others(world)
                 + [row[2] for row in world.methods() if row[1] != "Reload"])
        for call, outcome in zip(calls, callers.run(address, user, calls, way)):
            let_in(call, outcome)
        world.delete()
        env.manager.call("Drain", "(a{sv})", {"off": GLib.Variant("b", True)})


# ---- columns -------------------------------------------------------------------


def test_root(env):
    """root may everything, by the bus, the socket and a private connection, without polkit"""
    all_let_in(env, ROOT)


def test_group(env):
    """so may members of the group"""
    all_let_in(env, MEMBER)
    world = World(env)
    for outcome in callers.run(env.address, MEMBER, log_calls()[:1]):
        equal(outcome["name"], "ok", "LogLevel")
    equal(log_level(env)[0], "err", "level")
    callers.run(env.address, ROOT, [(LOG_CONTROL[0], PROPERTIES, "Set", "ssv",
                                     (LOG_CONTROL[1], "LogLevel", {"v": ("s", "debug")}))])
    world.delete()


def test_polkit_down(env):
    """without polkit others may nothing, and are told so"""
    all_denied(env, OTHER)
    world = World(env)
    calls = [row[2] for row in world.methods()][:1]
    check("polkit cannot be asked" in callers.run(env.address, OTHER, calls)[0]["text"], "message")
    equal(callers.run(env.address, OTHER, calls, "private")[0]["name"], DENIED, "private connection")
    equal(callers.run(socket_of(env), OTHER, calls, "socket")[0]["name"], "not connected", "socket")
    world.delete()


def test_other_user(env):
    """with polkit, and nothing granted, others may nothing"""
    authority(env).start()
    all_denied(env, OTHER)
    all_denied(env, OWNER)


def test_inspect(env):
    """who may inspect sees what there is, and no secret"""
    authority(env).start(polkit.grant("nobody", "inspect"))
    world = World(env)
    for way in ("bus", "private"):
        before = world.state()
        rows = [row for row in world.methods() + world.properties() if row[1] not in ("Wait", "OpenPrivateConnection")]
        for (name, member, call), outcome in zip(rows, callers.run(env.address, OTHER, [row[2] for row in rows], way)):
            if (call[2] == "Get" and (name, member) not in SECRET_PROPERTIES) or member in INSPECT.get(name, ()):
                let_in(call, outcome)
            else:
                denied(call, outcome)
            check(SECRET not in outcome["text"], "%s: %s" % (call, outcome))
        for call, outcome in zip(others(world), callers.run(env.address, OTHER, others(world), way)):
            equal(outcome["name"], "ok", str(call))
            check(SECRET not in outcome["text"] and "Annotations" not in outcome["text"], "%s: %s" % (call, outcome))
        for call, outcome in zip(log_calls(), callers.run(env.address, OTHER, log_calls(), way)):
            denied(call, outcome)
        equal(world.state(), before, "what there is")
    # polkit asks the bus who it is: who has left it is nobody any more
    rows = [row[2] for row in world.methods() if row[1] in ("Ping", "GetStats")]
    for call, outcome in zip(rows, callers.run(env.address, OTHER, rows, "left")):
        denied(call, outcome)
    # root sees them
    document = (world.paths["Container1"], "org.virtpod.Container1", "GetState", "", [])
    for call, what in ((objects_call(), SECRET + "-note"), (document, SECRET + "-note")):
        check(what in callers.run(env.address, ROOT, [call])[0]["text"], "root's view of " + call[2])
    world.delete()


def test_no_secret_in_signals(env):
    """what everybody on a private connection hears has no secret in it"""
    signals = Signals(socket_of(env))
    world = World(env)
    container = bus.Container(env.manager.connection, world.paths["Container1"])
    container.exec(["sleep", "1000"], env=["TOKEN=%s" % SECRET], exec_id="e").kill("KILL")
    world.delete()
    eventually(lambda: signals.named("InterfacesRemoved"), "signals")
    check(len(signals.seen) > 10, "signals: %d" % len(signals.seen))
    check(SECRET not in str(signals.seen), "signals: %s" % signals.seen)
    signals.close()


def test_owner(env):
    """who made a sandbox does with it what he likes, and nothing with what is others'"""
    authority(env).start(polkit.grant("daemon", "manage"))
    for way in ("bus", "private"):
        authority(env).start(polkit.grant("daemon", "manage", "inspect"))
        sid = env.new_id("own")
        path = "/org/virtpod/sandbox/" + sid
        calls = [(bus.MANAGER, "org.virtpod.Manager1", "CreateSandbox", "ssa{sv}",
                  [sid, env.bundle(["sleep", "1000"], **changes()), {}]),
                 (path, "org.virtpod.Sandbox1", "Start", "a{sv}", [{}]),
                 (path, "org.virtpod.Sandbox1", "CreateContainer", "ssa{sv}",
                  [env.new_id("side"), env.bundle(["sleep", "1000"], **changes()), {}])]
        busy = "/org/virtpod/sandbox/%sbusy" % sid
        calls.append((bus.MANAGER, "org.virtpod.Manager1", "CreateSandbox", "ssa{sv}", [sid + "busy", env.bundle(), {}]))
        for call, outcome in zip(calls, callers.run(env.address, OWNER, calls, way)):
            equal(outcome["name"], "ok", str((call, outcome)))
        busy = Busy(env, OWNER, busy)
        # now nothing is granted any more, but for the private connection itself
        authority(env).start(*([polkit.grant("daemon", "inspect")] if way == "private" else []))
        world = World(env, path, busy)
        all_denied(env, OTHER, world=world)
        rows = [row for row in world.properties() if row[2][2] == "Get"] + world.methods()
        rows = [row for row in rows if row[0] != "Manager1"]
        for (name, member, call), outcome in zip(rows, callers.run(env.address, OWNER, [row[2] for row in rows], way)):
            if member in NOT_EVEN_OWNER.get(name, ()):
                denied(call, outcome)
            else:
                let_in(call, outcome)
        world.delete()
    authority(env).start()
    all_denied(env, OWNER)


def test_owner_over_restart(env):
    """another daemon knows whose it is"""
    authority(env).start(polkit.grant("daemon", "manage"))
    sid = env.new_id("kept")
    path = "/org/virtpod/sandbox/" + sid
    calls = [(bus.MANAGER, "org.virtpod.Manager1", "CreateSandbox", "ssa{sv}", [sid, env.bundle(["sleep", "1000"]), {}]),
             (path, "org.virtpod.Sandbox1", "Start", "a{sv}", [{}])]
    equal([o["name"] for o in callers.run(env.address, OWNER, calls)], ["ok", "ok"], "create and start")
    authority(env).stop()
    env.stop_daemon(kill=True)
    env.start_daemon()
    ping = (path, PROPERTIES, "Get", "ss", ("org.virtpod.Sandbox1", "State"))
    equal(callers.run(env.address, OTHER, [ping])[0]["name"], DENIED, "another user")
    equal([o["name"] for o in callers.run(env.address, OWNER, [ping])], ["ok"], "owner")
    bus.Sandbox(env.manager.connection, path).delete(force=True)


def test_actions(env):
    """each action lets in what its rows say and nothing else"""
    world = World(env)
    rows = [row for row in world.methods() if row[1] not in LAST and row[0] != "Manager1"]
    seen = {row[:2]: [] for row in rows}
    for action in ("inspect", "secrets", "manage", "exec", "configure"):
        authority(env).start(polkit.grant("nobody", action))
        for row, outcome in zip(rows, callers.run(env.address, OTHER, [row[2] for row in rows])):
            if outcome["name"] != DENIED:
                seen[row[:2]].append(action)
    for (name, member), actions in seen.items():
        equal(len(actions), 1, "%s.%s: actions %s" % (name, member, actions))
        equal(actions == ["inspect"], member in INSPECT[name], "%s.%s" % (name, member))
    world.delete()


# ---- polkit that does not behave -------------------------------------------------


class MockPolkit:
    """Answers when told to. Only polkit's side of the question is made up."""

    XML = """<node><interface name='org.freedesktop.PolicyKit1.Authority'>
      <method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>
        <arg type='a{ss}' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>
        <arg type='(bba{ss})' direction='out'/></method>
      <method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method></interface></node>"""

    def __init__(self, env):
        self.connection = bus.connect(env.address)
        self.pending = []
        self.cancelled = []
        info = Gio.DBusNodeInfo.new_for_xml(self.XML).interfaces[0]
        self.connection.register_object("/org/freedesktop/PolicyKit1/Authority", info, self._call, None, None)
        self.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
                                  GLib.Variant("(su)", (polkit.NAME, 4)), None, 0, 120000, None)

    def _call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        if method == "CheckAuthorization":
            self.pending.append((parameters.unpack(), invocation))
        else:
            self.cancelled.append(parameters.unpack()[0])
            invocation.return_value(None)

    def answer(self, yes, index=0):
        self.pending.pop(index)[1].return_value(GLib.Variant("((bba{ss}))", ((yes, False, {}),)))

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        self.connection.close_sync(None)


def start_call(address, user, call):
    """The call under way, in a process of its own."""
    process = subprocess.Popen([sys.executable, callers.__file__, "bus", address, json.dumps(user)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ, HOME="/"))
    process.stdin.write(json.dumps([call]).encode())
    process.stdin.close()
    return process


def finish(process):
    output = process.stdout.read()
    process.wait()
    return output


def test_slow_polkit(env):
    """a check that takes its time holds up nobody, and ends with its caller"""
    authority(env).stop()
    world = World(env)
    with MockPolkit(env) as mock:
        state = (world.sandbox.path, PROPERTIES, "Get", "ss", ("org.virtpod.Sandbox1", "State"))
        process = start_call(env.address, OTHER, state)
        eventually(lambda: len(mock.pending) == 1, "question")
        (subject, action, _details, flags, cancellation), _invocation = mock.pending[0]
        equal((subject[0], action, flags, cancellation), ("system-bus-name", "org.virtpod.inspect", 0, ""), "question")
        check(subject[1]["name"].startswith(":"), "subject: %s" % (subject,))
        equal(world.sandbox.get("State"), "ready", "root meanwhile")
        mock.answer(True)
        check(b"ready" in finish(process), "reply")

        # one that goes away in the middle of it does nothing
        time.sleep(1.1)    # one refusal a second is logged
        before = world.state()
        process = start_call(env.address, OTHER, (world.sandbox.path, "org.virtpod.Sandbox1", "Stop", "ta{sv}", (1, {})))
        eventually(lambda: len(mock.pending) == 1, "question")
        process.kill()
        finish(process)
        eventually(lambda: "the caller has gone" in env.diagnostics(), "end of the call")
        mock.answer(True)
        equal(world.state(), before, "what there is")

        # the object may go away too
        process = start_call(env.address, OTHER, state)
        eventually(lambda: len(mock.pending) == 1, "question")
        world.delete()
        mock.answer(True)
        check(b"UnknownObject" in finish(process), "reply")


def test_interactive(env):
    """the user is asked only if the call allows it, and the prompt goes with the caller"""
    authority(env).stop()
    world = World(env)
    with MockPolkit(env) as mock:
        process = subprocess.Popen(
            ["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", "busctl", "--address=" + env.address, "call",
             bus.NAME, world.sandbox.path, "org.virtpod.Sandbox1", "Stop", "ta{sv}", "1", "0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        eventually(lambda: len(mock.pending) == 1, "question")
        _subject, action, _details, flags, cancellation = mock.pending[0][0]
        equal((action, flags), ("org.virtpod.manage", 1), "question")
        check(cancellation != "", "cancellation id")
        process.kill()
        finish(process)
        eventually(lambda: mock.cancelled == [cancellation], "prompt taken away")
        equal(world.sandbox.get("State"), "ready", "state")
        world.delete()


def test_interactive_command(env):
    """the virtpod command on a terminal lets the user be asked, unless told otherwise"""
    authority(env).stop()
    world = World(env)
    # nobody may not be able to look into the build directory
    command = shutil.copy(program("virtpod"), env.path("virtpod-of-nobody"))
    with MockPolkit(env) as mock:
        for options, wanted in (([], 1), (["--no-ask-password"], 0)):
            master, terminal = pty.openpty()
            process = subprocess.Popen(
                ["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", command, *options, "--address", env.address,
                 "stop", world.sandbox.get("Id")],
                stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            os.close(terminal)
            eventually(lambda: len(mock.pending) == 1, "question")
            equal(mock.pending[0][0][3], wanted, "flags with %s" % options)
            mock.answer(False)
            check(b"not" in finish(process), "refusal")
            os.close(master)
        equal(world.sandbox.get("State"), "ready", "state")
        world.delete()


def test_calls_quota(env):
    """a user has so many calls under way and no more; root and other users go on"""
    authority(env).stop()
    world = World(env)
    with MockPolkit(env) as mock:
        state = (world.sandbox.path, PROPERTIES, "Get", "ss", ("org.virtpod.Sandbox1", "State"))
        waiting = [start_call(env.address, OTHER, state) for _ in range(MAX_CALLS)]
        eventually(lambda: len(mock.pending) == MAX_CALLS, "questions")
        outcome = callers.run(env.address, OTHER, [state])[0]
        equal(outcome["name"], "ResourceExhausted", outcome["text"])
        equal(callers.run(env.address, ROOT, [state])[0]["name"], "ok", "root")
        fourth = start_call(env.address, OWNER, state)
        eventually(lambda: len(mock.pending) == MAX_CALLS + 1, "another user's question")
        while mock.pending:
            mock.answer(True)
        for process in waiting + [fourth]:
            check(b"ready" in finish(process), "reply")
        # what is answered counts no more
        last = start_call(env.address, OTHER, state)
        eventually(lambda: len(mock.pending) == 1, "question")
        mock.answer(False)
        check(b"AccessDenied" in finish(last), "reply")
        world.delete()


def test_sandbox_quota(env):
    """so many sandboxes and containers"""
    authority(env).start(polkit.grant("daemon", "manage", "inspect"))
    create = lambda sid: (bus.MANAGER, "org.virtpod.Manager1", "CreateSandbox", "ssa{sv}",
                          [sid, env.bundle(["sleep", "1000"]), {}])
    delete = lambda sid: ("/org/virtpod/sandbox/" + sid, "org.virtpod.Sandbox1", "Delete", "a{sv}", [{}])
    add = lambda sid, cid: ("/org/virtpod/sandbox/" + sid, "org.virtpod.Sandbox1", "CreateContainer", "ssa{sv}",
                            [cid, env.bundle(["sleep", "1000"]), {}])
    names = lambda calls: [o["name"] for o in callers.run(env.address, OWNER, calls)]
    equal(names([create("q1"), create("q2"), create("q3")]), ["ok", "ok", "ResourceExhausted"], "sandboxes")
    env.manager.create_sandbox("r1", env.bundle(["true"]))
    equal(names([delete("q1"), create("q3")]), ["ok", "ok"], "after one has gone")
    equal(names([add("q2", "q2b"), add("q2", "q2c")]), ["ok", "ResourceExhausted"], "containers")
    equal(names([delete("q2"), delete("q3")]), ["ok", "ok"], "delete")


MAX_CALLS = 3
ENV = TestDriverEnv(["--set", "daemon.group=%d" % GROUP, "--set", "daemon.max-sandboxes-per-user=2",
                     "--set", "daemon.max-containers-per-user=3", "--set", "daemon.max-calls-per-user=%d" % MAX_CALLS],
                    request_ms=600000)
AUTHORITY = []


def authority(env):
    """polkitd, not started yet; the program is skipped where there is none"""
    if not AUTHORITY:
        AUTHORITY.append(polkit.Polkit(env))
    return AUTHORITY[0]


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    if polkit.program() is None:
        tap.skip_all("polkitd is not installed")
    testdriver.main(TESTS, ENV)
