#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Agents and guests that fail: every call ends, and nothing is left."""

import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import faulty
from faulty import CONNECT_MS, REQUEST_MS, STOP_MS, called, failed, force, gone, start, stop
from tap import check, equal, took
from testdriver import Pending, Signals, eventually, read_all


# ---- a start that fails -----------------------------------------------------------------

def test_no_agent(env):
    """an agent that never listens: TimedOut within the time to connect"""
    env.house.blind = True
    sandbox, _ = env.create(stdout=env.null)
    began = time.monotonic()
    failed(env, sandbox, sandbox.start, ("TimedOut", "AgentUnavailable"), "agent")
    check(time.monotonic() - began > CONNECT_MS / 1000 - 0.5, "it gave up too early")


def test_silent_agent(env):
    """an agent that takes the connection and never answers"""
    for method in ("Check", "CreateSandbox", "CreateContainer"):
        env.house.mute.clear()
        env.house.mute.add(method)
        sandbox, _ = env.create(stdout=env.null)
        failed(env, sandbox, sandbox.start, "TimedOut")


def test_failing_agent(env):
    """an agent that refuses each step"""
    for method in ("CreateSandbox", "CreateContainer"):
        for code, name in (("INTERNAL", "AgentFailed"), ("INVALID_ARGUMENT", "InvalidArgument"),
                           ("RESOURCE_EXHAUSTED", "ResourceExhausted")):
            env.house.fail.clear()
            env.house.fail[method] = (code, "broken\non purpose \x1b[31m" + "x" * 2000)
            sandbox, _ = env.create(stdout=env.null)
            failed(env, sandbox, sandbox.start, name, "broken")


def test_each_step(env):
    """a start that fails at each step on the host"""
    sandbox, _ = env.create()
    os.rename(env.directory(sandbox), env.directory(sandbox) + ".away")
    env.raises("NotFound", sandbox.start)
    os.rename(env.directory(sandbox) + ".away", env.directory(sandbox))
    sandbox.delete()
    gone(env)

    sandbox, _ = env.create()
    with open(os.path.join(env.directory(sandbox), "shared"), "w", encoding="ascii"):
        pass
    failed(env, sandbox, sandbox.start, ("InvalidArgument", "Failed", "AlreadyExists", "NotSupported"), "shared")

    path = env.bundle()
    sandbox = env.manager.create_sandbox(env.new_id("s"), path)
    os.rename(path + "/rootfs", path + "/away")
    failed(env, sandbox, sandbox.start, "NotFound", "rootfs")

    other, _ = env.create()
    other.delete()
    sandbox, _ = env.create(["true"], mounts=[{"destination": "/data", "type": "bind", "source": "/no-such-source",
                                               "options": ["rbind"]}])
    failed(env, sandbox, sandbox.start, "NotFound", "no-such-source")


def test_second_container_fails(env):
    """a start whose second container cannot be prepared takes the first one back"""
    sandbox, own = env.create()
    path = env.bundle()
    sandbox.create_container("second", path)
    os.rename(path + "/rootfs", path + "/away")
    failed(env, sandbox, sandbox.start, "NotFound", "rootfs")


def test_start_timeout(env):
    """a start with a deadline of its own"""
    env.house.mute.add("CreateSandbox")
    sandbox, _ = env.create()
    began = time.monotonic()
    failed(env, sandbox, lambda: sandbox.start(timeout_usec=200000), "TimedOut", "time")
    took(began, REQUEST_MS / 1000 - 0.5, "a start with a deadline")


def test_streams_of_a_failed_start(env):
    """who reads the output of a container that never ran sees its end"""
    env.house.fail["CreateSandbox"] = ("INTERNAL", "no")
    out, inner = os.pipe()
    sandbox, _ = env.create(stdout=inner)
    os.close(inner)
    env.raises("AgentFailed", sandbox.start)
    equal(read_all(out), b"", "output")
    sandbox.delete()
    gone(env)


