#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Sandbox service of containerd's shim: pods that are made as such, their containers,
and what happens when the shim, the daemon or a start fails meanwhile."""

import json
import os
import platform
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import fake_agent
import host
import tap
import testdriver
from env import program
from shim import SANDBOX, SHIM, TASK, Connection, Refused, Shims
from tap import check, equal
from testdriver import TestDriverEnv, eventually

TASK3 = "containerd.task.v3.Task"
READY, NOT_READY = "SANDBOX_READY", "SANDBOX_NOTREADY"
CRI = "io.kubernetes.cri."
KATA = "io.katacontainers.config.hypervisor."


class ShimEnv(TestDriverEnv):
    shims = None

    def require(self):
        if program(SHIM) is None:
            tap.skip_all("%s is not built" % SHIM)
        super().require()

    def start(self):
        super().start()
        # in a guest the pod's program is the shim's; here it is a process of ours
        fake_agent.PROGRAMS["/pause"] = program(SHIM)
        os.mkdir(self.path("shims"))
        self.shims = Shims()
        self.shims.open(self.path("shims"), self.address)

    def stop(self):
        if self.shims is not None:
            self.shims.close()
        super().stop()

    def nothing_left(self):
        eventually(lambda: self.manager.sandboxes() == [], "no sandbox")
        eventually(lambda: self.shims.sockets() == [], "no socket of a shim")
        # nor a process, such as a shim, or the program of a pod
        self.no_leaks()


class Pod:
    """A sandbox of a shim of its own, by one connection; further() makes others."""

    def __init__(self, env, create=True, **config):
        self.env = env
        self.messages = env.shims.messages
        self.id = env.new_id("pod")
        self.bundle = env.shims.directory(self.id)
        self.socket = env.shims.serve(self.id, self.bundle)
        self.connection = Connection(self.socket, self.messages)
        if create:
            self.create(**config)

    def further(self):
        return Connection(self.socket, self.messages)

    def ask(self, method, message="SandboxRequest", answer=None, connection=None, **fields):
        answer = "sandbox." + answer if answer is not None else "google.protobuf.Empty"
        return (connection or self.connection).ask(SANDBOX, method, "sandbox." + message, answer,
                                                   **{"sandbox_id": self.id, **fields})

    def create(self, netns="", engine=(), **config):
        """@engine: annotations that containerd was given, and not the kubelet."""
        message = self.messages["pod.Config"](**config)
        options = self.messages["google.protobuf.Any"](type_url="runtime.v1.PodSandboxConfig",
                                                       value=message.SerializeToString())
        self.ask("CreateSandbox", "CreateRequest", bundle_path=self.bundle, options=options, netns_path=netns,
                 annotations=engine)

    def start(self):
        return self.ask("StartSandbox", answer="StartResponse")

    def status(self, **fields):
        return self.ask("SandboxStatus", "StatusRequest", "StatusResponse", **fields)

    def answers(self):
        try:
            self.ask("PingSandbox")
            return True
        except Refused:
            return False

    def wait(self):
        """A connection that has asked for the end."""
        connection = self.further()
        connection.send(SANDBOX, "WaitSandbox",
                        self.messages["sandbox.SandboxRequest"](sandbox_id=self.id).SerializeToString())
        return connection

    def stop(self, **fields):
        self.ask("StopSandbox", "StopRequest", **fields)

    def shutdown(self):
        self.ask("ShutdownSandbox")
        eventually(lambda: not os.path.exists(self.socket), "end of the shim")

    def container(self, *args, annotations=None):
        """A task, created: its id and bundle."""
        name = self.env.new_id("c")
        bundle = self.env.bundle(list(args), annotations=annotations or {})
        self.task("Create", "CreateTaskRequest", "CreateTaskResponse", id=name, bundle=bundle)
        return name, bundle

    def task(self, method, message="ProcessRequest", answer=None, **fields):
        return self.connection.ask(TASK3, method, "task." + message,
                                   "task." + answer if answer is not None else "google.protobuf.Empty", **fields)

    def sandbox(self):
        return self.env.manager.sandbox(self.id)


def refused(code, func, *args, **fields):
    try:
        func(*args, **fields)
    except Refused as error:
        equal(error.code, code, "code (%s)" % error.text)
        return error.text
    raise tap.Failure("not refused, with %s" % code)


def pair(pod, key, value):
    return pod.messages["sandbox.Pair"](key=key, value=value)


def read_json(*path):
    with open(os.path.join(*path), encoding="utf-8") as f:
        return json.load(f)


def test_life(env):
    """a pod from CreateSandbox to ShutdownSandbox, with each call in each state"""
    pod = Pod(env, create=False)
    for method in ("StartSandbox", "Platform", "PingSandbox", "SandboxMetrics", "WaitSandbox"):
        refused("NOT_FOUND", pod.ask, method)
    pod.create(hostname="web-0")
    refused("ALREADY_EXISTS", pod.create)
    refused("FAILED_PRECONDITION", pod.ask, "CreateSandbox", "CreateRequest", sandbox_id="other",
            bundle_path=pod.bundle)
    refused("NOT_FOUND", pod.ask, "StartSandbox", sandbox_id="other")
    for method in ("PingSandbox", "SandboxMetrics"):
        refused("FAILED_PRECONDITION", pod.ask, method)
    refused("FAILED_PRECONDITION", pod.container, "true")
    equal(pod.status().state, NOT_READY, "state before the start")
    equal(pod.sandbox().get("State"), "created", "at the daemon")
    waiting = pod.wait()
    started = pod.start()
    check(started.pid > 0 and started.created_at.seconds > 1600000000, "answer: %r" % started)
    equal(json.loads(started.spec.value), read_json(pod.bundle, "config.json"), "spec of the answer")
    refused("FAILED_PRECONDITION", pod.start)
    status = pod.status(verbose=True)
    equal((status.sandbox_id, status.state, status.pid, status.created_at, status.exited_at.seconds),
          (pod.id, READY, started.pid, started.created_at, -62135596800), "status")
    info = {entry.key: json.loads(entry.value) for entry in status.info}
    equal(info["info"], {"pid": started.pid, "processStatus": "running", "runtimeType": "io.containerd.virtpod.v2"})
    equal((info["virtpod"]["object"], info["virtpod"]["bundle"]), (pod.sandbox().path, pod.bundle), "what is ours")
    equal(len(pod.status().info), 0, "entries that nobody asked for")
    answer = pod.ask("Platform", answer="PlatformResponse").platform
    equal((answer.os, answer.architecture),
          ("linux", {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())), "platform")
    pod.ask("PingSandbox")
    metric = pod.ask("SandboxMetrics", answer="MetricsResponse").metrics
    equal((metric.id, metric.data.type_url), (pod.id, "io.containerd.cgroups.v1.Metrics"), "metrics")
    check(pod.messages["cgroup.Metrics"].FromString(metric.data.value).pids.current > 0, "processes: %r" % metric)
    pod.stop(timeout_secs=60)
    ended = waiting.result("sandbox.WaitResponse")
    check(ended.exited_at.seconds >= started.created_at.seconds, "end: %r" % ended)
    status = pod.status()
    equal((status.state, status.exited_at), (NOT_READY, ended.exited_at), "status after the end")
    equal(pod.ask("WaitSandbox", answer="WaitResponse"), ended, "its end, asked for afterwards")
    pod.stop()
    refused("FAILED_PRECONDITION", pod.start)
    refused("FAILED_PRECONDITION", pod.container, "true")
    pod.shutdown()
    # containerd does not remove what it has not put there
    equal(os.listdir(os.path.join(pod.bundle, "rootfs")), [], "left in the root file system")
    env.nothing_left()


def test_config(env):
    """what a kubelet says of a pod is in its bundle, and what only we may say is not taken from it"""
    pod = Pod(env, create=False)
    say = [pair(pod, KATA + "default_vcpus", "2"), pair(pod, CRI + "container-type", "container"),
           pair(pod, CRI + "sandbox-id", "other"), pair(pod, "example.org/free", "text"),
           pair(pod, KATA + "default_vcpus", "3")]
    pod.create(metadata={"name": "web", "uid": "u", "namespace": "n"}, hostname="web-0", log_directory="/var/log/x",
               dns_config={"servers": ["10.0.0.53", "10.0.0.54"], "searches": ["a.b", "b"], "options": ["ndots:5"]},
               annotations=say, engine=[pair(pod, "example.org/engine", "text"), pair(pod, CRI + "sandbox-id", "x")],
               linux={"cgroup_parent": "/kubepods/pod1", "sysctls": [pair(pod, "net.ipv4.ip_forward", "1")],
                      "resources": {"cpu_period": 100000, "cpu_quota": 150000, "memory_limit_in_bytes": 64 << 20}})
    spec = read_json(pod.bundle, "config.json")
    equal(spec["annotations"], {
        CRI + "container-type": "sandbox", CRI + "sandbox-id": pod.id, CRI + "sandbox-name": "web",
        CRI + "sandbox-namespace": "n", CRI + "sandbox-uid": "u", CRI + "sandbox-log-directory": "/var/log/x",
        CRI + "sandbox-cpu-period": "100000", CRI + "sandbox-cpu-quota": "150000",
        CRI + "sandbox-memory": str(64 << 20), KATA + "default_vcpus": "2",
        "example.org/engine": "text"}, "annotations")
    equal((spec["hostname"], spec["linux"]["cgroupsPath"], spec["linux"]["sysctl"]),
          ("web-0", "/kubepods/pod1/" + pod.id, {"net.ipv4.ip_forward": "1"}), "spec")
    with open(os.path.join(pod.bundle, "resolv.conf"), encoding="ascii") as f:
        equal(f.read(), "search a.b b\nnameserver 10.0.0.53\nnameserver 10.0.0.54\noptions ndots:5\n", "resolv.conf")
    with open(os.path.join(pod.bundle, "hostname"), encoding="ascii") as f:
        equal(f.read(), "web-0\n", "hostname")
    pod.shutdown()
    # of one that says nothing, and one whose strings are odd
    pod = Pod(env, hostname="", annotations=[], metadata={"name": 'a"\\\n\x01'})
    equal(read_json(pod.bundle, "config.json")["annotations"][CRI + "sandbox-name"], 'a"\\\n\x01', "name")
    for name in filter(lambda name: os.path.exists("/etc/" + name), ("hosts", "resolv.conf")):
        with open(os.path.join(pod.bundle, name), "rb") as ours, open("/etc/" + name, "rb") as theirs:
            equal(ours.read(), theirs.read(), name)
    pod.shutdown()
    # a client's own bundle is taken as it is
    pod = Pod(env, create=False)
    with open(os.path.join(pod.bundle, "config.json"), "w", encoding="ascii") as f:
        json.dump(read_json(env.bundle(["sleep", "1000"]), "config.json"), f)
    before = read_json(pod.bundle, "config.json")
    pod.create()
    pod.start()
    equal(read_json(pod.bundle, "config.json"), before, "config.json of a client")
    pod.container("true")
    pod.shutdown()
    env.nothing_left()


def test_containers(env):
    """tasks are containers of the sandbox, have its files in /etc, and are not the end of the shim"""
    pod = Pod(env, hostname="web-0")
    pod.start()
    said = {CRI + "container-type": "container", CRI + "sandbox-id": pod.id}
    names = []
    for annotations in (said, None):
        name, bundle = pod.container("sh", "-c", "read x; exit 3", annotations=annotations)
        names.append(name)
        mounts = {mount["destination"]: mount["source"] for mount in read_json(bundle, "config.json")["mounts"]}
        for file in ("hostname", "hosts", "resolv.conf"):
            equal(mounts.get("/etc/" + file), os.path.join(pod.bundle, file), file)
        pod.task("Start", answer="StartResponse", id=name)
    equal(len(env.manager.sandboxes()), 1, "sandboxes")
    equal(sorted(entry[:2] for entry in env.manager.containers()), sorted((name, pod.id) for name in [pod.id, *names]),
          "containers and their sandboxes")
    refused("INVALID_ARGUMENT", pod.container, "true", annotations={**said, CRI + "sandbox-id": "other"})
    for name in names:
        pod.task("Kill", "KillRequest", id=name, signal=9)
        equal(pod.task("Wait", answer="WaitResponse", id=name).exit_status, 137, "status")
        equal(pod.task("Delete", answer="DeleteResponse", id=name).exit_status, 137, "status of Delete")
        pod.task("Shutdown", "TaskRequest", id=name)
    equal(pod.status().state, READY, "state without containers")
    pod.ask("PingSandbox")
    # one that nobody deletes goes with the sandbox
    name, _ = pod.container("sleep", "1000")
    pod.task("Start", answer="StartResponse", id=name)
    waiting = pod.further()
    waiting.send(TASK, "Wait", pod.messages["task.ProcessRequest"](id=name).SerializeToString())
    end = pod.wait()
    pod.shutdown()
    equal(waiting.result("task.WaitResponse").exit_status, 137, "status of one that was left")
    equal(end.result("sandbox.WaitResponse").exit_status, 137, "status of the pod")
    env.nothing_left()


def test_not_started(env):
    """a pod that is stopped, or shut down, before it was started"""
    pod = Pod(env)
    waiting = pod.wait()
    pod.stop()
    waiting.result("sandbox.WaitResponse")
    equal(pod.status().state, NOT_READY, "state")
    refused("FAILED_PRECONDITION", pod.start)
    pod.shutdown()
    pod = Pod(env)
    waiting = pod.wait()
    pod.shutdown()
    waiting.result("sandbox.WaitResponse")
    env.nothing_left()


def test_start_fails(env):
    """a start that fails says why; the pod has ended, and can be shut down"""
    env.house.fail["CreateSandbox"] = ("INTERNAL", "no pods today")
    pod = Pod(env)
    waiting = pod.wait()
    try:
        pod.start()
        raise tap.Failure("it runs")
    except Refused as error:
        tap.match(error.text, "no pods today", "error")
    waiting.result("sandbox.WaitResponse")
    equal(pod.status().state, NOT_READY, "state")
    pod.shutdown()
    env.nothing_left()


def test_stopped_by_others(env):
    """a machine that somebody else ends is an end that is told"""
    pod = Pod(env)
    pod.start()
    waiting = pod.wait()
    pod.sandbox().stop(force=True)
    waiting.result("sandbox.WaitResponse")
    equal(pod.status().state, NOT_READY, "state")
    pod.shutdown()
    env.nothing_left()


def test_shim_killed(env):
    """a shim that is killed: "delete" leaves nothing of its pod, before its start and after"""
    for started in (False, True):
        pod = Pod(env)
        if started:
            pod.start()
            name, _ = pod.container("sleep", "1000")
            pod.task("Start", answer="StartResponse", id=name)
        os.kill(env.shims.pid(pod.socket), signal.SIGKILL)
        tap.eventually(lambda pod=pod: not host.listens(pod.socket), "end of the shim", 60)
        done = env.shims.call("delete", pod.id, pod.bundle, "-bundle", pod.bundle)
        equal(done.returncode, 0, "delete (stderr: %r)" % done.stderr)
        equal(pod.messages["task.DeleteResponse"].FromString(done.stdout).exit_status, 137, "status")
        env.nothing_left()


def test_daemon_killed(env):
    """a pod outlives the daemon: its state is told meanwhile, and its end by the next one"""
    pod = Pod(env)
    pod.start()
    waiting = pod.wait()
    env.stop_daemon(kill=True)
    equal(pod.status().state, READY, "state without a daemon")
    env.start_daemon()
    eventually(pod.answers, "the agent, by the next daemon")
    name, _ = pod.container("sleep", "1000")
    pod.task("Start", answer="StartResponse", id=name)
    pod.stop()
    waiting.result("sandbox.WaitResponse")
    pod.shutdown()
    env.nothing_left()


def test_close_stdin(env):
    """CloseIO of an exec that has just ended is no failure"""
    pod = Pod(env)
    pod.start()
    name, _ = pod.container("sleep", "1000")
    pod.task("Start", answer="StartResponse", id=name)
    spec = pod.messages["google.protobuf.Any"](value=json.dumps(
        {"args": ["true"], "cwd": "/", "env": ["PATH=/usr/bin:/bin"], "user": {"uid": 0, "gid": 0}}).encode())
    for i in range(10):
        pod.task("Exec", "ExecProcessRequest", id=name, exec_id="e%d" % i, spec=spec)
        pod.task("Start", answer="StartResponse", id=name, exec_id="e%d" % i)
        stopped = False
        while not stopped:
            state = pod.task("State", answer="StateResponse", id=name, exec_id="e%d" % i).status
            pod.task("CloseIO", "CloseIORequest", id=name, exec_id="e%d" % i, stdin=True)
            stopped = state == 3
    refused("NOT_FOUND", pod.task, "CloseIO", "CloseIORequest", id=name, exec_id="none", stdin=True)
    pod.shutdown()
    env.nothing_left()


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    testdriver.main(TESTS, ShimEnv(outlive=True))
