#!/usr/bin/env python3
"""Random vectors from the real CacheToolsUtils, in the format of `vectors.json` and with three
sections more (`auto_prefix`, `map_keys`, `b85_decode`).

    pip install CacheToolsUtils==11.0 pycryptodome
    python3 tests/vectors/generate.py [SEED] [COUNT] > /tmp/more.json
    CTU_VECTORS=/tmp/more.json cargo test -p ctu-tests --test vectors

SEED (default 0) makes a run repeatable, COUNT (default 3000) is the number of vectors in each of the
sections on JSON and base85; the others have a tenth. `vectors.json` itself is kept as it was made: it
is the sample that every run checks.
"""

import base64
import json
import random
import struct
import sys

import CacheToolsUtils as ctu

MAX_DEPTH = 5


def integer() -> int:
    bits = random.choice([1, 4, 8, 16, 31, 32, 53, 63, 64, 65, 127, 128, 129, 200, 400])
    value = random.choice([random.getrandbits(bits), 2**bits, 2**bits - 1, 2**bits + 1])
    return random.choice([value, -value, random.randint(-10, 10), 10 ** random.randrange(60)])


def any_float() -> float:
    while True:
        value = random.choice(
            [
                lambda: struct.unpack("<d", random.randbytes(8))[0],
                lambda: random.choice([-1, 1]) * 2.0 ** random.randint(-1074, 1023),
                lambda: float(f"{random.randrange(10**random.randint(1, 18))}e{random.randint(-30, 30)}"),
                lambda: random.randint(-(10**6), 10**6) / random.choice([1, 2, 3, 7, 10, 100, 1000]),
                lambda: float(random.getrandbits(random.randint(1, 70))),
                lambda: random.choice([0.0, -0.0, 1.0, 1e15, 1e16, 1e17, 1e-4, 1e-5, 5e-324]),
                lambda: random.choice([1e22, 1e23, 1.7976931348623157e308, 2.2250738585072014e-308]),
                lambda: random.random(),
            ]
        )()
        if value == value and abs(value) != float("inf"):
            return value


