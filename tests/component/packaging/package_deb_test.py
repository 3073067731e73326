#!/usr/bin/python3
"""Builds the Debian package from a finished build and looks inside. usage: ... BUILD_DIR VERSION"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = ("master_ip_online_failover_helper", "master_ip_hard_failover_helper",
            "master_failover_report", "mysql_failover", "mysql_online_failover")
BUILD_DIR, VERSION = sys.argv[1:3]


def run(*command, **more):
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)} exited {done.returncode}:\n{done.stdout}")
    return done.stdout


class PackageDeb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        top = pathlib.Path(cls.folder.name)
        run("cpack", "-G", "DEB", "-B", str(top), "--config", f"{BUILD_DIR}/CPackConfig.cmake",
            cwd=BUILD_DIR)
        cls.debs = list(top.glob("*.deb"))
        cls.root = top / "root"
        run("dpkg-deb", "-x", str(cls.debs[0]), str(cls.root))
        cls.control = run("dpkg-deb", "-I", str(cls.debs[0]))

    def field(self, name):
        return re.search(rf"^ {name}: (.*)$", self.control, re.M).group(1)

    def test_the_file_is_named_by_version_and_architecture(self):
        architecture = run("dpkg", "--print-architecture").strip()
        self.assertEqual([deb.name for deb in self.debs],
                         [f"mha-helper_{VERSION}_{architecture}.deb"])

    def test_programs_run_from_it(self):
        for program in PROGRAMS:
            path = self.root / "usr/bin" / program
            self.assertEqual(run(str(path), "--version"), f"{program} {VERSION}\n")

    def test_each_program_has_a_manual_page_with_the_exit_codes(self):
        for program in PROGRAMS:
            text = (self.root / f"usr/share/man/man1/{program}.1").read_text()
            self.assertIn("EXIT STATUS", text)
            for code in ("0", "10", "20", "21", "2", "3"):
                self.assertIn(f"\\fB{code}\\fP", text, program)

    def test_each_program_has_its_options_in_its_manual_page(self):
        for program in PROGRAMS:
            text = (self.root / f"usr/share/man/man1/{program}.1").read_text().replace("\\-", "-")
            options = set(re.findall(r"--[a-z_]+", run(str(self.root / "usr/bin" / program), "--help")))
            self.assertGreater(len(options), 5, program)
            # "the same for new_master" stands for these
            options -= {f"--new_master_ssh_{what}" for what in ("host", "ip", "port")}
            self.assertEqual([option for option in sorted(options) if option not in text], [], program)

    def test_samples_are_documentation_and_etc_is_left_alone(self):
        examples = self.root / "usr/share/doc/mha-helper/examples"
        for name in ("mha-helper.conf", "mha-helper.sudoers"):
            self.assertTrue((examples / name).is_file(), name)
        for name in ("README.rst", "copyright"):
            self.assertTrue((examples.parent / name).is_file(), name)
        self.assertEqual([entry.name for entry in self.root.iterdir()], ["usr"])

    def test_completion_knows_the_options_of_each_program(self):
        for program in PROGRAMS:
            file = self.root / "usr/share/bash-completion/completions" / program
            words = run("bash", "-c", 'source "$1"; COMP_WORDS=("$2" --co); COMP_CWORD=1; '
                        '_mha_helper "$2" --co "$2"; echo "${COMPREPLY[@]}"',
                        "bash", str(file), str(self.root / "usr/bin" / program))
            self.assertIn("--config_dir", words.split())

    def test_dependencies_are_the_libraries_that_are_linked(self):
        depends = self.field("Depends")
        for library in ("libc6", "libcurl4", "libssh-4", "libstdc++6", "libfmt9"):
            self.assertRegex(depends, rf"\b{re.escape(library)}\b")
        self.assertRegex(depends, r"libmariadb3|libmysqlclient2")
        self.assertNotRegex(depends, r"-dev\b|gtest|gmock")
        self.assertEqual(self.field("Package"), "mha-helper")
        self.assertEqual(self.field("Version"), VERSION)

    def test_nothing_is_writable_by_others_or_owned_by_someone_else(self):
        listing = run("dpkg-deb", "-c", str(self.debs[0]))
        self.assertGreater(len(listing.splitlines()), 15)
        for line in listing.splitlines():
            mode, owner = line.split()[:2]
            self.assertEqual(owner, "root/root", line)
            self.assertNotRegex(mode, r"^.{5}w|^.{8}w", line)


if __name__ == "__main__":
    missing = [tool for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "file")
               if shutil.which(tool) is None]
    if missing:
        print("package_deb: missing:", *missing, file=sys.stderr)
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    unittest.main(argv=sys.argv[:1])
