/* spdy_headers.c - header blocks: a count, then names and values, each with its length; one zlib stream in each direction
 * of a session, flushed after every block. */
#include "base/mem.h"
#include "wire/spdy_priv.h"

/* What both sides know before the first block (SPDY/3, 2.6.10.1): words as they stand in a block, then loose text. */
#define WORD(size, text) "\0\0\0" size text
static const char dictionary[] = WORD("\7", "options") WORD("\4", "head") WORD("\4", "post") WORD(
    "\3", "put") WORD("\6", "delete") WORD("\5", "trace") WORD("\6", "accept") WORD("\16", "accept-charset")
    WORD("\17", "accept-encoding") WORD("\17", "accept-language") WORD("\15", "accept-ranges") WORD(
        "\3", "age") WORD("\5", "allow") WORD("\15", "authorization") WORD("\15",
                                                                           "cache-control") WORD("\12",
                                                                                                 "connection")
        WORD("\14", "content-base") WORD("\20", "content-encoding") WORD("\20", "content-language") WORD(
            "\16", "content-length") WORD("\20",
                                          "content-location") WORD("\13", "content-md5")
            WORD("\15", "content-range") WORD("\14", "content-type") WORD("\4", "date") WORD("\4", "etag") WORD(
                "\6",
                "expect") WORD("\7",
                               "expires") WORD("\4", "from")
                WORD("\4", "host") WORD("\10", "if-match") WORD("\21", "if-modified-since") WORD(
                    "\15",
                    "if-none-match") WORD("\10",
                                          "if-range") WORD("\23", "if-unmodified-since")
                    WORD("\15", "last-modified") WORD("\10", "location") WORD("\14", "max-forwards") WORD(
                        "\6", "pragma") WORD("\22", "proxy-authenticate")
                        WORD("\23", "proxy-authorization") WORD("\5", "range") WORD("\7", "referer") WORD(
                            "\13", "retry-after") WORD("\6", "server")
                            WORD("\2", "te") WORD("\7", "trailer") WORD("\21", "transfer-encoding") WORD(
                                "\7", "upgrade") WORD("\12", "user-agent")
                                WORD("\4", "vary") WORD("\3", "via") WORD("\7", "warning") WORD(
                                    "\20",
                                    "www-authenticate") WORD("\6", "method") WORD("\3", "get")
                                    WORD("\6", "status") WORD("\6", "200 OK") WORD("\7", "version") WORD(
                                        "\10", "HTTP/1.1") WORD("\3", "url")
                                        WORD("\6", "public") WORD("\12", "set-cookie") WORD("\12", "keep-alive") WORD(
                                            "\6",
                                            "origin") "1001012012022052063003023033043053063074024054064074084094104114124134144154164175025045052"
                                                      "03 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized"
                                                      "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
                                                      "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
                                                      "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,"
                                                      "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
#define DICTIONARY_N (sizeof dictionary - 1)
static_assert(DICTIONARY_N == 1423, "as long as the specification's");

static void *z_alloc(void *ctx, unsigned count, unsigned size)
{
    return mem_alloc_zero(count, size);
}

static void z_free(void *ctx, void *p)
{
    mem_free(p);
}

static void add_u32(struct buf *b, size_t v)
{
    char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    buf_add(b, str_of(bytes, sizeof bytes));
}

/* --- out --- */

void spdy_packer_init(struct spdy_packer *p, size_t size_max)
{
    *p = (struct spdy_packer){.z = {.zalloc = z_alloc, .zfree = z_free}};
    buf_init(&p->raw, size_max);
}

void spdy_packer_done(struct spdy_packer *p)
{
    if (p->started)
        deflateEnd(&p->z);
    buf_done(&p->raw);
}

/* A window that just holds the dictionary and a few blocks: 16 KiB a session instead of zlib's usual 256. */
static void start_deflate(struct spdy_packer *p)
{
    int ok = deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 11, 3, Z_DEFAULT_STRATEGY);
    ASSERT(ok == Z_OK);
    ok = deflateSetDictionary(&p->z, (const Bytef *)dictionary, DICTIONARY_N);
    ASSERT(ok == Z_OK);
    p->started = true;
}

static bool name_is_valid(str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (c <= ' ' || c > '~' || (c >= 'A' && c <= 'Z'))
            return false;
    }
    return name.n;
}

/* Values joined by NUL, none of them empty, unless that is all there is. */
static bool value_is_valid(str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (!value.p[i] && (i == 0 || i + 1 == value.n || !value.p[i - 1]))
            return false;
    return true;
}

static bool name_is_among(str name, const struct http_header *headers, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(headers[i].name, name))
            return true;
    return false;
}

err_code spdy_pack_begin(struct spdy_packer *p, const struct http_header *headers, size_t header_count,
                         size_t *ret_bound, struct err *err)
{
    buf_clear(&p->raw);
    add_u32(&p->raw, header_count);
    for (size_t i = 0; i < header_count; i++) {
        const struct http_header *h = &headers[i];
        if (!name_is_valid(h->name) || !value_is_valid(h->value) || name_is_among(h->name, headers, i))
            return err_set(err, ERR_INVALID,
                           "could not send SPDY header '%" STR_FMT "': bad name, value or twice",
                           STR_ARG(h->name));
        add_u32(&p->raw, h->name.n);
        buf_add(&p->raw, h->name);
        add_u32(&p->raw, h->value.n);
        buf_add(&p->raw, h->value);
    }
    err_code code = buf_check(&p->raw, err);
    if (code)
        return err_wrap(err, "could not send %zu SPDY headers", header_count);
    if (!p->started)
        start_deflate(p);
    /* zlib's bound is for one finished stream; a flush adds an empty stored block. */
    *ret_bound = deflateBound(&p->z, p->raw.n) + 64;
    return ERR_NONE;
}

