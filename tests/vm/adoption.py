#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# alone: it times to 20 ms when the end of a guest is told
"""Virtual machines outlive the daemon: KILL and TERM while a container talks."""

import os
import select
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import host
import tap
from env import Env
from service_manager import ServiceManager
from tap import check, equal, eventually

# a line now and then, each with its number; ends when told to
COUNTER = "n=0; while [ ! -e /tmp/end ]; do echo line $n; n=$((n+1)); sleep 0.05; done; echo last $n; exit 7"


class ManagedEnv(ServiceManager, Env):
    pass


class Shared:
    reader = -1
    text = b""


def more(env):
    """Reads what is there of the container's output; the complete lines so far."""
    while True:
        try:
            piece = os.read(Shared.reader, 65536)
        except BlockingIOError:
            break
        if not piece:
            break
        Shared.text += piece
    return Shared.text.split(b"\n")[:-1]


def attach(container, **which):
    (indices,), ends = container.call_with_fds("Attach", "(a{sv})", (bus.options(which),))
    return {name: ends[index] for name, index in indices.items()}


def start_counter(env, sid):
    path = env.path("out-" + sid)
    os.mkfifo(path)
    Shared.reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    Shared.text = b""
    sandbox = env.manager.create_sandbox(sid, env.bundle(["sh", "-c", COUNTER], mounts=[
        {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}]), **{"stdout-path": path})
    sandbox.start()
    env.manager.container(sid).start()
    eventually(lambda: len(more(env)) >= 5, "output", 30)
    return sandbox


def end_counter(env, sid):
    env.manager.sandbox(sid).delete(force=True)
    os.close(Shared.reader)
    os.unlink(env.path("out-" + sid))


def check_lines(env, count):
    """Each of @count lines has come, once and in order."""
    numbers = [int(line.split()[1]) for line in more(env)[:count]]
    equal(numbers, list(range(count)), "lines")


def test_start(env):
    """a container that writes to a FIFO"""
    start_counter(env, "one")


def after_restart(env, sid="one"):
    """What has to be so after every restart."""
    sandbox = env.manager.sandbox(sid)
    equal((sandbox.get("State"), sandbox.get("AgentState")), ("ready", "ready"), "states")
    check(sandbox.get("HypervisorPid") > 0, "pid")
    own = env.manager.container(sid)
    equal(own.get("State"), "running", "container")
    lines = len(more(env))
    eventually(lambda: len(more(env)) >= lines + 5, "more output", 30)
    out, inner = os.pipe()
    process = own.exec(["sh", "-c", "echo exec works; exit 5"], stdout=inner)
    os.close(inner)
    equal(process.wait(), 5, "status of an exec")
    equal(os.read(out, 100), b"exec works\n", "output of an exec")
    os.close(out)
    return own


def test_kill(env):
    """KILL, three times: output, exec and states go on; the second time its descriptors are lost"""
    for turn in range(3):
        eventually(lambda: len(env.agents()) == 1, "a kept connection to the agent")
        env.stop_daemon(kill=True)
        if turn == 1:
            env.drop_all()
        time.sleep(0.3)
        started = time.monotonic()
        env.start_daemon()
        print("# daemon start with a sandbox: %.0f ms" % ((time.monotonic() - started) * 1000))
        after_restart(env)


def test_term(env):
    """TERM leaves the virtual machine running"""
    pid = env.manager.sandbox("one").get("HypervisorPid")
    equal(env.stop_daemon(), 0, "status")
    os.kill(pid, 0)
    env.start_daemon()
    after_restart(env)
    equal(env.manager.sandbox("one").get("HypervisorPid"), pid, "the same process")


def test_second(env):
    """a second container before, one after; an exec with a terminal lives through"""
    sandbox = env.manager.sandbox("one")
    sandbox.create_container("two", env.bundle(["sleep", "1000"])).start()
    sandbox.create_container("idle", env.bundle(["sh", "-c", "exit 6"]))
    shell = env.manager.container("two").exec(["cat"], exec_id="cat", terminal=True)
    equal(shell.get("State"), "running", "exec")
    env.stop_daemon(kill=True)
    env.start_daemon()
    two = env.manager.container("two")
    equal(two.get("State"), "running", "two")
    shell = bus.Process(two.connection, two.call("GetProcess", "(s)", "cat"))
    equal((shell.get("State"), shell.get("Terminal")), ("running", True), "exec")
    shell.kill("KILL")
    equal(shell.wait(), 137, "status of the exec")
    idle = env.manager.container("idle")
    equal(idle.get("State"), "created", "idle")
    idle.start()
    equal(idle.wait(), 6, "status of what was created before and started after")
    idle.delete()
    two.kill("KILL")
    equal(two.wait(), 137, "status of two")
    two.delete()
    third = env.manager.sandbox("one").create_container("three", env.bundle(["sh", "-c", "exit 3"]))
    third.start()
    equal(third.wait(), 3, "status of three")
    third.delete()


def test_exit_meanwhile(env):
    """an end that nobody saw: its status, and every line once and in order"""
    own = env.manager.container("one")
    own.exec(["sh", "-c", "sleep 1; touch /tmp/end"], exec_id="ender")
    env.stop_daemon(kill=True)
    time.sleep(2.5)
    env.start_daemon()
    own = env.manager.container("one")
    equal(own.wait(), 7, "status")
    ender = bus.Process(own.connection, own.call("GetProcess", "(s)", "ender"))
    equal(ender.wait(), 0, "status of the exec")
    eventually(lambda: more(env)[-1].startswith(b"last"), "the last line")
    lines = more(env)
    count = int(lines[-1].split()[1])
    numbers = [int(line.split()[1]) for line in lines[:-1]]
    doubled = len(numbers) - len(set(numbers))
    print("# %d lines, %d doubled" % (count, doubled))
    equal(sorted(set(numbers)), list(range(count)), "lines lost")
    check(doubled == 0, "%d lines came twice" % doubled)
    sandbox = env.manager.sandbox("one")
    sandbox.stop()
    equal(sandbox.get("State"), "stopped", "state")
    end_counter(env, "one")


