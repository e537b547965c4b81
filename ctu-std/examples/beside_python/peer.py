#!/usr/bin/env python3
"""The Python side of `main.rs`: the same cached function, over CacheToolsUtils."""

import sys

try:
    import redis
    import CacheToolsUtils as ctu
except ImportError:
    sys.exit(3)

cache = ctu.PrefixedRedisCache(redis.Redis.from_url(sys.argv[1]), "acme.")
computed = 0


@ctu.cached(cache, key=ctu.json_key)
def acme(text: str, count: int) -> str:
    global computed
    computed += 1
    return text * count


def call(text: str, count: int) -> None:
    before = computed
    result = acme(text, count)
    way = "found" if computed == before else "computed"
    print(f'python: acme("{text}", {count}) = "{result}", {way}')


call("rust", 2)
call("python", 3)
