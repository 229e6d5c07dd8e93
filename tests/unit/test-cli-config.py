#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod config: what the daemon has in force, and files without a daemon."""

import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import BUILDDIR, SRCDIR, VIRTPOD, Bus, contains, equal, main  # noqa: E402

VIRTPODD = os.path.join(BUILDDIR, "virtpodd")
HAVE_DAEMON = os.path.exists(VIRTPODD)


def run(program, *args):
    env = dict(os.environ, LC_ALL="C.UTF-8", VIRTPOD_BUS_ADDRESS="unix:path=/nonexistent/bus")
    done = subprocess.run([program, *args], capture_output=True, text=True, env=env)
    return done.returncode, done.stdout, done.stderr


class Files:
    """A directory with virtpod.conf and drop-ins."""

    def __init__(self, text, **drop_ins):
        self.text, self.drop_ins = text, drop_ins

    def __enter__(self):
        self.tree = tempfile.TemporaryDirectory()
        path = os.path.join(self.tree.name, "virtpod.conf")
        os.mkdir(path + ".d")
        for name, text in [(path, self.text)] + [(path + ".d/%s.conf" % name, text)
                                                 for name, text in self.drop_ins.items()]:
            with open(name, "w") as out:
                out.write(text)
        return path

    def __exit__(self, *_):
        self.tree.cleanup()


def test_show():
    with Bus() as bus:
        done = bus.run("config", "show")
        equal((done.returncode, done.stderr), (0, b""))
        equal(done.stdout.decode(), '[hypervisor]\naccel=tcg\nmemory-mib=256\n\n[guest]\ncmdline-extra=a="b"\n')
        done = bus.run("config", "show", "--sources", "--handler", "big")
        contains(done.stdout.decode(), "# /c:2\naccel=tcg\n# handler big (/c:9)\nmemory-mib=1024\n")
        equal(bus.calls("GetConfig"), [[""], ["big"]])
        rows = json.loads(bus.run("config", "show", "--json").stdout)
        equal(rows[2], {"key": "guest.cmdline-extra", "value": 'a="b"', "source": "command line"})
        done = bus.run("config", "show", "--handler", "none")
        equal((done.returncode, done.stdout), (1, b""))
        contains(done.stderr.decode(), "NotFound")


def test_handlers():
    with Bus() as bus:
        done = bus.run("config", "handlers")
        equal((done.returncode, done.stdout, done.stderr), (0, b"default\n", b""))


def test_check():
    if not HAVE_DAEMON:
        return
    with Files("[hypervisor]\nvcpus=2\n", a="[handler x]\nhypervisor.vcpus=3\n") as path:
        equal(run(VIRTPOD, "config", "check", path), (0, "", ""))
        equal(run(VIRTPODD, "--check-config", "--config", path), (0, "", ""))
        status, out, err = run(VIRTPODD, "--check-config", "--config", path, "--set", "network.new-netns=false")
        equal((status, out), (1, ""))
        contains(err, "virtpodd: command line: network.new-netns: ")
    with Files("", a="[hypervisor]\n\nvcpus=none\n") as path:
        equal(run(VIRTPOD, "config", "check", path),
              (1, "", "virtpodd: %s.d/a.conf:3: hypervisor.vcpus: must be a number from 0.1 to 4096\n" % path))
    status, out, err = run(VIRTPOD, "config", "check", "/nonexistent/virtpod.conf")
    equal((status, out), (1, ""))
    contains(err, "No such file")


def test_paths():
    if not HAVE_DAEMON:
        return
    with Files("", b="", a="") as path:
        equal(run(VIRTPOD, "config", "paths", path), (0, "%s\n%s.d/a.conf\n%s.d/b.conf\n" % (path, path, path), ""))


def test_import_kata():
    if not HAVE_DAEMON:
        return
    for name in ("qemu", "clh", "runtime-rs"):
        base = os.path.join(SRCDIR, "tests/kata", name)
        status, out, err = run(VIRTPOD, "config", "import-kata", base + ".toml")
        equal(status, 0)
        with open(base + ".conf") as conf, open(base + ".notes") as notes:
            equal(out.replace(base + ".toml", name + ".toml"), conf.read(), name)
            equal(err.replace(base + ".toml", name + ".toml"), notes.read(), name)
        with Files(out) as path:
            equal(run(VIRTPOD, "config", "check", path), (0, "", ""))
    with Files("[hypervisor.qemu]\nkernel = {}\n") as path:
        equal(run(VIRTPOD, "config", "import-kata", path),
              (1, "", "virtpodd: %s:2: inline tables are not supported\n" % path))
    status, out, err = run(VIRTPODD, "--import-kata", SRCDIR)
    equal((status, out), (1, ""))
    contains(err, "is not a regular file")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
