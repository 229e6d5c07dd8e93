# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's real polkitd on the bus of a test, with our actions and rules only."""

import glob
import os
import shutil
import subprocess

import bus
import host
from env import builddir, srcdir
from tap import eventually

NAME = "org.freedesktop.PolicyKit1"
PROGRAMS = ("/usr/lib/polkit-1/polkitd", "/usr/libexec/polkitd")


def program():
    return next((path for path in PROGRAMS if os.access(path, os.X_OK)), None)


def grant(user, *actions):
    """A rule: @user may, the others are asked about as the action says."""
    return """polkit.addRule(function(action, subject) {
        if (subject.user == "%s" && [%s].indexOf(action.id) >= 0) return polkit.Result.YES;
        return polkit.Result.NOT_HANDLED; });""" % (user, ", ".join('"org.virtpod.%s"' % a for a in actions))


class Polkit:
    """@env has its own mount namespace, where the files are put over the system's."""

    def __init__(self, env):
        self.env = env
        self.process = None
        self.rules = env.path("polkit-rules")
        actions = env.path("polkit-actions")
        os.mkdir(self.rules)
        os.mkdir(actions)
        shutil.copy(os.path.join(builddir, "data/org.virtpod.policy"), actions)
        subprocess.run(["mount", "--bind", actions, "/usr/share/polkit-1/actions"], check=True)
        for directory in ("/usr/share/polkit-1/rules.d", "/etc/polkit-1/rules.d"):
            if os.path.isdir(directory):
                subprocess.run(["mount", "--bind", self.rules, directory], check=True)

    def start(self, *rules):
        """Also with other rules than before; ours are always there."""
        self.stop()
        for path in glob.glob(os.path.join(self.rules, "*")):
            os.unlink(path)
        shutil.copy(os.path.join(srcdir, "data/60-virtpod.rules"), self.rules)
        with open(os.path.join(self.rules, "90-test.rules"), "w", encoding="ascii") as f:
            f.write("\n".join(rules))
        with open(self.env.path("polkit.log"), "ab") as log:
            self.process = subprocess.Popen([program()], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.env.address))
        eventually(lambda: bus.has_owner(self.env.manager.connection, NAME), "polkitd")

    def stop(self):
        if self.process is None:
            return
        host.stop_process(self.process)
        self.process = None
        eventually(lambda: not bus.has_owner(self.env.manager.connection, NAME), "end of polkitd")
