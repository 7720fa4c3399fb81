#!/bin/sh
# Fuzzes one target, or each in turn, for some seconds. New inputs go to build/corpus/TARGET, the committed ones of
# tests/corpus/TARGET are the start; a finding is left in build/findings/ and ends the run.
#   run-fuzz.sh TARGET|'' SECONDS
set -eu
target=$1 seconds=$2
fuzzer=build/fuzz/skiff-fuzz
targets=${target:-$(SKIFF_FUZZ='' $fuzzer 2>/dev/null || true)}
symbolizer=$(command -v llvm-symbolizer-14 || true)
[ -n "$symbolizer" ] && export ASAN_SYMBOLIZER_PATH="$symbolizer"
mkdir -p build/findings
for t in $targets; do
    mkdir -p "build/corpus/$t" "tests/corpus/$t"
    echo "fuzzing $t for $seconds s"
    log=build/findings/$t.log
    if ! SKIFF_FUZZ=$t $fuzzer -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="build/findings/$t-" "build/corpus/$t" "tests/corpus/$t" >"$log" 2>&1; then
        tail -n 60 "$log"
        echo "fuzz target '$t' has a finding; the input is in build/findings/"
        exit 1
    fi
    grep -E 'number_of_executed_units|average_exec_per_sec|new_units_added' "$log" | sed "s/^stat::/    /"
done
