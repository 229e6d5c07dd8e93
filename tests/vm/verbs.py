#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every verb on a real virtual machine: pause, update, statistics, processes,
memory, files, terminals, and containers that share what a pod shares."""

import io
import json
import os
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import bus
import tap
from env import Env
from gi.repository import GLib
from tap import check, equal, eventually, match, took

CONTAINER_TYPE = "io.kubernetes.cri.container-type"
SANDBOX_ID = "io.kubernetes.cri.sandbox-id"
MIB = 1 << 20


class Shared:
    """The sandbox of this program: starting one takes seconds."""

    sandbox = None
    own = None
    id = "pod"
    shm = None


def pod_annotations(kind):
    return {CONTAINER_TYPE: kind, SANDBOX_ID: Shared.id}


def spec(args, kind, pid=None, **changes):
    """A container of a pod: /dev/shm is the pod's, and so may its processes be."""
    mounts = [bundle.bind(Shared.shm, "/dev/shm"), *changes.pop("mounts", [])]
    document = bundle.spec(args, annotations=pod_annotations(kind), mounts=mounts, **changes)
    document["mounts"] = [m for m in document["mounts"] if m["destination"] != "/dev/shm" or m["type"] == "bind"]
    if pid is not None:
        for namespace in document["linux"]["namespaces"]:
            if namespace["type"] == "pid":
                namespace["path"] = pid
    return document


def write(env, document, args):
    path = env.bundle(args)
    bundle.write_config(path, document)
    return path


def add(env, args, pid=None, resources=None, capabilities=(), **changes):
    cid = env.new_id("c")
    document = spec(args, "container", pid, **changes)
    for kind in document["process"]["capabilities"]:
        document["process"]["capabilities"][kind] = [*bundle.CAPABILITIES, *capabilities]
    if resources:
        document["linux"]["resources"] = resources
    return Shared.sandbox.create_container(cid, write(env, document, args)), cid


def run(container, args, timeout=60, **values):
    """Status and output of an exec."""
    reader, writer = os.pipe()
    process = container.exec(args, stdout=writer, stderr=writer, **values)
    os.close(writer)
    status = process.wait(timeout)
    with open(reader, "rb") as f:
        return status, f.read()


def container_of(env, cid):
    return env.manager.container(cid)


# ---- the pod ---------------------------------------------------------------------------

def test_start(env):
    """a pod starts, with a sandbox's shm, hostname and resolv.conf"""
    Shared.shm = env.path("shm")
    os.mkdir(Shared.shm)
    host_shm = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=1777", "shm", Shared.shm]
    equal(os.spawnvp(os.P_WAIT, host_shm[0], host_shm), 0, "mount")
    resolv = env.path("resolv.conf")
    with open(resolv, "w", encoding="ascii") as f:
        f.write("# of the pod\nnameserver 192.0.2.53\nsearch pod.example\n")
    args = ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.2; done"]
    document = spec(args, "sandbox", hostname="pod-host",
                    mounts=[bundle.bind(resolv, "/etc/resolv.conf", "ro")])
    Shared.sandbox = env.manager.create_sandbox(Shared.id, write(env, document, args))
    Shared.sandbox.start()
    Shared.own = container_of(env, Shared.id)
    Shared.own.start()
    equal(run(Shared.own, ["hostname"])[1].strip(), b"pod-host", "hostname")
    match(run(Shared.own, ["cat", "/etc/resolv.conf"])[1].decode(), "nameserver 192.0.2.53", "resolv.conf")
    size = run(Shared.own, ["df", "-k", "/dev/shm"])[1].decode().split("\n")[-2].split()[1]
    equal(size, str(32 * 1024), "KiB of /dev/shm")


def test_shared_shm(env):
    """two containers of a pod see one /dev/shm, which is not the host's"""
    writer, _ = add(env, ["sh", "-c", "echo shared > /dev/shm/note; sleep 1000"])
    writer.start()
    reader, _ = add(env, ["sleep", "1000"])
    reader.start()
    eventually(lambda: run(reader, ["cat", "/dev/shm/note"])[1] == b"shared\n", "the note of the other container")
    equal(run(Shared.own, ["cat", "/dev/shm/note"])[1], b"shared\n", "as the first container sees it")
    equal(os.listdir(Shared.shm), [], "the host's")
    for container in (writer, reader):
        container.delete(force=True)


