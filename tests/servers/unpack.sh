# What the recipes of tests/servers/fetch share: packages of another Debian, and programs that find their libraries.
# Uses $folder (the result), $work (thrown away) and fail() of its caller.

# unpack_debian SUITE PACKAGE...: the packages and all that they depend on, down to the C library, into $folder. apt checks
# Debian's signature and each file's checksum. The apt state is one of our own: the machine's stays as it is.
unpack_debian() {
  local suite=$1 mirror
  shift
  # The mirror that this machine is set to use, where it has Debian's archive.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' |
    sed -n 1p)  # to the end: with head, apt could die of the closed pipe
  mkdir -p "$work"/{lists/partial,archives/partial,unpacked}
  : >"$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian/} $suite main" \
    >"$work/sources.list"
  local apt=(apt-get -q -y
    -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
    -o Dir::State="$work" -o Dir::State::lists="$work/lists" -o Dir::State::status="$work/status"
    -o Dir::Cache="$work" -o Dir::Cache::archives="$work/archives"
    -o APT::Install-Recommends=0 -o APT::Architectures=amd64 -o APT::Architecture=amd64
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3)
  "${apt[@]}" update -o APT::Update::Error-Mode=any
  "${apt[@]}" install --download-only "$@"
  local package
  for package in "$work"/archives/*.deb; do dpkg-deb -x "$package" "$work/unpacked"; done
}

# keep FOLDER...: of what was unpacked, these folders, the shared libraries and the loader, nothing else.
keep() {
  local path from=$work/unpacked
  mkdir -p "$folder/lib"
  # Debian 12's packages, and older ones, still have /lib beside /usr/lib.
  find "$from" -path "*/lib/x86_64-linux-gnu/*.so*" -not -path '*/perl*' -not -path '*/gconv/*' -not -type d \
    -exec cp -a {} "$folder/lib/" \;
  for path in "$@"; do
    mkdir -p "$folder/$(dirname "$path")"
    cp -a "$from/usr/$path" "$folder/$path"
  done
}

# bind_programs PROGRAM...: lets programs of $folder run with the libraries of $folder/lib and the C library there, if
# one was kept there.
bind_programs() {
  local program loader
  for program in "$@"; do
    patchelf --force-rpath --set-rpath "$folder/lib" "$folder/$program"
    loader=$folder/lib/ld-linux-x86-64.so.2
    [ ! -e "$loader" ] || patchelf --set-interpreter "$loader" "$folder/$program"
  done
}

# require_version PROGRAM PREFIX: where Debian has moved on, a person must decide what is tested then.
require_version() {
  local said
  said=$("$folder/$1" --no-defaults --version)
  case "$said" in
    *" $2"*) ;;
    *) fail "wanted version $2, Debian has now: $said" ;;
  esac
}
