#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman, as it comes, with virtpod as its runtime: the life of a detached container."""

import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from podman import IMAGE, PodmanEnv
from tap import equal

TRAP = 'trap "echo got usr1" USR1; trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'


def detached(env, name, *args):
    """podman run -d of what says that it is ready."""
    env.ok("run", "-d", "--name", name, "--network", "none", *args, IMAGE, "sh", "-c", TRAP)
    tap.eventually(lambda: "ready" in env.ok("logs", name), "output in the log of %s" % name, 120)


def copy(env, name):
    """podman goes into what it takes for the container's own mount namespace."""
    with open(env.path("copied"), "w", encoding="ascii") as f:
        f.write("from the host\n")
    env.ok("cp", env.path("copied"), name + ":/virtpod-copied")
    equal(env.ok("exec", name, "cat", "/virtpod-copied"), "from the host\n", "cp in")
    tap.check(not os.path.exists("/virtpod-copied"), "what was copied into the container is in the host's root")
    env.ok("exec", name, "sh", "-c", "echo from the guest >/root/made")
    env.ok("cp", name + ":/root/made", env.path("made"))
    with open(env.path("made"), encoding="ascii") as f:
        equal(f.read(), "from the guest\n", "cp out")


def copy_to_mounts(env, name):
    """Of the host's volumes podman gets at the same files as the container; what only the guest has it cannot write to."""
    env.ok("cp", env.path("copied"), name + ":/volume/in")
    equal(env.ok("exec", name, "cat", "/volume/in"), "from the host\n", "cp into a volume")
    env.ok("exec", name, "sh", "-c", "mkdir /volume/deep; echo of the volume >/volume/deep/file")
    env.ok("cp", name + ":/volume/deep/.", env.path("out"))
    with open(env.path("out/file"), encoding="ascii") as f:
        equal(f.read(), "of the volume\n", "cp out of a volume")
    for path in ("/fixed/in", "/scratch/in"):
        done = env.podman("cp", env.path("copied"), name + ":" + path)
        tap.check(done.returncode != 0, "cp to %s" % path)
        tap.match(done.stderr.decode(), "[Rr]ead-only file system", "cp to %s" % path)


def test_life(env):
    """run -d, logs, exec, exec -it, cp, pause, unpause, kill, stop, start, rm"""
    for path in ("volume", "fixed"):
        os.mkdir(env.path(path))
    detached(env, "life", "-v", env.path("volume") + ":/volume", "-v", env.path("fixed") + ":/fixed:ro",
             "--tmpfs", "/scratch")
    done = env.podman("exec", "life", "sh", "-c", "echo out; echo err >&2; exit 3")
    equal((done.returncode, done.stdout, done.stderr), (3, b"out\n", b"err\n"), "exec")
    equal(env.ok("exec", "-i", "life", "cat", stdin=b"typed"), "typed", "exec -i")
    equal(env.ok("exec", "--env", "A=1", "--workdir", "/tmp", "--user", "65534", "life", "sh", "-c",
                 "echo $A; pwd; id -u"), "1\n/tmp\n65534\n", "exec with options")
    equal(env.podman("exec", "life", "no-such-program").returncode, 127, "exec of nothing")
    equal(env.podman("exec", "life", "/etc/not-executable").returncode, 126, "exec of a file")
    status, seen = env.on_terminal(["exec", "-it", "life", "sh", "-c", "tty; echo waiting; sleep 600"],
                                   [(b"waiting", b"\x03")])
    equal(status, 130, "exec -it, ended by its interrupt key: %r" % seen)
    copy(env, "life")
    copy_to_mounts(env, "life")
    env.ok("pause", "life")
    equal(env.inspect("life", ".State.Status"), "paused")
    env.ok("unpause", "life")
    env.ok("kill", "--signal", "USR1", "life")
    tap.eventually(lambda: "got usr1" in env.ok("logs", "life"), "answer to USR1", 120)
    env.ok("stop", "--time", "60", "life")
    equal((env.inspect("life", ".State.Status"), env.inspect("life", ".State.ExitCode")), ("exited", "5"), "stop")
    env.ok("start", "life")
    equal(env.inspect("life", ".State.Status"), "running", "start")
    env.ok("kill", "life")
    tap.eventually(lambda: env.inspect("life", ".State.Status") == "exited", "end", 120)
    equal(env.inspect("life", ".State.ExitCode"), "137", "kill")
    env.ok("rm", "life")
    env.no_leaks(timeout=60)


def test_daemon_restart(env):
    """a daemon that is killed and started again changes nothing for podman"""
    detached(env, "steady")
    proxy = env.inspect("steady", ".State.Pid")
    env.stop_daemon(kill=True)
    env.start_daemon()
    tap.eventually(lambda: env.manager.containers(state="running"), "container of before", 120)
    equal(env.ok("exec", "steady", "echo", "again"), "again\n", "exec")
    env.ok("kill", "--signal", "USR1", "steady")
    tap.eventually(lambda: "got usr1" in env.ok("logs", "steady"), "output after the restart", 120)
    equal(env.inspect("steady", ".State.Pid"), proxy, "process on the host")
    env.ok("rm", "--force", "--time", "0", "steady")
    tap.check(env.podman("inspect", "steady").returncode != 0, "the container is still there")


def test_proxy_killed(env):
    """whoever kills what stands for a container on the host kills the container"""
    detached(env, "doomed")
    os.kill(int(env.inspect("doomed", ".State.Pid")), signal.SIGKILL)
    tap.eventually(lambda: env.inspect("doomed", ".State.Status") == "exited", "end", 240)
    equal(env.inspect("doomed", ".State.ExitCode"), "137", "status")
    tap.eventually(lambda: env.manager.sandboxes() == [], "no sandbox", 240)
    env.ok("rm", "doomed")


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_life, test_daemon_restart, test_proxy_killed, test_nothing_left], ENV)
