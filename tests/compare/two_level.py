#!/usr/bin/env python3
"""What Python's TwoLevelCache(resilient=True) loses in an outage.

    pip install CacheToolsUtils==11.0 cachetools redis
    python3 tests/compare/two_level.py

The same through this project's cache:

    cargo test -p ctu-tests --features servers --test two_level_servers comparison -- --nocapture
"""

import socket
import subprocess
import tempfile
import threading
import time

import cachetools
import CacheToolsUtils as ctu
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

KEYS = 100
READS = 20
DEADLINE = 0.1


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Network:
    """Between cache and server: 'fair', 'refused' or 'black hole'."""

    def __init__(self, server):
        self.weather, self.server = "fair", server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            if self.weather == "refused":
                client.close()
                continue
            there = socket.create_connection(("127.0.0.1", self.server))
            for pair in ((client, there), (there, client)):
                threading.Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, a, b):
        try:
            while data := a.recv(65536):
                if self.weather == "refused":
                    break
                if self.weather == "fair":
                    b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main():
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--loglevel", "warning"],
        cwd=tempfile.mkdtemp(), stdout=subprocess.DEVNULL)
    direct = redis.Redis(port=port)
    while True:
        try:
            direct.ping()
            break
        except redis.ConnectionError:
            pass
    network = Network(port)
    # Without retries of the client, which would have each operation wait for several deadlines.
    client = redis.Redis(port=network.port, socket_timeout=DEADLINE, socket_connect_timeout=DEADLINE,
                         retry=Retry(NoBackoff(), 0))
    first = cachetools.TTLCache(1000, 600)
    cache = ctu.TwoLevelCache(first, ctu.RedisCache(client, ttl=3600), resilient=True)

    for key in range(KEYS):
        cache[f"k{key}"] = "old"
    network.weather = "refused"
    errors = 0
    for key in range(KEYS):
        try:
            if key % 2:
                cache[f"k{key}"] = "new"
            else:
                del cache[f"k{key}"]
        except Exception:
            errors += 1
    network.weather = "fair"
    first.clear()  # as its entries expire
    found = [cache.get(f"k{key}") for key in range(KEYS)]
    back = sum(1 for key in range(0, KEYS, 2) if found[key] is not None)
    older = sum(1 for key in range(1, KEYS, 2) if found[key] == "old")
    print(f"deleted in the outage, and there again: {back} of {KEYS // 2}")
    print(f"written in the outage, and older again: {older} of {KEYS // 2}")
    print(f"operations that were errors: {errors}")

    network.weather = "black hole"
    start = time.monotonic()
    for key in range(READS):
        cache.get(f"none{key}")
    late = (time.monotonic() - start) / DEADLINE
    print(f"deadlines waited for in {READS} reads of a black hole: {late:.0f}")
    server.kill()
    server.wait()


if __name__ == "__main__":
    main()
