#!/bin/sh
# What the compiler does not say: format, direction of includes, headers that stand alone, system calls only in sys.
#   check.sh [--format]
set -u
cd "$(dirname "$0")/.."
files=$(git ls-files -co --exclude-standard 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'tools/*.c' 'tools/*.h' 'bench/*.c' 'bench/*.h' 'bench/*.cc')
format=$(command -v clang-format-14 || command -v clang-format)
if [ "${1-}" = --format ]; then
    exec $format -i $files
fi
bad=0
complain() {
    printf '%s\n' "$*"
    bad=1
}

# 1. The formatter has nothing to say.
for f in $files; do
    $format --style=file "$f" | cmp -s - "$f" || complain "$f: not formatted; run 'make format'"
done

# 2. Folders depend downwards only. Each folder with what it may include.
allowed() {
    case $1 in
    base) echo base ;;
    wire) echo base wire ;;
    sys) echo base sys ;;
    api) echo base wire api ;;
    store) echo base wire sys api store ;;
    server) echo base wire sys api store server client ;;
    client) echo base wire sys api client ;;
    ctrl | sched | node | net | cli) echo base wire sys api client "$1" ;;
    esac
}
for f in $(printf '%s\n' $files | grep -E '^src/[a-z]+/' | grep -vE '_(test|fuzz)\.c$'); do
    folder=$(printf '%s' "$f" | cut -d/ -f2)
    ok=" $(allowed "$folder") "
    sed -n 's/^ *# *include *"\([a-z0-9_]*\)\/.*/\1/p' "$f" | sort -u | while read -r to; do
        case $ok in
        *" $to "*) ;;
        *) [ -d "src/$to" ] && echo "$f: includes from '$to', which '$folder' may not know" ;;
        esac
    done
done >build/check-includes.txt
[ -s build/check-includes.txt ] && { cat build/check-includes.txt; bad=1; }

# 3. Every header compiles alone, once.
for f in $(printf '%s\n' $files | grep '\.h$' | grep -v '^bench/'); do
    printf '#include "%s"\n' "${f#src/}" | sed 's|"tests/|"|; s|"tools/|"../tools/|' |
        gcc -std=gnu17 -D_GNU_SOURCE -iquote src -iquote tests -iquote build/gen -Wall -Wextra -Werror -fsyntax-only -x c - 2>build/check-header.txt ||
        { complain "$f: does not compile alone:"; cat build/check-header.txt; }
done

# 4. Words of the C library that have no place here.
for f in $(printf '%s\n' $files | grep '^src/' | grep '\.[ch]$'); do
    banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|strtol|strtoul|alloca|gets'
    [ "$f" = src/base/mem.c ] || banned="$banned|malloc|calloc|realloc|free|strdup"
    hits=$(grep -nE "(^|[^a-z_A-Z0-9>.])($banned) *\(" "$f" | grep -vE '^[0-9]+: *(/?\*|//)')
    [ -z "$hits" ] || complain "$f: heap calls go through base/mem.h, text through str and buf:
$hits"
done

[ $bad = 0 ] && echo "check: ok"
exit $bad
