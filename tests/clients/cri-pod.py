#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd's CRI plugin, as a kubelet uses it, with virtpod's shim: a pod of several
containers and all that can be asked of it."""

import base64
import hashlib
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from containerd import SIZE
from cri import DEADLINE, NOT_READY, READY, SUBNET, CriEnv, CriError, Pod
from cri_stream import PORT_DATA, PORT_ERROR, STDERR, STDIN
from tap import check, equal, match

# one connection after the other; between two of them nobody listens
SERVER = ('trap "exit 5" TERM; echo ready; echo warning >&2; '
          'while :; do echo "from $NAME" | busybox nc -l -p 80 & wait $!; done')
ECHO = 'trap "" TERM; echo ready; while read line; do echo "got $line"; done'
MIB = 1 << 20
# of control groups, which are the whole machine's; a kubelet makes them
GROUPS = "/virtpod-test.%d" % os.getpid()
GROUP = GROUPS + "/kubepods/burstable/pod1"


class Shared:
    """The pod of all tests, and its containers."""

    pod = None
    web = None
    reader = None


def variables(**values):
    return [{"key": key, "value": base64.b64encode(value.encode()).decode()} for key, value in values.items()]


def fetch(address, port):
    """What the server says; None: it did not listen, or said nothing."""
    try:
        with socket.create_connection((address, port), 20) as connection:
            connection.settimeout(20)
            return connection.makefile("rb").readline() or None
    except OSError:
        return None


def test_start(env):
    """RunPodSandbox, CreateContainer, StartContainer: two containers, one machine and one shim"""
    pod = Shared.pod = Pod(env, "web-0", dns_config={"servers": ["10.87.0.53"], "searches": ["test.example.org"],
                                                     "options": ["ndots:5"]},
                           linux={"resources": {"memory_limit_in_bytes": 128 * MIB}, "cgroup_parent": GROUP})
    os.mkdir(env.path("volume"))
    for name in ("volume/file", "single"):
        with open(env.path(name), "w", encoding="ascii") as f:
            f.write("from the host\n")
    limits = {"memory_limit_in_bytes": 64 * MIB, "cpu_period": 100000, "cpu_quota": 50000}
    web = Shared.web = pod.create("web", "sh", "-c", SERVER, envs=variables(NAME="web", EMPTY=""), working_dir="/tmp",
                                  linux={"resources": limits},
                                  mounts=[{"host_path": env.path("volume"), "container_path": "/volume"},
                                          {"host_path": env.path("volume"), "container_path": "/fixed", "readonly": True},
                                          {"host_path": env.path("single"), "container_path": "/etc/single"}])
    equal(web.state(), "CONTAINER_CREATED")
    web.start()
    Shared.reader = pod.start("reader", "sh", "-c", ECHO, stdin=True)
    equal(pod.state(), READY)
    for container in (web, Shared.reader):
        equal(container.state(), "CONTAINER_RUNNING")
    equal((len(env.shims()), len(env.libvirt.domains())), (1, 1), "shims and machines")
    # the sandbox's own 256 MiB, of which the kernel takes a part, and the pod's
    memory = int(web.shell("grep MemTotal: /proc/meminfo").split()[1])
    check(320 * 1024 < memory < 384 * 1024, "the machine has %d KiB" % memory)


def test_lists(env):
    """ListPodSandbox, ListContainers, ContainerStatus, PodSandboxStatus"""
    pod, web = Shared.pod, Shared.web
    equal([(item.id, item.runtime_handler) for item in env.pods()], [(pod.id, "virtpod")], "pods")
    listed = env.cri.call("ListContainers", filter={"pod_sandbox_id": pod.id}).containers
    equal(sorted(item.metadata.name for item in listed), ["reader", "web"], "containers")
    status = web.status()
    check(status.created_at <= status.started_at and status.finished_at == 0, "times: %r" % status)
    equal([mount.container_path for mount in status.mounts], ["/volume", "/fixed", "/etc/single"], "mounts")
    equal((status.log_path, pod.status().metadata.name), (web.log, "web-0"), "log and name")


def test_network(env):
    """the pod has the address that CNI gave out, and the host reaches it"""
    address = Shared.pod.address
    match(address, "^" + SUBNET.replace(".", r"\."), "address")
    equal(env.addresses(), [address], "addresses given out")
    tap.eventually(lambda: fetch(address, 80) == b"from web\n", "the server's answer", DEADLINE)
    for container in (Shared.web, Shared.reader):
        match(container.shell("busybox ip -4 addr show dev eth0"), r"inet %s/24" % address.replace(".", r"\."),
              "address in the guest")


def forwarded(pod, port, request):
    """What came by PortForward, of bytes and of errors, without the port's number."""
    with pod.port_forward(port) as stream:
        stream.send(PORT_DATA, request)
        while stream.receive():
            pass
        data, error = stream.text(PORT_DATA), stream.text(PORT_ERROR)
    equal((data[:2], error[:2]), (struct.pack("<H", port),) * 2, "number of the port")
    return data[2:], error[2:].decode()


