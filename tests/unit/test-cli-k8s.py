#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""virtpod k8s render: manifests and snippets, word by word and as their readers take them."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from cli_harness import Bus, contains, equal, main  # noqa: E402

CLASS = """\
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata:
  name: %s
handler: %s
overhead:
  podFixed:
    memory: "%dMi"
"""
CRI = 'plugins."io.containerd.grpc.v1.cri".containerd.runtimes.'


def render(bus, *args):
    done = bus.run("k8s", "render", *args)
    equal((done.returncode, done.stderr), (0, b""), args)
    return done.stdout.decode()


def test_runtime_class():
    with Bus() as bus:
        equal(render(bus), CLASS % ("virtpod", "virtpod", 256 + 64))
        equal(render(bus, "--handler", "default"), CLASS % ("virtpod", "virtpod", 256 + 64))
        # the overhead of this one is configured, and larger than its memory
        equal(render(bus, "--handler", "big", "--processes-mib", "100"),
              CLASS % ("virtpod-big", "virtpod-big", 1500 + 100) + '    cpu: "251m"\n')
        equal(render(bus, "--name", "vm", "-s", "disk=ssd", "-s", "example.org/vm="),
              CLASS % ("vm", "vm", 256 + 64)
              + 'scheduling:\n  nodeSelector:\n    "disk": "ssd"\n    "example.org/vm": ""\n')


def test_containerd():
    with Bus() as bus:
        lines = ["[" + CRI + "virtpod]", '  runtime_type = "io.containerd.virtpod.v2"',
                 '  pod_annotations = ["io.katacontainers.*"]']
        equal(render(bus, "--what", "containerd").splitlines()[1:], lines)
        text = render(bus, "--what", "containerd", "--handler", "big", "--name", "large").splitlines()
        equal(text[1], "[" + CRI + "large]")
        equal(text[-2:], ["  [" + CRI + "large.options]", '    ConfigPath = "big"'])


def test_crio():
    with Bus() as bus:
        text = render(bus, "--what", "crio")
        contains(text, '[crio.runtime.runtimes.virtpod]\n')
        contains(text, '/containerd-shim-virtpod-v2"\n  runtime_type = "vm"\n')
        done = bus.run("k8s", "render", "--what", "crio", "--handler", "big")
        equal((done.returncode, done.stdout), (1, b""))
        contains(done.stderr.decode(), "CRI-O has no word for it")


def test_wrong():
    with Bus() as bus:
        for args, word in ((["k8s"], "missing"), (["k8s", "apply"], "render"), (["k8s", "render", "all"], "too many"),
                           (["k8s", "render", "--what", "pod"], "--what"),
                           (["k8s", "render", "--name", "Vm"], "--name"), (["k8s", "render", "--name", "-a"], "--name"),
                           (["k8s", "render", "--name", "a" * 64], "--name"),
                           (["k8s", "render", "--handler", "a_b"], "--name"),
                           (["k8s", "render", "-s", "x"], "KEY=VALUE"), (["k8s", "render", "-s", "=x"], "KEY=VALUE"),
                           (["k8s", "render", "-s", 'a=b"'], "KEY=VALUE"), (["k8s", "render", "-s", "a=b\nc=d"], "KEY=VALUE"),
                           (["k8s", "render", "--processes-mib", "-1"], "negative"),
                           (["k8s", "render", "--handler", "none"], "NotFound")):
            done = bus.run(*args)
            equal((done.returncode, done.stdout), (1, b""), args)
            contains(done.stderr.decode(), word)


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
