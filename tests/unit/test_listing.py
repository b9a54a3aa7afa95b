"""arXiv's listings are read in both their shapes; what is no listing, or is made to do harm, is refused in a paragraph."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import listings
import pytest

from unseen.core.errors import Failed, Invalid, Missing
from unseen.news import listing

pytest.importorskip("feedparser")


def test_atom_is_read() -> None:
    found = listing.parsed(listings.atom(), "a file")
    assert [e.arxiv for e in found.entries] == [p[0] for p in listings.PAPERS] and found.replaced == 0
    first, third = found.entries[0], found.entries[2]
    assert first.title == listings.PAPERS[0][1] and first.summary == listings.PAPERS[0][2], "lines are joined"
    assert (first.authors, first.year, first.published) == (("Ada One", "Bo Two, Jr."), 2025, "2025-11-03")
    assert first.link == "https://arxiv.org/abs/2511.00101" and first.categories == ("cs.LG",)
    assert third.title == f"Composing Skills {listings.HOSTILE}", "kept as written; pages escape it"


def test_rss_is_read_and_new_versions_are_left_out() -> None:
    found = listing.parsed(listings.rss(), "a file")
    assert [e.arxiv for e in found.entries] == [p[0] for p in listings.PAPERS[:3]] and found.replaced == 1
    first = found.entries[0]
    assert first.summary == listings.PAPERS[0][2] and first.authors == ("Ada One", "Bo Two")
    assert (first.year, first.published, first.categories) == (2025, "2025-11-06", ("cs.LG", "cs.CL"))
    assert listing.parsed(listings.rss("cross"), "a file").entries[0].arxiv == first.arxiv
    assert listing.parsed(b"\xef\xbb\xbf" + listings.rss(), "with a mark of order").entries == found.entries


def test_a_day_without_papers_is_no_error() -> None:
    empty = listings.rss().split(b"<item>")[0] + b"</channel></rss>"
    assert listing.parsed(empty, "Sunday") == listing.Listing(())


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2405.15071", "2405.15071"),
        ("arXiv:2405.15071v3", "2405.15071"),
        ("https://arxiv.org/abs/2405.15071v2", "2405.15071"),
        ("https://arxiv.org/pdf/0704.0001", "0704.0001"),
        ("math.GT/0309136", "math.GT/0309136"),
        ("hep-th/9901001v1", "hep-th/9901001"),
    ],
)
def test_numbers(text: str, number: str) -> None:
    assert listing.number_of(text) == number


@pytest.mark.parametrize("text", ["", "omega", "2405", "240515071", "2405.150711", "../../etc/passwd", "1.2"])
def test_no_numbers(text: str) -> None:
    with pytest.raises(Invalid, match="no number of arXiv's"):
        listing.number_of(text)


LAUGHS = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
BOMB = f'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">{LAUGHS}]><feed xmlns="http://www.w3.org/2005/Atom"><title>&l9;</title></feed>'
OUTSIDE = '<?xml version="1.0"?>\n<!doctype x [<!ENTITY f SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><title>&f;</title></channel></rss>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB.encode(), "document type or entities"),
        (OUTSIDE.encode(), "document type or entities"),
        (BOMB.encode("utf-16"), "no UTF-8"),
        (BOMB.replace("?>", ' encoding="cp037"?>', 1).encode("cp037"), "no UTF-8"),
        (BOMB.replace("?>", ' encoding="utf-7"?>', 1).encode("utf-7"), "written in utf-7"),
        (BOMB.encode("utf-16-le"), "document type or entities"),
        (b"", "holds no papers"),
        (b"<html><body>503</body></html>", "holds no papers"),
        (b"\x89PNG\r\n\x1a\n", "no UTF-8"),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><entry>" * 3000, "holds no papers"),
        (listings.error(), "incorrect id format for 0"),
    ],
    ids=range(11),
)  # fmt: skip
def test_bombs_and_what_is_no_listing(content: bytes, why: str) -> None:
    began = time.monotonic()
    with pytest.raises(Invalid, match=why):
        listing.parsed(content, "a file")
    assert time.monotonic() - began < 20


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "é listing.xml"
    path.write_bytes(listings.atom())
    assert len(listing.read(str(path)).entries) == 4
    assert listing.paper("arXiv:2511.00102v1", str(path)).title.startswith("Rotation")
    with pytest.raises(Missing, match=r"holds no paper 2511\.09999; it holds 2511\.00101, "):
        listing.paper("2511.09999", str(path))
    with pytest.raises(Missing, match="cannot be read"):
        listing.read(str(tmp_path / "none.xml"))
    monkeypatch.setattr(listing, "LARGEST", 100)
    with pytest.raises(Invalid, match="larger than 100 bytes"):
        listing.read(str(path))


def test_without_a_network_one_paragraph(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(Missing, match="--papers FILE"):
        listing.paper("2511.00101")
    monkeypatch.setattr(listing, "API", "https://127.0.0.1:9/api/query?id_list=")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(Failed, match=r"could not be fetched .*refused.*give the file"):
        listing.paper("2511.00101")


@pytest.mark.parametrize(
    "url", ["http://export.arxiv.org/x", "ftp://a/b", "file:///etc/passwd", "data://x", "HTTP://a"]
)
def test_other_addresses_are_not_asked(url: str) -> None:
    with pytest.raises(Invalid, match="https only"):
        listing.read(url)


class Papers(BaseHTTPRequestHandler):
    """Answers with a listing, sends on to another address, or never ends."""

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.end_headers()
        if self.path == "/ok":
            self.wfile.write(listings.atom())
        try:
            while self.path in ("/large", "/slow"):
                self.wfile.write(b" " * (500_000 if self.path == "/large" else 1))
                time.sleep(0 if self.path == "/large" else 0.1)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key of localhost, signed by itself."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def place(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An https server on loopback; who trusts it must say so."""
    monkeypatch.setenv("NO_PROXY", "localhost")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Papers)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_listing_is_fetched_by_https_from_who_is_trusted(
    place: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Failed, match=r"(?i)certificate"):
        listing.read(f"{place}/ok")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert len(listing.read(f"{place}/ok").entries) == 4
    assert len(listing.read(f"{place}/to/{place}/ok").entries) == 4
    with pytest.raises(Failed, match="unknown url type: http"):
        listing.read(f"{place}/to/http://127.0.0.1:9/x")
    with pytest.raises(Failed, match="could not be fetched"):
        listing.read(f"{place}/to/file:///etc/passwd")
    with pytest.raises(Failed, match=r"could not be fetched \(Not Found"):
        listing.read(f"{place}/none")


def test_too_much_and_too_slow(place: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(listing, "LARGEST", 1_000_000)
    with pytest.raises(Invalid, match="larger than 1,000,000 bytes"):
        listing.read(f"{place}/large")
    monkeypatch.setattr(listing, "SECONDS", 1.0)
    began = time.monotonic()
    with pytest.raises(Failed, match="took longer than 1 seconds"):
        listing.read(f"{place}/slow")
    assert time.monotonic() - began < 15
