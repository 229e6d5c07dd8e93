#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd-shim-virtpod-v2 as a program: its verbs, and what it answers to requests
that are wrong. There is no bus and no daemon."""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import host
import tap
from env import program
from shim import RUN, SANDBOX, SHIM, TASK, Connection, Shims
from tap import equal
from ttrpc_client import REQUEST, RESPONSE


class World(Shims):
    """What tap.run() asks of one."""

    temporary = None

    def start(self):
        host.own_mount_namespace()
        self.temporary = tempfile.TemporaryDirectory(prefix="virtpod-test.")
        self.open(self.temporary.name, "unix:path=" + self.temporary.name + "/nobus")

    def begin_test(self):
        pass

    def complaints(self):
        return []

    def diagnostics(self):
        return ""

    def stop(self):
        host.end_family()
        self.close()
        self.temporary.cleanup()


def shutdown(shim, path, name):
    equal(Connection(path, shim.messages).code("Shutdown", "TaskRequest", id=name), ("OK", ""), "shutdown")
    tap.eventually(lambda: not os.path.exists(path), "end of the shim", 60)


def test_verbs(shim):
    """-v, -h; what is no command line is refused"""
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run([program(SHIM), "-v"], capture_output=True, env=environment, check=True)
    tap.match(done.stdout.decode(), "^%s [0-9]" % SHIM, "-v")
    for args in ([], ["start"], ["-id", "a", "-namespace", "n", "stop"], ["-id", "../a", "-namespace", "n", "start"]):
        done = subprocess.run([program(SHIM), *args], capture_output=True, env=environment, check=False)
        equal((done.returncode, done.stdout), (2, b""), "status and output of %r" % args)
        tap.check(done.stderr != b"", "nothing is said about %r" % args)


def test_start_wrong(shim):
    """start of a bundle that is none: an error, and no shim and no socket"""
    empty = shim.directory("empty")
    for text in ("{", "[" * 100000, '{"annotations":{"io.kubernetes.cri.container-type":"container",'
                                    '"io.kubernetes.cri.sandbox-id":"../../x"}}', "\0" * 100):
        with open(os.path.join(empty, "config.json"), "w", encoding="ascii") as f:
            f.write(text)
        done = shim.call("start", "empty", empty)
        equal((done.returncode, done.stdout), (1, b""), "start of %r" % text[:40])
    with open(os.path.join(empty, "config.json"), "wb") as f:
        f.truncate(64 << 20)
    done = shim.call("start", "empty", empty)
    equal((done.returncode, done.stdout), (1, b""), "start of what is too long")
    equal(shim.sockets(), [], "sockets that are left")


def test_group(shim):
    """containers of a pod get the address of its shim, others do not"""
    pod = {"io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": "pod"}
    member = {"io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "pod"}
    path = shim.launch("pod", pod)
    equal(shim.launch("member", member), path, "address of a member")
    other = shim.launch("other")
    tap.check(other != path, "another pod has the same shim")
    shutdown(shim, other, "other")
    shutdown(shim, path, "pod")


def params(shim, **fields):
    return shim.messages["bootstrap.Params"](**fields).SerializeToString()


def test_bootstrap(shim):
    """a containerd that says which versions it knows is told ours"""
    bundle = shim.bundle("newer")
    shim.extra = {"MAX_SHIM_VERSION": "2"}
    done = shim.call("start", "newer", bundle)
    answer = json.loads(done.stdout)
    with open(os.path.join(bundle, "address"), encoding="ascii") as f:
        equal(answer, {"version": 2, "address": f.read(), "protocol": "ttrpc"}, "answer")
    equal(shim.call("start", "newer", bundle).stdout, done.stdout, "answer of a shim that is there")
    # options of the runtime, and what is nothing at all
    some = shim.messages["google.protobuf.Any"](type_url="runtimeoptions.v1.Options", value=b"x").SerializeToString()
    for stdin in (some, b"\xff" * 100, params(shim, instance_id="other", namespace="test"),
                  params(shim, instance_id="newer", namespace="other")):
        equal(shim.call("start", "newer", bundle, stdin=stdin).stdout, done.stdout, "answer to %r" % stdin)
    shim.extra = {}
    equal(shim.call("start", "newer", bundle).stdout.decode(), answer["address"], "answer to an older one")
    done = shim.call("start", "newer", bundle, stdin=bytes(2 << 20))
    equal((done.returncode, done.stdout), (1, b""), "too much of it")
    shutdown(shim, answer["address"][len("unix://"):], "newer")


def test_bootstrap_messages(shim):
    """one that writes messages is answered by one; the socket is where it says"""
    bundle = shim.bundle("message")
    shim.extra = {"MAX_SHIM_VERSION": "2"}
    stdin = params(shim, instance_id="message", namespace="test")
    done = shim.call("start", "message", bundle, stdin=stdin)
    equal((done.returncode, done.stderr), (0, b""), "start")
    answer = shim.messages["bootstrap.Result"].FromString(done.stdout)
    equal((answer.version, answer.protocol), (3, "ttrpc"), "answer")
    with open(os.path.join(bundle, "address"), encoding="ascii") as f:
        equal(f.read(), answer.address, "address file")
    equal(shim.call("start", "message", bundle, stdin=stdin).stdout, done.stdout, "answer of a shim that is there")
    # an older containerd comes to the same shim
    equal(json.loads(shim.call("start", "message", bundle).stdout)["address"], answer.address, "to an older one")
    shutdown(shim, answer.address[len("unix://"):], "message")
    elsewhere = os.path.join(RUN, "else/where")
    done = shim.call("start", "message", bundle,
                     stdin=params(shim, instance_id="message", namespace="test", socket_dir=elsewhere))
    path = shim.messages["bootstrap.Result"].FromString(done.stdout).address[len("unix://"):]
    equal(os.path.dirname(path), elsewhere, "directory of the socket")
    os.kill(shim.pid(path), 9)
    tap.eventually(lambda: not host.listens(path), "end of the shim", 60)
    equal(shim.call("delete", "message", bundle).returncode, 1, "status without a daemon")
    tap.check(not os.path.exists(path), "delete leaves the socket there")
    for wrong in ("relative", "/" + "x" * 100):
        done = shim.call("start", "message", bundle,
                         stdin=params(shim, instance_id="message", namespace="test", socket_dir=wrong))
        equal((done.returncode, done.stdout), (1, b""), "start with sockets in %s" % wrong)
    shim.extra = {}


def test_info(shim):
    """-info: name, version, features of the runtime, and its options as they came"""
    environment = {"PATH": os.environ["PATH"]}

    def info(stdin, status=0):
        done = subprocess.run([program(SHIM), "-info"], input=stdin, capture_output=True, env=environment, check=False)
        equal(done.returncode, status, "status (stderr: %r)" % done.stderr)
        return shim.messages["bootstrap.RuntimeInfo"].FromString(done.stdout)

    got = info(b"")
    version = subprocess.run([program(SHIM), "-v"], capture_output=True, env=environment, check=True).stdout.split()[1]
    equal((got.name, got.version.version), ("io.containerd.virtpod.v2", version.decode()), "name and version")
    tap.check(got.features.type_url.endswith("/opencontainers/runtime-spec/1/features/Features"), got.features.type_url)
    features = json.loads(got.features.value)
    tap.check("rro" in features["mountOptions"] and "mountExtensions" not in features["linux"], "features")
    if program("virtpod") is not None:
        command = subprocess.run([program("virtpod"), "features"], capture_output=True, check=True)
        equal(features, json.loads(command.stdout), "features of the command")
    options = shim.messages["google.protobuf.Any"](type_url="runtimeoptions.v1.Options", value=b"x")
    equal(info(options.SerializeToString()).options, options, "options")
    info(b"\xff\xff", 1)


def test_pod_of_none(shim):
    """the Sandbox service, of a shim without one: refused by code; what is not served, too"""
    path = shim.serve("none", shim.directory("none"))
    connection = Connection(path, shim.messages)
    for method in ("StartSandbox", "Platform", "WaitSandbox", "PingSandbox", "SandboxMetrics", "StopSandbox",
                   "SandboxStatus"):
        code, text = connection.code(method, shim.messages["sandbox.SandboxRequest"](sandbox_id="none")
                                     .SerializeToString(), service=SANDBOX)
        equal(code, "NOT_FOUND", method)
        tap.check("none" in text, "%s: %r" % (method, text))
    for method in ("UpdateSandbox", "State"):
        equal(connection.code(method, b"", service=SANDBOX)[0], "UNIMPLEMENTED", method)
    equal(connection.code("CreateSandbox", b"\xff", service=SANDBOX)[0], "INVALID_ARGUMENT", "garbage")
    create = shim.messages["sandbox.CreateRequest"]
    some = shim.messages["google.protobuf.Any"]
    mount = shim.messages["task.Mount"](type="no-such-type", source="x")
    bundle = os.path.join(shim.dir, "none")
    for what, fields, code in (("no id", {"bundle_path": bundle}, "INVALID_ARGUMENT"),
                               ("path", {"sandbox_id": "../x", "bundle_path": bundle}, "INVALID_ARGUMENT"),
                               ("no bundle", {"sandbox_id": "none"}, "INVALID_ARGUMENT"),
                               ("relative bundle", {"sandbox_id": "none", "bundle_path": "x"}, "INVALID_ARGUMENT"),
                               ("a bundle that is not there", {"sandbox_id": "none", "bundle_path": "/no/such"},
                                "INTERNAL"),
                               ("mount", {"sandbox_id": "none", "bundle_path": bundle, "rootfs": [mount]}, "INTERNAL"),
                               ("other options", {"sandbox_id": "none", "bundle_path": bundle,
                                                  "options": some(type_url="x.Y")}, "INVALID_ARGUMENT"),
                               ("damaged options", {"sandbox_id": "none", "bundle_path": bundle, "options":
                                                    some(type_url="runtime.v1.PodSandboxConfig", value=b"\xff")},
                                "INVALID_ARGUMENT")):
        equal(connection.code("CreateSandbox", create(**fields).SerializeToString(), service=SANDBOX)[0], code, what)
        equal(connection.code("SandboxStatus", shim.messages["sandbox.StatusRequest"](sandbox_id="none")
                              .SerializeToString(), service=SANDBOX)[0], "NOT_FOUND", "what is left of " + what)
    # so does containerd with a shim whose sandbox it could not make
    equal(connection.code("ShutdownSandbox", shim.messages["sandbox.SandboxRequest"](sandbox_id="none")
                          .SerializeToString(), service=SANDBOX), ("OK", ""), "ShutdownSandbox")
    tap.eventually(lambda: not os.path.exists(path), "end of the shim", 60)


def test_pod_options(shim):
    """options of the runtime that cannot be honoured are refused for a sandbox, by either way they come"""
    options = shim.messages["google.protobuf.Any"](
        type_url="runtimeoptions.v1.Options",
        value=shim.messages["options.Generic"](config_path="/etc/kata.toml").SerializeToString())
    other = shim.messages["google.protobuf.Any"](type_url="x.Other", value=b"x")
    extension = shim.messages["bootstrap.Extension"]
    for name, stdin in (("old-way", options.SerializeToString()),
                        ("new-way", params(shim, instance_id="new-way", namespace="test",
                                           extensions=[extension(value=other), extension(value=options)]))):
        bundle = shim.directory(name)
        done = shim.call("start", name, bundle, stdin=stdin)
        equal((done.returncode, done.stderr), (0, b""), "start")
        with open(os.path.join(bundle, "address"), encoding="ascii") as f:
            path = f.read()[len("unix://"):]
        connection = Connection(path, shim.messages)
        request = shim.messages["sandbox.CreateRequest"](sandbox_id=name, bundle_path=bundle).SerializeToString()
        code, text = connection.code("CreateSandbox", request, service=SANDBOX)
        equal(code, "INVALID_ARGUMENT", name)
        tap.match(text, "runtime options: ConfigPath", name)
        shutdown(shim, path, name)


def test_requests(shim):
    """requests that are wrong are refused by code, in both versions"""
    path = shim.launch("wrong")
    connection = Connection(path, shim.messages)
    for service in ("containerd.task.v2.Task", "containerd.task.v3.Task"):
        for method in ("State", "Start", "Delete", "Wait", "Kill", "Exec", "ResizePty", "CloseIO", "Pids", "Pause",
                       "Resume", "Update", "Stats"):
            code, text = connection.code(method, "ProcessRequest", service=service, id="nobody")
            equal(code, "NOT_FOUND", method)
            tap.check("nobody" in text, "%s: %r" % (method, text))
        equal(connection.code("Checkpoint", "TaskRequest", service=service, id="x")[0], "UNIMPLEMENTED", "Checkpoint")
    equal(connection.code("Fly", "TaskRequest")[0], "UNIMPLEMENTED", "unknown method")
    equal(connection.code("State", "TaskRequest", service="x")[0], "UNIMPLEMENTED", "unknown service")
    equal(connection.code("State", b"\xff\xff\xff")[0], "INVALID_ARGUMENT", "garbage")
    for what, fields in (("no id", {"bundle": "/b"}), ("path", {"id": "../x", "bundle": "/b"}),
                         ("long id", {"id": "a" * 4000, "bundle": "/b"}), ("line", {"id": "a\nb", "bundle": "/b"}),
                         ("relative bundle", {"id": "a", "bundle": "b"}),
                         ("stream", {"id": "a", "bundle": "/b", "stdout": "gopher://x"}),
                  ("logger", {"id": "a", "bundle": "/b", "stdout": "binary:///no/such/logger"}),
                  ("stdin", {"id": "a", "bundle": "/b", "stdin": "binary:///bin/true"})):
        equal(connection.code("Create", "CreateTaskRequest", **fields)[0], "INVALID_ARGUMENT", what)
    equal(connection.code("Create", "CreateTaskRequest", id="a", bundle="/b", checkpoint="/c")[0], "UNIMPLEMENTED",
          "checkpoint")
    mount = shim.messages["task.Mount"](type="no-such-type", source="x", options=["a"] * 10000)
    code, text = connection.code("Create", "CreateTaskRequest", id="a", bundle="/b", rootfs=[mount])
    equal(code, "INTERNAL", "mount")
    tap.match(text, r"rootfs\[0\] \(no-such-type\)", "mount")
    equal(connection.code("State", "ProcessRequest", id="a")[0], "NOT_FOUND", "a task that failed")
    shutdown(shim, path, "wrong")


def test_options(shim):
    """options of a runtime: what cannot be honoured is refused, and damaged ones"""
    path = shim.launch("options")
    connection = Connection(path, shim.messages)
    some = shim.messages["google.protobuf.Any"]
    generic = shim.messages["options.Generic"]
    for kind in ("runtimeoptions.v1.Options", "types.containerd.io/runtimeoptions.v1.Options"):
        for value in (generic(config_path="/etc/kata/configuration.toml").SerializeToString(), b"\xff\xff"):
            # of a stream that is refused later, were the options taken
            code, text = connection.code("Create", "CreateTaskRequest", id="a", bundle="/b", stdout="gopher://x",
                                         options=some(type_url=kind, value=value))
            equal(code, "INVALID_ARGUMENT", "%s %r" % (kind, value))
            tap.match(text, "runtime options", "%s %r" % (kind, value))
    runc = shim.messages["options.Runc"](binary_name="/usr/bin/crun", systemd_cgroup=True, io_uid=7).SerializeToString()
    for kind, value in (("containerd.runc.v1.Options", runc), ("some.other.Type", b"\xff"), ("", b""),
                        ("runtimeoptions.v1.Options", generic(config_path="big").SerializeToString())):
        _, text = connection.code("Create", "CreateTaskRequest", id="a", bundle="/b", stdout="gopher://x",
                                  options=some(type_url=kind, value=value))
        tap.match(text, "standard streams", "%s %r" % (kind, value))
    # it was written before the call was answered
    tap.match(shim.said("options"), "without a meaning.*: io_uid, binary_name, systemd_cgroup",
              "log")
    shutdown(shim, path, "options")


def test_frames(shim):
    """what is no ttrpc costs its sender the connection, and nobody else"""
    path = shim.launch("frames")
    good = Connection(path, shim.messages)
    equal(good.code("State", "ProcessRequest", id="x")[0], "NOT_FOUND", "before")
    for what in (struct.pack(">IIBB", 0xffffffff, 1, REQUEST, 0), struct.pack(">IIBB", 5 << 20, 1, REQUEST, 0),
                 struct.pack(">IIBB", 0, 1, 77, 0), struct.pack(">IIBB", 0, 1, RESPONSE, 0), b"\xff" * 64):
        bad = Connection(path, shim.messages)
        bad.socket.sendall(what)
        tap.check(bad.is_closed(), "%r is taken" % what)
    half = Connection(path, shim.messages)
    half.socket.sendall(struct.pack(">IIBB", 1000, 1, REQUEST, 0) + b"x" * 10)
    half.socket.close()
    equal(good.code("State", "ProcessRequest", id="x")[0], "NOT_FOUND", "after")
    shutdown(shim, path, "frames")


def test_stale_socket(shim):
    """the socket of a shim that was killed does not keep the next from its place"""
    path = shim.launch("stale")
    os.kill(shim.pid(path), 9)
    tap.eventually(lambda: not host.listens(path), "end of the shim", 60)
    tap.check(os.path.exists(path), "the socket has gone by itself")
    with open(os.path.join(shim.dir, "stale/address"), encoding="ascii") as f:
        equal(f.read(), "unix://" + path, "address")
    done = shim.call("start", "stale", os.path.join(shim.dir, "stale"))
    equal((done.returncode, done.stdout.decode()), (0, "unix://" + path), "start")
    shutdown(shim, path, "stale")


def listens_for(path, seconds):
    """As a shim that is being killed: it can be connected to, and then it is gone."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(5)
    threading.Timer(seconds, listener.close).start()


