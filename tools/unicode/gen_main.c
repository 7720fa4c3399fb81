/* gen_main.c - writes unicode_tables.c for base/unicode.c: categories, scripts and letter cases of every code point.
 *     unicodegen FILE
 * PCRE2 is the database: it is asked about all of them, category by category, so that no table has to be kept by hand and
 * the program itself needs no library for them. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/utf8.h"
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS = 0x110000, CASED_MAX = 8000 };

static const char *const categories[] = {
#define CATEGORY(name) #name,
#include "base/unicode_categories.def"
#undef CATEGORY
};
static const char *const scripts[] = {
#define SCRIPT(name) #name,
#include "scripts.def"
#undef SCRIPT
};

static void die(const char *what)
{
    fprintf(stderr, "unicodegen: %s\n", what);
    exit(1);
}

/* Every code point that can be encoded, one after the other, and the offset of each. */
static char text[POINTS * UTF8_SIZE_MAX];
static size_t text_n;
static uint32_t offsets[POINTS + 1];

static void encode_all(void)
{
    for (uint32_t c = 0; c < POINTS; c++) {
        offsets[c] = (uint32_t)text_n;
        text_n += utf8_encode(c, text + text_n);
    }
    offsets[POINTS] = (uint32_t)text_n;
}

static pcre2_code *compile(const char *pattern)
{
    int code;
    PCRE2_SIZE at;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &at, NULL);
    if (!re)
        die(pattern);
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE); /* slower without, no more */
    return re;
}

/* Sets `value` wherever the pattern, which matches runs of them, matches. */
static size_t mark(const char *pattern, uint8_t *of, uint8_t value)
{
    pcre2_code *re = compile(pattern);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    size_t at = 0, marked = 0;
    uint32_t c = 0;
    while (pcre2_match(re, (PCRE2_SPTR)text, text_n, at, PCRE2_NO_UTF_CHECK, data, NULL) > 0) {
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
        while (offsets[c] < found[0])
            c++;
        for (; offsets[c] < found[1]; c++, marked++)
            of[c] = value;
        at = found[1];
    }
    pcre2_match_data_free(data);
    pcre2_code_free(re);
    return marked;
}

/* A row for each run of equal values: where it starts, and the value in the lowest bits. */
static void print_runs(FILE *out, const char *name, const uint8_t *of, unsigned bits)
{
    fprintf(out, "const uint32_t %s[] = {\n", name);
    size_t count = 0;
    for (uint32_t c = 0; c < POINTS; c++)
        if (c == 0 || of[c] != of[c - 1])
            fprintf(out, "%s%u,", count++ % 12 ? " " : "\n    ", c << bits | of[c]);
    fprintf(out, "\n};\nconst size_t %s_count = %zu;\n", name, count);
}

static uint8_t values[POINTS];

static void print_categories(FILE *out)
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        char pattern[32];
        snprintf(pattern, sizeof pattern, "\\p{%s}+", categories[i]);
        mark(pattern, values, (uint8_t)i);
    }
    for (uint32_t c = 0xd800; c < 0xe000; c++) /* cannot be encoded; Cs is the first category */
        values[c] = 0;
    print_runs(out, "unicode_category_runs", values, 5);
}

static void print_scripts(FILE *out)
{
    size_t count = sizeof scripts / sizeof *scripts;
    for (size_t i = 0; i < POINTS; i++)
        values[i] = UINT8_MAX;
    fprintf(out, "const char *const unicode_script_names[] = {\n");
    for (size_t i = 0; i < count; i++) {
        char pattern[64];
        snprintf(pattern, sizeof pattern, "\\p{sc:%s}+", scripts[i]);
        mark(pattern, values, (uint8_t)i);
        fprintf(out, "    \"%s\",\n", scripts[i]);
    }
    fprintf(out, "};\nconst size_t unicode_script_count = %zu;\n", count);
    print_runs(out, "unicode_script_runs", values, 8);
}

/* --- letter cases --- */

static uint32_t cased[CASED_MAX], next[CASED_MAX];
static size_t cased_count;

static void find_cased(void)
{
    for (size_t i = 0; i < POINTS; i++)
        values[i] = 0;
    /* Letters with case, and the numbers, signs and marks that have two. */
    mark("[\\p{L&}\\p{Nl}\\x{24b6}-\\x{24e9}\\x{345}]+", values, 1);
    for (uint32_t c = 0; c < POINTS; c++) {
        if (!values[c])
            continue;
        if (cased_count == CASED_MAX)
            die("more letters with case than expected");
        cased[cased_count++] = c;
    }
}

/* The next larger one that is the same but for its case; after the largest the smallest; itself when there is none. */
static uint32_t ring_next(uint32_t c, const char *all, size_t all_n)
{
    char pattern[32];
    snprintf(pattern, sizeof pattern, "(?i)\\x{%x}", c);
    pcre2_code *re = compile(pattern);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    size_t at = 0;
    uint32_t smallest = c, larger = UINT32_MAX;
    while (pcre2_match(re, (PCRE2_SPTR)all, all_n, at, PCRE2_NO_UTF_CHECK, data, NULL) > 0) {
        const PCRE2_SIZE *found = pcre2_get_ovector_pointer(data);
        uint32_t other;
        utf8_decode(str_of(all + found[0], found[1] - found[0]), &other);
        smallest = other < smallest ? other : smallest;
        larger = other > c && other < larger ? other : larger;
        at = found[1];
    }
    pcre2_match_data_free(data);
    pcre2_code_free(re);
    return larger != UINT32_MAX ? larger : smallest;
}

static void find_rings(void)
{
    static char all[CASED_MAX * UTF8_SIZE_MAX];
    size_t n = 0;
    for (size_t i = 0; i < cased_count; i++)
        n += utf8_encode(cased[i], all + n);
    for (size_t i = 0; i < cased_count; i++)
        next[i] = ring_next(cased[i], all, n);
}

/* Rows {first, last, step, next - code point}: neighbours, or every second one, with the same distance. */
static void print_rings(FILE *out)
{
    size_t rows = 0;
    static bool done[CASED_MAX];
    fprintf(out, "const struct unicode_ring unicode_rings[] = {\n");
    for (size_t i = 0; i < cased_count; i++) {
        if (done[i] || next[i] == cased[i])
            continue;
        int32_t distance = (int32_t)(next[i] - cased[i]);
        uint32_t last = cased[i], step = 0;
        for (size_t k = i + 1; k < cased_count && cased[k] <= last + (step ? step : 2); k++) {
            bool fits = !done[k] && (int32_t)(next[k] - cased[k]) == distance &&
                        (!step || cased[k] == last + step);
            if (!fits)
                continue;
            step = cased[k] - last;
            last = cased[k];
            done[k] = true;
        }
        fprintf(out, "    {%u, %u, %u, %d},\n", cased[i], last, step ? step : 1, distance);
        rows++;
    }
    fprintf(out, "};\nconst size_t unicode_ring_count = %zu;\n", rows);
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (!out)
        die("give the file to write");
    encode_all();
    fprintf(out, "/* Made by tools/unicode. */\n#include \"base/unicode_priv.h\"\n\n");
    print_categories(out);
    print_scripts(out);
    find_cased();
    find_rings();
    print_rings(out);
    return fclose(out) ? 1 : 0;
}
