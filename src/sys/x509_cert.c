/* x509_cert.c - certificates, read: what they say as plain data. */
#include "base/kube_time.h"
#include "base/mem.h"
#include "sys/digest.h"
#include "sys/x509_priv.h"
#include <openssl/pem.h>
#include <stdio.h>
#include <time.h>

const struct x509_usage_info x509_usages[X509_USAGE_COUNT_] = {
#define X509_USAGE(name, word, key_usage_bit, nid) {S_INIT(word), key_usage_bit, nid},
#include "sys/x509_usages.def"
#undef X509_USAGE
};
static_assert(X509_USAGE_COUNT_ < 32, "usages are bits of an unsigned");

unsigned x509_usage_parse(str word)
{
    for (unsigned i = 0; i < X509_USAGE_COUNT_; i++)
        if (str_eq(x509_usages[i].word, word))
            return 1u << i;
    if (str_is(word, "signing"))
        return X509_USAGE_DIGITAL_SIGNATURE;
    return str_is(word, "s/mime") ? X509_USAGE_EMAIL_PROTECTION : 0;
}

str x509_usage_name(enum x509_usage usage)
{
    unsigned i = (unsigned)__builtin_ctz((unsigned)usage);
    ASSERT(usage == 1u << i && i < X509_USAGE_COUNT_);
    return x509_usages[i].word;
}

unsigned x509_key_usages_read(uint32_t ku)
{
    unsigned got = 0;
    for (unsigned i = 0; i < X509_USAGE_COUNT_; i++) {
        int bit = x509_usages[i].key_usage_bit;
        /* OpenSSL's word: bits 0 to 7 from the top of the first byte, bit 8 at the top of the second. */
        if (bit >= 0 && ku & (bit < 8 ? 0x80u >> bit : 0x8000u))
            got |= 1u << i;
    }
    return got;
}

unsigned x509_extended_usages_read(const EXTENDED_KEY_USAGE *eku)
{
    unsigned got = 0;
    for (int k = 0; k < sk_ASN1_OBJECT_num(eku); k++) {
        int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, k));
        for (unsigned i = 0; i < X509_USAGE_COUNT_; i++)
            if (x509_usages[i].nid && x509_usages[i].nid == nid)
                got |= 1u << i;
    }
    return got;
}

void time_text(int64_t seconds, char ret[TIME_TEXT_SIZE])
{
    CLEANUP(buf_done) struct buf b;
    struct kube_time t;
    buf_init(&b, TIME_TEXT_SIZE - 1);
    if (kube_time_from_unix(seconds, 0, &t))
        kube_time_format(&b, t);
    else
        buf_add_f(&b, "%lld s", (long long)seconds);
    snprintf(ret, TIME_TEXT_SIZE, "%" STR_FMT, STR_ARG(buf_str(&b)));
}

/* Text of a name as UTF-8, whatever it was coded in. A NUL inside is an attack on readers that stop there. */
static err_code text_read(struct arena *a, const ASN1_STRING *from, str *ret, struct err *err)
{
    CLEANUP(ossl_bytes_cleanup) unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, from);
    if (n < 0)
        return ossl_err(err, ERR_SYNTAX, "could not read a name");
    str s = str_of((const char *)utf8, (size_t)n);
    if (str_index_c(s, '\0') != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "a name contains a NUL");
    *ret = str_dup(a, s);
    return ERR_NONE;
}

