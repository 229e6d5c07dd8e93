#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Manager1.Explain: what a start would do is told, and nothing is done."""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))

import bundle
import tap
from bus import options
from env import Env
from tap import check, equal


def explain(env, path, **values):
    return env.manager.call("Explain", "(sa{sv})", path, options(values))


def test_formats(env):
    """the same bundle as text, JSON and XML; no sandbox comes of it"""
    path = env.bundle(["true"])
    text = explain(env, path)
    check("Nothing was started." in text, text)
    answer = json.loads(explain(env, path, format="json", id="web"))
    equal((answer["sandbox"], answer["bundle"]), ("web", path))
    document = explain(env, path, format="xml", id="web")
    equal(answer["domain"], document)
    equal(ElementTree.fromstring(document).findtext("memory") is not None, True)
    equal(env.manager.sandboxes(), [], "sandboxes")
    env.no_leaks()


def test_explained_is_what_starts(env):
    """the domain that is shown is the one a sandbox of the same name gets"""
    path = env.bundle(["true"])
    document = ElementTree.fromstring(explain(env, path, format="xml", id="same"))
    sandbox = env.manager.create_sandbox("same", path)
    try:
        sandbox.start()
    except Exception:   # the test driver has no guest: what was planned is kept all the same
        pass
    planned = sandbox.call("GetDomainXML", "(a{sv})", {})
    real = ElementTree.fromstring(planned)
    for tree in (document, real):
        tree.find("uuid").text = ""
    equal(ElementTree.tostring(document), ElementTree.tostring(real))
    sandbox.delete(force=True)


def test_refused(env):
    """what would be refused is refused with the same error"""
    document = dict(bundle.spec(["true"]), linux={"intelRdt": {"closID": "gold"}})
    path = env.bundles.make(document=document)
    env.raises("NotSupported", lambda: explain(env, path), r"linux\.intelRdt")
    env.raises("NotSupported", lambda: env.manager.create_sandbox("bad", path), r"linux\.intelRdt")


def test_message_is_one_line(env):
    """what a bundle says cannot write on the terminal of who reads the error"""
    document = dict(bundle.spec(["true"]), ociVersion="\x1b[2J\n\u202e9")
    path = env.bundles.make(document=document)
    env.raises("InvalidArgument", lambda: explain(env, path), r'"\\x1b\[2J\\x0a\\u202e9" is not version 1')


def test_bad_arguments(env):
    """arguments that make no sense"""
    path = env.bundle(["true"])
    env.raises("InvalidArgument", lambda: explain(env, "relative"), "absolute")
    env.raises("InvalidArgument", lambda: explain(env, path, format="yaml"), "text, json or xml")
    env.raises("InvalidArgument", lambda: explain(env, path, id="../x"), "id")
    env.raises("InvalidArgument", lambda: explain(env, path, colour="red"), "colour")
    env.raises("NotFound", lambda: explain(env, path, handler="none"), "none")
    env.raises("NotFound", lambda: explain(env, env.path("no-such-bundle")), "no-such-bundle")


def test_pod(env):
    """a container of a pod has no domain of its own"""
    document = dict(bundle.spec(["true"]), annotations={
        "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "pod1"})
    path = env.bundles.make(document=document)
    check("in sandbox pod1" in explain(env, path), "names the sandbox")
    env.raises("InvalidArgument", lambda: explain(env, path, format="xml"), "no domain of its own")


TESTS = [value for name, value in list(globals().items()) if name.startswith("test_")]

if __name__ == "__main__":
    ENV = Env(libvirt="test", options=["--set", "agent.connect-timeout-ms=300"])
    ENV.require()
    tap.run(TESTS, ENV)
