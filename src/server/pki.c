/* pki.c - the cluster's keys and certificates. */
#include "server/pki.h"
#include "base/base64.h"
#include "base/mem.h"

enum {
    DAY_S = 24 * 3600,
    CA_LIFE_S = 3650 * DAY_S,
    LEAF_LIFE_S = 365 * DAY_S,
    BACKDATE_S = 300, /* clocks differ */
    FILE_MAX = 64 * 1024,
};

struct maker {
    struct env *env;
    struct dir *dir; /* DIR/pki */
    struct arena arena;
    int64_t now_s;
    struct err *err;
};

/* What to make when there is none. */
struct recipe {
    const char *name;
    struct x509_template template;
    const struct pki_pair *issuer; /* NULL: signs itself */
};

static bool read_file(struct maker *m, str name, str *ret)
{
    return !file_read_all(m->dir, name, &m->arena, FILE_MAX, ret, m->err);
}

static err_code write_key(struct maker *m, const char *name, const struct x509_key *key)
{
    struct buf text;
    buf_init_arena(&text, &m->arena, FILE_MAX);
    if (x509_key_print(key, X509_TRADITIONAL, &text, m->err))
        return m->err->code;
    return file_replace(m->dir, str_format(&m->arena, "%s.key", name), buf_str(&text), m->err);
}

/* There, or made. */
static err_code get_key(struct maker *m, const char *name, struct x509_key **ret)
{
    str pem, file = str_format(&m->arena, "%s.key", name);
    if (read_file(m, file, &pem)) {
        if (x509_key_parse(pem, ret, m->err))
            return err_wrap_as(m->err, ERR_CORRUPT, "could not use the key in pki/%" STR_FMT, STR_ARG(file));
        return ERR_NONE;
    }
    if (m->err->code != ERR_NOT_FOUND)
        return err_wrap(m->err, "could not read pki/%" STR_FMT, STR_ARG(file));
    *m->err = ERR_INIT;
    if (x509_key_generate(X509_KEY_P256, ret, m->err))
        return m->err->code;
    return write_key(m, name, *ret);
}

static bool covers(const struct x509_cert *cert, const struct x509_names *names)
{
    struct err ignored = ERR_INIT;
    for (size_t i = 0; i < names->dns_count; i++)
        if (x509_cert_check_host(cert, names->dns[i], &ignored))
            return false;
    const struct x509_cert_info *info = x509_cert_info(cert);
    for (size_t i = 0; i < names->ip_count; i++) {
        bool found = false;
        for (size_t k = 0; k < info->names.ip_count; k++)
            found |= ip_equal(&info->names.ips[k], &names->ips[i]);
        if (!found)
            return false;
    }
    return true;
}

/* Still of use: long enough, for the same names, of the same issuer. */
static bool is_good(struct maker *m, const struct recipe *rc, const struct x509_cert *cert)
{
    const struct x509_cert_info *info = x509_cert_info(cert);
    int64_t life = rc->template.is_ca ? CA_LIFE_S : LEAF_LIFE_S;
    if (rc->template.is_ca)
        return info->not_after_s > m->now_s;
    if (info->not_after_s - m->now_s < life / 3 || !covers(cert, &rc->template.names))
        return false;
    struct x509_pool *pool;
    struct err err = ERR_INIT;
    if (x509_pool_new_of(&rc->issuer->cert, 1, &pool, &err))
        return false;
    struct x509_verify_opts opts = {.now_s = m->now_s};
    const struct x509_cert *chain[] = {cert};
    bool good = !x509_verify(pool, chain, 1, &opts, &err);
    x509_pool_unref(pool);
    return good;
}

static err_code make_cert(struct maker *m, const struct recipe *rc, struct pki_pair *pair)
{
    struct x509_template t = rc->template;
    t.not_before_s = m->now_s - BACKDATE_S;
    t.not_after_s = m->now_s + (t.is_ca ? CA_LIFE_S : LEAF_LIFE_S);
    struct x509_issuer issuer = {0};
    if (rc->issuer) {
        issuer = (struct x509_issuer){rc->issuer->cert, rc->issuer->key};
        int64_t end = x509_cert_info(rc->issuer->cert)->not_after_s;
        t.not_after_s = t.not_after_s < end ? t.not_after_s : end;
        t.not_before_s = x509_cert_info(rc->issuer->cert)->not_before_s > t.not_before_s
                             ? x509_cert_info(rc->issuer->cert)->not_before_s
                             : t.not_before_s;
    }
    env_random(m->env, t.serial, sizeof t.serial);
    if (x509_issue(&t, pair->key, rc->issuer ? &issuer : NULL, &pair->cert, m->err))
        return err_wrap(m->err, "could not issue the certificate '%s'", rc->name);
    struct buf text;
    buf_init_arena(&text, &m->arena, FILE_MAX);
    x509_cert_print(pair->cert, &text);
    return file_replace(m->dir, str_format(&m->arena, "%s.crt", rc->name), buf_str(&text), m->err);
}

