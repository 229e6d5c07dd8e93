#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes pods and containers through a CRI socket: cri-pods.py ADDRESS KEPT

A helper of collect. Beside each file that the runtime kept in KEPT it writes
what asked for it, NUMBER.why: the case's name and the request."""

import glob
import json
import os
import sys
import tempfile

import grpc
from google.protobuf import json_format
from grpc_tools import protoc

# the part of the CRI that the requests below use
PROTO = """
syntax = "proto3";
package runtime.v1;
service RuntimeService {
  rpc RunPodSandbox(RunPodSandboxRequest) returns (PodReply) {}
  rpc CreateContainer(CreateContainerRequest) returns (ContainerReply) {}
  rpc StartContainer(ContainerReply) returns (Empty) {}
  rpc StopPodSandbox(PodReply) returns (Empty) {}
  rpc RemovePodSandbox(PodReply) returns (Empty) {}
}
message Empty {}
message PodReply { string pod_sandbox_id = 1; }
message ContainerReply { string container_id = 1; }
message Int64Value { int64 value = 1; }
message KeyValue { string key = 1; string value = 2; }
message NamespaceOption { int32 network = 1; int32 pid = 2; int32 ipc = 3; string target_id = 4; }
message SecurityProfile { int32 profile_type = 1; string localhost_ref = 2; }
message SELinuxOption { string user = 1; string role = 2; string type = 3; string level = 4; }
message DNSConfig { repeated string servers = 1; repeated string searches = 2; repeated string options = 3; }
message HugepageLimit { string page_size = 1; uint64 limit = 2; }
message Resources { int64 cpu_period = 1; int64 cpu_quota = 2; int64 cpu_shares = 3; int64 memory_limit_in_bytes = 4;
  int64 oom_score_adj = 5; string cpuset_cpus = 6; string cpuset_mems = 7; repeated HugepageLimit hugepage_limits = 8;
  map<string, string> unified = 9; int64 memory_swap_limit_in_bytes = 10; }
message SandboxSecurity { NamespaceOption namespace_options = 1; SELinuxOption selinux_options = 2; Int64Value run_as_user = 3;
  bool readonly_rootfs = 4; repeated int64 supplemental_groups = 5; bool privileged = 6; Int64Value run_as_group = 8;
  SecurityProfile seccomp = 9; SecurityProfile apparmor = 10; }
message SandboxLinux { string cgroup_parent = 1; SandboxSecurity security_context = 2; map<string, string> sysctls = 3;
  Resources overhead = 4; Resources resources = 5; }
message PodMetadata { string name = 1; string uid = 2; string namespace = 3; uint32 attempt = 4; }
message PodConfig { PodMetadata metadata = 1; string hostname = 2; string log_directory = 3; DNSConfig dns_config = 4;
  map<string, string> labels = 6; map<string, string> annotations = 7; SandboxLinux linux = 8; }
message RunPodSandboxRequest { PodConfig config = 1; string runtime_handler = 2; }
message ContainerMetadata { string name = 1; uint32 attempt = 2; }
message ImageSpec { string image = 1; }
message Mount { string container_path = 1; string host_path = 2; bool readonly = 3; bool selinux_relabel = 4; int32 propagation = 5; }
message Device { string container_path = 1; string host_path = 2; string permissions = 3; }
message Capability { repeated string add_capabilities = 1; repeated string drop_capabilities = 2; }
message Security { Capability capabilities = 1; bool privileged = 2; NamespaceOption namespace_options = 3;
  SELinuxOption selinux_options = 4; Int64Value run_as_user = 5; string run_as_username = 6; bool readonly_rootfs = 7;
  repeated int64 supplemental_groups = 8; bool no_new_privs = 11; Int64Value run_as_group = 12; repeated string masked_paths = 13;
  repeated string readonly_paths = 14; SecurityProfile seccomp = 15; SecurityProfile apparmor = 16; }
message ContainerLinux { Resources resources = 1; Security security_context = 2; }
message ContainerConfig { ContainerMetadata metadata = 1; ImageSpec image = 2; repeated string command = 3; repeated string args = 4;
  string working_dir = 5; repeated KeyValue envs = 6; repeated Mount mounts = 7; repeated Device devices = 8;
  map<string, string> labels = 9; map<string, string> annotations = 10; string log_path = 11; bool stdin = 12;
  bool stdin_once = 13; bool tty = 14; ContainerLinux linux = 15; }
message CreateContainerRequest { string pod_sandbox_id = 1; ContainerConfig config = 2; PodConfig sandbox_config = 3; }
"""

