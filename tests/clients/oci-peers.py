#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The OCI command line beside runc's and crun's: the same calls in the same order, what
they answer and say. Where one of these cannot run, its part is skipped."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from env import Env, program
from tap import check, equal

ID = "virtpod-peers-%d" % os.getpid()
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
DEADLINE = 240
UNKNOWN = r"(?i)does not exist|no such file"   # podman looks for these
STOPPED = r"not running|stopped container"     # containerd for the first

# Verb and arguments, whether it succeeds or with which status, what its error says, and who
# else does that: crun knows no control group here, sees late that a process has ended, and
# has an exec forget the PATH when it gets other variables.
BOTH, RUNC = ("runc", "crun"), ("runc",)
STEPS = [
    (["state", ID], False, UNKNOWN, BOTH),
    (["start", ID], False, UNKNOWN, BOTH),
    (["kill", ID, "9"], False, UNKNOWN, BOTH),
    (["exec", ID, "true"], False, UNKNOWN, BOTH),
    (["delete", ID], False, UNKNOWN, BOTH),
    (["delete", "--force", ID], True, "", BOTH),
    (["create", "--bundle", "/nonexistent", ID], False, UNKNOWN, BOTH),
    (["create", ID], True, "", BOTH),
    ("created", True, "", BOTH),
    (["create", ID], False, "(?i)already ?exist", BOTH),
    (["start", ID], True, "", BOTH),
    ("running", True, "", BOTH),
    (["start", ID], False, "", BOTH),
    (["list", "--quiet"], True, "", BOTH),
    (["list", "--format", "json"], True, "", BOTH),
    (["ps", ID], True, "", RUNC),
    (["ps", "--format", "json", ID], True, "", RUNC),
    (["exec", ID, "true"], True, "", BOTH),
    (["exec", ID, "sh", "-c", "exit 3"], 3, "", BOTH),
    (["exec", "--env", "A=7", "--cwd", "/tmp", "--user", "65534", ID, "sh", "-c",
      '[ $(pwd) = /tmp ] && [ $(id -u) = 65534 ] && exit $A'], 7, "", RUNC),
    (["exec", ID, "no-such-program"], False, "no-such-program", BOTH),
    (["exec", ID, "no-such-program"], False, "(?i)executable file.* not found|no such file", BOTH),
    (["exec", ID, "/etc/not-executable"], False, "(?i)permission denied", BOTH),
    (["exec", "--cwd", "/nonexistent", ID, "true"], False, "(?i)no such file", BOTH),
    (["delete", ID], False, "", BOTH),
    (["kill", ID, "NOSUCH"], False, "", RUNC),
    (["pause", ID], True, "", RUNC),
    ("paused", True, "", RUNC),
    (["resume", ID], True, "", RUNC),
    ("running", True, "", RUNC),
    (["update", "--memory", "64m", "--pids-limit", "100", ID], True, "", RUNC),
    (["kill", ID, "0"], True, "", BOTH),
    (["kill", ID, "KILL"], True, "", BOTH),
    ("stopped", True, "", BOTH),
    (["kill", ID, "9"], False, STOPPED, RUNC),
    (["kill", ID, "0"], False, STOPPED, RUNC),
    (["exec", ID, "true"], False, STOPPED, RUNC),
    (["pause", ID], False, "", BOTH),
    (["delete", ID], True, "", BOTH),
    (["state", ID], False, UNKNOWN, BOTH),
    (["delete", ID], False, UNKNOWN, BOTH),
    (["delete", "--force", ID], True, "", BOTH),
    (["checkpoint", ID], False, "", BOTH),
    (["no-such-verb"], False, "", BOTH),
]


class Runtime:
    """One of them, by its command line; @before is what comes before a verb."""

    def __init__(self, env, before, environment):
        self.before = before
        self.environment = environment
        self.bundle = env.bundle(["sleep", "100000"])

    def call(self, args):
        """Status, stdout, stderr. What stays of a container has files, not pipes that do not end."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            status = subprocess.run([*self.before, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    cwd=self.bundle, env=self.environment, timeout=DEADLINE, check=False).returncode
            out.seek(0)
            err.seek(0)
            return status, out.read().decode(), err.read().decode()

    def has_status(self, status):
        """The end of a process takes a moment."""
        tap.eventually(lambda: json.loads(self.call(["state", ID])[1])["status"] == status, "status " + status,
                       DEADLINE)

    def step(self, name, args, wanted, words):
        if isinstance(args, str):
            self.has_status(args)
            return
        status, out, err = self.call(args)
        what = "%s %s: status %d, %r" % (name, " ".join(args), status, err)
        if isinstance(wanted, bool):
            check((status == 0) == wanted, what)
        else:
            equal(status, wanted, what)
        if not wanted:
            check(re.search(words, err) is not None, "%s; wanted %r" % (what, words))
            equal(out, "", what)
        if args[:2] == ["list", "--quiet"]:
            equal(out.split(), [ID], what)
        elif args[0] == "list":
            equal([(entry["id"], entry["status"]) for entry in json.loads(out)], [(ID, "running")], what)
        elif args[:2] == ["ps", "--format"]:
            check(all(isinstance(pid, int) for pid in json.loads(out)) and json.loads(out) != [], what)

    def run_all(self, name):
        for args, wanted, words, peers in STEPS:
            if name in peers or name == "virtpod":
                self.step(name, args, wanted, words)


def peer(env, name, options, needed):
    """All steps, when @needed, the least it needs of this machine, succeed one after the other."""
    # they want nothing of cgroup v2 where most controllers are of version 1
    alone = ["unshare", "--mount", "sh", "-c", 'umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"', "sh"]
    if shutil.which(name, path=PATH) is None:
        raise tap.Skip("%s is not installed" % name)
    runtime = Runtime(env, [*alone, name, "--root", env.path(name), *options], dict(os.environ, PATH=PATH))
    for verb in needed:
        status, _, err = runtime.call([*verb, ID])
        if status != 0:
            runtime.call(["delete", "--force", ID])
            raise tap.Skip("%s %s does not work here: %s" % (name, verb[0], " ".join(err.split())))
    runtime.run_all(name)


def test_runc(env):
    """what is expected is what runc does"""
    peer(env, "runc", [], [["create"], ["start"], ["pause"], ["resume"], ["update", "--memory", "64m", "--pids-limit",
                                                                           "100"], ["delete", "--force"]])


def test_crun(env):
    """and crun, for what it can do without control groups"""
    peer(env, "crun", ["--cgroup-manager=disabled"], [["create"], ["start"], ["delete", "--force"]])


def test_virtpod(env):
    """virtpod does the same"""
    Runtime(env, [program("virtpod"), "--root", "/run/x"], env.client_env()).run_all("virtpod")
    env.no_leaks()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = Env(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    if program("virtpod-proxy") is None:
        tap.skip_all("virtpod-proxy is not built")
    ENV.require()
    tap.run([test_runc, test_crun, test_virtpod], ENV)
