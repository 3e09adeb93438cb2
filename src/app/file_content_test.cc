#include "app/file_content.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace sluice::app {
namespace {

TEST(FileContent, IsEveryByteOfTheFile) {
  const std::string path = testing::TempDir() + "file_content_test";
  std::string bytes(100'000, 'x');
  bytes[50'000] = '\0';
  std::ofstream(path, std::ios::binary) << bytes;
  const Result<std::string> text = file_content(path);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, bytes);
  std::filesystem::remove(path);
}

TEST(FileContent, SaysWhyThereIsNone) {
  const auto reason = [](std::string_view path) {
    const Result<std::string> text = file_content(path);
    return text ? std::string("read") : text.error().message();
  };
  EXPECT_EQ(reason(testing::TempDir()), "Is a directory");
  EXPECT_EQ(reason(testing::TempDir() + "no-such-file"), "No such file or directory");
  EXPECT_EQ(reason("/dev/zero"), "it is larger than 16 MiB");
}

TEST(FileContent, IsReplacedAsAWhole) {
  const std::string path = testing::TempDir() + "replaced";
  ASSERT_TRUE(replace_file(path, "old"));
  ASSERT_TRUE(replace_file(path, "new"));
  EXPECT_EQ(*file_content(path), "new");
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  std::filesystem::remove(path);
  const Result<void> nowhere = replace_file(testing::TempDir() + "no-such-folder/file", "new");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().message(), "No such file or directory");
}

}  // namespace
}  // namespace sluice::app
