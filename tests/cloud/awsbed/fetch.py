"""Debian's packages of moto and what it needs, unpacked into a cache folder: nothing is installed.

moto is in Debian since trixie; the rest is of the release that the tests run on. apt fetches and
verifies all of them by the archive's signatures, and moto's own package by its sum as well, since the
patches are made for that very version.
"""
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess

MOTO = "python3-moto=5.1.1-4"
MOTO_SHA256 = "8a231ec9c330cd2cf40fde0d0ebe1d3c10698cfba718cee8a2ad7e983c4e7574"
NEEDED = ("python3-flask", "python3-flask-cors", "python3-boto3", "python3-responses",
          "python3-xmltodict", "python3-cryptography", "python3-jinja2")
SOURCES = """\
Types: deb
URIs: {mirror}
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
# The others are 70 MB of descriptions of services that nobody asks here.
SERVICES = ("ec2", "iam", "sts")


class FetchError(Exception):
    pass


def cache_folder():
    chosen = os.environ.get("MHA_TEST_CACHE")
    base = chosen or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                                  "mha-helper-tests")
    return os.path.join(base, "moto-5.1.1-4")


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise FetchError(f"{' '.join(command[:1] + command[-2:])}: {done.stderr.strip()[-500:]}")
    return done.stdout


def mirror():
    """The mirror of Debian that this machine's own apt uses."""
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian")
    uris = [uri for uri in listed.split() if "security" not in uri]
    return uris[0] if uris else "http://deb.debian.org/debian"


def fetch_moto(folder):
    """From trixie, by an apt with lists of its own, so that the system's are left alone."""
    for name in ("etc", "lists/partial", "cache/archives/partial"):
        os.makedirs(os.path.join(folder, name))
    with open(os.path.join(folder, "etc/trixie.sources"), "w", encoding="ascii") as file:
        file.write(SOURCES.format(mirror=mirror()))
    own = ["-q", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={folder}/etc",
           "-o", f"Dir::State::lists={folder}/lists", "-o", f"Dir::Cache={folder}/cache",
           "-o", "APT::Sandbox::User=root", "-o", "Acquire::Languages=none"]
    run("apt-get", *own, "update")
    run("apt-get", *own, "download", MOTO, cwd=folder)
    package = glob.glob(os.path.join(folder, "python3-moto_*.deb"))[0]
    with open(package, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != MOTO_SHA256:
        raise FetchError(f"{package} has the SHA-256 {found}, not {MOTO_SHA256}")
    return package


def fill(folder):
    work = os.path.join(folder, "work")
    shutil.rmtree(work, ignore_errors=True)
    debs = os.path.join(work, "debs")
    os.makedirs(os.path.join(debs, "partial"))
    run("apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=600", "-o", f"Dir::Cache::archives={debs}",
        "-o", "APT::Sandbox::User=root", "--no-install-recommends", "--download-only", "install",
        *NEEDED)
    packages = glob.glob(os.path.join(debs, "*.deb")) + [fetch_moto(work)]
    root = os.path.join(work, "root")
    os.makedirs(root)
    for package in packages:
        run("dpkg-deb", "-x", package, root)
    data = os.path.join(root, "usr/lib/python3/dist-packages/botocore/data")
    for name in os.listdir(data) if os.path.isdir(data) else ():
        path = os.path.join(data, name)
        if os.path.isdir(path) and name not in SERVICES:
            shutil.rmtree(path)
    os.rename(root, os.path.join(folder, "root"))
    shutil.rmtree(work)


def ensure_packages():
    """The folder of Python's packages; fetched where it is not there yet (seconds, 50 MB)."""
    folder = cache_folder()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(os.path.join(folder, "root")):
            fill(folder)
    return os.path.join(folder, "root/usr/lib/python3/dist-packages")
