#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A small HIPv2 peer, written from RFC 7401, 7402, 7343 and 9028 alone and from nothing of hiphop: the other reading
of these texts that hiphop is measured against. It prints "ok ..." or "not ok ..." for everything it verifies.

    hip_peer.py hit KEY                            makes the key when it is not there, and prints its HIT
    hip_peer.py initiate KEY ADDRESS HIT           base exchange, ping, UPDATE, rekeying, ping, CLOSE
    hip_peer.py respond KEY                        waits for a base exchange, answers pings, UPDATEs, rekeying, CLOSE
    hip_peer.py respond KEY --then OPTIONS ...     closes after the first ping, and waits again with these options
"""
import argparse, hashlib, hmac, os, select, shlex, socket, struct, sys, time
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

I1, R1, I2, R2, UPDATE, NOTIFY, CLOSE, CLOSE_ACK = 1, 2, 3, 4, 16, 17, 18, 19
ESP_INFO, R1_COUNTER, LOCATOR_SET, PUZZLE, SOLUTION, SEQ, ACK = 65, 129, 193, 257, 321, 385, 449
DH_GROUP_LIST, DIFFIE_HELLMAN, HIP_CIPHER, NAT_TRAVERSAL_MODE, ENCRYPTED, HOST_ID = 511, 513, 579, 608, 641, 705
HIT_SUITE_LIST, NOTIFICATION, ECHO_REQUEST_SIGNED, ECHO_RESPONSE_SIGNED = 715, 832, 897, 961
TRANSPORT_FORMAT_LIST, ESP_TRANSFORM, HIP_MAC, HIP_MAC_2 = 2049, 4095, 61505, 61569
HIP_SIGNATURE_2, HIP_SIGNATURE, ECHO_RESPONSE_UNSIGNED, ECHO_REQUEST_UNSIGNED = 61633, 61697, 63425, 63661

# What a packet must have, and what it may have besides (RFC 7401 section 5.3, RFC 7402 section 5.2).
CONTENTS = {
    I1: ({DH_GROUP_LIST}, set()),
    R1: ({PUZZLE, DIFFIE_HELLMAN, HIP_CIPHER, HOST_ID, HIT_SUITE_LIST, DH_GROUP_LIST, TRANSPORT_FORMAT_LIST,
          ESP_TRANSFORM, HIP_SIGNATURE_2}, {R1_COUNTER, ECHO_REQUEST_SIGNED, ECHO_REQUEST_UNSIGNED}),
    I2: ({ESP_INFO, SOLUTION, DIFFIE_HELLMAN, HIP_CIPHER, TRANSPORT_FORMAT_LIST, ESP_TRANSFORM, HIP_MAC,
          HIP_SIGNATURE}, {R1_COUNTER, ENCRYPTED, HOST_ID, ECHO_RESPONSE_SIGNED, ECHO_RESPONSE_UNSIGNED}),
    R2: ({ESP_INFO, HIP_MAC_2, HIP_SIGNATURE}, set()),
    UPDATE: ({HIP_MAC, HIP_SIGNATURE}, {ESP_INFO, LOCATOR_SET, SEQ, ACK, DIFFIE_HELLMAN, ECHO_REQUEST_SIGNED,
                                        ECHO_RESPONSE_SIGNED, ECHO_REQUEST_UNSIGNED, ECHO_RESPONSE_UNSIGNED}),
    NOTIFY: ({NOTIFICATION, HIP_SIGNATURE}, {HOST_ID}),
    CLOSE: ({ECHO_REQUEST_SIGNED, HIP_MAC, HIP_SIGNATURE}, set()),
    CLOSE_ACK: ({ECHO_RESPONSE_SIGNED, HIP_MAC, HIP_SIGNATURE}, set()),
}
NAMES = {I1: "I1", R1: "R1", I2: "I2", R2: "R2", UPDATE: "UPDATE", NOTIFY: "NOTIFY", CLOSE: "CLOSE",
         CLOSE_ACK: "CLOSE_ACK"}
FIXED_LENGTHS = {ESP_INFO: 12, R1_COUNTER: 12, SEQ: 4}
CONTEXT = bytes.fromhex("F0EFF02FBFF43D0FE7930C3C6E6174EA")
# HIT suite: hash, algorithm of the Host Identity.
SUITES = {1: (hashlib.sha256, 5), 2: (hashlib.sha384, 7), 3: (hashlib.sha1, 9)}
CURVES = {1: ec.SECP256R1(), 2: ec.SECP384R1()}
# What RFC 7401, 7402 and 8247 make one doubt: 1536-bit MODP, SECP160R1, SHA-1, and no encryption.
WEAK_GROUPS, WEAK_HIT_SUITES, WEAK_CIPHERS, WEAK_ESP_SUITES = {3, 10}, {0x30}, {1}, {1, 7, 14, 15}
# HIP cipher: octets of key and of IV (RFC 7401 section 5.2.8).
HIP_CIPHERS = {1: (0, 0), 2: (16, 16), 4: (32, 16)}


def modp_prime(bits, offset):
    """A prime of RFC 3526: 2^n - 2^(n-64) - 1 + 2^64 * (floor(2^(n-130) * pi) + offset); pi by Machin's formula."""
    one = 1 << (bits + 64)

    def arctangent(inverse):
        power = total = one // inverse
        divisor, sign = 3, -1
        while power:
            power //= inverse * inverse
            total += sign * (power // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    pi = 4 * (4 * arctangent(5) - arctangent(239)) >> (64 + 130)
    return (1 << bits) - (1 << (bits - 64)) - 1 + (pi + offset << 64)


# Group: the prime (RFC 3526 sections 2, 4 and 3).
MODP = {3: modp_prime(1536, 741804), 4: modp_prime(3072, 1690314), 11: modp_prime(2048, 124476)}


class Report:
    """Counts and prints what was verified; what was found right before is not said again."""
    failed = 0
    said = set()

    @classmethod
    def check(cls, name, right, detail=""):
        if not right:
            cls.failed += 1
            print("not ok", name, detail, flush=True)
        elif name not in cls.said:
            cls.said.add(name)
            print("ok", name, flush=True)
        return right


check = Report.check


def sha(name):
    return {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384}[name]()


class Secp160r1:
    """The curve of SEC 2 that no common library has: y^2 = x^3 - 3x + b. A point is (x, y), or None at infinity."""
    P = (1 << 160) - (1 << 31) - 1
    B = 0x1C97BEFC54BD7A8B65ACF89F81D4D4ADC565FA45
    BASE = (0x4A96B5688EF573284664698968C38BB913CBFC82, 0x23A628553168947D59DCC912042351377AC5FB32)
    ORDER = 0x0100000000000000000001F4C8F927AED3CA752257

    @classmethod
    def add(cls, one, other):
        if one is None or other is None:
            return one or other
        if one[0] == other[0] and (one[1] + other[1]) % cls.P == 0:
            return None
        if one == other:
            slope = (3 * one[0] * one[0] - 3) * pow(2 * one[1], -1, cls.P)
        else:
            slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, cls.P)
        x = (slope * slope - one[0] - other[0]) % cls.P
        return x, (slope * (one[0] - x) - one[1]) % cls.P

    @classmethod
    def multiply(cls, number, point):
        result = None
        for bit in bin(number)[2:]:
            result = cls.add(result, result)
            if bit == "1":
                result = cls.add(result, point)
        return result

    @classmethod
    def random(cls):
        return 1 + int.from_bytes(os.urandom(30), "big") % (cls.ORDER - 1)

    @classmethod
    def encode(cls, point):
        return point[0].to_bytes(20, "big") + point[1].to_bytes(20, "big")

    @classmethod
    def decode(cls, data):
        x, y = int.from_bytes(data[:20], "big"), int.from_bytes(data[20:], "big")
        check("SECP160R1: the point is on the curve", len(data) == 40 and
              (y * y - x * x * x + 3 * x - cls.B) % cls.P == 0)
        return x, y

    @classmethod
    def sign(cls, private, digest):
        """r and s, each as long as the order of the group: 21 octets (RFC 4754 section 7, FIPS 186-4)."""
        number = cls.random()
        r = cls.multiply(number, cls.BASE)[0] % cls.ORDER
        s = pow(number, -1, cls.ORDER) * (int.from_bytes(digest, "big") + private * r) % cls.ORDER
        return r.to_bytes(21, "big") + s.to_bytes(21, "big")

    @classmethod
    def verify(cls, public, signature, digest):
        r, s = int.from_bytes(signature[:21], "big"), int.from_bytes(signature[21:], "big")
        if len(signature) != 42 or not (0 < r < cls.ORDER and 0 < s < cls.ORDER):
            return False
        inverse = pow(s, -1, cls.ORDER)
        point = cls.add(cls.multiply(int.from_bytes(digest, "big") * inverse % cls.ORDER, cls.BASE),
                        cls.multiply(r * inverse % cls.ORDER, public))
        return point is not None and point[0] % cls.ORDER == r


