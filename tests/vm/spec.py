#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What config.json says reaches the process in a real virtual machine."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import tap
from env import Env
from tap import equal

SCRIPT = r"""
echo umask $(umask)
echo domain $(cat /proc/sys/kernel/domainname)
echo machine $(uname -m)
echo oom $(cat /proc/self/oom_score_adj)
echo policy $(cut -d ' ' -f 41 /proc/self/stat) nice $(cut -d ' ' -f 19 /proc/self/stat)
echo pids $(cat /sys/fs/cgroup/pids.max) high $(cat /sys/fs/cgroup/memory.high)
echo burst $(cat /sys/fs/cgroup/cpu.max.burst)
mkdir /tmp/refused 2>&1 | sed 's/.*: //'
echo x >/dev/null && echo null
head -c 1 /dev/urandom >/dev/null && echo random
(: </dev/fuse) 2>/dev/null || echo no fuse
(: </dev/kmsg) 2>/dev/null || echo no kmsg
echo forward $(cat /proc/sys/net/ipv4/ip_forward)
echo resolv $(cat /etc/resolv.conf)
"""


def document(env, args):
    resolv_conf = env.path("resolv.conf")
    with open(resolv_conf, "w", encoding="ascii") as f:
        f.write("nameserver 192.0.2.1\n")
    doc = bundle.spec(args, hostname="box", mounts=[
        bundle.bind(resolv_conf, "/etc/resolv.conf", "ro"),
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}])
    doc["ociVersion"] = "1.3.0"    # newer than the guest's runtime
    doc["domainname"] = "example.org"
    doc["unknown"] = [{"a": 1.5}]
    doc["process"]["user"]["umask"] = 0o27
    doc["process"]["oomScoreAdj"] = 7
    doc["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 4}
    doc["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_IDLE"}
    doc["process"]["apparmorProfile"] = "host-only"
    doc["linux"]["personality"] = {"domain": "LINUX32"}
    doc["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}
    doc["linux"]["namespaces"].append({"type": "cgroup"})
    doc["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
    doc["linux"]["devices"] = [
        {"path": path, "type": "c", "major": major, "minor": minor, "fileMode": 0o666, "uid": 0, "gid": 0}
        for path, major, minor in (("/dev/fuse", 10, 229), ("/dev/kmsg", 1, 11))]
    doc["linux"]["resources"] = {
        "devices": [{"allow": False, "access": "rwm"}], "pids": {"limit": 99},
        "memory": {"limit": 64 << 20}, "cpu": {"quota": 90000, "period": 100000, "burst": 10000},
        "unified": {"memory.high": str(48 << 20)}}
    return doc


def test_fields(env):
    """fields the agent's protocol has and such as it does not have"""
    result = env.virtpod("run", "-b", env.bundles.make(document=document(env, ["sh", "-c", SCRIPT])), env.new_id())
    equal(result.returncode, 0, "status (stderr: %r)" % result.stderr)
    equal(result.stdout.decode().splitlines(), [
        "umask 0027", "domain example.org", "machine i686", "oom 7", "policy 3 nice 4",
        "pids 99 high %d" % (48 << 20), "burst 10000", "No space left on device", "null", "random",
        "no fuse", "no kmsg", "forward 1", "resolv nameserver 192.0.2.1"], "stdout")


def test_small_limits(env):
    """limits that are 0 or close to it, as kubelet writes them"""
    doc = bundle.spec(["sh", "-c", "cd /sys/fs/cgroup; cat cpu.idle hugetlb.2MB.max memory.swap.max pids.max"], mounts=[
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}])
    doc["linux"]["namespaces"].append({"type": "cgroup"})
    doc["linux"]["resources"] = {
        "memory": {"limit": 64 << 20, "swap": 64 << 20, "swappiness": 0, "disableOOMKiller": False},
        "cpu": {"idle": 1, "cpus": "0", "mems": "0"}, "pids": {"limit": -1},
        "hugepageLimits": [{"pageSize": "2MB", "limit": 0}], "blockIO": {"weight": 500}}
    result = env.virtpod("run", "-b", env.bundles.make(document=doc), env.new_id())
    equal(result.returncode, 0, "status (stderr: %r)" % result.stderr)
    equal(result.stdout.decode().split(), ["1", "0", "0", "max"], "stdout")


LINKS = r"""
ip link add name dummy-1 type dummy
brctl addbr bridge-1
ip link add name veth-1 type veth
ip link add link dummy-1 name macvlan-1 type macvlan
ip link add name none-1 type no-such-kind 2>/dev/null
cd /sys/class/net
ls -d *-1
"""


def test_links(env):
    """who may make links in the guest can make those that engines of containers use"""
    doc = bundle.spec(["sh", "-c", LINKS])
    for kind in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        doc["process"]["capabilities"][kind] = ["CAP_NET_ADMIN"]
    result = env.virtpod("run", "-b", env.bundles.make(document=doc), env.new_id())
    equal(result.returncode, 0, "status (stderr: %r)" % result.stderr)
    equal(result.stdout.decode().split(), ["bridge-1", "dummy-1", "macvlan-1", "veth-1"], "links")


def test_refused(env):
    """what cannot be had is said before a machine is started"""
    doc = document(env, ["true"])
    doc["linux"]["intelRdt"] = {"closID": "x"}
    result = env.virtpod("run", "-b", env.bundles.make(document=doc), env.new_id())
    tap.check(result.returncode != 0 and b"linux.intelRdt.closID" in result.stderr, repr(result.stderr))


if __name__ == "__main__":
    ENV = Env(libvirt="embed")
    ENV.require()
    tap.run([test_fields, test_small_limits, test_links, test_refused], ENV)
