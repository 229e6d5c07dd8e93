#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The daemon is killed at random moments while clients work; after each kill the next
daemon has everything that was told to anybody, and nothing leaks.

VIRTPOD_KILLS: how many (default 100), VIRTPOD_SEED: to have the same ones again.
VIRTPOD_TEST_LIBVIRT=embed or libvirtd: with virtual machines (default 5 kills then)."""

import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bus
import tap
from crash import CrashEnv
from tap import check, equal, eventually

FLAVOUR = os.environ.get("VIRTPOD_TEST_LIBVIRT", "testd")
MACHINES = FLAVOUR != "testd"
KILLS = int(os.environ.get("VIRTPOD_KILLS", "5" if MACHINES else "100"))
SEED = int(os.environ.get("VIRTPOD_SEED", str(random.randrange(1 << 32))))
CLIENTS = 2 if MACHINES else 4
LOCK = threading.Lock()
MANY = 20
LONGEST = 20.0 if MACHINES else 1.0    # seconds from a daemon that serves to its end


class Client(threading.Thread):
    """Lives of sandboxes, one after the other, until there is no daemon. What it was
    told it writes down: that is what a daemon must not lose."""

    def __init__(self, env, seed):
        super().__init__()
        self.env = env
        self.random = random.Random(seed)
        self.ready = set()       # sandboxes it was told are ready, and did not ask to end
        self.statuses = {}       # container -> status it was told
        self.wrong = []

    def run(self):
        try:
            connection = bus.connect(self.env.address)
            manager = bus.Manager(connection)
            while True:
                self.live(manager)
        except bus.BusError as error:
            if error.name.rsplit(".", 1)[-1] not in ("NoReply", "ServiceUnknown", "NameHasNoOwner", "Disconnected"):
                self.wrong.append(str(error))

    def live(self, manager):
        env = self.env
        code = self.random.randrange(1, 100)
        with LOCK:
            sid, cid = env.new_id("k"), env.new_id("c")
            bundles = env.bundle(["sleep", "98765"]), env.bundle(["sh", "-c", "exit %d" % code])
        sandbox = manager.create_sandbox(sid, bundles[0])
        sandbox.start()
        self.ready.add(sid)
        manager.container(sid).start()
        second = sandbox.create_container(cid, bundles[1])
        second.start()
        self.statuses[cid] = second.wait()
        if self.statuses[cid] != code:
            self.wrong.append("%s: status %d, not %d" % (cid, self.statuses[cid], code))
        status = manager.container(sid).exec(["sh", "-c", "exit %d" % code]).wait()
        if status != code:
            self.wrong.append("exec: status %d, not %d" % (status, code))
        if self.random.random() < 0.5:
            self.ready.discard(sid)
            sandbox.stop()
            if self.random.random() < 0.7:
                self.statuses.pop(cid)
                sandbox.delete()


def test_kills(env):
    """random kills under load"""
    print("# seed %d, %d kills" % (SEED, KILLS), flush=True)
    chance = random.Random(SEED)
    slowest = 0.0
    adopted = 0
    for number in range(KILLS):
        clients = [Client(env, chance.randrange(1 << 32)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        if MACHINES and number == 0:
            # however slow the machine is, there is something to adopt
            eventually(lambda: any(client.ready for client in clients), "a sandbox that is ready", 120)
        time.sleep(chance.random() * LONGEST)
        env.end_daemon()
        for client in clients:
            client.join(60)
            check(not client.is_alive(), "a client hangs")
            equal(client.wrong, [], "answers in round %d" % number)
            env.known.update(client.statuses)
        started = time.monotonic()
        env.start_daemon()
        slowest = max(slowest, time.monotonic() - started)
        rows = {row[0]: row[1] for row in env.manager.sandboxes()}
        for client in clients:
            for sid in client.ready:
                equal(rows.get(sid), "ready", "sandbox %s after kill %d" % (sid, number))
                adopted += 1
        env.check_all()
        # not too many at once: each has an agent in this process
        if chance.random() < (1 if MACHINES else 0.2) or len(rows) > MANY:
            env.remove_all()
    env.remove_all()
    print("# %d ready sandboxes adopted, slowest start of a daemon %.0f ms" % (adopted, slowest * 1000))
    check(adopted > 0, "there was never anything to adopt")


def test_no_leaks(env):
    """after all that the host is as it was"""
    env.no_leaks(FIRST[0])


FIRST = []


class KillsEnv(CrashEnv):
    def begin_test(self):
        super().begin_test()
        if not FIRST:
            FIRST.append(self.before)


if __name__ == "__main__":
    ENV = KillsEnv(request_ms=60000, connect_ms=60000)
    if MACHINES:
        ENV.use_machines(FLAVOUR)
    ENV.require()
    tap.run([test_kills, test_no_leaks], ENV)
