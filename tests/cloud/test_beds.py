#!/usr/bin/python3
"""A bed removes what killed beds have left, and nothing of those that live."""

import importlib.machinery
import importlib.util
import os
import pathlib
import tempfile
import unittest
from unittest import mock

_BED = pathlib.Path(__file__).resolve().parent / "openstack_bed"


def bed():
    loader = importlib.machinery.SourceFileLoader("openstack_bed", str(_BED))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("openstack_bed", loader))
    loader.exec_module(module)
    return module


class LeftoversTest(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        self.enterContext(mock.patch("tempfile.gettempdir", return_value=self.folder))

    def make(self, name, age=3600):
        path = os.path.join(self.folder, name)
        os.mkdir(path)
        os.utime(path, (os.path.getmtime(path) - age,) * 2)
        return path

    def test_those_of_the_dead_go(self):
        module = bed()
        dead = self.make("openstack-bed-999999-dead")
        with module.hold(dead):
            pass
        os.utime(dead, (1, 1))
        never_held = self.make("openstack-bed-999998-early")
        module.remove_what_killed_beds_left()
        self.assertFalse(os.path.exists(dead))
        self.assertFalse(os.path.exists(never_held))

    def test_those_of_the_living_stay(self):
        """The process id in the name may be one of another namespace: it says nothing."""
        module = bed()
        living = self.make("openstack-bed-999999-alive")
        with module.hold(living):
            os.utime(living, (1, 1))
            module.remove_what_killed_beds_left()
            self.assertTrue(os.path.exists(living))

    def test_those_that_just_begin_stay(self):
        young = self.make("openstack-bed-999999-young", age=0)
        other = self.make("somebody-elses")
        bed().remove_what_killed_beds_left()
        self.assertTrue(os.path.exists(young))
        self.assertTrue(os.path.exists(other))


if __name__ == "__main__":
    unittest.main()
