#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent as process 1 of a virtual machine: the calls that need a kernel of their own
to be seen at work. No daemon, no shared file system: a root file system is brought by
CopyFile."""

import io
import json
import os
import socket
import stat
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import boot
import bundle
import env as environment
import tap
from tap import check, equal, eventually

SHARED = "/run/kata-containers/shared/containers"
SHM = "/run/kata-containers/sandbox/shm"
ROOTFS = SHARED + "/base/rootfs"
APPLETS = ("sh", "cat", "echo", "sleep", "true", "id", "hostname", "df", "dd", "stty", "ls", "tail", "grep", "mkdir",
           "date", "sync", "wc", "kill", "ps", "touch", "head", "cksum", "nc")
CALL_SECONDS = 60
ECHO = ("10.0.2.100", "7")  # where QEMU's network has somebody who says what he hears
MAC_1, MAC_2, MAC_3 = ("52:54:00:00:00:0%d" % i for i in (1, 2, 3))
MIB = 1 << 20


class Guest(boot.Machine):
    """A machine with a sandbox, a root file system for its containers, and two network
    cards: the second one, as the bus has it, leads to QEMU's own network."""

    devices = ("-netdev", "hubport,id=nowhere,hubid=0",
               "-device", "virtio-net-pci,netdev=nowhere,romfile=,mac=" + MAC_1,
               "-netdev", "user,id=user,restrict=on,ipv6=off,guestfwd=tcp:%s:%s-cmd:cat" % ECHO,
               "-device", "virtio-net-pci,netdev=user,romfile=,mac=" + MAC_2,
               "-device", "pcie-root-port,id=rp1,chassis=1,slot=1", "-netdev", "hubport,id=late,hubid=1",
               "-qmp", "unix:DIR/qmp,server=on,wait=off")

    def start(self):
        super().start()
        self.n = 0
        self.client = self.agent(sync=False)
        self.call("Check")

    def call(self, method, **fields):
        return self.client.start(method, **fields).result(CALL_SECONDS)

    def reconnect(self):
        self.client.close()
        self.client = self.agent(sync=True)

    def fails(self, code, method, **fields):
        try:
            self.call(method, **fields)
        except boot.ttrpc_client.RpcError as error:
            equal(error.code, code, "code of %s (%s)" % (method, error.message))
            return error.message
        raise tap.Failure("%s did not fail" % method)

    def put(self, path, data, mode=0o100755):
        for offset in range(0, max(len(data), 1), 512 << 10):
            self.call("CopyFile", path=path, file_size=len(data), file_mode=mode, dir_mode=0o755, offset=offset,
                      data=data[offset:offset + (512 << 10)])

    def make_rootfs(self):
        with open(bundle.busybox(), "rb") as f:
            self.put(ROOTFS + "/bin/busybox", f.read())
        for name in APPLETS:
            self.put(ROOTFS + "/bin/" + name, b"busybox", stat.S_IFLNK | 0o777)
        for name in ("proc", "dev", "sys", "etc"):
            self.call("CopyFile", path="%s/%s" % (ROOTFS, name), file_mode=stat.S_IFDIR | 0o755, dir_mode=0o755)
        self.call("CopyFile", path=ROOTFS + "/tmp", file_mode=stat.S_IFDIR | 0o1777, dir_mode=0o755)

    def spec(self, args, terminal=False, resources=None, capabilities=()):
        document = {
            "Version": "1.0.2", "Hostname": "pod", "Root": {"Path": ROOTFS},
            "Process": {"Terminal": terminal, "Args": ["sh", "-c", args] if isinstance(args, str) else list(args),
                        "Env": ["PATH=/bin"], "Cwd": "/", "User": {}},
            "Mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                       {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
                       {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                        "options": ["newinstance", "ptmxmode=0666", "mode=0620"]},
                       {"destination": "/dev/shm", "type": "bind", "source": SHM, "options": ["rbind"]},
                       {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]}],
            "Linux": {"Namespaces": [{"Type": "mount"}]}}
        if capabilities:
            document["Process"]["Capabilities"] = {kind: list(capabilities)
                                                   for kind in ("Bounding", "Effective", "Permitted")}
        if resources:
            document["Linux"]["Resources"] = resources
        return document

    def run(self, args, sandbox_pidns=False, storages=(), **kwargs):
        self.n += 1
        cid = "c%d" % self.n
        self.call("CreateContainer", container_id=cid, OCI=self.spec(args, **kwargs), sandbox_pidns=sandbox_pidns,
                  storages=list(storages))
        self.call("StartContainer", container_id=cid)
        return cid

    def exec(self, cid, exec_id, args, terminal=False):
        process = {"Args": ["sh", "-c", args] if isinstance(args, str) else list(args), "Env": ["PATH=/bin"],
                   "Cwd": "/", "User": {}, "Terminal": terminal}
        self.call("ExecProcess", container_id=cid, exec_id=exec_id, process=process)

    def output(self, cid, exec_id=""):
        data = b""
        while True:
            piece = self.call("ReadStdout", container_id=cid, exec_id=exec_id, len=MIB).data
            if not piece:
                return data
            data += piece

    def status(self, cid, exec_id=""):
        return self.call("WaitProcess", container_id=cid, exec_id=exec_id).status

    def remove(self, cid):
        self.call("RemoveContainer", container_id=cid)

    def stats(self, cid):
        return self.call("StatsContainer", container_id=cid)

    def tar(self, cid, args, data=b""):
        self.n += 1
        name = "tar%d" % self.n
        self.exec(cid, name, ["virtpod:tar"] + args)

        def feed():
            left = data
            try:
                while left:
                    left = left[self.call("WriteStdin", container_id=cid, exec_id=name, data=left[:MIB]).len:]
                self.call("CloseStdin", container_id=cid, exec_id=name)
            except boot.ttrpc_client.RpcError:
                pass  # it has stopped reading: its status tells why
        feeder = threading.Thread(target=feed)
        feeder.start()
        out = self.output(cid, name)
        feeder.join()
        error = self.call("ReadStderr", container_id=cid, exec_id=name, len=4096).data
        return self.status(cid, name), out, error.decode()