def test_garbage(env):
    """an agent that answers garbage"""
    for garbage in (b"\xff" * 100000, b"\0" * 4096, os.urandom(4096), b"\x7f\xff\xff\xff\0\0\0\1\2\0" + b"x" * 100, b"G"):
        env.house.blind = True
        sandbox, _ = env.create()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.path.join(env.directory(sandbox), "agent.sock"))
        listener.listen(8)
        ended = threading.Event()

        def play(listener=listener, garbage=garbage, ended=ended):
            while True:
                try:
                    connection, _ = listener.accept()
                    if ended.is_set():
                        return
                    connection.recv(1)
                    connection.sendall(garbage)
                except OSError:
                    if ended.is_set():
                        return

        thread = threading.Thread(target=play, daemon=True)
        thread.start()
        env.raises(("TimedOut", "AgentUnavailable", "AgentFailed"), sandbox.start)
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)
        listener.close()
        equal(sandbox.get("State"), "failed", "state")
        sandbox.delete()
    gone(env)


def test_garbage_later(env):
    """an agent that turns to garbage when the sandbox runs: lost"""
    sandbox, container = env.start_sandbox()
    wait = Pending(container, "Wait")
    for connection in env.agent(sandbox).connections:
        try:
            connection.sendall(b"\x7f\xff\xff\xff\0\0\0\1\2\0" * 100)
        except OSError:
            pass
    equal(wait.result()[0], 137, "status")
    eventually(lambda: sandbox.get("State") == "lost", "lost sandbox")
    sandbox.delete()
    gone(env)


# ---- the end of the machine ----------------------------------------------------------------

def test_agent_dies(env):
    """an agent that dies while containers run: lost, status 137, Exited, nothing left on the host"""
    signals = Signals(env.address)
    sandbox, container = env.start_sandbox()
    second = sandbox.create_container("second", env.bundle(["sleep", "1000"]))
    second.start()
    process = container.exec(["sleep", "1000"])
    waits = [Pending(target, "Wait") for target in (sandbox, container, second, process)]
    out = Pending(container, "Attach", "(a{sv})", {})
    out.outcome()
    env.agent(sandbox).stop()
    equal([wait.result()[0] for wait in waits], [137] * 4, "statuses")
    equal((sandbox.get("State"), sandbox.get("ExitReason"), sandbox.get("AgentState")), ("lost", "lost", "down"), "sandbox")
    equal((container.get("State"), second.get("State"), process.get("State")), ("stopped",) * 3, "states")
    equal(container.get("ExitStatus"), 137, "exit status")
    equal(sandbox.wait(), 137, "a late wait")
    equal([m for m in env.snapshot().mounts if env.dir in m], [], "mounts")
    eventually(lambda: len(signals.named("Exited")) == 3, "Exited")
    equal(env.record(sandbox)["state"], "lost", "record")
    env.raises("InvalidState", lambda: container.exec(["true"]))
    env.raises("InvalidState", lambda: sandbox.create_container("third", env.bundle()))
    second.delete()
    container.delete()
    signals.close()
    gone(env)


def test_agent_dies_during(env):
    """an agent that dies during a start, an exec, a create, a kill"""
    for method in ("CreateSandbox", "CreateContainer"):
        env.house.mute.clear()
        env.house.mute.add(method)
        sandbox, _ = env.create()
        call = start(sandbox)
        called(env, sandbox, method)
        env.agent(sandbox).hang_up()
        equal(call.outcome(), "AgentUnavailable", "start")
        equal(sandbox.get("State"), "failed", "state")
        sandbox.delete()
    env.house.mute.clear()
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.mute.update(("ExecProcess", "CreateContainer", "SignalProcess"))
    calls = [Pending(container, "Exec", "(sasa{sv})", "x", ["true"], {}),
             Pending(sandbox, "CreateContainer", "(ssa{sv})", "more", env.bundle(), {}),
             Pending(container, "Kill", "(sa{sv})", "TERM", {})]
    for method in ("ExecProcess", "CreateContainer", "SignalProcess"):
        called(env, sandbox, method, 2 if method == "CreateContainer" else 1)
    agent.hang_up()
    outcomes = [call.outcome() for call in calls]
    equal((outcomes[0], outcomes[2]), ("AgentUnavailable",) * 2, "outcomes")
    check(outcomes[1] in ("AgentUnavailable", "Cancelled"), "create: " + outcomes[1])
    eventually(lambda: sandbox.get("State") == "lost", "lost sandbox")
    sandbox.delete()
    gone(env)