str x509_name_text(struct arena *a, const X509_NAME *name)
{
    CLEANUP(BIO_free_cleanup) BIO *bio = OSSL_MUST(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    return str_dup(a, ossl_bio_str(bio));
}

err_code x509_subject_read(struct arena *a, const X509_NAME *name, struct x509_subject *ret, str *ret_text,
                           struct err *err)
{
    struct x509_subject s = {0};
    int count = X509_NAME_entry_count(name);
    if (count > X509_NAME_COUNT_MAX)
        return err_set(err, ERR_TOO_LARGE, "subject has %d parts, at most %d are read", count,
                       X509_NAME_COUNT_MAX);
    str *organizations = ARENA_ARRAY(a, str, (size_t)count);
    for (int i = 0; i < count; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        if (nid != NID_commonName && nid != NID_organizationName)
            continue;
        str *to = nid == NID_commonName ? &s.common_name : &organizations[s.organization_count++];
        if (text_read(a, X509_NAME_ENTRY_get_data(entry), to, err))
            return err_wrap(err, "could not read the subject");
    }
    s.organizations = organizations;
    *ret = s;
    *ret_text = x509_name_text(a, name);
    return ERR_NONE;
}

static err_code name_read(struct arena *a, const GENERAL_NAME *gn, struct ip *ip, str *text, struct err *err)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(gn, &type);
    str s = str_of((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    if (type == GEN_IPADD) {
        if (s.n != 4 && s.n != 16)
            return err_set(err, ERR_SYNTAX, "an alternative name is an IP address of %zu bytes", s.n);
        ip->bytes[10] = ip->bytes[11] = 0xff; /* unless the address has all 16 bytes */
        memcpy(ip->bytes + sizeof ip->bytes - s.n, s.p, s.n);
        return ERR_NONE;
    }
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
            return err_set(err, ERR_SYNTAX, "an alternative name contains byte 0x%02x",
                           (unsigned char)s.p[i]);
    *text = str_dup(a, s);
    return ERR_NONE;
}

err_code x509_names_read(struct arena *a, const GENERAL_NAMES *from, struct x509_names *ret, struct err *err)
{
    int count = from ? sk_GENERAL_NAME_num(from) : 0;
    if (count > X509_NAME_COUNT_MAX)
        return err_set(err, ERR_TOO_LARGE, "%d alternative names, at most %d are read", count,
                       X509_NAME_COUNT_MAX);
    str *dns = ARENA_ARRAY(a, str, (size_t)count), *emails = ARENA_ARRAY(a, str, (size_t)count);
    str *uris = ARENA_ARRAY(a, str, (size_t)count);
    struct ip *ips = ARENA_ARRAY(a, struct ip, (size_t)count);
    struct x509_names n = {.dns = dns, .ips = ips, .emails = emails, .uris = uris};
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *gn = sk_GENERAL_NAME_value(from, i);
        err_code code = ERR_NONE;
        switch (gn->type) {
        case GEN_DNS: code = name_read(a, gn, NULL, &dns[n.dns_count++], err); break;
        case GEN_EMAIL: code = name_read(a, gn, NULL, &emails[n.email_count++], err); break;
        case GEN_URI: code = name_read(a, gn, NULL, &uris[n.uri_count++], err); break;
        case GEN_IPADD: code = name_read(a, gn, &ips[n.ip_count++], NULL, err); break;
        }
        if (code)
            return code;
    }
    *ret = n;
    return ERR_NONE;
}

static err_code time_read(const ASN1_TIME *from, int64_t *ret, struct err *err)
{
    struct tm tm;
    if (ASN1_TIME_to_tm(from, &tm) != 1)
        return ossl_err(err, ERR_SYNTAX, "could not read a time");
    *ret = (int64_t)timegm(&tm);
    return ERR_NONE;
}

err_code x509_extension_check(const void *got, int found, int nid, struct err *err)
{
    if (!got && found != -1)
        return ossl_err(err, ERR_SYNTAX, "extension '%s' is %s", OBJ_nid2sn(nid),
                        found == -2 ? "there twice" : "malformed");
    return ERR_NONE;
}

/* One extension; NULL without an error: not there. */
static err_code extension_read(const X509 *x, int nid, void **ret, struct err *err)
{
    int found = -1;
    *ret = X509_get_ext_d2i(x, nid, &found, NULL);
    return x509_extension_check(*ret, found, nid, err);
}

static err_code usages_read(X509 *x, struct x509_cert_info *info, struct err *err)
{
    uint32_t ku = X509_get_key_usage(x);
    info->has_key_usages = ku != UINT32_MAX;
    if (info->has_key_usages)
        info->usages |= x509_key_usages_read(ku);
    void *eku;
    if (extension_read(x, NID_ext_key_usage, &eku, err))
        return err->code;
    info->has_extended_usages = eku != NULL;
    if (eku)
        info->usages |= x509_extended_usages_read(eku);
    EXTENDED_KEY_USAGE_free(eku);
    return ERR_NONE;
}

static err_code fingerprints_read(struct arena *a, X509 *x, struct x509_cert_info *info, struct err *err)
{
    CLEANUP(ossl_bytes_cleanup) unsigned char *der = NULL, *key_der = NULL;
    int n = i2d_X509(x, &der);
    int key_n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &key_der);
    if (n <= 0 || key_n <= 0)
        return ossl_err(err, ERR_INTERNAL, "could not encode a certificate");
    info->der = str_dup(a, str_of((const char *)der, (size_t)n));
    digest_sha256(info->der, info->fingerprint);
    digest_sha256(str_of((const char *)key_der, (size_t)key_n), info->key_fingerprint);
    return ERR_NONE;
}

