#!/usr/bin/python3
"""Our own engine with each cloud's way to move the address: a switch, and the failover of a host that
is gone, whom only the cloud's interface can take the address from."""

import support
from support import APPLICATION_CONF, CONFIG, DONE, INCOMPLETE, Eventually


class CloudTest(support.LabTest):
    def assert_leads(self, lab: support.Lab, host: str) -> None:
        self.assertEqual(lab.writable(), [host])
        if lab.options.cloud_mode not in ("eip", "floating_ip"):  # no host has those itself
            self.assertEqual(lab.vip_holders(), [host])
        if not lab.cloud.names_one_holder:
            return
        waiting = Eventually()
        while lab.cloud.holders() != [host]:
            self.assertFalse(waiting.over(), lab.cloud.holders())

    def switch_and_failover(self, vip_type: str, mode: str) -> None:
        lab = self.make_lab(vip_type=vip_type, cloud_mode=mode)
        lab.writer.start(interval_ms=10)
        lab.writer.wait_for_writes(5)
        outcome = self.run_on_mgr(lab, [
            lab.mha.program("mysql_online_failover"), "-c", APPLICATION_CONF, "--interactive=0",
            "--engine=native", "--new_master_host=db2"])
        self.assert_status(outcome, DONE)
        self.assert_leads(lab, "db2")
        lab.writer.wait_for_writes(5)
        lab.wait_until_replicating()

        lab.stop_host("db2")
        outcome = self.run_on_mgr(lab, [
            lab.mha.program("mysql_failover"), "-d", "db2", "-c", APPLICATION_CONF,
            "--interactive=0", "--engine=native", "--new_master_host=db1"])
        # Events may be lost with the host, and that is said.
        self.assertIn(outcome.status, (DONE, INCOMPLETE), outcome.output)
        self.assertNotIn("NOT FENCED", outcome.output)
        self.assert_leads(lab, "db1")
        lab.writer.wait_for_writes(5)
        self.assert_replicate_from(lab, "db1", "db3")

    def test_a_failover_goes_on_where_the_cloud_lets_nobody_in(self):
        lab = self.make_lab(vip_type="aws", helper_conf={"aws_profile": "gone"})
        failover = [lab.mha.program("mysql_failover"), "-d", "db1", "-c", APPLICATION_CONF,
                    "--engine=native", "--new_master_host=db2"]
        for refused in ([lab.mha.program("mysql_online_failover"), "-c", APPLICATION_CONF],
                        [*failover, "--check"]):
            outcome = self.run_on_mgr(lab, refused)
            self.assert_status(outcome, CONFIG)
            self.assertIn("the AWS profile 'gone'", outcome.output)
        lab.kill_mysqld("db1")
        outcome = self.run_on_mgr(lab, failover)
        self.assert_status(outcome, INCOMPLETE)
        self.assertIn("what needs no login goes on", outcome.output)
        self.assertIn("aws ec2 assign-private-ip-addresses", outcome.output)
        self.assertEqual(lab.writable(), ["db2"])
        self.assertEqual(lab.vip_holders(), [])
        self.assert_replicate_from(lab, "db2", "db3")

    def test_aws_secondary_ip(self):
        self.switch_and_failover("aws", "secondary_ip")

    def test_aws_eip(self):
        self.switch_and_failover("aws", "eip")

    def test_aws_route(self):
        self.switch_and_failover("aws", "route")

    def test_openstack_address_pair(self):
        self.switch_and_failover("openstack", "address_pair")

    def test_openstack_floating_ip(self):
        self.switch_and_failover("openstack", "floating_ip")

    def test_openstack_fixed_ip(self):
        self.switch_and_failover("openstack", "fixed_ip")


if __name__ == "__main__":
    support.main()
