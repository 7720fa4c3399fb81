/* x509_issue.c - certificates and signing requests, made and signed.
 * Extensions are built from values, never from OpenSSL's configuration text: a name from outside could say anything
 * there. What was made is read back through the same parser as everybody else's. */
#include "base/utf8.h"
#include "sys/digest.h"
#include "sys/x509_priv.h"
#include <openssl/pem.h>

typedef STACK_OF(X509_EXTENSION) extensions;

static void extensions_free(extensions **e)
{
    sk_X509_EXTENSION_pop_free(*e, X509_EXTENSION_free);
}

/* --- names --- */

/* One attribute of a subject. Longer than X.520's 64 characters is fine, as for Go: names of nodes and service accounts
 * are. */
static err_code name_add(X509_NAME *name, int nid, str value, struct err *err)
{
    if (!value.n || value.n > X509_DER_SIZE_MAX / 4 || !utf8_valid(value) ||
        str_index_c(value, '\0') != SIZE_MAX)
        return err_set(err, ERR_INVALID, "subject cannot have %s '%" STR_FMT "'",
                       nid == NID_commonName ? "the common name" : "an organization",
                       STR_ARG(str_slice(value, 0, 64)));
    OSSL_MUST(X509_NAME_add_entry_by_NID(name, nid, V_ASN1_UTF8STRING, (const unsigned char *)value.p,
                                         (int)value.n, -1, 0));
    return ERR_NONE;
}

static err_code subject_make(const struct x509_subject *s, X509_NAME **ret, struct err *err)
{
    CLEANUP(X509_NAME_free_cleanup) X509_NAME *name = OSSL_MUST(X509_NAME_new());
    for (size_t i = 0; i < s->organization_count; i++)
        if (name_add(name, NID_organizationName, s->organizations[i], err))
            return err->code;
    if (s->common_name.n && name_add(name, NID_commonName, s->common_name, err))
        return err->code;
    *ret = TAKE(name);
    return ERR_NONE;
}

static err_code text_name_add(GENERAL_NAMES *names, int type, str value, struct err *err)
{
    bool ok = value.n && value.n <= X509_DER_SIZE_MAX / 4;
    for (size_t i = 0; ok && i < value.n; i++)
        ok = value.p[i] > 0x20 && value.p[i] < 0x7f;
    if (!ok)
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' cannot be an alternative name: printable ASCII only",
                       STR_ARG(str_slice(value, 0, 64)));
    GENERAL_NAME *gn = OSSL_MUST(GENERAL_NAME_new());
    ASN1_IA5STRING *text = OSSL_MUST(ASN1_IA5STRING_new());
    OSSL_MUST(ASN1_STRING_set(text, value.p, (int)value.n));
    GENERAL_NAME_set0_value(gn, type, text);
    OSSL_MUST(sk_GENERAL_NAME_push(names, gn));
    return ERR_NONE;
}

static void ip_name_add(GENERAL_NAMES *names, const struct ip *ip)
{
    GENERAL_NAME *gn = OSSL_MUST(GENERAL_NAME_new());
    ASN1_OCTET_STRING *bytes = OSSL_MUST(ASN1_OCTET_STRING_new());
    int skip = ip_is_v4(ip) ? 12 : 0;
    OSSL_MUST(ASN1_OCTET_STRING_set(bytes, ip->bytes + skip, 16 - skip));
    GENERAL_NAME_set0_value(gn, GEN_IPADD, bytes);
    OSSL_MUST(sk_GENERAL_NAME_push(names, gn));
}

static err_code text_names_add(GENERAL_NAMES *names, int type, const str *values, size_t count,
                               struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (text_name_add(names, type, values[i], err))
            return err->code;
    return ERR_NONE;
}

/* --- extensions --- */

static void extension_add(extensions **to, int nid, void *value, bool critical)
{
    OSSL_MUST(X509V3_add1_i2d(to, nid, value, critical, X509V3_ADD_APPEND) == 1);
}

static void constraints_add(extensions **to, bool is_ca)
{
    BASIC_CONSTRAINTS *bc = OSSL_MUST(BASIC_CONSTRAINTS_new());
    bc->ca = is_ca ? 0xff : 0;
    extension_add(to, NID_basic_constraints, bc, true);
    BASIC_CONSTRAINTS_free(bc);
}

