# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of agents that fail and of calls that overlap do over and over."""

import bus
import testdriver
from tap import equal
from testdriver import Pending, TestDriverEnv, eventually

REQUEST_MS = 3000
CONNECT_MS = 3000
STOP_MS = 1500


def force(target, timeout=60):
    return Pending(target, "Delete", "(a{sv})", bus.options({"force": True}), timeout=timeout)


def start(target, **values):
    return Pending(target, "Start", "(a{sv})", bus.options(values))


def stop(target, usec=0, **values):
    return Pending(target, "Stop", "(ta{sv})", usec, bus.options(values))


def called(env, sandbox, method, times=1):
    """Waits until the agent of @sandbox has got a call."""
    agent = env.agent(sandbox)
    eventually(lambda: agent.calls.count(method) >= times, method)


def gone(env):
    """No sandbox and nothing of one is left."""
    equal(env.manager.sandboxes(), [], "sandboxes")
    equal(env.manager.objects(), {}, "objects")
    env.no_leaks(env.before)


def failed(env, sandbox, call, name, pattern=None):
    """The start @call fails with @name; the sandbox is "failed" and nothing runs. Deletes it."""
    env.raises(name, call, pattern)
    equal((sandbox.get("State"), sandbox.get("ExitReason")), ("failed", "start-failed"), "state")
    equal((sandbox.get("AgentState"), sandbox.get("HypervisorPid")), ("down", 0), "what it has")
    equal([m for m in env.snapshot().mounts if env.dir in m], [], "mounts")
    equal(env.record(sandbox)["state"], "failed", "record")
    sandbox.delete()
    gone(env)


def main(names):
    """Runs those of @names, a module's, that are tests."""
    tests = [value for name, value in list(names.items()) if name.startswith("test_")]
    testdriver.main(tests, TestDriverEnv(["--set", "daemon.on-stop=delete"], request_ms=REQUEST_MS,
                                         connect_ms=CONNECT_MS, stop_ms=STOP_MS))
