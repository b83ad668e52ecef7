#include "cli/complete.h"

namespace reeve::cli {
namespace {

// Bash splits words at ":" and "="; the words are taken from the line instead, and candidates are cut back to what bash will replace.
constexpr std::string_view kBash = R"sh(# bash completion for reeve; load with: source <(reeve completion bash)
_reeve() {
  local line=${COMP_LINE:0:COMP_POINT} cur out directive lead item
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${words[${#words[@]}-1]}
  out=$("${words[0]}" __complete "${words[@]:1}" 2>/dev/null) || return 0
  directive=${out##*:}
  lead=
  [[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] && lead=${cur%"${cur##*:}"}
  [[ $COMP_WORDBREAKS == *=* && $cur == --*=* && -z $lead ]] && lead=${cur%"${cur##*=}"}
  COMPREPLY=()
  while IFS= read -r item; do
    [[ $item == :* ]] && break
    item=${item%%$'\t'*}
    COMPREPLY+=("${item#"$lead"}")
  done <<< "$out"
  local path=${cur##*[:=]}
  case $directive in
    files) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$path") ;;
    dirs) compopt -o filenames; mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$path") ;;
    nospace) compopt -o nospace ;;
  esac
}
complete -F _reeve reeve
)sh";

constexpr std::string_view kZsh = R"sh(#compdef reeve
# zsh completion for reeve; put it into a directory of $fpath as _reeve, or load it with: source <(reeve completion zsh)
_reeve() {
  local out directive line name
  local -a candidates
  out=$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null) || return 1
  directive=${out##*:}
  for line in "${(@f)out}"; do
    [[ $line == :* ]] && break
    name=${line%%$'\t'*}
    name=${name//:/\\:}
    if [[ $line == *$'\t'* ]]; then candidates+=("$name:${line#*$'\t'}"); else candidates+=("$name"); fi
  done
  case $directive in
    files) compset -P '*[:=]'; _files ;;
    dirs) compset -P '*[:=]'; _files -/ ;;
    nospace) _describe -t values value candidates -S '' ;;
    *) _describe -t values value candidates ;;
  esac
}
if [[ $funcstack[1] == _reeve ]]; then _reeve "$@"; else compdef _reeve reeve; fi
)sh";

constexpr std::string_view kFish = R"sh(# fish completion for reeve; save as ~/.config/fish/completions/reeve.fish
function __reeve_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l out ($words[1] __complete $words[2..-1] 2>/dev/null)
    or return
    set -l directive $out[-1]
    for line in $out[1..-2]
        echo $line
    end
    set -l current $words[-1]
    set -l path (string replace -r '^.*[:=]' '' -- $current)
    set -l lead (string sub -l (math (string length -- $current) - (string length -- $path)) -- $current)
    switch $directive
        case ':files'
            for file in (__fish_complete_path $path)
                echo $lead$file
            end
        case ':dirs'
            for file in (__fish_complete_directories $path)
                echo $lead$file
            end
    end
end
complete -c reeve -f -a '(__reeve_complete)'
)sh";

}  // namespace

std::optional<std::string_view> CompletionScript(std::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  if (shell == "fish") return kFish;
  return std::nullopt;
}

}  // namespace reeve::cli
