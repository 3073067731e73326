#!/usr/bin/python3
"""Writes the certificates of the HTTP tests: make_certificates.py FOLDER.

ca.pem      an authority            other_ca.pem  another one
good.pem    for localhost and 127.0.0.1, by ca      expired.pem  the same, of last year
wrong.pem   for another name, by ca
Leaves have their key in the same file.
"""
import datetime
import ipaddress
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(subject, issuer, issuer_key, key, begin, end, extensions):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
               .public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(begin).not_valid_after(end))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def write(path, *parts):
    with open(path, "wb") as file:
        file.writelines(parts)


def main():
    folder = sys.argv[1]
    authority = [(x509.BasicConstraints(ca=True, path_length=None), True)]
    keys = {}
    for ca in ("ca", "other_ca"):
        keys[ca] = ec.generate_private_key(ec.SECP256R1())
        write(f"{folder}/{ca}.pem",
              make(ca, ca, keys[ca], keys[ca], NOW - DAY, NOW + DAY, authority))
    ours = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaves = {"good": (ours, NOW - DAY, NOW + DAY),
              "expired": (ours, NOW - 400 * DAY, NOW - 35 * DAY),
              "wrong": ([x509.DNSName("elsewhere.example")], NOW - DAY, NOW + DAY)}
    for leaf, (names, begin, end) in leaves.items():
        key = ec.generate_private_key(ec.SECP256R1())
        text = key.private_bytes(serialization.Encoding.PEM,
                                 serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        write(f"{folder}/{leaf}.pem", text,
              make(leaf, "ca", keys["ca"], key, begin, end,
                   [(x509.SubjectAlternativeName(names), False)]))


if __name__ == "__main__":
    main()