static err_code get_pair(struct maker *m, const struct recipe *rc, struct pki_pair *ret)
{
    str pem, file = str_format(&m->arena, "%s.crt", rc->name);
    if (get_key(m, rc->name, &ret->key))
        return m->err->code;
    if (read_file(m, file, &pem)) {
        if (x509_cert_parse(pem, &ret->cert, m->err))
            return err_wrap_as(m->err, ERR_CORRUPT, "could not use the certificate in pki/%" STR_FMT,
                               STR_ARG(file));
        if (!x509_cert_fits_key(ret->cert, ret->key))
            return err_set(m->err, ERR_CORRUPT,
                           "the certificate in pki/%" STR_FMT " is not of the key beside it", STR_ARG(file));
        if (is_good(m, rc, ret->cert))
            return ERR_NONE;
        if (rc->template.is_ca)
            return err_set(m->err, ERR_CORRUPT, "the authority in pki/%" STR_FMT " has ended", STR_ARG(file));
        ret->cert = x509_cert_unref(ret->cert);
    } else if (m->err->code != ERR_NOT_FOUND) {
        return err_wrap(m->err, "could not read pki/%" STR_FMT, STR_ARG(file));
    }
    *m->err = ERR_INIT;
    return make_cert(m, rc, ret);
}

static err_code get_authority(struct maker *m, const char *name, const char *common_name,
                              struct pki_pair *ret)
{
    struct recipe rc = {
        .name = name,
        .template = {.subject.common_name = str_from_c(common_name), .usages = X509_FOR_CA, .is_ca = true}};
    return get_pair(m, &rc, ret);
}

static err_code get_client(struct maker *m, const char *name, str user, str group,
                           const struct pki_pair *issuer, struct pki_pair *ret)
{
    struct recipe rc = {.name = name,
                        .template = {.subject = {.common_name = user,
                                                 .organizations = &group,
                                                 .organization_count = group.n ? 1 : 0},
                                     .usages = X509_FOR_CLIENT},
                        .issuer = issuer};
    return get_pair(m, &rc, ret);
}

/* Each once: what every cluster's server is called, and what this one is called besides. */
static void serving_names(struct maker *m, const struct pki_opts *opts, struct x509_names *ret)
{
    str *dns = ARENA_ARRAY(&m->arena, str, opts->name_count + 6);
    struct ip *ips = ARENA_ARRAY(&m->arena, struct ip, opts->name_count + 3);
    size_t dns_count = 0, ip_count = 0;
    dns[dns_count++] = S("kubernetes");
    dns[dns_count++] = S("kubernetes.default");
    dns[dns_count++] = S("kubernetes.default.svc");
    dns[dns_count++] = str_format(&m->arena, "kubernetes.default.svc.%" STR_FMT,
                                  STR_ARG(opts->cluster_domain));
    dns[dns_count++] = S("localhost");
    const str fixed[] = {S("127.0.0.1"), S("::1"), opts->service_ip};
    for (size_t i = 0; i < ARRAY_COUNT(fixed) + opts->name_count; i++) {
        str name = i < ARRAY_COUNT(fixed) ? fixed[i] : opts->names[i - ARRAY_COUNT(fixed)];
        struct ip ip;
        bool seen = false;
        if (ip_parse(name, &ip, NULL)) {
            for (size_t k = 0; k < ip_count; k++)
                seen |= ip_equal(&ips[k], &ip);
            if (!seen)
                ips[ip_count++] = ip;
        } else if (name.n) {
            for (size_t k = 0; k < dns_count; k++)
                seen |= str_eq(dns[k], name);
            if (!seen)
                dns[dns_count++] = name;
        }
    }
    *ret = (struct x509_names){.dns = dns, .dns_count = dns_count, .ips = ips, .ip_count = ip_count};
}

