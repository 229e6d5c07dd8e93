#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd and ctr, as they come, with virtpod's shim: the life of a detached
container and of a pod, and what may die meanwhile."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from containerd import IMAGE, SIZE, ContainerdEnv
from tap import equal

TRAP = 'trap "exit 5" TERM; while :; do sleep 0.1; done'
KIND = "io.kubernetes.cri.container-type"
POD = "io.kubernetes.cri.sandbox-id"


def execute(env, name, exec_id, *command, **kwargs):
    return env.ctr("task", "exec", "--exec-id", exec_id, name, *command, **kwargs)


def check_execs(env, name):
    done = execute(env, name, "e1", "sh", "-c", "echo out; echo err >&2; exit 3")
    equal((done.returncode, done.stdout, done.stderr), (3, b"out\n", b"err\n"), "exec")
    equal(execute(env, name, "e2", "cat", stdin=b"typed").stdout, b"typed", "input of an exec")
    done = execute(env, name, "e3", "/no/such/program")
    equal(done.returncode, 1, "exec of nothing")
    tap.match(done.stderr.decode(), "OCI runtime exec failed.*not found", "exec of nothing")
    status, seen = env.on_terminal(["task", "exec", "-t", "--exec-id", "e4", name, "sh", "-c",
                                    SIZE + "echo waiting; sleep 100000"], [(b"waiting", b"\x03")])
    equal(status, 130, "exec -t, ended by its interrupt key; seen: %r" % seen)


def check_order(env, name):
    """What containerd was told, by process: each in the order that containerd demands."""
    tap.eventually(lambda: ("/tasks/delete" in [topic for topic, _ in env.seen_events(name)]), "last event", 60)
    seen = env.seen_events(name)
    own = [topic for topic, event in seen if "exec_id" not in event and event.get("id", name) == name]
    equal(own, ["/tasks/create", "/tasks/start", "/tasks/paused", "/tasks/resumed", "/tasks/exit", "/tasks/delete"],
          "events of the container")
    for exec_id in ("e1", "e2", "e4"):
        equal([topic for topic, event in seen if exec_id in (event.get("exec_id"), event.get("id"))],
              ["/tasks/exec-added", "/tasks/exec-started", "/tasks/exit"], "events of " + exec_id)
    equal([topic for topic, event in seen if event.get("exec_id") == "e3"], ["/tasks/exec-added"],
          "events of what never ran")
    equal([event["exit_status"] for topic, event in seen if topic == "/tasks/exit" and event["id"] == name], [5],
          "status in the event")


def test_life(env):
    """run -d, exec, pause, resume, metrics, checkpoint refused, kill, rm; events in order"""
    env.watch_events()
    env.run_detached("life", "sh", "-c", TRAP)
    env.reaches("life", "RUNNING")
    check_execs(env, "life")
    env.ok("task", "pause", "life")
    env.reaches("life", "PAUSED")
    env.ok("task", "resume", "life")
    env.reaches("life", "RUNNING")
    tap.match(env.ok("task", "metrics", "life"), r"memory.usage_in_bytes +[1-9]", "metrics")
    env.ok("task", "kill", "--signal", "TERM", "life")
    env.reaches("life", "STOPPED")
    done = env.ctr("task", "rm", "life")
    tap.match(done.stderr.decode(), "exit code 5", "rm")
    env.ok("container", "rm", "life")
    check_order(env, "life")
    env.unwatch_events()
    env.nothing_left()


def test_pod(env):
    """containers of a pod are in one machine and have one shim"""
    env.run_detached("pod", "sleep", "100000", options=["--annotation", KIND + "=sandbox", "--annotation", POD + "=pod"])
    join = ["--annotation", KIND + "=container", "--annotation", POD + "=pod"]
    env.run_detached("one", "sh", "-c", TRAP, options=join)
    env.run_detached("two", "sleep", "100000", options=join)
    equal(len(env.shims()), 1, "shims")
    equal(len(env.libvirt.domains()), 1, "machines")
    equal(execute(env, "one", "x", "echo", "here").stdout, b"here\n", "exec")
    env.kill_and_remove("one")
    for name, status in (("pod", "RUNNING"), ("one", None), ("two", "RUNNING")):
        env.reaches(name, status)
    equal(execute(env, "two", "x", "echo", "here").stdout, b"here\n", "exec after the end of another")
    env.kill_and_remove("two")
    env.kill_and_remove("pod")
    env.nothing_left()


def test_restarts(env):
    """a daemon, and a containerd, that are killed and started again change nothing"""
    env.run_detached("steady", "sh", "-c", TRAP)
    shims = env.shims()
    env.stop_daemon(kill=True)
    env.reaches("steady", "RUNNING")
    env.start_daemon()
    equal(execute(env, "steady", "x1", "echo", "again").stdout, b"again\n", "exec after the daemon's restart")
    env.stop_containerd(kill=True)
    env.start_containerd()
    env.reaches("steady", "RUNNING")
    equal(execute(env, "steady", "x2", "echo", "again").stdout, b"again\n", "exec after containerd's restart")
    equal(env.shims(), shims, "shims")
    env.ok("task", "kill", "--signal", "TERM", "steady")
    env.reaches("steady", "STOPPED")
    env.kill_and_remove("steady")
    env.nothing_left()


def test_shim_killed(env):
    """a shim that is killed: containerd's delete leaves nothing, of a pod too"""
    env.run_detached("alone", "sleep", "100000")
    os.kill(env.shims()[0], signal.SIGKILL)
    env.reaches("alone", None, "STOPPED")
    env.ctr("task", "rm", "alone")
    env.ok("container", "rm", "alone")
    env.nothing_left()
    env.run_detached("pod2", "sleep", "100000", options=["--annotation", KIND + "=sandbox", "--annotation", POD + "=pod2"])
    env.run_detached("in2", "sleep", "100000",
                     options=["--annotation", KIND + "=container", "--annotation", POD + "=pod2"])
    os.kill(env.shims()[0], signal.SIGKILL)
    for name in ("in2", "pod2"):
        env.reaches(name, None, "STOPPED")
        env.ctr("task", "rm", name)
        env.ok("container", "rm", name)
    env.nothing_left()


def test_memory(env):
    """a shim is small"""
    env.run_detached("small", "sleep", "100000")
    execute(env, "small", "x", "true")
    resident = host.resident_kib(env.shims()[0])
    tap.check(resident <= 2048, "%d KiB are resident" % resident)
    env.kill_and_remove("small")
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = ContainerdEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_life, test_pod, test_restarts, test_shim_killed, test_memory], ENV)
