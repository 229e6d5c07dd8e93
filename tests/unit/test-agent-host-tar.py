#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent's archives, in and out of containers of the real crun."""
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import PREFIX, RpcError, fails, main, test  # noqa: E402


def tar(b, cid, *args, data=b'', user=None, exec_id=None):
    """the agent's tar in a container: status, archive, messages"""
    b.n += 1
    exec_id = exec_id or 't%d' % b.n
    process = {'Args': ['virtpod:tar'] + list(args), 'User': user or {}}
    b.agent.call('ExecProcess', container_id=cid, exec_id=exec_id, process=process)

    def feed():
        left = data
        try:
            while left:
                left = left[b.agent.call('WriteStdin', container_id=cid, exec_id=exec_id, data=left[:1 << 20]).len:]
            b.agent.call('CloseStdin', container_id=cid, exec_id=exec_id)
        except RpcError as e:
            assert e.code == 'FAILED_PRECONDITION', e
    feeder = threading.Thread(target=feed)
    feeder.start()
    out = b.agent.read_all(cid, exec_id, chunk=1 << 20)
    err = b.agent.read_all(cid, exec_id, stream='Stderr')
    feeder.join()
    return b.wait(cid, exec_id), out, err.decode()


def make_archive(*members):
    """(name, type, content) ..."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type, info.mtime, info.devmajor, info.devminor = kind, 1234567890, 1, 3
            if kind == tarfile.REGTYPE:
                info.size = len(content)
            else:
                info.linkname = content
            archive.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


@test
def tar_both_ways(b):
    """an archive is what a container has, also before it runs and while it is paused"""
    cid = b.create('sleep', '1000')
    blob = os.urandom(3000000)
    archive = make_archive(('in/blob', tarfile.REGTYPE, blob), ('in/link', tarfile.SYMTYPE, '/etc/passwd'))
    for state in ('created', 'running', 'paused'):
        if state == 'running':
            b.agent.call('StartContainer', container_id=cid)
        if state == 'paused':
            b.agent.call('PauseContainer', container_id=cid)
        assert tar(b, cid, 'extract', '/tmp', data=archive) == (0, b'', ''), state
        with open(b.rootfs + '/tmp/in/blob', 'rb') as f:
            assert f.read() == blob, state
        assert os.readlink(b.rootfs + '/tmp/in/link') == '/etc/passwd'
        status, out, err = tar(b, cid, 'create', '/tmp/in')
        assert (status, err) == (0, ''), (state, status, err)
        with tarfile.open(fileobj=io.BytesIO(out)) as read:
            assert sorted(read.getnames()) == ['in', 'in/blob', 'in/link'], read.getnames()
            assert read.extractfile('in/blob').read() == blob
            assert read.getmember('in/blob').mtime == 1234567890
    # what the container mounted, which no other than a process in there sees
    status, out, err = tar(b, cid, 'create', '/')
    with tarfile.open(fileobj=io.BytesIO(out)) as read:
        names = set(read.getnames())
    assert './dev/pts/ptmx' in names and './proc' in names, (status, err)
    assert not [n for n in names if n.startswith('./proc/')], 'content of proc'
    b.remove(cid)


@test
def tar_refusals(b):
    cid = b.run('sleep', '1000')
    for args in ((), ('list', '/'), ('create', 'x'), ('extract', '/', '--what')):
        fails('INVALID_ARGUMENT', tar, b, cid, *args)
    fails('INVALID_ARGUMENT', b.agent.call, 'ExecProcess', container_id=cid, exec_id='t', process={
        'Args': ['virtpod:tar', 'create', '/'], 'Terminal': True})
    assert tar(b, cid, 'create', '/nowhere') == (2, b'', '/nowhere: No such file or directory\n')
    status, _, err = tar(b, cid, 'extract', '/tmp', data=make_archive(('../x', tarfile.REGTYPE, b'')))
    assert status == 3 and 'refused' in err, (status, err)
    # links of the container lead to what is in it
    os.symlink('/../../../../../../tmp', b.rootfs + '/tmp/up')
    assert tar(b, cid, 'extract', '/tmp/up', data=make_archive(('f', tarfile.REGTYPE, b'x')))[0] == 0
    assert os.path.exists(b.rootfs + '/tmp/f')
    # whatever it waits for, it ends with its container
    b.agent.call('ExecProcess', container_id=cid, exec_id='waits', process={'Args': ['virtpod:tar', 'extract', '/']})
    wait = b.agent.start('WaitProcess', container_id=cid, exec_id='waits')
    b.remove(cid)
    assert wait.result().status == 137


@test
def tar_rights(b):
    """root in the worker is no more than root in the container, and its user is the one asked for"""
    spec = b.spec('sleep', '1000')
    spec['Process']['Capabilities'] = {k: ['CAP_CHOWN', 'CAP_KILL'] for k in ('Bounding', 'Effective', 'Permitted')}
    b.n += 1
    cid = PREFIX + 'r%d' % b.n
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    b.agent.call('ExecProcess', container_id=cid, exec_id='t', process={'Args': ['virtpod:tar', 'extract', '/tmp']})

    def status_of(exec_id, expected):
        for _ in range(100):
            pids = b.agent.call('GetDiagnosticData', container_id=cid, log_type='virtpod:pids').data.split()
            for pid in pids:
                text = open('/proc/%s/status' % pid).read()
                fields = dict(line.split(':\t', 1) for line in text.splitlines() if ':\t' in line)
                if fields['Name'] == 'virtpod-agent' and fields['Uid'].split()[0] == str(expected):
                    return pid, fields
            time.sleep(0.02)
        raise AssertionError(pids)
    pid, fields = status_of('t', 0)
    for _ in range(100):
        if int(fields['CapBnd'], 16) == 0x21 and int(fields['CapEff'], 16) == 0x21:
            break
        time.sleep(0.02)
        pid, fields = status_of('t', 0)
    sets = {k: int(fields[k], 16) for k in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')}
    assert sets == {'CapInh': 0, 'CapPrm': 0x21, 'CapEff': 0x21, 'CapBnd': 0x21, 'CapAmb': 0}, sets
    assert fields['NoNewPrivs'] == '1'
    fds = sorted(os.listdir('/proc/%s/fd' % pid))
    kinds = [os.readlink('/proc/%s/fd/%s' % (pid, fd)).split(':')[0] for fd in fds]
    assert kinds.count('pipe') == 3 and len(kinds) <= 5, kinds
    b.agent.call('SignalProcess', container_id=cid, exec_id='t', signal=9)
    assert b.wait(cid, 't') == 137
    # another user may not write where the container's root may
    os.chmod(b.rootfs + '/etc', 0o755)
    archive = make_archive(('g', tarfile.REGTYPE, b'x'))
    status, _, err = tar(b, cid, 'extract', '/etc', data=archive, user={'UID': 1234, 'GID': 1234})
    assert status == 4 and 'Permission denied' in err, (status, err)
    os.chmod(b.rootfs + '/tmp', 0o1777)
    assert tar(b, cid, 'extract', '/tmp', data=archive, user={'UID': 1234, 'GID': 99})[0] == 0
    st = os.stat(b.rootfs + '/tmp/g')
    assert (st.st_uid, st.st_gid) == (1234, 99)
    # devices: asked for, but without the capability
    device = make_archive(('null', tarfile.CHRTYPE, ''))
    assert tar(b, cid, 'extract', '/tmp', data=device)[0] == 3
    status, _, err = tar(b, cid, 'extract', '/tmp', '--devices', data=device)
    assert status == 4 and 'mknod' in err, (status, err)
    b.remove(cid)


@test
def tar_user_namespace(b):
    """root of a container with a user namespace is root there only"""
    spec = b.spec('sleep', '1000')
    spec['Linux']['Namespaces'].append({'Type': 'user'})
    for kind in ('UIDMappings', 'GIDMappings'):
        spec['Linux'][kind] = [{'ContainerID': 0, 'HostID': 100000, 'Size': 65536}]
    spec['Mounts'] = [m for m in spec['Mounts'] if m['destination'] == '/proc']
    b.n += 1
    cid = PREFIX + 'u%d' % b.n
    mapped = b.dir + '/mapped'
    shutil.copytree(b.rootfs, mapped, symlinks=True)
    subprocess.run(['chown', '-R', '-h', '100000:100000', mapped], check=True)
    spec['Root']['Path'] = mapped
    b.agent.call('CreateContainer', container_id=cid, OCI=spec)
    assert tar(b, cid, 'extract', '/tmp', data=make_archive(('user', tarfile.REGTYPE, b'x'))) == (0, b'', '')
    assert os.stat(mapped + '/tmp/user').st_uid == 100000
    b.remove(cid)


main()
