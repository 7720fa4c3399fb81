/* tls_stage_test.h - what a test of TLS stands on: a real loop, an authority, and a configuration of each side. */
#ifndef SYS_TLS_STAGE_TEST_H
#define SYS_TLS_STAGE_TEST_H

#include "sys/loop.h"
#include "sys/pki_test.h"
#include "sys/tls.h"

#define HOST "server.example"

struct tls_stage {
    struct env *env;
    struct loop *loop;
    struct pki ca;
    struct x509_pool *pool;    /* of the CA alone */
    struct tls_config *server; /* has a certificate for HOST, and nothing else is set */
    struct tls_config *client; /* trusts the CA, and nothing else is set */
};
void tls_stage_open(struct tls_stage *t);
void tls_stage_close(struct tls_stage *t);

/* Borrows from `id`. */
struct tls_identity tls_identity_of(struct pki_id *id);
/* `base` with an identity for `names` put in. */
struct tls_config *tls_stage_server(struct tls_stage *t, const struct tls_server_opts *base,
                                    const char *names);
/* `base`, trusting the CA unless it is insecure or says whom to trust. */
struct tls_config *tls_stage_client(struct tls_stage *t, const struct tls_client_opts *base);

#endif
