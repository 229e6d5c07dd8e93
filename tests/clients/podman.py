#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman, as it comes, with virtpod as its runtime."""

import hashlib
import os
import pty
import select
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from podman import IMAGE, PodmanEnv
from tap import equal, match

TRAP = 'trap "echo got usr1" USR1; trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'


def run(env, *args, **kwargs):
    """podman run of something that ends."""
    return env.podman("run", "--rm", "--network", "none", *args, **kwargs)


def detached(env, name, *args):
    """podman run -d of what says that it is ready."""
    env.ok("run", "-d", "--name", name, "--network", "none", *args, IMAGE, "sh", "-c", TRAP)
    tap.eventually(lambda: "ready" in env.ok("logs", name), "output in the log of %s" % name, 120)


def inspect(env, name, what):
    return env.ok("inspect", "--format", "{{%s}}" % what, name).strip()


def test_run(env):
    """run -i: input, output, exit status, environment, directory, user and host name; another kernel"""
    data = os.urandom(1 << 20)
    done = run(env, "-i", "--env", "MARK=a b'c", "--workdir", "/tmp", "--user", "65534:65534", "--hostname", "vp-test", IMAGE,
               "sh", "-c", 'echo "$MARK"; pwd; id -u; id -g; hostname; cat /proc/sys/kernel/random/boot_id; echo err >&2;'
               "cat; exit 7", stdin=data)
    equal((done.returncode, done.stderr), (7, b"err\n"))
    *lines, boot_id, rest = done.stdout.split(b"\n", 6)
    equal(lines, [b"a b'c", b"/tmp", b"65534", b"65534", b"vp-test"], "stdout")
    equal(hashlib.sha256(rest).hexdigest(), hashlib.sha256(data).hexdigest(), "what came in")
    with open("/proc/sys/kernel/random/boot_id", "rb") as f:
        tap.check(len(boot_id) == 36 and boot_id != f.read().strip(), "boot id %r is the host's" % boot_id)


def test_volumes(env):
    """run -v: directories and files, read-write and read-only"""
    source = env.path("volume")
    os.mkdir(source)
    with open(os.path.join(source, "file"), "w", encoding="ascii") as f:
        f.write("from the host\n")
    script = ("cat /rw/file /one; echo back >/rw/back; echo no 2>/dev/null >/one || echo refused;"
              "echo no 2>/dev/null >/ro/new || echo refused; touch /new 2>/dev/null || echo refused")
    done = run(env, "-v", source + ":/rw", "-v", source + ":/ro:ro", "-v", source + "/file:/one:ro", "--read-only", IMAGE,
               "sh", "-c", script)
    equal((done.returncode, done.stdout.decode().splitlines()), (0, ["from the host"] * 2 + ["refused"] * 3),
          done.stderr)
    with open(os.path.join(source, "back"), encoding="ascii") as f:
        equal(f.read(), "back\n", "file written in the guest")


def test_no_command(env):
    """run: status 127 without such a command"""
    done = run(env, IMAGE, "no-such-program")
    equal(done.returncode, 127, done.stderr)
    match(done.stderr.decode(), "no-such-program", "stderr")


def on_terminal(env, args, typed, timeout=240):
    """Runs podman on a terminal of 40 x 100; types the second of each pair in @typed
    when the first has come. Returns the status and what was seen."""
    command = ["sh", "-c", "stty rows 40 cols 100; exec \"$@\"", "sh", *env.podman_command(*args)]
    environment = env.podman_env()
    deadline = time.monotonic() + timeout
    seen = b""
    typed = list(typed)
    pid, master = pty.fork()
    if pid == 0:
        try:
            os.execvpe("sh", command, environment)
        finally:
            os._exit(125)
    try:
        while True:
            if typed and typed[0][0] in seen:
                os.write(master, typed.pop(0)[1])
            if time.monotonic() > deadline:
                raise tap.Failure("no end; seen: %r, not typed: %r" % (seen, typed))
            if select.select([master], [], [], 1)[0]:
                seen += os.read(master, 4096)
    except OSError:  # the other side was closed
        pass
    finally:
        os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen


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


