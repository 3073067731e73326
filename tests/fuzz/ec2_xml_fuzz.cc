// Answers of EC2, and of the metadata service's JSON.
#include "fuzz/one_answer.h"
#include "vip/aws_credentials.h"
#include "vip/ec2_api.h"

namespace mha::fuzz {
namespace {

constexpr Milliseconds kTime{100};

std::optional<std::string> keys(const std::string& name) {
  if (name == "AWS_ACCESS_KEY_ID") return "AKIATEST";
  if (name == "AWS_SECRET_ACCESS_KEY") return "planted-secret-key";
  return std::nullopt;
}

// One answer as the answer to each call.
class Calls {
 public:
  // A name that the answer gives (a role's) may be shown; what it calls a key may not.
  explicit Calls(std::string_view input)
      : may_show_(input.find("SecretAccessKey") == std::string_view::npos),
        answer_(input, clock_) {}

  void describe() {
    const auto interfaces = api_.interfaces({{"vpc-id", {"vpc-1"}}}, soon());
    check(interfaces.status());
    if (interfaces.ok()) {
      for (const Ec2Interface& one : interfaces.value()) {
        must(!one.id.empty(), "an interface has an id");
      }
    }
    check(api_.address("eipalloc-1", soon()).status());
    const auto tables = api_.route_tables({"rtb-1", "rtb-2"}, soon());
    check(tables.status());
    if (tables.ok()) must(tables.value().size() == 2, "as many tables as were asked for");
    check(api_.subnet_range("subnet-1", soon()).status());
    check(api_.vpc_ranges("vpc-1", soon()).status());
    check(api_.instance_type("i-1", soon()).status());
    check(api_.addresses_per_interface("t3.small", soon()).status());
  }

  void change() {
    for (const Ec2Change& one :
         {assign_private_ip("eni-1", "10.0.1.100"), delete_route("rtb-1", "10.9.0.1/32")}) {
      const auto outcome = api_.change(one, soon());
      check(outcome.status());
      if (outcome.ok()) check(outcome.value().status());
      check(api_.dry_run(one, soon()));
    }
  }

  // The role's keys, as the same text.
  void ask_metadata() {
    const Environ nothing = [](const std::string& /*name*/) { return std::nullopt; };
    const CloudPorts ports{answer_, nothing, clock_, log_};
    AwsIdentity identity(ports, "", "", "app1.conf: [db1]");
    const auto found = identity.credentials(soon());
    check(found.status());
    if (found.ok()) must(!found.value().access_key_id.empty(), "keys that were found are there");
    // What is no region is shown, and was no answer to a question for keys.
    const auto region = identity.region(soon());
    if (!region.ok()) must_be_one_line(region.error().message);
  }

 private:
  void check(const Status& status) const {
    if (status.ok()) return;
    must_be_one_line(status.error().message);
    must(may_show_ || status.error().message.find("planted-secret-key") == std::string::npos,
         "no key is shown");
  }
  Deadline soon() { return clock_.deadline_after(kTime); }

  bool may_show_;
  FakeClock clock_;
  FakeLog log_;
  OneAnswer answer_;
  const Environ environ_ = keys;
  Ec2Api api_{{answer_, environ_, clock_, log_}, "", "eu-west-1", "", "app1.conf: [db1]"};
};

}  // namespace

void try_input(std::string_view input) {
  Calls calls(input);
  calls.describe();
  calls.change();
  calls.ask_metadata();
}

}  // namespace mha::fuzz