static void usages_add(extensions **to, unsigned wanted)
{
    ASN1_BIT_STRING *ku = OSSL_MUST(ASN1_BIT_STRING_new());
    EXTENDED_KEY_USAGE *eku = OSSL_MUST(sk_ASN1_OBJECT_new_null());
    bool any_ku = false;
    for (unsigned i = 0; i < X509_USAGE_COUNT_; i++) {
        if (!(wanted & 1u << i))
            continue;
        if (x509_usages[i].key_usage_bit >= 0) {
            OSSL_MUST(ASN1_BIT_STRING_set_bit(ku, x509_usages[i].key_usage_bit, 1));
            any_ku = true;
        } else {
            OSSL_MUST(sk_ASN1_OBJECT_push(eku, OBJ_nid2obj(x509_usages[i].nid)));
        }
    }
    if (any_ku)
        extension_add(to, NID_key_usage, ku, true);
    if (sk_ASN1_OBJECT_num(eku))
        extension_add(to, NID_ext_key_usage, eku, false);
    ASN1_BIT_STRING_free(ku);
    sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
}

/* RFC 5280: critical when the subject says nothing. */
static err_code names_add(extensions **to, const struct x509_names *n, bool critical, struct err *err)
{
    size_t count = n->dns_count + n->ip_count + n->email_count + n->uri_count;
    if (count > X509_NAME_COUNT_MAX)
        return err_set(err, ERR_TOO_LARGE, "%zu alternative names, at most %d are allowed", count,
                       X509_NAME_COUNT_MAX);
    if (!count)
        return ERR_NONE;
    CLEANUP(GENERAL_NAMES_free_cleanup) GENERAL_NAMES *names = OSSL_MUST(sk_GENERAL_NAME_new_null());
    if (text_names_add(names, GEN_DNS, n->dns, n->dns_count, err) ||
        text_names_add(names, GEN_EMAIL, n->emails, n->email_count, err) ||
        text_names_add(names, GEN_URI, n->uris, n->uri_count, err))
        return err->code;
    for (size_t i = 0; i < n->ip_count; i++)
        ip_name_add(names, &n->ips[i]);
    extension_add(to, NID_subject_alt_name, names, critical);
    return ERR_NONE;
}

/* Which key signed, for who builds chains: its identifier, where the issuer has one. */
static void key_ids_add(extensions **to, const struct x509_key *key, bool is_ca, const X509 *issuer)
{
    if (is_ca) {
        ASN1_OCTET_STRING *id = OSSL_MUST(ASN1_OCTET_STRING_new());
        OSSL_MUST(ASN1_OCTET_STRING_set(id, key->fingerprint, 20)); /* RFC 5280 4.2.1.2: any will do */
        extension_add(to, NID_subject_key_identifier, id, false);
        ASN1_OCTET_STRING_free(id);
    }
    ASN1_OCTET_STRING *issuer_id = issuer ? X509_get_ext_d2i(issuer, NID_subject_key_identifier, NULL, NULL)
                                          : NULL;
    if (issuer_id) {
        AUTHORITY_KEYID *akid = OSSL_MUST(AUTHORITY_KEYID_new());
        akid->keyid = issuer_id;
        extension_add(to, NID_authority_key_identifier, akid, false);
        AUTHORITY_KEYID_free(akid);
    }
}

/* --- certificates --- */

/* All that goes into one. */
struct blank {
    const X509_NAME *subject;
    const struct x509_names *names;
    unsigned usages;
    bool is_ca;
    int64_t not_before_s, not_after_s;
    const uint8_t *serial;
    const struct x509_key *key;
};

static void serial_set(X509 *x, const uint8_t random[16])
{
    uint8_t bytes[16];
    memcpy(bytes, random, sizeof bytes);
    bytes[0] &= 0x7f; /* positive in as many bytes */
    bool zero = true;
    for (size_t i = 0; i < sizeof bytes; i++)
        zero = zero && !bytes[i];
    if (zero)
        bytes[15] = 1;
    CLEANUP(BN_free_cleanup) BIGNUM *bn = OSSL_MUST(BN_bin2bn(bytes, sizeof bytes, NULL));
    OSSL_MUST(BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)));
}

