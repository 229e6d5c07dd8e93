#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman's pods one after the other and at once, each in a machine of its own on a bridge, what
may die meanwhile, and nothing that is left. VIRTPOD_TEST_PODS: how many in a row."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from lives import at_once, in_a_row
from podman import IMAGE, INFRA, PodmanNetworkEnv
from tap import equal

DEADLINE = 240
IN_A_ROW = int(os.environ.get("VIRTPOD_TEST_PODS", "2"))
AT_ONCE = 4
LOOP = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'


def start(env, name):
    """A pod with a container that runs; gives that container's name."""
    worker = name + "-worker"
    env.ok("pod", "create", "--name", name, "--hostname", name, "--network", "podman", "--infra-image", IMAGE,
           "--infra-command", INFRA, timeout=DEADLINE)
    env.ok("run", "-d", "--pod", name, "--name", worker, IMAGE, "sh", "-c", LOOP, timeout=DEADLINE)
    tap.eventually(lambda: "ready" in env.ok("logs", worker), worker + " runs", DEADLINE)
    return worker


def live(env, name):
    """The whole of a pod's life."""
    worker = start(env, name)
    done = env.podman("run", "--rm", "--pod", name, IMAGE, "sh", "-c", "hostname; exit 3", timeout=DEADLINE)
    equal((done.returncode, done.stdout), (3, name.encode() + b"\n"), "a second container: %r" % done.stderr)
    env.ok("pod", "stop", "--time", "60", name, timeout=DEADLINE)
    equal(env.inspect(worker, ".State.ExitCode"), "5", "status of the first")
    env.remove_pod(name)


def test_row(env):
    """pods in a row leave nothing; the daemon is killed between two of them"""
    in_a_row(env, IN_A_ROW, live)


def test_at_once(env):
    """pods at once leave nothing"""
    at_once(env, AT_ONCE, live)


def test_standin_killed(env):
    """what stands for a pod's first container is killed: podman sees it ended, the others go on"""
    worker = start(env, "orphan")
    infra = env.ok("pod", "inspect", "--format", "{{.InfraContainerID}}", "orphan").strip()
    os.kill(int(env.inspect(infra, ".State.Pid")), signal.SIGKILL)
    tap.eventually(lambda: env.inspect(infra, ".State.Status") == "exited", "end of the first", DEADLINE)
    equal(env.ok("exec", worker, "hostname", timeout=DEADLINE), "orphan\n", "the other")
    env.remove_pod("orphan")
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanNetworkEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_row, test_at_once, test_standin_killed], ENV)
