#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod run and exec: streams, statuses, signals, and what is left behind."""

import hashlib
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import TIMEOUT, VIRTPOD, Bus, contains, equal, main, without_namespace  # noqa: E402


def nothing_left(bus):
    equal(bus.run("list", "-q").stdout, b"", "what stays")


def test_output_and_status():
    with Bus() as bus:
        done = bus.run("run", "out-exit_0")
        equal((done.returncode, done.stdout, done.stderr), (0, b"to stdout\n", b"to stderr\n"))
        equal(bus.run("run", "exit_42").returncode, 42)
        equal(bus.run("run", "exit_255").returncode, 255)
        equal([call[0] for call in bus.calls()][:7],
              ["CreateSandbox", "GetContainer", "Start", "Start", "Wait", "Delete", "CreateSandbox"])
        nothing_left(bus)


def test_stdin_to_stdout():
    with Bus() as bus:
        data = os.urandom(1 << 20) * 10
        done = bus.run("run", "cat", stdin=data)
        equal(hashlib.sha256(done.stdout).hexdigest(), hashlib.sha256(data).hexdigest())


def test_closed_streams():
    with Bus() as bus:
        done = subprocess.run(["sh", "-c", '"$0" run cat <&- >&- 2>&-', VIRTPOD], env=bus.environment(),
                              timeout=TIMEOUT)
        equal(done.returncode, 0)


def test_bundle_and_options():
    with Bus() as bus:
        bus.run("run", "--bundle", "some/../dir", "--handler", "fast", "--network", "user", "exit_0")
        name, bundle, options = bus.calls("CreateSandbox")[0]
        equal((name, bundle), ("exit_0", os.path.join(os.getcwd(), "dir")))
        equal(without_namespace(options), {"handler": "fast", "network": "user", "stdin": 0, "stdout": 1, "stderr": 2})
        bus.run("run", "exit_1")
        equal(bus.calls("CreateSandbox")[1][1], os.getcwd())


def test_keep_and_detach():
    with Bus() as bus:
        equal(bus.run("run", "--keep", "exit_3").returncode, 3)
        equal(bus.run("list", "-q").stdout, b"exit_3\n")
        done = bus.run("run", "--detach", "wait-1")
        equal((done.returncode, done.stdout), (0, b"wait-1\n"))
        equal(without_namespace(bus.calls("CreateSandbox")[1][2]), {})
        equal(len(bus.calls("Delete")), 0)
        done = bus.run("run", "wait-1")
        equal(done.returncode, 125)
        equal(done.stderr, b'virtpod: run wait-1: container "wait-1": exists (AlreadyExists)\n')
        equal(len(bus.calls("Delete")), 0, "somebody else's container")


def test_join_running_sandbox():
    with Bus() as bus:
        equal(bus.run("run", "join-exit_5").returncode, 5)
        equal([call[1] for call in bus.calls() if call[0] == "Start"],
              ["/org/virtpod/sandbox/join_2dexit_5f5/container/join_2dexit_5f5"])


def test_timings():
    with Bus() as bus:
        lines = bus.run("run", "--timings", "exit_0").stderr.decode().splitlines()
        equal([line.split() for line in lines],
              [["plan", "1.5", "ms"], ["boot", "2500.0", "ms"], ["total", "2501.5", "ms"]])


def test_failures_clean_up():
    with Bus() as bus:
        for ident in ("boot.TimedOut", "start.CommandNotFound", "wait.AgentUnavailable"):
            bus.run("run", ident)
            equal(bus.calls("Delete")[-1], [{"force": True}], ident)
        done = bus.run("run", "delete.Busy-exit_4")
        equal((done.returncode, done.stderr),
              (4, b"virtpod: run delete.Busy-exit_4: delete: told to fail (Busy)\n"))


def test_signals_reach_the_container():
    with Bus() as bus:
        child = bus.popen("run", "wait", stdin=subprocess.DEVNULL)
        bus.wait_for_call("Wait")
        for number, name in ((signal.SIGUSR1, "USR1"), (signal.SIGUSR2, "USR2")):
            child.send_signal(number)
            bus.wait_for_call("Kill", 1 + ("USR1", "USR2").index(name))
        child.send_signal(signal.SIGINT)
        equal(child.wait(TIMEOUT), 130)
        equal([call[0] for call in bus.calls("Kill")], ["USR1", "USR2", "INT"])
        nothing_left(bus)
        for number, status in ((signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)):
            waits = len(bus.calls("Wait"))
            child = bus.popen("run", "wait", stdin=subprocess.DEVNULL)
            bus.wait_for_call("Wait", waits + 1)
            child.send_signal(number)
            equal(child.wait(TIMEOUT), status)


