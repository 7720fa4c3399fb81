/* x509_verify.c - pools of authorities, and whether a chain leads to one.
 * The rules are Go's, since that is what the other side of every connection runs: every certificate of a pool is an
 * anchor; extended usages nest (each certificate of the chain must allow what is asked); names are alternative names
 * only. */
#include "base/mem.h"
#include "base/utf8.h"
#include "sys/x509_priv.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum {
    CHAIN_MAX = 10,
    AUTH_LEVEL = 2, /* 112 bits: RSA from 2048, no SHA-1 */
    NAMES_SHOWN_MAX = 8,
};

/* --- pools --- */

static err_code pool_finish(struct x509_cert *const *certs, size_t count, struct x509_pool **ret,
                            struct err *err)
{
    if (!count)
        return err_set(err, ERR_INVALID, "a pool of authorities cannot be empty");
    struct x509_pool *pool = NEW(struct x509_pool);
    pool->refs = 1;
    pool->store = OSSL_MUST(X509_STORE_new());
    pool->subjects = OSSL_MUST(sk_X509_NAME_new_null());
    for (size_t i = 0; i < count; i++) {
        OSSL_MUST(X509_STORE_add_cert(pool->store, certs[i]->x) == 1); /* twice is fine */
        X509_NAME *subject = OSSL_MUST(X509_NAME_dup(X509_get_subject_name(certs[i]->x)));
        OSSL_MUST(sk_X509_NAME_push(pool->subjects, subject));
    }
    *ret = pool;
    return ERR_NONE;
}

err_code x509_pool_new_of(struct x509_cert *const *certs, size_t count, struct x509_pool **ret,
                          struct err *err)
{
    return pool_finish(certs, count, ret, err);
}

err_code x509_pool_new(str pem, struct x509_pool **ret, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct x509_cert **certs;
    size_t count;
    if (x509_cert_parse_bundle(&a, pem, &certs, &count, err))
        return err->code;
    return pool_finish(certs, count, ret, err);
}

/* Where distributions keep their bundle; the first that is there. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static void fd_closep(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static err_code bundle_read(const char *path, struct buf *ret, struct err *err)
{
    CLEANUP(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, errno, "could not open '%s'", path);
    for (;;) {
        char *to = buf_room(ret, 64 * 1024);
        if (!to)
            return buf_check(ret, err);
        ssize_t n = read(fd, to, 64 * 1024);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, errno, "could not read '%s'", path);
        if (n == 0)
            return ERR_NONE;
        buf_commit(ret, (size_t)n);
    }
}

err_code x509_pool_new_system(struct x509_pool **ret, struct err *err)
{
    for (size_t i = 0; i < ARRAY_COUNT(system_bundles); i++) {
        CLEANUP(buf_done) struct buf pem;
        buf_init(&pem, X509_PEM_SIZE_MAX + 64 * 1024);
        if (bundle_read(system_bundles[i], &pem, err)) {
            if (err->code == ERR_NOT_FOUND)
                continue;
            return err_wrap(err, "could not read the system's authorities");
        }
        if (x509_pool_new(buf_str(&pem), ret, err))
            return err_wrap(err, "could not read the system's authorities from '%s'", system_bundles[i]);
        return ERR_NONE;
    }
    return err_set(err, ERR_NOT_FOUND, "could not find the system's authorities (package ca-certificates)");
}

struct x509_pool *x509_pool_ref(struct x509_pool *pool)
{
    refs_take(&pool->refs);
    return pool;
}

struct x509_pool *x509_pool_unref(struct x509_pool *pool)
{
    if (pool && refs_drop(&pool->refs)) {
        X509_STORE_free(pool->store);
        sk_X509_NAME_pop_free(pool->subjects, X509_NAME_free);
        mem_free(pool);
    }
    return NULL;
}

void x509_pool_unrefp(struct x509_pool **pool)
{
    *pool = x509_pool_unref(*pool);
}

/* --- names --- */

static err_code names_of(struct arena *a, X509 *x, struct x509_names *ret, struct err *err)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    err_code code = x509_names_read(a, names, ret, err);
    GENERAL_NAMES_free(names);
    ossl_clear();
    return code;
}

static err_code host_mismatch(X509 *x, str host, struct err *err)
{
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    struct x509_names n;
    if (names_of(&a, x, &n, err))
        return err->code;
    if (!n.dns_count && !n.ip_count)
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate is not valid for any names, but wanted to match %" STR_FMT,
                       STR_ARG(host));
    struct buf text;
    buf_init_arena(&text, &a, sizeof err->msg);
    size_t shown = 0;
    for (size_t i = 0; i < n.dns_count && shown < NAMES_SHOWN_MAX; i++)
        buf_add_f(&text, "%s%" STR_FMT, shown++ ? ", " : "", STR_ARG(str_slice(n.dns[i], 0, 64)));
    for (size_t i = 0; i < n.ip_count && shown < NAMES_SHOWN_MAX; i++) {
        char ip[IP_TEXT_MAX];
        buf_add_f(&text, "%s%" STR_FMT, shown++ ? ", " : "", STR_ARG(ip_text(&n.ips[i], ip)));
    }
    if (n.dns_count + n.ip_count > shown)
        buf_add_f(&text, " and %zu more", n.dns_count + n.ip_count - shown);
    return err_set(err, ERR_UNAUTHORIZED, "certificate is valid for %" STR_FMT ", not %" STR_FMT,
                   STR_ARG(buf_str(&text)), STR_ARG(host));
}

