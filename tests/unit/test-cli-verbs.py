#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod: the verbs of a container's life, and those that look on."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import TIMEOUT, VIRTPOD, Bus, contains, equal, main  # noqa: E402


def create(bus, *names):
    for name in names:
        done = bus.run("run", "--detach", name)
        equal(done.returncode, 0, done.stderr)


def ok(done):
    equal((done.returncode, done.stderr), (0, b""), done.args)
    return done.stdout.decode()


def test_output_options():
    with Bus() as bus:
        create(bus, "wait-1")
        equal(ok(bus.run("list", "--no-headers")).split()[:3], ["wait-1", "7", "running"])
        ok(bus.run("list", "--filter", "state=running", "--filter", "id=wait-1"))
        ok(bus.run("list", "--sandboxes", "--filter", "label:tier=a=b"))
        equal(bus.calls("ListContainers")[-1], [{"state": "running", "id": "wait-1"}])
        equal(bus.calls("ListSandboxes")[-1], [{"label:tier": "a=b"}])
        equal(ok(bus.run("prune", "--quiet")), "old\ndone\n")


def test_pause_resume():
    with Bus() as bus:
        create(bus, "wait-1", "wait-pause.InvalidState")
        ok(bus.run("pause", "wait-1"))
        equal(json.loads(ok(bus.run("state", "wait-1")))["status"], "paused")
        ok(bus.run("resume", "wait-1"))
        # what can be done is done
        done = bus.run("pause", "wait-pause.InvalidState", "nobody", "wait-1")
        equal(done.returncode, 1)
        equal(done.stderr.decode(), "virtpod: pause wait-pause.InvalidState: pause: told to fail (InvalidState)\n"
              'virtpod: pause nobody: container "nobody": does not exist (NotFound)\n')
        equal(json.loads(ok(bus.run("state", "wait-1")))["status"], "paused")
        ok(bus.run("pause", "--sandbox", "wait-1"))
        ok(bus.run("resume", "--sandbox", "wait-1"))
        equal([path for member, path, *_ in bus.calls() if member in ("Pause", "Resume")][-2:],
              ["/org/virtpod/sandbox/wait_2d1"] * 2)


def test_wait():
    with Bus() as bus:
        create(bus, "exit_3", "wait-1")
        waiting = bus.popen("wait", "wait-1", "exit_3", stdout=subprocess.PIPE)
        bus.wait_for_call("Wait", 2)
        ok(bus.run("kill", "wait-1"))
        equal((waiting.communicate(timeout=TIMEOUT)[0], waiting.returncode), (b"143\n3\n", 0))
        equal(ok(bus.run("wait", "--sandbox", "exit_3")), "9\n")
        equal(json.loads(ok(bus.run("wait", "--json", "exit_3"))),
              [{"id": "exit_3", "exitStatus": 3, "exitedAt": "2026-01-02T03:04:05.678901Z"}])
        equal(ok(bus.run("wait", "--format", "table", "exit_3")),
              "ID      STATUS  EXITED\nexit_3       3  2026-01-02T03:04:05Z\n")
        done = bus.run("wait", "exit_3", "nobody")
        equal((done.returncode, done.stdout), (1, b""))
        contains(done.stderr, b"(NotFound)")


def resources(bus, *args, stdin=b""):
    done = bus.run("update", *args, "wait-1", stdin=stdin)
    equal((done.returncode, done.stderr), (0, b""), args)
    return json.loads(bus.calls("Update")[-1][0])