def goes_on(env, sid):
    """A machine that stood still, and whose daemon is another now, does all it did."""
    sandbox = env.manager.sandbox(sid)
    sandbox.call("Resume")
    equal(sandbox.get("State"), "ready", "state")
    eventually(lambda: sandbox.get("AgentState") == "ready", "its agent", 60)
    after_restart(env, sid)
    check_lines(env, len(more(env)))


def test_paused(env):
    """a machine that stands still when the daemon is killed, twice: it still does, and goes on when told"""
    start_counter(env, "still")
    pid = env.manager.sandbox("still").get("HypervisorPid")
    env.manager.sandbox("still").call("Pause")
    for _ in range(2):
        env.stop_daemon(kill=True)
        started = time.monotonic()
        env.start_daemon()
        print("# daemon start with a paused sandbox: %.0f ms" % ((time.monotonic() - started) * 1000))
        sandbox = env.manager.sandbox("still")
        equal((sandbox.get("State"), sandbox.get("HypervisorPid")), ("paused", pid), "sandbox")
        equal(env.manager.container("still").get("State"), "running", "container")
        env.raises("InvalidState", lambda: env.manager.container("still").exec(["true"]))
        lines = len(more(env))
        time.sleep(1)
        check(len(more(env)) <= lines, "it runs")
    goes_on(env, "still")
    # and once more after it went on, which is not the first time for the agent
    env.manager.sandbox("still").call("Pause")
    env.stop_daemon()
    env.start_daemon()
    goes_on(env, "still")
    end_counter(env, "still")


def test_paused_and_ended(env):
    """paused when the daemon is killed: stopped by the next one, or lost as it died"""
    for dies in (False, True):
        before = env.snapshot()
        sid = "ends%d" % dies
        sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "1000"]))
        sandbox.start()
        env.manager.container(sid).start()
        sandbox.call("Pause")
        pid = sandbox.get("HypervisorPid")
        env.stop_daemon(kill=True)
        if dies:
            os.kill(pid, 9)
            eventually(lambda: not os.path.exists("/proc/%d" % pid), "its end")
        env.start_daemon()
        sandbox = env.manager.sandbox(sid)
        equal(sandbox.get("State"), "lost" if dies else "paused", "state")
        sandbox.stop()
        equal(sandbox.get("State"), "lost" if dies else "stopped", "state in the end")
        equal(env.manager.container(sid).wait(), 137, "status")
        sandbox.delete()
        env.no_leaks(before)


def test_died_meanwhile(env):
    """a hypervisor that dies while no daemon runs: lost, 137, nothing left"""
    before = env.snapshot()
    sandbox = env.manager.create_sandbox("dies", env.bundle(["sleep", "1000"]))
    sandbox.start()
    env.manager.container("dies").start()
    pid = sandbox.get("HypervisorPid")
    env.stop_daemon(kill=True)
    os.kill(pid, 9)
    eventually(lambda: not os.path.exists("/proc/%d" % pid), "its end")
    env.start_daemon()
    sandbox = env.manager.sandbox("dies")
    equal(sandbox.get("State"), "lost", "state")
    equal(env.manager.container("dies").wait(), 137, "status")
    equal([m for m in host.mounts() if env.state_dir in m], [], "mounts")
    sandbox.delete()
    env.no_leaks(before)


def test_end_is_seen(env):
    """the end of a hypervisor is told within 20 ms, by the daemon that made it and by one that adopted it"""
    for adopted in (False, True):
        times = []
        for number in range(3):
            sid = "end%d%d" % (adopted, number)
            sandbox = env.manager.create_sandbox(sid, env.bundle(["sleep", "1000"]))
            sandbox.start()
            env.manager.container(sid).start()
            if adopted:
                env.stop_daemon(kill=True)
                env.start_daemon()
            container = env.manager.container(sid)
            pidfd = os.pidfd_open(env.manager.sandbox(sid).get("HypervisorPid"))
            answers = []
            waiter = threading.Thread(target=lambda c=container: answers.append((c.wait(), time.monotonic())))
            waiter.start()
            time.sleep(0.3)
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            select.select([pidfd], [], [])
            ended = time.monotonic()
            waiter.join(300)
            os.close(pidfd)
            status, told = answers[0]
            equal(status, 137, "status")
            times.append((told - ended) * 1000)
            env.manager.sandbox(sid).delete(force=True)
        print("# %s: told %s ms after the process ended" % ("adopted" if adopted else "own", ", ".join("%.1f" % t for t in times)))
        # the best of three: the machine may be busy
        check(min(times) < 20 * tap.slack(), "it took at least %.0f ms" % min(times))


ALL = [test_start, test_kill, test_term, test_second, test_exit_meanwhile, test_paused, test_paused_and_ended,
       test_died_meanwhile, test_end_is_seen]

if __name__ == "__main__":
    ENV = ManagedEnv(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"))
    ENV.require()
    tap.run([test for test in ALL if not sys.argv[1:] or test.__name__ in sys.argv[1:]], ENV)
