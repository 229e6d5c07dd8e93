#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Callers with mounts of their own: paths of a bundle are looked up in their mount
namespace, which nothing of the daemon's stays in, and which it does not keep."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import testdriver
import tap
from bus import options
from tap import check, equal
from testdriver import TestDriverEnv, eventually

# $1: where a bundle appears, $2: what it is; $3: a directory whose content is another there
MOUNT = """mount --bind "$2" "$1" && mount -t tmpfs tmpfs "$1/rootfs/mnt" && echo rootfs >"$1/rootfs/mnt/where" &&
mount -t tmpfs tmpfs "$3" && echo volume >"$3/where" && echo ready && read line"""


class Elsewhere:
    """A mount namespace in which @env's @place is a bundle and "volume" is not empty."""

    def __init__(self, env, args=("sleep", "1000")):
        self.place = env.path("place")
        self.volume = env.path("volume")
        for path in (self.place, self.volume):
            os.makedirs(path, exist_ok=True)
        real = env.bundle(list(args), mounts=[bundle.bind(self.volume, "/volume")])
        os.makedirs(os.path.join(real, "rootfs/mnt"))
        self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", MOUNT, "sh", self.place, real, self.volume],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(self.process.stdout.readline(), b"ready\n", "mounts")
        self.fd = os.open("/proc/%d/ns/mnt" % self.process.pid, os.O_RDONLY)
        self.name = os.readlink("/proc/self/fd/%d" % self.fd)

    def __enter__(self):
        return self

    def create(self, env, sid="box"):
        (path,), _ = env.manager.call_with_fds("CreateSandbox", "(ssa{sv})",
                                               (sid, self.place, options({}, {"mount-namespace": 0})), [self.fd])
        equal(path, env.manager.sandbox(sid).path, "path")
        return env.manager.sandbox(sid), env.manager.container(sid)

    def leave(self):
        """Only who was given a descriptor keeps it."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            self.process.kill()
            self.process.communicate()

    def kept_by(self, env):
        """Descriptors and threads of the daemon's."""
        base = "/proc/%d" % env.daemon.pid
        seen = [os.path.join(base, "fd", fd) for fd in os.listdir(base + "/fd")]
        seen += [os.path.join(base, "task", tid, "ns/mnt") for tid in os.listdir(base + "/task")]
        return [path for path in seen if os.path.islink(path) and read_link(path) == self.name]

    def __exit__(self, *_args):
        self.leave()


def read_link(path):
    try:
        return os.readlink(path)
    except OSError:  # it has gone
        return None


def read(*path):
    with open(os.path.join(*path), encoding="ascii") as f:
        return f.read()


def is_there(env, sandbox):
    """Root file system and volume, with what is mounted in them, are in the share."""
    share = os.path.join(env.directory(sandbox), "shared", sandbox.get("Id"))
    equal(read(share, "rootfs/mnt/where"), "rootfs\n", "in the root file system")
    found = [path for path, _, names in os.walk(share) if "where" in names and "rootfs" not in path[len(share):]]
    equal([read(path, "where") for path in found], ["volume\n"], "volumes")


def restart(env):
    env.stop_daemon(kill=True)
    env.start_daemon()


def test_life(env):
    """what is there only is found, then the namespace may go; a restart in between, and nothing is left"""
    with Elsewhere(env) as there:
        env.raises("NotFound", lambda: env.manager.create_sandbox("none", there.place), "config.json")
        sandbox, container = there.create(env)
        sandbox.start()
        is_there(env, sandbox)
        container.start()
        eventually(lambda: there.kept_by(env) == [], "the namespace is let go of")
        there.leave()
        equal(os.listdir(there.place), [], "the bundle, here")
        restart(env)
        sandbox, container = env.manager.sandbox("box"), env.manager.container("box")
        equal((sandbox.get("State"), container.get("State")), ("ready", "running"), "states after a restart")
        is_there(env, sandbox)
        equal(container.exec(["sh", "-c", "exit 5"]).wait(), 5, "exec")
        sandbox.delete(force=True)
    env.no_leaks()


