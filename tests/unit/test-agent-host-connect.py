#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The guest agent's connections to ports of its network: here those of this host."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../lib'))
from agent_bench import fails, main, test  # noqa: E402

TIMEOUT = 60


class Connection:
    """virtpod:connect to @port."""

    def __init__(self, b, cid, port):
        b.n += 1
        self.b, self.ids = b, {'container_id': cid, 'exec_id': 'c%d' % b.n}
        b.agent.call('ExecProcess', process={'Args': ['virtpod:connect', str(port)]}, **self.ids)

    def read(self, size=1 << 16):
        return self.b.agent.call('ReadStdout', len=size, **self.ids).data

    def read_all(self):
        return self.b.agent.read_all(self.ids['container_id'], self.ids['exec_id'], chunk=1 << 20)

    def write(self, data):
        while data:
            data = data[self.b.agent.call('WriteStdin', data=data[:1 << 20], **self.ids).len:]

    def close(self):
        self.b.agent.call('CloseStdin', **self.ids)

    def wait(self):
        return self.b.agent.start('WaitProcess', **self.ids).result(TIMEOUT).status

    def error(self):
        return self.b.agent.read_all(self.ids['container_id'], self.ids['exec_id'], stream='Stderr').decode()


def listen(family=socket.AF_INET, address='127.0.0.1'):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.settimeout(TIMEOUT)
    server.bind((address, 0))
    server.listen(8)
    return server, server.getsockname()[1]


def accept(server):
    peer, _ = server.accept()
    peer.settimeout(TIMEOUT)
    return peer


@test
def both_families(b):
    """a byte says that it is connected; a server of IPv6 alone is found too"""
    cid = b.run('sleep', '1000')
    places = [(socket.AF_INET, '127.0.0.1')] + ([(socket.AF_INET6, '::1')] if socket.has_ipv6 else [])
    for family, address in places:
        try:
            server, port = listen(family, address)
        except OSError:
            continue    # no IPv6 here
        connection = Connection(b, cid, port)
        assert connection.read() == b'+', address
        peer = accept(server)
        connection.write(b'question')
        assert peer.recv(100) == b'question'
        peer.sendall(b'answer')
        assert connection.read() == b'answer'
        peer.close()
        assert connection.read() == b''
        connection.close()
        assert connection.wait() == 0
        server.close()
    b.remove(cid)


@test
def each_direction(b):
    """the end of one direction leaves the other open"""
    cid = b.run('sleep', '1000')
    server, port = listen()
    connection = Connection(b, cid, port)
    assert connection.read() == b'+'
    peer = accept(server)
    connection.write(b'all there is')
    connection.close()
    data = b''
    while not data.endswith(b'all there is'):
        data += peer.recv(100)
    assert peer.recv(100) == b''
    blob = os.urandom(3000000)
    sender = threading.Thread(target=lambda: (peer.sendall(blob), peer.close()))
    sender.start()
    assert connection.read_all() == blob
    sender.join(TIMEOUT)
    assert connection.wait() == 0
    # and the other way round
    connection = Connection(b, cid, port)
    assert connection.read() == b'+'
    peer = accept(server)
    peer.shutdown(socket.SHUT_WR)
    assert connection.read() == b''
    received = []

    def receive():
        piece = peer.recv(1 << 16)
        while piece:
            received.append(piece)
            piece = peer.recv(1 << 16)
    receiver = threading.Thread(target=receive)
    receiver.start()
    connection.write(blob)
    connection.close()
    receiver.join(TIMEOUT)
    assert b''.join(received) == blob
    assert connection.wait() == 0
    peer.close()
    server.close()
    b.remove(cid)


