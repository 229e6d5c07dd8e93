#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod: help, usage errors, and the verbs that answer at once."""

import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import BUILDDIR, Bus, VIRTPOD, contains, equal, main  # noqa: E402

VERBS = """run create start exec attach cp list ps stats wait logs console events network port-forward state inspect kill pause resume
           update stop delete prune xml explain config check features spec version""".split()
ERRORS = ["Failed", "NotFound", "AlreadyExists", "InvalidArgument", "InvalidState", "NotSupported",
          "NotAuthorized", "Busy", "Cancelled", "TimedOut", "ResourceExhausted", "HypervisorUnavailable",
          "HypervisorFailed", "AgentUnavailable", "AgentFailed", "ConfigError", "CommandNotFound",
          "CommandNotExecutable"]


def plain(*args):
    env = dict(os.environ, LC_ALL="C.UTF-8", VIRTPOD_BUS_ADDRESS="unix:path=/nonexistent/bus",
               VIRTPOD_EXEC_PATH=BUILDDIR)
    return subprocess.run([VIRTPOD, *args], capture_output=True, text=True, env=env)


def create(bus, name):
    done = bus.run("run", "--detach", name)
    equal(done.returncode, 0, done.stderr)


def test_help():
    top = plain("--help")
    equal((top.returncode, top.stderr), (0, ""))
    equal(plain("help").stdout, top.stdout)
    for verb in VERBS:
        contains(top.stdout, "\n  " + verb)
        own = plain(verb, "--help")
        equal(own.returncode, 0)
        contains(own.stdout, "virtpod " + verb)
        equal(plain("help", verb).stdout, own.stdout)


def test_version_needs_no_daemon():
    done = plain("--version")
    equal(done.returncode, 0)
    equal(re.fullmatch(r"virtpod \d+\.\d+\.\d+\nspec: 1\.\d+\.\d+\n", done.stdout) is not None, True, done.stdout)


def test_usage_errors():
    cases = [
        ([], 125, "a command is missing"),
        (["frob"], 125, 'there is no command "frob"'),
        (["help", "frob"], 125, 'there is no command "frob"'),
        (["--frob"], 125, "--frob"),
        (["run"], 125, "run: an argument is missing"),
        (["run", "a", "b"], 125, 'run: "b" is one argument too many'),
        (["run", "--frob", "a"], 125, "--frob"),
        (["exec", "a"], 125, "exec: an argument is missing"),
        (["exec", "a", "--"], 125, "exec: an argument is missing"),
        (["exec", "-di", "a", "b"], 125, "exclude each other"),
        (["list", "a"], 1, "one argument too many"),
        (["list", "--format", "yaml"], 1, "--format must be table or json"),
        (["list", "--json", "--format", "table"], 1, "exclude each other"),
        (["list", "--filter", "state"], 1, "--filter must be KEY=VALUE"),
        (["events", "--filter", "colour=red"], 1, "--filter knows event, sandbox and container"),
        (["events", "--format", "table"], 1, "--format must be text or json"),
        (["inspect", "--format", "xml", "a"], 1, "--format must be json or text"),
        (["logs", "--console", "--lines", "1", "a"], 1, "are for the journal"),
        (["logs", "--raw", "a"], 1, "--raw is for --console"),
        (["port-forward", "a"], 1, "an argument is missing"),
        (["port-forward", "a", "0"], 1, '"0" must be'),
        (["port-forward", "a", "80:0"], 1, '"80:0" must be'),
        (["port-forward", "a", "80", "65536:80"], 1, '"65536:80" must be'),
        (["port-forward", "a", "127.0.0.1:80:80"], 1, "must be HOST:GUEST"),
        (["network", "list"], 1, "an argument is missing"),
        (["network", "attach", "a"], 1, "an argument is missing"),
        (["network", "frob", "a"], 1, '"frob" must be'),
        (["network", "list", "a", "b"], 1, "too many"),
        (["console", "--tail-bytes", "-2", "a"], 1, "--tail-bytes"),
        (["stats", "--interval", "0"], 1, "--interval"),
        (["wait"], 1, "an argument is missing"),
        (["pause"], 1, "an argument is missing"),
        (["update", "a"], 1, "nothing to change"),
        (["update", "--memory", "lots", "a"], 1, '"lots" is no value for memory.limit'),
        (["update", "--memory", "9999999999t", "a"], 1, "is no value for memory.limit"),
        (["update", "--pids-limit", "-2", "a"], 1, "is no value for pids.limit"),
        (["update", "--cpus", "none", "a"], 1, "--cpus must be a number"),
        (["update", "--cpus", "1", "--cpu-quota", "1", "a"], 1, "exclude each other"),
        (["update", "--resources", "f", "--memory", "1", "a"], 1, "exclude each other"),
        (["cp", "a", "b"], 1, "one of the two must be CONTAINER:PATH"),
        (["cp", "a:/x", "b:/y"], 1, "one of the two must be CONTAINER:PATH"),
        (["cp", "a:/x/.", "-"], 1, "cannot be a stream"),
        (["attach", "--detach-keys", "ctrl", "a"], 125, "--detach-keys"),
        (["prune", "--older-than", "-1"], 1, "--older-than"),
        (["check", "a"], 2, "one argument too many"),
        (["check", "--format", "yaml"], 2, "--format must be table or json"),
        (["state"], 1, "an argument is missing"),
        (["kill", "a", "TERM", "b"], 1, "one argument too many"),
        (["stop", "--timeout", "-1", "a"], 1, "--timeout"),
        (["delete", "--frob", "a"], 1, "--frob"),
        (["config"], 1, "an argument is missing"),
        (["config", "frob"], 1, '"frob" must be show, handlers, check, paths or import-kata'),
        (["config", "import-kata"], 1, "an argument is missing"),
        (["config", "show", "a"], 1, "an argument too many"),
        (["config", "check", "--sources"], 1, "are for show"),
        (["config", "show", "--sources", "--json"], 1, "exclude each other"),
    ]
    for args, status, message in cases:
        done = plain(*args)
        equal((done.returncode, done.stdout), (status, ""), args)
        contains(done.stderr, message)
        contains(done.stderr, "--help")
        equal(done.stderr.startswith("virtpod: "), True, done.stderr)


