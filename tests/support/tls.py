"""A pretend company's own authority, and a pretend server that speaks https with a certificate of it."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sandbox.http import LoopbackServer

Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certificate(name: str, by: Signed | None = None) -> Signed:
    """An authority, or with `by` the certificate of this machine, signed by it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder(
        by[0].subject if by else own, own, key.public_key(), x509.random_serial_number(),
        now - timedelta(days=1), now + timedelta(days=1),
    ).add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)  # fmt: skip
    if by is not None:
        here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
        made = made.add_extension(here, critical=False)
    return made.sign(by[1] if by else key, hashes.SHA256()), key


def speak_https(server: LoopbackServer, folder: Path) -> tuple[str, Path]:
    """Let a server that has not begun yet speak https; its address, and the file of the authority behind it."""
    authority = certificate("Pretend Company Authority")
    own, key = certificate("127.0.0.1", authority)
    pem, ca_file = folder / "server.pem", folder / "authority.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(secret + own.public_bytes(Encoding.PEM))
    ca_file.write_bytes(authority[0].public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server._http.socket = context.wrap_socket(server._http.socket, server_side=True, do_handshake_on_connect=False)
    return server.address.replace("http://", "https://"), ca_file
