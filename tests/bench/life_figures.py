# SPDX-License-Identifier: LGPL-2.1-or-later
"""P7: processor time of a sandbox's whole life, in virtpodd and the command, beside
libvirtd's for the same lives and that of crun for the same bundle on the host."""

import os
import resource
import shutil
import subprocess

import tap
from report import line, note, ratio_line
from world import cpu_seconds

LIVES = 3    # in one round


def children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def libvirtd_pid(env):
    """The daemon that virtpodd's domains run in; None when libvirt is inside virtpodd."""
    return env.libvirt.daemon_pid() if hasattr(env.libvirt, "daemon_pid") else None


def run(env, rounds):
    pid = libvirtd_pid(env)
    if pid is None:
        note("P7 needs libvirtd as a process of its own: VIRTPOD_TEST_LIBVIRT=libvirtd")
        return
    bundle = env.bundle(["true"])
    values = []

    def life():
        before = cpu_seconds(env.daemon.pid), cpu_seconds(pid), children_cpu()
        for _ in range(LIVES):
            result = env.virtpod("run", "--bundle", bundle, env.new_id("c"))
            tap.equal(result.returncode, 0, "status (%r)" % result.stderr)
        after = cpu_seconds(env.daemon.pid), cpu_seconds(pid), children_cpu()
        return [(b - a) / LIVES * 1e3 for a, b in zip(before, after)]

    life()
    for _ in range(rounds):
        daemon, libvirtd, command = life()
        values.append((daemon, libvirtd, command, crun(bundle, env)))
    ours = [daemon + command for daemon, _, command, _ in values]
    ratio_line("P7", list(zip(ours, [row[1] for row in values])), "ms", goal="<=0.25,a<=15ms")
    middle = len(values) // 2
    line("P7-parts", virtpodd="%.1fms" % sorted(row[0] for row in values)[middle],
         command="%.1fms" % sorted(row[2] for row in values)[middle],
         libvirtd="%.1fms" % sorted(row[1] for row in values)[middle])
    if all(row[3] for row in values):
        ratio_line("P7-crun", list(zip(ours, [row[3] for row in values])), "ms", goal="<=1.6")


def crun(bundle, env):
    """Milliseconds of processor time for the same bundle without a machine; None where crun cannot run."""
    program = shutil.which("crun")
    if program is None:
        return None
    before = children_cpu()
    for number in range(LIVES):
        done = subprocess.run([program, "--root", env.path("crun"), "--cgroup-manager=disabled", "run", "--bundle", bundle,
                               "bench-%d-%d" % (os.getpid(), number)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            note("crun: %s" % done.stderr.decode(errors="replace").strip()[:200])
            return None
    return (children_cpu() - before) / LIVES * 1e3
