// What the worlds of all clouds, fake and real, do alike: programs with drivers, hosts, sessions.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "component/vip/cloud_hosts.h"
#include "component/vip/cloud_world.h"
#include "fakes/fake_log.h"
#include "vip/factory.h"

namespace mha {

class CloudWorldBase : public CloudWorld {
 public:
  std::unique_ptr<VipDriver> driver(const std::string& host) override {
    if (first_ == nullptr) first_ = &add_program(CloudKeys::kGood);
    return make_driver(*first_, host, ShellUse::kWanted);
  }
  std::unique_ptr<VipDriver> driver_without_session(const std::string& host) override {
    return fresh_driver(host, CloudKeys::kGood, ShellUse::kNone);
  }
  std::unique_ptr<VipDriver> fresh_driver(const std::string& host, CloudKeys keys,
                                          ShellUse shell) override {
    return make_driver(add_program(keys), host, shell);
  }
  bool os_has(const std::string& host) override {
    return traits().has_os_part && hosts().has(host, vip_address());
  }
  void unplug(const std::string& host) override { hosts().unplug(host); }
  void end_sessions() override { shells_.clear(); }
  bool tells_whom_it_took_over_from() override { return true; }
  FakeLog& log() { return log_; }

 protected:
  virtual CloudHosts& hosts() = 0;
  // As it is on a host.
  [[nodiscard]] virtual std::string vip_address() const = 0;
  [[nodiscard]] virtual VipSite site_of(const std::string& host) = 0;
  // Of a program of its own.
  virtual std::unique_ptr<HttpClient> make_http(CloudKeys keys) = 0;
  virtual std::optional<std::string> variable(CloudKeys keys, const std::string& name) = 0;

 private:
  struct Program {
    Program(std::unique_ptr<HttpClient> the_http, Environ the_environ, Clock& clock, Log& log)
        : http(std::move(the_http)),
          environ(std::move(the_environ)),
          drivers(CloudPorts{*http, environ, clock, log}) {}
    std::unique_ptr<HttpClient> http;
    Environ environ;
    VipDrivers drivers;
  };

  Program& add_program(CloudKeys keys) {
    programs_.push_back(std::make_unique<Program>(
        make_http(keys), [this, keys](const std::string& name) { return variable(keys, name); },
        clock(), log_));
    return *programs_.back();
  }
  std::unique_ptr<VipDriver> make_driver(Program& program, const std::string& host,
                                         ShellUse shell) {
    const VipSite own = site_of(host);
    const VipSite other = site_of(host == "a" ? "b" : "a");
    RemoteShell* session = nullptr;
    if (shell != ShellUse::kNone && traits().has_os_part) {
      shells_.push_back(hosts().shell(host));
      session = shells_.back().get();
    }
    return program.drivers.make(own, &other, session);
  }

  FakeLog log_;
  std::vector<std::unique_ptr<Program>> programs_;
  Program* first_ = nullptr;
  std::vector<std::unique_ptr<RemoteShell>> shells_;
};

// One HttpClient, lent to several programs.
class LentHttp : public HttpClient {
 public:
  explicit LentHttp(HttpClient& lender) : lender_(lender) {}
  Result<HttpResponse> send(const HttpRequest& request, Deadline deadline) override {
    return lender_.send(request, deadline);
  }

 private:
  HttpClient& lender_;
};

}  // namespace mha