def test_shared_pids(env):
    """containers that join a pid namespace see each other's processes, others do not"""
    one, _ = add(env, ["sleep", "4242"], pid="/proc/1/ns/pid")
    one.start()
    two, _ = add(env, ["sleep", "4343"], pid="/proc/1/ns/pid")
    two.start()
    apart, _ = add(env, ["sleep", "4444"])
    apart.start()
    listing = run(two, ["ps", "-o", "args"])[1]
    check(b"sleep 4242" in listing and b"sleep 4343" in listing, "processes: %r" % listing)
    listing = run(apart, ["ps", "-o", "args"])[1]
    check(b"sleep 4242" not in listing and b"sleep 4444" in listing, "processes of one apart: %r" % listing)
    for container in (one, two, apart):
        container.delete(force=True)


# ---- pause -----------------------------------------------------------------------------

def count(container):
    return int(run(container, ["cat", "/tmp/count"])[1] or b"0")


def test_pause_container(env):
    """a paused container stands still, a resumed one goes on"""
    ticker = "i=0; while :; do i=$((i+1)); echo $i > /tmp/n; mv /tmp/n /tmp/count; sleep 0.05; done"
    container, cid = add(env, ["sh", "-c", ticker])
    container.start()
    eventually(lambda: count(container) > 2, "the first ticks")
    container.call("Pause")
    equal(container.get("State"), "paused", "state")
    env.raises("InvalidState", lambda: container.call("Pause"), "pause container .*it is paused")
    env.raises("InvalidState", lambda: run(container, ["true"]), "exec in container .*it is paused")
    usage = [container.call("GetStats")["cpu.usage-usec"] for _ in range(2) if not time.sleep(0.5)]
    check(usage[1] - usage[0] < 20000, "processor time while paused: %r" % usage)
    container.call("Resume")
    equal(container.get("State"), "running", "state")
    before = count(container)
    eventually(lambda: count(container) > before, "ticks after resume")
    container.call("Pause")
    container.kill("KILL")
    equal(container.wait(30), 137, "status of one that was killed while paused")
    container.delete()


def test_pause_machine(env):
    """a paused machine answers nothing; resumed it has the time of the host"""
    offset = lambda: abs(float(run(Shared.own, ["date", "+%s"])[1]) - time.time())
    check(offset() < 3, "clock before: %f s off" % offset())
    Shared.sandbox.call("Pause")
    equal(Shared.sandbox.get("State"), "paused", "state")
    for call, what in ((Shared.sandbox.ping, "ping sandbox"),
                       (lambda: Shared.sandbox.call("Pause"), "pause sandbox"),
                       (lambda: Shared.sandbox.call("GetStats"), "get statistics of sandbox"),
                       (lambda: run(Shared.own, ["true"]), "exec in container"),
                       (lambda: Shared.own.kill("USR1"), "kill container")):
        env.raises("InvalidState", call, what + ".* is paused$")
    time.sleep(4)
    Shared.sandbox.call("Resume")
    equal(Shared.sandbox.get("State"), "ready", "state")
    match(Shared.sandbox.ping(), ".", "agent version")
    eventually(lambda: offset() < 2, "clock after it stood still for 4 s")


def test_stop_paused(env):
    """a paused sandbox is stopped gracefully"""
    sid = env.new_id("p")
    sandbox = env.manager.create_sandbox(sid, env.bundle(["sh", "-c", "while :; do sleep 1; done"]))
    sandbox.start()
    container = env.manager.container(sid)
    container.start()
    sandbox.call("Pause")
    began = time.monotonic()
    sandbox.stop(20000000)
    took(began, 15, "stop of a paused sandbox")
    equal((sandbox.get("State"), sandbox.get("ExitReason")), ("stopped", "stopped"), "end")
    equal(container.wait(60), 137, "status of the container")
    sandbox.delete()


# ---- resources and statistics ------------------------------------------------------------

