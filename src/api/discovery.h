/* discovery.h - the documents in which a server describes itself: which groups, versions and resources there are, in the old
 * form and the aggregated one (apidiscovery.k8s.io/v2), and the OpenAPI documents of their schemas, v2 and v3.
 * Made from a catalog when somebody asks. Texts, orders and extensions (x-kubernetes-...) as clients expect them; descriptions
 * are those of api/.
 * Threads: any. */
#ifndef API_DISCOVERY_H
#define API_DISCOVERY_H

#include "api/catalog.h"
#include "base/buf.h"

/* /api: APIVersions. `address` is "host:port" for serverAddressByClientCIDRs. */
void discovery_core(struct buf *out, const struct catalog *c, str address);
void discovery_groups(struct buf *out, const struct catalog *c); /* /apis */
void discovery_group(struct buf *out, const struct catalog *c,
                     const struct served_group *g); /* /apis/GROUP */
void discovery_resources(struct buf *out, const struct catalog *c,
                         const struct served_version *v); /* /apis/GROUP/VERSION */
/* Aggregated: of /api (core) or of /apis. */
void discovery_aggregated(struct buf *out, const struct catalog *c, bool core);

/* /openapi/v3: every path with a URL that carries the hash of its document's content. It takes the time to make all of
 * them. */
void openapi_v3_index(struct buf *out, const struct catalog *c);
/* /openapi/v3/api/v1, /openapi/v3/apis/GROUP/VERSION. */
void openapi_v3(struct buf *out, const struct catalog *c, const struct served_version *v);
/* The same by what the index calls it: "api/v1", "apis/apps/v1", and also "api", "apis/apps", "version" and the like. False:
 * there is no such document. */
bool openapi_v3_find(struct buf *out, const struct catalog *c, str path);
/* /openapi/v2, the whole in one; as JSON, and as the protobuf form (com.github.proto-openapi.spec.v2.v1.0+protobuf), which
 * kubectl asks for. */
void openapi_v2(struct buf *out, const struct catalog *c);
void openapi_v2_protobuf(struct buf *out, const struct catalog *c);

#endif
