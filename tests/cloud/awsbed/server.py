"""Starts both servers in this process, and ends with whoever started it."""
import ctypes
import json
import logging
import os
import signal
import sys
import threading
import urllib.request

from awsbed import imds, strict, world
from awsbed.aws_client import OPENER, Client

PR_SET_PDEATHSIG = 1


def one_at_a_time(app):
    """EC2 changes an address in one act; moto's threads would see each other's halves."""
    lock = threading.Lock()

    def serve(environ, start_response):
        with lock:
            return list(app(environ, start_response))
    return serve


def start_ec2():
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class KeepAlive(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # as EC2: connections are used again

    strict.apply()
    app = one_at_a_time(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=KeepAlive)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def post(url, text):
    request = urllib.request.Request(url, text.encode(), {"Content-Type": "text/plain"},
                                     method="POST")
    with OPENER.open(request, timeout=30) as response:
        response.read()


def set_checks(url, enabled):
    post(f"{url}/moto-api/reset-auth", "0" if enabled else "inf")


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == 1:
        sys.exit("aws_bed: the parent is gone")


def serve(options, hosts):
    end_with_parent()
    os.environ.setdefault("AWS_DEFAULT_REGION", world.REGION)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ec2 = start_ec2()
    url = f"http://127.0.0.1:{ec2.server_port}"
    knobs = imds.Knobs(world.REGION)

    def make_world(_asked=None):
        set_checks(url, False)
        post(f"{url}/moto-api/reset", "")
        made = world.make(Client(url, world.REGION), options.vpc, options.subnet, hosts)
        knobs.values["credentials"] = made["role"]
        knobs.values["instance_id"] = next(iter(made["hosts"].values()))["instance"]
        set_checks(url, True)
        return made

    def change_checks(asked):
        set_checks(url, bool(asked["on"]))
        return asked

    metadata = imds.start(knobs, {"/bed/world": make_world, "/bed/auth": change_checks})
    ready = {"ec2": url, "imds": f"http://127.0.0.1:{metadata.server_port}", "pid": os.getpid()}
    if options.world:
        ready["world"] = make_world()
    print(json.dumps(ready), flush=True)
    # Until whoever started us closes it, or ends.
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)
