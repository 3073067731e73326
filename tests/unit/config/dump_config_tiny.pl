# Prints what Config::Tiny reads from each file named: "F" and, for each key in order, hexadecimal section,
# key and value; "-" for the key of an empty section; "E" where it refuses the file.
use strict;
use warnings;
use Config::Tiny;

sub hex_of { return '.' . unpack('H*', $_[0]); }

for my $file (@ARGV) {
  my $config = Config::Tiny->read($file);
  print "F\n";
  if (!defined $config) {
    print "E\n";
    next;
  }
  for my $section (sort keys %$config) {
    print join(' ', 'S', hex_of($section)), "\n";
    for my $key (sort keys %{ $config->{$section} }) {
      print join(' ', 'K', hex_of($key), hex_of($config->{$section}{$key})), "\n";
    }
  }
}
