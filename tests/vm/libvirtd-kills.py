#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libvirtd killed, and told to end, twenty times while containers run and are made:
nothing of what runs notices, and what was being asked fails cleanly or is done."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import tap
from env import Env
from tap import check, equal, took
from testdriver import Pending, eventually

KILLS = int(os.environ.get("VIRTPOD_LIBVIRTD_KILLS", "20"))
SEED = int(os.environ.get("VIRTPOD_TEST_SEED", "0")) or random.randrange(1 << 31)
# each round: what is under way when libvirtd goes, and the signal
WORK = ("exec", "create", "list", "stop", "delete", "wait")
COUNT = "i=0; while [ ! -e /tmp/end ]; do i=$((i+1)); echo $i; sleep 0.05; done; exit 7"


class World:
    counting = None    # a sandbox whose container counts
    numbers = []
    reader = None
    reconnects = []
    pids = {}


def read_numbers(fd):
    with os.fdopen(fd, encoding="ascii") as f:
        for line in f:
            World.numbers.append(int(line))


def start(env, args, **streams):
    sid = env.new_id()
    sandbox = env.manager.create_sandbox(sid, env.bundle(args), **streams)
    sandbox.start()
    container = env.manager.container(sid)
    container.start()
    return sandbox, container


def test_before(env):
    """a container that counts, and one to be asked"""
    tap.diagnose("seed %d" % SEED)
    random.seed(SEED)
    ours, theirs = os.pipe()
    World.counting, World.counter = start(env, ["sh", "-c", COUNT], stdout=theirs)
    os.close(theirs)
    World.reader = threading.Thread(target=read_numbers, args=(ours,))
    World.reader.start()
    World.asked, World.container = start(env, ["sleep", "10000"])
    World.pids = {sandbox.path: sandbox.get("HypervisorPid") for sandbox in (World.counting, World.asked)}


def works_without_libvirtd(env):
    """What has to go on: output, exec, exit status, state, answers at once."""
    ours, theirs = os.pipe()
    before = len(World.numbers)
    process = World.container.exec(["sh", "-c", "echo here; exit 5"], stdout=theirs)
    os.close(theirs)
    equal(process.wait(), 5, "status of an exec without libvirtd")
    with os.fdopen(ours, "rb") as f:
        equal(f.read(), b"here\n", "output of an exec without libvirtd")
    World.asked.ping()
    eventually(lambda: len(World.numbers) > before, "output without libvirtd")
    began = time.monotonic()
    env.raises("HypervisorUnavailable", lambda: World.asked.call("GetDomainXML", "(a{sv})", bus.options({"live": True})))
    took(began, 1, "a call without libvirtd")


def begin(env, work):
    """Puts something under way; what to do with it when libvirtd is back."""
    if work == "create":
        sandbox = env.manager.create_sandbox(env.new_id(), env.bundle(["sleep", "10000"]))
        call = Pending(sandbox, "Start", "(a{sv})", {})

        def finish():
            outcome = call.outcome()
            state = sandbox.get("State")
            check((outcome, state) in (("ok", "ready"), ("HypervisorUnavailable", "failed")),
                  "Start: %s, sandbox %s" % (outcome, state))
            sandbox.delete(force=True)
            return outcome
        return finish
    if work in ("stop", "delete"):
        sandbox, container = start(env, ["sleep", "10000"])
        wait = Pending(container, "Wait")
        call = (Pending(sandbox, "Stop", "(ta{sv})", 3000000, {}) if work == "stop" else
                Pending(sandbox, "Delete", "(a{sv})", bus.options({"force": True})))

        def finish():
            outcome = call.outcome()
            equal(outcome, "ok", work)
            equal(wait.result()[0], 137, "status")
            if work == "stop":
                equal(sandbox.get("State"), "stopped", "state")
                sandbox.delete()
            return outcome
        return finish
    if work == "exec":
        call = Pending(World.container, "Exec", "(sasa{sv})", "", ["true"], {})
    elif work == "list":
        call = Pending(env.manager, "ListSandboxes", "(a{ss})", {})
    else:
        call = Pending(World.container.exec(["sh", "-c", "sleep 1; exit 9"]), "Wait")

    def finish():
        equal(call.outcome(), "ok", work)
        if work == "wait":
            equal(call.reply[0], 9, "status")
        return "ok"
    return finish


