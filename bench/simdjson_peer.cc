/* simdjson_peer.cc - simdjson's DOM behind C functions. */
#include "simdjson_peer.h"
#include <simdjson.h>
#include <string>

struct simdjson_peer {
    simdjson::dom::parser parser;
    simdjson::dom::element tree;
    simdjson::internal::string_builder<> text;
};

struct simdjson_peer *simdjson_peer_new(void)
{
    return new simdjson_peer;
}

void simdjson_peer_free(struct simdjson_peer *peer)
{
    delete peer;
}

bool simdjson_peer_parse(struct simdjson_peer *peer, const char *p, size_t n)
{
    return peer->parser.parse(p, n, false).get(peer->tree) == simdjson::SUCCESS;
}

size_t simdjson_peer_print(struct simdjson_peer *peer)
{
    peer->text.clear();
    peer->text.append(peer->tree);
    return peer->text.str().size();
}

const char *simdjson_peer_kind(void)
{
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}
