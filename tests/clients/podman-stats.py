#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman stats: the figures of the host's control group, in which the machine is."""

import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from env import builddir
from podman import IMAGE, INFRA, PodmanEnv
from tap import check, equal

DEADLINE = 240
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9}
MACHINE = 40e6    # bytes that a guest which does nothing takes at the least; a stand-in has 0.7e6
BUSY = "while :; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done"


def size(text):
    number, unit = re.match(r"([0-9.]+)([kMG]?)B", text).groups()
    return float(number) * UNITS[unit]


def seconds(text):
    """2m3.5s, 250ms"""
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9}[unit]
               for number, unit in re.findall(r"([0-9.]+)(h|ms|m|s|µs|ns)", text))


def stats(env, name):
    """Memory and processor time that podman shows."""
    shown = json.loads(env.ok("stats", "--no-stream", "--format", "json", name))[0]
    return size(shown["mem_usage"].split(" / ")[0]), seconds(shown["cpu_time"])


def processes(word):
    return [pid for pid, (_parent, state, command) in host.family().items() if word in command and state != "Z"]


def group(name_or_id):
    return "/libpod_parent/libpod-" + name_or_id


def places(pids, controller):
    return {host.control_group_of(pid, controller) for pid in pids} - {None}


def libvirts_groups(env):
    """What libvirt has of the machines that are there now: none of other programs' is looked at."""
    names = [row for row in env.libvirt.domains()]
    return [name for name in host.control_groups("/machine") if any(domain in name for domain in names)]


def start(env, name, script="while :; do sleep 1; done"):
    cid = env.ok("run", "-d", "--name", name, "--network", "none", IMAGE, "sh", "-c", script).strip()
    return group(cid)


def gone(path):
    tap.eventually(lambda: host.control_groups(path) == [], "no control group " + path, 60)


def test_stats(env):
    """a container has the memory of its machine, and time as the guest works; what libvirt confines it still does"""
    path = start(env, "one")
    memory, before = stats(env, "one")
    check(memory > MACHINE, "podman stats: %d bytes" % memory)
    check(before > 0, "podman stats: %f s" % before)
    ours = processes("qemu-system-x86_64") + processes("virtiofsd") + processes("virtpod-proxy")
    check(len(ours) >= 3, "processes: %r" % ours)
    for controller in ("memory", "cpuacct", "cpu", "pids", "blkio"):
        equal(places(ours, controller), {path}, "places of %s" % controller)
    # all of it is libvirt's still, whatever it has done there
    if os.path.exists("/sys/fs/cgroup/devices"):
        check(path not in places(processes("qemu-system-x86_64"), "devices"), "the machine left its devices")
    env.ok("exec", "-d", "one", "sh", "-c", BUSY)
    tap.eventually(lambda: stats(env, "one")[1] > before + 2, "time of a guest that works", DEADLINE)
    libvirts = libvirts_groups(env)
    env.ok("rm", "--force", "--time", "0", "one")
    gone(path)
    tap.eventually(lambda: not set(libvirts) & set(host.control_groups("/machine")), "no group of libvirt's", 60)


def test_killed(env):
    """the daemon killed and started again: the same figures, and nothing left of either group at the end"""
    path = start(env, "two")
    libvirts = libvirts_groups(env)
    env.stop_daemon(kill=True)
    env.start_daemon()
    tap.eventually(lambda: env.manager.containers(state="running"), "the container, again", DEADLINE)
    check(stats(env, "two")[0] > MACHINE, "memory after a restart")
    env.ok("rm", "--force", "--time", "0", "two")
    gone(path)
    tap.eventually(lambda: not set(libvirts) & set(host.control_groups("/machine")), "no group of libvirt's", 60)


def test_machine_killed(env):
    """the machine killed: its container has ended, and its group is gone before it is removed"""
    path = start(env, "three")
    os.kill(processes("qemu-system-x86_64")[0], signal.SIGKILL)
    tap.eventually(lambda: env.inspect("three", ".State.Status") == "exited", "end of the container", DEADLINE)
    gone(path)
    env.ok("rm", "--force", "three")


def test_pod(env):
    """a pod: its machine is its infra container's; the others have what stands for them"""
    env.ok("pod", "create", "--name", "pod", "--network", "none", "--infra-image", IMAGE, "--infra-name", "infra",
           "--infra-command", INFRA)
    for name in ("a", "b"):
        env.ok("run", "-d", "--pod", "pod", "--name", name, IMAGE, "sleep", "1000000")
    parent = "/libpod_parent/" + env.ok("pod", "inspect", "--format", "{{.ID}}", "pod").strip()
    below = [name for name in host.control_groups(parent) if "libpod-" in name]
    equal(len(below), 3, "groups: %r" % below)
    check(stats(env, "infra")[0] > MACHINE, "memory of the infra container")
    for name in ("a", "b"):
        memory, _time = stats(env, name)
        check(memory < MACHINE / 4, "memory of %s: %d" % (name, memory))
    env.ok("rm", "--force", "--time", "0", "b")
    tap.eventually(lambda: len([name for name in host.control_groups(parent) if "libpod-" in name]) == 2,
                   "groups without b", 60)
    env.stop_daemon(kill=True)
    env.start_daemon()
    env.remove_pod("pod")
    tap.eventually(lambda: not [name for name in host.control_groups(parent) if "libpod-" in name], "no groups", 60)


def test_off(env):
    """runtime.sandbox-cgroup-only=false: where libvirt puts it, and no group is made"""
    options, env.options = env.options, env.options + ["--set", "runtime.sandbox-cgroup-only=false"]
    env.stop_daemon()
    env.start_daemon()
    try:
        path = start(env, "off")
        check(path not in places(processes("qemu-system-x86_64"), "memory"), "the machine was moved")
        env.ok("rm", "--force", "--time", "0", "off")
    finally:
        env.options = options
        env.stop_daemon()
        env.start_daemon()


def test_version_2(env):
    """what makes and fills control groups does so with version 2, which a guest has, too"""
    tests = os.path.join(builddir, "tests/unit")
    if not os.path.exists(os.path.join(tests, "test-cgroup")):
        print("# tests/unit/test-cgroup is not built")
        return
    volumes = [arg for path in ("/usr:/usr", "/usr/lib:/lib", "/usr/lib64:/lib64", tests + ":/tests")
               for arg in ("--volume", path + ":ro")]
    # controllers can be handed on when no process is left at the top
    script = ("mkdir /sys/fs/cgroup/init; for pid in $(cat /sys/fs/cgroup/cgroup.procs); do"
              " echo $pid >/sys/fs/cgroup/init/cgroup.procs 2>/dev/null; done; /tests/test-cgroup --tap")
    done = env.run_ended("--privileged", *volumes, IMAGE, "sh", "-c", script)
    equal(done.returncode, 0, "tests in a guest: %r" % (done.stdout + done.stderr))
    equal(re.findall(rb"^ok \d+ (\S+)$", done.stdout, re.M),
          [b"/cgroup/life", b"/cgroup/libvirt", b"/cgroup/elsewhere", b"/cgroup/devices"], "%r" % done.stdout)


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    if not any(os.access("/sys/fs/cgroup" + name + "/cgroup.procs", os.W_OK) for name in ("/memory", "")):
        tap.skip_all("no control groups can be made here")
    # guests of a busy machine take their time
    ENV = PodmanEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_stats, test_killed, test_machine_killed, test_pod, test_off, test_version_2, test_nothing_left], ENV)