static err_code get_all(struct maker *m, const struct pki_opts *opts, struct pki *p)
{
    struct recipe serving = {
        .name = "apiserver",
        .template = {.subject.common_name = S("kube-apiserver"), .usages = X509_FOR_SERVER},
        .issuer = &p->ca};
    serving_names(m, opts, &serving.template.names);
    if (get_authority(m, "ca", "kubernetes", &p->ca) ||
        get_authority(m, "front-proxy-ca", "front-proxy-ca", &p->front_proxy_ca) ||
        get_authority(m, "agent-ca", "skiff-agent-ca", &p->agent_ca) || get_key(m, "sa", &p->sa.key) ||
        get_pair(m, &serving, &p->apiserver) ||
        get_client(m, "admin", S("kubernetes-admin"), S("system:masters"), &p->ca, &p->admin))
        return m->err->code;
    return get_client(m, "apiserver-agent-client", S("kube-apiserver-kubelet-client"), S("system:masters"),
                      &p->ca, &p->agent_client);
}

err_code pki_open(struct env *env, struct dir *data_dir, const struct pki_opts *opts, struct pki **ret,
                  struct err *err)
{
    struct maker m = {.env = env, .now_s = env_now_wall(env) / NS_PER_S, .err = err};
    if (dir_open_beneath(data_dir, S("pki"), DIR_CREATE, &m.dir, err))
        return err_wrap(err, "could not open the directory 'pki'");
    arena_init(&m.arena, 0);
    struct pki *p = NEW(struct pki);
    get_all(&m, opts, p);
    arena_done(&m.arena);
    dir_close(m.dir);
    if (err->code) {
        pki_free(p);
        return err->code;
    }
    *ret = p;
    return ERR_NONE;
}

void pki_free(struct pki *p)
{
    if (!p)
        return;
    struct pki_pair *pairs[] = {&p->ca,    &p->front_proxy_ca, &p->agent_ca,    &p->sa,
                                &p->admin, &p->apiserver,      &p->agent_client};
    for (size_t i = 0; i < ARRAY_COUNT(pairs); i++) {
        x509_cert_unref(pairs[i]->cert);
        x509_key_unref(pairs[i]->key);
    }
    mem_free(p);
}

err_code pki_tls_config(const struct pki *p, struct tls_config **ret, struct err *err)
{
    struct x509_cert *chain[] = {p->apiserver.cert};
    struct tls_identity identity = {.chain = chain, .chain_count = 1, .key = p->apiserver.key};
    static const str alpn[] = {S_INIT("h2"), S_INIT("http/1.1")};
    struct x509_pool *pool;
    if (x509_pool_new_of(&p->ca.cert, 1, &pool, err))
        return err->code;
    struct tls_server_opts opts = {
        .identities = &identity,
        .identity_count = 1,
        .client_auth = TLS_CLIENT_AUTH_OPTIONAL,
        .client_ca = pool,
        .alpn = alpn,
        .alpn_count = ARRAY_COUNT(alpn),
        .plain_http_answer = S(
            "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n"),
    };
    err_code code = tls_config_new_server(&opts, ret, err);
    x509_pool_unref(pool);
    return code;
}

/* --- admin.conf --- */

static void add_base64(struct buf *out, const char *name, str bytes)
{
    buf_add_f(out, "    %s: ", name);
    base64_encode(out, bytes, 0);
    buf_add_c(out, '\n');
}

err_code pki_write_admin_conf(const struct pki *p, struct dir *data_dir, str url, struct err *err)
{
    struct arena a;
    arena_init(&a, 0);
    struct buf out, ca, cert, key;
    buf_init_arena(&out, &a, FILE_MAX);
    buf_init_arena(&ca, &a, FILE_MAX);
    buf_init_arena(&cert, &a, FILE_MAX);
    buf_init_arena(&key, &a, FILE_MAX);
    x509_cert_print(p->ca.cert, &ca);
    x509_cert_print(p->admin.cert, &cert);
    err_code code = x509_key_print(p->admin.key, X509_TRADITIONAL, &key, err);
    buf_add_lit(&out, "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n");
    add_base64(&out, "certificate-authority-data", buf_str(&ca));
    buf_add_f(&out, "    server: %" STR_FMT "\n  name: skiff\n", STR_ARG(url));
    buf_add_lit(&out, "contexts:\n- context:\n    cluster: skiff\n    user: skiff-admin\n  name: skiff\n"
                      "current-context: skiff\nusers:\n- name: skiff-admin\n  user:\n");
    add_base64(&out, "client-certificate-data", buf_str(&cert));
    add_base64(&out, "client-key-data", buf_str(&key));
    if (!code)
        code = file_replace(data_dir, S("admin.conf"), buf_str(&out), err);
    arena_done(&a);
    return code;
}
