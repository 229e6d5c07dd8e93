# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test programs whose tests are behaviours of a hostile agent: each ends in a
documented state with a named error, does not hold up another sandbox and does
not cost the daemon memory.

    @behaviour
    def hangs_up(t):
        \"\"\"hangs up at once\"\"\"
        t.run()
        t.agent.hang_up()
        t.lost()

    main()
"""

import os
import subprocess
import sys
import time

import tap
from evil_agent import EvilAgent
from neighbour import Neighbour
from tap import check, equal, took
from testdriver import Pending, TestDriverEnv, pump

CONNECT_MS = 1500
REQUEST_MS = 1000
STOP_MS = 1000
# how much longer a neighbour's call may take, and how much memory a behaviour may cost
SLOWER_MS = 50
SLOWER_SANITIZED_MS = 250    # each access is checked
GROWTH_KIB = 8 << 10
MIB = 1 << 20

END = ("TimedOut", "AgentUnavailable", "AgentFailed")


def silent(_agent, *_):
    pass


class EvilEnv(TestDriverEnv):
    neighbour = None
    summary = (0, 0)

    def start(self):
        super().start()
        self.house.blind = True
        with open("/proc/%d/maps" % self.daemon.pid, encoding="ascii", errors="replace") as f:
            self.sanitized = "libasan" in f.read()
        self.common = self.bundle(["sleep", "1000"])
        for _ in range(3):
            Case(self).run().end()
        self.neighbour = Neighbour(self)

    def start_daemon(self, timeout=60):
        """Records are on a tmpfs, as they are in /run: a disk may take its time."""
        if not os.path.isdir(self.state_dir):
            os.mkdir(self.state_dir)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", self.state_dir], check=True)
        super().start_daemon(timeout)

    def begin_test(self):
        pump()
        super(TestDriverEnv, self).begin_test()    # the neighbour stays

    def stop(self):
        if self.neighbour is not None:
            self.neighbour.stop()
            tap.diagnose("worst of all: neighbour %.1f ms slower, %d KiB" % self.summary)
        super().stop()


class Case:
    """One sandbox with an agent of ours."""

    def __init__(self, env):
        self.env = env
        self.agent = self.sandbox = self.container = None

    def create(self, **streams):
        self.sandbox = self.env.manager.create_sandbox(self.env.new_id("evil"), self.env.common, **streams)
        self.container = self.env.manager.container(self.sandbox.get("Id"))
        self.agent = EvilAgent(os.path.join(self.env.directory(self.sandbox), "agent.sock"))
        return self

    def run(self, **streams):
        self.create(**streams)
        self.sandbox.start()
        self.container.start()
        return self

    def fails(self, names, pattern=None):
        """Start fails so, and nothing of it stays."""
        error = self.env.raises(names, self.sandbox.start, pattern)
        clean(error.text)
        equal((self.sandbox.get("State"), self.sandbox.get("ExitReason")), ("failed", "start-failed"), "state")

    def raises(self, names, call, pattern=None):
        clean(self.env.raises(names, call, pattern).text)

    def lost(self):
        """The channel was cut: so is the sandbox, and whoever waits is told."""
        waits = [Pending(self.sandbox, "Wait"), Pending(self.container, "Wait")]
        equal([wait.result()[0] for wait in waits], [137, 137], "statuses")
        equal((self.sandbox.get("State"), self.sandbox.get("ExitReason")), ("lost", "lost"), "state")

    def ready(self):
        """It was borne: the sandbox goes on, and its agent is asked."""
        self.agent.on.clear()
        self.sandbox.ping()
        equal(self.sandbox.get("State"), "ready", "state")

    def end(self):
        """Whatever state it is in, it can be deleted, in time."""
        began = time.monotonic()
        if self.sandbox is not None:
            self.sandbox.delete(force=True)
        if self.agent is not None:
            self.agent.stop()
        took(began, (STOP_MS + REQUEST_MS) / 1000 + 2, "Delete")


def clean(text):
    check(len(text) < 1500, "a message of %d characters" % len(text))
    check(text.isprintable(), "message: %r" % text)


def measured(play):
    """The test of one behaviour. A neighbour that is slow once may be the machine's
    doing; what the daemon does wrong it does each time."""
    def test(env):
        limit = (SLOWER_SANITIZED_MS if env.sanitized else SLOWER_MS) * tap.slack()
        for attempt in range(3):
            env.neighbour.worst()
            case = Case(env)
            try:
                play(case)
            finally:
                case.end()
            slow, clock, before, most = env.neighbour.worst()
            if slow <= limit:
                break
        tap.diagnose("neighbour +%.1f ms (by the clock +%.1f ms), memory +%d KiB, attempt %d"
                     % (slow, clock, most - before, attempt + 1))
        env.summary = (max(env.summary[0], slow), max(env.summary[1], most - before))
        check(slow <= limit, "the neighbour's slowest call took %.1f ms longer" % slow)
        if not env.sanitized:
            check(most - before < GROWTH_KIB, "the daemon grew by %d KiB" % (most - before))
    test.__doc__ = play.__doc__
    return test


TESTS = []


def behaviour(play):
    TESTS.append(measured(play))
    return play


def named(title, play):
    play.__doc__ = title
    behaviour(play)


def main():
    env = EvilEnv(["--set", "agent.heartbeat-ms=1000", "--log-level", "info"], request_ms=REQUEST_MS,
                  connect_ms=CONNECT_MS, stop_ms=STOP_MS)
    env.require()
    only = sys.argv[1:]
    tap.run([test for test in TESTS if not only or any(word in test.__doc__ for word in only)], env)
