# SPDX-License-Identifier: LGPL-2.1-or-later
"""P10, P20, P26: what the ways in cost: memory of all that runs on the host for a pod,
exec through everything, and questions by the command line. Beside them stands a
runtime of processes on the host, crun where it runs, else runc."""

import json
import os
import resource
import shutil
import signal
import subprocess
import time

import env as environment
import tap
from fake_agent import AgentHouse
from report import alternate, line, note, ratio_line
from shim_figures import OURS, THEIRS, call, field, private_run, shim_pid, start_shim
from world import process_memory

PODS = 10
SETTLE_SECONDS = 8
QUESTIONS = 10    # in one round
EXECS = 5


class Peer:
    """A container that sleeps, of the first runtime that can run one here."""

    def __init__(self, env):
        self.env = env
        self.program = None
        rootfs = os.path.join(env.bundle(["true"]), "rootfs")
        self.bundle = env.path("peer")
        os.makedirs(self.bundle)
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="ascii") as f:
            json.dump({"ociVersion": "1.0.2", "root": {"path": rootfs},
                       "process": {"user": {"uid": 0, "gid": 0}, "args": ["sleep", "100000"], "env": ["PATH=/bin"],
                                   "cwd": "/"},
                       "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
                       "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}}, f)
        for name in ("crun", "runc"):
            self.program = shutil.which(name)
            if self.program and self.call("create", "--bundle", self.bundle, "peer") and self.call("start", "peer"):
                self.name = name
                return
            if self.program:
                self.call("delete", "--force", "peer")
        self.program = None
        raise tap.Skip("neither crun nor runc runs a container here")

    def call(self, *args):
        """Whether it succeeded; its output goes nowhere, as the container's would be the same."""
        return subprocess.run([self.program, "--root", self.env.path("peer-root"), *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0

    def close(self):
        self.call("delete", "--force", "peer")


def with_peer(env, figures, measure):
    try:
        peer = Peer(env)
    except tap.Skip as reason:
        note("%s: %s" % (figures, reason))
        return
    try:
        measure(peer)
    finally:
        peer.close()


# ---- P26 ----------------------------------------------------------------------

def questions(env, rounds):
    """virtpod state and list, beside the peer's."""
    sandbox = env.manager.create_sandbox("asked", env.bundle(["true"]))

    def ours(*args):
        done = subprocess.run(env.client(*args), env=env.client_env(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, check=False)
        tap.equal(done.returncode, 0, "status of virtpod")

    def timed(ask):
        """Milliseconds of wall and of processor time."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        began, cpu = time.monotonic(), usage.ru_utime + usage.ru_stime
        for _ in range(QUESTIONS):
            ask()
        took = time.monotonic() - began
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return took / QUESTIONS * 1e3, (usage.ru_utime + usage.ru_stime - cpu) / QUESTIONS * 1e3

    def measure(peer):
        for verb, our_args, their_args in (("state", ["state", "asked"], ["state", "peer"]), ("list", ["list"], ["list"])):
            tap.check(peer.call(*their_args), "%s %s" % (peer.name, verb))
            pairs = alternate(rounds, lambda: timed(lambda: ours(*our_args)),
                              lambda: timed(lambda: peer.call(*their_args)))
            ratio_line("P26-%s-%s" % (verb, peer.name), [(a[0], b[0]) for a, b in pairs], "ms", goal="<=1.0 of crun")
            ratio_line("P26-%s-cpu-%s" % (verb, peer.name), [(a[1], b[1]) for a, b in pairs], "ms")

    with_peer(env, "P26", measure)
    sandbox.delete(force=True)


# ---- P20 ----------------------------------------------------------------------

def exec_through(env, running, rounds):
    """virtpod exec of true, beside the peer's on the host and the guest's part together."""
    def timed(execute):
        began = time.monotonic()
        for _ in range(EXECS):
            execute()
        return (time.monotonic() - began) / EXECS * 1e3

    def ours():
        tap.equal(env.virtpod("exec", running.sandbox.get("Id"), "true").returncode, 0, "status of exec")

    def measure(peer):
        def theirs():
            tap.check(peer.call("exec", "peer", "true"), peer.name + " exec")
            running.vm.exec(["/bin/true"])

        ours()
        theirs()
        ratio_line("P20-" + peer.name, alternate(rounds, lambda: timed(ours), lambda: timed(theirs)), "ms", goal="<=1.5")

    with_peer(env, "P20", measure)


# ---- P10 ----------------------------------------------------------------------

def proportional(pids):
    """KiB, what is shared by several divided among them."""
    return sum(process_memory(pid)["Pss"] for pid in pids) / 1024


def pods_memory(env):
    """virtpodd and its shims with ten pods that run, their agents being fakes."""
    private_run()
    env.stop_daemon()
    env.start_daemon()
    house = AgentHouse(os.path.join(env.state_dir, "sandboxes"))
    shims = []
    for number in range(PODS):
        name, bundle = "pod%d" % number, env.bundle(["sleep", "100000"])
        address = start_shim(environment.program(OURS), bundle, name, VIRTPOD_BUS_ADDRESS=env.address)
        call(address, "Create", field(1, name.encode()) + field(2, bundle.encode()))
        call(address, "Start", field(1, name.encode()))
        shims.append((name, bundle, address))
    time.sleep(SETTLE_SECONDS)
    pids = [shim_pid(address, name) for name, _, address in shims]
    daemon, ours = proportional([env.daemon.pid]), proportional(pids)
    more = {}
    if shutil.which(THEIRS):
        theirs = [start_shim(shutil.which(THEIRS), env.bundle(["true"]), "peer%d" % number) for number in range(PODS)]
        their_pids = [shim_pid(address, "peer%d" % number) for number, address in enumerate(theirs)]
        more["runc_shims"] = "%.0fKiB" % (proportional(their_pids) / PODS)
        for pid in their_pids:
            os.kill(pid, signal.SIGKILL)
    line("P10", value="%.0fKiB" % ((daemon + ours) / PODS), virtpodd="%.0fKiB" % (daemon / PODS),
         shim="%.0fKiB" % (ours / PODS), n=PODS, goal="<=3072KiB", **more)
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for name, _, _ in shims:
        env.manager.container(name).delete(force=True)
    house.stop()
