#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A process of the host stands for one in a guest: when the first is killed, so is the other."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import testdriver
from gi.repository import GLib
from tap import check, equal
from testdriver import Pending, TestDriverEnv

KILLED = 137


class Standin:
    """What virtpod-proxy is here; at the end it is gone in any case."""

    def __enter__(self):
        self.process = subprocess.Popen(["sleep", "100000"])
        self.option = {"standin-pid": GLib.Variant("u", self.process.pid)}
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_args):
        self.kill()


def start(env, standin, args=("sleep", "1000")):
    sandbox = env.manager.create_sandbox("box", env.bundle(list(args)), **standin.option)
    sandbox.start()
    container = env.manager.container("box")
    container.start()
    return sandbox, container


def restart(env, meanwhile=lambda: None):
    env.stop_daemon(kill=True)
    meanwhile()
    env.start_daemon()
    return env.manager.sandbox("box"), env.manager.container("box")


def ends_killed(container):
    equal(container.wait(), KILLED, "status")


def test_container(env):
    """it is killed: so is the container, with all that runs in it"""
    with Standin() as standin:
        sandbox, container = start(env, standin)
        process = container.exec(["sleep", "1000"])
        standin.kill()
        ends_killed(container)
        equal(process.wait(), KILLED, "status of an exec")
        sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_exec(env):
    """that of an exec: only the exec is killed; those of what has ended are not missed"""
    with Standin() as standin, Standin() as other, Standin() as late:
        sandbox, container = start(env, standin)
        process = container.exec(["sleep", "1000"], **other.option)
        ended = container.exec(["sh", "-c", "exit 3"], **late.option)
        equal(ended.wait(), 3, "status of what ends by itself")
        late.kill()
        other.kill()
        equal(process.wait(), KILLED, "status of the exec")
        equal((container.get("State"), container.exec(["sh", "-c", "exit 4"]).wait()), ("running", 4), "container")
        sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_before_start(env):
    """one that is gone before its container is there: it is killed as soon as it can be"""
    with Standin() as standin:
        standin.kill()
        sandbox = env.manager.create_sandbox("box", env.bundle(["sleep", "1000"]), **standin.option)
        sandbox.start()
        ends_killed(env.manager.container("box"))
        sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_paused(env):
    """while the machine stands still: it is killed when that goes on"""
    with Standin() as standin:
        sandbox, container = start(env, standin)
        sandbox.call("Pause")
        standin.kill()
        wait = Pending(container, "Wait")
        sandbox.call("Resume")
        equal(wait.result()[0], KILLED, "status")
        sandbox.delete(force=True)


def test_restart(env):
    """KILL of the daemon: it is still watched"""
    with Standin() as standin:
        start(env, standin)
        sandbox, container = restart(env)
        equal((container.get("State"), container.exec(["sh", "-c", "exit 4"]).wait()), ("running", 4), "container")
        standin.kill()
        ends_killed(container)
        sandbox.delete(force=True)


def test_gone_meanwhile(env):
    """it is killed while there is no daemon: the next one sees that it is gone"""
    with Standin() as standin:
        start(env, standin)
        sandbox, container = restart(env, standin.kill)
        ends_killed(container)
        sandbox.delete(force=True)


def test_another(env):
    """another process that has its number does not count"""
    with Standin() as standin:
        before, _ = start(env, standin)
        path = os.path.join(env.directory(before), "record.json")

        def age():
            with open(path, encoding="utf-8") as f:
                record = json.load(f)
            of = record["containers"][0]["processes"][0]
            equal(of["standin-pid"], standin.process.pid, "record")
            of["standin-start"] -= 1
            with open(path, "w", encoding="utf-8") as f:
                json.dump(record, f)

        sandbox, container = restart(env, age)
        ends_killed(container)
        check(standin.process.poll() is None, "the other process has ended")
        sandbox.delete(force=True)


def test_bad(env):
    """what is no process id is refused"""
    for pid in (0, 0x80000000):
        env.raises("InvalidArgument", lambda: env.manager.create_sandbox(
            "box", env.bundle(), **{"standin-pid": GLib.Variant("u", pid)}), "standin-pid")
    env.raises("InvalidArgument", lambda: env.manager.create_sandbox("box", env.bundle(), **{"standin-pid": "1"}))


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, TestDriverEnv(outlive=True))