# ---- identities ----------------------------------------------------------------------------------------------------

class Identity:
    """A Host Identity (RFC 7401 section 5.2.9), with its private key when it is ours."""

    def __init__(self, algorithm, host_identity, public, private=None, received=b""):
        self.algorithm, self.host_identity, self.public, self.private = algorithm, host_identity, public, private
        self.received = received
        self.suite = {5: 1, 7: 2, 9: 3}[algorithm]
        self.hash = SUITES[self.suite][0]
        digest = self.hash(CONTEXT + host_identity).digest()
        middle = (len(digest) - 12) // 2
        self.hit = bytes([0x20, 0x01, 0x00, 0x20 | self.suite]) + digest[middle:middle + 12]

    @classmethod
    def own(cls, private):
        if isinstance(private, int):
            public = Secp160r1.multiply(private, Secp160r1.BASE)
            return cls(9, struct.pack("!H", 1) + Secp160r1.encode(public), public, private)
        public = private.public_key()
        if isinstance(private, rsa.RSAPrivateKey):
            numbers = public.public_numbers()
            exponent = numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")
            modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
            return cls(5, bytes([len(exponent)]) + exponent + modulus, public, private)
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        curve = next(number for number, curve in CURVES.items() if curve.name == public.curve.name)
        return cls(7, struct.pack("!H", curve) + point[1:], public, private)

    @classmethod
    def load(cls, path, kind):
        if not os.path.exists(path):
            cls.make(path, kind)
        with open(path, "rb") as file:
            text = file.read()
        if text.startswith(b"secp160r1 "):
            return cls.own(int(text.split()[1], 16))
        return cls.own(serialization.load_pem_private_key(text, None))

    @staticmethod
    def make(path, kind):
        if kind == "ecdsa-low":
            text = b"secp160r1 %x" % Secp160r1.random()
        else:
            key = (rsa.generate_private_key(65537, 2048) if kind == "rsa" else
                   ec.generate_private_key(CURVES[2 if kind == "ecdsa-p384" else 1]))
            text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())
        with open(path, "wb") as file:
            file.write(text)

    @classmethod
    def parse(cls, content, where):
        """Reads the contents of a HOST_ID."""
        hi_length, domain, algorithm = struct.unpack("!HHH", content[:6])
        host_identity = content[6:6 + hi_length]
        check(f"{where}: the lengths in HOST_ID add up", len(content) == 6 + hi_length + (domain & 0xfff))
        check(f"{where}: HOST_ID has a known DI-Type", domain >> 12 in (1, 2) or domain == 0, hex(domain))
        if algorithm == 5:
            return cls(algorithm, host_identity, cls.parse_rsa(host_identity), received=content)
        check(f"{where}: the Host Identity is RSA, ECDSA or ECDSA_LOW", algorithm in (7, 9), algorithm)
        if algorithm == 9:
            check(f"{where}: the curve of ECDSA_LOW is SECP160R1", host_identity[:2] == b"\0\1")
            return cls(algorithm, host_identity, Secp160r1.decode(host_identity[2:]), received=content)
        curve = CURVES[struct.unpack("!H", host_identity[:2])[0]]
        # conforms: RFC7401-5.2.9-3
        check(f"{where}: the ECDSA point is x and y", len(host_identity) == 2 + 2 * (curve.key_size // 8),
              len(host_identity))
        return cls(algorithm, host_identity,
                   ec.EllipticCurvePublicKey.from_encoded_point(curve, b"\4" + host_identity[2:]), received=content)

    @staticmethod
    def parse_rsa(data):
        length, start = (data[0], 1) if data[0] else (struct.unpack("!H", data[1:3])[0], 3)
        exponent, modulus = data[start:start + length], data[start + length:]
        # conforms: RFC7401-3.2-2
        check("the RSA exponent and modulus have no leading zeros", exponent[0] and modulus[0])
        return rsa.RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big")).public_key()

    def parameter_content(self, domain=b""):
        kind = len(domain) | (0x1000 if domain else 0)
        return struct.pack("!HHH", len(self.host_identity), kind, self.algorithm) + self.host_identity + domain

    def sign(self, data):
        if self.algorithm == 9:
            return Secp160r1.sign(self.private, self.hash(data).digest())
        digest = sha(self.hash().name)
        if self.algorithm == 5:
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        size = self.public.curve.key_size // 8
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(digest)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def verify(self, signature, data):
        if self.algorithm == 9:
            return Secp160r1.verify(self.public, signature, self.hash(data).digest())
        digest = sha(self.hash().name)
        try:
            if self.algorithm == 5:
                self.public.verify(signature, data, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
                return True
            size = self.public.curve.key_size // 8
            if len(signature) != 2 * size:
                return False
            r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
            self.public.verify(encode_dss_signature(r, s), data, ec.ECDSA(digest))
            return True
        except InvalidSignature:
            return False


class DiffieHellman:
    """A key of group 7, 8, 9 (RFC 5903: x and y; the secret is x), 10 (likewise) or 3, 4, 11 (RFC 3526)."""
    CURVES = {7: ec.SECP256R1(), 8: ec.SECP384R1(), 9: ec.SECP521R1()}

    def __init__(self, group):
        self.group = group
        if group in MODP:
            self.size = MODP[group].bit_length() // 8
            self.private = int.from_bytes(os.urandom(48), "big")
            self.public = pow(2, self.private, MODP[group]).to_bytes(self.size, "big")
        elif group == 10:
            self.private = Secp160r1.random()
            self.public = Secp160r1.encode(Secp160r1.multiply(self.private, Secp160r1.BASE))
        else:
            self.private = ec.generate_private_key(self.CURVES[group])
            self.public = self.private.public_key().public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)[1:]

    def parameter_content(self):
        return struct.pack("!BH", self.group, len(self.public)) + self.public

    def secret(self, public):
        if self.group in MODP:
            return pow(int.from_bytes(public, "big"), self.private, MODP[self.group]).to_bytes(self.size, "big")
        if self.group == 10:
            return Secp160r1.multiply(self.private, Secp160r1.decode(public))[0].to_bytes(20, "big")
        return self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(
            self.CURVES[self.group], b"\4" + public))


# ---- packets -------------------------------------------------------------------------------------------------------

def parameter(kind, content, filler=b"\0"):
    """Type, length, contents, padding to a multiple of eight."""
    data = struct.pack("!HH", kind, len(content)) + content
    return data + filler * (-len(data) % 8)