def test_interrupted_start():
    with Bus() as bus:
        child = bus.popen("run", "slow", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        bus.wait_for_call("Start")
        child.send_signal(signal.SIGUSR1)
        child.send_signal(signal.SIGINT)
        equal(child.communicate(timeout=TIMEOUT)[1], b"virtpod: run slow: interrupted by SIGINT\n")
        equal(child.returncode, 130)
        equal(bus.calls("Delete"), [[{"force": True}]])
        nothing_left(bus)


def test_daemon_vanishes():
    with Bus() as bus:
        done = bus.run("run", "vanish")
        equal(done.returncode, 125)
        # under a call, or between two of them
        equal(done.stderr.startswith((b"virtpod: run vanish: virtpodd went away: ",
                                      b"virtpod: run vanish: virtpodd is not running: ")), True, done.stderr)


def test_bus_vanishes():
    with Bus() as bus:
        child = bus.popen("run", "wait", stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        bus.wait_for_call("Wait")
        bus.processes[0].kill()
        contains(child.communicate(timeout=TIMEOUT)[1], b"virtpod: run wait: the bus went away: ")
        equal(child.returncode, 125)


def test_exec():
    with Bus() as bus:
        bus.run("run", "--detach", "wait")
        done = bus.run("exec", "wait", "out", "exit_9")
        equal((done.returncode, done.stdout, done.stderr), (9, b"to stdout\n", b"to stderr\n"))
        equal(bus.run("exec", "wait", "cat", stdin=b"not read").stdout, b"")
        equal(bus.run("exec", "-i", "wait", "cat", stdin=b"read").stdout, b"read")
        equal(bus.run("exec", "--detach", "wait", "out").stdout, b"")
        done = bus.run("exec", "wait", "start.CommandNotFound")
        equal((done.returncode, done.stderr),
              (127, b"virtpod: exec wait: start: told to fail (CommandNotFound)\n"))
        equal(bus.run("exec", "wait", "start.CommandNotExecutable").returncode, 126)
        equal(bus.run("exec", "wait", "wait.AgentFailed").returncode, 125)
        equal(bus.run("exec", "nobody", "true").returncode, 125)


def test_exec_options():
    with Bus() as bus:
        bus.run("run", "--detach", "wait")
        bus.run("exec", "-e", "A=1", "--env", "B=2 3", "--cwd", "/tmp", "--user", "1:2", "wait",
                "--", "cat", "-e", "--x")
        bus.run("exec", "wait", "cat", "--help")
        bus.run("exec", "-g", "7", "--additional-gids", "4294967295", "--cap", "CAP_KILL", "-c", "CAP_CHOWN",
                "--no-new-privs", "wait", "out")
        bus.run("exec", "-t", "wait", "out")
        calls = bus.calls("Exec")
        equal(calls[0][1], ["cat", "-e", "--x"])
        options = {key: value for key, value in calls[0][2].items() if not key.startswith("std")}
        equal(options, {"env": ["A=1", "B=2 3"], "cwd": "/tmp", "user": "1:2"})
        equal(calls[1][1:], [["cat", "--help"], {"stdin": 0, "stdout": 1, "stderr": 2}])
        options = {key: value for key, value in calls[2][2].items() if not key.startswith("std")}
        equal(options, {"additional-gids": [7, 4294967295], "capabilities": ["CAP_KILL", "CAP_CHOWN"],
                        "no-new-privileges": True})
        equal(calls[3][2], {"terminal": True, "stdin": 0, "stdout": 1})
        for gid in ("x", "-1", "4294967296", ""):
            done = bus.run("exec", "--additional-gids", gid, "wait", "out")
            equal(done.returncode, 125, gid)
            contains(done.stderr, b"is no number of a group")


def test_exec_signals():
    with Bus() as bus:
        bus.run("run", "--detach", "wait")
        waits = len(bus.calls("Wait"))
        child = bus.popen("exec", "wait", "wait", stdin=subprocess.DEVNULL)
        bus.wait_for_call("Wait", waits + 1)
        child.send_signal(signal.SIGTERM)
        equal(child.wait(TIMEOUT), 143)
        equal(bus.run("list", "-q").stdout, b"wait\n", "the container goes on")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
