#!/usr/bin/env python3
"""The Python side of the benchmark: does the operations that a line of JSON asks for, and says so.

    {"url": .., "operation": "get", "insert" or "insert unanswered", "size": .., "count": ..}
"""

import json
import sys

import pymemcache
import redis

import CacheToolsUtils as ctu


class Answered(pymemcache.Client):
    """A client that waits for the answer where an item is assigned, as redis-py and ours do.

    pymemcache's own never does, whatever its default is for `set`.
    """

    def __setitem__(self, key, value):
        self.set(key, value, noreply=False)


def open_cache(url, client):
    if url.startswith("redis:"):
        return ctu.RedisCache(redis.Redis.from_url(url), raw=True), b"key"
    return ctu.MemCached(client(url, serde=ctu.JsonSerde())), "key"


def main():
    caches = {}
    for line in sys.stdin:
        asked = json.loads(line)
        unanswered = asked["operation"] == "insert unanswered"
        opened = asked["url"], pymemcache.Client if unanswered else Answered
        if opened not in caches:
            caches[opened] = open_cache(*opened)
        cache, key = caches[opened]
        value = b"v" * asked["size"]
        if asked["operation"] == "get":
            for _ in range(asked["count"]):
                assert len(cache[key]) == asked["size"]
        else:
            for _ in range(asked["count"]):
                cache[key] = value
        print(json.dumps(asked["count"]), flush=True)


if __name__ == "__main__":
    main()
