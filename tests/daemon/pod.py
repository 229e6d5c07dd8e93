#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Several containers in one sandbox, and the order in which they go."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import testdriver
from tap import equal
from testdriver import Pending, TestDriverEnv


def test_own_first(env):
    """a sandbox's own container is deleted before the others, which go on; the last one takes it along"""
    sandbox, own = env.start_sandbox(["sh", "-c", "read x; exit 4"], sid="pod")
    others = {name: sandbox.create_container(name, env.bundle(["sleep", "1000"])) for name in ("a", "b")}
    for other in others.values():
        other.start()
    env.raises("InvalidState", own.delete, "running")
    own.kill("KILL")
    equal(own.wait(), 137, "status")
    equal(own.delete(), 137, "status of Delete")
    env.raises("NotFound", lambda: env.manager.container("pod"), "pod")
    equal((sandbox.get("State"), others["a"].get("State")), ("ready", "running"), "without its own")
    equal(env.record(sandbox)["containers"][0]["id"], "a", "record")
    env.raises("AlreadyExists", lambda: env.manager.create_sandbox("pod", env.bundle()), "pod")
    late = sandbox.create_container("late", env.bundle(["sh", "-c", "exit 6"]))
    late.start()
    equal(late.wait(), 6, "a container made after")
    late.delete()
    others["a"].delete(force=True)
    equal(len(env.manager.sandboxes()), 1, "sandboxes before the last")
    others["b"].delete(force=True)
    equal(env.manager.sandboxes(), [], "sandboxes after the last")
    env.no_leaks(env.before)


def test_own_first_at_once(env):
    """others that are deleted at the same time after the own one take the sandbox along"""
    sandbox, own = env.start_sandbox(sid="pod")
    others = [sandbox.create_container(name, env.bundle(["sleep", "1000"])) for name in ("a", "b", "c")]
    own.delete(force=True)
    calls = [Pending(other, "Delete", "(a{sv})", bus.options({"force": True})) for other in others]
    for call in calls:
        call.result()
    equal(env.manager.sandboxes(), [], "sandboxes")
    env.no_leaks(env.before)


def test_own_before_start(env):
    """a sandbox that has not run keeps its own container until the others are gone"""
    sandbox, own = env.create(["true"], sid="pod")
    other = sandbox.create_container("a", env.bundle(["true"]))
    env.raises("InvalidState", own.delete, "has not run")
    other.delete()
    own.delete()
    equal(env.manager.sandboxes(), [], "sandboxes")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv())