/* What certificates have a way to write. */
#define YEAR_1     (-62135596800LL)
#define YEAR_10000 253402300800LL

static err_code times_set(X509 *x, int64_t not_before_s, int64_t not_after_s, struct err *err)
{
    if (not_after_s < not_before_s)
        return err_set(err, ERR_INVALID, "certificate would end before it begins");
    if (not_before_s < YEAR_1 || not_after_s >= YEAR_10000)
        return err_set(err, ERR_INVALID, "certificate cannot begin or end at such a time");
    /* OpenSSL picks the form that the year asks for. */
    OSSL_MUST(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)not_before_s));
    OSSL_MUST(ASN1_TIME_set(X509_getm_notAfter(x), (time_t)not_after_s));
    return ERR_NONE;
}

static err_code issuer_check(const struct x509_issuer *issuer, const struct blank *b, struct err *err)
{
    const struct x509_cert_info *info = &issuer->cert->info;
    if (!info->is_ca || (info->has_key_usages && !(info->usages & X509_USAGE_CERT_SIGN)))
        return err_set(err, ERR_INVALID, "'%" STR_FMT "' is not a CA and cannot sign certificates",
                       STR_ARG(info->subject_text));
    if (!issuer->key->is_private || !x509_cert_fits_key(issuer->cert, issuer->key))
        return err_set(err, ERR_INVALID, "key does not fit the certificate of CA '%" STR_FMT "'",
                       STR_ARG(info->subject_text));
    if (b->not_after_s > info->not_after_s) {
        char end[TIME_TEXT_SIZE];
        time_text(info->not_after_s, end);
        return err_set(err, ERR_INVALID, "certificate would outlive its CA '%" STR_FMT "', which ends at %s",
                       STR_ARG(info->subject_text), end);
    }
    return ERR_NONE;
}

static err_code sign(X509 *x, const struct x509_key *with, struct err *err)
{
    if (!with->is_private)
        return err_set(err, ERR_INVALID, "cannot sign with the public half of a key");
    if (X509_sign(x, with->pkey, x509_key_digest(with)) <= 0)
        return ossl_err(err, ERR_INTERNAL, "could not sign a certificate");
    return ERR_NONE;
}

static err_code cert_make(const struct blank *b, const struct x509_issuer *issuer, struct x509_cert **ret,
                          struct err *err)
{
    CLEANUP(X509_free_cleanup) X509 *x = OSSL_MUST(X509_new());
    CLEANUP(extensions_free) extensions *ext = NULL;
    const X509_NAME *issuer_name = issuer ? X509_get_subject_name(issuer->cert->x) : b->subject;
    OSSL_MUST(X509_set_version(x, X509_VERSION_3) == 1);
    OSSL_MUST(X509_set_subject_name(x, b->subject) == 1);
    OSSL_MUST(X509_set_issuer_name(x, issuer_name) == 1);
    OSSL_MUST(X509_set_pubkey(x, b->key->pkey) == 1);
    serial_set(x, b->serial);
    constraints_add(&ext, b->is_ca);
    usages_add(&ext, b->usages);
    if (times_set(x, b->not_before_s, b->not_after_s, err) ||
        names_add(&ext, b->names, X509_NAME_entry_count(b->subject) == 0, err) ||
        (issuer && issuer_check(issuer, b, err)))
        return err->code;
    key_ids_add(&ext, b->key, b->is_ca, issuer ? issuer->cert->x : NULL);
    for (int i = 0; i < sk_X509_EXTENSION_num(ext); i++)
        OSSL_MUST(X509_add_ext(x, sk_X509_EXTENSION_value(ext, i), -1) == 1);
    if (sign(x, issuer ? issuer->key : b->key, err))
        return err->code;
    CLEANUP(ossl_bytes_cleanup) unsigned char *der = NULL;
    int n = i2d_X509(x, &der);
    if (n <= 0)
        return ossl_err(err, ERR_INTERNAL, "could not encode a certificate");
    return x509_cert_parse_der(str_of((const char *)der, (size_t)n), ret, err);
}

