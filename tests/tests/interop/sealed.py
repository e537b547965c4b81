"""Entries of ctu's `SealedCache`, read and written with public packages.

    cache = SealedCache(base, {0: secret}, names=secret)
    cache[b"key"] = b"value"

`base` is any mapping of bytes to bytes. Ascon-AEAD128 is not here: no public package has the form
of NIST SP 800-232.
"""

import time
from collections.abc import MutableMapping
from hashlib import blake2s

from Crypto.Cipher import ChaCha20_Poly1305
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NEVER = 2**32 - 1


def derive(secret, info, size=32):
    return HKDF(SHA256(), size, b"ctu sealed 1", info).derive(secret)


def keyed(key, message):
    """BLAKE2s over full blocks."""
    return blake2s(message + bytes(-len(message) % 64), key=key).digest()


class XChaCha20Poly1305:
    number, nonce_size, stored = 1, 24, 24

    def __init__(self, key):
        self.key = key

    def _cipher(self, nonce, data):
        cipher = ChaCha20_Poly1305.new(key=self.key, nonce=nonce)
        cipher.update(data)
        return cipher

    def seal(self, nonce, data, text):
        return b"".join(self._cipher(nonce, data).encrypt_and_digest(text))

    def open(self, nonce, data, sealed):
        return self._cipher(nonce, data).decrypt_and_verify(sealed[:-16], sealed[-16:])


class Aes256GcmSiv:
    number, nonce_size, stored = 2, 12, 5

    def __init__(self, key):
        self.cipher = AESGCMSIV(key)

    def seal(self, nonce, data, text):
        return self.cipher.encrypt(nonce, text, data)

    def open(self, nonce, data, sealed):
        return self.cipher.decrypt(nonce, sealed, data)


SUITES = {"XChaCha20-Poly1305": XChaCha20Poly1305, "AES-256-GCM-SIV": Aes256GcmSiv}


class SealedCache(MutableMapping):
    """Seals with the first of `secrets`, a mapping of key ids to secrets; opens with all."""

    def __init__(self, cache, secrets, *, names, suite="XChaCha20-Poly1305", context=b"", epoch=0,
                 name_size=16, plain=False, ttl=None, now=time.time):
        self._cache, self.suite, self.epoch = cache, SUITES[suite], epoch
        self.name_size, self.plain, self.ttl, self.now = name_size, plain, ttl, now
        self.context = derive(derive(names, b"names"), b"context" + context)
        self.keys = {}
        for id, secret in secrets.items():
            which = bytes([self.suite.number, id])
            self.keys[id] = self.suite(derive(secret, b"seal" + which)), derive(secret, b"nonce" + which)

    def _location(self, key):
        return keyed(self.context, len(key).to_bytes(8, "little") + key)

    def _key(self, key):
        return key if self.plain else self._location(key)[: self.name_size]

    def _bound(self, location, id, expiry):
        head = bytes([1, self.suite.number, id])
        return head + self.epoch.to_bytes(4, "little") + expiry.to_bytes(4, "little") + location

    def __setitem__(self, key, value):
        location = self._location(key)
        id, (suite, nonces) = next(iter(self.keys.items()))
        expiry = NEVER if self.ttl is None else -int(-(self.now() + self.ttl) // 1)
        bound = self._bound(location, id, expiry)
        salted = bound + bytes(16) + len(value).to_bytes(5, "little") + value
        nonce = self._nonce(keyed(nonces, salted)[: suite.stored], location)
        sealed = suite.seal(nonce, bound, value)
        self._cache[self._key(key)] = b"".join([
            sealed[:-16], expiry.to_bytes(4, "little"), nonce[: suite.stored], sealed[-16:], bytes([id]),
        ])

    def __getitem__(self, key):
        entry = self._cache[self._key(key)]
        end = len(entry) - (4 + self.suite.stored + 16 + 1)
        id = entry[-1] if entry else None
        if end < 0 or id not in self.keys:
            raise KeyError(key)
        location, (suite, _) = self._location(key), self.keys[id]
        expiry = int.from_bytes(entry[end:end + 4], "little")
        nonce = self._nonce(entry[end + 4:end + 4 + suite.stored], location)
        try:
            value = suite.open(nonce, self._bound(location, id, expiry), entry[:end] + entry[-17:-1])
        except (ValueError, InvalidTag):
            raise KeyError(key) from None
        if expiry != NEVER and self.now() >= expiry:
            raise KeyError(key)
        return value

    def _nonce(self, stored, location):
        return stored + location[: self.suite.nonce_size - len(stored)]

    def __delitem__(self, key):
        del self._cache[self._key(key)]

    def __iter__(self):
        raise NotImplementedError("hashes do not turn back into keys")

    def __len__(self):
        return len(self._cache)
