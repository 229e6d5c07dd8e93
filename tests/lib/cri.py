# SPDX-License-Identifier: LGPL-2.1-or-later
"""containerd's CRI plugin as a kubelet uses it: gRPC on what protoc makes of cri.proto,
pods with networks of CNI's plugins. The host is a network namespace of the program."""

import os
import re
import shutil
import socket
import subprocess

import host
import netns
import tap
from cni import DIRECTORY as PLUGINS
from cni import missing
from containerd import IMAGE, ContainerdEnv
from cri_stream import Stream

try:
    import grpc
    from google.protobuf import json_format

    from ttrpc_client import Messages
except ImportError as _error:
    grpc = None
    _why = str(_error)

HANDLER = "virtpod"
NAMESPACE = "k8s.io"
PAUSE = "localhost/pause:latest"
DEADLINE = 240
SUBNET = "10.87.0"
READY, NOT_READY = "SANDBOX_READY", "SANDBOX_NOTREADY"

CONFIG = """\
version = 2
root = "{dir}/root"
state = "{dir}/state"
[grpc]
  address = "{dir}/containerd.sock"
[ttrpc]
  address = "{dir}/containerd.sock.ttrpc"
[timeouts]
  # a machine that is busy may need longer; what it does not find out when it starts it never does
  "io.containerd.timeout.shim.cleanup" = "120s"
  "io.containerd.timeout.shim.load" = "120s"
  "io.containerd.timeout.shim.shutdown" = "60s"
  "io.containerd.timeout.task.state" = "60s"
[plugins."io.containerd.internal.v1.opt"]
  path = "{dir}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  # a root without CAP_SYS_RESOURCE may lower no score, its own processes' included
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{dir}/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    # there must be one; pods ask for theirs by name
    default_runtime_name = "{handler}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
      runtime_type = "io.containerd.virtpod.v2"
      pod_annotations = ["io.katacontainers.*"]
"""

NETWORK = """\
{{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {{"type": "bridge", "bridge": "cbr0", "isGateway": true, "ipam": {{"type": "host-local", "dataDir": "{books}",
    "ranges": [[{{"subnet": "{subnet}.0/24", "gateway": "{subnet}.1"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"""


class CriError(Exception):
    def __init__(self, method, error):
        super().__init__("%s: %s: %s" % (method, error.code().name, error.details()))
        self.code = error.code().name
        self.text = error.details()


class Cri:
    """The two services at a socket. Requests are written as JSON is, answers are messages."""

    def __init__(self, path):
        self.messages = Messages(os.path.dirname(os.path.realpath(__file__)))
        # no other way out than the socket, whatever the environment says
        self.channel = grpc.insecure_channel("unix://" + path, options=[("grpc.enable_http_proxy", 0)])

    def close(self):
        self.channel.close()

    def call(self, method, service="Runtime", **fields):
        request = json_format.ParseDict(fields, self.messages["runtime.v1.%sRequest" % method]())
        answer = self.messages["runtime.v1.%sResponse" % method]
        stub = self.channel.unary_unary("/runtime.v1.%sService/%s" % (service, method),
                                        request_serializer=lambda message: message.SerializeToString(),
                                        response_deserializer=answer.FromString)
        try:
            return stub(request, timeout=DEADLINE * tap.slack())
        except grpc.RpcError as error:
            raise CriError(method, error) from None


def name_of(message, field):
    """Of the value that an enumeration's field has."""
    return message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number[getattr(message, field)].name


class Pod:
    """A pod that runs."""

    def __init__(self, env, name, handler=HANDLER, **changes):
        self.env = env
        self.name = name
        self.logs = env.path("logs", name)
        os.makedirs(self.logs, exist_ok=True)
        self.config = {"metadata": {"name": name, "uid": "uid-" + name, "namespace": "test"}, "hostname": name,
                       "log_directory": self.logs, "linux": {}, **changes}
        self.id = env.cri.call("RunPodSandbox", config=self.config, runtime_handler=handler).pod_sandbox_id

    def status(self):
        return self.env.cri.call("PodSandboxStatus", pod_sandbox_id=self.id).status

    def state(self):
        return name_of(self.status(), "state")

    @property
    def address(self):
        return self.status().network.ip

    def create(self, name, *command, **changes):
        return Container(self, name, command, changes)

    def start(self, name, *command, **changes):
        container = self.create(name, *command, **changes)
        container.start()
        return container

    def port_forward(self, port):
        """A stream of one port, as PORT_DATA and PORT_ERROR."""
        url = self.env.cri.call("PortForward", pod_sandbox_id=self.id, port=[port]).url
        return Stream("%s?port=%d" % (url, port))

    def stop(self):
        self.env.cri.call("StopPodSandbox", pod_sandbox_id=self.id)

    def remove(self):
        self.stop()
        self.env.cri.call("RemovePodSandbox", pod_sandbox_id=self.id)


