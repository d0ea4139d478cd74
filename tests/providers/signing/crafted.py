"""Keys and files as nobody makes them who means well: dear to open, or with numbers that take long to check."""

import hashlib
import os

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from providers.signing.ber import INTEGER, OCTETS, SEQUENCE, TAGGED, written

EC_KEY = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
_AES_256_CBC = "060960864801650304012a"
_HMAC_SHA256 = "300c06082a864886f70d02090500"


def integer(value: int) -> bytes:
    return written(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def sequence(*parts: bytes) -> bytes:
    return written(SEQUENCE, b"".join(parts))


def octets(data: bytes) -> bytes:
    return written(OCTETS, data)


def identifier(encoded: str) -> bytes:
    return written(0x06, bytes.fromhex(encoded))


def pbkdf2(rounds: int, *, salt: bytes = b"saltsalt", vector: bytes = bytes(16)) -> bytes:
    """Return the AlgorithmIdentifier of PBES2 with PBKDF2, HMAC-SHA256 and AES-256-CBC."""
    derived = sequence(
        identifier("2a864886f70d01050c"), sequence(octets(salt), integer(rounds), bytes.fromhex(_HMAC_SHA256))
    )
    return sequence(identifier("2a864886f70d01050d"), sequence(derived, _aes(vector)))


def scrypt(cost: int, block: int = 8, lanes: int = 1) -> bytes:
    """Return the AlgorithmIdentifier of PBES2 with scrypt and AES-256-CBC."""
    parameters = sequence(octets(b"saltsalt"), integer(cost), integer(block), integer(lanes))
    derived = sequence(identifier("2b06010401da47040b"), parameters)
    return sequence(identifier("2a864886f70d01050d"), sequence(derived, _aes(bytes(16))))


def pbes1(rounds: int, *, kind: str = "2a864886f70d010c0103") -> bytes:
    """Return the AlgorithmIdentifier of PKCS #12's own way, with triple DES, or of another."""
    return sequence(identifier(kind), sequence(octets(b"saltsalt"), integer(rounds)))


def sealed(algorithm: bytes, held: bytes = bytes(64)) -> bytes:
    """Return an EncryptedPrivateKeyInfo, whose encrypted part is nothing that opens."""
    return sequence(algorithm, octets(held))


def encrypted(plain: bytes, *, passphrase: str, rounds: int = 1) -> tuple[bytes, bytes]:
    """Return the AlgorithmIdentifier and the encrypted form of ``plain``, really encrypted."""
    salt, vector = os.urandom(8), os.urandom(16)
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, rounds, 32)
    pad = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    held = cipher.update(pad.update(plain) + pad.finalize()) + cipher.finalize()
    return pbkdf2(rounds, salt=salt, vector=vector), held


def key_bag(encrypted_key: bytes) -> bytes:
    """Return a bag with an EncryptedPrivateKeyInfo (RFC 7292 §4.2.2)."""
    return sequence(identifier("2a864886f70d010c0a0102"), written(TAGGED, encrypted_key))


def open_part(*bags: bytes) -> bytes:
    return _content(sequence(*bags))


def closed_part(algorithm: bytes, held: bytes) -> bytes:
    contents = sequence(identifier("2a864886f70d010701"), algorithm, written(0x80, held))
    return sequence(identifier("2a864886f70d010706"), written(TAGGED, sequence(integer(0), contents)))


def file_of(*parts: bytes) -> bytes:
    """Return a PKCS #12 file of these parts, without a seal over the whole."""
    return sequence(integer(3), _content(sequence(*parts)))


def _content(data: bytes) -> bytes:
    return sequence(identifier("2a864886f70d010701"), written(TAGGED, octets(data)))


def pkcs8_rsa(numbers: rsa.RSAPrivateNumbers) -> bytes:
    """Return PKCS #8 of numbers that need not belong together."""
    public = numbers.public_numbers
    parts = (0, public.n, public.e, numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    return sequence(
        integer(0), bytes.fromhex("300d06092a864886f70d0101010500"), octets(sequence(*(integer(one) for one in parts)))
    )


def pkcs8_dsa(bits: int) -> bytes:
    """Return PKCS #8 of a DSA key with numbers of so many bits."""
    large = (1 << bits) - 3
    parameters = sequence(integer(large), integer((1 << 20) + 7), integer((1 << 17) + 1))
    return sequence(integer(0), sequence(identifier("2a8648ce380401"), parameters), octets(integer(large)))


def _aes(vector: bytes) -> bytes:
    return sequence(bytes.fromhex(_AES_256_CBC), octets(vector))
