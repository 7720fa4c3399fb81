# Create, read, list in pages, replace and delete, as the Python client does them.
from kubernetes import client, config
from kubernetes.client.rest import ApiException

config.load_kube_config()
core = client.CoreV1Api()

assert {n.metadata.name for n in core.list_namespace().items} >= {"default", "kube-system"}

made = core.create_namespaced_config_map(
    "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one", labels={"a": "b"}), data={"k": "v"}))
assert made.metadata.uid and made.metadata.resource_version and made.metadata.creation_timestamp
got = core.read_namespaced_config_map("one", "default")
assert got.data == {"k": "v"} and got.metadata.uid == made.metadata.uid

try:
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one")))
    raise SystemExit("made twice")
except ApiException as e:
    assert e.status == 409 and '"reason":"AlreadyExists"' in e.body, e

got.data = {"k": "w"}
new = core.replace_namespaced_config_map("one", "default", got)
assert int(new.metadata.resource_version) > int(made.metadata.resource_version)
try:
    core.replace_namespaced_config_map("one", "default", got)  # with the old resourceVersion
    raise SystemExit("replaced what had changed")
except ApiException as e:
    assert e.status == 409 and "the object has been modified" in e.body, e

names = [f"page-{i:03}" for i in range(25)]
for n in names:
    core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=n, labels={"page": "y"})))
seen, token, pages = [], None, 0
while True:
    page = core.list_namespaced_config_map("default", limit=10, _continue=token)
    seen += [m.metadata.name for m in page.items]
    pages += 1
    if pages == 1:
        assert page.metadata.remaining_item_count == 16, page.metadata
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="zz-later")))
    token = page.metadata._continue
    if not token:
        break
assert pages == 3 and seen == ["one"] + names, (pages, seen)

assert len(core.list_namespaced_config_map("default", label_selector="page=y").items) == 25
assert len(core.list_namespaced_config_map("default", field_selector="metadata.name=one").items) == 1
core.delete_collection_namespaced_config_map("default", label_selector="page=y")
assert [m.metadata.name for m in core.list_namespaced_config_map("default").items] == ["one", "zz-later"]

gone = core.delete_namespaced_config_map("one", "default")
assert gone.status == "Success" and gone.details.uid == made.metadata.uid, gone
try:
    core.read_namespaced_config_map("one", "default")
    raise SystemExit("there after it was deleted")
except ApiException as e:
    assert e.status == 404 and '"details":{"name":"one","kind":"configmaps"}' in e.body, e