def test_update(env):
    """limits change in the guest's cgroup, and only those that were given"""
    container, _ = add(env, ["sleep", "1000"], resources={"memory": {"limit": 64 * MIB}, "pids": {"limit": 30}})
    container.start()
    stats = container.call("GetStats")
    equal((stats["memory.limit-bytes"], stats["pids.limit"]), (64 * MIB, 30), "limits before")
    container.call("Update", "(s)", json.dumps({"memory": {"limit": 48 * MIB},
                                                "cpu": {"quota": 20000, "period": 100000, "cpus": "0-3"}}))
    stats = container.call("GetStats")
    equal((stats["memory.limit-bytes"], stats["pids.limit"]), (48 * MIB, 30), "limits after")
    run(container, ["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"])
    check(container.call("GetStats")["cpu.throttled-periods"] > 0, "was not throttled")
    for resources, name, pattern in (
            ("[]", "InvalidArgument", "must be an object"),
            ("{", "InvalidArgument", "resources"),
            ('{"memory": {"limit": "much"}}', "InvalidArgument", "memory.limit"),
            ('{"devices": [{"allow": true}]}', "NotSupported", "devices"),
            ('{"network": {"classID": 1}}', "NotSupported", "network"),
            ('{"unified": {"memory.high": "1"}}', "NotSupported", "unified"),
            ('{"cpu": {"idle": 1}}', "NotSupported", "cpu.idle")):
        env.raises(name, lambda: container.call("Update", "(s)", resources), pattern)
    container.delete(force=True)


def test_sandbox_update(env):
    """a sandbox has the size it has"""
    size = {"vcpus": GLib.Variant("u", Shared.sandbox.get("Vcpus")), "memory-bytes": Shared.sandbox.get("MemoryBytes")}
    update = lambda **values: Shared.sandbox.call("Update", "(a{sv})", bus.options(values))
    update(**size)
    env.raises("NotSupported", lambda: update(vcpus=GLib.Variant("u", size["vcpus"].unpack() + 1)), "vcpus")
    env.raises("NotSupported", lambda: update(**{"memory-bytes": 1 << 40}), "memory-bytes")
    env.raises("InvalidArgument", lambda: update(cpus=1), "cpus")


def test_stats(env):
    """the statistics of a container, of its sandbox and of all"""
    container, cid = add(env, ["sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=4 2>/dev/null; sleep 1000"],
                         resources={"pids": {"limit": 77}})
    container.start()
    eventually(lambda: container.call("GetStats")["memory.stat"].get("shmem", 0) >= 4 * MIB, "4 MiB in /dev/shm")
    stats = container.call("GetStats")
    for key in ("cpu.usage-usec", "cpu.user-usec", "cpu.system-usec", "cpu.throttled-periods", "memory.usage-bytes",
                "memory.limit-bytes", "memory.cache-bytes", "memory.stat", "pids.current", "time-usec", "network"):
        check(key in stats, "%s is missing: %r" % (key, sorted(stats)))
    check(stats["cpu.usage-usec"] > 0 and stats["memory.stat"].get("shmem", 0) >= 4 * MIB, "stats: %r" % stats)
    equal(stats["pids.limit"], 77, "pids.limit")
    whole = Shared.sandbox.call("GetStats")
    check(whole["containers"] >= 2, "containers: %r" % whole)
    # what dd used besides may be gone by now
    check(whole["memory.usage-bytes"] >= 4 * MIB, "sum of memory")
    check(whole["vm.memory-bytes"] > whole["memory.usage-bytes"], "memory of the machine")
    # a guest takes for its own what the host gave to others, so its sum may be the larger one
    check(whole["vm.cpu-usage-usec"] > 0, "processor time of the machine")
    every = env.manager.call("GetStats", "(a{sv})", bus.options({"containers": True}))
    equal(sorted(every)[0], Shared.sandbox.path, "rows")
    check(container.path in every and "cpu.usage-usec" in every[container.path], "container's row: %r" % sorted(every))
    container.delete(force=True)


def test_metrics(env):
    """metrics of the host's side and of the guest"""
    text = Shared.sandbox.call("GetMetrics")
    match(text, r'virtpod_vm_memory_bytes\{sandbox="pod"\} \d', "the machine's memory")
    guest = [line for line in text.splitlines() if line and not line.startswith(("#", "virtpod_"))]
    check(len(guest) > 3, "metrics of the guest: %r" % guest)


def test_pids(env):
    """the processes of a container"""
    container, _ = add(env, ["sh", "-c", "sleep 1001 & sleep 1002 & wait"])
    container.start()
    eventually(lambda: len(container.call("ListPids")) == 3, "three processes")
    pids = container.call("ListPids")
    check(all(pid > 1 for pid in pids) and len(set(pids)) == 3, "pids: %r" % pids)
    container.delete(force=True)


