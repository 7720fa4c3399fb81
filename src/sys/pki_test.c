#include "sys/pki_test.h"
#include "harness/test.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

static void key_release(void *key)
{
    x509_key_unref(key);
}

static void cert_release(void *cert)
{
    x509_cert_unref(cert);
}

void pki_init(struct pki *ca, const char *name, int64_t now_s)
{
    *ca = (struct pki){.now_s = now_s};
    arena_init(&ca->arena, 0);
    struct x509_template t = {
        .subject.common_name = str_from_c(name),
        .usages = X509_FOR_CA,
        .is_ca = true,
        .not_before_s = now_s - PKI_DAY,
        .not_after_s = now_s + 3650LL * PKI_DAY,
        .serial = {1},
    };
    CHECK_OK(x509_key_generate(X509_KEY_P256, &ca->key, &e));
    arena_hold(&ca->arena, key_release, ca->key);
    CHECK_OK(x509_issue(&t, ca->key, NULL, &ca->cert, &e));
    arena_hold(&ca->arena, cert_release, ca->cert);
}

void pki_done(struct pki *ca)
{
    arena_done(&ca->arena);
}

struct pki_id pki_issue(struct pki *ca, const struct x509_template *t)
{
    struct x509_template full = *t;
    full.not_before_s = t->not_before_s ? t->not_before_s : ca->now_s - PKI_HOUR;
    full.not_after_s = t->not_after_s ? t->not_after_s : ca->now_s + PKI_DAY;
    full.serial[15] = ++ca->serial;
    struct pki_id id;
    CHECK_OK(x509_key_generate(X509_KEY_P256, &id.key, &e));
    arena_hold(&ca->arena, key_release, id.key);
    CHECK_OK(x509_issue(&full, id.key, &(struct x509_issuer){ca->cert, ca->key}, &id.cert, &e));
    arena_hold(&ca->arena, cert_release, id.cert);
    return id;
}

struct pki_id pki_server(struct pki *ca, const char *names)
{
    str rest = str_from_c(names), name, dns[16];
    struct ip ips[16];
    size_t dns_count = 0, ip_count = 0;
    while (str_next(&rest, ',', &name)) {
        ASSERT(dns_count < 16 && ip_count < 16);
        if (ip_parse(name, &ips[ip_count], NULL))
            ip_count++;
        else
            dns[dns_count++] = name;
    }
    return pki_issue(ca, &(struct x509_template){
                             .subject.common_name = S("server"),
                             .names = {.dns = dns, .dns_count = dns_count, .ips = ips, .ip_count = ip_count},
                             .usages = X509_FOR_SERVER,
                         });
}

struct pki_id pki_client(struct pki *ca, const char *user, const char *group)
{
    str organization = str_from_c(group);
    return pki_issue(ca, &(struct x509_template){
                             .subject = {.common_name = str_from_c(user),
                                         .organizations = &organization,
                                         .organization_count = 1},
                             .usages = X509_FOR_CLIENT,
                         });
}

str pki_cert_pem(struct pki *ca, const struct x509_cert *cert)
{
    struct buf b;
    buf_init_arena(&b, &ca->arena, X509_PEM_SIZE_MAX);
    x509_cert_print(cert, &b);
    return buf_str(&b);
}

str pki_key_pem(struct pki *ca, const struct x509_key *key)
{
    struct buf b;
    buf_init_arena(&b, &ca->arena, X509_PEM_SIZE_MAX);
    CHECK_OK(x509_key_print(key, X509_PKCS8, &b, &e));
    return buf_str(&b);
}

const char *pki_file(struct pki *ca, const char *name, str content)
{
    const char *path = str_format(&ca->arena, "%s/%s", test_dir(), name).p;
    FILE *f = fopen(path, "we");
    CHECK(f);
    CHECK_EQ(fwrite(content.p, 1, content.n, f), content.n);
    CHECK_EQ(fclose(f), 0);
    return path;
}

str pki_run(struct pki *ca, int want_status, const char *fmt, ...)
{
    struct buf command, out;
    buf_init_arena(&command, &ca->arena, 100000);
    buf_init_arena(&out, &ca->arena, (size_t)1 << 20);
    va_list ap;
    va_start(ap, fmt);
    buf_add_f(&command, "( ");
    buf_add_vf(&command, fmt, ap);
    buf_add_f(&command, " ) 2>&1 </dev/null");
    buf_add_c(&command, '\0');
    va_end(ap);
    FILE *f = popen(command.p, "re");
    CHECK(f);
    size_t n;
    do {
        n = fread(buf_room(&out, 4096), 1, 4096, f);
        buf_commit(&out, n);
    } while (n);
    int status = pclose(f);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != want_status)
        FAIL("%s: status %d, should be exit %d: %" STR_FMT, command.p, status, want_status,
             STR_ARG(buf_str(&out)));
    return buf_str(&out);
}

str pki_der_with(struct pki *ca, const struct x509_cert *cert, str from, str to)
{
    ASSERT(from.n == to.n);
    str der = str_dup(&ca->arena, x509_cert_info(cert)->der);
    size_t at = 0, count = 0;
    for (size_t step; (step = str_index(str_from(der, at), from)) != SIZE_MAX; count++) {
        at += step;
        memcpy((char *)(uintptr_t)(der.p + at), to.p, to.n);
        at += to.n;
    }
    CHECK_GT(count, 0);
    return der;
}
