# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of the command line client share: a private bus with the mock
daemon on it, the program itself, and TAP."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SRCDIR = os.environ.get("top_srcdir") or os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
BUILDDIR = os.environ.get("top_builddir") or os.getcwd()
VIRTPOD = os.path.join(BUILDDIR, "virtpod")
TIMEOUT = 120

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def die_with_parent():
    """In a server: a test that is killed leaves no server behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


class Bus:
    """A private dbus-daemon; with the mock on it unless told otherwise."""

    def __init__(self, mock=True):
        self.directory = tempfile.mkdtemp(prefix="vp-cli-")
        self.address = "unix:path=%s/bus" % self.directory
        self.log_path = os.path.join(self.directory, "log")
        config = os.path.join(self.directory, "bus.conf")
        with open(config, "w") as out:
            out.write(BUS_CONFIG % os.path.join(self.directory, "bus"))
        self.processes = []
        try:
            self.start_bus()
            if mock:
                self.start_mock()
        except Exception:
            self.__exit__()
            raise

    def start_bus(self):
        config = os.path.join(self.directory, "bus.conf")
        self.spawn(["dbus-daemon", "--nofork", "--print-address=1", "--config-file=" + config])

    def start_mock(self):
        program = os.path.join(SRCDIR, "tests/lib/mock_virtpodd.py")
        data = os.path.join(SRCDIR, "data")
        self.spawn([sys.executable, program, self.address, data, self.log_path])

    def spawn(self, args):
        """Starts a server that says on stdout when it is ready; its chatter goes to a file."""
        with open(os.path.join(self.directory, "stderr"), "ab") as stderr:
            process = subprocess.Popen(args, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=stderr,
                                       preexec_fn=die_with_parent)
        self.processes.append(process)
        if not process.stdout.readline():
            raise RuntimeError("%s did not start" % args[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
            process.stdout.close()
        shutil.rmtree(self.directory)

    def environment(self):
        env = dict(os.environ, VIRTPOD_BUS_ADDRESS=self.address, LC_ALL="C.UTF-8", LANGUAGE="",
                   VIRTPOD_EXEC_PATH=BUILDDIR)
        env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        return env

    def run(self, *args, stdin=b""):
        return subprocess.run([VIRTPOD, *args], input=stdin, capture_output=True, timeout=TIMEOUT,
                              env=self.environment())

    def popen(self, *args, **kwargs):
        return subprocess.Popen([VIRTPOD, *args], env=self.environment(), **kwargs)

    def calls(self, member=None):
        """The logged calls, or the arguments of those to one member."""
        if not os.path.exists(self.log_path):
            return []
        with open(self.log_path) as log:
            entries = [json.loads(line) for line in log]
        return entries if member is None else [entry[2:] for entry in entries if entry[0] == member]

    def wait_for_call(self, member, count=1):
        deadline = time.monotonic() + TIMEOUT
        while len(self.calls(member)) < count:
            if time.monotonic() > deadline:
                raise AssertionError("no call of %s" % member)
            time.sleep(0.02)


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError("%s: got %r, expected %r" % (what, got, expected))


def contains(text, part):
    if part not in text:
        raise AssertionError("%r is not in %r" % (part, text))


def without_namespace(options):
    """Of CreateSandbox: a test may itself be where the host's first process is not."""
    return {key: value for key, value in options.items() if key != "mount-namespace"}


def main(module):
    """Runs the module's test_*() functions and prints TAP."""
    tests = [(name, value) for name, value in vars(module).items() if name.startswith("test_")]
    if shutil.which("dbus-daemon") is None:
        print("1..0 # SKIP there is no dbus-daemon")
        return 0
    try:
        import gi.repository.Gio  # noqa: F401 (the mock daemon needs it)
    except ImportError:
        print("1..0 # SKIP there is no python3-gi")
        return 0
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test()
            print("ok %d - %s" % (number, name), flush=True)
        except Exception:  # a test may fail in any way; the others still run
            failed += 1
            print("not ok %d - %s" % (number, name))
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            sys.stdout.flush()
    return 1 if failed else 0
