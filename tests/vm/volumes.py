#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Volumes that the configuration makes something else of than a shared directory."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import tap
from env import Env
from tap import equal

SCRIPT = "echo mine >/cache/file; ls /cache; stat -c %a /cache; cat /data/file"


def test_empty_dir(env):
    """an emptyDir volume is the guest's own: writable, and nothing of it is on the host"""
    cache = env.path("kubelet/pods/0f6d/volumes/kubernetes.io~empty-dir/cache")
    data = env.path("kubelet/pods/0f6d/volumes/kubernetes.io~configmap/data")
    for path in (cache, data):
        os.makedirs(path)
    with open(os.path.join(data, "file"), "w", encoding="ascii") as f:
        f.write("shared\n")
    doc = bundle.spec(["sh", "-c", SCRIPT], mounts=[
        bundle.bind(cache, "/cache", "rw"), bundle.bind(data, "/data", "ro")])
    result = env.virtpod("run", "-b", env.bundles.make(document=doc), env.new_id())
    equal(result.returncode, 0, "status (stderr: %r)" % result.stderr)
    equal(result.stdout.decode().split(), ["file", "777", "shared"], "stdout")
    equal(os.listdir(cache), [], "what is in it on the host")


def test_sandbox_bind_mounts(env):
    """files for all sandboxes are in the share while one runs, read-only, and gone after it"""
    sandbox = env.manager.create_sandbox("s", env.bundle(["sleep", "60"]))
    sandbox.start()
    mounts = [line.split()[4:6] for line in open("/proc/self/mountinfo", encoding="utf-8")
              if line.split()[4].endswith("/shared/sandbox-mounts/certs")]
    equal(len(mounts), 1, "mounts")
    tap.check("ro" in mounts[0][1].split(","), mounts[0])
    equal(os.listdir(mounts[0][0]), ["ca.pem"], "what is in it")
    sandbox.delete(force=True)
    tap.check(not os.path.exists(mounts[0][0]), "is still there")
    env.no_leaks()


class VolumesEnv(Env):
    """With the directories that its configuration names."""

    def start_daemon(self):
        os.makedirs(self.path("certs"), exist_ok=True)
        open(self.path("certs/ca.pem"), "w", encoding="ascii").close()
        self.options = ["--set", "runtime.guest-empty-dir=true", "--set", "runtime.kubelet-dir=" + self.path("kubelet"),
                        "--set", "runtime.sandbox-bind-mounts=" + self.path("certs")]
        super().start_daemon()


if __name__ == "__main__":
    ENV = VolumesEnv(libvirt="embed")
    ENV.require()
    tap.run([test_empty_dir, test_sandbox_bind_mounts], ENV)
