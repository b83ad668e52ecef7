#include "cli/complete.h"

#include <fmt/format.h>

#include <vector>

#include "cli/command.h"
#include "cli/finding_words.h"
#include "cli/help.h"

namespace reeve::cli {
namespace {

class Answer {
 public:
  explicit Answer(std::string_view prefix) : prefix_(prefix) {}
  void Offer(std::string_view candidate, std::string_view description = {}) {
    if (!candidate.starts_with(prefix_)) return;
    text_ += candidate;
    if (!description.empty()) text_ += fmt::format("\t{}", description);
    text_ += '\n';
  }
  void Directive(std::string_view directive) { directive_ = directive; }
  [[nodiscard]] std::string Text() const { return text_ + fmt::format(":{}\n", directive_); }

 private:
  std::string_view prefix_;
  std::string text_;
  std::string_view directive_ = "none";
};

// `lead` stands before the value in the same word ("--from=").
void OfferValues(Kind kind, std::span<const std::string_view> choices, std::string_view lead, std::string_view value, Answer* answer) {
  const auto offer = [&](std::string_view text) { answer->Offer(std::string(lead) + std::string(text)); };
  switch (kind) {
    case Kind::kChoice:
      for (std::string_view choice : choices) offer(choice);
      return;
    case Kind::kFile: answer->Directive("files"); return;
    case Kind::kDir: answer->Directive("dirs"); return;
    case Kind::kEstate:
    case Kind::kStore:
      if (value.starts_with("export:")) return answer->Directive("dirs");
      if (value.starts_with("sqlite:")) return answer->Directive("files");
      if (value.starts_with("bigquery:")) return;
      if (kind == Kind::kEstate) offer("export:");
      offer("sqlite:");
      offer("bigquery:");
      answer->Directive("nospace");
      return;
    default: return;
  }
}

struct Context {
  const Command* command = nullptr;
  std::string_view group;           // first word of a two-word command whose second is not there yet
  const Option* waiting = nullptr;  // the option whose value is being written
  bool only_arguments = false;      // after --
};

Context Read(std::span<const std::string> words) {
  Context context;
  for (const std::string& word : words) {
    if (context.waiting != nullptr) {
      context.waiting = nullptr;
    } else if (context.only_arguments) {
      continue;
    } else if (word == "--") {
      context.only_arguments = true;
    } else if (word.size() > 1 && word[0] == '-') {
      if (word.find('=') != std::string::npos) continue;
      const Option* option = nullptr;
      if (word.starts_with("--")) option = FindOption(context.command, std::string_view(word).substr(2));
      for (const Option& global : GlobalOptions())
        if (word.size() == 2 && global.letter == word[1]) option = &global;
      if (option != nullptr && option->kind != Kind::kFlag) context.waiting = option;
    } else if (!context.group.empty() && context.command == nullptr) {
      context.command = FindCommand(fmt::format("{} {}", context.group, word));
    } else if (context.command == nullptr) {
      context.command = FindCommand(word);
      if (context.command == nullptr) context.group = word;
    }
  }
  return context;
}

void OfferOptions(const Command* command, Answer* answer) {
  const auto offer = [&](std::span<const Option> options) {
    for (const Option& option : options) answer->Offer("--" + std::string(option.name), option.help);
  };
  if (command != nullptr) offer(command->options);
  offer(GlobalOptions());
}

void OfferArguments(const Context& context, std::string_view current, Answer* answer) {
  if (context.command == nullptr && context.group.empty()) {
    for (std::string_view word : FirstWords()) {
      const Command* command = FindCommand(word);
      answer->Offer(word, command != nullptr ? command->summary : std::string_view());
    }
    return;
  }
  if (context.command == nullptr) {
    for (std::string_view word : SecondWords(context.group))
      answer->Offer(word, FindCommand(fmt::format("{} {}", context.group, word))->summary);
    return;
  }
  if (context.command->path == "help") {
    for (std::string_view word : FirstWords()) answer->Offer(word);
    for (const Topic& topic : Topics()) answer->Offer(topic.name, topic.summary);
  } else if (context.command->path == "explain finding") {
    for (const CodeWords& words : AllCodeWords()) answer->Offer(words.code);
  } else {
    OfferValues(context.command->positional.kind, context.command->positional.choices, "", current, answer);
  }
}

}  // namespace

std::string Complete(std::span<const std::string> words) {
  const std::string current = words.empty() ? std::string() : words.back();
  const Context context = Read(words.empty() ? words : words.first(words.size() - 1));
  Answer answer(current);
  const size_t equals = current.find('=');
  if (context.waiting != nullptr) {
    OfferValues(context.waiting->kind, context.waiting->choices, "", current, &answer);
  } else if (!context.only_arguments && current.starts_with("--") && equals != std::string::npos) {
    const Option* option = FindOption(context.command, std::string_view(current).substr(2, equals - 2));
    if (option != nullptr)
      OfferValues(option->kind, option->choices, std::string_view(current).substr(0, equals + 1), std::string_view(current).substr(equals + 1), &answer);
  } else if (!context.only_arguments && current.starts_with("-")) {
    OfferOptions(context.command, &answer);
  } else {
    OfferArguments(context, current, &answer);
  }
  return answer.Text();
}

}  // namespace reeve::cli
