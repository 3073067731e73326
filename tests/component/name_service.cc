// Namespaces for network and mounts, and a socket that nobody reads.
#include "component/name_service.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

namespace mha {
namespace {

bool bring_loopback_up() {
  const int any = socket(AF_INET, SOCK_DGRAM, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool up = ioctl(any, SIOCSIFFLAGS, &request) == 0;
  close(any);
  return up;
}

// Stays open for the rest of the process.
bool take_questions() {
  const int server = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
}

constexpr const char* kHosts = "/mnt/hosts";

// A file system of our own for the files below, so that nothing of it outlives us.
bool take_mnt() {
  return mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("none", "/mnt", "tmpfs", 0, nullptr) == 0;
}

// What `path` holds is from now on what `ours` holds.
bool replace(const char* path, const char* ours, const std::string& content) {
  std::ofstream{ours} << content;
  char* real = realpath(path, nullptr);
  if (real == nullptr) return false;
  const bool replaced = mount(ours, real, nullptr, MS_BIND, nullptr) == 0;
  std::free(real);
  return replaced;
}

bool replace_resolv_conf() {
  return replace("/etc/resolv.conf", "/mnt/resolv.conf",
                 "nameserver 127.0.0.1\noptions timeout:20 attempts:1\n");
}

}  // namespace

bool become_machine_with_silent_resolver() {
  return unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 && bring_loopback_up() && take_questions() &&
         take_mnt() && replace_resolv_conf();
}

bool become_machine_that_knows(const char* name, const char* address) {
  return unshare(CLONE_NEWNS) == 0 && take_mnt() && replace_resolv_conf() &&
         replace("/etc/hosts", kHosts, std::string{address} + " " + name + "\n");
}

void forget_the_name() { std::ofstream{kHosts, std::ios::trunc}; }

}  // namespace mha
