#!/usr/bin/python3
"""Tests of tests/check_layers: a tree with a planted include is reported, a good one is not."""
import os
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "check_layers")

GOOD = {
    "src/base/status.h": "#include <string>\n",
    "src/ports/mailer.h": '#include "base/status.h"\n',
    "src/config/host.h": '#include "ports/mailer.h"\n#include "base/status.h"\n',
    "src/core/plan.h": '#include "config/host.h"\n#include "ports/mailer.h"\n',
    "src/core/plan.cc": '#include "core/plan.h"\n#include "plan.h"\n',
    "src/mail/curl_mailer.cc": '#include <curl/curl.h>\n#include "ports/mailer.h"\n',
    "src/engine/switchover.cc": '#include "core/plan.h"\n',
    "src/cli/wiring.h": '#include "vip/factory.h"\n#include "core/plan.h"\n',
    "vip/factory.h": '#include "ports/mailer.h"\n',
    "bin/main.cc": '#include "cli/wiring.h"\n',
}


def check(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([SCRIPT, root], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout


class CheckLayers(unittest.TestCase):
    def assert_reported(self, path, text, *words):
        status, out = check({**GOOD, path: text})
        self.assertEqual(status, 1, out)
        self.assertEqual(len(out.splitlines()), 1, out)
        for word in (path, *words):
            self.assertIn(word, out)

    def test_a_good_tree_is_good(self):
        status, out = check(GOOD)
        self.assertEqual(status, 0, out)

    def test_an_empty_tree_is_no_success(self):
        self.assertEqual(check({"README": ""})[0], 2)

    def test_each_way_up_is_reported(self):
        for path, name in (
                ("src/base/x.h", "ports/mailer.h"), ("src/base/x.h", "config/host.h"),
                ("src/ports/x.h", "config/host.h"), ("src/ports/x.h", "core/plan.h"),
                ("src/config/x.h", "core/plan.h"), ("src/core/x.h", "engine/y.h"),
                ("src/core/x.h", "cli/wiring.h"), ("src/core/x.h", "mail/curl_mailer.h"),
                ("src/core/x.h", "vip/factory.h"), ("src/engine/x.h", "mysql/y.h"),
                ("src/mail/x.h", "ssh/y.h"), ("src/mail/x.h", "core/plan.h"),
                ("vip/x.h", "ssh/y.h"), ("vip/x.h", "core/plan.h"),
                ("bin/x.cc", "mail/curl_mailer.h"), ("bin/x.cc", "vip/factory.h")):
            with self.subTest(path=path, name=name):
                self.assert_reported(path, f'// x\n#include "{name}"\n', ":2:", name)

    def test_no_way_around(self):
        self.assert_reported("src/core/x.h", "#include <mail/curl_mailer.cc>\n", "mail")
        self.assert_reported("src/core/x.h", '  #  include   "vip/factory.h" // why\n', "vip")
        self.assert_reported("src/core/x.h", '#include "../mail/curl_mailer.cc"\n', "from src/")
        self.assert_reported("src/core/x.h", '#include "src/mail/curl_mailer.cc"\n', "mail")

    def test_client_libraries_stay_in_their_adapters(self):
        for path, name in (("src/core/x.cc", "libssh/libssh.h"), ("src/core/x.cc", "curl/curl.h"),
                           ("vip/metal.cc", "libssh/libssh.h"), ("src/mail/x.cc", "mysql/mysql.h"),
                           ("src/cli/x.cc", "mysql.h"), ("src/ssh/x.cc", "mariadb/mysql.h")):
            with self.subTest(path=path, name=name):
                self.assert_reported(path, f"#include <{name}>\n", name)

    def test_an_unknown_folder_is_reported(self):
        self.assert_reported("src/misc/x.h", "#include <string>\n", "no layer")


if __name__ == "__main__":
    unittest.main()
