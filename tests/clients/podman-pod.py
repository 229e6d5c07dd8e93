#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman's pods: several containers in one virtual machine, and one network."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from podman import IMAGE, INFRA, PodmanNetworkEnv
from tap import equal

DEADLINE = 240

# TERM ends it with a status of its own, which podman is to see; before it is ready nobody would heed it
SCRIPT = 'trap "exit %d" TERM; echo ready; while :; do sleep 0.1; done'
SERVER = 'trap "exit 4" TERM; echo ready; while :; do echo "from a" | busybox nc -l -p 80 & wait $!; done'


def status(env, name):
    return env.inspect(name, ".State.Status"), env.inspect(name, ".State.ExitCode")


def create(env, network):
    env.ok("pod", "create", "--name", "pod", "--network", network, "--infra-image", IMAGE,
           "--infra-command", INFRA)
    env.ok("run", "-d", "--pod", "pod", "--name", "a", "-v", "shared:/shared", IMAGE, "sh", "-c", SERVER)
    env.ok("run", "-d", "--pod", "pod", "--name", "b", "-v", "shared:/shared", IMAGE, "sh", "-c", SCRIPT % 6)
    # TERM before there is a trap for it would be lost
    for name in ("a", "b"):
        tap.eventually(lambda name=name: "ready" in env.ok("logs", name), name + " runs", DEADLINE)


def reaches(env):
    """b, by the loopback device that it has in common with a"""
    return env.podman("exec", "b", "busybox", "nc", "-w", "10", "127.0.0.1", "80").stdout == b"from a\n"


def sandboxes(env):
    return [row[0] for row in env.manager.sandboxes()]


def test_pod(env):
    """create, run in it, exec, pod stop, pod start, pod rm, in one machine and on a bridge; a volume of two"""
    create(env, "podman")
    equal(len(sandboxes(env)), 1, "machines")
    equal(len(env.manager.containers(state="running")), 3, "containers")
    tap.eventually(lambda: reaches(env), "answer of the other container", DEADLINE)
    equal(env.ok("exec", "a", "hostname"), "pod\n", "host name")
    env.ok("exec", "b", "sh", "-c", "echo note >/shared/note; echo memory >/dev/shm/note")
    equal(env.ok("exec", "a", "cat", "/shared/note", "/dev/shm/note"), "note\nmemory\n", "volume and shared memory")
    env.ok("pod", "stop", "--time", "60", "pod")
    equal((status(env, "a"), status(env, "b")), (("exited", "4"), ("exited", "6")), "after pod stop")
    tap.eventually(lambda: sandboxes(env) == [], "no machine any more", DEADLINE)
    env.ok("pod", "start", "pod")
    equal(len(sandboxes(env)), 1, "machines after pod start")
    tap.eventually(lambda: reaches(env), "answer after pod start", DEADLINE)
    env.remove_pod("pod")
    env.nothing_left()


def test_members(env):
    """a container of a pod ends, is started again and is removed; the others go on"""
    create(env, "none")
    before = env.inspect("a", ".State.StartedAt")
    env.ok("stop", "--time", "60", "b")
    equal(status(env, "b"), ("exited", "6"), "b")
    env.ok("start", "b")
    equal(status(env, "b")[0], "running", "b again")
    equal(len(sandboxes(env)), 1, "machines")
    env.ok("rm", "--force", "--time", "0", "b")
    equal((env.inspect("a", ".State.Status"), env.inspect("a", ".State.StartedAt")), ("running", before), "a")
    env.ok("pod", "kill", "pod")
    tap.eventually(lambda: status(env, "a") == ("exited", "137"), "end of a", DEADLINE)
    env.remove_pod("pod")


def test_daemon_restart(env):
    """pod stop, with a daemon that was killed meanwhile"""
    create(env, "none")
    env.stop_daemon(kill=True)
    env.start_daemon()
    tap.eventually(lambda: len(env.manager.containers(state="running")) == 3, "containers of before", DEADLINE)
    env.ok("pod", "stop", "--time", "60", "pod")
    equal((status(env, "a"), status(env, "b")), (("exited", "4"), ("exited", "6")), "after pod stop")
    env.remove_pod("pod")


def test_nothing_in_common(env):
    """a pod without an infra container: each of its containers has a machine of its own"""
    env.ok("pod", "create", "--name", "loose", "--infra=false")
    for name in ("a", "b"):
        env.ok("run", "-d", "--pod", "loose", "--name", name, "--network", "none", IMAGE, "sleep", "100000")
    equal(len(sandboxes(env)), 2, "machines")
    equal(env.podman("stop", "--time", "1", "a").stderr.decode().count("resorting to SIGKILL"), 1,
          "what heeds no TERM is not ended by it")
    equal((status(env, "a"), status(env, "b")[0]), (("exited", "137"), "running"), "after stop")
    env.remove_pod("loose")


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanNetworkEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_pod, test_members, test_daemon_restart, test_nothing_in_common, test_nothing_left], ENV)