@test
def back_pressure(b):
    """a peer that does not read holds up its own connection and nothing else"""
    cid = b.run('sleep', '1000')
    server, port = listen()
    connection = Connection(b, cid, port)
    assert connection.read() == b'+'
    peer = accept(server)
    total = 24 << 20
    writer = threading.Thread(target=lambda: (connection.write(bytes(total)), connection.close()))
    writer.start()
    other = Connection(b, cid, port)
    assert other.read() == b'+'
    accept(server).sendall(b'quick')
    assert other.read() == b'quick'
    writer.join(1)
    assert writer.is_alive(), 'nobody reads 24 MiB, and they were taken'
    b.agent.call('SignalProcess', signal=9, **other.ids)
    assert other.wait() == 137
    got = 0
    piece = peer.recv(1 << 20)
    while piece:
        got += len(piece)
        piece = peer.recv(1 << 20)
    assert got == total
    writer.join(TIMEOUT)
    peer.close()
    assert connection.wait() == 0
    server.close()
    b.remove(cid)


@test
def refused(b):
    cid = b.run('sleep', '1000')
    server, port = listen()
    server.close()
    connection = Connection(b, cid, port)
    assert connection.read() == b''
    assert connection.wait() == 2
    assert connection.error() == 'port %d: nobody listens on it\n' % port
    for args in ([], ['0'], ['65536'], ['x'], ['-1'], ['80 '], ['80', '81'], ['999999']):
        fails('INVALID_ARGUMENT', b.agent.call, 'ExecProcess', container_id=cid, exec_id='bad',
              process={'Args': ['virtpod:connect'] + args})
    fails('INVALID_ARGUMENT', b.agent.call, 'ExecProcess', container_id=cid, exec_id='bad',
          process={'Args': ['virtpod:connect', '80'], 'Terminal': True})
    # it ends with its container
    server, port = listen()
    connection = Connection(b, cid, port)
    assert connection.read() == b'+'
    peer = accept(server)
    wait = b.agent.start('WaitProcess', **connection.ids)
    b.remove(cid)
    assert wait.result(TIMEOUT).status == 137
    assert peer.recv(1) == b''
    server.close()


@test
def disown(b):
    """a host that has come after another has them ended, in all containers; what else runs goes on"""
    cids = [b.run('sleep', '1000') for _ in range(2)]
    server, port = listen()
    connections = [Connection(b, cid, port) for cid in cids]
    for connection in connections:
        assert connection.read() == b'+'
    peers = [accept(server) for _ in connections]
    fails('NOT_FOUND', b.agent.call, 'GetDiagnosticData', container_id='nobody', log_type='virtpod:pids')
    fails('UNIMPLEMENTED', b.agent.call, 'GetDiagnosticData', container_id=cids[0], log_type='virtpod:disown')
    assert b.agent.call('GetDiagnosticData', log_type='virtpod:disown').data == ''
    for peer in peers:
        assert peer.recv(1) == b''
    for connection in connections:
        assert connection.wait() == 137
    for cid in cids:
        assert b.agent.call('GetDiagnosticData', container_id=cid, log_type='virtpod:pids').data.count('\n') == 1
        b.remove(cid)
    # of those that have ended, and of none
    assert b.agent.call('GetDiagnosticData', log_type='virtpod:disown').data == ''
    server.close()


@test
def rights(b):
    """once it is connected it is nobody, without a capability"""
    cid = b.run('sleep', '1000')
    server, port = listen()
    connection = Connection(b, cid, port)
    assert connection.read() == b'+'
    found = []
    for pid in os.listdir('/proc'):
        try:
            text = open('/proc/%s/status' % pid).read() if pid.isdigit() else ''
        except OSError:
            continue
        fields = dict(line.split(':\t', 1) for line in text.splitlines() if ':\t' in line)
        if fields.get('Name') == 'virtpod-agent' and fields['Uid'].split() == ['65534'] * 4:
            found.append(fields)
    assert len(found) >= 1, found
    assert all(int(f['CapEff'], 16) == 0 and int(f['CapPrm'], 16) == 0 and f['NoNewPrivs'] == '1' for f in found)
    accept(server).close()
    connection.close()
    assert connection.wait() == 0
    server.close()
    b.remove(cid)


if __name__ == '__main__':
    main()
