#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd's CRI plugin with virtpod's shim: pods one after the other and at once, what may
die meanwhile, and nothing that is left of any of it. VIRTPOD_TEST_PODS: how many in a row."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from cri import DEADLINE, NOT_READY, READY, CriEnv, CriError, Pod
from lives import at_once, in_a_row
from tap import equal, match

IN_A_ROW = int(os.environ.get("VIRTPOD_TEST_PODS", "5"))
AT_ONCE = 4
LOOP = 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'


def live(env, name):
    """The whole of a pod's life."""
    pod = Pod(env, name)
    try:
        first = pod.start("first", "sh", "-c", LOOP)
        second = pod.start("second", "sh", "-c", "echo $((6 * 7)); exit 3")
        tap.eventually(lambda: second.state() == "CONTAINER_EXITED", "end of the second", DEADLINE)
        equal(second.status().exit_code, 3, "its status")
        tap.eventually(lambda: second.logged() == ["42"], "its log", DEADLINE)
        equal(first.shell("hostname"), name + "\n", "host name")
        tap.eventually(lambda: "ready" in first.logged(), "a trap for TERM", DEADLINE)
        first.stop(timeout=120)
        equal(first.status().exit_code, 5, "status of the first")
    finally:
        pod.remove()


def test_row(env):
    """pods in a row leave nothing; the daemon is killed between two of them"""
    in_a_row(env, IN_A_ROW, live)


def test_at_once(env):
    """pods at once, each with an address and a machine of its own, leave nothing"""
    at_once(env, AT_ONCE, live)


def test_restarts(env):
    """a pod outlives the daemon and containerd, and is served by both again"""
    pod = Pod(env, "steady")
    loop = pod.start("loop", "sh", "-c", LOOP)
    address, shims = pod.address, env.shims()
    env.stop_daemon(kill=True)
    equal((pod.state(), loop.state()), (READY, "CONTAINER_RUNNING"), "without a daemon")
    env.start_daemon()
    equal(loop.shell("hostname"), "steady\n", "ExecSync after the daemon's restart")
    env.stop_containerd(kill=True)
    env.start_containerd()
    equal((pod.state(), loop.state(), pod.address), (READY, "CONTAINER_RUNNING", address), "after containerd's restart")
    equal(loop.shell("hostname"), "steady\n", "ExecSync after containerd's restart")
    later = pod.start("later", "sh", "-c", LOOP)
    equal(env.shims(), shims, "shims")
    for container in (loop, later):
        tap.eventually(lambda container=container: "ready" in container.logged(), "a trap for TERM", DEADLINE)
        container.stop(timeout=120)
        equal(container.status().exit_code, 5, "status")
    pod.remove()
    env.nothing_left()


def test_shim_killed(env):
    """a shim that is killed takes the pod with it, which is seen, and removed like any other"""
    pod = Pod(env, "orphan")
    loop = pod.start("loop", "sh", "-c", LOOP)
    os.kill(env.shims()[0], signal.SIGKILL)
    tap.eventually(lambda: loop.state() == "CONTAINER_EXITED" and pod.state() == NOT_READY, "end of the pod", DEADLINE)
    # what `delete` says, or containerd's word for not knowing: whichever it heard first
    tap.check(loop.status().exit_code in (137, 255), "status %d" % loop.status().exit_code)
    tap.eventually(lambda: env.libvirt.domains() == [], "no machine", DEADLINE)
    loop.remove()
    pod.remove()
    env.nothing_left()


def test_machine_killed(env):
    """a virtual machine that is killed is a pod that has ended"""
    pod = Pod(env, "crash")
    loop = pod.start("loop", "sh", "-c", LOOP)
    machines = [pid for pid, (_, state, command) in host.family().items()
                if "qemu-system" in command.split(" ")[0] and state != "Z"]
    equal(len(machines), 1, "machines")
    os.kill(machines[0], signal.SIGKILL)
    tap.eventually(lambda: loop.state() == "CONTAINER_EXITED" and pod.state() == NOT_READY, "end of the pod", DEADLINE)
    equal(loop.status().exit_code, 137, "status")
    pod.remove()
    env.nothing_left()


def test_namespaces(env):
    """a pod that asks for the host's processes has those of its machine; its sysctls are set there"""
    linux = {"security_context": {"namespace_options": {"pid": "NODE"}}, "sysctls": {"kernel.shm_rmid_forced": "1"}}
    options = {"security_context": linux["security_context"]}
    pod = Pod(env, "wide", linux=linux)
    try:
        pod.start("first", "sleep", "54322", linux=options)
        second = pod.start("second", "sleep", "100000", linux=options)
        seen = second.shell("ps")
        match(seen, "sleep 54322", "processes of the pod, seen by the second")
        tap.check("containerd" not in seen, "processes of the host are seen: " + seen)
        equal(second.shell("cat /proc/sys/kernel/shm_rmid_forced"), "1\n", "sysctl")
    finally:
        pod.remove()
    env.nothing_left()


def test_refused(env):
    """a pod that cannot be made is an error that says why, and leaves nothing"""
    try:
        Pod(env, "wrong", annotations={"io.katacontainers.config.hypervisor.default_memory": "many"})
        raise tap.Failure("a pod with a wrong annotation runs")
    except CriError as error:
        tap.match(error.text, "default_memory", "error")
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = CriEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_row, test_at_once, test_restarts, test_shim_killed, test_machine_killed, test_namespaces,
             test_refused], ENV)
