#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No space for records, no descriptors left: calls say so, what runs goes on, and
when there is room again everything works."""

import os
import resource
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import tap
from crash import CrashEnv
from tap import check, equal, eventually

FULL = ("ResourceExhausted",)


class SmallEnv(CrashEnv):
    """The state directory is a tmpfs of 2 MiB."""

    def start_daemon(self, timeout=60):
        if not os.path.isdir(self.state_dir):
            os.mkdir(self.state_dir, 0o711)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=711", "none", self.state_dir], check=True)
        super().start_daemon(timeout)

    def fill(self):
        """Takes the last byte."""
        with open(os.path.join(self.state_dir, "ballast"), "wb", buffering=0) as f:
            for size in (65536, 4096, 1):
                try:
                    while True:
                        f.write(b"x" * size)
                except OSError:
                    pass

    def empty(self):
        os.unlink(os.path.join(self.state_dir, "ballast"))


def test_no_space(env):
    """ENOSPC: nothing new, what runs goes on and can be stopped and deleted"""
    one, _ = env.start_sandbox(["sleep", "98765"], sid="one")
    two, _ = env.create(["sleep", "98765"], sid="two")
    env.fill()
    for _ in range(3):
        env.raises(FULL, lambda: env.manager.create_sandbox("three", env.bundle()))
    env.raises(FULL, lambda: one.create_container("more", env.bundle()))
    env.raises(FULL, lambda: env.manager.container("one").exec(["true"]))
    env.raises(FULL, two.start)
    equal(two.get("State"), "failed", "state of what could not be recorded")
    equal(one.ping() is not None, True, "ping")
    own = env.manager.container("one")
    equal((one.get("State"), own.get("State")), ("ready", "running"), "what runs")
    equal([row[0] for row in env.manager.containers(sandbox="one")], ["one"], "containers")
    own.kill("KILL")
    equal(own.wait(), 137, "status")
    one.stop()
    equal(one.get("State"), "stopped", "state")
    one.delete()
    two.delete()
    env.empty()
    sandbox, container = env.start_sandbox(["sh", "-c", "exit 4"], sid="four")
    equal(container.wait(), 4, "afterwards")
    sandbox.delete(force=True)
    env.remove_all()


def test_no_space_restart(env):
    """a daemon that starts on a full disk adopts what runs"""
    env.start_sandbox(["sleep", "98765"], sid="one")
    env.fill()
    env.end_daemon()
    env.start_daemon()
    equal(env.manager.sandbox("one").get("State"), "ready", "state")
    equal(env.manager.container("one").get("State"), "running", "container")
    env.empty()
    equal(env.manager.container("one").exec(["sh", "-c", "exit 5"]).wait(), 5, "exec")
    env.check_all()
    env.remove_all()


def test_no_descriptors(env):
    """EMFILE: calls fail, the daemon does not, and descriptors come back"""
    used = len(os.listdir("/proc/%d/fd" % env.daemon.pid))
    before = resource.prlimit(env.daemon.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(env.daemon.pid, resource.RLIMIT_NOFILE, (used + 12, before[1]))
    made = 0
    outcome = None
    while outcome is None and made < 40:
        try:
            env.start_sandbox(["sleep", "98765"], sid="n%d" % made)
            made += 1
        except bus.BusError as error:
            outcome = error.name
    check(outcome is not None, "40 sandboxes in %d descriptors" % (used + 12))
    print("# %d sandboxes, then %s" % (made, outcome))
    check(env.daemon.poll() is None, "the daemon ended")
    resource.prlimit(env.daemon.pid, resource.RLIMIT_NOFILE, before)
    for number in range(made):
        equal(env.manager.sandbox("n%d" % number).get("State"), "ready", "sandbox %d" % number)
    env.check_all()
    env.remove_all()
    env.no_leaks()
    eventually(lambda: len(os.listdir("/proc/%d/fd" % env.daemon.pid)) <= used + 2, "descriptors given back")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    ENV = SmallEnv(request_ms=5000, connect_ms=5000, stop_ms=2000)
    ENV.require()
    tap.run([test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
