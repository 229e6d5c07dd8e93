# SPDX-License-Identifier: LGPL-2.1-or-later
"""P13: the bus; no guest is needed."""

import subprocess

import bus
import host
import tap
from report import alternate, ratio_line
from world import bench_program

ECHO = "org.virtpod.Echo"
CALLS = 3000


def run(env, rounds, wanted):
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
