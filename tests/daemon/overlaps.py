#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls that overlap and clients that go away: each call ends, and nothing is left."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import faulty
import testdriver
from faulty import called, force, gone, start, stop
from tap import check, equal, took
from testdriver import Pending, eventually, read_all


# ---- calls that overlap --------------------------------------------------------------------------

def test_stop_starting(env):
    """Stop, twice, while starting cancels the start"""
    for method in ("Check", "CreateSandbox", "CreateContainer"):
        env.house.mute.clear()
        env.house.mute.add(method)
        sandbox, _ = env.create()
        call = start(sandbox)
        called(env, sandbox, method)
        stops = [stop(sandbox), stop(sandbox, force=True)]
        equal(call.outcome(), "Cancelled", "start")
        equal([s.outcome() for s in stops], ["ok", "ok"], "stops")
        check(sandbox.get("State") in ("failed", "stopped"), "state")
        sandbox.delete()
    gone(env)


def test_stop_twice(env):
    """Stop by many at once"""
    sandbox, container = env.start_sandbox()
    calls = [stop(sandbox) for _ in range(20)] + [stop(sandbox, force=True)]
    equal({call.outcome() for call in calls}, {"ok"}, "outcomes")
    equal(sandbox.get("State"), "stopped", "state")
    sandbox.delete()
    gone(env)


def test_delete_starting(env):
    """Delete with force while starting, by two at once"""
    env.house.mute.add("CreateContainer")
    sandbox, container = env.create()
    call = start(sandbox)
    called(env, sandbox, "CreateContainer")
    env.raises("InvalidState", sandbox.delete, "starting")
    calls = [force(sandbox), force(sandbox), force(container)]
    equal(call.outcome(), "Cancelled", "start")
    outcomes = [c.outcome() for c in calls]
    # who comes last may find the object itself gone from the bus
    absent = {"NotFound", "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject"}
    check("ok" in outcomes and set(outcomes) <= absent | {"ok"}, "outcomes: %r" % outcomes)
    gone(env)


def test_pipelined(env):
    """calls that are on their way while the sandbox is deleted"""
    path = env.bundle()
    env.house.blind = True    # its socket would come between a directory and its removal
    for i in range(100):
        sandbox = env.manager.create_sandbox("pipe", path)
        container = bus.Container(sandbox.connection, sandbox.path + "/container/pipe")
        calls = [force(sandbox), start(sandbox), force(sandbox), Pending(sandbox, "Wait"), Pending(container, "Wait"),
                 stop(sandbox), Pending(container, "Start", "(a{sv})", {}), force(container),
                 Pending(sandbox, "CreateContainer", "(ssa{sv})", "pipe2", path, {}),
                 Pending(env.manager, "CreateSandbox", "(ssa{sv})", "pipe", path, {})]
        if i % 2:
            calls.reverse()
        for call in calls:
            outcome = call.outcome()
            check(outcome in ("ok", "NotFound", "InvalidState", "Cancelled", "AlreadyExists")
                  or outcome.startswith("org.freedesktop.DBus.Error.Unknown"), "outcome of %s: %s" % (call.method, outcome))
        for row in env.manager.sandboxes():
            force(bus.Sandbox(env.manager.connection, row[-1])).outcome()
    gone(env)


def test_create_and_stop(env):
    """CreateContainer and Stop at once"""
    for method in (None, "CreateContainer"):
        for forced in (False, True):
            sandbox, _ = env.start_sandbox(run=False)
            if method:
                env.agent(sandbox).mute.add(method)
            creates = [Pending(sandbox, "CreateContainer", "(ssa{sv})", "more%d" % i, env.bundle(), {}) for i in range(4)]
            if method:
                called(env, sandbox, method, 2)
            ends = [stop(sandbox, force=forced)]
            outcomes = {call.outcome() for call in creates}
            check(outcomes <= {"ok", "Cancelled", "InvalidState", "AgentUnavailable", "NotFound"}, "creates: %r" % outcomes)
            equal(ends[0].outcome(), "ok", "Stop")
            equal([m for m in env.snapshot().mounts if env.dir in m], [], "mounts")
            sandbox.delete()
    gone(env)


def test_create_and_delete(env):
    """a container that is deleted while it is created"""
    sandbox, _ = env.start_sandbox(run=False)
    env.agent(sandbox).mute.add("CreateContainer")
    create = Pending(sandbox, "CreateContainer", "(ssa{sv})", "more", env.bundle(), {})
    called(env, sandbox, "CreateContainer", 2)
    more = env.manager.container("more")
    equal(more.get("State"), "creating", "state")
    env.raises("InvalidState", more.delete, "being created")
    env.raises("InvalidState", lambda: more.delete(force=True), "being created")
    equal(create.outcome(), "TimedOut", "create")
    env.raises("NotFound", lambda: env.manager.container("more"))
    called(env, sandbox, "RemoveContainer")
    sandbox.delete(force=True)
    gone(env)


