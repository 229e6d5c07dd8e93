#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand sandboxes come and go, by every way there is: nothing of them stays.

VIRTPOD_TEST_CYCLES sets how many (1000).
"""

import itertools
import mmap
import os
import statistics
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import env as env_module
import host
import testdriver
from tap import check, equal
from testdriver import Pending, TestDriverEnv, eventually, read_all

CYCLES = int(os.environ.get("VIRTPOD_TEST_CYCLES", "1000"))
WARM = CYCLES // 5          # cycles until threads, tables and types are what they will be
MAX_GROWTH = 65536 / 10000  # bytes a cycle


class Lives:
    """The ways a sandbox can live. Ids come again and again: what is left of a
    domain, a directory or a name on the bus is in the way of the next."""

    def __init__(self, env):
        self.env = env
        self.bundles = {}
        document = bundle.spec(["true"])
        document["hooks"] = {kind: [{"path": "/bin/true"}] for kind in ("prestart", "poststart", "poststop")}
        self.hooked = env.bundles.make(document=document)
        self.ways = 5 * [self.plain, self.never_started] + 2 * [self.attached, self.forced, self.execs]
        self.ways += [self.pod, self.fails, self.cancelled, self.dies, self.hooks]

    def run(self, number):
        way = self.ways[number % len(self.ways)]
        way("cycle-%d" % (number % 30))

    def begin(self, sid, args=("true",), path=None, **streams):
        args = tuple(args)
        if path is None and args not in self.bundles:
            self.bundles[args] = self.env.bundle(args)
        sandbox = self.env.manager.create_sandbox(sid, path or self.bundles[args], **streams)
        return sandbox, self.env.manager.container(sid)

    def plain(self, sid):
        sandbox, container = self.begin(sid)
        sandbox.start()
        container.start()
        equal(container.wait(), 0, "status")
        sandbox.stop()
        sandbox.delete()

    def attached(self, sid):
        sandbox, container = self.begin(sid, ["sh", "-c", "read x; echo $x; exit 3"])
        sandbox.start()
        container.start()
        (fds,), ends = container.call_with_fds("Attach", "(a{sv})", ({},))
        os.write(ends[fds["stdin"]], b"hello\n")
        equal(read_all(ends[fds["stdout"]]), b"hello\n", "stdout")
        equal(container.wait(), 3, "status")
        for name in ("stdin", "stderr"):
            os.close(ends[fds[name]])
        container.delete()

    def pod(self, sid):
        sandbox, container = self.begin(sid, ["sleep", "1000"])
        sandbox.start()
        container.start()
        second = sandbox.create_container(sid + "-b", self.bundles[("true",)])
        second.start()
        equal(second.wait(), 0, "status")
        second.delete()
        sandbox.delete(force=True)

    def never_started(self, sid):
        sandbox, _ = self.begin(sid)
        sandbox.delete()

    def execs(self, sid):
        sandbox, container = self.begin(sid, ["sleep", "1000"])
        sandbox.start()
        container.start()
        for number in range(3):
            out, inner = os.pipe()
            process = container.exec(["sh", "-c", "echo %d; exit %d" % (number, number)], stdout=inner)
            os.close(inner)
            equal((process.wait(), read_all(out)), (number, b"%d\n" % number), "exec")
        sandbox.delete(force=True)

    def fails(self, sid):
        self.env.house.fail["CreateContainer"] = ("INTERNAL", "no")
        sandbox, _ = self.begin(sid)
        self.env.raises("AgentFailed", sandbox.start)
        self.env.house.fail.clear()
        sandbox.delete()

    def cancelled(self, sid):
        self.env.house.mute.add("CreateSandbox")
        sandbox, _ = self.begin(sid)
        call = Pending(sandbox, "Start", "(a{sv})", {})
        agent = self.env.agent(sandbox)
        eventually(lambda: "CreateSandbox" in agent.calls, "start under way")
        self.env.house.mute.clear()
        sandbox.delete(force=True)
        equal(call.outcome(), "Cancelled", "start")

    def dies(self, sid):
        sandbox, container = self.begin(sid, ["sleep", "1000"])
        sandbox.start()
        container.start()
        wait = Pending(container, "Wait")
        self.env.agent(sandbox).hang_up()
        equal(wait.result()[0], 137, "status")
        eventually(lambda: sandbox.get("State") == "lost", "lost sandbox")
        sandbox.delete()

    def forced(self, sid):
        sandbox, container = self.begin(sid, ["sleep", "1000"])
        sandbox.start()
        container.start()
        container.delete(force=True)

    def hooks(self, sid):
        sandbox, container = self.begin(sid, path=self.hooked)
        sandbox.start()
        container.start()
        equal(container.wait(), 0, "status")
        sandbox.delete(force=True)


def threads(env):
    return len(os.listdir("/proc/%d/task" % env.daemon.pid))


def bus_names(env):
    reply = env.manager.connection.call_sync("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                             "ListNames", None, None, 0, 5000, None)
    return len(reply.unpack()[0])


def slope(points):
    """The median of the slopes between any two points."""
    return statistics.median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.combinations(points, 2))


class CountedEnv(TestDriverEnv):
    """The daemon's allocations are counted (tests/lib/count-malloc.c). What it has resident says
    little: in a thousand cycles glibc's caches of a few dozen threads take 100 kB more, in
    steps, and keep them."""

    def daemon_command(self):
        command = super().daemon_command()
        if not self.counted:
            return command
        with open(self.path("allocated"), "wb") as f:
            f.truncate(8)
        return ["env", "LD_PRELOAD=" + COUNTER, "VP_COUNT_FILE=" + self.path("allocated")] + command

    @property
    def counted(self):
        """Sanitizers and valgrind have allocators of their own."""
        return os.path.exists(COUNTER) and "VIRTPOD_TEST_WRAPPER" not in os.environ

    def allocated(self):
        """Bytes the daemon has allocated and not freed."""
        with open(self.path("allocated"), "rb") as f, mmap.mmap(f.fileno(), 8, prot=mmap.PROT_READ) as counter:
            return struct.unpack("q", counter)[0]


COUNTER = os.path.join(env_module.builddir, "tests/lib/.libs/count-malloc.so")


class Memory:
    """What the daemon has allocated as cycles go by: in each round of all the lives the
    least, which is when least is under way. What leaks does so all the time, and a step, as
    when a pool has one thread more than ever before, is not growth: the third of the time
    with the least growth counts."""

    def __init__(self, env):
        self.env = env
        self.points = []
        self.round = []

    def note(self, number, length):
        if self.env.counted and number >= WARM:
            self.round.append(self.env.allocated())
        if len(self.round) == length:
            self.points.append((number, min(self.round)))
            self.round = []

    def check(self):
        # a few rounds say nothing about growth
        if len(self.points) < 15:
            print("# memory: not counted, or too few cycles")
            return
        third = len(self.points) // 3
        growth = [slope(self.points[part * third:(part + 1) * third]) for part in range(3)]
        print("# bytes allocated from cycle %d on: %s; a cycle: %s" % (
            WARM, " ".join(str(size) for _, size in self.points[::len(self.points) // 10]),
            " ".join("%.1f" % value for value in growth)))
        check(min(growth) <= MAX_GROWTH, "memory grows by %.1f bytes a cycle" % min(growth))


def test_cycles(env):
    """nothing is left after as many lives as there are asked for"""
    lives = Lives(env)
    memory = Memory(env)
    began = time.monotonic()
    snapshot = names = most_threads = None
    for number in range(CYCLES):
        lives.run(number)
        if number == WARM:
            snapshot, names, most_threads = env.snapshot(), bus_names(env), threads(env)
        memory.note(number, len(lives.ways))
    print("# %d cycles in %.1f s; resident: %d kB" % (CYCLES, time.monotonic() - began, env.rss()))
    env.no_leaks(snapshot)
    env.no_leaks(env.before)
    equal(env.manager.objects(), {}, "objects on the bus")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    equal([m for m in host.mounts() if env.dir in m], [], "mounts")
    equal(bus_names(env), names, "names on the bus")
    # idle threads of pools go after a while
    eventually(lambda: threads(env) <= most_threads, "threads, %d after %d cycles" % (most_threads, WARM))
    memory.check()


def test_ends_well(env):
    """the daemon ends with status 0, and nothing of it is left"""
    equal(env.stop_daemon(), 0, "status")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    env.start_daemon()


if __name__ == "__main__":
    testdriver.main([test_cycles, test_ends_well], CountedEnv())