def test_no_bus():
    for args, status in ((["list"], 1), (["run", "a"], 125), (["exec", "a", "b"], 125), (["state", "a"], 1)):
        done = plain(*args)
        equal(done.returncode, status, args)
        contains(done.stderr, "cannot reach the bus")


def test_no_daemon():
    with Bus(mock=False) as bus:
        done = bus.run("list")
        equal(done.returncode, 1)
        contains(done.stderr, b"virtpodd is not running")
        contains(done.stderr, b"(org.freedesktop.DBus.Error.ServiceUnknown)")


def test_address_option_wins():
    with Bus() as bus:
        env = dict(bus.environment(), VIRTPOD_BUS_ADDRESS="unix:path=/nonexistent/bus")
        done = subprocess.run([VIRTPOD, "--address", bus.address, "list"], env=env, capture_output=True)
        equal(done.returncode, 0, done.stderr)
        env = dict(env, DBUS_SESSION_BUS_ADDRESS=bus.address)
        done = subprocess.run([VIRTPOD, "--session", "list"], env=env, capture_output=True)
        equal(done.returncode, 0, done.stderr)


def test_list():
    with Bus() as bus:
        equal(bus.run("list").stdout, b"ID  SANDBOX  STATE  PID  CREATED  BUNDLE\n")
        equal(bus.run("list", "--json").stdout, b"[]\n")
        create(bus, "wait-1")
        create(bus, "wait-second")
        lines = bus.run("list").stdout.decode().splitlines()
        equal(lines[0].split(), ["ID", "SANDBOX", "STATE", "PID", "CREATED", "BUNDLE"])
        equal(lines[2].split(),
              ["wait-second", "wait-second", "running", "7", "2026-01-02T03:04:05Z", os.getcwd()])
        equal(lines[0].index("SANDBOX"), lines[1].index("wait-1", 1))
        equal(bus.run("list", "-q").stdout, b"wait-1\nwait-second\n")
        equal(bus.run("list", "-q", "--sandboxes").stdout, b"wait-1\nwait-second\n")
        rows = json.loads(bus.run("list", "--format", "json").stdout)
        equal(rows[0], {"id": "wait-1", "sandbox": "wait-1", "state": "running", "pid": 7,
                        "createdAt": "2026-01-02T03:04:05.678901Z", "bundle": os.getcwd(),
                        "status": "running", "created": "2026-01-02T03:04:05.678901Z"})
        rows = json.loads(bus.run("list", "--json", "--sandboxes").stdout)
        equal([sorted(row) for row in rows], [["createdAt", "handler", "id", "state"]] * 2)


