# SPDX-License-Identifier: LGPL-2.1-or-later
"""Daemons that are made to fail at a chosen place, and what must be so afterwards."""

import glob
import os
import re
import tempfile

import bus
import env as environment
import host
import tap
from tap import check, equal
from testdriver import TestDriverEnv, eventually

POINT, TRACE = "VIRTPOD_FAILPOINT", "VIRTPOD_FAILPOINT_TRACE"
STANDING = ("created", "ready", "paused", "stopped", "failed", "lost")


def require_failpoints():
    """Ends the program as skipped when virtpodd has none."""
    program = environment.program("virtpodd")
    with tempfile.NamedTemporaryFile() as found:
        if program is not None:
            with open(program, "rb") as f:
                found.write(f.read())
        found.seek(0)
        if TRACE.encode() not in found.read():
            tap.skip_all("virtpodd has no failpoints: configure with --enable-failpoints")


class CrashEnv(TestDriverEnv):
    """Domains outlive the daemon, domains without a record go soon."""

    def __init__(self, options=(), **timeouts):
        super().__init__(["--set", "daemon.orphan-grace-ms=300", *options], outlive=True, **timeouts)
        self.known = {}    # container id -> status somebody was told
        self.made = {}     # bundles

    def bundle(self, args=("true",), **changes):
        """The same one for the same arguments: thousands would be too many links to one busybox."""
        key = repr((list(args), sorted(changes.items())))
        if key not in self.made:
            self.made[key] = super().bundle(args, **changes)
        return self.made[key]

    def use_machines(self, flavour):
        """Virtual machines instead of the test driver's names: "embed" or "libvirtd"."""
        self.flavour = flavour
        self.guest = True

    def begin_test(self):
        super().begin_test()
        self.house.blind = self.guest    # machines have agents of their own

    def start_armed(self, arm, trace=None):
        """Starts the daemon with failpoints; it may end before it serves: then False."""
        if arm:
            os.environ[POINT] = arm
        if trace:
            os.environ[TRACE] = trace
        try:
            self.start_daemon()
        except (tap.Failure, bus.BusError):
            if self.daemon.poll() is None:
                raise
            return False
        finally:
            os.environ.pop(POINT, None)
            os.environ.pop(TRACE, None)
        return True

    def end_daemon(self):
        """By KILL, if it has not ended."""
        if self.daemon is not None:
            self.stop_daemon(kill=True)

    def remember(self, cid, status):
        self.known[cid] = status
        return status

    # ---- what must be so -------------------------------------------------------

    def check_all(self):
        """Everything stands, statuses are right, and the host has what belongs to
        a sandbox and nothing else. With a daemon that has no failpoint armed."""
        rows = self.manager.sandboxes()
        running = set()
        names = set()
        for row in rows:
            sandbox = bus.Sandbox(self.manager.connection, row[-1])
            state = sandbox.get("State")
            check(state in STANDING, "sandbox %s is %s" % (row[0], state))
            names.add(sandbox.get("DomainName"))
            if state in ("ready", "paused"):
                running.add(sandbox.get("DomainName"))
                equal(sandbox.get("AgentState"), "ready", "agent of " + row[0])
            self.check_containers(row[0], state)
        eventually(lambda: self.domains() == running, "domains are those of %s" % sorted(running))
        eventually(lambda: self.directories() == names, "directories are those of %s" % sorted(names))
        for mount in host.mounts():
            if self.state_dir + "/sandboxes/" in mount:
                name = mount.split(self.state_dir + "/sandboxes/")[1].split("/")[0]
                check(name in running, "mount of what does not run: " + mount)

    def check_containers(self, sid, state):
        for row in self.manager.containers(sandbox=sid):
            container = bus.Container(self.manager.connection, row[-1])
            now = container.get("State")
            if state in ("stopped", "failed", "lost"):
                equal(now, "stopped", "container %s in a %s sandbox" % (row[0], state))
            if row[0] in self.known and now == "stopped":
                equal(container.get("ExitStatus"), self.known[row[0]], "status of " + row[0])

    def domains(self):
        return set(self.libvirt.domains()) - {"test"}

    def directories(self):
        return set(os.listdir(os.path.join(self.state_dir, "sandboxes")))

    def remove_all(self):
        """Every sandbox can be deleted, and nothing is left of any."""
        for row in self.manager.sandboxes():
            bus.Sandbox(self.manager.connection, row[-1]).delete(force=True)
        equal(self.manager.sandboxes(), [], "sandboxes")
        equal(self.manager.objects(), {}, "objects")
        eventually(lambda: not self.directories(), "no directory")
        eventually(lambda: not self.domains(), "no domain")
        equal([m for m in host.mounts() if self.state_dir + "/sandboxes/" in m], [], "mounts")
        eventually(lambda: self.guest or not self.house.agents, "no agent")
        eventually(lambda: not self.stray(), "no process of a container")
        self.known.clear()

    def stray(self):
        return [entry[2] for entry in host.family().values() if entry[1] != "Z" and "sleep 98765" in entry[2]
                and "virtpodd" not in entry[2]]

    def after_crash(self):
        """Whatever happened to the daemon: the next one, twice."""
        for _ in range(2):
            self.end_daemon()
            self.start_daemon()
            self.check_all()
        self.remove_all()


def points_of_source():
    """The names of all that the source has: those that are written there, and those of steps."""
    names = set()
    for folder in ("daemon", "drivers", "lib", "model"):
        for path in glob.glob(os.path.join(environment.srcdir, folder, "**/*.c"), recursive=True):
            with open(path, encoding="utf-8") as f:
                text = f.read()
            for line in text.splitlines():
                if "VP_FAILPOINT" in line:
                    names.update(re.findall(r'"([a-z-]+(?:\.[a-z-]+)+)"', line))
            for table in re.findall(r"\bVpStep \w+\[\] = \{(.*?)\n\};", text, re.DOTALL):
                names.update("step.%s.%s" % (step, what) for step in re.findall(r'\{ "([a-z-]+)",', table)
                             for what in ("run.before", "run.after", "undo.before", "undo.after"))
    return names


def trace_of(path):
    """Names passed, each once, in the order they came first."""
    try:
        with open(path, encoding="ascii") as f:
            return list(dict.fromkeys(f.read().split()))
    except FileNotFoundError:
        return []


def run_quietly(steps):
    """Does all of @steps, whatever the one before came to; the names of the errors."""
    outcomes = []
    for step in steps:
        try:
            step()
            outcomes.append("ok")
        except bus.BusError as error:
            outcomes.append(error.name)
    return outcomes


__all__ = ["CrashEnv", "points_of_source", "require_failpoints", "run_quietly", "trace_of"]
