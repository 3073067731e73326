"""Debian's packages, unpacked beside the system."""
import os
import shutil

from .commands import run, say


def fetch(cache):
    """The two servers and what they depend on that this system has not; 34 MB, nothing is installed."""
    debs = os.path.join(cache, "debs")
    os.makedirs(os.path.join(debs, "partial"), exist_ok=True)
    say("fetching Keystone and Neutron from Debian's mirror (34 MB, once)")
    options = ["-o", "DPkg::Lock::Timeout=600", "-o", f"Dir::Cache::archives={debs}"]
    if os.getuid() != 0:
        options += ["-o", "Debug::NoLocking=1"]
    run(["apt-get", *options, "-qq", "-y", "--no-install-recommends", "--download-only", "install",
         "python3-keystone", "python3-neutron"])
    # Not a dependency of the library: api-paste.ini.
    run(["apt-get", *options, "-qq", "download", "neutron-common"], cwd=debs)
    new = os.path.join(cache, "root.new")
    shutil.rmtree(new, ignore_errors=True)
    for name in sorted(os.listdir(debs)):
        if name.endswith(".deb"):
            run(["dpkg-deb", "-x", os.path.join(debs, name), new])
    # A system without python3-distutils has a stub of that package, which would hide the whole one.
    whole = os.path.join(new, "usr/lib/python3.11/distutils")
    if os.path.isdir(whole):
        merged = os.path.join(new, "stdlib/distutils")
        shutil.copytree("/usr/lib/python3.11/distutils", merged)
        shutil.copytree(whole, merged, dirs_exist_ok=True)
    os.rename(new, os.path.join(cache, "root"))
    shutil.rmtree(debs)
