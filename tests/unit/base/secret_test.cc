// Secrets leave nothing behind in the memory that they used.
#include "base/secret.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

namespace {

// Watches one block of the heap: what is in it when it is given back.
const void* watched_block = nullptr;
std::size_t watched_size = 0;
bool watched_block_came_back = false;
bool watched_block_was_zero = false;

void look_at(const void* block) {
  if (block == nullptr || block != watched_block) return;
  const char* bytes = static_cast<const char*>(block);
  watched_block_came_back = true;
  watched_block_was_zero =
      std::all_of(bytes, bytes + watched_size, [](char byte) { return byte == '\0'; });
  watched_block = nullptr;
}

void watch(const std::string& text) {
  watched_block = text.data();
  watched_size = text.size();
  watched_block_came_back = false;
  watched_block_was_zero = false;
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* block = std::malloc(size == 0 ? 1 : size)) return block;
  throw std::bad_alloc();
}
void operator delete(void* block) noexcept {
  look_at(block);
  std::free(block);
}
void operator delete(void* block, std::size_t /*size*/) noexcept {
  look_at(block);
  std::free(block);
}

namespace mha {
namespace {

// Longer than what std::string keeps in itself.
const char* const kLong = "a password that does not fit into the string object itself";

template <typename T>
concept Streamable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Streamable<Secret>);
static_assert(!fmt::is_formattable<Secret>::value);
static_assert(!std::is_convertible_v<Secret, std::string>);

TEST(SecretTest, TheWatchSeesAnUnwipedString) {
  auto text = std::make_unique<std::string>(kLong);
  watch(*text);
  text.reset();
  ASSERT_TRUE(watched_block_came_back);
  EXPECT_FALSE(watched_block_was_zero);
}

TEST(SecretTest, HeapIsWipedWhenItGoes) {
  auto secret = std::make_unique<Secret>(std::string{kLong});
  ASSERT_EQ(secret->reveal(), kLong);
  watch(secret->reveal());
  secret.reset();
  ASSERT_TRUE(watched_block_came_back);
  EXPECT_TRUE(watched_block_was_zero);
}

TEST(SecretTest, AShortOneIsWipedInPlace) {
  alignas(Secret) unsigned char memory[sizeof(Secret)];
  const std::string needle = "s3cr3t!";
  const auto memory_has_it = [&] {
    return std::search(std::begin(memory), std::end(memory), needle.begin(), needle.end()) !=
           std::end(memory);
  };
  auto* secret = new (memory) Secret(std::string{needle});
  ASSERT_TRUE(memory_has_it());
  std::destroy_at(secret);
  EXPECT_FALSE(memory_has_it());
}

TEST(SecretTest, TheArgumentIsWipedToo) {
  std::string given = kLong;
  watch(given);
  const Secret secret{std::move(given)};
  EXPECT_EQ(secret.reveal(), kLong);
  ASSERT_TRUE(watched_block_came_back) << "the argument's memory lives on";
  EXPECT_TRUE(watched_block_was_zero);
}

TEST(SecretTest, AssignmentWipesWhatWasThere) {
  Secret secret{std::string{kLong}};
  watch(secret.reveal());
  const std::size_t size = watched_size;
  const Secret shorter{std::string{"short"}};
  secret = shorter;
  EXPECT_EQ(secret.reveal(), "short");
  if (watched_block_came_back) {
    EXPECT_TRUE(watched_block_was_zero);
  } else {
    // The block is used again: nothing of the old value stands behind the new one.
    const char* bytes = secret.reveal().data();
    EXPECT_TRUE(std::all_of(bytes + 5, bytes + size, [](char byte) { return byte == '\0'; }));
  }
}

TEST(SecretTest, MovingLeavesNothingBehind) {
  for (const std::string text : {"short", kLong}) {
    Secret from{std::string{text}};
    Secret to{std::move(from)};
    EXPECT_EQ(to.reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): the contract
    Secret assigned;
    assigned = std::move(to);
    EXPECT_EQ(assigned.reveal(), text);
    EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
  }
}

// A moved std::string keeps a short value's characters: here they must not stay.
TEST(SecretTest, MovingAShortOneWipesTheOldPlace) {
  const std::string needle = "s3cr3t!";
  Secret from{std::string{needle}};
  const Secret to{std::move(from)};
  const auto* bytes = reinterpret_cast<const char*>(&from);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(std::search(bytes, bytes + sizeof from, needle.begin(), needle.end()),
            bytes + sizeof from);
  EXPECT_EQ(to.reveal(), needle);
}

TEST(SecretTest, ACopyIsItsOwn) {
  auto first = std::make_unique<Secret>(std::string{kLong});
  const Secret second = *first;
  first.reset();
  EXPECT_EQ(second.reveal(), kLong);
}

TEST(SecretTest, SelfAssignmentKeepsTheValue) {
  Secret secret{std::string{kLong}};
  Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.reveal(), kLong);
  secret = std::move(same);
  EXPECT_EQ(secret.reveal(), kLong);
}

}  // namespace
}  // namespace mha
