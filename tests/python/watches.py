# Watches: what was there, what comes, what leaves a selector, and going on from a revision.
import threading
import time
from kubernetes import client, config, watch

config.load_kube_config()
core = client.CoreV1Api()


def make(name, labels=None):
    return core.create_namespaced_config_map(
        "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name, labels=labels)))


def events(count, **options):
    out, w = [], watch.Watch()
    for e in w.stream(core.list_namespaced_config_map, "default", timeout_seconds=20, **options):
        out.append((e["type"], e["object"].metadata.name))
        if len(out) == count:
            w.stop()
    return out


first = make("a", {"tier": "front"})
later = threading.Timer(0.3, lambda: (
    make("b"),
    make("c", {"tier": "front"}),
    core.delete_namespaced_config_map("a", "default")))
later.start()
assert events(4) == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c"), ("DELETED", "a")]
later.join()

# From a revision on: everything since, once.
assert events(3, resource_version=first.metadata.resource_version) == [
    ("ADDED", "b"), ("ADDED", "c"), ("DELETED", "a")]

# By selector: an object that stops matching is gone for this watch.
c = core.read_namespaced_config_map("c", "default")
since = core.list_namespaced_config_map("default").metadata.resource_version


def relabel():
    time.sleep(0.3)
    c.metadata.labels = {"tier": "back"}
    core.replace_namespaced_config_map("c", "default", c)
    make("d", {"tier": "front"})


threading.Thread(target=relabel).start()
got = events(2, label_selector="tier=front", resource_version=since)
assert got == [("DELETED", "c"), ("ADDED", "d")], got

# Too old a revision is 410, so that the client lists again.
try:
    events(1, resource_version="1000000000")
    raise SystemExit("watched from the future")
except client.exceptions.ApiException as e:
    assert e.status in (410, 504), e