def test_sandbox(guest):
    """a sandbox has a name, a resolv.conf and a /dev/shm of the size that was asked for"""
    shm = {"driver": "ephemeral", "source": "shm", "fstype": "tmpfs", "mount_point": SHM,
           "options": ["noexec", "nosuid", "nodev", "mode=1777", "size=3145728"]}
    guest.call("CreateSandbox", hostname="pod", sandbox_id="s1", dns=["nameserver 192.0.2.1", "search example"],
               storages=[shm])
    guest.make_rootfs()
    cid = guest.run("hostname; df -k /dev/shm | tail -n 1; echo mine >/dev/shm/file")
    lines = guest.output(cid).decode().splitlines()
    equal(guest.status(cid), 0, "status")
    equal(lines[0], "pod", "host name")
    equal(lines[1].split()[1], "3072", "KiB of /dev/shm")
    # the next container of the pod sees the same
    other = guest.run("cat /dev/shm/file")
    equal(guest.output(other), b"mine\n", "file in /dev/shm")
    guest.remove(cid)
    guest.remove(other)


def test_statistics(guest):
    """statistics tell what a container uses, and its limits"""
    resources = {"Memory": {"Limit": 64 * MIB}, "Pids": {"Limit": 50}, "CPU": {"Quota": 20000, "Period": 100000}}
    cid = guest.run("dd if=/dev/zero of=/dev/shm/fill bs=1M count=2; i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done;"
                    "sleep 1000", resources=resources)
    eventually(lambda: guest.stats(cid).cgroup_stats.cpu_stats.throttling_data.throttled_periods > 0, "throttling", 60)
    eventually(lambda: guest.stats(cid).cgroup_stats.memory_stats.usage.usage > 2 * MIB, "memory in /dev/shm", 60)
    stats = guest.stats(cid)
    group = stats.cgroup_stats
    usage = group.cpu_stats.cpu_usage
    check(usage.total_usage >= usage.usage_in_usermode > 0, "cpu usage: %s" % usage)
    check(group.cpu_stats.throttling_data.throttled_time > 0, "throttled time")
    equal(group.memory_stats.usage.limit, 64 * MIB, "memory limit")
    check(group.memory_stats.usage.max_usage >= group.memory_stats.usage.usage, "memory peak")
    check(group.memory_stats.stats["anon"] > 0 and len(group.memory_stats.stats) > 20, "memory.stat")
    check(group.memory_stats.kernel_usage.usage > 0, "kernel memory")
    equal(group.pids_stats.limit, 50, "pids limit")
    check(group.pids_stats.current >= 1, "pids")
    check("2MB" in group.hugetlb_stats, "huge pages: %s" % list(group.hugetlb_stats))
    print("# " + " ".join("%s=%s" % (k, v) for k, v in (
        ("anon", group.memory_stats.stats["anon"]), ("cache", group.memory_stats.cache),
        ("interfaces", [n.name for n in stats.network_stats]))))
    # other limits, while it runs
    guest.call("UpdateContainer", container_id=cid, resources={"Memory": {"Limit": 32 * MIB}, "Pids": {"Limit": 7},
                                                               "CPU": {"Quota": 50000, "Period": 100000}})
    group = guest.stats(cid).cgroup_stats
    equal((group.memory_stats.usage.limit, group.pids_stats.limit), (32 * MIB, 7), "limits after an update")
    guest.fails("INVALID_ARGUMENT", "UpdateContainer", container_id=cid)
    guest.remove(cid)