def test_kept_by_the_guest(env):
    """a container that the guest did not remove is not said to exist, and is removed in the end"""
    sandbox, _ = env.start_sandbox(run=False)
    agent = env.agent(sandbox)
    agent.fail["RemoveContainer"] = ("INTERNAL", "on purpose")
    sandbox.create_container("more", env.bundle()).delete(force=True)
    env.raises("AgentFailed", lambda: sandbox.create_container("more", env.bundle()), "did not remove")
    env.raises("NotFound", lambda: env.manager.container("more"))
    called(env, sandbox, "RemoveContainer", 2)
    agent.fail.clear()
    env.raises("AgentFailed", lambda: sandbox.create_container("more", env.bundle()), "did not remove")
    eventually(lambda: "more" not in agent.sandbox.containers, "end of it in the guest")
    sandbox.create_container("more", env.bundle()).delete()
    sandbox.delete(force=True)
    gone(env)


def test_delete_twice(env):
    """a container that is deleted by two at once, and one with its id that comes after"""
    sandbox, _ = env.start_sandbox(run=False)
    path = env.bundle(["sleep", "1000"])
    for _ in range(20):
        more = sandbox.create_container("more", path)
        calls = [force(more), force(more), Pending(sandbox, "CreateContainer", "(ssa{sv})", "more", path, {}), force(more)]
        outcomes = [call.outcome() for call in calls]
        check("ok" in outcomes, "outcomes: %r" % outcomes)
        for call in (force(more), force(more)):
            call.outcome()
        eventually(lambda: force(more).outcome() != "ok", "nothing to delete")
    equal(len(sandbox.call("ListContainers")), 1, "containers")
    sandbox.delete(force=True)
    gone(env)


def test_delete_while_starting_sandbox(env):
    """a second container that is deleted while its sandbox starts"""
    env.house.mute.add("CreateSandbox")
    sandbox, own = env.create()
    second = sandbox.create_container("second", env.bundle())
    call = start(sandbox)
    called(env, sandbox, "CreateSandbox")
    env.raises("InvalidState", second.delete, "starting")
    stop(sandbox).outcome()
    call.outcome()
    second.delete()
    own.delete()
    gone(env)


def test_kill_starting(env):
    """Kill while the container is being started"""
    sandbox, container = env.start_sandbox(run=False)
    env.agent(sandbox).delay["StartContainer"] = 0.3
    begin = start(container)
    called(env, sandbox, "StartContainer")
    env.raises("InvalidState", container.start, "being started")
    kill = Pending(container, "Kill", "(sa{sv})", "KILL", {})
    outcomes = (begin.outcome(), kill.outcome())
    equal(outcomes[1], "ok", "kill")
    eventually(lambda: container.get("State") == "stopped" or force(container).outcome() == "ok", "end")
    for row in env.manager.sandboxes():
        bus.Sandbox(env.manager.connection, row[-1]).delete(force=True)
    gone(env)


def test_exec_and_delete(env):
    """a container that is deleted while something is executed in it"""
    for own in (True, False):
        sandbox, container = env.start_sandbox()
        if not own:
            container = sandbox.create_container("more", env.bundle(["sleep", "1000"]))
            container.start()
        agent = env.agent(sandbox)
        agent.delay["ExecProcess"] = 0.2
        out, inner = os.pipe()
        running = container.exec(["sleep", "1000"], stdout=inner)
        os.close(inner)
        wait = Pending(running, "Wait")
        execs = [Pending(container, "Exec", "(sasa{sv})", "x%d" % i, ["sleep", "1000"], {}) for i in range(8)]
        called(env, sandbox, "ExecProcess", 2)
        delete = force(container)
        equal(delete.outcome(), "ok", "Delete")
        for call in execs:
            call.outcome()
        equal(wait.result()[0], 137, "status")
        equal(read_all(out), b"", "output")
        for row in env.manager.sandboxes():
            bus.Sandbox(env.manager.connection, row[-1]).delete(force=True)
    gone(env)


# ---- processes ------------------------------------------------------------------------------------

def test_draining(env):
    """a container whose output is held open by another process ends all the same, also while it is stopped"""
    for how in ("wait", "stop", "delete"):
        out, inner = os.pipe()
        sandbox, container = env.start_sandbox(["sh", "-c", "sleep 1000 & exit 3"], stdout=inner)
        os.close(inner)
        wait = Pending(container, "Wait")
        if how == "stop":
            sandbox.stop()
        elif how == "delete":
            container.delete(force=True)
        equal(wait.result()[0] in ((3,) if how == "wait" else (3, 137)), True, "status")
        os.close(out)
        for row in env.manager.sandboxes():
            bus.Sandbox(env.manager.connection, row[-1]).delete(force=True)
    gone(env)


