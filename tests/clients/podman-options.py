#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman, as it comes, with virtpod as its runtime: what options of run ask of the guest,
and what podman knows of a container beside its runtime."""

import json
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from podman import IMAGE, PodmanEnv
from tap import check, equal, match

DEADLINE = 240
MIB = 1 << 20

SECCOMP = {"defaultAction": "SCMP_ACT_ALLOW",
           "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}


def limits(env, name):
    """As the guest's kernel has them."""
    return env.ok("exec", name, "sh", "-c", "cd /sys/fs/cgroup; cat memory.max cpu.max pids.max").splitlines()


def events(env, name):
    """What podman has written down so far; it may be writing."""
    done = env.podman("events", "--stream=false", "--filter", "container=" + name, "--format", "{{.Status}} {{.Type}}")
    return [line.split()[0] for line in done.stdout.decode().splitlines()]


def pids(env, name):
    """What podman top has in its first column; it looks for them in the container, by ps."""
    return env.ok("top", name, "ps", "-o", "pid,args").splitlines()


def test_limits(env):
    """--memory, --cpus, --pids-limit, --shm-size are the guest's; update; stats"""
    # what podman does not find on the host it does not ask a runtime for
    if not (os.path.exists("/sys/fs/cgroup/cgroup.controllers")
            or all(os.path.isdir("/sys/fs/cgroup/" + name) for name in ("memory", "cpu", "pids"))):
        raise tap.Skip("no control groups for memory, processors and processes are mounted")
    env.ok("run", "-d", "--name", "one", "--network", "none", "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50",
           "--shm-size", "8m", IMAGE, "sleep", "100000")
    equal(limits(env, "one"), [str(64 * MIB), "50000 100000", "50"], "limits")
    match(env.ok("exec", "one", "df", "/dev/shm"), r"\b8192\b.*/dev/shm", "size of /dev/shm")
    env.ok("update", "--memory", "96m", "--cpus", "0.25", "one")
    equal(limits(env, "one")[:2], [str(96 * MIB), "25000 100000"], "limits after update")
    seen = json.loads(env.ok("stats", "--no-stream", "--format", "json", "one"))
    equal([entry["name"] for entry in seen], ["one"], "stats")
    env.ok("rm", "--force", "--time", "0", "one")


def test_beside(env):
    """--health-cmd, healthcheck run, top, a file of podman's that changes while it runs, stop with --pid host"""
    env.ok("run", "-d", "--name", "one", "--network", "none", "--add-host", "first:192.0.2.1", "--pid", "host",
           "--health-cmd", "test -e /tmp/healthy", "--health-interval", "disable", "--health-retries", "1",
           "--health-timeout", "300s", IMAGE, "sh", "-c", 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done')
    equal(env.podman("healthcheck", "run", "one").returncode, 1, "healthcheck run")
    equal(env.inspect("one", ".State.Health.Status"), "unhealthy")
    env.ok("exec", "one", "touch", "/tmp/healthy")
    env.ok("healthcheck", "run", "one")
    equal(env.inspect("one", ".State.Health.Status"), "healthy")

    match(env.ok("exec", "one", "cat", "/etc/hosts"), r"192\.0\.2\.1\s+first", "hosts")
    with open(env.inspect("one", ".HostsPath"), "a", encoding="ascii") as f:
        f.write("192.0.2.2\tlater\n")
    tap.eventually(lambda: "later" in env.ok("exec", "one", "cat", "/etc/hosts"), "what hosts has now", DEADLINE)

    match("\n".join(pids(env, "one")), r"(?m)^ *1 sh -c trap", "top")
    tap.eventually(lambda: "ready" in env.ok("logs", "one"), "output in the log", DEADLINE)
    env.ok("stop", "--time", "60", "one")
    equal(env.inspect("one", ".State.ExitCode"), "5", "status after stop")
    env.ok("rm", "one")


def test_confined(env):
    """--read-only, --tmpfs, --cap-drop, --cap-add, --security-opt, --ulimit, --user"""
    profile = env.path("seccomp.json")
    with open(profile, "w", encoding="ascii") as f:
        json.dump(SECCOMP, f)
    script = ("grep -E '^(CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; mkdir /scratch/x 2>&1; echo $?;"
              "touch /scratch/y; echo $?; touch /root/x 2>&1; echo $?; ulimit -n; id -u; id -g; cat /etc/virtpod-secret;"
              "grep ' /scratch ' /proc/mounts")
    secret = env.path("secret")
    with open(secret, "w", encoding="ascii") as f:
        f.write("of the host\n")
    done = env.run_ended("--read-only", "--tmpfs", "/scratch:size=1m,mode=1777", "--cap-drop", "ALL", "--cap-add",
                         "CHOWN", "--security-opt", "seccomp=" + profile, "--security-opt", "no-new-privileges",
                         "--ulimit", "nofile=100:200", "--user", "1:2", "-v", secret + ":/etc/virtpod-secret:ro",
                         IMAGE, "sh", "-c", script)
    equal((done.returncode, done.stderr), (0, b""), "status")
    *status, scratch = done.stdout.decode().splitlines()
    equal([line.split()[-1] for line in status[:3]], ["0000000000000001", "1", "2"], "capabilities, privileges, seccomp")
    match(status[3], "Function not implemented", "mkdir")
    equal(status[4:6], ["1", "0"], "statuses of mkdir and touch")
    match(status[6], "Read-only file system", "touch in the root")
    equal(status[7:], ["1", "100", "1", "2", "of the host"], "the rest")
    match(scratch, r"^tmpfs /scratch tmpfs .*size=1024k", "tmpfs")


def test_restart(env):
    """--restart on-failure:2: podman starts it twice more; its events tell"""
    env.ok("run", "-d", "--name", "again", "--network", "none", "--restart", "on-failure:2", IMAGE, "sh", "-c",
           "echo run; exit 3")
    begun = ["init", "start", "died"]
    wanted = ["create", *begun, "restart", *begun, "restart", *begun, "cleanup"]
    tap.eventually(lambda: len(events(env, "again")) >= len(wanted), "the third end", DEADLINE)
    equal(events(env, "again"), wanted, "events")
    equal((env.inspect("again", ".State.Status"), env.inspect("again", ".State.ExitCode"),
           env.inspect("again", ".RestartCount")), ("exited", "3", "2"), "state")
    equal(env.ok("logs", "again"), "run\n" * 3, "logs")
    env.ok("rm", "again")


def test_refused(env):
    """a socket, and the processes of another container, are refused with the reason; nothing is left"""
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(env.path("socket"))
        done = env.run_ended("-v", env.path("socket") + ":/socket", IMAGE, "true")
    check(done.returncode in (125, 126), done)
    match(done.stderr.decode(), "is a socket, which cannot be shared", "a socket")
    env.ok("run", "-d", "--name", "other", "--network", "none", IMAGE, "sleep", "100000")
    done = env.run_ended("--pid", "container:other", IMAGE, "true")
    check(done.returncode in (125, 126), done)
    match(done.stderr.decode(), "cannot join a pid namespace", "pid namespace of another")
    env.ok("rm", "--force", "--time", "0", "other")


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_limits, test_beside, test_confined, test_restart, test_refused, test_nothing_left], ENV)
