# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpodd on libvirt's test driver: domains are only names, and each sandbox's
agent is one of fake_agent, which runs containers as processes of ours."""

import json
import os
import sys
import time

from gi.repository import Gio, GLib

import bus
import host
import tap
from env import Env
from fake_agent import AgentHouse

# the daemon ends at the first thing that GLib finds wrong with it
os.environ["G_DEBUG"] = "fatal-criticals"

DEADLINE = 60    # seconds; the machine may be busy


def pump():
    """Lets what has arrived for our callbacks be called; always true."""
    context = GLib.MainContext.default()
    while context.iteration(False):
        pass
    return True


def eventually(condition, what, timeout=DEADLINE):
    """As tap.eventually (), and signals and replies are let in meanwhile."""
    return tap.eventually(lambda: pump() and condition(), what, timeout)


class Pending:
    """A call that has been sent. Calls of one connection leave in the order they were made."""

    def __init__(self, target, method, signature="()", *args, timeout=DEADLINE, fds=()):
        self.method = method
        self.reply = None
        self.error = None
        self.cancellable = Gio.Cancellable()
        fd_list = Gio.UnixFDList.new()
        for fd in fds:
            fd_list.append(fd)
        target.connection.call_with_unix_fd_list(
            bus.NAME, target.path, target.interface, method, GLib.Variant(signature, tuple(args)), None,
            Gio.DBusCallFlags.NO_AUTO_START, timeout * 1000, fd_list, self.cancellable, self._finish)

    def _finish(self, connection, result):
        try:
            reply, _fds = connection.call_with_unix_fd_list_finish(result)
            self.reply = reply.unpack()
        except GLib.Error as error:
            self.error = bus.BusError(error)

    def done(self):
        pump()
        return self.reply is not None or self.error is not None

    def result(self):
        eventually(self.done, "reply to " + self.method)
        if self.error is not None:
            raise self.error
        return self.reply

    def outcome(self):
        """The name of the error, or "ok"."""
        eventually(self.done, "reply to " + self.method)
        return "ok" if self.error is None else self.error.name


class Signals:
    """Everything the daemon emits from now on: (path, interface, signal, arguments)."""

    def __init__(self, address):
        self.seen = []
        self.connection = bus.connect(address)
        self.connection.signal_subscribe(bus.NAME, None, None, None, None, Gio.DBusSignalFlags.NONE, self._on_signal)
        # whatever comes after the reply to this comes after the match rule
        bus.has_owner(self.connection)

    def _on_signal(self, _connection, _sender, path, interface, name, arguments):
        self.seen.append((path, interface, name, arguments.unpack()))

    def named(self, name, path=None):
        pump()
        return [entry for entry in self.seen if entry[2] == name and path in (None, entry[0])]

    def values(self, path, key):
        """The values a property of @path took, in order."""
        return [entry[3][1][key] for entry in self.named("PropertiesChanged", path) if key in entry[3][1]]

    def close(self):
        self.connection.close_sync(None)


class TestDriverEnv(Env):
    """@options as for Env; agents have faults by what tests put into .house. With
    @outlive the domains outlive the daemon."""

    def __init__(self, options=(), request_ms=20000, connect_ms=20000, stop_ms=5000, outlive=False):
        super().__init__("testd" if outlive else "test", ["--set", "agent.request-timeout-ms=%d" % request_ms,
                                  "--set", "agent.connect-timeout-ms=%d" % connect_ms,
                                  "--set", "agent.stop-timeout-ms=%d" % stop_ms, *options])
        self.house = None
        self.null = -1

    def start(self):
        super().start()
        self.null = os.open("/dev/null", os.O_RDWR)
        self.house = AgentHouse(os.path.join(self.state_dir, "sandboxes"))

    def stop(self):
        super().stop()
        if self.house is not None:
            self.house.stop()

    def begin_test(self):
        self._delete_sandboxes()
        super().begin_test()
        self.house.blind = False
        for faults in (self.house.fail, self.house.delay, self.house.mute):
            faults.clear()

    # ---- shorthand ------------------------------------------------------------

    def create(self, args=("true",), sid=None, **changes):
        """A sandbox of its own for @args: (Sandbox, its Container)."""
        streams = {key: changes.pop(key) for key in ("stdin", "stdout", "stderr", "labels") if key in changes}
        sandbox = self.manager.create_sandbox(sid or self.new_id("s"), self.bundle(args, **changes), **streams)
        return sandbox, self.manager.container(sandbox.get("Id"))

    def start_sandbox(self, args=("sleep", "1000"), run=True, **changes):
        sandbox, container = self.create(args, **changes)
        sandbox.start()
        if run:
            container.start()
        return sandbox, container

    def directory(self, sandbox):
        return os.path.join(self.state_dir, "sandboxes", sandbox.get("DomainName"))

    def agent(self, sandbox):
        name = sandbox.get("DomainName")
        return eventually(lambda: self.house.agents.get(name), "agent of " + name)

    def agent_of_directory(self, sid):
        """The agent of a sandbox when there is no daemon to ask."""
        return next(agent for name, agent in self.house.agents.items() if name.startswith("vp-%s-" % sid))

    def record(self, sandbox):
        with open(os.path.join(self.directory(sandbox), "record.json"), encoding="utf-8") as f:
            return json.load(f)

    def rss(self):
        """Kilobytes of memory the daemon has resident."""
        with open("/proc/%d/status" % self.daemon.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


host_mounts = host.mounts


def sanitized(env):
    """Whether the daemon is a sanitizer's build, whose memory says nothing."""
    with open("/proc/%d/maps" % env.daemon.pid, encoding="ascii", errors="replace") as f:
        maps = f.read()
    return "libasan" in maps or "libtsan" in maps


def read_all(fd):
    """Everything until the end of @fd, which it closes."""
    data = b""
    while True:
        piece = os.read(fd, 65536)
        if not piece:
            os.close(fd)
            return data
        data += piece


def now_usec():
    return int(time.time() * 1000000)


def main(tests, env):
    """The end of a test program. Names on the command line choose among @tests."""
    env.require()
    chosen = [test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    tap.run(chosen, env)
