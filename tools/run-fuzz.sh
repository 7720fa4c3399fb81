#!/bin/sh
# Fuzzes one target, or all of them, as many at once as there are cores, each for some seconds. New inputs go to
# build/corpus/TARGET, the committed ones of tests/corpus/TARGET are the start; a finding is left in build/findings/ and
# makes the run fail.
#   run-fuzz.sh TARGET|'' SECONDS
set -eu
fuzzer=build/fuzz/skiff-fuzz
if [ "${1-}" = --one ]; then
    t=$2 seconds=$3
    mkdir -p "build/corpus/$t" "tests/corpus/$t" build/findings
    log=build/findings/$t.log
    if SKIFF_FUZZ=$t $fuzzer -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="build/findings/$t-" "build/corpus/$t" "tests/corpus/$t" >"$log" 2>&1; then
        printf '%-20s %4s s %12s inputs, %6s new, no finding\n' "$t" "$seconds" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
            "$(sed -n 's/^stat::new_units_added: *//p' "$log")"
        exit 0
    fi
    tail -n 60 "$log"
    echo "fuzz target '$t' has a finding; the input is in build/findings/"
    exit 1
fi
symbolizer=$(command -v llvm-symbolizer-14 || true)
[ -n "$symbolizer" ] && export ASAN_SYMBOLIZER_PATH="$symbolizer"
for t in ${1:-$(SKIFF_FUZZ=list $fuzzer)}; do echo "$t"; done |
    xargs -P "$(nproc)" -I '{}' "$0" --one '{}' "$2"