def test_update():
    with Bus() as bus:
        create(bus, "wait-1")
        cases = [
            (["--memory", "512m"], {"memory": {"limit": 512 << 20}}),
            (["-m", "1GiB", "--memory-swap", "-1"], {"memory": {"limit": 1 << 30, "swap": -1}}),
            (["--memory-reservation", "4096"], {"memory": {"reservation": 4096}}),
            (["--cpus", "1.5"], {"cpu": {"quota": 150000, "period": 100000}}),
            (["--cpus", "0.5", "--cpu-period", "20000"], {"cpu": {"quota": 10000, "period": 20000}}),
            (["--cpus", "-1"], {"cpu": {"quota": -1, "period": 100000}}),
            (["--cpu-quota", "-1", "--cpu-shares", "512"], {"cpu": {"quota": -1, "shares": 512}}),
            (["--cpu-share", "2"], {"cpu": {"shares": 2}}),
            (["--cpuset-cpus", "0-1", "--cpuset-mems", "0"], {"cpu": {"cpus": "0-1", "mems": "0"}}),
            (["--pids-limit", "100", "--blkio-weight", "10"], {"pids": {"limit": 100}, "blockIO": {"weight": 10}}),
            (["--cpu-idle", "1", "--cpu-burst", "5"], {"cpu": {"idle": 1, "burst": 5}}),
        ]
        for args, expected in cases:
            equal(resources(bus, *args), expected, args)
        given = b'{"unified": {"memory.high": "max"}}'
        equal(resources(bus, "--resources", "-", stdin=given), json.loads(given))
        with tempfile.NamedTemporaryFile() as file:
            file.write(given)
            file.flush()
            equal(resources(bus, "-r", file.name), json.loads(given))
            file.write(b" " * 70000)
            file.flush()
            done = bus.run("update", "-r", file.name, "wait-1")
            equal(done.returncode, 1)
            contains(done.stderr, b"at most 64 KiB")
        contains(bus.run("update", "-r", "/nonexistent", "wait-1").stderr, b'resources "/nonexistent": ')


def test_ps():
    with Bus() as bus:
        create(bus, "wait-1")
        equal(ok(bus.run("ps", "wait-1")), "PID\n  7\n 12\n")
        equal(ok(bus.run("top", "--quiet", "wait-1")), "7\n12\n")
        equal(json.loads(ok(bus.run("ps", "--json", "wait-1"))), [7, 12])


def test_stats():
    with Bus() as bus:
        create(bus, "wait-1", "wait-2", "wait-mute")
        done = bus.run("stats", "--no-stream", "--interval", "0.1", "wait-1")
        equal(ok(done).splitlines(), [
            "ID      SANDBOX  CPU %  CPU TIME    MEMORY  LIMIT  PIDS     READ  WRITTEN",
            "wait-1  wait-1   50.0%    1.00 s  10.0 MiB      -     3  5.0 KiB      0 B"])
        equal(bus.calls("GetStats")[-1], [{"sandboxes": ["wait-1"], "containers": True}])
        table = ok(bus.run("stats", "--no-stream", "--interval", "0.1", "--sandboxes", "wait-2")).splitlines()
        equal(table[1].split(), ["wait-2", "125.0%", "5.00", "s", "300", "MiB", "44.0", "MiB", "1", "2.0", "KiB", "0", "B"])
        rows = json.loads(ok(bus.run("stats", "--no-stream", "--json")))
        equal([row["id"] for row in rows], ["wait-1", "wait-2", "wait-mute"])
        equal("cpuPercent" in rows[0], False, "nothing to compare with")
        equal(rows[0]["stats"]["memory.limit-bytes"], 2 ** 64 - 1)
        done = bus.run("stats", "--no-stream", "--interval", "0.1", "wait-mute")
        equal((done.returncode, done.stderr), (0, b"virtpod: stats wait-mute: agent: timed out\n"))
        done = bus.run("stats", "nobody")
        equal(done.returncode, 1)
        contains(done.stderr, b'"nobody": there is no such container or sandbox')


def read_lines(child, count):
    lines = []
    while len(lines) < count:
        if not select.select([child.stdout], [], [], TIMEOUT)[0]:
            raise AssertionError("only %r came" % lines)
        lines.append(child.stdout.readline().decode())
    return lines


def test_stats_stream():
    with Bus() as bus:
        create(bus, "wait-1")
        child = bus.popen("stats", "--json", "--interval", "0.1", stdout=subprocess.PIPE, bufsize=0)
        try:
            first, second = (json.loads(line) for line in read_lines(child, 2))
            equal(("cpuPercent" in first, second["cpuPercent"]), (False, 50.0))
        finally:
            child.kill()
            child.communicate()