size_t spdy_pack_finish(struct spdy_packer *p, char *to, size_t room)
{
    p->z.next_in = (const Bytef *)p->raw.p;
    p->z.avail_in = (unsigned)p->raw.n;
    p->z.next_out = (Bytef *)to;
    p->z.avail_out = (unsigned)room;
    int ok = deflate(&p->z, Z_SYNC_FLUSH);
    ASSERT(ok == Z_OK && p->z.avail_in == 0 && p->z.avail_out > 0);
    return room - p->z.avail_out;
}

/* --- in --- */

void spdy_unpacker_init(struct spdy_unpacker *u, size_t size_max, size_t count_max)
{
    *u = (struct spdy_unpacker){.z = {.zalloc = z_alloc, .zfree = z_free}, .count_max = count_max};
    buf_init(&u->block, size_max);
}

void spdy_unpacker_done(struct spdy_unpacker *u)
{
    if (u->started)
        inflateEnd(&u->z);
    mem_free(u->headers);
    buf_done(&u->block);
}

void spdy_unpack_begin(struct spdy_unpacker *u)
{
    buf_clear(&u->block);
    u->header_count = 0;
    if (u->started)
        return;
    int ok = inflateInit2(&u->z, 15);
    ASSERT(ok == Z_OK);
    u->headers = NEW_ARRAY(struct http_header, u->count_max);
    u->started = true;
}

static err_code inflate_some(struct spdy_unpacker *u, struct err *err)
{
    /* At the maximum one more byte is asked for, only to see whether there is one. */
    char past_end;
    size_t room = size_min(u->block.max - u->block.n, size_max(u->block.cap - u->block.n, 512));
    u->z.next_out = (Bytef *)(room ? buf_room(&u->block, room) : &past_end);
    u->z.avail_out = room ? (unsigned)room : 1;
    int code = inflate(&u->z, Z_SYNC_FLUSH);
    if (code == Z_NEED_DICT)
        code = inflateSetDictionary(&u->z, (const Bytef *)dictionary, DICTIONARY_N);
    /* The end of the stream is an error too: there could be no block after it. */
    if (code != Z_OK && code != Z_BUF_ERROR)
        return err_set(err, ERR_SYNTAX, "header block could not be inflated%s%s", u->z.msg ? ": " : "",
                       u->z.msg ? u->z.msg : "");
    if (!room && !u->z.avail_out)
        return err_set(err, ERR_TOO_LARGE, "header block is larger than %zu bytes", u->block.max);
    if (room)
        buf_commit(&u->block, room - u->z.avail_out);
    return ERR_NONE;
}

err_code spdy_unpack(struct spdy_unpacker *u, str compressed, struct err *err)
{
    u->z.next_in = (const Bytef *)compressed.p;
    u->z.avail_in = (unsigned)compressed.n;
    do {
        err_code code = inflate_some(u, err);
        if (code)
            return code;
    } while (u->z.avail_in || !u->z.avail_out);
    return ERR_NONE;
}

static bool take_u32(str *rest, uint32_t *ret)
{
    if (rest->n < 4)
        return false;
    const uint8_t *p = (const uint8_t *)rest->p;
    *ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    *rest = str_from(*rest, 4);
    return true;
}

static bool take_text(str *rest, str *ret)
{
    uint32_t n;
    if (!take_u32(rest, &n) || n > rest->n)
        return false;
    *ret = str_slice(*rest, 0, n);
    *rest = str_from(*rest, n);
    return true;
}

/* One name with its values, each a header. False: too many. */
static bool add_values(struct spdy_unpacker *u, str name, str value)
{
    str piece;
    do {
        if (u->header_count == u->count_max)
            return false;
        str_cut(value, '\0', &piece, &value);
        u->headers[u->header_count++] = (struct http_header){name, piece};
    } while (value.n);
    return true;
}

err_code spdy_unpack_end(struct spdy_unpacker *u, const char **ret_bad, struct err *err)
{
    str rest = buf_str(&u->block), name, value;
    uint32_t count;
    *ret_bad = NULL;
    if (!take_u32(&rest, &count))
        return err_set(err, ERR_SYNTAX, "header block has no count");
    if (count > u->count_max)
        return err_set(err, ERR_TOO_LARGE, "header block has %u headers, at most %zu are taken", count,
                       u->count_max);
    for (uint32_t i = 0; i < count; i++) {
        if (!take_text(&rest, &name) || !take_text(&rest, &value))
            return err_set(err, ERR_SYNTAX, "header block ends inside header %u of %u", i + 1, count);
        if (!name_is_valid(name))
            *ret_bad = "a header name is empty or not lower case";
        else if (name_is_among(name, u->headers, u->header_count))
            *ret_bad = "a header appears twice";
        else if (!value_is_valid(value))
            *ret_bad = "a header has an empty value among several";
        if (!add_values(u, name, value))
            return err_set(err, ERR_TOO_LARGE, "header block has more than %zu values", u->count_max);
    }
    if (rest.n)
        return err_set(err, ERR_SYNTAX, "header block has %zu bytes after its last header", rest.n);
    return ERR_NONE;
}