def header(kind, length, sender, receiver, reserved=0, controls=0):
    """The HIP header for `length` bytes of header and parameters, without a checksum."""
    return struct.pack("!BBBBHH", 59, length // 8 - 1, kind, 0x21 | reserved << 1, 0, controls) + sender + receiver


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Packet:
    """A received packet, checked strictly as the bytes stand."""

    def __init__(self, data):
        self.data = data
        self.kind = data[2]
        self.name = NAMES.get(self.kind, str(self.kind))
        self.sender, self.receiver = data[8:24], data[24:40]
        self.parameters = []
        self.check_header()
        self.read_parameters()
        self.check_contents()

    def check_header(self):
        data, name = self.data, self.name
        check(f"{name}: the packet type is known", self.kind in CONTENTS, self.kind)
        check(f"{name}: no next header", data[0] == 59, data[0])
        check(f"{name}: the header length is that of the packet", (data[1] + 1) * 8 == len(data), (data[1], len(data)))
        # conforms: RFC7401-5.1-4 RFC7401-5.1-5
        check(f"{name}: version 2, reserved bits zero, fixed bits 0 and 1", data[3] == 0x21 and data[2] < 128,
              hex(data[3]))
        # conforms: RFC7401-5.1.2-2
        check(f"{name}: no controls", data[6:8] == b"\0\0", data[6:8].hex())

    def read_parameters(self):
        place, before = 40, 0
        while place < len(self.data):
            kind, length = struct.unpack("!HH", self.data[place:place + 4])
            total = 11 + length - (length + 3) % 8
            # conforms: RFC7401-5.2.1-4
            if not check(f"{self.name}: the parameters fill the packet", place + total <= len(self.data), kind):
                break
            # conforms: RFC7401-5.2.1-1 RFC7401-5.2.1-2 RFC7401-5.2.2-1
            check(f"{self.name}: the parameters are in order", kind >= before, (before, kind))
            # conforms: RFC7401-5.2.1-5
            check(f"{self.name}: the padding is zero", not any(self.data[place + 4 + length:place + total]), kind)
            check(f"{self.name}: fixed lengths are kept", FIXED_LENGTHS.get(kind, length) == length, (kind, length))
            self.parameters.append((kind, self.data[place + 4:place + 4 + length], place))
            place, before = place + total, kind

    def check_contents(self):
        needed, allowed = CONTENTS.get(self.kind, (set(), set()))
        kinds = [kind for kind, _, _ in self.parameters]
        # conforms: RFC7401-5.3.7-1 RFC7401-5.3.8-1
        check(f"{self.name}: every mandatory parameter is there", needed <= set(kinds), needed - set(kinds))
        strange = [kind for kind in kinds if kind not in needed | allowed]
        # conforms: RFC7401-5.2.2-6 RFC7401-5.2.2-7
        check(f"{self.name}: what is beyond the RFC is not critical", not any(kind % 2 for kind in strange), strange)
        if strange and ("strange", self.kind) not in Report.said:
            Report.said.add(("strange", self.kind))
            print(f"# {self.name} also carries {strange}", flush=True)
        once = [kind for kind in kinds if kind not in (ECHO_REQUEST_UNSIGNED, ECHO_RESPONSE_UNSIGNED, NOTIFICATION)]
        check(f"{self.name}: no parameter is there twice", len(once) == len(set(once)), once)

    def all(self, kind):
        return [content for other, content, _ in self.parameters if other == kind]

    def get(self, kind):
        return next(iter(self.all(kind)), None)

    def before(self, kind):
        """The packet as it was before the first parameter of this type was added, with a right header length."""
        end = next(place for other, _, place in self.parameters if other == kind)
        return bytearray(self.data[:1] + bytes([end // 8 - 1]) + self.data[2:4] + b"\0\0" + self.data[6:end])

    def check_signature(self, identity, kind=HIP_SIGNATURE):
        content = self.get(kind)
        data = self.before(kind)
        if kind == HIP_SIGNATURE_2:
            data[24:40] = bytes(16)
            for other, puzzle, place in self.parameters:
                if other == PUZZLE:
                    data[place + 6:place + 4 + len(puzzle)] = bytes(len(puzzle) - 2)
        check(f"{self.name}: the signature names the algorithm of the Host Identity",
              struct.unpack("!H", content[:2])[0] == identity.algorithm)
        # conforms: RFC7401-5.2.9-5 RFC7401-5.2.14-1 RFC7401-5.2.15-1 RFC7401-5.2.15-2
        return check(f"{self.name}: the signature is right", identity.verify(content[2:], bytes(data)))

    def check_mac(self, key, rhash, kind=HIP_MAC, host_id=b""):
        data = self.before(kind) + host_id
        data[1] = len(data) // 8 - 1
        # conforms: RFC7401-5.2.12-1 RFC7401-5.2.13-1
        return check(f"{self.name}: the MAC is right",
                     hmac.compare_digest(self.get(kind), hmac.new(key, bytes(data), rhash).digest()))


def offered_ids(content, width, name, reserved=0):
    """A list of IDs, at most six of them when they are two bytes wide."""
    check(f"{name}: whole IDs, none of them RESERVED", len(content) % width == 0)
    check(f"{name}: the reserved field is zero", not any(content[:reserved]))
    ids = [int.from_bytes(content[i:i + width], "big") for i in range(reserved, len(content), width)]
    # conforms: RFC7401-5.2.8-1 RFC7402-5.1.2-1
    check(f"{name}: at least one ID, at most six, none twice, none zero",
          0 < len(ids) <= 6 and len(ids) == len(set(ids)) and 0 not in ids, ids)
    return ids


# ---- ESP -----------------------------------------------------------------------------------------------------------

def hmac_tag(name, size):
    return lambda key, data: hmac.new(key, data, name).digest()[:size]


def cmac_tag(key, data):
    """AES-CMAC-96 (RFC 4494)."""
    maker = CMAC(algorithms.AES(key))
    maker.update(data)
    return maker.finalize()[:12]


class SeparateSuite:
    """AES-CBC (RFC 3602) or nothing (RFC 2410), and a MAC over all of it and the high half of the sequence number."""

    def __init__(self, cipher_key, mac_key, tag_size, tag):
        self.key_sizes, self.tag_size, self.tag = (cipher_key, mac_key), tag_size, tag
        self.block, self.vector = (16, 16) if cipher_key else (4, 0)

    def cipher(self, keys, vector):
        return Cipher(algorithms.AES(keys[0]), modes.CBC(vector))

    def protect(self, keys, head, high, plain):
        data, vector = plain, os.urandom(self.vector)
        if self.vector:
            encryptor = self.cipher(keys, vector).encryptor()
            data = encryptor.update(plain) + encryptor.finalize()
        return vector + data + self.tag(keys[1], head + vector + data + high)

    def open(self, keys, head, high, data):
        body, tag = data[:-self.tag_size], data[-self.tag_size:]
        if not hmac.compare_digest(tag, self.tag(keys[1], head + body + high)):
            return None
        if not self.vector:
            return body
        decryptor = self.cipher(keys, body[:16]).decryptor()
        return decryptor.update(body[16:]) + decryptor.finalize()


class CombinedSuite:
    """AES-GCM (RFC 4106), AES-CCM (RFC 4309) or AES-GMAC (RFC 4543, with its erratum 1821 about the IV)."""
    block = 4

    def __init__(self, mode, salt_size, tag_size):
        self.mode, self.tag_size, self.key_sizes = mode, tag_size, (16 + salt_size, 0)

    def gcm(self, keys, vector, tag=None):
        return Cipher(algorithms.AES(keys[0][:16]), modes.GCM(keys[0][16:] + vector, tag, self.tag_size))

    def protect(self, keys, head, high, plain):
        vector, covered = os.urandom(8), head[:4] + high + head[4:]
        if self.mode == "CCM":
            return vector + AESCCM(keys[0][:16], self.tag_size).encrypt(keys[0][16:] + vector, plain, covered)
        encryptor = self.gcm(keys, vector).encryptor()
        if self.mode == "GMAC":
            encryptor.authenticate_additional_data(covered + vector + plain)
            encryptor.finalize()
            return vector + plain + encryptor.tag[:self.tag_size]
        encryptor.authenticate_additional_data(covered)
        return vector + encryptor.update(plain) + encryptor.finalize() + encryptor.tag[:self.tag_size]

    def open(self, keys, head, high, data):
        vector, body, covered = data[:8], data[8:], head[:4] + high + head[4:]
        try:
            if self.mode == "CCM":
                return AESCCM(keys[0][:16], self.tag_size).decrypt(keys[0][16:] + vector, body, covered)
            body, tag = body[:-self.tag_size], body[-self.tag_size:]
            decryptor = self.gcm(keys, vector, tag).decryptor()
            if self.mode == "GMAC":
                decryptor.authenticate_additional_data(covered + vector + body)
                decryptor.finalize()
                return body
            decryptor.authenticate_additional_data(covered)
            return decryptor.update(body) + decryptor.finalize()
        except InvalidTag:
            return None


# RFC 7402 section 5.1.2.
ESP_SUITES = {
    1: SeparateSuite(16, 20, 12, hmac_tag("sha1", 12)), 7: SeparateSuite(0, 32, 16, hmac_tag("sha256", 16)),
    8: SeparateSuite(16, 32, 16, hmac_tag("sha256", 16)), 9: SeparateSuite(32, 32, 16, hmac_tag("sha256", 16)),
    10: CombinedSuite("CCM", 3, 8), 11: CombinedSuite("CCM", 3, 16), 12: CombinedSuite("GCM", 4, 8),
    13: CombinedSuite("GCM", 4, 16), 14: SeparateSuite(0, 16, 12, cmac_tag), 15: CombinedSuite("GMAC", 4, 16)}


class SecurityAssociation:
    """One direction of ESP (RFC 4303) with 64-bit sequence numbers."""

    def __init__(self, suite, spi, keys):
        self.suite, self.spi, self.sequence, self.keys = ESP_SUITES[suite], spi, 0, keys

    def protect(self, payload, next_header):
        self.sequence += 1
        filler = -(len(payload) + 2) % self.suite.block
        plain = payload + bytes(range(1, filler + 1)) + bytes([filler, next_header])
        head = struct.pack("!II", self.spi, self.sequence & 0xffffffff)
        return head + self.suite.protect(self.keys, head, struct.pack("!I", self.sequence >> 32), plain)

    def open(self, data):
        """The payload and its protocol; None when it is not right."""
        spi, low = struct.unpack("!II", data[:8])
        check("ESP: the SPI is the one we gave", spi == self.spi, hex(spi))
        check("ESP: the sequence number grows from 1", low > self.sequence and (self.sequence or low == 1), low)
        self.sequence = max(low, self.sequence)
        plain = self.suite.open(self.keys, data[:8], bytes(4), data[8:])
        # conforms: RFC7402-3.3.6-2 RFC7402-B.1.3-1
        if not check("ESP: the integrity check value is right (64-bit sequence number)", plain is not None):
            return None
        filler = plain[-2]
        check("ESP: padding is 1, 2, 3 ...", plain[-2 - filler:-2] == bytes(range(1, filler + 1)), plain.hex())
        check("ESP: the encrypted part is aligned", len(plain) % self.suite.block == 0)
        return plain[:-2 - filler], plain[-1]


def icmp6_checksum(source, target, message):
    return checksum(source + target + struct.pack("!II", len(message), 58) + message)


def icmp6(kind, source, target, body):
    message = bytes([kind, 0, 0, 0]) + body
    return message[:2] + struct.pack("!H", icmp6_checksum(source, target, message)) + message[4:]


# ---- the wire ------------------------------------------------------------------------------------------------------

class UdpWire:
    """HIP and ESP in UDP (RFC 9028 section 5): 32 zero bits before HIP, HIP checksum zero."""

    def __init__(self, family):
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(("", 10500))
        self.sockets = [self.socket]

    def send_hip(self, data, peer):
        self.socket.sendto(bytes(4) + data, (peer, 10500))

    def send_esp(self, data, peer):
        self.socket.sendto(data, (peer, 10500))

    def receive(self, _):
        data, address = self.socket.recvfrom(65535)
        if data[:4] != bytes(4):
            return "esp", data, address[0]
        check("UDP: the HIP checksum is zero", data[8:10] == b"\0\0", data[8:10].hex())
        check("UDP: HIP comes from port 10500", address[1] == 10500, address[1])
        return "hip", data[4:], address[0]


class RawWire:
    """HIP as IP protocol 139 with its checksum, ESP as IP protocol 50."""

    def __init__(self, family):
        self.family = family
        self.sockets = [socket.socket(family, socket.SOCK_RAW, protocol) for protocol in (139, 50)]

    def pseudo_header(self, source, target, length):
        source, target = (socket.inet_pton(self.family, address) for address in (source, target))
        if self.family == socket.AF_INET:
            return source + target + struct.pack("!BBH", 0, 139, length)
        return source + target + struct.pack("!II", length, 139)

    def own_address(self, peer):
        probe = socket.socket(self.family, socket.SOCK_DGRAM)
        probe.connect((peer, 9))
        return probe.getsockname()[0]

    def send_hip(self, data, peer):
        value = checksum(self.pseudo_header(self.own_address(peer), peer, len(data)) + data)
        self.sockets[0].sendto(data[:4] + struct.pack("!H", value) + data[6:], (peer, 0))

    def send_esp(self, data, peer):
        self.sockets[1].sendto(data, (peer, 0))

    def receive(self, ready):
        data, address = ready.recvfrom(65535)
        if self.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        if ready is self.sockets[1]:
            return "esp", data, address[0]
        check("IP: the HIP checksum is right",
              checksum(self.pseudo_header(address[0], self.own_address(address[0]), len(data)) + data) == 0)
        return "hip", data, address[0]


# ---- the protocol --------------------------------------------------------------------------------------------------

class Peer:
    def __init__(self, options):
        self.identity = Identity.load(options.key, options.identity)
        self.hit, self.wire = self.identity.hit, None
        self.use(options)

    def use(self, options):
        """Begins an exchange with these options."""
        self.options = options
        self.peer_hit, self.peer = None, None
        self.group, self.update_id, self.peer_identity = options.group, 0, None
        self.inbound, self.outbound, self.rhash = [], None, None
        # With --odd everything that a receiver has to ignore is set.
        self.filler, self.reserved = (b"\x5a", 7) if options.odd else (b"\0", 0)
        self.echoed = []
        self.rekey_answers, self.rekeyed, self.pending = {}, 0, None

    # -- sending

    def assemble(self, kind, parameters, mac=None, host_id=b"", controls=0, spoil=None):
        """A packet of these parameters: MAC (of type `mac`) and signature are added, unsigned parameters follow.
        `spoil` names what is to be wrong."""
        if self.options.odd and kind != I1:
            parameters = parameters + [(6000, b"not critical")]
        if spoil == "critical":
            parameters = parameters + [(6001, b"critical")]
        parameters = sorted(parameters, key=lambda one: one[0], reverse=spoil == "order")
        body = b"".join(parameter(*one, self.filler) for one in parameters if one[0] < HIP_MAC)
        head = lambda length: header(kind, 40 + length, self.hit, self.peer_hit, self.reserved, controls)
        if mac:
            covered = body + host_id
            value = hmac.new(self.mac_keys[0], head(len(covered)) + covered, self.rhash).digest()
            value = value[:-1] + bytes([value[-1] ^ (spoil == "MAC")])
            body += parameter(mac, value, self.filler)
        if kind == R1:
            body = self.add_signature_2(body, head, parameters)
        elif kind != I1:
            signature = self.identity.sign(head(len(body)) + body)
            signature = signature[:-1] + bytes([signature[-1] ^ (spoil == "signature")])
            body += parameter(HIP_SIGNATURE, struct.pack("!H", self.identity.algorithm) + signature, self.filler)
        body += b"".join(parameter(*one, self.filler) for one in parameters if one[0] > HIP_SIGNATURE)
        return head(len(body)) + body

    def add_signature_2(self, body, head, parameters):
        cleared = bytearray(head(len(body)) + body)
        cleared[24:40] = bytes(16)
        puzzle = dict(parameters)[PUZZLE]
        place = cleared.index(parameter(PUZZLE, puzzle, self.filler))
        cleared[place + 6:place + 4 + len(puzzle)] = bytes(len(puzzle) - 2)
        signature = self.identity.sign(bytes(cleared))
        return body + parameter(HIP_SIGNATURE_2, struct.pack("!H", self.identity.algorithm) + signature, self.filler)

    def send(self, kind, parameters, **more):
        data = self.assemble(kind, parameters, controls=0x8000 if self.options.odd else 0, **more)
        self.wire.send_hip(data, self.peer)
        return data

    # -- receiving

    def receive(self, seconds):
        """The next packet as (hip or esp, content); None when nothing comes in time."""
        ready = select.select(self.wire.sockets, [], [], max(seconds, 0))[0]
        if not ready:
            return None, None
        kind, data, address = self.wire.receive(ready[0])
        if self.peer is None:
            self.peer = address
        return kind, Packet(data) if kind == "hip" else data

    def wait_for(self, kind, resend, seconds=15):
        """Waits for a HIP packet of this type, sending `resend` every second; UPDATEs and pings are answered."""
        end, again = time.monotonic() + seconds, time.monotonic() + 1
        while time.monotonic() < end:
            what, packet = self.receive(min(again, end) - time.monotonic())
            if what == "hip" and packet.kind == kind:
                return packet
            if what == "hip" and (kind, packet.kind) == (I2, I1):
                self.wire.send_hip(self.r1, self.peer)
            self.answer(what, packet)
            if resend and time.monotonic() >= again:
                self.wire.send_hip(resend, self.peer)
                again = time.monotonic() + 1
        check(f"{NAMES[kind]} comes", False)
        return None

    # -- keys

    def derive(self, secret):
        """KEYMAT (RFC 7401 section 6.5)."""
        hits = min(self.hit, self.peer_hit) + max(self.hit, self.peer_hit)
        return HKDF(sha(self.rhash().name), 4096, self.puzzle + self.solution, hits).derive(secret)

    def draw(self, sizes):
        """Four keys, in the order of the HITs: two of ours, two of the peer's."""
        keys = []
        for size in sizes * 2:
            keys.append(self.keymat[self.drawn:self.drawn + size])
            self.drawn += size
        greater, lesser = keys[:2], keys[2:]
        return (greater, lesser) if self.hit > self.peer_hit else (lesser, greater)

    def draw_hip_keys(self, secret):
        self.keymat, self.drawn = self.derive(secret), 0
        ours, theirs = self.draw([HIP_CIPHERS[self.options.cipher][0], self.rhash().digest_size])
        self.cipher_keys, self.mac_keys = (ours[0], theirs[0]), (ours[1], theirs[1])

    def draw_esp_keys(self, own_spi, peer_spi):
        ours, theirs = self.draw(list(ESP_SUITES[self.suite].key_sizes))
        self.inbound.append(SecurityAssociation(self.suite, own_spi, theirs))
        self.outbound = SecurityAssociation(self.suite, peer_spi, ours)

    def puzzle_hash(self, initiator, responder):
        return self.rhash(self.puzzle + initiator + responder + self.solution).digest()

    def solved(self, difficulty, initiator, responder):
        value = int.from_bytes(self.puzzle_hash(initiator, responder), "big")
        return value & ((1 << difficulty) - 1) == 0

    # -- pieces that both roles read

    def read_diffie_hellman(self, packet, group):
        content = packet.get(DIFFIE_HELLMAN)
        got, length = struct.unpack("!BH", content[:3])
        check(f"{packet.name}: DIFFIE_HELLMAN is of group {group}", got == group, got)
        check(f"{packet.name}: the public value has the length it says", len(content) == 3 + length)
        return content[3:]

    def read_esp_info(self, packet, index, old_spi):
        reserved, got_index, got_old, new = struct.unpack("!HHII", packet.get(ESP_INFO))
        # conforms: RFC7402-6.5-2 RFC7402-6.5-3
        check(f"{packet.name}: ESP_INFO has zero as reserved, the right KEYMAT index and old SPI",
              (reserved, got_index, got_old) == (0, index, old_spi), (reserved, got_index, index, got_old, old_spi))
        check(f"{packet.name}: the new SPI is not of the reserved ones", new > 255, new)
        return new

    # -- as Initiator

    def initiate(self):
        self.peer_hit = socket.inet_pton(socket.AF_INET6, self.options.hit)
        family = socket.AF_INET6 if ":" in self.options.address else socket.AF_INET
        self.peer, self.wire = self.options.address, (RawWire if self.options.raw else UdpWire)(family)
        self.rhash = SUITES[self.peer_hit[3] & 15][0]
        if self.options.spoil:
            self.try_strange_i1s()
        r1 = self.wait_for(R1, self.send(I1, [(DH_GROUP_LIST, bytes([self.group]))]))
        if r1 is None or not self.read_r1(r1):
            return
        parameters = self.i2_parameters(r1)
        if self.options.spoil:
            self.try_spoiled(parameters)
        r2 = self.wait_for(R2, self.send(I2, parameters, mac=HIP_MAC))
        if r2 is None or not self.read_r2(r2):
            return
        self.ping("ping")
        if self.options.spoil:
            self.try_sequence_numbers()
        self.update()
        if self.options.rekey:
            self.rekey(None)
            self.ping("ping after rekeying")
            self.rekey(DiffieHellman(self.group))
            self.ping("ping after rekeying with Diffie-Hellman")
        if self.options.rekeyings:
            self.await_rekeyings()
            self.ping("ping after the other end's rekeying")
        self.close()

    def try_sequence_numbers(self):
        """The 32 bits that ESP shows wrap (RFC 4303 appendix A); a repeated or changed packet is not taken."""
        for place in (0x80000000, 0xfffffffe, 0xffffffff, 0x100000000):
            self.outbound.sequence = place - 1
            self.ping(f"ping with sequence number {place:#x}")
        body = struct.pack("!HH", 4711, 2) + b"once"
        packet = self.outbound.protect(icmp6(128, self.hit, self.peer_hit, body), 58)
        changed = self.outbound.protect(icmp6(128, self.hit, self.peer_hit, body), 58)
        for one in (packet, packet, changed[:-1] + bytes([changed[-1] ^ 1])):
            self.wire.send_esp(one, self.peer)
        # An UPDATE about locators may come in between (RFC 8046); it is answered and does not count.
        replies, end = 0, time.monotonic() + 2
        while time.monotonic() < end:
            what, reply = self.receive(max(end - time.monotonic(), 0.01))
            opened = self.answer(what, reply)
            replies += what == "esp" and opened is not None and opened[1] == 58
        # conforms: RFC7402-3.3.6-1 RFC7402-B.1.6-1 RFC7402-B.1.6-2
        check("ESP: a packet that comes twice is taken once, a changed one never", replies == 1, replies)

    def try_strange_i1s(self):
        """RFC 7401 section 6.7: an I1 without a common group, with a NULL HIT, with an unknown critical parameter."""
        named = self.peer_hit
        for name, parameters, receiver, answered in (
                ("no common group", [(DH_GROUP_LIST, bytes([98]))], named, True),
                ("a group nobody knows and ours", [(DH_GROUP_LIST, bytes([99, self.group]))], named, True),
                ("a NULL HIT", [(DH_GROUP_LIST, bytes([self.group]))], bytes(16), True),
                ("an unknown critical parameter", [(DH_GROUP_LIST, bytes([self.group])), (6001, b"")], named, False)):
            self.peer_hit = receiver
            self.send(I1, parameters)
            self.peer_hit = named
            what, packet = self.receive(3 if answered else 1)
            # conforms: RFC7401-5.2.1-8 RFC7401-6.7-6
            check(f"I1 with {name}: {'an' if answered else 'no'} R1", (what == "hip" and packet.kind == R1) == answered)
            if what == "hip" and packet.kind == R1:
                group, ours = packet.get(DIFFIE_HELLMAN)[0], packet.get(DH_GROUP_LIST)
                common = [one for one in ours if one in parameters[0][1]]
                # conforms: RFC7401-5.2.6-1 RFC7401-5.2.6-2
                check("R1: the group is the first of its own list that the I1 has", not common or common[0] == group)

    def try_spoiled(self, parameters):
        """I2s with one thing wrong get no R2."""
        place = [kind for kind, _ in parameters].index(SOLUTION)
        wrong = parameters[:place] + [(SOLUTION, parameters[place][1][:-8] + bytes(8))] + parameters[place + 1:]
        for spoil in ("puzzle", "critical", "order", "MAC", "signature"):
            self.send(I2, wrong if spoil == "puzzle" else parameters, mac=HIP_MAC, spoil=spoil)
            what, packet = self.receive(0.4)
            # conforms: RFC7401-5.2.1-3 RFC7401-5.2.1-8 RFC7401-5.3.3-8 RFC7401-5.3.3-9 RFC7401-6.9-9 RFC7401-6.9-13
            # conforms: RFC7401-6.9-14
            check(f"I2 with a wrong {spoil}: there is no R2", what is None or packet.kind == NOTIFY)

    def read_r1(self, r1):
        # conforms: RFC7401-5.3.2-2
        check("R1: it is from the Responder to us", (r1.sender, r1.receiver) == (self.peer_hit, self.hit))
        self.peer_identity = Identity.parse(r1.get(HOST_ID), "R1")
        # conforms: RFC7401-3.2-1 RFC7343-5-1
        check("R1: the Host Identity gives the HIT", self.peer_identity.hit == self.peer_hit)
        check("R1: DH_GROUP_LIST has our group", self.group in r1.get(DH_GROUP_LIST), r1.get(DH_GROUP_LIST).hex())
        check("R1: the HIT suites are encoded in the four high bits, ours is there",
              not any(suite & 15 for suite in r1.get(HIT_SUITE_LIST)) and
              self.identity.suite << 4 in r1.get(HIT_SUITE_LIST), r1.get(HIT_SUITE_LIST).hex())
        ciphers = offered_ids(r1.get(HIP_CIPHER), 2, "HIP_CIPHER")
        # conforms: RFC7401-5.2.8-3 RFC7401-5.2.8-5
        check("R1: HIP_CIPHER has AES-128-CBC and ours", {2, self.options.cipher} <= set(ciphers), ciphers)
        formats = offered_ids(r1.get(TRANSPORT_FORMAT_LIST), 2, "TRANSPORT_FORMAT_LIST")
        # conforms: RFC7401-5.2.11-1 RFC7401-6.7-10
        check("R1: every transport format has its parameter", 4095 in formats and all(map(r1.get, formats)), formats)
        suites = offered_ids(r1.get(ESP_TRANSFORM), 2, "ESP_TRANSFORM", 2)
        # conforms: RFC7402-5.1.2-3
        check("R1: ESP_TRANSFORM has the mandatory suite and ours, and none that is deprecated",
              {8, self.options.suite} <= set(suites) and set(suites) <= set(ESP_SUITES), suites)
        if not self.options.weak:
            # conforms: RFC7401-5.2.8-5 RFC7402-3.3.5-4
            check("R1: nothing weak is offered", not (
                WEAK_CIPHERS & set(ciphers) or WEAK_ESP_SUITES & set(suites) or
                WEAK_GROUPS & set(r1.get(DH_GROUP_LIST)) or WEAK_HIT_SUITES & set(r1.get(HIT_SUITE_LIST))))
        check("R1: PUZZLE has the length of the hash", len(r1.get(PUZZLE)) == 4 + self.rhash().digest_size)
        self.peer_public = self.read_diffie_hellman(r1, self.group)
        return r1.check_signature(self.peer_identity, HIP_SIGNATURE_2)

    def i2_parameters(self, r1):
        difficulty, _, opaque = struct.unpack("!BB2s", r1.get(PUZZLE)[:4])
        self.puzzle, self.suite = r1.get(PUZZLE)[4:], self.options.suite
        check("R1: the puzzle can be solved in this life", difficulty <= 20, difficulty)
        self.solution = os.urandom(self.rhash().digest_size)
        while not self.solved(difficulty, self.hit, self.peer_hit):
            self.solution = os.urandom(self.rhash().digest_size)
        self.key = key = DiffieHellman(self.group)
        self.draw_hip_keys(key.secret(self.peer_public))
        self.own_spi = 0x11111111
        self.index = self.drawn
        reserved = 0x5a if self.options.odd else 0
        parameters = [
            (ESP_INFO, struct.pack("!HHII", reserved, self.index, 0, self.own_spi)),
            (SOLUTION, struct.pack("!BB2s", difficulty, reserved, opaque) + self.puzzle + self.solution),
            (DIFFIE_HELLMAN, key.parameter_content()), 
            (HIP_CIPHER, struct.pack("!H", self.options.cipher)), self.own_host_id(reserved),
            (TRANSPORT_FORMAT_LIST, struct.pack("!H", 4095)), (ESP_TRANSFORM, struct.pack("!HH", reserved, self.suite))]
        parameters += [(R1_COUNTER, one) for one in r1.all(R1_COUNTER)]
        parameters += [(ECHO_RESPONSE_SIGNED, one) for one in r1.all(ECHO_REQUEST_SIGNED)]
        parameters += [(ECHO_RESPONSE_UNSIGNED, one) for one in r1.all(ECHO_REQUEST_UNSIGNED)]
        return parameters

    def own_host_id(self, reserved):
        """Our HOST_ID, encrypted (or plain, with --plain)."""
        domain = b"\4peer\7example\3com\0" if self.options.odd else b""
        content = self.identity.parameter_content(domain)
        if self.options.plain:
            return HOST_ID, content
        inner = parameter(HOST_ID, content)
        if self.options.cipher == 1:
            return ENCRYPTED, struct.pack("!I", reserved) + inner
        filler = 16 - len(inner) % 16
        vector = os.urandom(16)
        encryptor = Cipher(algorithms.AES(self.cipher_keys[0]), modes.CBC(vector)).encryptor()
        data = encryptor.update(inner + bytes([filler]) * filler) + encryptor.finalize()
        return ENCRYPTED, struct.pack("!I", reserved) + vector + data

    def read_r2(self, r2):
        check("R2: it is from the Responder to us", (r2.sender, r2.receiver) == (self.peer_hit, self.hit))
        host_id = parameter(HOST_ID, self.peer_identity.received)
        good = r2.check_mac(self.mac_keys[1], self.rhash, HIP_MAC_2, host_id)
        good = r2.check_signature(self.peer_identity) and good
        self.peer_spi = self.read_esp_info(r2, self.index, 0)
        self.draw_esp_keys(self.own_spi, self.peer_spi)
        return good

    def ping(self, name):
        """An echo request with the HITs as addresses; the answer has to be right."""
        body = struct.pack("!HH", 4711, 1) + b"the other reading"
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.wire.send_esp(self.outbound.protect(icmp6(128, self.hit, self.peer_hit, body), 58), self.peer)
            what, packet = self.receive(1)
            while what:
                opened = self.answer(what, packet)
                if opened and opened[0] == icmp6(129, self.peer_hit, self.hit, body):
                    return check(f"{name}: the echo reply is right", True)
                what, packet = self.receive(1)
        return check(f"{name}: the echo reply is right", False, "none came")

    def update(self):
        """A bare UPDATE is acknowledged; so is the same once more."""
        data = self.send(UPDATE, [(SEQ, struct.pack("!I", self.update_id))], mac=HIP_MAC)
        for name in ("an UPDATE", "the same UPDATE again"):
            if name != "an UPDATE":
                self.wire.send_hip(data, self.peer)
            answer = self.wait_for(UPDATE, data)
            if answer is None:
                return
            self.verify(answer)
            self.check_acknowledges(name, answer)
        self.update_id += 1

    def check_acknowledges(self, name, packet):
        content = packet.get(ACK) or b""
        ids = [content[i:i + 4] for i in range(0, len(content), 4)]
        # conforms: RFC7401-5.3.5-1 RFC7401-5.3.5-5 RFC7401-5.3.5-6 RFC7401-6.12-2 RFC7401-6.12.1-3
        check(f"UPDATE: {name} is acknowledged", struct.pack("!I", self.update_id) in ids, content.hex())

    def rekey(self, key):
        """New SPIs and keys (RFC 7402 section 6.8), with a new Diffie-Hellman key when one is given."""
        old, self.own_spi = self.own_spi, self.own_spi + 0x1111
        index = 0 if key else self.drawn
        parameters = [(ESP_INFO, struct.pack("!HHII", 0, index, old, self.own_spi)),
                      (SEQ, struct.pack("!I", self.update_id))]
        if key:
            parameters.append((DIFFIE_HELLMAN, key.parameter_content()))
        answer = self.wait_for(UPDATE, self.send(UPDATE, parameters, mac=HIP_MAC))
        while answer and answer.get(ESP_INFO) is None:
            self.answer("hip", answer)
            answer = self.wait_for(UPDATE, None)
        name = "rekeying with Diffie-Hellman" if key else "rekeying"
        # conforms: RFC7402-4.1.3-1 RFC7402-5.3.2-1
        if answer is None or not check(f"UPDATE: the answer to {name} has SEQ", answer.get(SEQ) is not None):
            return
        self.verify(answer)
        if answer.get(ACK):
            self.check_acknowledges(name, answer)
        self.update_id += 1
        self.finish_rekeying(answer, key, index)
        self.send(UPDATE, [(ACK, answer.get(SEQ))], mac=HIP_MAC)

    def finish_rekeying(self, answer, key, index):
        if key:
            # conforms: RFC7402-4.1.3-2
            check("UPDATE: a new Diffie-Hellman key is answered with one", answer.get(DIFFIE_HELLMAN) is not None)
            self.key, self.peer_public = key, self.read_diffie_hellman(answer, self.group)
            self.keymat, self.drawn = self.derive(key.secret(self.peer_public)), 0
        else:
            self.drawn = max(index, struct.unpack("!H", answer.get(ESP_INFO)[2:4])[0])
        self.peer_spi = self.read_esp_info(answer, index, self.peer_spi)
        self.draw_esp_keys(self.own_spi, self.peer_spi)

    def answer_rekeying(self, request):
        """The peer asks for new keys (RFC 7402 section 6.9), or both ends do at once (section 6.10)."""
        seq, style = request.get(SEQ), self.options.answer
        if seq in self.rekey_answers:
            for data in self.rekey_answers[seq]:
                self.wire.send_hip(data, self.peer)
            return
        reserved, index, old, new = struct.unpack("!HHII", request.get(ESP_INFO))
        public = self.read_diffie_hellman(request, self.group) if request.get(DIFFIE_HELLMAN) else None
        # conforms: RFC7402-3.2.1-3
        check("UPDATE: a request for new keys has the SPI in use and another one", (reserved, old) == (0, self.peer_spi)
              and new > 255 and new != old, (reserved, hex(old), hex(self.peer_spi), hex(new)))
        # conforms: RFC7402-5.1.1-1 RFC7402-6.8-4 RFC7402-6.8-5
        check("UPDATE: a request for new keys has a KEYMAT index as it should be",
              index == 0 if public else index >= self.drawn, (index, self.drawn))
        key = DiffieHellman(self.group) if style == "key" or (public and style != "cross") else None
        own_index = 0 if key else self.drawn if style == "cross" else max(index, self.drawn)
        self.send_rekeying(style, seq, key, own_index)
        if key or public:
            self.key, self.peer_public = key or self.key, public or self.peer_public
            self.keymat, self.drawn = self.derive(self.key.secret(self.peer_public)), 0
        else:
            self.drawn = max(index, own_index)
        self.peer_spi, before = new, self.outbound
        self.draw_esp_keys(self.own_spi, new)
        # The new outbound SA waits for the acknowledgment, or for traffic on the inbound one.
        self.pending = (struct.pack("!I", self.update_id), self.own_spi, self.outbound)
        self.outbound = before
        self.update_id += 1
        self.rekeyed += 1

    def send_rekeying(self, style, seq, key, index):
        """Our part and the acknowledgment: in one packet, or in two in either order."""
        old, self.own_spi = self.own_spi, self.own_spi + 0x1111
        part = [(ESP_INFO, struct.pack("!HHII", 0, index, old, self.own_spi)),
                (SEQ, struct.pack("!I", self.update_id))]
        if key:
            part.append((DIFFIE_HELLMAN, key.parameter_content()))
        ack = [(ACK, seq)]
        packets = {"separate": [ack, part], "cross": [part, ack]}.get(style, [part + ack])
        self.rekey_answers[seq] = [self.send(UPDATE, packet, mac=HIP_MAC) for packet in packets]

    def take_into_use(self, ack=b"", spi=None):
        """The new outbound SA, when the peer has shown that it has all it needs (RFC 7402 section 3.3.2)."""
        if self.pending and (self.pending[0] in [ack[i:i + 4] for i in range(0, len(ack), 4)] or
                             spi == self.pending[1]):
            self.outbound, self.pending = self.pending[2], None

    def await_rekeyings(self):
        end = time.monotonic() + 30
        while (self.rekeyed < self.options.rekeyings or self.pending) and time.monotonic() < end:
            self.answer(*self.receive(1))
        check("UPDATE: the peer asks for new keys, and then uses them", self.rekeyed >= self.options.rekeyings and
              not self.pending, self.rekeyed)

    def close(self):
        nonce = os.urandom(20)
        answer = self.wait_for(CLOSE_ACK, self.send(CLOSE, [(ECHO_REQUEST_SIGNED, nonce)], mac=HIP_MAC))
        if answer:
            self.verify(answer)
            # conforms: RFC7401-5.2.20-1 RFC7401-5.3.7-2
            check("CLOSE_ACK: it echoes what CLOSE had", answer.get(ECHO_RESPONSE_SIGNED) == nonce)

    # -- as Responder

    def respond(self):
        """One exchange with each set of options. All but the last end with our CLOSE, once a ping has come through; the
        last with the Initiator's."""
        self.wire = (RawWire if self.options.raw else UdpWire)(
            socket.AF_INET6 if self.options.six else socket.AF_INET)
        further = [parse_arguments(["respond", self.options.key, *shlex.split(one)]) for one in self.options.then]
        for number, options in enumerate([self.options] + further):
            self.use(options)
            if not self.respond_once():
                return
            print("established", number, flush=True)
            if options.rekeyings:
                self.await_rekeyings()
            if number == len(further):
                break
            self.wait_for_ping()
            self.close()
            print("closed", number, flush=True)
        close = self.wait_for(CLOSE, None, 60)
        if close:
            self.verify(close)
            self.send(CLOSE_ACK, [(ECHO_RESPONSE_SIGNED, close.get(ECHO_REQUEST_SIGNED))], mac=HIP_MAC)
        check("ESP: echo requests were answered", self.echoed)

    def wait_for_ping(self):
        end = time.monotonic() + 15
        while not self.echoed and time.monotonic() < end:
            self.answer(*self.receive(1))
        check("ESP: echo requests were answered", self.echoed)

    def respond_once(self):
        i1 = self.wait_for(I1, None, 60)
        if i1 is None:
            return False
        self.read_i1(i1)
        self.peer_hit, self.rhash = i1.sender, self.identity.hash
        self.make_r1(i1)
        i2 = self.wait_for(I2, None)
        if i2 is None or not self.read_i2(i2):
            return False
        self.send(R2, [(ESP_INFO, struct.pack("!HHII", 0, self.index, 0, self.own_spi))], mac=HIP_MAC_2,
                  host_id=parameter(HOST_ID, self.identity.parameter_content(), self.filler))
        return True

    def read_i1(self, i1):
        check("I1: it is for us", i1.receiver == self.hit)
        check("I1: the sender is a HIT", i1.sender[:3] == bytes.fromhex("200100") and i1.sender[3] >> 4 == 2)
        groups = i1.get(DH_GROUP_LIST)
        check("I1: no group is there twice, none is deprecated", len(groups) == len(set(groups)) and
              set(groups) <= {3, 4, 7, 8, 9, 10, 11}, groups.hex())
        check("I1: DH_GROUP_LIST has our group", self.group in groups, groups.hex())
        if not self.options.weak:
            check("I1: no weak group is offered", not WEAK_GROUPS & set(groups), groups.hex())

    def make_r1(self, i1):
        self.key, self.opaque = DiffieHellman(self.group), b"\xab\xcd"
        self.puzzle = os.urandom(self.rhash().digest_size)
        self.difficulty, self.nonces = 6, [os.urandom(11), os.urandom(9), os.urandom(16)]
        self.counter = struct.pack("!IQ", 0x01020304 if self.options.odd else 0, 77)
        reserved = 0x5a if self.options.odd else 0
        optional = [] if self.options.bare else [
            (R1_COUNTER, self.counter), (ECHO_REQUEST_SIGNED, self.nonces[0]),
            (ECHO_REQUEST_UNSIGNED, self.nonces[1]), (ECHO_REQUEST_UNSIGNED, self.nonces[2])]
        self.r1 = self.send(R1, optional + [
            (PUZZLE, struct.pack("!BB2s", self.difficulty, 38, self.opaque) + self.puzzle),
            (DH_GROUP_LIST, bytes([self.group])), (DIFFIE_HELLMAN, self.key.parameter_content()),
            (HIP_CIPHER, struct.pack("!H", self.options.cipher)), (HOST_ID, self.identity.parameter_content()),
            (HIT_SUITE_LIST, b"\x20\x10\x30"), (TRANSPORT_FORMAT_LIST, struct.pack("!H", 4095)),
            (ESP_TRANSFORM, struct.pack("!HH", reserved, self.options.suite))])

    def read_i2(self, i2):
        # conforms: RFC7401-5.3.3-1
        check("I2: it is from the Initiator to us", (i2.sender, i2.receiver) == (self.peer_hit, self.hit))
        if self.options.bare:
            check("I2: nothing is echoed that R1 had not", not any(map(i2.get, (
                R1_COUNTER, ECHO_RESPONSE_SIGNED, ECHO_RESPONSE_UNSIGNED))))
        else:
            self.check_echoes(i2)
        self.read_solution(i2.get(SOLUTION))
        self.peer_public = self.read_diffie_hellman(i2, self.group)
        self.draw_hip_keys(self.key.secret(self.peer_public))
        # conforms: RFC7401-5.2.8-4 RFC7401-5.3.3-5
        check("I2: HIP_CIPHER is the one offered", i2.get(HIP_CIPHER) == struct.pack("!H", self.options.cipher))
        # conforms: RFC7401-5.3.3-7
        check("I2: TRANSPORT_FORMAT_LIST is ESP alone", i2.get(TRANSPORT_FORMAT_LIST) == struct.pack("!H", 4095))
        self.suite, self.own_spi, self.index = self.options.suite, 0x22222222, self.drawn
        check("I2: ESP_TRANSFORM is the one offered", i2.get(ESP_TRANSFORM) == struct.pack("!HH", 0, self.suite))
        good = i2.check_mac(self.mac_keys[1], self.rhash)
        self.peer_identity = self.read_peer_identity(i2)
        # conforms: RFC7401-3.2-1 RFC7343-5-1
        check("I2: the Host Identity gives the HIT", self.peer_identity.hit == self.peer_hit)
        good = i2.check_signature(self.peer_identity) and good
        self.peer_spi = self.read_esp_info(i2, self.index, 0)
        self.draw_esp_keys(self.own_spi, self.peer_spi)
        return good

    def check_echoes(self, i2):
        # conforms: RFC7401-5.2.3-3 RFC7401-5.3.3-3
        check("I2: R1_COUNTER is what R1 had", i2.get(R1_COUNTER) == self.counter)
        # conforms: RFC7401-4.1.2-5 RFC7401-5.2.20-1
        check("I2: ECHO_RESPONSE_SIGNED is what R1 had", i2.get(ECHO_RESPONSE_SIGNED) == self.nonces[0])
        # conforms: RFC7401-4.1.2-5 RFC7401-5.2.21-1
        check("I2: ECHO_RESPONSE_UNSIGNED are what R1 had", i2.all(ECHO_RESPONSE_UNSIGNED) == self.nonces[1:])

    def read_solution(self, content):
        size = self.rhash().digest_size
        check("I2: SOLUTION has the length of two hashes", len(content) == 4 + 2 * size)
        # conforms: RFC7401-4.1.2-5
        check("I2: SOLUTION has K, zero, Opaque and I of the puzzle",
              content[:4 + size] == bytes([self.difficulty, 0]) + self.opaque + self.puzzle)
        self.solution = content[4 + size:]
        # conforms: RFC7401-4.1-1 RFC7401-4.1.2-1 RFC7401-5.3.3-4 RFC7401-6.3-1 RFC7401-6.3-2
        check("I2: the puzzle is solved", self.solved(self.difficulty, self.peer_hit, self.hit))

    def read_peer_identity(self, i2):
        if i2.get(HOST_ID) is not None:
            return Identity.parse(i2.get(HOST_ID), "I2")
        content = i2.get(ENCRYPTED)
        check("I2: the reserved field of ENCRYPTED is zero", not any(content[:4]))
        plain = self.decrypt(content[4:])
        inner, place = {}, 0
        while self.goes_on(plain, place):
            kind, length = struct.unpack("!HH", plain[place:place + 4])
            inner[kind] = plain[place + 4:place + 4 + length]
            place += 11 + length - (length + 3) % 8
            # conforms: RFC7401-5.2.18-1
            if not check("I2: the parameters in ENCRYPTED are padded as the cipher wants",
                         place < len(plain) or (self.options.cipher == 1 and place == len(plain)), plain.hex()):
                break
        check("I2: the parameters in ENCRYPTED are in order", list(inner) == sorted(inner), list(inner))
        # conforms: RFC7401-5.2.2-6
        check("I2: HOST_ID is in ENCRYPTED, and nothing critical that R1 gave no reason for",
              HOST_ID in inner and all(kind % 2 == 0 or kind == HOST_ID for kind in inner), list(inner))
        return Identity.parse(inner[HOST_ID], "I2")

    def decrypt(self, data):
        """What is behind the reserved field of ENCRYPTED: IV and data, or bare parameters with the NULL cipher."""
        if self.options.cipher == 1:
            return data
        decryptor = Cipher(algorithms.AES(self.cipher_keys[1]), modes.CBC(data[:16])).decryptor()
        return decryptor.update(data[16:]) + decryptor.finalize()

    def goes_on(self, plain, place):
        if self.options.cipher == 1:
            return place < len(plain)
        return len(plain) - place > 16 or plain[place:] != plain[-1:] * plain[-1]

    # -- in both roles

    def verify(self, packet):
        check(f"{packet.name}: it is from the peer to us",
              (packet.sender, packet.receiver) == (self.peer_hit, self.hit))
        return packet.check_mac(self.mac_keys[1], self.rhash) & packet.check_signature(self.peer_identity)

    def answer(self, what, packet):
        """Acknowledges an UPDATE and answers a ping. The content of ESP is returned."""
        if what == "hip":
            if packet.kind == UPDATE and self.verify(packet):
                self.take_into_use(ack=packet.get(ACK) or b"")
            # The same SPI twice is for middleboxes (RFC 8046 section 5.3), not a request for new keys.
            info = packet.get(ESP_INFO)
            if packet.kind == UPDATE and packet.get(SEQ) is not None and info is not None and info[4:8] != info[8:12]:
                self.answer_rekeying(packet)
            elif packet.kind == UPDATE and packet.get(SEQ) is not None:
                echo = [(ECHO_RESPONSE_SIGNED, one) for one in packet.all(ECHO_REQUEST_SIGNED)]
                self.send(UPDATE, [(ACK, packet.get(SEQ))] + echo, mac=HIP_MAC)
            elif packet.kind == NOTIFY:
                print("# NOTIFY", [one.hex() for one in packet.all(NOTIFICATION)], flush=True)
            return None
        if what != "esp":
            return None
        spi = struct.unpack("!I", packet[:4])[0]
        found = [one for one in self.inbound if one.spi == spi]
        if not check("ESP: the SPI is one of ours", found, hex(spi)):
            return None
        opened = found[0].open(packet)
        self.take_into_use(spi=spi if opened else None)
        if opened and opened[1] == 58:
            self.answer_echo(opened[0])
        return opened

    def answer_echo(self, message):
        # conforms: RFC7402-3.4-3
        check("ESP: the checksum of ICMPv6 is over the HITs", icmp6_checksum(self.peer_hit, self.hit, message) == 0)
        if message[0] == 128:
            self.wire.send_esp(self.outbound.protect(icmp6(129, self.hit, self.peer_hit, message[4:]), 58), self.peer)
            self.echoed.append(message)


def parse_arguments(words):
    arguments = argparse.ArgumentParser()
    arguments.add_argument("what", choices=("hit", "initiate", "respond"))
    arguments.add_argument("key")
    arguments.add_argument("address", nargs="?")
    arguments.add_argument("hit", nargs="?")
    arguments.add_argument("--identity", choices=("ecdsa", "ecdsa-p384", "ecdsa-low", "rsa"), default="ecdsa",
                           help="when the key has to be made")
    arguments.add_argument("--group", type=int, choices=(3, 4, 7, 8, 9, 10, 11), default=7,
                           help="Diffie-Hellman group")
    arguments.add_argument("--cipher", type=int, choices=tuple(HIP_CIPHERS), default=2, help="HIP cipher")
    arguments.add_argument("--suite", type=int, choices=tuple(ESP_SUITES), default=13, help="ESP suite")
    arguments.add_argument("--weak", action="store_true", help="the other end may offer weak algorithms")
    arguments.add_argument("--raw", action="store_true", help="IP protocols 139 and 50 instead of UDP")
    arguments.add_argument("--six", action="store_true", help="respond on IPv6")
    arguments.add_argument("--plain", action="store_true", help="I2 with HOST_ID instead of ENCRYPTED")
    arguments.add_argument("--odd", action="store_true", help="set all that a receiver must ignore")
    arguments.add_argument("--spoil", action="store_true", help="send strange packets and some that must be refused")
    arguments.add_argument("--rekey", action="store_true", help="rekey by UPDATE, without and with Diffie-Hellman")
    arguments.add_argument("--rekeyings", type=int, default=0, help="the other end asks for new keys this often")
    arguments.add_argument("--answer", choices=("one", "separate", "key", "cross"), default="one",
                           help="such a request is answered in one packet, with the acknowledgment apart, with a "
                                "Diffie-Hellman key that was not asked for, or by a request that has crossed it")
    arguments.add_argument("--bare", action="store_true", help="R1 without its optional parameters")
    arguments.add_argument("--then", action="append", default=[], help="respond: the options of one exchange more")
    return arguments.parse_args(words)


def main():
    options = parse_arguments(sys.argv[1:])
    peer = Peer(options)
    if options.what == "hit":
        print(socket.inet_ntop(socket.AF_INET6, peer.hit))
        return
    getattr(peer, options.what)()
    sys.exit(1 if Report.failed else 0)


main()
