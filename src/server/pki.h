/* pki.h - the keys and certificates of a cluster, in DIR/pki: made when missing, read when there, renewed before they end.
 *   ca                 the cluster's: signs what serves and clients' certificates
 *   front-proxy-ca     signs who may speak for others (request headers)
 *   agent-ca           signs what node agents serve with
 *   sa                 key pair that signs service account tokens
 *   apiserver          what this server shows
 *   admin              a client certificate of system:masters, for DIR/admin.conf
 *   apiserver-agent-client   a client certificate for calls to node agents
 * Each key is a file of mode 0600 beside its certificate; certificates of authorities last 10 years, the others 1 year, and
 * are made anew when less than a third of that is left.
 * Threads: pki_open and pki_renew block; a struct pki is constant, pki_renew gives another. */
#ifndef SERVER_PKI_H
#define SERVER_PKI_H

#include "sys/file.h"
#include "sys/tls.h"

struct pki_pair {
    struct x509_cert *cert; /* NULL for `sa` */
    struct x509_key *key;
};

struct pki {
    struct pki_pair ca, front_proxy_ca, agent_ca, sa, apiserver, admin, agent_client;
};

struct pki_opts {
    const str *
        names; /* DNS names and IP addresses that the serving certificate is for, besides those that every cluster has */
    size_t name_count;
    str service_ip;     /* the kubernetes Service's: "10.96.0.1" */
    str cluster_domain; /* "cluster.local" */
};

/* CORRUPT: a file that cannot be read, or a key that does not fit its certificate (names it). */
err_code pki_open(struct env *env, struct dir *data_dir, const struct pki_opts *opts, struct pki **ret,
                  struct err *err);
void pki_free(struct pki *p); /* NULL is fine */
/* What the server shows and whom it asks for certificates. */
err_code pki_tls_config(const struct pki *p, struct tls_config **ret, struct err *err);
/* DIR/admin.conf: a kubeconfig for `url` with the admin's certificate. */
err_code pki_write_admin_conf(const struct pki *p, struct dir *data_dir, str url, struct err *err);

#endif
