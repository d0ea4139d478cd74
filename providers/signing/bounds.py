"""What a key may cost us: how often a passphrase is hashed to open it, and how large its numbers are.

Whoever brings a key decides both, and the library holds the whole process up for as long as that takes. So each way in
looks first: ``check_opening`` at what is encrypted, before it is opened; ``check_private`` at a private key whose
numbers nobody has checked yet; ``check_public`` at a public key before anything is verified with it. No I/O.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from providers.signing.ber import Element, elements, number, octets, only

SHORTEST_RSA_BITS = 2048
LONGEST_RSA_BITS = 4096  # checking the numbers of a longer key holds the whole process up for seconds
LONGEST_KEY_BYTES = 2500  # PKCS #8 of an RSA key of 4096 bits takes 2,380, and may have attributes
# The rounds that one file may take in all: Firefox writes 600,000 for a key, and as many for its certificates.
MOST_ROUNDS = 1_200_000
_MOST_SCRYPT_BYTES = 32 * 1024 * 1024  # OpenSSL's own choice takes half of it
_SCRYPT_BYTES_A_ROUND = 32  # what takes as long as a round of the others
_LONGEST_PUBLIC_BITS = 8192
_LARGEST_EXPONENT_BITS = 64  # as OpenSSL has it for moduli from 3072 bits on

_PBES2 = bytes.fromhex("2a864886f70d01050d")  # 1.2.840.113549.1.5.13 (RFC 8018 §A.4)
_PBKDF2 = bytes.fromhex("2a864886f70d01050c")  # 1.2.840.113549.1.5.12 (RFC 8018 §A.2)
_SCRYPT = bytes.fromhex("2b06010401da47040b")  # 1.3.6.1.4.1.11591.4.11 (RFC 7914 §7)
_PBES1 = bytes.fromhex("2a864886f70d0105")  # 1.2.840.113549.1.5.… (RFC 8018 §A.3)
_PBE_PKCS12 = bytes.fromhex("2a864886f70d010c01")  # 1.2.840.113549.1.12.1.… (RFC 7292 §C)

_OTHER_KINDS = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class UnusableKey(Exception):
    """A key or certificate cannot be used. The text is a sentence for whoever brought it, and quotes nothing of it."""


def rounds_to_open(algorithm: Element) -> int:
    """Return how many rounds of hashing it takes to open what an AlgorithmIdentifier (RFC 5280 §4.1.1.2) has encrypted.

    Raises ``UnusableKey`` for scrypt that wants too much memory, ``ValueError`` for what is none of the ways of
    RFC 8018 and RFC 7292.
    """
    kind, parameters = _described(algorithm)
    if kind == _PBES2:
        kind, parameters = _described(parameters[0])
        if kind == _PBKDF2:
            return number(parameters[1])
        if kind == _SCRYPT:
            cost, block, lanes = (number(one) for one in parameters[1:4])
            if (held := 128 * cost * block * lanes) > _MOST_SCRYPT_BYTES:
                raise UnusableKey(_too_dear("more memory than there is for it"))
            return held // _SCRYPT_BYTES_A_ROUND
    elif kind.startswith((_PBES1, _PBE_PKCS12)):
        return number(parameters[1])
    raise ValueError("not a way to encrypt by a passphrase")


def check_rounds(count: int) -> None:
    """Raise ``UnusableKey`` if so many rounds of hashing take too long."""
    if count > MOST_ROUNDS:
        raise UnusableKey(_too_dear(f"{count:,} rounds of hashing, and {MOST_ROUNDS:,} are the most"))


def check_opening(der: bytes, *, besides: int = 0) -> None:
    """Raise ``UnusableKey`` if a private key that is encrypted (RFC 5958 §3, DER) takes too long to open, or is none.

    How long the encrypted part is bounds the numbers inside. ``besides``: the rounds that the rest of its file takes.
    """
    try:
        algorithm, sealed = elements(only(der).content)
        check_length(len(octets(sealed)))
        check_rounds(rounds_to_open(algorithm) + besides)
    except (ValueError, IndexError):
        raise UnusableKey("This encrypted key cannot be read: write it as PKCS #8, and paste it whole.") from None


def check_length(count: int) -> None:
    """Raise ``UnusableKey`` if a private key of so many bytes (DER) has larger numbers than any that is used here."""
    if count > LONGEST_KEY_BYTES:
        raise UnusableKey(
            f"This private key is too long to be used here: RSA keys have {SHORTEST_RSA_BITS} to {LONGEST_RSA_BITS}"
            " bits, others are much shorter."
        )


def check_private(key: Any) -> None:
    """Raise ``UnusableKey`` unless a private key is of a kind that is used here, with numbers that can be checked."""
    if not isinstance(key, rsa.RSAPrivateKey):
        if not isinstance(key, _OTHER_KINDS):
            raise UnusableKey("Keys of this kind are not used here: take RSA, an elliptic curve, or Ed25519.")
        return
    if key.key_size > LONGEST_RSA_BITS:
        raise UnusableKey(
            f"This RSA key has {key.key_size} bits: use one of {SHORTEST_RSA_BITS} to {LONGEST_RSA_BITS}."
        )
    check_public(key.public_key())
    numbers = key.private_numbers()
    half = key.key_size // 2 + 8
    of_primes = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    is_balanced = all(0 < one.bit_length() <= half for one in of_primes)
    if not is_balanced or numbers.d.bit_length() > key.key_size:
        raise UnusableKey("The numbers of this RSA key do not belong together: it is damaged, or was made up.")


def check_public(key: Any) -> None:
    """Raise ``UnusableKey`` if it takes long to verify with a public key."""
    if isinstance(key, rsa.RSAPublicKey) and (
        key.key_size > _LONGEST_PUBLIC_BITS or key.public_numbers().e.bit_length() > _LARGEST_EXPONENT_BITS
    ):
        raise UnusableKey(
            f"An RSA key here has more than {_LONGEST_PUBLIC_BITS} bits, or an unusual public exponent: use 65537."
        )


def _described(algorithm: Element) -> tuple[bytes, list[Element]]:
    """Return the object identifier of an AlgorithmIdentifier, and its parameters."""
    kind, parameters = elements(algorithm.content)
    return kind.content, elements(parameters.content)


def _too_dear(what: str) -> str:
    return (
        f"Opening this takes {what}: encrypt the key anew with fewer rounds,"
        " as `openssl pkcs8 -topk8 -iter 100000` or `openssl pkcs12 -export -iter 100000` does."
    )