err_code x509_issue(const struct x509_template *t, const struct x509_key *key,
                    const struct x509_issuer *issuer, struct x509_cert **ret, struct err *err)
{
    CLEANUP(X509_NAME_free_cleanup) X509_NAME *subject = NULL;
    if (subject_make(&t->subject, &subject, err))
        return err_wrap(err, "could not issue a certificate");
    struct blank b = {
        .subject = subject,
        .names = &t->names,
        .usages = t->usages,
        .is_ca = t->is_ca,
        .not_before_s = t->not_before_s,
        .not_after_s = t->not_after_s,
        .serial = t->serial,
        .key = key,
    };
    if (cert_make(&b, issuer, ret, err))
        return err_wrap(err, "could not issue a certificate for '%" STR_FMT "'",
                        STR_ARG(t->subject.common_name));
    return ERR_NONE;
}

/* --- signing requests --- */

err_code x509_csr_new(const struct x509_template *t, const struct x509_key *key, struct buf *ret,
                      struct err *err)
{
    CLEANUP(X509_NAME_free_cleanup) X509_NAME *subject = NULL;
    CLEANUP(X509_REQ_free_cleanup) X509_REQ *req = OSSL_MUST(X509_REQ_new());
    CLEANUP(extensions_free) extensions *ext = NULL;
    if (!key->is_private)
        return err_set(err, ERR_INVALID, "cannot request a certificate with the public half of a key");
    if (subject_make(&t->subject, &subject, err) ||
        names_add(&ext, &t->names, X509_NAME_entry_count(subject) == 0, err))
        return err_wrap(err, "could not request a certificate");
    if (t->is_ca)
        constraints_add(&ext, true);
    usages_add(&ext, t->usages);
    OSSL_MUST(X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1);
    OSSL_MUST(X509_REQ_set_subject_name(req, subject) == 1);
    OSSL_MUST(X509_REQ_set_pubkey(req, key->pkey) == 1);
    if (ext)
        OSSL_MUST(X509_REQ_add_extensions(req, ext) == 1);
    if (X509_REQ_sign(req, key->pkey, x509_key_digest(key)) <= 0)
        return ossl_err(err, ERR_INTERNAL, "could not sign a certificate request");
    CLEANUP(BIO_free_cleanup) BIO *bio = OSSL_MUST(BIO_new(BIO_s_mem()));
    OSSL_MUST(PEM_write_bio_X509_REQ(bio, req) == 1);
    buf_add(ret, ossl_bio_str(bio));
    return buf_check(ret, err);
}

static void req_release(void *req)
{
    X509_REQ_free(req);
}

static void key_release(void *key)
{
    x509_key_unref(key);
}

/* One extension of the request; NULL without an error: not there. */
static err_code requested(const extensions *ext, int nid, void **ret, struct err *err)
{
    int found = -1;
    *ret = X509V3_get_d2i(ext, nid, &found, NULL);
    return x509_extension_check(*ret, found, nid, err);
}

static uint32_t key_usage_word(const ASN1_BIT_STRING *bits)
{
    const unsigned char *p = ASN1_STRING_get0_data(bits);
    int n = ASN1_STRING_length(bits);
    return (n > 0 ? p[0] : 0u) | (n > 1 ? (uint32_t)p[1] << 8 : 0u);
}

static err_code requests_read(struct arena *a, const extensions *ext, struct x509_csr *csr, struct err *err)
{
    void *names = NULL, *ku = NULL, *eku = NULL, *bc = NULL;
    err_code code = requested(ext, NID_subject_alt_name, &names, err);
    code = code ? code : x509_names_read(a, names, &csr->names, err);
    code = code ? code : requested(ext, NID_key_usage, &ku, err);
    code = code ? code : requested(ext, NID_ext_key_usage, &eku, err);
    code = code ? code : requested(ext, NID_basic_constraints, &bc, err);
    csr->usages = (ku ? x509_key_usages_read(key_usage_word(ku)) : 0) |
                  (eku ? x509_extended_usages_read(eku) : 0);
    csr->is_ca = bc && ((BASIC_CONSTRAINTS *)bc)->ca;
    GENERAL_NAMES_free(names);
    ASN1_BIT_STRING_free(ku);
    EXTENDED_KEY_USAGE_free(eku);
    BASIC_CONSTRAINTS_free(bc);
    return code;
}

