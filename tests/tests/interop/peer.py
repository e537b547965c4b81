#!/usr/bin/env python3
"""The other side of `main.rs`: uses the real CacheToolsUtils as it is told, a line of JSON each.

    {"do": "begin", "seed": n}        makes a run repeatable
    {"do": "open", ...}               makes the cache that is described
    {"do": "write", "count": n}       stores random entries, and tells what and where
    {"do": "check"}                   whether all of them are found as they were written
    {"do": "gone"}                    whether none of them is found
"""

import json
import os
import random
import sys

import pymemcache
import redis
from pymemcache.client.hash import HashClient

import CacheToolsUtils as ctu

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "vectors"))
import generate  # noqa: E402
from sealed import SealedCache  # noqa: E402


class Several(HashClient):
    """pymemcache's client of several servers is no mapping as the one of one server is."""

    __setitem__ = pymemcache.Client.__setitem__
    __getitem__ = pymemcache.Client.__getitem__
    __delitem__ = pymemcache.Client.__delitem__


class Peer:
    def begin(self, seed):
        random.seed(seed)

    def open(self, servers, key, value, prefix=None, encrypted=None, sealed=None, raw=False, **_):
        self.keys, self.values, self.entries = key, value, []
        if servers[0].startswith("redis:"):
            client = redis.Redis.from_url(servers[0])
            if prefix is None:
                cache = ctu.RedisCache(client, raw=raw)
            else:
                cache = ctu.PrefixedRedisCache(client, prefix)
            self.clients = []
        else:
            if len(servers) == 1:
                client = pymemcache.Client(servers[0], serde=ctu.JsonSerde())
                self.clients = [client]
            else:
                client = Several(servers, serde=ctu.JsonSerde())
                self.clients = list(client.clients.values())
            cache = ctu.MemCached(client) if prefix is None else ctu.PrefixedMemCached(client, prefix)
        if encrypted is not None:
            if encrypted.pop("text"):
                cache = ctu.BytesCache(cache)
            secret = bytes.fromhex(encrypted.pop("secret"))
            cache = ctu.ToBytesCache(ctu.EncryptedCache(cache, secret, **encrypted))
        if sealed is not None:
            cache = ctu.ToBytesCache(seal(cache, **sealed))
        self.cache = cache

    def write(self, count):
        shown = {}
        while len(shown) < count:
            key, told = self.key()
            at = self.stored_key(key)
            # Memcached has its limit, and Python's `True` is `1` in a mapping.
            if at in shown or (self.clients and not 0 < len(at) <= 250):
                continue
            value = self.value()
            self.cache[key] = value
            self.entries.append((key, value))
            shown[at] = {"key": told, "value": tagged(value), "at": at.hex()}
        self.settle()
        return list(shown.values())

    def check(self):
        wrong = []
        for key, value in self.entries:
            try:
                found = self.cache[key]
            except KeyError:
                # pymemcache takes a stored `None` for a miss.
                found = None if self.clients else KeyError()
            except Exception as error:
                found = error
            if not same(found, value):
                wrong.append(f"{key!r}: {found!r} is not {value!r}")
        return wrong

    def gone(self):
        def is_there(key):
            try:
                return self.cache[key] is not None
            except KeyError:
                return False

        return [repr(key) for key, _ in self.entries if is_there(key)]

    def settle(self):
        """pymemcache does not wait for what it stores."""
        for client in self.clients:
            client.version() if hasattr(client, "version") else client.stats()

    def stored_key(self, key):
        cache = self.cache
        while hasattr(cache, "_key"):
            key, cache = cache._key(key), cache._cache
        return key.encode() if isinstance(key, str) else key

    def key(self):
        if self.keys == "any":
            key = random.choice([generate.text, generate.value])()
            return key, tagged(key)
        kind = random.choice(["text", "text", "number", "bytes", "json_key", "full_hash_key"])
        if kind == "text":
            key = generate.text(random.choice([5, 40, 60]))
            return key, tagged(key)
        if kind == "number":
            key = random.choice([True, False, random.randint(-(2**100), 2**100), generate.any_float()])
            return key, tagged(key)
        if kind == "bytes":
            key = generate.some_bytes()
            return key, tagged(key)
        args = [generate.value(3) for _ in range(random.randint(0, 3))]
        kwargs = {generate.text(6): generate.value(3) for _ in range(random.choice([0, 0, 1, 2]))}
        return getattr(ctu, kind)(*args, **kwargs), {kind: [args, kwargs]}

    def value(self):
        if self.values == "any" and random.random() < 0.3:
            return generate.some_bytes()
        return random.choice([generate.text, generate.value, generate.value])()


def seal(cache, secret, id, context, now, **options):
    secret = bytes.fromhex(secret)
    return SealedCache(
        cache, {id: secret}, names=secret, context=context.encode(), now=lambda: now, **options
    )


def tagged(value):
    return {"bytes": value.hex()} if isinstance(value, bytes) else {"json": value}


def same(one, other):
    if isinstance(one, Exception) or type(one) is not type(other):
        return False
    return one == other if isinstance(one, bytes) else json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        answer = getattr(peer, request.pop("do"))(**request)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
