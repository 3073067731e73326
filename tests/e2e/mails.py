"""What a report of our hook must look like, whatever it says."""

import datetime
import email.utils
import re
import unittest

from support import REPORT_EMAIL, Mail

_ONCE = ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "Content-Type")


def assert_well_formed(test: unittest.TestCase, mail: Mail) -> None:
    """RFC 5322: the headers, once each; lines that end with CRLF and are not too long."""
    message = mail.message
    for name in _ONCE:
        test.assertEqual(len(message.get_all(name, [])), 1, name)
    test.assertEqual(mail.recipients, (REPORT_EMAIL,))
    test.assertEqual(message["To"], REPORT_EMAIL)
    test.assertRegex(message["Message-ID"], r"^<[^<>@ ]+@[^<>@ ]+>$")
    sent = email.utils.parsedate_to_datetime(message["Date"])
    age = datetime.datetime.now(datetime.timezone.utc) - sent
    test.assertLess(abs(age.total_seconds()), 60)
    test.assertEqual(message.get_content_charset(), "utf-8")
    test.assertNotIn(b"\n", mail.raw.replace(b"\r\n", b""), "a line that ends without CR")
    test.assertLessEqual(max(map(len, mail.raw.split(b"\r\n"))), 998)


def body(mail: Mail) -> str:
    return mail.message.get_content().replace("\r\n", "\n")


def facts(mail: Mail) -> dict[str, tuple[str, str]]:
    """Our own look at each host: (where the virtual IP is, whether it takes writes)."""
    found = re.findall(r"^  (\S+):\d+  virtual IP: (.*); takes writes: (.*)$", body(mail), re.M)
    return {host: (vip, writes) for host, vip, writes in found}


def alarms(mail: Mail) -> list[str]:
    """The lines above everything else."""
    return [line for line in body(mail).splitlines() if line.startswith("!! ")]