static err_code csr_read(struct arena *a, str der, struct x509_csr *csr, struct err *err)
{
    const unsigned char *p = (const unsigned char *)der.p;
    X509_REQ *req = der.n <= X509_DER_SIZE_MAX ? d2i_X509_REQ(NULL, &p, (long)der.n) : NULL;
    if (!req)
        return ossl_err(err, ERR_SYNTAX, "could not read certificate request");
    arena_hold(a, req_release, req);
    if (p != (const unsigned char *)der.p + der.n)
        return err_set(err, ERR_SYNTAX, "could not read certificate request: bytes follow it");
    EVP_PKEY *pkey = X509_REQ_get_pubkey(req);
    if (!pkey)
        return ossl_err(err, ERR_UNSUPPORTED, "could not read the public key of a certificate request");
    if (x509_key_wrap(pkey, false, &csr->key, err))
        return err_wrap(err, "could not use the public key of a certificate request");
    arena_hold(a, key_release, csr->key);
    if (X509_REQ_verify(req, csr->key->pkey) != 1)
        return ossl_err(err, ERR_INVALID, "certificate request is not signed with its own key");
    csr->impl = req;
    CLEANUP(extensions_free) extensions *ext = X509_REQ_get_extensions(req);
    if (x509_subject_read(a, X509_REQ_get_subject_name(req), &csr->subject, &csr->subject_text, err) ||
        requests_read(a, ext, csr, err))
        return err_wrap(err, "could not read certificate request");
    return ERR_NONE;
}

err_code x509_csr_parse(struct arena *a, str pem, struct x509_csr **ret, struct err *err)
{
    CLEANUP(pem_block_done) struct pem_block b;
    bool found;
    if (pem_next(&pem, &b, &found, err))
        return err->code;
    if (!found || !str_is(b.label, "CERTIFICATE REQUEST"))
        return err_set(err, ERR_SYNTAX, "PEM block type must be CERTIFICATE REQUEST");
    struct x509_csr *csr = ARENA_NEW(a, struct x509_csr);
    if (csr_read(a, buf_str(&b.der), csr, err))
        return err->code;
    *ret = csr;
    return ERR_NONE;
}

void x509_grant_period(struct x509_grant *g, int64_t now_s, int64_t ttl_s, int32_t expiration_s)
{
    static const int64_t minute = 60, back = 5 * minute, least = 10 * minute, brief = 8 * 60 * minute;
    if (expiration_s && expiration_s < ttl_s)
        ttl_s = expiration_s > least ? expiration_s : least;
    g->not_before_s = now_s - back;
    g->not_after_s = now_s + ttl_s - (ttl_s < brief ? 0 : back);
}

err_code x509_csr_sign(const struct x509_csr *csr, const struct x509_grant *grant,
                       const struct x509_issuer *issuer, struct x509_cert **ret, struct err *err)
{
    int64_t ca_end = issuer->cert->info.not_after_s;
    struct blank b = {
        .subject = X509_REQ_get_subject_name(csr->impl),
        .names = &csr->names,
        .usages = grant->usages,
        .not_before_s = grant->not_before_s,
        .not_after_s = grant->not_after_s < ca_end ? grant->not_after_s : ca_end,
        .serial = grant->serial,
        .key = csr->key,
    };
    if (grant->not_before_s >= ca_end) {
        char end[TIME_TEXT_SIZE];
        time_text(ca_end, end);
        return err_set(err, ERR_INVALID,
                       "could not sign the request of '%" STR_FMT "': the signer has expired: NotAfter=%s",
                       STR_ARG(csr->subject_text), end);
    }
    if (cert_make(&b, issuer, ret, err))
        return err_wrap(err, "could not sign the request of '%" STR_FMT "'", STR_ARG(csr->subject_text));
    return ERR_NONE;
}