def character() -> str:
    ranges = [(0x20, 0x7E)] * 4 + [(0, 0x1F), (0x22, 0x22), (0x5C, 0x5C), (0x7F, 0xFF)]
    ranges += [(0x100, 0x7FF), (0x800, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
    return chr(random.randint(*random.choice(ranges)))


def text(longest: int = 12) -> str:
    return "".join(character() for _ in range(random.randint(0, longest)))


def value(depth: int = 0):
    kinds = [integer, any_float, text, lambda: random.choice([None, True, False, [], {}, ""])]
    if depth < MAX_DEPTH:
        kinds += [
            lambda: [value(depth + 1) for _ in range(random.randint(0, 4))],
            lambda: {text(4): value(depth + 1) for _ in range(random.randint(0, 5))},
        ]
    return random.choice(kinds)()


def some_bytes(longest: int = 40) -> bytes:
    data = random.randbytes(random.randint(0, longest))
    return random.choice([data, bytes(len(data)), data + bytes(random.randint(1, 9)), b"\xff" * len(data)])


class Recorder(dict):
    """A Redis that takes note of what it is asked to set."""

    def set(self, key, val, ex):
        self.last = (key, val, ex)


def json_key(_):
    args = [value() for _ in range(random.choice([0, 1, 1, 2, 3]))]
    kwargs = {text(6): value() for _ in range(random.choice([0, 0, 1, 2, 4]))}
    return {
        "args": args,
        "kwargs": kwargs,
        "key": ctu.json_key(*args, **kwargs),
        "full_hash_key": ctu.full_hash_key(*args, **kwargs),
    }


def memcached_key(_):
    key, prefix = text(random.choice([5, 40, 200])), random.choice(["pic.", "é.", "", "a" * 20])
    return {
        "key": key,
        "encoded": ctu.MemCached({})._key(key).decode(),
        "prefix": prefix,
        "prefixed": ctu.PrefixedMemCached({}, prefix)._key(key).decode(),
    }


def json_serde(_):
    val = random.choice([some_bytes, value])()
    data, flags = ctu.JsonSerde().serialize("", val)
    shown = {"bytes": val.hex()} if isinstance(val, bytes) else {"json": val}
    return {"value": shown, "data": data.hex(), "flags": flags}


def redis(_):
    recorder = Recorder()
    key, val, ttl = random.choice([text, value])(), value(), random.randint(1, 10**6)
    ctu.RedisCache(recorder, ttl=ttl)[key] = val
    redis_key, redis_value, ex = recorder.last
    return {"key": key, "value": val, "redis_key": redis_key, "redis_value": redis_value, "ex": ex}


def to_bytes(_):
    key, val, inner = value(), value(), {}
    ctu.ToBytesCache(inner)[key] = val
    ((key_bytes, value_bytes),) = inner.items()
    return {"key": key, "value": val, "key_bytes": key_bytes.hex(), "value_bytes": value_bytes.hex()}


def bytes_(_):
    data, inner = some_bytes(), {}
    ctu.BytesCache(inner)[data] = data
    ((key, val),) = inner.items()
    assert key == val
    return {"bytes": data.hex(), "b85": val}


def encrypted(_):
    cipher = random.choice(["Salsa20", "ChaCha20", "AES-128-CBC"])
    secret = random.randbytes(random.randint(16, 90))
    hsize, csize = random.randint(8, 32), random.choice([0, random.randint(1, 32)])
    key, val, inner = some_bytes(100), some_bytes(100), {}
    ctu.EncryptedCache(inner, secret, hsize=hsize, csize=csize, cipher=cipher)[key] = val
    ((stored_key, stored_value),) = inner.items()
    return {
        "cipher": cipher,
        "secret": secret.hex(),
        "hsize": hsize,
        "csize": csize,
        "key": key.hex(),
        "value": val.hex(),
        "stored_key": stored_key.hex(),
        "stored_value": stored_value.hex(),
    }


def auto_prefix_b64(index):
    ctu.AutoPrefixedCache._COUNTER = index
    return ctu.AutoPrefixedCache({})._prefix


def auto_prefix(_):
    method = random.choice(list(ctu.AutoPrefixedCache._METHODS))
    bits = random.randint(0, 64)
    counter = random.choice([random.getrandbits(bits), 2**bits - 1, 2 ** min(bits, 63)])
    ctu.AutoPrefixedCache._COUNTER = counter
    prefix = ctu.AutoPrefixedCache({}, sep="", method=method)._prefix
    return {"method": method, "counter": counter, "prefix": prefix}


def map_keys(_):
    def number():
        key = random.choice([integer, any_float, lambda: random.choice([True, False, 0, 1, 0.0, 1.0])])()
        # Numbers beyond 128 bits are no keys in Rust.
        return key if isinstance(key, float) or -(2**127) <= key < 2**128 else 0

    kind = random.choice([number, number, text, lambda: None])
    pairs = [[kind(), value(MAX_DEPTH)] for _ in range(random.randint(0, 8))]
    # Close to one another, where rounding to a float would tell the wrong order.
    for key, val in list(pairs):
        if isinstance(key, float) and abs(key) < 2**100 and random.random() < 0.5:
            pairs.append([int(key) + random.randint(-1, 1), val])
    written = json.dumps(dict(pairs), sort_keys=True, separators=(",", ":"))
    return {"pairs": pairs, "json": written}


def b85_decode(_):
    if random.random() < 0.5:
        written = "".join(chr(random.randint(0x21, 0x7E)) for _ in range(random.randint(0, 7)))
    else:
        written = list(base64.b85encode(some_bytes()).decode())
        for _ in range(random.randint(0, 2)):
            written.insert(random.randint(0, len(written)), random.choice("~~~0a \",\xe9"))
        written = "".join(written)
    try:
        read = base64.b85decode(written).hex()
    except ValueError:
        read = None
    return {"b85": written, "bytes": read}


def main() -> None:
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 3000
    tenth = max(1, count // 10)
    sections = {
        "json_key": (json_key, count),
        "memcached_key": (memcached_key, tenth),
        "json_serde": (json_serde, tenth),
        "redis": (redis, tenth),
        "to_bytes": (to_bytes, count),
        "bytes": (bytes_, count),
        "encrypted": (encrypted, tenth),
        "auto_prefix_b64": (auto_prefix_b64, tenth),
        "auto_prefix": (auto_prefix, count),
        "map_keys": (map_keys, count),
        "b85_decode": (b85_decode, count),
    }
    vectors = {"source": f"CacheToolsUtils {ctu.__version__}, generate.py"}
    for name, (make, number) in sections.items():
        vectors[name] = [make(index) for index in range(number)]
    json.dump(vectors, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