def kill(env, number, signum):
    work = WORK[number % len(WORK)]
    finish = begin(env, work)
    delay = random.random() * (1.2 if work == "create" else 0.3)
    time.sleep(delay)
    env.libvirt.kill(signum)
    eventually(lambda: env.manager.get("HypervisorState") != "connected", "HypervisorState")
    works_without_libvirtd(env)
    outcome = finish() if work in ("stop", "delete") else None    # these do not need it
    env.libvirt.restart()
    began = time.monotonic()
    eventually(lambda: env.manager.get("HypervisorState") == "connected", "HypervisorState connected", 30)
    World.reconnects.append(time.monotonic() - began)
    outcome = outcome or finish()
    tap.diagnose("%s: %s while %s (%.0f ms in): %s" % (number, signal.Signals(signum).name, work, delay * 1000, outcome))
    equal({path: bus.Sandbox(env.manager.connection, path).get("HypervisorPid") for path in World.pids}, World.pids,
          "hypervisors")
    wanted = sorted(sandbox.get("DomainName") for sandbox in (World.counting, World.asked))
    eventually(lambda: env.libvirt.domains() == wanted, "domains %s" % wanted, 20)


def test_kills(env):
    """libvirtd killed and ended, 20 times, with something under way each time"""
    for number in range(KILLS):
        # each kind of work meets both signals
        kill(env, number, (signal.SIGKILL, signal.SIGTERM)[(number + number // len(WORK)) % 2])
    slow = sorted(World.reconnects)
    tap.diagnose("back %.2f s after libvirtd at worst, %.2f s as a rule" % (slow[-1], slow[len(slow) // 2]))


def test_died_meanwhile(env):
    """a hypervisor that dies while libvirtd is away is reported, and gone when it is back"""
    sandbox, container = start(env, ["sleep", "10000"])
    wait = Pending(container, "Wait")
    env.libvirt.kill(signal.SIGKILL)
    os.kill(sandbox.get("HypervisorPid"), signal.SIGKILL)
    equal(wait.result()[0], 137, "status")
    eventually(lambda: sandbox.get("State") == "lost", "lost sandbox")
    env.libvirt.restart()
    eventually(lambda: env.manager.get("HypervisorState") == "connected", "HypervisorState connected", 30)
    sandbox.delete()
    eventually(lambda: len(env.libvirt.domains()) == 2, "domains")


def test_nothing_lost(env):
    """no number is missing, and the statuses are the true ones"""
    World.counter.exec(["touch", "/tmp/end"])
    equal(World.counter.wait(), 7, "status")
    World.reader.join(300)
    check(len(World.numbers) > KILLS * 5, "only %d numbers" % len(World.numbers))
    equal(World.numbers, list(range(1, len(World.numbers) + 1)), "numbers")
    World.container.kill("KILL")
    equal(World.container.wait(), 137, "status")
    for sandbox in (World.counting, World.asked):
        sandbox.delete(force=True)
    eventually(lambda: env.libvirt.domains() == [], "domains", 20)
    left = subprocess.run(["pgrep", "-f", "guest=vp-t.*" + env.dir], stdout=subprocess.PIPE, text=True, check=False)
    equal(left.stdout, "", "hypervisors left")


if __name__ == "__main__":
    ENV = Env(libvirt="libvirtd")
    ENV.require()
    tap.run([test_before, test_kills, test_died_meanwhile, test_nothing_lost], ENV)