def test_dying(shim):
    """a shim that is dying is none: delete takes its socket, start its place"""
    path = shim.launch("dying")
    bundle = os.path.join(shim.dir, "dying")
    shutdown(shim, path, "dying")
    listens_for(path, 0.5)
    equal(shim.call("delete", "dying", bundle, "-bundle", bundle).returncode, 1, "status without a daemon")
    tap.check(not os.path.exists(path), "the socket is left")
    listens_for(path, 0.5)
    done = shim.call("start", "dying", bundle)
    equal((done.returncode, done.stdout.decode()), (0, "unix://" + path), "start")
    equal(Connection(path, shim.messages).code("State", "ProcessRequest", id="x")[0], "NOT_FOUND", "State")
    shutdown(shim, path, "dying")


def test_killed(shim):
    """at the end of the connections of a shim that is killed, its socket can be removed"""
    for i in range(10):
        name = "killed%d" % i
        path = shim.launch(name)
        connection = Connection(path, shim.messages)
        answer = connection.raw(TASK, "Connect", b"")
        os.kill(shim.messages["task.ConnectResponse"].FromString(answer.payload).shim_pid, 9)
        tap.check(connection.is_closed(), "it goes on")
        # the rest of it waits for a daemon
        delete = shim.begin("delete", name, os.path.join(shim.dir, name))
        tap.eventually(lambda path=path: not os.path.exists(path), "end of the socket", 3)
        delete.kill()
        delete.communicate()


def test_delete_beside(shim):
    """delete leaves a shim that serves alone"""
    path = shim.launch("beside")
    equal(shim.call("delete", "beside", os.path.join(shim.dir, "beside")).returncode, 1, "status without a daemon")
    equal(Connection(path, shim.messages).code("State", "ProcessRequest", id="x")[0], "NOT_FOUND", "State")
    shutdown(shim, path, "beside")


def test_delete_without_daemon(shim):
    """delete says so when the daemon cannot be reached, and does not claim success"""
    bundle = shim.bundle("lost")
    done = shim.call("delete", "lost", bundle, "-bundle", bundle)
    equal((done.returncode, done.stdout), (1, b""), "delete")
    tap.match(done.stderr.decode(), "virtpodd", "error")


if __name__ == "__main__":
    if os.geteuid() != 0:
        tap.skip_all("needs root")
    if program(SHIM) is None:
        tap.skip_all("%s is not built" % SHIM)
    host.run_below_reaper()
    tap.run([test_verbs, test_start_wrong, test_group, test_bootstrap, test_bootstrap_messages,
             test_info, test_pod_of_none, test_pod_options, test_requests, test_options, test_frames,
             test_stale_socket, test_dying, test_killed, test_delete_beside, test_delete_without_daemon], World())
