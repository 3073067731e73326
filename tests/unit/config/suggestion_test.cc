// "Did you mean", for what people mistype.
#include "config/suggestion.h"

#include <gtest/gtest.h>

namespace mha {
namespace {

TEST(Suggestion, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("vip_type", "vip_tpye"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggestion, NamesTheNearest) {
  const std::vector<std::string_view> known = {"smtp_host", "smtp_port", "smtp_password_file",
                                               "vip_type"};
  EXPECT_EQ(did_you_mean("smpt_host", known), "; did you mean 'smtp_host'?");
  EXPECT_EQ(did_you_mean("smtp-port", known), "; did you mean 'smtp_port'?");
  EXPECT_EQ(did_you_mean("smtp_password", known), "; did you mean 'smtp_password_file'?");
  EXPECT_EQ(did_you_mean("viptype", known), "; did you mean 'vip_type'?");
  EXPECT_EQ(did_you_mean("colour", known), "");
  EXPECT_EQ(did_you_mean("", known), "");
  EXPECT_EQ(did_you_mean(std::string(5000, 's'), known), "");
}

TEST(Suggestion, NeedsALetterInCommon) { EXPECT_EQ(did_you_mean("xy", {"ab"}), ""); }

}  // namespace
}  // namespace mha
