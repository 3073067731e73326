"""A real Keystone and Neutron on loopback, for the tests."""