def test_life(env):
    """run -d, logs, exec, exec -it, cp, pause, unpause, kill, stop, start, rm"""
    detached(env, "life")
    done = env.podman("exec", "life", "sh", "-c", "echo out; echo err >&2; exit 3")
    equal((done.returncode, done.stdout, done.stderr), (3, b"out\n", b"err\n"), "exec")
    equal(env.ok("exec", "-i", "life", "cat", stdin=b"typed"), "typed", "exec -i")
    equal(env.ok("exec", "--env", "A=1", "--workdir", "/tmp", "--user", "65534", "life", "sh", "-c",
                 "echo $A; pwd; id -u"), "1\n/tmp\n65534\n", "exec with options")
    equal(env.podman("exec", "life", "no-such-program").returncode, 127, "exec of nothing")
    equal(env.podman("exec", "life", "/etc/not-executable").returncode, 126, "exec of a file")
    status, seen = on_terminal(env, ["exec", "-it", "life", "sh", "-c", "tty; echo waiting; sleep 600"],
                               [(b"waiting", b"\x03")])
    equal(status, 130, "exec -it, ended by its interrupt key: %r" % seen)
    copy(env, "life")
    env.ok("pause", "life")
    equal(inspect(env, "life", ".State.Status"), "paused")
    env.ok("unpause", "life")
    env.ok("kill", "--signal", "USR1", "life")
    tap.eventually(lambda: "got usr1" in env.ok("logs", "life"), "answer to USR1", 120)
    env.ok("stop", "--time", "60", "life")
    equal((inspect(env, "life", ".State.Status"), inspect(env, "life", ".State.ExitCode")), ("exited", "5"), "stop")
    env.ok("start", "life")
    equal(inspect(env, "life", ".State.Status"), "running", "start")
    env.ok("kill", "life")
    tap.eventually(lambda: inspect(env, "life", ".State.Status") == "exited", "end", 120)
    equal(inspect(env, "life", ".State.ExitCode"), "137", "kill")
    env.ok("rm", "life")
    env.no_leaks(timeout=60)


def test_terminal(env):
    """run -it: a terminal with the size of podman's own"""
    script = ('tty; while [ "$(stty size)" != "40 100" ]; do sleep 0.1; done; echo sized; read x; echo "<$x>"; exit 4')
    status, seen = on_terminal(env, ["run", "--rm", "-it", "--network", "none", IMAGE, "sh", "-c", script],
                               [(b"sized", b"hello\r")])
    match(seen.decode(), "<hello>", "what was read")
    equal(status, 4, seen)
    match(seen.decode(), r"/dev/pts/\d+", "terminal")


def test_daemon_restart(env):
    """a daemon that is killed and started again changes nothing for podman"""
    detached(env, "steady")
    proxy = inspect(env, "steady", ".State.Pid")
    env.stop_daemon(kill=True)
    env.start_daemon()
    tap.eventually(lambda: env.manager.containers(state="running"), "container of before", 120)
    equal(env.ok("exec", "steady", "echo", "again"), "again\n", "exec")
    env.ok("kill", "--signal", "USR1", "steady")
    tap.eventually(lambda: "got usr1" in env.ok("logs", "steady"), "output after the restart", 120)
    equal(inspect(env, "steady", ".State.Pid"), proxy, "process on the host")
    env.ok("rm", "--force", "--time", "0", "steady")
    tap.check(env.podman("inspect", "steady").returncode != 0, "the container is still there")


def test_nothing_left(env):
    """all of this left nothing behind"""
    equal(env.ok("ps", "--all", "--quiet"), "", "containers of podman")
    equal(env.manager.sandboxes(), [], "sandboxes")
    tap.eventually(lambda: env.libvirt.domains() == [], "no domain left")
    left = [command for _, _, command in host.family().values() if "conmon" in command or "virtpod-proxy" in command]
    equal(left, [], "processes")


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_run, test_volumes, test_no_command, test_life, test_terminal, test_daemon_restart, test_nothing_left], ENV)