def test_reader_gone(env):
    """a container whose reader went away runs to its end"""
    out, inner = os.pipe()
    sandbox, container = env.start_sandbox(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do seq 20000; done; exit 4"], stdout=inner)
    os.close(inner)
    os.close(out)
    equal(container.wait(), 4, "status")
    sandbox.delete(force=True)
    gone(env)


def test_client_goes(env):
    """clients that disappear during Wait, Start, Exec and Stop"""
    sandbox, container = env.create(["sleep", "1000"])
    for target, method, signature, args in (
            (sandbox, "Wait", "()", ()), (container, "Wait", "()", ()), (sandbox, "Start", "(a{sv})", ({},)),
            (container, "Start", "(a{sv})", ({},)), (container, "Exec", "(sasa{sv})", ("", ["sleep", "1000"], {})),
            (sandbox, "Stop", "(ta{sv})", (0, {}))):
        connection = bus.connect(env.address)
        bus.Manager(connection).sandboxes()    # it is known now; whoever has left cannot be asked about
        for _ in range(20):
            Pending(type(target)(connection, target.path), method, signature, *args)
        bus.has_owner(connection)
        connection.close_sync(None)
        wanted = {"Start": ("ready" if target is sandbox else "running"), "Stop": "stopped"}.get(method)
        if wanted:
            eventually(lambda: target.get("State") == wanted, wanted)
    sandbox.delete()
    gone(env)


def test_abandoned_waits(env):
    """waits of clients that are gone are forgotten, not kept until the container ends"""
    sandbox, container = env.start_sandbox()
    grown = []
    for _ in range(6):
        for _ in range(10):
            connection = bus.connect(env.address)
            bus.Manager(connection).sandboxes()
            for _ in range(100):
                Pending(type(container)(connection, container.path), "Wait")
            bus.has_owner(connection)
            connection.close_sync(None)
        sandbox.ping()
        grown.append(env.rss())
    print("# RSS after each 1000 waits: %s kB" % " ".join(map(str, grown)))
    check(grown[-1] - grown[1] < 1000 or testdriver.sanitized(env), "memory grows with each wait: %r" % grown)
    sandbox.delete(force=True)
    gone(env)


def test_many_execs(env):
    """more execs in a minute than are remembered"""
    sandbox, container = env.start_sandbox()
    for _ in range(600):
        process = container.exec(["true"])
    equal(process.wait(), 0, "status of the last")
    sandbox.delete(force=True)
    gone(env)


def test_hang_up_while_streaming(env):
    """a machine that is lost in the middle of output"""
    out, inner = os.pipe()
    sandbox, container = env.start_sandbox(["sh", "-c", "while :; do echo yes; done"], stdout=inner)
    os.close(inner)
    check(os.read(out, 100) != b"", "output")
    env.agent(sandbox).stop()
    read_all(out)
    equal(container.wait(), 137, "status")
    sandbox.delete(force=True)
    gone(env)


def test_shutdown(env):
    """TERM with sandboxes in every state, on-stop=delete: the daemon ends and leaves nothing"""
    equal(env.stop_daemon(), 0, "status")
    env.options += ["--set", "daemon.on-stop=delete"]
    env.start_daemon()
    env.house.mute.add("CreateSandbox")
    starting, _ = env.create()
    call = start(starting)
    called(env, starting, "CreateSandbox")
    env.house.mute.clear()
    env.create()
    env.start_sandbox()
    hung, container = env.start_sandbox()
    env.agent(hung).mute.update(("SignalProcess", "DestroySandbox", "RemoveContainer"))
    waits = [Pending(hung, "Wait"), Pending(container, "Wait")]
    slow = stop(hung, 3600 * 1000000)
    called(env, hung, "SignalProcess")
    equal(env.stop_daemon(), 0, "status")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    equal([m for m in testdriver.host_mounts() if env.dir in m], [], "mounts")
    for call in (*waits, slow, call):
        call.outcome()
    env.start_daemon()


def test_power_button(env):
    """an agent that refuses to end: the machine is asked, and that ends it before the grace is over"""
    sandbox, _ = env.start_sandbox()
    env.agent(sandbox).fail["DestroySandbox"] = ("INTERNAL", "no")
    began = time.monotonic()
    sandbox.stop(60 * 1000000)
    took(began, 10, "Stop")
    equal((sandbox.get("State"), sandbox.get("ExitReason")), ("stopped", "stopped"), "state")
    sandbox.delete()
    gone(env)


if __name__ == "__main__":
    faulty.main(globals())
