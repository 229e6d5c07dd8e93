# SPDX-License-Identifier: LGPL-2.1-or-later
"""Network namespaces for tests, as a container engine makes them: kept alive by a file."""

import ctypes
import os
import subprocess

import bundle

_libc = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2


def run(*args, netns=None, data=None):
    """Output of a program, which must succeed; @netns: path of the namespace it runs in."""
    if netns is not None:
        args = ("nsenter", "--net=" + netns, *args)
    result = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
                            env=dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin"))
    if result.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(args), result.stderr.strip()))
    return result.stdout


class Pod:
    """A namespace with nothing but a loopback device."""

    def __init__(self, path):
        self.path = path
        with open(path, "w", encoding="ascii"):
            pass
        run("unshare", "--net=" + path, "ip", "link", "set", "lo", "up")

    def ip(self, *args):
        return run("ip", *args, netns=self.path)

    def add_veth(self, outside, inside="eth0", mac=None, mtu=None):
        """A pair, one end of which is in our own namespace; both are up."""
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", inside, "netns", self.path)
        if mac is not None:
            self.ip("link", "set", inside, "address", mac)
        if mtu is not None:
            self.ip("link", "set", inside, "mtu", str(mtu))
            run("ip", "link", "set", outside, "mtu", str(mtu))
        run("ip", "link", "set", outside, "up")
        self.ip("link", "set", inside, "up")

    def links(self):
        return [line.split(": ")[1].split("@")[0] for line in self.ip("-o", "link").splitlines()]

    def filters(self, device):
        if not any("dev %s " % device in line for line in self.qdiscs()):
            return ""
        return run("tc", "filter", "show", "dev", device, "ingress", netns=self.path)

    def qdiscs(self):
        """Those that somebody has set up."""
        return [line for line in run("tc", "qdisc", "show", netns=self.path).splitlines() if "ingress" in line]

    def remove(self):
        if os.path.exists(self.path):
            _libc.umount2(self.path.encode(), MNT_DETACH)
            os.unlink(self.path)


def document(path, args, **changes):
    """config.json of a container whose network namespace is at @path."""
    spec = bundle.spec(args, **changes)
    next(n for n in spec["linux"]["namespaces"] if n["type"] == "network")["path"] = path
    return spec