def test_pause(guest):
    """a paused container stands still, in its counters too"""
    cid = guest.run("while :; do :; done")

    def usage():
        return guest.stats(cid).cgroup_stats.cpu_stats.cpu_usage.total_usage

    eventually(lambda: usage() > 0, "usage")
    guest.call("PauseContainer", container_id=cid)
    # who stands still has said so before the kernel took the processor from it
    eventually(lambda: usage() == (time.sleep(0.1), usage())[1], "a counter that stands still")
    first = usage()
    time.sleep(1)
    equal(usage(), first, "usage while paused")
    guest.fails("FAILED_PRECONDITION", "ExecProcess", container_id=cid, exec_id="e", process={"Args": ["true"]})
    status, out, _ = guest.tar(cid, ["create", "/bin/sh"])
    equal(status, 0, "status of tar while paused")
    check(out, "no archive")
    guest.call("ResumeContainer", container_id=cid)
    eventually(lambda: usage() > first, "usage after resume")
    # signal 9 to no process in particular is for all of them
    guest.exec(cid, "e1", ["sleep", "1000"])
    guest.call("SignalProcess", container_id=cid, signal=9)
    equal((guest.status(cid), guest.status(cid, "e1")), (137, 137), "statuses")
    guest.remove(cid)


def test_out_of_memory(guest):
    """a container that runs out of memory is named, and ends"""
    event = guest.client.start("GetOOMEvent")
    cid = guest.run("head -c 100000000 /dev/zero | tail -c 90000000; exit 3", resources={"Memory": {"Limit": 16 * MIB}})
    equal(event.result(CALL_SECONDS).container_id, cid, "container of the event")
    check(guest.status(cid) in (3, 137), "status")
    check(guest.stats(cid).cgroup_stats.memory_stats.usage.failcnt > 0, "failures")
    guest.remove(cid)


