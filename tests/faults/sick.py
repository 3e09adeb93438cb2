"""Upstreams that are sick in ways a lab cannot be by itself: below HTTP, in their certificates, or in what their bytes
unpack to.

A case names one in place of a list of faults. It is made with (folder, port, seed), and tells the gateway what it is
by `provider`: members of the provider's settings. `lab` is the lab behind it, if there is one.
"""

import asyncio
import random
import socket
import ssl
import threading
import zlib

import stage  # first: it knows where the rest is
from authority import Authority

REAL = "IP:127.0.0.1"


def plain(port):
    return {"base_url": f"http://127.0.0.1:{port}/v1"}


class Nameless:
    """U3: its host has no address. RFC 6761 keeps this name from ever being one."""

    lab = None
    provider = {"base_url": "http://nowhere.invalid/v1"}

    def __init__(self, folder, port, seed):
        pass

    def stop(self):
        pass


class Swallowing:
    """U2: the queue of its listener is full, so that the system drops whatever comes."""

    lab = None
    backlog = 0

    def __init__(self, folder, port, seed):
        self.provider = plain(port)
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(self.backlog)
        self.stuffing = []
        self.fill(port)

    def fill(self, port):
        for _ in range(4):
            stuffing = socket.socket()
            stuffing.setblocking(False)
            stuffing.connect_ex(("127.0.0.1", port))
            self.stuffing.append(stuffing)

    def stop(self):
        for each in (*self.stuffing, self.listener):
            each.close()


class Mute(Swallowing):
    """Every connection and every request is taken, and there is nobody: a program that hangs."""

    backlog = 4096

    def fill(self, port):
        pass


class MuteInHandshake(Mute):
    """U7: the same, where a TLS handshake is expected."""

    def __init__(self, folder, port, seed):
        super().__init__(folder, port, seed)
        self.provider = {"base_url": f"https://127.0.0.1:{port}/v1"}


class Certified:
    """U6: a lab that serves TLS with a certificate for `names`, issued with these words of openssl.

    The gateway trusts the authority, unless the certificate is `foreign`.
    """

    def __init__(self, folder, port, seed, names=REAL, words=(), foreign=False):
        folder.mkdir(parents=True, exist_ok=True)
        authority = Authority(folder, "authority")
        pair = authority.issue("upstream", names, *words)
        trusted = Authority(folder, "another") if foreign else authority
        self.lab = stage.Lab(port, seed, (), pair)
        self.provider = {"base_url": f"https://127.0.0.1:{port}/v1", "tls": {"ca_file": trusted.file}}

    def stop(self):
        self.lab.stop()


class Plain:
    """U6: a lab without TLS, where the gateway expects it."""

    def __init__(self, folder, port, seed):
        self.lab = stage.Lab(port, seed, ())
        self.provider = {"base_url": f"https://127.0.0.1:{port}/v1"}

    def stop(self):
        self.lab.stop()


class Server:
    """Python's own server, in a thread of its own."""

    lab = None

    def __init__(self, port, trust=None):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        opening = asyncio.start_server(self._serve, "127.0.0.1", port, ssl=trust)
        asyncio.run_coroutine_threadsafe(opening, self.loop).result(10)

    async def _serve(self, reader, writer):
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever called has gone, or we are to go
        writer.transport.abort()

    async def _cancel_all(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self):
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        if self.lab is not None:
            self.lab.stop()


class Cutting(Server):
    """U8: TLS in front of a lab, where each connection is cut after some bytes, without the alert that says so."""

    LEAST, MOST = 2_000, 120_000

    def __init__(self, folder, port, seed):
        folder.mkdir(parents=True, exist_ok=True)
        authority = Authority(folder, "authority")
        self.chance = random.Random(seed)
        self.lab = stage.Lab(stage.free_port(), seed, ())
        trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        trust.load_cert_chain(*authority.issue("upstream", REAL))
        super().__init__(port, trust)
        self.provider = {"base_url": f"https://127.0.0.1:{port}/v1", "tls": {"ca_file": authority.file}}

    async def serve(self, reader, writer):
        left = self.chance.randrange(self.LEAST, self.MOST)
        there, back = await asyncio.open_connection(*self.lab.address)
        asking = asyncio.ensure_future(self.ask(reader, back))
        while left > 0 and (piece := await there.read(min(left, 1500))):
            writer.write(piece)
            await writer.drain()
            left -= len(piece)
        asking.cancel()
        back.transport.abort()

    @staticmethod
    async def ask(reader, back):
        while piece := await reader.read(65536):
            back.write(piece)
        back.write_eof()


class Bomb(Server):
    """U37: 10 MB of gzip that unpack to 10 GB, as one string of JSON or as one event."""

    HEAD = "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    BLOCKS, AT_ONCE = 1000, 20

    def __init__(self, folder, port, seed):
        self.provider = plain(port)
        self.starts = {}
        for kind, start in (("application/json", b'{"id":"'), ("text/event-stream", b'data: {"id":"')):
            packer = zlib.compressobj(wbits=31)
            self.starts[kind] = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
        # After a full flush a block stands for itself, and may follow any other.
        self.block = packer.compress(b"a" * 10_000_000) + packer.flush(zlib.Z_FULL_FLUSH)
        super().__init__(port)

    async def serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        kind = "text/event-stream" if b'"stream":true' in body.replace(b" ", b"") else "application/json"
        writer.write(self.HEAD.format(kind).encode() + self.starts[kind])
        for _ in range(self.BLOCKS // self.AT_ONCE):
            writer.write(self.block * self.AT_ONCE)
            await writer.drain()
