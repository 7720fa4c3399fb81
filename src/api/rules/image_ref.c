/* image_ref.c - names of images, by the grammar that registries share. */
#include "api/rules/image_ref.h"

enum { PATH_SIZE_MAX = 255, TAG_SIZE_MAX = 128, HEX_SIZE_OF_ID = 64 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
    return is_digit(c) || is_lower((char)(c | 0x20));
}

static bool is_hex(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
            return false;
    return true;
}

/* Letters, digits and inner dashes. */
static bool is_domain_part(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && (s.p[i] != '-' || i == 0 || i + 1 == s.n))
            return false;
    return s.n > 0;
}

static bool is_ipv6_literal(str s)
{
    if (s.n < 3 || s.p[0] != '[' || s.p[s.n - 1] != ']')
        return false;
    for (size_t i = 1; i + 1 < s.n; i++)
        if (s.p[i] != ':' && !is_digit(s.p[i]) && !((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f'))
            return false;
    return true;
}

static bool is_domain(str s)
{
    size_t colon = str_rindex_c(s, ':');
    if (colon != SIZE_MAX && !str_ends(s, S("]"))) {
        str port = str_from(s, colon + 1);
        for (size_t i = 0; i < port.n; i++)
            if (!is_digit(port.p[i]))
                return false;
        if (port.n == 0)
            return false;
        s = str_slice(s, 0, colon);
    }
    if (is_ipv6_literal(s))
        return true;
    for (str part; str_next(&s, '.', &part);)
        if (!is_domain_part(part))
            return false;
    return true;
}

/* Runs of small letters and digits, with ".", "_", "__" or any number of dashes between them. */
static bool is_path_part(str s)
{
    size_t i = 0;
    while (i < s.n) {
        size_t run = i;
        while (i < s.n && (is_lower(s.p[i]) || is_digit(s.p[i])))
            i++;
        if (i == run)
            return false;
        if (i == s.n)
            return true;
        size_t from = i;
        char c = s.p[i];
        while (i < s.n && s.p[i] == c)
            i++;
        if (c != '-' && !((c == '.' || c == '_') && i - from == 1) && !(c == '_' && i - from == 2))
            return false;
    }
    return false;
}

static bool is_path(str s)
{
    for (str part; str_next(&s, '/', &part);)
        if (!is_path_part(part))
            return false;
    return true;
}

static bool is_tag(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '_' && (i == 0 || (s.p[i] != '.' && s.p[i] != '-')))
            return false;
    return s.n > 0 && s.n <= TAG_SIZE_MAX;
}

static bool is_digest(str s)
{
    static const struct {
        str algorithm;
        size_t size;
    } known[] = {{S_INIT("sha256:"), 64}, {S_INIT("sha384:"), 96}, {S_INIT("sha512:"), 128}};
    for (size_t i = 0; i < ARRAY_COUNT(known); i++)
        if (str_take_prefix(&s, known[i].algorithm))
            return s.n == known[i].size && is_hex(s);
    return false;
}

/* What stands before the first '/' is a registry if it looks like a host. */
static bool has_registry(str first)
{
    if (str_contains(first, S(".")) || str_contains(first, S(":")) || str_is(first, "localhost"))
        return true;
    for (size_t i = 0; i < first.n; i++)
        if (first.p[i] >= 'A' && first.p[i] <= 'Z')
            return true;
    return false;
}

bool image_ref_parse(str text, struct image_ref *ret)
{
    str domain, path, rest = text;
    *ret = (struct image_ref){.tag = STR_NONE};
    if (text.n == HEX_SIZE_OF_ID && is_hex(text))
        return false; /* the id of an image, not its name */
    if (str_cut(text, '/', &domain, &path) && has_registry(domain)) {
        rest = path;
        /* Or a part of the path with a dot in it. */
        if (!is_domain(domain) && !is_path_part(domain))
            return false;
    }
    bool has_digest = str_cut(rest, '@', &rest, &ret->digest);
    bool has_tag = str_cut(rest, ':', &rest, &ret->tag);
    return is_path(rest) && rest.n <= PATH_SIZE_MAX && (!has_tag || is_tag(ret->tag)) &&
           (!has_digest || is_digest(ret->digest));
}

str image_ref_tag(str text)
{
    struct image_ref r;
    if (!image_ref_parse(text, &r))
        return STR_NONE;
    return r.tag.n || r.digest.n ? r.tag : S("latest");
}
