/* pki_test.h - authorities and certificates for the tests of x509, jwt and tls. All of it lives as long as the pki. */
#ifndef SYS_PKI_TEST_H
#define SYS_PKI_TEST_H

#include "sys/x509.h"

#define PKI_HOUR 3600
#define PKI_DAY  (24 * PKI_HOUR)

struct pki {
    struct arena arena;
    int64_t now_s;
    uint8_t serial; /* of the newest certificate */
    struct x509_key *key;
    struct x509_cert *cert;
};
/* A CA called `name`, valid from a day before now_s to ten years after. */
void pki_init(struct pki *ca, const char *name, int64_t now_s);
void pki_done(struct pki *ca);

struct pki_id {
    struct x509_key *key;
    struct x509_cert *cert;
};
/* Signed by the CA; serial, and times that are 0 (an hour before now_s, a day after), are filled in. */
struct pki_id pki_issue(struct pki *ca, const struct x509_template *t);
/* For these names, separated by commas: DNS names and IP addresses. */
struct pki_id pki_server(struct pki *ca, const char *names);
struct pki_id pki_client(struct pki *ca, const char *user, const char *group);

str pki_cert_pem(struct pki *ca, const struct x509_cert *cert);
str pki_key_pem(struct pki *ca, const struct x509_key *key);
/* Written to a file of the test's folder: its path. */
const char *pki_file(struct pki *ca, const char *name, str content);
/* Runs a shell command; what it printed, both ways. Fails the test unless its exit status is `want_status`. */
str pki_run(struct pki *ca, int want_status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The certificate as another one that differs in these bytes of its DER (same length), its signature now wrong. */
str pki_der_with(struct pki *ca, const struct x509_cert *cert, str from, str to);

#endif