static err_code info_read(struct arena *a, X509 *x, struct x509_cert_info *info, struct err *err)
{
    uint32_t flags = X509_get_extension_flags(x);
    if (flags & EXFLAG_INVALID)
        return ossl_err(err, ERR_SYNTAX, "extensions are malformed");
    info->is_ca = (flags & EXFLAG_CA) != 0;
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    info->serial = str_dup(
        a, str_of((const char *)ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    void *names;
    if (fingerprints_read(a, x, info, err) || usages_read(x, info, err) ||
        time_read(X509_get0_notBefore(x), &info->not_before_s, err) ||
        time_read(X509_get0_notAfter(x), &info->not_after_s, err) ||
        x509_subject_read(a, X509_get_subject_name(x), &info->subject, &info->subject_text, err) ||
        extension_read(x, NID_subject_alt_name, &names, err))
        return err->code;
    info->issuer_text = x509_name_text(a, X509_get_issuer_name(x));
    err_code code = x509_names_read(a, names, &info->names, err);
    GENERAL_NAMES_free(names);
    return code;
}

err_code x509_cert_wrap(X509 *x, struct x509_cert **ret, struct err *err)
{
    struct x509_cert *cert = NEW(struct x509_cert);
    cert->refs = 1;
    cert->x = x;
    arena_init(&cert->arena, 0);
    if (info_read(&cert->arena, x, &cert->info, err)) {
        x509_cert_unref(cert);
        return err_wrap(err, "could not read certificate");
    }
    *ret = cert;
    return ERR_NONE;
}

err_code x509_cert_parse_der(str der, struct x509_cert **ret, struct err *err)
{
    if (der.n > X509_DER_SIZE_MAX)
        return err_set(err, ERR_TOO_LARGE, "certificate has %zu bytes, at most %d are read", der.n,
                       X509_DER_SIZE_MAX);
    const unsigned char *p = (const unsigned char *)der.p;
    CLEANUP(X509_free_cleanup) X509 *x = d2i_X509(NULL, &p, (long)der.n);
    if (!x)
        return ossl_err(err, ERR_SYNTAX, "could not read certificate");
    if (p != (const unsigned char *)der.p + der.n)
        return err_set(err, ERR_SYNTAX, "could not read certificate: bytes follow it");
    return x509_cert_wrap(TAKE(x), ret, err);
}

/* The next certificate of PEM text; NULL without an error: none left. */
static err_code cert_next(str *pem, struct x509_cert **ret, struct err *err)
{
    for (;;) {
        CLEANUP(pem_block_done) struct pem_block b;
        bool found;
        *ret = NULL;
        if (pem_next(pem, &b, &found, err))
            return err->code;
        if (!found)
            return ERR_NONE;
        if (str_is(b.label, "CERTIFICATE"))
            return x509_cert_parse_der(buf_str(&b.der), ret, err);
    }
}

err_code x509_cert_parse(str pem, struct x509_cert **ret, struct err *err)
{
    struct x509_cert *cert;
    if (cert_next(&pem, &cert, err))
        return err->code;
    if (!cert)
        return err_set(err, ERR_SYNTAX, "there is no certificate in the PEM text");
    *ret = cert;
    return ERR_NONE;
}

static void cert_release(void *cert)
{
    x509_cert_unref(cert);
}

err_code x509_cert_parse_bundle(struct arena *a, str pem, struct x509_cert ***ret, size_t *ret_count,
                                struct err *err)
{
    struct x509_cert **certs = NULL;
    size_t count = 0;
    for (;;) {
        struct x509_cert *cert;
        if (cert_next(&pem, &cert, err))
            return err_wrap(err, "could not read certificate %zu of the bundle", count + 1);
        if (!cert)
            break;
        arena_hold(a, cert_release, cert);
        if (count == X509_BUNDLE_COUNT_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d certificates in one bundle",
                           X509_BUNDLE_COUNT_MAX);
        certs = arena_grow(a, certs, count * sizeof(struct x509_cert *),
                           (count + 1) * sizeof(struct x509_cert *), _Alignof(struct x509_cert *));
        certs[count++] = cert;
    }
    if (!count)
        return err_set(err, ERR_SYNTAX, "there is no certificate in the PEM text");
    *ret = certs;
    *ret_count = count;
    return ERR_NONE;
}

struct x509_cert *x509_cert_ref(struct x509_cert *cert)
{
    refs_take(&cert->refs);
    return cert;
}

struct x509_cert *x509_cert_unref(struct x509_cert *cert)
{
    if (cert && refs_drop(&cert->refs)) {
        X509_free(cert->x);
        arena_done(&cert->arena);
        mem_free(cert);
    }
    return NULL;
}

void x509_cert_unrefp(struct x509_cert **cert)
{
    *cert = x509_cert_unref(*cert);
}

const struct x509_cert_info *x509_cert_info(const struct x509_cert *cert)
{
    return &cert->info;
}

err_code x509_cert_key(const struct x509_cert *cert, struct x509_key **ret, struct err *err)
{
    EVP_PKEY *pkey = X509_get_pubkey(cert->x);
    if (!pkey)
        return ossl_err(err, ERR_UNSUPPORTED, "could not read the public key of certificate '%" STR_FMT "'",
                        STR_ARG(cert->info.subject_text));
    return x509_key_wrap(pkey, false, ret, err);
}

bool x509_cert_fits_key(const struct x509_cert *cert, const struct x509_key *key)
{
    EVP_PKEY *pkey = X509_get0_pubkey(cert->x);
    bool fits = pkey && EVP_PKEY_eq(pkey, key->pkey) == 1;
    ossl_clear();
    return fits;
}

void x509_cert_print(const struct x509_cert *cert, struct buf *ret)
{
    CLEANUP(BIO_free_cleanup) BIO *bio = OSSL_MUST(BIO_new(BIO_s_mem()));
    OSSL_MUST(PEM_write_bio_X509(bio, cert->x));
    buf_add(ret, ossl_bio_str(bio));
}

void x509_cert_pin(const struct x509_cert *cert, char ret[X509_PIN_SIZE])
{
    memcpy(ret, "sha256:", 7);
    for (size_t i = 0; i < sizeof cert->info.key_fingerprint; i++)
        snprintf(ret + 7 + 2 * i, 3, "%02x", cert->info.key_fingerprint[i]);
}