static err_code host_check(X509 *x, str host, struct err *err)
{
    struct ip ip;
    unsigned odd;
    bool fits;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_slice(host, 1, host.n - 1);
    if (ip_parse(host, &ip, &odd) && !(odd & IP_LEADING_ZEROS)) {
        size_t skip = ip_is_v4(&ip) ? 12 : 0;
        fits = X509_check_ip(x, ip.bytes + skip, sizeof ip.bytes - skip, 0) == 1;
    } else {
        if (str_ends(host, S(".")))
            host = str_slice(host, 0, host.n - 1);
        fits = host.n && str_index_c(host, '\0') == SIZE_MAX &&
               X509_check_host(x, host.p, host.n,
                               X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                               NULL) == 1;
    }
    ossl_clear();
    return fits ? ERR_NONE : host_mismatch(x, host, err);
}

err_code x509_cert_check_host(const struct x509_cert *cert, str host, struct err *err)
{
    return host_check(cert->x, host, err);
}

/* --- chains --- */

static str short_name(struct arena *a, const X509_NAME *name)
{
    return utf8_cut(x509_name_text(a, name), 120);
}

static void time_of(const ASN1_TIME *t, char ret[TIME_TEXT_SIZE])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(t, &tm) == 1)
        time_text((int64_t)timegm(&tm), ret);
    else
        memcpy(ret, "?", 2);
}

/* Why OpenSSL said no, about which certificate. */
static err_code refused(X509_STORE_CTX *ctx, X509 *leaf, int64_t now_s, struct err *err)
{
    int why = X509_STORE_CTX_get_error(ctx);
    X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    x = x ? x : leaf;
    ossl_clear();
    CLEANUP(arena_done) struct arena a;
    arena_init(&a, 0);
    char now[TIME_TEXT_SIZE], then[TIME_TEXT_SIZE];
    str subject = short_name(&a, X509_get_subject_name(x)), issuer = short_name(&a, X509_get_issuer_name(x));
    time_text(now_s, now);
    switch (why) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        time_of(X509_get0_notAfter(x), then);
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate '%" STR_FMT "' has expired: current time %s is after %s",
                       STR_ARG(subject), now, then);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        time_of(X509_get0_notBefore(x), then);
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate '%" STR_FMT "' is not yet valid: current time %s is before %s",
                       STR_ARG(subject), now, then);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate '%" STR_FMT "' is signed by unknown authority '%" STR_FMT "'",
                       STR_ARG(subject), STR_ARG(issuer));
    default:
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate '%" STR_FMT "' of issuer '%" STR_FMT "' cannot be trusted: %s",
                       STR_ARG(subject), STR_ARG(issuer), X509_verify_cert_error_string(why));
    }
}

static err_code usage_check(STACK_OF(X509) * chain, unsigned usage, struct err *err)
{
    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *x = sk_X509_value(chain, i);
        EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
        bool allows = !eku || x509_extended_usages_read(eku) & (usage | X509_USAGE_ANY);
        EXTENDED_KEY_USAGE_free(eku);
        ossl_clear();
        if (allows)
            continue;
        CLEANUP(arena_done) struct arena a;
        arena_init(&a, 0);
        str subject = short_name(&a, X509_get_subject_name(x));
        return err_set(err, ERR_UNAUTHORIZED,
                       "certificate '%" STR_FMT "' does not allow the usage '%" STR_FMT "'", STR_ARG(subject),
                       STR_ARG(x509_usage_name((enum x509_usage)usage)));
    }
    return ERR_NONE;
}

err_code x509_verify_ossl(const struct x509_pool *pool, X509 *leaf, STACK_OF(X509) * others,
                          const struct x509_verify_opts *opts, struct err *err)
{
    CLEANUP(X509_STORE_CTX_free_cleanup) X509_STORE_CTX *ctx = OSSL_MUST(X509_STORE_CTX_new());
    OSSL_MUST(X509_STORE_CTX_init(ctx, pool->store, leaf, others) == 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)opts->now_s);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    if (X509_verify_cert(ctx) != 1)
        return refused(ctx, leaf, opts->now_s, err);
    ossl_clear();
    if (opts->usage && usage_check(X509_STORE_CTX_get0_chain(ctx), opts->usage, err))
        return err->code;
    return opts->host.n ? host_check(leaf, opts->host, err) : ERR_NONE;
}

err_code x509_verify(const struct x509_pool *pool, const struct x509_cert *const *chain, size_t count,
                     const struct x509_verify_opts *opts, struct err *err)
{
    if (!count || count > CHAIN_MAX + 1)
        return err_set(err, ERR_UNAUTHORIZED, "a chain of %zu certificates cannot be verified", count);
    STACK_OF(X509) *others = OSSL_MUST(sk_X509_new_null());
    for (size_t i = 1; i < count; i++)
        OSSL_MUST(sk_X509_push(others, chain[i]->x));
    err_code code = x509_verify_ossl(pool, chain[0]->x, others, opts, err);
    sk_X509_free(others);
    return code;
}
