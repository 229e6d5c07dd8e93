#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman, as it comes, with virtpod as its runtime: containers that end by themselves."""

import hashlib
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from podman import IMAGE, PodmanEnv
from tap import equal, match


def test_run(env):
    """run -i: input, output, exit status, environment, directory, user and host name; another kernel"""
    data = os.urandom(1 << 20)
    script = ('echo "$MARK"; pwd; id -u; id -g; hostname; cat /proc/sys/kernel/random/boot_id; echo err >&2;'
              "cat; exit 7")
    done = env.run_ended("-i", "--env", "MARK=a b'c", "--workdir", "/tmp", "--user", "65534:65534",
                         "--hostname", "vp-test", IMAGE, "sh", "-c", script, stdin=data)
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
    done = env.run_ended("-v", source + ":/rw", "-v", source + ":/ro:ro", "-v", source + "/file:/one:ro",
                         "--read-only", IMAGE, "sh", "-c", script)
    equal((done.returncode, done.stdout.decode().splitlines()), (0, ["from the host"] * 2 + ["refused"] * 3),
          done.stderr)
    with open(os.path.join(source, "back"), encoding="ascii") as f:
        equal(f.read(), "back\n", "file written in the guest")


def test_no_command(env):
    """run: status 127 without such a command"""
    done = env.run_ended(IMAGE, "no-such-program")
    equal(done.returncode, 127, done.stderr)
    match(done.stderr.decode(), "no-such-program", "stderr")


def test_terminal(env):
    """run -it: a terminal with the size of podman's own"""
    script = ('tty; while [ "$(stty size)" != "40 100" ]; do sleep 0.1; done; echo sized; read x; echo "<$x>"; exit 4')
    status, seen = env.on_terminal(["run", "--rm", "-it", "--network", "none", IMAGE, "sh", "-c", script],
                                   [(b"sized", b"hello\r")])
    match(seen.decode(), "<hello>", "what was read")
    equal(status, 4, seen)
    match(seen.decode(), r"/dev/pts/\d+", "terminal")


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_run, test_volumes, test_no_command, test_terminal, test_nothing_left], ENV)
