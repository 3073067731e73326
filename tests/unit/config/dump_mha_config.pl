# Prints what MHA itself makes of pairs of files (application, global): "F" and, for each server in MHA's
# order, "S" with its name and "K" with key and value, all hexadecimal; "E" where MHA refuses them.
use strict;
use warnings;
use MHA::Config;

sub hex_of { return '.' . unpack('H*', $_[0]); }

while (@ARGV) {
  my ($app, $global) = splice(@ARGV, 0, 2);
  print "F\n";
  my ($servers, $binlogs);
  eval {
    ($servers, $binlogs) = MHA::Config->new(file => $app, globalfile => $global)->read_config();
    1;
  } or do {
    print "E\n";
    next;
  };
  for my $server (@$servers, @$binlogs) {
    print join(' ', 'S', hex_of($server->{id})), "\n";
    for my $key (sort keys %$server) {
      next if $key eq 'id' or $key =~ /escaped_/ or !defined $server->{$key};
      print join(' ', 'K', hex_of($key), hex_of($server->{$key})), "\n";
    }
  }
}