def test_many_at_once(guest):
    """twenty processes of one container at once, each with its own streams and status"""
    cid = guest.run("sleep 1000")
    calls = [guest.client.start("ExecProcess", container_id=cid, exec_id="e%d" % i, process={
        "Args": ["sh", "-c", "echo out %d; cat >&2; exit %d" % (i, i)], "Env": ["PATH=/bin"], "Cwd": "/", "User": {}})
        for i in range(20)]
    for call in calls:
        call.result(CALL_SECONDS)
    pids = [int(p) for p in guest.call("GetDiagnosticData", container_id=cid, log_type="virtpod:pids").data.split()]
    check(len(pids) >= 21 and len(set(pids)) == len(pids), "pids: %s" % pids)
    for i in range(20):
        equal(guest.call("WriteStdin", container_id=cid, exec_id="e%d" % i, data=b"in %d" % i).len, len("in %d" % i), "len")
        guest.call("CloseStdin", container_id=cid, exec_id="e%d" % i)
    for i in range(20):
        equal(guest.output(cid, "e%d" % i), b"out %d\n" % i, "stdout")
        equal(guest.call("ReadStderr", container_id=cid, exec_id="e%d" % i, len=100).data, b"in %d" % i, "stderr")
        equal(guest.status(cid, "e%d" % i), i, "status")
    guest.remove(cid)


def test_terminal(guest):
    """a terminal has the size it was last given"""
    cid = guest.run("sleep 1000")
    guest.exec(cid, "t", "stty -echo; cat; stty size", terminal=True)
    guest.call("TtyWinResize", container_id=cid, exec_id="t", row=33, column=99)
    time.sleep(1)
    guest.call("WriteStdin", container_id=cid, exec_id="t", data=b"typed\n\4")
    out = guest.output(cid, "t")
    check(b"typed" in out and b"33 99" in out, "output: %r" % out)
    guest.remove(cid)


def test_shared_pids(guest):
    """containers that share a pid namespace see each other"""
    first = guest.run(["sleep", "4321"], sandbox_pidns=True)
    second = guest.run("cat /proc/*/cmdline; echo; ls /proc/1/root/ 2>&1", sandbox_pidns=True)
    out = guest.output(second)
    check(b"virtpod-pause" in out and b"sleep\x004321" in out, "processes: %r" % out)
    # this root has every capability, and still finds nothing
    check(b"init" not in out, "root of process 1: %r" % out)
    guest.remove(second)
    guest.remove(first)


