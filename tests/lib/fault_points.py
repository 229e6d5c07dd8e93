# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every failpoint times every fault, on libvirt's test driver. The points are not
listed here: a run without faults says which there are. After each the daemon is
started again, twice: everything stands, nothing is lost that was told, nothing leaks.

VIRTPOD_FAULT_DELAY_MS: how long a delay is (default 300; 5000 is for `make soak`).
VIRTPOD_FAULT_POINTS: a regular expression, to look at a few.
VIRTPOD_TEST_LIBVIRT=embed or libvirtd: with virtual machines, and then a random
sample of VIRTPOD_FAULT_SAMPLE points (default 6), of which VIRTPOD_SEED has the same."""

import os
import random
import re
import signal
import sys

import bus
import tap
from crash import CrashEnv, require_failpoints, run_quietly, trace_of
from tap import check, equal

FLAVOUR = os.environ.get("VIRTPOD_TEST_LIBVIRT", "testd")
MACHINES = FLAVOUR != "testd"
SAMPLE = int(os.environ.get("VIRTPOD_FAULT_SAMPLE", "6" if MACHINES else "0"))
SEED = int(os.environ.get("VIRTPOD_SEED", str(random.randrange(1 << 32))))
DELAY_MS = int(os.environ.get("VIRTPOD_FAULT_DELAY_MS", "300"))
DELAY = "delay:%d" % DELAY_MS


class Life:
    """Everything a client can do, once; ids are new each time."""

    def __init__(self, env):
        self.env = env
        self.sid = env.new_id("s")
        self.cid = env.new_id("c")
        self.late = env.new_id("l")

    def sandbox(self):
        return self.env.manager.sandbox(self.sid)

    def own(self):
        return self.env.manager.container(self.sid)

    def container(self, cid):
        return self.env.manager.container(cid)

    def create(self):
        self.env.manager.create_sandbox(self.sid, self.env.bundle(["sleep", "98765"]), labels={"a": "b"})

    def create_second(self):
        self.sandbox().create_container(self.cid, self.env.bundle(["sh", "-c", "exit 7"]))

    def wait_second(self):
        self.env.remember(self.cid, self.container(self.cid).wait())
        equal(self.env.known[self.cid], 7, "status")

    def exec(self):
        equal(self.own().exec(["sh", "-c", "exit 5"]).wait(), 5, "status of an exec")

    def add(self):
        self.sandbox().create_container(self.late, self.env.bundle(["sleep", "98765"]))

    def build(self):
        return [self.create, self.create_second, lambda: self.sandbox().start(), lambda: self.own().start(),
                lambda: self.container(self.cid).start(), self.wait_second, self.exec, self.add,
                lambda: self.container(self.late).start()]

    def end(self):
        return [lambda: self.container(self.late).kill("KILL"), lambda: self.container(self.late).wait(),
                lambda: self.container(self.late).delete(), lambda: self.sandbox().stop(),
                lambda: self.sandbox().delete()]


def half_way(env):
    """Work for a daemon that starts: adopted, undone, left over, lost, unreadable."""
    run_quietly(Life(env).build())
    one = Life(env)
    run_quietly(one.build()[:3])
    name = one.sandbox().get("DomainName")
    broken = Life(env)
    run_quietly(broken.build()[:3])
    record = os.path.join(env.state_dir, "sandboxes", broken.sandbox().get("DomainName"), "record.json")
    env.end_daemon()
    env.libvirt.destroy(name)
    with open(record, "w", encoding="ascii") as f:
        f.write("{")
    os.makedirs(os.path.join(env.state_dir, "sandboxes", "vp-nobody", "shared"))


def drop_quarantine(env):
    place = os.path.join(env.state_dir, "quarantine")
    for name in os.listdir(place) if os.path.isdir(place) else []:
        os.unlink(os.path.join(place, name))


def check_struck(env, arm):
    """A daemon that was to be killed is dead."""
    if arm and "=kill" in arm:
        tap.eventually(lambda: env.daemon.poll() is not None, "end of the daemon at " + arm)
        equal(env.daemon.returncode, -signal.SIGKILL, "status of the daemon")


def whole_life(env, arm, trace=None):
    env.end_daemon()
    env.start_armed(arm, trace)
    life = Life(env)
    run_quietly(life.build() + life.end())
    check_struck(env, arm)
    env.after_crash()


def whole_start(env, arm, trace=None):
    env.end_daemon()
    env.start_daemon()
    half_way(env)
    env.start_armed(arm, trace)
    check_struck(env, arm)
    env.after_crash()
    drop_quarantine(env)


def points(env):
    """name -> the run it is passed in"""
    found = {}
    # the second one takes domains away behind libvirt's back
    for number, run in enumerate((whole_life,) if MACHINES else (whole_life, whole_start)):
        trace = env.path("trace%d" % number)
        run(env, None, trace)
        for name in trace_of(trace):
            found.setdefault(name, run)
    return found


def make_test(action):
    def test(env):
        wanted = re.compile(os.environ.get("VIRTPOD_FAULT_POINTS", "."))
        failed = []
        chosen = {name: run for name, run in points(env).items() if wanted.search(name)}
        check(chosen, "no points")
        if SAMPLE:
            print("# seed %d" % SEED)
            names = random.Random(SEED).sample(sorted(chosen), min(SAMPLE, len(chosen)))
            chosen = {name: chosen[name] for name in names}
        for name, run in chosen.items():
            try:
                run(env, "%s=%s" % (name, action))
            except (tap.Failure, bus.BusError) as failure:
                failed.append("%s: %s" % (name, failure))
                tap.diagnose(failed[-1])
                tap.diagnose("\n".join(env.diagnostics().splitlines()[-40:]))
                env.end_daemon()
                env.start_daemon()
                env._delete_sandboxes()
        print("# %d points" % len(chosen))
        check(not failed, "%d of %d points:\n  %s" % (len(failed), len(chosen), "\n  ".join(failed)))
    test.__doc__ = action + " at every point"
    test.__name__ = "test_" + action.split(":")[0]
    return test


def main(*actions):
    """A program that tries @actions at every point."""
    tests = [make_test(action) for action in actions]
    require_failpoints()
    env = CrashEnv(request_ms=60000 if MACHINES else 5000, connect_ms=60000 if MACHINES else 5000, stop_ms=2000)
    if MACHINES:
        env.use_machines(FLAVOUR)
    env.require()
    tap.run([test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]], env)
