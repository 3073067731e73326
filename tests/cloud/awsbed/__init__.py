"""The parts of tests/cloud/aws_bed."""
