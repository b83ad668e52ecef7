#!/bin/sh
# Drives every libFuzzer program for SECONDS each (60 by default) from the kept corpora and fails on the first broken promise.
# Usage: tests/fuzz/run.sh [SECONDS [TARGET…]]     needs the preset `fuzz` to be built, in build/fuzz or $REEVE_FUZZ_BUILD
# New inputs go to <build>/fuzz-found/TARGET and stay for the next run; what breaks is kept as <build>/fuzz-found/TARGET.broken-*.
set -eu
source=$(cd "$(dirname "$0")" && pwd)
build=${REEVE_FUZZ_BUILD:-$source/../../build/fuzz}
seconds=${1:-60}
[ $# -gt 0 ] && shift
found=$build/fuzz-found
failed=
count=0
for program in "$build"/tests/fuzz/fuzz_*; do
  name=$(basename "$program")
  [ -f "$program" ] && [ -x "$program" ] && [ -d "$source/corpus/$name" ] || continue
  if [ $# -gt 0 ]; then
    case " $* " in *" $name "*) ;; *) continue ;; esac
  fi
  mkdir -p "$found/$name"
  count=$((count + 1))
  if "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="$found/$name.broken-" "$found/$name" "$source/corpus/$name" > "$found/$name.log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$found/$name.log")
    echo "ok      $name  ${runs:-?} runs in $seconds s"
  else
    echo "BROKEN  $name  see $found/$name.log"
    tail -5 "$found/$name.log"
    failed="$failed $name"
  fi
done
[ "$count" -gt 0 ] || { echo "no fuzz programs in $build: build the preset fuzz first" >&2; exit 1; }
[ -z "$failed" ] || { echo "broken:$failed" >&2; exit 1; }
