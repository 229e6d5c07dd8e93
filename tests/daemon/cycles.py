#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand sandboxes come and go, by every way there is: nothing of them stays.

VIRTPOD_TEST_CYCLES sets how many (1000).
"""

import itertools
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import host
import testdriver
from tap import check, equal
from testdriver import Pending, TestDriverEnv, eventually, read_all

CYCLES = int(os.environ.get("VIRTPOD_TEST_CYCLES", "1000"))
# one heap instead of one for each thread, which grow in steps and when they like
os.environ["MALLOC_ARENA_MAX"] = "1"
os.environ["G_SLICE"] = "always-malloc"

WARM = CYCLES // 5          # cycles until memory and threads are what they will be
MAX_SLOPE = 0.1             # kB of memory a cycle; a hundredth of what one sandbox's objects are


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
    """The median of the slopes between any two points: a step, as when something is first
    used, does not count as growth."""
    return statistics.median((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.combinations(points, 2))


def test_cycles(env):
    """nothing is left after as many lives as there are asked for"""
    lives = Lives(env)
    sizes = []
    began = time.monotonic()
    snapshot = names = most_threads = None
    for number in range(CYCLES):
        lives.run(number)
        if number == WARM:
            snapshot, names, most_threads = env.snapshot(), bus_names(env), threads(env)
        if number >= WARM and (number - WARM) % max(1, CYCLES // 40) == 0:
            sizes.append((number, env.rss()))
    print("# %d cycles in %.1f s" % (CYCLES, time.monotonic() - began))
    env.no_leaks(snapshot)
    env.no_leaks(env.before)
    equal(env.manager.objects(), {}, "objects on the bus")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    equal([m for m in host.mounts() if env.dir in m], [], "mounts")
    equal(bus_names(env), names, "names on the bus")
    # idle threads of pools go after a while
    eventually(lambda: threads(env) <= most_threads, "threads, %d after %d cycles" % (most_threads, WARM))
    growth = slope(sizes)
    print("# RSS from cycle %d on: %s kB; slope %.3f kB a cycle" % (WARM, " ".join(str(kb) for _, kb in sizes[::4]),
                                                                    growth))
    check(growth < MAX_SLOPE or testdriver.sanitized(env), "memory grows by %.2f kB a cycle" % growth)


def test_ends_well(env):
    """the daemon ends with status 0, and nothing of it is left"""
    equal(env.stop_daemon(), 0, "status")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    env.start_daemon()


if __name__ == "__main__":
    testdriver.main([test_cycles, test_ends_well], TestDriverEnv())
