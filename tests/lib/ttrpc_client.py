#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ttrpc client for the agent protocol that shares no code with ours.

The framing is written here from the protocol's description, the messages are
Google's protobuf on what protoc makes of lib/wire/*.proto.

    agent = Agent('/run/agent.sock')
    agent.call('Check', service='grpc.Health')
    agent.call('CreateContainer', container_id='c1', OCI={...})
    wait = agent.start('WaitProcess', container_id='c1')   # more calls meanwhile
    print(wait.result().status)

As a program: ttrpc_client.py SOCKET METHOD ['{"json": "request"}'], the answer
is JSON on standard output; exit status 1 and "CODE: message" on a failed call.
"""
import base64
import glob
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

HEADER = struct.Struct('>IIBB')
REQUEST, RESPONSE = 1, 2
CODES = ('OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS '
         'PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE '
         'UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED').split()
# requests and answers that are not named after their method
ODD_REQUESTS = {'WriteStdin': 'WriteStreamRequest', 'ReadStdout': 'ReadStreamRequest',
                'ReadStderr': 'ReadStreamRequest', 'GetGuestDetails': 'GuestDetailsRequest',
                'Check': 'CheckRequest', 'Version': 'CheckRequest', 'GetVolumeStats': 'VolumeStatsRequest',
                'MemAgentMemcgSet': 'MemAgentMemcgConfig', 'MemAgentCompactSet': 'MemAgentCompactConfig'}
RESPONSES = {'WaitProcess': 'WaitProcessResponse', 'StatsContainer': 'StatsContainerResponse',
             'WriteStdin': 'WriteStreamResponse', 'ReadStdout': 'ReadStreamResponse',
             'ReadStderr': 'ReadStreamResponse', 'GetGuestDetails': 'GuestDetailsResponse',
             'GetOOMEvent': 'OOMEvent', 'Check': 'HealthCheckResponse', 'Version': 'VersionCheckResponse',
             'GetMetrics': 'Metrics', 'GetIPTables': 'GetIPTablesResponse',
             'SetIPTables': 'SetIPTablesResponse', 'GetVolumeStats': 'VolumeStatsResponse', 'ListRoutes': 'Routes',
             'ListInterfaces': 'Interfaces', 'UpdateRoutes': 'Routes', 'UpdateInterface': 'types.Interface',
             'GetDiagnosticData': 'GetDiagnosticDataResponse'}


class Messages:
    """The message classes, by full name; compiled at run time into a pool of their own."""

    def __init__(self, protos=None):
        protos = protos or os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../lib/wire')
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(['protoc', '-I', protos, '-o', out.name] + sorted(glob.glob(protos + '/*.proto')),
                           check=True, stderr=subprocess.DEVNULL)
            files = descriptor_pb2.FileDescriptorSet.FromString(open(out.name, 'rb').read())
        self.pool = descriptor_pool.DescriptorPool()
        left = list(files.file)
        while left:  # those with all they import first
            known = {f.name for f in files.file} - {f.name for f in left}
            ready = [f for f in left if set(f.dependency) <= known]
            for f in ready:
                self.pool.Add(f)
            left = [f for f in left if f not in ready]
        self.factory = message_factory.MessageFactory(self.pool)

    def __getitem__(self, name):
        return self.factory.GetPrototype(self.pool.FindMessageTypeByName(name))


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__('%s: %s' % (CODES[code] if code < len(CODES) else code, message))
        self.code = CODES[code] if code < len(CODES) else code
        self.message = message


class Pending:
    def __init__(self, response_class):
        self.response_class = response_class
        self.done = threading.Event()
        self.outcome = None

    def result(self, timeout=30):
        if not self.done.wait(timeout):
            raise TimeoutError('no answer within %s s' % timeout)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def make_sync(token, ack=False):
    return (b'\xffVPSYAK\x01' if ack else b'\xffVPSYNC\x01') + token


class Agent:
    """One connection; calls may come from any thread. @sync: a channel without connect."""

    def __init__(self, path, messages=None, sync=False, timeout=30):
        self.messages = messages or Messages()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.lock = threading.Lock()
        self.stream = 1
        self.pending = {}
        if sync:
            self.synchronise()
        self.socket.settimeout(None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def synchronise(self):
        token = os.urandom(16)
        self.socket.sendall(make_sync(token))
        seen, ack = b'', make_sync(token, ack=True)
        while not seen.endswith(ack):  # byte by byte: what follows is ttrpc
            byte = self.socket.recv(1)
            if not byte:
                raise ConnectionError('closed while waiting for the ack')
            seen = (seen + byte)[-len(ack):]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.reader.join()
        self.socket.close()

    def _receive(self, n):
        data = bytearray()
        while len(data) < n:
            piece = self.socket.recv(n - len(data))
            if not piece:
                raise ConnectionError('closed by the agent')
            data += piece
        return bytes(data)

    def _read(self):
        try:
            while True:
                length, stream, kind, flags = HEADER.unpack(self._receive(HEADER.size))
                assert kind == RESPONSE and flags == 0 and length <= 4 << 20, (length, stream, kind, flags)
                response = self.messages['ttrpc.Response'].FromString(self._receive(length))
                with self.lock:
                    call = self.pending.pop(stream)
                if response.status.code:
                    call.outcome = RpcError(response.status.code, response.status.message)
                else:
                    call.outcome = call.response_class.FromString(response.payload)
                call.done.set()
        except Exception as e:  # every call learns why
            with self.lock:
                pending, self.pending = self.pending, None
            for call in pending.values():
                call.outcome = e
                call.done.set()

    def build(self, method, fields):
        name = ODD_REQUESTS.get(method, method + 'Request')
        message = self.messages['grpc.' + name]()
        # bytes as bytes, everything else as JSON
        plain = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in fields.items()}
        return json_format.ParseDict(plain, message)

    def start(self, method, service=None, timeout_nano=0, request=None, **fields):
        service = service or ('grpc.Health' if method in ('Check', 'Version') else 'grpc.AgentService')
        message = request if request is not None else self.build(method, fields)
        answer = RESPONSES.get(method, 'google.protobuf.Empty')
        call = Pending(self.messages[answer if '.' in answer else 'grpc.' + answer])
        envelope = self.messages['ttrpc.Request'](service=service, method=method, timeout_nano=timeout_nano,
                                                  payload=message.SerializeToString())
        payload = envelope.SerializeToString()
        with self.lock:
            if self.pending is None:
                raise ConnectionError('the connection is gone')
            stream, self.stream = self.stream, self.stream + 2
            self.pending[stream] = call
            self.socket.sendall(HEADER.pack(len(payload), stream, REQUEST, 0) + payload)
        return call

    def call(self, method, timeout=30, **fields):
        return self.start(method, **fields).result(timeout)

    def read_all(self, cid, exec_id='', stream='Stdout', chunk=65536):
        """Everything a process writes, to the end."""
        data = b''
        while True:
            piece = self.call('Read' + stream, container_id=cid, exec_id=exec_id, len=chunk).data
            if not piece:
                return data
            data += piece


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    fields = json.loads(sys.argv[3]) if len(sys.argv) > 3 else {}
    agent = Agent(sys.argv[1], sync='TTRPC_SYNC' in os.environ)
    try:
        response = agent.call(sys.argv[2], **fields)
    except RpcError as e:
        sys.exit(str(e))
    print(json_format.MessageToJson(response, preserving_proto_field_name=True))


if __name__ == '__main__':
    main()