def test_archives(guest):
    """archives go into a container and come out of it again, with what it mounted"""
    blob = os.urandom(5 * MIB)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as out:
        for name, kind, target, mode in (("d", tarfile.DIRTYPE, "", 0o750), ("d/blob", tarfile.REGTYPE, "", 0o640),
                                         ("d/" + "n" * 150, tarfile.REGTYPE, "", 0o600),
                                         ("d/link", tarfile.SYMTYPE, "blob", 0o777),
                                         ("d/hard", tarfile.LNKTYPE, "d/blob", 0o640)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.mode, info.mtime, info.uid = kind, target, mode, 1000000000.5, 12
            info.size = len(blob) if name == "d/blob" else 0
            out.addfile(info, io.BytesIO(blob))
    # twice on a file system that only the container has
    cid = guest.run("mkdir /dev/own; sleep 1000",
                    capabilities=["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID"])
    eventually(lambda: guest.tar(cid, ["create", "/dev/own"])[0] == 0, "directory of the container")
    started = time.monotonic()
    equal(guest.tar(cid, ["extract", "/dev/own"], archive.getvalue()), (0, b"", ""), "extract")
    status, back, error = guest.tar(cid, ["create", "/dev/own/d"])
    print("# %.1f MiB in and out in %.1f s" % (len(blob) / MIB, time.monotonic() - started))
    equal((status, error), (0, ""), "create")
    with tarfile.open(fileobj=io.BytesIO(back)) as read:
        names = {m.name: m for m in read.getmembers()}
        equal(sorted(names), sorted(["d", "d/blob", "d/" + "n" * 150, "d/link", "d/hard"]), "names")
        equal(read.extractfile("d/blob").read(), blob, "content")
        equal((names["d"].mode, names["d"].uid, names["d"].mtime), (0o750, 12, 1000000000.5), "directory")
        equal({names["d/blob"].type, names["d/hard"].type}, {tarfile.REGTYPE, tarfile.LNKTYPE}, "hard link")
        equal(names["d/link"].linkname, "blob", "symbolic link")
    guest.remove(cid)


def test_archive_limit(guest):
    """what an archive brings is the container's memory, and its limit holds"""
    cid = guest.run("sleep 1000", resources={"Memory": {"Limit": 6 * MIB}})
    big = tarfile.TarInfo("big")
    big.size = 12 * MIB
    status, _, error = guest.tar(cid, ["extract", "/dev"], big.tobuf() + bytes(big.size) + bytes(1024))
    check(status in (4, 137), "status of an archive above the limit: %s %s" % (status, error))
    print("# status %s, stderr %r" % (status, error))
    guest.remove(cid)
    equal(guest.call("Check").status, 1, "status of the agent")


def test_reconnect(guest):
    """a host that comes back gets every byte of a running container, and the status"""
    cid = guest.run("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; exit 9")
    got = bytearray()
    for _ in range(10):
        answer = guest.call("ReadStdout", container_id=cid, len=3000)
        got[answer.offset:] = answer.data
        guest.client.start("ReadStdout", container_id=cid, len=3000)
        guest.reconnect()
    while True:
        answer = guest.call("ReadStdout", container_id=cid, len=100000)
        check(answer.offset <= len(got), "a gap at %d" % len(got))
        if not answer.data:
            break
        got[answer.offset:] = answer.data
    equal(bytes(got), b"".join(b"line %d\n" % i for i in range(20000)), "output")
    equal(guest.status(cid), 9, "status")
    guest.reconnect()
    equal(guest.status(cid), 9, "status, asked for again")
    guest.remove(cid)


def test_guest_itself(guest):
    """time, randomness, processors and metrics of the guest"""
    guest.call("SetGuestDateTime", Sec=2000000000, Usec=500000)
    cid = guest.run(["date", "+%s"])
    now = int(guest.output(cid))
    check(2000000000 <= now < 2000000100, "time: %d" % now)
    guest.remove(cid)
    guest.call("ReseedRandomDev", data=os.urandom(512))
    guest.call("OnlineCPUMem", nb_cpus=1)
    guest.fails("FAILED_PRECONDITION", "OnlineCPUMem", nb_cpus=2)
    metrics = guest.call("GetMetrics").metrics
    rss = [line for line in metrics.splitlines() if line.startswith("kata_agent_total_rss ")]
    total = [line for line in metrics.splitlines() if 'item="MemTotal"' in line]
    check(rss and total, "metrics: %.300s" % metrics)
    print("# %s; %s; %d lines" % (rss[0], total[0], metrics.count("\n")))
    for name in ("MemHotplugByProbe", "AddSwap"):
        check(name in guest.fails("UNIMPLEMENTED", name), "message")
    for name in ("GetIPTables", "SetIPTables"):
        check("is not in this guest" in guest.fails("UNIMPLEMENTED", name), "message")


def qmp(guest, command, **arguments):
    """One command; what else QEMU says is passed over."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(CALL_SECONDS)
        channel.connect(os.path.join(guest.dir, "qmp"))
        lines = channel.makefile("rw")
        lines.readline()
        for line in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
            lines.write(json.dumps(line) + "\n")
            lines.flush()
            answer = {}
            while "return" not in answer and "error" not in answer:
                answer = json.loads(lines.readline())
            check("return" in answer, "%s: %s" % (line, answer))


def interface(mac, name, *inets):
    return {"hwAddr": mac, "name": name, "mtu": 1400, "raw_flags": 0x1043,
            "IPAddresses": [{"family": "v6" if ":" in i else "v4", "address": i.split("/")[0], "mask": i.split("/")[1]}
                            for i in inets]}


def test_network(guest):
    """cards go by their hardware address, whatever the kernel calls them; what is set up carries data"""
    started = time.monotonic()
    answer = guest.call("UpdateInterface", interface=interface(MAC_2, "eth0", "10.0.2.15/24", "fd00::15/64"))
    print("# %.0f ms with the driver" % ((time.monotonic() - started) * 1000))
    equal((answer.name, answer.mtu), ("eth0", 1400), "the interface")
    guest.call("UpdateInterface", interface=interface(MAC_1, "eth1", "192.0.2.2/24"))
    guest.call("UpdateRoutes", routes={"Routes": [{"gateway": "10.0.2.2", "device": "eth0"},
                                                  {"dest": "203.0.113.0/24", "gateway": "192.0.2.1", "device": "eth1"},
                                                  {"gateway": "fd00::1", "device": "eth0", "family": "v6"}]})
    guest.call("AddARPNeighbors", neighbors={"ARPNeighbors": [
        {"toIPAddress": {"address": "192.0.2.1"}, "device": "eth1", "lladdr": "02:00:00:00:00:01", "state": 128}]})
    found = {i.name: i for i in guest.call("ListInterfaces").Interfaces}
    equal(sorted(found), ["eth0", "eth1", "lo"], "interfaces")
    equal((found["eth0"].hwAddr, found["eth1"].hwAddr), (MAC_2, MAC_1), "who is who")
    routes = [(r.dest, r.gateway, r.device) for r in guest.call("ListRoutes").Routes if r.gateway]
    equal(sorted(routes), [("", "10.0.2.2", "eth0"), ("", "fd00::1", "eth0"), ("203.0.113.0/24", "192.0.2.1", "eth1")],
          "routes")
    cid = guest.run("(echo over the wire; sleep 1000) | nc %s %s & cat /proc/net/arp; wait" % ECHO)
    got = b""
    while b"over the wire" not in got or b"192.0.2.1 " not in got:
        piece = guest.call("ReadStdout", container_id=cid, len=MIB).data
        check(piece, "output: %r" % got)
        got += piece
    counts = {n.name: n for n in guest.stats(cid).network_stats}
    check(counts["eth0"].rx_bytes > 0 and counts["eth0"].tx_packets > 0, "statistics: %s" % counts["eth0"])
    check('interface="eth0"' in guest.call("GetMetrics").metrics, "metrics")
    guest.remove(cid)


def test_plugged_in(guest):
    """a card that is plugged in while it is waited for"""
    pending = guest.client.start("UpdateInterface", interface=interface(MAC_3, "net2", "198.51.100.2/24"))
    guest.call("Check")
    qmp(guest, "device_add", driver="virtio-net-pci", netdev="late", mac=MAC_3, bus="rp1", id="card")
    try:
        answer = pending.result(CALL_SECONDS)
    except boot.ttrpc_client.RpcError as error:
        equal(error.code, "NOT_FOUND", "code: %s" % error.message)  # a slow machine: it is asked for again
        answer = guest.call("UpdateInterface", interface=interface(MAC_3, "net2", "198.51.100.2/24"))
    equal(([a.address for a in answer.IPAddresses if ":" not in a.address], answer.name), (["198.51.100.2"], "net2"),
          "the interface")


def test_destroy(guest):
    """the sandbox' end is the machine's"""
    guest.run("sleep 1000")
    guest.call("DestroySandbox")
    eventually(lambda: guest.qemu.poll() is not None, "end of QEMU", 30)


if __name__ == "__main__":
    if environment.guest_image() is None:
        tap.skip_all("the guest image is not built (make guest-image)")
    try:
        import ttrpc_client
    except ImportError as missing:
        tap.skip_all(str(missing))
    boot.ttrpc_client = ttrpc_client
    tap.run([test_sandbox, test_statistics, test_pause, test_out_of_memory, test_many_at_once, test_terminal,
             test_shared_pids, test_archives, test_archive_limit, test_reconnect, test_guest_itself, test_network,
             test_plugged_in, test_destroy], Guest())
