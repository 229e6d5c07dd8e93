# SPDX-License-Identifier: LGPL-2.1-or-later
"""P13 and P8: the bus and the daemon's memory; no guest is needed."""

import subprocess

import bus
import host
import tap
from report import alternate, line, ratio_line
from world import bench_program, process_memory

ECHO = "org.virtpod.Echo"
CALLS = 3000


def run(env, rounds, wanted):
    if "P8" in wanted:
        daemon_memory(env)
    if "P13" in wanted:
        get_state(env, rounds or 11)


def get_state(env, rounds):
    """P13: calls per second, one at a time and 32 at once."""
    sandbox = env.manager.create_sandbox(env.new_id("g"), env.bundle(["true"]))
    server = subprocess.Popen([bench_program("echo"), "serve", env.address, ECHO])
    connection = bus.connect(env.address)
    tap.eventually(lambda: bus.has_owner(connection, ECHO), "echo server")

    def rate(flight, name, path, interface, method):
        out = subprocess.run([bench_program("echo"), "call", env.address, name, path, interface, method,
                              "org.virtpod.Sandbox1", "State", str(CALLS), str(flight)],
                             stdout=subprocess.PIPE, check=True)
        return CALLS / float(out.stdout)

    for name, flight in (("P13", 1), ("P13-flight32", 32)):
        pairs = alternate(
            rounds,
            lambda: rate(flight, bus.NAME, sandbox.path, "org.freedesktop.DBus.Properties", "Get"),
            lambda: rate(flight, ECHO, "/org/virtpod/Echo", ECHO, "Get"))
        ratio_line(name, pairs, "/s", goal=">=0.85")
    host.stop_process(server)
    sandbox.delete(force=True)


def daemon_memory(env):
    """P8: the daemon with sandboxes that were created and not started. Its bundles
    share one specification, as pods of one image do."""
    bundle = env.bundle(["true"])
    sandboxes = []
    base = None
    for count in (0, 10, 50):
        while len(sandboxes) < count:
            sandboxes.append(env.manager.create_sandbox(env.new_id("m"), bundle))
        memory = process_memory(env.daemon.pid)
        base = base or memory
        line("P8-n%d" % count, rss="%.0fKiB" % (memory["Rss"] / 1024),
             private="%.0fKiB" % ((memory["Private_Dirty"] + memory.get("Private_Clean", 0)) / 1024),
             dirty="%.0fKiB" % (memory["Private_Dirty"] / 1024),
             per_sandbox="" if count == 0 else "%.0fKiB" % ((memory["Rss"] - base["Rss"]) / 1024 / count),
             goal="rss<=%dKiB" % (8192 + 64 * count))
    for sandbox in sandboxes:
        sandbox.delete(force=True)
