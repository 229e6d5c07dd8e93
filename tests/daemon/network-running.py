#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The network of a sandbox that runs, without machines: what the guest is told, and
what comes of answers that are no answers."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import testdriver
from gi.repository import GLib
from tap import check, equal
from testdriver import TestDriverEnv

MAC = "02:00:00:00:00:0a"


def row(**values):
    types = {"addresses": "as", "mtu": "u"}
    return {key: GLib.Variant(types.get(key, "s"), value) for key, value in values.items()}


def route(**values):
    return {key: GLib.Variant("s" if isinstance(value, str) else "t", value) for key, value in values.items()}


def test_interface(env):
    """an interface is named, sized and has addresses of both families; the list says so"""
    sandbox, _ = env.start_sandbox()
    sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC.upper(), mtu=1400,
                                                   addresses=["10.0.0.2/24", "fd00::2/64"]))
    told = env.agent(sandbox).sandbox.interfaces[MAC]
    equal((told.name, told.mtu, [(a.family, a.address, a.mask) for a in told.IPAddresses]),
          ("eth0", 1400, [(0, "10.0.0.2", "24"), (1, "fd00::2", "64")]), "what the agent was told")
    rows = sandbox.call("ListInterfaces")
    equal([(r["name"], r["mac"], r["mtu"], r["addresses"]) for r in rows],
          [("eth0", MAC, 1400, ["10.0.0.2/24", "fd00::2/64"])], "list")
    sandbox.call("UpdateInterface", "(a{sv})", row(name="net7", mac=MAC))
    equal([(r["name"], r["addresses"]) for r in sandbox.call("ListInterfaces")], [("net7", [])], "list")
    sandbox.delete(force=True)


def test_bad_interfaces(env):
    """what is no interface is refused by key, and the agent hears nothing of it"""
    sandbox, _ = env.start_sandbox()
    for values, text in (({}, "^name: is missing"), ({"name": "eth0"}, "^mac: is missing"),
                         ({"name": "eth0", "mac": "02:00"}, "hardware address"),
                         ({"name": "eth0", "mac": ""}, "^mac: is missing"),
                         ({"name": "a/b", "mac": MAC}, "interface \"a/b\""),
                         ({"name": "sixteen-letters-", "mac": MAC}, "not a name"),
                         ({"name": "eth0", "mac": MAC, "speed": "1"}, "\"speed\": is not known"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["10.0.0.2"]}, "addresses: .*\"10.0.0.2\""),
                         ({"name": "eth0", "mac": MAC, "addresses": ["10.0.0.2/33"]}, "10.0.0.2"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["ten/8"]}, "ten"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["fd00::1/129"]}, "fd00::1"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["fe80::1/64"]}, "addresses: .*fe80::1"),
                         ({"name": "eth0", "mac": MAC, "addresses": ["127.0.0.1/8"]}, "addresses: .*127.0.0.1")):
        env.raises("InvalidArgument", lambda given=values: sandbox.call("UpdateInterface", "(a{sv})", row(**given)),
                   text)
    check("UpdateInterface" not in env.agent(sandbox).calls, "the agent was asked")
    many = ["10.%d.%d.1/24" % (i // 250, i % 250) for i in range(5000)]
    env.raises("ResourceExhausted", lambda: sandbox.call("UpdateInterface", "(a{sv})",
                                                         row(name="eth0", mac=MAC, addresses=many)), "4096")
    sandbox.delete(force=True)


def test_routes(env):
    """routes as the list gives them back; those without a gateway go first; none is none"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC))
    sandbox.call("UpdateRoutes", "(aa{sv})", [
        route(device="eth0", gateway="10.0.0.1"), route(device="eth0", dest="10.9.0.0/16", source="10.0.0.2", scope=253),
        route(device="eth0", gateway="fd00::1", flags=4), route(device="eth0", family="ipv6", dest="fd09::/16")])
    wanted = [(0, "10.9.0.0/16", "", 253, 0), (1, "fd09::/16", "", 0, 0), (0, "", "10.0.0.1", 0, 0),
              (1, "", "fd00::1", 0, 4)]
    told = lambda: [(r.family, r.dest, r.gateway, r.scope, r.flags) for r in agent.sandbox.routes.Routes]
    equal(told(), wanted, "what the agent was told")
    rows = sandbox.call("ListRoutes")
    equal([r["family"] for r in rows], ["ipv4", "ipv6", "ipv4", "ipv6"], "families")
    sandbox.call("UpdateRoutes", "(aa{sv})", [route(**{k: v for k, v in r.items() if k != "table"}) for r in rows])
    equal(told(), wanted, "the list, given back")
    sandbox.call("UpdateRoutes", "(aa{sv})", [])
    equal((told(), sandbox.call("ListRoutes")), ([], []), "no routes")
    env.raises("NotFound", lambda: sandbox.call("UpdateRoutes", "(aa{sv})", [route(device="eth7", dest="10.0.0.0/8")]),
               "eth7")
    sandbox.delete(force=True)


def test_bad_routes(env):
    """what is no route is refused by its number, and the agent hears nothing of it"""
    sandbox, _ = env.start_sandbox()
    for values, text in (({"dest": "10.0.0.0/8"}, "interface \"\""), ({"device": "eth0", "dest": "10.0.0.0"}, "10.0.0.0"),
                         ({"device": "eth0", "gateway": "10.0.0.256"}, "10.0.0.256"),
                         ({"device": "eth0", "family": "ipx"}, "family: .*\"ipx\""),
                         ({"device": "eth0", "scope": 256}, "scope"), ({"device": "eth0", "mtu": 65536}, "mtu"),
                         ({"device": "eth0", "dest": "127.0.0.0/8"}, "dest: "),
                         ({"device": "eth0", "gateway": "fd00::1", "dest": "10.0.0.0/8"}, "10.0.0.0/8")):
        env.raises("InvalidArgument", lambda given=values: sandbox.call(
            "UpdateRoutes", "(aa{sv})", [route(device="eth0"), route(**given)]), "^route 1: .*" + text)
    check("UpdateRoutes" not in env.agent(sandbox).calls, "the agent was asked")
    sandbox.delete(force=True)


def test_agent_refuses(env):
    """what the agent says to it is what the caller hears"""
    sandbox, _ = env.start_sandbox()
    agent = env.agent(sandbox)
    agent.fail["UpdateInterface"] = ("NOT_FOUND", "no such interface on purpose")
    env.raises("NotFound", lambda: sandbox.call("UpdateInterface", "(a{sv})", row(name="eth0", mac=MAC)), "on purpose")
    agent.fail["ListInterfaces"] = ("UNIMPLEMENTED", "not here")
    env.raises("NotSupported", lambda: sandbox.call("ListInterfaces"), "not here")
    sandbox.delete(force=True)


if __name__ == "__main__":
    testdriver.main([test_interface, test_bad_interfaces, test_routes, test_bad_routes, test_agent_refuses],
                    TestDriverEnv())
