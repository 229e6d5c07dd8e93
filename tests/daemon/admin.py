#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon itself: jobs, draining, another configuration, the log's control, what systemd is told."""

import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import fake_agent
import testdriver
from gi.repository import GLib
from tap import Skip, check, equal
from testdriver import Pending, Signals, TestDriverEnv, eventually

INVALID = "InvalidArgument"
MOMENT = 0.2    # seconds until a call is a job


def on():
    return GLib.Variant("b", True)


class Target(bus.Object):
    def __init__(self, connection, path, interface):
        super().__init__(connection, path)
        self.interface = interface

    def set(self, key, value):
        try:
            self.connection.call_sync(bus.NAME, self.path, "org.freedesktop.DBus.Properties", "Set",
                                      GLib.Variant("(ssv)", (self.interface, key, GLib.Variant("s", value))), None, 0, 120000, None)
        except GLib.Error as error:
            raise bus.BusError(error) from None


def log_control(env):
    return Target(env.manager.connection, "/org/freedesktop/LogControl1", "org.freedesktop.LogControl1")


# ---- jobs ------------------------------------------------------------------------


def jobs(env):
    return [path for path in env.manager.objects() if path.startswith("/org/virtpod/job/")]


def slow_start(env, seconds):
    """A start that takes so long: (sandbox, the call, the job once it is there)."""
    env.house.delay["CreateSandbox"] = seconds
    sandbox, _container = env.create(["true"])
    call = Pending(sandbox, "Start", "(a{sv})", {})
    eventually(lambda: jobs(env), "job")
    return sandbox, call, Target(env.manager.connection, jobs(env)[0], "org.virtpod.Job1")


def test_job(env):
    """a long start is a job as long as it takes"""
    signals = Signals(env.address)
    begun = testdriver.now_usec()
    sandbox, call, job = slow_start(env, 1.5)
    equal(job.get("Operation"), "start", "operation")
    equal(job.get("Objects"), [sandbox.path], "objects")
    equal((job.get("StartedByUid"), job.get("Cancelable")), (0, True), "who")
    check(begun <= job.get("StartTime") <= testdriver.now_usec(), "start time")
    eventually(lambda: job.get("Stage") == "agent" or job.get("Stage") == "console", "stage")
    check(job.get("ProgressValid") and 0 < job.get("Progress") < 1, "progress: %s" % job.get("Progress"))
    call.result()
    equal(sandbox.get("State"), "ready", "state")
    eventually(lambda: not jobs(env), "end of the job")
    eventually(lambda: signals.named("Completed", job.path), "signal")
    equal(signals.named("Completed", job.path)[0][3], ("", ""), "outcome")
    signals.close()
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_job_cancel(env):
    """cancelling it undoes it, and the call says so"""
    signals = Signals(env.address)
    sandbox, call, job = slow_start(env, 3)
    job.call("Cancel")
    equal(call.outcome(), "Cancelled", "start")
    equal(sandbox.get("State"), "failed", "state")
    eventually(lambda: signals.named("Completed", job.path), "signal")
    equal(signals.named("Completed", job.path)[0][3][0], "org.virtpod.Error.Cancelled", "outcome")
    signals.close()
    env.house.delay.clear()
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_job_not_cancelable(env):
    """a stop runs to its end"""
    sandbox, _container = env.start_sandbox()
    env.agent(sandbox).delay["DestroySandbox"] = 1.5
    call = Pending(sandbox, "Stop", "(ta{sv})", 10000000, {})
    eventually(lambda: jobs(env), "job")
    job = Target(env.manager.connection, jobs(env)[0], "org.virtpod.Job1")
    equal((job.get("Operation"), job.get("Cancelable")), ("stop", False), "job")
    env.raises("NotSupported", lambda: job.call("Cancel"))
    call.result()
    sandbox.delete()


