#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a sandbox's calls cost while something else goes on. Neighbour is for test
programs; it measures from a process of its own, which is this program:

    neighbour.py BUS-ADDRESS SANDBOX-PATH DAEMON-PID FILE [PID...]

Writes a line per call to FILE: when it ended (monotonic seconds), how long it
took, how much of that the daemon and the PIDs were ready to run and had no
processor (all in seconds), and the daemon's resident memory in KiB. The machine's
load is not the daemon's fault, so a reader takes the one from the other."""

import os
import subprocess
import sys
import time

LIB = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, LIB)

import bus  # noqa: E402
from tap import check  # noqa: E402
from testdriver import eventually  # noqa: E402

PAUSE = 0.004


class Neighbour:
    """An honest sandbox, its agent in a process of its own, whose calls are timed."""

    def __init__(self, env):
        self.sandbox, _ = env.create(["sleep", "1000"], sid="neighbour")
        place = os.path.join(env.directory(self.sandbox), "agent.sock")
        self.agent = subprocess.Popen([sys.executable, os.path.join(LIB, "fake_agent.py"), place])
        eventually(lambda: os.path.exists(place), "the neighbour's agent")
        self.sandbox.start()
        self.file = env.path("neighbour")
        self.probe = subprocess.Popen([sys.executable, os.path.join(LIB, "neighbour.py"), env.address,
                                       self.sandbox.path, str(env.daemon.pid), self.file,
                                       str(self.agent.pid), str(env.dbus.pid)])
        self.offset = 0
        eventually(self.goes_on, "the neighbour's calls")
        time.sleep(1)
        quiet = sorted(took - lost for _end, took, lost, _kib in self.samples())
        self.usual = quiet[len(quiet) // 2]

    def goes_on(self):
        check(self.probe.poll() is None, "the neighbour's calls have ended")
        return os.path.exists(self.file) and os.path.getsize(self.file) > self.offset

    def samples(self):
        """Those that came since the last time."""
        with open(self.file, encoding="ascii") as f:
            f.seek(self.offset)
            text = f.read()
        text = text[:text.rfind("\n") + 1]
        self.offset += len(text)
        return [tuple(map(float, line.split())) for line in text.splitlines()]

    def worst(self):
        """Since the last time: ms that the slowest call took longer than usual, by
        the clock and without the machine's load; least and most memory in KiB."""
        began = time.monotonic()
        eventually(self.goes_on, "the neighbour's calls", 20)
        samples = self.samples()
        while samples[-1][0] < began:    # the one that was under way counts
            eventually(self.goes_on, "the neighbour's calls", 20)
            samples += self.samples()
        slow = max(took - max(lost, 0) for _end, took, lost, _kib in samples) - self.usual
        clock = max(took for _end, took, _lost, _kib in samples) - self.usual
        memory = [kib for *_rest, kib in samples]
        return slow * 1000, clock * 1000, memory[0], max(memory)

    def stop(self):
        for process in (self.probe, self.agent):
            process.terminate()
            process.wait()


def waited(task):
    """Seconds a thread was ready and did not run."""
    try:
        with open("/proc/%s/schedstat" % task, "rb") as f:
            return int(f.read().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def resident(pid):
    try:
        with open("/proc/%d/statm" % pid, "rb") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
    except (OSError, IndexError):
        return 0


def threads(pid, name=None):
    """Those with this name; threads come and go."""
    found = []
    for tid in os.listdir("/proc/%d/task" % pid):
        task = "%d/task/%s" % (pid, tid)
        try:
            with open("/proc/%s/comm" % task, encoding="ascii", errors="replace") as f:
                if name in (None, f.read().strip()):
                    found.append(task)
        except OSError:
            pass
    return found


def tasks_of(daemon, others):
    """Threads a call passes through: the daemon's main one and GDBus's, ours, the agent's, the bus's."""
    tasks = ["%d/task/%d" % (daemon, daemon)] + threads(daemon, "gdbus")
    for pid in (os.getpid(), *others):
        tasks += threads(pid)
    return tasks


def main():
    address, path, daemon, name = sys.argv[1:5]
    others = [int(pid) for pid in sys.argv[5:]]
    daemon = int(daemon)
    sandbox = bus.Sandbox(bus.connect(address), path)
    sandbox.ping()
    with open(name, "w", encoding="ascii") as out:
        n = 0
        while True:
            n += 1
            tasks = tasks_of(daemon, others)
            before = sum(waited(task) for task in tasks)
            began = time.monotonic()
            if n % 2 == 0:
                sandbox.ping()
            else:
                sandbox.get("State")
            ended = time.monotonic()
            lost = sum(waited(task) for task in tasks) - before
            out.write("%.6f %.6f %.6f %d\n" % (ended, ended - began, lost, resident(daemon)))
            out.flush()
            time.sleep(PAUSE)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
