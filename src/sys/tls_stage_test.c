#include "sys/tls_stage_test.h"
#include "harness/test.h"
#include <time.h>

void tls_stage_open(struct tls_stage *t)
{
    CHECK_OK(env_new_real(NULL, &t->env, &e));
    CHECK_OK(loop_new(t->env, S("test"), &t->loop, &e));
    pki_init(&t->ca, "ca", (int64_t)time(NULL));
    CHECK_OK(x509_pool_new_of(&t->ca.cert, 1, &t->pool, &e));
    t->server = tls_stage_server(t, &(struct tls_server_opts){0}, HOST);
    t->client = tls_stage_client(t, &(struct tls_client_opts){0});
}

void tls_stage_close(struct tls_stage *t)
{
    loop_free(t->loop);
    env_free(t->env);
    tls_config_unref(t->server);
    tls_config_unref(t->client);
    x509_pool_unref(t->pool);
    pki_done(&t->ca);
}

struct tls_identity tls_identity_of(struct pki_id *id)
{
    return (struct tls_identity){.chain = &id->cert, .chain_count = 1, .key = id->key};
}

struct tls_config *tls_stage_server(struct tls_stage *t, const struct tls_server_opts *base,
                                    const char *names)
{
    struct pki_id id = pki_server(&t->ca, names);
    struct tls_identity identity = tls_identity_of(&id);
    struct tls_server_opts opts = *base;
    opts.identities = &identity;
    opts.identity_count = 1;
    struct tls_config *config;
    CHECK_OK(tls_config_new_server(&opts, &config, &e));
    return config;
}

struct tls_config *tls_stage_client(struct tls_stage *t, const struct tls_client_opts *base)
{
    struct tls_client_opts opts = *base;
    if (!opts.insecure && !opts.ca)
        opts.ca = t->pool;
    struct tls_config *config;
    CHECK_OK(tls_config_new_client(&opts, &config, &e));
    return config;
}
