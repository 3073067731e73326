"""Running programs, and what is said of them."""
import subprocess
import sys


class BedError(Exception):
    pass


def say(text):
    print(f"openstack_bed: {text}", file=sys.stderr, flush=True)


def run(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)
    if done.returncode != 0:
        lines = done.stdout.strip().splitlines()[-5:]
        raise BedError(f"{' '.join(command[:4])}...: exit status {done.returncode}: " + "; ".join(lines))
    return done.stdout
