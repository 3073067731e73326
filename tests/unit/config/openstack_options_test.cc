// The options of vip_type=openstack: forms of ids, and what each mode needs.
#include "config/openstack_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/helper_file.h"
#include "unit/config/temp_folder.h"

namespace mha {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kId = "0f1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9";

class OpenstackOptionsTest : public testing::Test {
 protected:
  std::vector<std::string> remarks(const std::string& rest) {
    folder_.write("app.conf", "[default]\nvip_type = openstack\n" + rest + "[db1]\n");
    read_ = read_helper_file(file_);
    std::vector<std::string> texts;
    for (const Diagnostic& diagnostic : read_.diagnostics) texts.push_back(diagnostic.text());
    return texts;
  }

  const TempFolder folder_;
  const std::string file_ = folder_.path("app.conf");
  HelperFile read_;
};

TEST_F(OpenstackOptionsTest, AddressPairIsTheDefaultAndNeedsAnAddressOnAnInterface) {
  EXPECT_THAT(remarks("writer_vip_cidr = 10.0.1.100/24\ncluster_interface = eth0\n"), IsEmpty());
  EXPECT_THAT(remarks(""),
              ElementsAre(HasSubstr("writer_vip_cidr: openstack_mode = address_pair needs it"),
                          HasSubstr("cluster_interface: openstack_mode = address_pair needs it")));
  EXPECT_THAT(remarks("openstack_mode = fixed_ip\nwriter_vip_cidr = 10.0.1.100/24\n"),
              ElementsAre(HasSubstr("cluster_interface: openstack_mode = fixed_ip needs it")));
}

TEST_F(OpenstackOptionsTest, AFloatingIpIsFoundByItsIdOrItsAddress) {
  const std::string mode = "openstack_mode = floating_ip\n";
  EXPECT_THAT(remarks(mode + "openstack_floating_ip_id = " + kId + "\n"), IsEmpty());
  EXPECT_THAT(remarks(mode + "writer_vip_cidr = 203.0.113.10/32\n"), IsEmpty());
  EXPECT_THAT(remarks(mode), ElementsAre(HasSubstr("openstack_floating_ip_id: openstack_mode = "
                                                   "floating_ip without the floating address in "
                                                   "writer_vip_cidr needs it")));
  EXPECT_THAT(remarks(mode + "writer_vip_cidr = 2001:db8::10/64\n"),
              ElementsAre(file_ + ":4: [default] writer_vip_cidr: 2001:db8::10/64 is IPv6, and "
                                  "openstack_mode = floating_ip moves IPv4 addresses only"));
}

TEST_F(OpenstackOptionsTest, ValuesOfTheWrongFormNameFileLineSectionAndKey) {
  EXPECT_THAT(remarks("openstack_mode = vrrp\n"),
              ElementsAre(file_ + ":3: [default] openstack_mode: 'vrrp' is none of: address_pair, "
                                  "floating_ip, fixed_ip"));
  for (const char* key :
       {"openstack_port_id", "openstack_network_id", "openstack_floating_ip_id"}) {
    for (const char* id : {"db1", "0f1b2c3d4e5f60718293a4b5c6d7e8f9",
                           "0f1b2c3d-4e5f-6071-8293-a4b5c6d7e8fg", "eni-0f1b2c3d4e5f60718"}) {
      EXPECT_THAT(remarks(std::string(key) + " = " + id + "\n"),
                  ElementsAre(HasSubstr(file_ + ":3: [default] " + key + ": '" + id +
                                        "' is not an id like 0f1b2c3d-")));
    }
  }
  EXPECT_THAT(remarks("openstack_ca = ca.pem\n"),
              ElementsAre(HasSubstr("openstack_ca: 'ca.pem' is not an absolute path")));
}

TEST_F(OpenstackOptionsTest, IdsAreReadInAnyCase) {
  const auto options = openstack_options();
  HostDraft draft;
  for (const KnownOption& option : options) {
    if (option.name != "openstack_port_id") continue;
    option.parse("0F1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9").value()(draft);
  }
  EXPECT_EQ(draft.openstack.port_id, kId);
}

}  // namespace
}  // namespace mha
