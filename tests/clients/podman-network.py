#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""podman's bridge networks: what its plugins set up for a container is what the guest has."""

import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import tap
from podman import IMAGE, PodmanNetworkEnv, server
from tap import equal, match

DEADLINE = 240

# one connection after the other; between two of them nobody listens
SERVER = 'while :; do echo "from $NAME" | busybox nc -l -p 80; done'
CLIENT = 'until busybox nc -w 10 %s %d </dev/null; do sleep 0.2; done'


def fetch(address, port):
    """What a server says, to the end; None: it did not listen, or said nothing."""
    try:
        with socket.create_connection((address, port), 20) as connection:
            connection.settimeout(20)
            data = b""
            while not data.endswith(b"\n"):
                more = connection.recv(100)
                if not more:
                    break
                data += more
            return data or None
    except OSError:
        return None


def start_server(env, name, *options):
    env.ok("run", "-d", "--name", name, "--env", "NAME=" + name, *options, IMAGE, "sh", "-c", SERVER)
    return env.inspect(name, ".NetworkSettings.IPAddress")


def test_bridge(env):
    """the default network: the container and the host, and two containers, reach each other; a published port"""
    address = start_server(env, "web", "-p", "127.0.0.1:18080:80")
    match(address, r"^10\.88\.\d+\.\d+$", "address")
    tap.eventually(lambda: fetch(address, 80) == b"from web\n", "the container's answer to the host", DEADLINE)
    tap.eventually(lambda: fetch("127.0.0.1", 18080) == b"from web\n", "answer at the published port", DEADLINE)
    equal(env.ok("port", "web").strip(), "80/tcp -> 127.0.0.1:18080", "port")
    gateway = env.inspect("web", ".NetworkSettings.Gateway")
    with server(gateway, b"from the host\n") as port:
        script = "; ".join([CLIENT % (address, 80), CLIENT % (gateway, port), "hostname -i"])
        done = env.podman("run", "--rm", IMAGE, "sh", "-c", script)
    equal(done.returncode, 0, done.stderr)
    *said, own = done.stdout.decode().splitlines()
    equal(said, ["from web", "from the host"], "what the second container was told")
    match(own, r"^10\.88\.\d+\.\d+$", "address of its own name")
    env.ok("rm", "--force", "--time", "0", "web")
    tap.eventually(lambda: env.networks_left() == [], "nothing of its network", 60)


def test_names(env):
    """resolv.conf, hosts and the host name are podman's; --ip, --mac-address and --hostname are honoured"""
    mac = "92:d0:c6:00:29:33"
    script = "cat /etc/resolv.conf /etc/hosts; hostname; cat /sys/class/net/eth0/address; busybox ip -4 addr show dev eth0"
    seen = env.ok("run", "--rm", "--dns", "10.88.0.53", "--dns-search", "example.org", "--add-host", "db:10.88.0.77",
                  "--hostname", "web", "--ip", "10.88.0.99", "--mac-address", mac, IMAGE, "sh", "-c", script)
    for pattern in (r"nameserver 10\.88\.0\.53", r"search example\.org", r"10\.88\.0\.77\s+db",
                    r"(?m)^10\.88\.0\.99\s.*web", r"(?m)^web$", "(?m)^" + mac + "$", r"inet 10\.88\.0\.99/16"):
        match(seen, pattern, "what the container sees")


def test_six(env):
    """a network of its own with IPv6: the container reaches the host by it"""
    if not os.path.exists("/proc/net/if_inet6"):
        raise tap.Skip("this kernel has no IPv6")
    env.ok("network", "create", "--ipv6", "--subnet", "10.90.0.0/24", "--subnet", "fd00:90::/64", "six")
    with server("::", b"by six\n", socket.AF_INET6) as port:
        seen = env.ok("run", "--rm", "--network", "six", IMAGE, "sh", "-c",
                      "busybox ip -6 addr show dev eth0; " + CLIENT % ("fd00:90::1", port))
    match(seen, r"inet6 fd00:90::[0-9a-f:]+/64", "addresses")
    match(seen, "by six", "answer")
    env.ok("network", "rm", "six")


def test_stop_start(env):
    """a container that is stopped and started again has its network again"""
    start_server(env, "again", "--ip", "10.88.0.40")
    tap.eventually(lambda: fetch("10.88.0.40", 80), "answer", DEADLINE)
    env.ok("stop", "--time", "0", "again")
    tap.eventually(lambda: env.networks_left() == [], "nothing of its network", 60)
    env.ok("start", "again")
    tap.eventually(lambda: fetch("10.88.0.40", 80) == b"from again\n", "answer after the start", DEADLINE)
    env.ok("rm", "--force", "--time", "0", "again")


def test_nothing_left(env):
    """all of this left nothing behind"""
    env.nothing_left()


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = PodmanNetworkEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    tap.run([test_bridge, test_names, test_six, test_stop_start, test_nothing_left], ENV)
