#include "env/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "tests/conformance/legacy_estate_dir.h"
#include "tests/fakes/faulty_files.h"

namespace reeve {
namespace {

using testing::Fault;
using testing::FaultyFiles;
using testing::TempDir;

class FilesTest : public ::testing::Test {
 protected:
  std::string At(std::string_view below) const { return dir_.path(below); }
  TempDir dir_;
  std::unique_ptr<Files> files_ = MakeSystemFiles();
};

TEST_F(FilesTest, ReadGivesTheWholeFileUpToItsLimit) {
  const std::string content(200'000, 'x');
  dir_.Write("a", content);
  EXPECT_EQ(*files_->Read(At("a"), 200'000), content);
  const auto refused = files_->Read(At("a"), 199'999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRefused);
  const auto absent = files_->Read(At("b"), 10);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Code::kNotFound);
  EXPECT_NE(absent.error().message.find(At("b")), std::string::npos);
}

TEST_F(FilesTest, OpenStreamsFromTheBeginning) {
  dir_.Write("a", "hello world");
  const auto reader = files_->Open(At("a"));
  ASSERT_TRUE(reader);
  char buffer[4];
  std::string all;
  for (;;) {
    const auto count = (*reader)->Read(buffer, sizeof buffer);
    ASSERT_TRUE(count);
    if (*count == 0) break;
    all.append(buffer, *count);
  }
  EXPECT_EQ(all, "hello world");
  EXPECT_EQ(files_->Open(At("b")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, ADirectoryIsNoFile) {
  EXPECT_FALSE(files_->Read(dir_.path(), 10));
  const auto reader = files_->Open(dir_.path());
  char buffer[4];
  EXPECT_FALSE(reader && (*reader)->Read(buffer, sizeof buffer));
}

TEST_F(FilesTest, WriteAtomicReplacesAndLeavesNothingElse) {
  ASSERT_TRUE(files_->WriteAtomic(At("a"), "one"));
  ASSERT_TRUE(files_->WriteAtomic(At("a"), "two", 0600));
  EXPECT_EQ(dir_.Read("a"), "two");
  struct stat info {};
  ASSERT_EQ(stat(At("a").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(files_->List(dir_.path())->size(), 1u);
}

TEST_F(FilesTest, AFailedWriteAtomicKeepsTheOldContent) {
  dir_.Write("d/inner", "old");
  EXPECT_FALSE(files_->WriteAtomic(At("d"), "new"));  // a directory with content cannot be replaced
  EXPECT_FALSE(files_->WriteAtomic(At("no/such/place"), "new"));
  EXPECT_EQ(dir_.Read("d/inner"), "old");
}

TEST_F(FilesTest, AFixedFileIsMadeOfZerosAndWrittenInPlace) {
  constexpr uint64_t kSize = 3'000'000;
  {
    const auto file = std::move(files_->OpenFixed(At("f"), kSize, 0600).value());
    EXPECT_EQ(dir_.Read("f"), std::string(kSize, '\0'));
    ASSERT_TRUE(file->WriteAt(kSize - 3, "end"));
    ASSERT_TRUE(file->WriteAt(7, "begin"));
    ASSERT_TRUE(file->Sync());
  }
  const auto again = std::move(files_->OpenFixed(At("f"), kSize, 0600).value());  // of its size: it keeps its bytes
  const std::string bytes = dir_.Read("f");
  EXPECT_EQ(bytes.size(), kSize);
  EXPECT_EQ(bytes.substr(7, 5), "begin");
  EXPECT_EQ(bytes.substr(kSize - 3), "end");
  ASSERT_TRUE(files_->OpenFixed(At("f"), 10, 0600));
  EXPECT_EQ(dir_.Read("f"), std::string(10, '\0')) << "of another size: made anew";
  EXPECT_FALSE(files_->OpenFixed(At("no/such/place"), 10, 0600));
}

TEST_F(FilesTest, AppendGoesOnWhereTheFileEnds) {
  {
    const auto file = files_->OpenAppend(At("log"));
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->Size(), 0u);
    ASSERT_TRUE((*file)->Append("abc"));
    ASSERT_TRUE((*file)->Sync());
  }
  const auto file = files_->OpenAppend(At("log"));
  ASSERT_TRUE(file);
  EXPECT_EQ((*file)->Size(), 3u);
  ASSERT_TRUE((*file)->Append("def"));
  EXPECT_EQ((*file)->Size(), 6u);
  ASSERT_TRUE((*file)->Truncate(4));
  ASSERT_TRUE((*file)->Append("!"));
  EXPECT_EQ((*file)->Size(), 5u);
  EXPECT_EQ(dir_.Read("log"), "abcd!");
}

TEST_F(FilesTest, CreateStartsAnew) {
  dir_.Write("log", "old and long");
  const auto file = files_->Create(At("log"));
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Append("new"));
  EXPECT_EQ((*file)->Size(), 3u);
  EXPECT_EQ(dir_.Read("log"), "new");
}

TEST_F(FilesTest, ReadAtFillsTheBufferOrFails) {
  dir_.Write("a", "0123456789");
  const auto reader = files_->OpenRandom(At("a"));
  ASSERT_TRUE(reader);
  char buffer[4] = {};
  ASSERT_TRUE((*reader)->ReadAt(3, buffer, 4));
  EXPECT_EQ(std::string_view(buffer, 4), "3456");
  EXPECT_FALSE((*reader)->ReadAt(7, buffer, 4));
  EXPECT_FALSE((*reader)->ReadAt(11, buffer, 1));
  EXPECT_EQ(files_->OpenRandom(At("b")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, ListIsSortedByBytesAndSaysWhatIsWhat) {
  dir_.Write("b", "12345");
  dir_.Write("a/x", "");
  dir_.Write("B", "");
  dir_.Write("\xC3\xB6", "");
  std::filesystem::create_symlink(At("b"), At("link"));
  const auto entries = files_->List(dir_.path());
  ASSERT_TRUE(entries);
  std::vector<std::string> names;
  for (const DirEntry& entry : *entries) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"B", "a", "b", "link", "\xC3\xB6"}));
  EXPECT_TRUE((*entries)[1].is_directory);
  EXPECT_EQ((*entries)[2].size, 5u);
  EXPECT_EQ((*entries)[3].size, 5u);  // links are followed
  EXPECT_EQ(files_->List(At("none")).error().code, Code::kNotFound);
}

TEST_F(FilesTest, AListingThatIsNotCompleteIsAnError) {
  std::filesystem::create_symlink(At("nowhere"), At("dangling"));
  EXPECT_FALSE(files_->List(dir_.path()));
}

TEST_F(FilesTest, MakeDirsRemoveAndRenameAreRepeatable) {
  ASSERT_TRUE(files_->MakeDirs(At("a/b/c")));
  ASSERT_TRUE(files_->MakeDirs(At("a/b/c")));
  dir_.Write("a/b/c/f", "x");
  ASSERT_TRUE(files_->Rename(At("a/b/c/f"), At("g")));
  EXPECT_TRUE(files_->Exists(At("g")));
  EXPECT_FALSE(files_->Exists(At("a/b/c/f")));
  ASSERT_TRUE(files_->Remove(At("g")));
  ASSERT_TRUE(files_->Remove(At("g")));
  EXPECT_FALSE(files_->Rename(At("g"), At("h")));
  dir_.Write("file", "");
  EXPECT_FALSE(files_->MakeDirs(At("file/below")));
}

TEST_F(FilesTest, TheSecondHolderOfALockIsToldWhoTheFirstIs) {
  auto first = files_->Lock(At("lock"), "pid 1 on host a");
  ASSERT_TRUE(first);
  const auto second = files_->Lock(At("lock"), "pid 2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kLocked);
  EXPECT_NE(second.error().message.find("pid 1 on host a"), std::string::npos);
  EXPECT_FALSE(second.error().hint.empty());
  first->reset();
  const auto third = files_->Lock(At("lock"), "3");
  ASSERT_TRUE(third);
  EXPECT_EQ(dir_.Read("lock"), "3");
}

TEST_F(FilesTest, ALockDiesWithItsProcess) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto lock = files_->Lock(At("lock"), "child");
    _exit(lock ? 0 : 1);  // without releasing it
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(files_->Lock(At("lock"), "parent"));
}

TEST_F(FilesTest, AFullDiskIsAnErrorWithAHint) {
  if (!files_->Exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto file = files_->OpenAppend("/dev/full");
  ASSERT_TRUE(file);
  const Result<> written = (*file)->Append("x");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().message.find("No space left"), std::string::npos);
  EXPECT_NE(written.error().hint.find("free some space"), std::string::npos);
}

TEST_F(FilesTest, NoPermissionIsAnErrorWithAHint) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  dir_.Write("secret", "x");
  ASSERT_EQ(chmod(At("secret").c_str(), 0), 0);
  EXPECT_NE(files_->Read(At("secret"), 10).error().hint.find("permissions"), std::string::npos);
}

TEST_F(FilesTest, FaultyFilesFailTheCallTheyAreToldToAndNoOther) {
  FaultyFiles faulty(files_.get());
  faulty.FailAt(2, Fault::kNoSpace, true);
  EXPECT_TRUE(faulty.WriteAtomic(At("a"), "1", 0644));
  EXPECT_FALSE(faulty.WriteAtomic(At("a"), "2", 0644));
  EXPECT_TRUE(faulty.WriteAtomic(At("b"), "3", 0644));
  EXPECT_EQ(dir_.Read("a"), "1");
  EXPECT_EQ(faulty.calls(), 3u);
  EXPECT_TRUE(faulty.Read(At("a"), 10));
  EXPECT_EQ(faulty.calls(), 3u);  // reads do not count unless asked
  faulty.FailAt(1, Fault::kTorn);
  EXPECT_FALSE(faulty.OpenAppend(At("c"), 0644));
  faulty.Heal();
  const auto file = faulty.OpenAppend(At("c"), 0644);
  ASSERT_TRUE(file);
  faulty.FailAt(1, Fault::kTorn);
  EXPECT_FALSE((*file)->Append("abcdef"));
  EXPECT_FALSE((*file)->Sync());
  EXPECT_EQ(dir_.Read("c"), "abc");
  faulty.CountReads(true);
  EXPECT_FALSE(faulty.Read(At("a"), 10));
  EXPECT_FALSE(faulty.List(dir_.path()));
}

}  // namespace
}  // namespace reeve
