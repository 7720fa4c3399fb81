#!/bin/sh
# Runs the test program of each variant named and ends in one line of totals.
#   run-tests.sh FILTER SEED VARIANT...
set -u
filter=$1 seed=$2
shift 2
passed=0 failed=0 skipped=0 broken=0
counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
export ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=1:abort_on_error=0:allocator_may_return_null=0"
export UBSAN_OPTIONS="${UBSAN_OPTIONS-}:print_stacktrace=1"
export TSAN_OPTIONS="${TSAN_OPTIONS-}:halt_on_error=1"
symbolizer=$(command -v llvm-symbolizer-14 || true)
[ -n "$symbolizer" ] && export ASAN_SYMBOLIZER_PATH="$symbolizer" TSAN_OPTIONS="$TSAN_OPTIONS:external_symbolizer_path=$symbolizer"
for variant; do
    label=
    launcher=
    [ "$variant" = release ] || label=" ($variant)"
    # The thread sanitizer's shadow memory does not fit beside the wide address randomisation of newer kernels.
    [ "$variant" = tsan ] && launcher="setarch -R"
    : >"$counts"
    verbose=
    [ -n "$filter" ] && verbose=-v
    $launcher "build/$variant/skiff-test" $verbose --filter "$filter" --label "$label" --counts "$counts" ${seed:+--seed "$seed"} ||
        broken=1
    read -r p f s <"$counts" || { f=1 p=0 s=0; echo "the $variant test program did not finish"; }
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done
if [ $((passed + failed + skipped)) = 0 ]; then
    echo "no test has '$filter' in its name"
    exit 1
fi
if [ $skipped = 0 ]; then
    echo "$passed passed, $failed failed"
else
    echo "$passed passed, $failed failed, $skipped skipped"
fi
[ $failed = 0 ] && [ $broken = 0 ]
