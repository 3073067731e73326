"""Keystone and Neutron as processes, over one folder of databases and configuration."""
import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error

from .client import direct
from .commands import BedError, run

PR_SET_PDEATHSIG = 1

KEYSTONE_CONF = """[DEFAULT]
log_file = {run}/keystone.log
[database]
connection = sqlite:///{run}/keystone.db
sqlite_synchronous = false
[token]
provider = fernet
[fernet_tokens]
key_repository = {run}/fernet
[cache]
enabled = true
backend = dogpile.cache.memory
[credential]
key_repository = {run}/cred
[identity]
password_hash_rounds = 4
[oslo_policy]
policy_dirs = {run}/policy.d
"""

# No agents, no message queue. The new defaults of the policy are what gives the role reader a meaning.
# Tokens are not cached, so that a revoked one is refused at once. One request at a time: a green thread
# that waits for SQLite's lock holds up the one that has it, for half a minute.
NEUTRON_CONF = """[DEFAULT]
bind_host = 127.0.0.1
bind_port = {neutron_port}
log_file = {run}/neutron.log
state_path = {run}
api_paste_config = {root}/usr/share/neutron-common/api-paste.ini
auth_strategy = keystone
core_plugin = ml2
service_plugins = router
transport_url = fake:/
api_workers = 0
rpc_workers = 0
rpc_state_report_workers = 0
wsgi_default_pool_size = 1
wsgi_keep_alive = false
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
[database]
connection = sqlite:///{run}/neutron.db
sqlite_synchronous = false
[keystone_authtoken]
www_authenticate_uri = {keystone}
auth_url = {keystone}
auth_type = password
service_type = network
token_cache_time = -1
username = neutron
password = neutron-password
project_name = service
project_domain_name = Default
user_domain_name = Default
[oslo_concurrency]
lock_path = {run}/lock
[oslo_policy]
policy_dirs = {run}/policy.d
enforce_new_defaults = true
enforce_scope = true
"""

ML2_INI = """[ml2]
type_drivers = local,flat
tenant_network_types = local
mechanism_drivers =
extension_drivers = port_security
[ml2_type_flat]
flat_networks = *
"""


class Servers:
    """Keystone and Neutron over one folder of databases and configuration."""

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        self.keystone_port, self.neutron_port = free_ports(2)
        self.processes = []
        self.environment = {
            "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": folder, "PYTHONWARNINGS": "ignore",
            "PYTHONPATH": f"{root}/usr/lib/python3/dist-packages:{root}/stdlib",
            "LD_LIBRARY_PATH": ":".join(os.path.join(root, "usr/lib", name)
                                        for name in os.listdir(os.path.join(root, "usr/lib"))
                                        if name.endswith("-linux-gnu")),
            "OS_KEYSTONE_CONFIG_FILES": f"{folder}/keystone.conf"}

    @property
    def keystone(self):
        return f"http://127.0.0.1:{self.keystone_port}/v3"

    @property
    def neutron(self):
        return f"http://127.0.0.1:{self.neutron_port}"

    def write_configuration(self):
        for folder in ("lock", "policy.d"):
            os.makedirs(os.path.join(self.folder, folder), exist_ok=True)
        for name, text in (("keystone.conf", KEYSTONE_CONF), ("neutron.conf", NEUTRON_CONF),
                           ("ml2.ini", ML2_INI)):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text.format(run=self.folder, root=self.root, keystone=self.keystone,
                                       neutron_port=self.neutron_port))

    def python(self, *arguments, **options):
        return run(["/usr/bin/python3", *arguments], env=self.environment, **options)

    def start(self, name, *arguments):
        with open(os.path.join(self.folder, f"{name}.out"), "ab") as out:
            self.processes.append((name, subprocess.Popen(
                ["/usr/bin/python3", *arguments], env=self.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=out, cwd=self.folder, preexec_fn=die_with_parent)))

    def start_keystone(self):
        self.start("keystone", f"{self.root}/usr/bin/keystone-wsgi-public", "--host", "127.0.0.1",
                   "--port", str(self.keystone_port))

    def start_neutron(self):
        self.start("neutron", f"{self.root}/usr/bin/neutron-server", "--config-file",
                   f"{self.folder}/neutron.conf", "--config-file", f"{self.folder}/ml2.ini")

    def wait_until_they_answer(self, *urls):
        end = time.monotonic() + 120
        for url in urls:
            while not answers(url):
                for name, process in self.processes:
                    if process.poll() is not None:
                        raise BedError(f"{name} ended with {process.returncode}: {self.last_words(name)}")
                if time.monotonic() > end:
                    raise BedError(f"no answer from {url}")
                time.sleep(0.05)

    def last_words(self, name):
        with open(os.path.join(self.folder, f"{name}.out"), encoding="utf-8", errors="replace") as file:
            return "; ".join(file.read().strip().splitlines()[-3:])

    def stop(self):
        for _, process in self.processes:
            process.terminate()
        for _, process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes = []


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def answers(url):
    try:
        direct().open(url, timeout=5).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