def test_port_forward(env):
    """PortForward: ports of the guest's loopback device, of either family; one where nobody listens is an error"""
    pod, web = Shared.pod, Shared.web
    web.shell("mkdir /tmp/www && head -c 3000000 /dev/urandom >/tmp/www/data && "
              "busybox httpd -p 127.0.0.1:8080 -h /tmp/www && busybox httpd -p '[::1]:8081' -h /tmp/www")
    wanted = web.shell("sha256sum /tmp/www/data").split()[0]
    for port in (8080, 8081):
        answer, error = forwarded(pod, port, b"GET /data HTTP/1.0\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        match(head.decode(), r"^HTTP/1\.\d 200 ", "answer of the server (%s)" % error)
        equal(hashlib.sha256(body).hexdigest(), wanted, "sum of the data")
    data, error = forwarded(pod, 8082, b"")
    equal(data, b"", "data of nobody")
    match(error, "connection reset|broken pipe", "error")


def test_inside(env):
    """host name, resolv.conf, environment, directory and volumes are those of the request"""
    web = Shared.web
    equal(web.shell("hostname; echo $NAME; echo $EMPTY; pwd; cat /etc/hostname"), "web-0\nweb\n\n/tmp\nweb-0\n")
    equal(web.shell("cat /etc/resolv.conf"), "search test.example.org\nnameserver 10.87.0.53\noptions ndots:5\n")
    equal(web.shell("cat /volume/file /etc/single; echo back >/volume/back"), "from the host\n" * 2)
    with open(env.path("volume/back"), encoding="ascii") as f:
        equal(f.read(), "back\n", "file written in the guest")
    equal(web.execute("touch", "/fixed/new")[0], 1, "status of a touch on a read-only mount")
    check(not os.path.exists(env.path("volume/new")), "a read-only mount was written to")


def test_exec_sync(env):
    """ExecSync: output, status, a program that is not there, one that takes too long"""
    reader = Shared.reader
    equal(reader.execute("sh", "-c", "echo out; echo err >&2; exit 3"), (3, b"out\n", b"err\n"))
    try:
        raise tap.Failure("ExecSync of nothing: %r" % (reader.execute("/no/such/program"),))
    except CriError as error:
        match(error.text, "not found", "error")
    try:
        raise tap.Failure("ExecSync of what does not end: %r" % (reader.execute("sleep", "54321", timeout=1),))
    except CriError as error:
        equal(error.code, "DEADLINE_EXCEEDED", error.text)
    tap.eventually(lambda: reader.execute("sh", "-c", "ps | grep -q '[s]leep 54321'")[0] == 1,
                   "end of what took too long", DEADLINE)


def test_streams(env):
    """Exec with input, with a terminal and its size; Attach"""
    with Shared.web.exec_stream("sh", "-c", "read line; echo got $line; echo err >&2; exit 7", stdin=True) as stream:
        stream.send(STDIN, b"this\n")
        equal((stream.finish(), stream.text(), stream.text(STDERR)), (7, b"got this\n", b"err\n"), "exec")
    with Shared.web.exec_stream("sh", "-c", "tty; " + SIZE + "echo sized; sleep 100000", stdin=True, tty=True) as stream:
        stream.until(b"/dev/")
        stream.resize(100, 40)
        stream.until(b"sized")
        stream.send(STDIN, b"\x03")
        equal(stream.finish(), 130, "exec on a terminal, ended by its interrupt key")
    with Shared.reader.attach() as stream:
        stream.send(STDIN, b"one\n")
        stream.until(b"got one\n")
    # who detaches takes no input away from the others
    with Shared.reader.attach() as stream:
        stream.send(STDIN, b"two\n")
        stream.until(b"got two\n")


def test_logs(env):
    """logs, in the format and at the place that a kubelet expects"""
    web, reader = Shared.web, Shared.reader
    tap.eventually(lambda: (web.logged(), web.logged("stderr")) == (["ready"], ["warning"]), "log of web", DEADLINE)
    tap.eventually(lambda: reader.logged() == ["ready", "got one", "got two"], "log of reader", DEADLINE)
    os.rename(reader.log, reader.log + ".1")
    env.cri.call("ReopenContainerLog", container_id=reader.id)
    with reader.attach() as stream:
        stream.send(STDIN, b"three\n")
        stream.until(b"got three\n")
    tap.eventually(lambda: reader.logged() == ["got three"], "log after its rotation", DEADLINE)


def test_stats(env):
    """ContainerStats, ListContainerStats; UpdateContainerResources"""
    web = Shared.web
    stats = env.cri.call("ContainerStats", container_id=web.id).stats
    check(stats.cpu.usage_core_nano_seconds.value > 0, "time: %r" % stats)
    check(0 < stats.memory.working_set_bytes.value <= 64 * MIB, "memory: %r" % stats)
    listed = env.cri.call("ListContainerStats", filter={"pod_sandbox_id": Shared.pod.id}).stats
    equal(sorted(item.attributes.metadata.name for item in listed), ["reader", "web"], "containers with statistics")
    limit = "cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes"
    equal(int(web.shell(limit)), 64 * MIB, "limit of memory")
    env.cri.call("UpdateContainerResources", container_id=web.id, linux={"memory_limit_in_bytes": 80 * MIB})
    equal(int(web.shell(limit)), 80 * MIB, "limit of memory after its change")


def test_pod_stats(env):
    """PodSandboxStats, ListPodSandboxStats: the machine is in the pod's control group"""
    if not any(os.access("/sys/fs/cgroup" + name + "/cgroup.procs", os.W_OK) for name in ("/memory", "")):
        print("# no control groups can be made here")
        return

    def stats():
        return env.cri.call("PodSandboxStats", pod_sandbox_id=Shared.pod.id).stats

    before = stats()
    equal((before.attributes.id, before.attributes.metadata.name), (Shared.pod.id, "web-0"), "pod")
    # a guest that does nothing takes 36 MiB
    check(before.linux.memory.usage_bytes.value > 40 * MIB, "memory: %r" % before.linux.memory)
    check(before.linux.memory.working_set_bytes.value > 40 * MIB, "memory in use: %r" % before.linux.memory)
    equal(sorted(item.attributes.metadata.name for item in before.linux.containers), ["reader", "web"], "containers")
    Shared.web.shell("(while :; do :; done) >/dev/null 2>&1 & sleep 5; kill $!")
    tap.eventually(lambda: stats().linux.cpu.usage_core_nano_seconds.value
                   > before.linux.cpu.usage_core_nano_seconds.value + 1e9, "time of a guest that has worked", DEADLINE)
    listed = env.cri.call("ListPodSandboxStats", filter={"id": Shared.pod.id}).stats
    equal([item.attributes.id for item in listed], [Shared.pod.id], "pods with statistics")
    check(listed[0].linux.memory.usage_bytes.value > 40 * MIB, "memory: %r" % listed[0].linux.memory)


def test_not_found(env):
    """StartContainer of a program that is not there: an error that says so, and the others go on"""
    nothing = Shared.pod.create("nothing", "/no/such/program")
    try:
        nothing.start()
        raise tap.Failure("nothing runs")
    except CriError as error:
        match(error.text, "`/no/such/program` not found", "error")
    equal((nothing.state(), nothing.status().reason), ("CONTAINER_EXITED", "StartError"), "what never ran")
    nothing.remove()
    equal(Shared.web.state(), "CONTAINER_RUNNING", "another one")


def test_stop(env):
    """StopContainer with and without grace, RemoveContainer; the pod goes on"""
    web, reader, pod = Shared.web, Shared.reader, Shared.pod
    web.stop(timeout=120)
    equal((web.state(), web.status().exit_code), ("CONTAINER_EXITED", 5), "web, which heeds TERM")
    reader.stop(timeout=1)
    equal((reader.state(), reader.status().exit_code), ("CONTAINER_EXITED", 137), "reader, which does not")
    check(web.status().finished_at >= web.status().started_at, "times")
    web.remove()
    reader.remove()
    equal(pod.state(), READY)
    again = pod.start("web", "sh", "-c", "hostname; exit 6")
    tap.eventually(lambda: again.state() == "CONTAINER_EXITED", "end of a third container", DEADLINE)
    equal((again.status().exit_code, again.status().reason), (6, "Error"), "its status")
    tap.eventually(lambda: again.logged()[-1:] == ["web-0"], "its log", DEADLINE)


def test_remove(env):
    """StopPodSandbox and RemovePodSandbox take all of it away, a container that runs too"""
    pod = Shared.pod
    pod.start("late", "sleep", "100000")
    pod.stop()
    equal((pod.state(), pod.address), (NOT_READY, ""), "pod that was stopped")
    tap.eventually(lambda: env.libvirt.domains() == [], "no machine", DEADLINE)
    pod.stop()
    pod.remove()
    env.cri.call("RemovePodSandbox", pod_sandbox_id=pod.id)
    env.nothing_left()
    tap.eventually(lambda: host.control_groups(GROUP) in ([], [""]), "no control group in the pod's", 60)


if __name__ == "__main__":
    # guests of a busy machine take their time
    ENV = CriEnv(libvirt="embed", options=["--set", "agent.connect-timeout-ms=240000"])
    ENV.require()
    try:
        tap.run([test_start, test_lists, test_network, test_port_forward, test_inside, test_exec_sync, test_streams,
                 test_logs, test_stats, test_pod_stats, test_not_found, test_stop, test_remove], ENV)
    finally:
        host.remove_control_groups(GROUPS)
