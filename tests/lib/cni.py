# SPDX-License-Identifier: LGPL-2.1-or-later
"""Networks of pods as an engine sets them up: plugins of CNI, run one after the other."""

import json
import os
import subprocess

import tap

DIRECTORY = "/usr/lib/cni"
DEADLINE = 120


def missing(plugins):
    """The first of @plugins that this host does not have."""
    return next((name for name in plugins if not os.access(os.path.join(DIRECTORY, name), os.X_OK)), None)


class Network:
    """An interface @name of a namespace, by a list of plugins; the first makes it."""

    def __init__(self, container, pod, name, *plugins, runtime=None):
        self.container = container
        self.pod = pod
        self.name = name
        self.plugins = plugins
        self.runtime = runtime or {}
        self.result = None

    def _run(self, command, plugin):
        config = {"cniVersion": "0.4.0", "name": "net-" + self.name, **plugin}
        if self.result is not None:
            config["prevResult"] = self.result
        if self.runtime.keys() & plugin.get("capabilities", {}).keys():
            config["runtimeConfig"] = self.runtime
        variables = {"CNI_COMMAND": command, "CNI_CONTAINERID": self.container, "CNI_NETNS": self.pod.path,
                     "CNI_IFNAME": self.name, "CNI_PATH": DIRECTORY, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        done = subprocess.run([os.path.join(DIRECTORY, plugin["type"])], input=json.dumps(config), env=variables,
                              check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=DEADLINE)
        if done.returncode != 0:
            raise tap.Failure("%s %s: %s %s" % (plugin["type"], command, done.stdout, done.stderr))
        return json.loads(done.stdout) if done.stdout.strip() else None

    def add(self):
        for plugin in self.plugins:
            self.result = self._run("ADD", plugin) or self.result
        return self

    def remove(self):
        for plugin in reversed(self.plugins):
            self._run("DEL", plugin)

    @property
    def mac(self):
        return next(row["mac"] for row in self.result["interfaces"] if row.get("sandbox") and row["name"] == self.name)

    @property
    def address(self):
        return self.result["ips"][0]["address"].split("/")[0]


def host_local(directory, subnet, gateway, routes=()):
    """The plugin that gives addresses out, which keeps its books in @directory."""
    return {"type": "host-local", "dataDir": directory, "ranges": [[{"subnet": subnet, "gateway": gateway}]],
            "routes": [{"dst": dst} for dst in routes]}
