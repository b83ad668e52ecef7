#include "cli/manual.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/settings.h"

namespace reeve::cli {
namespace {

// Text that roff prints as it is: backslashes, hyphens (so that options can be copied) and lines that begin with a control character.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (text.substr(i).starts_with("…")) {
      out += "...";
      i += std::string_view("…").size() - 1;
    } else {
      out += c;
    }
  }
  return out;
}

// Paragraphs; runs of lines that begin with a space become examples in fixed layout.
std::string RoffText(std::string_view text) {
  std::string out;
  bool fixed = false;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool is_fixed = line.starts_with(' ');
    if (is_fixed != fixed) out += is_fixed ? ".PP\n.nf\n" : ".fi\n";
    fixed = is_fixed;
    if (line.empty()) continue;
    if (!is_fixed) out += ".PP\n";
    out += Roff(line) + "\n";
  }
  return fixed ? out + ".fi\n" : out;
}

std::string RoffOption(const Option& option) {
  std::string names = OptionNames(option);
  names.erase(0, names.find_first_not_of(' '));
  return fmt::format(".TP\n\\fB{}\\fR\n{}\n", Roff(names), Roff(OptionText(option)));
}

std::string RoffCommand(const Command& command) {
  std::string out = fmt::format(".SS \"{}\"\n{}.\n.PP\n.nf\n\\fB{}\\fR\n.fi\n", Roff(fmt::format("reeve {}", command.path)), Roff(command.summary),
                                Roff(UsageLine(command)));
  if (!command.text.empty()) out += RoffText(command.text);
  if (!command.positional.name.empty())
    out += fmt::format(".TP\n\\fI{}\\fR\n{}\n", Roff(command.positional.name), Roff(command.positional.help));
  for (const Option& option : command.options) out += RoffOption(option);
  if (!command.examples.empty()) out += ".PP\nExamples:\n";
  for (const Example& example : command.examples)
    out += fmt::format(".PP\n.nf\n  {}\n.fi\n.RS 6\n{}\n.RE\n", Roff(example.line), Roff(example.what));
  return out;
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c == '-' ? ' ' : c;
  return out;
}

std::string MarkdownOptions(std::span<const Option> options) {
  std::string out = "| option | |\n|---|---|\n";
  for (const Option& option : options) {
    std::string names = OptionNames(option);
    names.erase(0, names.find_first_not_of(' '));
    std::string text;
    for (char c : OptionText(option)) text += c == '|' ? std::string("\\|") : std::string(1, c);
    out += fmt::format("| `{}` | {} |\n", names, text);
  }
  return out;
}

std::string MarkdownCommand(const Command& command) {
  std::string out = fmt::format("### reeve {}\n\n{}.\n\n```\n", command.path, command.summary);
  for (const Example& example : command.examples) out += fmt::format("{}    # {}\n", example.line, example.what);
  out += fmt::format("```\n\nUsage: `{}`\n", UsageLine(command));
  std::string_view text = command.text;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out += fmt::format("\n{}\n", text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  if (!command.positional.name.empty()) out += fmt::format("\n`{}`: {}.\n", command.positional.name, command.positional.help);
  if (!command.options.empty()) out += "\n" + MarkdownOptions(command.options);
  return out + "\n";
}

}  // namespace

std::string ManPage() {
  std::string out = fmt::format(
      ".TH REEVE 1 \"\" \"reeve {}\" \"User Commands\"\n.SH NAME\nreeve \\- move a data platform's customers into one central dataset\n"
      ".SH SYNOPSIS\n.B reeve\n\\fICOMMAND\\fR [options]\n.SH DESCRIPTION\n"
      "reeve moves customers, API keys, credentials and usage from one legacy dataset per tenant into one central dataset, proves every tenant row by "
      "row, and takes a tenant back without losing a revocation.\n.SH COMMANDS\n",
      REEVE_VERSION);
  for (const Command& command : Commands())
    if (!command.hidden) out += RoffCommand(command);
  out += ".SH OPTIONS OF EVERY COMMAND\n";
  for (const Option& option : GlobalOptions()) out += RoffOption(option);
  for (const Topic& topic : Topics()) {
    const std::string heading = topic.name == "exit-codes" ? "EXIT STATUS" : Upper(topic.name);
    out += fmt::format(".SH {}\n{}", heading, RoffText(topic.text));
  }
  out += ".SH FILES\n.TP\n\\&./reeve.toml, $XDG_CONFIG_HOME/reeve/reeve.toml, /etc/reeve/reeve.toml\nSettings; the first that exists.\n"
         ".TP\nFILE.journal, FILE.deadletter.jsonl\nBeside a store FILE: how far every tenant is, and what could not be moved.\n";
  return out;
}

std::string MarkdownPage() {
  std::string out =
      "# The command line\n\n"
      "Generated from the command table (`src/cli/command_table.cc`) by `reeve __docs`; a test keeps it equal. `reeve help COMMAND` prints the same.\n\n"
      "| command | |\n|---|---|\n";
  for (const Command& command : Commands())
    if (!command.hidden) out += fmt::format("| `reeve {}` | {} |\n", command.path, command.summary);
  out += "\n## Options of every command\n\n" + MarkdownOptions(GlobalOptions()) + "\n## Commands\n\n";
  for (const Command& command : Commands())
    if (!command.hidden) out += MarkdownCommand(command);
  out += "## Topics\n";
  for (const Topic& topic : Topics()) {
    auto help = HelpOn(std::vector<std::string>{std::string(topic.name)});
    out += fmt::format("\n### {}\n\n```\n{}```\n", topic.name, help.value_or(""));
  }
  return out;
}

}  // namespace reeve::cli
