#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures what docs/performance.md lists and prints one line a figure.

BENCH selects figures by name, N sets the rounds, VIRTPOD_TEST_LIBVIRT the kind
of libvirt ("embed" or "libvirtd").
"""

import os
import sys

from world import World, from_memory, to_memory    # makes tests/lib known

import host
import netns

import bus_figures
import door_figures
import guest_figures
import life_figures
import network_figures
import plan_figures
import scale_figures
import shim_figures
import start_figures

KINDS = {
    "test": ("P13", "P8", "P14", "P15", "P16", "P17", "P28", "P29", "P26", "P10", "net-start", "net-rescan"),
    "guest": ("P1", "P2", "P6", "P7", "P19", "P20", "P21", "P11", "net-tcp", "net-echo"),
    "none": ("size", "P18", "P9", "P25"),
}


def main():
    known = [name for names in KINDS.values() for name in names]
    wanted = os.environ.get("BENCH", "").split() or known
    rounds = int(os.environ.get("N") or 0)
    for name in wanted:
        if name not in known:
            sys.exit("bench: %s: no such figure; there are %s" % (name, " ".join(known)))

    guest = any(name in KINDS["guest"] for name in wanted)
    worlds = []
    if any(name in KINDS["test"] for name in wanted):
        worlds.append((World(libvirt="test"), run_test))
    if guest:
        worlds.append((World(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed")), run_guest))
    for world, _run in worlds:
        world.require()     # may start this program again
    if "size" in wanted:
        guest_figures.sizes()
    if "P18" in wanted:
        plan_figures.run(rounds or 5)
    if "P9" in wanted or "P25" in wanted:
        shim_figures.run(rounds or 20)
    if any(name.startswith("net-") for name in wanted):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
    memory = to_memory()
    try:
        for world, run in worlds:
            try:
                world.start()
                run(world, rounds, wanted)
            finally:
                world.stop()
    finally:
        from_memory(memory)


def run_test(world, rounds, wanted):
    bus_figures.run(world, rounds, wanted)
    scale_figures.run(world, rounds, wanted)
    if "P26" in wanted:
        door_figures.questions(world, rounds or 11)
    if "P10" in wanted:
        door_figures.pods_memory(world)
    if {"net-start", "net-rescan"} & set(wanted):
        network_figures.run_host(world, rounds, wanted)


def run_guest(world, rounds, wanted):
    if {"P1", "P2"} & set(wanted):
        start_figures.start_cost(world, rounds or 7, wanted)
    if "P6" in wanted:
        start_figures.delete_cost(world, rounds or 7)
    if "P7" in wanted:
        life_figures.run(world, rounds or 5)
    if {"P19", "P20", "P21", "P11"} & set(wanted):
        guest_figures.run(world, rounds or 7, wanted)
    if {"net-tcp", "net-echo"} & set(wanted):
        network_figures.run_guest(world, rounds, wanted)


if __name__ == "__main__":
    main()
