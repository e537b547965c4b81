#!/usr/bin/env python3
"""The Python side of `backends.rs`: does the operations that a line of JSON asks for, and says so.

    {"url": .., "operation": "get" or "insert", "size": .., "count": ..}
"""

import json
import sys

import pymemcache
import redis

import CacheToolsUtils as ctu


def open_cache(url):
    if url.startswith("redis:"):
        return ctu.RedisCache(redis.Redis.from_url(url), raw=True), b"key"
    return ctu.MemCached(pymemcache.Client(url, serde=ctu.JsonSerde())), "key"


def main():
    caches = {}
    for line in sys.stdin:
        asked = json.loads(line)
        url = asked["url"]
        if url not in caches:
            caches[url] = open_cache(url)
        cache, key = caches[url]
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