UNCONFINED = {"seccomp": {"profileType": 1}}
# pod: what it adds to the plain request, and its containers
PODS = {
    "pod": ({}, {
        "container": {},
        "seccomp": {"linux": {"securityContext": {"seccomp": {"profileType": 0}}}},
        "tty": {"tty": True, "stdin": True},
        "limits": {"linux": {"resources": {
            "cpuPeriod": 100000, "cpuQuota": 150000, "cpuShares": 512, "memoryLimitInBytes": 134217728, "oomScoreAdj": 900,
            "cpusetCpus": "0", "cpusetMems": "0"}}},
        "mounts": {"mounts": [{"containerPath": "/data", "hostPath": "/srv/sample/data", "readonly": True},
                              {"containerPath": "/two", "hostPath": "/srv/sample/data", "propagation": 1},
                              {"containerPath": "/etc/file", "hostPath": "/srv/sample/file"}]},
        "device": {"devices": [{"containerPath": "/dev/one", "hostPath": "/dev/null", "permissions": "rw"}]},
        "user": {"linux": {"securityContext": {
            "runAsUser": {"value": 1000}, "runAsGroup": {"value": 1000}, "supplementalGroups": [4242], "noNewPrivs": True,
            "readonlyRootfs": True, "capabilities": {"dropCapabilities": ["ALL"], "addCapabilities": ["NET_BIND_SERVICE"]}}}},
        "masks": {"linux": {"securityContext": {"maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]}}},
        "env": {"envs": [{"key": "A", "value": "1"}, {"key": "B", "value": "two words"}], "workingDir": "/tmp"},
    }),
    "sized": ({"linux": {"resources": {"cpuPeriod": 100000, "cpuQuota": 250000, "cpuShares": 2560,
                                       "memoryLimitInBytes": 536870912},
                         "overhead": {"cpuPeriod": 100000, "cpuQuota": 25000, "memoryLimitInBytes": 167772160}}}, {}),
    "annotated": ({"annotations": {"io.katacontainers.config.hypervisor.default_vcpus": "2",
                                   "io.katacontainers.config.hypervisor.default_memory": "1024",
                                   "org.example.note": "a <b> & \"c\""}},
                  {"container": {"annotations": {"org.example.note": "of the container"}}}),
    "hostname": ({"hostname": "web-0", "dnsConfig": {"servers": ["192.0.2.1"], "searches": ["svc.cluster.local"],
                                                     "options": ["ndots:5"]}}, {}),
    "host-network": ({"linux": {"securityContext": {"namespaceOptions": {"network": 2}}}}, {"container": {
        "linux": {"securityContext": {"namespaceOptions": {"network": 2}}}}}),
    "host-pid": ({"linux": {"securityContext": {"namespaceOptions": {"pid": 2, "ipc": 2}}}}, {"container": {
        "linux": {"securityContext": {"namespaceOptions": {"pid": 2, "ipc": 2}}}}}),
    "shared-pid": ({"linux": {"securityContext": {"namespaceOptions": {"pid": 0}}}}, {"container": {
        "linux": {"securityContext": {"namespaceOptions": {"pid": 0}}}}}),
    "sysctls": ({"linux": {"sysctls": {"net.ipv4.ip_local_port_range": "1024 65535", "kernel.shm_rmid_forced": "1"}}}, {}),
    "privileged": ({"linux": {"securityContext": {"privileged": True}}}, {
        "container": {"linux": {"securityContext": {"privileged": True}}}}),
    "user": ({"linux": {"securityContext": {"runAsUser": {"value": 1000}, "readonlyRootfs": True}}}, {}),
    "cgroup-parent": ({"linux": {"cgroupParent": "/kubepods/burstable/pod4711"}}, {"container": {}}),
}


def merge(a, b):
    if not isinstance(a, dict) or not isinstance(b, dict):
        return b
    return {k: merge(a[k], b[k]) if k in a and k in b else b.get(k, a.get(k)) for k in list(a) + [k for k in b if k not in a]}


def main(address, kept):
    with tempfile.TemporaryDirectory() as work:
        with open(work + "/cri_part.proto", "w") as f:
            f.write(PROTO)
        protoc.main(["protoc", "-I" + work, "--python_out=" + work, "cri_part.proto"])
        sys.path.insert(0, work)
        import cri_part_pb2 as cri
    channel = grpc.insecure_channel(address)

    def call(method, request, reply):
        return channel.unary_unary("/runtime.v1.RuntimeService/" + method,
                                   request_serializer=lambda m: m.SerializeToString(),
                                   response_deserializer=reply.FromString)(request, timeout=30)

    def remember(before, case, method, request):
        for path in set(glob.glob(kept + "/*.json")) - before:
            with open(path[:-4] + "why", "w") as f:
                f.write("%s %s %s" % (case, method, json.dumps(request)))

    for number, (name, (more, containers)) in enumerate(PODS.items()):
        pod = merge({"metadata": {"name": name, "uid": "uid-%d" % number, "namespace": "default"},
                     "logDirectory": "/srv/sample/log", "linux": {"securityContext": UNCONFINED}}, more)
        config = json_format.ParseDict(pod, cri.PodConfig())
        before = set(glob.glob(kept + "/*.json"))
        try:
            reply = call("RunPodSandbox", cri.RunPodSandboxRequest(config=config), cri.PodReply)
            remember(before, "cri-" + name + "-sandbox", "RunPodSandbox", pod)
        except grpc.RpcError as e:
            print("not made:", name, e.details())
            remember(before, "cri-" + name + "-sandbox", "RunPodSandbox", pod)
            continue
        for inner, extra in containers.items():
            what = merge({"metadata": {"name": inner}, "image": {"image": "localhost/busybox:latest"},
                          "command": ["/bin/sleep", "1"], "logPath": inner + ".log",
                          "linux": {"securityContext": UNCONFINED}}, extra)
            before = set(glob.glob(kept + "/*.json"))
            try:
                made = call("CreateContainer", cri.CreateContainerRequest(
                    pod_sandbox_id=reply.pod_sandbox_id, config=json_format.ParseDict(what, cri.ContainerConfig()),
                    sandbox_config=config), cri.ContainerReply)
                call("StartContainer", made, cri.Empty)
            except grpc.RpcError as e:
                print("not made:", name, inner, e.details())
            remember(before, "cri-%s-%s" % (name, inner), "CreateContainer", what)
        try:
            call("StopPodSandbox", reply, cri.Empty)
            call("RemovePodSandbox", reply, cri.Empty)
        except grpc.RpcError as e:
            print("#", e.details())


main(*sys.argv[1:])
