# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the figures are measured in: the tests' environment, in memory."""

import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import env  # noqa: E402
import host  # noqa: E402

# as the service has it
os.environ["G_SLICE"] = "always-malloc"


def bench_program(name):
    return os.path.join(env.builddir, "tests/bench", name)


def to_memory():
    """Everything below a tmpfs, as /run is: no figure has a disk in it."""
    host.own_mount_namespace()
    path = tempfile.mkdtemp(prefix="vb.")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "bench", path], check=True)
    tempfile.tempdir = path
    return path


def from_memory(path):
    tempfile.tempdir = None
    subprocess.run(["umount", "-l", path], check=False)
    os.rmdir(path)


class World(env.Env):
    """An Env whose virtpodd logs as it does by default."""

    @property
    def state_dir(self):
        """Short: names of sockets go below it."""
        return os.path.join(tempfile.gettempdir(), self.flavour)

    def daemon_command(self):
        command = super().daemon_command()
        command[command.index("--log-level") + 1] = "notice"
        return command


def process_memory(pid):
    """{"Rss": bytes, "Private_Dirty": ..., ...} of a process."""
    values = {}
    with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
        for row in f:
            fields = row.split()
            if len(fields) == 3 and fields[2] == "kB":
                values[fields[0].rstrip(":")] = int(fields[1]) * 1024
    return values


def cpu_seconds(pid):
    """Processor time of a process so far, threads that have ended included: its
    clock, as clock_getcpuclockid(3) makes the name of it."""
    return time.clock_gettime((~pid << 3) | 2)


def wakeups(pid):
    """How often each of its threads has slept so far."""
    counts = {}
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/status" % (pid, task), encoding="ascii") as f:
            counts[task] = next(int(row.split()[1]) for row in f if row.startswith("voluntary_ctxt_switches"))
    return counts