def follow(bus, *args):
    before = len(bus.calls())
    child = bus.popen("events", *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
    time.sleep(0.5)  # GetAll is not logged; the first events below are repeated until they are seen
    equal(len(bus.calls()), before)
    return child


def test_events():
    with Bus() as bus:
        text, lines = follow(bus), follow(bus, "--format", "json", "--filter", "event=container-exited")
        try:
            create(bus, "exit_0")
            time = "2026-01-02T03:04:05.678901Z"
            equal(read_lines(text, 2), [time + " exit_0 created\n",
                                        time + " exit_0 container-exited container=exit_0 exit-status=3\n"])
            equal(json.loads(read_lines(lines, 1)[0]),
                  {"time": time, "event": "container-exited", "sandbox": "exit_0", "container": "exit_0", "exit-status": 3})
            # the daemon goes: we stay; the bus goes: we do not
            bus.processes[1].kill()
            equal(text.stderr.readline(), b"virtpod: events: virtpodd went away; waiting for it\n")
            bus.processes[0].kill()
            equal(text.wait(TIMEOUT), 1)
            equal(text.stderr.read(), b"virtpod: events: the bus went away\n")
        finally:
            for child in (text, lines):
                child.kill()
                child.communicate()


def test_console():
    with Bus() as bus:
        create(bus, "wait-1")
        raw = b"boot\r\n\x1b[31mred\x1b[0m \xc3\xa9 \xff\x07\n"
        equal(bus.run("logs", "--console", "wait-1").stdout, raw)
        equal(bus.run("console", "--tail-bytes", "3", "wait-1").stdout, raw[-3:])
        equal(bus.run("console", "--tail-bytes", "-1", "wait-1").stdout, raw)
        equal(bus.calls("OpenConsole"), [[{}], [{"follow": True, "tail-bytes": 3}], [{"follow": True}]])
        # on a terminal: no byte that it would act on
        master, slave = os.openpty()
        done = subprocess.run([VIRTPOD, "logs", "--console", "wait-1"], env=bus.environment(), stdout=slave, timeout=TIMEOUT)
        os.close(slave)
        equal((done.returncode, os.read(master, 1000)), (0, b"boot\r\nred \xc3\xa9 ??\r\n"))
        os.close(master)


def test_network():
    with Bus() as bus:
        create(bus, "wait-1")
        equal(ok(bus.run("network", "list", "wait-1")),
              "NAME  MAC                 MTU  ADDRESSES\neth0  02:00:00:00:00:0a  1400  10.0.0.2/24 fd00::2/64\n")
        rows = json.loads(ok(bus.run("network", "routes", "--json", "wait-1")))
        equal([(row["dest"], row["gateway"], row["device"], row["family"]) for row in rows],
              [("10.9.0.0/16", "", "eth0", "ipv4"), ("default", "10.0.0.1", "eth0", "ipv4")])
        for verb, family in (("iptables", "ipv4"), ("ip6tables", "ipv6")):
            equal(ok(bus.run("network", verb + "-save", "wait-1")), "*filter\n# %s\nCOMMIT\n" % family)
            equal(ok(bus.run("network", verb + "-restore", "wait-1", "-", stdin=b"*nat\nCOMMIT\n")), family + ": *nat\nCOMMIT\n")
        with tempfile.NamedTemporaryFile() as rules:
            rules.write("*raw # \u00e9\n".encode())
            rules.flush()
            equal(ok(bus.run("network", "iptables-restore", "wait-1", rules.name)), "ipv4: *raw # \u00e9\n")
            rules.write(b"\xff\n")
            rules.flush()
            done = bus.run("network", "iptables-restore", "wait-1", rules.name)
            equal(done.returncode, 1)
            contains(done.stderr, b"is no text in UTF-8")
        done = bus.run("network", "iptables-restore", "wait-1", "/nowhere/rules")
        equal(done.returncode, 1)
        contains(done.stderr, b"/nowhere/rules")
        done = bus.run("network", "list", "nobody")
        equal(done.returncode, 1)
        contains(done.stderr, b"virtpod: network nobody: ")


def test_logs_asks_the_journal():
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "journalctl"), "w", encoding="ascii") as tool:
            tool.write('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 4\n')
        os.chmod(os.path.join(folder, "journalctl"), 0o755)
        env = dict(os.environ, PATH=folder + ":" + os.environ["PATH"], VIRTPOD_BUS_ADDRESS="unix:path=/nonexistent")
        match = ["VIRTPOD_SANDBOX=web", "+", "VIRTPOD_CONTAINER=web"]
        cases = [
            (["web"], ["--output=short-iso"]),
            (["--follow", "-n", "5", "web"], ["--output=short-iso", "--follow", "--lines=5"]),
            (["-f", "web"], ["--output=short-iso", "--follow", "--lines=all"]),
            (["--format", "json", "-x", "--since", "-1h", "web"], ["--output=json", "--catalog", "--since=-1h"]),
        ]
        for args, expected in cases:
            done = subprocess.run([VIRTPOD, "logs", *args], env=env, capture_output=True, text=True)
            equal((done.returncode, done.stdout.splitlines(), done.stderr), (4, expected + match, ""))
        os.unlink(os.path.join(folder, "journalctl"))
        done = subprocess.run([VIRTPOD, "logs", "web"], env=dict(env, PATH=folder), capture_output=True, text=True)
        equal(done.returncode, 1)
        contains(done.stderr, "virtpod: logs web: journalctl: ")


