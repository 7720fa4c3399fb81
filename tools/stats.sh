#!/bin/sh
# The code in numbers: for each folder its files, lines (code, tests apart) and the longest function.
set -u
cd "$(dirname "$0")/.."
longest() {
    awk '
        FNR == 1 { inside = 0 }
        /^[a-zA-Z_].*[)]$/ || /^[a-zA-Z_][^;={]*[(][^;{]*$/ { name = $0; sub(/[(].*/, "", name); sub(/.*[ *]/, "", name) }
        /^{$/ { start = FNR; inside = 1 }
        /^}$/ && inside { n = FNR - start - 1; inside = 0
            if (n > best) { best = n; who = name; where = FILENAME } }
        END { if (best) printf "%d lines, %s in %s", best, who, where }
    ' "$@"
}
printf '%-14s %6s %8s %6s %8s   %s\n' folder files lines tests lines 'longest function'
for folder in api src/base src/wire src/sys src/api src/client tests tools bench; do
    all=$(find "$folder" -type f \( -name '*.c' -o -name '*.h' -o -name '*.api' -o -name '*.def' -o -name '*.sh' -o -name '*.cc' \) 2>/dev/null)
    [ -n "$all" ] || continue
    tests=$(printf '%s\n' "$all" | grep -E '_(test|fuzz|testing|suite_test)\.[ch]$')
    code=$(printf '%s\n' "$all" | grep -vE '_(test|fuzz|testing|suite_test)\.[ch]$')
    c=$(printf '%s\n' "$code" | grep '\.c$')
    printf '%-14s %6d %8d %6d %8d   %s\n' "$folder" "$(printf '%s\n' "$code" | wc -l)" \
        "$(cat $code | wc -l)" "$(printf '%s' "$tests" | grep -c .)" "$([ -n "$tests" ] && cat $tests | wc -l || echo 0)" \
        "$([ -n "$c" ] && longest $c)"
done
if [ -x build/skiff ]; then
    size build/skiff
    ls -l build/skiff | awk '{ printf "build/skiff: %.1f MB with symbols\n", $5 / 1048576 }'
fi
