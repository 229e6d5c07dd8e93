#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman build and buildah, which mount root file system and volumes where only they
see them, and set up the network between the runtime's create and its start."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import podman
import tap
from env import builddir
from podman import IMAGE, PodmanNetworkEnv, server
from tap import equal, match

DEADLINE = 240
# where tools/check unpacks it
UNPACKED = os.path.join(builddir, "tests/buildah/usr/bin/buildah")

BUILD = """\
FROM %s
COPY data /data
RUN grep -c ' / virtiofs ' /proc/mounts && cat /data /volume/where >/made && echo complaint >&2
ENV GREETING=hello
USER 65534
WORKDIR /tmp
RUN cat /made && echo $GREETING $(id -u) $(pwd) && echo $(ls /sys/class/net)
""" % IMAGE

FAIL = "FROM %s\nRUN echo before; exit 7\nRUN echo after\n" % IMAGE

REACH = """\
FROM %s
RUN busybox ip -4 -o addr show dev eth0 && i=0 && until busybox nc -w 10 10.88.0.1 %%d </dev/null; do \\
    i=$((i + 1)); test $i -lt 100 || exit 3; sleep 0.5; done
""" % IMAGE


class BuildEnv(PodmanNetworkEnv):
    """With a place for what these programs put into /var/tmp, so that it is seen."""

    def podman_env(self):
        os.makedirs(self.path("scratch"), exist_ok=True)
        return dict(super().podman_env(), TMPDIR=self.path("scratch"))

    def context(self, name, text):
        """A directory with what a build is made of."""
        path = self.path(name)
        os.makedirs(path)
        for file, content in (("Containerfile", text), ("data", "data\n")):
            with open(os.path.join(path, file), "w", encoding="ascii") as f:
                f.write(content)
        return path

    def volume(self):
        path = self.path("volume")
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "where"), "w", encoding="ascii") as f:
            f.write("volume\n")
        return path

    def build(self, name, text, *options, **kwargs):
        return self.podman("build", "--isolation", "oci", "--tag", "localhost/" + name, *options,
                           self.context(name, text), **kwargs)

    def nothing_left(self):
        super().nothing_left()
        tap.eventually(lambda: os.listdir(self.path("scratch")) == [], "no bundle", 60)


class BuildahEnv:
    """buildah in the same world; a context manager that is a container of it."""

    def __init__(self, env):
        self.env = env
        self.program = shutil.which("buildah") or UNPACKED
        if not os.access(self.program, os.X_OK):
            raise tap.Skip("buildah is neither installed nor in %s, where tools/check unpacks it" % UNPACKED)

    def call(self, *args, stdin=b""):
        return podman.run_program([self.program, *args], self.env.podman_env(), stdin, DEADLINE)

    def __enter__(self):
        done = self.call("from", "--pull-never", IMAGE)
        equal(done.returncode, 0, done.stderr)
        self.container = done.stdout.decode().strip()
        return self

    def command(self, *args):
        """@args: options, "--", a command."""
        at = args.index("--")
        return ("run", "--runtime", self.env.runtime, "--isolation", "oci", *args[:at], self.container, *args[at:])

    def on_terminal(self, args, typed):
        return podman.run_on_terminal([self.program, *self.command("--tty", *args)], self.env.podman_env(), typed,
                                      DEADLINE)

    def __exit__(self, *_args):
        equal(self.call("rm", self.container).returncode, 0, "buildah rm")


def test_build(env):
    """COPY and two RUN: their files, environment, user, directory, a volume, both outputs; the image is good"""
    done = env.build("built", BUILD, "--network", "none", "--volume", env.volume() + ":/volume:ro")
    equal(done.returncode, 0, done.stderr)
    match(done.stdout.decode(), r"(?m)^1\n(?s:.*)^data\nvolume\nhello 65534 /tmp\nlo$", "what the steps said")
    match(done.stderr.decode(), r"(?m)^complaint$", "on their stderr")
    image = env.ok("image", "mount", "localhost/built").strip()
    with open(os.path.join(image, "made"), encoding="ascii") as f:
        equal(f.read(), "data\nvolume\n", "its file")
    env.ok("image", "unmount", "localhost/built")
    env.nothing_left()


def test_failing(env):
    """a RUN that fails ends the build with its status, and says so"""
    done = env.build("failing", FAIL, "--network", "none")
    equal(done.returncode, 7, done.stderr)
    match(done.stderr.decode(), r'"RUN echo before; exit 7": .*exit status 7', "stderr")
    match(done.stdout.decode(), r"(?m)^before$", "its output")
    equal("after\n" in done.stdout.decode(), False, "the step after it")
    env.nothing_left()


def test_network(env):
    """the default network, which is set up when the machine runs: the step reaches the host"""
    with server("", b"from the host\n") as port:
        done = env.build("reaching", REACH % port)
    equal(done.returncode, 0, done.stderr)
    match(done.stdout.decode(), r"inet 10\.88\.\d+\.\d+/16(?s:.*)\nfrom the host\n", "what it was told")
    env.nothing_left()


def test_buildah(env):
    """buildah run: input, both outputs, status, a volume that is written to, a terminal; commit"""
    with BuildahEnv(env) as buildah:
        done = buildah.call(*buildah.command("--network", "none", "--volume", env.volume() + ":/volume", "--", "sh", "-c",
                                             "cat >/volume/got; cat /volume/got >/root/got; echo out; echo err >&2; exit 9"),
                            stdin=b"typed\n")
        equal((done.returncode, done.stdout), (9, b"out\n"), done.stderr)
        match(done.stderr.decode(), r"(?m)^err$", "stderr")
        with open(env.path("volume/got"), encoding="ascii") as f:
            equal(f.read(), "typed\n", "in the volume")
        status, seen = buildah.on_terminal(["--network", "none", "--", "sh"], [(b"# ", b"stty size; cat /root/got; exit 5\r")])
        equal(status, 5, seen)
        match(seen.decode(), r"40 100\r\ntyped", "on the terminal")
        done = buildah.call("commit", "--quiet", buildah.container, "localhost/committed")
        equal(done.returncode, 0, done.stderr)
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = BuildEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_build, test_failing, test_network, test_buildah], ENV)