# ---- a guest that hangs ----------------------------------------------------------------------

def test_hung_guest(env):
    """Stop, and Delete with force, of a guest that does not answer any more"""
    for own in (False, True):
        sandbox, container = env.start_sandbox()
        env.agent(sandbox).mute.update(("SignalProcess", "DestroySandbox", "RemoveContainer", "Check"))
        began = time.monotonic()
        if own:
            container.delete(force=True)
        else:
            sandbox.stop()
            took(began, STOP_MS / 1000 * 2, "Stop")
            equal(sandbox.get("State"), "stopped", "state")
            sandbox.delete()
        took(began, REQUEST_MS / 1000 + 2, "Delete")
    gone(env)


def test_hung_container(env):
    """Delete with force of a container of a guest that does not answer any more"""
    sandbox, _ = env.start_sandbox()
    second = sandbox.create_container("second", env.bundle(["sleep", "1000"]))
    second.start()
    env.agent(sandbox).mute.update(("SignalProcess", "RemoveContainer"))
    wait = Pending(second, "Wait")
    began = time.monotonic()
    second.delete(force=True)
    took(began, REQUEST_MS / 1000 + 2, "Delete")
    equal(wait.result()[0], 137, "status")
    equal(sandbox.get("State"), "ready", "sandbox")
    sandbox.delete(force=True)
    gone(env)


def test_hung_calls(env):
    """Exec, Kill, ResizeTty, Ping and CreateContainer of a hung guest time out, when the configuration says"""
    sandbox, container = env.start_sandbox()
    agent = env.agent(sandbox)
    process = container.exec(["sleep", "1000"], terminal=True)
    agent.mute.update(("ExecProcess", "SignalProcess", "Version", "CreateContainer", "GetGuestDetails", "TtyWinResize"))
    began = time.monotonic()
    calls = [Pending(container, "Exec", "(sasa{sv})", "x", ["true"], {}),
             Pending(sandbox, "CreateContainer", "(ssa{sv})", "more", env.bundle(), {}),
             Pending(container, "Kill", "(sa{sv})", "TERM", {}), Pending(sandbox, "Ping"),
             Pending(sandbox, "GetGuestDetails"), Pending(process, "Kill", "(s)", "TERM"),
             Pending(process, "ResizeTty", "(qq)", 80, 24)]
    equal([call.outcome() for call in calls], ["TimedOut"] * 7, "outcomes")
    took(began, REQUEST_MS / 1000 + 5, "all of them")
    agent.mute.clear()
    equal(container.exec(["true"], exec_id="x").wait(), 0, "exec with the id of one that failed")
    more = sandbox.create_container("more", env.bundle())
    equal(more.get("State"), "created", "container with the id of one that failed")
    sandbox.delete(force=True)
    gone(env)


def test_force_overtakes(env):
    """Delete with force does not wait for somebody else's graceful Stop"""
    for method in ("SignalProcess", "DestroySandbox"):
        sandbox, _ = env.start_sandbox()
        agent = env.agent(sandbox)
        agent.mute.add(method)
        slow = stop(sandbox, 3600 * 1000000)
        called(env, sandbox, method)
        equal(sandbox.get("State"), "stopping", "state")
        env.raises("InvalidState", sandbox.delete, "stopping")
        equal(force(sandbox).outcome(), "ok", "Delete")
        equal(slow.outcome(), "ok", "Stop")
    gone(env)


if __name__ == "__main__":
    faulty.main(globals())
