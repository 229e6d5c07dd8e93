#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand sandboxes come and go, by every way there is: nothing of them stays.

VIRTPOD_TEST_CYCLES sets how many (1000).
"""

import mmap
import os
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

# as the service has it
os.environ["G_SLICE"] = "always-malloc"

CYCLES = int(os.environ.get("VIRTPOD_TEST_CYCLES", "1000"))
WARM = CYCLES // 5          # cycles until threads, tables and types are what they will be
MAX_GROWTH = 65536 / 10000  # bytes a cycle
MAX_ANONYMOUS = 6144        # kB at rest; two thirds of it are the libraries' own data
REST = 20                   # seconds without a change: longer than a pool's thread waits for work


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
                                             "ListNames", None, None, 0, 120000, None)
    return len(reply.unpack()[0])


class CountedEnv(TestDriverEnv):
    """The daemon's allocations are counted (tests/lib/count-malloc.c). What it has resident says
    little: in a thousand cycles glibc's caches of freed memory, one for each thread that ever
    ran, take some 100 kB more, in steps."""

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
    """Of a daemon at rest: its jobs are done, idle threads are gone (a pool's wait 15
    seconds, and each has some kilobytes of its own), and what was free has been given back."""

    def __init__(self, env):
        self.threads = self.allocated = None
        since = time.monotonic()

        def rests():
            nonlocal since
            now = threads(env), env.allocated()
            if now != (self.threads, self.allocated):
                self.threads, self.allocated = now
                since = time.monotonic()
            return time.monotonic() - since > REST

        eventually(rests, "rest", 10 * REST)
        with open("/proc/%d/status" % env.daemon.pid, encoding="ascii") as f:
            self.anonymous = next(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))
        print("# at rest: %d bytes allocated, %d kB of anonymous memory, %d threads" % (
            self.allocated, self.anonymous, self.threads))


def test_cycles(env):
    """nothing is left after as many lives as there are asked for"""
    lives = Lives(env)
    # a few cycles say nothing about growth
    measure = env.counted and CYCLES >= 500
    began = time.monotonic()
    snapshot = names = most_threads = before = None
    for number in range(CYCLES):
        lives.run(number)
        if number == WARM:
            snapshot, names, most_threads = env.snapshot(), bus_names(env), threads(env)
            before = Memory(env) if measure else None
    print("# %d cycles in %.1f s; resident: %d kB" % (CYCLES, time.monotonic() - began, env.rss()))
    env.no_leaks(snapshot)
    env.no_leaks(env.before)
    equal(env.manager.objects(), {}, "objects on the bus")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    equal([m for m in host.mounts() if env.dir in m], [], "mounts")
    equal(bus_names(env), names, "names on the bus")
    # idle threads of pools go after a while
    eventually(lambda: threads(env) <= most_threads, "threads, %d after %d cycles" % (most_threads, WARM))
    if measure:
        after = Memory(env)
        growth = (after.allocated - before.allocated) / (CYCLES - WARM)
        print("# %.1f bytes a cycle stay allocated" % growth)
        check(growth <= MAX_GROWTH, "memory grows by %.1f bytes a cycle" % growth)
        check(after.anonymous < MAX_ANONYMOUS, "%d kB are not given back" % after.anonymous)


def test_ends_well(env):
    """the daemon ends with status 0, and nothing of it is left"""
    equal(env.stop_daemon(), 0, "status")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    equal(os.listdir(os.path.join(env.state_dir, "sandboxes")), [], "directories")
    env.start_daemon()


if __name__ == "__main__":
    testdriver.main([test_cycles, test_ends_well], CountedEnv())
