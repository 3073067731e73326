// Which network interfaces are those of a host and of its counterpart.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "config/vip_site.h"
#include "vip/ec2_api.h"

namespace mha {

// Found by aws_interface_id; else by the host's address (and aws_instance_id, where it is set);
// else as the first interface of aws_instance_id. Once found, they are kept. Not thread-safe.
class AwsPlace {
 public:
  AwsPlace(VipSite site, const VipSite* counterpart, Ec2Api& ec2);

  // One call where both hosts are found in the same way, else two. Looks again only as long as this
  // host's interface is not found. That there is none is no error; kConfig where the settings do
  // not say enough, kRefused where several fit.
  Status find(Deadline deadline);

  // After find(): nullptr where there is no such interface.
  [[nodiscard]] const Ec2Interface* own() const { return own_ ? &*own_ : nullptr; }
  [[nodiscard]] const Ec2Interface* counterpart() const {
    return counterpart_ ? &*counterpart_ : nullptr;
  }
  // After find(): kRefused where there is none.
  [[nodiscard]] Status own_is_there() const;
  // find(), and own_is_there().
  Status need_own(Deadline deadline);

  [[nodiscard]] const VipSite& site() const { return site_; }
  [[nodiscard]] const AwsSettings& settings() const { return site_.settings.aws; }
  [[nodiscard]] bool has_counterpart() const { return counterpart_site_.has_value(); }
  // "host 'db1'"
  [[nodiscard]] std::string title() const;
  // The address by which the interface is looked for; empty: by an id.
  [[nodiscard]] std::string looked_for_address() const;
  // The interface's id for a command: as found, as written, or a command that asks for it.
  [[nodiscard]] std::string id_for_command() const;
  // "aws ec2 VERB --region R --profile P", what of it is set.
  [[nodiscard]] std::string command(const std::string& verb) const;

 private:
  VipSite site_;
  std::optional<VipSite> counterpart_site_;
  Ec2Api& ec2_;
  std::optional<Ec2Interface> own_;
  std::optional<Ec2Interface> counterpart_;
};

}  // namespace mha