def test_joining(env):
    """a container that is added to a sandbox that runs"""
    sandbox, _own = env.start_sandbox(sid="pod")
    with Elsewhere(env) as there:
        sandbox.call_with_fds("CreateContainer", "(ssa{sv})",
                              ("more", there.place, options({}, {"mount-namespace": 0})), [there.fd])
        share = os.path.join(env.directory(sandbox), "shared/more")
        equal(read(share, "rootfs/mnt/where"), "rootfs\n", "in the root file system")
        eventually(lambda: there.kept_by(env) == [], "the namespace is let go of")
    container = env.manager.container("more")
    container.start()
    container.delete(force=True)
    sandbox.delete(force=True)
    env.no_leaks()


def test_not_started(env):
    """it is kept until the start; a restart before that loses it, and it says so"""
    with Elsewhere(env) as there:
        sandbox, _container = there.create(env, "kept")
        equal(len(there.kept_by(env)), 1, "kept")
        sandbox.delete()
        eventually(lambda: there.kept_by(env) == [], "the namespace is let go of")
        sandbox, _container = there.create(env)
        restart(env)
        sandbox = env.manager.sandbox("box")
        equal(sandbox.get("State"), "created", "state after a restart")
        env.raises("InvalidState", sandbox.start, "mount namespace")
        sandbox.delete()
    env.no_leaks()


def test_failures(env):
    """a source that is not there in it either, and a guest that refuses: nothing is left, nothing is kept"""
    with Elsewhere(env) as there:
        env.house.fail["CreateContainer"] = ("INTERNAL", "no")
        sandbox, _container = there.create(env, "refused")
        env.raises("AgentFailed", sandbox.start)
        env.house.fail.clear()
        eventually(lambda: there.kept_by(env) == [], "the namespace is let go of")
        sandbox.delete(force=True)
        sandbox, _container = there.create(env)
        subprocess.run(["nsenter", "--mount=/proc/self/fd/%d" % there.fd, "umount", there.volume], check=True,
                       pass_fds=[there.fd])
        os.rmdir(there.volume)
        env.raises("NotFound", sandbox.start, there.volume)
        eventually(lambda: there.kept_by(env) == [], "the namespace is let go of")
        sandbox.delete(force=True)
    env.no_leaks()


def test_refused(env):
    """what is no mount namespace, or another user namespace's, is; the daemon's own is nothing special"""
    path = env.bundle()

    def create(fd, sid="bad"):
        return env.manager.call_with_fds("CreateSandbox", "(ssa{sv})",
                                         (sid, path, options({}, {"mount-namespace": 0})), [fd])
    for name in ("/dev/null", "/proc/self/ns/net", "/proc/self/ns/user", path):
        fd = os.open(name, os.O_RDONLY)
        env.raises("InvalidArgument", lambda: create(fd), "mount-namespace")
        os.close(fd)
    env.raises("InvalidArgument", lambda: env.manager.create_sandbox("bad", path, **{"mount-namespace": "/proc/1/ns/mnt"}),
               "mount-namespace")
    with open("/proc/self/ns/mnt", "rb") as own:
        create(own.fileno(), "good")
    restart(env)
    sandbox = env.manager.sandbox("good")
    sandbox.start()
    sandbox.delete(force=True)
    with subprocess.Popen(["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "echo ready; read line"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as other:
        if other.stdout.readline() != b"ready\n":
            raise tap.Skip("no user namespaces here")
        with open("/proc/%d/ns/mnt" % other.pid, "rb") as namespace:
            env.raises("NotSupported", lambda: create(namespace.fileno()), "user namespace")
        other.stdin.close()
    check("bad" not in [row[0] for row in env.manager.sandboxes()], "nothing was made")
    env.no_leaks()


if __name__ == "__main__":
    testdriver.main([test_life, test_joining, test_not_started, test_failures, test_refused], TestDriverEnv(outlive=True))
