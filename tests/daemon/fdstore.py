#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Descriptors that callers passed, kept by a service manager (played here) over a restart."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import testdriver
from service_manager import ServiceManager
from tap import equal
from testdriver import TestDriverEnv, eventually, read_all


class StoreEnv(ServiceManager, TestDriverEnv):
    def __init__(self):
        super().__init__(outlive=True)


def test_streams(env):
    """stdin and stdout of a caller who never noticed that the daemon was killed"""
    to_them, in_read = None, None
    in_read, to_them = os.pipe()
    from_them, out_write = os.pipe()
    sandbox, own = env.start_sandbox(["sh", "-c", "while read x; do echo got $x; done; exit 6"], sid="one",
                                     stdin=in_read, stdout=out_write)
    os.close(in_read)
    os.close(out_write)
    eventually(lambda: len(env.streams()) == 2, "kept descriptors")
    for turn in range(3):
        os.write(to_them, b"%d\n" % turn)
        equal(os.read(from_them, 100), b"got %d\n" % turn, "line")
        env.stop_daemon(kill=True)
        env.start_daemon()
        equal(env.record(env.manager.sandbox("one"))["containers"][0]["processes"][0]["stdout"], "fd", "record")
    os.close(to_them)
    own = env.manager.container("one")
    equal(own.wait(), 6, "status")
    equal(read_all(from_them), b"", "end of the output")
    eventually(lambda: not env.streams(), "nothing kept any more: %r" % env.kept)
    env.manager.sandbox("one").delete(force=True)


def test_dropped(env):
    """what nobody needs any more is not kept"""
    null = os.open("/dev/null", os.O_RDWR)
    sandbox, own = env.start_sandbox(["sleep", "1000"], sid="two", stdout=null)
    own.exec(["true"], stdout=null).wait()
    eventually(lambda: len(env.streams()) == 1, "the exec's is gone, the container's is kept")
    sandbox.delete(force=True)
    eventually(lambda: not env.kept, "nothing kept")
    os.close(null)


def test_without(env):
    """descriptors that were not kept: output is buffered and can be attached to"""
    from_them, out_write = os.pipe()
    env.start_sandbox(["sh", "-c", "sleep 1; echo late; sleep 1000"], sid="three", stdout=out_write)
    os.close(out_write)
    env.stop_daemon(kill=True)
    for name in list(env.kept):
        env.drop(name)
    equal(read_all(from_them), b"", "the caller sees the end")
    env.start_daemon()
    own = env.manager.container("three")
    (indices,), ends = own.call_with_fds("Attach", "(a{sv})", (bus.options({"stdout": True}),))
    equal(os.read(ends[indices["stdout"]], 100), b"late\n", "attached output")
    os.close(ends[indices["stdout"]])
    env.manager.sandbox("three").delete(force=True)


def test_agent(env):
    """the connection to an agent, kept, dead, or not kept"""
    sandbox, own = env.start_sandbox(["sh", "-c", "sleep 1000"], sid="four")
    agent = env.agent(sandbox)
    eventually(lambda: len(env.kept) == 1, "the agent's connection is kept")
    for connections, before in ((1, lambda: None), (2, agent.hang_up), (3, env.drop_all)):
        env.stop_daemon(kill=True)
        before()
        env.start_daemon()
        eventually(lambda: env.manager.sandbox("four").get("AgentState") == "ready", "adoption")
        equal(len(agent.connections), connections, "connections made")
        eventually(lambda: len(env.kept) == 1, "it is kept again")
    equal(env.manager.container("four").exec(["true"]).wait(), 0, "status")
    env.manager.sandbox("four").delete(force=True)
    eventually(lambda: not env.kept, "nothing is kept of what is gone")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, StoreEnv())