def test_prune():
    with Bus() as bus:
        equal(ok(bus.run("prune", "--older-than", "1.5", "--dry-run")), "ID    KIND\nold   sandbox\ndone  container\n")
        equal(bus.calls("Prune"), [[{"older-than-usec": 1500000, "dry-run": True}]])


def test_check():
    with tempfile.TemporaryDirectory() as files:
        os.environ["MOCK_FILES"] = files
        with Bus() as bus:
            done = bus.run("check", "--no-headers")
            equal((done.returncode, done.stderr), (1, b""))
            rows = [line.split()[:2] for line in done.stdout.decode().splitlines()]
            # the mock's version is not ours
            equal(rows, [["bus", "ok"], ["virtpodd", "warning"], ["libvirt", "ok"], ["acceleration", "warning"]])
            open(os.path.join(files, "broken"), "w").close()
            done = bus.run("check")
            equal(done.returncode, 2)
            contains(done.stdout, b"guest-kernel  error    /vmlinux: ?[2Jno such file")
            rows = json.loads(bus.run("check", "--json").stdout)
            equal(rows[-1], {"check": "guest-kernel", "status": "error", "found": "/vmlinux: \x1b[2Jno such file",
                             "hint": "correct guest.kernel"})
        del os.environ["MOCK_FILES"]


def test_check_without_a_daemon():
    with Bus(mock=False) as bus:
        rows = {row["check"]: row for row in json.loads(bus.run("check", "--json").stdout)}
        equal(sorted(rows), ["bus", "kvm-device", "libvirt-socket", "virtpodd"])
        equal((rows["bus"]["status"], rows["virtpodd"]["status"]), ("ok", "error"))
        contains(rows["virtpodd"]["found"], "virtpodd is not running")
        equal(bus.run("check").returncode, 2)
    done = subprocess.run([VIRTPOD, "--address", "unix:path=/nonexistent/bus", "check", "--json"], capture_output=True)
    equal((done.returncode, done.stderr), (2, b""))
    rows = {row["check"]: row for row in json.loads(done.stdout)}
    equal(rows["bus"]["status"], "error")
    contains(rows["bus"]["hint"], "--address")


def test_errors_are_shown():
    """Whatever the daemon says to a new verb is printed as for the old ones."""
    with Bus() as bus:
        create(bus, "wait-update.NotSupported", "wait-stats.AgentUnavailable")
        done = bus.run("update", "--memory", "1m", "wait-update.NotSupported")
        equal((done.returncode, done.stderr),
              (1, b"virtpod: update wait-update.NotSupported: update: told to fail (NotSupported)\n"))
        done = bus.run("stats", "--no-stream", "wait-stats.AgentUnavailable")
        equal((done.returncode, done.stderr), (1, b"virtpod: stats: stats: told to fail (AgentUnavailable)\n"))


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
