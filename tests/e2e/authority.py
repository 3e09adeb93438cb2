"""Certificates made on the spot, good ones and bad ones."""

import subprocess


class Authority:
    """A private certificate authority, made with the openssl command."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                 "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", self.key(name), "-out", self.cert(name))  # fmt: skip

    def cert(self, name):
        return str(self.folder / f"{name}.crt")

    def key(self, name):
        return str(self.folder / f"{name}.key")

    @staticmethod
    def run(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)

    @property
    def file(self):
        return self.cert(self.name)

    def issue(self, name, names, *more):
        """(certificate, key) for these subject names, e.g. "DNS:localhost,IP:127.0.0.1"."""
        request, extra = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n", encoding="ascii")
        self.run("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={name}", "-keyout", self.key(name), "-out", str(request))  # fmt: skip
        self.run("x509", "-req", "-in", str(request), "-CA", self.file, "-CAkey", self.key(self.name),
                 "-CAcreateserial", "-extfile", str(extra), "-out", self.cert(name), *(more or ("-days", "30")))  # fmt: skip
        return self.cert(name), self.key(name)
