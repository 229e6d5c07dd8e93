#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd and ctr, as they come, with virtpod's shim: containers in the foreground."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from containerd import IMAGE, SIZE, ContainerdEnv
from tap import equal


def test_run(env):
    """ctr run: output, status, environment, directory, volumes"""
    os.mkdir(env.path("volume"))
    with open(env.path("volume/file"), "w", encoding="ascii") as f:
        f.write("from the host\n")
    done = env.run("--rm", "--env", "A=one", "--cwd", "/tmp",
                   "--mount", "type=bind,src=%s,dst=/volume,options=rbind:ro" % env.path("volume"), IMAGE, "run",
                   "sh", "-c", "echo $A; pwd; cat /volume/file; touch /volume/new 2>/dev/null || echo ro; "
                               "echo err >&2; exit 7")
    equal(done.stderr, b"err\n", "stderr")
    equal(done.stdout, b"one\n/tmp\nfrom the host\nro\n", "stdout")
    equal(done.returncode, 7, "status")
    tap.check(not os.path.exists(env.path("volume/new")), "a read-only volume was written to")
    equal(env.ok("container", "ls", "--quiet"), "", "containers")
    env.nothing_left()


def test_terminal(env):
    """ctr run -t: a terminal with the size of the user's"""
    status, seen = env.on_terminal(env.run_args("--rm", "-t", IMAGE, "terminal", "sh", "-c",
                                                SIZE + "tty; read word; echo got $word; exit 4"),
                                   [(b"/dev/", b"this\n")])
    equal(status, 4, "status; seen: %r" % seen)
    tap.check(b"got this" in seen, "seen: %r" % seen)
    env.nothing_left()


def test_not_found(env):
    """a program that is not there is an error that says so, and leaves nothing"""
    done = env.run("--rm", IMAGE, "none", "/no/such/program")
    equal(done.returncode, 1, "status")
    tap.match(done.stderr.decode(), "OCI runtime create failed.*`/no/such/program` not found", "error")
    env.ctr("container", "rm", "none")
    env.nothing_left()


def test_namespaces(env):
    """an id that another namespace of containerd has is refused, and its container untouched"""
    env.run_detached("same", "sleep", "100000")
    env.ok("--namespace", "other", "image", "import", "--snapshotter", env.snapshotter, env.path("image.tar"))
    done = env.ctr("--namespace", "other", *env.run_args("--rm", IMAGE, "same", "true"))
    equal(done.returncode, 1, "status")
    tap.match(done.stderr.decode(), "already exists", "error")
    env.reaches("same", "RUNNING")
    equal(env.ok("task", "exec", "--exec-id", "x", "same", "echo", "alive"), "alive\n", "exec")
    env.kill_and_remove("same")
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = ContainerdEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_run, test_terminal, test_not_found, test_namespaces], ENV)
