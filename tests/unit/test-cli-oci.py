#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod as container engines call an OCI runtime: flags, the log, words and
statuses of errors. What stands for a container is in test-cli-standin.py."""

import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import TIMEOUT, VIRTPOD, Bus, contains, equal, main  # noqa: E402

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def plain(*args, **kwargs):
    env = dict(os.environ, LC_ALL="C.UTF-8", VIRTPOD_BUS_ADDRESS="unix:path=/nonexistent/bus")
    return subprocess.run([VIRTPOD, *args], capture_output=True, text=True, env=env, **kwargs)


def test_log_json():
    with tempfile.TemporaryDirectory() as directory:
        log = os.path.join(directory, "log.json")
        for args in (["state", 'a"b'], ["start", "c"], ["frob"], ["create"]):
            done = plain("--root", "/run/x", "--log", log, "--log-format", "json", "--debug", "--systemd-cgroup", *args)
            equal(done.returncode in (1, 125), True, done)
        with open(log, encoding="utf-8") as lines:
            lines = lines.read().splitlines()
        equal(len(lines), 4, lines)
        for line in lines:
            entry = json.loads(line)
            equal(list(entry), ["level", "msg", "time"], line)
            equal((entry["level"], re.fullmatch(TIME, entry["time"]) is not None), ("error", True), line)
        contains(json.loads(lines[0])["msg"], 'state a"b: cannot reach the bus')
        equal(json.loads(lines[3])["msg"], "create: an argument is missing")


def test_log_text():
    with tempfile.TemporaryDirectory() as directory:
        log = os.path.join(directory, "log")
        for options in (["--log", log], ["--log=" + log, "--log-format=text"]):
            equal(plain(*options, "frob").returncode, 125)
        with open(log, encoding="utf-8") as lines:
            for line in lines.read().splitlines():
                match = re.fullmatch(r'time="%s" level=error msg="there is no command \\"frob\\""' % TIME, line)
                equal(match is not None, True, line)


def test_log_refused():
    done = plain("--log-format", "xml", "list")
    equal(done.returncode, 125)
    contains(done.stderr, '--log-format: "xml" is neither text nor json')
    done = plain("--log", "/nonexistent/log", "list")
    equal(done.returncode, 125)
    contains(done.stderr, "--log: /nonexistent/log")


def test_checkpoint_and_restore():
    for args in (["checkpoint", "--image-path", "/x", "--leave-running", "c"], ["restore", "--bundle", "/b", "c"]):
        done = plain(*args)
        equal((done.returncode, done.stdout), (1, ""), args)
        contains(done.stderr, "virtpod: %s: not supported" % args[0])


def test_features():
    done = plain("features")
    equal(done.returncode, 0)
    features = json.loads(done.stdout)
    equal(features["ociVersionMin"], "1.0.0")
    contains(plain("--version").stdout, "spec: " + features["ociVersionMax"])
    equal("createContainer" in features["hooks"], False)
    # the members that runc 1.1 has, which is what engines know
    equal(sorted(features), ["annotations", "hooks", "linux", "mountOptions", "ociVersionMax", "ociVersionMin"])
    linux = features["linux"]
    equal(sorted(linux), ["apparmor", "capabilities", "cgroup", "namespaces", "seccomp", "selinux"])
    equal((linux["cgroup"]["v1"], linux["cgroup"]["v2"], linux["seccomp"]["enabled"]), (False, True, True))
    equal((len(linux["capabilities"]), linux["namespaces"]),
          (41, ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"]))
    for words in (features["mountOptions"], linux["seccomp"]["actions"], linux["seccomp"]["operators"]):
        equal(words, sorted(set(words)))


def test_global_options_of_crun():
    equal(plain("--cgroup-manager=disabled", "--rootless=false", "features").returncode, 0)


STATS = {"type": "stats", "id": "wait", "data": {
    "cpu": {"usage": {"total": 1500000}, "throttling": {}},
    "memory": {"usage": {"usage": 10 << 20, "limit": 2 ** 64 - 1}, "swap": {}, "kernel": {}, "raw": {"anon": 4096}},
    "pids": {"current": 3},
    "blkio": {"ioServiceBytesRecursive": [{"major": 8, "minor": 1, "op": "read", "value": 512}]},
    "network_interfaces": [{"Name": "eth0", "RxBytes": 2048}]}}


def test_events_of_one():
    """events ID: what runc prints."""
    with Bus() as bus:
        for option in (["--stats"], ["--interval", "1s"]):
            done = bus.run("events", *option, "nobody")
            equal(done.returncode, 1)
            contains(done.stderr, b"does not exist")
        bus.run("run", "--detach", "wait")
        done = bus.run("events", "--stats", "wait")
        equal((done.returncode, done.stderr), (0, b""))
        equal(json.loads(done.stdout), STATS)
        stream = bus.popen("events", "--interval", "100ms", "wait", stdout=subprocess.PIPE)
        for _ in range(3):
            equal(json.loads(stream.stdout.readline()), STATS)
        bus.run("kill", "wait", "KILL")
        equal(stream.wait(TIMEOUT), 0, "ends with its container")
        stream.stdout.close()
        done = bus.run("events", "--stats", "wait")
        equal(done.returncode, 1)
        contains(done.stderr, b"does not run")


def test_events_usage():
    for args, message in ((["--stats"], "need the ID"), (["--interval", "1s"], "need the ID"),
                          (["--interval", "1x", "c"], "--interval must be"), (["--interval", "1ms", "c"], "must be"),
                          (["--interval", "", "c"], "must be"), (["--interval", "-5s", "c"], "must be"),
                          (["--interval", "nan", "c"], "must be"), (["--stats", "--format", "json", "c"], "for the events")):
        done = plain("events", *args)
        equal(done.returncode, 1, args)
        contains(done.stderr, message)


def test_spec():
    with tempfile.TemporaryDirectory() as directory:
        equal(plain("spec", cwd=directory).returncode, 0)
        with open(os.path.join(directory, "config.json"), encoding="utf-8") as config:
            equal(json.load(config)["process"]["args"], ["sh"])
        done = plain("spec", "--rootless", "--bundle", directory)
        equal(done.returncode, 1, "a config.json that is there")
        contains(done.stderr, "config.json: File exists")


def test_words_of_errors():
    """Engines look for these words to tell what happened."""
    with Bus() as bus:
        for args in (["state", "nobody"], ["kill", "nobody", "9"], ["start", "nobody"], ["delete", "nobody"],
                     ["pause", "nobody"], ["update", "--memory", "1m", "nobody"]):
            done = bus.run(*args)
            equal(done.returncode, 1, args)
            contains(done.stderr, b"does not exist")
        equal(bus.run("delete", "--force", "nobody").returncode, 0)
        bus.run("run", "--keep", "exit_0")
        done = bus.run("kill", "exit_0", "15")
        equal(done.returncode, 1)
        contains(done.stderr, b"container not running")


def test_kill():
    """0 only asks; all is said to the daemon of KILL alone, which alone it does to all."""
    with Bus() as bus:
        bus.run("run", "--detach", "wait")
        equal(bus.run("kill", "wait", "0").returncode, 0)
        equal(bus.calls("Kill"), [])
        bus.run("run", "--detach", "wait-2")
        for name, signal, options in (("wait", "USR1", {}), ("wait-2", "SIGKILL", {"all": True})):
            equal(bus.run("kill", "--all", name, signal).returncode, 0)
            equal(bus.calls("Kill")[-1], [signal, options])
        bus.run("run", "--keep", "exit_0")
        done = bus.run("kill", "exit_0", "0")
        equal(done.returncode, 1)
        contains(done.stderr, b"container not running: it has ended")


def test_preserve_fds():
    for verb, args in (("create", ["c"]), ("run", ["c"]), ("exec", ["c", "true"])):
        done = plain(verb, "--preserve-fds", "1", *args)
        equal(done.returncode != 0, True, verb)
        contains(done.stderr, "--preserve-fds: descriptors of the host do not reach")


def test_usage():
    cases = [
        (["create"], "an argument is missing"),
        (["create", "a", "b"], "one argument too many"),
        (["start"], "an argument is missing"),
        (["exec", "--process", "p", "a", "true"], "--process excludes"),
        (["exec", "--process", "p", "--env", "A=1", "a"], "--process excludes"),
        (["exec", "--console-socket", "s", "a", "true"], "--console-socket needs --detach"),
        (["exec", "--process", "p", "--cap", "CAP_KILL", "a"], "--process excludes"),
        (["run", "--console-socket", "s", "a"], "--console-socket needs --detach"),
    ]
    for args, message in cases:
        done = plain(*args)
        equal(done.returncode != 0, True, args)
        contains(done.stderr, message)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
