# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every failpoint times every fault, on libvirt's test driver. The points are not
listed here: a run without faults says which there are, and the source that there are
no others. After each the daemon is started again, twice: everything stands, nothing
is lost that was told, nothing leaks.

VIRTPOD_FAULT_DELAY_MS: how long a delay is (default 300; 5000 is for `make soak`).
VIRTPOD_FAULT_POINTS: a regular expression, to look at a few ("." for EIO at all: by
itself only what writes files and makes containers has that).
VIRTPOD_TEST_LIBVIRT=embed or libvirtd: with virtual machines, and then a random
sample of VIRTPOD_FAULT_SAMPLE points (default 6), of which VIRTPOD_SEED has the same."""

import os
import random
import re
import signal
import sys

import bus
import host
import netns
import pods
import tap
from crash import CrashEnv, points_of_source, require_failpoints, run_quietly, trace_of
from tap import check, equal, eventually

FLAVOUR = os.environ.get("VIRTPOD_TEST_LIBVIRT", "testd")
MACHINES = FLAVOUR != "testd"
SAMPLE = int(os.environ.get("VIRTPOD_FAULT_SAMPLE", "6" if MACHINES else "0"))
SEED = int(os.environ.get("VIRTPOD_SEED", str(random.randrange(1 << 32))))
DELAY_MS = int(os.environ.get("VIRTPOD_FAULT_DELAY_MS", "300"))
DELAY = "delay:%d" % DELAY_MS
POINTS = os.environ.get("VIRTPOD_FAULT_POINTS")
# who looks at the number of an error, or hands it on; elsewhere EIO is as good as any
OF_NUMBERS = r"(file|store|container)\."

# the test driver's machines take no device: tests/faults/plugging.py has those that do
OF_MACHINES = re.compile(r"step\.(plug\.run\.after|plug\.undo\..*|(join|tell|settle)\..*)$")


def make_pod(env):
    """A namespace with an interface that is up and one that is not; there are hundreds, so it is not done in small steps."""
    pod = netns.Pod(env.path(env.new_id("pod")))
    env.pods.append(pod)
    name = os.path.basename(pod.path)
    netns.run("ip", "-batch", "-", data="".join(
        "link add %s-%d type veth peer name %s address 02:00:00:00:02:0%d netns %s\nlink set %s-%d up\n"
        % (name, i, inside, i, pod.path, name, i) for i, inside in enumerate(("eth0", "net1"))))
    netns.run("ip", "-batch", "-", netns=pod.path, data="link set eth0 up\naddr add 10.88.0.2/24 dev eth0\n"
              "route add default via 10.88.0.1\n")
    return pod


class Life:
    """Everything a client can do, once; ids are new each time."""

    def __init__(self, env, network=None):
        self.env = env
        self.network = network
        self.sid = env.new_id("s")
        self.cid = env.new_id("c")
        self.late = env.new_id("l")
        self.pod = make_pod(env)

    def sandbox(self):
        return self.env.manager.sandbox(self.sid)

    def own(self):
        return self.env.manager.container(self.sid)

    def container(self, cid):
        return self.env.manager.container(cid)

    def create(self):
        document = netns.document(self.pod.path, ["sleep", "98765"])
        document["linux"]["cgroupsPath"] = self.env.group + "/" + self.sid
        self.env.manager.create_sandbox(self.sid, self.env.bundles.make(document=document), labels={"a": "b"},
                                        **({"network": self.network} if self.network else {}))

    def create_second(self):
        self.sandbox().create_container(self.cid, self.env.bundle(["sh", "-c", "exit 7"]))

    def wait_second(self):
        self.env.remember(self.cid, self.container(self.cid).wait())
        equal(self.env.known[self.cid], 7, "status")

    def exec(self):
        equal(self.own().exec(["sh", "-c", "exit 5"]).wait(), 5, "status of an exec")

    def add(self):
        self.sandbox().create_container(self.late, self.env.bundle(["sleep", "98765"]))

    def attach(self):
        self.pod.ip("link", "set", "net1", "up")
        self.sandbox().call("AttachDevice", "(a{sv})", bus.options({"kind": "nic", "interface": "net1"}))

    def detach(self):
        self.sandbox().call("DetachDevice", "(sa{sv})", "nic0", {})

    def rescan(self):
        self.sandbox().call("RescanNetwork", "(a{sv})", {})

    def kill(self):
        """What could not be killed is not waited for."""
        self.container(self.late).kill("KILL")
        self.container(self.late).wait()

    def build(self):
        return [self.create, self.create_second, lambda: self.sandbox().start(), lambda: self.own().start(),
                lambda: self.container(self.cid).start(), self.wait_second, self.exec, self.add,
                lambda: self.container(self.late).start(), self.attach]

    def end(self):
        return [self.detach, self.rescan, self.kill, lambda: self.container(self.late).delete(),
                lambda: self.sandbox().stop(), lambda: self.sandbox().delete()]


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


def stubborn_life(env, arm, trace=None):
    """Of a guest whose agent does not want to end: its hypervisor asks it."""
    env.end_daemon()
    env.start_armed(arm, trace)
    env.house.fail["DestroySandbox"] = ("INTERNAL", "on purpose")
    life = Life(env)
    run_quietly(life.build()[:4] + [lambda: life.sandbox().stop(), lambda: life.sandbox().delete()])
    env.house.fail.clear()
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
    # the others take domains away behind libvirt's back, or need an agent of ours
    for number, run in enumerate((whole_life,) if MACHINES else (whole_life, whole_start, stubborn_life)):
        trace = env.path("trace%d" % number)
        run(env, None, trace)
        for name in trace_of(trace):
            found.setdefault(name, run)
    return found


def test_driven(env):
    """each point that the source has is passed"""
    missing = points_of_source() - set(points(env))
    equal(sorted(name for name in missing if not OF_MACHINES.match(name)), [], "points nothing comes by")


class PointsEnv(CrashEnv):
    """Each sandbox has a network namespace of its own; the host is one, too."""

    def __init__(self, **timeouts):
        super().__init__(**timeouts)
        self.pods = []
        self.group = "/virtpod-test.%d" % os.getpid()    # of control groups, which are the whole machine's

    def start(self):
        host.own_network_namespace()
        super().start()

    def stop(self):
        super().stop()
        for pod in self.pods:
            pod.remove()
        host.remove_control_groups(self.group)

    def remove_all(self):
        super().remove_all()
        left, self.pods = self.pods, []
        try:
            for pod in left:
                eventually(lambda pod=pod: not pods.taps_in(pod) and not pod.qdiscs(), "a namespace as it was")
            eventually(lambda: not host.interfaces(), "no taps on the host")
            eventually(lambda: host.control_groups(self.group) in ([], [""]), "no control groups")
        finally:
            for pod in left:
                pod.remove()


def make_test(action):
    def test(env):
        wanted = re.compile(POINTS or (OF_NUMBERS if action == "eio" else "."))
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
    test.__doc__ = action + (" where files are written and containers made" if action == "eio" and not POINTS
                             else " at every point")
    test.__name__ = "test_" + action.split(":")[0]
    return test


def main(*actions):
    """A program that tries @actions at every point."""
    tests = [make_test(action) for action in actions]
    if not MACHINES and "error" in actions:
        tests.insert(0, test_driven)
    require_failpoints()
    if not os.path.exists("/dev/net/tun"):
        tap.skip_all("there is no /dev/net/tun")
    env = PointsEnv(request_ms=60000 if MACHINES else 5000, connect_ms=60000 if MACHINES else 5000, stop_ms=2000)
    if MACHINES:
        env.use_machines(FLAVOUR)
    env.require()
    tap.run([test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]], env)
