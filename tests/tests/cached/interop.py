"""Calls a cached function over the Redis at the port given, and says which calls ran it."""

import sys
import CacheToolsUtils as ctu
import redis

cache = ctu.PrefixedRedisCache(redis.Redis(port=int(sys.argv[1])), "acme.")
runs: list[int] = []


@ctu.cached(cache, key=ctu.json_key)
def acme(what: str, count: int, scale: float, flag: bool | None) -> str:
    runs.append(count)
    return f"{what * count} {scale} {flag}"


for count in map(int, sys.argv[2:]):
    print(acme("hé\"\n", count, 0.1 * count, None if count % 2 else True).encode().hex())
    assert acme.cache_in("hé\"\n", count, 0.1 * count, None if count % 2 else True)
print(*runs)