def test_oom(env):
    """a container that runs out of memory is told of"""
    heard = []
    subscription = env.manager.connection.signal_subscribe(
        bus.NAME, "org.virtpod.Sandbox1", "OOM", None, None, 0, lambda *args: heard.append(args[5].unpack()[0]))
    events = []
    other = env.manager.connection.signal_subscribe(
        bus.NAME, "org.virtpod.Manager1", "SandboxEvent", None, None, 0, lambda *args: events.append(args[5].unpack()))
    container, cid = add(env, ["sh", "-c", "sleep 0.2; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done"],
                         resources={"memory": {"limit": 24 * MIB, "swap": 24 * MIB}})
    container.start()
    container.wait(60)

    def told():
        while GLib.MainContext.default().iteration(False):
            pass
        return cid in heard and [e for e in events if e[1] == "oom" and e[2]["container"] == cid]

    eventually(told, "signal OOM", 30)
    equal(container.get("OomKilled"), True, "OomKilled")
    equal(Shared.own.get("OomKilled"), False, "OomKilled of another")
    for number in (subscription, other):
        env.manager.connection.signal_unsubscribe(number)
    container.delete()


# ---- processes ---------------------------------------------------------------------------

def test_kill_all(env):
    """KILL with the option all ends what the first process left behind, too"""
    container, _ = add(env, ["sh", "-c", "trap '' TERM; sleep 1003 & sleep 1004 & wait; wait"])
    container.start()
    eventually(lambda: len(container.call("ListPids")) == 3, "three processes")
    env.raises("InvalidArgument", lambda: container.kill("TERM", all=True), "all")
    container.kill("9", all=True)
    equal(container.wait(30), 137, "status")
    container.delete()


def test_exec_spec(env):
    """an exec by a whole process object, held and then started"""
    process_json = json.dumps({
        "args": ["sh", "-c", "echo $WHO; pwd; id -u; exit 9"], "env": ["WHO=me", "PATH=/bin"], "cwd": "/tmp",
        "user": {"uid": 7, "gid": 8}, "capabilities": {}, "noNewPrivileges": True})
    reader, writer = os.pipe()
    values, fds = bus.stream_options({"start": False}, None, writer, None)
    (path,), _ = Shared.own.call_with_fds("ExecProcessSpec", "(ssa{sv})", ("held", process_json, values), fds)
    os.close(writer)
    process = bus.Process(Shared.own.connection, path)
    equal(process.get("State"), "created", "state")
    env.raises("InvalidState", lambda: process.kill("KILL"), "kill process \"held\": it is created")
    process.call("Start")
    env.raises("InvalidState", lambda: process.call("Start"), "start process \"held\": it is (running|stopped)")
    equal(process.wait(30), 9, "status")
    with open(reader, "rb") as f:
        equal(f.read(), b"me\n/tmp\n7\n", "output")
    process.call("Delete")
    env.raises("NotFound", lambda: Shared.own.call("GetProcess", "(s)", "held"))
    env.raises("InvalidArgument", lambda: Shared.own.call("ExecProcessSpec", "(ssa{sv})", "", '{"args": []}', {}), "args|cwd")


def test_exec_created(env):
    """a container that is only created can have a further process"""
    container, _ = add(env, ["true"])
    equal(run(container, ["echo", "early"]), (0, b"early\n"), "exec")
    container.start()
    equal(container.wait(30), 0, "status")
    container.delete()


def test_exec_detached(env):
    """a detached exec goes on by itself, and its object goes with it"""
    (path,), _ = Shared.own.call_with_fds(
        "Exec", "(sasa{sv})", ("gone", ["sh", "-c", "cat; echo text; echo done > /tmp/detached"],
                               bus.options({"detach": True})))
    eventually(lambda: run(Shared.own, ["cat", "/tmp/detached"])[1] == b"done\n", "work of the detached process")
    eventually(lambda: not exists(Shared.own, "gone"), "object gone")


def exists(container, exec_id):
    try:
        container.call("GetProcess", "(s)", exec_id)
        return True
    except bus.BusError as error:
        equal(error.name, "NotFound")
        return False