def copies(env):
    """A container whose agent takes archives to their end, and never begins with one of its own."""
    script = env.path("tar")
    with open(script, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n[ $1 = extract ] && exec cat >/dev/null\nexec sleep 1000\n")
    os.chmod(script, 0o755)
    fake_agent.PROGRAMS["virtpod:tar"] = script
    return env.start_sandbox()


def test_job_copy(env):
    """a copy is a job of its container until the call is answered"""
    signals = Signals(env.address)
    sandbox, container = copies(env)
    source, archive = os.pipe()
    call = Pending(container, "CopyIn", "(hsa{sv})", 0, "/tmp", {}, fds=[source])
    os.close(source)
    eventually(lambda: jobs(env), "job")
    job = Target(env.manager.connection, jobs(env)[0], "org.virtpod.Job1")
    equal((job.get("Operation"), job.get("Objects"), job.get("Cancelable")), ("copy-in", [container.path], True), "job")
    os.write(archive, b"x" * 1000)
    os.close(archive)
    call.result()
    eventually(lambda: signals.named("Completed", job.path), "signal")
    equal(signals.named("Completed", job.path)[0][3], ("", ""), "outcome")
    equal(jobs(env), [], "jobs")
    signals.close()
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_job_copy_cancel(env):
    """a copy that is cancelled ends, in the guest too, and the container goes on"""
    signals = Signals(env.address)
    sandbox, container = copies(env)
    source, archive = os.pipe()
    for operation, call in (("copy-in", lambda: Pending(container, "CopyIn", "(hsa{sv})", 0, "/tmp", {}, fds=[source])),
                            ("copy-out", lambda: Pending(container, "CopyOut", "(sa{sv})", "/tmp", {}))):
        call = call()
        eventually(lambda: jobs(env), "job")
        job = Target(env.manager.connection, jobs(env)[0], "org.virtpod.Job1")
        equal((job.get("Operation"), job.get("Cancelable")), (operation, True), "job")
        job.call("Cancel")
        equal(call.outcome(), "Cancelled", operation)
        eventually(lambda: signals.named("Completed", job.path), "signal")
        equal(signals.named("Completed", job.path)[0][3][0], "org.virtpod.Error.Cancelled", "outcome")
        eventually(lambda: not jobs(env), "end of the job")
    os.close(source)
    os.close(archive)
    signals.close()
    equal(container.get("State"), "running", "state")
    sandbox.delete(force=True)
    env.no_leaks(env.before)


def test_short_calls_are_no_jobs(env):
    """what takes no time costs nobody a signal"""
    def timed(call):
        began = time.monotonic()
        result = call()
        times.append(time.monotonic() - began)
        return result

    for _ in range(50):
        signals, times = Signals(env.address), []
        sandbox, _container = timed(env.create)
        timed(sandbox.start)
        timed(lambda: sandbox.delete(force=True))
        eventually(lambda: signals.named("InterfacesRemoved"), "signals")
        added = str(signals.named("InterfacesAdded"))
        signals.close()
        # they were none, if the machine is not too busy for that
        if max(times) < MOMENT:
            check("/org/virtpod/job/" not in added, "jobs: " + added)
            return
    raise Skip("no call was short")


# ---- draining --------------------------------------------------------------------


def test_drain(env):
    """no new sandboxes, and the old ones go on"""
    sandbox, _container = env.start_sandbox()
    signals = Signals(env.address)
    env.manager.call("Drain", "(a{sv})", {})
    equal(env.manager.get("Draining"), True, "property")
    eventually(lambda: signals.values(bus.MANAGER, "Draining") == [True], "signal")
    env.raises("InvalidState", lambda: env.create(["true"]), "draining")
    equal(sandbox.get("State"), "ready", "state")
    sandbox.create_container(env.new_id("c"), env.bundle(["true"]))
    env.manager.call("Drain", "(a{sv})", {})
    env.manager.call("Drain", "(a{sv})", {"off": on()})
    equal(env.manager.get("Draining"), False, "property")
    env.raises(INVALID, lambda: env.manager.call("Drain", "(a{sv})", {"of": on()}))
    env.raises(INVALID, lambda: env.manager.call("Drain", "(a{sv})", {"off": on(), "wait": on()}))
    other, _container = env.create(["true"])
    other.delete()
    sandbox.delete(force=True)
    signals.close()
    env.no_leaks(env.before)


def test_drain_wait(env):
    """it may wait for the last one, until somebody thinks better of it or leaves"""
    sandbox, _container = env.start_sandbox()
    call = Pending(env.manager, "Drain", "(a{sv})", {"wait": on()})
    connection = bus.connect(env.address)
    Pending(bus.Manager(connection), "Drain", "(a{sv})", {"wait": on()})
    eventually(lambda: env.manager.get("Draining"), "draining")
    connection.flush_sync(None)
    connection.close_sync(None)
    check(not call.done(), "it did not wait")
    sandbox.delete(force=True)
    call.result()
    call = Pending(env.manager, "Drain", "(a{sv})", {"wait": on()})
    call.result()
    env.manager.call("Drain", "(a{sv})", {"off": on()})
    sandbox, _container = env.create(["true"])
    call = Pending(env.manager, "Drain", "(a{sv})", {"wait": on()})
    eventually(lambda: env.manager.get("Draining"), "draining")
    env.manager.call("Drain", "(a{sv})", {"off": on()})
    equal(call.outcome(), "Cancelled", "drain")
    sandbox.delete()


# ---- another configuration ---------------------------------------------------------


def configure(env, text):
    with open(env.path("virtpod.conf"), "w", encoding="ascii") as f:
        f.write(text)


def setting(env, key):
    return {row[0]: row[1:] for row in env.manager.call("GetConfig", "(s)", "")}[key]


def test_reload(env):
    """by the bus and by a signal; what is there keeps what it has"""
    signals = Signals(env.address)
    sandbox, _container = env.start_sandbox()
    configure(env, "[hypervisor]\nmemory-mib=384\n[daemon]\nsocket=other.sock\n[handler big]\nhypervisor.vcpus=2\n")
    env.manager.call("Reload")
    equal(setting(env, "hypervisor.memory-mib")[0], "384", "memory")
    equal(env.manager.get("RuntimeHandlers"), ["default", "big"], "handlers")
    eventually(lambda: signals.values(bus.MANAGER, "RuntimeHandlers"), "signal")
    equal(setting(env, "daemon.socket")[0], "virtpod.sock", "what stays")
    check("until the daemon is started again" in env.diagnostics(), "what stays is in the log")
    equal(sandbox.get("MemoryBytes"), 256 << 20, "what is there")
    other, _container = env.start_sandbox(run=False)
    equal(other.get("MemoryBytes"), 384 << 20, "what is new")

    configure(env, "[hypervisor]\nmemory-mib=lots\n")
    env.raises("ConfigError", lambda: env.manager.call("Reload"), "memory-mib")
    equal(setting(env, "hypervisor.memory-mib")[0], "384", "memory")
    os.kill(env.daemon.pid, signal.SIGHUP)
    eventually(lambda: "configuration not read again" in env.diagnostics(), "log")
    configure(env, "[hypervisor]\nmemory-mib=320\n")
    os.kill(env.daemon.pid, signal.SIGHUP)
    eventually(lambda: setting(env, "hypervisor.memory-mib")[0] == "320", "SIGHUP")
    configure(env, "")
    env.manager.call("Reload")
    equal(env.manager.get("RuntimeHandlers"), ["default"], "handlers")
    for each in (sandbox, other):
        each.delete(force=True)
    signals.close()
    env.no_leaks(env.before)


# ---- the log -------------------------------------------------------------------------


def test_log_level(env):
    """syslog's words, at once, and back"""
    control = log_control(env)
    equal(control.get("SyslogIdentifier"), "virtpodd", "identifier")
    equal(control.get("LogLevel"), "debug", "level")
    for level, shown in (("err", "err"), ("crit", "err"), ("warning", "warning"), ("notice", "notice"), ("info", "info")):
        control.set("LogLevel", level)
        equal(control.get("LogLevel"), shown, level)
    control.set("LogLevel", "err")
    size = os.path.getsize(env.path("virtpodd.log"))
    sandbox, _container = env.start_sandbox()
    sandbox.delete(force=True)
    equal(os.path.getsize(env.path("virtpodd.log")), size, "log")
    env.raises(INVALID, lambda: control.set("LogLevel", "loud"), "loud")
    env.raises(INVALID, lambda: control.set("LogLevel", ""))
    equal(control.get("LogLevel"), "err", "level")
    control.set("LogLevel", "debug")


def test_log_target(env):
    """where it goes"""
    control = log_control(env)
    equal(control.get("LogTarget"), "console", "target")
    control.set("LogTarget", "null")
    size = os.path.getsize(env.path("virtpodd.log"))
    sandbox, _container = env.start_sandbox()
    sandbox.delete(force=True)
    equal(os.path.getsize(env.path("virtpodd.log")), size, "log")
    env.raises(INVALID, lambda: control.set("LogTarget", "printer"), "printer")
    equal(control.get("LogTarget"), "null", "target")
    control.set("LogTarget", "auto")
    equal(control.get("LogTarget"), "console", "target")
    env.manager.call("Drain", "(a{sv})", {})
    env.manager.call("Drain", "(a{sv})", {"off": on()})
    check(os.path.getsize(env.path("virtpodd.log")) > size, "log")


# ---- systemd ---------------------------------------------------------------------------


def test_notifications(env):
    """READY, RELOADING and READY again, WATCHDOG from the main loop, STOPPING"""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(env.path("notify"))
    notify.settimeout(60)
    env.stop_daemon()
    begun = time.monotonic()
    os.environ.update(NOTIFY_SOCKET=env.path("notify"), WATCHDOG_USEC="400000")
    try:
        env.start_daemon()
    finally:
        del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]
    heard = []

    def wait_for(line, enough=1):
        deadline = time.monotonic() + 60
        while len([h for h in heard if line in h]) < enough and time.monotonic() < deadline:
            heard.append(notify.recv(4096).decode().split("\n"))
        check(len([h for h in heard if line in h]) >= enough, "%s: %s" % (line, heard))

    def drain():
        notify.setblocking(False)
        try:
            while True:
                notify.recv(4096)
        except BlockingIOError:
            pass

    wait_for("READY=1")
    begun = time.monotonic()
    drain()
    notify.settimeout(60)
    heard.clear()
    wait_for("WATCHDOG=1", 6)
    check(time.monotonic() - begun > 0.8, "pings")
    # a main loop that does not run is not reported as one that does
    os.kill(env.daemon.pid, signal.SIGSTOP)
    time.sleep(0.5)
    drain()
    time.sleep(0.7)
    try:
        check(False, "pinged by nobody: %s" % notify.recv(4096))
    except BlockingIOError:
        pass
    notify.settimeout(60)
    os.kill(env.daemon.pid, signal.SIGCONT)
    heard.clear()
    os.kill(env.daemon.pid, signal.SIGHUP)
    wait_for("RELOADING=1")
    check([h for h in heard if "RELOADING=1" in h][0][1].startswith("MONOTONIC_USEC="), "time")
    wait_for("READY=1")
    env.stop_daemon()
    wait_for("STOPPING=1")
    notify.close()
    env.start_daemon()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]


class AdminEnv(TestDriverEnv):
    """With a configuration file, empty at first."""

    def start_daemon(self, timeout=60):
        if not os.path.exists(self.path("virtpod.conf")):
            configure(self, "")
            self.options += ["--config", self.path("virtpod.conf")]
        super().start_daemon(timeout)


if __name__ == "__main__":
    testdriver.main(TESTS, AdminEnv())
