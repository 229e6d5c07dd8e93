#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod run in real virtual machines: output, input, exit status."""

import hashlib
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import host
import tap
from env import Env
from tap import equal, match

MEGABYTES = 10


def status(env, wanted, args, /, **changes):
    result = env.run(args, **changes)
    equal(result.returncode, wanted, "status of %s (stderr: %r)" % (args, result.stderr))
    return result


def test_output(env):
    """stdout and stderr of a container arrive apart"""
    result = status(env, 0, ["sh", "-c", "echo out; echo err >&2"])
    equal(result.stdout, b"out\n", "stdout")
    equal(result.stderr, b"err\n", "stderr")


def test_it_is_a_guest(env):
    """the container runs on another kernel than the host's"""
    result = status(env, 0, ["cat", "/proc/sys/kernel/random/boot_id"])
    with open("/proc/sys/kernel/random/boot_id", "rb") as f:
        tap.check(result.stdout != f.read(), "boot id is the host's")


def test_status_0(env):
    """exit status 0"""
    status(env, 0, ["true"])


def test_status_1(env):
    """exit status 1"""
    status(env, 1, ["false"])


def test_status_42(env):
    """any other exit status"""
    status(env, 42, ["sh", "-c", "exit 42"])


def test_status_signal(env):
    """a process that a signal ends has status 128 + signal"""
    # process 1 of a pid namespace cannot be killed from inside, but by its limit
    status(env, 128 + signal.SIGKILL, ["sh", "-c", "ulimit -t 1; while :; do :; done"])


def test_status_127(env):
    """a program that is not in the root file system has status 127"""
    result = status(env, 127, ["no-such-program"])
    match(result.stderr.decode(), "no-such-program", "stderr")


def test_status_127_path(env):
    """a path that is not in the root file system has status 127"""
    status(env, 127, ["/bin/no-such-program"])


def test_status_126(env):
    """a file that is not executable has status 126"""
    status(env, 126, ["/etc/not-executable"])


def test_10_mb(env):
    """10 MB of stdout arrive unchanged"""
    # the last line is not complete: nothing may hold it back
    script = ("awk 'BEGIN { for (i = 0; i < %d; i++) printf \"%%015d\\n\", i * 3 }'; printf end"
              % (MEGABYTES * 1024 * 1024 // 16))
    want = hashlib.sha256(b"".join(b"%015d\n" % (i * 3) for i in range(MEGABYTES * 1024 * 1024 // 16)) + b"end")
    started = time.monotonic()
    result = status(env, 0, ["sh", "-c", script])
    print("# %.1f s" % (time.monotonic() - started))
    equal(len(result.stdout), MEGABYTES * 1024 * 1024 + 3, "bytes")
    equal(hashlib.sha256(result.stdout).hexdigest(), want.hexdigest(), "SHA-256")


def test_10_mb_binary(env):
    """10 MB of random bytes through cat and back are unchanged"""
    data = os.urandom(MEGABYTES * 1024 * 1024)
    result = env.run(["cat"], stdin=data)
    equal(result.returncode, 0, "status")
    equal(len(result.stdout), len(data), "bytes")
    equal(hashlib.sha256(result.stdout).hexdigest(), hashlib.sha256(data).hexdigest(), "SHA-256")


def test_stdin_end(env):
    """cat ends when stdin ends, also without a byte"""
    result = env.run(["cat"], stdin=b"")
    equal((result.returncode, result.stdout), (0, b""), "status and stdout")


def test_slow_reader(env):
    """a reader that does not read holds the container up, not virtpod"""
    name = env.new_id()
    process = subprocess.Popen(env.client("run", "--bundle", env.bundle(["sh", "-c", "yes | head -c 4000000"]), name),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env.client_env())
    try:
        tap.eventually(lambda: env.manager.containers(state="running"), "running container", 90)
        time.sleep(2)
        tap.equal(process.poll(), None, "status before anything was read")
        out, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    equal((process.returncode, len(out)), (0, 4000000), "status and bytes")


def test_environment(env):
    """environment, working directory, user and host name are the bundle's"""
    script = "echo $MARK; pwd; id -u; id -g; hostname"
    result = status(env, 0, ["sh", "-c", script], env=["MARK=a b'c"], cwd="/tmp", user=(65534, 65534),
                    hostname="vp-test")
    equal(result.stdout.decode().splitlines(), ["a b'c", "/tmp", "65534", "65534", "vp-test"], "stdout")


def test_rootfs_write(env):
    """what the container writes is in the bundle's root file system"""
    path = env.bundle(["sh", "-c", "echo kept >/root/file"])
    equal(env.virtpod("run", "--bundle", path, env.new_id()).returncode, 0, "status")
    with open(os.path.join(path, "rootfs/root/file"), encoding="ascii") as f:
        equal(f.read(), "kept\n", "file")


def test_rootfs_readonly(env):
    """a read-only root file system cannot be written"""
    path = env.bundle(["sh", "-c", "echo no >/root/file"], readonly=True)
    result = env.virtpod("run", "--bundle", path, env.new_id())
    equal(result.returncode, 1, "status")
    tap.check(not os.path.exists(os.path.join(path, "rootfs/root/file")), "file was written")


def test_bind_mounts(env):
    """bind mounts of a directory and of a file, read-write and read-only"""
    source = env.path("source")
    os.mkdir(source)
    with open(os.path.join(source, "file"), "w", encoding="ascii") as f:
        f.write("from the host\n")
    script = ("cat /data/file /one; echo back >/data/back; echo no >/one 2>/dev/null || echo refused; "
              "echo no >/ro/x 2>/dev/null || echo refused")
    result = status(env, 0, ["sh", "-c", script], mounts=[
        bundle.bind(source, "/data"), bundle.bind(source, "/ro", "ro"),
        bundle.bind(os.path.join(source, "file"), "/one", "ro")])
    equal(result.stdout.decode().splitlines(), ["from the host"] * 2 + ["refused"] * 2, "stdout")
    with open(os.path.join(source, "back"), encoding="ascii") as f:
        equal(f.read(), "back\n", "file written in the guest")


def test_many_processes(env):
    """orphans of the container are reaped and end with it"""
    result = status(env, 7, ["sh", "-c", "for i in 1 2 3 4 5; do (sleep 100 &) ; done; exit 7"])
    equal(result.stdout, b"", "stdout")


def test_nothing_left(env):
    """all of this left nothing behind"""
    equal(env.manager.sandboxes(), [], "sandboxes")
    tap.eventually(lambda: env.libvirt.domains() == [], "no domain left")
    equal([m for m in host.mounts() if env.dir in m], [], "mounts")


if __name__ == "__main__":
    ENV = Env(libvirt="embed")
    ENV.require()
    tap.run([test_output, test_it_is_a_guest, test_status_0, test_status_1, test_status_42, test_status_signal,
             test_status_127, test_status_127_path, test_status_126, test_10_mb, test_10_mb_binary, test_stdin_end,
             test_slow_reader, test_environment, test_rootfs_write, test_rootfs_readonly, test_bind_mounts,
             test_many_processes, test_nothing_left], ENV)