def test_exec_concurrent(env):
    """sixteen processes at a time, each with its own output and status"""
    results = {}

    def one(i):
        own = bus.Container(bus.connect(env.address), Shared.own.path)
        results[i] = run(own, ["sh", "-c", "sleep 0.3; echo %d; exit %d" % (i, i)])

    threads = [threading.Thread(target=one, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(results, {i: (i, b"%d\n" % i) for i in range(16)}, "statuses and output")


def test_terminal(env):
    """an exec with a terminal, which is resized"""
    reader, writer = os.pipe()
    process = Shared.own.exec(["sh", "-c", "tty >/dev/null && stty size; trap 'stty size; exit 5' WINCH; "
                                           "echo ready; while :; do sleep 0.1; done"],
                              stdout=writer, terminal=True)
    os.close(writer)
    with open(reader, "rb", buffering=0) as f:
        text = b""
        while b"ready" not in text:
            text += f.read(100)
        process.call("ResizeTty", "(qq)", 132, 43)
        equal(process.wait(30), 5, "status")
        match(f.read().decode(), "43 132", "size after ResizeTty")


# ---- files -------------------------------------------------------------------------------

def copy_in(container, data, path, **values):
    reader, writer = os.pipe()
    threading.Thread(target=feed, args=(writer, data), daemon=True).start()
    try:
        container.call_with_fds("CopyIn", "(hsa{sv})", (0, path, bus.options(values)), (reader,))
    finally:
        os.close(reader)


def feed(fd, data):
    try:
        with open(fd, "wb") as f:
            f.write(data)
    except BrokenPipeError:
        pass


def copy_out(container, path, pause=0.0, **values):
    _, fds = container.call_with_fds("CopyOut", "(sa{sv})", (path, bus.options(values)))
    equal(len(fds), 1, "descriptors")
    data = b""
    with open(fds[0], "rb") as f:
        while True:
            chunk = f.read(1 << 18)
            if not chunk:
                return data
            data += chunk
            time.sleep(pause)


def archive(*members):
    """A tar stream of (name, content or None for a directory, attributes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content, attributes in members:
            info = tarfile.TarInfo(name)
            for key, value in attributes.items():
                setattr(info, key, value)
            if content is None and info.type == tarfile.REGTYPE:
                info.type = tarfile.DIRTYPE
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return out.getvalue()


def test_copy_round_trip(env):
    """files go in and come out as they were"""
    blob = os.urandom(3 * MIB + 17)
    data = archive(("dir", None, {"mode": 0o750}), ("dir/blob", blob, {"mode": 0o640, "uid": 7, "gid": 8, "mtime": 12345}),
                   ("dir/ünï", b"text", {}), ("dir/link", None, {"type": tarfile.SYMTYPE, "linkname": "blob"}))
    container, _ = add(env, ["sleep", "1000"], capabilities=("CAP_CHOWN", "CAP_FOWNER", "CAP_DAC_OVERRIDE"))
    container.start()
    run(container, ["mkdir", "/tmp/in"])
    copy_in(container, data, "/tmp/in")
    equal(run(container, ["stat", "-c", "%a %u %g %Y %s", "/tmp/in/dir/blob"])[1], b"640 7 8 12345 %d\n" % len(blob),
          "file in the container")
    with tarfile.open(fileobj=io.BytesIO(copy_out(container, "/tmp/in/dir"))) as tar:
        members = {m.name.rstrip("/"): m for m in tar.getmembers()}
        equal(sorted(members), ["dir", "dir/blob", "dir/link", "dir/ünï"], "names")
        check(tar.extractfile(members["dir/blob"]).read() == blob, "content differs")
        equal((members["dir/blob"].mode, members["dir/blob"].uid, members["dir/blob"].mtime), (0o640, 7, 12345), "attributes")
        equal(members["dir/link"].linkname, "blob", "link")
    container.delete(force=True)
    # owners are not for a container without the right to give files away
    env.raises("AgentFailed", lambda: copy_in(Shared.own, data, "/tmp"), "Operation not permitted")
    copy_in(Shared.own, data, "/tmp", **{"no-same-owner": True})
    equal(run(Shared.own, ["stat", "-c", "%u %s", "/tmp/dir/blob"])[1], b"0 %d\n" % len(blob), "file without its owner")


def test_copy_slow_reader(env):
    """a slow reader gets the whole stream, long after the guest was done"""
    run(Shared.own, ["dd", "if=/dev/urandom", "of=/tmp/slow", "bs=1M", "count=2"])
    data = copy_out(Shared.own, "/tmp/slow", pause=0.7)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        equal(tar.getmembers()[0].size, 2 * MIB, "size")
        check(len(tar.extractfile("slow").read()) == 2 * MIB, "cut short")


def test_copy_errors(env):
    """what cannot be copied says why, and what leads out does not"""
    env.raises("NotFound", lambda: copy_out(Shared.own, "/tmp/nowhere"), "nowhere|No such")
    env.raises("NotFound", lambda: copy_in(Shared.own, archive(("x", b"x", {})), "/tmp/nowhere"), "nowhere|No such")
    copy_in(Shared.own, archive(("x", b"x", {})), "/tmp/made/deep", mkdir=True)
    env.raises("InvalidArgument", lambda: copy_in(Shared.own, b"no archive" * 100, "/tmp"))
    env.raises(("InvalidArgument", "AgentFailed"), lambda: copy_in(Shared.own, archive(("../out", b"x", {})), "/tmp/made"))
    equal(run(Shared.own, ["ls", "/tmp/made"])[1], b"deep\n", "what is there")
    env.raises("InvalidArgument", lambda: copy_out(Shared.own, "tmp"), "absolute")
    env.raises("InvalidArgument", lambda: copy_out(Shared.own, "/tmp", nonsense=True), "nonsense")


def test_copy_abandoned(env):
    """a reader that leaves ends the copy"""
    _, fds = Shared.own.call_with_fds("CopyOut", "(sa{sv})", ("/bin", {}))
    before = len(Shared.own.call("ListPids"))
    os.close(fds[0])
    eventually(lambda: len(Shared.own.call("ListPids")) <= before, "fewer processes")
    equal(run(Shared.own, ["true"])[0], 0, "exec afterwards")


# ---- the rest ----------------------------------------------------------------------------

def test_console(env):
    """the console log, and what follows it"""
    _, fds = Shared.sandbox.call_with_fds("OpenConsole", "(a{sv})", ({},))
    with open(fds[0], "rb") as f:
        text = f.read()
    check(len(text) > 100, "console log: %r" % text)
    _, fds = Shared.sandbox.call_with_fds("OpenConsole", "(a{sv})", (bus.options({"tail-bytes": 10}),))
    with open(fds[0], "rb") as f:
        equal(f.read(), text[-10:], "tail")


def test_devices(env):
    """the devices of the machine"""
    devices = Shared.sandbox.call("ListDevices")
    kinds = {device["kind"] for device in devices}
    check({"share", "channel", "rng"} <= kinds, "kinds: %r" % devices)
    equal(len({device["id"] for device in devices}), len(devices), "ids")


def test_prune(env):
    """what has ended is deleted, what runs is not"""
    container, cid = add(env, ["true"])
    container.start()
    container.wait(30)
    dry = env.manager.call("Prune", "(a{sv})", bus.options({"dry-run": True}))
    equal(dry, [("container", cid)], "what would go")
    equal(env.manager.call("Prune", "(a{sv})", bus.options({"older-than-usec": 3600000000})), [], "younger than an hour")
    equal(env.manager.call("Prune", "(a{sv})", {}), [("container", cid)], "what went")
    env.raises("NotFound", lambda: env.manager.container(cid))
    equal(Shared.own.get("State"), "running", "state of the pod")


def test_end(env):
    """the pod goes, and nothing of it stays"""
    Shared.sandbox.stop()
    env.raises("InvalidState", lambda: Shared.sandbox.call("Pause"), "it is stopped")
    equal(env.manager.call("Prune", "(a{sv})", {}), [("sandbox", Shared.id)], "what went")
    equal(env.manager.sandboxes(), [], "sandboxes")
    os.spawnvp(os.P_WAIT, "umount", ["umount", "-l", Shared.shm])
    eventually(lambda: env.libvirt.domains() == [], "no domain left")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]
# by name on the command line: those, in the pod
ONLY = [test for test in TESTS if test.__name__ in sys.argv[1:]]

if __name__ == "__main__":
    ENV = Env(libvirt=os.environ.get("VIRTPOD_TEST_LIBVIRT", "embed"))
    ENV.require()
    tap.run([test_start, *ONLY] if ONLY else TESTS, ENV)