class Container:
    def __init__(self, pod, name, command, changes):
        self.pod = pod
        self.log = os.path.join(pod.logs, name + ".log")
        config = {"metadata": {"name": name}, "image": {"image": IMAGE}, "command": list(command),
                  "log_path": name + ".log", "linux": {}, **changes}
        self.id = self.cri.call("CreateContainer", pod_sandbox_id=pod.id, config=config,
                                sandbox_config=pod.config).container_id

    @property
    def cri(self):
        """Another one after a restart of containerd."""
        return self.pod.env.cri

    def start(self):
        self.cri.call("StartContainer", container_id=self.id)

    def status(self):
        return self.cri.call("ContainerStatus", container_id=self.id).status

    def state(self):
        return name_of(self.status(), "state")

    def execute(self, *command, timeout=0):
        """ExecSync: (status, stdout, stderr)."""
        answer = self.cri.call("ExecSync", container_id=self.id, cmd=list(command), timeout=timeout)
        return answer.exit_code, answer.stdout, answer.stderr

    def shell(self, script):
        """Output of a shell, which must succeed."""
        status, out, err = self.execute("sh", "-c", script)
        tap.equal((status, err), (0, b""), "status and stderr of %r" % script)
        return out.decode()

    def exec_stream(self, *command, stdin=False, tty=False):
        return Stream(self.cri.call("Exec", container_id=self.id, cmd=list(command), stdin=stdin, tty=tty,
                                    stdout=True, stderr=not tty).url)

    def attach(self, tty=False):
        return Stream(self.cri.call("Attach", container_id=self.id, stdin=True, tty=tty, stdout=True,
                                    stderr=not tty).url)

    def logged(self, stream="stdout"):
        """Lines that the log has of @stream; each of the file must be as a kubelet reads it."""
        lines = []
        with open(self.log, encoding="utf-8") as f:
            for line in f:
                found = re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d) (stdout|stderr) ([FP]) (.*)\n$",
                                 line)
                # the last one is perhaps being written
                tap.check(found is not None or not line.endswith("\n"), "line of a log: %r" % line)
                if found is not None and found.group(1) == stream:
                    lines.append(found.group(3))
        return lines

    def stop(self, timeout=0):
        self.cri.call("StopContainer", container_id=self.id, timeout=timeout)

    def remove(self):
        self.cri.call("RemoveContainer", container_id=self.id)


class CriEnv(ContainerdEnv):
    """The world of a test program with containerd's CRI plugin in it."""

    cri = None

    def require(self):
        if grpc is None:
            tap.skip_all("python3-grpcio or python3-protobuf is not installed (%s)" % _why)
        if shutil.which("protoc") is None:
            tap.skip_all("protobuf-compiler is not installed")
        lacking = missing(["bridge", "host-local", "loopback"])
        if lacking is not None:
            tap.skip_all("%s is not installed (containernetworking-plugins)" % lacking)
        if not os.path.exists("/dev/net/tun"):
            tap.skip_all("there is no /dev/net/tun")
        super().require()

    def start(self):
        host.own_network_namespace()
        netns.run("ip", "link", "set", "lo", "up")
        super().start()

    def write_config(self):
        # what containerd and the plugins keep outside of the directories that they are told
        for path in ("/run/netns", "/var/lib/cni"):
            os.makedirs(path, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", path], check=True)
        os.mkdir(self.path("containerd/net.d"))
        with open(self.path("containerd/net.d/10-pods.conflist"), "w", encoding="ascii") as f:
            f.write(NETWORK.format(books=self.path("containerd/addresses"), subnet=SUBNET))
        with open(self.path("containerd/config.toml"), "w", encoding="ascii") as f:
            f.write(CONFIG.format(dir=self.path("containerd"), image=PAUSE, plugins=PLUGINS, handler=HANDLER,
                                  snapshotter=self.snapshotter))

    def start_containerd(self):
        super().start_containerd()
        self.cri = Cri(self.path("containerd/containerd.sock"))
        tap.eventually(self.is_ready, "CRI plugin and its network", 120)

    def is_ready(self):
        try:
            conditions = self.cri.call("Status").status.conditions
        except CriError as error:
            if error.code == "UNIMPLEMENTED":
                raise tap.Failure("containerd has not loaded its CRI plugin") from None
            return False
        # newer ones have others, such as that nothing of their configuration is old
        return {condition.type for condition in conditions if condition.status} >= {"RuntimeReady", "NetworkReady"}

    def stop_containerd(self, kill=False):
        if self.cri is not None:
            self.cri.close()
            self.cri = None
        super().stop_containerd(kill)

    def import_image(self, namespace=NAMESPACE, name=IMAGE, command=("/bin/sh",)):
        super().import_image(namespace, PAUSE, ["/bin/sleep", "1000000"])
        super().import_image(namespace, name, command)
        # the plugin is told of them by events
        tap.eventually(lambda: {PAUSE, name} <= {tag for image in self.cri.call("ListImages", service="Image").images
                                                 for tag in image.repo_tags}, "images", 120)

    def diagnostics(self):
        text = super().diagnostics()
        if self.dir is None or not os.path.exists(self.path("containerd.log")):
            return text
        with open(self.path("containerd.log"), encoding="utf-8", errors="replace") as f:
            lines = [line for line in f if "loading plugin" not in line]
        return text + "--- containerd\n" + "".join(lines[-40:])

    # ---- what is left ----------------------------------------------------------

    def addresses(self):
        """Those that the plugin has given out."""
        books = self.path("containerd/addresses/pods")
        return sorted(name for name in os.listdir(books) if name[0].isdigit()) if os.path.isdir(books) else []

    @staticmethod
    def networks_left():
        return ([name for _index, name in socket.if_nameindex() if name.startswith(("veth", "vp", "tap"))]
                + os.listdir("/run/netns"))

    def pods(self):
        return list(self.cri.call("ListPodSandbox").items)

    def nothing_left(self):
        tap.eventually(lambda: self.pods() == [], "no pod", 60)
        tap.equal(list(self.cri.call("ListContainers").containers), [], "containers")
        super().nothing_left()
        tap.eventually(lambda: self.networks_left() == [], "no interfaces and no namespaces", 60)
        tap.eventually(lambda: self.addresses() == [], "no address given out", 60)
        tap.eventually(lambda: host.files_below(self.path("state/sandboxes")) == [], "no file of a sandbox", 60)