def test_state_inspect_xml():
    with Bus() as bus:
        create(bus, "wait-1")
        equal(json.loads(bus.run("state", "wait-1").stdout)["status"], "running")
        document = json.loads(bus.run("inspect", "wait-1").stdout)
        equal(document["Sandbox"]["Labels"], {"quote": "a\"b\\c\n"})
        equal(document["Sandbox"]["StartStages"], [["plan", 1500], ["boot", 2500000]])
        equal(document["Sandbox"]["MemoryBytes"], 256 << 20)
        equal([c["Id"] for c in document["Containers"]], ["wait-1"])
        equal(document["Containers"][0]["Terminal"], False)
        equal(document["Containers"][0]["OCI"]["status"], "running")
        equal(document["Devices"], [{"kind": "disk", "id": "disk0"}])
        text = bus.run("inspect", "--format", "text", "wait-1").stdout.decode()
        for line in ("Sandbox:", "  CreatedAt: 2026-01-02T03:04:05.678901Z", "  MemoryBytes: 256 MiB", "  StartedAt: -",
                     "    quote: a\"b\\c?", "Devices:", "  1:", "    kind: disk", "    OCI:", "      status: running"):
            contains(text, line + "\n")
        equal(bus.run("xml", "wait-1").stdout, b"<domain type='qemu'>made</domain>\n")
        equal(bus.run("xml", "--live", "wait-1").stdout, b"<domain type='qemu'>live</domain>\n")


def test_kill_stop_delete():
    with Bus() as bus:
        create(bus, "wait-1")
        done = bus.run("delete", "wait-1")
        equal(done.returncode, 1)
        equal(done.stderr, b'virtpod: delete wait-1: container "wait-1": is running (InvalidState)\n')
        equal(bus.run("kill", "wait-1", "NOPE").stderr,
              b'virtpod: kill wait-1: signal "NOPE": is unknown (InvalidArgument)\n')
        equal(bus.run("kill", "--all", "wait-1", "USR1").returncode, 0)
        equal(bus.run("kill", "wait-1").returncode, 0)
        equal(bus.calls("Kill")[1:], [["USR1", {}], ["TERM", {}]])
        equal(bus.run("stop", "--timeout", "1.5", "--force", "wait-1").returncode, 0)
        equal(bus.calls("Stop"), [[1500000, {"force": True}]])
        equal(bus.run("delete", "wait-1").returncode, 0)
        equal(bus.run("delete", "wait-1").stderr,
              b'virtpod: delete wait-1: container "wait-1": does not exist (NotFound)\n')
        equal(bus.run("delete", "--force", "wait-1").returncode, 0)


def test_version_of_the_daemon():
    with Bus() as bus:
        done = bus.run("version")
        equal(done.returncode, 0)
        for line in (b"virtpodd 9.8.7\n", b"libvirt 9.0.0\n", b"hypervisor 7.2.0\n", b"accelerator tcg\n"):
            contains(done.stdout, line)


def test_each_error_has_text_and_status():
    with Bus() as bus:
        for name in ERRORS:
            for step in ("create", "boot", "start"):
                ident = "%s.%s" % (step, name)
                done = bus.run("run", ident)
                status = {"CommandNotFound": 127, "CommandNotExecutable": 126}.get(name, 125)
                equal(done.returncode, status, ident)
                equal(done.stderr.decode(), "virtpod: run %s: %s: told to fail (%s)\n" % (ident, step, name))
        equal(bus.run("list", "-q").stdout, b"", "what stays after a failure")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
